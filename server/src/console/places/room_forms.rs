//! What is posted from the incident room. Each form is one action of the incident slice.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{from_json, go_to, room_words};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::http::{Body, Path, Problem};
use crate::incidents::confirmed_origin_api as origin_api;
use crate::incidents::room::{self, RequestTarget, ResponderState, RoleName, TaskId, TaskStatus, TaskText};
use crate::incidents::{IncidentId, actions, merge, store as rows};
use crate::oncall::EscalationPolicyId;
use crate::people::UserId;
use crate::services::PriorityId;
use crate::timeline::Change;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/incidents/{id}/acknowledge", post(acknowledge))
        .route("/console/incidents/{id}/resolve", post(resolve))
        .route("/console/incidents/{id}/say", post(room_words::say))
        .route("/console/incidents/{id}/reopen", post(reopen))
        .route("/console/incidents/{id}/escalate", post(escalate))
        .route("/console/incidents/{id}/responders", post(ask))
        .route("/console/incidents/{id}/roles", post(give_role))
        .route("/console/incidents/{id}/priority", post(set_priority))
        .route("/console/incidents/{id}/snooze", post(snooze))
        .route("/console/incidents/{id}/merge", post(merge_into))
        .route("/console/incidents/{id}/tasks", post(add_task))
        .route("/console/incidents/{id}/tasks/{task_id}", post(tick_task))
        .route("/console/incidents/{id}/tasks/{task_id}/done", post(finish_task))
        .route("/console/incidents/{id}/origin", post(confirm_origin))
        .route("/console/incidents/{id}/origin/take-back", post(take_origin_back))
        .route("/console/incidents/{id}/join", post(join))
}

/// Does one action as the person who posted and goes back to the room.
async fn act<T>(
    app: &App,
    posted: Posted<T>,
    id: String,
    work: fn(&mut Change, &IncidentId, &T) -> Result<(), Problem>,
) -> Result<Response, PageProblem>
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    let Posted { visitor, fields } = posted;
    visitor.0.require(Action::Respond, Resource::Incident)?;
    let back = format!("/console/incidents/{id}");
    app.change(visitor.0.agent(), move |change| {
        work(change, &IncidentId::from(id.as_str()), &fields)
    })
    .await?;
    Ok(go_to(&back))
}

type Answer = Result<Response, PageProblem>;

async fn acknowledge(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Nothing>) -> Answer {
    act(&app, posted, id, |change, id, _| {
        actions::acknowledge(change, id).map(drop)
    })
    .await
}

