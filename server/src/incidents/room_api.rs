//! Notes, roles, tasks and requests to join, over the API. Roles and tasks are Muster's own: the dialect
//! has none.

use std::sync::Arc;

use crate::http::Path;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::dialect::{Surroundings, note_view, request_view};
use super::model::IncidentId;
use super::room::{
    self, NOTE_LENGTH, RequestTarget, ResponderState, RoleName, Task, TaskId, TaskStatus, TaskText,
};
use super::shapes::{NoteView, ResponderRequestView, RoleHolderView, TaskView};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::reference::ReferenceInput;
use crate::http::{Body, Problem, Problems, Sent, Site};
use crate::people::UserId;

const NAME_LENGTH: usize = 255;
const TEXT_LENGTH: usize = 4_096;
const MOST_TARGETS: usize = 50;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_notes, add_note))
        .routes(routes!(request_responders))
        .routes(routes!(cancel_requests))
        .routes(routes!(reply_to_request))
        .routes(routes!(list_roles))
        .routes(routes!(give_role, clear_role))
        .routes(routes!(list_tasks, add_task))
        .routes(routes!(change_task))
}

fn bounded(name: &str, text: &str, length: usize) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::invalid([format!("{name} is missing or blank.")]));
    }
    if text.chars().count() > length {
        return Err(Problem::invalid([format!(
            "{name} is too long (maximum is {length} characters)."
        )]));
    }
    if text.contains('\0') {
        return Err(Problem::invalid([format!("{name} contains a NUL character.")]));
    }
    Ok(())
}

async fn known(app: &Arc<App>, id: &IncidentId) -> Result<(), Problem> {
    let id = id.clone();
    let found = app
        .read(move |tx| -> Result<_, Problem> { Ok(super::store::find(tx, &id)?) })
        .await?;
    found.map(drop).ok_or_else(|| Problem::not_found("The incident"))
}

#[derive(Debug, Deserialize, ToSchema)]
struct NewNote {
    note: NoteInput,
}

#[derive(Debug, Deserialize, ToSchema)]
struct NoteInput {
    content: String,
}

/// All notes of an incident, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct NotesAnswer {
    notes: Vec<NoteView>,
}

/// One note.
#[derive(Debug, Serialize, ToSchema)]
struct NoteAnswer {
    note: NoteView,
}

/// List the notes of an incident.
#[utoipa::path(
    get, path = "/incidents/{id}/notes", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The notes", body = NotesAnswer), Problems)
)]
async fn list_notes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<NotesAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let id = IncidentId::from(id);
    known(&app, &id).await?;
    let notes = app
        .read(move |tx| -> Result<_, Problem> { Ok(room::notes(tx, &id)?) })
        .await?;
    let notes = notes.iter().map(|note| note_view(note, &app.site)).collect();
    Ok(axum::Json(NotesAnswer { notes }))
}

/// Add a note; it stays inside.
#[utoipa::path(
    post, path = "/incidents/{id}/notes", tag = "Incidents", request_body = NewNote,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The note", body = NoteAnswer), Problems)
)]
async fn add_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<NewNote>,
) -> Result<axum::Json<NoteAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    bounded("note.content", &body.note.content, NOTE_LENGTH)?;
    let note = app
        .change(caller.agent(), move |change| {
            room::add_note(change, &IncidentId::from(id.as_str()), &body.note.content, "api")
        })
        .await?;
    Ok(axum::Json(NoteAnswer {
        note: note_view(&note, &app.site),
    }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct NewResponderRequest {
    /// Whoever asks; the caller, unless named.
    #[serde(default)]
    requester_id: Option<String>,
    message: String,
    responder_request_targets: Vec<WrappedTarget>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct WrappedTarget {
    responder_request_target: ReferenceInput,
}

/// One request to join.
#[derive(Debug, Serialize, ToSchema)]
struct ResponderRequestAnswer {
    responder_request: ResponderRequestView,
}

/// Ask people, or those on call for a policy, to join.
#[utoipa::path(
    post, path = "/incidents/{id}/responder_requests", tag = "Incidents", request_body = NewResponderRequest,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The request", body = ResponderRequestAnswer), Problems)
)]
async fn request_responders(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<NewResponderRequest>,
) -> Result<axum::Json<ResponderRequestAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    bounded("message", &body.message, TEXT_LENGTH)?;
    if body.responder_request_targets.is_empty() || body.responder_request_targets.len() > MOST_TARGETS {
        return Err(Problem::invalid([format!(
            "responder_request_targets must name between 1 and {MOST_TARGETS}."
        )]));
    }
    let site = app.site.clone();
    let request = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            let targets = targets_of(change, &body.responder_request_targets)?;
            let requester = requester_of(change, body.requester_id.as_deref())?;
            let request = room::request_responders(change, &id, requester, &body.message, targets)?;
            let incident = super::actions::load(change, &id)?;
            let around = Surroundings::read(change.tx, std::slice::from_ref(&incident))?;
            Ok(request_view(&request, &incident, &around, &site))
        })
        .await?;
    Ok(axum::Json(ResponderRequestAnswer {
        responder_request: request,
    }))
}

