//! The form that changes a service: what stands in it, from the row or as typed, and what it says to the API. Only what
//! reads otherwise than the row is said, so that a setting the form cannot word exactly stays as it was.

use serde_json::{Map, Value, json};
use triage::{Aggregate, Grouping};

use super::sheet::{check, choice, heading, line, lines, optional, optional_of, select, text_or_null};
use super::typed::{Belongs, Typed, Wrong};
use super::{lengths, weekdays};
use crate::console::prelude::Pick;
use crate::console::screens::settings::Field;
use crate::services::model::{NamedTime, Service, SupportHours, UrgencyChoice, UrgencyRule};

const SUCH_AS: &str = "Say how long, such as 30 min, 4 h or 2 days.";
const URGENCIES: [(&str, &str); 3] = [
    ("high", "Urgent: page at once"),
    ("low", "Not urgent: page quietly"),
    ("severity_based", "As the alert says"),
];
const RULES: [(&str, &str); 4] = [
    ("high", "Urgent: page at once"),
    ("low", "Not urgent: page quietly"),
    ("severity_based", "As the alert says"),
    ("hours", "By its support hours, below"),
];
const GROUPINGS: [(&str, &str); 5] = [
    ("off", "Each alert opens an incident of its own"),
    ("time", "Alerts that come close together"),
    ("intelligent", "Alerts that read alike"),
    ("content_based", "Alerts with the same fields"),
    (
        "content_based_intelligent",
        "Alerts with the same fields, or that read alike",
    ),
];
const AGREEMENTS: [(&str, &str); 2] = [
    ("all", "All of the fields agree"),
    ("any", "One of the fields agrees"),
];
const PAUSES: [(&str, &str); 7] = [
    ("off", "They page like the others"),
    ("0", "They wait as long as such alerts usually last"),
    ("120", "They wait at most 2 min"),
    ("180", "They wait at most 3 min"),
    ("300", "They wait at most 5 min"),
    ("600", "They wait at most 10 min"),
    ("900", "They wait at most 15 min"),
];

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    name: String,
    description: String,
    policy: String,
    acknowledged: String,
    resolves: String,
    urgency: Urgency,
    grouping: Together,
    pause: String,
}

/// How urgent, and the hours that it may depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Urgency {
    rule: String,
    days: String,
    from: String,
    until: String,
    zone: String,
    inside: String,
    outside: String,
    /// `yes` where quiet incidents become urgent when the hours begin, or end.
    at_start: String,
    at_end: String,
}

/// Which alerts join one incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Together {
    kind: String,
    names: String,
    agreement: String,
    window: String,
}

impl Fields {
    pub(super) fn of(row: &Service) -> Self {
        let length = |seconds: Option<i64>| seconds.map(lengths::written).unwrap_or_default();
        Self {
            name: row.name.clone(),
            description: row.description.clone().unwrap_or_default(),
            policy: row.escalation_policy_id.to_string(),
            acknowledged: length(row.acknowledgement_timeout),
            resolves: length(row.auto_resolve_timeout),
            urgency: Urgency::of(row),
            grouping: Together::of(&row.alert_grouping.grouping),
            pause: match (row.auto_pause.enabled, row.auto_pause.timeout) {
                (false, _) => "off".to_owned(),
                (true, seconds) => seconds.to_string(),
            },
        }
    }

