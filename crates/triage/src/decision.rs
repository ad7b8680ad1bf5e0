//! What the state machine is told and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    flapping::FlappingLimits,
    grouping::Grouping,
    reason::Reason,
    transient::{AutoPause, TransientLimits},
};

/// Bounds and limits of the machine. One configuration serves every source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// Beyond this many the alert longest open is forgotten.
    pub maximum_open_alerts: usize,
    /// When an alert counts as flapping.
    pub flapping: FlappingLimits,
    /// When a kind of alert counts as transient.
    pub transient: TransientLimits,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            maximum_open_alerts: 200_000,
            flapping: FlappingLimits::default(),
            transient: TransientLimits::default(),
        }
    }
}

/// What the service of an event wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Services with the same scope share their groups (global grouping); `None`: the service is its own scope.
    pub scope: Option<String>,
    /// How alerts are put into groups.
    pub grouping: Grouping,
    /// Whether notifying waits for alerts that usually clear by themselves.
    pub auto_pause: AutoPause,
}

/// Number of an alert, given in order and never twice by one [`Triage`](crate::Triage).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlertId(pub u64);

/// Number of a group, that of the alert that opened it; never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u64);

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// A new alert, which opened a group of its own.
    OpenedGroup {
        /// The new alert.
        alert: AlertId,
        /// Its group.
        group: GroupId,
    },
    /// A new alert in a group that was open.
    JoinedGroup {
        /// The new alert.
        alert: AlertId,
        /// The group that it joined.
        group: GroupId,
    },
    /// One more event of an open alert.
    Repeated {
        /// The open alert.
        alert: AlertId,
        /// Its group.
        group: GroupId,
    },
    /// Somebody has seen an open alert.
    Acknowledged {
        /// The open alert.
        alert: AlertId,
        /// Its group.
        group: GroupId,
    },
    /// The sender says it is over; the group stays open while another of its alerts is.
    ResolvedAlert {
        /// The alert that ended.
        alert: AlertId,
        /// Its group, which is still open.
        group: GroupId,
    },
    /// The last open alert of the group ended, and the group with it.
    ResolvedGroup {
        /// The alert that ended.
        alert: AlertId,
        /// The group that ended with it.
        group: GroupId,
    },
    /// An acknowledgement or a resolution without an open alert.
    Dropped,
}

/// Whether people should be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notification", rename_all = "snake_case")]
pub enum Notification {
    /// At once.
    Now,
    /// Only if it is still open then.
    PauseUntil {
        /// When the pause ends.
        until: Timestamp,
    },
    /// Not by itself: it flaps.
    HeldBack,
    /// Nothing new.
    Unneeded,
}

/// What was decided about one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What became of the event.
    pub outcome: Outcome,
    /// Whether people should be told.
    pub notification: Notification,
    /// Why, at least one.
    pub reasons: Vec<Reason>,
    /// Alerts that came before and went into the new group with this one, because a wave was recognised.
    pub moved: Vec<AlertId>,
    /// The alert that was forgotten because too many were open.
    pub forgotten: Option<AlertId>,
}

/// The id names nothing that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// No open alert has this number.
    #[error("no open alert has the number {}", .0.0)]
    Alert(AlertId),
    /// No open group has this number.
    #[error("no open group has the number {}", .0.0)]
    Group(GroupId),
    /// The act would change nothing: a merge with itself, a split that takes nothing or leaves nothing.
    #[error("a group can not be merged with itself, and a split has to leave and to take something")]
    Pointless,
}
