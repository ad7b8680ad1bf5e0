//! All routes in one place, and the OpenAPI document that is generated from them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use tower_http::normalize_path::NormalizePath;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa_axum::router::OpenApiRouter;

use super::App;
use crate::http::body::LARGEST_BODY;

#[derive(OpenApi)]
#[openapi(info(
    title = "Muster",
    description = "The API of Muster: the field's REST dialect (version 2), Events version 2, and Muster's own resources by the same conventions."
))]
struct Documented;

/// The endpoints that are described in the OpenAPI document.
fn documented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Documented::openapi())
        .merge(crate::signals::api::routes())
        .merge(crate::signals::passed_over::routes())
        .merge(crate::orchestration::api::routes())
        .merge(crate::incidents::api::routes())
        .merge(crate::customers::routes())
        .merge(crate::services::api::routes())
        .merge(crate::access::api::routes())
        .merge(crate::people::api::routes())
        .merge(crate::outbox::api::routes())
        .merge(crate::oncall::api::routes())
        .merge(crate::cases::api::routes())
        .merge(crate::impact::api::routes())
        .merge(crate::desk::routes())
        .merge(crate::reviews::api::routes())
        .merge(crate::updates::routes())
        .merge(crate::pages::routes())
}

/// The document itself.
pub fn document() -> Document {
    completed(documented().split_for_parts().1)
}

/// Adds what belongs to all operations alike: how a caller proves who they are, and a name for each
/// operation that no other has.
fn completed(mut document: Document) -> Document {
    let key = ApiKeyValue::with_description(
        "authorization",
        "`Token token=` and an API key, or `Bearer ` and an API key",
    );
    let mut of_integration = |name: &str, scheme, words: &str| {
        let scheme = HttpBuilder::new().scheme(scheme).description(Some(words));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme(name, SecurityScheme::Http(scheme.build()));
    };
    of_integration(
        "integration_key_as_token",
        HttpAuthScheme::Bearer,
        "The integration's key, as `authorization: Bearer KEY`",
    );
    of_integration(
        "integration_key_as_password",
        HttpAuthScheme::Basic,
        "The integration's key as the password, with any user name",
    );
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    document.security = Some(vec![SecurityRequirement::new("api_key", Vec::<String>::new())]);
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                let words = path.split(|letter: char| !letter.is_ascii_alphanumeric());
                let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                operation.operation_id = Some(format!("{method}_{}", words.join("_")));
            }
        }
    }
    document
}

fn routes(app: Arc<App>) -> Router {
    let (api, document) = documented().split_for_parts();
    let document = Arc::new(completed(document));
    let api = api.layer(axum::middleware::from_fn(crate::http::instants::show));
    api.route(
        "/openapi.json",
        axum::routing::get(move || async move { axum::Json((*document).clone()) }),
    )
    .route("/", axum::routing::get(|| async { Redirect::to("/console") }))
    .route("/health/live", axum::routing::get(|| async { "ok\n" }))
    .route("/health/ready", axum::routing::get(ready))
    .route("/metrics", axum::routing::get(super::metrics::answer))
    .merge(super::manual::routes())
    .merge(crate::paging::page::routes())
    .merge(crate::pages::public::routes())
    .merge(crate::console::routes::routes())
    .merge(crate::desk::form::routes())
    .merge(
        crate::console::places::routes().layer(axum::middleware::from_fn_with_state(
            Arc::clone(&app),
            crate::console::once::remember,
        )),
    )
    .fallback(super::elsewhere::answer)
    .method_not_allowed_fallback(super::elsewhere::refuse_method)
    .layer(DefaultBodyLimit::max(LARGEST_BODY))
    .layer(axum::middleware::from_fn_with_state(
        Arc::clone(&app),
        super::front::pass,
    ))
    .with_state(app)
}

/// Every route, also where a client ends its address with a slash.
pub fn router(app: Arc<App>) -> Router {
    Router::new().fallback_service(NormalizePath::trim_trailing_slash(routes(app)))
}

/// "ready" comes first, for programs; what a person has to mend stands behind it.
fn ready_words(clock_set_back: Option<Duration>) -> String {
    match clock_set_back {
        None => "ready\n".to_owned(),
        Some(by) => format!(
            "ready\nthe machine's clock was set back {} min; if the clock is right now, start Muster again\n",
            by.as_secs().div_ceil(60)
        ),
    }
}

/// 200 as soon as events are accepted; 503 while the database cannot be written to.
async fn ready(State(app): State<Arc<App>>) -> impl IntoResponse {
    let checked = match app.journal.leaves.check().await {
        Ok(()) => app.store.check().await,
        Err(error) => Err(error),
    };
    match checked {
        Ok(()) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/plain")],
            ready_words(crate::clock::set_back()),
        ),
        Err(error) => {
            tracing::warn!("not ready: {error}");
            let words = "not ready: the database cannot be written to\n".to_owned();
            (
                StatusCode::SERVICE_UNAVAILABLE,
                [(header::CONTENT_TYPE, "text/plain")],
                words,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_ready_says_that_its_clock_was_set_back() {
        assert_eq!(ready_words(None), "ready\n");
        let words = ready_words(Some(Duration::from_secs(61)));
        assert!(
            words.starts_with("ready\n") && words.contains("set back 2 min"),
            "{words}"
        );
    }
}
