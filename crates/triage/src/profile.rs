//! What grouping compares: the features of an alert, and the profile of an open group.
//!
//! Both are small, bounded, serialisable values. The server keeps the profile of each open incident beside the
//! incident, adds the features of every alert that joins, and passes the profiles of the candidates to
//! [`choose_group`](crate::choose_group). Nothing else needs to be remembered.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Event, Grouping,
    event::{NAME_BYTES, truncate},
    hash::{combine, stable_hash, stable_hash_pair},
    template::mask_into,
    work,
};

/// Longest text, in bytes, that is masked and split into words.
const TEXT_BYTES: usize = 1024;
const WORDS: usize = 32;
const LABELS: usize = 24;
/// How many different messages, places, alerts and repetitions a profile remembers.
const MESSAGES: usize = 16;
const PLACES: usize = 32;
const SEEN: usize = 512;
const REPEATS: usize = 8;

/// A name that the dependency graph may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) hash: u64,
    pub(crate) name: Box<str>,
}

/// What grouping looks at in one alert. Texts are kept as hashes, apart from the names of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Where it happens, most exact first: source, component, service; empty ones are left out.
    pub(crate) places: Vec<Place>,
    /// Same for alerts that say the very same of the very same place.
    pub(crate) identity: u32,
    pub(crate) message: Message,
}

/// What an alert says, wherever it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) template: u64,
    /// Kind of alert: service and class, or service and template without a class.
    pub(crate) kind: u64,
    /// Hashes of the words of the text, sorted, each once.
    pub(crate) words: Vec<u32>,
    /// Hashes of label and value, sorted, each once.
    pub(crate) labels: Vec<u32>,
    /// One hash of name and value for each field that content-based grouping compares; 0 where it is absent.
    pub(crate) content: Vec<u64>,
}

impl Features {
    /// The features of an event under a grouping setting. The setting decides which fields are compared and
    /// which text is read; under another setting the content of earlier alerts no longer agrees.
    pub fn of(event: &Event<'_>, grouping: &Grouping) -> Self {
        let mut text = String::new();
        let fields = grouping.text_fields();
        let default = ["summary"];
        let named: Vec<&str> = if fields.is_empty() {
            default.to_vec()
        } else {
            fields.iter().map(String::as_str).collect()
        };
        for field in named {
            if let Some(value) = event.field(field) {
                if !text.is_empty() {
                    text.push(' ');
                }
                mask_into(truncate(value, TEXT_BYTES), &mut text);
            }
        }
        let template = stable_hash(&text);
        let name = |text| truncate(text, NAME_BYTES);
        let service = name(event.service);
        let kind = match event.class.filter(|class| !class.is_empty()) {
            Some(class) => Kind::of(service, class).0,
            None => combine(stable_hash(service), template),
        };
        let places = [Some(event.source), event.component, Some(event.service)]
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .map(name)
            .map(|name| Place {
                hash: stable_hash(name),
                name: name.into(),
            })
            .collect();
        let said = stable_hash_pair(
            truncate(event.summary, TEXT_BYTES),
            name(event.class.unwrap_or_default()),
        );
        let place = stable_hash_pair(name(event.source), name(event.component.unwrap_or_default()));
        let identity = combine(combine(stable_hash(service), place), said) as u32;
        let content = grouping
            .content_fields()
            .iter()
            .map(|field| {
                event.field(field).map_or(0, |value| {
                    stable_hash_pair(field, truncate(value, TEXT_BYTES)).max(1)
                })
            })
            .collect();
        let message = Message {
            template,
            kind,
            words: words(&text),
            labels: labels(event),
            content,
        };
        Self {
            places,
            identity,
            message,
        }
    }

    /// The kind of alert, by which lessons and history are kept: service and class, or service and masked text.
    pub fn kind(&self) -> Kind {
        Kind(self.message.kind)
    }

    pub(crate) fn place(&self) -> &str {
        self.places.first().map_or("", |place| &place.name)
    }
}

/// The kind of an alert as a stable hash; equal for alerts that say the same about the same service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub(crate) u64);

