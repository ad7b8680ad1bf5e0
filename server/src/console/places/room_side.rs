//! Beside the story of the room: who was told what, where it probably began, what customers say, who was asked.

use std::collections::HashMap;

use jiff::Timestamp;
use store::Tx;

use crate::alerts::model::Reason;
use crate::console::kit::{Bar, Link, Person, Pick, Reading, Rich, duration_words, thousands};
use crate::console::screens::room::{
    Origin, Responder, Similar, Task, TaskProgress, Told, Urgency, Voice, Voices,
};
use crate::desk::voices::Voice as Said;
use crate::http::Problem;
use crate::incidents::IncidentId;
use crate::incidents::confirmed_origin::ConfirmedOrigin;
use crate::incidents::origin::{Origin as Ranked, SuspectedChange};
use crate::incidents::room::{self, ResponderState, TaskStatus};
use crate::incidents::similar::SimilarIncident;
use crate::services::change_events::KeptChange;
use crate::updates::model::{Audience, AudienceChannel, Promise, Update};
use crate::updates::{audiences, promises, store as update_rows};

/// Voices that are shown one by one.
const VOICES: usize = 5;
/// Audiences that are shown.
const AUDIENCES: usize = 20;
/// Scores of changes, between 0 and 1: from where on one is named, and from where on it is likely, if the runner-up
/// has at most this share of its score.
const NAMED: f64 = 0.12;
const LIKELY: f64 = 0.3;
const AHEAD: f64 = 0.7;
/// Reasons of each kind that are told, and later changes.
const REASONS: usize = 3;
const LATER: usize = 2;

/// An audience with what it was told last, what is being written for it, and what it waits for.
pub(super) struct Hearing {
    pub audience: Audience,
    pub last: Option<Update>,
    pub draft: Option<Update>,
    pub promise: Option<Promise>,
}

pub(super) fn hearings(tx: &mut Tx, id: &IncidentId) -> Result<Vec<Hearing>, Problem> {
    let mut hearings = Vec::new();
    for audience in audiences::all(tx)?.into_iter().take(AUDIENCES) {
        hearings.push(Hearing {
            last: update_rows::last_published(tx, id, &audience.id)?,
            draft: update_rows::open_draft(tx, id, &audience.id)?,
            promise: promises::open(tx, id, &audience.id)?,
            audience,
        });
    }
    Ok(hearings)
}

/// The audience that hears next.
pub(super) fn next(hearings: &[Hearing]) -> Option<(&Audience, &Promise)> {
    hearings
        .iter()
        .filter_map(|one| Some((&one.audience, one.promise.as_ref()?)))
        .min_by_key(|(_, promise)| promise.due_at)
}

pub(super) fn told(hearings: &[Hearing], reading: &Reading) -> Vec<Told> {
    let next_due: Option<Timestamp> = next(hearings).map(|(_, promise)| promise.due_at);
    hearings
        .iter()
        .map(|one| {
            let last = one.last.as_ref().and_then(|update| update.published_at);
            let due = one.promise.as_ref().map(|promise| promise.due_at);
            let at_the_desk = one.audience.channels.contains(&AudienceChannel::Desk);
            Told {
                audience: one.audience.name.clone(),
                last: last.map_or_else(|| "not yet".to_owned(), |at| reading.clock_words(at)),
                next: match due {
                    Some(due) => reading.clock_words(due),
                    None if at_the_desk && last.is_none() => "reads along".to_owned(),
                    None => "no promise".to_owned(),
                },
                urgency: if due.is_some() && due == next_due {
                    Urgency::Next
                } else {
                    Urgency::Calm
                },
            }
        })
        .collect()
}

/// The change that is likely behind an incident: it fits well, and far better than the next.
pub(super) fn likely_change(ranked: &Ranked) -> Option<&SuspectedChange> {
    let runner_up = ranked.changes.get(1).map_or(0.0, |next| next.score);
    ranked
        .changes
        .first()
        .filter(|change| change.score >= LIKELY && runner_up <= change.score * AHEAD)
}

