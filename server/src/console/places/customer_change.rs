//! Adding a customer, changing one, taking one away: each is the API's own function.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use store::Tx;

use super::seen::{Seen, overtaken};
use super::sheet::{
    Gone, Outcome, Sheet, choice, heading, line, optional, optional_of, parts_of, select, status_of,
    text_or_null,
};
use super::typed::{Belongs, Typed, Wrong};
use super::{amounts, from_json, go_to, situation, uses};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Pick, Place, Rich};
use crate::console::screens::settings::{Button, Field, Form, SettingsPart, Weight};
use crate::customers::accounts::{self, Account};
use crate::customers::accounts_api as api;
use crate::customers::locations::{self, LocationKind};
use crate::customers::{AccountId, LocationId};
use crate::http::listing::Counted;
use crate::http::{Body, Page, Path, Problem};

const LIST: &str = "/console/customers";
const NEW: &str = "/console/customers/new";
/// Sites that the form offers.
const MOST_SITES: i64 = 1_000;
const TIERS: [(&str, &str); 3] = [
    ("standard", "Standard"),
    ("gold", "Gold"),
    ("business", "Business"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/customers/new", get(new_form).post(add))
        .route("/console/customers/{id}/change", get(form).post(change))
        .route("/console/customers/{id}/remove", post(remove))
}

/// The way to the form that adds one, for whoever may.
pub(super) fn way_to_add(caller: &Caller) -> Option<Link> {
    caller
        .may(Action::Create, Resource::Account)
        .then(|| Link::new("Add a customer", NEW))
}

/// The way to the form that changes one, for whoever may.
pub(super) fn way_to_change(caller: &Caller, id: &AccountId) -> Option<Link> {
    caller
        .may(Action::Change, Resource::Account)
        .then(|| Link::new("Change", format!("{}/change", address(id))))
}

fn address(id: &AccountId) -> String {
    format!("{LIST}/{id}")
}

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields {
    name: String,
    email: String,
    telephone: String,
    tier: String,
    value: String,
    currency: String,
    language: String,
    number: String,
    location: String,
    /// A date in the reader's zone.
    since: String,
    uses: Vec<String>,
}

impl Fields {
    fn blank() -> Self {
        Self {
            tier: "standard".to_owned(),
            currency: "EUR".to_owned(),
            language: "en".to_owned(),
            ..Self::default()
        }
    }

    fn of(row: &Account, uses: Vec<String>, zone: &TimeZone) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            name: row.name.clone(),
            email: text(&row.email),
            telephone: text(&row.telephone),
            tier: row.tier.as_text().to_owned(),
            value: amounts::written(row.value_per_year),
            currency: row.currency.clone(),
            language: row.language.clone(),
            number: text(&row.external_id),
            location: row
                .location_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            since: row
                .customer_since
                .map(|at| at.to_zoned(zone.clone()).date().to_string())
                .unwrap_or_default(),
            uses,
        }
    }

    fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).trim().to_owned();
        Self {
            name: text("name"),
            email: text("email"),
            telephone: text("telephone"),
            tier: text("tier"),
            value: text("value"),
            currency: text("currency").to_uppercase(),
            language: text("language"),
            number: text("number"),
            location: text("location"),
            since: text("since"),
            uses: uses::of_typed(typed),
        }
    }

    /// `was` is what stood in the form before.
    fn body(&self, was: &Self, zone: &TimeZone) -> Result<Value, Wrong> {
        let mut wrong = Wrong::default();
        let value = amounts::read(&self.value);
        if value.is_none() {
            wrong.add("value", "Say an amount, such as 2140 or 2140.50.");
        }
        let mut sent = Map::new();
        for (name, value) in [
            ("name", Value::from(self.name.as_str())),
            ("email", text_or_null(&self.email)),
            ("telephone", text_or_null(&self.telephone)),
            ("tier", Value::from(self.tier.as_str())),
            ("value_per_year", Value::from(value)),
            ("currency", Value::from(self.currency.as_str())),
            ("language", Value::from(self.language.as_str())),
            ("external_id", text_or_null(&self.number)),
        ] {
            sent.insert(name.to_owned(), value);
        }
        if self.location != was.location {
            let location = match self.location.as_str() {
                "" => Value::Null,
                id => json!({ "id": id, "type": "location_reference" }),
            };
            sent.insert("location".to_owned(), location);
        }
        // The hour of the day is not in the form; a date that was left alone keeps it.
        if self.since != was.since {
            sent.insert("customer_since".to_owned(), self.first_day(zone, &mut wrong));
        }
        if let Some(uses) = uses::body(&was.uses, &self.uses) {
            sent.insert("services".to_owned(), uses);
        }
        if wrong.is_empty() {
            Ok(json!({ "account": sent }))
        } else {
            Err(wrong)
        }
    }

    fn first_day(&self, zone: &TimeZone, wrong: &mut Wrong) -> Value {
        if self.since.is_empty() {
            return Value::Null;
        }
        let at = self
            .since
            .parse::<Date>()
            .ok()
            .and_then(|date| date.to_zoned(zone.clone()).ok());
        if at.is_none() {
            wrong.add("since", "Say a date, such as 2017-03-01, or leave it empty.");
        }
        Value::from(at.map(|at| at.timestamp().to_string()))
    }

    fn belongs() -> Vec<Belongs> {
        [
            ("account.name", "name", "The name"),
            ("account.email is", "email", "This is"),
            ("account.email", "email", "The e-mail address"),
            ("account.telephone", "telephone", "The telephone number"),
            ("account.tier", "tier", "The tier"),
            (
                "account.value_per_year",
                "value",
                "The value, counted in hundredths of the currency,",
            ),
            ("account.currency", "currency", "The currency"),
            ("account.language", "language", "The language"),
            ("account.external_id", "number", "The number"),
            ("account.location", "location", "The place"),
            ("account.customer_since", "since", "The date"),
        ]
        .map(|(prefix, field, label)| Belongs::new(prefix, field, label))
        .into_iter()
        .chain(uses::belongs("account.services"))
        .collect()
    }

    fn drawn(&self, choices: &Choices) -> Vec<Field> {
        let mut fields = vec![
            line("name", "Name", &self.name),
            optional_of("email", "email", "E-mail", &self.email).hint("Answers and updates are sent there."),
            optional_of("tel", "telephone", "Telephone", &self.telephone),
            optional("language", "Language", &self.language).hint("Such as en, de or cy."),
            optional("number", "Your own number for them", &self.number),
            select(
                "location",
                "Where they usually go",
                &choices.sites,
                &self.location,
                "The place they have now",
            ),
        ];
        fields.extend(uses::drawn("What they use", &choices.uses, &self.uses));
        fields.extend([
            heading("worth-head", "Who is answered first"),
            choice("tier", "Tier", &TIERS, &self.tier),
            optional("value", "Worth a year", &self.value).hint("Such as 2140 or 2140.50. Empty: not known."),
            optional("currency", "Currency", &self.currency).hint("Three letters, such as EUR."),
            optional_of("date", "since", "Customer since", &self.since),
        ]);
        fields
    }
}

