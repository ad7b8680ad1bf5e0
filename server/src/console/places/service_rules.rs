//! Rules on the events of a service: how they stand on its page, and the form that adds, changes and removes one of those
//! that every event begins with. What is typed can be tried on the latest alerts before it counts.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use store::Tx;

use super::rule_fields::{Choices, Fields};
use super::seen::{Seen, overtaken};
use super::service_change::{address, policies, refuse};
use super::sheet::{Gone, Outcome, Sheet, parts_of, status_of};
use super::typed::{Typed, Wrong};
use super::{go_to, situation};
use crate::access::{Action, Caller, Resource};
use crate::alerts::placing::event_of;
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Pick, Place, Rich};
use crate::console::screens::services::{RuleOnEvents, RuleTurn, RulesOnEvents, ServiceRights};
use crate::console::screens::settings::{Button, Field, Form, SettingsPart, Weight};
use crate::http::{Body, Path, Problem};
use crate::oncall::store::teams_of_policy;
use crate::orchestration::model::{Orchestration, Rule, Rules, START};
use crate::orchestration::rulebook::Rulebook;
use crate::orchestration::sent::as_sent;
use crate::orchestration::{api, input, store as rows, words};
use crate::services::{Service, ServiceId};

/// Alerts kept quiet that the page shows.
const HELD: i64 = 5;
/// Alerts that rules are tried on.
const TRIED: i64 = 12;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/services/{id}/rules/rest", post(rest))
        .route("/console/services/{id}/rules/judge", post(judge))
        .route("/console/services/{id}/rules/new", get(new_form).post(add))
        .route("/console/services/{id}/rules/{rule_id}", get(form).post(change))
        .route("/console/services/{id}/rules/{rule_id}/remove", post(remove))
}

fn rules_of(id: &ServiceId) -> String {
    format!("{}/rules", address(id.as_str()))
}

/// The section on the page of the service.
fn section_of(id: &ServiceId) -> String {
    format!("{}#rules", address(id.as_str()))
}

/// The rules of a service, and what they keep quiet.
pub(super) struct Kept {
    rules: Option<Orchestration>,
    held: Vec<(String, String)>,
}

pub(super) fn read(tx: &mut Tx, id: &ServiceId) -> Result<Kept, Problem> {
    let rules = rows::find(tx, id)?;
    let held = match rules {
        Some(_) => crate::alerts::store::held_by_rules(tx, id, HELD)?,
        None => Vec::new(),
    };
    let why = |alert: crate::alerts::Alert| {
        let why: Vec<String> = alert.reasons.into_iter().map(|reason| reason.sentence).collect();
        (alert.summary, why.join(" "))
    };
    Ok(Kept {
        rules,
        held: held.into_iter().map(why).collect(),
    })
}

/// What the section shows to whoever has these rights.
pub(super) fn section(id: &ServiceId, kept: Kept, rights: ServiceRights) -> RulesOnEvents {
    let to = rules_of(id);
    let may_change = rights == ServiceRights::Change;
    let active = kept.rules.as_ref().is_none_or(|row| row.active);
    let rules = kept.rules.map(|row| row.rules).unwrap_or_default();
    let shown = rules
        .start()
        .iter()
        .enumerate()
        .map(|(place, rule)| RuleOnEvents {
            id: rule.id.clone(),
            name: name(place, rule),
            conditions: rule.conditions.iter().map(|one| one.expression.clone()).collect(),
            does: words::in_short(&rule.actions),
            turn: if rule.disabled {
                RuleTurn::LeftOut
            } else {
                RuleTurn::Asked
            },
            change: may_change.then(|| Link::new("Change", format!("{to}/{}", rule.id))),
        });
    let resting = (!active).then(|| Rich::plain("They rest: events are taken as they come."));
    let switch = if active {
        Link::new("Let them rest", format!("{to}/rest"))
    } else {
        Link::new("Let them judge again", format!("{to}/judge"))
    };
    RulesOnEvents {
        rules: shown.collect(),
        notes: resting.into_iter().chain(notes(id, &rules)).collect(),
        held: kept.held,
        add: may_change.then(|| Link::new("Add a rule", format!("{to}/new"))),
        switch: (may_change && rules != Rules::default()).then_some(switch),
    }
}

