//! Where published words go, besides the timeline: the desk of the agents, the addresses of the audience, and
//! subscribers inside. What stands on the desk is in the outbox, too, as shown.
//!
//! Status pages are not written from here: they follow the timeline.

use serde_json::json;
use store::Error;

use super::model::{Audience, AudienceChannel, Update};
use super::subscribers;
use crate::desk::notices::{self, Notice};
use crate::outbox::{self, Channel, NewSend, Purpose, Recipient};
use crate::timeline::Change;
use crate::words::{InternalText, PublicText};

/// The words as this audience may read them.
enum Outgoing<'a> {
    Public(&'a PublicText, &'a PublicText),
    Internal(&'a InternalText, &'a InternalText),
}

impl Outgoing<'_> {
    fn of(update: &Update) -> Outgoing<'_> {
        match (&update.public_subject, &update.public_words) {
            (Some(subject), Some(words)) => Outgoing::Public(subject, words),
            _ => Outgoing::Internal(&update.subject, &update.words),
        }
    }

    fn texts(&self) -> (&str, &str) {
        match self {
            Self::Public(subject, words) => (subject.as_str(), words.as_str()),
            Self::Internal(subject, words) => (subject.for_insiders(), words.for_insiders()),
        }
    }
}

pub fn send(change: &mut Change, update: &Update, audience: &Audience) -> Result<(), Error> {
    let outgoing = Outgoing::of(update);
    let (subject, words) = outgoing.texts();
    for channel in &audience.channels {
        match channel {
            AudienceChannel::StatusPage => {}
            AudienceChannel::Desk => {
                let notice = Notice {
                    id: change.identifier(),
                    at: change.now,
                    incident_id: update.incident_id.clone(),
                    audience_name: audience.name.clone(),
                    subject: InternalText::new(subject),
                    words: InternalText::new(words),
                    next_update_by: update.next_update_by,
                };
                notices::post(change, &notice)?;
                let desk = outsider(audience, "desk");
                owe(change, update, Channel::Outbox, desk, subject, words)?;
            }
            AudienceChannel::Subscribers => {
                let people = subscribers::people_told(change.tx, &update.incident_id)?;
                for user in people {
                    let recipient = Recipient {
                        name: user.name,
                        address: user.email,
                        user_id: Some(user.id),
                    };
                    owe(change, update, Channel::Email, recipient, subject, words)?;
                }
            }
            AudienceChannel::Email { address } => {
                let recipient = outsider(audience, address);
                owe(change, update, Channel::Email, recipient, subject, words)?;
            }
            AudienceChannel::Webhook { url } => {
                let body = json!({
                    "type": "update",
                    "id": update.id,
                    "incident_id": update.incident_id,
                    "audience": audience.name,
                    "phase": update.phase,
                    "subject": subject,
                    "words": words,
                    "next_update_by": update.next_update_by,
                    "published_at": update.published_at,
                });
                let recipient = outsider(audience, url);
                owe(
                    change,
                    update,
                    Channel::Webhook,
                    recipient,
                    subject,
                    &body.to_string(),
                )?;
            }
        }
    }
    Ok(())
}

fn outsider(audience: &Audience, address: &str) -> Recipient {
    Recipient {
        name: audience.name.clone(),
        address: address.to_owned(),
        user_id: None,
    }
}

fn owe(
    change: &mut Change,
    update: &Update,
    channel: Channel,
    recipient: Recipient,
    subject: &str,
    body: &str,
) -> Result<(), Error> {
    let key = format!("update:{}:{}", update.id, recipient.address);
    let send = NewSend::new(Purpose::Update, channel, recipient, key, change.now)
        .about(&update.incident_id)
        .words(subject, body);
    outbox::owe(change, &send)?;
    Ok(())
}
