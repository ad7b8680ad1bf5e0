//! Status pages and location pages as anybody outside sees them.

mod fields;
mod following;
mod location;
mod readers;

use axum::body::Body;
use axum::http::{Method, Request, header};
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Answer, Built, TestApp};
use crate::updates::{approve, draft, publish, resolve, tell_customers, touchpoint};

const SECRET: &str = "store-edge 4.18.0 refuses terminals";

/// Anybody, without a key.
pub(crate) async fn anybody(muster: &TestApp, path: &str) -> Answer {
    muster.send(Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post_form(muster: &TestApp, path: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    muster.send(request).await
}

pub(crate) struct Shown {
    pub(crate) built: Built,
    pub(crate) page: String,
    pub(crate) component: String,
    pub(crate) touchpoint: String,
}

/// A page that shows card payments, which stand on a service.
pub(crate) async fn shown(muster: &TestApp) -> Shown {
    let built = muster.service("store-edge").build().await;
    let touchpoint = touchpoint(muster, &built, "Card payments").await;
    let body =
        json!({ "status_page": { "name": "Larkfield", "slug": "larkfield", "time_zone": "Europe/London" } });
    let page = muster.post("/status_pages", body).await.with_status(201)["status_page"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "component": { "name": "Card payments",
        "business_service": { "id": touchpoint, "type": "business_service_reference" } } });
    let component = muster
        .post(&format!("/status_pages/{page}/components"), body)
        .await
        .with_status(201)["component"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    muster.settle().await;
    Shown {
        built,
        page,
        component,
        touchpoint,
    }
}

pub(crate) async fn break_it(muster: &TestApp, built: &Built) -> String {
    muster.trigger(built, "till-1", SECRET).await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    incidents["incidents"][0]["id"].as_str().unwrap().to_owned()
}

/// The JSON with what differs from run to run replaced.
fn steady(answer: &Answer, shown: &Shown) -> Value {
    let mut text = answer
        .text
        .replace(&shown.page, "[page]")
        .replace(&shown.component, "[component]");
    let value: Value = serde_json::from_str(&text).unwrap();
    for incident in value["incidents"].as_array().into_iter().flatten() {
        text = text.replace(incident["id"].as_str().unwrap(), "[incident]");
        for update in incident["incident_updates"].as_array().into_iter().flatten() {
            text = text.replace(update["id"].as_str().unwrap(), "[update]");
        }
    }
    serde_json::from_str(&text).unwrap()
}

#[store::both_engines]
async fn the_public_json_has_the_fields_shapes_with_every_key(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let calm = anybody(&muster, "/status/larkfield/api/v2/summary.json").await;
    assert_eq!(calm.json()["status"]["description"], "All Systems Operational");
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    let summary = anybody(&muster, "/status/larkfield/api/v2/summary.json").await;
    insta::assert_json_snapshot!("summary", steady(&summary, &shown));
    for (path, key) in [
        ("status", "status"),
        ("components", "components"),
        ("incidents", "incidents"),
        ("incidents/unresolved", "incidents"),
        ("scheduled-maintenances", "scheduled_maintenances"),
        ("scheduled-maintenances/upcoming", "scheduled_maintenances"),
        ("scheduled-maintenances/active", "scheduled_maintenances"),
    ] {
        let answer = anybody(&muster, &format!("/status/larkfield/api/v2/{path}.json")).await;
        let value = answer.good();
        assert!(
            value["page"]["id"].is_string() && !value[key].is_null(),
            "{path}: {value}"
        );
        assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "public, max-age=15");
    }
    resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    let after = anybody(&muster, "/status/larkfield/api/v2/summary.json")
        .await
        .json();
    assert_eq!(
        (&after["status"]["indicator"], &after["incidents"]),
        (&json!("none"), &json!([]))
    );
    let all = anybody(&muster, "/status/larkfield/api/v2/incidents.json")
        .await
        .json();
    assert_eq!(all["incidents"][0]["status"], "resolved");
    assert_eq!(
        all["incidents"][0]["incident_updates"].as_array().unwrap().len(),
        2
    );
}

#[store::both_engines]
async fn what_has_not_changed_is_not_sent_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    for path in ["", "/history", "/feed.atom", "/api/v2/summary.json"] {
        let path = format!("/status/larkfield{path}");
        let first = anybody(&muster, &path).await;
        assert_eq!(first.status, 200, "{path}");
        let etag = first.headers[header::ETAG].clone();
        let again = Request::get(&path).header(header::IF_NONE_MATCH, &etag);
        let again = muster.send(again.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status.as_u16(), again.text.len()), (304, 0), "{path}");
    }
    let path = "/status/larkfield/api/v2/summary.json";
    let etag = anybody(&muster, path).await.headers[header::ETAG].clone();
    break_it(&muster, &shown.built).await;
    assert_ne!(anybody(&muster, path).await.headers[header::ETAG], etag);
}

