//! Facts, updates and promises over the API: Muster's own resources, by the conventions of the dialect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::compose::{LONGEST_SUBJECT, LONGEST_WORDS};
use super::drafts::{self, Edit};
use super::facts::{self, Confidence, Estimate, Revision, Stated};
use super::model::{AudienceId, Phase, Promise, Update, UpdateId};
use super::promises::{self, Waiting};
use super::{audiences, publication, store as rows};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Listing, Path, Problem, Problems, Query, ReferenceInput, Sent, Site};
use crate::incidents::{IncidentId, store as incidents};
use crate::timeline::Change;
use crate::words::InternalText;

/// The furthest a next word may be promised, or an estimate may reach.
const FURTHEST_DAYS: i64 = 30;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_facts, state_facts))
        .routes(routes!(list_updates, write_update))
        .routes(routes!(show_update, edit_update))
        .routes(routes!(approve))
        .routes(routes!(publish))
        .routes(routes!(list_promises))
}

/// The facts of an incident.
#[derive(Debug, serde::Serialize, ToSchema)]
struct FactsAnswer {
    #[schema(value_type = Object)]
    facts: Value,
}

fn facts_view(incident_id: &IncidentId, revision: &Revision) -> Value {
    json!({
        "type": "incident_facts",
        "incident_id": incident_id,
        "revision": revision.revision,
        "revised_at": revision.created_at,
        "revised_by": revision.agent_name,
        "changes": revision.changes,
        "phase": revision.facts.phase,
        "since": revision.facts.since,
        "symptom": revision.facts.symptom,
        "touchpoints": revision.facts.touchpoints,
        "places": revision.facts.places,
        "workaround": revision.facts.workaround,
        "estimate": revision.facts.estimate,
    })
}

/// Show the facts that updates are made from.
#[utoipa::path(
    get, path = "/incidents/{id}/facts", tag = "Updates",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The facts", body = FactsAnswer), Problems)
)]
async fn show_facts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<FactsAnswer>, Problem> {
    caller.require(Action::View, Resource::Update)?;
    let now = app.clock.now();
    let facts = app
        .read(move |tx| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            let incident = incidents::find(tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            // Facts that nobody has needed yet have no revision: they are shown as revision 0.
            let revision = match facts::latest(tx, &id)? {
                Some(revision) => revision,
                None => Revision {
                    revision: 0,
                    facts: facts::read(tx, &incident, now)?,
                    changes: Vec::new(),
                    created_at: incident.created_at,
                    agent_name: "Muster".to_owned(),
                },
            };
            Ok(facts_view(&id, &revision))
        })
        .await?;
    Ok(axum::Json(FactsAnswer { facts }))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct FactsBody {
    facts: FactsInput,
}

/// What is left out stays; null takes back what was stated.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct FactsInput {
    #[serde(default)]
    #[schema(value_type = Option<Phase>)]
    phase: Sent<Phase>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    since: Sent<String>,
    /// What customers feel, in a sentence.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    symptom: Sent<String>,
    /// What to do instead, in a sentence.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    workaround: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<EstimateInput>)]
    estimate: Sent<EstimateInput>,
}

/// All four parts, or no estimate; whoever states it approves it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct EstimateInput {
    #[serde(default)]
    earliest: Option<String>,
    #[serde(default)]
    latest: Option<String>,
    #[serde(default)]
    confidence: Option<Confidence>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl EstimateInput {
    fn check(&self, faults: &mut Faults, caller: &Caller, now: Timestamp) -> Option<Estimate> {
        let earliest = faults.instant("facts.estimate.earliest", self.earliest.as_deref());
        let latest = faults.instant("facts.estimate.latest", self.latest.as_deref());
        let expires_at = faults.instant("facts.estimate.expires_at", self.expires_at.as_deref());
        if self.confidence.is_none() {
            faults.add("facts.estimate.confidence can't be blank: low, medium or high.");
        }
        let approved_by = caller.user_id().cloned();
        if approved_by.is_none() {
            faults.add("facts.estimate needs a person who approves it; a program cannot.");
        }
        let (earliest, latest, expires_at) = (earliest?, latest?, expires_at?);
        if earliest >= latest {
            faults.add(
                "facts.estimate.latest must come after facts.estimate.earliest: an estimate is a range.",
            );
        }
        if expires_at <= now {
            faults.add("facts.estimate.expires_at must lie in the future.");
        }
        Some(Estimate {
            earliest,
            latest,
            confidence: self.confidence?,
            approved_by: approved_by?,
            expires_at,
        })
    }
}

