//! What answers at an address that nothing stands at: a page for a person, the dialect's refusal for a program.

use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::console::page::PageProblem;
use crate::http::Problem;
use crate::pages::public;

fn wants_a_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"))
}

/// There is such an address, but it does not answer this method. Whoever renews the page of a refused form stands at the
/// form's own address, and is led to the page above it.
pub(super) async fn refuse_method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method == Method::GET
        && wants_a_page(&headers)
        && let Some((above, _)) = uri.path().rsplit_once('/')
        && above.starts_with("/console")
    {
        return Redirect::to(above).into_response();
    }
    let problem = Problem::method_not_allowed(method.as_str());
    if wants_a_page(&headers) {
        PageProblem::from(problem).into_response()
    } else {
        problem.into_response()
    }
}

pub(super) async fn answer(uri: Uri, headers: HeaderMap) -> Response {
    if !wants_a_page(&headers) {
        Problem::not_found("The address").into_response()
    } else if uri.path().starts_with("/console") {
        PageProblem::from(Problem::not_found("The page")).into_response()
    } else {
        public::not_found()
    }
}
