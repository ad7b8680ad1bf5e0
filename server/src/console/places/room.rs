//! The incident room: everything known about one incident, read at once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use store::Tx;

use super::room_side::{self, Hearing};
use super::{incidents::mark, room_ahead, room_impact, room_words, situation, story};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::{Place, Situation};
use crate::console::kit::{Choices, ChoicesLook, Link, Person, Pick, Reading, Rich, thousands};
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::screens::room::{Older, Origin, OriginAct, Role, Room, RoomPhase, RoomPicks, RoomReader};
use crate::desk::voices::{self, Voice};
use crate::http::{Path, Problem, Query};
use crate::impact::Impact as Hurt;
use crate::incidents::confirmed_origin::{self, ConfirmedOrigin};
use crate::incidents::model::{AlertCounts, Assignment, Incident, Status};
use crate::incidents::origin::{self, Origin as Ranked};
use crate::incidents::room::{self, ResponderState, RoleName, TaskStatus};
use crate::incidents::similar::{self, SimilarIncident};
use crate::incidents::{IncidentId, store as rows};
use crate::services::change_events::KeptChange;
use crate::timeline;
use crate::updates::headline::{self, Headline};

/// Links of senders that are shown.
const MOST_LINKS: usize = 8;
/// What a list to choose from holds at most.
const PICKS: i64 = 500;
/// Past incidents and changes since the beginning that are looked at.
const SIMILAR: usize = 3;
const LATER: i64 = 50;
/// Open incidents that this one can be merged into.
const OTHERS: i64 = 100;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/incidents/{id}", get(page))
        .route("/console/incidents/{id}/timeline", get(lines))
}

/// Part of the story that the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Filter {
    show: String,
    /// Only what came before this entry.
    before: String,
}

impl Filter {
    fn before(&self) -> Option<&str> {
        Some(self.before.as_str()).filter(|before| !before.is_empty())
    }
}

/// What the room was made from.
pub(super) struct Known {
    situation: Situation,
    pub(super) incident: Incident,
    pub(super) service: String,
    priority: Option<String>,
    assignments: Vec<Assignment>,
    owed_by_itself: room_ahead::Owed,
    pub(super) counts: AlertCounts,
    pub(super) hurt: Option<Hurt>,
    /// Touchpoints that are hurt less than the incident as a whole.
    pub(super) milder: Vec<String>,
    headline: Headline,
    entries: Vec<timeline::Entry>,
    hearings: Vec<Hearing>,
    agreeing: room_words::Agreeing,
    beside: Option<Beside>,
    /// Only for those who may read cases.
    pub(super) voices: Option<Vec<Voice>>,
    pub(super) cases: i64,
    pub(super) owed: i64,
    roles: Vec<room::RoleHolder>,
    tasks: Vec<room::Task>,
    responders: Vec<room::Responder>,
    picks: RoomPicks,
}

/// What takes long to work out and seldom changes: read when the page is opened, not when it goes on.
struct Beside {
    origin: Ranked,
    confirmed: Option<ConfirmedOrigin>,
    /// Changes since the incident opened, the newest first.
    later: Vec<KeptChange>,
    links: Vec<Link>,
    similar: Vec<SimilarIncident>,
    resolutions: HashMap<IncidentId, String>,
}

/// Why the page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Opened,
    /// By the page itself, because something has happened.
    GoneOn,
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Incident)?;
    let caller = visitor.0.clone();
    let now = app.clock.now();
    let wanted = filter.clone();
    let asked = if headers.contains_key("hx-request") {
        Asked::GoneOn
    } else {
        Asked::Opened
    };
    let known = app
        .read(move |tx| -> Result<_, Problem> {
            let situation = situation::read(tx, &caller, now)?;
            know(tx, &id, (situation, &caller), &wanted, (asked, now))
        })
        .await?;
    let reading = visitor.reading(&app);
    Ok(show(&draw(&app, &visitor, &reading, known, &filter)))
}