async fn reopen(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Nothing>) -> Answer {
    act(&app, posted, id, |change, id, _| {
        actions::reopen(change, id).map(drop)
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Resolution {
    #[serde(default)]
    resolution: String,
}

async fn resolve(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Resolution>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        let words = fields.resolution.trim();
        actions::resolve(change, id, (!words.is_empty()).then_some(words)).map(drop)
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Escalation {
    #[serde(default)]
    escalation_policy: String,
    #[serde(default)]
    user: String,
}

async fn escalate(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Escalation>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        if !fields.user.is_empty() {
            return actions::reassign(change, id, &[UserId::from(fields.user.as_str())]).map(drop);
        }
        if !fields.escalation_policy.is_empty() {
            let policy = EscalationPolicyId::from(fields.escalation_policy.as_str());
            return actions::delegate(change, id, &policy).map(drop);
        }
        let incident = actions::load(change, id)?;
        let last = incident.escalation_rules.rules.len() as i64;
        actions::escalate_to(change, id, (incident.escalation_level + 1).min(last)).map(drop)
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Asked {
    user: String,
    #[serde(default)]
    message: String,
}

async fn ask(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Asked>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        let user_id = UserId::from(fields.user.as_str());
        let user = crate::people::store::find_user(change.tx, &user_id)?
            .ok_or_else(|| Problem::not_found("The person"))?;
        let target = RequestTarget {
            id: fields.user.clone(),
            kind: "user".to_owned(),
            summary: user.name,
            people: Vec::new(),
        };
        let message = if fields.message.trim().is_empty() {
            "Please join"
        } else {
            fields.message.trim()
        };
        let requester = change.agent.user_id().map(UserId::from);
        room::request_responders(change, id, requester, message, vec![target]).map(drop)
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Given {
    role: String,
    user: String,
}

async fn give_role(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Given>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        let role = RoleName::from_text(&fields.role).ok_or_else(|| Problem::not_found("The role"))?;
        room::set_role(change, id, role, Some(&UserId::from(fields.user.as_str())))
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Picked {
    #[serde(default)]
    priority: String,
}

async fn set_priority(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Picked>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        if fields.priority.is_empty() {
            return actions::set_priority(change, id, None);
        }
        let known = rows::priorities(change.tx)?;
        let found = known
            .iter()
            .find(|one| one.id == fields.priority)
            .ok_or_else(|| Problem::not_found("The priority"))?;
        actions::set_priority(
            change,
            id,
            Some((&PriorityId::from(found.id.as_str()), &found.name)),
        )
    })
    .await
}

/// "This was it": a change or a service, as `change:Q…` or `service:P…`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NamedOrigin {
    origin: String,
}

async fn confirm_origin(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<NamedOrigin>,
) -> Answer {
    let Posted { visitor, fields } = posted;
    let (kind, named) = fields.origin.split_once(':').unwrap_or_default();
    let kind = match kind {
        "change" => "change_event_reference",
        "service" => "service_reference",
        _ => return Err(Problem::invalid(["Choose what it was."]).into()),
    };
    let body = json!({ "confirmed_origin": { "id": named, "type": kind } });
    let back = format!("/console/incidents/{id}");
    origin_api::confirm(State(app), visitor.0, Path(id), Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to(&back))
}

async fn take_origin_back(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Answer {
    let back = format!("/console/incidents/{id}");
    origin_api::take_back(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to(&back))
}

#[derive(Debug, Deserialize)]
struct Rest {
    duration: i64,
}

async fn snooze(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Rest>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        actions::snooze(change, id, fields.duration).map(drop)
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Into {
    into: String,
}

async fn merge_into(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Into>) -> Answer {
    let target = posted.fields.into.clone();
    act(&app, posted, id, |change, id, fields| {
        merge::merge(
            change,
            &IncidentId::from(fields.into.as_str()),
            std::slice::from_ref(id),
        )
        .map(drop)
    })
    .await?;
    Ok(go_to(&format!("/console/incidents/{target}")))
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    words: String,
}

async fn add_task(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Said>) -> Answer {
    act(&app, posted, id, |change, id, fields| {
        let name: String = fields.words.trim().chars().take(255).collect();
        if name.is_empty() {
            return Err(Problem::invalid(["Write what is to be done, then choose Task."]));
        }
        room::add_task(
            change,
            id,
            &TaskText {
                name,
                description: None,
                assignee_id: None,
                due_at: None,
            },
        )
        .map(drop)
    })
    .await
}

#[derive(Debug, Deserialize)]
struct Ticked {
    #[serde(default)]
    done: Option<String>,
}

async fn tick_task(
    State(app): State<Arc<App>>,
    Path((id, task_id)): Path<(String, String)>,
    posted: Posted<Ticked>,
) -> Answer {
    let Posted { visitor, fields } = posted;
    visitor.0.require(Action::Respond, Resource::Incident)?;
    let status = if fields.done.is_some() {
        TaskStatus::Done
    } else {
        TaskStatus::Todo
    };
    set_task(&app, &visitor, id, task_id, status).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// From *Now*: the task is done, and the reader goes back to what is next.
async fn finish_task(
    State(app): State<Arc<App>>,
    Path((id, task_id)): Path<(String, String)>,
    posted: Posted<Nothing>,
) -> Answer {
    posted.visitor.0.require(Action::Respond, Resource::Incident)?;
    set_task(&app, &posted.visitor, id, task_id, TaskStatus::Done).await?;
    Ok(go_to("/console"))
}

async fn set_task(
    app: &App,
    visitor: &Visitor,
    id: String,
    task_id: String,
    status: TaskStatus,
) -> Result<(), Problem> {
    app.change(visitor.0.agent(), move |change| -> Result<(), Problem> {
        let (id, task_id) = (IncidentId::from(id.as_str()), TaskId::from(task_id.as_str()));
        let task = room::tasks(change.tx, &id)?
            .into_iter()
            .find(|task| task.id == task_id)
            .ok_or_else(|| Problem::not_found("The task"))?;
        let text = TaskText {
            name: task.name,
            description: task.description,
            assignee_id: task.assignee_id,
            due_at: task.due_at,
        };
        room::change_task(change, &id, &task_id, &text, status)
    })
    .await
}

/// Somebody who was asked says that they are here, or that they cannot.
#[derive(Debug, Deserialize)]
struct Joining {
    #[serde(default)]
    state: String,
}

async fn join(State(app): State<Arc<App>>, Path(id): Path<String>, posted: Posted<Joining>) -> Answer {
    let user_id = posted
        .visitor
        .0
        .user_id()
        .cloned()
        .ok_or_else(|| Problem::forbidden("Only a person can join an incident."))?;
    let state = ResponderState::from_text(&posted.fields.state).unwrap_or(ResponderState::Joined);
    let back = match state {
        ResponderState::Joined => format!("/console/incidents/{id}"),
        ResponderState::Pending | ResponderState::Declined | ResponderState::UserCancelled => {
            "/console".to_owned()
        }
    };
    app.change(posted.visitor.0.agent(), move |change| {
        room::reply_to_request(change, &IncidentId::from(id.as_str()), &user_id, state)
    })
    .await?;
    Ok(go_to(&back))
}
