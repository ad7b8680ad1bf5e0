//! `/accounts`: customers, by the conventions of the dialect.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accounts::{self as rows, Account, AccountText, Sought, Tier};
use super::model::{AccountId, LocationId, Used, check_used, used_ids, used_references};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::compared::{compared, withheld};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::faults::LONGEST_NAME;
use crate::http::{
    Body, Faults, Head, Listing, Paging, Path, Problem, Problems, Query, Reference, ReferenceInput, Sent,
    Site,
};
use crate::timeline::Change;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change_one, delete))
}

#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AccountAnswer {
    #[schema(value_type = AccountView)]
    pub account: Value,
}

#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AccountsAnswer {
    #[schema(value_type = Vec<AccountView>)]
    pub accounts: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Narrowing {
    /// Part of the name, the address or the external id.
    query: Option<String>,
    /// `standard`, `gold` or `business`.
    tier: Option<String>,
    location_id: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct AccountBody {
    account: AccountInput,
}

/// A customer as it is sent. On a change, what is left out stays, and what is null is forgotten.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct AccountInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    email: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    telephone: Sent<String>,
    #[serde(default)]
    tier: Option<Tier>,
    /// In the smallest unit of the currency.
    #[serde(default)]
    value_per_year: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    /// A language tag, such as `de`.
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    external_id: Sent<String>,
    /// The location the customer usually goes to.
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    location: Sent<ReferenceInput>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    customer_since: Sent<Timestamp>,
    /// Technical services and touchpoints the customer uses; replaces what was there.
    #[serde(default)]
    services: Option<Vec<ReferenceInput>>,
}

impl AccountInput {
    fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::new();
        if self.name.is_some() {
            faults.name("account.name", self.name.as_deref(), LONGEST_NAME);
        }
        let mut text = |field: &str, sent: &Sent<String>, longest: usize| {
            faults.optional_text(field, sent.value().map(String::as_str), longest);
        };
        text("account.email", &self.email, 255);
        text("account.telephone", &self.telephone, 64);
        text("account.external_id", &self.external_id, 255);
        if self
            .email
            .value()
            .is_some_and(|email| email.parse::<lettre::Address>().is_err())
        {
            faults.add("account.email is not a mail address.");
        }
        faults.optional_text("account.language", self.language.as_deref(), 16);
        faults.money("account.value_per_year", self.value_per_year);
        faults.currency("account.currency", self.currency.as_deref());
        faults.done()
    }

    fn over(&self, change: &mut Change, known: Option<&Account>) -> Result<AccountText, Problem> {
        let Some(name) = self.name.clone().or_else(|| known.map(|one| one.name.clone())) else {
            return Err(Problem::invalid(["account.name is needed."]));
        };
        let location_id = match &self.location {
            Sent::Value(reference) => {
                let id = LocationId::from(reference.id.as_str());
                super::locations::find(change.tx, &id)?
                    .ok_or_else(|| Problem::invalid(["account.location was not found."]))?;
                Some(id)
            }
            Sent::Null => None,
            Sent::Nothing => known.and_then(|one| one.location_id.clone()),
        };
        let over = |sent: &Sent<String>, kept: fn(&Account) -> Option<String>| {
            sent.clone().over(known.and_then(kept))
        };
        let either =
            |sent: &Option<String>, kept: fn(&Account) -> String| sent.clone().or_else(|| known.map(kept));
        Ok(AccountText {
            name,
            email: over(&self.email, |one| one.email.clone()),
            telephone: over(&self.telephone, |one| one.telephone.clone()),
            tier: self
                .tier
                .or_else(|| known.map(|one| one.tier))
                .unwrap_or(Tier::Standard),
            value_per_year: self
                .value_per_year
                .or_else(|| known.map(|one| one.value_per_year))
                .unwrap_or(0),
            currency: either(&self.currency, |one| one.currency.clone()).unwrap_or_else(|| "EUR".to_owned()),
            language: either(&self.language, |one| one.language.clone()).unwrap_or_else(|| "en".to_owned()),
            external_id: over(&self.external_id, |one| one.external_id.clone()),
            location_id,
            customer_since: self
                .customer_since
                .clone()
                .over(known.and_then(|one| one.customer_since)),
        })
    }
}

