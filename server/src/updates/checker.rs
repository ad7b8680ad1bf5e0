//! The checker: reads a draft as a stranger would, and names the place of whatever it objects to.
//!
//! What it *refuses* cannot be published: an internal name in public words, a time of resolution that nobody
//! answers for, a promise that is missing. What it *advises* against is shown and may stand.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;
use serde::Serialize;
use utoipa::ToSchema;

use super::facts::Estimate;
use super::model::{Audience, Phase, Readers};
use super::promised_words;
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
        find_estimates(field, text, against, &mut findings);
    }
    let text = words.for_insiders();
    if against.audience.readers == Readers::Public {
        find_hard_words(text, &mut findings);
    }
    find_missing_promise(text, against, &mut findings);
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

static REPAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:fix(?:ed)?|resol(?:ve|ved|ution)|restor(?:e|ed|ation)|repair(?:ed)?|recover(?:ed|y)?|solved|sorted|back to normal|back up|be back|come back|work(?:ing)? again|up and running|running again|be over|all clear)\b",
    )
});

static FORECAST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?:by|within|before|in|until|around|about|between|after|at)\s+(?:about\s+|around\s+|approximately\s+|the\s+next\s+|the\s+end\s+of\s+)?(?:\d{1,2}[:.]\d{2}|\d{1,2}\s?(?:am|pm|o.clock)|(?:\d+|an?|one|two|three|four|five|six|ten|twelve|a\s+few|a\s+couple\s+of|half\s+an)\s+(?:minutes?|mins?|hours?|hrs?|days?)|noon|midday|midnight|tomorrow|tonight|today|monday|tuesday|wednesday|thursday|friday|saturday|sunday|this\s+(?:morning|afternoon|evening)|the\s+(?:day|week|morning|afternoon|evening))|shortly|very\s+soon|soon|any\s+minute|momentarily|imminently|tomorrow|tonight)\b",
    )
});

static ETA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:eta|etr|estimated (?:time|resolution)|expected (?:fix|resolution))\b")
});

/// A past event is no forecast.
static PAST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:was|were|has been|have been|since|is over|works again)\b"));

fn find_estimates(field: Field, text: &str, against: &Against<'_>, findings: &mut Vec<Finding>) {
    if against.phase == Phase::Resolved {
        return;
    }
    let zone = TimeZone::get(&against.audience.time_zone).unwrap_or(TimeZone::UTC);
    for sentence in sentences(text) {
        let Some(words) = text.get(sentence.place.clone()) else {
            continue;
        };
        let forecast = ETA.is_match(words)
            || (REPAIR.is_match(words)
                && FORECAST.is_match(words)
                && !PAST.is_match(words)
                && !promised_words::is_about_next_word(words));
        if !forecast {
            continue;
        }
        let grounded = against.estimate.is_some_and(|estimate| {
            estimate.ends_at() > against.now && estimate.is_said_in(words, against.now, &zone)
        });
        if !grounded {
            let mut refused = finding(
                FindingKind::EstimateWithoutGround,
                Weight::Refuse,
                field,
                text,
                sentence.place,
                "A time of resolution needs a range, a confidence, somebody who approves it and an expiry.",
            );
            refused.remedy = Some(
                "State the estimate among the facts and say both ends of it, or say only when you will speak again."
                    .to_owned(),
            );
            findings.push(refused);
        }
    }
}

