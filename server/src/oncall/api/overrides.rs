//! `/schedules/{id}/overrides`: somebody takes over for a while.

use std::sync::Arc;

use ::store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::rendering::{RangeQuery, shown};
use super::schedules::present_schedule;
use super::view::Names;
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Path, Problem, Problems, Query, Reference, ReferenceInput, Site};
use crate::oncall::model::{ScheduleId, ScheduleOverride, ScheduleOverrideId};
use crate::oncall::store;
use crate::people::UserId;
use crate::people::store::find_user;

/// The most overrides of one request, and of one schedule that are not over.
const MOST_AT_ONCE: usize = 250;
const MOST_OPEN: i64 = 5_000;

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OverrideView {
    id: String,
    start: String,
    end: String,
    user: Reference,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverridesAnswer {
    overrides: Vec<OverrideView>,
}

/// What became of one of the overrides that were sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OverrideResult {
    /// 201 or 400.
    pub(crate) status: u16,
    pub(crate) errors: Vec<String>,
    #[serde(rename = "override")]
    made: Option<OverrideView>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct OverridesRequest {
    #[serde(default)]
    overrides: Vec<OverrideInput>,
    /// The old form: one.
    #[serde(rename = "override")]
    one: Option<OverrideInput>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct OverrideInput {
    start: Option<String>,
    end: Option<String>,
    user: Option<ReferenceInput>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct OverridesQuery {
    /// `true` for only those that can still be taken back.
    #[param(value_type = Option<bool>)]
    editable: Option<String>,
}

/// The overrides that touch a range. `since` and `until` are required.
#[utoipa::path(get, path = "/schedules/{id}/overrides", tag = "On call",
    params(("id" = String, Path), RangeQuery, OverridesQuery),
    responses((status = 200, body = OverridesAnswer), Problems))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Query(range): Query<RangeQuery>,
    Query(asked): Query<OverridesQuery>,
) -> Result<Json<OverridesAnswer>, Problem> {
    caller.require(Action::View, Resource::Schedule)?;
    if range.since.is_none() || range.until.is_none() {
        return Err(Problem::refused(2003, "since and until are required."));
    }
    let range = range.check()?;
    let span = range
        .span
        .ok_or_else(|| Problem::refused(2003, "since and until are required."))?;
    let mut faults = Faults::new();
    let editable = faults.yes_or_no("editable", asked.editable.as_deref());
    faults.done()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let row = present_schedule(tx, &id)?;
        let zone = range.zone_for(&row.time_zone);
        let rows = store::overrides_between(tx, &id, span.start(), span.end())?;
        let people: Vec<UserId> = rows.iter().map(|row| row.user_id.clone()).collect();
        let names = Names::of_users(tx, &people)?;
        let overrides = rows
            .iter()
            .filter(|row| row.start_at < span.end())
            .filter(|row| editable != Some(true) || row.end_at > now)
            .map(|row| {
                let (start, end) = range.cut(row.start_at, row.end_at);
                OverrideView {
                    id: row.id.to_string(),
                    start: shown(start, &zone),
                    end: shown(end, &zone),
                    user: names.user(&site, row.user_id.as_str()),
                }
            })
            .collect();
        Ok(Json(OverridesAnswer { overrides }))
    })
    .await
}

/// The answer to one override in the old form.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverrideAnswer {
    #[serde(rename = "override")]
    made: OverrideView,
}

/// What was made, in the form in which it was asked for: clients that send one override read one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum OverridesMade {
    Each(Vec<OverrideResult>),
    One(OverrideAnswer),
}

/// Adds overrides. Each is answered by itself: some may fail while others are made. One in the old form is made or refused.
#[utoipa::path(post, path = "/schedules/{id}/overrides", tag = "On call", params(("id" = String, Path)),
    request_body = OverridesRequest, responses((status = 201, body = OverridesMade), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Body(request): Body<OverridesRequest>,
) -> Result<(StatusCode, Json<OverridesMade>), Problem> {
    let is_one = request.one.is_some() && request.overrides.is_empty();
    if !is_one {
        let results = make(app, caller, id, request, Faulty::LeftOut).await?;
        return Ok((StatusCode::CREATED, Json(OverridesMade::Each(results))));
    }
    let mut results = make(app, caller, id, request, Faulty::RefuseAll).await?;
    let made = results
        .pop()
        .and_then(|result| result.made)
        .ok_or_else(|| Problem::not_found("The override"))?;
    Ok((
        StatusCode::CREATED,
        Json(OverridesMade::One(OverrideAnswer { made })),
    ))
}

/// Makes all the overrides or none.
pub(crate) async fn create_together(
    app: Arc<App>,
    caller: Caller,
    id: ScheduleId,
    request: OverridesRequest,
) -> Result<(), Problem> {
    make(app, caller, id, request, Faulty::RefuseAll).await.map(drop)
}

/// What becomes of the others when one of several cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Faulty {
    LeftOut,
    RefuseAll,
}

