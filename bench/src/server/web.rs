//! A small client for one program on loopback, with connections that are kept open.

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Where requests go, and as whom.
#[derive(Clone)]
pub(super) struct Web {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: Option<(&'static str, String)>,
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", self.text()))
    }
}

impl Web {
    fn new(port: u16, authorization: Option<(&'static str, String)>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            base: format!("http://127.0.0.1:{port}"),
            authorization,
        }
    }

    /// With an API key.
    pub(super) fn to(port: u16, api_key: &str) -> Self {
        Self::new(port, Some(("authorization", format!("Token token={api_key}"))))
    }

    /// As anybody.
    pub(super) fn plain(port: u16) -> Self {
        Self::new(port, None)
    }

    /// As somebody who is signed in.
    pub(super) fn with_cookie(port: u16, cookie: &str) -> Self {
        Self::new(port, Some(("cookie", cookie.to_owned())))
    }

    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", content_type);
        if let Some((name, value)) = &self.authorization {
            request = request.header(*name, value);
        }
        let answer = self.client.request(request.body(Full::new(body))?).await?;
        let (parts, body) = answer.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Method::GET, path, "application/json", Bytes::new())
            .await
    }

    /// Posts JSON and expects success.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self
            .ask(
                Method::POST,
                path,
                "application/json",
                Bytes::from(body.to_string()),
            )
            .await?;
        anyhow::ensure!(
            (200..300).contains(&answer.status),
            "POST {path} answered {}: {}",
            answer.status,
            answer.text()
        );
        answer.json()
    }
}
