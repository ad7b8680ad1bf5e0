//! The dialect's status updates and those who subscribed to them: people and teams of the house.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Error, Tx, Value, params, sql};
use utoipa::ToSchema;

use super::situation;
use crate::http::Problem;
use crate::incidents::{IncidentId, store as incidents};
use crate::outbox::{self, Channel, NewSend, Purpose, Recipient};
use crate::people::{User, UserId, store as people};
use crate::timeline::{Change, Kind, NewEntry};

crate::identifier! {
    /// One status update of the dialect.
    StatusUpdateId
}

/// The account that every resource of the dialect belongs to: this Muster.
pub const ACCOUNT_ID: &str = "QMUSTER";

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, store::TextEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Subscribable {
    Incident,
    BusinessService,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, store::TextEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SubscriberKind {
    User,
    Team,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, store::FromRow)]
pub struct Subscriber {
    pub subscriber_type: SubscriberKind,
    pub subscriber_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subscribed {
    Success,
    Duplicate,
    /// There is no such person or team, as far as this caller may know.
    Unauthorized,
}

/// A status update as it was sent.
#[derive(Debug, Clone, store::FromRow)]
pub struct StatusUpdate {
    pub id: StatusUpdateId,
    pub incident_id: IncidentId,
    pub sender_id: Option<UserId>,
    pub message: String,
    pub subject: Option<String>,
    pub html_message: Option<String>,
    pub created_at: Timestamp,
}

/// Sends a status update to everyone who subscribed.
pub fn publish(
    change: &mut Change,
    incident_id: &IncidentId,
    new: StatusUpdate,
) -> Result<StatusUpdate, Problem> {
    incidents::find(change.tx, incident_id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    change.tx.execute(
        sql!(
            "INSERT INTO status_updates (id, incident_id, sender_id, message, subject, html_message, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &new.id,
            incident_id,
            new.sender_id.as_ref(),
            &new.message,
            new.subject.as_deref(),
            new.html_message.as_deref(),
            change.now
        ],
    )?;
    let entry = NewEntry::new(Kind::StatusUpdatePublished, incident_id, new.message.clone())
        .details(json!({ "status_update_id": new.id, "subject": new.subject }));
    change.record(entry)?;
    let subject = new.subject.clone().unwrap_or_else(|| "Status update".to_owned());
    for user in people_told(change.tx, incident_id)? {
        let key = format!("status_update:{}:{}", new.id, user.id);
        let recipient = Recipient {
            name: user.name,
            address: user.email,
            user_id: Some(user.id),
        };
        let mut send = NewSend::new(Purpose::Update, Channel::Email, recipient, key, change.now)
            .about(incident_id)
            .words(subject.clone(), new.message.clone());
        if let Some(html) = &new.html_message {
            send = send.html(crate::drawing::harmless_html(html));
        }
        outbox::owe(change, &send)?;
    }
    Ok(new)
}

/// A subscriber of something, with the ways it came to be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub subscriber: Subscriber,
    /// Through a touchpoint that the incident hurts.
    pub via: Vec<String>,
}

fn direct(
    tx: &mut Tx,
    subscribable: Subscribable,
    ids: &[String],
) -> Result<Vec<(String, Subscriber)>, Error> {
    let rows: Vec<(String, SubscriberKind, String)> = tx.rows(
        sql!(
            "SELECT subscribable_id, subscriber_type, subscriber_id FROM status_update_subscribers
             WHERE subscribable_type = $1 AND subscribable_id = ANY($2) ORDER BY created_at, subscriber_id"
        ),
        params![subscribable, Value::texts(ids)],
    )?;
    Ok(rows
        .into_iter()
        .map(|(id, subscriber_type, subscriber_id)| {
            (
                id,
                Subscriber {
                    subscriber_type,
                    subscriber_id,
                },
            )
        })
        .collect())
}

/// Everyone who is told about an incident: its own subscribers, and those of the touchpoints it hurts.
pub fn of_incident(tx: &mut Tx, incident_id: &IncidentId) -> Result<Vec<Listed>, Error> {
    let mut listed: BTreeMap<Subscriber, Vec<String>> =
        direct(tx, Subscribable::Incident, &[incident_id.to_string()])?
            .into_iter()
            .map(|(_, subscriber)| (subscriber, Vec::new()))
            .collect();
    if let Some(incident) = incidents::find(tx, incident_id)? {
        let ids: Vec<String> = situation::touchpoints_of(tx, &incident)?
            .into_iter()
            .map(|touchpoint| touchpoint.id.to_string())
            .collect();
        for (via, subscriber) in direct(tx, Subscribable::BusinessService, &ids)? {
            listed.entry(subscriber).or_default().push(via);
        }
    }
    Ok(listed
        .into_iter()
        .map(|(subscriber, via)| Listed { subscriber, via })
        .collect())
}

pub fn of_business_service(tx: &mut Tx, id: &str) -> Result<Vec<Listed>, Error> {
    let found = direct(tx, Subscribable::BusinessService, &[id.to_owned()])?;
    Ok(found
        .into_iter()
        .map(|(_, subscriber)| Listed {
            subscriber,
            via: Vec::new(),
        })
        .collect())
}

/// The people behind the subscribers of an incident: each once, teams taken apart.
pub fn people_told(tx: &mut Tx, incident_id: &IncidentId) -> Result<Vec<User>, Error> {
    let mut ids: Vec<UserId> = Vec::new();
    let mut teams: Vec<String> = Vec::new();
    for listed in of_incident(tx, incident_id)? {
        match listed.subscriber.subscriber_type {
            SubscriberKind::User => ids.push(UserId::from(listed.subscriber.subscriber_id)),
            SubscriberKind::Team => teams.push(listed.subscriber.subscriber_id),
        }
    }
    if !teams.is_empty() {
        let members: Vec<(UserId,)> = tx.rows(
            sql!("SELECT DISTINCT user_id FROM team_members WHERE team_id = ANY($1) ORDER BY user_id"),
            params![Value::texts(&teams)],
        )?;
        ids.extend(members.into_iter().map(|(id,)| id));
    }
    ids.sort();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        if let Some(user) = people::find_user(tx, &id)?.filter(|user| user.deleted_at.is_none()) {
            found.push(user);
        }
    }
    Ok(found)
}