fn notes(id: &ServiceId, rules: &Rules) -> Vec<Rich> {
    let mut notes = Vec::new();
    let elsewhere = rules.all().count() - rules.start().len();
    if elsewhere > 0 {
        let stand = if elsewhere == 1 {
            "One more rule stands in another set".to_owned()
        } else {
            format!("{elsewhere} more rules stand in other sets")
        };
        let call = format!("PUT /event_orchestrations/services/{id}");
        let words = format!("{stand}, to be changed over the API: ");
        notes.push(Rich::plain(words).code(call).then("."));
    }
    let otherwise = words::in_short(&rules.catch_all.actions);
    if !otherwise.is_empty() {
        let words = format!("Of whatever no rule matches, the rule for everything else {otherwise}.");
        notes.push(Rich::plain(words));
    }
    notes
}

fn name(place: usize, rule: &Rule) -> String {
    rule.label
        .clone()
        .unwrap_or_else(|| format!("Rule {}", place + 1))
}

/// What the form is drawn from.
struct Known {
    service: Service,
    rules: Rules,
    choices: Choices,
}

impl Known {
    fn rule(&self, rule_id: Option<&str>) -> Option<(usize, &Rule)> {
        let mut rules = self.rules.start().iter().enumerate();
        rules.find(|(_, rule)| Some(rule.id.as_str()) == rule_id)
    }

    /// The form of a rule that is there, as it stands now.
    fn stands(&self, rule_id: Option<&str>) -> Option<Vec<Field>> {
        let (place, rule) = self.rule(rule_id)?;
        let before = place
            .checked_sub(1)
            .and_then(|place| self.rules.start().get(place));
        Some(Fields::of(Some(rule), before).drawn(&self.choices))
    }
}

fn know(
    tx: &mut Tx,
    caller: &Caller,
    id: &ServiceId,
    rule_id: Option<&str>,
) -> Result<Option<Known>, Problem> {
    caller.require_for_own(Action::Change, Resource::Service)?;
    let Some(service) = crate::services::store::find(tx, id)? else {
        return Ok(None);
    };
    let teams = teams_of_policy(tx, &service.escalation_policy_id)?;
    caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
    let rules = kept(tx, id)?;
    let mut priorities = vec![Pick::new("", "None is given")];
    for priority in crate::services::store::priorities(tx)? {
        priorities.push(Pick::new(priority.id.as_str(), priority.name));
    }
    let mut who = vec![Pick::new("", "Whom the service pages")];
    who.extend(policies(tx, caller)?);
    let mut places = vec![Pick::new("", "First")];
    for (place, rule) in rules.start().iter().enumerate() {
        if Some(rule.id.as_str()) != rule_id {
            places.push(Pick::new(
                rule.id.clone(),
                format!("Behind “{}”", name(place, rule)),
            ));
        }
    }
    Ok(Some(Known {
        service,
        rules,
        choices: Choices {
            priorities,
            policies: who,
            places,
        },
    }))
}

fn kept(tx: &mut Tx, id: &ServiceId) -> Result<Rules, Problem> {
    Ok(rows::find(tx, id)?.map(|row| row.rules).unwrap_or_default())
}

async fn read_known(
    app: &App,
    caller: &Caller,
    id: &ServiceId,
    rule_id: Option<&str>,
) -> Result<(Situation, Option<Known>), Problem> {
    let (caller, now, id) = (caller.clone(), app.clock.now(), id.clone());
    let rule_id = rule_id.map(str::to_owned);
    app.read(move |tx| {
        let situation = situation::read(tx, &caller, now)?;
        Ok((situation, know(tx, &caller, &id, rule_id.as_deref())?))
    })
    .await
}

fn gone(id: &ServiceId) -> Gone {
    Gone {
        place: Place::Services,
        what: "This rule",
        back: Link::new("See the service", address(id.as_str())),
    }
}

