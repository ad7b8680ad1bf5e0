//! Putting incidents together, and moving alerts between them. What people do here teaches grouping (`lessons`).

use serde_json::json;
use store::{params, sql};

use triage::Verdict;

use super::actions;
use super::lessons::{self, Act};
use super::model::{Incident, IncidentId, Status};
use super::store as rows;
use crate::alerts::AlertId;
use crate::alerts::model::Alert;
use crate::alerts::placing::{event_of, features};
use crate::http::Problem;
use crate::timeline::{Change, Kind, NewEntry};

/// Alerts one incident may hold after a merge.
const MOST_ALERTS: i64 = 1000;

/// Moves everything of `sources` to `target`; the sources end as merged into it.
pub fn merge(change: &mut Change, target: &IncidentId, sources: &[IncidentId]) -> Result<Incident, Problem> {
    let into = actions::load(change, target)?;
    if into.status == Status::Resolved {
        return Err(Problem::refused(
            1001,
            "Incident Already Resolved: the target of a merge must be open.",
        ));
    }
    let mut all = vec![target.clone()];
    all.extend_from_slice(sources);
    let total: i64 = rows::alert_counts(change.tx, &all)?
        .iter()
        .map(|(_, counts)| counts.all)
        .sum();
    if total > MOST_ALERTS {
        return Err(Problem::invalid([format!(
            "source_incidents: together they hold {total} alerts; at most {MOST_ALERTS} fit."
        )]));
    }
    for source in sources {
        if source == target {
            return Err(Problem::invalid([
                "source_incidents: an incident cannot be merged into itself.",
            ]));
        }
        merge_one(change, &into, source)?;
    }
    actions::load(change, target)
}

fn merge_one(change: &mut Change, into: &Incident, source: &IncidentId) -> Result<(), Problem> {
    let from = actions::load(change, source)?;
    if from.merged_into_id.is_some() {
        return Err(Problem::refused(
            1019,
            format!("source_incidents: #{} was merged already.", from.number),
        ));
    }
    change.tx.execute(
        sql!("UPDATE alerts SET incident_id = $2 WHERE incident_id = $1"),
        params![source, &into.id],
    )?;
    teach_together(change, &into.id, source)?;
    if from.status != Status::Resolved {
        actions::close(change, source)?;
    }
    change.tx.execute_one(
        sql!("UPDATE incidents SET merged_into_id = $2, updated_at = $3 WHERE id = $1"),
        params![source, &into.id, change.now],
    )?;
    let name = change.agent.name.clone();
    change.record(
        NewEntry::new(
            Kind::MergedAway,
            source,
            format!("{name} merged it into #{}", into.number),
        )
        .details(json!({ "into": into.id })),
    )?;
    change.record(
        NewEntry::new(
            Kind::Merged,
            &into.id,
            format!("{name} merged #{} into it: {}", from.number, from.title),
        )
        .details(json!({ "source": source })),
    )?;
    Ok(())
}

/// What is in the two belongs together: grouping learns it, and from now on remembers both as one.
fn teach_together(change: &mut Change, into: &IncidentId, source: &IncidentId) -> Result<(), Problem> {
    let (Some(mut kept), Some(merged)) = (
        lessons::profile(change.tx, into)?,
        lessons::profile(change.tx, source)?,
    ) else {
        return Ok(());
    };
    let act = Act {
        incident: into,
        from: source,
        alert: None,
    };
    lessons::teach(change, act, Verdict::Together, &merged.kinds(), &kept.kinds())?;
    kept.absorb(merged);
    lessons::set_profile(change, into, &kept)
}

/// What a person says by moving an alert: it does not belong where it was, and belongs where it goes. Moving it back
/// says that the first move was wrong.
fn teach_move(change: &mut Change, alert: &Alert, target: &IncidentId) -> Result<(), Problem> {
    let Some(left) = alert.incident_id.as_ref().filter(|left| *left != target) else {
        return Ok(());
    };
    let Some(service) = crate::services::store::find(change.tx, &alert.service_id)? else {
        return Ok(());
    };
    let features = features(&event_of(alert), &service);
    let kind = features.kind();
    let act = Act {
        incident: target,
        from: left,
        alert: Some(&alert.id),
    };
    let taken_back = lessons::take_back(change, act, kind)?;
    if let Some(mut older) = lessons::profile(change.tx, left)? {
        older.cede([&features]);
        if !taken_back {
            lessons::teach(change, act, Verdict::Apart, &[kind], &older.kinds())?;
        }
        lessons::set_profile(change, left, &older)?;
    }
    if let Some(mut younger) = lessons::profile(change.tx, target)? {
        if !taken_back {
            lessons::teach(change, act, Verdict::Together, &[kind], &younger.kinds())?;
        }
        younger.add(features, alert.created_at);
        lessons::set_profile(change, target, &younger)?;
    }
    Ok(())
}

/// Moves one alert to another open incident. An incident left without open alerts is resolved.
pub fn move_alert(change: &mut Change, alert_id: &AlertId, target: &IncidentId) -> Result<(), Problem> {
    let into = actions::load(change, target)?;
    if into.status == Status::Resolved {
        return Err(Problem::refused(
            1001,
            "alerts.incident: the incident is resolved already.",
        ));
    }
    // Somebody else may be moving it, too: whoever comes second goes by where the first has put it.
    let alert =
        crate::alerts::store::hold(change.tx, alert_id)?.ok_or_else(|| Problem::not_found("The alert"))?;
    let reasons = [crate::alerts::model::Reason {
        figures: json!({ "kind": "moved" }),
        sentence: format!("{} moved it here.", change.agent.name),
    }];
    crate::alerts::store::set_incident(change.tx, alert_id, target, &reasons)?;
    teach_move(change, &alert, target)?;
    let text = format!("{} moved an alert here: {}", change.agent.name, alert.summary);
    change.record(NewEntry::new(Kind::AlertMoved, target, text).details(json!({ "alert_id": alert_id })))?;
    if let Some(left) = alert.incident_id.filter(|left| left != target) {
        let text = format!(
            "{} moved an alert to #{}: {}",
            change.agent.name, into.number, alert.summary
        );
        change
            .record(NewEntry::new(Kind::AlertMoved, &left, text).details(json!({ "alert_id": alert_id })))?;
        if super::store::hold_open(change.tx, &left)? && !crate::alerts::store::any_open(change.tx, &left)? {
            actions::resolve(change, &left, Some("its last alert was moved"))?;
        }
    }
    Ok(())
}
