//! Escalation policies, schedules, and who is on call.

mod policies;
