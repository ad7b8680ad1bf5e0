//! The outbox: everything that was sent or waits to be, newest first.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{From, long_table, page, row, title, words};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::console::prelude::{Reading, Rich, State as Shape, StateMark};
use crate::console::screens::settings::{Cell, TableRow};
use crate::http::Query;
use crate::outbox::model::{Channel, Send, State as Sending};
use crate::outbox::store::{Filter, list as sends};

/// Letters of a message that are shown in the list.
const BEGINNING: usize = 160;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/outbox", get(list))
        .route("/console/outbox", get(list))
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let base = app.site.url("/");
    let below = "Everything that was sent or waits to be, newest first.";
    page(&app, &visitor, "Outbox", below, move |tx, reading, _| {
        let asked = from.page();
        let rows = sends(tx, &Filter::default(), asked)?
            .into_iter()
            .map(|sent| sent_row(sent, &base, reading))
            .collect();
        let columns = vec!["What", "To", "By", "State", "When"];
        let empty = "Pages, answers and updates stand here as soon as one is owed.";
        let address = (asked, "/console/settings/outbox");
        Ok(vec![long_table(
            "Sent and waiting",
            columns,
            rows,
            address,
            empty,
        )])
    })
    .await
}

/// What became of a message.
pub(super) fn mark_of(sent: &Send) -> StateMark {
    match sent.state {
        Sending::Sent => Shape::Resolved.says("Sent"),
        Sending::Shown => Shape::Unknown.says("In the outbox only"),
        Sending::Failed => {
            Shape::Triggered.says(sent.last_error.clone().unwrap_or_else(|| "Failed".to_owned()))
        }
        Sending::Cancelled => Shape::Unknown.says("Withdrawn"),
        Sending::Owed | Sending::Sending => Shape::Acknowledged.says("Waits"),
    }
}

/// As much as the list has room for.
fn cut(text: &str) -> String {
    let mut beginning: String = text.chars().take(BEGINNING).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}

/// What a message says beyond its subject; addresses in it are for whoever it was sent to.
fn gist(body: &str, subject: &str) -> String {
    let says_more = |line: &&str| {
        let line = line.trim();
        !subject.contains(line) && !line.contains("://") && !line.starts_with('(')
    };
    let lines: Vec<&str> = body.lines().filter(says_more).collect();
    lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The whole message; addresses of this Muster in it are links, those of others stay words.
fn with_links(body: &str, base: &str) -> Rich {
    body.split_inclusive(char::is_whitespace)
        .fold(Rich::default(), |rich, word| {
            let address = word.trim_end();
            if address.starts_with(base) {
                let space = &word[address.len()..];
                rich.link(address, address).then(space)
            } else {
                rich.then(word)
            }
        })
}

fn sent_row(sent: Send, base: &str, reading: &Reading) -> TableRow {
    let state = mark_of(&sent);
    let body = sent.shown_body();
    let beginning = cut(&gist(&body, &sent.subject));
    let cells = vec![
        Cell::Message {
            subject: sent.subject,
            beginning,
            whole: with_links(&body, base),
        },
        title(sent.recipient_name, sent.address),
        words(match sent.channel {
            Channel::Email => "E-mail",
            Channel::Webhook => "Webhook",
            Channel::Outbox => "Nothing",
        }),
        Cell::State(state),
        Cell::Moment(reading.ago(sent.created_at)),
    ];
    row("send", sent.id.as_str(), cells)
}
