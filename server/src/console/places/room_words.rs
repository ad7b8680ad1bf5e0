//! Speaking from the room: a note for those inside, or an update for an audience, through the updates' own rules.
//!
//! Who reads is chosen before a word is written. Words for an audience become its draft, are checked, approved
//! where the audience asks for it and the writer may, and published with their promise, whose time is said at the
//! end unless the writer said it. Whatever keeps them
//! from going out, the words are kept as the draft and the writer is shown what to mend.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Deserialize;
use store::Tx;

use super::room_side::Hearing;
use super::{escaped, go_to};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::kit::{Composer, ComposerReader, Pick, Reach, Reading, State as Shape};
use crate::console::page::{PageProblem, Posted};
use crate::http::{Path, Problem};
use crate::impact::model::HurtTouchpoint;
use crate::incidents::room::{self, NOTE_LENGTH};
use crate::incidents::{Incident, IncidentId};
use crate::timeline::Change;
use crate::updates::approval::require_approver;
use crate::updates::compose::LONGEST_WORDS;
use crate::updates::model::{ApprovalRule, Audience, AudienceChannel, Phase, Readers};
use crate::updates::promised_words::{said_time, with_promise};
use crate::updates::situation::{Harm, harm_of};
use crate::updates::{AudienceId, UpdateId, audiences, drafts, publication, store as rows};
use crate::words::InternalText;

/// The value of the reader who is chosen at the start.
const INSIDE: &str = "inside";
/// Minutes after which the next word may be promised.
const PROMISES: [u64; 4] = [15, 30, 60, 120];

/// What a caller may do with the words for an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaching {
    /// They go out at once.
    Publish,
    /// They wait for somebody who may approve or publish them.
    Draft,
}

/// Whether a caller may agree to words about this incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreeing {
    Allowed,
    LeftToOthers,
}

pub(super) fn agreeing(tx: &mut Tx, caller: &Caller, id: &IncidentId) -> Agreeing {
    match require_approver(tx, caller, id) {
        Ok(()) => Agreeing::Allowed,
        Err(_) => Agreeing::LeftToOthers,
    }
}

pub(super) fn reaching(caller: &Caller, agreeing: Agreeing, audience: &Audience) -> Reaching {
    let approved = audience.approval == ApprovalRule::NotRequired || agreeing == Agreeing::Allowed;
    if approved && caller.may(Action::Publish, Resource::Update) {
        Reaching::Publish
    } else {
        Reaching::Draft
    }
}

/// What the button says that sends the words.
pub(super) fn verb(reaching: Reaching, audience: &Audience) -> String {
    match reaching {
        Reaching::Publish => format!("Tell {}", audience.name.to_lowercase()),
        Reaching::Draft => "Ask for approval".to_owned(),
    }
}

/// The composer of a room: inside first, then every audience the caller may write for.
pub(super) fn composer(
    id: &str,
    csrf_token: &str,
    (caller, agreeing): (&Caller, Agreeing),
    hearings: &[Hearing],
    reading: &Reading,
) -> Composer {
    let inside = caller
        .may(Action::Respond, Resource::Incident)
        .then(|| ComposerReader {
            value: INSIDE.to_owned(),
            words: "Inside".to_owned(),
            icon: "lock",
            reach: Reach::Inside,
            sees: "Only people inside see this.".to_owned(),
            verb: "Add note".to_owned(),
            draft: String::new(),
            promises: Vec::new(),
        });
    let mut readers: Vec<ComposerReader> = inside.into_iter().collect();
    if caller.may(Action::Create, Resource::Update) {
        readers.extend(
            hearings
                .iter()
                .map(|one| reader(one, (caller, agreeing), reading)),
        );
    }
    Composer {
        id: "say",
        csrf_token: csrf_token.to_owned(),
        post_to: format!("/console/incidents/{id}/say"),
        placeholder: "What did you see or do?",
        readers,
        task_to: caller
            .may(Action::Respond, Resource::Incident)
            .then(|| format!("/console/incidents/{id}/tasks")),
    }
}

