//! Incidents, alerts and requests to join, as clients change them.

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::{by_program, the_incident};
use crate::harness::TestApp;

fn code(answer: &Value) -> &Value {
    &answer["error"]["code"]
}

#[store::both_engines]
async fn with_an_account_key_incidents_are_changed_in_somebodys_name_only(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let id = the_incident(&muster).await;
    let key = muster.account_key("full").await;
    let one = format!("/incidents/{id}");
    let acknowledged = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
    let new = json!({ "incident": { "title": "x", "service": { "id": built.service_id } } });
    let target = json!({ "responder_request_target": { "id": muster.owner.id, "type": "user_reference" } });
    let asked = json!({ "message": "Help", "responder_request_targets": [target] });
    for (method, path, body) in [
        (Method::POST, "/incidents".to_owned(), new),
        (
            Method::PUT,
            "/incidents".to_owned(),
            json!({ "incidents": [{ "id": id, "status": "acknowledged" }] }),
        ),
        (Method::PUT, one.clone(), acknowledged.clone()),
        (Method::POST, format!("{one}/snooze"), json!({ "duration": 60 })),
        (
            Method::PUT,
            format!("{one}/merge"),
            json!({ "source_incidents": [{ "id": id }] }),
        ),
        (
            Method::POST,
            format!("{one}/notes"),
            json!({ "note": { "content": "x" } }),
        ),
        (Method::POST, format!("{one}/responder_requests"), asked),
        (
            Method::POST,
            format!("{one}/status_updates"),
            json!({ "message": "x" }),
        ),
        (Method::PUT, format!("{one}/alerts"), json!({ "alerts": [] })),
    ] {
        let refused = by_program(&muster, &key, None, (method, &path, body)).await;
        assert_eq!(code(&refused.with_status(400)), 2011, "{path}");
    }
    let maya = Some("maya@example.org");
    by_program(&muster, &key, maya, (Method::PUT, &one, acknowledged))
        .await
        .good();
    let note = json!({ "note": { "content": "Rolling back" } });
    let noted = by_program(&muster, &key, maya, (Method::POST, &format!("{one}/notes"), note)).await;
    assert_eq!(noted.good()["note"]["user"]["summary"], "Maya Okafor");
    let incident = muster.get(&one).await.good();
    let by = &incident["incident"]["acknowledgements"][0]["acknowledger"];
    assert_eq!(
        (&by["type"], &by["summary"]),
        (&json!("user_reference"), &json!("Maya Okafor"))
    );
}

#[store::both_engines]
async fn what_else_an_account_key_writes_needs_no_name(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let key = muster.account_key("full").await;
    let ben = json!({ "user": { "name": "Ben", "email": "ben@example.org", "role": "user" } });
    let window = json!({ "maintenance_window": {
        "start_time": "2026-11-18T00:00:00Z", "end_time": "2026-11-18T02:00:00Z",
        "services": [{ "id": built.service_id, "type": "service_reference" }],
    } });
    for (path, body) in [
        ("/users", ben),
        ("/maintenance_windows", window),
        ("/teams", json!({ "team": { "name": "Payments" } })),
    ] {
        by_program(&muster, &key, None, (Method::POST, path, body))
            .await
            .with_status(201);
    }
    by_program(&muster, &key, None, (Method::GET, "/incidents", json!({})))
        .await
        .good();
}

#[store::both_engines]
async fn what_an_integration_acknowledged_its_service_did(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    muster
        .enqueue(&built, "acknowledge", "till-1", "Terminal silent")
        .await
        .with_status(202);
    muster.take_signals().await;
    let id = the_incident(&muster).await;
    let incident = muster.get(&format!("/incidents/{id}")).await.good();
    let by = &incident["incident"]["acknowledgements"][0]["acknowledger"];
    assert_eq!(
        (&by["type"], &by["summary"]),
        (&json!("service_reference"), &json!("tills"))
    );
}

