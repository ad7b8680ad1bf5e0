//! Changing a touchpoint: what it is called, what its loss means, and what is said when it fails.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};
use store::Tx;

use super::seen::{Seen, overtaken};
use super::service_change::{address, refuse};
use super::sheet::{
    Gone, Outcome, Sheet, heading, line, lines, optional, optional_of, parts_of, select, status_of,
    text_or_null,
};
use super::typed::{Belongs, Typed, Wrong};
use super::{amounts, from_json, go_to, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor};
use crate::console::prelude::{Link, Pick, Place, Rich};
use crate::console::screens::settings::{Button, Field, Form, SettingsPart, Weight};
use crate::http::listing::Counted;
use crate::http::{Body, Page, Path, Problem};
use crate::people::TeamId;
use crate::people::store::{TeamFilter, list_teams};
use crate::services::BusinessServiceId;
use crate::services::api::business_services as api;
use crate::services::model::BusinessService;
use crate::services::store::touchpoints as rows;

/// Teams that the form offers.
const MOST_TEAMS: i64 = 500;

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields {
    name: String,
    description: String,
    contact: String,
    team: String,
    weight: String,
    loss: String,
    currency: String,
    customer_words: String,
    fallback: String,
    words_to_say: String,
}

impl Fields {
    fn of(row: &BusinessService) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            name: row.name.clone(),
            description: text(&row.description),
            contact: text(&row.point_of_contact),
            team: row.team_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            weight: row.harm_weight.to_string(),
            loss: amounts::written(row.loss_per_hour),
            currency: row.currency.clone(),
            customer_words: text(&row.customer_words),
            fallback: text(&row.fallback),
            words_to_say: text(&row.words_to_say),
        }
    }

    fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).replace("\r\n", "\n");
        Self {
            name: text("name"),
            description: text("description"),
            contact: text("contact"),
            team: text("team"),
            weight: text("weight"),
            loss: text("loss"),
            currency: text("currency").trim().to_uppercase(),
            customer_words: text("customer-words"),
            fallback: text("fallback"),
            words_to_say: text("words-to-say"),
        }
    }

    fn body(&self) -> Result<Value, Wrong> {
        let mut wrong = Wrong::default();
        let weight = self.weight.trim().parse::<i64>().ok();
        if weight.is_none() {
            wrong.add("weight", "Say how much its loss hurts, from 0 to 100.");
        }
        let loss = amounts::read(&self.loss);
        if loss.is_none() {
            wrong.add("loss", "Say an amount, such as 12000 or 12000.50.");
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let team = match self.team.as_str() {
            "" => Value::Null,
            id => json!({ "id": id, "type": "team_reference" }),
        };
        let mut sent = Map::new();
        for (name, value) in [
            ("name", Value::from(self.name.as_str())),
            ("description", text_or_null(&self.description)),
            ("point_of_contact", text_or_null(&self.contact)),
            ("team", team),
            ("harm_weight", Value::from(weight)),
            ("loss_per_hour", Value::from(loss)),
            ("currency", Value::from(self.currency.as_str())),
            ("customer_words", text_or_null(&self.customer_words)),
            ("fallback", text_or_null(&self.fallback)),
            ("words_to_say", text_or_null(&self.words_to_say)),
        ] {
            sent.insert(name.to_owned(), value);
        }
        Ok(json!({ "business_service": sent }))
    }

    fn belongs() -> Vec<Belongs> {
        [
            ("Name", "name", "The name"),
            ("Description", "description", "The description"),
            ("Point of contact", "contact", "Who knows more:"),
            ("Team", "team", "The team"),
            ("Harm weight", "weight", "How much its loss hurts"),
            (
                "Loss per hour",
                "loss",
                "The loss, counted in hundredths of the currency,",
            ),
            ("Currency", "currency", "The currency"),
            ("Customer words", "customer-words", "What customers say"),
            ("Fallback", "fallback", "What staff do instead"),
            ("Words to say", "words-to-say", "What staff say"),
        ]
        .map(|(prefix, field, label)| Belongs::new(prefix, field, label))
        .to_vec()
    }

    fn drawn(&self, teams: &[Pick]) -> Vec<Field> {
        vec![
            line("name", "Name", &self.name).hint("As customers call it."),
            lines("description", "What it is", &self.description),
            optional("contact", "Who knows more", &self.contact),
            select(
                "team",
                "Whose it is",
                teams,
                &self.team,
                "A team that is not here any more",
            ),
            heading("words-head", "When it fails"),
            lines("customer-words", "What customers say", &self.customer_words)
                .hint("Their own words, so that a case is known again."),
            lines("fallback", "What staff do instead", &self.fallback),
            lines("words-to-say", "What staff say", &self.words_to_say),
            heading("loss-head", "What its loss means"),
            optional_of(
                "number",
                "weight",
                "How much it hurts, from 0 to 100",
                &self.weight,
            ),
            optional("loss", "What an hour costs, if it fails everywhere", &self.loss)
                .hint("Such as 12000 or 12000.50. Empty: nobody knows."),
            line("currency", "Currency", &self.currency).hint("Three letters, such as EUR."),
        ]
    }
}

struct Known {
    touchpoint: BusinessService,
    teams: Vec<Pick>,
    may_remove: bool,
}

fn teams_of(touchpoint: &BusinessService) -> Vec<TeamId> {
    touchpoint.team_id.iter().cloned().collect()
}

