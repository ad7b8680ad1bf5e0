//! `/locations`: regions, sites and terminals, by the conventions of the dialect.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::locations::{self as rows, Location, LocationKind, LocationText, Sought};
use super::model::{LocationId, Used, check_used, used_ids, used_references};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::faults::LONGEST_NAME;
use crate::http::{
    Body, Faults, Head, Listing, Paging, Path, Problem, Problems, Query, Reference, ReferenceInput, Sent,
    Site,
};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change_one, delete))
        .routes(routes!(renew_code))
}

#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LocationAnswer {
    #[schema(value_type = LocationView)]
    pub location: Value,
}

#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LocationsAnswer {
    #[schema(value_type = Vec<LocationView>)]
    pub locations: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Narrowing {
    /// Part of the name.
    query: Option<String>,
    /// `region`, `site` or `terminal`.
    kind: Option<String>,
    /// The location they stand in.
    parent_id: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LocationBody {
    location: LocationInput,
}

/// A location as it is sent. On a change, what is left out stays, and what is null is forgotten.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LocationInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    kind: Option<LocationKind>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    parent: Sent<ReferenceInput>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    time_zone: Sent<String>,
    /// Two letters, ISO 3166.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    country: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    address: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    telephone: Sent<String>,
    /// In the smallest unit of the currency.
    #[serde(default)]
    takings_per_hour: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    /// Technical services and touchpoints it uses; replaces what was there.
    #[serde(default)]
    services: Option<Vec<ReferenceInput>>,
}

impl LocationInput {
    fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::new();
        if self.name.is_some() {
            faults.name("location.name", self.name.as_deref(), LONGEST_NAME);
        }
        if let Some(zone) = self.time_zone.value() {
            faults.time_zone("location.time_zone", zone);
        }
        let mut text = |field: &str, sent: &Sent<String>, longest: usize| {
            faults.optional_text(field, sent.value().map(String::as_str), longest);
        };
        text("location.country", &self.country, 2);
        text("location.address", &self.address, 1024);
        text("location.telephone", &self.telephone, 64);
        faults.money("location.takings_per_hour", self.takings_per_hour);
        faults.currency("location.currency", self.currency.as_deref());
        faults.done()
    }

    fn over(&self, known: Option<&Location>) -> Result<LocationText, Problem> {
        let name = self.name.clone().or_else(|| known.map(|one| one.name.clone()));
        let kind = self.kind.or_else(|| known.map(|one| one.kind));
        let (Some(name), Some(kind)) = (name, kind) else {
            return Err(Problem::invalid(["location.name and location.kind are needed."]));
        };
        let over = |sent: &Sent<String>, kept: fn(&Location) -> Option<String>| {
            sent.clone().over(known.and_then(kept))
        };
        Ok(LocationText {
            parent_id: match &self.parent {
                Sent::Value(parent) => Some(LocationId::from(parent.id.as_str())),
                Sent::Null => None,
                Sent::Nothing => known.and_then(|one| one.parent_id.clone()),
            },
            kind,
            name,
            time_zone: over(&self.time_zone, |one| one.time_zone.clone()),
            country: over(&self.country, |one| one.country.clone()),
            address: over(&self.address, |one| one.address.clone()),
            telephone: over(&self.telephone, |one| one.telephone.clone()),
            takings_per_hour: self
                .takings_per_hour
                .or_else(|| known.map(|one| one.takings_per_hour))
                .unwrap_or(0),
            currency: self
                .currency
                .clone()
                .or_else(|| known.map(|one| one.currency.clone()))
                .unwrap_or_else(|| "EUR".to_owned()),
        })
    }
}

fn names(tx: &mut Tx, locations: &[Location]) -> Result<HashMap<String, String>, Problem> {
    let ids: Vec<String> = locations
        .iter()
        .filter_map(|one| one.parent_id.as_ref())
        .map(ToString::to_string)
        .collect();
    Ok(super::locations::names(tx, &ids)?)
}

