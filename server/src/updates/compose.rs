//! Words from facts: an audience's template, or the built-in one, filled with typed facts.
//!
//! Templates are written by people, bounded in what they may cost ([`template`]) and strict about what is missing. A template for the
//! public is given public facts only: the incident's title, its number and its service do not exist there, so
//! a template that asks for them is refused when it is saved.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::json;

use super::facts::{Confidence, Estimate, Facts, Places, TouchpointFact};
use super::model::{Audience, Phase, Readers, Templates};
use super::promised_words::promise;
use super::situation::Harm;
use crate::incidents::Incident;
use crate::people::UserId;
use crate::words::{InternalText, template};

/// The longest template that is kept.
pub const LONGEST_TEMPLATE: usize = 4_000;
/// The longest words of an update.
pub const LONGEST_WORDS: usize = 10_000;
pub const LONGEST_SUBJECT: usize = 200;

const SUBJECT: &str = "Problem with {{ touchpoints }}";
const OPENING: &str = "{% if symptom %}{{ symptom }}{% else %}We have a problem with {{ touchpoints }}.{% endif %} \
    It began at {{ since }}.{% if places and not says_where %} It concerns {{ places }}.{% endif %}";
const MIDDLE: &str = "{% if workaround %}\n\nUntil then: {{ workaround }}{% endif %}\
    {% if estimate %}\n\nWe expect it to be fixed between {{ estimate.earliest }} and {{ estimate.latest }}; \
    {{ estimate.confidence }}.{% endif %}";
const CLOSING: &str = "\n\nWe will tell you more by {{ next_update_by }}.";

const INTERNAL: &str = "Incident {{ incident.number }}: {{ incident.title }}. Since {{ since }}, {{ phase }}.\
    {% if touchpoints_hurt %} It hurts {{ touchpoints }}.{% endif %}{% if places %} Where: {{ places }}.{% endif %}\
    {% if symptom %}\n\nCustomers feel: {{ symptom }}{% endif %}{% if workaround %}\n\nOffer: {{ workaround }}{% endif %}\
    {% if say %}\n\nSay: {{ say }}{% endif %}\
    {% if estimate %}\n\nExpected between {{ estimate.earliest }} and {{ estimate.latest }}; {{ estimate.confidence }}.\
    {% elif phase != 'resolved' %}\n\nGive no time when it will be over. There is none.{% endif %}\
    {% if next_update_by %}\n\nNext word by {{ next_update_by }}.{% endif %}";

/// The built-in template for a phase.
fn built_in(readers: Readers, phase: Phase) -> String {
    match (readers, phase) {
        (Readers::Internal, _) => INTERNAL.to_owned(),
        (Readers::Public, Phase::Investigating) => {
            format!("{OPENING} We are looking into it.{MIDDLE}{CLOSING}")
        }
        (Readers::Public, Phase::Identified) => {
            format!("{OPENING} We know what it is and are working on it.{MIDDLE}{CLOSING}")
        }
        (Readers::Public, Phase::Monitoring) => format!(
            "{{{{ touchpoints_capital }}}}: things are getting back to normal. We are watching closely.{MIDDLE}{CLOSING}"
        ),
        (Readers::Public, Phase::Resolved) => {
            "{{ touchpoints_capital }}: everything works again. The problem began at {{ since }} and is over. \
             We are sorry for the trouble."
                .to_owned()
        }
    }
}

fn template_for(audience: &Audience, phase: Phase) -> String {
    let Templates {
        investigating,
        identified,
        monitoring,
        resolved,
        ..
    } = &audience.templates;
    let own = match phase {
        Phase::Investigating => investigating,
        Phase::Identified => identified,
        Phase::Monitoring => monitoring,
        Phase::Resolved => resolved,
    };
    own.clone().unwrap_or_else(|| built_in(audience.readers, phase))
}

/// What is composed for one audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    pub subject: InternalText,
    pub words: InternalText,
}

/// Everything a composition draws on.
#[derive(Debug, Clone)]
pub struct Material<'a> {
    pub facts: &'a Facts,
    pub next_update_by: Option<Timestamp>,
    pub incident: IncidentWords,
    /// What agents and staff say, from the touchpoints.
    pub say: Option<String>,
    pub now: Timestamp,
}

/// What only insiders are told of the incident.
#[derive(Debug, Clone)]
pub struct IncidentWords {
    pub number: i64,
    pub title: String,
}

impl From<&Incident> for IncidentWords {
    fn from(incident: &Incident) -> Self {
        Self {
            number: incident.number,
            title: incident.title.clone(),
        }
    }
}

