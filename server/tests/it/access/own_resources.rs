//! Who may read and write what only Muster has, and who may delete what, asked over HTTP by every role and held against
//! the table of rules.

use std::fmt::Write as _;

use axum::http::Method;
use muster::access::model::{Action, Resource};
use muster::access::rules::{Grant, grant};
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;
use crate::oncall::daily;
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

/// What each role is asked to delete; each of them has one of its own.
const DELETED: [Resource; 12] = [
    Resource::Service,
    Resource::BusinessService,
    Resource::EscalationPolicy,
    Resource::Schedule,
    Resource::Override,
    Resource::MaintenanceWindow,
    Resource::User,
    Resource::Team,
    Resource::Location,
    Resource::Account,
    Resource::Audience,
    Resource::StatusPage,
];

/// A thing that nothing else needs, by its address.
async fn spare(muster: &TestApp, resource: Resource, role: Role) -> String {
    let name = format!("{role:?}");
    let slug = name.to_lowercase();
    let (list, wrapper, body) = match resource {
        Resource::Service => {
            let built = muster.service(&name).build().await;
            return format!("/services/{}", built.service_id);
        }
        Resource::User => {
            let address = format!("leaver-of-{slug}@example.org");
            let leaver = muster.person("Leaver", &address, Role::Responder).await;
            return format!("/users/{}", leaver.id);
        }
        Resource::Override => {
            let rota = daily(&format!("{name} overridden"), &[muster.owner.id.as_str()]);
            let rota = made(muster, "/schedules", rota, "schedule").await;
            let rota = format!("/schedules/{rota}/overrides");
            let turn = json!({ "overrides": [{
                "start": "2026-11-18T12:00:00Z", "end": "2026-11-18T13:00:00Z",
                "user": { "id": muster.owner.id, "type": "user_reference" },
            }] });
            let answer = muster.post(&rota, turn).await.with_status(201);
            return format!("{rota}/{}", answer[0]["override"]["id"].as_str().unwrap());
        }
        Resource::MaintenanceWindow => {
            let built = muster.service(&format!("{name} in maintenance")).build().await;
            let window = json!({
                "start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-01T01:00:00Z",
                "services": [{ "id": built.service_id, "type": "service_reference" }],
            });
            ("/maintenance_windows", "maintenance_window", window)
        }
        Resource::EscalationPolicy => {
            let targets = json!([{ "id": muster.owner.id, "type": "user_reference" }]);
            let rules = json!([{ "escalation_delay_in_minutes": 30, "targets": targets }]);
            let policy = json!({ "name": name, "escalation_rules": rules });
            ("/escalation_policies", "escalation_policy", policy)
        }
        Resource::Schedule => {
            let rota = daily(&name, &[muster.owner.id.as_str()])["schedule"].clone();
            ("/schedules", "schedule", rota)
        }
        Resource::BusinessService => ("/business_services", "business_service", json!({ "name": name })),
        Resource::Team => ("/teams", "team", json!({ "name": name })),
        Resource::Location => ("/locations", "location", json!({ "name": name, "kind": "site" })),
        Resource::Account => ("/accounts", "account", json!({ "name": name })),
        Resource::Audience => ("/audiences", "audience", json!({ "name": name })),
        Resource::StatusPage => (
            "/status_pages",
            "status_page",
            json!({ "name": name, "slug": slug }),
        ),
        other => unreachable!("{other:?} is not deleted here"),
    };
    let answer = muster.post(list, json!({ wrapper: body })).await.good();
    format!("{list}/{}", answer[wrapper]["id"].as_str().unwrap())
}

#[store::both_engines]
async fn who_deletes_is_answered_as_the_table_says(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let mut people = Vec::new();
    for role in Role::ALL {
        let address = format!("{role:?}@example.org").to_lowercase();
        people.push((*role, muster.person(&format!("{role:?}"), &address, *role).await));
    }
    let mut table = format!("{:<26}", "");
    for (role, _) in &people {
        write!(table, "{:<12}", format!("{role:?}")).unwrap();
    }
    for resource in DELETED {
        let words = format!("Delete {resource:?}");
        write!(table, "\n{words:<26}").unwrap();
        for (role, person) in &people {
            let path = spare(&muster, resource, *role).await;
            let answer = muster.as_person(person, Method::DELETE, &path, None).await;
            let granted = grant(*role, Action::Delete, resource) == Grant::Yes;
            let wanted = if granted { 204 } else { 403 };
            assert_eq!(
                answer.status.as_u16(),
                wanted,
                "{words} as {role:?}: {}",
                answer.text
            );
            // An override is shown in its schedule alone, and none of it is deleted twice.
            let again = muster.delete(&path).await.status.as_u16();
            assert_eq!(again, if granted { 404 } else { 204 }, "{words} after {role:?}");
            write!(table, "{wanted:<12}").unwrap();
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("deleted", table.join("\n"));
}
