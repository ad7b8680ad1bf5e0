//! Reports and the versions of their words.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Error, Tx, Value, params, query, sql};
use utoipa::ToSchema;

use super::facts::Facts;
use super::sources::fresh;
use super::words::first_words;
use crate::http::{Page, Problem};
use crate::incidents::{Incident, IncidentId};
use crate::timeline::{Change, Kind, NewEntry};
use crate::updates::headline;

crate::identifier! {
    /// One report.
    ReviewId
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    Draft,
    Published,
}

/// Where a version of the words came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionOrigin {
    Generated,
    Edited,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Review {
    pub id: ReviewId,
    pub incident_id: IncidentId,
    pub title: String,
    pub status: ReviewStatus,
    #[row(json)]
    pub facts: Facts,
    pub facts_revision: i64,
    pub generated_at: Timestamp,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub published_at: Option<Timestamp>,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Version {
    pub number: i64,
    pub origin: VersionOrigin,
    pub body: String,
    pub author_name: String,
    pub facts_revision: i64,
    pub created_at: Timestamp,
}

const COLUMNS: &str = "r.id, r.incident_id, r.title, r.status, r.facts, r.facts_revision, r.generated_at, r.version, r.created_at,
    r.updated_at, r.published_at";

pub fn find(tx: &mut Tx, incident_id: &IncidentId) -> Result<Option<Review>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM reviews r WHERE r.incident_id = $incident"
    )
    .bind("incident", incident_id)
    .rows(tx)
    .map(|mut rows: Vec<Review>| rows.pop())
}

/// A page of reports, the newest first.
pub fn list(tx: &mut Tx, page: Page) -> Result<Vec<Review>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM reviews r ORDER BY r.created_at DESC, r.id DESC LIMIT $limit OFFSET $offset"
    )
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

/// A report in a list: what happened, without the story.
#[derive(Debug, Clone, store::FromRow)]
pub struct Line {
    pub incident_id: IncidentId,
    pub number: i64,
    pub title: String,
    pub status: ReviewStatus,
    pub version: i64,
    pub opened_at: Timestamp,
    /// As the facts have it.
    began_at: Option<String>,
    pub hurt: Option<String>,
    /// Seconds from the beginning; absent while it has not happened.
    pub to_acknowledge: Option<i64>,
    pub to_first_update: Option<i64>,
    pub to_resolve: Option<i64>,
}

impl Line {
    /// The first sign of it.
    pub fn began_at(&self) -> Timestamp {
        let told = self.began_at.as_ref().and_then(|at| at.parse().ok());
        told.unwrap_or(self.opened_at)
    }
}

