//! Incidents come onto a page through words published for the public, and in no other way.
//!
//! Words may come onto a page long after they were published: a component was added, an audience was given the page. They
//! stand in its history then; readers are mailed only what is news. Words that come late because nobody looked, as when
//! Muster was stopped, are news for longer: their readers still believe what they were told last.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use store::{Error, Tx, params, sql};

use super::model::{Affected, Component, Impact, PageIncidentId, StatusPage, StatusPageId, Visibility};
use super::{store as rows, subscribers};
use crate::incidents::{Incident, IncidentId, store as incidents};
use crate::outbox::Purpose;
use crate::services::BusinessServiceId;
use crate::timeline::{Change, Kind, NewEntry};
use crate::updates::store::PublicWord;
use crate::updates::{AudienceId, Phase, UpdateId, audiences, situation};

/// Updates looked at in one run; more wait for the next.
const MOST_AT_ONCE: i64 = 200;
/// For so long after it was published a word is news that readers are mailed, though the page could have shown it earlier.
const NEWS_FOR: Duration = Duration::from_hours(1);
/// Merges that are followed one after the other.
const LONGEST_WAY: usize = 20;

/// Whether all that was published has been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    Everything,
    /// More waits, so the next run is due at once.
    InPart,
}

/// Posts what was published since the last time. What is not for this page is remembered as such, so that it never
/// stands before what is.
pub fn follow(change: &mut Change, page: &StatusPage, components: &[Component]) -> Result<Followed, Error> {
    follow_merges(change, page)?;
    let speaking = audiences::on_status_pages(change.tx)?;
    let words: Vec<PublicWord> = change.tx.rows(
        sql!(
            "SELECT u.id AS update_id, u.incident_id, u.phase, u.public_subject, u.public_words, u.next_update_by, u.published_at,
                 (SELECT a.time_zone FROM audiences a WHERE a.id = u.audience_id) AS time_zone
             FROM updates u
             WHERE u.state = 'published' AND u.public_words IS NOT NULL AND u.published_at >= $1
               AND u.audience_id = ANY($4)
               AND NOT EXISTS (SELECT 1 FROM status_page_updates p JOIN status_page_incidents i ON i.id = p.page_incident_id
                               WHERE p.update_id = u.id AND i.page_id = $2)
               AND NOT EXISTS (SELECT 1 FROM status_page_passed d WHERE d.update_id = u.id AND d.page_id = $2)
             ORDER BY u.published_at, u.id LIMIT $3"
        ),
        params![
            page.created_at,
            &page.id,
            MOST_AT_ONCE,
            store::Value::texts(speaking.iter().map(AudienceId::as_str))
        ],
    )?;
    let judged = judge(change.tx, &words)?;
    let read_to = rows::words_read_to(change.tx, &page.id)?;
    for word in &words {
        let about = judged.get(&word.incident_id);
        if shows(change, page, components, word, about)? {
            post(change, page, components, word, about)?;
            tell_readers(change, page, word, read_to)?;
        } else {
            pass(change, page, &word.update_id)?;
        }
    }
    let (followed, now_read_to) = match words.last() {
        Some(last) if words.len() as i64 == MOST_AT_ONCE => (Followed::InPart, last.published_at),
        _ => (Followed::Everything, change.now),
    };
    rows::set_words_read_to(change, &page.id, now_read_to)?;
    Ok(followed)
}

/// Owes the readers of a page the word, if it is news. What was posted while the page is private is for nobody outside.
fn tell_readers(
    change: &mut Change,
    page: &StatusPage,
    word: &PublicWord,
    read_to: Option<Timestamp>,
) -> Result<(), Error> {
    if page.visibility != Visibility::Public {
        return Ok(());
    }
    if is_news(word, read_to, change.now) {
        return subscribers::owe(change, page, &word.update_id);
    }
    let readers = subscribers::count(change.tx, &page.id)?;
    if readers > 0 {
        tracing::warn!(
            page = page.id.as_str(),
            update = word.update_id.as_str(),
            readers,
            "words came onto a status page too long after they were published; its readers were not mailed"
        );
    }
    Ok(())
}

fn is_news(word: &PublicWord, read_to: Option<Timestamp>, now: Timestamp) -> bool {
    let age = now.duration_since(word.published_at).unsigned_abs();
    let was_seen = read_to.is_some_and(|to| word.published_at <= to);
    age <= NEWS_FOR || (!was_seen && age <= Purpose::Update.deadline())
}

