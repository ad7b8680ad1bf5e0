//! Which open group an alert joins.
//!
//! The setting is what a person configured for the service (section "alert grouping" of the reference's API);
//! the candidates are the profiles of open groups that the caller found, in any order. The answer depends on
//! nothing else. Windows are rolling: they are measured from the last alert of the group.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    profile::{Features, Profile},
    reason::Reason,
    score::{Knowledge, best_match},
};

/// Whether all fields of content-based grouping must agree, or one is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// All fields must agree.
    #[default]
    All,
    /// One field that agrees is enough.
    Any,
}

/// How alerts are grouped. Windows are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Grouping {
    /// Every alert opens a group of its own.
    #[default]
    Off,
    /// Whatever comes within the window joins the group with the latest alert; without a window the group takes
    /// everything until it is resolved.
    Time {
        /// Since the last alert of the group.
        window_seconds: Option<u32>,
    },
    /// Alerts whose fields agree. A field that is absent agrees with nothing.
    ContentBased {
        /// Whether all fields must agree.
        aggregate: Aggregate,
        /// Names as [`Event::field`](crate::Event::field) takes them.
        fields: Vec<String>,
        /// Since the last alert of the group.
        window_seconds: u32,
    },
    /// The explainable score. `fields` is the text that is compared; none means the summary.
    Intelligent {
        /// Names of the texts, as [`Event::field`](crate::Event::field) takes them.
        fields: Vec<String>,
        /// Since the last alert of the group.
        window_seconds: u32,
    },
    /// Fields that agree, or else the score.
    ContentBasedIntelligent {
        /// Whether all fields must agree.
        aggregate: Aggregate,
        /// Names as [`Event::field`](crate::Event::field) takes them.
        fields: Vec<String>,
        /// Since the last alert of the group.
        window_seconds: u32,
    },
}

impl Grouping {
    pub(crate) fn content_fields(&self) -> &[String] {
        match self {
            Self::ContentBased { fields, .. } | Self::ContentBasedIntelligent { fields, .. } => fields,
            Self::Off | Self::Time { .. } | Self::Intelligent { .. } => &[],
        }
    }

    pub(crate) fn text_fields(&self) -> &[String] {
        match self {
            Self::Intelligent { fields, .. } => fields,
            Self::Off
            | Self::Time { .. }
            | Self::ContentBased { .. }
            | Self::ContentBasedIntelligent { .. } => &[],
        }
    }

    /// How long after its last alert a group takes more; `None` for as long as it is open.
    pub fn window_seconds(&self) -> Option<i64> {
        match self {
            Self::Off => Some(0),
            Self::Time { window_seconds } => window_seconds.map(i64::from),
            Self::ContentBased { window_seconds, .. }
            | Self::Intelligent { window_seconds, .. }
            | Self::ContentBasedIntelligent { window_seconds, .. } => Some(i64::from(*window_seconds)),
        }
    }
}

/// Which candidate was chosen, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Position in the candidates; `None`: the alert opens a new group.
    pub joined: Option<usize>,
    /// Why, at least one where there was anything to decide; heaviest first.
    pub reasons: Vec<Reason>,
    /// What belongs into the new group besides; only where the alert opens one.
    pub waves: Vec<Wave>,
}

/// A second incident was recognised after it had begun: what a candidate had since then belongs to the new group.
///
/// The caller moves those alerts and tells the profiles with [`Profile::cede`]. Leaving them is no error, they only stay
/// in the older incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Position in the candidates.
    pub from: usize,
    /// When the first alert of the wave came.
    pub since: Timestamp,
}

