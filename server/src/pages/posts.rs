//! Incidents come onto a page through words published for the public, and in no other way.

use serde_json::json;
use store::{Error, params, sql};

use super::model::{Affected, Component, Impact, PageIncidentId, StatusPage};
use super::{store as rows, subscribers};
use crate::http::Site;
use crate::incidents::{IncidentId, store as incidents};
use crate::timeline::{Change, Kind, NewEntry};
use crate::updates::situation;
use crate::updates::store::PublicWord;
use crate::updates::{Phase, UpdateId};

/// Updates taken over at once; more wait for the next run.
const MOST_AT_ONCE: i64 = 200;

/// Posts what was published since the last time. Gives how many were posted.
pub fn follow(
    change: &mut Change,
    site: &Site,
    page: &StatusPage,
    components: &[Component],
) -> Result<usize, Error> {
    let words: Vec<PublicWord> = change.tx.rows(
        sql!(
            "SELECT u.id AS update_id, u.incident_id, u.phase, u.public_subject, u.public_words, u.next_update_by, u.published_at
             FROM updates u
             WHERE u.state = 'published' AND u.public_words IS NOT NULL AND u.published_at >= $1
               AND NOT EXISTS (SELECT 1 FROM status_page_updates p JOIN status_page_incidents i ON i.id = p.page_incident_id
                               WHERE p.update_id = u.id AND i.page_id = $2)
             ORDER BY u.published_at, u.id LIMIT $3"
        ),
        params![page.created_at, &page.id, MOST_AT_ONCE],
    )?;
    let mut posted = 0;
    for word in &words {
        if shows(change, page, components, word)? {
            post(change, site, page, components, word)?;
            posted += 1;
        }
    }
    Ok(posted)
}

/// Whether a page shows what an update is about: the audience speaks on status pages, and the incident is on the
/// page already or hurts something that is.
fn shows(
    change: &mut Change,
    page: &StatusPage,
    components: &[Component],
    word: &PublicWord,
) -> Result<bool, Error> {
    let Some(update) = crate::updates::store::find(change.tx, &word.update_id)? else {
        return Ok(false);
    };
    let audience = crate::updates::audiences::find_even_deleted(change.tx, &update.audience_id)?;
    let speaks = audience.is_some_and(|audience| {
        audience
            .channels
            .contains(&crate::updates::model::AudienceChannel::StatusPage)
    });
    if !speaks {
        return Ok(false);
    }
    if find(change, page, &word.incident_id)?.is_some() {
        return Ok(true);
    }
    let Some(incident) = incidents::find(change.tx, &word.incident_id)? else {
        return Ok(false);
    };
    let touchpoints = situation::touchpoints_of(change.tx, &incident)?;
    let shown = |id: &str| {
        components.iter().any(|one| {
            one.business_service_id
                .as_ref()
                .is_some_and(|bound| bound.as_str() == id)
        })
    };
    // Words about something that no touchpoint stands for are for every page of the house.
    Ok(touchpoints.is_empty() || touchpoints.iter().any(|one| shown(one.id.as_str())))
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
    site: &Site,
    page: &StatusPage,
    components: &[Component],
    word: &PublicWord,
) -> Result<(), Error> {
    let known = find(change, page, &word.incident_id)?;
    let affected = affected(change, components, known.as_ref(), &word.incident_id)?;
    let impact = affected
        .iter()
        .map(|one| one.new_status.max(one.old_status).impact())
        .max()
        .unwrap_or(Impact::None);
    let id = match known {
        Some(id) => id,
        None => begin(change, page, word, impact)?,
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
            "INSERT INTO status_page_updates (page_incident_id, update_id, status, body, next_update_by, at, affected)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &id,
            &word.update_id,
            word.phase,
            &word.public_words,
            word.next_update_by,
            word.published_at,
            store::Value::json(&affected)?
        ],
    )?;
    record(change, page, &word.incident_id, &word.update_id)?;
    subscribers::tell(change, site, page, &id, word)
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
    impact: Impact,
) -> Result<PageIncidentId, Error> {
    let id: PageIncidentId = change.identifier();
    let started_at = incidents::find(change.tx, &word.incident_id)?
        .map_or(word.published_at, |incident| incident.created_at)
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
    incident_id: &IncidentId,
) -> Result<Vec<Affected>, Error> {
    let Some(incident) = incidents::find(change.tx, incident_id)? else {
        return Ok(Vec::new());
    };
    let touchpoints = situation::touchpoints_of(change.tx, &incident)?;
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
        if !bound.is_some_and(|id| touchpoints.iter().any(|touchpoint| touchpoint.id == *id)) {
            continue;
        }
        let old_status = match told.iter().find(|one| one.code == component.id) {
            Some(one) => one.new_status,
            None => rows::status_before(change.tx, &component.id, incident.created_at)?,
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
