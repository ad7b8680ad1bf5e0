//! *On call*: one schedule for a week, two, or a month, with its gaps; and who is on call now for every policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::{Timestamp, ToSpan, Zoned};
use schedule::{Rendered, Span as Stretch};
use serde::Deserialize;
use store::Tx;

use super::situation;
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{
    CalendarInput, CalendarLaneInput, Choices, ChoicesLook, LaneRank, Link, Person, Pick, Pin, Place,
    Reading, Rich, ShiftInput, ShiftLook, calendar, counted, duration_words,
};
use crate::console::screens::oncall::{AgendaDay, AgendaTurn, MarginNote, OnCallNow, OnCallWeek};
use crate::http::{Problem, Query};
use crate::oncall::{EscalationPolicyId, ScheduleId, load_policy, people_on_call, store as rows};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/on-call", get(page))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Looked {
    schedule: String,
    /// The first day, as `2026-11-16`; this week when it cannot be read.
    from: String,
    days: String,
}

impl Looked {
    fn days(&self) -> i64 {
        match self.days.as_str() {
            "14" => 14,
            "28" => 28,
            _ => 7,
        }
    }

    fn address(&self, from: &str, days: i64) -> String {
        format!(
            "/console/on-call?schedule={}&from={from}&days={days}",
            super::escaped(&self.schedule)
        )
    }
}

struct Known {
    situation: Situation,
    schedules: Vec<(ScheduleId, String)>,
    current: Option<(ScheduleId, String)>,
    rendered: Option<Rendered>,
    layer_names: BTreeMap<String, String>,
    people: BTreeMap<String, String>,
    policies: Vec<(EscalationPolicyId, String, Vec<Vec<String>>)>,
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(mut looked): Query<Looked>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Schedule)?;
    let reading = visitor.reading(&app);
    let (from, to) = shown(&looked, &reading)?;
    let caller = visitor.0.clone();
    let wanted = looked.schedule.clone();
    let (start, end, now) = (from.timestamp(), to.timestamp(), app.clock.now());
    let known = app
        .read(move |tx| -> Result<Known, Problem> {
            Ok(Known {
                situation: situation::read(tx, &caller, now)?,
                ..know(tx, &wanted, start, end, now)?
            })
        })
        .await?;
    if let Some((id, _)) = &known.current {
        id.as_str().clone_into(&mut looked.schedule);
    }
    let me = visitor
        .0
        .user_id()
        .map(|id| id.as_str().to_owned())
        .unwrap_or_default();
    Ok(show(&draw(
        &app,
        &visitor,
        &reading,
        &Shown { looked, from, to, me },
        known,
    )))
}

/// What is looked at, and by whom.
struct Shown {
    looked: Looked,
    from: Zoned,
    to: Zoned,
    me: String,
}

/// Midnight of the first day and of the day after the last, in the reader's zone.
fn shown(looked: &Looked, reading: &Reading) -> Result<(Zoned, Zoned), Problem> {
    let today = reading.zoned(reading.now).date();
    let monday = today.saturating_sub(i64::from(today.weekday().to_monday_zero_offset()).days());
    let first = looked.from.parse().unwrap_or(monday);
    let unreadable = |_| Problem::invalid(["This week cannot be shown."]);
    let from = first.to_zoned(reading.zone.clone()).map_err(unreadable)?;
    let to = from.checked_add(looked.days().days()).map_err(unreadable)?;
    Ok((from, to))
}