/// Whoever asks others to join: somebody who is known here.
fn requester_of(
    change: &mut crate::timeline::Change,
    named: Option<&str>,
) -> Result<Option<UserId>, Problem> {
    let Some(id) = named.filter(|id| !id.is_empty()) else {
        return Ok(change.agent.user_id().map(UserId::from));
    };
    let id = UserId::from(id);
    crate::people::store::find_user(change.tx, &id)?
        .filter(|user| user.deleted_at.is_none())
        .map(|user| Some(user.id))
        .ok_or_else(|| Problem::refused(1008, "requester_id names nobody who is known here."))
}

fn targets_of(
    change: &mut crate::timeline::Change,
    wrapped: &[WrappedTarget],
) -> Result<Vec<RequestTarget>, Problem> {
    wrapped
        .iter()
        .map(|wrapped| target_of(change, &wrapped.responder_request_target))
        .collect()
}

#[derive(Debug, Default, Deserialize, ToSchema)]
struct CancelledRequests {
    /// Whose requests are taken back; all that nobody has answered, unless named.
    #[serde(default)]
    responder_request_targets: Option<Vec<WrappedTarget>>,
}

/// An empty object, where the dialect wants one.
#[derive(Debug, Serialize, ToSchema)]
struct Nothing {}

/// Take back requests to join that nobody has answered yet.
#[utoipa::path(
    put, path = "/incidents/{id}/responder_requests/cancel", tag = "Incidents", request_body = CancelledRequests,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Taken back; the answer is an empty object", body = Nothing), Problems)
)]
async fn cancel_requests(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<CancelledRequests>,
) -> Result<axum::Json<Nothing>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let targets = match &body.responder_request_targets {
            Some(wrapped) => Some(targets_of(change, wrapped)?),
            None => None,
        };
        room::cancel_requests(change, &IncidentId::from(id.as_str()), targets.as_deref())
    })
    .await?;
    Ok(axum::Json(Nothing {}))
}

fn target_of(
    change: &mut crate::timeline::Change,
    reference: &ReferenceInput,
) -> Result<RequestTarget, Problem> {
    let kind = match reference.plain_kind() {
        "user" | "" => "user",
        "escalation_policy" => "escalation_policy",
        _ => {
            return Err(Problem::invalid([
                "responder_request_target.type must be user_reference or escalation_policy_reference.",
            ]));
        }
    };
    let names = if kind == "user" {
        let user = crate::people::store::find_user(change.tx, &UserId::from(reference.id.as_str()))?;
        user.map(|user| user.name)
    } else {
        let ids = [reference.id.clone()];
        crate::oncall::store::names_of_policies(change.tx, &ids)?
            .into_iter()
            .next()
            .map(|(_, name)| name)
    };
    let summary = names.ok_or_else(|| Problem::refused(2013, "responder_request_target was not found."))?;
    Ok(RequestTarget {
        id: reference.id.clone(),
        kind: kind.to_owned(),
        summary,
        people: Vec::new(),
    })
}

