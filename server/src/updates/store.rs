//! The rows of updates.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::checker::InternalNames;
use super::model::{AudienceId, Update, UpdateId, UpdateState};
use crate::http::Page;
use crate::incidents::{Incident, IncidentId};
use crate::timeline::Change;
use crate::words::PublicText;

const COLUMNS: &str = "u.id, u.incident_id, u.audience_id, u.state, u.phase, u.subject, u.words, u.public_subject, u.public_words,
    u.edited, u.facts_revision, u.next_update_by, u.approved_by, u.approved_at, u.published_by_id, u.published_by_name,
    u.published_at, u.created_at, u.updated_at";

pub fn find(tx: &mut Tx, id: &UpdateId) -> Result<Option<Update>, Error> {
    tx.row(
        sql!("SELECT ", COLUMNS, " FROM updates u WHERE u.id = $1"),
        params![id],
    )
}

/// What is being written for an audience about an incident.
pub fn open_draft(
    tx: &mut Tx,
    incident_id: &IncidentId,
    audience_id: &AudienceId,
) -> Result<Option<Update>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM updates u WHERE u.incident_id = $1 AND u.audience_id = $2 AND u.state IN ('draft', 'approved')"
        ),
        params![incident_id, audience_id],
    )
}

/// What an audience was told last.
pub fn last_published(
    tx: &mut Tx,
    incident_id: &IncidentId,
    audience_id: &AudienceId,
) -> Result<Option<Update>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM updates u WHERE u.incident_id = $1 AND u.audience_id = $2 AND u.state = 'published'
             ORDER BY u.published_at DESC, u.id DESC LIMIT 1"
        ),
        params![incident_id, audience_id],
    )
}

/// Updates of an incident, the newest first.
pub fn of_incident(tx: &mut Tx, incident_id: &IncidentId, page: Page) -> Result<Vec<Update>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM updates u WHERE u.incident_id = $incident ORDER BY u.id DESC LIMIT $limit OFFSET $offset"
    )
    .bind("incident", incident_id)
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_of_incident(tx: &mut Tx, incident_id: &IncidentId) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM updates WHERE incident_id = $1"),
        params![incident_id],
    )?;
    Ok(count)
}

/// What the public was told about an incident, the newest first.
#[derive(Debug, Clone, store::FromRow)]
pub struct PublicWord {
    pub update_id: UpdateId,
    pub incident_id: IncidentId,
    pub phase: super::Phase,
    pub public_subject: PublicText,
    pub public_words: PublicText,
    pub next_update_by: Option<Timestamp>,
    pub published_at: Timestamp,
    /// The zone of the times in these words.
    pub time_zone: Option<String>,
}

/// What the public was told by one update.
pub fn public_word(tx: &mut Tx, id: &UpdateId) -> Result<Option<PublicWord>, Error> {
    tx.row(
        sql!(
            "SELECT u.id AS update_id, u.incident_id, u.phase, u.public_subject, u.public_words, u.next_update_by, u.published_at,
                 (SELECT a.time_zone FROM audiences a WHERE a.id = u.audience_id) AS time_zone
             FROM updates u WHERE u.id = $1 AND u.state = 'published' AND u.public_words IS NOT NULL"
        ),
        params![id],
    )
}

/// Everything the public was told about incidents, the newest first.
pub fn public_words(tx: &mut Tx, incident_ids: &[IncidentId]) -> Result<Vec<PublicWord>, Error> {
    tx.rows(
        sql!(
            "SELECT u.id AS update_id, u.incident_id, u.phase, u.public_subject, u.public_words, u.next_update_by, u.published_at,
                 (SELECT a.time_zone FROM audiences a WHERE a.id = u.audience_id) AS time_zone
             FROM updates u WHERE u.incident_id = ANY($1) AND u.state = 'published' AND u.public_words IS NOT NULL
             ORDER BY u.published_at DESC, u.id DESC"
        ),
        params![Value::texts(incident_ids.iter().map(IncidentId::as_str))],
    )
}

/// Words that a person has put into a draft for an audience that asks for an approval, and that nobody has
/// approved yet.
#[derive(Debug, Clone, store::FromRow)]
pub struct Unapproved {
    pub incident_id: IncidentId,
    pub audience_id: AudienceId,
    pub audience_name: String,
    pub subject: String,
    pub updated_at: Timestamp,
}

