//! The words of a page: what broke, where, how urgent, since when, who else, and what to do.

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::rules::{Length, Reason};
use super::store::Facts;
use crate::alerts::links::SenderLink;
use crate::drawing::unturned;
use crate::http::Site;
use crate::incidents::Urgency;
use crate::incidents::model::AssignedVia;
use crate::outbox::SECRET_LINK;
use crate::people::User;

pub(super) struct Words {
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) html: Option<String>,
}

#[derive(Template)]
#[template(path = "mail/page.txt")]
struct Plain<'a> {
    page: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "mail/page.html")]
struct Rich<'a> {
    page: &'a View<'a>,
}

struct View<'a> {
    title: &'a str,
    number: i64,
    service: &'a str,
    urgency: &'static str,
    since: String,
    others: String,
    why: String,
    links: &'a [SenderLink],
    acknowledge: &'a str,
    room: String,
}

/// What stands on a page beside the facts.
pub(super) struct Beside {
    /// The names of those who are paged, too.
    pub(super) others: Vec<String>,
    pub(super) links: Vec<SenderLink>,
}

/// Composes a page for one person.
pub(super) fn compose(
    site: &Site,
    facts: &Facts,
    user: &User,
    reason: &Reason,
    beside: &Beside,
    length: Length,
) -> Result<Words, askama::Error> {
    let urgency = match facts.urgency {
        Urgency::High => "High",
        Urgency::Low => "Low",
    };
    let subject = match reason {
        Reason::Assigned => format!(
            "[{urgency}] {} (#{}, {})",
            facts.title, facts.number, facts.service_name
        ),
        Reason::LastResort => format!(
            "Nobody else could be paged: {} (#{}, {})",
            facts.title, facts.number, facts.service_name
        ),
        Reason::Requested { .. } => format!("Your help is asked for: {} (#{})", facts.title, facts.number),
    };
    if length == Length::Short {
        let body = format!("{}\nAcknowledge: {SECRET_LINK}\n", facts.title);
        return Ok(Words {
            subject,
            body,
            html: None,
        });
    }
    let page = View {
        title: &facts.title,
        number: facts.number,
        service: &facts.service_name,
        urgency,
        since: spoken_time(facts.created_at, &user.time_zone),
        others: beside.others.join(", "),
        why: match reason {
            Reason::Assigned if facts.assigned_via == AssignedVia::DirectAssignment => {
                "Somebody gave it to you by name.".to_owned()
            }
            Reason::Assigned => format!("The escalation policy {} brought it to you.", facts.policy_name),
            Reason::LastResort => format!(
                "The escalation policy {} reached nobody: nobody is on call, or no page could be delivered. You own this account, so it comes to you.",
                facts.policy_name
            ),
            Reason::Requested { message } if message.is_empty() => "Your help was asked for.".to_owned(),
            Reason::Requested { message } => format!("Your help was asked for: {message}"),
        },
        links: &beside.links,
        acknowledge: SECRET_LINK,
        room: site.room_url(facts.id.as_str()),
    };
    Ok(Words {
        subject,
        body: Plain { page: &page }.render()?,
        html: Some(unturned(Rich { page: &page }.render()?)),
    })
}

/// "Tue 17 Nov, 07:12 (Europe/London)", in the reader's own zone.
pub(super) fn spoken_time(at: Timestamp, time_zone: &str) -> String {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    format!("{} ({name})", at.to_zoned(zone).strftime("%a %-d %b, %H:%M"))
}
