//! Changing a schedule from a form of the console: whose turns a change would move, and the change itself.

use std::sync::Arc;

use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use schedule::{Difference, Span};
use serde_json::Value;

use super::rendering::{RangeQuery, too_long};
use super::schedule_input::{ScheduleRequest, check};
use super::schedules::{present_schedule, require_for, update};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Path, Problem, Query};
use crate::oncall::model::ScheduleId;
use crate::oncall::{rules, store};

/// What the change would do to everybody between now and `ahead` from now. Nothing is kept.
pub(crate) async fn preview(
    app: &App,
    caller: &Caller,
    id: ScheduleId,
    body: &Value,
    ahead: SignedDuration,
) -> Result<Difference, Problem> {
    caller.require_for_own(Action::Change, Resource::Schedule)?;
    let request: ScheduleRequest = crate::http::body::parse(body.to_string().as_bytes())?;
    let (caller, now) = (caller.clone(), app.clock.now());
    app.read(move |tx| {
        let row = present_schedule(tx, &id)?;
        require_for(tx, &caller, Action::Change, &id)?;
        let until = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
        let span = Span::new(now, until).map_err(Problem::internal)?;
        let before = store::plan_between(tx, &id, now, until)?;
        let layer_ids = (1..=64).map(|number| format!("preview-{number}")).rev().collect();
        let row = check(tx, &request.schedule, row, now, layer_ids)?;
        if let Some(teams) = &request.schedule.teams {
            let teams = super::policy_input::check_teams(tx, teams)?;
            caller.require_for_teams(Action::Change, Resource::Schedule, &teams)?;
        }
        let overrides = store::overrides_between(tx, &id, now, until)?;
        let after = rules::versioned_plan(vec![(Timestamp::UNIX_EPOCH, row.definition)], &overrides);
        let (Some(before), Some(after)) = (before, after) else {
            return Err(Problem::not_found("The schedule"));
        };
        schedule::preview(&before, &after, span).map_err(too_long)
    })
    .await
}

/// Makes the change.
pub(crate) async fn change(
    app: Arc<App>,
    caller: Caller,
    id: ScheduleId,
    body: &Value,
) -> Result<(), Problem> {
    let request = crate::http::body::parse(body.to_string().as_bytes())?;
    let range = Query(RangeQuery::default());
    update(State(app), caller, Path(id), range, Body(request))
        .await
        .map(drop)
}