fn reader(hearing: &Hearing, (caller, agreeing): (&Caller, Agreeing), reading: &Reading) -> ComposerReader {
    let audience = &hearing.audience;
    let public = audience.readers == Readers::Public;
    let who = audience.name.to_lowercase();
    let ways: Vec<&str> = audience.channels.iter().map(way).collect();
    let by = if ways.is_empty() {
        String::new()
    } else {
        format!(", {}", crate::updates::compose::listing(&ways))
    };
    let draft = hearing.draft.as_ref();
    let over = draft.is_some_and(|draft| draft.phase == Phase::Resolved);
    ComposerReader {
        value: audience.id.to_string(),
        words: audience.name.clone(),
        icon: if public { "globe" } else { "desk" },
        reach: if public { Reach::Outside } else { Reach::Inside },
        sees: if public {
            format!("Public: {who} read this{by}.")
        } else {
            format!("Inside: {who} read this{by}.")
        },
        verb: verb(reaching(caller, agreeing, audience), audience),
        draft: draft
            .map(|draft| draft.words.for_insiders().to_owned())
            .unwrap_or_default(),
        promises: if over {
            Vec::new()
        } else {
            promises(draft.and_then(|draft| draft.next_update_by), reading)
        },
    }
}

fn way(channel: &AudienceChannel) -> &'static str {
    match channel {
        AudienceChannel::StatusPage => "on the status page",
        AudienceChannel::Desk => "at the desk",
        AudienceChannel::Subscribers => "as subscribers",
        AudienceChannel::Email { .. } => "by e-mail",
        AudienceChannel::Webhook { .. } => "by webhook",
    }
}

/// The draft's own promise while it stands, then times from now.
fn promises(drafted: Option<jiff::Timestamp>, reading: &Reading) -> Vec<Pick> {
    let drafted = drafted
        .filter(|due| *due > reading.now)
        .map(|due| Pick::new("", format!("by {}", reading.clock_words(due))));
    let later = PROMISES.iter().map(|minutes| {
        let words = crate::console::kit::duration_words(*minutes as i64 * 60);
        Pick::new(minutes.to_string(), format!("in {words}"))
    });
    drafted.into_iter().chain(later).collect()
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    reader: String,
    #[serde(default)]
    words: String,
    /// Minutes until the next word; empty for the draft's own promise.
    #[serde(default)]
    promise: String,
}

pub(super) async fn say(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Said>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let caller = visitor.0;
    let back = format!("/console/incidents/{id}");
    if fields.reader.is_empty() || fields.reader == INSIDE {
        caller.require(Action::Respond, Resource::Incident)?;
        app.change(caller.agent(), move |change| {
            note(change, &IncidentId::from(id.as_str()), &fields.words)
        })
        .await?;
        return Ok(go_to(&back));
    }
    caller.require(Action::Create, Resource::Update)?;
    let went_out = tell(&app, &caller, &id, fields).await?;
    Ok(go_to(&match went_out {
        Reaching::Publish => back,
        Reaching::Draft => format!("/console/updates?incident={}", escaped(&id)),
    }))
}

/// A note for those inside.
fn note(change: &mut Change, id: &IncidentId, words: &str) -> Result<(), Problem> {
    let words = words.trim();
    if words.is_empty() || words.chars().count() > NOTE_LENGTH {
        return Err(Problem::invalid([format!(
            "Write a note of at most {NOTE_LENGTH} letters."
        )]));
    }
    room::add_note(change, id, words, "console").map(drop)
}