/// A region, a site in it, or a terminal in a site.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LocationView {
    #[serde(flatten)]
    head: Head,
    name: String,
    kind: LocationKind,
    /// The location it stands in.
    parent: Option<Reference>,
    /// Opens the location's own page; only sites have one.
    code: Option<String>,
    /// The location's own page.
    page_url: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    country: Option<String>,
    address: Option<String>,
    telephone: Option<String>,
    /// In the smallest unit of the currency.
    takings_per_hour: i64,
    currency: String,
    /// Services and touchpoints that it uses.
    services: Vec<Reference>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
}

fn view(location: &Location, used: &[Used], names: &HashMap<String, String>, site: &Site) -> Value {
    json!(LocationView {
        head: site
            .resource(
                "location",
                "locations",
                location.id.as_str(),
                location.name.clone()
            )
            .into(),
        name: location.name.clone(),
        kind: location.kind,
        parent: location.parent_id.as_ref().map(|id| {
            let name = names.get(id.as_str()).map_or(id.as_str(), String::as_str);
            site.reference("location", "locations", id.as_str(), name)
        }),
        code: location.code.clone(),
        page_url: location
            .code
            .as_ref()
            .map(|code| site.url(&format!("/at/{code}"))),
        time_zone: location.time_zone.clone(),
        country: location.country.clone(),
        address: location.address.clone(),
        telephone: location.telephone.clone(),
        takings_per_hour: location.takings_per_hour,
        currency: location.currency.clone(),
        services: used_references(used, location.id.as_str(), site),
        created_at: location.created_at,
    })
}

fn find(tx: &mut Tx, id: &LocationId) -> Result<Location, Problem> {
    rows::find(tx, id)?.ok_or_else(|| Problem::not_found("The location"))
}

fn shown(tx: &mut Tx, id: &LocationId, site: &Site) -> Result<Value, Problem> {
    let location = find(tx, id)?;
    let used = rows::used(tx, std::slice::from_ref(id))?;
    let names = names(tx, std::slice::from_ref(&location))?;
    Ok(view(&location, &used, &names, site))
}