fn find_missing_promise(text: &str, against: &Against<'_>, findings: &mut Vec<Finding>) {
    if against.phase == Phase::Resolved {
        return;
    }
    let zone = TimeZone::get(&against.audience.time_zone).unwrap_or(TimeZone::UTC);
    let end = text.len()..text.len();
    let missing = |objection: &str, remedy: Option<String>| {
        let mut found = finding(
            FindingKind::PromiseMissing,
            Weight::Refuse,
            Field::Words,
            text,
            end.clone(),
            objection,
        );
        found.remedy = remedy;
        found
    };
    let Some(due) = against.next_update_by else {
        findings.push(missing(
            "Nobody is told when the next word comes. Set a time (next_update_by).",
            None,
        ));
        return;
    };
    if due <= against.now {
        findings.push(missing(
            "The promised time has passed. Set a later one (next_update_by).",
            None,
        ));
        return;
    }
    let time = due.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    let others: Vec<promised_words::Said> = promised_words::said(text)
        .into_iter()
        .filter(|said| !said.clocks.contains(&time))
        .collect();
    for said in &others {
        let mut contradicted = finding(
            FindingKind::PromiseContradicted,
            Weight::Refuse,
            Field::Words,
            text,
            said.place.clone(),
            format!(
                "This promises the next word for {}; what will be kept is {time}.",
                said.clocks.join(" and ")
            ),
        );
        contradicted.remedy = Some(format!("Say {time} here, or choose the other time."));
        findings.push(contradicted);
    }
    if others.is_empty() && !text.contains(&time) {
        let words = promised_words::promise(&against.audience.language, due, against.now, &zone);
        findings.push(missing(
            "The words do not say when the next word comes.",
            Some(format!("Add “{words}”")),
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
mod tests {
    use super::super::facts::Confidence;
    use super::super::model::{ApprovalRule, Templates};
    use super::*;

    fn audience(readers: Readers) -> Audience {
        Audience {
            id: "QA".into(),
            name: "Customers".to_owned(),
            readers,
            language: "en".to_owned(),
            time_zone: "Europe/London".to_owned(),
            approval: ApprovalRule::Required,
            cadence_minutes: 20,
            later_cadence_minutes: 60,
            templates: Templates::default(),
            channels: Vec::new(),
            position: 1,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn names() -> InternalNames {
        InternalNames {
            services: vec!["store-edge".to_owned(), "Card payments".to_owned()],
            people: vec!["Priya Raman".to_owned()],
            hosts: vec!["TILL7".to_owned()],
            touchpoints: vec!["Card payments".to_owned()],
            public_hosts: vec!["status.example.org".to_owned()],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn found(words: &str) -> Vec<(FindingKind, String)> {
        found_with(words, None)
    }

    fn found_with(words: &str, estimate: Option<&Estimate>) -> Vec<(FindingKind, String)> {
        let (audience, names) = (audience(Readers::Public), names());
        let against = Against {
            audience: &audience,
            phase: Phase::Identified,
            next_update_by: Some(at("2026-11-17T06:20:00Z")),
            estimate,
            names: &names,
            now: at("2026-11-17T06:00:00Z"),
        };
        let words = InternalText::new(format!("{words} We will tell you more by 06:20 GMT."));
        check(&InternalText::new("Card payments"), &words, &against)
            .into_iter()
            .map(|one| (one.kind, one.excerpt))
            .collect()
    }

    #[test]
    fn plain_public_words_pass() {
        for words in [
            "Card payments do not work in 24 shops. You can pay with cash, or we hold your basket until tomorrow evening.",
            "The shops are coming back one by one; 7 of 24 work again.",
            "Card payments have been back in 7 shops since 05:58.",
            "Your knowledge of status.example.org helps.",
        ] {
            assert_eq!(found(words), [], "{words}");
        }
    }

    #[test]
    fn internal_names_are_found_where_they_stand() {
        assert_eq!(
            found("We put the Store-Edge agent back."),
            [(FindingKind::InternalName, "Store-Edge".to_owned())]
        );
        assert_eq!(
            found("Priya Raman is on it."),
            [(FindingKind::PersonName, "Priya Raman".to_owned())]
        );
        for host in [
            "till7",
            "pos-42.leeds.internal",
            "db-03",
            "10.1.2.3",
            "gw.northpay.com",
        ] {
            assert_eq!(
                found(&format!("We restarted {host} again.")),
                [(FindingKind::HostName, host.to_owned())]
            );
        }
    }

    #[test]
    fn the_place_is_counted_in_characters() {
        let (audience, names) = (audience(Readers::Public), names());
        let against = Against {
            audience: &audience,
            phase: Phase::Resolved,
            next_update_by: None,
            estimate: None,
            names: &names,
            now: at("2026-11-17T06:00:00Z"),
        };
        let words = InternalText::new("Für store-edge gilt das.");
        let findings = check(&InternalText::new("S"), &words, &against);
        assert_eq!((findings[0].start, findings[0].end), (4, 14));
    }

    #[test]
    fn a_time_of_resolution_needs_its_ground() {
        for words in [
            "It will be fixed by 08:30.",
            "We expect to be back to normal within two hours.",
            "Everything will be working again soon.",
            "ETA 30 minutes.",
        ] {
            let kinds: Vec<FindingKind> = found(words).into_iter().map(|(kind, _)| kind).collect();
            assert_eq!(kinds, [FindingKind::EstimateWithoutGround], "{words}");
        }
        let estimate = Estimate {
            earliest: at("2026-11-17T08:00:00Z"),
            latest: at("2026-11-17T09:30:00Z"),
            confidence: Confidence::Medium,
            approved_by: "Q1".into(),
            expires_at: at("2026-11-17T07:00:00Z"),
        };
        let said = "We expect it to be fixed between 08:00 GMT and 09:30 GMT; we are fairly sure.";
        assert_eq!(found_with(said, Some(&estimate)), []);
        let half = "We expect it to be fixed by 08:00 GMT.";
        assert_eq!(found_with(half, Some(&estimate)).len(), 1);
    }

    #[test]
    fn blame_and_hard_words_are_pointed_out() {
        let kinds = |words: &str| found(words).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
        assert_eq!(kinds("It was human error."), [FindingKind::Blame]);
        let long = "You can pay with cash or by card at the other till or you can ask us to keep your bag for you and come back when all is well.";
        assert_eq!(kinds(long), [FindingKind::LongSentence]);
        let hard = "Intermittent authorisation degradation necessitates comprehensive infrastructure reconfiguration.";
        assert_eq!(kinds(hard), [FindingKind::HardToRead]);
    }

    #[test]
    fn a_missing_or_past_promise_is_refused() {
        let (audience, names) = (audience(Readers::Internal), names());
        let check_with = |due: Option<&str>, words: &str| {
            let against = Against {
                audience: &audience,
                phase: Phase::Investigating,
                next_update_by: due.map(at),
                estimate: None,
                names: &names,
                now: at("2026-11-17T06:00:00Z"),
            };
            check(&InternalText::new("S"), &InternalText::new(words), &against).len()
        };
        assert_eq!(check_with(None, "Next word by 06:20."), 1);
        assert_eq!(check_with(Some("2026-11-17T05:59:00Z"), "Next word by 05:59."), 1);
        assert_eq!(check_with(Some("2026-11-17T06:20:00Z"), "We work on it."), 1);
        assert_eq!(
            check_with(Some("2026-11-17T06:20:00Z"), "Next word by 06:20, store-edge."),
            0
        );
    }

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&HOST, &BLAME, &REPAIR, &FORECAST, &ETA, &PAST] {
            assert!(!pattern.is_match(""));
        }
    }
}
