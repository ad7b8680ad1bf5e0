//! *On call*: one schedule for a week, two, or a month, with its gaps; and who is on call now for every policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::{Timestamp, ToSpan, Zoned};
use schedule::{Assignment, Rendered, Span as Stretch};
use serde::Deserialize;
use store::Tx;

use super::oncall_judged::{self as judged, Judged};
use super::oncall_lanes::{agenda, gaps, lanes};
use super::oncall_ways::{self as ways, Handover};
use super::{schedule_change, schedule_new, situation, swaps};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{
    CalendarInput, Choices, ChoicesLook, Link, Person, Pick, Pin, Place, Reading, Rich, calendar, counted,
    duration_words,
};
use crate::console::screens::oncall::{Cover, CoverRow, MarginNote, OnCallNow, OnCallWeek};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};
use crate::oncall::model::ScheduleOverride;
use crate::oncall::{EscalationPolicyId, ScheduleId, TargetKind, people_on_call, store as rows};

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
    /// Local times that the form for covering begins with.
    cover_from: String,
    cover_until: String,
    /// Who the form proposes.
    cover_by: String,
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

pub(super) struct Known {
    situation: Situation,
    schedules: Vec<(ScheduleId, String)>,
    current: Option<(ScheduleId, String)>,
    pub(super) rendered: Option<Rendered>,
    pub(super) layer_names: BTreeMap<String, String>,
    pub(super) people: BTreeMap<String, String>,
    policies: Vec<(EscalationPolicyId, String, Vec<Vec<String>>, Option<Timestamp>)>,
    judged: Judged,
    overrides: Vec<ScheduleOverride>,
    /// Where the schedule is changed, for whoever may.
    change: Option<Link>,
    /// Turns ahead that can be swapped.
    turns: Vec<Assignment>,
    /// People who can take a turn, by name.
    staff: Vec<(String, String)>,
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
    let me = visitor
        .0
        .user_id()
        .map(|id| id.as_str().to_owned())
        .unwrap_or_default();
    let reader = me.clone();
    let (start, end, now) = (from.timestamp(), to.timestamp(), app.clock.now());
    let known = app
        .read(move |tx| -> Result<Known, Problem> {
            Ok(Known {
                situation: situation::read(tx, &caller, now)?,
                ..know(tx, &caller, &wanted, (start, end), now, &reader)?
            })
        })
        .await?;
    if let Some((id, _)) = &known.current {
        id.as_str().clone_into(&mut looked.schedule);
    }
    Ok(show(&draw(
        &app,
        &visitor,
        &reading,
        &Shown { looked, from, to, me },
        known,
    )))
}