/// What waits for an approval about open incidents, the longest waiting first.
pub fn unapproved(tx: &mut Tx, limit: i64) -> Result<Vec<Unapproved>, Error> {
    tx.rows(
        sql!(
            "SELECT u.incident_id, u.audience_id, a.name AS audience_name, u.subject, u.updated_at
             FROM updates u JOIN audiences a ON a.id = u.audience_id JOIN incidents i ON i.id = u.incident_id
             WHERE u.state = 'draft' AND u.edited = $2 AND a.approval = 'required' AND a.deleted_at IS NULL
               AND i.status <> 'resolved'
             ORDER BY u.updated_at, u.id LIMIT $1"
        ),
        params![limit, true],
    )
}

pub fn insert(change: &mut Change, update: &Update) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "INSERT INTO updates (id, incident_id, audience_id, state, phase, subject, words, edited, facts_revision,
                 next_update_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)"
        ),
        params![
            &update.id,
            &update.incident_id,
            &update.audience_id,
            update.state,
            update.phase,
            &update.subject,
            &update.words,
            update.edited,
            update.facts_revision,
            update.next_update_by,
            change.now
        ],
    )?;
    Ok(())
}

/// Writes what a draft says now; who approved it goes with the words.
pub fn save_draft(change: &mut Change, update: &Update) -> Result<(), Error> {
    change.tx.execute_one(
        sql!(
            "UPDATE updates SET state = $2, phase = $3, subject = $4, words = $5, edited = $6, facts_revision = $7,
                 next_update_by = $8, approved_by = $9, approved_at = $10, updated_at = $11
             WHERE id = $1 AND state IN ('draft', 'approved')"
        ),
        params![
            &update.id,
            update.state,
            update.phase,
            &update.subject,
            &update.words,
            update.edited,
            update.facts_revision,
            update.next_update_by,
            update.approved_by.as_ref(),
            update.approved_at,
            change.now
        ],
    )
}

/// Writes that a draft has gone out. Public words are written here and never again.
pub fn save_published(
    change: &mut Change,
    update: &Update,
    public: Option<(&PublicText, &PublicText)>,
) -> Result<(), Error> {
    let (subject, words) = public.unzip();
    change.tx.execute_one(
        sql!(
            "UPDATE updates SET state = 'published', public_subject = $2, public_words = $3, published_by_id = $4,
                 published_by_name = $5, published_at = $6, updated_at = $6
             WHERE id = $1 AND state IN ('draft', 'approved')"
        ),
        params![
            &update.id,
            subject,
            words,
            change.agent.id.as_deref(),
            &change.agent.name,
            change.now
        ],
    )
}

pub fn drop_draft(change: &mut Change, id: &UpdateId) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "UPDATE updates SET state = $2, updated_at = $3 WHERE id = $1 AND state IN ('draft', 'approved')"
        ),
        params![id, UpdateState::Dropped, change.now],
    )?;
    Ok(())
}

/// Whether anything was ever written about an incident.
pub fn any(tx: &mut Tx, incident_id: &IncidentId) -> Result<bool, Error> {
    Ok(count_of_incident(tx, incident_id)? > 0)
}

/// Names that must not reach the public: of services, of people, of the machines that raised the alarm.
pub fn internal_names(
    tx: &mut Tx,
    incident: &Incident,
    touchpoints: Vec<String>,
) -> Result<InternalNames, Error> {
    let services: Vec<(String,)> = tx.rows(
        sql!("SELECT name FROM services WHERE deleted_at IS NULL ORDER BY id LIMIT 5000"),
        params![],
    )?;
    let people: Vec<(String,)> = tx.rows(
        sql!("SELECT name FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT 5000"),
        params![],
    )?;
    let hosts: Vec<(String,)> = tx.rows(
        sql!("SELECT DISTINCT source FROM alerts WHERE incident_id = $1 ORDER BY source LIMIT 500"),
        params![&incident.id],
    )?;
    let flat = |rows: Vec<(String,)>| rows.into_iter().map(|(name,)| name).collect();
    Ok(InternalNames {
        services: flat(services),
        people: flat(people),
        hosts: flat(hosts),
        touchpoints,
        public_hosts: Vec::new(),
    })
}