fn over_text(
    faults: &mut Faults,
    field: &str,
    sent: &Sent<String>,
    kept: Option<InternalText>,
) -> Option<InternalText> {
    match sent {
        Sent::Nothing => kept,
        Sent::Null => None,
        Sent::Value(text) => faults
            .optional_text(field, Some(text.trim()), 2_000)
            .map(InternalText::new),
    }
}

impl FactsInput {
    fn over(&self, stated: Stated, caller: &Caller, now: Timestamp) -> Result<Stated, Problem> {
        let mut faults = Faults::new();
        let since = match &self.since {
            Sent::Nothing => stated.since,
            Sent::Null => None,
            Sent::Value(text) => faults.instant("facts.since", Some(text)),
        };
        if since.is_some_and(|since| since > now) {
            faults.add("facts.since lies in the future.");
        }
        let estimate = match &self.estimate {
            Sent::Nothing => stated.estimate,
            Sent::Null => None,
            Sent::Value(estimate) => estimate.check(&mut faults, caller, now),
        };
        if self.phase.value() == Some(&Phase::Resolved) {
            faults.add("facts.phase becomes resolved when the incident is resolved.");
        }
        let stated = Stated {
            phase: self.phase.clone().over(stated.phase),
            since,
            symptom: over_text(&mut faults, "facts.symptom", &self.symptom, stated.symptom),
            workaround: over_text(
                &mut faults,
                "facts.workaround",
                &self.workaround,
                stated.workaround,
            ),
            estimate,
        };
        faults.done()?;
        Ok(stated)
    }
}

/// State facts. A change is a new revision, and takes approvals given on an older one back.
#[utoipa::path(
    put, path = "/incidents/{id}/facts", tag = "Updates", request_body = FactsBody,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The facts", body = FactsAnswer), Problems)
)]
async fn state_facts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<FactsBody>,
) -> Result<axum::Json<FactsAnswer>, Problem> {
    caller.require(Action::Change, Resource::Update)?;
    if body.facts.estimate.value().is_some() {
        caller.require(Action::Approve, Resource::Update)?;
    }
    let facts = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            incidents::find(change.tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            let stated = facts::stated(change.tx, &id)?;
            let stated = body.facts.over(stated, &caller, change.now)?;
            facts::state(change, &id, &stated)?;
            let present = drafts::bring_up_to_date(change, &id)?;
            note(
                change,
                &caller,
                AuditAction::Update,
                "incident_facts",
                id.as_str(),
            )?;
            Ok(facts_view(&id, &present.revision))
        })
        .await?;
    Ok(axum::Json(FactsAnswer { facts }))
}

fn note(
    change: &mut Change,
    caller: &Caller,
    action: AuditAction,
    resource_type: &str,
    resource_id: &str,
) -> Result<(), Problem> {
    let changed = Changed {
        resource_type,
        resource_id,
        resource_name: "",
        details: json!({}),
    };
    Ok(audit::record(change, caller, action, &changed)?)
}

/// One update.
#[derive(Debug, serde::Serialize, ToSchema)]
struct UpdateAnswer {
    #[schema(value_type = Object)]
    update: Value,
}