impl Kind {
    /// The kind of alerts of a service with a class, as [`Features::kind`] gives it, or of any two words of history.
    pub fn of(service: &str, class: &str) -> Self {
        Self(stable_hash_pair(
            truncate(service, NAME_BYTES),
            truncate(class, NAME_BYTES),
        ))
    }

    /// The kind as a number, to be kept in a table.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The kind that [`Kind::to_bits`] gave.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

fn words(text: &str) -> Vec<u32> {
    let mut words: Vec<u32> = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '<' && letter != '>')
        .filter(|word| !word.is_empty() && !word.starts_with('<'))
        .take(WORDS)
        .map(|word| {
            if word.bytes().any(|byte| byte.is_ascii_uppercase() || byte >= 0x80) {
                stable_hash(&word.to_lowercase()) as u32
            } else {
                stable_hash(word) as u32
            }
        })
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn labels(event: &Event<'_>) -> Vec<u32> {
    let named = [
        ("component", event.component),
        ("group", event.group),
        ("class", event.class),
    ];
    let fixed = named
        .into_iter()
        .filter_map(|(name, value)| value.filter(|text| !text.is_empty()).map(|text| (name, text)));
    let details = event
        .details
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut labels: Vec<u32> = fixed
        .chain(details)
        .take(LABELS)
        .map(|(name, value)| stable_hash_pair(truncate(name, NAME_BYTES), truncate(value, NAME_BYTES)) as u32)
        .collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// One remembered message of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) message: Message,
    pub(crate) last_at: Timestamp,
}

/// What is remembered of an open group, in bounded space: when it had alerts, what was said (16 different messages),
/// where (32 places), and which very alerts it had (512). Of more, those longest unseen give way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub(crate) opened_at: Timestamp,
    pub(crate) last_alert_at: Timestamp,
    pub(crate) alerts: u64,
    pub(crate) said: Vec<Said>,
    pub(crate) places: VecDeque<Vec<Place>>,
    /// Alerts in thousandths, fading with a half-life of a minute from the instant of the last alert.
    lately: u64,
    seen: VecDeque<u32>,
    /// Alerts that came although the group had them, with the instant.
    repeats: VecDeque<(u32, Timestamp)>,
}

impl Profile {
    /// The profile of a group that opens with one alert.
    pub fn open(features: Features, at: Timestamp) -> Self {
        Self {
            opened_at: at,
            last_alert_at: at,
            alerts: 1,
            said: vec![Said {
                message: features.message,
                last_at: at,
            }],
            places: VecDeque::from([features.places]),
            lately: 1000,
            seen: VecDeque::from([features.identity]),
            repeats: VecDeque::new(),
        }
    }

    /// An alert joins. Instants may come out of order; the latest counts.
    pub fn add(&mut self, features: Features, at: Timestamp) {
        self.alerts = self.alerts.saturating_add(1);
        self.lately = ((self.alerts_lately(at) + 1.0) * 1000.0).round() as u64;
        self.opened_at = self.opened_at.min(at);
        self.last_alert_at = self.last_alert_at.max(at);
        work::count(self.seen.len() + self.places.len() + self.said.len());
        if self.seen.contains(&features.identity) {
            self.repeats
                .retain(|(identity, _)| *identity != features.identity);
            self.repeats.push_back((features.identity, at));
            keep_newest(&mut self.repeats, REPEATS);
        } else {
            self.seen.push_back(features.identity);
            keep_newest(&mut self.seen, SEEN);
        }
        if !self.places.contains(&features.places) {
            self.places.push_back(features.places);
            keep_newest(&mut self.places, PLACES);
        }
        self.hear(features.message, at);
    }

    fn hear(&mut self, message: Message, at: Timestamp) {
        if let Some(said) = self.said.iter_mut().find(|said| said.message == message) {
            said.last_at = said.last_at.max(at);
        } else if self.said.len() < MESSAGES {
            self.said.push(Said { message, last_at: at });
        } else if let Some(oldest) = self.said.iter_mut().min_by_key(|said| said.last_at) {
            *oldest = Said { message, last_at: at };
        }
    }

