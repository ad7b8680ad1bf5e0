//! A page that somebody asks for to see how Muster reaches them. It travels as a real page does, at once and by the
//! same channel, and says that nothing is broken.

use jiff::Timestamp;
use store::Tx;

use super::message::spoken_time;
use super::rules::{Length, Target};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Site};
use crate::outbox::model::Send;
use crate::outbox::store::{Filter, list};
use crate::outbox::{self, NewSend, Purpose, Recipient, SendId};
use crate::people::User;
use crate::people::model::ContactMethod;
use crate::timeline::Change;

/// Pages of one person among which the latest trials are looked for.
const LOOKED_AT: i64 = 100;

/// A trial is asked for once within so many seconds; asked again, it is the same one.
const APART_SECONDS: i64 = 30;

fn key_prefix(method: &ContactMethod) -> String {
    format!("trial:{}:", method.id)
}

/// Owes somebody a page by one of their contact methods.
pub fn owe(change: &mut Change, site: &Site, user: &User, method: &ContactMethod) -> Result<SendId, Problem> {
    let target = Target::from(method);
    let recipient = Recipient {
        name: user.name.clone(),
        address: target.address.clone(),
        user_id: Some(user.id.clone()),
    };
    let turn = change.now.as_second() / APART_SECONDS;
    let send = NewSend::new(
        Purpose::Page,
        target.channel,
        recipient,
        format!("{}{turn}", key_prefix(method)),
        change.now,
    )
    .words(
        "[Test] This is how Muster pages you",
        words(site, user, &target, change.now),
    );
    Ok(outbox::owe(change, &send)?)
}

fn words(site: &Site, user: &User, target: &Target, now: Timestamp) -> String {
    if target.length == Length::Short {
        return "A test page. Nothing is broken.\n".to_owned();
    }
    format!(
        "Hello {},\n\nthis is a test page. Nothing is broken, and there is nothing to acknowledge.\n\n\
         You asked for it at {}. If it came late, or to the wrong place, change how you are paged:\n{}\n",
        user.name,
        spoken_time(now, &user.time_zone),
        site.url("/console/settings/me"),
    )
}

/// The latest trial of each of somebody's contact methods.
pub fn latest(
    tx: &mut Tx,
    user: &User,
    methods: &[ContactMethod],
) -> Result<Vec<(ContactMethod, Option<Send>)>, Problem> {
    let filter = Filter {
        user_id: Some(user.id.clone()),
        purposes: vec![Purpose::Page],
        ..Filter::default()
    };
    let page = Page {
        limit: LOOKED_AT,
        offset: 0,
        counted: Counted::No,
    };
    let sends = list(tx, &filter, page)?;
    Ok(methods
        .iter()
        .map(|method| {
            let prefix = key_prefix(method);
            let last = sends
                .iter()
                .find(|send| send.idempotency_key.starts_with(&prefix))
                .cloned();
            (method.clone(), last)
        })
        .collect())
}
