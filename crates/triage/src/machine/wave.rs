//! Moving what came with a wave into the incident that the wave opened.

use std::collections::VecDeque;

use super::{AlertId, GroupId, OpenGroup, Triage, index_keys};
use crate::{grouping::Wave, profile::Profile, reason::Reason, work};

/// The most alerts that one wave takes along, so that the cost of an event stays bounded.
const MOST: usize = 256;

impl Triage {
    /// Moves what the groups had since their waves began into the new group `into`, which is opened for it. A group is
    /// never left empty: then nothing is moved.
    pub(super) fn take_along(
        &mut self,
        into: GroupId,
        scope: u64,
        waves: &[(GroupId, Wave)],
        reasons: &mut Vec<Reason>,
    ) -> Vec<AlertId> {
        let mut moved: Vec<AlertId> = Vec::new();
        for (from, wave) in waves {
            moved.extend(self.leave(*from, *wave));
        }
        moved.sort_unstable();
        let mut keys = Vec::new();
        let mut profile: Option<Profile> = None;
        for id in &moved {
            let Some(alert) = self.alerts.get_mut(id) else {
                continue;
            };
            alert.group = into;
            keys.extend(index_keys(scope, &alert.features));
            let features = (*alert.features).clone();
            match &mut profile {
                Some(profile) => profile.add(features, alert.opened_at),
                None => profile = Some(Profile::open(features, alert.opened_at)),
            }
        }
        if let Some(profile) = profile {
            self.groups.insert(
                into,
                OpenGroup {
                    scope,
                    profile,
                    open_alerts: moved.iter().copied().collect(),
                    keys: VecDeque::new(),
                },
            );
            self.point_index_at(into, &keys);
            reasons.push(Reason::TakenAlong {
                alerts: moved.len() as u32,
            });
        }
        moved
    }

    fn leave(&mut self, from: GroupId, wave: Wave) -> Vec<AlertId> {
        let Some(group) = self.groups.get_mut(&from) else {
            return Vec::new();
        };
        let since = |id: &&AlertId| {
            self.alerts
                .get(id)
                .is_some_and(|alert| alert.opened_at >= wave.since)
        };
        // Numbers rise with time, so the newest are at the end.
        let leaving: Vec<AlertId> = group
            .open_alerts
            .iter()
            .rev()
            .take_while(since)
            .take(MOST)
            .copied()
            .collect();
        work::count(leaving.len());
        if leaving.len() == group.open_alerts.len() {
            return Vec::new();
        }
        for id in &leaving {
            group.open_alerts.remove(id);
        }
        let features = leaving.iter().filter_map(|id| self.alerts.get(id));
        group.profile.cede(features.map(|alert| &*alert.features));
        leaving
    }
}
