//! What people do in the incident room: notes, roles, tasks, asking others to join.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Error, Tx, params, sql};
use utoipa::ToSchema;

use super::actions::load;
use super::model::{IncidentId, Status};
use crate::http::Problem;
use crate::people::UserId;
use crate::timeline::{Change, Kind, NewEntry};

crate::identifier! {
    /// One note.
    NoteId
}
crate::identifier! {
    /// One task.
    TaskId
}
crate::identifier! {
    /// One request to join.
    ResponderRequestId
}

/// Words that stay inside.
#[derive(Debug, Clone, store::FromRow)]
pub struct Note {
    pub id: NoteId,
    pub incident_id: IncidentId,
    pub user_id: Option<UserId>,
    pub author_name: String,
    pub content: String,
    pub channel: String,
    pub created_at: Timestamp,
}

/// The longest note.
pub const NOTE_LENGTH: usize = 25_000;

pub fn add_note(change: &mut Change, id: &IncidentId, content: &str, channel: &str) -> Result<Note, Problem> {
    load(change, id)?;
    let note = Note {
        id: change.identifier(),
        incident_id: id.clone(),
        user_id: change.agent.user_id().map(UserId::from),
        author_name: change.agent.name.clone(),
        content: content.to_owned(),
        channel: channel.to_owned(),
        created_at: change.now,
    };
    change.tx.execute(
        sql!(
            "INSERT INTO incident_notes (id, incident_id, user_id, author_name, content, channel, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &note.id,
            id,
            note.user_id.as_ref(),
            &note.author_name,
            content,
            channel,
            change.now
        ],
    )?;
    change.record(NewEntry::new(Kind::Noted, id, content).details(json!({ "note_id": note.id })))?;
    Ok(note)
}

pub fn notes(tx: &mut Tx, id: &IncidentId) -> Result<Vec<Note>, Error> {
    tx.rows(
        sql!(
            "SELECT id, incident_id, user_id, author_name, content, channel, created_at
             FROM incident_notes WHERE incident_id = $1 ORDER BY id"
        ),
        params![id],
    )
}

/// The roles an incident can have. The first two are known everywhere in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    IncidentCommander,
    CustomerLiaison,
    OperationsLead,
    CommunicationsLead,
    Scribe,
}

impl RoleName {
    pub fn words(self) -> &'static str {
        match self {
            Self::IncidentCommander => "Commander",
            Self::CustomerLiaison => "Customer lead",
            Self::OperationsLead => "Operations",
            Self::CommunicationsLead => "Communications",
            Self::Scribe => "Scribe",
        }
    }
}

#[derive(Debug, Clone, store::FromRow)]
pub struct RoleHolder {
    pub role: RoleName,
    pub user_id: UserId,
    pub user_name: String,
    pub assigned_at: Timestamp,
}

pub fn roles(tx: &mut Tx, id: &IncidentId) -> Result<Vec<RoleHolder>, Error> {
    tx.rows(
        sql!(
            "SELECT r.role, r.user_id, u.name AS user_name, r.assigned_at
             FROM incident_roles r JOIN users u ON u.id = r.user_id WHERE r.incident_id = $1 ORDER BY r.assigned_at, r.role"
        ),
        params![id],
    )
}