async fn new_form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<ServiceId>,
) -> Result<Response, PageProblem> {
    let (situation, known) = read_known(&app, &visitor.0, &id, None).await?;
    let known = known.ok_or_else(|| Problem::not_found("The service"))?;
    let sheet = RuleSheet {
        fields: Fields::of(None, known.rules.start().last()).drawn(&known.choices),
        known,
        rule_id: None,
    };
    Ok(sheet.drawn(&app, &visitor, situation, Said::Nothing))
}

async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, rule_id)): Path<(ServiceId, String)>,
) -> Result<Response, PageProblem> {
    let (situation, known) = read_known(&app, &visitor.0, &id, Some(&rule_id)).await?;
    let known = known.ok_or_else(|| Problem::not_found("The service"))?;
    let fields = known.stands(Some(&rule_id));
    let sheet = RuleSheet {
        fields: fields.ok_or_else(|| Problem::not_found("The rule"))?,
        known,
        rule_id: Some(rule_id),
    };
    Ok(sheet.drawn(&app, &visitor, situation, Said::Nothing))
}

async fn add(
    State(app): State<Arc<App>>,
    Path(id): Path<ServiceId>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    settle(&app, &id, None, posted).await
}

async fn change(
    State(app): State<Arc<App>>,
    Path((id, rule_id)): Path<(ServiceId, String)>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    settle(&app, &id, Some(rule_id), posted).await
}

/// Keeps what was typed, or shows what it would do.
async fn settle(
    app: &Arc<App>,
    id: &ServiceId,
    rule_id: Option<String>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    let fields = Fields::of_typed(&typed);
    let (situation, known) = read_known(app, &visitor.0, id, rule_id.as_deref()).await?;
    let known = known.filter(|known| rule_id.is_none() || known.rule(rule_id.as_deref()).is_some());
    let Some(known) = known else {
        return Ok(gone(id).shown(app, &visitor, situation, &fields.drawn(&Choices::default())));
    };
    let mut sheet = RuleSheet {
        fields: fields.drawn(&known.choices),
        known,
        rule_id,
    };
    if let Some(stands) = sheet.known.stands(sheet.rule_id.as_deref()) {
        let drawn = sheet.fields.clone();
        if let Some((merged, wrong)) = overtaken(app, &visitor, id.as_str(), &typed, drawn, &stands).await? {
            sheet.fields = merged;
            return Ok(sheet.drawn(app, &visitor, situation, Said::Wrong(wrong)));
        }
    }
    let whole = match whole(&sheet.known.rules, sheet.rule_id.as_deref(), &fields) {
        Ok(whole) => whole,
        Err(wrong) => return Ok(sheet.drawn(app, &visitor, situation, Said::Wrong(wrong))),
    };
    let belongs = fields.belongs(&whole.place);
    let done = if typed.text("act") == "try" {
        tried(app, id, whole.body).await.map(Some)
    } else {
        keep(app, &visitor.0, id, sheet.rule_id.clone(), fields)
            .await
            .map(|()| None)
    };
    match Outcome::of(done.map_err(in_lines), &belongs)? {
        Outcome::Done(Some(tried)) => Ok(sheet.drawn(app, &visitor, situation, Said::Tried(tried))),
        Outcome::Done(None) => Ok(go_to(&section_of(id))),
        Outcome::Wrong(wrong) => Ok(sheet.drawn(app, &visitor, situation, Said::Wrong(wrong))),
        Outcome::Gone => Ok(gone(id).shown(app, &visitor, situation, &sheet.fields)),
    }
}

/// Each condition has a line of its own in the form.
fn in_lines(problem: Problem) -> Problem {
    problem.reworded(|error| quoted(&error.replacen("expression: line 1, column", "expression: column", 1)))
}

/// What the language quotes in backticks, in the quotes that people read.
fn quoted(error: &str) -> String {
    let mut parts = error.split('`');
    let mut words = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        words.push(if index % 2 == 0 { '“' } else { '”' });
        words.push_str(part);
    }
    words
}

