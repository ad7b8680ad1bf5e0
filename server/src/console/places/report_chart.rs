//! The picture of a report: its facts as lanes on one clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::console::prelude::{
    LaneChart, LaneChartInput, LaneContent, LaneInput, Promise, Reading, Span, SpanLook, State, counted,
    lane_chart, measured_words,
};
use crate::reviews::facts::{Count, Facts, Mark, Person};
use crate::timeline::Kind;

/// People who get a line of their own.
const MOST_PEOPLE: usize = 6;
/// Letters of what somebody did or of a change.
const LONGEST_LABEL: usize = 64;
/// How much of the width a dot must stand behind its line's beginning, so that the name before it can be read.
const ROOM_FOR_A_NAME: f64 = 0.18;

pub(super) fn chart(facts: &Facts, reading: &Reading) -> LaneChart {
    let over = facts.resolved_at.unwrap_or(reading.now).max(facts.began_at);
    let first = facts
        .lanes
        .changes
        .iter()
        .map(|change| change.at)
        .chain([facts.began_at])
        .min()
        .unwrap_or(facts.began_at);
    let length = over.duration_since(first).max(SignedDuration::from_mins(2));
    let shifted = |at: Timestamp, by: SignedDuration| at.checked_add(by).unwrap_or(at);
    let (from, to) = (shifted(first, -length / 12), shifted(over, length / 6));
    let mut through = vec![(
        facts.began_at,
        format!("{} began", clock(reading, facts.began_at)),
    )];
    if let Some(at) = facts.resolved_at {
        through.push((at, format!("{} resolved", clock(reading, at))));
    }
    let mut lanes = Vec::new();
    if !facts.lanes.places.is_empty() {
        lanes.push(places(facts, (from, to), reading));
    }
    lanes.extend([
        machines(facts, (from, to), reading),
        people(facts, (from, to), reading),
        customers(facts, (from, to), reading),
        said(facts, reading),
    ]);
    lane_chart(
        &LaneChartInput {
            from,
            to,
            through,
            lanes,
        },
        reading,
    )
}

fn clock(reading: &Reading, at: Timestamp) -> String {
    reading.zoned(at).strftime("%H:%M").to_string()
}

fn cut(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LONGEST_LABEL {
        return text;
    }
    let beginning: String = text.chars().take(LONGEST_LABEL - 1).collect();
    format!("{}…", beginning.trim_end())
}

fn lane(name: &'static str, note: String, content: LaneContent) -> LaneInput {
    LaneInput { name, note, content }
}

/// How many sites were hurt: each change a step, its edge as steep as it was.
fn places(facts: &Facts, (from, to): (Timestamp, Timestamp), reading: &Reading) -> LaneInput {
    let steps = &facts.lanes.places;
    let most = steps.iter().map(|step| step.count).max().unwrap_or(0);
    let mut points = vec![(from, 0.0)];
    let mut last = 0.0;
    for Count { at, count } in steps {
        points.push((*at, last));
        last = *count as f64;
        points.push((*at, last));
    }
    let end = facts.resolved_at.map_or(to, |resolved| resolved.min(to));
    points.push((end.max(steps.last().map_or(end, |step| step.at)), last));
    if last > 0.0 && facts.resolved_at.is_some() {
        points.push((end, 0.0));
    }
    points.push((to, points.last().map_or(0.0, |(_, value)| *value)));
    let mut labels = Vec::new();
    if let Some(peak) = steps.iter().find(|step| step.count == most) {
        labels.push((
            peak.at,
            format!("{} hurt", counted(most.unsigned_abs(), "site", "sites")),
        ));
    }
    if let Some(healed) = steps.last().filter(|step| step.count == 0) {
        labels.push((healed.at, format!("all back at {}", clock(reading, healed.at))));
    }
    lane(
        "Places",
        format!("{} at most", counted(most.unsigned_abs(), "site", "sites")),
        LaneContent::Area {
            state: Some(State::Triggered),
            points,
            labels,
        },
    )
}

fn machines(facts: &Facts, (from, to): (Timestamp, Timestamp), reading: &Reading) -> LaneInput {
    let length = to.duration_since(from);
    let moment = length / 100;
    let mut spans: Vec<Span> = facts
        .lanes
        .changes
        .iter()
        .map(|change| Span {
            from: change.at,
            to: change.at.checked_add(moment).unwrap_or(change.at),
            label: format!("{} {}", clock(reading, change.at), cut(&change.summary)),
            look: SpanLook::Tinted(State::Unknown),
            moment: None,
        })
        .collect();
    let of_kind = |kind: Kind| {
        let at: Vec<Timestamp> = facts
            .lanes
            .machines
            .iter()
            .filter(|mark| mark.kind == kind)
            .map(|mark| mark.at)
            .collect();
        Some((*at.first()?, *at.last()?, at.len()))
    };
    if let Some((first, last, _)) = of_kind(Kind::AlertAdded) {
        spans.push(Span {
            from: first,
            to: last.max(first.checked_add(moment * 3).unwrap_or(first)),
            label: counted(facts.alerts.unsigned_abs(), "alert", "alerts"),
            look: SpanLook::Burst(State::Triggered),
            moment: None,
        });
    }
    if let Some((first, last, count)) = of_kind(Kind::AlertResolved) {
        spans.push(Span {
            from: first,
            to: last.max(first.checked_add(moment).unwrap_or(first)),
            label: format!("{} clear", counted(count as u64, "alert", "alerts")),
            look: SpanLook::Tinted(State::Recovering),
            moment: None,
        });
    }
    let note = format!(
        "{}, 1 incident",
        counted(facts.alerts.unsigned_abs(), "alert", "alerts")
    );
    lane("Machines", note, LaneContent::Spans(spans))
}