/// Gives a role to somebody, or takes it back.
pub fn set_role(
    change: &mut Change,
    id: &IncidentId,
    role: RoleName,
    holder: Option<&UserId>,
) -> Result<(), Problem> {
    load(change, id)?;
    let name = change.agent.name.clone();
    let Some(user_id) = holder else {
        change.tx.execute(
            sql!("DELETE FROM incident_roles WHERE incident_id = $1 AND role = $2"),
            params![id, role],
        )?;
        let text = format!("{name} left {} open", role.words());
        change.record(NewEntry::new(Kind::RoleCleared, id, text).details(json!({ "role": role })))?;
        return Ok(());
    };
    let user = crate::people::store::find_user(change.tx, user_id)?
        .filter(|user| user.deleted_at.is_none())
        .ok_or_else(|| Problem::refused(2013, "user was not found."))?;
    change.tx.execute(
        sql!(
            "INSERT INTO incident_roles (incident_id, role, user_id, assigned_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (incident_id, role) DO UPDATE SET user_id = excluded.user_id, assigned_at = excluded.assigned_at"
        ),
        params![id, role, user_id, change.now],
    )?;
    let text = if change.agent.user_id() == Some(user_id.as_str()) {
        format!("{name} took the role {}", role.words())
    } else {
        format!("{name} asked {} to be {}", user.name, role.words())
    };
    change.record(
        NewEntry::new(Kind::RoleAssigned, id, text).details(json!({ "role": role, "user_id": user_id })),
    )?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    Todo,
    Done,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Task {
    pub id: TaskId,
    pub incident_id: IncidentId,
    pub name: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub assignee_id: Option<UserId>,
    pub assignee_name: Option<String>,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

/// What a task is made of, or becomes.
#[derive(Debug, Clone)]
pub struct TaskText {
    pub name: String,
    pub description: Option<String>,
    pub assignee_id: Option<UserId>,
    pub due_at: Option<Timestamp>,
}

pub fn tasks(tx: &mut Tx, id: &IncidentId) -> Result<Vec<Task>, Error> {
    tx.rows(
        sql!(
            "SELECT t.id, t.incident_id, t.name, t.description, t.status, t.assignee_id, u.name AS assignee_name, t.due_at,
                 t.created_at, t.completed_at
             FROM incident_tasks t LEFT JOIN users u ON u.id = t.assignee_id WHERE t.incident_id = $1 ORDER BY t.id"
        ),
        params![id],
    )
}

/// Tasks of a person that are still to be done, the earliest due first.
pub fn tasks_of(tx: &mut Tx, user_id: &UserId) -> Result<Vec<Task>, Error> {
    tx.rows(
        sql!(
            "SELECT t.id, t.incident_id, t.name, t.description, t.status, t.assignee_id, u.name AS assignee_name, t.due_at,
                 t.created_at, t.completed_at
             FROM incident_tasks t LEFT JOIN users u ON u.id = t.assignee_id
             WHERE t.assignee_id = $1 AND t.status = 'todo' ORDER BY CASE WHEN t.due_at IS NULL THEN 1 ELSE 0 END, t.due_at, t.id
             LIMIT 100"
        ),
        params![user_id],
    )
}

pub fn add_task(change: &mut Change, id: &IncidentId, text: &TaskText) -> Result<TaskId, Problem> {
    load(change, id)?;
    check_assignee(change, text.assignee_id.as_ref())?;
    let task_id: TaskId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO incident_tasks (id, incident_id, name, description, status, assignee_id, due_at, created_by, created_at)
             VALUES ($1, $2, $3, $4, 'todo', $5, $6, $7, $8)"
        ),
        params![
            &task_id,
            id,
            &text.name,
            text.description.as_deref(),
            text.assignee_id.as_ref(),
            text.due_at,
            change.agent.id.as_deref(),
            change.now
        ],
    )?;
    let sentence = format!("{} added a task: {}", change.agent.name, text.name);
    change.record(NewEntry::new(Kind::TaskAdded, id, sentence).details(json!({ "task_id": task_id })))?;
    Ok(task_id)
}

/// Changes a task, or ends it.
pub fn change_task(
    change: &mut Change,
    id: &IncidentId,
    task_id: &TaskId,
    text: &TaskText,
    status: TaskStatus,
) -> Result<(), Problem> {
    let before = tasks(change.tx, id)?
        .into_iter()
        .find(|task| task.id == *task_id)
        .ok_or_else(|| Problem::not_found("The task"))?;
    check_assignee(change, text.assignee_id.as_ref())?;
    let completed_at = match status {
        TaskStatus::Done => before.completed_at.or(Some(change.now)),
        TaskStatus::Todo => None,
    };
    change.tx.execute_one(
        sql!(
            "UPDATE incident_tasks SET name = $2, description = $3, assignee_id = $4, due_at = $5, status = $6, completed_at = $7
             WHERE id = $1"
        ),
        params![
            task_id,
            &text.name,
            text.description.as_deref(),
            text.assignee_id.as_ref(),
            text.due_at,
            status,
            completed_at
        ],
    )?;
    let (kind, verb) = match (before.status, status) {
        (TaskStatus::Todo, TaskStatus::Done) => (Kind::TaskCompleted, "finished a task"),
        _ => (Kind::TaskChanged, "changed a task"),
    };
    let sentence = format!("{} {verb}: {}", change.agent.name, text.name);
    change.record(NewEntry::new(kind, id, sentence).details(json!({ "task_id": task_id })))?;
    Ok(())
}

