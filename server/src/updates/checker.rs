//! The checker: reads a draft as a stranger would, and names the place of whatever it objects to.
//!
//! What it *refuses* cannot be published: an internal name in public words, a time of resolution that nobody
//! answers for, a promise that is missing. What it *advises* against is shown and may stand.

mod estimates;
mod promises;

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde::Serialize;
use utoipa::ToSchema;

use super::facts::Estimate;
use super::model::{Audience, Phase, Readers};
use super::readability::{grade, sentences};
use crate::words::InternalText;

/// Customers' texts are for readers of at most this school grade.
pub const HIGHEST_GRADE: f64 = 8.0;
pub const LONGEST_SENTENCE: usize = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    Empty,
    InternalName,
    PersonName,
    HostName,
    HardToRead,
    LongSentence,
    PromiseMissing,
    /// The words promise the next word for another time than the one that is kept.
    PromiseContradicted,
    Blame,
    EstimateWithoutGround,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Cannot be published like this.
    Refuse,
    Advise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Subject,
    Words,
}

/// One objection and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    pub kind: FindingKind,
    pub weight: Weight,
    pub field: Field,
    /// The place in the field, in characters: from `start` up to and without `end`.
    pub start: usize,
    pub end: usize,
    /// The words at that place.
    pub excerpt: String,
    pub objection: String,
    /// What to do about it, when one thing can be said.
    pub remedy: Option<String>,
}

/// Names that outsiders do not know.
#[derive(Debug, Clone, Default)]
pub struct InternalNames {
    pub services: Vec<String>,
    pub people: Vec<String>,
    pub hosts: Vec<String>,
    /// What customers call the thing that is hurt.
    pub touchpoints: Vec<String>,
    /// The house's own public host, which is no secret.
    pub public_hosts: Vec<String>,
}

/// What a draft is held against.
#[derive(Debug, Clone)]
pub struct Against<'a> {
    pub audience: &'a Audience,
    pub phase: Phase,
    pub next_update_by: Option<Timestamp>,
    pub estimate: Option<&'a Estimate>,
    pub names: &'a InternalNames,
    pub now: Timestamp,
}

/// Everything there is to object to, refusals first.
pub fn check(subject: &InternalText, words: &InternalText, against: &Against<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (field, text) in [(Field::Subject, subject), (Field::Words, words)] {
        let text = text.for_insiders();
        if text.trim().is_empty() {
            findings.push(finding(
                FindingKind::Empty,
                Weight::Refuse,
                field,
                text,
                0..0,
                "There are no words here.",
            ));
        }
        if against.audience.readers == Readers::Public {
            find_names(field, text, against.names, &mut findings);
            find_blame(field, text, &mut findings);
        }
        estimates::find(field, text, against, &mut findings);
    }
    let text = words.for_insiders();
    if against.audience.readers == Readers::Public {
        find_hard_words(text, &mut findings);
    }
    promises::find(text, against, &mut findings);
    findings.sort_by_key(|one| {
        (
            one.weight != Weight::Refuse,
            one.field != Field::Subject,
            one.start,
        )
    });
    findings
}

/// Whether these findings keep the words from going out.
pub fn refuses(findings: &[Finding]) -> bool {
    findings.iter().any(|one| one.weight == Weight::Refuse)
}

fn finding(
    kind: FindingKind,
    weight: Weight,
    field: Field,
    text: &str,
    place: std::ops::Range<usize>,
    objection: impl Into<String>,
) -> Finding {
    let before = text.get(..place.start).unwrap_or_default().chars().count();
    let excerpt = text.get(place).unwrap_or_default().to_owned();
    Finding {
        kind,
        weight,
        field,
        start: before,
        end: before + excerpt.chars().count(),
        excerpt,
        objection: objection.into(),
        remedy: None,
    }
}

/// Every place where `name` stands as a whole word, in upper or lower case.
fn occurrences(text: &str, name: &str) -> Vec<std::ops::Range<usize>> {
    let name = name.trim();
    if name.chars().count() < 2 || !text.to_lowercase().contains(&name.to_lowercase()) {
        return Vec::new();
    }
    // A name in words, so that "edge" is not found inside "knowledge".
    let Ok(pattern) = Regex::new(&format!("(?i){}", regex::escape(name))) else {
        return Vec::new();
    };
    let inside_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    pattern
        .find_iter(text)
        .map(|found| found.range())
        .filter(|place| {
            !inside_word(text[..place.start].chars().next_back())
                && !inside_word(text[place.end..].chars().next())
        })
        .collect()
}

