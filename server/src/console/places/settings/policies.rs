//! Escalation policies: who is paged first, and who when nobody answers.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;

use super::super::{from_json, go_to};
use super::{From, Nothing, line, long_table, page, select, title, words};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Posted, Visitor};
use crate::console::prelude::{Pick, counted};
use crate::console::screens::settings::{Cell, Form, SettingsPart, TableRow, Weight};
use crate::http::{Body, Path, Problem, Query};
use crate::oncall::EscalationPolicyId;
use crate::oncall::api::policies as api;
use crate::oncall::store::{PolicyFilter, ScheduleFilter, list_policies, list_schedules};
use crate::people::store::{UserFilter, list_users};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/escalation-policies", get(list).post(add))
        .route("/console/settings/escalation-policies/{id}/remove", post(remove))
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let below = "Who is paged first, and who when nobody answers.";
    page(
        &app,
        &visitor,
        "Escalation policies",
        below,
        move |tx, _, caller| {
            let asked = from.page();
            let may_delete = caller.may(Action::Delete, Resource::EscalationPolicy);
            let names = names(tx)?;
            let mut rows = Vec::new();
            for policy in list_policies(tx, &PolicyFilter::default(), asked)? {
                let ladder: Vec<String> = policy
                    .rules
                    .iter()
                    .map(|rule| {
                        let targets: Vec<&str> = rule
                            .targets
                            .iter()
                            .map(|target| names.get(target.id.as_str()).map_or("somebody", String::as_str))
                            .collect();
                        format!("{}, {} min", targets.join(" and "), rule.delay_in_minutes)
                    })
                    .collect();
                let again = match policy.num_loops {
                    0 => "it stops".to_owned(),
                    loops => format!("again {}", counted(loops.unsigned_abs(), "time", "times")),
                };
                let to = format!("/console/settings/escalation-policies/{}/remove", policy.id);
                let question = format!("Take the policy {} away?", policy.name);
                let mut cells = vec![
                    title(policy.name, policy.description.unwrap_or_default()),
                    words(ladder.join(" → ")),
                    words(again),
                ];
                if may_delete {
                    cells.push(Cell::post("Take away", to, Weight::Danger(question)));
                }
                rows.push(TableRow {
                    id: policy.id.as_str().to_owned(),
                    cells,
                });
            }
            let mut columns = vec!["Policy", "Levels", "Then"];
            if may_delete {
                columns.push("");
            }
            let address = (asked, "/console/settings/escalation-policies");
            let empty =
                "A policy says who is paged first, and who when nobody answers. Add the first one below.";
            let mut parts = vec![long_table("Policies", columns, rows, address, empty)];
            if caller.may(Action::Create, Resource::EscalationPolicy) {
                let mut targets: Vec<Pick> =
                    list_schedules(tx, &ScheduleFilter::default(), From::everybody())?
                        .into_iter()
                        .map(|one| {
                            Pick::new(format!("schedule:{}", one.id), format!("{} (schedule)", one.name))
                        })
                        .collect();
                targets.extend(
                    list_users(tx, &UserFilter::default(), From::everybody())?
                        .into_iter()
                        .map(|user| Pick::new(format!("user:{}", user.id), user.name)),
                );
                let mut second = vec![Pick::new("", "Nobody")];
                second.extend(targets.iter().cloned());
                let minutes = || {
                    [5, 10, 15, 30]
                        .map(|minutes| Pick::new(minutes.to_string(), format!("{minutes} min")))
                        .to_vec()
                };
                parts.push(SettingsPart::Form(Form {
                    id: "add-policy",
                    title: "Add a policy".to_owned(),
                    words: String::new(),
                    post_to: "/console/settings/escalation-policies".to_owned(),
                    fields: vec![
                        line("name", "Name", "text"),
                        select("first", "Who is paged first", targets),
                        select("delay", "If they do not answer within", minutes()),
                        select("second", "Who is paged then", second),
                    ],
                    verb: "Add it",
                    back: None,
                }));
            }
            Ok(parts)
        },
    )
    .await
}

/// What people and schedules are called, by their ids.
fn names(tx: &mut Tx) -> Result<HashMap<String, String>, Problem> {
    let schedules = list_schedules(tx, &ScheduleFilter::default(), From::everybody())?
        .into_iter()
        .map(|one| (one.id.to_string(), one.name));
    let people = crate::people::store::everybody(tx)?
        .into_iter()
        .map(|user| (user.id.to_string(), user.name));
    Ok(schedules.chain(people).collect())
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<EscalationPolicyId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api::delete(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to("/console/settings/escalation-policies"))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewPolicy {
    name: String,
    first: String,
    delay: String,
    second: String,
}

/// "user:Q…" as the API names it.
fn target(text: &str) -> Option<Value> {
    let (kind, id) = text.split_once(':')?;
    Some(json!({ "id": id, "type": format!("{kind}_reference") }))
}

async fn add(State(app): State<Arc<App>>, posted: Posted<NewPolicy>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let delay: i64 = fields.delay.parse().unwrap_or(5);
    let rules: Vec<Value> = [&fields.first, &fields.second]
        .into_iter()
        .filter_map(|text| target(text))
        .map(|target| json!({ "escalation_delay_in_minutes": delay, "targets": [target] }))
        .collect();
    if rules.is_empty() {
        return Err(Problem::invalid(["Choose who is paged first."]).into());
    }
    let body =
        json!({ "escalation_policy": { "name": fields.name, "escalation_rules": rules, "num_loops": 2 } });
    api::create(State(app), visitor.0, Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to("/console/settings/escalation-policies"))
}
