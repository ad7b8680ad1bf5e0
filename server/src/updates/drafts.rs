//! The life of a draft: composed, brought up to the facts, put into somebody's own words, approved.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::Error;

use super::checker::{Against, Finding, check};
use super::compose::{Composed, Material, compose};
use super::facts::{self, FactChange, Facts, Revision};
use super::model::{Audience, AudienceId, Phase, Update, UpdateId, UpdateState};
use super::promised_words::with_promise;
use super::{audiences, situation, store as rows};
use crate::access::audit::{self, AuditAction, Changed};
use crate::http::Problem;
use crate::incidents::{Incident, IncidentId, store as incidents};
use crate::jobs::{Kind as JobKind, Owed};
use crate::people::UserId;
use crate::timeline::{Change, Kind, NewEntry};
use crate::words::InternalText;

/// For how long the quicker cadence counts.
const FIRST_HOURS: Duration = Duration::from_secs(2 * 3600);
/// Promised times are told in whole steps of this many seconds.
const STEP_SECONDS: i64 = 300;

/// The incident with its facts as they are now.
#[derive(Debug, Clone)]
pub struct Present {
    pub incident: Incident,
    pub revision: Revision,
    /// What staff say, from the touchpoints.
    pub say: Option<String>,
}

impl Present {
    pub fn facts(&self) -> &Facts {
        &self.revision.facts
    }
}

