//! Updates: one set of facts, every audience's words beside each other, the promise at the top.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use store::Tx;

use super::room_words::{self, Agreeing, Reaching, agreeing, reaching, verb};
use super::{escaped, go_to, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::{Place, Situation};
use crate::console::kit::{Link, Pagination, Pick, Reach, Reading, Rich};
use crate::console::page::{PageProblem, Posted, Visitor, show};
use crate::console::screens::room::Urgency;
use crate::console::screens::updates::{
    AudienceColumn, ColumnNext, Fact, Finding, PromiseHead, UpdateRights, Updates, UpdatesList,
};
use crate::http::{Problem, Query};
use crate::incidents::model::Incident;
use crate::incidents::{IncidentId, store as incident_rows};
use crate::timeline::Change;
use crate::updates::checker::{Field, Finding as Objection};
use crate::updates::facts::{self, Facts, Stated};
use crate::updates::headline::{self, Headline};
use crate::updates::model::{Audience, Phase, Promise, Readers, Update};
use crate::updates::promised_words::said_time;
use crate::updates::{AudienceId, audiences, drafts, promises, store as rows};
use crate::words::InternalText;

const LONGEST_WORDS: usize = 10_000;
/// Open incidents one can speak about.
const INCIDENTS: i64 = 100;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/updates", get(page).post(write))
        .route("/console/updates/facts", post(set_facts))
        .route("/console/updates/promise", post(move_promise))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    incident: String,
}

/// One audience with its words as they stand.
struct Column {
    audience: Audience,
    draft: Option<Update>,
    last: Option<Update>,
    objections: Vec<Objection>,
    promise: Option<Promise>,
}

struct Known {
    situation: Situation,
    incidents: Vec<Incident>,
    chosen: Option<(Incident, Facts, i64)>,
    columns: Vec<Column>,
    /// Whether the reader may agree to words about it.
    agreeing: Agreeing,
    /// What customers feel of each incident.
    headlines: HashMap<IncidentId, Headline>,
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Update)?;
    let caller = visitor.0.clone();
    let now = app.clock.now();
    let known = app
        .read(move |tx| -> Result<_, Problem> {
            let situation = situation::read(tx, &caller, now)?;
            know(tx, (&caller, &asked.incident), now, situation)
        })
        .await?;
    let reading = visitor.reading(&app);
    if known.chosen.is_none() {
        return Ok(show(&UpdatesList {
            frame: visitor.frame(&app, Place::Updates, "Updates", known.situation.clone()),
            headline: "Nobody waits for a word".to_owned(),
            below: Rich::plain(
                "When an incident opens, the words for each audience are drafted here from its facts.",
            ),
            rows: Vec::new(),
            pagination: Pagination {
                words: String::new(),
                earlier: None,
                later: None,
            },
        }));
    }
    Ok(show(&draw(&app, &visitor, &reading, known)))
}