/// What the selects of the form offer.
#[derive(Debug, Clone, Default)]
struct Choices {
    sites: Vec<Pick>,
    uses: Vec<Pick>,
}

fn choices(tx: &mut Tx, current: Option<&LocationId>) -> Result<Choices, Problem> {
    let page = Page {
        limit: MOST_SITES,
        offset: 0,
        counted: Counted::No,
    };
    let sought = locations::Sought {
        kind: Some(LocationKind::Site),
        ..locations::Sought::default()
    };
    let mut sites = vec![Pick::new("", "Not known")];
    sites.extend(
        locations::list(tx, &sought, page)?
            .into_iter()
            .map(|site| Pick::new(site.id.as_str(), site.name)),
    );
    // The one they have may be a region, or one of more sites than are offered.
    if let Some(id) = current
        && !sites.iter().any(|site| site.value == id.as_str())
        && let Some(known) = locations::find(tx, id)?
    {
        sites.push(Pick::new(known.id.as_str(), known.name));
    }
    Ok(Choices {
        sites,
        uses: uses::picks(tx)?,
    })
}

async fn read_choices(app: &App, caller: &Caller) -> Result<(Situation, Choices), Problem> {
    let (caller, now) = (caller.clone(), app.clock.now());
    app.read(move |tx| Ok((situation::read(tx, &caller, now)?, choices(tx, None)?)))
        .await
}

async fn new_form(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    visitor.0.require(Action::Create, Resource::Account)?;
    let (situation, choices) = read_choices(&app, &visitor.0).await?;
    let (fields, wrong) = (Fields::blank(), Wrong::default());
    Ok(draw_new(
        &app,
        &visitor,
        situation,
        fields.drawn(&choices),
        &wrong,
    ))
}

async fn add(State(app): State<Arc<App>>, posted: Posted<Typed>) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    visitor.0.require(Action::Create, Resource::Account)?;
    let fields = Fields::of_typed(&typed);
    let zone = visitor.reading(&app).zone;
    let outcome = match fields.body(&Fields::default(), &zone) {
        Ok(body) => Outcome::of(create(&app, &visitor.0, body).await, &Fields::belongs())?,
        Err(wrong) => Outcome::Wrong(wrong),
    };
    match outcome {
        Outcome::Done(id) => Ok(go_to(&format!("{LIST}/{id}"))),
        Outcome::Wrong(wrong) => {
            let (situation, choices) = read_choices(&app, &visitor.0).await?;
            Ok(draw_new(
                &app,
                &visitor,
                situation,
                fields.drawn(&choices),
                &wrong,
            ))
        }
        Outcome::Gone => Err(Problem::not_found("The customer").into()),
    }
}

async fn create(app: &Arc<App>, caller: &Caller, body: Value) -> Result<String, Problem> {
    let body = Body(from_json(body)?);
    let (_, answer) = api::create(State(app.clone()), caller.clone(), body).await?;
    Ok(answer.0.account["id"].as_str().unwrap_or_default().to_owned())
}