/// Reads the incident and brings its facts up to now.
pub fn present(change: &mut Change, incident_id: &IncidentId) -> Result<Present, Problem> {
    let incident =
        incidents::find(change.tx, incident_id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    let revision = facts::revise(change, &incident)?;
    let say = situation::touchpoints_of(change.tx, &incident)?
        .into_iter()
        .find_map(|touchpoint| touchpoint.words_to_say);
    Ok(Present {
        incident,
        revision,
        say,
    })
}

/// When the next word is due if it is promised now: the audience's cadence, rounded up to five minutes.
pub fn next_word(
    audience: &Audience,
    incident: &Incident,
    phase: Phase,
    now: Timestamp,
) -> Option<Timestamp> {
    if phase == Phase::Resolved {
        return None;
    }
    let early = now < incident.created_at + FIRST_HOURS;
    let minutes = if early {
        audience.cadence_minutes
    } else {
        audience.later_cadence_minutes
    };
    let due = now.as_second() + minutes * 60;
    Timestamp::from_second((due + STEP_SECONDS - 1) / STEP_SECONDS * STEP_SECONDS).ok()
}

fn composed(change: &Change, audience: &Audience, present: &Present, due: Option<Timestamp>) -> Composed {
    let material = Material {
        facts: present.facts(),
        next_update_by: due,
        incident: (&present.incident).into(),
        say: present.say.clone(),
        now: change.now,
    };
    compose(audience, &material)
}

/// Brings the drafts for every audience up to the facts.
///
/// An incident that hurts no touchpoint, and about which nobody has stated or written anything, gets no
/// drafts: nobody outside would notice it.
pub fn bring_up_to_date(change: &mut Change, incident_id: &IncidentId) -> Result<Present, Problem> {
    let present = present(change, incident_id)?;
    for audience in audiences::all(change.tx)? {
        let draft = rows::open_draft(change.tx, incident_id, &audience.id)?;
        match draft {
            Some(draft) => renew(change, &audience, &present, draft)?,
            None if wants_draft(change, &audience, &present)? => {
                begin(change, &audience, &present)?;
            }
            None => {}
        }
    }
    if let Some(estimate) = &present.facts().estimate {
        // When the estimate ends the facts have changed, and a new word is owed.
        let owed = Owed::at(JobKind::UpdatesDue, incident_id.as_str(), estimate.ends_at()).part("estimate");
        change.owe(&owed)?;
    }
    Ok(present)
}

fn wants_draft(change: &mut Change, audience: &Audience, present: &Present) -> Result<bool, Error> {
    let facts = present.facts();
    let told = rows::last_published(change.tx, &present.incident.id, &audience.id)?;
    Ok(match told {
        Some(told) => {
            told.facts_revision < present.revision.revision
                && !(told.phase == Phase::Resolved && facts.phase == Phase::Resolved)
        }
        None => facts.phase != Phase::Resolved && (!facts.touchpoints.is_empty() || facts.symptom.is_some()),
    })
}

fn begin(change: &mut Change, audience: &Audience, present: &Present) -> Result<Update, Error> {
    let phase = present.facts().phase;
    let due = next_word(audience, &present.incident, phase, change.now);
    let Composed { subject, words } = composed(change, audience, present, due);
    let update = blank(change, audience, present, subject, words, due);
    rows::insert(change, &update)?;
    let text = format!("A draft for {} was made from the facts.", audience.name);
    record(change, Kind::UpdateDrafted, &update, audience, text)?;
    Ok(update)
}

fn blank(
    change: &Change,
    audience: &Audience,
    present: &Present,
    subject: InternalText,
    words: InternalText,
    next_update_by: Option<Timestamp>,
) -> Update {
    Update {
        id: change.identifier(),
        incident_id: present.incident.id.clone(),
        audience_id: audience.id.clone(),
        state: UpdateState::Draft,
        phase: present.facts().phase,
        subject,
        words,
        public_subject: None,
        public_words: None,
        edited: false,
        facts_revision: present.revision.revision,
        next_update_by,
        approved_by: None,
        approved_at: None,
        published_by_id: None,
        published_by_name: None,
        published_at: None,
        created_at: change.now,
        updated_at: change.now,
    }
}

/// A draft meets newer facts: an approval is withdrawn; the template's words follow. A person's own words stay,
/// and until somebody has looked at them again they belong to the older facts.
fn renew(
    change: &mut Change,
    audience: &Audience,
    present: &Present,
    mut draft: Update,
) -> Result<(), Error> {
    if draft.facts_revision >= present.revision.revision {
        return Ok(());
    }
    let changes = facts::changes_after(change.tx, &draft.incident_id, draft.facts_revision)?;
    let withdrawn = draft.state == UpdateState::Approved;
    draft.state = UpdateState::Draft;
    draft.approved_by = None;
    draft.approved_at = None;
    draft.phase = present.facts().phase;
    if !draft.edited {
        recompose(change, audience, present, &mut draft);
        draft.facts_revision = present.revision.revision;
    } else if draft.phase == Phase::Resolved {
        draft.next_update_by = None;
    }
    rows::save_draft(change, &draft)?;
    if withdrawn {
        let text = format!(
            "The approval of the words for {} was withdrawn, because {}.",
            audience.name,
            in_words(&changes)
        );
        let details = json!({ "update_id": draft.id, "audience_id": audience.id, "changes": changes });
        change.record(NewEntry::new(Kind::ApprovalWithdrawn, &draft.incident_id, text).details(details))?;
    }
    Ok(())
}

/// Puts the template's words for the present facts into a draft, with a promise counted from now.
pub fn recompose(change: &Change, audience: &Audience, present: &Present, draft: &mut Update) {
    draft.phase = present.facts().phase;
    draft.next_update_by = next_word(audience, &present.incident, draft.phase, change.now);
    let Composed { subject, words } = composed(change, audience, present, draft.next_update_by);
    draft.subject = subject;
    draft.words = words;
}

/// "the phase changed from … to …" for people.
pub fn in_words(changes: &[FactChange]) -> String {
    let words: Vec<String> = changes
        .iter()
        .map(|one| format!("{} changed from “{}” to “{}”", one.fact, one.before, one.after))
        .collect();
    if words.is_empty() {
        "the facts changed".to_owned()
    } else {
        words.join("; ")
    }
}

pub(super) fn record(
    change: &mut Change,
    kind: Kind,
    update: &Update,
    audience: &Audience,
    text: String,
) -> Result<(), Error> {
    let details = json!({
        "update_id": update.id,
        "audience_id": audience.id,
        "audience_name": audience.name,
        "phase": update.phase,
        "facts_revision": update.facts_revision,
    });
    change.record(NewEntry::new(kind, &update.incident_id, text).details(details))?;
    Ok(())
}

/// What somebody changes in a draft; what is missing stays.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub subject: Option<InternalText>,
    pub words: Option<InternalText>,
    pub next_update_by: Option<Timestamp>,
}

