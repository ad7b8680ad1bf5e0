//! `/change_events`: what was deployed or configured, to be laid beside incidents.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Tx;
use utoipa::{IntoParams, ToSchema};

use super::present;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Faults, Head, Listing, Page, Paging, Path, Problem, Problems, Query, Reference, Site};
use crate::services::change_events::{self as rows, ChangeEventId, KeptChange, Sought};
use crate::services::model::{Integration, ServiceId};
use crate::services::store::keys as sender_keys;
use crate::services::store::services::{find_integrations, names_of};

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    since: Option<String>,
    until: Option<String>,
    /// The teams whose policies the services follow.
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
    #[serde(rename = "integration_ids[]")]
    integration_ids: Vec<String>,
}

impl ChangesQuery {
    fn sought(self, service_id: Option<&ServiceId>) -> Result<Sought, Problem> {
        let mut faults = Faults::new();
        let since = faults.optional_instant("since", self.since.as_deref());
        let until = faults.optional_instant("until", self.until.as_deref());
        faults.done()?;
        Ok(Sought {
            service_id: service_id.cloned(),
            since,
            until,
            team_ids: self.team_ids,
            integration_ids: self.integration_ids,
        })
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangesAnswer {
    change_events: Vec<ChangeEventView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeAnswer {
    change_event: ChangeEventView,
}

/// Something that was deployed or configured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeEventView {
    #[serde(flatten)]
    head: Head,
    #[schema(value_type = String, format = DateTime)]
    timestamp: jiff::Timestamp,
    /// Who or what made the change.
    source: Option<String>,
    /// The integration's key; null for those who may not change services.
    routing_key: Option<String>,
    services: Vec<Reference>,
    integration: Option<Reference>,
    /// Free-form: as they were sent, usually with `href` and `text`.
    #[schema(value_type = Vec<Object>)]
    links: Value,
    /// Free-form: as they were sent, usually with `src`, `href` and `alt`.
    #[schema(value_type = Vec<Object>)]
    images: Value,
    /// Free-form: as they were sent.
    #[schema(value_type = Object)]
    custom_details: Value,
    /// Names of fields that were shortened or left out.
    truncated: Vec<String>,
}

/// Whether a reader is shown the keys that events are sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    Shown,
    Hidden,
}

impl Keys {
    /// Whoever holds one can open and end incidents: only those who set services up see them.
    fn of(caller: &Caller) -> Self {
        if caller.may(Action::Change, Resource::Service) {
            Self::Shown
        } else {
            Self::Hidden
        }
    }
}

fn views(
    tx: &mut Tx,
    changes: &[KeptChange],
    keys: Keys,
    site: &Site,
) -> Result<Vec<ChangeEventView>, Problem> {
    let services: BTreeSet<String> = changes.iter().map(|one| one.service_id.clone()).collect();
    let integrations: BTreeSet<String> = changes.iter().map(|one| one.integration_id.clone()).collect();
    let names: HashMap<String, String> = names_of(tx, &services.into_iter().collect::<Vec<_>>())?
        .into_iter()
        .collect();
    let integrations = find_integrations(tx, &integrations.into_iter().collect::<Vec<_>>())?;
    Ok(changes
        .iter()
        .map(|one| {
            let name = names.get(&one.service_id).unwrap_or(&one.service_id);
            let from = integrations
                .iter()
                .find(|integration| integration.id.as_str() == one.integration_id);
            let key = |from: &Integration| {
                (keys == Keys::Shown)
                    .then(|| sender_keys::shown(site.vault(), from))
                    .flatten()
            };
            ChangeEventView {
                head: Head {
                    id: one.id.to_string(),
                    kind: "change_event".to_owned(),
                    summary: Some(one.summary.clone()),
                    api_url: Some(site.api_url("change_events", one.id.as_str())),
                    html_url: Some(site.html_url("services", &one.service_id)),
                },
                timestamp: one.at,
                source: one.source.clone(),
                routing_key: from.and_then(key),
                services: vec![site.reference("service", "services", &one.service_id, name)],
                integration: from.map(|from| {
                    site.integration(from.id.as_str(), from.service_id.as_str(), from.name.clone())
                }),
                links: one.links.clone(),
                images: one.images.clone(),
                custom_details: one.custom_details.clone(),
                truncated: one.truncated.clone(),
            }
        })
        .collect())
}

fn listed(
    tx: &mut Tx,
    sought: &Sought,
    page: Page,
    keys: Keys,
    site: &Site,
) -> Result<Json<ChangesAnswer>, Problem> {
    let found = rows::list(tx, sought, page)?;
    let (found, paging) = page.finish(found, || rows::count(tx, sought))?;
    Ok(Json(ChangesAnswer {
        change_events: views(tx, &found, keys, site)?,
        paging,
    }))
}

/// What was changed, the newest first.
#[utoipa::path(get, path = "/change_events", tag = "Services", params(Listing, ChangesQuery),
    responses((status = 200, body = ChangesAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<ChangesQuery>,
) -> Result<Json<ChangesAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let (page, keys, site) = (listing.page()?, Keys::of(&caller), app.site.clone());
    let sought = asked.sought(None)?;
    app.read(move |tx| listed(tx, &sought, page, keys, &site)).await
}

/// What was changed on a service, the newest first.
#[utoipa::path(get, path = "/services/{id}/change_events", tag = "Services",
    params(("id" = String, Path), Listing, ChangesQuery), responses((status = 200, body = ChangesAnswer), Problems))]
pub(crate) async fn of_service(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
    Query(listing): Query<Listing>,
    Query(asked): Query<ChangesQuery>,
) -> Result<Json<ChangesAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let (page, keys, site) = (listing.page()?, Keys::of(&caller), app.site.clone());
    let sought = asked.sought(Some(&id))?;
    app.read(move |tx| {
        present(tx, &id)?;
        listed(tx, &sought, page, keys, &site)
    })
    .await
}

/// One change.
#[utoipa::path(get, path = "/change_events/{id}", tag = "Services", params(("id" = String, Path)),
    responses((status = 200, body = ChangeAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ChangeEventId>,
) -> Result<Json<ChangeAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let (keys, site) = (Keys::of(&caller), app.site.clone());
    app.read(move |tx| {
        let found = rows::find(tx, &id)?.ok_or_else(|| Problem::not_found("The change event"))?;
        let change_event = views(tx, &[found], keys, &site)?.pop();
        let change_event = change_event.ok_or_else(|| Problem::not_found("The change event"))?;
        Ok(Json(ChangeAnswer { change_event }))
    })
    .await
}