/// Composes the words for an audience. A template of the house that fails now gives way to the built-in one:
/// readers are told something in any case.
pub fn compose(audience: &Audience, material: &Material<'_>) -> Composed {
    let context = context(audience, material);
    let own = template_for(audience, material.facts.phase);
    let words = render(&own, &context)
        .or_else(|_| render(&built_in(audience.readers, material.facts.phase), &context))
        .unwrap_or_default();
    let subject = audience.templates.subject.as_deref().unwrap_or(SUBJECT);
    let subject = render(subject, &context)
        .or_else(|_| render(SUBJECT, &context))
        .unwrap_or_default();
    Composed {
        subject: InternalText::new(one_line(&subject)),
        words: InternalText::new(words.trim().chars().take(LONGEST_WORDS).collect::<String>()),
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_SUBJECT).collect()
}

fn render(template: &str, context: &serde_json::Value) -> Result<String, String> {
    template::fill(template, Value::from(Serde(context)))
}

fn context(audience: &Audience, material: &Material<'_>) -> serde_json::Value {
    let facts = material.facts;
    let zone = TimeZone::get(&audience.time_zone).unwrap_or(TimeZone::UTC);
    let time = |at: Timestamp| clock_time(at, material.now, &zone);
    let names: Vec<&str> = facts.touchpoints.iter().map(|one| one.name.as_str()).collect();
    let listed = if names.is_empty() {
        "one of our services".to_owned()
    } else {
        listing(&names)
    };
    let mut context = json!({
        "phase": facts.phase,
        "since": time(facts.since),
        "symptom": facts.symptom.as_ref().map(|text| sentence(text.for_insiders())),
        "touchpoints": listed,
        "touchpoints_capital": capital(&listed),
        "touchpoints_hurt": names.len(),
        "places": place_words(&facts.places),
        "says_where": says_how_many(facts),
        "place_names": facts.places.names,
        "workaround": facts.workaround.as_ref().map(|text| sentence(text.for_insiders())),
        "estimate": facts.estimate.as_ref().map(|estimate| json!({
            "earliest": time(estimate.earliest),
            "latest": time(estimate.latest),
            "confidence": estimate.confidence.words(),
        })),
        "next_update_by": material.next_update_by.map(time),
        "promise": material
            .next_update_by
            .map(|due| promise(&audience.language, due, material.now, &zone)),
    });
    if audience.readers == Readers::Internal
        && let Some(context) = context.as_object_mut()
    {
        context.insert(
            "incident".to_owned(),
            json!({ "number": material.incident.number, "title": material.incident.title }),
        );
        context.insert("say".to_owned(), json!(material.say));
    }
    context
}

/// "05:41 GMT"; with the day when it is not today.
pub fn clock_time(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    if at.date() == now.date() {
        at.strftime("%H:%M %Z").to_string()
    } else {
        at.strftime("%H:%M %Z on %-d %B").to_string()
    }
}