/// What may be behind it, as `incidents::origin` ranks it: a word for how sure, never a figure, because the scores
/// only compare suspects with each other. `later` is what was done to the suspected service since.
pub(super) fn origin(ranked: &Ranked, later: &[KeptChange], reading: &Reading) -> Origin {
    let suspect = ranked.suspects.first();
    let change = ranked.changes.first().filter(|change| change.score >= NAMED);
    let Some(change) = change else {
        return match (suspect, ranked.suspects.get(1)) {
            (Some(first), Some(second)) if first.score > second.score => Origin::Probable {
                what: Rich::default().code(first.name.clone()),
                how_sure: "possible".to_owned(),
                reasons: first
                    .reasons
                    .iter()
                    .take(REASONS)
                    .map(|one| why("bell", one))
                    .collect(),
            },
            _ => Origin::Unknown(Rich::plain(match ranked.changes.len() {
                0 => "No origin found yet, and no change in the 24 hours before.".to_owned(),
                1 => "No origin found yet. 1 change in the 24 hours before does not fit.".to_owned(),
                count => format!("No origin found yet. {count} changes in the 24 hours before do not fit."),
            })),
        };
    };
    let sure = likely_change(ranked).is_some();
    let only = (ranked.changes.len() == 1).then(|| {
        (
            "change",
            Rich::plain("The only change near it in the 24 hours before."),
        )
    });
    let by_alerts = suspect
        .filter(|suspect| suspect.id == change.service_id)
        .map(|suspect| {
            let words = format!("The alerts point to {} as well.", suspect.name);
            ("bell", Rich::plain(words))
        });
    let since = later
        .iter()
        .filter(|one| one.service_id == change.service_id)
        .take(LATER)
        .map(|one| {
            let words = format!("Since then, {}: {}", reading.clock_words(one.at), one.summary);
            ("tick", Rich::plain(words))
        });
    Origin::Probable {
        what: Rich::default().code(change.service_name.clone()).then(format!(
            ", {}: {}",
            reading.clock_words(change.at),
            change.summary
        )),
        how_sure: if sure { "likely" } else { "possible" }.to_owned(),
        reasons: only
            .into_iter()
            .chain(change.reasons.iter().take(REASONS).map(|one| why("branch", one)))
            .chain(by_alerts)
            .chain(since)
            .collect(),
    }
}

/// What somebody confirmed, with what speaks for it besides.
pub(super) fn confirmed(said: &ConfirmedOrigin, ranked: &Ranked, reading: &Reading) -> Origin {
    let of_change = ranked
        .changes
        .iter()
        .find(|change| Some(change.id.as_str()) == said.change_event_id.as_deref());
    let of_service = ranked
        .suspects
        .iter()
        .find(|suspect| suspect.id == said.service_id);
    let reasons = of_change
        .map(|change| &change.reasons)
        .or(of_service.map(|suspect| &suspect.reasons));
    let who = Rich::default()
        .strong(said.said_by_name.clone())
        .then(format!(" said so, {}.", reading.clock_words(said.at)));
    Origin::Probable {
        what: Rich::plain(said.summary.clone()),
        how_sure: "confirmed".to_owned(),
        reasons: std::iter::once(("tick", who))
            .chain(
                reasons
                    .into_iter()
                    .flatten()
                    .take(REASONS)
                    .map(|one| why("branch", one)),
            )
            .collect(),
    }
}

/// What can be named as the origin: changes of the day before, then services, each the most probable first.
pub(super) fn origin_picks(ranked: &Ranked, reading: &Reading) -> Vec<Pick> {
    let changes = ranked.changes.iter().map(|change| {
        let words = format!(
            "{}, {}: {}",
            change.service_name,
            reading.clock_words(change.at),
            change.summary
        );
        Pick::new(format!("change:{}", change.id), words)
    });
    let services = ranked
        .suspects
        .iter()
        .map(|suspect| Pick::new(format!("service:{}", suspect.id), suspect.name.clone()));
    changes.chain(services).collect()
}