/// An incident that words are about.
struct Judged {
    incident: Incident,
    /// What it hurts.
    touchpoints: Vec<BusinessServiceId>,
}

/// The incidents that the words are about, each computed once for all of them.
fn judge(tx: &mut Tx, words: &[PublicWord]) -> Result<HashMap<IncidentId, Judged>, Error> {
    let mut ids: Vec<IncidentId> = words.iter().map(|word| word.incident_id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = incidents::find_all(tx, &ids)?;
    let touchpoints = situation::touchpoints_of_each(tx, &found)?;
    Ok(found
        .into_iter()
        .zip(touchpoints)
        .map(|(incident, touchpoints)| {
            (
                incident.id.clone(),
                Judged {
                    incident,
                    touchpoints,
                },
            )
        })
        .collect())
}

fn pass(change: &mut Change, page: &StatusPage, update_id: &UpdateId) -> Result<(), Error> {
    change.tx.execute(
        sql!("INSERT INTO status_page_passed (page_id, update_id) VALUES ($1, $2)"),
        params![&page.id, update_id],
    )?;
    Ok(())
}

/// An incident may hurt other things by now: what was said about it is looked at anew.
pub fn look_again_at_incident(change: &mut Change, incident_id: &IncidentId) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "DELETE FROM status_page_passed WHERE update_id IN (SELECT id FROM updates WHERE incident_id = $1)"
        ),
        params![incident_id],
    )?;
    Ok(())
}

/// A page shows other things by now: everything that was said is looked at anew.
pub fn look_again_at_page(change: &mut Change, page_id: &StatusPageId) -> Result<(), Error> {
    change.tx.execute(
        sql!("DELETE FROM status_page_passed WHERE page_id = $1"),
        params![page_id],
    )?;
    Ok(())
}

/// An incident of the page that was merged into another.
#[derive(Debug, store::FromRow)]
struct MergedAway {
    id: PageIncidentId,
    incident_id: IncidentId,
}

/// Readers go on with one story: what was merged goes on as what it was merged into, or, where that has a story on the
/// page already, ends with a word that leads there.
fn follow_merges(change: &mut Change, page: &StatusPage) -> Result<(), Error> {
    let merged: Vec<MergedAway> = change.tx.rows(
        sql!(
            "SELECT p.id, p.incident_id FROM status_page_incidents p JOIN incidents i ON i.id = p.incident_id
             WHERE p.page_id = $1 AND p.status <> 'resolved' AND i.merged_into_id IS NOT NULL ORDER BY p.id"
        ),
        params![&page.id],
    )?;
    for one in merged {
        let Some(target) = target(change, &one.incident_id)? else {
            continue;
        };
        match find(change, page, &target)? {
            None => change.tx.execute_one(
                sql!("UPDATE status_page_incidents SET incident_id = $2, updated_at = $3 WHERE id = $1"),
                params![&one.id, &target, change.now],
            )?,
            Some(other) => change.tx.execute_one(
                sql!(
                    "UPDATE status_page_incidents SET status = 'resolved', resolved_at = $3, updated_at = $3, goes_on_in = $2
                     WHERE id = $1"
                ),
                params![&one.id, &other, change.now],
            )?,
        }
    }
    Ok(())
}

/// Where an incident went in the end.
fn target(change: &mut Change, id: &IncidentId) -> Result<Option<IncidentId>, Error> {
    let mut id = id.clone();
    for _ in 0..LONGEST_WAY {
        match incidents::find(change.tx, &id)?.and_then(|incident| incident.merged_into_id) {
            Some(into) => id = into,
            None => return Ok(Some(id)),
        }
    }
    Ok(None)
}

/// Whether a page shows what an update is about: the incident is on the page already or hurts something that is.
fn shows(
    change: &mut Change,
    page: &StatusPage,
    components: &[Component],
    word: &PublicWord,
    about: Option<&Judged>,
) -> Result<bool, Error> {
    if find(change, page, &word.incident_id)?.is_some() {
        return Ok(true);
    }
    let Some(about) = about else {
        return Ok(false);
    };
    let is_shown = |id: &BusinessServiceId| {
        let mut bound = components
            .iter()
            .filter_map(|one| one.business_service_id.as_ref());
        bound.any(|bound| bound == id)
    };
    // Words about something that no touchpoint stands for are for every page of the house.
    Ok(about.touchpoints.is_empty() || about.touchpoints.iter().any(is_shown))
}

