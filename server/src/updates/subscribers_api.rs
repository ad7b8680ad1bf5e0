//! The dialect's status updates and subscribers. Shapes and status codes are the reference's.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::subscribers::{
    self as rows, ACCOUNT_ID, Listed, StatusUpdate, Subscribable, Subscribed, Subscriber, SubscriberKind,
};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Listing, Paging, Path, Problem, Problems, Query, Reference};
use crate::incidents::{IncidentId, store as incidents};
use crate::services::BusinessServiceId;
use crate::services::store::touchpoints;
use crate::timeline::{Change, Kind, NewEntry};

const LONGEST_MESSAGE: usize = 10_000;
const LONGEST_HTML: usize = 100_000;
const MOST_AT_ONCE: usize = 100;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(send_status_update))
        .routes(routes!(list_incident_subscribers, add_incident_subscribers))
        .routes(routes!(remove_incident_subscribers))
        .routes(routes!(
            list_business_service_subscribers,
            add_business_service_subscribers
        ))
        .routes(routes!(remove_business_service_subscribers))
}

#[derive(Debug, Deserialize, ToSchema)]
struct StatusUpdateInput {
    message: String,
    /// Needed together with `html_message`.
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    html_message: Option<String>,
}

/// A status update.
#[derive(Debug, Serialize, ToSchema)]
struct StatusUpdateAnswer {
    status_update: StatusUpdateView,
}

/// What subscribers were sent.
#[derive(Debug, Serialize, ToSchema)]
struct StatusUpdateView {
    id: String,
    message: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    /// Null for a program.
    sender: Option<Reference>,
    subject: Option<String>,
    html_message: Option<String>,
}