/// "A", "A and B", "A, B and C".
pub fn listing(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn place_words(places: &Places) -> Option<String> {
    let names: Vec<&str> = places.names.iter().map(String::as_str).collect();
    match places.count {
        0 => None,
        1..=3 => Some(listing(&names)),
        count => Some(format!("{count} of our places")),
    }
}

/// Whether the symptom says already how many places it is about: "not working in 24 of our shops".
fn says_how_many(facts: &Facts) -> bool {
    let count = facts.places.count.to_string();
    facts.symptom.as_ref().is_some_and(|symptom| {
        symptom
            .for_insiders()
            .split(|letter: char| !letter.is_ascii_digit())
            .any(|number| number == count)
    })
}

/// Closed with a full stop where it was left open.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

/// Says what is wrong with an audience's templates, by trying each with facts that have everything and with
/// facts that have nothing.
pub fn faults_of(audience: &Audience) -> Vec<String> {
    let at = Timestamp::UNIX_EPOCH;
    let bare = Facts {
        phase: Phase::Investigating,
        since: at,
        symptom: None,
        touchpoints: Vec::new(),
        places: Places::default(),
        workaround: None,
        estimate: None,
    };
    let full = Facts {
        symptom: Some(InternalText::new("It does not work.")),
        touchpoints: vec![TouchpointFact {
            id: String::new(),
            name: "Card payments".to_owned(),
            state: Harm::Down,
        }],
        places: Places {
            count: 1,
            names: vec!["Leeds".to_owned()],
        },
        workaround: Some(InternalText::new("Take cash.")),
        estimate: Some(Estimate {
            earliest: at,
            latest: at,
            confidence: Confidence::Low,
            approved_by: UserId::from(""),
            expires_at: at,
        }),
        ..bare.clone()
    };
    let own = [
        ("subject", &audience.templates.subject),
        ("investigating", &audience.templates.investigating),
        ("identified", &audience.templates.identified),
        ("monitoring", &audience.templates.monitoring),
        ("resolved", &audience.templates.resolved),
    ];
    let mut faults = Vec::new();
    for (name, template) in own {
        let Some(template) = template else { continue };
        if template.chars().count() > LONGEST_TEMPLATE {
            faults.push(format!(
                "audience.templates.{name} is too long (maximum is {LONGEST_TEMPLATE} characters)."
            ));
            continue;
        }
        let failed = [&full, &bare].into_iter().find_map(|facts| {
            let material = Material {
                facts,
                next_update_by: Some(at),
                incident: IncidentWords {
                    number: 1,
                    title: "Title".to_owned(),
                },
                say: None,
                now: at,
            };
            render(template, &context(audience, &material)).err()
        });
        if let Some(reason) = failed {
            faults.push(format!("audience.templates.{name} does not work: {reason}."));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(readers: Readers) -> Audience {
        Audience {
            id: "QA".into(),
            name: "Customers".to_owned(),
            readers,
            language: "en".to_owned(),
            time_zone: "Europe/London".to_owned(),
            approval: super::super::model::ApprovalRule::Required,
            cadence_minutes: 20,
            later_cadence_minutes: 60,
            templates: Templates::default(),
            channels: Vec::new(),
            position: 1,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn facts() -> Facts {
        Facts {
            phase: Phase::Investigating,
            since: "2026-11-17T05:41:00Z".parse().unwrap(),
            symptom: Some(InternalText::new("Card payments are not working")),
            touchpoints: vec![TouchpointFact {
                id: "Q1".to_owned(),
                name: "Card payments".to_owned(),
                state: Harm::Down,
            }],
            places: Places {
                count: 24,
                names: Vec::new(),
            },
            workaround: Some(InternalText::new("Pay with cash, or we hold your basket.")),
            estimate: None,
        }
    }

    fn words(audience: &Audience, facts: &Facts) -> String {
        let material = Material {
            facts,
            next_update_by: Some("2026-11-17T06:20:00Z".parse().unwrap()),
            incident: IncidentWords {
                number: 4117,
                title: "store-edge 4.18.0 broke pos-terminal".to_owned(),
            },
            say: None,
            now: "2026-11-17T06:00:00Z".parse().unwrap(),
        };
        compose(audience, &material).words.for_insiders().to_owned()
    }

    #[test]
    fn customers_are_told_what_they_feel_what_to_do_and_when_we_speak_again() {
        assert_eq!(
            words(&audience(Readers::Public), &facts()),
            "Card payments are not working. It began at 05:41 GMT. It concerns 24 of our places. We are looking into it.\n\n\
             Until then: Pay with cash, or we hold your basket.\n\nWe will tell you more by 06:20 GMT."
        );
    }

    #[test]
    fn only_insiders_hear_of_the_incident_itself() {
        assert!(words(&audience(Readers::Internal), &facts()).contains("store-edge"));
        let mut curious = audience(Readers::Public);
        curious.templates.investigating = Some("{{ incident.title }}".to_owned());
        assert_eq!(faults_of(&curious).len(), 1);
        assert!(!words(&curious, &facts()).contains("store-edge"));
    }

    #[test]
    fn a_template_that_runs_away_is_stopped() {
        let mut endless = audience(Readers::Public);
        endless.templates.resolved = Some("{% for a in 'abcdefghij' %}{% for b in 'abcdefghij' %}{% for c in 'abcdefghij' %}{% for d in 'abcdefghij' %}{% for e in 'abcdefghij' %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}".to_owned());
        endless.templates.subject = Some("{% if".to_owned());
        endless.templates.investigating =
            Some("{{ symptom|replace('', 'xxxxxxxx')|replace('x', 'yyyyyyyy') }}".to_owned());
        assert_eq!(faults_of(&endless).len(), 3);
    }

    #[test]
    fn every_built_in_template_works_with_and_without_facts() {
        for readers in [Readers::Public, Readers::Internal] {
            for phase in [
                Phase::Investigating,
                Phase::Identified,
                Phase::Monitoring,
                Phase::Resolved,
            ] {
                let mut own = audience(readers);
                own.templates.investigating = Some(built_in(readers, phase));
                assert_eq!(faults_of(&own), Vec::<String>::new(), "{readers:?} {phase:?}");
            }
        }
    }

    #[test]
    fn names_are_listed_as_people_say_them() {
        assert_eq!(listing(&["A"]), "A");
        assert_eq!(listing(&["A", "B"]), "A and B");
        assert_eq!(listing(&["A", "B", "C"]), "A, B and C");
    }
}
