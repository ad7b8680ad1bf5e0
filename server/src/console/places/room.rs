//! The incident room: everything known about one incident, read at once.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;
use store::Tx;

use super::{incidents::mark, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::frame::{Place, Situation};
use crate::console::kit::{
    Actor, Choices, ChoicesLook, Composer, ComposerReader, Entry, Person, Pick, Reach, Reading, Rich,
    State as Shape, shares, thousands,
};
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::screens::room::{
    Figure, Impact, LocationImpact, Origin, Responder, Role, Room, RoomPhase, RoomPicks, Task, TaskProgress,
};
use crate::http::{Path, Problem, Query};
use crate::impact::Impact as Hurt;
use crate::incidents::model::{AlertCounts, Assignment, Incident, Status};
use crate::incidents::room::{self, ResponderState, RoleName, TaskStatus};
use crate::incidents::{IncidentId, store as rows};
use crate::timeline::{self, AgentKind, Kind};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/incidents/{id}", get(page))
        .route("/console/incidents/{id}/timeline", get(page))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Filter {
    show: String,
}

/// What the room was made from.
struct Known {
    situation: Situation,
    incident: Incident,
    service: String,
    priority: Option<String>,
    assignments: Vec<Assignment>,
    counts: AlertCounts,
    hurt: Option<Hurt>,
    entries: Vec<timeline::Entry>,
    roles: Vec<room::RoleHolder>,
    tasks: Vec<room::Task>,
    responders: Vec<room::Responder>,
    changes: usize,
    picks: RoomPicks,
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Incident)?;
    let caller = visitor.0.clone();
    let now = app.clock.now();
    let known = app
        .read(move |tx| -> Result<_, Problem> {
            let situation = situation::read(tx, &caller, now)?;
            know(tx, &id, situation)
        })
        .await?;
    let reading = visitor.reading(&app);
    Ok(show(&draw(&app, &visitor, &reading, known, &filter.show)))
}

fn know(tx: &mut Tx, id: &str, situation: Situation) -> Result<Known, Problem> {
    let found = match id.parse::<i64>() {
        Ok(number) => rows::find_by_number(tx, number)?,
        Err(_) => rows::find(tx, &IncidentId::from(id))?,
    };
    let incident = found.ok_or_else(|| Problem::not_found("The incident"))?;
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
    let since = incident.created_at - std::time::Duration::from_secs(2 * 3600);
    let changes = crate::signals::change_events::since(tx, &[], since, 50)?
        .into_iter()
        .filter(|change| change.at <= incident.created_at)
        .count();
    Ok(Known {
        situation,
        service,
        priority,
        assignments: rows::assignments(tx, &ids)?,
        counts: rows::alert_counts(tx, &ids)?
            .into_iter()
            .next()
            .map(|(_, counts)| counts)
            .unwrap_or_default(),
        hurt: crate::impact::store::find(tx, &incident.id)?.map(|stored| stored.document),
        entries: timeline::store::of_incident(tx, &incident.id)?,
        roles: room::roles(tx, &incident.id)?,
        tasks: room::tasks(tx, &incident.id)?,
        responders: room::responders(tx, &ids)?,
        changes,
        picks: picks(tx, &incident, &priorities)?,
        incident,
    })
}

