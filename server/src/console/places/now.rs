//! *Now*: what needs the reader, in order of harm; what is happening; the pulse.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use store::Tx;

use super::needs::{self, Needing};
use super::{incidents, pulse, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::{Place, Situation};
use crate::console::kit::{
    Current, Link, Person, Reading, Rich, State as Shape, counted, opening_number, thousands,
};
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::screens::now::{FirstNow, FirstStep, Happening, Need, Now, Warning as WarningRow};
use crate::desk::warnings::{self, Warning};
use crate::http::listing::Counted;
use crate::http::{Page, Problem};
use crate::incidents::model::{Assignment, Incident, Status};
use crate::incidents::{IncidentId, store as rows};
use crate::services::model::Integration;
use crate::services::store::keys;
use crate::services::store::touchpoints::{self, WindowFilter, WindowSpan};
use crate::updates::headline::{self, Headline};

/// Incidents that are shown; the rest is one click away.
const SHOWN: i64 = 20;
/// Planned work that is shown.
const PLANNED: i64 = 3;
/// Planned work is shown when it begins within a day.
const SOON: std::time::Duration = std::time::Duration::from_hours(24);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console", get(page))
        .route("/console/now/needs", get(page))
        .route("/console/now/happening", get(page))
        .route("/console/now/begun", get(begun))
}

struct Known {
    situation: Situation,
    needing: Needing,
    incidents: Vec<Incident>,
    headlines: HashMap<IncidentId, Headline>,
    assignments: Vec<Assignment>,
    alerts: HashMap<IncidentId, i64>,
    cases: HashMap<IncidentId, i64>,
    planned: Vec<Planned>,
    warnings: Vec<Warning>,
    pulse: pulse::Counted,
    first: Option<First>,
}

/// Work that begins soon or is under way.
struct Planned {
    id: String,
    what: String,
    services: Vec<String>,
    start_at: Timestamp,
    end_at: Timestamp,
}