#[derive(Debug, Deserialize, ToSchema)]
struct Reply {
    /// `joined` or `declined`.
    state: ResponderState,
}

/// Say whether one joins.
#[utoipa::path(
    put, path = "/incidents/{id}/responders/me", tag = "Incidents", request_body = Reply,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 204, description = "Noted"), Problems)
)]
async fn reply_to_request(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<Reply>,
) -> Result<StatusCode, Problem> {
    let user_id = caller
        .user_id()
        .cloned()
        .ok_or_else(|| Problem::refused(2011, "A person's key is needed."))?;
    app.change(caller.agent(), move |change| {
        room::reply_to_request(change, &IncidentId::from(id.as_str()), &user_id, body.state)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn role_view(holder: &room::RoleHolder, site: &Site) -> RoleHolderView {
    RoleHolderView {
        role: holder.role,
        name: holder.role.words(),
        assignee: site.reference("user", "users", holder.user_id.as_str(), holder.user_name.clone()),
        assigned_at: holder.assigned_at,
    }
}

/// The roles that somebody has.
#[derive(Debug, Serialize, ToSchema)]
struct RolesAnswer {
    incident_roles: Vec<RoleHolderView>,
}

/// List who has which role.
#[utoipa::path(
    get, path = "/incidents/{id}/roles", tag = "Incident roles",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The roles", body = RolesAnswer), Problems)
)]
async fn list_roles(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<RolesAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let id = IncidentId::from(id);
    known(&app, &id).await?;
    let roles = app
        .read(move |tx| -> Result<_, Problem> { Ok(room::roles(tx, &id)?) })
        .await?;
    let incident_roles = roles.iter().map(|holder| role_view(holder, &app.site)).collect();
    Ok(axum::Json(RolesAnswer { incident_roles }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct GiveRole {
    assignee: ReferenceInput,
}

/// Give a role to somebody.
#[utoipa::path(
    put, path = "/incidents/{id}/roles/{role}", tag = "Incident roles", request_body = GiveRole,
    params(("id" = String, Path, description = "The incident's id"), ("role" = inline(RoleName), Path, description = "The role")),
    responses((status = 204, description = "Given"), Problems)
)]
async fn give_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, role)): Path<(String, String)>,
    Body(body): Body<GiveRole>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    let role = RoleName::from_text(&role).ok_or_else(|| Problem::not_found("The role"))?;
    app.change(caller.agent(), move |change| {
        room::set_role(
            change,
            &IncidentId::from(id.as_str()),
            role,
            Some(&UserId::from(body.assignee.id.as_str())),
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leave a role open.
#[utoipa::path(
    delete, path = "/incidents/{id}/roles/{role}", tag = "Incident roles",
    params(("id" = String, Path, description = "The incident's id"), ("role" = inline(RoleName), Path, description = "The role")),
    responses((status = 204, description = "Left open"), Problems)
)]
async fn clear_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, role)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    let role = RoleName::from_text(&role).ok_or_else(|| Problem::not_found("The role"))?;
    app.change(caller.agent(), move |change| {
        room::set_role(change, &IncidentId::from(id.as_str()), role, None)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn task_view(task: &Task, site: &Site) -> TaskView {
    TaskView {
        id: task.id.to_string(),
        kind: "incident_task",
        name: task.name.clone(),
        description: task.description.clone(),
        status: task.status,
        assignee: task.assignee_id.as_ref().map(|id| {
            let name = task.assignee_name.clone().unwrap_or_default();
            site.reference("user", "users", id.as_str(), name)
        }),
        due_at: task.due_at,
        created_at: task.created_at,
        completed_at: task.completed_at,
    }
}

/// All tasks of an incident, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
struct TasksAnswer {
    incident_tasks: Vec<TaskView>,
}

/// One task.
#[derive(Debug, Serialize, ToSchema)]
struct TaskAnswer {
    incident_task: TaskView,
}

/// List the tasks of an incident.
#[utoipa::path(
    get, path = "/incidents/{id}/tasks", tag = "Incident tasks",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The tasks", body = TasksAnswer), Problems)
)]
async fn list_tasks(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<TasksAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let id = IncidentId::from(id);
    known(&app, &id).await?;
    let tasks = app
        .read(move |tx| -> Result<_, Problem> { Ok(room::tasks(tx, &id)?) })
        .await?;
    let incident_tasks = tasks.iter().map(|task| task_view(task, &app.site)).collect();
    Ok(axum::Json(TasksAnswer { incident_tasks }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct TaskBody {
    incident_task: TaskInput,
}

#[derive(Debug, Deserialize, ToSchema)]
struct TaskInput {
    /// Must be there for a new task.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    assignee: Sent<ReferenceInput>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Sent<Timestamp>,
    #[serde(default)]
    status: Option<TaskStatus>,
}

impl TaskInput {
    fn check(&self) -> Result<(), Problem> {
        if let Some(name) = &self.name {
            bounded("incident_task.name", name, NAME_LENGTH)?;
        }
        match self.description.value() {
            Some(description) if !description.is_empty() => {
                bounded("incident_task.description", description, TEXT_LENGTH)
            }
            _ => Ok(()),
        }
    }

    /// What was sent over what was there; what was not sent stays.
    fn over(&self, before: Option<&Task>) -> Result<TaskText, Problem> {
        let name = self.name.clone().or_else(|| before.map(|task| task.name.clone()));
        let assignee = match &self.assignee {
            Sent::Value(one) => Sent::Value(UserId::from(one.id.as_str())),
            Sent::Null => Sent::Null,
            Sent::Nothing => Sent::Nothing,
        };
        Ok(TaskText {
            name: name.ok_or_else(|| Problem::invalid(["incident_task.name is missing."]))?,
            description: self
                .description
                .clone()
                .over(before.and_then(|task| task.description.clone())),
            assignee_id: assignee.over(before.and_then(|task| task.assignee_id.clone())),
            due_at: self.due_at.clone().over(before.and_then(|task| task.due_at)),
        })
    }
}

/// Add a task.
#[utoipa::path(
    post, path = "/incidents/{id}/tasks", tag = "Incident tasks", request_body = TaskBody,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 201, description = "The task", body = TaskAnswer), Problems)
)]
async fn add_task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<TaskBody>,
) -> Result<(StatusCode, axum::Json<TaskAnswer>), Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    body.incident_task.check()?;
    let site = app.site.clone();
    let incident_task = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            let task_id = room::add_task(change, &id, &body.incident_task.over(None)?)?;
            shown_task(change, &id, &task_id, &site)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(TaskAnswer { incident_task })))
}

