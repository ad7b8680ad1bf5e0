//! `/business_services`: touchpoints, with what Muster knows of them beside the dialect's fields.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Tx;
use utoipa::ToSchema;

use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::faults::{LONGEST_NAME, LONGEST_TEXT};
use crate::http::{
    Body, Faults, Head, Listing, Paging, Path, Problem, Problems, Query, ReferenceInput, Sent, Site,
};
use crate::people::TeamId;
use crate::services::model::{BusinessService, BusinessServiceId};
use crate::services::store::touchpoints as rows;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BusinessServiceAnswer {
    #[schema(value_type = BusinessServiceView)]
    pub(crate) business_service: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BusinessServicesAnswer {
    #[schema(value_type = Vec<BusinessServiceView>)]
    business_services: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct BusinessServiceRequest {
    business_service: BusinessServiceInput,
}

/// What may be set. On a change, what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct BusinessServiceInput {
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    point_of_contact: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    team: Sent<ReferenceInput>,
    /// How much its loss hurts, 0 to 100.
    harm_weight: Option<i64>,
    /// In the smallest unit of the currency.
    loss_per_hour: Option<i64>,
    currency: Option<String>,
    /// What customers say when it fails.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    customer_words: Sent<String>,
    /// What staff do instead.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    fallback: Sent<String>,
    /// What staff say to customers.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    words_to_say: Sent<String>,
}

const LARGEST_LOSS: i64 = 1_000_000_000_000;

fn check(
    tx: &mut Tx,
    input: &BusinessServiceInput,
    before: BusinessService,
) -> Result<BusinessService, Problem> {
    let mut faults = Faults::new();
    let mut touchpoint = before;
    if input.name.is_some() || touchpoint.name.is_empty() {
        touchpoint.name = faults.name("Name", input.name.as_deref(), LONGEST_NAME);
    }
    let mut text = |field: &str, sent: &Sent<String>, before: Option<String>| {
        faults.optional_text(field, sent.clone().over(before).as_deref(), LONGEST_TEXT)
    };
    touchpoint.description = text("Description", &input.description, touchpoint.description.take());
    touchpoint.point_of_contact = text(
        "Point of contact",
        &input.point_of_contact,
        touchpoint.point_of_contact.take(),
    );
    touchpoint.customer_words = text(
        "Customer words",
        &input.customer_words,
        touchpoint.customer_words.take(),
    );
    touchpoint.fallback = text("Fallback", &input.fallback, touchpoint.fallback.take());
    touchpoint.words_to_say = text(
        "Words to say",
        &input.words_to_say,
        touchpoint.words_to_say.take(),
    );
    if let Some(weight) = input.harm_weight {
        touchpoint.harm_weight = faults.within("Harm weight", weight, 0..=100);
    }
    if let Some(loss) = input.loss_per_hour {
        touchpoint.loss_per_hour = faults.within("Loss per hour", loss, 0..=LARGEST_LOSS);
    }
    if let Some(currency) = &input.currency {
        faults.currency("Currency", Some(currency));
        touchpoint.currency.clone_from(currency);
    }
    match &input.team {
        Sent::Nothing => {}
        Sent::Null => touchpoint.team_id = None,
        Sent::Value(team) => {
            let id = TeamId::from(team.id.as_str());
            if crate::people::store::find_team(tx, &id)?.is_none() {
                faults.add("Team was not found.");
            }
            touchpoint.team_id = Some(id);
        }
    }
    faults.done()?;
    Ok(touchpoint)
}

/// A touchpoint: what customers know by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BusinessServiceView {
    #[serde(flatten)]
    head: Head,
    name: String,
    description: Option<String>,
    point_of_contact: Option<String>,
    team: Option<TeamPointer>,
    /// How much its loss hurts, 0 to 100. Muster's own, as are the fields below.
    harm_weight: i64,
    /// In the smallest unit of the currency.
    loss_per_hour: i64,
    currency: String,
    /// What customers say when it fails.
    customer_words: Option<String>,
    /// What staff do instead.
    fallback: Option<String>,
    /// What staff say to customers.
    words_to_say: Option<String>,
}

/// A team, without its name.
#[derive(Debug, Serialize, ToSchema)]
struct TeamPointer {
    id: String,
    /// `team_reference`
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "self")]
    api_url: String,
}

/// The resource `business_service`.
fn view(touchpoint: &BusinessService, site: &Site) -> Value {
    let id = touchpoint.id.as_str();
    let page = Some(site.html_url("services", id));
    let head = site.resource(
        "business_service",
        "business_services",
        id,
        touchpoint.name.clone(),
    );
    json!(BusinessServiceView {
        head: Head {
            html_url: page,
            ..head.into()
        },
        name: touchpoint.name.clone(),
        description: touchpoint.description.clone(),
        point_of_contact: touchpoint.point_of_contact.clone(),
        team: touchpoint.team_id.as_ref().map(|team| TeamPointer {
            id: team.to_string(),
            kind: "team_reference",
            api_url: site.api_url("teams", team.as_str()),
        }),
        harm_weight: touchpoint.harm_weight,
        loss_per_hour: touchpoint.loss_per_hour,
        currency: touchpoint.currency.clone(),
        customer_words: touchpoint.customer_words.clone(),
        fallback: touchpoint.fallback.clone(),
        words_to_say: touchpoint.words_to_say.clone(),
    })
}