#[store::both_engines]
async fn each_target_of_a_request_lists_its_own_and_a_request_can_be_taken_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let rita = muster.person("Rita", "rita@example.org", Role::Responder).await;
    let olive = muster.person("Olive", "olive@example.org", Role::Responder).await;
    let other = muster
        .service("network")
        .levels(vec![vec![olive.id]])
        .build()
        .await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let id = the_incident(&muster).await;
    let requests = format!("/incidents/{id}/responder_requests");
    let user = json!({ "responder_request_target": { "id": rita.id, "type": "user_reference" } });
    let policy = json!({ "responder_request_target": { "id": other.policy_id, "type": "escalation_policy_reference" } });
    let asked = |requester: &str| {
        json!({
            "requester_id": requester, "message": "Please help",
            "responder_request_targets": [user, policy],
        })
    };
    let unknown = muster.post(&requests, asked("PNOPE")).await.with_status(400);
    assert_eq!(code(&unknown), 1008);
    let made = muster
        .post(&requests, asked(muster.owner.id.as_str()))
        .await
        .good();
    let made = &made["responder_request"];
    assert_eq!(made["requester"]["summary"], "Maya Okafor");
    assert_eq!(made["incident"]["summary"], "[#1] Terminal silent");
    let names = |target: &Value| -> Vec<String> {
        let asked = target["incident_responders"].as_array().unwrap();
        asked
            .iter()
            .map(|one| one["user"]["summary"].as_str().unwrap().to_owned())
            .collect()
    };
    let targets = &made["responder_request_targets"];
    assert_eq!(names(&targets[0]), ["Rita"]);
    assert_eq!(names(&targets[1]), ["Olive"]);

    let cancel = format!("{requests}/cancel");
    muster
        .put(&cancel, json!({ "responder_request_targets": [user] }))
        .await
        .good();
    let states = async || -> Vec<String> {
        let incident = muster.get(&format!("/incidents/{id}")).await.good();
        let responders = incident["incident"]["incidents_responders"]
            .as_array()
            .unwrap()
            .clone();
        let mut states: Vec<String> = responders
            .iter()
            .map(|one| format!("{} {}", one["user"]["summary"], one["state"]).replace('"', ""))
            .collect();
        states.sort();
        states
    };
    assert_eq!(states().await, ["Olive pending", "Rita user_cancelled"]);
    muster.put(&cancel, json!({})).await.good();
    assert_eq!(states().await, ["Olive user_cancelled", "Rita user_cancelled"]);
}

#[store::both_engines]
async fn what_is_asked_of_a_state_is_done_or_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("tills")
        .grouping(json!({ "type": "time", "window_seconds": 300 }))
        .build()
        .await;
    muster.trigger(&built, "till-1", "Terminal 1 silent").await;
    muster.trigger(&built, "till-2", "Terminal 2 silent").await;
    let id = the_incident(&muster).await;
    let one = format!("/incidents/{id}");
    let set = async |status: &str| {
        muster
            .put(&one, json!({ "incident": { "status": status } }))
            .await
    };
    set("acknowledged").await.good();
    let given_back = set("triggered").await.good();
    assert_eq!(given_back["incident"]["status"], "triggered");
    assert_eq!(given_back["incident"]["acknowledgements"], json!([]));

    let alerts = muster.get(&format!("{one}/alerts")).await.good();
    let alert = format!("{one}/alerts/{}", alerts["alerts"][0]["id"].as_str().unwrap());
    let put = async |status: &str| muster.put(&alert, json!({ "alert": { "status": status } })).await;
    assert_eq!(put("resolved").await.good()["alert"]["status"], "resolved");
    let again = put("triggered").await.good();
    assert_eq!(again["alert"]["status"], "triggered");
    assert_eq!(again["alert"]["resolved_at"], Value::Null);
    muster
        .enqueue(&built, "resolve", "till-1", "Terminal 1 silent")
        .await
        .with_status(202);
    muster.take_signals().await;
    assert_eq!(muster.get(&alert).await.good()["alert"]["status"], "resolved");
    set("resolved").await.good();
    assert_eq!(code(&put("triggered").await.with_status(400)), 1001);

    let kind = json!({ "incident": { "incident_type": { "name": "nope" } } });
    let refused = muster.put(&one, kind).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!(["incident.incident_type.name must be incident_default."])
    );
}