/// A page of updates.
#[derive(Debug, serde::Serialize, ToSchema)]
struct UpdatesAnswer {
    #[schema(value_type = Vec<Object>)]
    updates: Vec<Value>,
    limit: i64,
    offset: i64,
    more: bool,
    total: Option<i64>,
}

/// An update with what the checker says, as long as it is a draft.
fn view(tx: &mut store::Tx, update: &Update, site: &Site, now: Timestamp) -> Result<Value, Problem> {
    let incident =
        incidents::find(tx, &update.incident_id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    let audience = audiences::find_even_deleted(tx, &update.audience_id)?
        .ok_or_else(|| Problem::not_found("The audience"))?;
    let latest = facts::latest(tx, &update.incident_id)?;
    let current_revision = latest.as_ref().map_or(0, |latest| latest.revision);
    let (findings, changes) = match &latest {
        Some(latest) if update.state.is_open() => (
            drafts::findings(tx, update, &audience, &incident, &latest.facts, now)?,
            facts::changes_after(tx, &update.incident_id, update.facts_revision)?,
        ),
        _ => (Vec::new(), Vec::new()),
    };
    let approved_by = match &update.approved_by {
        Some(id) => crate::people::store::find_user(tx, id)?
            .map(|user| site.reference("user", "users", user.id.as_str(), user.name)),
        None => None,
    };
    let head = site.resource(
        "update",
        "updates",
        update.id.as_str(),
        update.subject.for_insiders(),
    );
    let mut view = serde_json::to_value(head).map_err(Problem::internal)?;
    let rest = json!({
        "incident": site.reference("incident", "incidents", incident.id.as_str(), incident.title),
        "audience": site.reference("audience", "audiences", audience.id.as_str(), audience.name),
        "visibility": audience.readers,
        "approval": audience.approval,
        "state": update.state,
        "phase": update.phase,
        "subject": update.subject,
        "words": update.words,
        "edited": update.edited,
        "facts_revision": update.facts_revision,
        "current_facts_revision": current_revision,
        "changed_facts": changes,
        "findings": findings,
        "next_update_by": update.next_update_by,
        "approved_by": approved_by,
        "approved_at": update.approved_at,
        "published_by": update.published_by_name,
        "published_at": update.published_at,
        "created_at": update.created_at,
        "updated_at": update.updated_at,
    });
    if let (Some(view), Value::Object(rest)) = (view.as_object_mut(), rest) {
        view.extend(rest);
    }
    Ok(view)
}

/// List the updates of an incident, drafts included, the newest first.
#[utoipa::path(
    get, path = "/incidents/{id}/updates", tag = "Updates",
    params(("id" = String, Path, description = "The incident's id"), Listing),
    responses((status = 200, description = "A page of updates", body = UpdatesAnswer), Problems)
)]
async fn list_updates(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<UpdatesAnswer>, Problem> {
    caller.require(Action::View, Resource::Update)?;
    let page = listing.page()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            incidents::find(tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            let found = rows::of_incident(tx, &id, page)?;
            let (found, paging) = page.finish(found, || rows::count_of_incident(tx, &id))?;
            let mut updates = Vec::new();
            for update in &found {
                updates.push(view(tx, update, &site, now)?);
            }
            Ok(UpdatesAnswer {
                updates,
                limit: paging.limit,
                offset: paging.offset,
                more: paging.more,
                total: paging.total,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct UpdateBody {
    update: UpdateInput,
}

/// Words as they are sent. What is left out is made from the facts, or stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
struct UpdateInput {
    /// Needed for a new one.
    #[serde(default)]
    audience: Option<ReferenceInput>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    words: Option<String>,
    #[serde(default)]
    next_update_by: Option<String>,
}

impl UpdateInput {
    fn check(&self, now: Timestamp) -> Result<Edit, Problem> {
        let mut faults = Faults::new();
        let mut text = |field: &str, text: Option<&str>, longest: usize| {
            text.map(|text| InternalText::new(faults.name(field, Some(text), longest)))
        };
        let subject = text("update.subject", self.subject.as_deref(), LONGEST_SUBJECT);
        let words = text("update.words", self.words.as_deref(), LONGEST_WORDS);
        let next_update_by = faults.optional_instant("update.next_update_by", self.next_update_by.as_deref());
        if let Some(due) = next_update_by {
            let seconds = due.as_second() - now.as_second();
            if !(0..=FURTHEST_DAYS * 86_400).contains(&seconds) {
                faults.add(format!(
                    "update.next_update_by must lie in the future, at most {FURTHEST_DAYS} days ahead."
                ));
            }
        }
        faults.done()?;
        Ok(Edit {
            subject,
            words,
            next_update_by,
        })
    }
}

/// Write an update for an audience: begins a draft, or changes the one there is.
#[utoipa::path(
    post, path = "/incidents/{id}/updates", tag = "Updates", request_body = UpdateBody,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 201, description = "The draft with its findings", body = UpdateAnswer), Problems)
)]
async fn write_update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<UpdateBody>,
) -> Result<(StatusCode, axum::Json<UpdateAnswer>), Problem> {
    caller.require(Action::Create, Resource::Update)?;
    let Some(audience) = body.update.audience.clone() else {
        return Err(Problem::invalid(["update.audience can't be blank."]));
    };
    let (site, now) = (app.site.clone(), app.clock.now());
    let edit = body.update.check(now)?;
    let update = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let incident_id = IncidentId::from(id.as_str());
            let audience_id = AudienceId::from(audience.id.as_str());
            let update = drafts::write(change, &incident_id, &audience_id, &edit)?;
            note(change, &caller, AuditAction::Create, "update", update.id.as_str())?;
            view(change.tx, &update, &site, now)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(UpdateAnswer { update })))
}

