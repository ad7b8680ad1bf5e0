//! What clients of the dialect lean on, whichever resource they ask for.

mod asked;
mod incidents;
mod log_entries;
mod setting_up;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Answer, Built, TestApp};

/// The id of the only incident there is.
async fn the_incident(muster: &TestApp) -> String {
    let found = muster.get("/incidents?date_range=all").await.good();
    found["incidents"][0]["id"].as_str().unwrap().to_owned()
}

/// Sends an event with everything that a sender can say.
async fn send_rich(muster: &TestApp, built: &Built, action: &str, dedup_key: &str) {
    let event = json!({
        "routing_key": built.integration_key,
        "event_action": action,
        "dedup_key": dedup_key,
        "payload": {
            "summary": "Terminal silent", "source": "till-1", "severity": "critical",
            "custom_details": { "free_disk": "1%", "seen_at": "2026-11-17T05:59:00.25Z" },
        },
        "links": [{ "href": "https://runbook.example.org", "text": "Runbook" }],
        "client": "Prometheus",
    });
    let request = Request::post("/v2/enqueue")
        .body(Body::from(event.to_string()))
        .unwrap();
    muster.send(request).await.with_status(202);
    muster.take_signals().await;
}

/// A request with an account-level key, in somebody's name or in nobody's.
async fn by_program(muster: &TestApp, key: &str, from: Option<&str>, ask: (Method, &str, Value)) -> Answer {
    let (method, path, body) = ask;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Token token={key}"));
    if let Some(from) = from {
        request = request.header(header::FROM, from);
    }
    muster
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[store::both_engines]
async fn an_address_says_which_methods_it_knows(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let answer = muster.delete("/abilities").await;
    let refused = answer.with_status(405);
    assert_eq!(refused["error"]["code"], 2100);
    assert!(!refused["error"]["errors"][0].as_str().unwrap().is_empty());
    assert!(
        answer.headers[header::ALLOW].to_str().unwrap().contains("GET"),
        "{answer:?}"
    );
}

#[store::both_engines]
async fn mistakes_in_a_body_are_named_by_their_path_and_without_the_words_of_the_program(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for (path, body, words) in [
        (
            "/teams",
            json!([{ "name": "Payments" }]),
            "The body must be a JSON object.",
        ),
        (
            "/teams",
            json!({ "team": ["Payments"] }),
            "team must be a JSON object.",
        ),
        (
            "/incidents",
            json!({ "incident": {} }),
            "incident.title is missing.",
        ),
        (
            "/incidents",
            json!({ "incident": { "title": "x", "service": "P1" } }),
            "incident.service must be a JSON object.",
        ),
        (
            "/incidents",
            json!({ "incident": { "title": "x", "service": {} } }),
            "incident.service.id is missing.",
        ),
        (
            "/incidents",
            json!({ "incident": { "title": "x", "service": { "id": "P1" }, "urgency": "huge" } }),
            "incident.urgency must be high or low.",
        ),
    ] {
        let refused = muster.post(path, body).await.with_status(400);
        assert_eq!(refused["error"]["code"], 2001);
        assert_eq!(refused["error"]["errors"], json!([words]));
    }
    let teams = muster.get("/teams").await.good();
    assert_eq!(teams["teams"], json!([]), "nothing was kept");
}

#[store::both_engines]
async fn instants_are_whole_seconds_in_the_zone_that_is_asked_for(engine: Engine) {
    let muster = TestApp::new(engine).await;
    muster.clock.advance(Duration::from_micros(1_234_567));
    let built = muster.service("tills").build().await;
    send_rich(&muster, &built, "trigger", "till-1").await;
    let id = the_incident(&muster).await;
    let plain = muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(plain["incident"]["created_at"], "2026-11-17T06:00:01Z");
    for path in [
        "/incidents".to_owned(),
        format!("/incidents/{id}"),
        format!("/incidents/{id}/log_entries"),
        "/log_entries".to_owned(),
    ] {
        let answer = muster.get(&format!("{path}?time_zone=Europe/Berlin")).await;
        answer.good();
        assert!(
            answer.text.contains("\"2026-11-17T07:00:01+01:00\"") && !answer.text.contains(":01Z"),
            "{path}: {}",
            answer.text
        );
        let unknown = muster.get(&format!("{path}?time_zone=Mars/Olympus")).await;
        let named = unknown.with_status(400)["error"]["errors"][0].to_string();
        assert!(named.contains("time_zone"), "{named}");
    }
    let alerts = muster.get(&format!("/incidents/{id}/alerts")).await.good();
    assert_eq!(
        alerts["alerts"][0]["body"]["details"]["seen_at"], "2026-11-17T05:59:00.25Z",
        "what a sender wrote is the sender's"
    );
}

/// Every object in it, however deep.
fn objects<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            found.push(value);
            fields.values().for_each(|field| objects(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

/// One of nearly everything; gives the paths at which it is read.
async fn a_house(muster: &TestApp) -> Vec<String> {
    let made = async |path: &str, name: &str, body: Value| -> String {
        let made = muster.post(path, json!({ name: body })).await.good();
        made[name]["id"].as_str().unwrap().to_owned()
    };
    let maya = json!({ "id": muster.owner.id, "type": "user_reference" });
    let built = muster.service("card-gateway").build().await;
    let service = json!({ "id": built.service_id, "type": "service_reference" });
    let team = muster.team("Payments").await;
    let policy = json!({ "escalation_policy": { "teams": [{ "id": team }] } });
    muster
        .put(&format!("/escalation_policies/{}", built.policy_id), policy)
        .await
        .good();
    let schedule = crate::oncall::daily("Turns", &[muster.owner.id.as_str()])["schedule"].clone();
    let schedule = made("/schedules", "schedule", schedule).await;
    let touchpoint = muster.touchpoint("Card payments", &built.service_id, 1_000).await;
    let sites = muster.sites("North", &["Leeds"], &touchpoint).await;
    let customer = json!({ "name": "Ada", "location": { "id": sites[0] } });
    let customer = made("/accounts", "account", customer).await;
    let window = json!({ "start_time": "2026-11-18T00:00:00Z", "end_time": "2026-11-18T02:00:00Z", "services": [service] });
    made("/maintenance_windows", "maintenance_window", window).await;
    let vendor = json!({ "name": "Alertmanager", "vendor": { "id": "PVALERTMGR" } });
    let ways_in = format!("/services/{}/integrations", built.service_id);
    made(&ways_in, "integration", vendor).await;
    made(
        "/status_pages",
        "status_page",
        json!({ "name": "Larkfield", "slug": "larkfield" }),
    )
    .await;
    made(
        "/api_keys",
        "api_key",
        json!({ "name": "Terraform", "kind": "account" }),
    )
    .await;
    muster.changed(&built, "Release 41").await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let incident = the_incident(muster).await;
    let case = json!({ "text": "Reader says offline", "account": { "id": customer }, "location": { "id": sites[0] } });
    let case = muster.case(case).await["id"].as_str().unwrap().to_owned();
    let asked = json!({
        "requester_id": muster.owner.id, "message": "Help",
        "responder_request_targets": [{ "responder_request_target": maya }],
    });
    let requests = format!("/incidents/{incident}/responder_requests");
    muster.post(&requests, asked).await.good();
    let update = json!({ "status": "acknowledged" });
    let one = format!("/incidents/{incident}");
    muster.put(&one, json!({ "incident": update })).await.good();
    [
        one.clone(),
        format!("{one}/alerts"),
        format!("{one}/log_entries?limit=100"),
        format!("{one}/related_change_events"),
        format!("/services/{}?include[]=integrations", built.service_id),
        format!("/schedules/{schedule}"),
        format!("/cases/{case}"),
    ]
    .into_iter()
    .chain(
        [
            "incidents",
            "services",
            "escalation_policies",
            "schedules",
            "users",
            "teams",
            "priorities",
            "vendors",
            "business_services",
            "maintenance_windows",
            "change_events",
            "locations",
            "accounts",
            "cases",
            "status_pages",
            "audiences",
            "api_keys",
            "oncalls",
            "outbox/sends",
            "promises",
            "log_entries",
            "license_allocations",
        ]
        .map(|list| format!("/{list}")),
    )
    .collect()
}

#[store::both_engines]
async fn every_reference_has_a_name_and_every_address_leads_somewhere(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let paths = a_house(&muster).await;
    let mut addresses = BTreeSet::new();
    for path in paths {
        let answer = muster.get(&path).await.good();
        let mut found = Vec::new();
        objects(&answer, &mut found);
        for one in found {
            let is_reference = one["type"]
                .as_str()
                .is_some_and(|kind| kind.ends_with("_reference"));
            assert!(
                !is_reference
                    || one.get("summary").is_none()
                    || !one["summary"].as_str().unwrap_or_default().is_empty(),
                "{path}: a reference without a name: {one}"
            );
            for key in ["self", "html_url"] {
                if let Some(address) = one[key].as_str() {
                    addresses.insert(address.to_owned());
                }
            }
        }
    }
    assert!(addresses.len() > 30, "{addresses:?}");
    for address in addresses {
        let path = address.strip_prefix("https://muster.example.org").unwrap();
        let mut answer = muster.get(path).await;
        if let Some(led_to) = answer.headers.get(header::LOCATION) {
            let led_to = led_to.to_str().unwrap().to_owned();
            answer = muster.get(&led_to).await;
        }
        assert_eq!(answer.status.as_u16(), 200, "{address}: {}", answer.text);
    }
}

#[store::both_engines]
async fn a_body_that_cannot_be_understood_is_refused_and_nothing_breaks(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_inside = format!("{{\"team\":{{\"name\":{deep}}}}}");
    let bodies: [&[u8]; 5] = [
        b"\xff\xfe{}",
        deep.as_bytes(),
        deep_inside.as_bytes(),
        b"{\"team\":",
        b"{\"team\":{\"name\":\"\\ud800\"}}",
    ];
    for body in bodies {
        let request = Request::post("/teams")
            .header(header::AUTHORIZATION, format!("Token token={}", muster.owner.key))
            .body(Body::from(body.to_vec()))
            .unwrap();
        let refused = muster.send(request).await.with_status(400);
        assert_eq!(refused["error"]["code"], 2001);
    }
    assert!(
        muster.get("/teams").await.good()["teams"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}
