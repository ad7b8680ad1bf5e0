//! *Maintenance*: planned work. Planning and ending are the API's own functions; here times are read and
//! written in the reader's zone.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::{from_json, go_to, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor, show_with_status};
use crate::console::prelude::{
    Pagination, Pick, Place, Reading, State as Shape, duration_words, opening_number, thousands,
};
use crate::console::screens::maintenance::{Maintenance, Plan, WindowRow};
use crate::http::listing::Counted;
use crate::http::{Body, Page, Path, Problem, Query};
use crate::services::api::maintenance_windows as api;
use crate::services::model::{MaintenanceWindow, MaintenanceWindowId};
use crate::services::store::services::{self as service_rows, ServiceFilter};
use crate::services::store::touchpoints::{self as rows, WindowFilter, WindowSpan, WindowTeam};

/// Windows that are over, on one page; windows ahead are all shown.
const ROWS: i64 = 25;
const MOST_AHEAD: i64 = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/maintenance", get(list).post(plan))
        .route("/console/maintenance/{id}/end", post(end))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct From {
    from: String,
}

/// What somebody typed into the form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Typed {
    words: String,
    public_words: String,
    service: Vec<String>,
    from: String,
    until: String,
}

struct Known {
    situation: crate::console::frame::Situation,
    open: Vec<MaintenanceWindow>,
    /// The newest first.
    over: Vec<MaintenanceWindow>,
    over_in_all: i64,
    /// Window, service, name.
    services_of: Vec<(String, String, String)>,
    teams_of: Vec<WindowTeam>,
    services: Vec<(String, String)>,
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let offset = from.from.parse().unwrap_or(0).clamp(0, 1_000_000);
    page(&app, &visitor, offset, Typed::default(), None).await
}

fn read(tx: &mut Tx, now: Timestamp, offset: i64) -> Result<Known, Problem> {
    let filter = |span| WindowFilter {
        pattern: None,
        service_ids: Vec::new(),
        team_ids: Vec::new(),
        span,
        now,
    };
    let page = |limit, offset| Page {
        limit,
        offset,
        counted: Counted::No,
    };
    let open = rows::list_windows(tx, &filter(WindowSpan::Open), page(MOST_AHEAD, 0))?;
    let over_in_all = rows::count_windows(tx, &filter(WindowSpan::Past))?;
    // The list begins with the oldest; a page from the other end is a stretch before the last one.
    let end = (over_in_all - offset).max(0);
    let start = (end - ROWS).max(0);
    let mut over = rows::list_windows(tx, &filter(WindowSpan::Past), page(ROWS, start))?;
    over.truncate(usize::try_from(end - start).unwrap_or(0));
    over.reverse();
    let ids: Vec<String> = open
        .iter()
        .chain(&over)
        .map(|window| window.id.to_string())
        .collect();
    let services = service_rows::list(tx, &ServiceFilter::default(), page(500, 0))?;
    Ok(Known {
        situation: crate::console::frame::Situation::calm(),
        services_of: rows::window_services(tx, &ids)?,
        teams_of: rows::window_teams(tx, &ids)?,
        open,
        over,
        over_in_all,
        services: services
            .into_iter()
            .map(|service| (service.id.to_string(), service.name))
            .collect(),
    })
}

async fn page(
    app: &Arc<App>,
    visitor: &Visitor,
    offset: i64,
    typed: Typed,
    problem: Option<String>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::MaintenanceWindow)?;
    let reading = visitor.reading(app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let known = app
        .read(move |tx| -> Result<Known, Problem> {
            Ok(Known {
                situation: situation::read(tx, &caller, now)?,
                ..read(tx, now, offset)?
            })
        })
        .await?;
    let may_plan = visitor.0.may(Action::Create, Resource::MaintenanceWindow);
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let row = |window: &MaintenanceWindow| {
        let row = row(window, &known.services_of, &reading);
        let may_end = api::require_delete(&visitor.0, window, &known.services_of, &known.teams_of).is_ok();
        WindowRow {
            end: row.end.filter(|_| may_end),
            ..row
        }
    };
    let (under_way, ahead): (Vec<_>, Vec<_>) = known.open.iter().partition(|window| window.start_at <= now);
    let parts = [
        ("Under way", under_way.iter().map(|window| row(window)).collect()),
        ("Planned", ahead.iter().map(|window| row(window)).collect()),
        ("Over", known.over.iter().map(row).collect::<Vec<_>>()),
    ];
    let turn = |offset: i64| format!("/console/maintenance?from={offset}");
    let pagination = (known.over_in_all > ROWS).then(|| Pagination {
        words: format!("{} over in all", thousands(known.over_in_all.unsigned_abs())),
        earlier: (offset > 0).then(|| turn((offset - ROWS).max(0))),
        later: (offset + ROWS < known.over_in_all).then(|| turn(offset + ROWS)),
    });
    let headline = match (under_way.len() as u64, ahead.len() as u64) {
        (0, 0) => "Nothing is planned".to_owned(),
        (0, ahead) => format!("{} planned, nothing under way", pieces(ahead)),
        (now, _) => format!("{} under way now", pieces(now)),
    };
    let view = Maintenance {
        headline,
        parts: parts.into_iter().filter(|(_, rows)| !rows.is_empty()).collect(),
        pagination,
        plan: may_plan.then(|| form(&known.services, typed, problem, &reading)),
        frame: visitor.frame(app, Place::Maintenance, "Maintenance", known.situation),
    };
    Ok(show_with_status(status, &view))
}

