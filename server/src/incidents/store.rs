//! The rows of incidents.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::model::{Acknowledgement, AlertCounts, Assignment, Incident, IncidentId, Status, Urgency};
use crate::http::Page;
use crate::http::listing::Direction;
use crate::people::UserId;
use crate::services::ServiceId;
use crate::timeline::AgentKind;

/// The columns of [`Incident`], in the order of its fields.
pub(super) const COLUMNS: &str = "i.id, i.number, i.title, i.status, i.urgency, i.origin, i.incident_key, i.incident_type, i.body,
    i.service_id, i.escalation_policy_id, i.priority_id, i.assigned_via, i.escalation_rules, i.escalation_level,
    i.escalation_loop, i.created_at, i.updated_at, i.acknowledged_at, i.resolved_at, i.snoozed_until,
    i.last_status_change_at, i.last_status_change_by_type, i.last_status_change_by_id, i.last_alert_at,
    i.merged_into_id, i.conference_number, i.conference_url";

/// Incidents that may have been merged one into the other, one after the other.
const MOST_MERGES: usize = 20;

/// The incident that stands for this one: itself, or the one that it became part of.
pub fn standing_for(tx: &mut Tx, id: &IncidentId) -> Result<Option<Incident>, Error> {
    let mut found = find(tx, id)?;
    for _ in 0..MOST_MERGES {
        match found
            .as_ref()
            .and_then(|incident| incident.merged_into_id.clone())
        {
            Some(into) => found = find(tx, &into)?,
            None => break,
        }
    }
    Ok(found)
}

pub fn find(tx: &mut Tx, id: &IncidentId) -> Result<Option<Incident>, Error> {
    query!("SELECT ", COLUMNS, " FROM incidents i WHERE i.id = $id")
        .bind("id", id)
        .rows(tx)
        .map(|mut rows: Vec<Incident>| rows.pop())
}

/// The incident as it stands, for a transaction that goes by its state: it stays so until that ends.
pub fn hold(tx: &mut Tx, id: &IncidentId) -> Result<Option<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i WHERE i.id = $id FOR NO KEY UPDATE"
    )
    .bind("id", id)
    .rows(tx)
    .map(|mut rows: Vec<Incident>| rows.pop())
}

/// Whether an incident is open; if it is, it stays so until the end of the transaction.
pub fn hold_open(tx: &mut Tx, id: &IncidentId) -> Result<bool, Error> {
    let rows: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT id FROM incidents WHERE id = $1 AND status IN ('triggered', 'acknowledged') FOR NO KEY UPDATE"
        ),
        params![id],
    )?;
    Ok(!rows.is_empty())
}

/// The open incidents of a service that are not urgent, in the order of their ids, for a transaction that goes by their state.
pub fn hold_quiet_of(tx: &mut Tx, service_id: &ServiceId) -> Result<Vec<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i WHERE i.service_id = $service AND i.status IN ('triggered', 'acknowledged') AND i.urgency = 'low'
          ORDER BY i.id FOR NO KEY UPDATE"
    )
    .bind("service", service_id)
    .rows(tx)
}

/// The next open incidents that are not urgent and that nothing makes so, although their service has scheduled actions.
pub fn without_rise(tx: &mut Tx, after: &IncidentId, limit: i64) -> Result<Vec<IncidentId>, Error> {
    let rows: Vec<(IncidentId,)> = tx.rows(
        sql!(
            "SELECT i.id FROM incidents i JOIN services s ON s.id = i.service_id
             WHERE i.id > $1 AND i.status IN ('triggered', 'acknowledged') AND i.urgency = 'low'
                 AND s.deleted_at IS NULL AND s.scheduled_actions <> '[]'
                 AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.unique_key = 'urgency_change_due:' || i.id)
             ORDER BY i.id LIMIT $2"
        ),
        params![after, limit],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// An incident by the number people read aloud.
pub fn find_by_number(tx: &mut Tx, number: i64) -> Result<Option<Incident>, Error> {
    query!("SELECT ", COLUMNS, " FROM incidents i WHERE i.number = $number")
        .bind("number", number)
        .rows(tx)
        .map(|mut rows: Vec<Incident>| rows.pop())
}

/// Everything open, the newest first; bounded.
pub fn open(tx: &mut Tx, limit: i64) -> Result<Vec<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i WHERE i.status IN ('triggered', 'acknowledged') ORDER BY i.id DESC LIMIT $limit"
    )
    .bind("limit", limit)
    .rows(tx)
}

