//! Updates as they are written, checked, approved and published.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{
    Body, Faults, Head, Listing, Paging, Path, Problem, Problems, Query, Reference, ReferenceInput, Site,
};
use crate::incidents::{IncidentId, store as incidents};
use crate::people::UserId;
use crate::updates::approval::require_approver;
use crate::updates::checker::Finding;
use crate::updates::compose::{LONGEST_SUBJECT, LONGEST_WORDS};
use crate::updates::drafts::{self, Edit};
use crate::updates::facts::{self, FactChange};
use crate::updates::model::{ApprovalRule, AudienceId, Phase, Readers, Update, UpdateId, UpdateState};
use crate::updates::{audiences, publication, store as rows};
use crate::words::InternalText;

/// The furthest a next word may be promised.
const FURTHEST_DAYS: i64 = 30;

/// One update.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct UpdateAnswer {
    update: UpdateView,
}

/// A page of updates.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct UpdatesAnswer {
    updates: Vec<UpdateView>,
    #[serde(flatten)]
    paging: Paging,
}

/// Words for one audience.
#[derive(Debug, serde::Serialize, ToSchema)]
struct UpdateView {
    #[serde(flatten)]
    head: Head,
    incident: Reference,
    audience: Reference,
    visibility: Readers,
    /// Whether somebody has to agree before the words go out.
    approval: ApprovalRule,
    state: UpdateState,
    phase: Phase,
    #[schema(value_type = String)]
    subject: InternalText,
    #[schema(value_type = String)]
    words: InternalText,
    /// Whether a person changed what was drafted.
    edited: bool,
    /// The revision of the facts that the words are made from.
    facts_revision: i64,
    current_facts_revision: i64,
    /// What changed in the facts since then.
    changed_facts: Vec<FactChange>,
    /// What is wrong about the words; empty once they are published.
    findings: Vec<Finding>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_update_by: Option<Timestamp>,
    approved_by: Option<Reference>,
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
    /// A person, or the key of a program.
    published_by: Option<Reference>,
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// An update with what the checker says, as long as it is a draft.
fn view(tx: &mut store::Tx, update: &Update, site: &Site, now: Timestamp) -> Result<UpdateView, Problem> {
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
    let person = |tx: &mut store::Tx, id: Option<UserId>| -> Result<Option<Reference>, Problem> {
        let Some(id) = id else { return Ok(None) };
        let user = crate::people::store::find_user(tx, &id)?;
        Ok(user.map(|user| site.reference("user", "users", user.id.as_str(), user.name)))
    };
    let approved_by = person(tx, update.approved_by.clone())?;
    let publisher = person(tx, update.published_by_id.as_deref().map(UserId::from))?;
    let published_by = match (publisher, &update.published_by_id, &update.published_by_name) {
        (Some(person), ..) => Some(person),
        // A program, without a person for whom it acted.
        (None, Some(id), Some(name)) => Some(site.reference("api_key", "api_keys", id, name.clone())),
        (None, ..) => None,
    };
    let head = site.resource(
        "update",
        "updates",
        update.id.as_str(),
        update.subject.for_insiders(),
    );
    let title = format!("[#{}] {}", incident.number, incident.title);
    Ok(UpdateView {
        head: head.into(),
        incident: site.reference("incident", "incidents", incident.id.as_str(), title),
        audience: site.reference("audience", "audiences", audience.id.as_str(), audience.name),
        visibility: audience.readers,
        approval: audience.approval,
        state: update.state,
        phase: update.phase,
        subject: update.subject.clone(),
        words: update.words.clone(),
        edited: update.edited,
        facts_revision: update.facts_revision,
        current_facts_revision: current_revision,
        changed_facts: changes,
        findings,
        next_update_by: update.next_update_by,
        approved_by,
        approved_at: update.approved_at,
        published_by,
        published_at: update.published_at,
        created_at: update.created_at,
        updated_at: update.updated_at,
    })
}

/// List the updates of an incident, drafts included, the newest first.
#[utoipa::path(
    get, path = "/incidents/{id}/updates", tag = "Updates",
    params(("id" = String, Path, description = "The incident's id"), Listing),
    responses((status = 200, description = "A page of updates", body = UpdatesAnswer), Problems)
)]
pub(super) async fn list_updates(
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
            Ok(UpdatesAnswer { updates, paging })
        })
        .await?;
    Ok(axum::Json(answer))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct UpdateBody {
    update: UpdateInput,
}

/// Words as they are sent. What is left out is made from the facts, or stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct UpdateInput {
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
            text.map(|text| InternalText::new(faults.text(field, Some(text), longest)))
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
pub(super) async fn write_update(
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
pub(super) async fn show_update(
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
pub(super) async fn edit_update(
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
            view(change.tx, &update, &site, now)
        })
        .await?;
    Ok(axum::Json(UpdateAnswer { update }))
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub(super) struct ApproveBody {
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
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ApproveBody>,
) -> Result<axum::Json<UpdateAnswer>, Problem> {
    caller.require_for_own(Action::Approve, Resource::Update)?;
    let user_id = caller
        .user_id()
        .cloned()
        .ok_or_else(|| Problem::refused(2011, "Only a person can approve words."))?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let update = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = UpdateId::from(id.as_str());
            let found = find(change.tx, id.as_str())?;
            require_approver(change.tx, &caller, &found.incident_id)?;
            let update = drafts::approve(change, &id, &user_id, body.facts_revision)?;
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
pub(super) async fn publish(
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
            view(change.tx, &update, &site, now)
        })
        .await?;
    Ok(axum::Json(UpdateAnswer { update }))
}
