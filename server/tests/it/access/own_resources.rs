//! Who may read and write what only Muster has, asked over HTTP by every role and held against the table of rules.

use std::fmt::Write as _;

use axum::http::Method;
use muster::access::model::{Action, Resource};
use muster::access::rules::{Grant, grant};
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;
use crate::pages::shown;
use crate::updates::{CUSTOMERS, draft, resolve};

/// One request, and what the table calls it.
struct Tried {
    action: Action,
    resource: Resource,
    method: Method,
    path: String,
    body: Option<Value>,
}

fn read(resource: Resource, path: String) -> Tried {
    Tried {
        action: Action::View,
        resource,
        method: Method::GET,
        path,
        body: None,
    }
}

fn write(action: Action, resource: Resource, method: Method, path: String, body: Value) -> Tried {
    Tried {
        action,
        resource,
        method,
        path,
        body: Some(body),
    }
}

async fn made(muster: &TestApp, path: &str, body: Value, name: &str) -> String {
    let answer = muster.post(path, body).await.with_status(201);
    answer[name]["id"].as_str().unwrap().to_owned()
}

/// A read and a write of each resource, on things that are there.
async fn tries(muster: &TestApp) -> Vec<Tried> {
    let shown = shown(muster).await;
    let incident = crate::pages::break_it(muster, &shown.built).await;
    let update = draft(muster, &incident, CUSTOMERS).await["id"].clone();
    let update = update.as_str().unwrap().to_owned();
    let page = muster.get("/outbox/sends?purposes[]=page").await.good();
    let send = page["sends"][0]["id"].as_str().unwrap().to_owned();
    let case = muster
        .case(json!({ "text": "The card reader says offline" }))
        .await;
    let case = case["id"].as_str().unwrap().to_owned();
    let location = json!({ "location": { "name": "Leeds", "kind": "site" } });
    let location = made(muster, "/locations", location, "location").await;
    let account = json!({ "account": { "name": "Hannah Whitcombe", "email": "hannah@example.org" } });
    let account = made(muster, "/accounts", account, "account").await;
    resolve(muster, &incident).await;
    let review = format!("/incidents/{incident}/review");
    muster.post(&review, Value::Null).await.good();

    let put = Method::PUT;
    vec![
        read(Resource::Case, format!("/cases/{case}")),
        write(
            Action::Create,
            Resource::Case,
            Method::POST,
            "/cases".to_owned(),
            json!({ "case": { "text": "I cannot pay by card" } }),
        ),
        write(
            Action::Change,
            Resource::Case,
            put.clone(),
            format!("/cases/{case}"),
            json!({ "case": { "text": "The card reader is offline" } }),
        ),
        read(Resource::Update, format!("/updates/{update}")),
        write(
            Action::Change,
            Resource::Update,
            put.clone(),
            format!("/updates/{update}"),
            json!({ "update": { "words": "Cards work again." } }),
        ),
        read(Resource::Review, review.clone()),
        write(
            Action::Change,
            Resource::Review,
            put.clone(),
            review,
            json!({ "incident_review": { "title": "The morning without cards" } }),
        ),
        read(Resource::Audience, format!("/audiences/{CUSTOMERS}")),
        write(
            Action::Change,
            Resource::Audience,
            put.clone(),
            format!("/audiences/{CUSTOMERS}"),
            json!({ "audience": { "cadence_minutes": 20 } }),
        ),
        read(Resource::Outbox, format!("/outbox/sends/{send}")),
        write(
            Action::Respond,
            Resource::Outbox,
            Method::POST,
            format!("/outbox/sends/{send}/retry"),
            Value::Null,
        ),
        read(Resource::Location, format!("/locations/{location}")),
        write(
            Action::Change,
            Resource::Location,
            put.clone(),
            format!("/locations/{location}"),
            json!({ "location": { "name": "Leeds Briggate" } }),
        ),
        read(Resource::Account, format!("/accounts/{account}")),
        write(
            Action::Change,
            Resource::Account,
            put.clone(),
            format!("/accounts/{account}"),
            json!({ "account": { "name": "Hannah Whitcombe-Lee" } }),
        ),
        read(Resource::StatusPage, format!("/status_pages/{}", shown.page)),
        write(
            Action::Change,
            Resource::StatusPage,
            put,
            format!("/status_pages/{}", shown.page),
            json!({ "status_page": { "name": "Larkfield shops" } }),
        ),
    ]
}

#[store::both_engines]
async fn every_role_is_answered_as_the_table_says(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let tries = tries(&muster).await;
    let mut people = Vec::new();
    for role in Role::ALL {
        let address = format!("{role:?}@example.org").to_lowercase();
        people.push((*role, muster.person(&format!("{role:?}"), &address, *role).await));
    }
    let mut table = format!("{:<22}", "");
    for (role, _) in &people {
        write!(table, "{:<12}", format!("{role:?}")).unwrap();
    }
    for tried in &tries {
        let words = format!("{:?} {:?}", tried.action, tried.resource);
        write!(table, "\n{words:<22}").unwrap();
        for (role, person) in &people {
            let answer = muster
                .as_person(person, tried.method.clone(), &tried.path, tried.body.clone())
                .await;
            muster.settle().await;
            let granted = grant(*role, tried.action, tried.resource) == Grant::Yes;
            assert_eq!(
                (answer.status.is_success(), answer.status.as_u16() == 403),
                (granted, !granted),
                "{words} as {role:?}: {} {}",
                answer.status,
                answer.text
            );
            write!(table, "{:<12}", answer.status.as_u16()).unwrap();
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("own_resources", table.join("\n"));
}
