//! `/users/{id}/notification_rules`: when somebody is reached by which contact method.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::view::{NotificationRuleView, notification_rule_view};
use super::{present_user, require_to_change, require_to_reach, require_to_see_ways};
use crate::access::Caller;
use crate::access::audit::{self, AuditAction, Changed};
use crate::app::App;
use crate::http::{Body, Faults, Include, Path, Problem, Problems, Query, ReferenceInput, Site};
use crate::people::model::NotificationRule;
use crate::people::{ContactMethodId, NotificationRuleId, Urgency, UserId, store};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationRuleAnswer {
    notification_rule: NotificationRuleView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotificationRulesAnswer {
    notification_rules: Vec<NotificationRuleView>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NotificationRuleRequest {
    notification_rule: NotificationRuleInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct NotificationRuleInput {
    /// 0 to 10,080.
    start_delay_in_minutes: Option<i64>,
    contact_method: Option<ReferenceInput>,
    urgency: Option<Urgency>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct RulesQuery {
    /// `high`, `low` or `all`.
    urgency: Option<String>,
}

/// Every rule of a person, in the order in which they fire.
#[utoipa::path(get, path = "/users/{id}/notification_rules", tag = "People",
    params(("id" = String, Path), RulesQuery, Include),
    responses((status = 200, body = NotificationRulesAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
    Query(asked): Query<RulesQuery>,
    Query(include): Query<Include>,
) -> Result<Json<NotificationRulesAnswer>, Problem> {
    require_to_see_ways(&caller, &id)?;
    let urgency = match asked.urgency.as_deref() {
        None | Some("" | "all") => None,
        Some(text) => Some(
            Urgency::from_text(text)
                .ok_or_else(|| Problem::invalid(["urgency must be high, low or all."]))?,
        ),
    };
    let site = app.site.clone();
    app.read(move |tx| {
        present_user(tx, &id)?;
        let rules = store::notification_rules_of(tx, &[&id])?;
        let notification_rules = rules
            .iter()
            .filter(|rule| urgency.is_none_or(|urgency| rule.urgency == urgency))
            .map(|rule| view_of(tx, &site, rule, &include))
            .collect::<Result<_, _>>()?;
        Ok(Json(NotificationRulesAnswer { notification_rules }))
    })
    .await
}

/// Adds a rule.
#[utoipa::path(post, path = "/users/{id}/notification_rules", tag = "People", params(("id" = String, Path)),
    request_body = NotificationRuleRequest, responses((status = 201, body = NotificationRuleAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
    Body(request): Body<NotificationRuleRequest>,
) -> Result<(StatusCode, Json<NotificationRuleAnswer>), Problem> {
    require_to_change(&caller, &id)?;
    let site = app.site.clone();
    let notification_rule = app
        .change(caller.agent(), move |change| {
            require_to_reach(&caller, &present_user(change.tx, &id)?)?;
            let input = &request.notification_rule;
            let mut faults = Faults::new();
            let delay = input.start_delay_in_minutes.unwrap_or_else(|| {
                faults.add("Start delay in minutes can't be blank.");
                0
            });
            let urgency = input.urgency.unwrap_or_else(|| {
                faults.add("Urgency can't be blank.");
                Urgency::High
            });
            let method_id = input
                .contact_method
                .as_ref()
                .map_or("", |method| method.id.as_str());
            faults.done()?;
            let blank = NotificationRule {
                id: change.identifier(),
                user_id: id.clone(),
                contact_method_id: ContactMethodId::from(method_id),
                start_delay_in_minutes: delay,
                urgency,
            };
            let rule = check(change.tx, input, blank)?;
            store::add_notification_rule(change.tx, &rule, change.now)?;
            audit::record(change, &caller, AuditAction::Create, &changed(&rule));
            view_of(change.tx, &site, &rule, &Include::default())
        })
        .await?;
    Ok((
        StatusCode::CREATED,
        Json(NotificationRuleAnswer { notification_rule }),
    ))
}

/// One rule.
#[utoipa::path(get, path = "/users/{id}/notification_rules/{notification_rule_id}", tag = "People",
    params(("id" = String, Path), ("notification_rule_id" = String, Path), Include),
    responses((status = 200, body = NotificationRuleAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, rule_id)): Path<(UserId, NotificationRuleId)>,
    Query(include): Query<Include>,
) -> Result<Json<NotificationRuleAnswer>, Problem> {
    require_to_see_ways(&caller, &id)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let rule = present_rule(tx, &id, &rule_id)?;
        Ok(Json(NotificationRuleAnswer {
            notification_rule: view_of(tx, &site, &rule, &include)?,
        }))
    })
    .await
}

/// Changes the fields that are sent.
#[utoipa::path(put, path = "/users/{id}/notification_rules/{notification_rule_id}", tag = "People",
    params(("id" = String, Path), ("notification_rule_id" = String, Path)), request_body = NotificationRuleRequest,
    responses((status = 200, body = NotificationRuleAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, rule_id)): Path<(UserId, NotificationRuleId)>,
    Body(request): Body<NotificationRuleRequest>,
) -> Result<Json<NotificationRuleAnswer>, Problem> {
    require_to_change(&caller, &id)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        require_to_reach(&caller, &present_user(change.tx, &id)?)?;
        let before = present_rule(change.tx, &id, &rule_id)?;
        let rule = check(change.tx, &request.notification_rule, before)?;
        store::update_notification_rule(change.tx, &rule)?;
        audit::record(change, &caller, AuditAction::Update, &changed(&rule));
        Ok(Json(NotificationRuleAnswer {
            notification_rule: view_of(change.tx, &site, &rule, &Include::default())?,
        }))
    })
    .await
}