/// A page of reports without their facts, the newest first.
pub fn lines(tx: &mut Tx, page: Page) -> Result<Vec<Line>, Error> {
    tx.rows(
        sql! {
            sqlite: "SELECT r.incident_id, i.number, r.title, r.status, r.version, i.created_at AS opened_at,
                         json_extract(r.facts, '$.began_at') AS began_at,
                         json_extract(r.facts, '$.hurt') AS hurt,
                         json_extract(r.facts, '$.seconds.to_acknowledge') AS to_acknowledge,
                         json_extract(r.facts, '$.seconds.to_first_update') AS to_first_update,
                         json_extract(r.facts, '$.seconds.to_resolve') AS to_resolve
                     FROM reviews r JOIN incidents i ON i.id = r.incident_id
                     ORDER BY r.created_at DESC, r.id DESC LIMIT $1 OFFSET $2",
            postgres: "SELECT r.incident_id, i.number, r.title, r.status, r.version, i.created_at AS opened_at,
                         r.facts ->> 'began_at' AS began_at,
                         r.facts ->> 'hurt' AS hurt,
                         CAST(r.facts #>> '{seconds,to_acknowledge}' AS BIGINT) AS to_acknowledge,
                         CAST(r.facts #>> '{seconds,to_first_update}' AS BIGINT) AS to_first_update,
                         CAST(r.facts #>> '{seconds,to_resolve}' AS BIGINT) AS to_resolve
                     FROM reviews r JOIN incidents i ON i.id = r.incident_id
                     ORDER BY r.created_at DESC, r.id DESC LIMIT $1 OFFSET $2"
        },
        params![page.rows_to_read(), page.offset],
    )
}

pub fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM reviews"), params![])?;
    Ok(count)
}

/// Every version of the words, the oldest first.
pub fn versions(tx: &mut Tx, id: &ReviewId) -> Result<Vec<Version>, Error> {
    tx.rows(
        sql!(
            "SELECT number, origin, body, author_name, facts_revision, created_at FROM review_versions
             WHERE review_id = $1 ORDER BY number"
        ),
        params![id],
    )
}

pub fn version(tx: &mut Tx, id: &ReviewId, number: i64) -> Result<Option<Version>, Error> {
    tx.row(
        sql!(
            "SELECT number, origin, body, author_name, facts_revision, created_at FROM review_versions
             WHERE review_id = $1 AND number = $2"
        ),
        params![id, number],
    )
}

/// Writes the report of an incident, or brings its facts up to date. Words that a person edited stay.
pub fn generate(change: &mut Change, incident: &Incident) -> Result<Review, Problem> {
    let facts = fresh(change.tx, incident)?;
    match find(change.tx, &incident.id)? {
        None => write_first(change, incident, &facts)?,
        Some(review) if unchanged(&review.facts, &facts) => return Ok(review),
        Some(review) => renew(change, incident, &review, &facts)?,
    }
    find(change.tx, &incident.id)?.ok_or_else(|| Problem::not_found("The report"))
}

/// A report's own entries on the timeline do not make it another report.
fn unchanged(known: &Facts, fresh: &Facts) -> bool {
    let without_own = |facts: &Facts| {
        let mut facts = facts.clone();
        let own = [Kind::ReviewWritten, Kind::ReviewEdited, Kind::ReviewPublished];
        facts.timeline.retain(|line| !own.contains(&line.kind));
        facts.people.clear();
        facts.lanes.people.clear();
        facts
    };
    without_own(known) == without_own(fresh)
}

/// What customers felt, in a sentence.
fn felt(tx: &mut Tx, incident: &Incident) -> Result<Option<String>, Error> {
    let mut headlines = headline::of(tx, std::slice::from_ref(incident))?;
    let felt = headlines
        .remove(&incident.id)
        .and_then(|headline| headline.felt.into_iter().next());
    Ok(felt.filter(|words| !words.trim().is_empty()))
}

fn write_first(change: &mut Change, incident: &Incident, facts: &Facts) -> Result<(), Problem> {
    let id: ReviewId = change.identifier();
    let felt = felt(change.tx, incident)?;
    change.tx.execute(
        sql!(
            "INSERT INTO reviews (id, incident_id, title, generated_title, status, facts, facts_revision, generated_at, version,
                 created_at, updated_at)
             VALUES ($1, $2, $3, $3, 'draft', $4, 1, $5, 0, $5, $5)"
        ),
        params![&id, &incident.id, felt.as_deref().unwrap_or(&incident.title), Value::json(facts)?, change.now],
    )?;
    let words = first_words(incident, felt.as_deref(), facts);
    add_version(change, &id, 1, 1, VersionOrigin::Generated, &words)?;
    let text = "Wrote the first version of the report";
    change.record(NewEntry::new(Kind::ReviewWritten, &incident.id, text))?;
    Ok(())
}

fn renew(change: &mut Change, incident: &Incident, review: &Review, facts: &Facts) -> Result<(), Problem> {
    let revision = review.facts_revision + 1;
    change.tx.execute_one(
        sql!(
            "UPDATE reviews SET facts = $2, facts_revision = $3, generated_at = $4, updated_at = $4 WHERE id = $1"
        ),
        params![&review.id, Value::json(facts)?, revision, change.now],
    )?;
    let edited = versions(change.tx, &review.id)?
        .iter()
        .any(|version| version.origin == VersionOrigin::Edited);
    if !edited {
        let felt = felt(change.tx, incident)?;
        let title = felt.as_deref().unwrap_or(&incident.title);
        change.tx.execute_one(
            sql!(
                "UPDATE reviews SET title = CASE WHEN title = generated_title THEN $2 ELSE title END, generated_title = $2
                 WHERE id = $1"
            ),
            params![&review.id, title],
        )?;
        let words = first_words(incident, felt.as_deref(), facts);
        change.tx.execute_one(
            sql!(
                "UPDATE review_versions SET body = $3, facts_revision = $4, created_at = $5 WHERE review_id = $1 AND number = $2"
            ),
            params![&review.id, review.version, words, revision, change.now],
        )?;
    }
    change.touch(incident.id.as_str());
    Ok(())
}

fn add_version(
    change: &mut Change,
    id: &ReviewId,
    number: i64,
    facts_revision: i64,
    origin: VersionOrigin,
    body: &str,
) -> Result<(), Problem> {
    let agent = change.agent.clone();
    change.tx.execute(
        sql!(
            "INSERT INTO review_versions (review_id, number, origin, body, author_type, author_id, author_name, facts_revision, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        params![
            id,
            number,
            origin,
            body,
            agent.kind,
            agent.id.as_deref(),
            &agent.name,
            facts_revision,
            change.now
        ],
    )?;
    change.tx.execute_one(
        sql!("UPDATE reviews SET version = $2, updated_at = $3 WHERE id = $1"),
        params![id, number, change.now],
    )?;
    Ok(())
}

/// What a person does to a report.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub title: Option<String>,
    pub body: Option<String>,
    pub status: Option<ReviewStatus>,
    /// The version that was edited: another one meanwhile is a conflict.
    pub version: Option<i64>,
}

pub fn edit(change: &mut Change, review: &Review, edit: &Edit) -> Result<Review, Problem> {
    if let Some(version) = edit.version
        && version != review.version
    {
        return Err(Problem::conflict(format!(
            "Version {} is there already; read it and edit that one.",
            review.version
        )));
    }
    if let Some(body) = &edit.body {
        add_version(
            change,
            &review.id,
            review.version + 1,
            review.facts_revision,
            VersionOrigin::Edited,
            body,
        )?;
        let text = format!("{} edited the report", change.agent.name);
        change.record(NewEntry::new(Kind::ReviewEdited, &review.incident_id, text))?;
    }
    let status = edit.status.unwrap_or(review.status);
    let published_at = match (status, review.published_at) {
        (ReviewStatus::Draft, _) => None,
        (ReviewStatus::Published, at) => at.or(Some(change.now)),
    };
    change.tx.execute_one(
        sql!("UPDATE reviews SET title = $2, status = $3, published_at = $4, updated_at = $5 WHERE id = $1"),
        params![
            &review.id,
            edit.title.as_deref().unwrap_or(&review.title),
            status,
            published_at,
            change.now
        ],
    )?;
    if status == ReviewStatus::Published && review.status == ReviewStatus::Draft {
        let text = format!("{} published the report", change.agent.name);
        change.record(NewEntry::new(Kind::ReviewPublished, &review.incident_id, text))?;
    }
    find(change.tx, &review.incident_id)?.ok_or_else(|| Problem::not_found("The report"))
}