/// Chooses the open group that an alert joins, or none.
///
/// `candidates` are the open groups that the alert could join, in any order; those outside the window are left
/// out here. Where several fit equally well, the one with the latest alert wins, then the first.
///
/// ```
/// use triage::{choose_group, Event, Features, Grouping, Knowledge, Profile};
/// let grouping = Grouping::Intelligent { fields: vec![], window_seconds: 300 };
/// let knowledge = Knowledge::default();
/// let at = |second| jiff::Timestamp::from_second(second).unwrap();
/// let event = |source, summary| Event { service: "shop", source, summary, ..Event::default() };
///
/// let first = Features::of(&event("web-1", "latency of checkout is 830ms"), &grouping);
/// let open = Profile::open(first, at(0));
/// let second = Features::of(&event("web-2", "latency of checkout is 1.2s"), &grouping);
/// let choice = choose_group(&grouping, &second, &[&open], &knowledge, at(20));
/// assert_eq!(choice.joined, Some(0));
/// ```
pub fn choose_group(
    grouping: &Grouping,
    features: &Features,
    candidates: &[&Profile],
    knowledge: &Knowledge,
    now: Timestamp,
) -> Choice {
    let window_seconds = grouping.window_seconds();
    let within: Vec<(usize, &Profile)> = candidates
        .iter()
        .enumerate()
        .filter(|(_, profile)| window_seconds.is_none_or(|window| gap_seconds(profile, now) <= window))
        .map(|(index, profile)| (index, *profile))
        .collect();
    if matches!(grouping, Grouping::Off) {
        return Choice {
            reasons: vec![Reason::GroupingOff],
            ..Choice::default()
        };
    }
    if within.is_empty() {
        return Choice {
            reasons: vec![Reason::NoCandidate { window_seconds }],
            ..Choice::default()
        };
    }
    let joined = |(index, profile): (usize, &Profile), reason: Option<Reason>| {
        let window = Reason::WithinWindow {
            gap_seconds: gap_seconds(profile, now),
            window_seconds,
        };
        Choice {
            joined: Some(index),
            reasons: reason.into_iter().chain([window]).collect(),
            waves: Vec::new(),
        }
    };
    let of_same_content = |aggregate: Aggregate, fields: &[String]| {
        let alike = within
            .iter()
            .copied()
            .filter(|(_, profile)| same_content(aggregate, features, profile));
        let fields = fields.to_vec();
        latest(alike).map(|found| joined(found, Some(Reason::SameContent { fields })))
    };
    match grouping {
        Grouping::Off | Grouping::Time { .. } => {
            latest(within.iter().copied()).map_or_else(Choice::default, |found| joined(found, None))
        }
        Grouping::ContentBased {
            aggregate, fields, ..
        } => of_same_content(*aggregate, fields).unwrap_or_else(|| Choice {
            reasons: vec![no_content(features, fields)],
            ..Choice::default()
        }),
        Grouping::Intelligent { .. } => best_match(features, &within, knowledge, now),
        Grouping::ContentBasedIntelligent {
            aggregate, fields, ..
        } => of_same_content(*aggregate, fields)
            .unwrap_or_else(|| best_match(features, &within, knowledge, now)),
    }
}

/// Seconds since the last alert of a group; an alert from before it counts as no gap.
pub(crate) fn gap_seconds(profile: &Profile, now: Timestamp) -> i64 {
    now.as_second()
        .saturating_sub(profile.last_alert_at.as_second())
        .max(0)
}

fn latest<'a>(candidates: impl Iterator<Item = (usize, &'a Profile)>) -> Option<(usize, &'a Profile)> {
    candidates.reduce(|best, next| {
        if next.1.last_alert_at > best.1.last_alert_at {
            next
        } else {
            best
        }
    })
}

fn same_content(aggregate: Aggregate, features: &Features, profile: &Profile) -> bool {
    let content = &features.message.content;
    profile.said.iter().any(|said| {
        let known = &said.message.content;
        let agrees = |(index, value): (usize, &u64)| *value != 0 && known.get(index) == Some(value);
        match aggregate {
            Aggregate::All => !content.is_empty() && content.iter().enumerate().all(agrees),
            Aggregate::Any => content.iter().enumerate().any(agrees),
        }
    })
}

fn no_content(features: &Features, fields: &[String]) -> Reason {
    if features.message.content.iter().all(|value| *value == 0) {
        Reason::ContentMissing {
            fields: fields.to_vec(),
        }
    } else {
        Reason::OtherContent {
            fields: fields.to_vec(),
        }
    }
}