/// Writes an update for an audience: begins a draft where there is none. Own words count as read against the
/// present facts; any change takes an approval back.
pub fn write(
    change: &mut Change,
    incident_id: &IncidentId,
    audience_id: &AudienceId,
    edit: &Edit,
) -> Result<Update, Problem> {
    let audience =
        audiences::find(change.tx, audience_id)?.ok_or_else(|| Problem::not_found("The audience"))?;
    let present = present(change, incident_id)?;
    let (action, mut draft) = match rows::open_draft(change.tx, incident_id, audience_id)? {
        Some(draft) => (AuditAction::Update, draft),
        None => (AuditAction::Create, begin(change, &audience, &present)?),
    };
    let withdrawn = draft.state == UpdateState::Approved;
    draft.state = UpdateState::Draft;
    draft.approved_by = None;
    draft.approved_at = None;
    draft.phase = present.facts().phase;
    if let Some(due) = edit.next_update_by {
        if draft.edited && edit.words.is_none() {
            move_promise(change.now, &audience, &mut draft, due);
        }
        // Nobody is promised a fraction of a second.
        draft.next_update_by = Timestamp::from_second(due.as_second()).ok();
    }
    draft.edited |= edit.subject.is_some() || edit.words.is_some();
    if !draft.edited {
        let Composed { subject, words } = composed(change, &audience, &present, draft.next_update_by);
        draft.subject = subject;
        draft.words = words;
    }
    if let Some(subject) = &edit.subject {
        draft.subject = subject.clone();
    }
    if let Some(words) = &edit.words {
        draft.words = words.clone();
    }
    draft.facts_revision = present.revision.revision;
    rows::save_draft(change, &draft).map_err(gone_out)?;
    if withdrawn {
        let text = format!(
            "The approval of the words for {} was withdrawn, because they were edited.",
            audience.name
        );
        record(change, Kind::ApprovalWithdrawn, &draft, &audience, text)?;
    }
    let details = json!({ "audience": audience.name, "next_update_by": draft.next_update_by });
    note(change, action, &draft, details);
    reload(change, &draft.id)
}

/// Somebody's own words go on saying when the next word comes.
fn move_promise(now: Timestamp, audience: &Audience, draft: &mut Update, due: Timestamp) {
    let zone = TimeZone::get(&audience.time_zone).unwrap_or(TimeZone::UTC);
    let words = draft.words.for_insiders();
    let moved = with_promise(words, &audience.language, due, draft.next_update_by, now, &zone);
    draft.words = InternalText::new(moved);
}

/// For the audit log: what somebody did to an update.
pub(super) fn note(change: &mut Change, action: AuditAction, update: &Update, details: Value) {
    let changed = Changed {
        resource_type: "update",
        resource_id: update.id.as_str(),
        resource_name: update.subject.for_insiders(),
        details,
    };
    audit::note(change, action, &changed);
}

/// Somebody else has sent the words out meanwhile.
pub(super) fn gone_out(error: Error) -> Problem {
    if error.is_not_found() {
        Problem::conflict("This update is no draft any more.")
    } else {
        Problem::from(error)
    }
}

pub(super) fn reload(change: &mut Change, id: &UpdateId) -> Result<Update, Problem> {
    rows::find(change.tx, id)?.ok_or_else(|| Problem::not_found("The update"))
}

/// A draft that may still be worked on, its audience, and the facts as they are now.
pub(super) fn at_work(change: &mut Change, id: &UpdateId) -> Result<(Update, Audience, Present), Problem> {
    let found = reload(change, id)?;
    if !found.state.is_open() {
        return Err(Problem::conflict("This update is no draft any more."));
    }
    // The facts are brought up first, so that an approval that they withdraw is withdrawn before it is used.
    let present = bring_up_to_date(change, &found.incident_id)?;
    let update = reload(change, id)?;
    // Whoever held the facts until now may have sent it out.
    if !update.state.is_open() {
        return Err(Problem::conflict("This update is no draft any more."));
    }
    let audience =
        audiences::find(change.tx, &update.audience_id)?.ok_or_else(|| Problem::not_found("The audience"))?;
    Ok((update, audience, present))
}