fn draw_new(
    app: &App,
    visitor: &Visitor,
    situation: Situation,
    fields: Vec<Field>,
    wrong: &Wrong,
) -> Response {
    let parts = parts_of(
        Form {
            id: "add-customer",
            title: "Who they are".to_owned(),
            words: String::new(),
            post_to: NEW.to_owned(),
            fields,
            verb: "Add them",
            also: Vec::new(),
            back: Some(Link::new("Not now", LIST)),
        },
        wrong,
    );
    let sheet = Sheet {
        place: Place::Customers,
        headline: "Add a customer".to_owned(),
        below: Rich::plain("Customers also come by themselves, with their first case."),
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}

struct Known {
    account: Account,
    uses: Vec<String>,
    choices: Choices,
}

async fn read(app: &App, caller: &Caller, id: &AccountId) -> Result<(Situation, Option<Known>), Problem> {
    caller.require(Action::Change, Resource::Account)?;
    let (caller, now, id) = (caller.clone(), app.clock.now(), id.clone());
    app.read(move |tx| {
        let situation = situation::read(tx, &caller, now)?;
        let Some(account) = accounts::find(tx, &id)? else {
            return Ok((situation, None));
        };
        let known = Known {
            uses: uses::of(&accounts::used(tx, std::slice::from_ref(&id))?),
            choices: choices(tx, account.location_id.as_ref())?,
            account,
        };
        Ok((situation, Some(known)))
    })
    .await
}

fn gone() -> Gone {
    Gone {
        place: Place::Customers,
        what: "This customer",
        back: Link::new("See all customers", LIST),
    }
}

async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<AccountId>,
) -> Result<Response, PageProblem> {
    let (situation, known) = read(&app, &visitor.0, &id).await?;
    let known = known.ok_or_else(|| Problem::not_found("The customer"))?;
    let fields = Fields::of(&known.account, known.uses.clone(), &visitor.reading(&app).zone);
    let stands = fields.drawn(&known.choices);
    Ok(draw(&app, &visitor, situation, &known, stands, &Wrong::default()))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<AccountId>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    let fields = Fields::of_typed(&typed);
    let (situation, known) = read(&app, &visitor.0, &id).await?;
    let Some(known) = known else {
        return Ok(gone().shown(&app, &visitor, situation, &fields.drawn(&Choices::default())));
    };
    let zone = visitor.reading(&app).zone;
    let was = Fields::of(&known.account, known.uses.clone(), &zone);
    let (drawn, stands) = (fields.drawn(&known.choices), was.drawn(&known.choices));
    let met = overtaken(&app, &visitor, id.as_str(), &typed, drawn.clone(), &stands).await?;
    if let Some((merged, wrong)) = met {
        return Ok(draw(&app, &visitor, situation, &known, merged, &wrong));
    }
    let outcome = match fields.body(&was, &zone) {
        Ok(body) => Outcome::of(put(&app, &visitor.0, &id, body).await, &Fields::belongs())?,
        Err(wrong) => Outcome::Wrong(wrong),
    };
    match outcome {
        Outcome::Done(()) => Ok(go_to(&address(&id))),
        Outcome::Wrong(wrong) => Ok(draw(&app, &visitor, situation, &known, drawn, &wrong)),
        Outcome::Gone => Ok(gone().shown(&app, &visitor, situation, &drawn)),
    }
}

async fn put(app: &Arc<App>, caller: &Caller, id: &AccountId, body: Value) -> Result<(), Problem> {
    let body = Body(from_json(body)?);
    api::change_one(State(app.clone()), caller.clone(), Path(id.to_string()), body)
        .await
        .map(drop)
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<AccountId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    match api::delete(State(app.clone()), visitor.0.clone(), Path(id.to_string())).await {
        Ok(_) => Ok(go_to(LIST)),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            let situation = situation::of(&app, &visitor.0).await?;
            Ok(gone().shown(&app, &visitor, situation, &[]))
        }
        Err(problem) => Err(problem.into()),
    }
}

fn draw(
    app: &App,
    visitor: &Visitor,
    situation: Situation,
    known: &Known,
    fields: Vec<Field>,
    wrong: &Wrong,
) -> Response {
    let account = &known.account;
    let stands = Fields::of(account, known.uses.clone(), &visitor.reading(app).zone);
    let seen = Seen::of(&stands.drawn(&known.choices));
    let to = address(&account.id);
    let mut parts = parts_of(
        Form {
            id: "change-customer",
            title: "Who they are".to_owned(),
            words: String::new(),
            post_to: format!("{to}/change"),
            fields: seen.hidden_in(fields),
            verb: "Change it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", to.clone())),
        },
        wrong,
    );
    if visitor.0.may(Action::Delete, Resource::Account) {
        let question = format!("Take the customer {} away?", account.name);
        parts.push(SettingsPart::Act {
            title: "Take them away".to_owned(),
            words: "Their cases stay.".to_owned(),
            button: Button::post(
                "Take the customer away",
                format!("{to}/remove"),
                Weight::Danger(question),
            ),
        });
    }
    let sheet = Sheet {
        place: Place::Customers,
        headline: account.name.clone(),
        below: Rich::default().then("A customer. ").link("See their cases", to),
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}
