//! The state machine: what is open, one more event, now → a decision with its reasons.
//!
//! Actors: senders, whose events come through [`Triage::observe`]; and people, whose acts come through the other
//! methods. What always holds: an alert that is open belongs to exactly one open group; a group without open alerts
//! is closed; memory stays within the [`Configuration`]. Candidates for grouping come from an index of what was
//! seen last (same message, same place, same content) and the groups of the scope that were active last, so the cost
//! of an event does not grow with what is open.

mod snapshot;
mod wave;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    decision::{AlertId, Configuration, Decision, GroupId, Notification, Outcome, Setting, Unknown},
    event::{Action, Event, truncate},
    flapping::Flapping,
    grouping::{Grouping, Wave, choose_group},
    hash::{combine, stable_hash, stable_hash_pair},
    lessons::{Lesson, Verdict},
    profile::{Features, Profile},
    reason::Reason,
    score::Knowledge,
    transient::{Ending, Transients},
    work,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OpenAlert {
    integration: Box<str>,
    dedup_key: Box<str>,
    group: GroupId,
    opened_at: Timestamp,
    events: u64,
    acknowledged: bool,
    features: Box<Features>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OpenGroup {
    scope: u64,
    profile: Profile,
    open_alerts: BTreeSet<AlertId>,
    /// Entries of the index that may point here, oldest first.
    keys: VecDeque<u64>,
}

/// The state machine. Serialise it to survive a restart; it then decides as if nothing had happened. A snapshot whose
/// parts do not belong together, or whose counters stand at their end, is refused when it is read.
///
/// Memory is bounded by [`Configuration`]: at most so many alerts are open, each about 850 bytes, and the alert that is
/// longest open gives way. Numbers of alerts and groups are never given twice.
///
/// ```
/// use triage::{Event, Outcome, Setting, Triage};
///
/// let now = jiff::Timestamp::UNIX_EPOCH;
/// let event = Event { integration: "monitoring", service: "shop", dedup_key: "disk", summary: "disk full", ..Event::default() };
/// let mut triage = Triage::default();
/// triage.observe(&event, &Setting::default(), now);
///
/// let written = serde_json::to_string(&triage)?;
/// let mut restored: Triage = serde_json::from_str(&written)?;
/// let decision = restored.observe(&event, &Setting::default(), now);
/// assert!(matches!(decision.outcome, Outcome::Repeated { .. }));
/// assert_eq!(decision.reasons[0].to_string(), "An alert with the key “disk” is open; this is its event number 2.");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "snapshot::Stored")]
pub struct Triage {
    configuration: Configuration,
    knowledge: Knowledge,
    next: u64,
    alerts: BTreeMap<AlertId, OpenAlert>,
    groups: BTreeMap<GroupId, OpenGroup>,
    /// For each scope the groups active last, latest first.
    active: BTreeMap<u64, VecDeque<GroupId>>,
    /// The group that had an alert with this message, place or content last.
    index: BTreeMap<u64, GroupId>,
    flapping: Flapping,
    transients: Transients,
    #[serde(skip)]
    keys: HashMap<Box<str>, HashMap<Box<str>, AlertId>>,
}

/// Longest key that is told apart, in bytes (Events API v2 allows 255 characters).
const KEY_BYTES: usize = 1020;
const ACTIVE_GROUPS: usize = 16;
const KEYS_A_GROUP: usize = 64;

impl Triage {
    /// A machine to which nothing has happened.
    pub fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            ..Self::default()
        }
    }

    /// What the score knows: dependency graph, lessons and weights. Lessons are better changed by
    /// [`Triage::merge`], [`Triage::split`] and [`Triage::undo`].
    pub fn knowledge_mut(&mut self) -> &mut Knowledge {
        &mut self.knowledge
    }

    /// Number of open alerts.
    pub fn open_alerts(&self) -> usize {
        self.alerts.len()
    }

    /// Number of open groups.
    pub fn open_groups(&self) -> usize {
        self.groups.len()
    }

    /// The group of an open alert.
    pub fn group_of(&self, alert: AlertId) -> Option<GroupId> {
        self.alerts.get(&alert).map(|alert| alert.group)
    }

    /// Takes one event. Events may come late or out of order; `now` is when this one counts.
    pub fn observe(&mut self, event: &Event<'_>, setting: &Setting, now: Timestamp) -> Decision {
        let integration = truncate(event.integration, KEY_BYTES);
        let dedup_key = truncate(event.dedup_key, KEY_BYTES);
        let open = self
            .keys
            .get(integration)
            .and_then(|keys| keys.get(dedup_key))
            .copied();
        match (event.action, open) {
            (Action::Trigger, None) => self.open(event, setting, now),
            (Action::Trigger, Some(id)) => self.repeat(id),
            (Action::Acknowledge, Some(id)) => self.acknowledge(id),
            (Action::Resolve, Some(id)) => self.end(id, Ending::ByItself, now),
            (Action::Acknowledge | Action::Resolve, None) => Decision {
                outcome: Outcome::Dropped,
                notification: Notification::Unneeded,
                reasons: vec![Reason::NothingOpen {
                    dedup_key: dedup_key.to_owned(),
                }],
                moved: Vec::new(),
                forgotten: None,
            },
        }
    }

    fn open(&mut self, event: &Event<'_>, setting: &Setting, now: Timestamp) -> Decision {
        let features = Features::of(event, &setting.grouping);
        let integration: Box<str> = truncate(event.integration, KEY_BYTES).into();
        let dedup_key: Box<str> = truncate(event.dedup_key, KEY_BYTES).into();
        let scope = stable_hash(truncate(
            setting.scope.as_deref().unwrap_or(event.service),
            KEY_BYTES,
        ));
        let index_keys = index_keys(scope, &features);

        let mut reasons = vec![Reason::NewDedupKey {
            dedup_key: dedup_key.to_string(),
        }];
        let (joined, choice, waves) = self.choose(scope, &index_keys, &features, &setting.grouping, now);
        reasons.extend(choice);

        let limits = &self.configuration.flapping;
        let (flapping, restless) = self.flapping.change(limits, &integration, &dedup_key, now);
        let pause = self.transients.pause(
            &self.configuration.transient,
            setting.auto_pause,
            features.kind(),
            now,
        );

        let alert = AlertId(self.next);
        let group = joined.unwrap_or(GroupId(self.next));
        self.next += 1;
        self.keys
            .entry(integration.clone())
            .or_default()
            .insert(dedup_key.clone(), alert);
        let moved = self.take_along(group, scope, &waves, &mut reasons);
        self.enter_group(group, scope, alert, &features, &index_keys, now);
        let opened_at = now;
        let features = Box::new(features);
        self.alerts.insert(
            alert,
            OpenAlert {
                integration,
                dedup_key,
                group,
                opened_at,
                events: 1,
                acknowledged: false,
                features,
            },
        );

        let notification = match (joined, flapping, pause) {
            (Some(_), _, _) => Notification::Unneeded,
            (None, true, _) => Notification::HeldBack,
            (None, false, Some((until, reason))) => {
                reasons.push(reason);
                Notification::PauseUntil { until }
            }
            (None, false, None) => Notification::Now,
        };
        reasons.extend(restless);
        let forgotten = self.forget_beyond_bound(&mut reasons);
        let outcome = match joined {
            Some(group) => Outcome::JoinedGroup { alert, group },
            None => Outcome::OpenedGroup { alert, group },
        };
        Decision {
            outcome,
            notification,
            reasons,
            moved,
            forgotten,
        }
    }

    fn choose(
        &self,
        scope: u64,
        index_keys: &[u64],
        features: &Features,
        grouping: &Grouping,
        now: Timestamp,
    ) -> (Option<GroupId>, Vec<Reason>, Vec<(GroupId, Wave)>) {
        let ids = self.candidates(scope, index_keys);
        let (ids, profiles): (Vec<GroupId>, Vec<&Profile>) = ids
            .into_iter()
            .filter_map(|id| self.groups.get(&id).map(|group| (id, &group.profile)))
            .unzip();
        let choice = choose_group(grouping, features, &profiles, &self.knowledge, now);
        let waves = choice
            .waves
            .into_iter()
            .filter_map(|wave| Some((*ids.get(wave.from)?, wave)))
            .collect();
        (
            choice.joined.and_then(|index| ids.get(index)).copied(),
            choice.reasons,
            waves,
        )
    }

    /// The groups that are compared with a new alert: never more than there are keys and groups lately active.
    fn candidates(&self, scope: u64, index_keys: &[u64]) -> Vec<GroupId> {
        let mut ids: Vec<GroupId> = index_keys
            .iter()
            .filter_map(|key| self.index.get(key))
            .copied()
            .collect();
        ids.extend(self.active.get(&scope).into_iter().flatten());
        work::count(ids.len());
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn enter_group(
        &mut self,
        id: GroupId,
        scope: u64,
        alert: AlertId,
        features: &Features,
        index_keys: &[u64],
        now: Timestamp,
    ) {
        if let Some(group) = self.groups.get_mut(&id) {
            group.profile.add(features.clone(), now);
            group.open_alerts.insert(alert);
        } else {
            let profile = Profile::open(features.clone(), now);
            let open_alerts = BTreeSet::from([alert]);
            self.groups.insert(
                id,
                OpenGroup {
                    scope,
                    profile,
                    open_alerts,
                    keys: VecDeque::new(),
                },
            );
        }
        self.point_index_at(id, index_keys);
        let active = self.active.entry(scope).or_default();
        work::count(active.len());
        active.retain(|other| *other != id);
        active.push_front(id);
        active.truncate(ACTIVE_GROUPS);
    }

    fn point_index_at(&mut self, id: GroupId, index_keys: &[u64]) {
        let Some(group) = self.groups.get_mut(&id) else {
            return;
        };
        work::count(index_keys.len());
        for key in index_keys {
            if self.index.insert(*key, id) != Some(id) {
                group.keys.push_back(*key);
            }
        }
        while group.keys.len() > KEYS_A_GROUP {
            if let Some(key) = group.keys.pop_front()
                && self.index.get(&key) == Some(&id)
            {
                self.index.remove(&key);
            }
        }
    }

    fn repeat(&mut self, id: AlertId) -> Decision {
        let mut reasons = Vec::new();
        let mut group = GroupId(0);
        if let Some(alert) = self.alerts.get_mut(&id) {
            alert.events = alert.events.saturating_add(1);
            group = alert.group;
            reasons.push(Reason::SameDedupKey {
                dedup_key: alert.dedup_key.to_string(),
                count: alert.events,
            });
        }
        Decision {
            outcome: Outcome::Repeated { alert: id, group },
            notification: Notification::Unneeded,
            reasons,
            moved: Vec::new(),
            forgotten: None,
        }
    }

    fn acknowledge(&mut self, id: AlertId) -> Decision {
        let mut decision = self.repeat(id);
        if let (Some(alert), Outcome::Repeated { group, .. }) = (self.alerts.get_mut(&id), decision.outcome) {
            alert.acknowledged = true;
            decision.outcome = Outcome::Acknowledged { alert: id, group };
        }
        decision
    }

    fn end(&mut self, id: AlertId, ending: Ending, now: Timestamp) -> Decision {
        let mut reasons = Vec::new();
        let mut outcome = Outcome::Dropped;
        if let Some(alert) = self.remove_alert(id) {
            let events = alert.events.saturating_add(1);
            reasons.push(Reason::SameDedupKey {
                dedup_key: alert.dedup_key.to_string(),
                count: events,
            });
            if ending == Ending::ByItself {
                let limits = &self.configuration.flapping;
                reasons.extend(
                    self.flapping
                        .change(limits, &alert.integration, &alert.dedup_key, now)
                        .1,
                );
            }
            let age = now.duration_since(alert.opened_at);
            self.transients
                .learn(&self.configuration.transient, alert.features.kind(), ending, age);
            let group = alert.group;
            outcome = if self.groups.contains_key(&group) {
                Outcome::ResolvedAlert { alert: id, group }
            } else {
                Outcome::ResolvedGroup { alert: id, group }
            };
        }
        Decision {
            outcome,
            notification: Notification::Unneeded,
            reasons,
            moved: Vec::new(),
            forgotten: None,
        }
    }

    /// A person resolved an alert. Nothing is learned from it in favour of pausing such alerts.
    ///
    /// # Errors
    /// [`Unknown::Alert`] where no open alert has this number.
    pub fn resolve_alert(&mut self, alert: AlertId, now: Timestamp) -> Result<Decision, Unknown> {
        if !self.alerts.contains_key(&alert) {
            return Err(Unknown::Alert(alert));
        }
        Ok(self.end(alert, Ending::ByPerson, now))
    }

    /// A person resolved a group with all its alerts. It receives no more.
    ///
    /// # Errors
    /// [`Unknown::Group`] where no open group has this number.
    pub fn close_group(&mut self, group: GroupId, now: Timestamp) -> Result<(), Unknown> {
        let alerts = self
            .groups
            .get(&group)
            .ok_or(Unknown::Group(group))?
            .open_alerts
            .clone();
        for alert in alerts {
            self.end(alert, Ending::ByPerson, now);
        }
        Ok(())
    }

    /// A person merged two groups: everything of `from` moves into `into`. Keep the lesson to be able to undo.
    ///
    /// # Errors
    /// [`Unknown::Group`] where one of them is not open, [`Unknown::Pointless`] for a merge with itself; nothing changes then.
    pub fn merge(&mut self, from: GroupId, into: GroupId) -> Result<Lesson, Unknown> {
        if from == into {
            return Err(Unknown::Pointless);
        }
        if !self.groups.contains_key(&into) {
            return Err(Unknown::Group(into));
        }
        let source = self.remove_group(from).ok_or(Unknown::Group(from))?;
        let target = self.groups.get_mut(&into).ok_or(Unknown::Group(into))?;
        let lesson = self.knowledge.lessons.teach(
            Verdict::Together,
            &source.profile.kinds(),
            &target.profile.kinds(),
        );
        for alert in &source.open_alerts {
            if let Some(alert) = self.alerts.get_mut(alert) {
                alert.group = into;
            }
        }
        target.open_alerts.extend(source.open_alerts);
        target.profile.absorb(source.profile);
        self.point_index_at(into, &source.keys.into_iter().collect::<Vec<u64>>());
        Ok(lesson)
    }

    /// A person took alerts out of a group into one of their own. Keep the lesson to be able to undo.
    ///
    /// # Errors
    /// [`Unknown::Group`] where the group is not open, [`Unknown::Alert`] for the first alert that is not open in it,
    /// [`Unknown::Pointless`] where none or all of them would move; nothing changes then.
    pub fn split(&mut self, group: GroupId, alerts: &[AlertId]) -> Result<(GroupId, Lesson), Unknown> {
        let source = self.groups.get_mut(&group).ok_or(Unknown::Group(group))?;
        if let Some(stranger) = alerts.iter().find(|alert| !source.open_alerts.contains(alert)) {
            return Err(Unknown::Alert(*stranger));
        }
        let (moved, stayed): (BTreeSet<AlertId>, BTreeSet<AlertId>) = source
            .open_alerts
            .iter()
            .partition(|alert| alerts.contains(alert));
        if moved.is_empty() || stayed.is_empty() {
            return Err(Unknown::Pointless);
        }
        let of = |list: &BTreeSet<AlertId>| -> Vec<&OpenAlert> {
            list.iter().filter_map(|id| self.alerts.get(id)).collect()
        };
        let (moved_alerts, stayed_alerts) = (of(&moved), of(&stayed));
        let Some(profile) = profile_of(&moved_alerts) else {
            return Err(Unknown::Pointless);
        };
        source
            .profile
            .forget(&features_of(&moved_alerts), &features_of(&stayed_alerts));
        let lesson = self
            .knowledge
            .lessons
            .teach(Verdict::Apart, &profile.kinds(), &source.profile.kinds());
        source.open_alerts = stayed;
        let scope = source.scope;
        let mut index_keys_moved: Vec<u64> = moved_alerts
            .iter()
            .flat_map(|alert| index_keys(scope, &alert.features))
            .collect();
        index_keys_moved.dedup();

        let id = GroupId(self.next);
        self.next += 1;
        for alert in &moved {
            if let Some(alert) = self.alerts.get_mut(alert) {
                alert.group = id;
            }
        }
        self.groups.insert(
            id,
            OpenGroup {
                scope,
                profile,
                open_alerts: moved,
                keys: VecDeque::new(),
            },
        );
        self.point_index_at(id, &index_keys_moved);
        let active = self.active.entry(scope).or_default();
        active.push_front(id);
        active.truncate(ACTIVE_GROUPS);
        Ok((id, lesson))
    }

    /// A person took a merge or a split back: what it taught is unlearned. Moving the alerts back is an act of its
    /// own.
    pub fn undo(&mut self, lesson: &Lesson) {
        self.knowledge.lessons.unteach(lesson);
    }

    fn remove_alert(&mut self, id: AlertId) -> Option<OpenAlert> {
        let alert = self.alerts.remove(&id)?;
        if let Some(keys) = self.keys.get_mut(&alert.integration) {
            keys.remove(&alert.dedup_key);
            if keys.is_empty() {
                self.keys.remove(&alert.integration);
            }
        }
        let group = self.groups.get_mut(&alert.group)?;
        group.open_alerts.remove(&id);
        if group.open_alerts.is_empty() {
            self.remove_group(alert.group);
        }
        Some(alert)
    }

    fn remove_group(&mut self, id: GroupId) -> Option<OpenGroup> {
        let group = self.groups.remove(&id)?;
        work::count(group.keys.len() + ACTIVE_GROUPS);
        for key in &group.keys {
            if self.index.get(key) == Some(&id) {
                self.index.remove(key);
            }
        }
        if let Some(active) = self.active.get_mut(&group.scope) {
            active.retain(|other| *other != id);
            if active.is_empty() {
                self.active.remove(&group.scope);
            }
        }
        Some(group)
    }

    fn forget_beyond_bound(&mut self, reasons: &mut Vec<Reason>) -> Option<AlertId> {
        if self.alerts.len() <= self.configuration.maximum_open_alerts.max(1) {
            return None;
        }
        let oldest = *self.alerts.first_key_value()?.0;
        let forgotten = self.remove_alert(oldest)?;
        reasons.push(Reason::Forgotten {
            dedup_key: forgotten.dedup_key.into(),
        });
        Some(oldest)
    }
}

fn profile_of(alerts: &[&OpenAlert]) -> Option<Profile> {
    let (first, others) = alerts.split_first()?;
    let mut profile = Profile::open((*first.features).clone(), first.opened_at);
    for alert in others {
        profile.add((*alert.features).clone(), alert.opened_at);
    }
    Some(profile)
}

fn features_of<'a>(alerts: &[&'a OpenAlert]) -> Vec<&'a Features> {
    alerts.iter().map(|alert| &*alert.features).collect()
}

/// What the index files an alert under: its message, its place and its content, each within the scope.
fn index_keys(scope: u64, features: &Features) -> Vec<u64> {
    let mut keys = vec![combine(scope, features.message.template)];
    if !features.place().is_empty() {
        keys.push(combine(scope, stable_hash_pair("place", features.place())));
    }
    keys.extend(
        features
            .message
            .content
            .iter()
            .filter(|value| **value != 0)
            .map(|value| combine(scope, *value)),
    );
    keys
}

#[cfg(test)]
mod tests;