/// Whether there ever was an incident.
pub fn any(tx: &mut Tx) -> Result<bool, Error> {
    let first: Option<(i64,)> = tx.row(sql!("SELECT number FROM incidents LIMIT 1"), params![])?;
    Ok(first.is_some())
}

/// Incidents by id, in the order of their age.
pub fn find_all(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i WHERE i.id = ANY($ids) ORDER BY i.id"
    )
    .bind("ids", Value::texts(ids.iter().map(IncidentId::as_str)))
    .rows(tx)
}

/// Open incidents that somebody has been given and not acknowledged, the longest waiting first.
pub fn unacknowledged_of(tx: &mut Tx, user_id: &UserId, limit: i64) -> Result<Vec<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i JOIN incident_assignments a ON a.incident_id = i.id
          WHERE a.user_id = $user AND i.status = 'triggered'
          ORDER BY CASE i.urgency WHEN 'high' THEN 0 ELSE 1 END, i.id LIMIT $limit"
    )
    .bind("user", user_id)
    .bind("limit", limit)
    .rows(tx)
}

/// Triggered incidents that nobody has been given, among the newest `among` triggered ones; the oldest first.
pub fn of_nobody(tx: &mut Tx, among: i64, limit: i64) -> Result<Vec<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i WHERE i.id IN (SELECT t.id FROM incidents t WHERE t.status = 'triggered' ORDER BY t.id DESC LIMIT $among)
            AND NOT EXISTS (SELECT 1 FROM incident_assignments a WHERE a.incident_id = i.id)
          ORDER BY i.id LIMIT $limit"
    )
    .bind("among", among)
    .bind("limit", limit)
    .rows(tx)
}

/// Urgent incidents that are triggered still after their escalation policy has come to its end, among the newest `among`
/// triggered ones; the oldest first. Those that nobody was given are not among them.
pub fn unanswered(tx: &mut Tx, among: i64, limit: i64) -> Result<Vec<Incident>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i WHERE i.id IN (SELECT t.id FROM incidents t WHERE t.status = 'triggered' ORDER BY t.id DESC LIMIT $among)
            AND i.urgency = 'high' AND i.assigned_via = 'escalation_policy'
            AND EXISTS (SELECT 1 FROM incident_assignments a WHERE a.incident_id = i.id)
            AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.subject = i.id AND j.kind = 'escalation_due')
          ORDER BY i.id LIMIT $limit"
    )
    .bind("among", among)
    .bind("limit", limit)
    .rows(tx)
}

/// Whether a person was the last to say how urgent an incident is.
pub fn has_urgency_by_hand(tx: &mut Tx, id: &IncidentId) -> Result<bool, Error> {
    let last: Option<(AgentKind,)> = tx.row(
        sql!(
            "SELECT agent_type FROM timeline_entries WHERE incident_id = $1 AND kind = 'urgency_changed'
             ORDER BY id DESC LIMIT 1"
        ),
        params![id],
    )?;
    Ok(last.is_some_and(|(kind,)| kind == AgentKind::User))
}

/// How many open incidents somebody has been asked to acknowledge.
pub fn count_unacknowledged_of(tx: &mut Tx, user_id: &UserId) -> Result<i64, Error> {
    let (count,): (i64,) = query!(
        "SELECT COUNT(*) FROM incidents i JOIN incident_assignments a ON a.incident_id = i.id
          WHERE a.user_id = $user AND i.status = 'triggered'"
    )
    .bind("user", user_id)
    .one(tx)?;
    Ok(count)
}

/// What a list of incidents is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub statuses: Vec<Status>,
    pub urgencies: Vec<Urgency>,
    pub service_ids: Vec<String>,
    pub team_ids: Vec<String>,
    pub priority_ids: Vec<String>,
    pub user_ids: Vec<String>,
    pub incident_key: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// The number people read aloud.
    pub number: Option<i64>,
    /// Part of the title.
    pub words: Option<String>,
    /// Only so many of the newest are looked at.
    pub latest: Option<i64>,
    pub order: Order,
}

/// By what a list is sorted. No two incidents were opened at once, so their age decides at last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    pub first: Standing,
    pub second: Standing,
    pub age: Direction,
}