/// Send a status update to the subscribers of an incident.
#[utoipa::path(
    post, path = "/incidents/{id}/status_updates", tag = "Status updates", request_body = StatusUpdateInput,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "What was sent", body = StatusUpdateAnswer), Problems)
)]
async fn send_status_update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<StatusUpdateInput>,
) -> Result<axum::Json<StatusUpdateAnswer>, Problem> {
    caller.require(Action::Publish, Resource::Incident)?;
    caller.require_name()?;
    let mut faults = Faults::new();
    let message = faults.text("message", Some(&body.message), LONGEST_MESSAGE);
    let subject = faults.optional_text("subject", body.subject.as_deref(), 255);
    let html_message = faults.optional_text("html_message", body.html_message.as_deref(), LONGEST_HTML);
    if subject.is_some() != html_message.is_some() {
        faults.add("subject and html_message are given together or not at all.");
    }
    faults.done()?;
    let sender = caller.user().map(|user| (user.id.clone(), user.name.clone()));
    let new_sender = sender.clone();
    let sent = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let new = StatusUpdate {
                id: change.identifier(),
                incident_id: IncidentId::from(id.as_str()),
                sender_id: new_sender.as_ref().map(|(id, _)| id.clone()),
                message: message.clone(),
                subject: subject.clone(),
                html_message: html_message.clone(),
                created_at: change.now,
            };
            let incident_id = new.incident_id.clone();
            rows::publish(change, &incident_id, new)
        })
        .await?;
    let sender = sender.map(|(id, name)| app.site.reference("user", "users", id.as_str(), name));
    Ok(axum::Json(StatusUpdateAnswer {
        status_update: StatusUpdateView {
            id: sent.id.to_string(),
            message: sent.message,
            created_at: sent.created_at,
            sender,
            subject: sent.subject,
            html_message: sent.html_message,
        },
    }))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct SubscribersInput {
    subscribers: Vec<SubscriberInput>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
struct SubscriberInput {
    subscriber_id: String,
    /// `user` or `team`.
    subscriber_type: String,
}

impl SubscribersInput {
    fn check(&self) -> Result<Vec<Subscriber>, Problem> {
        if self.subscribers.is_empty() || self.subscribers.len() > MOST_AT_ONCE {
            return Err(Problem::invalid([format!(
                "subscribers must name between 1 and {MOST_AT_ONCE}."
            )]));
        }
        let mut faults = Faults::new();
        let mut subscribers = Vec::new();
        for (index, one) in self.subscribers.iter().enumerate() {
            let kind = SubscriberKind::from_text(one.subscriber_type.trim_end_matches("_reference"));
            match kind {
                Some(subscriber_type) => subscribers.push(Subscriber {
                    subscriber_type,
                    subscriber_id: faults.name(
                        &format!("subscribers[{index}].subscriber_id"),
                        Some(&one.subscriber_id),
                        64,
                    ),
                }),
                None => faults.add(format!(
                    "subscribers[{index}].subscriber_type must be user or team."
                )),
            }
        }
        faults.done()?;
        Ok(subscribers)
    }
}

/// Somebody who is told.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriberView {
    #[serde(flatten)]
    subscriber: Subscriber,
    has_indirect_subscription: bool,
    /// The touchpoints they subscribed to that the incident hurts.
    subscribed_via: Vec<SubscribedVia>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SubscribedVia {
    id: String,
    /// `business_service`
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A page of subscribers.
#[derive(Debug, Serialize, ToSchema)]
struct SubscribersAnswer {
    subscribers: Vec<SubscriberView>,
    account_id: &'static str,
    #[serde(flatten)]
    paging: Paging,
}

async fn list(
    app: &Arc<App>,
    subscribable: Subscribable,
    id: String,
    listing: &Listing,
) -> Result<axum::Json<SubscribersAnswer>, Problem> {
    let page = listing.page()?;
    let listed = app
        .read(move |tx| -> Result<_, Problem> {
            require_known(tx, subscribable, &id)?;
            Ok(match subscribable {
                Subscribable::Incident => rows::of_incident(tx, &IncidentId::from(id.as_str()))?,
                Subscribable::BusinessService => rows::of_business_service(tx, &id)?,
            })
        })
        .await?;
    let whole = listed.len() as i64;
    let part: Vec<Listed> = listed
        .into_iter()
        .skip(page.offset as usize)
        .take(page.rows_to_read() as usize)
        .collect();
    let (part, paging) = page.finish(part, || Ok::<_, Problem>(whole))?;
    let subscribers = part
        .into_iter()
        .map(|one| {
            let via: Vec<SubscribedVia> = one
                .via
                .into_iter()
                .map(|id| SubscribedVia {
                    id,
                    kind: "business_service",
                })
                .collect();
            SubscriberView {
                subscriber: one.subscriber,
                has_indirect_subscription: !via.is_empty(),
                subscribed_via: via,
            }
        })
        .collect();
    Ok(axum::Json(SubscribersAnswer {
        subscribers,
        account_id: ACCOUNT_ID,
        paging,
    }))
}

/// What became of each subscriber that was named.
#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionsAnswer {
    subscriptions: Vec<Subscription>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Subscription {
    account_id: &'static str,
    subscribable_id: String,
    subscribable_type: Subscribable,
    subscriber_id: String,
    subscriber_type: SubscriberKind,
    result: Subscribed,
}

/// How many subscriptions were ended.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
struct UnsubscribedAnswer {
    deleted_count: i64,
    unauthorized_count: i64,
    non_existent_count: i64,
}

fn require_known(tx: &mut Tx, subscribable: Subscribable, id: &str) -> Result<(), Problem> {
    let (known, what) = match subscribable {
        Subscribable::Incident => (
            incidents::find(tx, &IncidentId::from(id))?.is_some(),
            "The incident",
        ),
        Subscribable::BusinessService => (
            touchpoints::find(tx, &BusinessServiceId::from(id))?.is_some(),
            "The business service",
        ),
    };
    if known {
        Ok(())
    } else {
        Err(Problem::not_found(what))
    }
}

async fn add(
    app: &Arc<App>,
    caller: Caller,
    subscribable: Subscribable,
    id: String,
    body: SubscribersInput,
) -> Result<axum::Json<SubscriptionsAnswer>, Problem> {
    let wanted = body.check()?;
    let subscriptions = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            require_known(change.tx, subscribable, &id)?;
            let mut subscriptions = Vec::new();
            for subscriber in &wanted {
                let result = rows::subscribe(change, subscribable, &id, subscriber)?;
                subscriptions.push(Subscription {
                    account_id: ACCOUNT_ID,
                    subscribable_id: id.clone(),
                    subscribable_type: subscribable,
                    subscriber_id: subscriber.subscriber_id.clone(),
                    subscriber_type: subscriber.subscriber_type,
                    result,
                });
            }
            note(change, &caller, subscribable, &id, AuditAction::Create, &wanted)?;
            Ok(subscriptions)
        })
        .await?;
    Ok(axum::Json(SubscriptionsAnswer { subscriptions }))
}

