//! *Now*: what needs the reader, in order of harm; what is happening; the pulse.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use store::Tx;

use super::{incidents::mark, situation};
use crate::access::Caller;
use crate::app::App;
use crate::console::frame::{Place, Situation};
use crate::console::kit::{Link, NodeMark, Person, Pulse, Reading, Rich, Series, State as Shape, spark};
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::screens::now::{Due, FirstNow, FirstStep, Happening, Need, NeedAction, Now};
use crate::http::Problem;
use crate::incidents::model::{Assignment, Incident, Status};
use crate::incidents::room::{self, Task};
use crate::incidents::{IncidentId, store as rows};

/// Incidents that are shown; the rest is one click away.
const SHOWN: i64 = 20;
/// Steps of the pulse: six hours in steps of ten minutes.
const STEPS: usize = 36;
const STEP_SECONDS: i64 = 600;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console", get(page))
        .route("/console/now/needs", get(page))
        .route("/console/now/happening", get(page))
}

struct Known {
    situation: Situation,
    incidents: Vec<Incident>,
    assignments: Vec<Assignment>,
    counts: Vec<(IncidentId, i64)>,
    pending: Vec<(IncidentId, Timestamp)>,
    tasks: Vec<Task>,
    events: Vec<f64>,
    pages: Vec<f64>,
    first: Option<First>,
}

/// What the first page needs, before anything has ever happened.
struct First {
    integration_key: Option<String>,
}

async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let caller = visitor.0.clone();
    let now = app.clock.now();
    let known = app.read(move |tx| know(tx, &caller, now)).await?;
    let reading = visitor.reading(&app);
    if let Some(first) = &known.first {
        return Ok(show(&first_page(&app, &visitor, known.situation.clone(), first)));
    }
    Ok(show(&draw(&app, &visitor, &reading, &known)))
}