    pub(super) fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).trim().to_owned();
        Self {
            name: typed.text("name").to_owned(),
            description: typed.text("description").replace("\r\n", "\n"),
            policy: text("policy"),
            acknowledged: text("acknowledged"),
            resolves: text("resolves"),
            urgency: Urgency {
                rule: text("urgency"),
                days: text("days"),
                from: text("from"),
                until: text("until"),
                zone: text("zone"),
                inside: text("inside"),
                outside: text("outside"),
                at_start: text("at-start"),
                at_end: text("at-end"),
            },
            grouping: Together {
                kind: text("grouping"),
                names: text("names"),
                agreement: text("agreement"),
                window: text("window"),
            },
            pause: text("pause"),
        }
    }

    /// What the API is told, or what cannot be understood.
    pub(super) fn body(&self, row: &Service) -> Result<Value, Wrong> {
        let mut wrong = Wrong::default();
        let was = Self::of(row);
        let mut sent = Map::new();
        let mut say = |name: &str, value: Value| sent.insert(name.to_owned(), value);
        say("name", Value::from(self.name.as_str()));
        say("description", text_or_null(&self.description));
        if self.policy != was.policy {
            if self.policy.is_empty() {
                wrong.add("policy", "Choose who is paged.");
            }
            say(
                "escalation_policy",
                json!({ "id": self.policy, "type": "escalation_policy_reference" }),
            );
        }
        if self.acknowledged != was.acknowledged {
            let seconds = seconds(&self.acknowledged, "acknowledged", &mut wrong);
            say("acknowledgement_timeout", seconds);
        }
        if self.resolves != was.resolves {
            let seconds = seconds(&self.resolves, "resolves", &mut wrong);
            say("auto_resolve_timeout", seconds);
        }
        if self.urgency != was.urgency {
            for (name, value) in self.urgency.body(&mut wrong) {
                say(name, value);
            }
        }
        if self.grouping != was.grouping {
            say("alert_grouping_parameters", self.grouping.body(&mut wrong));
        }
        if self.pause != was.pause {
            let seconds = self.pause.parse::<u32>();
            let pause = json!({ "enabled": seconds.is_ok(), "timeout": seconds.unwrap_or(0) });
            say("auto_pause_notifications_parameters", pause);
        }
        if wrong.is_empty() {
            Ok(json!({ "service": sent }))
        } else {
            Err(wrong)
        }
    }

    /// Where the sentences of the API about each field belong.
    pub(super) fn belongs() -> Vec<Belongs> {
        [
            ("Name", "name", "The name"),
            ("Description", "description", "The description"),
            ("Escalation policy", "policy", "The policy"),
            (
                "Acknowledgement timeout",
                "acknowledged",
                "The time, counted in seconds,",
            ),
            (
                "Auto resolve timeout",
                "resolves",
                "The time, counted in seconds,",
            ),
            ("Support hours time zone", "zone", "The time zone"),
            ("Support hours days of week", "days", "The days"),
            (
                "Alert grouping time window",
                "window",
                "The time, counted in seconds,",
            ),
            (
                "Alert grouping timeout",
                "window",
                "The time, counted in minutes,",
            ),
            ("Alert grouping fields", "names", "The fields"),
            ("Alert grouping", "grouping", "Which alerts"),
            ("Auto pause", "pause", "The time"),
        ]
        .map(|(prefix, field, label)| Belongs::new(prefix, field, label))
        .to_vec()
    }

    pub(super) fn drawn(&self, policies: &[Pick]) -> Vec<Field> {
        let mut fields = vec![
            line("name", "Name", &self.name),
            lines("description", "What it is for", &self.description),
            select(
                "policy",
                "Who is paged",
                policies,
                &self.policy,
                "The policy it has",
            ),
            heading("time-head", "When nobody acts"),
            optional(
                "acknowledged",
                "An acknowledged incident pages again after",
                &self.acknowledged,
            )
            .hint("Such as 30 min, 4 h or 2 days. Empty: never."),
            optional("resolves", "An incident resolves by itself after", &self.resolves)
                .hint("Such as 4 h or 2 days. Empty: never."),
            heading("urgency-head", "How urgent"),
        ];
        fields.extend(self.urgency.drawn());
        fields.push(heading("grouping-head", "What becomes one incident"));
        fields.extend(self.grouping.drawn());
        fields.push(heading("pause-head", "Alerts that clear by themselves"));
        fields.push(
            choice(
                "pause",
                "Alerts of a kind that usually clears",
                &PAUSES,
                &self.pause,
            )
            .hint("Muster learns which kinds these are from how such alerts ended before."),
        );
        fields
    }
}

/// The seconds that a text says; none where it is empty.
fn seconds(text: &str, field: &str, wrong: &mut Wrong) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let seconds = lengths::read(text);
    if seconds.is_none() {
        wrong.add(field, SUCH_AS);
    }
    Value::from(seconds)
}

