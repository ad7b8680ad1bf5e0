//! The form that changes an audience: what stands in it, from the row or as typed, and what it says to the API.

use serde_json::{Map, Value, json};

use super::super::lengths;
use super::super::sheet::{check, choice, heading, line, lines, optional, optional_of, text_or_null};
use super::super::typed::{Belongs, Typed, Wrong};
use crate::console::screens::settings::Field;
use crate::updates::model::{ApprovalRule, Audience, AudienceChannel, Readers};

const SUCH_AS: &str = "Say how long, such as 20 min or 2 h.";
/// More than the API takes, so that too many are told and not cut off.
const MOST_ADDRESSES: usize = 60;
/// Places that are ticked and not typed.
const PLACES: usize = 3;
const APPROVALS: [(&str, &str); 2] = [
    ("required", "Somebody agrees before words go out"),
    ("not_required", "Whoever writes them may send them"),
];
pub(super) const READERS: [(&str, &str); 2] = [
    ("public", "Everybody: customers and the public"),
    ("internal", "People of the house only"),
];

/// The templates: the field of the API, of the form, and what it is called.
const TEMPLATES: [(&str, &str, &str); 5] = [
    ("subject", "subject", "The subject"),
    ("investigating", "investigating", "While it is looked into"),
    ("identified", "identified", "Once it is known what it is"),
    ("monitoring", "monitoring", "While it recovers"),
    ("resolved", "resolved", "When it is over"),
];

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    name: String,
    /// Only while it is added; nobody can change it later.
    readers: String,
    language: String,
    zone: String,
    approval: String,
    cadence: String,
    later: String,
    /// In the order of the form.
    templates: [String; 5],
    channels: Channels,
    position: String,
}

/// Where its words go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Channels {
    pages: String,
    desk: String,
    subscribers: String,
    /// E-mail and web addresses, a line each.
    addresses: String,
}

impl Fields {
    /// One that is to be added, with the reader's own zone.
    pub(super) fn blank(zone: &str) -> Self {
        Self {
            readers: "internal".to_owned(),
            language: "en".to_owned(),
            zone: zone.to_owned(),
            ..Self::default()
        }
    }

    /// Who reads it is not in the form that changes it, and decides what is.
    pub(super) fn for_readers_of(self, row: &Audience) -> Self {
        Self {
            readers: Self::of(row).readers,
            ..self
        }
    }

    pub(super) fn of(row: &Audience) -> Self {
        let own = &row.templates;
        let templates = [
            &own.subject,
            &own.investigating,
            &own.identified,
            &own.monitoring,
            &own.resolved,
        ]
        .map(|text| text.clone().unwrap_or_default());
        let minutes = |minutes: i64| lengths::written(minutes.saturating_mul(60));
        Self {
            name: row.name.clone(),
            readers: match row.readers {
                Readers::Public => "public".to_owned(),
                Readers::Internal => "internal".to_owned(),
            },
            language: row.language.clone(),
            zone: row.time_zone.clone(),
            approval: match row.approval {
                ApprovalRule::Required => "required".to_owned(),
                ApprovalRule::NotRequired => "not_required".to_owned(),
            },
            cadence: minutes(row.cadence_minutes),
            later: minutes(row.later_cadence_minutes),
            templates,
            channels: Channels::of(&row.channels),
            position: row.position.to_string(),
        }
    }