impl Order {
    pub const NEWEST: Self = Self {
        first: Standing::Equal,
        second: Standing::Equal,
        age: Direction::Descending,
    };
}

/// What many incidents may have in common; who has no such time stands at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, store::TextEnum)]
pub enum Standing {
    #[default]
    Equal,
    ResolvedFirst,
    ResolvedLast,
    UrgentFirst,
    UrgentLast,
}

const NARROWED: &str = " WHERE i.number > $zero
      {AND i.status = ANY($statuses)}
      {AND i.urgency = ANY($urgencies)}
      {AND i.service_id = $service}
      {AND i.service_id = ANY($services)}
      {AND i.escalation_policy_id IN (SELECT t.escalation_policy_id FROM escalation_policy_teams t WHERE t.team_id = ANY($teams))}
      {AND i.priority_id = ANY($priorities)}
      {AND i.id IN (SELECT a.incident_id FROM incident_assignments a WHERE a.user_id = ANY($users))}
      {AND (i.incident_key = $key OR i.id IN (SELECT k.incident_id FROM alerts k WHERE k.alert_key = $key))}
      {AND i.number = $number}
      {AND i.title ILIKE $words ESCAPE '!'}
      {AND i.id >= (SELECT l.id FROM incidents l
          WHERE l.number > (SELECT MAX(m.number) FROM incidents m) - $latest ORDER BY l.number LIMIT 1)}
      {AND i.created_at >= $since}
      {AND i.created_at < $until}";

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    let some = |list: &[String]| (!list.is_empty()).then(|| Value::texts(list));
    // One service is said as one: its index then gives the newest first, however many incidents it has had.
    let (service, services) = match sought.service_ids.as_slice() {
        [one] => (Some(one.as_str()), None),
        several => (None, some(several)),
    };
    query
        .bind("zero", 0_i64)
        .bind_optional("statuses", texts(sought.statuses.iter().map(Status::as_text)))
        .bind_optional("urgencies", texts(sought.urgencies.iter().map(Urgency::as_text)))
        .bind_optional("service", service)
        .bind_optional("services", services)
        .bind_optional("teams", some(&sought.team_ids))
        .bind_optional("priorities", some(&sought.priority_ids))
        .bind_optional("users", some(&sought.user_ids))
        .bind_optional("key", sought.incident_key.as_deref())
        .bind_optional("number", sought.number)
        .bind_optional(
            "words",
            sought.words.as_deref().map(crate::http::listing::anywhere),
        )
        .bind_optional("latest", sought.latest)
        .bind_optional("since", sought.since)
        .bind_optional("until", sought.until)
}

fn texts<'t>(list: impl Iterator<Item = &'t str>) -> Option<Value> {
    let list: Vec<&str> = list.collect();
    (!list.is_empty()).then(|| Value::texts(list))
}

/// A page of incidents.
pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<Vec<Incident>, Error> {
    let listed = query!(
        "SELECT ",
        COLUMNS,
        " FROM incidents i ",
        NARROWED,
        " ORDER BY {first=equal: } {first=resolved_first: i.resolved_at NULLS LAST,}
            {first=resolved_last: i.resolved_at DESC NULLS LAST,}
            {first=urgent_first: i.urgency,} {first=urgent_last: i.urgency DESC,}
            {second=equal: } {second=resolved_first: i.resolved_at NULLS LAST,}
            {second=resolved_last: i.resolved_at DESC NULLS LAST,}
            {second=urgent_first: i.urgency,} {second=urgent_last: i.urgency DESC,}
            {age=oldest: i.id} {age=newest: i.id DESC}
          LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, sought)
        .choose("first", sought.order.first.as_text())
        .choose("second", sought.order.second.as_text())
        .choose(
            "age",
            match sought.order.age {
                Direction::Ascending => "oldest",
                Direction::Descending => "newest",
            },
        )
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, sought: &Sought) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(query!("SELECT COUNT(*) FROM incidents i ", NARROWED), sought).one(tx)?;
    Ok(count)
}

/// How many are open, by status: the first words of the situation bar.
pub fn count_open(tx: &mut Tx) -> Result<(i64, i64), Error> {
    let rows: Vec<(Status, i64)> = tx.rows(
        sql!("SELECT status, COUNT(*) FROM incidents WHERE status IN ('triggered', 'acknowledged') GROUP BY status"),
        params![],
    )?;
    let of = |wanted| {
        rows.iter()
            .find(|(status, _)| *status == wanted)
            .map_or(0, |(_, count)| *count)
    };
    Ok((of(Status::Triggered), of(Status::Acknowledged)))
}