fn names(tx: &mut Tx, accounts: &[Account]) -> Result<HashMap<String, String>, Problem> {
    let ids: Vec<String> = accounts
        .iter()
        .filter_map(|one| one.location_id.as_ref())
        .map(ToString::to_string)
        .collect();
    Ok(super::locations::names(tx, &ids)?)
}

/// A customer.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AccountView {
    #[serde(flatten)]
    head: Head,
    name: String,
    email: Option<String>,
    telephone: Option<String>,
    tier: Tier,
    /// In the smallest unit of the currency.
    value_per_year: i64,
    currency: String,
    /// As in `lang="en"`.
    language: String,
    /// What the customer is known by elsewhere.
    external_id: Option<String>,
    location: Option<Reference>,
    #[schema(value_type = Option<String>, format = DateTime)]
    customer_since: Option<jiff::Timestamp>,
    /// Services and touchpoints that the customer uses.
    services: Vec<Reference>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
}

fn view(account: &Account, used: &[Used], names: &HashMap<String, String>, site: &Site) -> Value {
    json!(AccountView {
        head: site
            .resource("account", "accounts", account.id.as_str(), account.name.clone())
            .into(),
        name: account.name.clone(),
        email: account.email.clone(),
        telephone: account.telephone.clone(),
        tier: account.tier,
        value_per_year: account.value_per_year,
        currency: account.currency.clone(),
        language: account.language.clone(),
        external_id: account.external_id.clone(),
        location: account.location_id.as_ref().map(|id| {
            let name = names.get(id.as_str()).map_or(id.as_str(), String::as_str);
            site.reference("location", "locations", id.as_str(), name)
        }),
        customer_since: account.customer_since,
        services: used_references(used, account.id.as_str(), site),
        created_at: account.created_at,
    })
}

fn find(tx: &mut Tx, id: &AccountId) -> Result<Account, Problem> {
    rows::find(tx, id)?.ok_or_else(|| Problem::not_found("The customer"))
}

fn shown(tx: &mut Tx, id: &AccountId, site: &Site) -> Result<Value, Problem> {
    let account = find(tx, id)?;
    let used = rows::used(tx, std::slice::from_ref(id))?;
    let names = names(tx, std::slice::from_ref(&account))?;
    Ok(view(&account, &used, &names, site))
}

