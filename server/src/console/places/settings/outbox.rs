//! The outbox: everything that was sent or waits to be, newest first.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;

use super::{From, long_table, page, row, title, words};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Reading, Rich, State as Shape, StateMark};
use crate::console::screens::settings::{Button, Cell, SettingsPart, TableRow, Weight};
use crate::http::{Query, Site};
use crate::outbox::model::{Channel, Send, State as Sending};
use crate::outbox::store::{Filter, list as sends};
use crate::outbox::{api, signing};

const SIGNING_SECRET: &str = "/console/settings/outbox/signing-secret";
/// Letters of a message that are shown in the list.
const BEGINNING: usize = 160;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/outbox", get(list))
        .route("/console/outbox", get(list))
        .route(SIGNING_SECRET, post(show_secret))
        .route(
            "/console/settings/outbox/signing-secret/rotate",
            post(rotate_secret),
        )
}

const BELOW: &str = "Everything that was sent or waits to be, newest first.";

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    draw(&app, &visitor, from, None).await
}

/// The page; with the secret that webhooks are signed with, where somebody has just asked for it.
async fn draw(
    app: &Arc<App>,
    visitor: &Visitor,
    from: From,
    secret: Option<String>,
) -> Result<Response, PageProblem> {
    let site = app.site.clone();
    page(app, visitor, "Outbox", BELOW, move |tx, reading, caller| {
        let asked = from.page();
        let rows = sends(tx, &Filter::default(), asked)?
            .into_iter()
            .map(|sent| sent_row(sent, reading, &site))
            .collect();
        let columns = vec!["What", "To", "By", "State", "When"];
        let empty = "Pages, answers and updates stand here as soon as one is owed.";
        let address = (asked, "/console/settings/outbox");
        let mut parts: Vec<SettingsPart> = secret
            .iter()
            .map(|secret| SettingsPart::Secret {
                id: "signing-secret",
                title: "The secret that webhooks are signed with".to_owned(),
                words: "Give it to the receivers. That you saw it is in the audit log.".to_owned(),
                secret: secret.clone(),
            })
            .collect();
        parts.push(long_table("Sent and waiting", columns, rows, address, empty));
        if caller.may(Action::Change, Resource::Settings) {
            let until = signing::old_is_valid_until(tx, reading.now)?;
            parts.extend(signing_parts(until, reading));
        }
        Ok(parts)
    })
    .await
}

/// What can be done about the secret that webhooks are signed with.
fn signing_parts(old_until: Option<Timestamp>, reading: &Reading) -> [SettingsPart; 2] {
    let overlap = match old_until {
        Some(until) => format!("The one before signs too until {}.", reading.clock_words(until)),
        None => "After a change the one before signs too, for a day.".to_owned(),
    };
    let question = "Make another secret? Receivers must be given it within a day.".to_owned();
    [
        SettingsPart::Act {
            title: "How webhooks are signed".to_owned(),
            words: "Each webhook carries a signature, by which its receiver knows that it is from here."
                .to_owned(),
            button: Button::post("Show the secret", SIGNING_SECRET, Weight::Plain),
        },
        SettingsPart::Act {
            title: "Another secret".to_owned(),
            words: overlap,
            button: Button::post(
                "Make another",
                format!("{SIGNING_SECRET}/rotate"),
                Weight::Danger(question),
            ),
        },
    ]
}

async fn show_secret(State(app): State<Arc<App>>, posted: Posted<Nothing>) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    let answer = api::show_signing_secret(State(Arc::clone(&app)), visitor.0.clone()).await?;
    draw(&app, &visitor, From::default(), Some(answer.0.signing_secret)).await
}

async fn rotate_secret(
    State(app): State<Arc<App>>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    let answer = api::rotate_signing_secret(State(Arc::clone(&app)), visitor.0.clone()).await?;
    draw(&app, &visitor, From::default(), Some(answer.0.signing_secret)).await
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

/// As much as the list has room for, to the end of a word.
fn cut(text: &str) -> String {
    let beginning: String = text.chars().take(BEGINNING).collect();
    if beginning.len() == text.len() {
        return beginning;
    }
    let words = beginning
        .rsplit_once(char::is_whitespace)
        .map(|(words, _)| words)
        .filter(|words| words.len() > beginning.len() / 2)
        .unwrap_or(&beginning);
    let told = words.trim_end_matches(|letter: char| !letter.is_alphanumeric());
    format!("{told}…")
}

/// What a message says beyond its subject; addresses in it are for whoever it was sent to.
fn gist(body: &str, subject: &str) -> String {
    let says_more = |line: &&str| {
        let line = line.trim();
        !subject.contains(line) && !line.contains("://") && !line.starts_with('(')
    };
    let lines: Vec<&str> = body.lines().filter(says_more).collect();
    let lines = lines
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join(" · ")
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

fn sent_row(sent: Send, reading: &Reading, site: &Site) -> TableRow {
    let state = mark_of(&sent);
    let body = sent.shown_body(site.vault());
    let beginning = cut(&gist(&body, &sent.subject));
    let cells = vec![
        Cell::Message {
            subject: sent.subject,
            beginning,
            whole: with_links(&body, &site.url("/")),
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