#[store::both_engines]
async fn a_priority_is_known_by_its_name_too(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let by_name = json!({ "type": "priority", "name": "P3" });
    let new = json!({ "incident": {
        "title": "Till\r\ndrawer stuck", "service": { "id": built.service_id }, "priority": by_name,
    } });
    let made = muster.post("/incidents", new).await.with_status(201);
    assert_eq!(made["incident"]["priority"]["name"], "P3");
    assert_eq!(made["incident"]["title"], "Till drawer stuck");
    let path = format!("/incidents/{}", made["incident"]["id"].as_str().unwrap());
    for priority in [json!("P1"), json!({ "name": "P1" })] {
        let changed = muster
            .put(&path, json!({ "incident": { "priority": priority } }))
            .await
            .good();
        assert_eq!(changed["incident"]["priority"]["name"], "P1");
    }
    let unknown = json!({ "incident": { "priority": { "name": "P99" } } });
    assert_eq!(code(&muster.put(&path, unknown).await.with_status(400)), 1020);
    let shown = muster
        .get(&format!("{path}?include[]=custom_fields"))
        .await
        .good();
    assert_eq!(shown["incident"]["custom_fields"], json!([]));
}

#[store::both_engines]
async fn a_task_keeps_what_is_not_sent(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let tasks = format!("/incidents/{}/tasks", the_incident(&muster).await);
    let new = json!({ "incident_task": {
        "name": "Call the shops", "description": "All of them", "assignee": { "id": muster.owner.id },
    } });
    let made = muster.post(&tasks, new).await.with_status(201);
    let one = format!("{tasks}/{}", made["incident_task"]["id"].as_str().unwrap());
    let done = json!({ "incident_task": { "status": "done", "assignee": null } });
    let done = muster.put(&one, done).await.good()["incident_task"].clone();
    assert_eq!(
        (
            &done["name"],
            &done["description"],
            &done["status"],
            &done["assignee"]
        ),
        (
            &json!("Call the shops"),
            &json!("All of them"),
            &json!("done"),
            &Value::Null
        )
    );
    let nameless = json!({ "incident_task": { "description": "x" } });
    let refused = muster.post(&tasks, nameless).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!(["incident_task.name is missing."])
    );
}

#[store::both_engines]
async fn filters_that_mean_nothing_are_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for (path, wanted) in [
        ("/incidents?sort_by=urgency,created_at,resolved_at", 2001),
        ("/incidents?date_range=bogus", 2001),
        ("/incidents?since=2019-11-17T00:00:00Z", 2005),
        ("/incidents?since=2026-01-01&until=2026-11-01", 2005),
        ("/services?sort_by=bogus", 2001),
        ("/escalation_policies?sort_by=bogus", 2001),
        ("/outbox/sends?state=bogus", 2001),
    ] {
        assert_eq!(code(&muster.get(path).await.with_status(400)), wanted, "{path}");
    }
    for path in [
        "/incidents?sort_by=urgency,created_at:desc",
        "/incidents?date_range=all&since=2019-11-17T00:00:00Z",
        "/incidents?until=9999-12-31T23:59:59Z",
        "/services?sort_by=name:desc",
        "/escalation_policies?sort_by=name:asc",
        "/outbox/sends?state=owed",
    ] {
        muster.get(path).await.good();
    }
}

#[store::both_engines]
async fn incidents_are_counted_as_they_are_listed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (tills, shop) = (
        muster.service("tills").build().await,
        muster.service("shop").build().await,
    );
    for number in 0..3 {
        muster
            .trigger(&tills, &format!("till-{number}"), "Terminal silent")
            .await;
    }
    muster.trigger(&shop, "shop", "The shop is slow").await;
    muster.enqueue(&tills, "resolve", "till-0", "").await;
    muster.take_signals().await;
    for (narrowed, total) in [
        ("", 4),
        ("statuses[]=resolved", 1),
        ("statuses[]=triggered&statuses[]=acknowledged", 3),
        ("service_ids[]=TILLS", 3),
        ("service_ids[]=TILLS&statuses[]=triggered", 2),
        ("incident_key=shop", 1),
        ("incident_key=nothing", 0),
        ("since=2026-11-18T00:00:00Z&until=2026-11-19T00:00:00Z", 0),
    ] {
        let narrowed = narrowed.replace("TILLS", &tills.service_id);
        let counted = muster.get(&format!("/incidents/count?{narrowed}")).await.good();
        assert_eq!(counted, json!({ "total": total }), "{narrowed}");
        let listed = muster
            .get(&format!("/incidents?total=true&{narrowed}"))
            .await
            .good();
        assert_eq!(listed["total"], total, "{narrowed}");
    }
    muster
        .get("/incidents/count?statuses[]=odd")
        .await
        .with_status(400);
}