/// Removes a rule.
#[utoipa::path(delete, path = "/users/{id}/notification_rules/{notification_rule_id}", tag = "People",
    params(("id" = String, Path), ("notification_rule_id" = String, Path)), responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, rule_id)): Path<(UserId, NotificationRuleId)>,
) -> Result<StatusCode, Problem> {
    require_to_change(&caller, &id)?;
    app.change(caller.agent(), move |change| {
        require_to_reach(&caller, &present_user(change.tx, &id)?)?;
        let rule = present_rule(change.tx, &id, &rule_id)?;
        store::delete_notification_rule(change.tx, &rule_id)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&rule));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn present_rule(
    tx: &mut ::store::Tx,
    id: &UserId,
    rule_id: &NotificationRuleId,
) -> Result<NotificationRule, Problem> {
    present_user(tx, id)?;
    store::find_notification_rule(tx, id, rule_id)?.ok_or_else(|| Problem::not_found("The notification rule"))
}

fn check(
    tx: &mut ::store::Tx,
    input: &NotificationRuleInput,
    mut rule: NotificationRule,
) -> Result<NotificationRule, Problem> {
    let mut faults = Faults::new();
    if let Some(minutes) = input.start_delay_in_minutes {
        rule.start_delay_in_minutes = faults.within("Start delay in minutes", minutes, 0..=10_080);
    }
    if let Some(urgency) = input.urgency {
        rule.urgency = urgency;
    }
    if let Some(method) = &input.contact_method {
        rule.contact_method_id = ContactMethodId::from(method.id.as_str());
    }
    if store::find_contact_method(tx, &rule.user_id, &rule.contact_method_id)?.is_none() {
        faults.add("Contact method must be one of this user's contact methods.");
    }
    let others = store::notification_rules_of(tx, &[&rule.user_id])?;
    if others.len() >= 100 {
        faults.add("A user may have at most 100 notification rules.");
    }
    let same = others.iter().any(|other| {
        other.id != rule.id
            && other.contact_method_id == rule.contact_method_id
            && other.urgency == rule.urgency
            && other.start_delay_in_minutes == rule.start_delay_in_minutes
    });
    if same {
        // The words that clients look for.
        faults.add("Channel Start delay must be unique for a given contact method");
    }
    faults.done()?;
    Ok(rule)
}

fn view_of(
    tx: &mut ::store::Tx,
    site: &Site,
    rule: &NotificationRule,
    include: &Include,
) -> Result<NotificationRuleView, Problem> {
    let method = store::find_contact_method(tx, &rule.user_id, &rule.contact_method_id)?;
    notification_rule_view(site, rule, method.as_ref(), include)
}

fn changed(rule: &NotificationRule) -> Changed<'_> {
    Changed {
        resource_type: "notification_rule",
        resource_id: rule.id.as_str(),
        resource_name: rule.urgency.as_text(),
        details: json!({ "user_id": rule.user_id, "start_delay_in_minutes": rule.start_delay_in_minutes }),
    }
}
