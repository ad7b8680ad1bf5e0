//! Reading `/escalation_policies`. Policies belong to the slice `oncall`, which writes them; they are read here,
//! because whoever reads them may ask for the services that escalate by them.

use std::sync::Arc;

use ::store::Tx;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::wholes::{self, OF_POLICIES};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::listing::{Direction, anywhere, sorted_by_name};
use crate::http::{Include, Listing, Paging, Path, Problem, Problems, Query, Site, expansion};
use crate::oncall::EscalationPolicyId;
use crate::oncall::api::view::{PolicyView, policy_views};
use crate::oncall::model::EscalationPolicy;
use crate::oncall::store::{self, PolicyFilter, PolicySort};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPolicy {
    #[schema(value_type = PolicyView)]
    escalation_policy: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoliciesAnswer {
    #[schema(value_type = Vec<PolicyView>)]
    escalation_policies: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PoliciesQuery {
    /// A part of the name.
    query: Option<String>,
    #[serde(rename = "user_ids[]")]
    user_ids: Vec<String>,
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
    /// `name`, `name:asc` or `name:desc`.
    sort_by: Option<String>,
}

fn shown(
    tx: &mut Tx,
    site: &Site,
    policies: &[EscalationPolicy],
    include: &Include,
    now: jiff::Timestamp,
) -> Result<Vec<Value>, Problem> {
    let mut shown: Vec<Value> = policy_views(tx, site, policies, include)?
        .iter()
        .map(|view| serde_json::to_value(view).map_err(Problem::internal))
        .collect::<Result<_, _>>()?;
    expansion::expand(include, &OF_POLICIES, &mut shown, |kind, ids| {
        wholes::load(tx, site, now, kind, ids)
    })?;
    Ok(shown)
}

/// All policies, by name.
#[utoipa::path(get, path = "/escalation_policies", tag = "On call", params(Listing, PoliciesQuery, Include),
    responses((status = 200, body = PoliciesAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<PoliciesQuery>,
    Query(include): Query<Include>,
) -> Result<Json<PoliciesAnswer>, Problem> {
    caller.require(Action::View, Resource::EscalationPolicy)?;
    let page = listing.page()?;
    let listed = |ids: Vec<String>| Some(ids).filter(|ids| !ids.is_empty());
    let filter = PolicyFilter {
        pattern: asked
            .query
            .filter(|query| !query.is_empty())
            .map(|query| anywhere(&query)),
        user_ids: listed(asked.user_ids),
        team_ids: listed(asked.team_ids),
        sort: match sorted_by_name(asked.sort_by.as_deref())? {
            Direction::Descending => PolicySort::NameDescending,
            Direction::Ascending => PolicySort::Name,
        },
    };
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let rows = store::list_policies(tx, &filter, page)?;
        let (rows, paging) = page.finish(rows, || store::count_policies(tx, &filter))?;
        Ok(Json(PoliciesAnswer {
            escalation_policies: shown(tx, &site, &rows, &include, now)?,
            paging,
        }))
    })
    .await
}

/// One policy.
#[utoipa::path(get, path = "/escalation_policies/{id}", tag = "On call", params(("id" = String, Path), Include),
    responses((status = 200, body = ShownPolicy), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<EscalationPolicyId>,
    Query(include): Query<Include>,
) -> Result<Json<ShownPolicy>, Problem> {
    caller.require(Action::View, Resource::EscalationPolicy)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let policy =
            store::load_policy(tx, &id)?.ok_or_else(|| Problem::not_found("The escalation policy"))?;
        let escalation_policy = shown(tx, &site, &[policy], &include, now)?
            .pop()
            .unwrap_or_default();
        Ok(Json(ShownPolicy { escalation_policy }))
    })
    .await
}