/// What is looked at, and by whom.
pub(super) struct Shown {
    looked: Looked,
    pub(super) from: Zoned,
    pub(super) to: Zoned,
    pub(super) me: String,
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

fn know(
    tx: &mut Tx,
    caller: &Caller,
    wanted: &str,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
    me: &str,
) -> Result<Known, Problem> {
    let all = Page {
        limit: 200,
        offset: 0,
        counted: Counted::No,
    };
    let schedules: Vec<(ScheduleId, String)> =
        rows::list_schedules(tx, &rows::ScheduleFilter::default(), all)?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect();
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
    let users = crate::people::store::everybody(tx)?;
    let people: BTreeMap<String, String> = users
        .iter()
        .map(|user| (user.id.to_string(), user.name.clone()))
        .collect();
    let zones: BTreeMap<String, String> = users
        .iter()
        .map(|user| (user.id.to_string(), user.time_zone.clone()))
        .collect();
    let mut staff: Vec<(String, String)> = users
        .into_iter()
        .filter(|user| user.deleted_at.is_none())
        .map(|user| (user.id.to_string(), user.name))
        .collect();
    staff.sort_by(|(_, one), (_, other)| one.cmp(other));
    let mut overrides = Vec::new();
    let mut judged = Judged::default();
    let (mut change, mut turns) = (None, Vec::new());
    if let Some((id, _)) = &current {
        if schedule_change::may_change(tx, caller, id)? {
            change = Some(Link::new("Change the schedule", schedule_change::address(id)));
        }
        turns = swaps::turns_ahead(tx, id, now)?;
        overrides = rows::overrides_between(tx, id, now, Timestamp::MAX)?;
        judged = judged::judge(tx, id, (from, to), now, &zones, me)?;
    }
    let mut policies = Vec::new();
    for policy in rows::list_policies(tx, &rows::PolicyFilter::default(), all)? {
        let mut levels = Vec::new();
        let rules = policy.rules;
        let first = rules
            .first()
            .and_then(|rule| rule.targets.first())
            .filter(|target| target.kind == TargetKind::Schedule);
        let until = match first {
            Some(target) => judged::turn_ends(tx, &ScheduleId::from(target.id.as_str()), now)?,
            None => None,
        };
        for rule in rules {
            let found = people_on_call(tx, &rule.targets, now)?;
            levels.push(found.iter().map(|user| user.as_str().to_owned()).collect());
        }
        policies.push((policy.id, policy.name, levels, until));
    }
    Ok(Known {
        situation: Situation::calm(),
        schedules,
        current,
        rendered,
        layer_names,
        people,
        policies,
        judged,
        overrides,
        change,
        turns,
        staff,
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
    let rights = if visitor.0.may(Action::Create, Resource::Override) {
        PlanRights::Cover
    } else {
        PlanRights::Look
    };
    let gap = |from: Timestamp, until: Timestamp| Handover {
        from,
        until,
        to: ways::free(from, until, None, &known.judged.turns, known.judged.load.as_ref()),
    };
    let gaps = known
        .rendered
        .as_ref()
        .map(|rendered| gaps(rendered, start, end))
        .unwrap_or_default();
    let noted = known.judged.violations.iter().take(MOST_NOTES);
    let pins: Vec<(Timestamp, Pin)> = noted
        .clone()
        .zip(1_u8..)
        .map(|(violation, number)| (violation.span.start().max(start), Pin::Note(number)))
        .collect();
    let mut lanes = lanes(&known, shown, reading, &gaps);
    if let Some(first) = lanes.first_mut() {
        first.pins.extend(pins);
    }
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
            Some((_, schedule)) if shown.from.month() == last.month() => {
                format!("{schedule}, {} to {}", shown.from.strftime("%-d"), day(&last))
            }
            Some((_, schedule)) => format!("{schedule}, {} to {}", day(&shown.from), day(&last)),
            None => "Who is on call".to_owned(),
        },
        below: Rich::plain(
            format!(
                "{} {}",
                below(&known, &gaps, reading),
                mine(&known.judged, reading)
            )
            .trim()
            .to_owned(),
        ),
        earlier: shown.looked.address(&step(-days), days),
        today: format!(
            "/console/on-call?schedule={}",
            super::escaped(&shown.looked.schedule)
        ),
        later: shown.looked.address(&step(days), days),
        fill_gap: gaps
            .first()
            .filter(|_| visitor.0.may(Action::Create, Resource::Override))
            .map(|(from, to)| Link::new("Fill the gap", fill(&shown.looked, &gap(*from, *to), reading))),
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
                way_out: Some(way_out(&gap(*from, *to), name, &shown.looked, rights, reading)),
            })
            .chain(noted.zip(1_u8..).map(|(violation, number)| {
                let (title, words) = judged::in_words(violation, &name(violation.user.as_str()), reading);
                MarginNote {
                    pin: Pin::Note(number),
                    title,
                    words,
                    way_out: ways::handover(
                        violation,
                        &known.judged.turns,
                        known.judged.load.as_ref(),
                        reading.now,
                    )
                    .map(|handover| way_out(&handover, name, &shown.looked, rights, reading)),
                }
            }))
            .collect(),
        load: judged::load_rows(&known.judged, person),
        cover: cover(visitor, &known, shown, reading),
        swap: swaps::offered(&known.turns, known.current.as_ref(), &visitor.0, name, reading),
        change: known.change.clone(),
        add: visitor
            .0
            .may(Action::Create, Resource::Schedule)
            .then(|| Link::new("Add a schedule", schedule_new::ADDRESS)),
        covers: known
            .overrides
            .iter()
            .map(|one| CoverRow {
                id: one.id.to_string(),
                who: person(one.user_id.as_str()),
                from: reading.clock(one.start_at),
                until: reading.clock(one.end_at),
            })
            .collect(),
        now_rows: known
            .policies
            .iter()
            .map(|(id, policy, levels, until)| OnCallNow {
                policy: Link::new(
                    policy.clone(),
                    format!("/console/settings/escalation-policies#{}", id.as_str()),
                ),
                levels: levels.iter().flatten().map(|id| person(id)).collect(),
                until: until.map_or_else(Rich::default, |at| {
                    Rich::plain(format!("until {}", reading.clock_words(at)))
                }),
            })
            .collect(),
        frame: visitor.frame(app, Place::OnCall, "On call", known.situation),
    }
}