/// All rules of the service as the API takes them, and the place of the one that was typed.
struct Whole {
    body: Value,
    place: String,
}

fn whole(rules: &Rules, rule_id: Option<&str>, fields: &Fields) -> Result<Whole, Wrong> {
    let before = rules
        .start()
        .iter()
        .find(|rule| Some(rule.id.as_str()) == rule_id);
    let typed = fields.rule(before)?;
    let start = rules.sets.iter().position(|set| set.id == START).unwrap_or(0);
    let mut sets = json!(rules.sets);
    let mut nth = 0;
    if let Some(list) = sets[start]["rules"].as_array_mut() {
        list.retain(|rule| rule_id.is_none() || rule["id"].as_str() != rule_id);
        nth = match list.iter().position(|rule| rule["id"] == fields.after.as_str()) {
            Some(before) => before + 1,
            // The rule that it was to stand behind is gone.
            None if !fields.after.is_empty() => list.len(),
            None => 0,
        };
        list.insert(nth, typed);
    }
    Ok(Whole {
        body: json!({ "orchestration_path": { "sets": sets } }),
        place: format!("orchestration_path.sets[{start}].rules[{nth}]"),
    })
}

/// Puts the rule that was typed among those that are there now, whatever others did to them meanwhile.
async fn keep(
    app: &App,
    caller: &Caller,
    id: &ServiceId,
    rule_id: Option<String>,
    fields: Fields,
) -> Result<(), Problem> {
    let (caller, id) = (caller.clone(), id.clone());
    app.change(caller.agent(), move |change| {
        let service = api::held(change, &caller, &id)?;
        let before = kept(change.tx, &id)?;
        if rule_id.is_some()
            && !before
                .start()
                .iter()
                .any(|rule| Some(&rule.id) == rule_id.as_ref())
        {
            return Err(Problem::not_found("The rule"));
        }
        let whole = whole(&before, rule_id.as_deref(), &fields)
            .map_err(|_| Problem::invalid(["The rule could not be understood."]))?;
        let rules = api::checked(change, &input::parse(&whole.body)?, &before)?;
        api::keep(change, &caller, &service, &before, &rules)
    })
    .await
}

/// What rules would do with the latest alerts: each alert, and what would be said of it.
async fn tried(app: &App, id: &ServiceId, body: Value) -> Result<Vec<Rich>, Problem> {
    let id = id.clone();
    app.read(move |tx| {
        let before = kept(tx, &id)?;
        let rules = input::parse(&body)?.over(tx, &before)?;
        let book = Rulebook::prepare(&rules);
        let latest = crate::alerts::store::latest_of_service(tx, &id, TRIED)?;
        Ok(latest
            .iter()
            .map(|alert| {
                let judged = book.judge(&as_sent(event_of(alert), alert.ruling.as_ref()), alert.created_at);
                let reasons = judged.ruling.reasons.into_iter();
                let said: Vec<String> = reasons.map(|reason| reason.sentence).collect();
                let said = if said.is_empty() {
                    "No rule matched.".to_owned()
                } else {
                    said.join(" ")
                };
                Rich::default()
                    .strong(alert.summary.clone())
                    .then(format!(" ({}). {said}", alert.severity))
            })
            .collect())
    })
    .await
}

/// What is said above the form.
enum Said {
    Nothing,
    Wrong(Wrong),
    Tried(Vec<Rich>),
}

/// The form of a rule, as it stands or as it was typed.
struct RuleSheet {
    known: Known,
    /// None: a new one.
    rule_id: Option<String>,
    fields: Vec<Field>,
}