impl Urgency {
    fn of(row: &Service) -> Self {
        let word = |urgency: UrgencyChoice| match urgency {
            UrgencyChoice::High => "high".to_owned(),
            UrgencyChoice::Low => "low".to_owned(),
            UrgencyChoice::SeverityBased => "severity_based".to_owned(),
        };
        let (rule, inside, outside) = match row.incident_urgency_rule {
            UrgencyRule::Constant { urgency } => (word(urgency), "high".to_owned(), "low".to_owned()),
            UrgencyRule::UseSupportHours {
                during_support_hours,
                outside_support_hours,
            } => (
                "hours".to_owned(),
                word(during_support_hours.urgency),
                word(outside_support_hours.urgency),
            ),
        };
        let raised = |name: NamedTime| {
            let is = row.scheduled_actions.iter().any(|action| action.at.name == name);
            if is { "yes".to_owned() } else { String::new() }
        };
        let hours = row.support_hours.as_ref();
        let of_hours =
            |say: fn(&SupportHours) -> String, usual: &str| hours.map_or_else(|| usual.to_owned(), say);
        Self {
            rule,
            inside,
            outside,
            days: of_hours(|hours| weekdays::written(&hours.days_of_week), "Mon to Fri"),
            from: of_hours(|hours| hours.start_time.strftime("%H:%M").to_string(), "09:00"),
            until: of_hours(|hours| hours.end_time.strftime("%H:%M").to_string(), "17:00"),
            zone: of_hours(|hours| hours.time_zone.clone(), ""),
            at_start: raised(NamedTime::SupportHoursStart),
            at_end: raised(NamedTime::SupportHoursEnd),
        }
    }

    fn body(&self, wrong: &mut Wrong) -> Vec<(&'static str, Value)> {
        if self.rule != "hours" {
            return vec![
                (
                    "incident_urgency_rule",
                    json!({ "type": "constant", "urgency": self.rule }),
                ),
                // Without hours there is nothing that begins or ends.
                ("scheduled_actions", json!([])),
            ];
        }
        let days = weekdays::read(&self.days);
        if days.is_none() {
            wrong.add("days", "Say which days, such as Mon to Fri.");
        }
        for (field, text) in [("from", &self.from), ("until", &self.until)] {
            if text.parse::<jiff::civil::Time>().is_err() {
                wrong.add(field, "Say a time, such as 09:00.");
            }
        }
        let urgency = |word: &str| json!({ "type": "constant", "urgency": word });
        let raised: Vec<Value> = [
            (&self.at_start, "support_hours_start"),
            (&self.at_end, "support_hours_end"),
        ]
        .into_iter()
        .filter(|(ticked, _)| *ticked == "yes")
        .map(|(_, name)| {
            json!({ "type": "urgency_change", "to_urgency": "high",
                "at": { "type": "named_time", "name": name } })
        })
        .collect();
        vec![
            (
                "incident_urgency_rule",
                json!({ "type": "use_support_hours",
                    "during_support_hours": urgency(&self.inside),
                    "outside_support_hours": urgency(&self.outside) }),
            ),
            (
                "support_hours",
                json!({ "type": "fixed_time_per_day", "time_zone": self.zone,
                    "days_of_week": days, "start_time": self.from, "end_time": self.until }),
            ),
            ("scheduled_actions", Value::from(raised)),
        ]
    }

    fn drawn(&self) -> Vec<Field> {
        vec![
            choice("urgency", "Its incidents are", &RULES, &self.rule),
            optional("days", "Support hours: days", &self.days).hint("Such as Mon to Fri, or Mon, Wed, Sat."),
            optional_of("time", "from", "Support hours: from", &self.from),
            optional_of("time", "until", "Support hours: until", &self.until)
                .hint("At or before the beginning, it is the next day."),
            optional("zone", "Support hours: time zone", &self.zone).hint("Such as Europe/London."),
            choice("inside", "Within the hours", &URGENCIES, &self.inside),
            choice("outside", "Outside the hours", &URGENCIES, &self.outside),
            check(
                "at-start",
                "When the hours begin",
                "Open incidents that are not urgent become urgent",
                &self.at_start,
            ),
            check(
                "at-end",
                "When the hours end",
                "Open incidents that are not urgent become urgent",
                &self.at_end,
            ),
        ]
    }
}

