//! `/promises`: who waits for a next word, and until when.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Faults, Listing, Paging, Problem, Problems, Query, Reference, Site};
use crate::incidents::mentions::{Mentions, Pointed};
use crate::updates::audiences;
use crate::updates::model::{Promise, PromiseState};
use crate::updates::promises::{self, Waiting};

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct PromiseNarrowing {
    incident_id: Option<String>,
    /// `true`: only those that somebody still waits for.
    #[param(value_type = Option<bool>)]
    open: Option<String>,
}

/// A page of promises.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct PromisesAnswer {
    promises: Vec<PromiseView>,
    #[serde(flatten)]
    paging: Paging,
}

/// A promise of a next word.
#[derive(Debug, serde::Serialize, ToSchema)]
struct PromiseView {
    id: String,
    /// `promise`
    #[serde(rename = "type")]
    kind: &'static str,
    incident: Reference,
    audience: Reference,
    /// The update that made it.
    update: Reference,
    state: PromiseState,
    #[schema(value_type = String, format = DateTime)]
    made_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: jiff::Timestamp,
    /// The estimate that its words gave.
    estimate: Option<PromisedEstimate>,
    /// When whoever made it was last reminded.
    #[schema(value_type = Option<String>, format = DateTime)]
    reminded_at: Option<jiff::Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    missed_at: Option<jiff::Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<jiff::Timestamp>,
}

#[derive(Debug, serde::Serialize, ToSchema)]
struct PromisedEstimate {
    /// By when it was to be over at the latest.
    #[schema(value_type = String, format = DateTime)]
    latest: jiff::Timestamp,
    /// When it says nothing any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<jiff::Timestamp>,
}

fn promise_view(
    tx: &mut store::Tx,
    promise: &Promise,
    mentions: &Mentions,
    site: &Site,
) -> Result<PromiseView, Problem> {
    let audience = audiences::find_even_deleted(tx, &promise.audience_id)?.map(|audience| audience.name);
    let audience = audience.unwrap_or_else(|| promise.audience_id.to_string());
    let update = format!("Update to {audience}");
    Ok(PromiseView {
        id: promise.id.to_string(),
        kind: "promise",
        incident: mentions.incident(site, promise.incident_id.as_str()),
        audience: site.reference("audience", "audiences", promise.audience_id.as_str(), audience),
        update: site.reference("update", "updates", promise.update_id.as_str(), update),
        state: promise.state,
        made_at: promise.made_at,
        due_at: promise.due_at,
        estimate: promise.estimate_latest.map(|latest| PromisedEstimate {
            latest,
            ends_at: promise.estimate_ends_at,
        }),
        reminded_at: promise.nagged_at,
        missed_at: promise.missed_at,
        ended_at: promise.ended_at,
    })
}

/// List promises of a next word: those that are waited for first, the one due soonest at the top.
#[utoipa::path(
    get, path = "/promises", tag = "Updates", params(PromiseNarrowing, Listing),
    responses((status = 200, description = "A page of promises", body = PromisesAnswer), Problems)
)]
pub(super) async fn list_promises(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<PromiseNarrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<PromisesAnswer>, Problem> {
    caller.require(Action::View, Resource::Update)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let mut faults = Faults::new();
    let waiting = match faults.yes_or_no("open", narrowing.open.as_deref()) {
        Some(true) => Waiting::OnlyOpen,
        Some(false) | None => Waiting::AllEver,
    };
    faults.done()?;
    let sought = promises::Sought {
        incident_id: narrowing.incident_id,
        waiting,
    };
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = promises::list(tx, &sought, page)?;
            let (found, paging) = page.finish(found, || promises::count(tx, &sought))?;
            let pointed = Pointed {
                incidents: found.iter().map(|one| one.incident_id.to_string()).collect(),
                ..Pointed::default()
            };
            let mentions = Mentions::read(tx, pointed)?;
            let mut shown = Vec::new();
            for promise in &found {
                shown.push(promise_view(tx, promise, &mentions, &site)?);
            }
            Ok(PromisesAnswer {
                promises: shown,
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}