impl RuleSheet {
    fn drawn(self, app: &App, visitor: &Visitor, situation: Situation, said: Said) -> Response {
        let id = &self.known.service.id;
        let found = self.known.rule(self.rule_id.as_deref());
        let to = format!("{}/{}", rules_of(id), self.rule_id.as_deref().unwrap_or("new"));
        let mut parts = Vec::new();
        let wrong = match said {
            Said::Wrong(wrong) => wrong,
            Said::Nothing => Wrong::default(),
            Said::Tried(lines) => {
                parts.push(told(lines));
                Wrong::default()
            }
        };
        let (verb, back) = if found.is_some() {
            ("Change it", "Leave it as it is")
        } else {
            ("Add it", "Not now")
        };
        let form = Form {
            id: "rule",
            title: "What it looks for, and what it does".to_owned(),
            words: below_the_title(found.map(|(_, rule)| rule)),
            post_to: to.clone(),
            fields: match self.known.stands(self.rule_id.as_deref()) {
                Some(stands) => Seen::of(&stands).hidden_in(self.fields),
                None => self.fields,
            },
            verb,
            also: vec![("try", "Try it on the latest alerts")],
            back: Some(Link::new(back, section_of(id))),
        };
        parts.extend(parts_of(form, &wrong));
        if let Some((place, rule)) = found {
            let question = format!("Remove “{}”? It judges no event from then on.", name(place, rule));
            parts.push(SettingsPart::Act {
                title: "Remove it".to_owned(),
                words: "What it keeps quiet stays so until its sender says it again.".to_owned(),
                button: Button::post(
                    "Remove the rule",
                    format!("{to}/remove"),
                    Weight::Danger(question),
                ),
            });
        }
        let sheet = Sheet {
            place: Place::Services,
            headline: found.map_or_else(|| "A new rule".to_owned(), |(place, rule)| name(place, rule)),
            below: Rich::default()
                .then("A rule on the events of ")
                .link(self.known.service.name.clone(), section_of(id)),
            parts,
        };
        sheet.shown(app, visitor, situation, status_of(&wrong))
    }
}

fn told(mut lines: Vec<Rich>) -> SettingsPart {
    if lines.is_empty() {
        lines.push("No alert has reached the service yet.".into());
    }
    SettingsPart::Told {
        title: "What the rules would do with the latest alerts".to_owned(),
        lines,
    }
}

fn below_the_title(rule: Option<&Rule>) -> String {
    let words = "Of all rules, the first that matches acts, from the next event on.";
    let stays = rule.is_some_and(|rule| {
        let actions = &rule.actions;
        !actions.extractions.is_empty() || !actions.variables.is_empty() || actions.route_to.is_some()
    });
    if stays {
        format!(
            "{words} What this one writes anew and where it leads on stays as it is; that is changed over the API."
        )
    } else {
        words.to_owned()
    }
}

async fn remove(
    State(app): State<Arc<App>>,
    Path((id, rule_id)): Path<(ServiceId, String)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    let (caller, service_id) = (visitor.0.clone(), id.clone());
    let removed = app
        .change(caller.agent(), move |change| {
            let service = api::held(change, &caller, &service_id)?;
            let before = kept(change.tx, &service_id)?;
            let mut rules = before.clone();
            for set in rules.sets.iter_mut().filter(|set| set.id == START) {
                set.rules.retain(|rule| rule.id != rule_id);
            }
            if rules == before {
                return Err(Problem::not_found("The rule"));
            }
            api::keep(change, &caller, &service, &before, &rules)
        })
        .await;
    match removed {
        Ok(()) => Ok(go_to(&section_of(&id))),
        Err(problem) => refuse(&app, &visitor, gone(&id), problem).await,
    }
}

async fn rest(
    State(app): State<Arc<App>>,
    Path(id): Path<ServiceId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    set_active(&app, &posted.visitor, id, api::Active { active: false }).await
}

async fn judge(
    State(app): State<Arc<App>>,
    Path(id): Path<ServiceId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    set_active(&app, &posted.visitor, id, api::Active { active: true }).await
}

async fn set_active(
    app: &Arc<App>,
    visitor: &Visitor,
    id: ServiceId,
    wanted: api::Active,
) -> Result<Response, PageProblem> {
    let answer = api::update_active(
        State(app.clone()),
        visitor.0.clone(),
        Path(id.clone()),
        Body(wanted),
    );
    match answer.await {
        Ok(_) => Ok(go_to(&section_of(&id))),
        Err(problem) => refuse(app, visitor, gone(&id), problem).await,
    }
}