/// What the first page needs, before anything has ever happened.
struct First {
    integration: Option<Integration>,
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

/// Loads the first page anew as soon as there is something to show. It is not laid over the open page, since what
/// changed while it was on its way would then be told to nobody.
async fn begun(State(app): State<Arc<App>>, _visitor: Visitor) -> Result<Response, PageProblem> {
    Ok(if app.read(rows::any).await? {
        [("hx-refresh", "true")].into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    })
}

fn know(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<Known, Problem> {
    let incidents = if caller.may(Action::View, Resource::Incident) {
        rows::open(tx, SHOWN)?
    } else {
        Vec::new()
    };
    let ids: Vec<IncidentId> = incidents.iter().map(|one| one.id.clone()).collect();
    let first = if rows::any(tx)? {
        None
    } else {
        Some(First {
            integration: keys::first_integration(tx)?,
        })
    };
    Ok(Known {
        situation: situation::read(tx, caller, now)?,
        needing: needs::know(tx, caller, now)?,
        headlines: headline::of(tx, &incidents)?,
        assignments: rows::assignments(tx, &ids)?,
        alerts: rows::alert_counts(tx, &ids)?
            .into_iter()
            .map(|(id, counts)| (id, counts.all))
            .collect(),
        cases: crate::cases::store::counts_of(tx, &ids)?.into_iter().collect(),
        planned: planned(tx, now)?,
        warnings: if caller.may(Action::View, Resource::Case) {
            warnings::of(tx, now)?
        } else {
            Vec::new()
        },
        pulse: pulse::count(tx, now)?,
        incidents,
        first,
    })
}

fn planned(tx: &mut Tx, now: Timestamp) -> Result<Vec<Planned>, Problem> {
    let filter = WindowFilter {
        pattern: None,
        service_ids: Vec::new(),
        team_ids: Vec::new(),
        span: WindowSpan::Open,
        now,
    };
    let page = Page {
        limit: PLANNED,
        offset: 0,
        counted: Counted::No,
    };
    let mut windows = touchpoints::list_windows(tx, &filter, page)?;
    windows.retain(|one| one.start_at <= now + SOON);
    windows.truncate(PLANNED as usize);
    let ids: Vec<String> = windows.iter().map(|one| one.id.to_string()).collect();
    let services = touchpoints::window_services(tx, &ids)?;
    Ok(windows
        .into_iter()
        .map(|one| Planned {
            services: services
                .iter()
                .filter(|(window, ..)| window == one.id.as_str())
                .map(|(_, _, name)| name.clone())
                .collect(),
            id: one.id.to_string(),
            what: one
                .description
                .filter(|text| !text.trim().is_empty())
                .unwrap_or_else(|| "Planned work".to_owned()),
            start_at: one.start_at,
            end_at: one.end_at,
        })
        .collect())
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, known: &Known) -> Now {
    let needs = needs::draw(&known.needing, reading);
    let count = known.incidents.len();
    Now {
        frame: visitor.frame(app, Place::Now, "Now", known.situation.clone()),
        headline: match &known.needing.unsaid {
            Some(unsaid) if needs.is_empty() => format!("{} wait for a word", unsaid.audience_name),
            _ => headline_of(needs.len() as u64 + known.needing.folded()),
        },
        below: below(&needs, known, reading),
        needs,
        happening_note: happening_note(
            known.situation.open.iter().map(|(_, count)| count).sum(),
            known.planned.len(),
        ),
        happening: known
            .incidents
            .iter()
            .map(|one| happening(one, known, reading))
            .chain(known.planned.iter().map(|one| planned_row(one, reading)))
            .collect(),
        watch_note: counted_warnings(known.warnings.len()),
        watch: known
            .warnings
            .iter()
            .map(|one| warning_row(one, reading))
            .collect(),
        pulse: pulse::draw(&known.pulse, began(known, count)),
        pulse_axis: pulse::axis(reading),
        pulse_note: pulse_note(known, reading),
    }
}

fn headline_of(count: u64) -> String {
    match count {
        0 => "Nothing needs you".to_owned(),
        1 => "One thing needs you".to_owned(),
        count => format!("{} things need you", opening_number(count)),
    }
}

fn below(needs: &[Need], known: &Known, reading: &Reading) -> Rich {
    if let Some(next) = &known.needing.escalates_to {
        return Rich::plain(format!("In order of harm. The first one escalates to {next}."));
    }
    if needs.len() > 1 {
        return Rich::plain("In order of harm.");
    }
    if !needs.is_empty() {
        return Rich::default();
    }
    if let Some(unsaid) = &known.needing.unsaid {
        return Rich::plain(format!(
            "They were promised it by {}. Whoever may publish is asked for it; you need do nothing.",
            reading.clock_words(unsaid.due_at)
        ));
    }
    let triggered = known
        .situation
        .open
        .iter()
        .any(|(state, _)| *state == Shape::Triggered);
    Rich::plain(match (known.incidents.len(), triggered) {
        (0, _) => "Nothing is open. Muster pages whoever is on call when that changes.",
        (1, false) => "One incident is open and somebody has it.",
        (_, true) if some_are_nobodys(known) => {
            "Something is open that nobody is on call for. Those who own this account have been paged."
        }
        (1, true) => "One incident is open. Somebody else has been paged.",
        (_, false) => "Whatever is open, somebody has it.",
        (_, true) => "Some incidents are not acknowledged yet. Others have been paged for them.",
    })
}

fn some_are_nobodys(known: &Known) -> bool {
    known.incidents.iter().any(|one| {
        one.status == Status::Triggered && !known.assignments.iter().any(|who| who.incident_id == one.id)
    })
}

fn happening_note(open: u64, planned: usize) -> String {
    let mut parts = Vec::new();
    if open > 0 {
        parts.push(format!("{} open", thousands(open)));
    }
    if planned > 0 {
        parts.push(format!("{planned} planned"));
    }
    parts.join(", ")
}

fn happening(incident: &Incident, known: &Known, reading: &Reading) -> Happening {
    let headline = known.headlines.get(&incident.id);
    let count = |counts: &HashMap<IncidentId, i64>| counts.get(&incident.id).copied().unwrap_or(0);
    let who = known
        .assignments
        .iter()
        .find(|one| one.incident_id == incident.id);
    let hurts = headline.map_or("", |headline| headline.hurts.as_str());
    Happening {
        id: format!("happening-{}", incident.id),
        to: format!("/console/incidents/{}", incident.id),
        state: incidents::mark(
            incident,
            headline.map(|headline| headline.course).unwrap_or_default(),
        ),
        title: headline
            .and_then(|headline| headline.felt.first())
            .unwrap_or(&incident.title)
            .clone(),
        impact: format!(
            "#{} · {}",
            incident.number,
            incidents::hurts(hurts, count(&known.alerts), count(&known.cases))
        ),
        who: who.map_or(Person::Nobody("Nobody yet"), |one| {
            Person::named(one.user_name.clone())
        }),
        age: reading.age(incident.created_at),
    }
}

fn planned_row(planned: &Planned, reading: &Reading) -> Happening {
    let running = planned.start_at <= reading.now;
    Happening {
        id: format!("happening-{}", planned.id),
        to: "/console/maintenance".to_owned(),
        state: Shape::Maintenance.says(if running { "Under way" } else { "Planned" }),
        title: planned.what.clone(),
        impact: match planned.services.len() {
            0 => format!("until {}", reading.clock_words(planned.end_at)),
            _ => format!(
                "{} · until {}",
                planned.services.join(", "),
                reading.clock_words(planned.end_at)
            ),
        },
        who: Person::Nobody(""),
        age: reading.clock(planned.start_at),
    }
}

fn counted_warnings(count: usize) -> String {
    counted(count as u64, "early warning", "early warnings")
}

/// What may become an incident, with what speaks for it.
fn warning_row(warning: &Warning, reading: &Reading) -> WarningRow {
    match warning {
        Warning::HeldBack {
            alert_id,
            summary,
            service_id,
            service,
            reason,
            until,
        } => WarningRow {
            id: format!("warning-{alert_id}"),
            title: summary.clone(),
            evidence: format!(
                "{service} · no incident before {}. {reason}",
                reading.clock_words(*until)
            ),
            action: Link::new("Look at it", format!("/console/services/{service_id}")),
        },
        Warning::SaidByMany { words, count, last } => WarningRow {
            id: format!("warning-{}", last.as_str()),
            title: format!(
                "{} customers write alike, and no incident is open for it",
                thousands(*count)
            ),
            evidence: format!("“{words}” · all within the last hour"),
            action: Link::new("Look at it", format!("/console/desk?case={last}")),
        },
        Warning::MoreThanUsual(unusual) => WarningRow {
            id: format!("warning-{}", unusual.id.replace(':', "-").replace('*', "all")),
            title: unusual.title(),
            evidence: format!(
                "{} · noticed {}",
                unusual.reason(),
                reading.clock_words(unusual.at)
            ),
            action: Link::new("Look at it", format!("/console/desk?case={}", unusual.last)),
        },
    }
}

/// When the incident began that has been open longest of those shown, for the line through the pulse.
fn began(known: &Known, count: usize) -> Option<Timestamp> {
    known
        .incidents
        .get(count.checked_sub(1)?)
        .map(|incident| incident.created_at)
}

fn pulse_note(known: &Known, reading: &Reading) -> String {
    let mut note = if known.pulse.has_usual() {
        "Each step is ten minutes. Grey band: the same hours yesterday and a week ago.".to_owned()
    } else {
        "Each step is ten minutes. What is usual is shown after the first day.".to_owned()
    };
    if let Some(incident) = known.incidents.last() {
        note.push_str(&format!(
            " Dashed line: #{} began, {}.",
            incident.number,
            reading.clock_words(incident.created_at)
        ));
    }
    note
}

fn first_page(app: &App, visitor: &Visitor, situation: Situation, first: &First) -> FirstNow {
    let name = visitor.0.user().map_or("", |user| user.name.as_str());
    let first_name = name.split_whitespace().next().unwrap_or("you").to_owned();
    let may_see = visitor.0.may(Action::Change, Resource::Service);
    let key = first
        .integration
        .as_ref()
        .filter(|_| may_see)
        .and_then(|one| keys::shown(app.site.vault(), one));
    let key = key.as_deref().unwrap_or("KEY-OF-A-SERVICE");
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
        has_key: if first.integration.is_some() {
            Current::Yes
        } else {
            Current::No
        },
        command,
        steps: vec![
            step(
                "Say who is on call",
                "One person is enough to begin. Muster shows the gaps.",
                "Add a schedule",
                super::schedule_new::ADDRESS,
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