fn find(tx: &mut store::Tx, id: &str) -> Result<Update, Problem> {
    rows::find(tx, &UpdateId::from(id))?.ok_or_else(|| Problem::not_found("The update"))
}

/// Show an update with what the checker says.
#[utoipa::path(
    get, path = "/updates/{id}", tag = "Updates",
    params(("id" = String, Path, description = "The update's id")),
    responses((status = 200, description = "The update", body = UpdateAnswer), Problems)
)]
async fn show_update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<UpdateAnswer>, Problem> {
    caller.require(Action::View, Resource::Update)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let update = app
        .read(move |tx| -> Result<_, Problem> {
            let update = find(tx, &id)?;
            view(tx, &update, &site, now)
        })
        .await?;
    Ok(axum::Json(UpdateAnswer { update }))
}

/// Change a draft. Saving it says that its words fit the present facts; an approval is taken back.
#[utoipa::path(
    put, path = "/updates/{id}", tag = "Updates", request_body = UpdateBody,
    params(("id" = String, Path, description = "The update's id")),
    responses((status = 200, description = "The draft with its findings", body = UpdateAnswer), Problems)
)]
async fn edit_update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<UpdateBody>,
) -> Result<axum::Json<UpdateAnswer>, Problem> {
    caller.require(Action::Change, Resource::Update)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let edit = body.update.check(now)?;
    let update = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let found = find(change.tx, &id)?;
            if !found.state.is_open() {
                return Err(Problem::conflict(
                    "This update has gone out. Write another one to correct it.",
                ));
            }
            let update = drafts::write(change, &found.incident_id, &found.audience_id, &edit)?;
            note(change, &caller, AuditAction::Update, "update", update.id.as_str())?;
            view(change.tx, &update, &site, now)
        })
        .await?;
    Ok(axum::Json(UpdateAnswer { update }))
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
struct ApproveBody {
    /// The revision of the facts that was looked at; a newer one refuses the approval.
    #[serde(default)]
    facts_revision: Option<i64>,
}