fn find_names(field: Field, text: &str, names: &InternalNames, findings: &mut Vec<Finding>) {
    let public = |name: &str| {
        let name = name.to_lowercase();
        names.touchpoints.iter().any(|one| one.to_lowercase() == name)
    };
    for name in names.services.iter().filter(|name| !public(name)) {
        for place in occurrences(text, name) {
            let mut found = finding(
                FindingKind::InternalName,
                Weight::Refuse,
                field,
                text,
                place,
                format!("Customers do not know the name “{name}”."),
            );
            found.remedy = names.touchpoints.first().map(|known| format!("Say “{known}”."));
            findings.push(found);
        }
    }
    for name in &names.people {
        for place in occurrences(text, name) {
            findings.push(finding(
                FindingKind::PersonName,
                Weight::Refuse,
                field,
                text,
                place,
                format!("“{name}” works here; names of colleagues stay inside."),
            ));
        }
    }
    for name in &names.hosts {
        for place in occurrences(text, name) {
            findings.push(host_finding(field, text, place));
        }
    }
    for found in HOST.find_iter(text) {
        let host = found.as_str().to_lowercase();
        let known = names.public_hosts.iter().any(|public| {
            host == *public || host.ends_with(&format!(".{public}")) || public.ends_with(&format!(".{host}"))
        });
        if !known {
            findings.push(host_finding(field, text, found.range()));
        }
    }
    // Two ways of finding one place are one objection.
    findings.sort_by_key(|one| (one.start, std::cmp::Reverse(one.end)));
    findings.dedup_by(|later, earlier| {
        later.field == earlier.field
            && later.start < earlier.end
            && earlier.start <= later.start
            && later.weight == earlier.weight
    });
}

fn host_finding(field: Field, text: &str, place: std::ops::Range<usize>) -> Finding {
    finding(
        FindingKind::HostName,
        Weight::Refuse,
        field,
        text,
        place,
        "This looks like the name of a machine; customers cannot do anything with it.",
    )
}

/// Numbers of networks, and names such as `pos-42.leeds.internal`, `db-03`, `edge-eu-1`.
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:\d{1,3}(?:\.\d{1,3}){3}|[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:internal|local|lan|corp|intra|svc|cluster|prod|staging)\b|[a-z]{2,}(?:-[a-z]+)*-\d{1,4}\b|[a-z0-9-]+(?:\.[a-z0-9-]+)+\.(?:com|net|org|io|dev|example))\b",
    )
});

static BLAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:human error|user error|operator error|careless(?:ly|ness)?|negligen(?:t|ce)|incompeten(?:t|ce)|sloppy|stupid|to blame|blames?|blamed|at fault|whose fault|fault of|guilty|should have known|forgot to|messed up|screwed up)\b",
    )
});

fn find_blame(field: Field, text: &str, findings: &mut Vec<Finding>) {
    for found in BLAME.find_iter(text) {
        let mut blame = finding(
            FindingKind::Blame,
            Weight::Advise,
            field,
            text,
            found.range(),
            "This lays blame. Readers want to know what works and what comes next.",
        );
        blame.remedy = Some("Say what happened, not whose fault it was.".to_owned());
        findings.push(blame);
    }
}

fn find_hard_words(text: &str, findings: &mut Vec<Finding>) {
    for sentence in sentences(text) {
        if sentence.words > LONGEST_SENTENCE {
            findings.push(finding(
                FindingKind::LongSentence,
                Weight::Advise,
                Field::Words,
                text,
                sentence.place,
                format!(
                    "This sentence has {} words. Cut it in two; {LONGEST_SENTENCE} are enough.",
                    sentence.words
                ),
            ));
        }
    }
    let reached = grade(text);
    if reached > HIGHEST_GRADE {
        findings.push(finding(
            FindingKind::HardToRead,
            Weight::Advise,
            Field::Words,
            text,
            0..text.len(),
            format!(
                "This reads like grade {reached:.0}; grade {HIGHEST_GRADE:.0} is the most. Use shorter words."
            ),
        ));
    }
}

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are literals of this file, and a test compiles each"
    )]
    Regex::new(text).expect("a literal pattern")
}

#[cfg(test)]
mod tests;