fn know(
    tx: &mut Tx,
    (caller, wanted): (&Caller, &str),
    now: Timestamp,
    situation: Situation,
) -> Result<Known, Problem> {
    let incidents = incident_rows::open(tx, INCIDENTS)?;
    let chosen = match (wanted, promises::waited_for(tx, 1)?.first()) {
        // Whoever comes without a wish is shown where somebody waits for a word.
        ("", Some(next)) => incident_rows::find(tx, &next.incident_id)?,
        ("", None) => incidents.first().cloned(),
        (wanted, _) => incident_rows::find(tx, &IncidentId::from(wanted))?,
    };
    let mut spoken_of = incidents.clone();
    spoken_of.extend(chosen.clone());
    let headlines = headline::of(tx, &spoken_of)?;
    let Some(incident) = chosen else {
        return Ok(Known {
            situation,
            incidents,
            chosen: None,
            columns: Vec::new(),
            agreeing: Agreeing::LeftToOthers,
            headlines,
        });
    };
    let facts = facts::read(tx, &incident, now)?;
    let revision = facts::latest(tx, &incident.id)?.map_or(1, |revision| revision.revision);
    let mut columns = Vec::new();
    for audience in audiences::all(tx)? {
        let draft = match rows::open_draft(tx, &incident.id, &audience.id)? {
            Some(draft) => Some(drafts::as_of_now(tx, &draft, &audience, &incident, &facts, now)?),
            None => None,
        };
        let objections = match &draft {
            Some(draft) => drafts::findings(tx, draft, &audience, &incident, &facts, now)?,
            None => Vec::new(),
        };
        columns.push(Column {
            last: rows::last_published(tx, &incident.id, &audience.id)?,
            promise: promises::open(tx, &incident.id, &audience.id)?,
            draft,
            objections,
            audience,
        });
    }
    Ok(Known {
        situation,
        incidents,
        agreeing: agreeing(tx, caller, &incident.id),
        chosen: Some((incident, facts, revision)),
        columns,
        headlines,
    })
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, known: Known) -> Updates {
    let Known {
        situation,
        incidents,
        chosen,
        columns,
        agreeing,
        headlines,
    } = known;
    let verb_for = |audience: &Audience| verb(reaching(&visitor.0, agreeing, audience), audience);
    // What customers feel says more to whoever writes than what a machine said first.
    let called = |one: &Incident| {
        let felt = headlines.get(&one.id).and_then(|headline| headline.felt.first());
        format!("#{} {}", one.number, felt.unwrap_or(&one.title))
    };
    let (incident, facts, revision) = match chosen {
        Some((incident, facts, revision)) => (Some(incident), Some(facts), revision),
        None => (None, None, 0),
    };
    let next = columns
        .iter()
        .filter_map(|column| column.promise.as_ref().map(|promise| (column, promise)))
        .min_by_key(|(_, promise)| promise.due_at);
    let id = incident
        .as_ref()
        .map(|one| one.id.to_string())
        .unwrap_or_default();
    Updates {
        frame: visitor.frame(app, Place::Updates, "Updates", situation),
        promise: next.map(|(column, promise)| PromiseHead {
            who: format!("{} expect to hear from us", column.audience.name),
            due: reading.countdown(promise.made_at, promise.due_at),
            below: "When it is missed, whoever commands the incident is told, and it counts.".to_owned(),
            verb: verb_for(&column.audience),
            audience: column.audience.id.to_string(),
        }),
        headline: incident.as_ref().map_or_else(String::new, called),
        about: incident
            .as_ref()
            .map(|one| Link::new(called(one), format!("/console/incidents/{}", one.id))),
        facts_note: match rights(&visitor.0) {
            UpdateRights::Write => format!("revision {revision}. Change one, and all texts follow."),
            UpdateRights::Look => format!("revision {revision}. All texts follow from them."),
        },
        facts: facts
            .as_ref()
            .map(|facts| numbered(facts, reading))
            .unwrap_or_default(),
        columns: columns
            .iter()
            .map(|column| {
                let is_next = next.is_some_and(|(due, _)| due.audience.id == column.audience.id);
                let urgency = if is_next { Urgency::Next } else { Urgency::Calm };
                drawn(column, urgency, verb_for(&column.audience), reading)
            })
            .collect(),
        incidents: incidents
            .iter()
            .map(|one| {
                let pick = Pick::new(one.id.as_str(), called(one));
                if one.id.as_str() == id {
                    pick.current()
                } else {
                    pick
                }
            })
            .collect(),
        rights: rights(&visitor.0),
        incident: id,
    }
}

fn rights(caller: &Caller) -> UpdateRights {
    let may = |action| caller.may(action, Resource::Update);
    if may(Action::Create) && may(Action::Change) {
        UpdateRights::Write
    } else {
        UpdateRights::Look
    }
}

/// The facts with their numbers; those with a field of the form can be changed.
fn numbered(facts: &Facts, reading: &Reading) -> Vec<Fact> {
    let text = |text: &Option<InternalText>| {
        text.as_ref()
            .map(|text| text.for_insiders().to_owned())
            .unwrap_or_default()
    };
    let touchpoints: Vec<&str> = facts.touchpoints.iter().map(|one| one.name.as_str()).collect();
    let values = [
        (Some("phase"), "Where we are", facts.phase.as_text().to_owned()),
        (Some("symptom"), "What customers feel", text(&facts.symptom)),
        (Some("workaround"), "What to do instead", text(&facts.workaround)),
        (None, "Touchpoints", touchpoints.join(", ")),
        (
            None,
            "Places",
            if facts.places.count == 0 {
                String::new()
            } else {
                facts.places.count.to_string()
            },
        ),
        (None, "Since", reading.clock_words(facts.since)),
    ];
    values
        .into_iter()
        .zip(1_u8..)
        .map(|((field, name, value), number)| Fact {
            number,
            field,
            name,
            value,
        })
        .collect()
}