/// Agree to exactly these words on exactly these facts.
#[utoipa::path(
    post, path = "/updates/{id}/approve", tag = "Updates", request_body = ApproveBody,
    params(("id" = String, Path, description = "The update's id")),
    responses((status = 200, description = "The update", body = UpdateAnswer), Problems)
)]
async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ApproveBody>,
) -> Result<axum::Json<UpdateAnswer>, Problem> {
    caller.require(Action::Approve, Resource::Update)?;
    let user_id = caller
        .user_id()
        .cloned()
        .ok_or_else(|| Problem::refused(2011, "Only a person can approve words."))?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let update = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = UpdateId::from(id.as_str());
            let update = drafts::approve(change, &id, &user_id, body.facts_revision)?;
            note(change, &caller, AuditAction::Update, "update", update.id.as_str())?;
            view(change.tx, &update, &site, now)
        })
        .await?;
    Ok(axum::Json(UpdateAnswer { update }))
}

/// Publish a draft.
#[utoipa::path(
    post, path = "/updates/{id}/publish", tag = "Updates",
    params(("id" = String, Path, description = "The update's id")),
    responses((status = 200, description = "The published update", body = UpdateAnswer), Problems)
)]
async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<UpdateAnswer>, Problem> {
    caller.require(Action::Publish, Resource::Update)?;
    let user_id = caller.user_id().cloned();
    let (site, now) = (app.site.clone(), app.clock.now());
    let update = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = UpdateId::from(id.as_str());
            let update = publication::publish(change, &id, user_id.as_ref())?;
            note(change, &caller, AuditAction::Update, "update", update.id.as_str())?;
            view(change.tx, &update, &site, now)
        })
        .await?;
    Ok(axum::Json(UpdateAnswer { update }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct PromiseNarrowing {
    incident_id: Option<String>,
    /// `true`: only those that somebody still waits for.
    open: Option<String>,
}

/// A page of promises.
#[derive(Debug, serde::Serialize, ToSchema)]
struct PromisesAnswer {
    #[schema(value_type = Vec<Object>)]
    promises: Vec<Value>,
    limit: i64,
    offset: i64,
    more: bool,
    total: Option<i64>,
}

fn promise_view(tx: &mut store::Tx, promise: &Promise, site: &Site) -> Result<Value, Problem> {
    let audience = audiences::find_even_deleted(tx, &promise.audience_id)?.map(|audience| audience.name);
    Ok(json!({
        "id": promise.id,
        "type": "promise",
        "incident": site.reference("incident", "incidents", promise.incident_id.as_str(), ""),
        "audience": site.reference("audience", "audiences", promise.audience_id.as_str(), audience.unwrap_or_default()),
        "update": site.reference("update", "updates", promise.update_id.as_str(), ""),
        "state": promise.state,
        "made_at": promise.made_at,
        "due_at": promise.due_at,
        "reminded_at": promise.nagged_at,
        "missed_at": promise.missed_at,
        "ended_at": promise.ended_at,
    }))
}

/// List promises of a next word: those that are waited for first, the one due soonest at the top.
#[utoipa::path(
    get, path = "/promises", tag = "Updates", params(PromiseNarrowing, Listing),
    responses((status = 200, description = "A page of promises", body = PromisesAnswer), Problems)
)]
async fn list_promises(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<PromiseNarrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<PromisesAnswer>, Problem> {
    caller.require(Action::View, Resource::Update)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let sought = promises::Sought {
        incident_id: narrowing.incident_id,
        waiting: match narrowing.open.as_deref() {
            Some("true" | "1") => Waiting::OnlyOpen,
            _ => Waiting::AllEver,
        },
    };
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = promises::list(tx, &sought, page)?;
            let (found, paging) = page.finish(found, || promises::count(tx, &sought))?;
            let mut shown = Vec::new();
            for promise in &found {
                shown.push(promise_view(tx, promise, &site)?);
            }
            Ok(PromisesAnswer {
                promises: shown,
                limit: paging.limit,
                offset: paging.offset,
                more: paging.more,
                total: paging.total,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}