#[store::both_engines]
async fn the_page_answers_in_one_light_file(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    assert!(
        anybody(&muster, "/status/larkfield")
            .await
            .text
            .contains("Everything works.")
    );
    let incident = break_it(&muster, &shown.built).await;
    let untold = anybody(&muster, "/status/larkfield").await.text;
    assert!(untold.contains("Not everything works as it should."), "{untold}");
    tell_customers(&muster, &incident).await;
    let told = anybody(&muster, "/status/larkfield").await;
    assert!(told.text.len() < 11_264, "{} bytes", told.text.len());
    let order = [
        "We have a problem with Card payments.</h1>",
        "Until then:",
        "We will tell you more by 06:20 GMT.",
        "How everything is",
        "What happened so far",
    ];
    let mut from = 0;
    for words in order {
        let place = told.text[from..]
            .find(words)
            .unwrap_or_else(|| panic!("{words} is missing: {}", told.text));
        from += place;
    }
    assert!(!told.text.contains("<script") && told.headers.get(header::SET_COOKIE).is_none());
    let feed = anybody(&muster, "/status/larkfield/feed.atom").await;
    assert!(
        feed.text.contains("<title>Problem with Card payments</title>"),
        "{}",
        feed.text
    );
}

#[store::both_engines]
async fn internal_words_never_reach_a_public_answer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let incident = break_it(&muster, &shown.built).await;
    muster
        .post(
            &format!("/incidents/{incident}/notes"),
            json!({ "note": { "content": "Rollback of rollout-4711" } }),
        )
        .await
        .good();
    let agents = draft(&muster, &incident, crate::updates::AGENTS).await;
    let published = format!("/updates/{}/publish", agents["id"].as_str().unwrap());
    muster
        .as_person(&muster.owner, Method::POST, &published, None)
        .await
        .good();
    tell_customers(&muster, &incident).await;
    let json = anybody(&muster, "/status/larkfield/api/v2/incidents.json")
        .await
        .json();
    let page_incident = json["incidents"][0]["id"].as_str().unwrap().to_owned();
    let mut paths: Vec<String> = ["", "/history", "/feed.atom"]
        .map(|path| format!("/status/larkfield{path}"))
        .into();
    paths.push(format!("/status/larkfield/incidents/{page_incident}"));
    for name in [
        "summary",
        "status",
        "components",
        "incidents",
        "incidents/unresolved",
        "scheduled-maintenances",
    ] {
        paths.push(format!("/status/larkfield/api/v2/{name}.json"));
    }
    for path in paths {
        let answer = anybody(&muster, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        for secret in [
            "store-edge",
            "4.18.0",
            "rollout-4711",
            "Maya",
            "Incident 1",
            incident.as_str(),
        ] {
            assert!(
                !answer.text.contains(secret),
                "{path} tells {secret}: {}",
                answer.text
            );
        }
    }
}

