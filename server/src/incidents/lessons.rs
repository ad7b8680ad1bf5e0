//! What people teach by merging incidents and moving alerts, and how it is taken back.
//!
//! A lesson is a set of pairs of kinds of alerts that belong together, or do not. It is written in the transaction of the
//! act and read in the transaction of the decision, so that all nodes know the same. Moving an alert back to where it
//! was, or out of an incident that a merge put it into, takes the lesson back instead of teaching the opposite.

use store::{Error, Tx, params, query, sql};
use triage::{Kind, Lessons, Profile, Verdict};

use super::model::IncidentId;
use crate::alerts::AlertId;
use crate::http::Problem;
use crate::timeline::{AgentKind, Change};

crate::identifier! {
    /// One lesson.
    GroupingLessonId
}

/// Pairs that are read for one kind at most; so many partners say enough.
const PARTNERS: i64 = 1_000;

/// What a person did.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// Where the alerts are now.
    pub incident: &'a IncidentId,
    /// Where they were.
    pub from: &'a IncidentId,
    /// The alert that was moved; a merge names none.
    pub alert: Option<&'a AlertId>,
}

/// Keeps what a person's act says of two groups of kinds. What the program does by itself teaches nothing.
pub fn teach(
    change: &mut Change,
    act: Act<'_>,
    verdict: Verdict,
    first: &[Kind],
    second: &[Kind],
) -> Result<(), Error> {
    if change.agent.kind != AgentKind::User {
        return Ok(());
    }
    let lesson = Lessons::default().teach(verdict, first, second);
    if lesson.pairs().is_empty() {
        return Ok(());
    }
    let id: GroupingLessonId = change.identifier();
    let word = word(verdict);
    change.tx.execute(
        sql!(
            "INSERT INTO grouping_lessons (id, at, verdict, incident_id, from_incident_id, alert_id, said_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &id,
            change.now,
            word,
            act.incident,
            act.from,
            act.alert,
            change.agent.id.as_deref()
        ],
    )?;
    for (one, other) in lesson.pairs() {
        change.tx.execute(
            sql!(
                "INSERT INTO grouping_lesson_pairs (lesson_id, verdict, one, other) VALUES ($1, $2, $3, $4)"
            ),
            params![&id, word, number(*one), number(*other)],
        )?;
    }
    Ok(())
}

/// Takes back what an earlier act taught and this one undoes. True if there was such a lesson.
pub fn take_back(change: &mut Change, act: Act<'_>, kind: Kind) -> Result<bool, Error> {
    let moved_here_before: Vec<(GroupingLessonId,)> = change.tx.rows(
        sql!(
            "SELECT id FROM grouping_lessons WHERE alert_id = $1 AND incident_id = $2 AND from_incident_id = $3
             AND taken_back_at IS NULL ORDER BY id"
        ),
        params![act.alert, act.from, act.incident],
    )?;
    for (id,) in &moved_here_before {
        change.tx.execute(
            sql!("DELETE FROM grouping_lesson_pairs WHERE lesson_id = $1"),
            params![id],
        )?;
        change.tx.execute(
            sql!("UPDATE grouping_lessons SET taken_back_at = $2 WHERE id = $1"),
            params![id, change.now],
        )?;
    }
    let merged_before: Vec<(GroupingLessonId,)> = change.tx.rows(
        sql!(
            "SELECT DISTINCT l.id FROM grouping_lessons l JOIN grouping_lesson_pairs p ON p.lesson_id = l.id
             WHERE l.incident_id = $1 AND l.verdict = 'together' AND l.alert_id IS NULL AND l.taken_back_at IS NULL
             AND (p.one = $2 OR p.other = $2) ORDER BY l.id"
        ),
        params![act.from, number(kind)],
    )?;
    for (id,) in &merged_before {
        change.tx.execute(
            sql!("DELETE FROM grouping_lesson_pairs WHERE lesson_id = $1 AND (one = $2 OR other = $2)"),
            params![id, number(kind)],
        )?;
    }
    Ok(!moved_here_before.is_empty() || !merged_before.is_empty())
}

/// A lesson that stands, as people are shown it.
#[derive(Debug, Clone, store::FromRow)]
pub struct KeptLesson {
    pub id: GroupingLessonId,
    pub at: jiff::Timestamp,
    pub verdict: String,
    pub incident_id: IncidentId,
    pub incident_title: String,
    pub from_incident_id: IncidentId,
    pub from_incident_title: String,
}