    /// Everything of another group comes over, as when a person merges the two.
    pub fn absorb(&mut self, other: Self) {
        self.alerts = self.alerts.saturating_add(other.alerts);
        self.opened_at = self.opened_at.min(other.opened_at);
        self.last_alert_at = self.last_alert_at.max(other.last_alert_at);
        for said in other.said {
            self.hear(said.message, said.last_at);
        }
        for places in other.places {
            if !self.places.contains(&places) {
                self.places.push_back(places);
            }
        }
        keep_newest(&mut self.places, PLACES);
        for identity in other.seen {
            if !self.seen.contains(&identity) {
                self.seen.push_back(identity);
            }
        }
        keep_newest(&mut self.seen, SEEN);
    }

    /// What a person took out is no longer known of the group, unless another alert says the same.
    pub(crate) fn forget(&mut self, taken: &[&Features], left: &[&Features]) {
        let gone = |features: &&&Features| !left.iter().any(|other| other.identity == features.identity);
        let identities: Vec<u32> = taken
            .iter()
            .filter(gone)
            .map(|features| features.identity)
            .collect();
        self.seen.retain(|identity| !identities.contains(identity));
        let among =
            |list: &[&Features], message: &Message| list.iter().any(|other| other.message == *message);
        self.said
            .retain(|said| among(left, &said.message) || !among(taken, &said.message));
        let at = |list: &[&Features], places: &[Place]| list.iter().any(|other| other.places == places);
        self.places
            .retain(|places| at(left, places) || !at(taken, places));
    }

    /// How many alerts came lately, each fading with a half-life of a minute.
    pub(crate) fn alerts_lately(&self, now: Timestamp) -> f64 {
        let seconds = now
            .as_second()
            .saturating_sub(self.last_alert_at.as_second())
            .max(0);
        self.lately as f64 / 1000.0 * (-(seconds as f64) / 60.0).exp2()
    }

    /// True if the group had the very alert.
    pub(crate) fn has(&self, identity: u32) -> bool {
        work::count(self.seen.len());
        self.seen.contains(&identity)
    }

    /// Alerts leave for another group, newest ones that came in a wave. What only they had said is no longer an alert
    /// that the group had; what others had said before is.
    pub fn cede<'f>(&mut self, taken: impl IntoIterator<Item = &'f Features>) {
        for features in taken {
            work::count(self.seen.len());
            self.alerts = self.alerts.saturating_sub(1);
            if !self
                .repeats
                .iter()
                .any(|(identity, _)| *identity == features.identity)
            {
                self.seen.retain(|identity| *identity != features.identity);
            }
        }
        self.repeats.clear();
    }

    /// When the first of the repetitions of the last seconds came.
    pub(crate) fn repeats_since(&self, now: Timestamp, seconds: i64) -> Option<Timestamp> {
        let lately = |at: &Timestamp| now.as_second().saturating_sub(at.as_second()) <= seconds;
        self.repeats.iter().map(|(_, at)| *at).filter(lately).min()
    }

    /// How many other alerts repeated themselves within the last seconds.
    pub(crate) fn repeated_lately(&self, identity: u32, now: Timestamp, seconds: i64) -> u32 {
        let lately = |at: &Timestamp| now.as_second().saturating_sub(at.as_second()) <= seconds;
        self.repeats
            .iter()
            .filter(|(other, at)| *other != identity && lately(at))
            .count() as u32
    }

    /// When the first alert came.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// When the last alert came.
    pub fn last_alert_at(&self) -> Timestamp {
        self.last_alert_at
    }

    /// How many alerts joined, those no longer remembered included.
    pub fn alerts(&self) -> u64 {
        self.alerts
    }

    /// The kinds of the remembered alerts, each once.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.said.iter().map(|said| Kind(said.message.kind)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

fn keep_newest<T>(list: &mut VecDeque<T>, count: usize) {
    while list.len() > count {
        list.pop_front();
    }
}