fn find(change: &mut Change, page: &StatusPage, id: &IncidentId) -> Result<Option<PageIncidentId>, Error> {
    let row: Option<(PageIncidentId,)> = change.tx.row(
        sql!("SELECT id FROM status_page_incidents WHERE page_id = $1 AND incident_id = $2"),
        params![&page.id, id],
    )?;
    Ok(row.map(|(id,)| id))
}

fn post(
    change: &mut Change,
    page: &StatusPage,
    components: &[Component],
    word: &PublicWord,
    about: Option<&Judged>,
) -> Result<(), Error> {
    let known = find(change, page, &word.incident_id)?;
    let affected = match about {
        Some(about) => affected(change, components, known.as_ref(), about)?,
        None => Vec::new(),
    };
    let impact = affected
        .iter()
        .map(|one| one.new_status.max(one.old_status).impact())
        .max()
        .unwrap_or(Impact::None);
    let id = match known {
        Some(id) => id,
        None => begin(change, page, word, about, impact)?,
    };
    change.tx.execute(
        sql!(
            "UPDATE status_page_incidents SET status = $2, updated_at = $3,
                 monitoring_at = COALESCE(monitoring_at, $4), resolved_at = $5,
                 impact = CASE WHEN $6 THEN $7 ELSE impact END
             WHERE id = $1"
        ),
        params![
            &id,
            word.phase,
            word.published_at,
            (word.phase == Phase::Monitoring).then_some(word.published_at),
            (word.phase == Phase::Resolved).then_some(word.published_at),
            word.phase != Phase::Resolved && impact != Impact::None,
            impact
        ],
    )?;
    change.tx.execute(
        sql!(
            "INSERT INTO status_page_updates (page_incident_id, update_id, status, body, next_update_by, at, affected, time_zone)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        params![
            &id,
            &word.update_id,
            word.phase,
            &word.public_words,
            word.next_update_by,
            word.published_at,
            store::Value::json(&affected)?,
            &word.time_zone
        ],
    )?;
    record(change, page, &word.incident_id, &word.update_id)
}

fn record(
    change: &mut Change,
    page: &StatusPage,
    id: &IncidentId,
    update_id: &UpdateId,
) -> Result<(), Error> {
    let entry = NewEntry::new(
        Kind::PageIncidentPosted,
        id,
        format!("The update stands on the status page {}.", page.name),
    )
    .details(json!({ "status_page_id": page.id, "update_id": update_id }));
    change.record(entry)?;
    Ok(())
}

fn begin(
    change: &mut Change,
    page: &StatusPage,
    word: &PublicWord,
    about: Option<&Judged>,
    impact: Impact,
) -> Result<PageIncidentId, Error> {
    let id: PageIncidentId = change.identifier();
    let started_at = about
        .map_or(word.published_at, |about| about.incident.created_at)
        .min(word.published_at);
    change.tx.execute(
        sql!(
            "INSERT INTO status_page_incidents (id, page_id, incident_id, name, status, impact, created_at, updated_at, started_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)"
        ),
        params![
            &id,
            &page.id,
            &word.incident_id,
            &word.public_subject,
            word.phase,
            impact,
            word.published_at,
            started_at
        ],
    )?;
    Ok(id)
}

/// The components that the incident hurts, each with how it stood when readers were last told about this
/// incident, or else before the incident began.
fn affected(
    change: &mut Change,
    components: &[Component],
    known: Option<&PageIncidentId>,
    about: &Judged,
) -> Result<Vec<Affected>, Error> {
    let told = match known {
        Some(id) => rows::updates(change.tx, std::slice::from_ref(id))?
            .into_iter()
            .next()
            .map_or_else(Vec::new, |update| update.affected),
        None => Vec::new(),
    };
    let mut affected = Vec::new();
    for component in components {
        let bound = component.business_service_id.as_ref();
        if !bound.is_some_and(|id| about.touchpoints.contains(id)) {
            continue;
        }
        let old_status = match told.iter().find(|one| one.code == component.id) {
            Some(one) => one.new_status,
            None => rows::status_before(change.tx, &component.id, about.incident.created_at)?,
        };
        affected.push(Affected {
            code: component.id.clone(),
            name: component.name.to_string(),
            old_status,
            new_status: component.status,
        });
    }
    Ok(affected)
}