/// The newest lines of the story alone, for a page that is looked at.
async fn lines(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Incident)?;
    let (tellers, _) = story::tellers(&filter.show);
    let entries = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            Ok(timeline::store::story(
                tx,
                &incident.id,
                tellers,
                filter.before(),
                story::READ,
            )?)
        })
        .await?;
    Ok(story::show_lines(&story::tell(&entries, &visitor.reading(&app))))
}

/// By its id or by the number people read aloud.
fn find(tx: &mut Tx, id: &str) -> Result<Incident, Problem> {
    let found = match id.parse::<i64>() {
        Ok(number) => rows::find_by_number(tx, number)?,
        Err(_) => rows::find(tx, &IncidentId::from(id))?,
    };
    found.ok_or_else(|| Problem::not_found("The incident"))
}

pub(super) fn milder(tx: &mut Tx, incident: &Incident, hurt: Option<&Hurt>) -> Result<Vec<String>, Problem> {
    let several = hurt.is_some_and(|hurt| hurt.touchpoints.len() > 1);
    if incident.status == Status::Resolved || !several {
        return Ok(Vec::new());
    }
    let spreads = crate::impact::store::spreads(tx, std::slice::from_ref(incident))?;
    Ok(spreads.into_iter().flat_map(|spread| spread.milder).collect())
}

fn beside(tx: &mut Tx, incident: &Incident) -> Result<Beside, Problem> {
    let similar = similar::of(tx, incident, SIMILAR)?;
    let ids: Vec<IncidentId> = similar.iter().map(|one| one.id.clone()).collect();
    let mut later = crate::services::change_events::since(tx, &[], incident.created_at, LATER)?;
    later.retain(|change| change.at > incident.created_at);
    Ok(Beside {
        origin: origin::of(tx, incident)?,
        confirmed: confirmed_origin::find(tx, &incident.id)?,
        later,
        links: crate::alerts::links::of(tx, &incident.id, MOST_LINKS)?
            .into_iter()
            .map(|link| Link::new(link.words, link.to))
            .collect(),
        resolutions: timeline::store::resolutions(tx, &ids)?,
        similar,
    })
}

fn know(
    tx: &mut Tx,
    id: &str,
    (situation, caller): (Situation, &Caller),
    filter: &Filter,
    (asked, now): (Asked, Timestamp),
) -> Result<Known, Problem> {
    let incident = find(tx, id)?;
    let ids = [incident.id.clone()];
    let service_ids = [incident.service_id.as_str().to_owned()];
    let service = rows::service_names(tx, &service_ids)?
        .into_iter()
        .next()
        .map(|(_, name)| name)
        .unwrap_or_default();
    let priorities = rows::priorities(tx)?;
    let priority = incident
        .priority_id
        .as_ref()
        .and_then(|id| priorities.iter().find(|one| one.id == id.as_str()))
        .map(|one| one.name.clone());
    let hurt = crate::impact::store::find(tx, &incident.id)?.map(|stored| stored.document);
    let stated = crate::updates::facts::stated(tx, &incident.id)?;
    let nobody = Hurt::default();
    let headline = headline::headline(&incident, &stated, hurt.as_ref().unwrap_or(&nobody));
    let (tellers, _) = story::tellers(&filter.show);
    let owed = crate::cases::store::count_owed(tx, Some(incident.id.as_str()))?.0;
    Ok(Known {
        situation,
        service,
        priority,
        assignments: rows::assignments(tx, &ids)?,
        owed_by_itself: room_ahead::owed(tx, &incident, now)?,
        counts: rows::alert_counts(tx, &ids)?
            .into_iter()
            .next()
            .map(|(_, counts)| counts)
            .unwrap_or_default(),
        milder: milder(tx, &incident, hurt.as_ref())?,
        hurt,
        headline,
        entries: timeline::store::story(tx, &incident.id, tellers, filter.before(), story::READ)?,
        hearings: room_side::hearings(tx, &incident.id)?,
        agreeing: room_words::agreeing(tx, caller, &incident.id),
        beside: match asked {
            Asked::Opened => Some(beside(tx, &incident)?),
            Asked::GoneOn => None,
        },
        voices: if caller.may(Action::View, Resource::Case) {
            Some(voices::of_incident(tx, &incident.id)?)
        } else {
            None
        },
        cases: crate::cases::store::counts_of(tx, &ids)?
            .into_iter()
            .next()
            .map_or(0, |(_, count)| count),
        owed,
        roles: room::roles(tx, &incident.id)?,
        tasks: room::tasks(tx, &incident.id)?,
        responders: room::responders(tx, &ids)?,
        picks: picks(tx, &incident, &priorities, owed)?,
        incident,
    })
}