fn drawn(column: &Column, urgency: Urgency, verb: String, reading: &Reading) -> AudienceColumn {
    let audience = &column.audience;
    let outside = audience.readers == Readers::Public;
    let shown = column.draft.as_ref().or(column.last.as_ref());
    let plain = shown
        .map(|update| update.words.for_insiders().to_owned())
        .unwrap_or_default();
    AudienceColumn {
        id: audience.id.to_string(),
        icon: if outside { "globe" } else { "lock" },
        name: audience.name.clone(),
        reach: if outside { Reach::Outside } else { Reach::Inside },
        who: vec![if outside {
            "The status page and its subscribers".to_owned()
        } else {
            "People inside".to_owned()
        }],
        cadence: format!("Every {} min", audience.cadence_minutes),
        next: match (&column.promise, &column.last) {
            (Some(promise), _) => ColumnNext::By(format!("by {}", reading.clock_words(promise.due_at))),
            (None, Some(last)) => ColumnNext::Sent(
                last.published_at
                    .map(|at| reading.clock_words(at))
                    .unwrap_or_default(),
            ),
            (None, None) => ColumnNext::By("nothing said yet".to_owned()),
        },
        words: paragraphs(&plain, &column.objections),
        plain,
        findings: said_once(&column.objections),
        note: shown
            .map(|update| format!("From facts r{}.", update.facts_revision))
            .unwrap_or_default(),
        verb,
        urgency,
    }
}

/// What the checker objects to, each once, however often the words stand there.
fn said_once(objections: &[Objection]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for one in objections {
        if findings.iter().all(|known| known.objection != one.objection) {
            findings.push(Finding {
                objection: one.objection.clone(),
                remedy: one.remedy.clone().unwrap_or_default(),
                replace: None,
            });
        }
    }
    findings
}

/// The words by paragraph, with what the checker objects to underlined in place.
fn paragraphs(words: &str, objections: &[Objection]) -> Vec<Rich> {
    let found: Vec<&str> = objections
        .iter()
        .filter(|one| one.field == Field::Words && !one.excerpt.is_empty())
        .map(|one| one.excerpt.as_str())
        .collect();
    words
        .split('\n')
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            match found
                .iter()
                .find_map(|excerpt| line.split_once(excerpt).map(|parts| (excerpt, parts)))
            {
                Some((excerpt, (before, after))) => Rich::plain(before).found(*excerpt).then(after),
                None => Rich::plain(line),
            }
        })
        .collect()
}

#[derive(Debug, Clone, Deserialize)]
struct Written {
    incident: String,
    audience: String,
    #[serde(default)]
    words: String,
    #[serde(default, rename = "do")]
    what: String,
}

/// Keeps the words; `send` approves and publishes them too, where the writer may. What may not go out yet, or is objected
/// to, waits as the draft, and the writer finds it on the page.
async fn write(State(app): State<Arc<App>>, posted: Posted<Written>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Create, Resource::Update)?;
    let written = posted.fields;
    if written.words.chars().count() > LONGEST_WORDS {
        return Err(
            Problem::invalid([format!("An update may have at most {LONGEST_WORDS} letters.")]).into(),
        );
    }
    let back = format!("/console/updates?incident={}", escaped(&written.incident));
    let incident_id = IncidentId::from(written.incident.as_str());
    let (approver, about, sends) = (caller.clone(), incident_id.clone(), written.what == "send");
    let (update_id, reaching) = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let audience_id = AudienceId::from(written.audience.as_str());
            let audience = audiences::find(change.tx, &audience_id)?
                .ok_or_else(|| Problem::not_found("The audience"))?;
            let edit = own_words(change, &about, &audience, &written.words)?;
            let draft = drafts::write(change, &about, &audience_id, &edit)?;
            let agreeing = agreeing(change.tx, &approver, &about);
            Ok((draft.id, reaching(&approver, agreeing, &audience)))
        })
        .await?;
    if sends && reaching == Reaching::Publish {
        room_words::send(&app, &caller, incident_id, update_id).await?;
    }
    Ok(go_to(&back))
}

