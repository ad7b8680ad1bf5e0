//! Writing `/escalation_policies`, and giving them to teams. They are read in the slice `services`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::policy_input::{PolicyRequest, check, check_teams};
use super::view::{PolicyView, policy_views};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Include, Path, Problem, Problems, Site};
use crate::oncall::model::{EscalationPolicy, EscalationPolicyId, HandoffNotifications};
use crate::oncall::store;
use crate::people::TeamId;
use crate::people::store::find_team;
use crate::timeline::Change;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyAnswer {
    escalation_policy: PolicyView,
}

/// Adds a policy.
#[utoipa::path(post, path = "/escalation_policies", tag = "On call", request_body = PolicyRequest,
    responses((status = 201, body = PolicyAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<PolicyRequest>,
) -> Result<(StatusCode, Json<PolicyAnswer>), Problem> {
    caller.require_for_own(Action::Create, Resource::EscalationPolicy)?;
    let site = app.site.clone();
    let escalation_policy = app
        .change(caller.agent(), move |change| {
            let teams = check_teams(
                change.tx,
                request.escalation_policy.teams.as_deref().unwrap_or_default(),
            )?;
            caller.require_for_teams(Action::Create, Resource::EscalationPolicy, &teams)?;
            let blank = EscalationPolicy {
                id: change.identifier(),
                name: String::new(),
                description: None,
                num_loops: 0,
                on_call_handoff_notifications: HandoffNotifications::default(),
                rules: Vec::new(),
                created_at: change.now,
                deleted_at: None,
            };
            let mut policy = check(change.tx, &request.escalation_policy, blank)?;
            name_new_rules(change, &mut policy);
            store::insert_policy(change.tx, &policy).map_err(name_taken)?;
            store::set_policy_teams(change.tx, &policy.id, &teams)?;
            audit::record(change, &caller, AuditAction::Create, &changed(&policy));
            view_of(change.tx, &site, &policy, &strategies())
        })
        .await?;
    Ok((StatusCode::CREATED, Json(PolicyAnswer { escalation_policy })))
}

/// Changes the fields that are sent. Escalations that run keep the rules they began with.
#[utoipa::path(put, path = "/escalation_policies/{id}", tag = "On call", params(("id" = String, Path)),
    request_body = PolicyRequest, responses((status = 200, body = PolicyAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<EscalationPolicyId>,
    Body(request): Body<PolicyRequest>,
) -> Result<Json<PolicyAnswer>, Problem> {
    caller.require_for_own(Action::Change, Resource::EscalationPolicy)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present_policy(change.tx, &id)?;
        require_for(change.tx, &caller, Action::Change, &id)?;
        let mut policy = check(change.tx, &request.escalation_policy, before)?;
        name_new_rules(change, &mut policy);
        if let Some(teams) = &request.escalation_policy.teams {
            let teams = check_teams(change.tx, teams)?;
            caller.require_for_teams(Action::Change, Resource::EscalationPolicy, &teams)?;
            store::set_policy_teams(change.tx, &id, &teams)?;
        }
        store::update_policy(change.tx, &policy).map_err(name_taken)?;
        audit::record(change, &caller, AuditAction::Update, &changed(&policy));
        Ok(Json(PolicyAnswer {
            escalation_policy: view_of(change.tx, &site, &policy, &strategies())?,
        }))
    })
    .await
}

/// Removes a policy that no service uses any more.
#[utoipa::path(delete, path = "/escalation_policies/{id}", tag = "On call", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<EscalationPolicyId>,
) -> Result<StatusCode, Problem> {
    caller.require_for_own(Action::Delete, Resource::EscalationPolicy)?;
    app.change(caller.agent(), move |change| {
        let policy = present_policy(change.tx, &id)?;
        require_for(change.tx, &caller, Action::Delete, &id)?;
        let services = store::services_of_policies(change.tx, &[&id])?;
        if !services.is_empty() {
            return Err(Problem::invalid(services.into_iter().take(10).map(
                |(_, _, name)| format!("The service '{name}' uses this policy; give it another one first."),
            )));
        }
        let ruled = store::services_whose_rules_name(change.tx, &id)?;
        if !ruled.is_empty() {
            return Err(Problem::invalid(ruled.into_iter().take(10).map(|name| {
                format!(
                    "A rule on the events of the service '{name}' uses this policy; change the rule first."
                )
            })));
        }
        store::delete_policy(change.tx, &id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&policy));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Makes a policy the team's.
#[utoipa::path(put, path = "/teams/{id}/escalation_policies/{escalation_policy_id}", tag = "People",
    params(("id" = String, Path), ("escalation_policy_id" = String, Path)), responses((status = 204), Problems))]
