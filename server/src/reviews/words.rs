//! The first version of a report's words: sentences from the facts, which a person then makes better.
//!
//! Every sentence restates something that the timeline knows; none says why. Times are told from the beginning of the
//! incident, so they are right in every zone. What only people can know stays an empty line for them.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::facts::{Facts, Line, NoticedBy};
use super::render::{escaped, money_range, spoken};
use crate::incidents::Incident;
use crate::timeline::Kind;

/// Findings and updates that are told one by one.
const MOST_NOTES: usize = 8;
const MOST_UPDATES: usize = 12;
const MOST_NAMES: usize = 8;
/// What is acknowledged within this is acknowledged soon; words that come later than this come late. In seconds.
const SOON: i64 = 300;
const LATE: i64 = 600;
/// Letters of somebody's words.
const LONGEST: usize = 400;

/// The chapters as Markdown.
pub fn first_words(incident: &Incident, felt: Option<&str>, facts: &Facts) -> String {
    let mut words = String::new();
    let mut chapter = |title: &str, parts: Vec<String>| {
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        // Writing to a string does not fail.
        write!(words, "## {title}\n\n{}\n\n", parts.join("\n\n")).ok();
    };
    chapter(
        "What happened",
        vec![
            beginning(incident, felt, facts),
            changes(facts),
            who_worked(facts),
            found(facts),
            end(facts),
        ],
    );
    chapter("Whom it hurt", vec![hurt(facts), cases(facts), cost(facts)]);
    chapter("How we spoke", vec![told(facts), promises(facts), answers(facts)]);
    chapter("Why it could happen", vec!["1. ".to_owned()]);
    chapter("What went well", vec![list(&went_well(facts))]);
    chapter("What was hard", vec![list(&was_hard(facts))]);
    chapter(
        "What we change",
        vec!["| Action | Owner | Due |\n| --- | --- | --- |\n| | | |".to_owned()],
    );
    words
}

/// "in the first minute", "after 11 min 4 s".
fn after(facts: &Facts, at: Timestamp) -> String {
    match at.duration_since(facts.began_at).as_secs() {
        ..60 => "in the first minute".to_owned(),
        seconds => format!("after {}", round(seconds)),
    }
}

/// "11 min" where no second is over.
fn round(seconds: i64) -> String {
    let words = spoken(seconds);
    match words.strip_suffix(" 0 s") {
        Some(minutes) => minutes.to_owned(),
        None => words,
    }
}

