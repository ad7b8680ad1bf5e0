//! Adding a location, changing one, giving it another code, taking it away: each is the API's own function.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::Tx;

use super::seen::{Seen, overtaken};
use super::sheet::{
    Gone, Outcome, Sheet, choice, heading, line, lines, optional, optional_of, parts_of, select, status_of,
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
use crate::customers::LocationId;
use crate::customers::locations::{self, Location, LocationKind};
use crate::customers::locations_api as api;
use crate::http::listing::Counted;
use crate::http::{Body, Page, Path, Problem, Query};

const LIST: &str = "/console/services/shops";
const NEW: &str = "/console/locations/new";
/// Regions and sites that the form offers.
const MOST_PARENTS: i64 = 1_000;
const KINDS: [(&str, &str); 3] = [
    ("region", "A region, which holds sites"),
    ("site", "A site: a shop, a branch, an office"),
    ("terminal", "A terminal in a site"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/locations/new", get(new_form).post(add))
        .route("/console/locations/{id}/change", get(form).post(change))
        .route("/console/locations/{id}/remove", post(remove))
        .route("/console/locations/{id}/code", post(renew_code))
}

/// The way to the form that adds one, for whoever may.
pub(super) fn way_to_add(caller: &Caller) -> Option<Link> {
    caller
        .may(Action::Create, Resource::Location)
        .then(|| Link::new("Add a location", NEW))
}

/// The way to the form that changes one, for whoever may.
pub(super) fn way_to_change(caller: &Caller, id: &LocationId) -> Option<Link> {
    caller
        .may(Action::Change, Resource::Location)
        .then(|| Link::new("Change", format!("{}/change", address(id))))
}

fn address(id: &LocationId) -> String {
    format!("/console/locations/{id}")
}

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields {
    name: String,
    kind: String,
    parent: String,
    zone: String,
    country: String,
    address: String,
    telephone: String,
    takings: String,
    currency: String,
    uses: Vec<String>,
}

impl Fields {
    fn blank() -> Self {
        Self {
            kind: "site".to_owned(),
            currency: "EUR".to_owned(),
            ..Self::default()
        }
    }

    fn of(row: &Location, uses: Vec<String>) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            name: row.name.clone(),
            kind: row.kind.as_text().to_owned(),
            parent: row
                .parent_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            zone: text(&row.time_zone),
            country: text(&row.country),
            address: text(&row.address),
            telephone: text(&row.telephone),
            takings: amounts::written(row.takings_per_hour),
            currency: row.currency.clone(),
            uses,
        }
    }

    fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).trim().to_owned();
        Self {
            name: text("name"),
            kind: text("kind"),
            parent: text("parent"),
            zone: text("zone"),
            country: text("country").to_uppercase(),
            address: text("address").replace("\r\n", "\n"),
            telephone: text("telephone"),
            takings: text("takings"),
            currency: text("currency").to_uppercase(),
            uses: uses::of_typed(typed),
        }
    }

    /// `was` is what stood in the form before.
    fn body(&self, was: &Self) -> Result<Value, Wrong> {
        let mut wrong = Wrong::default();
        let takings = amounts::read(&self.takings);
        if takings.is_none() {
            wrong.add("takings", "Say an amount, such as 400 or 400.50.");
            return Err(wrong);
        }
        let parent = match self.parent.as_str() {
            "" => Value::Null,
            id => json!({ "id": id, "type": "location_reference" }),
        };
        let mut sent = Map::new();
        for (name, value) in [
            ("name", Value::from(self.name.as_str())),
            ("kind", Value::from(self.kind.as_str())),
            ("parent", parent),
            ("time_zone", text_or_null(&self.zone)),
            ("country", text_or_null(&self.country)),
            ("address", text_or_null(&self.address)),
            ("telephone", text_or_null(&self.telephone)),
            ("takings_per_hour", Value::from(takings)),
            ("currency", Value::from(self.currency.as_str())),
        ] {
            sent.insert(name.to_owned(), value);
        }
        if let Some(uses) = uses::body(&was.uses, &self.uses) {
            sent.insert("services".to_owned(), uses);
        }
        Ok(json!({ "location": sent }))
    }

    fn belongs() -> Vec<Belongs> {
        [
            ("location.name", "name", "The name"),
            ("location.kind", "kind", "What it is"),
            ("location.parent was", "parent", "This place was"),
            ("location.parent", "parent", "Part of:"),
            ("location.time_zone", "zone", "The time zone"),
            ("location.country", "country", "The country"),
            ("location.address", "address", "The address"),
            ("location.telephone", "telephone", "The telephone number"),
            (
                "location.takings_per_hour",
                "takings",
                "The takings, counted in hundredths of the currency,",
            ),
            ("location.currency", "currency", "The currency"),
        ]
        .map(|(prefix, field, label)| Belongs::new(prefix, field, label))
        .into_iter()
        .chain(uses::belongs("location.services"))
        .collect()
    }

    fn drawn(&self, choices: &Choices) -> Vec<Field> {
        let mut fields = vec![
            line("name", "Name", &self.name),
            choice("kind", "What it is", &KINDS, &self.kind),
            select(
                "parent",
                "Part of",
                &choices.parents,
                &self.parent,
                "The place it has now",
            )
            .hint("A site stands in a region, a terminal in a site."),
        ];
        fields.extend(uses::drawn("What it uses", &choices.uses, &self.uses));
        fields.extend([
            heading("where-head", "How to reach it"),
            lines("address", "Address", &self.address),
            optional_of("tel", "telephone", "Telephone", &self.telephone),
            optional("country", "Country", &self.country).hint("Two letters, such as IE."),
            optional("zone", "Time zone", &self.zone).hint("Such as Europe/Dublin."),
            heading("worth-head", "What an hour is worth"),
            optional("takings", "Takings an hour", &self.takings)
                .hint("Such as 400 or 400.50. Empty: not known."),
            optional("currency", "Currency", &self.currency).hint("Three letters, such as EUR."),
        ]);
        fields
    }
}

