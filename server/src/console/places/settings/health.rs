//! Whether Muster itself is well.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::page;
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::console::prelude::counted;
use crate::console::screens::settings::SettingsPart;
use crate::outbox::store as outbox;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/settings/health", get(show))
}

async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let settings = app.settings.clone();
    page(
        &app,
        &visitor,
        "Health",
        "Whether Muster itself is well.",
        move |tx, _, _| {
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
                        "Things owed".to_owned(),
                        counted(jobs.unsigned_abs(), "job", "jobs").into(),
                    ),
                    (
                        "Waiting to be sent".to_owned(),
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
            Ok(parts)
        },
    )
    .await
}
