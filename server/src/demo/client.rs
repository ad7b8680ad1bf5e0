//! The demo's way in: the API, spoken to inside the process.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::app::App;
use crate::app::router::router;

/// Somebody with a key.
#[derive(Clone)]
pub(super) struct Client {
    router: Router,
    key: String,
}

impl Client {
    pub(super) fn new(app: &Arc<App>, key: String) -> Self {
        Self {
            router: router(Arc::clone(app)),
            key,
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The same door, as somebody else.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self {
            router: self.router.clone(),
            key: key.to_owned(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Makes something and returns its id: `wrapper` is the key of both the request and the answer.
    pub(super) async fn make(&self, path: &str, wrapper: &str, resource: Value) -> anyhow::Result<String> {
        let answer = self.post(path, serde_json::json!({ wrapper: resource })).await?;
        answer[wrapper]["id"]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| anyhow::anyhow!("POST {path} answered without an id: {answer}"))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::AUTHORIZATION, format!("Token token={}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 16 * 1024 * 1024).await?;
        let text = String::from_utf8_lossy(&bytes);
        anyhow::ensure!(status.is_success(), "{method} {path} answered {status}: {text}");
        if text.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
        }
    }
}