fn exists(tx: &mut Tx, subscriber: &Subscriber) -> Result<bool, Error> {
    let statement = match subscriber.subscriber_type {
        SubscriberKind::User => sql!("SELECT COUNT(*) FROM users WHERE id = $1 AND deleted_at IS NULL"),
        SubscriberKind::Team => sql!("SELECT COUNT(*) FROM teams WHERE id = $1 AND deleted_at IS NULL"),
    };
    let (count,): (i64,) = tx.one(statement, params![&subscriber.subscriber_id])?;
    Ok(count > 0)
}

pub fn subscribe(
    change: &mut Change,
    subscribable: Subscribable,
    id: &str,
    subscriber: &Subscriber,
) -> Result<Subscribed, Error> {
    if !exists(change.tx, subscriber)? {
        return Ok(Subscribed::Unauthorized);
    }
    let added = change.tx.execute(
        sql!(
            "INSERT INTO status_update_subscribers (subscribable_type, subscribable_id, subscriber_type, subscriber_id, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
        ),
        params![
            subscribable,
            id,
            subscriber.subscriber_type,
            &subscriber.subscriber_id,
            change.now
        ],
    )?;
    Ok(if added == 0 {
        Subscribed::Duplicate
    } else {
        Subscribed::Success
    })
}

/// True when there was such a subscription.
pub fn unsubscribe(
    change: &mut Change,
    subscribable: Subscribable,
    id: &str,
    subscriber: &Subscriber,
) -> Result<bool, Error> {
    let removed = change.tx.execute(
        sql!(
            "DELETE FROM status_update_subscribers WHERE subscribable_type = $1 AND subscribable_id = $2
             AND subscriber_type = $3 AND subscriber_id = $4"
        ),
        params![
            subscribable,
            id,
            subscriber.subscriber_type,
            &subscriber.subscriber_id
        ],
    )?;
    Ok(removed > 0)
}