fn check_assignee(change: &mut Change, assignee: Option<&UserId>) -> Result<(), Problem> {
    let Some(user_id) = assignee else { return Ok(()) };
    match crate::people::store::find_user(change.tx, user_id)? {
        Some(user) if user.deleted_at.is_none() => Ok(()),
        _ => Err(Problem::refused(2013, "assignee was not found.")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponderState {
    Pending,
    Joined,
    Declined,
    /// The request was taken back before they answered.
    UserCancelled,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Responder {
    pub incident_id: IncidentId,
    pub user_id: UserId,
    pub user_name: String,
    pub state: ResponderState,
    pub requester_id: Option<UserId>,
    pub message: String,
    pub requested_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct ResponderRequest {
    pub id: ResponderRequestId,
    pub incident_id: IncidentId,
    pub requester_id: Option<UserId>,
    pub message: String,
    #[row(json)]
    pub targets: Vec<RequestTarget>,
    pub requested_at: Timestamp,
}

pub fn responders(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<Responder>, Error> {
    tx.rows(
        sql!(
            "SELECT r.incident_id, r.user_id, u.name AS user_name, r.state, r.requester_id, r.message, r.requested_at, r.updated_at
             FROM incident_responders r JOIN users u ON u.id = r.user_id
             WHERE r.incident_id = ANY($1) ORDER BY r.requested_at, r.user_id"
        ),
        params![store::Value::texts(ids.iter().map(IncidentId::as_str))],
    )
}

/// Open incidents that somebody was asked to join and has not answered.
pub fn asked_to_join(tx: &mut Tx, user_id: &UserId, limit: i64) -> Result<Vec<Responder>, Error> {
    tx.rows(
        sql!(
            "SELECT r.incident_id, r.user_id, u.name AS user_name, r.state, r.requester_id, r.message, r.requested_at, r.updated_at
             FROM incident_responders r JOIN incidents i ON i.id = r.incident_id
             JOIN users u ON u.id = COALESCE(r.requester_id, r.user_id)
             WHERE r.user_id = $1 AND r.state = 'pending' AND i.status <> 'resolved' ORDER BY r.requested_at LIMIT $2"
        ),
        params![user_id, limit],
    )
}

/// Those among the incidents in which somebody holds a role or which they have been given. That an incident is over
/// releases nobody: a promise made to its customers still stands.
pub fn concerning(tx: &mut Tx, user_id: &UserId, among: &[IncidentId]) -> Result<Vec<IncidentId>, Error> {
    let rows: Vec<(IncidentId,)> = tx.rows(
        sql!(
            "SELECT i.id FROM incidents i WHERE i.id = ANY($2) AND (
                 i.id IN (SELECT r.incident_id FROM incident_roles r WHERE r.user_id = $1)
                 OR i.id IN (SELECT a.incident_id FROM incident_assignments a WHERE a.user_id = $1))
             ORDER BY i.id"
        ),
        params![user_id, store::Value::texts(among.iter().map(IncidentId::as_str))],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub fn responder_requests(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<ResponderRequest>, Error> {
    tx.rows(
        sql!(
            "SELECT id, incident_id, requester_id, message, targets, requested_at
             FROM responder_requests WHERE incident_id = ANY($1) ORDER BY id"
        ),
        params![store::Value::texts(ids.iter().map(IncidentId::as_str))],
    )
}

/// Whom a request to join is made to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestTarget {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub summary: String,
    /// Those who were asked because of it.
    #[serde(default)]
    pub people: Vec<UserId>,
}

impl RequestTarget {
    /// Whether somebody was asked because of this target.
    pub fn asked(&self, user_id: &UserId) -> bool {
        self.people.contains(user_id) || self.id == user_id.as_str()
    }
}

/// Asks people to join: those named, and those on call on the first level of the policies named.
pub fn request_responders(
    change: &mut Change,
    id: &IncidentId,
    requester_id: Option<UserId>,
    message: &str,
    mut targets: Vec<RequestTarget>,
) -> Result<ResponderRequest, Problem> {
    if load(change, id)?.status == Status::Resolved {
        return Err(Problem::refused(
            1001,
            "Incident Already Resolved: nobody would be paged. Reopen it first, or ask them in another way.",
        ));
    }
    for target in &mut targets {
        target.people = people_of(change, target)?;
    }
    let request = ResponderRequest {
        id: change.identifier(),
        incident_id: id.clone(),
        requester_id,
        message: message.to_owned(),
        targets,
        requested_at: change.now,
    };
    change.tx.execute(
        sql!(
            "INSERT INTO responder_requests (id, incident_id, requester_id, message, targets, requested_at)
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            &request.id,
            id,
            request.requester_id.as_ref(),
            message,
            store::Value::json(&request.targets)?,
            change.now
        ],
    )?;
    let mut asked = Vec::new();
    for user_id in request.targets.iter().flat_map(|target| &target.people) {
        if asked.contains(&user_id) {
            continue;
        }
        ask(change, &request, user_id)?;
        asked.push(user_id);
    }
    let names: Vec<&str> = request
        .targets
        .iter()
        .map(|target| target.summary.as_str())
        .collect();
    let text = format!("{} asked {} to join", change.agent.name, names.join(", "));
    change.record(
        NewEntry::new(Kind::ResponderRequested, id, text)
            .details(json!({ "asked": asked, "message": message })),
    )?;
    Ok(request)
}

fn ask(change: &mut Change, request: &ResponderRequest, user_id: &UserId) -> Result<(), Problem> {
    change.tx.execute(
        sql!(
            "INSERT INTO incident_responders (incident_id, user_id, state, requester_id, request_id, message, requested_at, updated_at)
             VALUES ($1, $2, 'pending', $3, $4, $5, $6, $6)
             ON CONFLICT (incident_id, user_id) DO UPDATE SET
                 state = CASE WHEN incident_responders.state = 'joined' THEN 'joined' ELSE 'pending' END,
                 requested_at = CASE WHEN incident_responders.state = 'joined' THEN incident_responders.requested_at
                                     ELSE excluded.requested_at END,
                 message = excluded.message, request_id = excluded.request_id, updated_at = excluded.updated_at"
        ),
        params![
            &request.incident_id,
            user_id,
            request.requester_id.as_ref(),
            &request.id,
            &request.message,
            change.now
        ],
    )?;
    Ok(())
}

fn people_of(change: &mut Change, target: &RequestTarget) -> Result<Vec<UserId>, Problem> {
    let now = change.now;
    if target.kind == "user" {
        let user_id = UserId::from(target.id.as_str());
        return match crate::people::store::find_user(change.tx, &user_id)? {
            Some(user) if user.deleted_at.is_none() => Ok(vec![user_id]),
            _ => Err(Problem::refused(
                2013,
                "responder_request_targets: the person was not found.",
            )),
        };
    }
    let policy_id = crate::oncall::EscalationPolicyId::from(target.id.as_str());
    let policy = crate::oncall::load_policy(change.tx, &policy_id)?.ok_or_else(|| {
        Problem::refused(
            1014,
            "responder_request_targets: the escalation policy was not found.",
        )
    })?;
    match policy.rules.first() {
        Some(rule) => Ok(crate::oncall::people_on_call(change.tx, &rule.targets, now)?),
        None => Ok(Vec::new()),
    }
}

/// Takes requests to join back from those who have not answered: all of them, or those whom `targets` name.
pub fn cancel_requests(
    change: &mut Change,
    id: &IncidentId,
    targets: Option<&[RequestTarget]>,
) -> Result<(), Problem> {
    load(change, id)?;
    let ids = std::slice::from_ref(id);
    let requests = responder_requests(change.tx, ids)?;
    let is_meant = |user_id: &UserId| match targets {
        None => true,
        Some(targets) => targets.iter().any(|target| {
            let requested = requests.iter().flat_map(|request| &request.targets);
            target.id == user_id.as_str()
                || requested
                    .filter(|known| known.id == target.id)
                    .any(|known| known.asked(user_id))
        }),
    };
    let released: Vec<Responder> = responders(change.tx, ids)?
        .into_iter()
        .filter(|one| one.state == ResponderState::Pending && is_meant(&one.user_id))
        .collect();
    for one in &released {
        change.tx.execute_one(
            sql!("UPDATE incident_responders SET state = $3, updated_at = $4 WHERE incident_id = $1 AND user_id = $2"),
            params![id, &one.user_id, ResponderState::UserCancelled, change.now],
        )?;
    }
    if released.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = released.iter().map(|one| one.user_name.as_str()).collect();
    let text = format!(
        "{} took back the request to join from {}",
        change.agent.name,
        names.join(", ")
    );
    let people: Vec<&UserId> = released.iter().map(|one| &one.user_id).collect();
    change.record(
        NewEntry::new(Kind::ResponderReplied, id, text)
            .details(json!({ "state": ResponderState::UserCancelled, "user_ids": people })),
    )?;
    Ok(())
}

/// Somebody who was asked says yes or no.
pub fn reply_to_request(
    change: &mut Change,
    id: &IncidentId,
    user_id: &UserId,
    state: ResponderState,
) -> Result<(), Problem> {
    let verb = match state {
        ResponderState::Joined => "joined",
        ResponderState::Declined => "cannot join",
        ResponderState::Pending => "has not decided yet",
        ResponderState::UserCancelled => {
            return Err(Problem::invalid(["state must be joined or declined."]));
        }
    };
    let changed = change.tx.execute(
        sql!("UPDATE incident_responders SET state = $3, updated_at = $4 WHERE incident_id = $1 AND user_id = $2"),
        params![id, user_id, state, change.now],
    )?;
    if changed == 0 {
        return Err(Problem::not_found("The request to join"));
    }
    let text = format!("{} {verb}", change.agent.name);
    change.record(
        NewEntry::new(Kind::ResponderReplied, id, text)
            .details(json!({ "state": state, "user_id": user_id })),
    )?;
    Ok(())
}