fn present(tx: &mut Tx, id: &BusinessServiceId) -> Result<BusinessService, Problem> {
    rows::find(tx, id)?.ok_or_else(|| Problem::not_found("The business service"))
}

fn teams(touchpoint: &BusinessService) -> Vec<TeamId> {
    touchpoint.team_id.iter().cloned().collect()
}

fn changed(touchpoint: &BusinessService) -> Changed<'_> {
    Changed::named("business_service", touchpoint.id.as_str(), &touchpoint.name)
}

/// What the audit log tells of a touchpoint.
fn told(touchpoint: &BusinessService) -> Value {
    json!({
        "name": touchpoint.name,
        "description": touchpoint.description,
        "point_of_contact": touchpoint.point_of_contact,
        "team": touchpoint.team_id,
        "harm_weight": touchpoint.harm_weight,
        "loss_per_hour": touchpoint.loss_per_hour,
        "currency": touchpoint.currency,
        "customer_words": touchpoint.customer_words,
        "fallback": touchpoint.fallback,
        "words_to_say": touchpoint.words_to_say,
    })
}

/// All touchpoints, by name.
#[utoipa::path(get, path = "/business_services", tag = "Business services", params(Listing),
    responses((status = 200, body = BusinessServicesAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<BusinessServicesAnswer>, Problem> {
    caller.require(Action::View, Resource::BusinessService)?;
    let page = listing.page()?;
    let site = app.site.clone();
    app.read(move |tx| {
        let found = rows::list(tx, page)?;
        let (found, paging) = page.finish(found, || rows::count(tx))?;
        let business_services = found.iter().map(|one| view(one, &site)).collect();
        Ok(Json(BusinessServicesAnswer {
            business_services,
            paging,
        }))
    })
    .await
}

/// Adds a touchpoint. The dialect answers 200 here, not 201.
#[utoipa::path(post, path = "/business_services", tag = "Business services", request_body = BusinessServiceRequest,
    responses((status = 200, body = BusinessServiceAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<BusinessServiceRequest>,
) -> Result<Json<BusinessServiceAnswer>, Problem> {
    caller.require_for_own(Action::Create, Resource::BusinessService)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let blank = BusinessService {
            id: change.identifier(),
            name: String::new(),
            description: None,
            point_of_contact: None,
            team_id: None,
            harm_weight: 50,
            loss_per_hour: 0,
            currency: "EUR".to_owned(),
            customer_words: None,
            fallback: None,
            words_to_say: None,
            created_at: change.now,
            deleted_at: None,
        };
        let touchpoint = check(change.tx, &request.business_service, blank)?;
        caller.require_for_teams(Action::Create, Resource::BusinessService, &teams(&touchpoint))?;
        rows::add(change.tx, &touchpoint)?;
        let made = changed(&touchpoint).telling(&Value::Null, &told(&touchpoint));
        audit::record(change, &caller, AuditAction::Create, &made);
        change.touch("services");
        Ok(Json(BusinessServiceAnswer {
            business_service: view(&touchpoint, &site),
        }))
    })
    .await
}

/// One touchpoint.
#[utoipa::path(get, path = "/business_services/{id}", tag = "Business services", params(("id" = String, Path)),
    responses((status = 200, body = BusinessServiceAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<BusinessServiceId>,
) -> Result<Json<BusinessServiceAnswer>, Problem> {
    caller.require(Action::View, Resource::BusinessService)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let touchpoint = present(tx, &id)?;
        Ok(Json(BusinessServiceAnswer {
            business_service: view(&touchpoint, &site),
        }))
    })
    .await
}

/// Changes the fields that are sent.
#[utoipa::path(put, path = "/business_services/{id}", tag = "Business services", params(("id" = String, Path)),
    request_body = BusinessServiceRequest, responses((status = 200, body = BusinessServiceAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<BusinessServiceId>,
    Body(request): Body<BusinessServiceRequest>,
) -> Result<Json<BusinessServiceAnswer>, Problem> {
    caller.require_for_own(Action::Change, Resource::BusinessService)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present(change.tx, &id)?;
        caller.require_for_teams(Action::Change, Resource::BusinessService, &teams(&before))?;
        let was = told(&before);
        let touchpoint = check(change.tx, &request.business_service, before)?;
        caller.require_for_teams(Action::Change, Resource::BusinessService, &teams(&touchpoint))?;
        rows::set(change.tx, &touchpoint)?;
        let changed = changed(&touchpoint).telling(&was, &told(&touchpoint));
        audit::record(change, &caller, AuditAction::Update, &changed);
        change.touch("services");
        Ok(Json(BusinessServiceAnswer {
            business_service: view(&touchpoint, &site),
        }))
    })
    .await
}

/// Removes a touchpoint and its dependencies, unless a status page, a location or a customer uses it.
#[utoipa::path(delete, path = "/business_services/{id}", tag = "Business services", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<BusinessServiceId>,
) -> Result<StatusCode, Problem> {
    caller.require_for_own(Action::Delete, Resource::BusinessService)?;
    app.change(caller.agent(), move |change| {
        let touchpoint = present(change.tx, &id)?;
        caller.require_for_teams(Action::Delete, Resource::BusinessService, &teams(&touchpoint))?;
        let uses = rows::uses(change.tx, &id)?;
        if !uses.is_empty() {
            return Err(Problem::invalid(uses));
        }
        rows::delete(change.tx, &id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&touchpoint));
        change.touch("services");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