/// Rules of working time that are noted in the margin.
const MOST_NOTES: usize = 5;

/// When the reader's turn is.
fn mine(judged: &Judged, reading: &Reading) -> String {
    match judged.mine {
        Some((from, until)) if from <= judged.at => {
            format!("You are on call until {}.", reading.clock_words(until))
        }
        Some((from, _)) => format!("Your next turn begins {}.", clock(reading, from)),
        None => String::new(),
    }
}

fn local(reading: &Reading, at: Timestamp) -> String {
    reading.zoned(at).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// Where the form stands, filled with a turn and whoever could take it.
fn fill(looked: &Looked, turn: &Handover, reading: &Reading) -> String {
    format!(
        "/console/on-call?schedule={}&from={}&days={}&cover_from={}&cover_until={}&cover_by={}#cover",
        super::escaped(&looked.schedule),
        super::escaped(&looked.from),
        looked.days(),
        super::escaped(&local(reading, turn.from)),
        super::escaped(&local(reading, turn.until)),
        super::escaped(turn.to.as_deref().unwrap_or_default())
    )
}

/// What the reader may do with the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlanRights {
    Look,
    /// Put somebody over it.
    Cover,
}

/// What to do about a note: the form for it, or whom to ask.
fn way_out(
    turn: &Handover,
    name: impl Fn(&str) -> String,
    looked: &Looked,
    rights: PlanRights,
    reading: &Reading,
) -> Rich {
    let hours = format!("{} to {}", clock(reading, turn.from), clock(reading, turn.until));
    let words = match &turn.to {
        Some(id) => format!("Ask {} to take {hours}", name(id)),
        None => format!("Find somebody for {hours}"),
    };
    match rights {
        PlanRights::Cover => Rich::default().link(words, fill(looked, turn, reading)),
        PlanRights::Look => Rich::plain(format!("{words}. Whoever keeps the rota can put it in.")),
    }
}

fn cover(visitor: &Visitor, known: &Known, shown: &Shown, reading: &Reading) -> Option<Cover> {
    let (id, _) = known.current.as_ref()?;
    if !visitor.0.may(Action::Create, Resource::Override) {
        return None;
    }
    let hour = reading.now.as_second().div_euclid(3_600) * 3_600;
    let in_hours = |hours: i64| {
        Timestamp::from_second(hour + hours * 3_600)
            .map(|at| local(reading, at))
            .unwrap_or_default()
    };
    let or = |asked: &str, usual: String| {
        if asked.is_empty() { usual } else { asked.to_owned() }
    };
    Some(Cover {
        schedule: id.to_string(),
        people: known
            .staff
            .iter()
            .map(|(id, name)| {
                let pick = Pick::new(id.clone(), name.clone());
                let proposed = match shown.looked.cover_by.as_str() {
                    "" => &shown.me,
                    by => by,
                };
                if *id == proposed { pick.current() } else { pick }
            })
            .collect(),
        from: or(&shown.looked.cover_from, in_hours(1)),
        until: or(&shown.looked.cover_until, in_hours(9)),
    })
}

fn clock(reading: &Reading, at: Timestamp) -> String {
    reading.zoned(at).strftime("%a %-d %H:%M").to_string()
}

fn below(known: &Known, gaps: &[(Timestamp, Timestamp)], reading: &Reading) -> String {
    if known.current.is_none() {
        return "No schedule yet. A schedule says whose turn it is, and Muster shows the gaps.".to_owned();
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
