//! Escalation policies: who is paged first, and who when nobody answers.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use store::Tx;

use super::super::go_to;
use super::{From, long_table, page, policy, words};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Pick, counted};
use crate::console::screens::settings::{Button, Cell, SettingsPart, TableRow, Weight};
use crate::http::{Path, Problem, Query};
use crate::oncall::EscalationPolicyId;
use crate::oncall::api::policies as api;
use crate::oncall::model::{EscalationPolicy, EscalationRule, TargetKind};
use crate::oncall::store::{
    PolicyFilter, ScheduleFilter, list_policies, list_schedules, schedule_names, teams_of_policies,
};
use crate::people::store::{UserFilter, find_users, list_users};
use crate::people::{TeamId, UserId};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/escalation-policies", get(list))
        .route("/console/settings/escalation-policies/{id}/remove", post(remove))
        .merge(policy::routes())
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
            let policies = list_policies(tx, &PolicyFilter::default(), asked)?;
            let names = names(tx, &policies)?;
            let removable = removable(tx, caller, &policies)?;
            let mut rows = Vec::new();
            for policy in policies {
                let ladder = rungs(&names, &policy);
                let again = match policy.num_loops {
                    0 => "it stops".to_owned(),
                    loops => format!("again {}", counted(loops.unsigned_abs(), "time", "times")),
                };
                let to = policy::address(&policy.id);
                let question = format!("Take the policy {} away?", policy.name);
                let mut cells = vec![
                    Cell::Title {
                        link: Some(Link::new(policy.name.clone(), to.clone())),
                        name: policy.name.clone(),
                        below: policy.description.unwrap_or_default(),
                    },
                    words(ladder.join(" → ")),
                    words(again),
                ];
                if removable.contains(&policy.id) {
                    cells.push(Cell::post(
                        "Take away",
                        format!("{to}/remove"),
                        Weight::Danger(question),
                    ));
                } else if !removable.is_empty() {
                    cells.push(words(""));
                }
                rows.push(TableRow {
                    id: policy.id.as_str().to_owned(),
                    cells,
                });
            }
            let mut columns = vec!["Policy", "Levels", "Then"];
            if !removable.is_empty() {
                columns.push("");
            }
            let address = (asked, "/console/settings/escalation-policies");
            let empty = "A policy says who is paged first, and who when nobody answers. Add the first one.";
            let mut parts = vec![long_table("Policies", columns, rows, address, empty)];
            if caller.may(Action::Create, Resource::EscalationPolicy) {
                parts.push(SettingsPart::Act {
                    title: "One more".to_owned(),
                    words: "A service says on its own page which policy it uses.".to_owned(),
                    button: Button::open("Add a policy", policy::NEW),
                });
            }
            Ok(parts)
        },
    )
    .await
}

/// Whom a level can page, as the form names them: schedules first, then people.
pub(super) fn targets(tx: &mut Tx) -> Result<Vec<Pick>, Problem> {
    let schedules = list_schedules(tx, &ScheduleFilter::default(), From::everybody())?
        .into_iter()
        .map(|one| Pick::new(format!("schedule:{}", one.id), format!("{} (schedule)", one.name)));
    let people = list_users(tx, &UserFilter::default(), From::everybody())?
        .into_iter()
        .map(|user| Pick::new(format!("user:{}", user.id), user.name));
    Ok(schedules.chain(people).collect())
}

/// "Night watch, 5 min": a line for each level of a policy.
pub(super) fn ladder(tx: &mut Tx, policy: &EscalationPolicy) -> Result<Vec<String>, Problem> {
    Ok(rungs(&names(tx, std::slice::from_ref(policy))?, policy))
}

fn rungs(names: &HashMap<String, String>, policy: &EscalationPolicy) -> Vec<String> {
    let rung = |rule: &EscalationRule| {
        let targets: Vec<&str> = rule
            .targets
            .iter()
            .map(|target| names.get(target.id.as_str()).map_or("somebody", String::as_str))
            .collect();
        format!("{}, {} min", targets.join(" and "), rule.delay_in_minutes)
    };
    policy.rules.iter().map(rung).collect()
}

/// What the people and schedules that policies name are called, by their ids.
fn names(tx: &mut Tx, policies: &[EscalationPolicy]) -> Result<HashMap<String, String>, Problem> {
    let targets = || {
        policies
            .iter()
            .flat_map(|policy| &policy.rules)
            .flat_map(|rule| &rule.targets)
    };
    let named = |kind| targets().filter(move |target| target.kind == kind);
    let schedules: Vec<&str> = named(TargetKind::Schedule).map(|one| one.id.as_str()).collect();
    let people: Vec<UserId> = named(TargetKind::User)
        .map(|one| UserId::from(one.id.as_str()))
        .collect();
    let people: Vec<&UserId> = people.iter().collect();
    let schedules = schedule_names(tx, &schedules)?
        .into_iter()
        .map(|(id, name)| (id.to_string(), name));
    let people = find_users(tx, &people)?
        .into_iter()
        .map(|user| (user.id.to_string(), user.name));
    Ok(schedules.chain(people).collect())
}

/// Those that this reader may take away: a policy belongs to its teams.
fn removable(
    tx: &mut Tx,
    caller: &Caller,
    policies: &[EscalationPolicy],
) -> Result<Vec<EscalationPolicyId>, Problem> {
    let ids: Vec<&EscalationPolicyId> = policies.iter().map(|policy| &policy.id).collect();
    let teams = teams_of_policies(tx, &ids)?;
    Ok(ids
        .into_iter()
        .filter(|id| {
            let own: Vec<TeamId> = teams
                .iter()
                .filter(|(policy, _)| policy == *id)
                .map(|(_, team)| team.clone())
                .collect();
            caller
                .require_for_teams(Action::Delete, Resource::EscalationPolicy, &own)
                .is_ok()
        })
        .cloned()
        .collect())
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<EscalationPolicyId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api::delete(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to("/console/settings/escalation-policies"))
}