/// What the checker says about a draft now.
pub fn findings(
    tx: &mut ::store::Tx,
    update: &Update,
    audience: &Audience,
    incident: &Incident,
    facts: &Facts,
    now: Timestamp,
) -> Result<Vec<Finding>, Error> {
    let touchpoints = facts.touchpoints.iter().map(|one| one.name.clone()).collect();
    let names = rows::internal_names(tx, incident, touchpoints)?;
    let against = Against {
        audience,
        phase: update.phase,
        next_update_by: update.next_update_by,
        estimate: facts.estimate.as_ref(),
        names: &names,
        now,
    };
    Ok(check(&update.subject, &update.words, &against))
}

/// A draft as it would go out now: when the time it promises has passed, the next one is promised instead. The
/// template's words say so by themselves; in a person's own words only the time is exchanged.
pub fn as_of_now(
    tx: &mut ::store::Tx,
    draft: &Update,
    audience: &Audience,
    incident: &Incident,
    facts: &Facts,
    now: Timestamp,
) -> Result<Update, Error> {
    let mut fresh = draft.clone();
    let Some(passed) = draft.next_update_by.filter(|due| *due <= now) else {
        return Ok(fresh);
    };
    fresh.next_update_by = next_word(audience, incident, draft.phase, now);
    if draft.edited {
        if let Some(due) = fresh.next_update_by {
            let zone = TimeZone::get(&audience.time_zone).unwrap_or(TimeZone::UTC);
            let clock = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
            let words = draft.words.for_insiders().replace(&clock(passed), &clock(due));
            fresh.words = InternalText::new(words);
        }
        return Ok(fresh);
    }
    let say = situation::touchpoints_of(tx, incident)?
        .into_iter()
        .find_map(|touchpoint| touchpoint.words_to_say);
    let material = Material {
        facts,
        next_update_by: fresh.next_update_by,
        incident: incident.into(),
        say,
        now,
    };
    let Composed { subject, words } = compose(audience, &material);
    fresh.subject = subject;
    fresh.words = words;
    Ok(fresh)
}

/// Somebody agrees to exactly these words on exactly these facts.
pub fn approve(
    change: &mut Change,
    id: &UpdateId,
    user_id: &UserId,
    seen_revision: Option<i64>,
) -> Result<Update, Problem> {
    let (mut update, audience, present) = at_work(change, id)?;
    let current = present.revision.revision;
    let seen = seen_revision.unwrap_or(update.facts_revision);
    if seen != current || update.facts_revision != current {
        let changes = facts::changes_after(change.tx, &update.incident_id, seen.min(update.facts_revision))?;
        return Err(Problem::conflict(format!(
            "The facts have moved on to revision {current}: {}. Read the words again, then approve.",
            in_words(&changes)
        )));
    }
    let found = findings(
        change.tx,
        &update,
        &audience,
        &present.incident,
        present.facts(),
        change.now,
    )?;
    super::publication::refuse_if_wrong(&found)?;
    update.state = UpdateState::Approved;
    update.approved_by = Some(user_id.clone());
    update.approved_at = Some(change.now);
    rows::save_draft(change, &update).map_err(gone_out)?;
    let text = format!(
        "{} approved the words for {} on revision {current} of the facts.",
        change.agent.name, audience.name
    );
    record(change, Kind::UpdateApproved, &update, &audience, text)?;
    note(
        change,
        AuditAction::Update,
        &update,
        json!({ "approved_on_revision": current }),
    );
    Ok(update)
}

/// Ends what was being written about an incident that went into another.
pub fn follow_merge(change: &mut Change, incident: &Incident, target: &IncidentId) -> Result<(), Error> {
    for audience in audiences::all(change.tx)? {
        if let Some(draft) = rows::open_draft(change.tx, &incident.id, &audience.id)? {
            rows::drop_draft(change, &draft.id)?;
        }
    }
    super::promises::move_to(change, &incident.id, target)
}
