//! The routes of the console that belong to no slice: assets, signing in and out, the live stream, the kit.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::frame::{Place, Situation, SituationBar};
use super::page::{PageProblem, Visitor, show};
use super::screens::kit::Kit;
use super::{assets, passwords, sign_in, stream};
use crate::app::App;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/assets/{version}/{*path}", get(asset))
        .route("/console/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .merge(passwords::routes())
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/live", get(stream::live))
        .route("/console/situation", get(situation))
        .route("/console/kit", get(kit))
}

/// A file for the browser; for ever when its address carries the present version.
async fn asset(Path((version, path)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = assets::get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kept = if version == assets::version() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let common = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, kept),
        (header::ETAG, asset.etag.as_str()),
        (header::VARY, "accept-encoding"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let asked = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if asked(header::IF_NONE_MATCH) == asset.etag {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    match &asset.gzip {
        Some(gzip) if asked(header::ACCEPT_ENCODING).contains("gzip") => {
            (common, [(header::CONTENT_ENCODING, "gzip")], gzip.as_slice()).into_response()
        }
        _ => (common, asset.bytes.as_slice()).into_response(),
    }
}

/// The situation bar alone, when the stream has said that it changed.
async fn situation(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let situation = super::places::situation::of(&app, &visitor.0).await?;
    Ok(show(&SituationBar {
        situation: &situation,
    }))
}

async fn kit(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    show(&Kit::new(visitor.frame(
        &app,
        Place::Settings,
        "Kit",
        Situation::calm(),
    )))
}