pub(crate) async fn give_to_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((team_id, id)): Path<(TeamId, EscalationPolicyId)>,
) -> Result<StatusCode, Problem> {
    caller.require_for_teams(Action::Change, Resource::Team, std::slice::from_ref(&team_id))?;
    app.change(caller.agent(), move |change| {
        require_team(change.tx, &team_id)?;
        let policy = present_policy(change.tx, &id)?;
        let present = store::teams_of_policy(change.tx, &id)?;
        caller.require_for_teams(Action::Change, Resource::EscalationPolicy, &present)?;
        store::set_policy_teams(change.tx, &id, std::slice::from_ref(&team_id))?;
        let details = json!({ "team_id": team_id });
        audit::record(
            change,
            &caller,
            AuditAction::Update,
            &Changed {
                details,
                ..changed(&policy)
            },
        );
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Takes a policy away from the team.
#[utoipa::path(delete, path = "/teams/{id}/escalation_policies/{escalation_policy_id}", tag = "People",
    params(("id" = String, Path), ("escalation_policy_id" = String, Path)), responses((status = 204), Problems))]
pub(crate) async fn take_from_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((team_id, id)): Path<(TeamId, EscalationPolicyId)>,
) -> Result<StatusCode, Problem> {
    caller.require_for_teams(Action::Change, Resource::Team, std::slice::from_ref(&team_id))?;
    app.change(caller.agent(), move |change| {
        require_team(change.tx, &team_id)?;
        let policy = present_policy(change.tx, &id)?;
        if !store::remove_policy_team(change.tx, &id, &team_id)? {
            return Err(Problem::not_found("The team's escalation policy"));
        }
        let details = json!({ "removed_team_id": team_id });
        audit::record(
            change,
            &caller,
            AuditAction::Update,
            &Changed {
                details,
                ..changed(&policy)
            },
        );
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Rules that were not there before come without an id.
fn name_new_rules(change: &Change, policy: &mut EscalationPolicy) {
    for rule in &mut policy.rules {
        if rule.id.as_str().is_empty() {
            rule.id = change.identifier();
        }
    }
}

fn require_team(tx: &mut ::store::Tx, id: &TeamId) -> Result<(), Problem> {
    find_team(tx, id)?
        .map(drop)
        .ok_or_else(|| Problem::not_found("The team"))
}

fn require_for(
    tx: &mut ::store::Tx,
    caller: &Caller,
    action: Action,
    id: &EscalationPolicyId,
) -> Result<(), Problem> {
    let teams = store::teams_of_policy(tx, id)?;
    caller.require_for_teams(action, Resource::EscalationPolicy, &teams)
}

fn present_policy(tx: &mut ::store::Tx, id: &EscalationPolicyId) -> Result<EscalationPolicy, Problem> {
    store::load_policy(tx, id)?.ok_or_else(|| Problem::not_found("The escalation policy"))
}

fn name_taken(error: ::store::Error) -> Problem {
    Problem::if_taken(
        error,
        "escalation_policies",
        &["name"],
        "Name has already been taken.",
    )
}

/// What an answer to a write shows: the strategies that were sent.
fn strategies() -> Include {
    Include {
        include: vec!["escalation_rule_assignment_strategies".to_owned()],
    }
}

fn view_of(
    tx: &mut ::store::Tx,
    site: &Site,
    policy: &EscalationPolicy,
    include: &Include,
) -> Result<PolicyView, Problem> {
    policy_views(tx, site, std::slice::from_ref(policy), include)?
        .pop()
        .ok_or_else(|| Problem::not_found("The escalation policy"))
}

fn changed(policy: &EscalationPolicy) -> Changed<'_> {
    Changed {
        resource_type: "escalation_policy",
        resource_id: policy.id.as_str(),
        resource_name: &policy.name,
        details: json!({ "num_loops": policy.num_loops, "escalation_rules": policy.rules }),
    }
}