fn pieces(count: u64) -> String {
    let number = opening_number(count);
    format!(
        "{number} {}",
        if count == 1 {
            "piece of work"
        } else {
            "pieces of work"
        }
    )
}

fn row(window: &MaintenanceWindow, services_of: &[(String, String, String)], reading: &Reading) -> WindowRow {
    let names: Vec<&str> = services_of
        .iter()
        .filter(|(id, _, _)| id == window.id.as_str())
        .map(|(_, _, name)| name.as_str())
        .collect();
    let (state, end) = if window.end_at <= reading.now {
        (Shape::Unknown.says("Over"), None)
    } else if window.start_at <= reading.now {
        (Shape::Maintenance.says("Under way"), Some("End it now"))
    } else {
        (Shape::Maintenance.says("Planned"), Some("Call it off"))
    };
    WindowRow {
        id: window.id.to_string(),
        state,
        words: window
            .description
            .clone()
            .unwrap_or_else(|| format!("Work {}", window.sequence_number)),
        services: names.join(", "),
        from: reading.clock(window.start_at),
        until: reading.clock(window.end_at),
        length: duration_words(window.end_at.duration_since(window.start_at).as_secs()),
        end,
    }
}

/// The form with what was typed, or with the next full hour.
fn form(services: &[(String, String)], typed: Typed, problem: Option<String>, reading: &Reading) -> Plan {
    let hour = reading.now.as_second().div_euclid(3_600) * 3_600;
    let local = |hours: i64| {
        Timestamp::from_second(hour + hours * 3_600)
            .map(|at| reading.zoned(at).strftime("%Y-%m-%dT%H:%M").to_string())
            .unwrap_or_default()
    };
    let or = |typed: String, usual: String| if typed.is_empty() { usual } else { typed };
    Plan {
        services: services
            .iter()
            .map(|(id, name)| {
                let pick = Pick::new(id.clone(), name.clone());
                if typed.service.contains(id) {
                    pick.current()
                } else {
                    pick
                }
            })
            .collect(),
        from: or(typed.from, local(1)),
        until: or(typed.until, local(2)),
        zone: reading
            .zone
            .iana_name()
            .map_or_else(|| "UTC".to_owned(), ToOwned::to_owned),
        words: typed.words,
        public_words: typed.public_words,
        problem,
    }
}

/// A local time of the reader, as an instant. In the hour that a clock change skips it is the one after it.
pub(super) fn instant(text: &str, reading: &Reading) -> Option<Timestamp> {
    let local: DateTime = text.trim().parse().ok()?;
    let zoned = local.to_zoned(reading.zone.clone()).ok()?;
    Some(zoned.timestamp())
}

async fn plan(State(app): State<Arc<App>>, posted: Posted<Typed>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let reading = visitor.reading(&app);
    let at = |text: &str| instant(text, &reading).map(|at| at.to_string());
    let services: Vec<_> = fields
        .service
        .iter()
        .map(|id| json!({ "id": id, "type": "service_reference" }))
        .collect();
    let body = json!({ "maintenance_window": {
        "description": fields.words.trim(), "public_words": fields.public_words.trim(), "start_time": at(&fields.from), "end_time": at(&fields.until),
        "services": &services,
    } });
    let made = api::create(State(app.clone()), visitor.0.clone(), Body(from_json(body)?)).await;
    match made {
        Ok(_) => Ok(go_to("/console/maintenance")),
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            let words: Vec<&str> = problem
                .errors()
                .iter()
                .map(|error| {
                    if services.is_empty() && error.starts_with("Services must name") {
                        "Choose at least one service."
                    } else {
                        error.as_str()
                    }
                })
                .collect();
            let words = words.join(" ");
            page(&app, &visitor, 0, fields, Some(words)).await
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn end(
    State(app): State<Arc<App>>,
    Path(id): Path<MaintenanceWindowId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api::delete(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to("/console/maintenance"))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn local_times_are_read_in_the_readers_zone() {
        let reading = Reading::new(
            "2026-03-28T12:00:00Z".parse().unwrap(),
            TimeZone::get("Europe/London").unwrap(),
        );
        let at = |text: &str| instant(text, &reading).map(|at| at.to_string());
        assert_eq!(at("2026-03-28T22:00").as_deref(), Some("2026-03-28T22:00:00Z"));
        assert_eq!(at("2026-03-29T22:00").as_deref(), Some("2026-03-29T21:00:00Z"));
        assert_eq!(at("2026-03-29T01:30").as_deref(), Some("2026-03-29T01:30:00Z"));
        assert_eq!(at("tonight"), None);
    }
}