/// Those who did most, in the order in which they came.
fn people(facts: &Facts, (from, to): (Timestamp, Timestamp), reading: &Reading) -> LaneInput {
    let everyone = &facts.lanes.people;
    let mut by_deeds: Vec<usize> = (0..everyone.len()).collect();
    by_deeds.sort_by_key(|index| std::cmp::Reverse(everyone[*index].did.len()));
    let mut shown: Vec<usize> = by_deeds.into_iter().take(MOST_PEOPLE).collect();
    shown.sort_unstable();
    let width = to.duration_since(from).as_secs_f64().max(1.0);
    let spans = shown
        .into_iter()
        .map(|index| person(&everyone[index], width, reading))
        .collect();
    let mut note = facts.seconds.to_acknowledge.map_or_else(
        || "nobody acknowledged".to_owned(),
        |seconds| format!("{} to answer", measured_words(seconds)),
    );
    if everyone.len() > MOST_PEOPLE {
        note.push_str(&format!(", {} more helped", everyone.len() - MOST_PEOPLE));
    }
    lane("People", note, LaneContent::Spans(spans))
}

fn person(person: &Person, width: f64, reading: &Reading) -> Span {
    let notable = notable(person);
    let words = notable.map(|mark| {
        let did = mark
            .text
            .strip_prefix(person.name.as_str())
            .unwrap_or(&mark.text)
            .trim();
        (mark.at, format!("{} {}", clock(reading, mark.at), cut(did)))
    });
    let stands_alone = |at: Timestamp| at.duration_since(person.from).as_secs_f64() / width > ROOM_FOR_A_NAME;
    let (label, moment) = match words {
        Some((at, words)) if stands_alone(at) => (person.name.clone(), Some((at, words))),
        Some((_, words)) if person.from == person.until => (format!("{}, {words}", person.name), None),
        _ => (person.name.clone(), None),
    };
    Span {
        from: person.from,
        to: person.until,
        label,
        look: SpanLook::Person,
        moment,
    }
}

/// The one thing a leader wants to know of somebody.
fn notable(person: &Person) -> Option<&Mark> {
    const TELLING: [Kind; 6] = [
        Kind::Noted,
        Kind::Resolved,
        Kind::UpdatePublished,
        Kind::Acknowledged,
        Kind::RoleAssigned,
        Kind::AnswerSent,
    ];
    TELLING
        .iter()
        .find_map(|kind| person.did.iter().find(|mark| mark.kind == *kind))
        .or(person.did.first())
}

fn customers(facts: &Facts, (from, to): (Timestamp, Timestamp), reading: &Reading) -> LaneInput {
    const STEP: i64 = 300;
    let counts: BTreeMap<i64, i64> = facts
        .lanes
        .customers
        .iter()
        .map(|step| (step.at.as_second(), step.count))
        .collect();
    let mut points = vec![(from, 0.0)];
    let at = |second: i64| Timestamp::from_second(second).unwrap_or(from);
    for (second, count) in &counts {
        if !counts.contains_key(&(second - STEP)) {
            points.push((at(*second), 0.0));
        }
        points.push((at(second + STEP / 2), *count as f64));
        if !counts.contains_key(&(second + STEP)) {
            points.push((at(second + STEP), 0.0));
        }
    }
    points.push((to, 0.0));
    let labels = counts
        .iter()
        .max_by_key(|(_, count)| **count)
        .map(|(second, count)| {
            (
                at(second + STEP),
                format!("{count} in 5 min at {}", clock(reading, at(*second))),
            )
        })
        .into_iter()
        .collect();
    let note = counted(facts.cases.linked.unsigned_abs(), "case", "cases");
    lane(
        "Customers",
        note,
        LaneContent::Area {
            state: None,
            points,
            labels,
        },
    )
}

fn said(facts: &Facts, reading: &Reading) -> LaneInput {
    let missed: Vec<Timestamp> = facts
        .lanes
        .said
        .iter()
        .filter(|mark| mark.kind == Kind::PromiseMissed)
        .map(|mark| mark.at)
        .collect();
    let mut told: Vec<(Timestamp, String, Promise)> = Vec::new();
    for said in &facts.updates {
        let before = told.last().map_or(Timestamp::MIN, |(at, _, _)| *at);
        let promise = if missed.iter().any(|at| *at > before && *at <= said.at) {
            Promise::Missed
        } else {
            Promise::Kept
        };
        let reader = said.audience.as_deref().unwrap_or("subscribers");
        told.push((
            said.at,
            format!("{} {}", clock(reading, said.at), cut(reader)),
            promise,
        ));
    }
    let last_answer = facts
        .last_answer_at
        .map(|at| (at, format!("{} last answer", clock(reading, at))));
    let promises = &facts.promises;
    let note = match (promises.kept, promises.missed, promises.open()) {
        (0, 0, 0) => "nothing promised".to_owned(),
        (kept, 0, 0) => format!(
            "{}, all kept",
            counted(kept.unsigned_abs(), "promise", "promises")
        ),
        (kept, missed, 0) => format!("{kept} kept, {missed} missed"),
        (0, 0, open) => format!("{open} still open"),
        (kept, missed, open) => format!("{kept} kept, {missed} missed, {open} still open"),
    };
    lane("What was said", note, LaneContent::Chain { told, last_answer })
}