fn picks(tx: &mut Tx, incident: &Incident, priorities: &[rows::PriorityRow]) -> Result<RoomPicks, Problem> {
    let people: Vec<(String, String)> = tx.rows(
        store::sql!("SELECT id, name FROM users WHERE deleted_at IS NULL ORDER BY name, id LIMIT 500"),
        store::params![],
    )?;
    let policies: Vec<(String, String)> = tx.rows(
        store::sql!(
            "SELECT id, name FROM escalation_policies WHERE deleted_at IS NULL ORDER BY name, id LIMIT 500"
        ),
        store::params![],
    )?;
    let others = rows::open(tx, 100)?;
    let current = incident
        .priority_id
        .as_ref()
        .map(crate::services::PriorityId::as_str);
    Ok(RoomPicks {
        people: people.into_iter().map(|(id, name)| Pick::new(id, name)).collect(),
        policies: policies
            .into_iter()
            .map(|(id, name)| Pick::new(id, name))
            .collect(),
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
        roles: RoleName::ALL
            .iter()
            .map(|role| Pick::new(role.as_text(), role.words()))
            .collect(),
        on_resolve:
            "Whoever reported it is owed an answer. Each is drafted and waits for an agent to confirm it."
                .to_owned(),
    })
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, known: Known, show: &str) -> Room {
    let incident = &known.incident;
    let id = incident.id.to_string();
    let commander = known
        .roles
        .iter()
        .find(|one| one.role == RoleName::IncidentCommander)
        .map_or(Person::Nobody("nobody yet"), |one| {
            Person::named(one.user_name.clone())
        });
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
    Room {
        frame: visitor.frame(
            app,
            Place::Incidents,
            format!("#{} {}", incident.number, incident.title),
            known.situation.clone(),
        ),
        number: format!("#{}", incident.number),
        state: mark(incident).as_chip(),
        phase: match incident.status {
            Status::Triggered => RoomPhase::Triggered,
            Status::Acknowledged => RoomPhase::Acknowledged,
            Status::Resolved => RoomPhase::Resolved,
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
        next_word: None,
        title: vec![incident.title.clone()],
        impact: impact(&known),
        composer: composer(&id, &visitor.csrf_token()),
        filter: filter(show),
        entries: known
            .entries
            .iter()
            .rev()
            .filter(|one| shown(one, show))
            .map(|one| entry(one, reading))
            .collect(),
        voices_note: String::new(),
        voices: Vec::new(),
        origin: Origin::Unknown(match known.changes {
            0 => Rich::plain("No origin found yet, and no change in the two hours before."),
            1 => Rich::plain("No origin found yet. 1 change in the two hours before."),
            count => Rich::plain(format!(
                "No origin found yet. {count} changes in the two hours before."
            )),
        }),
        told: Vec::new(),
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
        responders: known
            .responders
            .iter()
            .map(|one| responder(one, reading))
            .collect(),
        tasks_note: if known.tasks.is_empty() {
            String::new()
        } else {
            format!("{done} of {} done", known.tasks.len())
        },
        tasks: known.tasks.iter().map(|one| task(one, reading)).collect(),
        similar: Vec::new(),
        picks: known.picks.clone(),
        id,
    }
}

fn impact(known: &Known) -> Impact {
    let people: Vec<Rich> = known
        .assignments
        .iter()
        .map(|one| Rich::plain(one.user_name.clone()))
        .collect();
    let who = Figure::new(
        "Who has it",
        match people.len() {
            0 => "nobody".to_owned(),
            1 => "1 person".to_owned(),
            count => format!("{count} people"),
        },
        people,
    );
    let alerts = Figure::new(
        "Alerts",
        known.counts.all.to_string(),
        vec![
            Rich::plain(format!("{} still open", known.counts.triggered)),
            Rich::plain(format!("on {}", known.service)),
        ],
    );
    let Some(hurt) = &known.hurt else {
        return Impact {
            touchpoints: Vec::new(),
            locations: None,
            figures: vec![alerts, who],
        };
    };
    let over = known.incident.status == Status::Resolved;
    let touchpoints = hurt
        .touchpoints
        .iter()
        .map(|one| match (over, one.hops) {
            (true, _) => (Shape::Resolved.says(one.name.clone()), "back"),
            (false, 0 | 1) => (Shape::Triggered.says(one.name.clone()), "down"),
            (false, _) => (Shape::Slow.says(one.name.clone()), "may be hurt"),
        })
        .collect();
    let mut figures = vec![
        Figure::new(
            "Customers",
            thousands(hurt.accounts.count.unsigned_abs()),
            hurt.accounts
                .tiers
                .iter()
                .map(|tier| Rich::plain(format!("{} {}", thousands(tier.count.unsigned_abs()), tier.tier)))
                .collect(),
        ),
        Figure::new(
            "Cases",
            format!("{} linked", thousands(hurt.cases.unsigned_abs())),
            vec![Rich::default().link("See them at the desk", "/console/desk")],
        ),
        alerts,
    ];
    figures.extend(hurt.loss_per_hour.iter().take(1).map(|loss| {
        let money = |amount: i64| format!("{} {}", loss.currency, thousands((amount / 100).unsigned_abs()));
        Figure::new(
            "Cost, estimate and range",
            format!("{} an hour", money(loss.likely)),
            vec![Rich::plain(format!(
                "{} to {}",
                money(loss.low),
                money(loss.high)
            ))],
        )
    }));
    Impact {
        touchpoints,
        locations: locations(hurt),
        figures,
    }
}

fn locations(hurt: &Hurt) -> Option<LocationImpact> {
    let places = &hurt.locations;
    if places.sites_using == 0 {
        return None;
    }
    let named = places.sites_named().unsigned_abs();
    let may = (places.sites_using.unsigned_abs()).saturating_sub(named);
    let value = if named == 0 {
        format!("{} may be hurt", thousands(may))
    } else {
        format!(
            "{} of {} back",
            thousands(places.sites_back.unsigned_abs()),
            thousands(named)
        )
    };
    let parts = if named == 0 {
        shares(&[(Shape::Unknown, may, "no word yet")])
    } else {
        shares(&[
            (Shape::Triggered, places.sites_confirmed.unsigned_abs(), "hurt"),
            (
                Shape::Recovering,
                places.sites_recovering.unsigned_abs(),
                "recovering",
            ),
            (Shape::Resolved, places.sites_back.unsigned_abs(), "back"),
        ])
    };
    Some(LocationImpact {
        label: "Locations".to_owned(),
        value,
        shares: parts,
    })
}

fn composer(id: &str, csrf_token: &str) -> Composer {
    Composer {
        id: "say",
        csrf_token: csrf_token.to_owned(),
        post_to: format!("/console/incidents/{id}/say"),
        placeholder: "What did you see or do?",
        readers: vec![ComposerReader {
            value: "inside",
            words: "Inside".to_owned(),
            icon: "lock",
            reach: Reach::Inside,
            sees: "Only people inside see this.".to_owned(),
            verb: "Add note".to_owned(),
            draft: String::new(),
        }],
        task_to: Some(format!("/console/incidents/{id}/tasks")),
    }
}

fn filter(show: &str) -> Choices {
    let current = match show {
        "people" => 1,
        "machines" => 2,
        "outside" => 3,
        _ => 0,
    };
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

fn shown(entry: &timeline::Entry, show: &str) -> bool {
    match show {
        "people" => matches!(entry.agent_type, AgentKind::User | AgentKind::Visitor),
        "machines" => !matches!(entry.agent_type, AgentKind::User | AgentKind::Visitor),
        "outside" => matches!(entry.kind, Kind::UpdatePublished | Kind::AnswerSent),
        _ => true,
    }
}

/// One line of the story.
pub(super) fn entry(entry: &timeline::Entry, reading: &Reading) -> Entry {
    let actor = match (entry.kind, entry.agent_type) {
        (Kind::Triggered | Kind::Reopened | Kind::Unacknowledged | Kind::SnoozeEnded, _) => {
            Actor::State(Shape::Triggered)
        }
        (Kind::Resolved | Kind::AlertResolved, kind) if kind != AgentKind::User => {
            Actor::State(Shape::Resolved)
        }
        (_, AgentKind::User | AgentKind::Visitor) => {
            Actor::Person(Person::named(entry.agent_name.clone()).face())
        }
        (kind, _) => Actor::Machine(icon(kind)),
    };
    let drawn = |said: Rich| Entry::new(entry.id.as_str(), reading.clock(entry.at), actor.clone(), said);
    match entry.kind {
        Kind::Noted => drawn(Rich::default().strong(entry.agent_name.clone())).with_body(entry.text.clone()),
        Kind::UpdatePublished => {
            let words = entry
                .details
                .get("words")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let to = entry
                .details
                .get("audience")
                .and_then(Value::as_str)
                .unwrap_or("outside");
            drawn(Rich::plain(entry.text.clone())).published(to, words)
        }
        _ => match entry.text.strip_prefix(&entry.agent_name) {
            Some(rest) if entry.agent_type == AgentKind::User => {
                drawn(Rich::default().strong(entry.agent_name.clone()).then(rest))
            }
            _ => drawn(Rich::plain(entry.text.clone())),
        },
    }
}

fn icon(kind: Kind) -> &'static str {
    match kind {
        Kind::PageOwed | Kind::PageSent | Kind::PageFailed | Kind::Escalated | Kind::Assigned => "phone",
        Kind::CaseLinked | Kind::CaseReported | Kind::CaseRaised => "desk",
        Kind::ImpactChanged => "gauge",
        Kind::UpdateDrafted | Kind::PromiseMade | Kind::PromiseKept | Kind::PromiseMissed => "updates",
        Kind::LocationReported => "shop",
        Kind::ChangeSeen => "change",
        Kind::ReviewWritten => "learn",
        _ => "play",
    }
}

fn responder(one: &room::Responder, reading: &Reading) -> Responder {
    Responder {
        what: one.message.clone(),
        who: Person::named(one.user_name.clone()),
        answer: match one.state {
            ResponderState::Joined => {
                let seconds = one.updated_at.duration_since(one.requested_at).as_secs();
                crate::console::kit::duration_words(seconds)
            }
            ResponderState::Declined => "cannot".to_owned(),
            ResponderState::Pending => format!("asked {}", reading.clock_words(one.requested_at)),
        },
    }
}

fn task(one: &room::Task, reading: &Reading) -> Task {
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