pub fn assignments(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<Assignment>, Error> {
    tx.rows(
        sql!(
            "SELECT a.incident_id, a.user_id, u.name AS user_name, a.at
             FROM incident_assignments a JOIN users u ON u.id = a.user_id
             WHERE a.incident_id = ANY($1) ORDER BY a.at, a.user_id"
        ),
        params![Value::texts(ids.iter().map(IncidentId::as_str))],
    )
}

pub fn acknowledgements(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<Acknowledgement>, Error> {
    tx.rows(
        sql!(
            "SELECT k.incident_id, k.acknowledger_type, k.acknowledger_id,
                 COALESCE(u.name, n.name, k.acknowledger_id) AS acknowledger_name, k.at
             FROM incident_acknowledgements k
             LEFT JOIN users u ON u.id = k.acknowledger_id
             LEFT JOIN integrations n ON n.id = k.acknowledger_id
             WHERE k.incident_id = ANY($1) ORDER BY k.at, k.acknowledger_id"
        ),
        params![Value::texts(ids.iter().map(IncidentId::as_str))],
    )
}

pub fn alert_counts(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<(IncidentId, AlertCounts)>, Error> {
    let rows: Vec<(IncidentId, i64, i64)> = tx.rows(
        sql!(
            "SELECT incident_id, COUNT(*), CAST(SUM(CASE WHEN status = 'triggered' THEN 1 ELSE 0 END) AS BIGINT)
             FROM alerts WHERE incident_id = ANY($1) GROUP BY incident_id"
        ),
        params![Value::texts(ids.iter().map(IncidentId::as_str))],
    )?;
    Ok(rows
        .into_iter()
        .map(|(id, all, triggered)| {
            (
                id,
                AlertCounts {
                    all,
                    triggered,
                    resolved: all - triggered,
                },
            )
        })
        .collect())
}

/// Open incidents of a service that an alert might join, the latest first; with what grouping remembers.
pub fn joinable(
    tx: &mut Tx,
    service_id: &crate::services::ServiceId,
    since: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<(IncidentId, serde_json::Value)>, Error> {
    query!(
        "SELECT i.id, i.grouping FROM incidents i
         WHERE i.service_id = $service AND i.status IN ('triggered', 'acknowledged') {AND i.last_alert_at >= $since}
         ORDER BY i.last_alert_at DESC LIMIT $limit"
    )
    .bind("service", service_id)
    .bind_optional("since", since)
    .bind("limit", limit)
    .rows(tx)
}

/// Remembers that an alert joined.
pub fn note_joined(
    tx: &mut Tx,
    id: &IncidentId,
    at: Timestamp,
    profile: &serde_json::Value,
) -> Result<(), Error> {
    tx.send(
        sql!("UPDATE incidents SET last_alert_at = $2, updated_at = $2, grouping = $3 WHERE id = $1"),
        params![id, at, profile.clone()],
    )
}

/// The open incident with this key on a service, if there is one.
pub fn find_open_by_key(
    tx: &mut Tx,
    service_id: &crate::services::ServiceId,
    key: &str,
) -> Result<Option<IncidentId>, Error> {
    let rows: Vec<(IncidentId,)> = tx.rows(
        sql!(
            "SELECT id FROM incidents WHERE incident_key = $2 AND service_id = $1
             AND status IN ('triggered', 'acknowledged') ORDER BY id LIMIT 1"
        ),
        params![service_id, key],
    )?;
    Ok(rows.into_iter().next().map(|(id,)| id))
}

/// Names for references.
pub fn service_names(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM services WHERE id = ANY($1)"),
        params![Value::texts(ids)],
    )
}

pub fn agent_names(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name FROM users WHERE id = ANY($1)
             UNION ALL SELECT id, name FROM integrations WHERE id = ANY($1)"
        ),
        params![Value::texts(ids)],
    )
}

#[derive(Debug, Clone, store::FromRow)]
pub struct PriorityRow {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub color: String,
}

/// All priorities, the most important first.
pub fn priorities(tx: &mut Tx) -> Result<Vec<PriorityRow>, Error> {
    tx.rows(
        sql!("SELECT id, name, description, color FROM priorities ORDER BY position, id"),
        params![],
    )
}
