//! Changing a schedule: the form, what the change would do to everybody's turns, and the change. Nothing is changed
//! before the reader has seen whose turns move, unless they say so at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schedule::{Difference, UserKey};
use store::Tx;

use super::schedule_form::{Fields, MOST_PLACES};
use super::seen::{Seen, overtaken};
use super::typed::{Typed, Wrong};
use super::{escaped, go_to, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Posted, Visitor, show_with_status};
use crate::console::prelude::{Empty, Link, Pick, Place, Reading, Rich, counted, duration_words};
use crate::console::screens::settings::{Cell, Field, Form, Settings, SettingsPart, Table, TableRow};
use crate::http::listing::Counted;
use crate::http::{Page, Path, Problem};
use crate::oncall::ScheduleId;
use crate::oncall::api::schedule_change as api;
use crate::oncall::model::ScheduleRow;
use crate::oncall::store::{find_schedule, teams_of_schedules};
use crate::people::TeamId;
use crate::people::store::{TeamFilter, everybody, list_teams};

/// How far ahead it is shown whose turns change.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 28);
const AHEAD_WORDS: &str = "the next four weeks";
/// Stretches that are shown one by one.
const MOST_STRETCHES: usize = 40;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/on-call/{id}/change", get(form).post(change))
}

pub(super) fn address(id: &ScheduleId) -> String {
    format!("/console/on-call/{id}/change")
}

fn way_back(id: &ScheduleId) -> String {
    format!("/console/on-call?schedule={}", escaped(id.as_str()))
}

/// Whether the caller may change this schedule: it belongs to its teams.
pub(super) fn may_change(tx: &mut Tx, caller: &Caller, id: &ScheduleId) -> Result<bool, Problem> {
    Ok(caller
        .require_for_teams(Action::Change, Resource::Schedule, &teams_of(tx, id)?)
        .is_ok())
}

fn teams_of(tx: &mut Tx, id: &ScheduleId) -> Result<Vec<TeamId>, Problem> {
    Ok(teams_of_schedules(tx, &[id])?
        .into_iter()
        .map(|(_, team)| team)
        .collect())
}

/// What stands above the form.
#[derive(Default)]
struct Above {
    wrong: Wrong,
    difference: Option<Difference>,
    /// The fields beside what somebody else made of them meanwhile.
    merged: Option<Vec<Field>>,
    /// What the reader saw, where the form comes back without a look at what stands.
    seen: Option<Seen>,
}

impl Above {
    fn wrong(wrong: Wrong) -> Self {
        Self {
            wrong,
            ..Self::default()
        }
    }
}

struct Known {
    situation: Situation,
    row: ScheduleRow,
    team: Option<String>,
    choices: Choices,
}

impl Known {
    fn drawn(&self, fields: &Fields) -> Vec<Field> {
        fields.drawn(&self.choices.people, &self.choices.teams)
    }

    fn stands(&self) -> Vec<Field> {
        self.drawn(&Fields::of(&self.row, self.team.clone()))
    }
}

/// What the selects of the form offer.
pub(super) struct Choices {
    pub(super) teams: Vec<Pick>,
    pub(super) people: Vec<Pick>,
    /// What everybody is called; who has left too, so that their turns can be named.
    names: BTreeMap<String, String>,
}

pub(super) fn choices(tx: &mut Tx) -> Result<Choices, Problem> {
    let all = Page {
        limit: 500,
        offset: 0,
        counted: Counted::No,
    };
    let users = everybody(tx)?;
    let mut people: Vec<Pick> = users
        .iter()
        .filter(|user| user.deleted_at.is_none())
        .map(|user| Pick::new(user.id.as_str(), user.name.clone()))
        .collect();
    people.sort_by(|one, other| one.words.cmp(&other.words));
    people.insert(0, Pick::new("", "Nobody"));
    let mut teams = vec![Pick::new("", "No team’s")];
    teams.extend(
        list_teams(tx, &TeamFilter::default(), all)?
            .into_iter()
            .map(|team| Pick::new(team.id.as_str(), team.name)),
    );
    Ok(Choices {
        teams,
        people,
        names: users
            .into_iter()
            .map(|user| (user.id.to_string(), user.name))
            .collect(),
    })
}