async fn make(
    app: Arc<App>,
    caller: Caller,
    id: ScheduleId,
    request: OverridesRequest,
    faulty: Faulty,
) -> Result<Vec<OverrideResult>, Problem> {
    caller.require(Action::Create, Resource::Override)?;
    let inputs: Vec<OverrideInput> = request.one.into_iter().chain(request.overrides).collect();
    if inputs.is_empty() || inputs.len() > MOST_AT_ONCE {
        return Err(Problem::refused(
            4004,
            format!("overrides must hold 1 to {MOST_AT_ONCE} overrides."),
        ));
    }
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let schedule = present_schedule(change.tx, &id)?;
        let zone = jiff::tz::TimeZone::get(&schedule.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let open = store::count_open_overrides(change.tx, &id, change.now)?;
        if open + inputs.len() as i64 > MOST_OPEN {
            return Err(Problem::refused(
                2019,
                format!("A schedule may have at most {MOST_OPEN} overrides that are not over."),
            ));
        }
        let mut results = Vec::new();
        for input in &inputs {
            let made = check(change.tx, input, &id, change.now, change.identifier())?;
            results.push(match made {
                Ok(one) => {
                    let by = caller.user_id().map(UserId::as_str);
                    store::insert_override(change.tx, &one, change.now, by)?;
                    audit::record(
                        change,
                        &caller,
                        AuditAction::Create,
                        &changed(&one, &schedule.name),
                    );
                    OverrideResult {
                        status: 201,
                        errors: Vec::new(),
                        made: Some(view(change.tx, &site, &one, &zone)?),
                    }
                }
                Err(errors) if faulty == Faulty::RefuseAll => return Err(Problem::invalid(errors)),
                Err(errors) => OverrideResult {
                    status: 400,
                    errors,
                    made: None,
                },
            });
        }
        change.touch("oncall");
        Ok::<_, Problem>(results)
    })
    .await
}

/// Takes back an override that has not begun (204), or ends one that is under way (200). One that is over stays.
#[utoipa::path(delete, path = "/schedules/{id}/overrides/{override_id}", tag = "On call",
    params(("id" = String, Path), ("override_id" = String, Path)),
    responses((status = 204), (status = 200), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, override_id)): Path<(ScheduleId, ScheduleOverrideId)>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Delete, Resource::Override)?;
    app.change(caller.agent(), move |change| {
        let schedule = present_schedule(change.tx, &id)?;
        let one = store::find_override(change.tx, &id, &override_id)?
            .ok_or_else(|| Problem::not_found("The override"))?;
        if one.end_at <= change.now {
            return Err(Problem::refused(
                4004,
                "The override is over and stays as it was.",
            ));
        }
        let status = if one.start_at > change.now {
            store::delete_override(change.tx, &override_id)?;
            StatusCode::NO_CONTENT
        } else {
            store::end_override(change.tx, &override_id, change.now)?;
            StatusCode::OK
        };
        audit::record(
            change,
            &caller,
            AuditAction::Delete,
            &changed(&one, &schedule.name),
        );
        change.touch("oncall");
        Ok(status)
    })
    .await
}

/// The override that was meant, or what is wrong with it. One that began before now begins now: what was, stays.
fn check(
    tx: &mut Tx,
    input: &OverrideInput,
    schedule_id: &ScheduleId,
    now: Timestamp,
    id: ScheduleOverrideId,
) -> Result<Result<ScheduleOverride, Vec<String>>, Problem> {
    let mut faults = Faults::new();
    let start = faults
        .instant("Start", input.start.as_deref())
        .unwrap_or(now)
        .max(now);
    let end = faults.instant("End", input.end.as_deref());
    if end.is_some_and(|end| end <= start) {
        faults.add("End must lie in the future and after the start.");
    }
    let user_id = UserId::from(input.user.as_ref().map_or("", |user| user.id.as_str()));
    let known = find_user(tx, &user_id)?.is_some_and(|user| user.deleted_at.is_none());
    if !known {
        faults.add("User must be one who is known here.");
    }
    Ok(match faults.done() {
        Ok(()) => Ok(ScheduleOverride {
            id,
            schedule_id: schedule_id.clone(),
            user_id,
            start_at: start,
            end_at: end.unwrap_or(start),
        }),
        Err(problem) => Err(problem.errors().to_vec()),
    })
}

fn view(
    tx: &mut Tx,
    site: &Site,
    one: &ScheduleOverride,
    zone: &jiff::tz::TimeZone,
) -> Result<OverrideView, Problem> {
    let names = Names::of_users(tx, std::slice::from_ref(&one.user_id))?;
    Ok(OverrideView {
        id: one.id.to_string(),
        start: shown(one.start_at, zone),
        end: shown(one.end_at, zone),
        user: names.user(site, one.user_id.as_str()),
    })
}

fn changed<'a>(one: &'a ScheduleOverride, schedule_name: &'a str) -> Changed<'a> {
    Changed {
        resource_type: "override",
        resource_id: one.id.as_str(),
        resource_name: schedule_name,
        details: json!({
            "schedule_id": one.schedule_id, "user_id": one.user_id, "start": one.start_at, "end": one.end_at,
        }),
    }
}
