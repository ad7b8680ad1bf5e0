//! What the audit log says of a change: which fields, from what to what.

use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

/// Of the newest record: what it is about, and of each field its name, its value before and its value after.
async fn newest(muster: &TestApp) -> (Value, Vec<[Value; 3]>) {
    let found = muster.get("/audit/records?limit=1").await.good();
    let record = &found["records"][0];
    let fields = record["details"]["fields"].as_array().unwrap().iter();
    let fields = fields.map(|field| {
        [
            field["name"].clone(),
            field["before_value"].clone(),
            field["value"].clone(),
        ]
    });
    (record["root_resource"]["type"].clone(), fields.collect())
}

/// Makes a thing by its list and gives its address.
async fn made(muster: &TestApp, list: &str, wrapper: &str, fields: Value) -> (String, Value) {
    let answer = muster.post(list, json!({ wrapper: fields })).await.good();
    let path = format!("{list}/{}", answer[wrapper]["id"].as_str().unwrap());
    (path, answer[wrapper].clone())
}

struct Changed {
    path: String,
    wrapper: &'static str,
    fields: Value,
    /// The type of the reference in the log, without its ending.
    kind: &'static str,
    told: Vec<[Value; 3]>,
}

fn changed(path: &str, wrapper: &'static str, fields: Value, told: &[[Value; 3]]) -> Changed {
    Changed {
        path: path.to_owned(),
        wrapper,
        fields,
        kind: wrapper,
        told: told.to_vec(),
    }
}

#[store::both_engines]
async fn a_record_says_which_fields_changed_from_what_to_what(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (ours, theirs) = (
        muster.service("tills").build().await,
        muster.service("shop").build().await,
    );
    let policy = json!({ "id": ours.policy_id, "type": "escalation_policy_reference" });
    let service = json!({ "name": "gateway", "escalation_policy": policy, "auto_resolve_timeout": 14_400 });
    let (service, _) = made(&muster, "/services", "service", service).await;
    let integration = json!({ "type": "events_api_v2_inbound_integration", "name": "Prometheus" });
    let integrations = format!("{service}/integrations");
    let (integration, shown) = made(&muster, &integrations, "integration", integration).await;
    let key = shown["integration_key"].as_str().unwrap().to_owned();
    let touchpoint = json!({ "name": "Cards" });
    let (touchpoint, _) = made(&muster, "/business_services", "business_service", touchpoint).await;
    let window = json!({
        "start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-01T01:00:00Z",
        "services": [{ "id": ours.service_id, "type": "service_reference" }],
    });
    let (window, _) = made(&muster, "/maintenance_windows", "maintenance_window", window).await;
    let location = json!({ "name": "Leeds", "kind": "site" });
    let (location, shown) = made(&muster, "/locations", "location", location).await;
    let code = shown["code"].as_str().unwrap().to_owned();
    let account = json!({ "name": "Hannah Whitcombe", "email": "hannah@example.org" });
    let (account, _) = made(&muster, "/accounts", "account", account).await;
    let page = json!({ "name": "Larkfield", "slug": "larkfield" });
    let (page, _) = made(&muster, "/status_pages", "status_page", page).await;
    let components = format!("{page}/components");
    let (component, _) = made(&muster, &components, "component", json!({ "name": "Cards" })).await;

    let moved = json!({ "id": theirs.policy_id, "type": "escalation_policy_reference" });
    for one in [
        changed(
            &service,
            "service",
            json!({ "auto_resolve_timeout": null, "escalation_policy": moved, "name": "gateway" }),
            &[
                [json!("auto_resolve_timeout"), json!("14400"), Value::Null],
                [
                    json!("escalation_policy"),
                    json!(ours.policy_id),
                    json!(theirs.policy_id),
                ],
            ],
        ),
        changed(&service, "service", json!({ "name": "gateway" }), &[]),
        changed(
            &integration,
            "integration",
            json!({ "name": "Grafana" }),
            &[[json!("name"), json!("Prometheus"), json!("Grafana")]],
        ),
        changed(
            &touchpoint,
            "business_service",
            json!({ "loss_per_hour": 5_000 }),
            &[[json!("loss_per_hour"), json!("0"), json!("5000")]],
        ),
        changed(
            &window,
            "maintenance_window",
            json!({ "end_time": "2026-12-01T02:00:00Z" }),
            &[[
                json!("end_time"),
                json!("2026-12-01T01:00:00Z"),
                json!("2026-12-01T02:00:00Z"),
            ]],
        ),
        changed(
            &location,
            "location",
            json!({ "time_zone": "Europe/London" }),
            &[[json!("time_zone"), Value::Null, json!("Europe/London")]],
        ),
        changed(
            &account,
            "account",
            json!({ "email": "h.whitcombe@example.org", "tier": "gold" }),
            &[
                [json!("email"), Value::Null, Value::Null],
                [json!("tier"), json!("standard"), json!("gold")],
            ],
        ),
        changed(
            &page,
            "status_page",
            json!({ "name": "Larkfield shops" }),
            &[[json!("name"), json!("Larkfield"), json!("Larkfield shops")]],
        ),
        Changed {
            kind: "status_page_component",
            ..changed(
                &component,
                "component",
                json!({ "showcase": false }),
                &[[json!("showcase"), json!("true"), json!("false")]],
            )
        },
    ] {
        let body = json!({ one.wrapper: one.fields });
        muster.put(&one.path, body).await.good();
        let wanted = (json!(format!("{}_reference", one.kind)), one.told);
        assert_eq!(newest(&muster).await, wanted);
    }
    muster.post(&format!("{location}/code"), json!({})).await.good();
    let wanted = [json!("code"), Value::Null, Value::Null];
    assert_eq!(newest(&muster).await.1, [wanted]);
    let log = muster.get("/audit/records?limit=100").await;
    for secret in [key.as_str(), code.as_str(), "hannah@example.org"] {
        assert!(!log.text.contains(secret), "the log tells {secret}");
    }
}

#[store::both_engines]
async fn a_record_of_what_is_new_says_what_it_holds(engine: Engine) {
    let muster = TestApp::new(engine).await;
    made(
        &muster,
        "/status_pages",
        "status_page",
        json!({ "name": "Larkfield", "slug": "larkfield" }),
    )
    .await;
    let held = [
        ("language", "en"),
        ("name", "Larkfield"),
        ("slug", "larkfield"),
        ("time_zone", "Etc/UTC"),
        ("visibility", "public"),
    ]
    .map(|(name, value)| [json!(name), Value::Null, json!(value)]);
    assert_eq!(
        newest(&muster).await,
        (json!("status_page_reference"), held.to_vec())
    );
}