fn know(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<Known, Problem> {
    let incidents = rows::open(tx, SHOWN)?;
    let ids: Vec<IncidentId> = incidents.iter().map(|one| one.id.clone()).collect();
    let mut pending = Vec::new();
    for incident in incidents.iter().filter(|one| one.status == Status::Triggered) {
        if let Some(at) =
            crate::jobs::store::due_at(tx, crate::jobs::Kind::EscalationDue, incident.id.as_str())?
        {
            pending.push((incident.id.clone(), at));
        }
    }
    let tasks = match caller.user_id() {
        Some(user_id) => room::tasks_of(tx, user_id)?,
        None => Vec::new(),
    };
    let ever: Vec<(i64,)> = tx.rows(
        store::sql!("SELECT number FROM incidents LIMIT 1"),
        store::params![],
    )?;
    let first = if ever.is_empty() {
        let keys: Vec<(String,)> = tx.rows(
            store::sql!(
                "SELECT integration_key FROM integrations WHERE deleted_at IS NULL ORDER BY id LIMIT 1"
            ),
            store::params![],
        )?;
        Some(First {
            integration_key: keys.into_iter().next().map(|(key,)| key),
        })
    } else {
        None
    };
    Ok(Known {
        situation: situation::read(tx, caller, now)?,
        assignments: rows::assignments(tx, &ids)?,
        counts: rows::alert_counts(tx, &ids)?
            .into_iter()
            .map(|(id, counts)| (id, counts.all))
            .collect(),
        pending,
        tasks,
        events: series(tx, now, Counted::Alerts)?,
        pages: series(tx, now, Counted::Sends)?,
        incidents,
        first,
    })
}

#[derive(Clone, Copy)]
enum Counted {
    Alerts,
    Sends,
}

/// Counts per step over the last six hours.
fn series(tx: &mut Tx, now: Timestamp, counted: Counted) -> Result<Vec<f64>, Problem> {
    let from = now - std::time::Duration::from_secs(STEPS as u64 * STEP_SECONDS.unsigned_abs());
    let step = STEP_SECONDS * 1_000_000;
    let statement = match counted {
        Counted::Alerts => store::sql!(
            "SELECT (last_event_at - $1) / $2, CAST(SUM(event_count) AS BIGINT) FROM alerts WHERE last_event_at > $1 GROUP BY 1"
        ),
        Counted::Sends => store::sql!(
            "SELECT (created_at - $1) / $2, COUNT(*) FROM sends WHERE purpose = 'page' AND created_at > $1 GROUP BY 1"
        ),
    };
    let rows: Vec<(i64, i64)> = tx.rows(statement, store::params![from, step])?;
    let mut values = vec![0.0; STEPS];
    for (index, count) in rows {
        if let Some(value) = usize::try_from(index)
            .ok()
            .and_then(|index| values.get_mut(index))
        {
            *value += count as f64;
        }
    }
    Ok(values)
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, known: &Known) -> Now {
    let needs = needs(visitor, reading, known);
    let count = known.incidents.len();
    Now {
        frame: visitor.frame(app, Place::Now, "Now", known.situation.clone()),
        headline: match needs.len() {
            0 => "Nothing needs you".to_owned(),
            1 => "One thing needs you".to_owned(),
            count => format!("{} things need you", crate::console::kit::thousands(count as u64)),
        },
        below: if needs.is_empty() {
            Rich::plain(match count {
                0 => "Nothing is open. Muster pages whoever is on call when that changes.".to_owned(),
                1 => "One incident is open and somebody has it.".to_owned(),
                count => format!("{count} incidents are open and somebody has them."),
            })
        } else {
            Rich::plain("In order of harm.")
        },
        needs,
        happening_note: match count {
            0 => String::new(),
            count => format!("{count} open"),
        },
        happening: known
            .incidents
            .iter()
            .map(|one| happening(one, known, reading))
            .collect(),
        watch_note: String::new(),
        watch: Vec::new(),
        pulse: pulse(known, reading),
        pulse_axis: axis(reading),
        pulse_note: "Each step is ten minutes.".to_owned(),
    }
}

fn needs(visitor: &Visitor, reading: &Reading, known: &Known) -> Vec<Need> {
    let me = visitor.0.user_id();
    let mut needs: Vec<Need> = known
        .incidents
        .iter()
        .filter(|incident| incident.status == Status::Triggered)
        .filter(|incident| {
            known
                .assignments
                .iter()
                .any(|one| one.incident_id == incident.id && Some(&one.user_id) == me)
        })
        .map(|incident| page_need(incident, reading, known))
        .collect();
    needs.extend(known.tasks.iter().map(|task| task_need(task, reading)));
    needs
}

fn page_need(incident: &Incident, reading: &Reading, known: &Known) -> Need {
    let escalates = known
        .pending
        .iter()
        .find(|(id, _)| *id == incident.id)
        .map(|(_, at)| *at);
    Need {
        id: format!("need-{}", incident.id),
        mark: NodeMark::State(Shape::Triggered),
        title: incident.title.clone(),
        detail: match escalates {
            Some(_) => format!("#{}, paged to you. Nobody has acknowledged yet.", incident.number),
            None => format!("#{}, assigned to you.", incident.number),
        },
        due: match escalates {
            Some(at) => Due::In(reading.left(incident.last_status_change_at, at)),
            None => Due::Since("open", reading.age(incident.created_at)),
        },
        action: NeedAction::Post {
            words: "Acknowledge",
            to: format!("/console/incidents/{}/acknowledge", incident.id),
        },
    }
}

fn task_need(task: &Task, reading: &Reading) -> Need {
    Need {
        id: format!("need-{}", task.id),
        mark: NodeMark::Icon("tick"),
        title: task.name.clone(),
        detail: "A task of an incident, given to you.".to_owned(),
        due: match task.due_at {
            Some(due) => Due::In(reading.due_by(task.created_at, due)),
            None => Due::Open,
        },
        action: NeedAction::Open {
            words: "Open",
            to: format!("/console/incidents/{}", task.incident_id),
        },
    }
}

fn happening(incident: &Incident, known: &Known, reading: &Reading) -> Happening {
    let alerts = known
        .counts
        .iter()
        .find(|(id, _)| *id == incident.id)
        .map_or(0, |(_, count)| *count);
    let who = known
        .assignments
        .iter()
        .find(|one| one.incident_id == incident.id);
    Happening {
        id: format!("happening-{}", incident.id),
        to: format!("/console/incidents/{}", incident.id),
        state: mark(incident),
        title: incident.title.clone(),
        impact: match alerts {
            0 => format!("#{}", incident.number),
            1 => format!("#{} · 1 alert", incident.number),
            count => format!("#{} · {count} alerts", incident.number),
        },
        who: who.map_or(Person::Nobody("Nobody"), |one| {
            Person::named(one.user_name.clone())
        }),
        age: reading.age(incident.created_at),
    }
}

fn pulse(known: &Known, reading: &Reading) -> Vec<Pulse> {
    let began = known.incidents.last().map(|one| {
        let span = (STEPS as i64 * STEP_SECONDS) as f64;
        let ago = reading.now.duration_since(one.created_at).as_secs_f64();
        (1.0 - ago / span).clamp(0.0, 1.0)
    });
    [
        ("Events in", &known.events, "in 10 min"),
        ("Pages to people", &known.pages, "in 10 min"),
    ]
    .into_iter()
    .map(|(name, values, unit)| {
        let last = values.last().copied().unwrap_or(0.0);
        let most = values.iter().copied().fold(0.0_f64, f64::max);
        let told = format!("{name}: {last} now, {most} at most in six hours");
        Pulse {
            name,
            note: Rich::default(),
            spark: spark(&Series {
                values: values.clone(),
                usual: None,
                began,
                told,
            }),
            value: format!("{last}"),
            unit,
        }
    })
    .collect()
}

fn axis(reading: &Reading) -> Vec<String> {
    (0..4)
        .rev()
        .map(|part| {
            let back = std::time::Duration::from_secs(part * 2 * 3600);
            reading.clock_words(reading.now - back)
        })
        .collect()
}

fn first_page(app: &App, visitor: &Visitor, situation: Situation, first: &First) -> FirstNow {
    let name = visitor.0.user().map_or("", |user| user.name.as_str());
    let first_name = name.split_whitespace().next().unwrap_or("you").to_owned();
    let key = first.integration_key.as_deref().unwrap_or("KEY-OF-A-SERVICE");
    let command = format!(
        "curl {} \\\n  -d '{{\"routing_key\": \"{key}\", \"event_action\": \"trigger\",\n       \"payload\": {{\"summary\": \"Hello from {first_name}\",\n                   \"source\": \"my laptop\", \"severity\": \"info\"}}}}'",
        app.site.url("/v2/enqueue")
    );
    let step = |title, detail, words: &str, to: &str| FirstStep {
        title,
        detail,
        action: Link::new(words, to),
    };
    FirstNow {
        frame: visitor.frame(app, Place::Now, "Now", situation),
        first_name,
        command,
        steps: vec![
            step(
                "Say who is on call",
                "One person is enough to begin. Muster shows the gaps.",
                "Add a schedule",
                "/console/on-call",
            ),
            step(
                "Name what your customers touch",
                "Payments, pick-up, appointments: so that alerts say whom they hurt.",
                "Add a touchpoint",
                "/console/services",
            ),
            step(
                "Bring your customers’ cases",
                "By the API, a form, or typed in at the desk.",
                "Open the desk",
                "/console/desk",
            ),
        ],
        pulse: Vec::new(),
    }
}