    pub(super) fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).trim().to_owned();
        Self {
            name: typed.text("name").to_owned(),
            readers: text("readers"),
            language: text("language"),
            zone: text("zone"),
            approval: text("approval"),
            cadence: text("cadence"),
            later: text("later"),
            templates: TEMPLATES.map(|(_, field, _)| typed.text(field).replace("\r\n", "\n")),
            channels: Channels {
                pages: text("to-pages"),
                desk: text("to-desk"),
                subscribers: text("to-subscribers"),
                addresses: text("addresses").replace("\r\n", "\n"),
            },
            position: text("position"),
        }
    }

    /// What is said when one is added: the rest is set on its own page.
    pub(super) fn first_body(&self) -> Value {
        json!({ "audience": {
            "name": self.name, "visibility": self.readers, "language": self.language, "time_zone": self.zone,
        } })
    }

    /// What the API is told, or what cannot be understood.
    pub(super) fn body(&self, row: &Audience) -> Result<Value, Wrong> {
        let mut wrong = Wrong::default();
        let was = Self::of(row);
        let mut sent = Map::new();
        let mut say = |name: &str, value: Value| sent.insert(name.to_owned(), value);
        say("name", Value::from(self.name.as_str()));
        say("language", Value::from(self.language.as_str()));
        say("time_zone", Value::from(self.zone.as_str()));
        say("approval", Value::from(self.approval.as_str()));
        for (name, field, text) in [
            ("cadence_minutes", "cadence", &self.cadence),
            ("later_cadence_minutes", "later", &self.later),
        ] {
            let seconds = lengths::read(text).filter(|seconds| seconds % 60 == 0);
            if seconds.is_none() {
                wrong.add(field, SUCH_AS);
            }
            say(name, Value::from(seconds.map(|seconds| seconds / 60)));
        }
        let position = self.position.parse::<i64>().ok();
        if position.is_none() {
            wrong.add("position", "Say a whole number, such as 10.");
        }
        say("position", Value::from(position));
        if self.templates != was.templates {
            let templates: Map<String, Value> = TEMPLATES
                .iter()
                .zip(&self.templates)
                .map(|((name, _, _), text)| ((*name).to_owned(), text_or_null(text)))
                .collect();
            say("templates", Value::from(templates));
        }
        if self.channels != was.channels {
            say("channels", Value::from(self.channels.body()));
        }
        if wrong.is_empty() {
            Ok(json!({ "audience": sent }))
        } else {
            Err(wrong)
        }
    }

    /// Where the sentences of the API about each field belong.
    pub(super) fn belongs() -> Vec<Belongs> {
        let fixed = [
            ("audience.name", "name", "The name"),
            ("audience.visibility", "readers", "Who reads it"),
            ("audience.language", "language", "The language"),
            ("audience.time_zone", "zone", "The time zone"),
            (
                "audience.cadence_minutes",
                "cadence",
                "The time, counted in minutes,",
            ),
            (
                "audience.later_cadence_minutes",
                "later",
                "The time, counted in minutes,",
            ),
            ("audience.position", "position", "Its place"),
            ("audience.approval", "approval", "Who agrees"),
        ]
        .map(|(prefix, field, label)| Belongs::new(prefix, field, label));
        let templates = TEMPLATES.map(|(name, field, _)| {
            Belongs::new(format!("audience.templates.{name}"), field, "This template")
        });
        // The ticked places stand before the addresses.
        let addresses = (0..MOST_ADDRESSES + PLACES).flat_map(|channel| {
            ["address", "url"].map(|part| {
                let prefix = format!("audience.channels[{channel}].{part}");
                Belongs::new(prefix, "addresses", "One of these")
            })
        });
        let all = Belongs::new("audience.channels", "addresses", "Where it goes");
        fixed
            .into_iter()
            .chain(templates)
            .chain(addresses)
            .chain([all])
            .collect()
    }

    pub(super) fn first_drawn(&self) -> Vec<Field> {
        vec![
            line("name", "Name", &self.name).hint("Such as Customers, Shops or The board."),
            choice("readers", "Who reads it", &READERS, &self.readers)
                .hint("Words for the public hold public facts only. It cannot be changed later."),
            line("language", "Language", &self.language).hint("Such as en, de or fr."),
            line("zone", "Time zone", &self.zone).hint("Such as Europe/London. Times are told by its clock."),
        ]
    }

    pub(super) fn drawn(&self) -> Vec<Field> {
        let mut fields = vec![
            line("name", "Name", &self.name),
            line("language", "Language", &self.language).hint("Such as en, de or fr."),
            line("zone", "Time zone", &self.zone).hint("Such as Europe/London. Times are told by its clock."),
            choice("approval", "Before words go out", &APPROVALS, &self.approval),
            heading("cadence-head", "How often it is told"),
            line("cadence", "In the first two hours, every", &self.cadence)
                .hint("Each update promises the next one by then. Between 5 min and 1 day."),
            line("later", "After that, every", &self.later),
            heading("channels-head", "Where it goes"),
        ];
        if self.readers == "public" {
            fields.push(check(
                "to-pages",
                "Status pages",
                "Every page that shows what is hurt",
                &self.channels.pages,
            ));
        }
        fields.extend([
            check(
                "to-desk",
                "The desk",
                "Where agents read it in place",
                &self.channels.desk,
            ),
            check(
                "to-subscribers",
                "Subscribers",
                "Whoever asked to be told of the incident, or of what it hurts",
                &self.channels.subscribers,
            ),
            lines("addresses", "E-mail and web addresses", &self.channels.addresses)
                .hint("A line each, such as board@example.org or https://example.org/hook."),
            heading("templates-head", "Its own words"),
        ]);
        fields.extend(TEMPLATES.into_iter().zip(&self.templates).map(
            |((_, field, label), text)| match field {
                "subject" => optional(field, label, text),
                _ => lines(field, label, text),
            },
        ));
        fields.push(heading("position-head", "Beside the other audiences"));
        fields.push(
            optional_of("number", "position", "Its place", &self.position)
                .hint("Those with smaller numbers stand first."),
        );
        fields
    }
}

impl Channels {
    fn of(channels: &[AudienceChannel]) -> Self {
        let ticked = |channel: &AudienceChannel| {
            let is = channels.contains(channel);
            if is { "yes".to_owned() } else { String::new() }
        };
        let addresses: Vec<&str> = channels
            .iter()
            .filter_map(|channel| match channel {
                AudienceChannel::Email { address } => Some(address.as_str()),
                AudienceChannel::Webhook { url } => Some(url.as_str()),
                AudienceChannel::StatusPage | AudienceChannel::Desk | AudienceChannel::Subscribers => None,
            })
            .collect();
        Self {
            pages: ticked(&AudienceChannel::StatusPage),
            desk: ticked(&AudienceChannel::Desk),
            subscribers: ticked(&AudienceChannel::Subscribers),
            addresses: addresses.join("\n"),
        }
    }

    fn body(&self) -> Vec<Value> {
        let places = [
            (&self.pages, "status_page"),
            (&self.desk, "desk"),
            (&self.subscribers, "subscribers"),
        ];
        let addresses = self
            .addresses
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(MOST_ADDRESSES)
            .map(|address| {
                if address.contains("://") {
                    json!({ "type": "webhook", "url": address })
                } else {
                    json!({ "type": "email", "address": address })
                }
            });
        places
            .into_iter()
            .filter(|(ticked, _)| *ticked == "yes")
            .map(|(_, kind)| json!({ "type": kind }))
            .chain(addresses)
            .collect()
    }
}

/// Who agrees, as the list says it.
pub(super) fn approval_words(rule: ApprovalRule) -> &'static str {
    match rule {
        ApprovalRule::Required => "Somebody agrees first",
        ApprovalRule::NotRequired => "Sent as written",
    }
}