/// Keeps the words as the audience's draft, then sends them if nothing stands against it.
async fn tell(app: &App, caller: &Caller, id: &str, said: Said) -> Result<Reaching, Problem> {
    let words = said.words.trim().replace("\r\n", "\n");
    if words.is_empty() || words.chars().count() > LONGEST_WORDS {
        return Err(Problem::invalid([format!(
            "Write what they are to read, in at most {LONGEST_WORDS} letters."
        )]));
    }
    let minutes = said.promise.parse::<u64>().ok();
    let incident_id = IncidentId::from(id);
    let audience_id = AudienceId::from(said.reader.as_str());
    let approving_about = incident_id.clone();
    let approver = caller.clone();
    let (update_id, audience, agreeing) = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let audience = audiences::find(change.tx, &audience_id)?
                .ok_or_else(|| Problem::not_found("The audience"))?;
            let before = rows::open_draft(change.tx, &incident_id, &audience_id)?;
            let drafted = before.as_ref().and_then(|draft| draft.next_update_by);
            let differ = before
                .as_ref()
                .is_none_or(|draft| draft.words.for_insiders().trim() != words);
            let zone = TimeZone::get(&audience.time_zone).unwrap_or(TimeZone::UTC);
            // Whoever picks no time promises what their words say.
            let picked =
                minutes.map(|minutes| change.now + Duration::from_secs(minutes.clamp(5, 24 * 60) * 60));
            let said = || differ.then(|| said_time(&words, change.now, &zone)).flatten();
            let promised = drafts::Edit {
                next_update_by: picked.or_else(said),
                ..drafts::Edit::default()
            };
            let mut draft = drafts::write(change, &incident_id, &audience_id, &promised)?;
            if differ {
                let due = draft.next_update_by.filter(|_| draft.phase != Phase::Resolved);
                let own = match due {
                    Some(due) => with_promise(&words, &audience.language, due, drafted, change.now, &zone),
                    None => words.clone(),
                };
                let edit = drafts::Edit {
                    words: Some(InternalText::new(own)),
                    ..drafts::Edit::default()
                };
                draft = drafts::write(change, &incident_id, &audience_id, &edit)?;
            }
            let agreeing = agreeing(change.tx, &approver, &incident_id);
            Ok((draft.id, audience, agreeing))
        })
        .await?;
    if reaching(caller, agreeing, &audience) == Reaching::Draft {
        return Ok(Reaching::Draft);
    }
    send(app, caller, approving_about, update_id).await
}

/// Sends a draft that has been kept, agreed to by the caller where they may. Whatever stands against it, the words wait.
pub(super) async fn send(
    app: &App,
    caller: &Caller,
    incident_id: IncidentId,
    update_id: UpdateId,
) -> Result<Reaching, Problem> {
    let user_id = caller.user_id().cloned();
    let approver = caller.clone();
    let published = app
        .change(caller.agent(), move |change| -> Result<(), Problem> {
            let may_approve = require_approver(change.tx, &approver, &incident_id).is_ok();
            if let Some(user_id) = user_id.as_ref().filter(|_| may_approve) {
                drafts::approve(change, &update_id, user_id, None)?;
            }
            publication::publish(change, &update_id, user_id.as_ref()).map(drop)
        })
        .await;
    match published {
        Ok(()) => Ok(Reaching::Publish),
        // The checker or the facts stand against it: the words wait as a draft, with what to mend beside them.
        Err(problem) if problem.status().is_client_error() => Ok(Reaching::Draft),
        Err(problem) => Err(problem),
    }
}

/// How badly an open incident hurts a touchpoint, as far as priority, evidence and distance say.
pub(super) fn how_hurt(
    incident: &Incident,
    milder: &[String],
    touchpoint: &HurtTouchpoint,
) -> (Shape, &'static str) {
    let near = touchpoint.hops <= 1;
    match harm_of(incident) {
        Some(_) if milder.contains(&touchpoint.id) => (Shape::Slow, "slow"),
        Some(Harm::Slow) => (Shape::Slow, "slow"),
        Some(Harm::Down) if near => (Shape::Triggered, "down"),
        Some(Harm::PartlyDown) if near => (Shape::Triggered, "partly down"),
        None | Some(Harm::Down | Harm::PartlyDown) => (Shape::Slow, "may be hurt"),
    }
}
