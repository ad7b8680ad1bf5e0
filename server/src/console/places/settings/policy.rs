//! One escalation policy: its levels, what pages by it, and the form that makes one or changes all of it at once. A
//! level in which nobody is picked is taken away.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use store::Tx;

use super::super::seen::{Seen, overtaken};
use super::super::typed::{Belongs, Typed, Wrong, chosen, heading, moved};
use super::super::{from_json, go_to};
use super::{From, line, optional_line, part_of, select};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Pick, Rich};
use crate::console::screens::settings::{Button, Control, Field, Form, SettingsPart, Weight};
use crate::http::{Body, Path, Problem};
use crate::oncall::EscalationPolicyId;
use crate::oncall::api::policies as api;
use crate::oncall::model::{EscalationPolicy, Strategy, TargetKind};
use crate::oncall::store::{load_policy, services_of_policies, teams_of_policy};
use crate::people::TeamId;
use crate::people::store::{TeamFilter, list_teams};

/// One more than a policy and a level may have, so that too many are told and not cut off.
const MOST_LEVELS: usize = 21;
const MOST_PLACES: usize = 11;
/// The minutes that a new level begins with.
const USUAL_MINUTES: &str = "10";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route(NEW, get(blank).post(add)).route(
        "/console/settings/escalation-policies/{id}",
        get(one).post(change),
    )
}

/// Where a policy is made.
pub(super) const NEW: &str = "/console/settings/escalation-policies/new";

pub(super) fn address(id: &EscalationPolicyId) -> String {
    format!("/console/settings/escalation-policies/{id}")
}

/// What stands in the form.
#[derive(Debug, Clone, Default)]
struct Fields {
    name: String,
    description: String,
    team: String,
    loops: String,
    levels: Vec<Level>,
}

#[derive(Debug, Clone)]
struct Level {
    /// The rule's id, or `new1` and so on.
    key: String,
    /// "user:…" and "schedule:…"; without the places that were left empty.
    who: Vec<String>,
    minutes: String,
    /// `everyone` or `in_turn`.
    how: String,
}

impl Level {
    fn blank(key: String) -> Self {
        Self {
            key,
            who: Vec::new(),
            minutes: USUAL_MINUTES.to_owned(),
            how: String::new(),
        }
    }
}

impl Fields {
    /// What the form for a new policy begins with.
    fn blank() -> Self {
        Self {
            loops: "2".to_owned(),
            levels: vec![Level::blank("new1".to_owned())],
            ..Self::default()
        }
    }

    fn of(policy: &EscalationPolicy, teams: &[TeamId]) -> Self {
        Self {
            name: policy.name.clone(),
            description: policy.description.clone().unwrap_or_default(),
            team: teams.first().map(ToString::to_string).unwrap_or_default(),
            loops: policy.num_loops.to_string(),
            levels: policy
                .rules
                .iter()
                .map(|rule| Level {
                    key: rule.id.to_string(),
                    who: rule
                        .targets
                        .iter()
                        .map(|target| match target.kind {
                            TargetKind::User => format!("user:{}", target.id),
                            TargetKind::Schedule => format!("schedule:{}", target.id),
                        })
                        .collect(),
                    minutes: rule.delay_in_minutes.to_string(),
                    how: match rule.strategy {
                        Strategy::AssignToEveryone => "everyone",
                        Strategy::RoundRobin => "in_turn",
                    }
                    .to_owned(),
                })
                .collect(),
        }
    }

    fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            team: text("team"),
            loops: text("loops"),
            levels: typed
                .keys("level")
                .into_iter()
                .take(MOST_LEVELS)
                .map(|key| Level {
                    key: key.to_owned(),
                    who: typed
                        .all(&format!("level-{key}-who"))
                        .filter(|one| !one.is_empty())
                        .take(MOST_PLACES)
                        .map(ToOwned::to_owned)
                        .collect(),
                    minutes: text(&format!("level-{key}-minutes")),
                    how: text(&format!("level-{key}-how")),
                })
                .collect(),
        }
    }

    /// The levels in which somebody is picked.
    fn kept(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter().filter(|level| !level.who.is_empty())
    }

    fn body(&self) -> Value {
        let rules: Vec<Value> = self
            .kept()
            .map(|level| {
                let targets: Vec<Value> = level
                    .who
                    .iter()
                    .map(|one| {
                        let (kind, id) = one.split_once(':').unwrap_or(("nobody", one));
                        json!({ "id": id, "type": format!("{kind}_reference") })
                    })
                    .collect();
                let strategy = match level.how.as_str() {
                    "in_turn" => "round_robin",
                    _ => "assign_to_everyone",
                };
                json!({
                    "id": level.key, "targets": targets,
                    // What is no number is refused as one that is out of bounds.
                    "escalation_delay_in_minutes": level.minutes.trim().parse::<i64>().unwrap_or(0),
                    "escalation_rule_assignment_strategy": { "type": strategy },
                })
            })
            .collect();
        let description = Some(self.description.trim()).filter(|text| !text.is_empty());
        let mut teams = Vec::new();
        if !self.team.is_empty() {
            teams.push(json!({ "id": self.team, "type": "team_reference" }));
        }
        json!({ "escalation_policy": {
            "name": self.name, "description": description, "teams": teams, "escalation_rules": rules,
            "num_loops": self.loops.parse::<i64>().unwrap_or(-1),
        } })
    }

    /// Where the sentences of the API about each field belong.
    fn belongs(&self) -> Vec<Belongs> {
        let mut all = vec![
            Belongs::new("Name", "name", "The name"),
            Belongs::new("Description", "description", "The description"),
            Belongs::new("Num loops", "loops", "The number of times"),
            Belongs::new("Teams", "team", "The team"),
        ];
        for (index, level) in self.kept().enumerate() {
            let (rule, key) = (format!("Escalation rules[{index}]"), &level.key);
            all.push(Belongs::new(
                format!("{rule}.escalation_delay_in_minutes"),
                format!("level-{key}-minutes"),
                "The minutes",
            ));
            let who = format!("level-{key}-who");
            all.push(Belongs::new(
                format!("{rule}.targets"),
                who,
                "Those who are paged",
            ));
        }
        let first = self.levels.first().map_or("new1", |level| level.key.as_str());
        all.push(Belongs::new(
            "Escalation rules",
            format!("level-{first}-who"),
            "The number of levels that page somebody",
        ));
        all
    }

    /// The form as a button asks for it that changes its fields and keeps nothing; none when it was another button.
    fn rearranged(&self, act: &str) -> Option<Self> {
        let mut fields = self.clone();
        if act == "more" {
            return Some(fields.with_another_level());
        }
        moved(&mut fields.levels, act, |level| &level.key)?;
        Some(fields)
    }

    /// The form with one level more than there is.
    fn with_another_level(mut self) -> Self {
        let key = (1..=MOST_LEVELS)
            .map(|number| format!("new{number}"))
            .find(|key| !self.levels.iter().any(|level| level.key == *key));
        self.levels.extend(key.map(Level::blank));
        self
    }

    fn drawn(&self, choices: &Choices) -> Vec<Field> {
        let mut fields = vec![
            line("name", "Name", "text").filled(self.name.clone()),
            optional_line("description", "What it is for").filled(self.description.clone()),
            select("team", "Whose it is", chosen(&choices.teams, &self.team)),
        ];
        for (level, place) in self.levels.iter().zip(1..) {
            let key = |what: &str| format!("level-{}-{what}", level.key);
            // More places than are taken, so that there is always one to fill.
            let places = level.who.iter().map(String::as_str).chain(["", ""]);
            fields.push(heading(
                key("head"),
                "Level",
                &level.key,
                place,
                self.levels.len(),
            ));
            fields.push(
                Field::new(
                    key("who"),
                    "Who is paged",
                    Control::Ordered {
                        places: places.map(|who| chosen(&choices.who, who)).collect(),
                    },
                )
                .hint("A level with nobody in it is taken away."),
            );
            let how = [
                ("everyone", "All of them at once"),
                ("in_turn", "One after the other, another for each incident"),
            ]
            .map(|(value, words)| Pick::new(value, words));
            let chosen_how = if level.how == "in_turn" {
                "in_turn"
            } else {
                "everyone"
            };
            fields.push(select(&key("how"), "Which of them", chosen(&how, chosen_how)));
            fields.push(
                line(&key("minutes"), "Minutes they have to answer", "number").filled(level.minutes.clone()),
            );
        }
        let again = |times: i64| match times {
            0 => "It stops".to_owned(),
            1 => "It begins again, once".to_owned(),
            times => format!("It begins again, {times} times"),
        };
        let loops: Vec<Pick> = (0..=9)
            .map(|times| Pick::new(times.to_string(), again(times)))
            .collect();
        let last = Control::Heading { moves: Vec::new() };
        fields.push(Field::new("loops-head", "After the last level", last));
        fields.push(select(
            "loops",
            "If nobody has answered",
            chosen(&loops, &self.loops),
        ));
        fields
    }
}

