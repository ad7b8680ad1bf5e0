//! `/signals/passed_over`: events that were accepted and could not be taken. They are kept apart with the reason, for
//! whoever looks into it: to be taken again once what stood in the way is mended, or to be let go. Both are audited.
//!
//! For an hour each is tried again by itself (`trying_again`).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::{Error, Tx, params, sql};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::intake::count_passed_over;
use super::journal::{Event, Signal};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::alerts::intake::{Batch, Taken};
use crate::app::App;
use crate::http::{Listing, Page, Paging, Path, Problem, Problems, Query};
use crate::orchestration::Rulebooks;
use crate::timeline::Change;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(take_again))
        .routes(routes!(let_go))
}

/// An event as it was kept apart.
#[derive(Debug, Clone, store::FromRow)]
pub struct PassedOver {
    pub(super) node: i64,
    pub(super) sequence: i64,
    pub at: Timestamp,
    pub reason: String,
    line: String,
}

impl PassedOver {
    /// The part of the journal, and the place in it.
    pub fn id(&self) -> String {
        format!("{}-{}", self.node, self.sequence)
    }

    pub(super) fn signal(&self) -> Option<Signal> {
        serde_json::from_str(&self.line).ok()
    }

    /// What the event said, or how its line begins where it cannot be read.
    pub fn summary(&self) -> String {
        match self.signal().map(|signal| signal.event) {
            Some(Event::Alert(event)) => event.summary,
            Some(Event::Change(event)) => event.summary,
            None => self.line.chars().take(120).collect(),
        }
    }
}

/// The newest first.
pub fn rows(tx: &mut Tx, page: Page) -> Result<Vec<PassedOver>, Error> {
    tx.rows(
        sql!(
            "SELECT node, sequence, at, reason, line FROM signals_passed_over
             ORDER BY at DESC, node, sequence LIMIT $1 OFFSET $2"
        ),
        params![page.rows_to_read(), page.offset],
    )
}

fn find(tx: &mut Tx, id: &str) -> Result<PassedOver, Problem> {
    let missing = || Problem::not_found("The event");
    let (node, sequence) = id.split_once('-').ok_or_else(missing)?;
    let (node, sequence): (i64, i64) = node.parse().ok().zip(sequence.parse().ok()).ok_or_else(missing)?;
    tx.row(
        sql!("SELECT node, sequence, at, reason, line FROM signals_passed_over WHERE node = $1 AND sequence = $2"),
        params![node, sequence],
    )?
    .ok_or_else(missing)
}

/// Removes it; whoever is second finds it gone.
pub(super) fn remove(tx: &mut Tx, one: &PassedOver) -> Result<(), Problem> {
    let removed = tx.execute(
        sql!("DELETE FROM signals_passed_over WHERE node = $1 AND sequence = $2"),
        params![one.node, one.sequence],
    )?;
    match removed {
        0 => Err(Problem::not_found("The event")),
        _ => Ok(()),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PassedOverView {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    summary: String,
    /// When it was kept apart.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was accepted; null where the event cannot be read.
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    service_id: Option<String>,
    integration_id: Option<String>,
    /// Why it could not be taken.
    reason: String,
    /// The event as the journal held it.
    line: String,
}

impl From<PassedOver> for PassedOverView {
    fn from(one: PassedOver) -> Self {
        let signal = one.signal();
        Self {
            id: one.id(),
            kind: "passed_over_signal",
            summary: one.summary(),
            at: one.at,
            received_at: signal.as_ref().map(|signal| signal.received_at),
            service_id: signal.as_ref().map(|signal| signal.service_id.to_string()),
            integration_id: signal.as_ref().map(|signal| signal.integration_id.to_string()),
            reason: one.reason,
            line: one.line,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PassedOverAnswer {
    signals: Vec<PassedOverView>,
    #[serde(flatten)]
    paging: Paging,
}

/// The events that were accepted and could not be taken, the newest first. For admins.
#[utoipa::path(get, path = "/signals/passed_over", tag = "Events", params(Listing),
    responses((status = 200, body = PassedOverAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<PassedOverAnswer>, Problem> {
    caller.require(Action::View, Resource::Settings)?;
    let page = listing.page()?;
    app.read(move |tx| {
        let (found, paging) = page.finish(rows(tx, page)?, || count_passed_over(tx))?;
        let signals = found.into_iter().map(PassedOverView::from).collect();
        Ok(Json(PassedOverAnswer { signals, paging }))
    })
    .await
}

/// Takes an event again, as if it had just come: its alert and its incident begin now. Where that fails once more it
/// stays, and the answer says why.
#[utoipa::path(post, path = "/signals/passed_over/{id}/retry", tag = "Events", params(("id" = String, Path)),
    responses((status = 204, description = "It was taken"), Problems))]
pub(crate) async fn take_again(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Change, Resource::Settings)?;
    let rulebooks = app.rulebooks.clone();
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let one = find(change.tx, &id)?;
        remove(change.tx, &one)?;
        take(change, &one, &rulebooks).map_err(|problem| match problem.status() {
            StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => problem,
            _ => still_not(&problem.to_string()),
        })?;
        record(change, &caller, AuditAction::Update, &one);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn still_not(reason: &str) -> Problem {
    Problem::conflict(format!("The event can still not be taken, and stays: {reason}."))
}

/// Takes an event again, whatever was heard since.
pub(super) fn take(change: &mut Change, one: &PassedOver, rulebooks: &Rulebooks) -> Result<(), Problem> {
    let signal: Signal = serde_json::from_str(&one.line)
        .map_err(|error| still_not(&format!("it cannot be read ({error})")))?;
    crate::services::store::lock(change.tx, &signal.service_id)?;
    match &signal.event {
        Event::Alert(event) => {
            let services = BTreeSet::from([&signal.service_id]);
            let mut batch = Batch::ruled_by(rulebooks.of(change.tx, &services)?);
            if batch.take(change, &signal, event)? == Taken::NobodyToTell {
                return Err(still_not("its service was taken away"));
            }
            batch.finish(change)
        }
        Event::Change(event) => Ok(super::change_events::keep(change, &signal, event)?),
    }
}

/// Lets an event go for good.
#[utoipa::path(delete, path = "/signals/passed_over/{id}", tag = "Events", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(crate) async fn let_go(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Change, Resource::Settings)?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let one = find(change.tx, &id)?;
        remove(change.tx, &one)?;
        record(change, &caller, AuditAction::Delete, &one);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn record(change: &mut Change, caller: &Caller, action: AuditAction, one: &PassedOver) {
    let (id, summary) = (one.id(), one.summary());
    let changed = Changed {
        details: json!({ "reason": one.reason, "line": one.line }),
        ..Changed::named("passed_over_signal", &id, &summary)
    };
    audit::record(change, caller, action, &changed);
}