/// Whether the caller may do this to a touchpoint: it belongs to its team.
pub(super) fn may(caller: &Caller, action: Action, touchpoint: &BusinessService) -> bool {
    caller
        .require_for_teams(action, Resource::BusinessService, &teams_of(touchpoint))
        .is_ok()
}

fn know(tx: &mut Tx, caller: &Caller, id: &BusinessServiceId) -> Result<Option<Known>, Problem> {
    caller.require_for_own(Action::Change, Resource::BusinessService)?;
    let Some(touchpoint) = rows::find(tx, id)? else {
        return Ok(None);
    };
    caller.require_for_teams(Action::Change, Resource::BusinessService, &teams_of(&touchpoint))?;
    let all = Page {
        limit: MOST_TEAMS,
        offset: 0,
        counted: Counted::No,
    };
    let mut teams = vec![Pick::new("", "No team’s")];
    teams.extend(
        list_teams(tx, &TeamFilter::default(), all)?
            .into_iter()
            .map(|team| Pick::new(team.id.as_str(), team.name)),
    );
    Ok(Some(Known {
        teams,
        may_remove: may(caller, Action::Delete, &touchpoint),
        touchpoint,
    }))
}

async fn read(app: &App, caller: &Caller, id: &str) -> Result<(Situation, Option<Known>), Problem> {
    let (caller, now, id) = (caller.clone(), app.clock.now(), BusinessServiceId::from(id));
    app.read(move |tx| Ok((situation::read(tx, &caller, now)?, know(tx, &caller, &id)?)))
        .await
}

fn gone() -> Gone {
    Gone {
        place: Place::Services,
        what: "This touchpoint",
        back: Link::new("See all services", "/console/services"),
    }
}

/// Whether these are the fields of this form, and not those of a service.
pub(super) fn is_its_form(typed: &Typed) -> bool {
    typed.all("customer-words").next().is_some()
}

pub(super) async fn form(app: &App, visitor: &Visitor, id: &str) -> Result<Response, PageProblem> {
    let (situation, known) = read(app, &visitor.0, id).await?;
    let known = known.ok_or_else(|| Problem::not_found("The touchpoint"))?;
    let stands = Fields::of(&known.touchpoint).drawn(&known.teams);
    Ok(draw(app, visitor, situation, &known, stands, &Wrong::default()))
}

pub(super) async fn change(
    app: &Arc<App>,
    visitor: &Visitor,
    id: &str,
    typed: &Typed,
) -> Result<Response, PageProblem> {
    let fields = Fields::of_typed(typed);
    let (situation, known) = read(app, &visitor.0, id).await?;
    let Some(known) = known else {
        return Ok(gone().shown(app, visitor, situation, &fields.drawn(&[])));
    };
    let drawn = fields.drawn(&known.teams);
    let stands = Fields::of(&known.touchpoint).drawn(&known.teams);
    if let Some((merged, wrong)) = overtaken(app, visitor, id, typed, drawn.clone(), &stands).await? {
        return Ok(draw(app, visitor, situation, &known, merged, &wrong));
    }
    let body = match fields.body() {
        Ok(body) => body,
        Err(wrong) => return Ok(draw(app, visitor, situation, &known, drawn, &wrong)),
    };
    let path = Path(BusinessServiceId::from(id));
    let answer = api::update(
        State(app.clone()),
        visitor.0.clone(),
        path,
        Body(from_json(body)?),
    )
    .await;
    match Outcome::of(answer, &Fields::belongs())? {
        Outcome::Done(_) => Ok(go_to(&address(id))),
        Outcome::Wrong(wrong) => Ok(draw(app, visitor, situation, &known, drawn, &wrong)),
        Outcome::Gone => Ok(gone().shown(app, visitor, situation, &drawn)),
    }
}

pub(super) async fn remove(app: &Arc<App>, visitor: &Visitor, id: &str) -> Result<Response, PageProblem> {
    let path = Path(BusinessServiceId::from(id));
    match api::delete(State(app.clone()), visitor.0.clone(), path).await {
        Ok(_) => Ok(go_to("/console/services")),
        Err(problem) => refuse(app, visitor, gone(), problem).await,
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
    let touchpoint = &known.touchpoint;
    let seen = Seen::of(&Fields::of(touchpoint).drawn(&known.teams));
    let to = address(touchpoint.id.as_str());
    let mut parts = parts_of(
        Form {
            id: "change-touchpoint",
            title: "Change it".to_owned(),
            words: String::new(),
            post_to: format!("{to}/change"),
            fields: seen.hidden_in(fields),
            verb: "Change it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", to.clone())),
        },
        wrong,
    );
    if known.may_remove {
        let question = format!("Take the touchpoint {} away?", touchpoint.name);
        parts.push(SettingsPart::Act {
            title: "Take it away".to_owned(),
            words: "It is hurt by nothing from then on, and what it stood on is forgotten. What was told about it stays.".to_owned(),
            button: Button::post(
                "Take the touchpoint away",
                format!("{to}/remove"),
                Weight::Danger(question),
            ),
        });
    }
    let sheet = Sheet {
        place: Place::Services,
        headline: touchpoint.name.clone(),
        below: Rich::default()
            .then("A touchpoint that customers know. ")
            .link("See how it stands", to),
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}