/// List locations by name.
#[utoipa::path(
    get, path = "/locations", tag = "Locations", params(Narrowing, Listing),
    responses((status = 200, description = "A page of locations", body = LocationsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<Narrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<LocationsAnswer>, Problem> {
    caller.require(Action::View, Resource::Location)?;
    let page = listing.page()?;
    let kind = match narrowing.kind.as_deref() {
        None | Some("") => None,
        Some(text) => Some(
            LocationKind::from_text(text)
                .ok_or_else(|| Problem::invalid(["kind must be region, site or terminal."]))?,
        ),
    };
    let sought = Sought {
        words: narrowing.query,
        kind,
        parent_id: narrowing.parent_id,
    };
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = rows::list(tx, &sought, page)?;
            let (found, paging) = page.finish(found, || rows::count(tx, &sought))?;
            let ids: Vec<LocationId> = found.iter().map(|one| one.id.clone()).collect();
            let used = rows::used(tx, &ids)?;
            let names = names(tx, &found)?;
            Ok(LocationsAnswer {
                locations: found.iter().map(|one| view(one, &used, &names, &site)).collect(),
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Add a location. A site gets a code for its own page.
#[utoipa::path(
    post, path = "/locations", tag = "Locations", request_body = LocationBody,
    responses((status = 201, description = "The location", body = LocationAnswer), Problems)
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<LocationBody>,
) -> Result<(StatusCode, axum::Json<LocationAnswer>), Problem> {
    caller.require(Action::Create, Resource::Location)?;
    body.location.check()?;
    let text = body.location.over(None)?;
    let site = app.site.clone();
    let location = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = rows::add(change, &text)?;
            if let Some(services) = &body.location.services {
                let used = check_used(change, "location.services", services)?;
                rows::set_used(change, &id, &used)?;
            }
            let made = told(change.tx, &id)?;
            let made = changed(&id, &text.name).telling(&Value::Null, &made);
            audit::record(change, &caller, AuditAction::Create, &made);
            shown(change.tx, &id, &site)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(LocationAnswer { location })))
}

fn changed<'a>(id: &'a LocationId, name: &'a str) -> Changed<'a> {
    Changed::named("location", id.as_str(), name)
}

/// What the audit log tells of a location; whoever has its code can open its page.
fn told(tx: &mut Tx, id: &LocationId) -> Result<Value, Problem> {
    let location = find(tx, id)?;
    let used = rows::used(tx, std::slice::from_ref(id))?;
    Ok(json!({
        "name": location.name,
        "kind": location.kind,
        "parent": location.parent_id,
        "time_zone": location.time_zone,
        "country": location.country,
        "address": location.address,
        "telephone": location.telephone,
        "takings_per_hour": location.takings_per_hour,
        "currency": location.currency,
        "services": used_ids(&used),
    }))
}

/// Show a location.
#[utoipa::path(
    get, path = "/locations/{id}", tag = "Locations",
    params(("id" = String, Path, description = "The location's id")),
    responses((status = 200, description = "The location", body = LocationAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<LocationAnswer>, Problem> {
    caller.require(Action::View, Resource::Location)?;
    let site = app.site.clone();
    let location = app
        .read(move |tx| shown(tx, &LocationId::from(id.as_str()), &site))
        .await?;
    Ok(axum::Json(LocationAnswer { location }))
}

/// Change a location.
#[utoipa::path(
    put, path = "/locations/{id}", tag = "Locations", request_body = LocationBody,
    params(("id" = String, Path, description = "The location's id")),
    responses((status = 200, description = "The location", body = LocationAnswer), Problems)
)]
pub(crate) async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<LocationBody>,
) -> Result<axum::Json<LocationAnswer>, Problem> {
    caller.require(Action::Change, Resource::Location)?;
    body.location.check()?;
    let site = app.site.clone();
    let location = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = LocationId::from(id.as_str());
            let known = find(change.tx, &id)?;
            let was = told(change.tx, &id)?;
            let text = body.location.over(Some(&known))?;
            rows::set(change, &id, &text)?;
            if let Some(services) = &body.location.services {
                let used = check_used(change, "location.services", services)?;
                rows::set_used(change, &id, &used)?;
            }
            let is = told(change.tx, &id)?;
            let changed = changed(&id, &text.name).telling(&was, &is);
            audit::record(change, &caller, AuditAction::Update, &changed);
            shown(change.tx, &id, &site)
        })
        .await?;
    Ok(axum::Json(LocationAnswer { location }))
}

/// Delete a location that holds no others.
#[utoipa::path(
    delete, path = "/locations/{id}", tag = "Locations",
    params(("id" = String, Path, description = "The location's id")),
    responses((status = 204, description = "Deleted"), Problems)
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Delete, Resource::Location)?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let id = LocationId::from(id.as_str());
        let known = find(change.tx, &id)?;
        rows::delete(change, &id)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&id, &known.name));
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a location a new code; with the old one nothing can be said any more, and within two seconds nothing read.
#[utoipa::path(
    post, path = "/locations/{id}/code", tag = "Locations",
    params(("id" = String, Path, description = "The location's id")),
    responses((status = 200, description = "The location", body = LocationAnswer), Problems)
)]
pub(crate) async fn renew_code(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<LocationAnswer>, Problem> {
    // It takes every printed code away, as removing the location would.
    caller.require(Action::Delete, Resource::Location)?;
    let site = app.site.clone();
    let location = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = LocationId::from(id.as_str());
            let known = find(change.tx, &id)?;
            rows::renew_code(change, &id)?;
            let renewed = Changed {
                details: json!({ "code": null }),
                ..changed(&id, &known.name)
            };
            audit::record(change, &caller, AuditAction::Update, &renewed);
            shown(change.tx, &id, &site)
        })
        .await?;
    Ok(axum::Json(LocationAnswer { location }))
}