/// What the selects of the form offer.
struct Choices {
    who: Vec<Pick>,
    teams: Vec<Pick>,
}

fn choices(tx: &mut Tx) -> Result<Choices, Problem> {
    let mut who = vec![Pick::new("", "Nobody")];
    who.extend(super::policies::targets(tx)?);
    let mut teams = vec![Pick::new("", "No team’s")];
    teams.extend(
        list_teams(tx, &TeamFilter::default(), From::everybody())?
            .into_iter()
            .map(|team| Pick::new(team.id.as_str(), team.name)),
    );
    Ok(Choices { who, teams })
}

async fn blank(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    draw_new(&app, &visitor, Fields::blank(), Wrong::default()).await
}

/// The form for a new policy, with what was typed.
async fn draw_new(
    app: &Arc<App>,
    visitor: &Visitor,
    typed: Fields,
    wrong: Wrong,
) -> Result<Response, PageProblem> {
    visitor
        .0
        .require_for_own(Action::Create, Resource::EscalationPolicy)?;
    let status = wrong.status();
    let headline = ("A new escalation policy".to_owned(), Rich::default());
    let parts = move |tx: &mut Tx, _: &_, _: &Caller| -> Result<_, Problem> {
        let (above, fields) = wrong.beside(typed.drawn(&choices(tx)?));
        let form = SettingsPart::Form(Form {
            id: "add-policy",
            title: "Who is paged, and who next".to_owned(),
            words: String::new(),
            post_to: NEW.to_owned(),
            fields,
            verb: "Add it",
            also: vec![("more", "One more level")],
            back: Some(Link::new("Not yet", "/console/settings/escalation-policies")),
        });
        Ok(above.into_iter().chain([form]).collect())
    };
    let mut page = part_of(app, visitor, "Escalation policies", headline, parts).await?;
    *page.status_mut() = status;
    Ok(page)
}

async fn add(State(app): State<Arc<App>>, posted: Posted<Typed>) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    let fields = Fields::of_typed(&typed);
    if let Some(fields) = fields.rearranged(typed.text("act")) {
        return draw_new(&app, &visitor, fields, Wrong::default()).await;
    }
    let body = Body(from_json(fields.body())?);
    match api::create(State(app.clone()), visitor.0.clone(), body).await {
        Ok(_) => Ok(go_to("/console/settings/escalation-policies")),
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            let wrong = Wrong::of(problem.errors(), &fields.belongs());
            draw_new(&app, &visitor, fields, wrong).await
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<EscalationPolicyId>,
) -> Result<Response, PageProblem> {
    draw(&app, &visitor, id, Shown::AsItStands, Wrong::default()).await
}

/// What stands in the form that changes a policy.
#[derive(Debug, Clone)]
enum Shown {
    AsItStands,
    /// What was typed, by somebody who saw that.
    Typed(Fields, Seen),
    /// What was typed, beside what somebody else made of it meanwhile.
    Merged(Vec<Field>),
}

/// The page; with what was typed where something was.
async fn draw(
    app: &Arc<App>,
    visitor: &Visitor,
    id: EscalationPolicyId,
    shown: Shown,
    wrong: Wrong,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::EscalationPolicy)?;
    let wanted = id.clone();
    let policy = app
        .read(move |tx| -> Result<_, Problem> {
            load_policy(tx, &wanted)?.ok_or_else(|| Problem::not_found("The escalation policy"))
        })
        .await?;
    let headline = (
        policy.name.clone(),
        Rich::plain(policy.description.clone().unwrap_or_default()),
    );
    let status = wrong.status();
    let mut page = part_of(
        app,
        visitor,
        "Escalation policies",
        headline,
        move |tx, _, caller| parts(tx, caller, &policy, &shown, &wrong),
    )
    .await?;
    *page.status_mut() = status;
    Ok(page)
}