#[store::both_engines]
async fn a_private_page_is_not_found_by_anybody_else(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let path = format!("/status_pages/{}", shown.page);
    muster
        .put(&path, json!({ "status_page": { "visibility": "private" } }))
        .await
        .good();
    muster.settle().await;
    let unknown = anybody(&muster, "/status/nowhere").await;
    for path in [
        "/status/larkfield",
        "/status/larkfield/api/v2/summary.json",
        "/status/larkfield/feed.atom",
    ] {
        let hidden = anybody(&muster, path).await;
        assert_eq!(
            (hidden.status, hidden.text.as_str()),
            (unknown.status, unknown.text.as_str()),
            "{path}"
        );
        assert_eq!(muster.get(path).await.status, 200, "{path}");
    }
    assert_eq!(
        post_form(&muster, "/status/larkfield/subscribe", "email=a@example.org")
            .await
            .status,
        404
    );
}

#[store::both_engines]
async fn a_person_may_say_how_a_component_stands(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let path = format!("/status_pages/{}/components/{}", shown.page, shown.component);
    muster
        .put(
            &path,
            json!({ "component": { "override_status": "degraded_performance" } }),
        )
        .await
        .good();
    muster.settle().await;
    let status = |text: &Answer| {
        text.json()["components"][0]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let components = "/status/larkfield/api/v2/components.json";
    assert_eq!(
        status(&anybody(&muster, components).await),
        "degraded_performance"
    );
    muster
        .put(&path, json!({ "component": { "override_status": null } }))
        .await
        .good();
    muster.settle().await;
    assert_eq!(status(&anybody(&muster, components).await), "operational");
}

#[store::both_engines]
async fn what_customers_are_told_tells_the_time_as_the_page_does(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let zone = async || {
        let audiences = muster.get("/audiences").await.good();
        let all = audiences["audiences"].as_array().unwrap();
        let zone = all.iter().find(|one| one["name"] == "Customers").unwrap();
        zone["time_zone"].as_str().unwrap().to_owned()
    };
    assert_eq!(zone().await, "Etc/UTC");
    let page = shown(&muster).await.page;
    assert_eq!(zone().await, "Europe/London");
    let moved = json!({ "status_page": { "time_zone": "Europe/Berlin" } });
    muster.put(&format!("/status_pages/{page}"), moved).await.good();
    assert_eq!(zone().await, "Europe/Berlin");

    let customers = muster.get("/audiences").await.good()["audiences"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = json!({ "audience": { "time_zone": "Asia/Tokyo" } });
    muster.put(&format!("/audiences/{customers}"), own).await.good();
    let moved = json!({ "status_page": { "time_zone": "Europe/Paris" } });
    muster.put(&format!("/status_pages/{page}"), moved).await.good();
    assert_eq!(zone().await, "Asia/Tokyo", "an audience keeps a zone of its own");
}

#[store::both_engines]
async fn pages_are_kept_like_every_resource(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    for (body, status) in [
        (
            json!({ "status_page": { "name": "Two", "slug": "larkfield" } }),
            400,
        ),
        (
            json!({ "status_page": { "name": "Two", "slug": "Not Good" } }),
            400,
        ),
        (json!({ "status_page": { "slug": "two" } }), 400),
        (
            json!({ "status_page": { "name": "Two", "slug": "two", "time_zone": "Mars/Olympus" } }),
            400,
        ),
    ] {
        muster.post("/status_pages", body).await.with_status(status);
    }
    let group = json!({ "component": { "name": "In the shop", "group": true } });
    let components = format!("/status_pages/{}/components", shown.page);
    let group = muster.post(&components, group).await.with_status(201)["component"]["id"].clone();
    let path = format!("{components}/{}", shown.component);
    let grouped = muster
        .put(&path, json!({ "component": { "group_id": group } }))
        .await
        .good();
    assert_eq!(grouped["component"]["group_id"], group);
    muster
        .put(&path, json!({ "component": { "group_id": shown.component } }))
        .await
        .with_status(400);
    let observer = muster.person("Olu", "olu@example.org", Role::Observer).await;
    let page = format!("/status_pages/{}", shown.page);
    muster
        .as_person(&observer, Method::DELETE, &page, None)
        .await
        .with_status(403);
    muster.delete(&page).await.with_status(204);
    assert_eq!(anybody(&muster, "/status/larkfield").await.status, 404);
    assert!(!shown.touchpoint.is_empty());
}

#[store::both_engines]
async fn a_story_is_told_on_the_clock_of_its_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let audiences = muster.get("/audiences").await.good();
    let customers = audiences["audiences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Customers")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    muster
        .put(
            &format!("/audiences/{customers}"),
            json!({ "audience": { "time_zone": "Europe/Berlin" } }),
        )
        .await
        .good();
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    let front = anybody(&muster, "/status/larkfield").await.text;
    let stories = anybody(&muster, "/status/larkfield/api/v2/incidents.json")
        .await
        .json();
    let id = stories["incidents"][0]["id"].as_str().unwrap().to_owned();
    let story = anybody(&muster, &format!("/status/larkfield/incidents/{id}"))
        .await
        .text;
    let feed = anybody(&muster, "/status/larkfield/feed.atom").await.text;
    let answer = front.split("How everything is").next().unwrap();
    assert_eq!(
        answer.matches("We will tell you more by 07:20 CET").count(),
        1,
        "{answer}"
    );
    for (what, told) in [
        ("answer", answer),
        ("story", story.as_str()),
        ("feed", feed.as_str()),
    ] {
        assert!(told.contains("CET") && !told.contains("GMT"), "{what}: {told}");
    }
}

#[store::both_engines]
async fn words_of_another_language_are_marked_among_those_of_the_page(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let path = format!("/status_pages/{}", shown.page);
    for unknown in ["tlh", "xx", "ar", "ja"] {
        let refused = muster
            .put(&path, json!({ "status_page": { "language": unknown } }))
            .await
            .with_status(400);
        assert!(refused.to_string().contains("status_page.language"), "{refused}");
    }
    muster
        .put(&path, json!({ "status_page": { "language": "de-AT" } }))
        .await
        .good();
    muster.settle().await;
    let calm = anybody(&muster, "/status/larkfield").await.text;
    assert!(
        calm.contains("<html lang=\"en\">") && !calm.contains("lang=\"de"),
        "{calm}"
    );
    let audiences = muster.get("/audiences").await.good();
    let id = audiences["audiences"][0]["id"].as_str().unwrap();
    let speaks = |language: &str| json!({ "audience": { "language": language } });
    let path = format!("/audiences/{id}");
    muster.put(&path, speaks("tlh")).await.with_status(400);
    muster.put(&path, speaks("de-AT")).await.good();

    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    let drafted = anybody(&muster, "/status/larkfield").await.text;
    assert!(
        drafted.contains("<b>We will tell you more by") && !drafted.contains("lang=\"de"),
        "nobody wrote German: {drafted}"
    );
    let words = json!({ "update": {
        "audience": { "id": id, "type": "audience_reference" },
        "words": "Die Kartenzahlung geht nicht.\n\nMehr erfahren Sie von uns bis 06:20 GMT.",
    } });
    let written = muster
        .post(&format!("/incidents/{incident}/updates"), words)
        .await
        .good();
    approve(&muster, &written["update"]).await.good();
    publish(&muster, &written["update"]).await.good();
    muster.settle().await;
    let told = anybody(&muster, "/status/larkfield").await.text;
    assert!(
        told.contains("<html lang=\"en\">")
            && told.contains("<h1 dir=\"auto\" lang=\"de-AT\">Die Kartenzahlung geht nicht.")
            && told.contains("<p lang=\"de-AT\"><b>Mehr erfahren Sie von uns bis"),
        "{told}"
    );
}