fn picks(
    tx: &mut Tx,
    incident: &Incident,
    priorities: &[rows::PriorityRow],
    owed: i64,
) -> Result<RoomPicks, Problem> {
    let picks =
        |rows: Vec<(String, String)>| rows.into_iter().map(|(id, name)| Pick::new(id, name)).collect();
    let people = picks(crate::people::store::names(tx, PICKS)?);
    let policies = picks(crate::oncall::store::policy_names(tx, PICKS)?);
    let others = rows::open(tx, OTHERS)?;
    let current = incident
        .priority_id
        .as_ref()
        .map(crate::services::PriorityId::as_str);
    Ok(RoomPicks {
        people,
        policies,
        priorities: priorities
            .iter()
            .map(|one| {
                let pick = Pick::new(one.id.clone(), one.name.clone());
                if Some(one.id.as_str()) == current {
                    pick.current()
                } else {
                    pick
                }
            })
            .collect(),
        other_incidents: others
            .iter()
            .filter(|one| one.id != incident.id)
            .map(|one| Pick::new(one.id.as_str(), format!("#{} {}", one.number, one.title)))
            .collect(),
        origins: Vec::new(),
        roles: RoleName::ALL
            .iter()
            .map(|role| Pick::new(role.as_text(), role.words()))
            .collect(),
        on_resolve: match owed {
            0 => "Nobody who reported it is owed an answer.".to_owned(),
            1 => {
                "1 customer is owed an answer. It is drafted and waits for an agent to confirm it.".to_owned()
            }
            count => format!(
                "{} customers are owed an answer. Each answer is drafted and waits for an agent to confirm it.",
                thousands(count.unsigned_abs())
            ),
        },
    })
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, known: Known, filter: &Filter) -> Room {
    let incident = &known.incident;
    let part = story::tell(&known.entries, reading);
    let (_, teller) = story::tellers(&filter.show);
    let id = incident.id.to_string();
    let commander = known
        .roles
        .iter()
        .find(|one| one.role == RoleName::IncidentCommander)
        .map_or(
            Person::Nobody(match incident.status {
                Status::Resolved => "nobody",
                _ => "nobody yet",
            }),
            |one| Person::named(one.user_name.clone()),
        );
    let origin = known.beside.as_ref().map_or_else(
        || Origin::Unknown(Rich::default()),
        |beside| origin_of(beside, reading),
    );
    let here = known
        .responders
        .iter()
        .filter(|one| one.state == ResponderState::Joined)
        .count();
    let done = known
        .tasks
        .iter()
        .filter(|one| one.status == TaskStatus::Done)
        .count();
    let frame = visitor.frame(
        app,
        Place::Incidents,
        format!("#{} {}", incident.number, known.headline.felt.join(" ")),
        known.situation.clone(),
    );
    let csrf_token = frame.csrf_token.clone();
    Room {
        frame,
        number: format!("#{}", incident.number),
        state: mark(incident, known.headline.course).as_chip(),
        phase: match incident.status {
            Status::Triggered => RoomPhase::Triggered,
            Status::Acknowledged => RoomPhase::Acknowledged,
            Status::Resolved => RoomPhase::Resolved,
        },
        reader: if visitor.0.may(Action::Respond, Resource::Incident) {
            RoomReader::Responds
        } else {
            RoomReader::Watches
        },
        priority: known.priority.clone(),
        age_word: if incident.resolved_at.is_some() {
            "resolved"
        } else {
            "open"
        },
        age: incident
            .resolved_at
            .map_or_else(|| reading.age(incident.created_at), |at| reading.ago(at)),
        commander,
        next_word: room_side::next(&known.hearings).map(|(audience, promise)| {
            (
                audience.name.to_lowercase(),
                reading.countdown(promise.made_at, promise.due_at),
            )
        }),
        title: known.headline.felt.clone(),
        holders: room_ahead::holders(incident, &known.assignments, &known.owed_by_itself, reading),
        first_said: known.headline.first_said.clone(),
        impact: room_impact::impact(&known),
        composer: room_words::composer(
            &id,
            &csrf_token,
            (&visitor.0, known.agreeing),
            &known.hearings,
            reading,
        ),
        filter: self::filter(teller),
        older: part.before.map(|before| Older {
            to: format!(
                "/console/incidents/{id}?show={}&before={before}",
                super::escaped(&filter.show)
            ),
        }),
        lines_from: format!(
            "/console/incidents/{id}/timeline?show={}&before={}",
            super::escaped(&filter.show),
            super::escaped(&filter.before)
        ),
        newest: filter
            .before()
            .map(|_| format!("/console/incidents/{id}?show={}", super::escaped(&filter.show))),
        entries: part.lines,
        voices: known.voices.as_deref().map(room_side::voices),
        origin_act: origin_act(known.beside.as_ref(), &origin, visitor),
        origin,
        told: room_side::told(&known.hearings, reading),
        roles: RoleName::ALL
            .iter()
            .map(|role| Role {
                name: role.words().to_owned(),
                holder: known
                    .roles
                    .iter()
                    .find(|one| one.role == *role)
                    .map_or(Person::Nobody("Nobody yet"), |one| {
                        Person::named(one.user_name.clone())
                    }),
            })
            .collect(),
        responders_note: if known.responders.is_empty() {
            String::new()
        } else {
            format!("{here} of {} here", known.responders.len())
        },
        responders: room_side::responders(&known.responders, reading),
        tasks_note: if known.tasks.is_empty() {
            String::new()
        } else {
            format!("{done} of {} done", known.tasks.len())
        },
        tasks: known
            .tasks
            .iter()
            .map(|one| room_side::task(one, reading))
            .collect(),
        links: known
            .beside
            .as_ref()
            .map_or_else(Vec::new, |beside| beside.links.clone()),
        similar: known.beside.as_ref().map_or_else(Vec::new, |beside| {
            room_side::similar(&beside.similar, &beside.resolutions, reading)
        }),
        picks: RoomPicks {
            origins: known.beside.as_ref().map_or_else(Vec::new, |beside| {
                room_side::origin_picks(&beside.origin, reading)
            }),
            ..known.picks.clone()
        },
        id,
    }
}

fn origin_of(beside: &Beside, reading: &Reading) -> Origin {
    match &beside.confirmed {
        Some(said) => room_side::confirmed(said, &beside.origin, reading),
        None => room_side::origin(&beside.origin, &beside.later, reading),
    }
}

fn origin_act(beside: Option<&Beside>, shown: &Origin, visitor: &Visitor) -> OriginAct {
    let Some(beside) = beside.filter(|_| visitor.0.may(Action::Respond, Resource::Incident)) else {
        return OriginAct::Nothing;
    };
    match &beside.confirmed {
        Some(_) => OriginAct::TakeBack,
        None => OriginAct::Confirm(room_side::named(&beside.origin, shown)),
    }
}

fn filter(current: usize) -> Choices {
    Choices::new(
        ChoicesLook::Segments,
        "Show",
        current,
        &[
            ("All", "?"),
            ("People", "?show=people"),
            ("Machines", "?show=machines"),
            ("Said outside", "?show=outside"),
        ],
    )
}