/// What the selects of the form offer.
#[derive(Debug, Clone, Default)]
struct Choices {
    parents: Vec<Pick>,
    uses: Vec<Pick>,
}

fn choices(tx: &mut Tx, current: Option<&LocationId>) -> Result<Choices, Problem> {
    let page = Page {
        limit: MOST_PARENTS,
        offset: 0,
        counted: Counted::No,
    };
    let mut parents = vec![Pick::new("", "Nothing larger")];
    for (kind, words) in [(LocationKind::Region, "region"), (LocationKind::Site, "site")] {
        let sought = locations::Sought {
            kind: Some(kind),
            ..locations::Sought::default()
        };
        parents.extend(
            locations::list(tx, &sought, page)?
                .into_iter()
                .map(|one| Pick::new(one.id.as_str(), format!("{} ({words})", one.name))),
        );
    }
    // The one it has may be one of more than are offered.
    if let Some(id) = current
        && !parents.iter().any(|parent| parent.value == id.as_str())
        && let Some(known) = locations::find(tx, id)?
    {
        parents.push(Pick::new(known.id.as_str(), known.name));
    }
    Ok(Choices {
        parents,
        uses: uses::picks(tx)?,
    })
}

async fn read_choices(app: &App, caller: &Caller) -> Result<(Situation, Choices), Problem> {
    let (caller, now) = (caller.clone(), app.clock.now());
    app.read(move |tx| Ok((situation::read(tx, &caller, now)?, choices(tx, None)?)))
        .await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// The location in which it is to be.
    parent: String,
    /// `region`, `site` or `terminal`.
    kind: String,
}

async fn new_form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::Create, Resource::Location)?;
    let (situation, choices) = read_choices(&app, &visitor.0).await?;
    let blank = Fields::blank();
    let known = KINDS.iter().any(|(kind, _)| *kind == wanted.kind);
    let fields = Fields {
        parent: wanted.parent,
        kind: if known { wanted.kind } else { blank.kind },
        ..blank
    };
    let wrong = Wrong::default();
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
    visitor.0.require(Action::Create, Resource::Location)?;
    let fields = Fields::of_typed(&typed);
    let outcome = match fields.body(&Fields::default()) {
        Ok(body) => Outcome::of(create(&app, &visitor.0, body).await, &Fields::belongs())?,
        Err(wrong) => Outcome::Wrong(wrong),
    };
    match outcome {
        Outcome::Done(id) => Ok(go_to(&format!("/console/locations/{id}"))),
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
        Outcome::Gone => Err(Problem::not_found("The location").into()),
    }
}

async fn create(app: &Arc<App>, caller: &Caller, body: Value) -> Result<String, Problem> {
    let body = Body(from_json(body)?);
    let (_, answer) = api::create(State(app.clone()), caller.clone(), body).await?;
    Ok(answer.0.location["id"].as_str().unwrap_or_default().to_owned())
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
            id: "add-location",
            title: "Where it is".to_owned(),
            words: "A site gets a page of its own, behind a code, for those who work there.".to_owned(),
            post_to: NEW.to_owned(),
            fields,
            verb: "Add it",
            also: Vec::new(),
            back: Some(Link::new("Not now", LIST)),
        },
        wrong,
    );
    let sheet = Sheet {
        place: Place::Services,
        headline: "Add a location".to_owned(),
        below: Rich::default(),
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}

struct Known {
    location: Location,
    uses: Vec<String>,
    choices: Choices,
}

async fn read(app: &App, caller: &Caller, id: &LocationId) -> Result<(Situation, Option<Known>), Problem> {
    caller.require(Action::Change, Resource::Location)?;
    let (caller, now, id) = (caller.clone(), app.clock.now(), id.clone());
    app.read(move |tx| {
        let situation = situation::read(tx, &caller, now)?;
        let Some(location) = locations::find(tx, &id)? else {
            return Ok((situation, None));
        };
        let mut choices = choices(tx, location.parent_id.as_ref())?;
        choices.parents.retain(|parent| parent.value != id.as_str());
        let known = Known {
            uses: uses::of(&locations::used(tx, std::slice::from_ref(&id))?),
            choices,
            location,
        };
        Ok((situation, Some(known)))
    })
    .await
}