async fn know(app: &App, caller: &Caller, id: ScheduleId) -> Result<Known, Problem> {
    let (caller, now) = (caller.clone(), app.clock.now());
    app.read(move |tx| {
        let row = find_schedule(tx, &id)?.ok_or_else(|| Problem::not_found("The schedule"))?;
        let own = teams_of(tx, &id)?;
        caller.require_for_teams(Action::Change, Resource::Schedule, &own)?;
        Ok(Known {
            situation: situation::read(tx, &caller, now)?,
            row,
            team: own.first().map(ToString::to_string),
            choices: choices(tx)?,
        })
    })
    .await
}

async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<ScheduleId>,
) -> Result<Response, PageProblem> {
    let known = know(&app, &visitor.0, id).await?;
    let fields = Fields::of(&known.row, known.team.clone());
    Ok(draw(&app, &visitor, known, &fields, Above::default()))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<ScheduleId>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    let known = know(&app, &visitor.0, id.clone()).await?;
    let fields = Fields::of_typed(&typed);
    if let Some(fields) = fields.rearranged(typed.text("act"), app.clock.now()) {
        let above = Above {
            seen: Some(Seen::brought_by(&typed)),
            ..Above::default()
        };
        return Ok(draw(&app, &visitor, known, &fields, above));
    }
    let (drawn, stands) = (known.drawn(&fields), known.stands());
    if let Some((merged, wrong)) = overtaken(&app, &visitor, id.as_str(), &typed, drawn, &stands).await? {
        let above = Above {
            merged: Some(merged),
            ..Above::wrong(wrong)
        };
        return Ok(draw(&app, &visitor, known, &fields, above));
    }
    let body = match fields.body(Some(&known.row)) {
        Ok(body) => body,
        Err(wrong) => return Ok(draw(&app, &visitor, known, &fields, Above::wrong(wrong))),
    };
    let outcome = if typed.text("act") == "keep" {
        api::change(Arc::clone(&app), visitor.0.clone(), id.clone(), &body)
            .await
            .map(|()| None)
    } else {
        api::preview(&app, &visitor.0, id.clone(), &body, AHEAD)
            .await
            .map(Some)
    };
    match outcome {
        Ok(None) => Ok(go_to(&way_back(&id))),
        Ok(difference) => {
            let above = Above {
                difference,
                ..Above::default()
            };
            Ok(draw(&app, &visitor, known, &fields, above))
        }
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            let above = Above::wrong(Wrong::of(problem.errors(), &fields.belongs()));
            Ok(draw(&app, &visitor, known, &fields, above))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn draw(app: &App, visitor: &Visitor, known: Known, fields: &Fields, above: Above) -> Response {
    let status = above.wrong.status();
    let back = way_back(&known.row.id);
    let mut parts = Vec::new();
    if fields.fits() {
        let zone = TimeZone::get(&fields.zone).unwrap_or(TimeZone::UTC);
        let reading = Reading::new(app.clock.now(), zone);
        if let Some(difference) = &above.difference {
            parts.extend(what_changes(difference, &known.choices.names, &reading));
        }
        let seen = above.seen.unwrap_or_else(|| Seen::of(&known.stands()));
        let drawn = above.merged.unwrap_or_else(|| known.drawn(fields));
        let (problem, drawn) = above.wrong.beside(seen.hidden_in(drawn));
        parts.splice(0..0, problem);
        parts.push(SettingsPart::Form(Form {
            id: "change-schedule",
            title: "Who takes turns, and when".to_owned(),
            words: format!(
                "It counts from now on; who was on call before stays as it was. {}",
                zone_note(fields)
            ),
            post_to: address(&known.row.id),
            fields: drawn,
            verb: "See whose turns change",
            also: vec![("keep", "Change it"), ("more", "One more layer")],
            back: Some(Link::new("Leave it as it is", back)),
        }));
    } else {
        parts.push(SettingsPart::Problem {
            title: "Too many people for a form".to_owned(),
            words: format!(
                "A layer here has {MOST_PLACES} people or more. Change it over the API: PUT /schedules/{}.",
                known.row.id
            ),
        });
    }
    let headline = known.row.name.clone();
    let view = Settings {
        frame: visitor.frame(app, Place::OnCall, headline.clone(), known.situation),
        headline,
        below: Rich::default()
            .then("A schedule. ")
            .link("See it as a calendar", way_back(&known.row.id)),
        places: Vec::new(),
        parts,
    };
    show_with_status(status, &view)
}

pub(super) fn zone_note(fields: &Fields) -> String {
    format!("All times are those of {}.", fields.zone)
}

/// The stretches with somebody else on call, and what it comes to for each person.
fn what_changes(
    difference: &Difference,
    names: &BTreeMap<String, String>,
    reading: &Reading,
) -> Vec<SettingsPart> {
    if difference.is_empty() {
        return vec![SettingsPart::Told {
            title: "Whose turns change".to_owned(),
            lines: vec![Rich::plain(format!("Nobody’s, in {AHEAD_WORDS}."))],
        }];
    }
    let name = |user: &UserKey| {
        names
            .get(user.as_str())
            .map_or("Somebody who left", String::as_str)
    };
    let together = |users: &[UserKey]| match users {
        [] => Rich::default().strong("Nobody"),
        several => Rich::plain(several.iter().map(name).collect::<Vec<_>>().join(" and ")),
    };
    let clock = |at: Timestamp| reading.zoned(at).strftime("%a %-d %b %H:%M").to_string();
    let rows = difference
        .stretches
        .iter()
        .take(MOST_STRETCHES)
        .zip(1..)
        .map(|(stretch, number)| TableRow {
            id: format!("change-{number}"),
            cells: vec![
                Cell::Words(Rich::plain(format!(
                    "{} to {}",
                    clock(stretch.span.start()),
                    clock(stretch.span.end())
                ))),
                Cell::Words(together(&stretch.before)),
                Cell::Words(together(&stretch.after)),
            ],
        })
        .collect();
    let mut lines: Vec<Rich> = difference
        .people
        .iter()
        .map(|one| {
            let hours = duration_words(one.balance.as_secs().abs());
            let turns = counted(one.shifts.len() as u64, "turn changes", "turns change");
            let balance = match one.balance.as_secs() {
                0 => "as long on call as before".to_owned(),
                1.. => format!("{hours} more on call"),
                _ => format!("{hours} less on call"),
            };
            Rich::default()
                .strong(name(&one.user))
                .then(format!(": {turns}, {balance}."))
        })
        .collect();
    let gaps = difference.new_gaps().count() as u64;
    if gaps > 0 {
        let stretches = counted(gaps, "stretch is", "stretches are");
        lines.insert(
            0,
            Rich::default().strong(format!("{stretches} left with nobody on call.")),
        );
    }
    let hidden = difference.stretches.len().saturating_sub(MOST_STRETCHES) as u64;
    if hidden > 0 {
        lines.push(Rich::plain(format!(
            "And {} after those that are shown.",
            counted(hidden, "more stretch", "more stretches")
        )));
    }
    vec![
        SettingsPart::Told {
            title: format!("Whose turns change, in {AHEAD_WORDS}"),
            lines,
        },
        SettingsPart::Table(Table {
            title: "Turn by turn".to_owned(),
            note: String::new(),
            columns: vec!["When", "Until now", "After the change"],
            rows,
            empty: Empty {
                title: "Nothing here yet",
                words: Rich::default(),
                action: None,
            },
            pagination: None,
            live: None,
        }),
    ]
}