/// What "This was it" says, where the room names an origin.
pub(super) fn named(ranked: &Ranked, shown: &Origin) -> Option<String> {
    if matches!(shown, Origin::Unknown(_)) {
        return None;
    }
    let change = ranked.changes.first().filter(|change| change.score >= NAMED);
    change
        .map(|change| format!("change:{}", change.id))
        .or_else(|| Some(format!("service:{}", ranked.suspects.first()?.id)))
}

fn why(icon: &'static str, reason: &Reason) -> (&'static str, Rich) {
    (icon, Rich::plain(reason.sentence.clone()))
}

pub(super) fn similar(
    alike: &[SimilarIncident],
    resolutions: &HashMap<IncidentId, String>,
    reading: &Reading,
) -> Vec<Similar> {
    alike
        .iter()
        .map(|one| {
            let lasted = one
                .resolved_at
                .map(|at| duration_words(at.duration_since(one.created_at).as_secs()));
            let when = reading.date(one.created_at);
            let mut words = match lasted {
                Some(lasted) => format!("{when}, {lasted}."),
                None => format!("{when}, still open."),
            };
            let said = resolutions
                .get(&one.id)
                .cloned()
                .or_else(|| one.reasons.first().cloned());
            if let Some(said) = said {
                words.push(' ');
                words.push_str(&said);
            }
            Similar {
                link: Link::new(
                    format!("#{} {}", one.number, one.title),
                    format!("/console/incidents/{}", one.id),
                ),
                words,
            }
        })
        .collect()
}

/// The loudest voices, and how many more there are.
pub(super) fn voices(said: &[Said]) -> Voices {
    let all: u64 = said.iter().map(|one| one.count).sum();
    let loudest = said.iter().map(|one| one.count).max().unwrap_or(1).max(1);
    let mut heard: Vec<Voice> = said
        .iter()
        .take(VOICES)
        .map(|one| Voice {
            words: Rich::plain(format!("“{}”", one.example)),
            bar: Bar::of(one.count, loudest),
            count: thousands(one.count),
        })
        .collect();
    let others: u64 = said.iter().skip(VOICES).map(|one| one.count).sum();
    if others > 0 {
        heard.push(Voice {
            words: Rich::plain("Said otherwise"),
            bar: Bar::of(others, loudest.max(others)),
            count: thousands(others),
        });
    }
    let note = match all {
        0 => String::new(),
        1 => "1 case".to_owned(),
        count => format!("{} cases, gathered by their words", thousands(count)),
    };
    Voices { note, heard }
}

/// Those who were asked; what they were asked for stands where it differs from the one above.
pub(super) fn responders(asked: &[room::Responder], reading: &Reading) -> Vec<Responder> {
    let above = std::iter::once("").chain(asked.iter().map(|one| one.message.as_str()));
    asked
        .iter()
        .zip(above)
        .map(|(one, above)| Responder {
            what: if one.message == above {
                String::new()
            } else {
                one.message.clone()
            },
            who: Person::named(one.user_name.clone()),
            answer: answer(one, reading),
        })
        .collect()
}

fn answer(one: &room::Responder, reading: &Reading) -> String {
    match one.state {
        ResponderState::Joined => {
            let seconds = one.updated_at.duration_since(one.requested_at).as_secs();
            format!("here after {}", duration_words(seconds))
        }
        ResponderState::Declined => "cannot".to_owned(),
        ResponderState::UserCancelled => "not needed any more".to_owned(),
        ResponderState::Pending => format!("asked {}", reading.clock_words(one.requested_at)),
    }
}

pub(super) fn task(one: &room::Task, reading: &Reading) -> Task {
    let owner = match (&one.assignee_name, one.due_at) {
        (Some(name), Some(due)) => format!("{name}, {}", reading.clock_words(due)),
        (Some(name), None) => name.clone(),
        (None, Some(due)) => reading.clock_words(due),
        (None, None) => "nobody yet".to_owned(),
    };
    Task {
        id: one.id.to_string(),
        title: one.name.clone(),
        owner,
        progress: match one.status {
            TaskStatus::Done => TaskProgress::Done,
            TaskStatus::Todo => TaskProgress::Open,
        },
    }
}