/// The lessons that stand, the latest first.
pub fn latest(tx: &mut Tx, limit: i64) -> Result<Vec<KeptLesson>, Error> {
    tx.rows(
        sql!(
            "SELECT l.id, l.at, l.verdict, l.incident_id, i.title AS incident_title, l.from_incident_id,
                 f.title AS from_incident_title
             FROM grouping_lessons l JOIN incidents i ON i.id = l.incident_id JOIN incidents f ON f.id = l.from_incident_id
             WHERE l.taken_back_at IS NULL ORDER BY l.at DESC, l.id DESC LIMIT $1"
        ),
        params![limit],
    )
}

/// Takes one lesson back, whatever became of the alerts.
pub fn forget(change: &mut Change, id: &GroupingLessonId) -> Result<(), Problem> {
    let changed = change.tx.execute(
        sql!("UPDATE grouping_lessons SET taken_back_at = $2 WHERE id = $1 AND taken_back_at IS NULL"),
        params![id, change.now],
    )?;
    if changed == 0 {
        return Err(Problem::not_found("The lesson"));
    }
    change.tx.execute(
        sql!("DELETE FROM grouping_lesson_pairs WHERE lesson_id = $1"),
        params![id],
    )?;
    Ok(())
}

/// Tells `lessons` what people said about a kind and any other, and gives the kinds that they put together with it.
pub fn recall(tx: &mut Tx, lessons: &mut Lessons, kind: Kind) -> Result<Vec<Kind>, Error> {
    let rows: Vec<(i64, i64, i64, i64)> = tx.rows(
        sql!(
            "SELECT one, other, SUM(CASE WHEN verdict = 'together' THEN 1 ELSE 0 END),
                 SUM(CASE WHEN verdict = 'apart' THEN 1 ELSE 0 END)
             FROM grouping_lesson_pairs WHERE one = $1 OR other = $1
             GROUP BY one, other ORDER BY one, other LIMIT $2"
        ),
        params![number(kind), PARTNERS],
    )?;
    let mut together_with = Vec::new();
    for (one, other, together, apart) in rows {
        let (one, other) = (
            Kind::from_bits(one.cast_unsigned()),
            Kind::from_bits(other.cast_unsigned()),
        );
        let count = |times: i64| u32::try_from(times).unwrap_or(u32::MAX);
        lessons.recall((one, other), count(together), count(apart));
        if together > apart {
            together_with.push(if one == kind { other } else { one });
        }
    }
    Ok(together_with)
}

/// Open incidents of other services that hold alerts of `kinds`: people said that the new alert may belong there.
pub fn incidents_with(
    tx: &mut Tx,
    kinds: &[Kind],
    since: Option<jiff::Timestamp>,
    limit: i64,
) -> Result<Vec<(IncidentId, serde_json::Value)>, Error> {
    let mut found = Vec::new();
    for kind in kinds {
        let rows: Vec<(IncidentId, serde_json::Value)> = query!(
            "SELECT i.id, i.grouping FROM incidents i
             WHERE i.status IN ('triggered', 'acknowledged') {AND i.last_alert_at >= $since}
             AND EXISTS (SELECT 1 FROM alerts a WHERE a.incident_id = i.id AND a.kind = $kind)
             ORDER BY i.last_alert_at DESC LIMIT $limit"
        )
        .bind_optional("since", since)
        .bind("kind", number(*kind))
        .bind("limit", limit)
        .rows(tx)?;
        found.extend(rows);
        if found.len() as i64 >= limit {
            break;
        }
    }
    Ok(found)
}

/// What grouping remembers of an incident; none for those that people opened.
pub fn profile(tx: &mut Tx, id: &IncidentId) -> Result<Option<Profile>, Error> {
    let row: Option<(serde_json::Value,)> =
        tx.row(sql!("SELECT grouping FROM incidents WHERE id = $1"), params![id])?;
    Ok(row.and_then(|(profile,)| serde_json::from_value(profile).ok().flatten()))
}

pub fn set_profile(change: &mut Change, id: &IncidentId, profile: &Profile) -> Result<(), Problem> {
    let profile = serde_json::to_value(profile).map_err(Problem::internal)?;
    Ok(change.tx.execute_one(
        sql!("UPDATE incidents SET grouping = $2 WHERE id = $1"),
        params![id, profile],
    )?)
}

/// A kind as the database keeps it.
pub fn number(kind: Kind) -> i64 {
    kind.to_bits().cast_signed()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Together => "together",
        Verdict::Apart => "apart",
    }
}
