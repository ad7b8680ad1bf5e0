//! What grouping compares: the features of an alert, and the profile of an open group.
//!
//! Both are small, bounded, serialisable values. The server keeps the profile of each open incident beside the
//! incident, adds the features of every alert that joins, and passes the profiles of the candidates to
//! [`choose_group`](crate::choose_group). Nothing else needs to be remembered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Event, Grouping,
    event::truncate,
    hash::{combine, stable_hash, stable_hash_pair},
    template::mask_into,
};

/// Longest text, in bytes, that is masked and split into words.
const TEXT_BYTES: usize = 1024;
/// Longest name of a place, in bytes.
const NAME_BYTES: usize = 255;
const WORDS: usize = 32;
const LABELS: usize = 24;
/// How many different alerts a profile remembers.
const MEMBERS: usize = 16;

/// What grouping looks at in one alert. Texts are kept as hashes, apart from the names of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Where it happens, most exact first: source, component, service; empty ones are left out.
    pub(crate) places: Vec<Box<str>>,
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
        let kind = match event.class.filter(|class| !class.is_empty()) {
            Some(class) => stable_hash_pair(event.service, truncate(class, NAME_BYTES)),
            None => combine(stable_hash(event.service), template),
        };
        let places = [Some(event.source), event.component, Some(event.service)]
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .map(|name| truncate(name, NAME_BYTES).into())
            .collect();
        let content = grouping
            .content_fields()
            .iter()
            .map(|field| {
                event.field(field).map_or(0, |value| {
                    stable_hash_pair(field, truncate(value, TEXT_BYTES)).max(1)
                })
            })
            .collect();
        Self {
            places,
            template,
            kind,
            words: words(&text),
            labels: labels(event),
            content,
        }
    }

    /// The kind of alert, by which lessons and history are kept: service and class, or service and masked text.
    pub fn kind(&self) -> Kind {
        Kind(self.kind)
    }

    pub(crate) fn place(&self) -> &str {
        self.places.first().map_or("", |place| place)
    }
}

/// The kind of an alert as a stable hash; equal for alerts that say the same about the same service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub(crate) u64);

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
        .map(|(name, value)| stable_hash_pair(name, truncate(value, NAME_BYTES)) as u32)
        .collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// One remembered alert of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) features: Features,
    pub(crate) last_at: Timestamp,
}

/// What is remembered of an open group: when it had alerts, and up to 16 of them that differ.
///
/// When there are more, the one longest unseen gives way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub(crate) opened_at: Timestamp,
    pub(crate) last_alert_at: Timestamp,
    pub(crate) alerts: u64,
    pub(crate) members: Vec<Member>,
}

impl Profile {
    /// The profile of a group that opens with one alert.
    pub fn open(features: Features, at: Timestamp) -> Self {
        Self {
            opened_at: at,
            last_alert_at: at,
            alerts: 1,
            members: vec![Member {
                features,
                last_at: at,
            }],
        }
    }

    /// An alert joins. Instants may come out of order; the latest counts.
    pub fn add(&mut self, features: Features, at: Timestamp) {
        self.alerts = self.alerts.saturating_add(1);
        self.opened_at = self.opened_at.min(at);
        self.last_alert_at = self.last_alert_at.max(at);
        let known = self.members.iter_mut().find(|member| member.features == features);
        if let Some(member) = known {
            member.last_at = member.last_at.max(at);
        } else if self.members.len() < MEMBERS {
            self.members.push(Member {
                features,
                last_at: at,
            });
        } else if let Some(oldest) = self.members.iter_mut().min_by_key(|member| member.last_at) {
            *oldest = Member {
                features,
                last_at: at,
            };
        }
    }

    /// Everything of another group comes over, as when a person merges the two.
    pub fn absorb(&mut self, other: Self) {
        let alerts = self.alerts.saturating_add(other.alerts);
        let opened_at = self.opened_at.min(other.opened_at);
        for member in other.members {
            self.add(member.features, member.last_at);
        }
        self.alerts = alerts;
        self.opened_at = opened_at;
        self.last_alert_at = self.last_alert_at.max(other.last_alert_at);
    }

    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    pub fn last_alert_at(&self) -> Timestamp {
        self.last_alert_at
    }

    /// How many alerts joined, those no longer remembered included.
    pub fn alerts(&self) -> u64 {
        self.alerts
    }

    /// The kinds of the remembered alerts, each once.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.members.iter().map(|member| member.features.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}