/// Change a task, or finish it.
#[utoipa::path(
    put, path = "/incidents/{id}/tasks/{task_id}", tag = "Incident tasks", request_body = TaskBody,
    params(("id" = String, Path, description = "The incident's id"), ("task_id" = String, Path, description = "The task's id")),
    responses((status = 200, description = "The task", body = TaskAnswer), Problems)
)]
async fn change_task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task_id)): Path<(String, String)>,
    Body(body): Body<TaskBody>,
) -> Result<axum::Json<TaskAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    body.incident_task.check()?;
    let site = app.site.clone();
    let incident_task = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let (id, task_id) = (IncidentId::from(id.as_str()), TaskId::from(task_id.as_str()));
            let before = room::tasks(change.tx, &id)?
                .into_iter()
                .find(|task| task.id == task_id)
                .ok_or_else(|| Problem::not_found("The task"))?;
            let text = body.incident_task.over(Some(&before))?;
            let status = body.incident_task.status.unwrap_or(before.status);
            room::change_task(change, &id, &task_id, &text, status)?;
            shown_task(change, &id, &task_id, &site)
        })
        .await?;
    Ok(axum::Json(TaskAnswer { incident_task }))
}

fn shown_task(
    change: &mut crate::timeline::Change,
    id: &IncidentId,
    task_id: &TaskId,
    site: &Site,
) -> Result<TaskView, Problem> {
    let tasks = room::tasks(change.tx, id)?;
    let task = tasks
        .iter()
        .find(|task| task.id == *task_id)
        .ok_or_else(|| Problem::not_found("The task"))?;
    Ok(task_view(task, site))
}
