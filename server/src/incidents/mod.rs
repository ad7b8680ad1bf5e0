//! Incidents: something is broken and somebody must see to it.
//!
//! An incident is triggered, acknowledged or resolved, and belongs to one service. While it is triggered and
//! urgent it climbs its escalation policy, level by level, until somebody acknowledges; the policy is
//! copied onto the incident when it opens, so that an edit never changes an escalation that runs.
//! Every step is one transaction: the new state, the entry on the timeline, the timers it sets or
//! takes away. Timers read the state afresh when they fire, so a late or doubled one does no harm.
//! Pages, impact, cases, updates and pages know incidents; incidents know none of them.

pub mod actions;
pub mod api;
pub mod causes;
pub mod confirmed_origin;
pub mod confirmed_origin_api;
pub mod dialect;
pub mod escalation;
pub mod input;
pub mod jobs;
pub mod knowledge;
pub mod lessons;
pub mod lessons_api;
pub mod log_api;
mod log_view;
pub mod mentions;
pub mod merge;
pub mod model;
pub mod origin;
pub mod origin_api;
pub mod room;
pub mod room_api;
pub mod shapes;
pub mod similar;
pub mod store;
pub mod urgency;
pub mod wholes;

pub use model::{Incident, IncidentId, Status, Urgency};