/// What of the words that were sent is the writer's own: what was shown is the draft with a promise that has not passed,
/// and only other words than those are.
fn own_words(
    change: &mut Change,
    incident_id: &IncidentId,
    audience: &Audience,
    words: &str,
) -> Result<drafts::Edit, Problem> {
    let words = words.trim().replace("\r\n", "\n");
    let (mut due, mut differs) = (None, true);
    if let Some(draft) = rows::open_draft(change.tx, incident_id, &audience.id)? {
        let incident =
            incident_rows::find(change.tx, incident_id)?.ok_or_else(|| Problem::not_found("The incident"))?;
        let facts = facts::read(change.tx, &incident, change.now)?;
        let shown = drafts::as_of_now(change.tx, &draft, audience, &incident, &facts, change.now)?;
        due = shown
            .next_update_by
            .filter(|due| draft.next_update_by != Some(*due));
        differs = draft.edited && due.is_some() || shown.words.for_insiders().trim() != words;
    }
    let zone = TimeZone::get(&audience.time_zone).unwrap_or(TimeZone::UTC);
    let said = differs.then(|| said_time(&words, change.now, &zone)).flatten();
    Ok(drafts::Edit {
        words: (differs && !words.is_empty()).then(|| InternalText::new(words)),
        next_update_by: said.or(due),
        ..drafts::Edit::default()
    })
}

/// The facts as they were sent, and as they stood when the form was opened: what the sender left alone may have been
/// changed by somebody else meanwhile, and stays as they left it.
#[derive(Debug, Clone, Deserialize)]
struct SentFacts {
    incident: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    seen_phase: String,
    #[serde(default)]
    symptom: String,
    #[serde(default)]
    seen_symptom: String,
    #[serde(default)]
    workaround: String,
    #[serde(default)]
    seen_workaround: String,
}

impl SentFacts {
    fn over(&self, before: &Stated) -> Stated {
        let text = |sent: &str, seen: &str, before: &Option<InternalText>| {
            if sent.trim() == seen.trim() {
                return before.clone();
            }
            let text: String = sent.trim().chars().take(1000).collect();
            (!text.is_empty()).then(|| InternalText::new(text))
        };
        let phase = Phase::from_text(self.phase.trim()).filter(|_| self.phase != self.seen_phase);
        Stated {
            phase: phase.or(before.phase),
            symptom: text(&self.symptom, &self.seen_symptom, &before.symptom),
            workaround: text(&self.workaround, &self.seen_workaround, &before.workaround),
            ..before.clone()
        }
    }
}

async fn set_facts(State(app): State<Arc<App>>, posted: Posted<SentFacts>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Change, Resource::Update)?;
    let sent = posted.fields;
    let back = format!("/console/updates?incident={}", escaped(&sent.incident));
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        let id = IncidentId::from(sent.incident.as_str());
        let before = facts::stated(change.tx, &id)?;
        let stated = sent.over(&before);
        if stated != before {
            facts::state(change, &id, &stated)?;
        }
        drafts::bring_up_to_date(change, &id).map(drop)
    })
    .await?;
    Ok(go_to(&back))
}

#[derive(Debug, Clone, Deserialize)]
struct Moved {
    incident: String,
    #[serde(default)]
    minutes: u64,
}

/// Promises the next word of every open draft for later.
async fn move_promise(State(app): State<Arc<App>>, posted: Posted<Moved>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Change, Resource::Update)?;
    let moved = posted.fields;
    let back = format!("/console/updates?incident={}", escaped(&moved.incident));
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        let id = IncidentId::from(moved.incident.as_str());
        let due = change.now + Duration::from_secs(moved.minutes.clamp(5, 24 * 60) * 60);
        for audience in audiences::all(change.tx)? {
            let edit = drafts::Edit {
                next_update_by: Some(due),
                ..drafts::Edit::default()
            };
            drafts::write(change, &id, &audience.id, &edit)?;
        }
        Ok(())
    })
    .await?;
    Ok(go_to(&back))
}
