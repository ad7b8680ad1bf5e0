//! Swapping turns: two people take each other's, as two overrides that are made together or not at all.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use schedule::Assignment;
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::oncall_judged::assignments;
use super::{escaped, from_json, go_to};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Posted};
use crate::console::prelude::{Pick, Reading};
use crate::console::screens::oncall::Swap;
use crate::http::{Path, Problem};
use crate::oncall::ScheduleId;
use crate::oncall::api::overrides as api;

/// How far ahead turns can be swapped, and how many are offered.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 42);
const MOST: usize = 80;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/on-call/{id}/swaps", post(swap))
}

/// The turns that run or begin soon, each whole to its end.
pub(super) fn turns_ahead(tx: &mut Tx, id: &ScheduleId, now: Timestamp) -> Result<Vec<Assignment>, Problem> {
    let until = now.saturating_add(AHEAD).unwrap_or(now);
    let mut turns = assignments(tx, id, now, until)?;
    turns.retain(|turn| turn.span.end() < until);
    turns.truncate(MOST);
    Ok(turns)
}

/// A turn as the form names it. Its end does not move while the page is looked at, as the beginning of one that runs
/// does.
fn named(turn: &Assignment) -> String {
    format!("{} {}", turn.span.end(), turn.user.as_str())
}

pub(super) fn offered(
    turns: &[Assignment],
    schedule: Option<&(ScheduleId, String)>,
    caller: &Caller,
    name: impl Fn(&str) -> String,
    reading: &Reading,
) -> Option<Swap> {
    let (id, _) = schedule?;
    let first = turns.first()?;
    if !caller.may(Action::Create, Resource::Override) || turns.iter().all(|turn| turn.user == first.user) {
        return None;
    }
    let clock = |at: Timestamp| reading.zoned(at).strftime("%a %-d %b %H:%M").to_string();
    let pick = |turn: &Assignment| {
        let hours = format!("{} to {}", clock(turn.span.start()), clock(turn.span.end()));
        Pick::new(named(turn), format!("{}: {hours}", name(turn.user.as_str())))
    };
    let next = turns.iter().position(|turn| turn.user != first.user);
    Some(Swap {
        schedule: id.to_string(),
        turns: turns.iter().map(pick).collect(),
        others: turns
            .iter()
            .enumerate()
            .map(|(index, turn)| {
                if Some(index) == next {
                    pick(turn).current()
                } else {
                    pick(turn)
                }
            })
            .collect(),
    })
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    one: String,
    other: String,
}

async fn swap(
    State(app): State<Arc<App>>,
    Path(id): Path<ScheduleId>,
    posted: Posted<Chosen>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    visitor.0.require(Action::Create, Resource::Override)?;
    let (wanted, now) = (id.clone(), app.clock.now());
    let turns = app.read(move |tx| turns_ahead(tx, &wanted, now)).await?;
    let find = |text: &str| {
        turns.iter().find(|turn| named(turn) == text).ok_or_else(|| {
            Problem::conflict("A turn that you chose is not in the plan any more. Go back and look again.")
        })
    };
    let (one, other) = (find(&fields.one)?, find(&fields.other)?);
    if one.user == other.user {
        return Err(Problem::invalid(["Choose turns of two people."]).into());
    }
    let takes = |turn: &Assignment, by: &Assignment| {
        json!({
            "start": turn.span.start().to_string(), "end": turn.span.end().to_string(),
            "user": { "id": by.user.as_str(), "type": "user_reference" },
        })
    };
    let both = json!({ "overrides": [takes(one, other), takes(other, one)] });
    let back = format!("/console/on-call?schedule={}", escaped(id.as_str()));
    api::create_together(app, visitor.0, id, from_json(both)?).await?;
    Ok(go_to(&back))
}
