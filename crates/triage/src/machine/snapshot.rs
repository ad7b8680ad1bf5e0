//! Reading a snapshot back, or refusing one that contradicts itself.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Deserialize;

use super::{AlertId, GroupId, OpenAlert, OpenGroup, Triage};
use crate::{decision::Configuration, flapping::Flapping, score::Knowledge, transient::Transients};

/// What is written down of a [`Triage`]; the rest follows from it.
#[derive(Deserialize)]
pub(super) struct Stored {
    configuration: Configuration,
    knowledge: Knowledge,
    next: u64,
    alerts: BTreeMap<AlertId, OpenAlert>,
    groups: BTreeMap<GroupId, OpenGroup>,
    active: BTreeMap<u64, VecDeque<GroupId>>,
    index: BTreeMap<u64, GroupId>,
    flapping: Flapping,
    transients: Transients,
}

/// Numbers of alerts and groups stay below this, so that counting on never runs over.
const HIGHEST: u64 = u64::MAX / 2;

#[derive(Debug, thiserror::Error)]
pub(super) enum Spoiled {
    #[error("the alerts and groups of the snapshot do not belong together")]
    Torn,
    #[error("the snapshot would give a number twice")]
    Numbers,
    #[error("two open alerts of the snapshot have the same key")]
    Keys,
}

impl TryFrom<Stored> for Triage {
    type Error = Spoiled;

    fn try_from(stored: Stored) -> Result<Self, Spoiled> {
        let Stored {
            configuration,
            knowledge,
            next,
            alerts,
            groups,
            active,
            index,
            flapping,
            transients,
        } = stored;
        let held = |id: &AlertId, alert: &OpenAlert| {
            groups
                .get(&alert.group)
                .is_some_and(|group| group.open_alerts.contains(id))
        };
        let members: usize = groups.values().map(|group| group.open_alerts.len()).sum();
        let empty = groups.values().any(|group| group.open_alerts.is_empty());
        if empty || members != alerts.len() || !alerts.iter().all(|(id, alert)| held(id, alert)) {
            return Err(Spoiled::Torn);
        }
        let highest = alerts
            .keys()
            .map(|id| id.0)
            .chain(groups.keys().map(|id| id.0))
            .max();
        if next > HIGHEST || highest.is_some_and(|highest| highest >= next) {
            return Err(Spoiled::Numbers);
        }
        let mut keys: HashMap<Box<str>, HashMap<Box<str>, AlertId>> = HashMap::new();
        for (id, alert) in &alerts {
            let of_integration = keys.entry(alert.integration.clone()).or_default();
            if of_integration.insert(alert.dedup_key.clone(), *id).is_some() {
                return Err(Spoiled::Keys);
            }
        }
        Ok(Self {
            configuration,
            knowledge,
            next,
            alerts,
            groups,
            active,
            index,
            flapping,
            transients,
            keys,
        })
    }
}