impl Together {
    fn of(grouping: &Grouping) -> Self {
        let window = |seconds: u32| lengths::written(i64::from(seconds));
        let agreement = |aggregate: &Aggregate| match aggregate {
            Aggregate::All => "all".to_owned(),
            Aggregate::Any => "any".to_owned(),
        };
        let blank = Self {
            kind: "off".to_owned(),
            agreement: "all".to_owned(),
            ..Self::default()
        };
        match grouping {
            Grouping::Off => blank,
            Grouping::Time { window_seconds } => Self {
                kind: "time".to_owned(),
                window: window_seconds.map(window).unwrap_or_default(),
                ..blank
            },
            Grouping::Intelligent {
                fields,
                window_seconds,
            } => Self {
                kind: "intelligent".to_owned(),
                names: fields.join(", "),
                window: window(*window_seconds),
                ..blank
            },
            Grouping::ContentBased {
                aggregate,
                fields,
                window_seconds,
            } => Self {
                kind: "content_based".to_owned(),
                names: fields.join(", "),
                agreement: agreement(aggregate),
                window: window(*window_seconds),
            },
            Grouping::ContentBasedIntelligent {
                aggregate,
                fields,
                window_seconds,
            } => Self {
                kind: "content_based_intelligent".to_owned(),
                names: fields.join(", "),
                agreement: agreement(aggregate),
                window: window(*window_seconds),
            },
        }
    }

    fn body(&self, wrong: &mut Wrong) -> Value {
        let window = lengths::read(&self.window);
        if window.is_none() && !self.window.is_empty() {
            wrong.add("window", SUCH_AS);
        }
        let names: Vec<&str> = self
            .names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let config = match self.kind.as_str() {
            "time" => {
                let seconds = window.unwrap_or(0);
                if seconds % 60 != 0 {
                    wrong.add("window", "Say it in whole minutes.");
                }
                json!({ "timeout": seconds / 60 })
            }
            "content_based" | "content_based_intelligent" => json!({
                "fields": names, "aggregate": self.agreement, "time_window": window,
            }),
            "intelligent" if names.is_empty() => json!({ "time_window": window }),
            "intelligent" => json!({ "iag_fields": names, "time_window": window }),
            _ => return Value::Null,
        };
        json!({ "type": self.kind, "config": config })
    }

    fn drawn(&self) -> Vec<Field> {
        vec![
            choice("grouping", "Which alerts share one", &GROUPINGS, &self.kind),
            optional("window", "Within this time of the last one", &self.window).hint(
                "Such as 5 min. Empty: 5 min; where alerts only have to come close together, until it is resolved.",
            ),
            optional("names", "The fields that are compared", &self.names)
                .hint("Such as component, custom_details.host. Empty, where alerts read alike: the summary."),
            choice(
                "agreement",
                "Where fields are the same",
                &AGREEMENTS,
                &self.agreement,
            ),
        ]
    }
}

/// How it is set, in a few words, where it is not set as most are.
pub(super) fn settings(row: &Service) -> Vec<(&'static str, String)> {
    let words = |all: &[(&str, &str)], value: &str| {
        all.iter()
            .find(|(one, _)| *one == value)
            .map(|(_, words)| (*words).to_owned())
            .unwrap_or_default()
    };
    let fields = Fields::of(row);
    let mut settings = Vec::new();
    if row.disabled {
        settings.push((
            "Switched off",
            "It opens no incidents and pages nobody.".to_owned(),
        ));
    }
    if fields.urgency.rule != "high" {
        settings.push(("Urgency", words(&RULES, &fields.urgency.rule)));
    }
    if !fields.acknowledged.is_empty() {
        settings.push(("Pages again", format!("after {}", fields.acknowledged)));
    }
    if !fields.resolves.is_empty() {
        settings.push(("Resolves by itself", format!("after {}", fields.resolves)));
    }
    if fields.grouping.kind != "off" {
        settings.push(("One incident", words(&GROUPINGS, &fields.grouping.kind)));
    }
    if fields.pause != "off" {
        settings.push(("What usually clears", words(&PAUSES, &fields.pause)));
    }
    settings
}