fn note(
    change: &mut Change,
    caller: &Caller,
    subscribable: Subscribable,
    id: &str,
    action: AuditAction,
    subscribers: &[Subscriber],
) -> Result<(), Problem> {
    if subscribable == Subscribable::Incident && action == AuditAction::Create {
        let text = format!("{} added subscribers.", change.agent.name);
        let entry = NewEntry::new(Kind::SubscriberAdded, &IncidentId::from(id), text)
            .details(json!({ "subscribers": subscribers }));
        change.record(entry)?;
    }
    let changed = Changed {
        resource_type: "status_update_subscription",
        resource_id: id,
        resource_name: subscribable.as_text(),
        details: json!({ "subscribers": subscribers }),
    };
    audit::record(change, caller, action, &changed);
    Ok(())
}

async fn remove(
    app: &Arc<App>,
    caller: Caller,
    subscribable: Subscribable,
    id: String,
    body: SubscribersInput,
) -> Result<axum::Json<UnsubscribedAnswer>, Problem> {
    let wanted = body.check()?;
    let answer = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            require_known(change.tx, subscribable, &id)?;
            let mut answer = UnsubscribedAnswer::default();
            for subscriber in &wanted {
                if rows::unsubscribe(change, subscribable, &id, subscriber)? {
                    answer.deleted_count += 1;
                } else {
                    answer.non_existent_count += 1;
                }
            }
            note(change, &caller, subscribable, &id, AuditAction::Delete, &wanted)?;
            Ok(answer)
        })
        .await?;
    Ok(axum::Json(answer))
}

/// List who is told about an incident.
#[utoipa::path(
    get, path = "/incidents/{id}/status_updates/subscribers", tag = "Status updates",
    params(("id" = String, Path, description = "The incident's id"), Listing),
    responses((status = 200, description = "A page of subscribers", body = SubscribersAnswer), Problems)
)]
async fn list_incident_subscribers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<SubscribersAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    list(&app, Subscribable::Incident, id, &listing).await
}

/// Add people or teams that are told about an incident.
#[utoipa::path(
    post, path = "/incidents/{id}/status_updates/subscribers", tag = "Status updates", request_body = SubscribersInput,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "What became of each", body = SubscriptionsAnswer), Problems)
)]
async fn add_incident_subscribers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<SubscribersInput>,
) -> Result<axum::Json<SubscriptionsAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    add(&app, caller, Subscribable::Incident, id, body).await
}

/// Remove people or teams from those who are told about an incident.
#[utoipa::path(
    post, path = "/incidents/{id}/status_updates/unsubscribe", tag = "Status updates", request_body = SubscribersInput,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "How many were removed", body = UnsubscribedAnswer), Problems)
)]
async fn remove_incident_subscribers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<SubscribersInput>,
) -> Result<axum::Json<UnsubscribedAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    remove(&app, caller, Subscribable::Incident, id, body).await
}

/// List who is told when a touchpoint is hurt.
#[utoipa::path(
    get, path = "/business_services/{id}/subscribers", tag = "Status updates",
    params(("id" = String, Path, description = "The business service's id"), Listing),
    responses((status = 200, description = "A page of subscribers", body = SubscribersAnswer), Problems)
)]
async fn list_business_service_subscribers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<SubscribersAnswer>, Problem> {
    caller.require(Action::View, Resource::BusinessService)?;
    list(&app, Subscribable::BusinessService, id, &listing).await
}

/// Add people or teams that are told when a touchpoint is hurt.
#[utoipa::path(
    post, path = "/business_services/{id}/subscribers", tag = "Status updates", request_body = SubscribersInput,
    params(("id" = String, Path, description = "The business service's id")),
    responses((status = 200, description = "What became of each", body = SubscriptionsAnswer), Problems)
)]
async fn add_business_service_subscribers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<SubscribersInput>,
) -> Result<axum::Json<SubscriptionsAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    add(&app, caller, Subscribable::BusinessService, id, body).await
}

/// Remove people or teams from those who are told when a touchpoint is hurt.
#[utoipa::path(
    post, path = "/business_services/{id}/unsubscribe", tag = "Status updates", request_body = SubscribersInput,
    params(("id" = String, Path, description = "The business service's id")),
    responses((status = 200, description = "How many were removed", body = UnsubscribedAnswer), Problems)
)]
async fn remove_business_service_subscribers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<SubscribersInput>,
) -> Result<axum::Json<UnsubscribedAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    remove(&app, caller, Subscribable::BusinessService, id, body).await
}
