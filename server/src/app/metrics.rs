//! `/metrics`: what was counted, and how the database stands now.
//!
//! It is open to this machine (a Prometheus beside it) and to whoever shows an API key; not to the world,
//! which may reach the same port.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use store::{Tx, params, sql};

use super::App;
use crate::access::Caller;
use crate::http::Problem;

/// What is counted in the database, read afresh for each answer.
struct Counted {
    incidents: Vec<(String, i64)>,
    alerts: i64,
    sends: Vec<(String, String, i64)>,
    jobs: Vec<(String, i64, Option<Timestamp>)>,
    events_passed_over: i64,
}

fn count(tx: &mut Tx, now: Timestamp) -> Result<Counted, store::Error> {
    Ok(Counted {
        incidents: tx.rows(
            sql!(
                "SELECT status, COUNT(*) FROM incidents WHERE status IN ('triggered', 'acknowledged')
                 GROUP BY status ORDER BY status"
            ),
            params![],
        )?,
        alerts: crate::alerts::store::count_open(tx)?,
        sends: crate::outbox::store::open_counts(tx)?
            .into_iter()
            .map(|(channel, state, count)| (channel.as_text().to_owned(), state.as_text().to_owned(), count))
            .collect(),
        jobs: tx.rows(
            sql!(
                "SELECT kind, COUNT(*), MIN(due_at) FROM jobs WHERE due_at <= $1 GROUP BY kind ORDER BY kind"
            ),
            params![now],
        )?,
        events_passed_over: crate::signals::intake::count_passed_over(tx)?,
    })
}

pub(super) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    match written(&app, request).await {
        Ok(text) => (
            [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn written(app: &Arc<App>, request: Request) -> Result<String, Problem> {
    let (mut parts, _) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let direct = !parts.headers.contains_key("x-forwarded-for") && !parts.headers.contains_key("forwarded");
    if !(direct && peer.is_some_and(|peer| peer.ip().is_loopback())) {
        Caller::from_request_parts(&mut parts, app).await?;
    }
    let now = app.clock.now();
    let counted = app.read(move |tx| count(tx, now)).await.map_err(Problem::from)?;
    publish(&counted, now);
    let waiting = crate::signals::intake::count_waiting(app).await?;
    crate::metrics::set_gauge("muster_events_waiting", &[], waiting as f64);
    crate::metrics::events_accepted(app.journal.accepted().unsigned_abs());
    Ok(crate::metrics::render())
}

fn publish(counted: &Counted, now: Timestamp) {
    use crate::metrics::set_gauge;
    for status in ["triggered", "acknowledged"] {
        let found = counted.incidents.iter().find(|(known, _)| known == status);
        let count = found.map_or(0, |(_, count)| *count);
        set_gauge(
            "muster_incidents_open",
            &[("status", status.to_owned())],
            count as f64,
        );
    }
    set_gauge("muster_alerts_triggered", &[], counted.alerts as f64);
    for channel in crate::outbox::sender::LANES {
        for state in ["owed", "sending"] {
            let found = counted
                .sends
                .iter()
                .find(|(known, in_state, _)| known == channel.as_text() && in_state == state);
            let labels = [
                ("channel", channel.as_text().to_owned()),
                ("state", state.to_owned()),
            ];
            set_gauge(
                "muster_sends_open",
                &labels,
                found.map_or(0, |(_, _, count)| *count) as f64,
            );
        }
    }
    set_gauge(
        "muster_events_passed_over",
        &[],
        counted.events_passed_over as f64,
    );
    let due: i64 = counted.jobs.iter().map(|(_, count, _)| count).sum();
    let oldest = counted.jobs.iter().filter_map(|(_, _, due_at)| *due_at).min();
    let late = oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64());
    set_gauge("muster_jobs_due", &[], due as f64);
    set_gauge("muster_jobs_late_seconds", &[], late);
}
