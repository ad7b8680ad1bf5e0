//! What follows from the outcome of an attempt.

use std::time::Duration;

use jiff::Timestamp;

use super::model::{Outcome, Purpose, State};

/// What a channel says about one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The other side has taken it; `receipt` is what it said.
    Accepted { receipt: String },
    /// There is no channel; it is shown in the outbox.
    Shown,
    /// Worth another attempt.
    PutOff { reason: String },
    /// No attempt will ever succeed.
    Refused { reason: String },
}

impl Delivery {
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Accepted { .. } => Outcome::Accepted,
            Self::Shown => Outcome::Shown,
            Self::PutOff { .. } => Outcome::PutOff,
            Self::Refused { .. } => Outcome::Refused,
        }
    }

    pub fn detail(&self) -> &str {
        match self {
            Self::Accepted { receipt } => receipt,
            Self::Shown => "nothing is configured that could carry it",
            Self::PutOff { reason } | Self::Refused { reason } => reason,
        }
    }
}

/// How the row stands when an attempt is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub state: State,
    /// Attempts claimed so far; more than the recorded one means that the lease ran out meanwhile.
    pub attempts: i64,
    pub withdrawn: bool,
}

/// What the row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The record comes too late to matter.
    Unchanged,
    Sent,
    Shown,
    Failed,
    Cancelled,
    Again {
        at: Timestamp,
    },
}

/// Decides what a message becomes after attempt `number`.
pub fn after(
    delivery: &Delivery,
    number: i64,
    standing: Standing,
    purpose: Purpose,
    deadline_at: Timestamp,
    now: Timestamp,
) -> Next {
    if matches!(delivery, Delivery::Accepted { .. }) {
        // Whoever holds the row now, the other side has the message.
        return match standing.state {
            State::Sent => Next::Unchanged,
            _ => Next::Sent,
        };
    }
    if standing.state != State::Sending || standing.attempts != number {
        return Next::Unchanged;
    }
    match delivery {
        Delivery::Accepted { .. } => Next::Sent,
        Delivery::Shown => Next::Shown,
        Delivery::Refused { .. } => Next::Failed,
        Delivery::PutOff { .. } if standing.withdrawn => Next::Cancelled,
        Delivery::PutOff { .. } => {
            let at = now + pause_after(purpose, number);
            if at > deadline_at {
                Next::Failed
            } else {
                Next::Again { at }
            }
        }
    }
}

/// The pause after attempt `number`: 5 s doubling to one minute for pages, 15 s doubling to half an hour
/// for the rest. Servers that put off strangers usually take them after one to five minutes.
pub fn pause_after(purpose: Purpose, number: i64) -> Duration {
    let doublings = number.clamp(1, 16) - 1;
    let (first, longest) = match purpose {
        Purpose::Page => (5, 60),
        _ => (15, 1_800),
    };
    Duration::from_secs((first << doublings).min(longest))
}

/// So often, and for so long, a page is put off before it counts as one that may not arrive.
pub const SLOW_TRIES: i64 = 3;
pub const SLOW_AFTER: Duration = Duration::from_mins(5);

/// Whether a page that has not arrived may not do so for long: its mail server is down, say. It goes on being tried, and other
/// ways are tried beside it.
pub fn is_slow(wanted_at: Timestamp, tries: i64, now: Timestamp) -> bool {
    tries >= SLOW_TRIES && now >= wanted_at + SLOW_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDING: Standing = Standing {
        state: State::Sending,
        attempts: 2,
        withdrawn: false,
    };

    fn put_off() -> Delivery {
        Delivery::PutOff {
            reason: "451 try again".to_owned(),
        }
    }

    fn accepted() -> Delivery {
        Delivery::Accepted {
            receipt: "250 ok".to_owned(),
        }
    }

    fn decide(delivery: &Delivery, standing: Standing, minutes_left: i64) -> Next {
        let now: Timestamp = "2026-11-17T06:12:00Z".parse().unwrap();
        let deadline = now + Duration::from_secs(minutes_left as u64 * 60);
        after(delivery, 2, standing, Purpose::Page, deadline, now)
    }

    #[test]
    fn put_off_comes_back_until_the_deadline() {
        assert!(matches!(decide(&put_off(), SENDING, 10), Next::Again { .. }));
        assert_eq!(decide(&put_off(), SENDING, 0), Next::Failed);
    }

    #[test]
    fn withdrawn_while_under_way_is_not_tried_again() {
        let withdrawn = Standing {
            withdrawn: true,
            ..SENDING
        };
        assert_eq!(decide(&put_off(), withdrawn, 10), Next::Cancelled);
        assert_eq!(decide(&accepted(), withdrawn, 10), Next::Sent);
    }

    #[test]
    fn a_late_record_counts_only_when_the_message_was_taken() {
        let claimed_again = Standing {
            attempts: 3,
            ..SENDING
        };
        assert_eq!(decide(&put_off(), claimed_again, 10), Next::Unchanged);
        assert_eq!(decide(&accepted(), claimed_again, 10), Next::Sent);
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses: Vec<u64> = (1..=8)
            .map(|number| pause_after(Purpose::Page, number).as_secs())
            .collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60, 60]);
        assert_eq!(pause_after(Purpose::Update, 99).as_secs(), 1_800);
    }
}