fn gone() -> Gone {
    Gone {
        place: Place::Services,
        what: "This location",
        back: Link::new("See all shops", LIST),
    }
}

async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<LocationId>,
) -> Result<Response, PageProblem> {
    let (situation, known) = read(&app, &visitor.0, &id).await?;
    let known = known.ok_or_else(|| Problem::not_found("The location"))?;
    let stands = Fields::of(&known.location, known.uses.clone()).drawn(&known.choices);
    Ok(draw(&app, &visitor, situation, &known, stands, &Wrong::default()))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<LocationId>,
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
    let was = Fields::of(&known.location, known.uses.clone());
    let (drawn, stands) = (fields.drawn(&known.choices), was.drawn(&known.choices));
    let met = overtaken(&app, &visitor, id.as_str(), &typed, drawn.clone(), &stands).await?;
    if let Some((merged, wrong)) = met {
        return Ok(draw(&app, &visitor, situation, &known, merged, &wrong));
    }
    let outcome = match fields.body(&was) {
        Ok(body) => Outcome::of(put(&app, &visitor.0, &id, body).await, &Fields::belongs())?,
        Err(wrong) => Outcome::Wrong(wrong),
    };
    match outcome {
        Outcome::Done(()) => Ok(go_to(&address(&id))),
        Outcome::Wrong(wrong) => Ok(draw(&app, &visitor, situation, &known, drawn, &wrong)),
        Outcome::Gone => Ok(gone().shown(&app, &visitor, situation, &drawn)),
    }
}

async fn put(app: &Arc<App>, caller: &Caller, id: &LocationId, body: Value) -> Result<(), Problem> {
    let body = Body(from_json(body)?);
    api::change_one(State(app.clone()), caller.clone(), Path(id.to_string()), body)
        .await
        .map(drop)
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<LocationId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    let path = Path(id.to_string());
    let answer = api::delete(State(app.clone()), visitor.0.clone(), path).await;
    after(&app, &visitor, answer.map(|_| LIST.to_owned())).await
}

async fn renew_code(
    State(app): State<Arc<App>>,
    Path(id): Path<LocationId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    let path = Path(id.to_string());
    let answer = api::renew_code(State(app.clone()), visitor.0.clone(), path).await;
    after(&app, &visitor, answer.map(|_| address(&id))).await
}

/// Goes where it was led; where there was nothing left to change, that is said.
async fn after(
    app: &App,
    visitor: &Visitor,
    answer: Result<String, Problem>,
) -> Result<Response, PageProblem> {
    match answer {
        Ok(to) => Ok(go_to(&to)),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            let situation = situation::of(app, &visitor.0).await?;
            Ok(gone().shown(app, visitor, situation, &[]))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// To the form that adds one inside this one, for whoever may.
fn way_inside(visitor: &Visitor, location: &Location) -> Option<Link> {
    let (kind, words) = match location.kind {
        LocationKind::Region => ("site", "add a site in it"),
        LocationKind::Site => ("terminal", "add a terminal in it"),
        LocationKind::Terminal => return None,
    };
    visitor
        .0
        .may(Action::Create, Resource::Location)
        .then(|| Link::new(words, format!("{NEW}?parent={}&kind={kind}", location.id)))
}

fn draw(
    app: &App,
    visitor: &Visitor,
    situation: Situation,
    known: &Known,
    fields: Vec<Field>,
    wrong: &Wrong,
) -> Response {
    let location = &known.location;
    let seen = Seen::of(&Fields::of(location, known.uses.clone()).drawn(&known.choices));
    let to = address(&location.id);
    let mut parts = parts_of(
        Form {
            id: "change-location",
            title: "Where it is".to_owned(),
            words: String::new(),
            post_to: format!("{to}/change"),
            fields: seen.hidden_in(fields),
            verb: "Change it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", to.clone())),
        },
        wrong,
    );
    let may_delete = visitor.0.may(Action::Delete, Resource::Location);
    if location.code.is_some() && may_delete {
        let question = format!(
            "Give {} a new code? The address of its page changes at once.",
            location.name
        );
        parts.push(SettingsPart::Act {
            title: "A new code".to_owned(),
            words: "For when the address of its own page got into wrong hands. The old one stops working at once."
                .to_owned(),
            button: Button::post(
                "Give it a new code",
                format!("{to}/code"),
                Weight::Danger(question),
            ),
        });
    }
    if may_delete {
        let question = format!("Take the location {} away?", location.name);
        parts.push(SettingsPart::Act {
            title: "Take it away".to_owned(),
            words: "What happened there stays told. One that holds others stays until they are elsewhere."
                .to_owned(),
            button: Button::post(
                "Take the location away",
                format!("{to}/remove"),
                Weight::Danger(question),
            ),
        });
    }
    let below = Rich::default().then("A location. ").link("See how it stands", to);
    let sheet = Sheet {
        place: Place::Services,
        headline: location.name.clone(),
        below: match way_inside(visitor, location) {
            Some(way) => below.then(", or ").link(way.words, way.to),
            None => below,
        },
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}