fn count(number: i64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// What somebody wrote, on one line, cut, harmless.
fn quoted(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST {
        return format!("“{}”", escaped(&line));
    }
    let beginning: String = line.chars().take(LONGEST).collect();
    format!("“{}…”", escaped(beginning.trim_end()))
}

fn beginning(incident: &Incident, felt: Option<&str>, facts: &Facts) -> String {
    let seen = quoted(&incident.title);
    let mut words = match felt.filter(|felt| *felt != incident.title) {
        Some(felt) => format!("{} It was first seen as {seen}.", escaped(felt)),
        None => format!("It began with {seen}."),
    };
    words.push_str(match facts.noticed_by {
        NoticedBy::Machines => " Machines noticed it first.",
        NoticedBy::Customers => " Customers noticed it first.",
        NoticedBy::People => " Somebody here noticed it first.",
    });
    write!(words, " Times count from {}.", facts.noticed_by.beginning()).ok();
    if facts.alerts > 1 {
        write!(
            words,
            " {} alerts came together in this one incident.",
            facts.alerts
        )
        .ok();
    }
    words
}

/// Changes near it, as they were reported. Whether one of them was the cause is for people to say.
fn changes(facts: &Facts) -> String {
    let told: Vec<String> = facts
        .lanes
        .changes
        .iter()
        .map(|change| {
            let seconds = change.at.duration_since(facts.began_at).as_secs();
            let when = if seconds < 0 {
                format!("{} before", round(-seconds))
            } else {
                after(facts, change.at)
            };
            format!("{when}: {}", quoted(&change.summary))
        })
        .collect();
    if told.is_empty() {
        return String::new();
    }
    format!("Changes that were reported near it:\n\n{}", list(&told))
}

fn lines(facts: &Facts, kind: Kind) -> impl Iterator<Item = &Line> {
    facts.timeline.iter().filter(move |line| line.kind == kind)
}

fn who_worked(facts: &Facts) -> String {
    let mut words = String::new();
    if let (Some(line), Some(seconds)) = (
        lines(facts, Kind::Acknowledged).next(),
        facts.seconds.to_acknowledge,
    ) {
        write!(
            words,
            "{} acknowledged it after {}.",
            escaped(&line.who),
            spoken(seconds)
        )
        .ok();
    }
    let names: Vec<String> = facts.people.iter().map(|person| escaped(&person.name)).collect();
    match names.as_slice() {
        [] | [_] => {}
        names if names.len() <= MOST_NAMES => {
            let (last, others) = names
                .split_last()
                .map_or(("", &[][..]), |(last, rest)| (last, rest));
            write!(words, " {} and {last} worked on it.", others.join(", ")).ok();
        }
        names => {
            let more = names.len() - MOST_NAMES;
            let shown = names[..MOST_NAMES].join(", ");
            write!(words, " {shown} and {more} more worked on it.").ok();
        }
    }
    words.trim().to_owned()
}

/// What people wrote down while it lasted, in their own words.
fn found(facts: &Facts) -> String {
    let notes: Vec<String> = lines(facts, Kind::Noted)
        .take(MOST_NOTES)
        .map(|line| {
            let when = after(facts, line.at);
            format!("{when}, {}: {}", escaped(&line.who), quoted(&line.text))
        })
        .collect();
    if notes.is_empty() {
        return String::new();
    }
    format!("What people found, in their own words:\n\n{}", list(&notes))
}

fn end(facts: &Facts) -> String {
    let Some(seconds) = facts.seconds.to_resolve else {
        return "It is not over yet.".to_owned();
    };
    let mut words = format!("It lasted {}.", round(seconds));
    if let Some(line) = lines(facts, Kind::Resolved).last()
        && let Some((_, how)) = line.text.split_once(": ")
    {
        let end = if how.trim_end().ends_with(['.', '!', '?', '…']) {
            ""
        } else {
            "."
        };
        write!(words, " {} resolved it: {}{end}", escaped(&line.who), quoted(how)).ok();
    }
    words
}

fn hurt(facts: &Facts) -> String {
    let mut words = format!("{}.", escaped(facts.hurt.trim_end_matches('.')));
    let places = &facts.lanes.places;
    if let Some(worst) = places
        .iter()
        .max_by_key(|step| step.count)
        .filter(|step| step.count > 0)
    {
        write!(
            words,
            " At most {} hurt at once, {}.",
            count(worst.count, "site was", "sites were"),
            after(facts, worst.at)
        )
        .ok();
        if let Some(last) = places.last().filter(|step| step.count == 0) {
            write!(words, " All of them were back {}.", after(facts, last.at)).ok();
        }
    }
    if facts.accounts > 0 {
        let whom = count(facts.accounts, "known customer uses", "known customers use");
        write!(words, " {whom} what was hurt.").ok();
    }
    words
}

fn cases(facts: &Facts) -> String {
    let cases = &facts.cases;
    let mut words = match cases.linked {
        0 => return "No customer's report was linked.".to_owned(),
        1 => "One customer's report was linked.".to_owned(),
        linked => format!("{linked} customers' reports were linked."),
    };
    let busiest = facts.lanes.customers.iter().max_by_key(|step| step.count);
    if let Some(busiest) = busiest.filter(|step| step.count > 2) {
        write!(
            words,
            " Most came within five minutes, {}: {} of them.",
            after(facts, busiest.at),
            busiest.count
        )
        .ok();
    }
    if cases.works > 0 || cases.still_broken > 0 {
        write!(
            words,
            " {} that it works again, {} that it does not.",
            count(cases.works, "says", "say"),
            count(cases.still_broken, "says", "say")
        )
        .ok();
    }
    words
}

fn cost(facts: &Facts) -> String {
    let costs: Vec<String> = facts
        .cost
        .iter()
        .filter(|cost| cost.high > 0)
        .map(money_range)
        .collect();
    if costs.is_empty() {
        return String::new();
    }
    format!(
        "Estimated cost, from the loss an hour of what was hurt: {}.",
        escaped(&costs.join(", "))
    )
}

/// Each update, when it went out and to whom.
fn told(facts: &Facts) -> String {
    if facts.updates.is_empty() {
        return "No update was published.".to_owned();
    }
    let shown: Vec<String> = facts
        .updates
        .iter()
        .take(MOST_UPDATES)
        .map(|said| {
            let reader = said.audience.as_deref().unwrap_or("subscribers");
            let words = said
                .text
                .split_once(": ")
                .map_or(said.text.as_str(), |(_, words)| words);
            format!(
                "{}, to {}: {}",
                after(facts, said.at),
                escaped(reader),
                quoted(words)
            )
        })
        .collect();
    let mut words = list(&shown);
    let more = facts.updates.len().saturating_sub(MOST_UPDATES);
    if more > 0 {
        write!(words, "\n\nAnd {more} more.").ok();
    }
    words
}

fn promises(facts: &Facts) -> String {
    let promises = &facts.promises;
    match (promises.kept, promises.missed, promises.open()) {
        (0, 0, 0) => "No next update was promised.".to_owned(),
        (0, 0, 1) => "A next update was promised, and readers still wait for it.".to_owned(),
        (1, 0, 0) => "The promise of a next update was kept.".to_owned(),
        (2, 0, 0) => "Both promises of a next update were kept.".to_owned(),
        (kept, 0, 0) => format!("All {kept} promises of a next update were kept."),
        (kept, missed, 0) => format!("Promises of a next update: {kept} kept, {missed} missed."),
        (kept, missed, open) => {
            format!("Promises of a next update: {kept} kept, {missed} missed, {open} still open.")
        }
    }
}

fn answers(facts: &Facts) -> String {
    let mut words = match (facts.cases.linked, facts.cases.owed, facts.seconds.to_last_answer) {
        (0, ..) | (_, 0, None) => String::new(),
        (_, 0, Some(seconds)) => format!("The last answer went out after {}.", round(seconds)),
        (_, owed, _) => format!(
            "{} for an answer.",
            count(owed, "customer still waits", "customers still wait")
        ),
    };
    let came_back: Vec<String> = lines(facts, Kind::AnswerUndelivered)
        .take(MOST_NOTES)
        .map(|line| format!("{}: {}", after(facts, line.at), escaped(&line.text)))
        .collect();
    if !came_back.is_empty() {
        write!(words, "\n\nAnswers that came back:\n\n{}", list(&came_back)).ok();
    }
    words.trim_start().to_owned()
}

/// What the figures show to have worked.
fn went_well(facts: &Facts) -> Vec<String> {
    let mut points = Vec::new();
    if facts.noticed_by == NoticedBy::Machines && facts.cases.linked > 0 {
        points.push("Machines noticed it before the first customer wrote.".to_owned());
    }
    if let Some(seconds) = facts.seconds.to_acknowledge.filter(|seconds| *seconds <= SOON) {
        points.push(format!("It was acknowledged after {}.", spoken(seconds)));
    }
    if let Some(seconds) = facts.seconds.to_first_update.filter(|seconds| *seconds <= LATE) {
        points.push(format!("Customers were told after {}.", spoken(seconds)));
    }
    if facts.promises.kept > 0 && facts.promises.missed == 0 && facts.promises.open() == 0 {
        points.push("Every promise of a next word was kept.".to_owned());
    }
    if facts.cases.linked > 0 && facts.cases.owed == 0 {
        points.push("Everyone who told us has an answer.".to_owned());
    }
    points
}

/// What the figures show to have been hard: for people, not a fault of theirs.
fn was_hard(facts: &Facts) -> Vec<String> {
    let mut points = Vec::new();
    if facts.noticed_by == NoticedBy::Customers {
        points.push("Customers noticed it before any machine did.".to_owned());
    }
    if let Some(seconds) = facts.seconds.to_acknowledge.filter(|seconds| *seconds > SOON) {
        points.push(format!("It was acknowledged only after {}.", spoken(seconds)));
    }
    match facts.seconds.to_first_update {
        Some(seconds) if seconds > LATE => {
            points.push(format!("Customers heard nothing for {}.", spoken(seconds)));
        }
        None if facts.cases.linked > 0 => {
            points.push("Customers wrote, and no word went out while it lasted.".to_owned());
        }
        _ => {}
    }
    if facts.promises.missed > 0 {
        let late = count(facts.promises.missed, "promise", "promises");
        points.push(format!("{late} of a next word came too late."));
    }
    if facts.cases.owed > 0 {
        let owed = count(facts.cases.owed, "customer waits", "customers wait");
        points.push(format!("{owed} for an answer still."));
    }
    if facts.cases.still_broken > 0 {
        let broken = count(facts.cases.still_broken, "customer says", "customers say");
        points.push(format!("{broken} that it still does not work."));
    }
    points
}

/// Points of a list; an empty one waits for somebody to fill it.
fn list(points: &[String]) -> String {
    if points.is_empty() {
        return "- ".to_owned();
    }
    points
        .iter()
        .map(|point| {
            let mut letters = point.chars();
            let first: String = letters
                .next()
                .map(|one| one.to_uppercase().collect())
                .unwrap_or_default();
            format!("- {first}{}", letters.as_str())
        })
        .collect::<Vec<_>>()
        .join("\n")
}
