//! What answers at an address that nothing stands at: a page for a person, the dialect's refusal for a program.

use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::console::page::PageProblem;
use crate::http::Problem;
use crate::pages::public;

pub(super) async fn answer(uri: Uri, headers: HeaderMap) -> Response {
    let wants_a_page = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"));
    if !wants_a_page {
        Problem::not_found("The address").into_response()
    } else if uri.path().starts_with("/console") {
        PageProblem::from(Problem::not_found("The page")).into_response()
    } else {
        public::not_found()
    }
}
