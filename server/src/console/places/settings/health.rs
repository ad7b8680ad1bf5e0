//! Whether Muster itself is well.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use store::Tx;

use super::super::go_to;
use super::{From, page, row, table, title, words};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Reading, counted};
use crate::console::screens::settings::{Button, Cell, SettingsPart, Weight};
use crate::http::{Path, Problem};
use crate::outbox::store as outbox;
use crate::signals::passed_over as events;

const HERE: &str = "/console/settings/health";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(HERE, get(show))
        .route("/console/settings/health/events/{id}/again", post(take_again))
        .route("/console/settings/health/events/{id}/remove", post(let_go))
}

async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let settings = app.settings.clone();
    page(
        &app,
        &visitor,
        "Health",
        "Whether Muster itself is well.",
        move |tx, reading, caller| {
            let jobs = crate::jobs::store::count(tx)?;
            let waiting: i64 = outbox::open_counts(tx)?
                .into_iter()
                .map(|(_, _, count)| count)
                .sum();
            let mut parts = vec![SettingsPart::Facts {
                title: "This Muster".to_owned(),
                facts: vec![
                    ("Version".to_owned(), env!("CARGO_PKG_VERSION").into()),
                    ("Reached at".to_owned(), settings.base_url.clone().into()),
                    (
                        "Work that waits its turn".to_owned(),
                        counted(jobs.unsigned_abs(), "job", "jobs").into(),
                    ),
                    (
                        "Messages on their way".to_owned(),
                        counted(waiting.unsigned_abs(), "message", "messages").into(),
                    ),
                ],
            }];
            if settings.mail.is_none() {
                parts.push(SettingsPart::Problem {
                    title: "Mail is not set up".to_owned(),
                    words: "Pages by e-mail wait in the outbox. Set MUSTER_SMTP_URL and MUSTER_MAIL_FROM."
                        .to_owned(),
                });
            }
            parts.extend(passed_over(tx, reading, caller)?);
            Ok(parts)
        },
    )
    .await
}

/// The events that were accepted and could not be taken, if there are any.
fn passed_over(tx: &mut Tx, reading: &Reading, caller: &Caller) -> Result<Option<SettingsPart>, Problem> {
    let found = events::rows(tx, From::everybody())?;
    if found.is_empty() {
        return Ok(None);
    }
    let may_change = caller.may(Action::Change, Resource::Settings);
    let mut columns = vec!["Event", "Why", "When"];
    if may_change {
        columns.push("");
    }
    let rows = found
        .iter()
        .map(|one| {
            let to = |what: &str| format!("/console/settings/health/events/{}/{what}", one.id());
            let mut cells = vec![
                title(one.summary(), ""),
                words(one.reason.clone()),
                Cell::Moment(reading.ago(one.at)),
            ];
            if may_change {
                let question = "Let this event go for good?".to_owned();
                cells.push(Cell::Buttons(vec![
                    Button::post("Take it again", to("again"), Weight::Plain),
                    Button::post("Let it go", to("remove"), Weight::Danger(question)),
                ]));
            }
            row("event", &one.id(), cells)
        })
        .collect();
    Ok(Some(table(
        "Events that were accepted and could not be taken",
        columns,
        rows,
        "",
    )))
}

async fn take_again(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    events::take_again(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to(HERE))
}

async fn let_go(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    events::let_go(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to(HERE))
}