fn parts(
    tx: &mut Tx,
    caller: &Caller,
    policy: &EscalationPolicy,
    shown: &Shown,
    wrong: &Wrong,
) -> Result<Vec<SettingsPart>, Problem> {
    let teams = teams_of_policy(tx, &policy.id)?;
    let may = |action| {
        caller
            .require_for_teams(action, Resource::EscalationPolicy, &teams)
            .is_ok()
    };
    let mut parts = Vec::new();
    if may(Action::Change) {
        let choices = choices(tx)?;
        let stands = Fields::of(policy, &teams).drawn(&choices);
        let as_it_stands = Seen::of(&stands);
        let fields = match shown {
            Shown::AsItStands => as_it_stands.hidden_in(stands),
            Shown::Typed(typed, seen) => seen.clone().hidden_in(typed.drawn(&choices)),
            Shown::Merged(fields) => as_it_stands.hidden_in(fields.clone()),
        };
        let (above, fields) = wrong.beside(fields);
        parts.extend(above);
        parts.push(SettingsPart::Form(Form {
            id: "change-policy",
            title: "Who is paged, and who next".to_owned(),
            words: "An incident that is being escalated keeps the levels it began with.".to_owned(),
            post_to: address(&policy.id),
            fields,
            verb: "Change it",
            also: vec![("more", "One more level")],
            back: Some(Link::new(
                "Leave it as it is",
                "/console/settings/escalation-policies",
            )),
        }));
    } else {
        parts.push(SettingsPart::Told {
            title: "Who is paged, and who next".to_owned(),
            lines: super::policies::ladder(tx, policy)?
                .into_iter()
                .map(Rich::plain)
                .collect(),
        });
    }
    let services = services_of_policies(tx, &[&policy.id])?;
    parts.push(SettingsPart::Told {
        title: "What pages by it".to_owned(),
        lines: match services.as_slice() {
            [] => vec![Rich::plain(
                "No service yet. A service says on its own page which policy it uses.",
            )],
            several => several
                .iter()
                .map(|(_, id, name)| Rich::default().link(name.clone(), format!("/console/services/{id}")))
                .collect(),
        },
    });
    if may(Action::Delete) {
        let question = format!("Take the policy {} away?", policy.name);
        let to = format!("{}/remove", address(&policy.id));
        parts.push(SettingsPart::Act {
            title: "Take it away".to_owned(),
            words: "A policy that a service uses stays until the service has another.".to_owned(),
            button: Button::post("Take the policy away", to, Weight::Danger(question)),
        });
    }
    Ok(parts)
}

/// The fields as they were typed, and as they stand.
async fn beside_what_stands(
    app: &App,
    id: &EscalationPolicyId,
    typed: &Fields,
) -> Result<(Vec<Field>, Vec<Field>), Problem> {
    let (id, typed) = (id.clone(), typed.clone());
    app.read(move |tx| {
        let policy = load_policy(tx, &id)?.ok_or_else(|| Problem::not_found("The escalation policy"))?;
        let (teams, choices) = (teams_of_policy(tx, &id)?, choices(tx)?);
        Ok((typed.drawn(&choices), Fields::of(&policy, &teams).drawn(&choices)))
    })
    .await
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<EscalationPolicyId>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    let fields = Fields::of_typed(&typed);
    let seen = Seen::brought_by(&typed);
    if let Some(fields) = fields.rearranged(typed.text("act")) {
        return draw(&app, &visitor, id, Shown::Typed(fields, seen), Wrong::default()).await;
    }
    let (drawn, stands) = beside_what_stands(&app, &id, &fields).await?;
    if let Some((merged, wrong)) = overtaken(&app, &visitor, id.as_str(), &typed, drawn, &stands).await? {
        return draw(&app, &visitor, id, Shown::Merged(merged), wrong).await;
    }
    let body = Body(from_json(fields.body())?);
    match api::update(State(app.clone()), visitor.0.clone(), Path(id.clone()), body).await {
        Ok(_) => Ok(go_to(&address(&id))),
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            let wrong = Wrong::of(problem.errors(), &fields.belongs());
            draw(&app, &visitor, id, Shown::Typed(fields, seen), wrong).await
        }
        Err(problem) => Err(problem.into()),
    }
}