/// List customers by name.
#[utoipa::path(
    get, path = "/accounts", tag = "Accounts", params(Narrowing, Listing),
    responses((status = 200, description = "A page of customers", body = AccountsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<Narrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<AccountsAnswer>, Problem> {
    caller.require(Action::View, Resource::Account)?;
    let page = listing.page()?;
    let tier = match narrowing.tier.as_deref() {
        None | Some("") => None,
        Some(text) => Some(
            Tier::from_text(text)
                .ok_or_else(|| Problem::invalid(["tier must be standard, gold or business."]))?,
        ),
    };
    let sought = Sought {
        words: narrowing.query,
        tier,
        location_id: narrowing.location_id,
    };
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = rows::list(tx, &sought, page)?;
            let (found, paging) = page.finish(found, || rows::count(tx, &sought))?;
            let ids: Vec<AccountId> = found.iter().map(|one| one.id.clone()).collect();
            let used = rows::used(tx, &ids)?;
            let names = names(tx, &found)?;
            Ok(AccountsAnswer {
                accounts: found.iter().map(|one| view(one, &used, &names, &site)).collect(),
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Add a customer.
#[utoipa::path(
    post, path = "/accounts", tag = "Accounts", request_body = AccountBody,
    responses((status = 201, description = "The customer", body = AccountAnswer), Problems)
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<AccountBody>,
) -> Result<(StatusCode, axum::Json<AccountAnswer>), Problem> {
    caller.require(Action::Create, Resource::Account)?;
    body.account.check()?;
    let site = app.site.clone();
    let account = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let text = body.account.over(change, None)?;
            let id = rows::add(change, &text)?;
            if let Some(services) = &body.account.services {
                let used = check_used(change, "account.services", services)?;
                rows::set_used(change, &id, &used)?;
            }
            let is = told(change.tx, &id)?;
            let made = changed(&id, &text.name, compared(&Value::Null, &is));
            audit::record(change, &caller, AuditAction::Create, &made);
            shown(change.tx, &id, &site)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(AccountAnswer { account })))
}

/// By what a customer is known and reached.
const PERSONAL: [&str; 4] = ["name", "email", "telephone", "external_id"];

fn changed<'a>(id: &'a AccountId, name: &'a str, details: Value) -> Changed<'a> {
    Changed {
        details: withheld(details, &PERSONAL),
        ..Changed::named("account", id.as_str(), name)
    }
}

/// What is compared of a customer for the audit log.
fn told(tx: &mut Tx, id: &AccountId) -> Result<Value, Problem> {
    let account = find(tx, id)?;
    let used = rows::used(tx, std::slice::from_ref(id))?;
    Ok(json!({
        "name": account.name,
        "email": account.email,
        "telephone": account.telephone,
        "tier": account.tier,
        "value_per_year": account.value_per_year,
        "currency": account.currency,
        "language": account.language,
        "external_id": account.external_id,
        "location": account.location_id,
        "customer_since": account.customer_since,
        "services": used_ids(&used),
    }))
}

/// Show a customer.
#[utoipa::path(
    get, path = "/accounts/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "The customer's id")),
    responses((status = 200, description = "The customer", body = AccountAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<AccountAnswer>, Problem> {
    caller.require(Action::View, Resource::Account)?;
    let site = app.site.clone();
    let account = app
        .read(move |tx| shown(tx, &AccountId::from(id.as_str()), &site))
        .await?;
    Ok(axum::Json(AccountAnswer { account }))
}

/// Change a customer.
#[utoipa::path(
    put, path = "/accounts/{id}", tag = "Accounts", request_body = AccountBody,
    params(("id" = String, Path, description = "The customer's id")),
    responses((status = 200, description = "The customer", body = AccountAnswer), Problems)
)]
pub(crate) async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<AccountBody>,
) -> Result<axum::Json<AccountAnswer>, Problem> {
    caller.require(Action::Change, Resource::Account)?;
    body.account.check()?;
    let site = app.site.clone();
    let account = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = AccountId::from(id.as_str());
            let known = find(change.tx, &id)?;
            let was = told(change.tx, &id)?;
            let text = body.account.over(change, Some(&known))?;
            rows::set(change, &id, &text)?;
            if let Some(services) = &body.account.services {
                let used = check_used(change, "account.services", services)?;
                rows::set_used(change, &id, &used)?;
            }
            let is = told(change.tx, &id)?;
            let changed = changed(&id, &text.name, compared(&was, &is));
            audit::record(change, &caller, AuditAction::Update, &changed);
            shown(change.tx, &id, &site)
        })
        .await?;
    Ok(axum::Json(AccountAnswer { account }))
}

/// Delete a customer. Their cases stay.
#[utoipa::path(
    delete, path = "/accounts/{id}", tag = "Accounts",
    params(("id" = String, Path, description = "The customer's id")),
    responses((status = 204, description = "Deleted"), Problems)
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Delete, Resource::Account)?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let id = AccountId::from(id.as_str());
        let known = find(change.tx, &id)?;
        rows::delete(change, &id)?;
        let gone = Changed::named("account", id.as_str(), &known.name);
        audit::record(change, &caller, AuditAction::Delete, &gone);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
