//! A Muster held in the test's hand: one database, a clock that only moves when told to, and requests
//! that go through the real router.

mod browser;
mod build;
mod document;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use muster::access::model::{KeyKind, KeyScope};
use muster::access::store::{NewKey, add_key};
use muster::app::App;
use muster::app::migrations::MIGRATIONS;
use muster::app::router::router;
use muster::app::runner::run_due;
use muster::clock::{Clock, Simulated};
use muster::config::{Given, Settings};
use muster::outbox::sender::send_due;
use muster::people::store::{NewUser, add_user};
use muster::people::{Role, UserId};
use muster::timeline::Agent;
use serde_json::Value;
use store::Engine;
use store::testing::Database;
use tower::ServiceExt as _;

/// When every test begins: a Tuesday morning.
pub(crate) const START: &str = "2026-11-17T06:00:00Z";

pub(crate) use browser::Browser;
pub(crate) use build::Built;

pub(crate) struct TestApp {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Simulated,
    pub(crate) router: Router,
    pub(crate) owner: Person,
    pub(crate) database: Arc<Database>,
}

/// Somebody known to the test, with a user-level key.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) key: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}), status {}: {}", self.status, self.text))
    }

    /// Asserts success and gives the JSON (null for an empty answer).
    #[track_caller]
    pub(crate) fn good(&self) -> Value {
        assert!(self.status.is_success(), "status {}: {}", self.status, self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    #[track_caller]
    pub(crate) fn with_status(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }
}

impl TestApp {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with_settings(engine, settings()).await
    }

    pub(crate) async fn with_settings(engine: Engine, settings: Settings) -> Self {
        let database = store::testing::fresh(engine, MIGRATIONS).await;
        let clock = Clock::simulated(START.parse().unwrap());
        let Clock::Simulated(hand) = clock.clone() else {
            unreachable!()
        };
        let app = App::assemble(database.store.clone(), clock, settings)
            .await
            .unwrap();
        let owner = add_person(&app, "Maya Okafor", "maya@example.org", Role::Owner).await;
        Self {
            router: router(Arc::clone(&app)),
            app,
            clock: hand,
            owner,
            database: Arc::new(database),
        }
    }

    /// Another process on what this one has stored.
    pub(crate) async fn started_again(&self) -> Self {
        let clock = Clock::Simulated(self.clock.clone());
        let app = App::assemble(self.app.store.clone(), clock, self.app.settings.clone())
            .await
            .unwrap();
        Self {
            router: router(Arc::clone(&app)),
            app,
            clock: self.clock.clone(),
            owner: self.owner.clone(),
            database: Arc::clone(&self.database),
        }
    }

    pub(crate) async fn person(&self, name: &str, email: &str, role: Role) -> Person {
        add_person(&self.app, name, email, role).await
    }

    /// A request as the owner.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.as_person(&self.owner, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.as_person(&self.owner, Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.as_person(&self.owner, Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.as_person(&self.owner, Method::DELETE, path, None).await
    }

    pub(crate) async fn as_person(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Token token={}", person.key));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    /// A request with any key.
    pub(crate) async fn with_key(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let person = Person {
            key: key.to_owned(),
            ..self.owner.clone()
        };
        self.as_person(&person, method, path, body).await
    }

    /// Makes an account-level key of this scope.
    pub(crate) async fn account_key(&self, scope: &str) -> String {
        let body = serde_json::json!({ "api_key": { "name": "Program", "kind": "account", "scope": scope } });
        let made = self.post("/api_keys", body).await.with_status(201);
        made["api_key"]["key"].as_str().unwrap().to_owned()
    }

    /// Makes a team and gives its id.
    pub(crate) async fn team(&self, name: &str) -> String {
        let made = self
            .post("/teams", serde_json::json!({ "team": { "name": name } }))
            .await
            .with_status(201);
        made["team"]["id"].as_str().unwrap().to_owned()
    }

    /// Any request at all, without a key unless it carries one.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        };
        document::hold(&method, &uri, &answer);
        answer
    }

    /// Does everything that is due now, and what that makes due, until nothing is.
    pub(crate) async fn settle(&self) {
        for _ in 0..1_000 {
            let sent = send_due(&self.app).await.unwrap();
            if run_due(&self.app).await.unwrap() + sent == 0 {
                return;
            }
        }
        panic!("the jobs never come to rest");
    }

    /// Lets time pass in which nothing is done.
    pub(crate) fn pass_quietly(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Lets time pass in steps of at most ten seconds, doing what becomes due on the way.
    pub(crate) async fn pass(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(Duration::from_secs(10));
            self.clock.advance(step);
            left -= step;
            self.settle().await;
        }
    }
}

pub(crate) fn settings() -> Settings {
    Given {
        base_url: Some("https://muster.example.org".to_owned()),
        ..Given::default()
    }
    .check()
    .unwrap()
}

/// With a mail server that is never there: mails are owed to it and stay owed.
pub(crate) fn mailing() -> Settings {
    Given {
        base_url: Some("https://muster.example.org".to_owned()),
        smtp_url: Some("smtp://127.0.0.1:9".to_owned()),
        mail_from: Some("Muster <muster@example.org>".to_owned()),
        ..Given::default()
    }
    .check()
    .unwrap()
}

async fn add_person(app: &Arc<App>, name: &str, email: &str, role: Role) -> Person {
    let user = NewUser {
        name: name.to_owned(),
        email: email.to_owned(),
        role,
        time_zone: "Europe/London".to_owned(),
        color: "purple".to_owned(),
        job_title: None,
        description: None,
        password_hash: None,
    };
    let (id, key) = app
        .change(Agent::muster(), move |change| -> Result<_, store::Error> {
            let id = add_user(change, &user)?;
            let key = NewKey {
                kind: KeyKind::User,
                user_id: Some(id.clone()),
                name: "test".to_owned(),
                scope: KeyScope::Full,
            };
            let (_, key) = add_key(change, &key)?;
            Ok((id, key))
        })
        .await
        .unwrap();
    Person { id, key }
}
