//! What is posted from the page on how the reader is paged: places, rules, a test page, and the reader's own name.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{from_json, go_to};
use super::me::HERE;
use crate::access::audit::{self, AuditAction, Changed};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::http::{Body, Path, Problem};
use crate::paging::trial;
use crate::people::api::{contact_methods, notification_rules, users};
use crate::people::store::find_contact_method;
use crate::people::{ContactMethodId, NotificationRuleId, UserId};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(HERE, post(change_me))
        .route("/console/settings/me/methods", post(add_method))
        .route("/console/settings/me/methods/{id}", post(change_method))
        .route("/console/settings/me/methods/{id}/remove", post(remove_method))
        .route("/console/settings/me/methods/{id}/test", post(test_method))
        .route("/console/settings/me/rules", post(add_rule))
        .route("/console/settings/me/rules/{id}", post(change_rule))
        .route("/console/settings/me/rules/{id}/remove", post(remove_rule))
}

/// Whoever is signed in; a program has no pages.
fn me(visitor: &Visitor) -> Result<UserId, Problem> {
    visitor
        .0
        .person_id()
        .cloned()
        .ok_or_else(|| Problem::forbidden("Only a person can be paged."))
}

type Answer = Result<Response, PageProblem>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct AboutMe {
    name: String,
    time_zone: String,
}

async fn change_me(State(app): State<Arc<App>>, posted: Posted<AboutMe>) -> Answer {
    let Posted { visitor, fields } = posted;
    let id = me(&visitor)?;
    let body = json!({ "user": { "name": fields.name, "time_zone": fields.time_zone.trim() } });
    users::update(State(app), visitor.0, Path(id), Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to(HERE))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct MethodFields {
    kind: String,
    label: String,
    address: String,
}

async fn add_method(State(app): State<Arc<App>>, posted: Posted<MethodFields>) -> Answer {
    let Posted { visitor, fields } = posted;
    let id = me(&visitor)?;
    let body = json!({ "contact_method": {
        "type": fields.kind, "label": fields.label, "address": fields.address,
    } });
    contact_methods::create(State(app), visitor.0, Path(id), Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to(HERE))
}

async fn change_method(
    State(app): State<Arc<App>>,
    Path(method): Path<ContactMethodId>,
    posted: Posted<MethodFields>,
) -> Answer {
    let Posted { visitor, fields } = posted;
    let id = me(&visitor)?;
    let body = json!({ "contact_method": { "label": fields.label, "address": fields.address } });
    contact_methods::update(State(app), visitor.0, Path((id, method)), Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to(HERE))
}

async fn remove_method(
    State(app): State<Arc<App>>,
    Path(method): Path<ContactMethodId>,
    posted: Posted<Nothing>,
) -> Answer {
    let id = me(&posted.visitor)?;
    contact_methods::delete(State(app), posted.visitor.0, Path((id, method))).await?;
    Ok(go_to(HERE))
}

async fn test_method(
    State(app): State<Arc<App>>,
    Path(method): Path<ContactMethodId>,
    posted: Posted<Nothing>,
) -> Answer {
    let visitor = posted.visitor;
    let id = me(&visitor)?;
    let site = app.site.clone();
    let caller = visitor.0;
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        let method = find_contact_method(change.tx, &id, &method)?
            .ok_or_else(|| Problem::not_found("The contact method"))?;
        let user = caller.user().ok_or_else(|| Problem::not_found("The user"))?;
        let send = trial::owe(change, &site, user, &method)?;
        let sent = Changed::named("test_page", send.as_str(), &method.label);
        audit::record(change, &caller, AuditAction::Create, &sent);
        Ok(())
    })
    .await?;
    Ok(go_to(HERE))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct RuleFields {
    urgency: String,
    delay: String,
    by: String,
}

impl RuleFields {
    fn body(&self) -> Result<Value, Problem> {
        let minutes: i64 = self
            .delay
            .parse()
            .map_err(|_| Problem::invalid(["Choose after how many minutes it is sent."]))?;
        Ok(json!({ "notification_rule": {
            "urgency": self.urgency, "start_delay_in_minutes": minutes,
            "contact_method": { "id": self.by, "type": "contact_method_reference" },
        } }))
    }
}

async fn add_rule(State(app): State<Arc<App>>, posted: Posted<RuleFields>) -> Answer {
    let Posted { visitor, fields } = posted;
    let id = me(&visitor)?;
    let body = Body(from_json(fields.body()?)?);
    notification_rules::create(State(app), visitor.0, Path(id), body)
        .await
        .map(drop)?;
    Ok(go_to(HERE))
}

async fn change_rule(
    State(app): State<Arc<App>>,
    Path(rule): Path<NotificationRuleId>,
    posted: Posted<RuleFields>,
) -> Answer {
    let Posted { visitor, fields } = posted;
    let id = me(&visitor)?;
    let body = Body(from_json(fields.body()?)?);
    notification_rules::update(State(app), visitor.0, Path((id, rule)), body)
        .await
        .map(drop)?;
    Ok(go_to(HERE))
}

async fn remove_rule(
    State(app): State<Arc<App>>,
    Path(rule): Path<NotificationRuleId>,
    posted: Posted<Nothing>,
) -> Answer {
    let id = me(&posted.visitor)?;
    notification_rules::delete(State(app), posted.visitor.0, Path((id, rule))).await?;
    Ok(go_to(HERE))
}
