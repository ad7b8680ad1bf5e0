//! `/docs`: the API's document as pages that a person reads, without any script.
//!
//! They are drawn from the same document that `/openapi.json` serves, which is generated from the code, so the
//! two cannot disagree. A contents page lists every operation; each chapter shows those about one thing with
//! their fields and answers. Nothing here is secret and nothing needs a key.

mod reading;

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::App;
use crate::console::page::{PageProblem, show};
use crate::http::Problem;
use reading::Chapter;

static CHAPTERS: LazyLock<Vec<Chapter>> = LazyLock::new(|| {
    let document = serde_json::to_value(super::router::document());
    document.map_or_else(
        |error| {
            tracing::error!("the API's document cannot be read: {error}");
            Vec::new()
        },
        |document| reading::chapters(&document),
    )
});

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/docs", get(contents))
        .route("/docs/{chapter}", get(chapter))
}

#[derive(Template)]
#[template(path = "manual/contents.html")]
struct Contents {
    chapters: &'static [Chapter],
}

#[derive(Template)]
#[template(path = "manual/chapter.html")]
struct Shown {
    chapters: &'static [Chapter],
    chapter: &'static Chapter,
}

async fn contents() -> Response {
    show(&Contents { chapters: &CHAPTERS })
}

async fn chapter(Path(name): Path<String>) -> Response {
    let found = CHAPTERS.iter().find(|chapter| chapter.slug == name);
    match found {
        Some(chapter) => show(&Shown {
            chapters: &CHAPTERS,
            chapter,
        }),
        None => PageProblem::from(Problem::not_found("This chapter")).into_response(),
    }
}