fn know(tx: &mut Tx, wanted: &str, from: Timestamp, to: Timestamp, now: Timestamp) -> Result<Known, Problem> {
    let schedules: Vec<(ScheduleId, String)> = tx.rows(
        store::sql!("SELECT id, name FROM schedules WHERE deleted_at IS NULL ORDER BY name, id LIMIT 200"),
        store::params![],
    )?;
    let current = schedules
        .iter()
        .find(|(id, _)| id.as_str() == wanted)
        .or(schedules.first())
        .cloned();
    let mut layer_names = BTreeMap::new();
    let mut rendered = None;
    if let Some((id, _)) = &current {
        if let Some(row) = rows::find_schedule(tx, id)? {
            for layer in &row.definition.schedule.layers {
                layer_names.insert(layer.id.as_str().to_owned(), layer.name.clone());
            }
        }
        let span = Stretch::new(from, to).map_err(Problem::internal)?;
        rendered = rows::plan_between(tx, id, from, to)?.and_then(|plan| plan.render(span).ok());
    }
    let users: Vec<(String, String)> = tx.rows(
        store::sql!("SELECT id, name FROM users ORDER BY id LIMIT 5000"),
        store::params![],
    )?;
    let people: BTreeMap<String, String> = users.into_iter().collect();
    let named: Vec<(EscalationPolicyId, String)> = tx.rows(
        store::sql!(
            "SELECT id, name FROM escalation_policies WHERE deleted_at IS NULL ORDER BY name, id LIMIT 200"
        ),
        store::params![],
    )?;
    let mut policies = Vec::new();
    for (id, name) in named {
        let mut levels = Vec::new();
        for rule in load_policy(tx, &id)?
            .map(|policy| policy.rules)
            .unwrap_or_default()
        {
            let found = people_on_call(tx, &rule.targets, now)?;
            levels.push(found.iter().map(|user| user.as_str().to_owned()).collect());
        }
        policies.push((id, name, levels));
    }
    Ok(Known {
        situation: Situation::calm(),
        schedules,
        current,
        rendered,
        layer_names,
        people,
        policies,
    })
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, shown: &Shown, known: Known) -> OnCallWeek {
    let days = shown.looked.days();
    let name = |id: &str| {
        known
            .people
            .get(id)
            .cloned()
            .unwrap_or_else(|| "Somebody who left".to_owned())
    };
    let person = |id: &str| {
        if id == shown.me {
            Person::You(name(id))
        } else {
            Person::Someone(name(id))
        }
    };
    let (start, end) = (shown.from.timestamp(), shown.to.timestamp());
    let gaps = known
        .rendered
        .as_ref()
        .map(|rendered| gaps(rendered, start, end))
        .unwrap_or_default();
    let lanes = lanes(&known, shown, reading, &gaps);
    let step = |by: i64| {
        shown
            .from
            .checked_add(by.days())
            .map(|day| day.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default()
    };
    let day = |at: &Zoned| at.strftime("%-d %B").to_string();
    let last = shown.to.checked_sub(1.day()).unwrap_or_else(|_| shown.to.clone());
    let spans = [(7, "Week"), (14, "Two weeks"), (28, "Month")];
    let addresses: Vec<String> = spans
        .iter()
        .map(|(length, _)| shown.looked.address(&step(0), *length))
        .collect();
    let choices: Vec<(&str, &str)> = spans
        .iter()
        .zip(&addresses)
        .map(|((_, word), to)| (*word, to.as_str()))
        .collect();
    OnCallWeek {
        headline: match &known.current {
            Some((_, schedule)) => format!("{schedule}, {} to {}", shown.from.strftime("%-d"), day(&last)),
            None => "Who is on call".to_owned(),
        },
        below: Rich::plain(below(&known, &gaps, reading)),
        earlier: shown.looked.address(&step(-days), days),
        today: format!(
            "/console/on-call?schedule={}",
            super::escaped(&shown.looked.schedule)
        ),
        later: shown.looked.address(&step(days), days),
        fill_gap: None,
        span: Choices::new(
            ChoicesLook::Segments,
            "Show",
            spans.iter().position(|(length, _)| *length == days).unwrap_or(0),
            &choices,
        ),
        zone_note: format!("Times in {}.", reading.zone.iana_name().unwrap_or("UTC")),
        schedules: known
            .schedules
            .iter()
            .map(|(id, schedule)| {
                let pick = Pick::new(id.as_str(), schedule.clone());
                if id.as_str() == shown.looked.schedule {
                    pick.current()
                } else {
                    pick
                }
            })
            .collect(),
        agenda: agenda(lanes.first(), reading, shown),
        calendar: calendar(
            &CalendarInput {
                from: start,
                to: end,
                lanes,
            },
            reading,
        ),
        notes: gaps
            .iter()
            .take(6)
            .map(|(from, to)| MarginNote {
                pin: Pin::Gap,
                title: format!("Nobody: {} to {}", clock(reading, *from), clock(reading, *to)),
                words: "Pages would go to the next level of the escalation policy.".to_owned(),
                way_out: None,
            })
            .collect(),
        load: Vec::new(),
        now_rows: known
            .policies
            .iter()
            .map(|(id, policy, levels)| OnCallNow {
                policy: Link::new(
                    policy.clone(),
                    format!("/console/settings/escalation-policies#{}", id.as_str()),
                ),
                levels: levels.iter().flatten().map(|id| person(id)).collect(),
                until: Rich::default(),
            })
            .collect(),
        frame: visitor.frame(app, Place::OnCall, "On call", known.situation),
    }
}

fn clock(reading: &Reading, at: Timestamp) -> String {
    reading.zoned(at).strftime("%a %-d %H:%M").to_string()
}

fn below(known: &Known, gaps: &[(Timestamp, Timestamp)], reading: &Reading) -> String {
    if known.current.is_none() {
        return "No schedule yet. A schedule says whose turn it is, layer over layer; add one by the API or the demo.".to_owned();
    }
    match gaps {
        [] => "Somebody is on call all the time.".to_owned(),
        [(from, to)] => format!(
            "One gap of {}, from {}.",
            duration_words(to.as_second() - from.as_second()),
            clock(reading, *from)
        ),
        several => format!(
            "{} without anybody on call.",
            counted(several.len() as u64, "stretch", "stretches")
        ),
    }
}

/// Stretches of the final schedule with nobody.
fn gaps(rendered: &Rendered, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut gaps = Vec::new();
    let mut at = from;
    for entry in &rendered.final_schedule.entries {
        if entry.start > at {
            gaps.push((at, entry.start));
        }
        at = at.max(entry.end);
    }
    if at < to {
        gaps.push((at, to));
    }
    gaps
}

fn lanes(
    known: &Known,
    shown: &Shown,
    reading: &Reading,
    gaps: &[(Timestamp, Timestamp)],
) -> Vec<CalendarLaneInput> {
    let Some(rendered) = &known.rendered else {
        return Vec::new();
    };
    let turn = |entry: &schedule::Entry, change: bool| {
        let mine = entry.user.as_str() == shown.me;
        let start = reading.zoned(entry.start);
        let look = match (mine, change) {
            (true, true) => ShiftLook::YouInChange,
            (true, false) => ShiftLook::You,
            (false, true) => ShiftLook::Change,
            _ if matches!(
                start.weekday(),
                jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
            ) =>
            {
                ShiftLook::Weekend
            }
            _ if start.hour() >= 18 || start.hour() < 5 => ShiftLook::Night,
            _ => ShiftLook::Plain,
        };
        let name = known
            .people
            .get(entry.user.as_str())
            .cloned()
            .unwrap_or_else(|| "Somebody who left".to_owned());
        ShiftInput {
            from: entry.start,
            to: entry.end,
            name,
            look,
        }
    };
    let mut final_shifts: Vec<ShiftInput> = rendered
        .final_schedule
        .entries
        .iter()
        .map(|entry| turn(entry, false))
        .collect();
    final_shifts.extend(gaps.iter().map(|(from, to)| ShiftInput {
        from: *from,
        to: *to,
        name: "Nobody".to_owned(),
        look: ShiftLook::Gap,
    }));
    final_shifts.sort_by_key(|shift| shift.from);
    let middle = |from: &Timestamp, to: &Timestamp| {
        Timestamp::from_second(i64::midpoint(from.as_second(), to.as_second())).unwrap_or(*from)
    };
    let lane = |name: String, note: &str, rank, shifts, pins| CalendarLaneInput {
        name,
        note: note.to_owned(),
        rank,
        shifts,
        pins,
    };
    let pins = gaps
        .iter()
        .map(|(from, to)| (middle(from, to), Pin::Gap))
        .collect();
    let mut lanes = vec![lane(
        "On call".to_owned(),
        "final line",
        LaneRank::Final,
        final_shifts,
        pins,
    )];
    for layer in &rendered.layers {
        let name = known
            .layer_names
            .get(layer.id.as_str())
            .cloned()
            .unwrap_or_else(|| "Earlier layer".to_owned());
        let shifts = layer
            .schedule
            .entries
            .iter()
            .map(|entry| turn(entry, false))
            .collect();
        lanes.push(lane(name, "", LaneRank::Layer, shifts, Vec::new()));
    }
    if !rendered.overrides.entries.is_empty() {
        let shifts = rendered
            .overrides
            .entries
            .iter()
            .map(|entry| turn(entry, true))
            .collect();
        lanes.push(lane(
            "Changes".to_owned(),
            "swaps and cover",
            LaneRank::Layer,
            shifts,
            Vec::new(),
        ));
    }
    lanes
}

/// The final line as a list of days, for a phone.
fn agenda(lane: Option<&CalendarLaneInput>, reading: &Reading, shown: &Shown) -> Vec<AgendaDay> {
    let Some(lane) = lane else { return Vec::new() };
    let today = reading.zoned(reading.now).date();
    let mut days: Vec<AgendaDay> = Vec::new();
    let mut day = shown.from.clone();
    while day < shown.to {
        let Ok(next) = day.checked_add(1.day()) else { break };
        let turns: Vec<AgendaTurn> = lane
            .shifts
            .iter()
            .filter(|shift| shift.from < next.timestamp() && shift.to > day.timestamp())
            .map(|shift| AgendaTurn {
                hours: format!(
                    "{} to {}",
                    reading.zoned(shift.from.max(day.timestamp())).strftime("%H:%M"),
                    if shift.to >= next.timestamp() {
                        "24:00".to_owned()
                    } else {
                        reading.zoned(shift.to).strftime("%H:%M").to_string()
                    }
                ),
                who: if shift.look == ShiftLook::You {
                    "You".to_owned()
                } else {
                    shift.name.clone()
                },
                look: shift.look,
            })
            .collect();
        if !turns.is_empty() {
            let name = day.strftime("%a %-d").to_string();
            let name = if day.date() == today {
                format!("Today, {name}")
            } else {
                name
            };
            days.push(AgendaDay {
                name,
                turns,
                pins: Vec::new(),
            });
        }
        day = next;
    }
    days
}
