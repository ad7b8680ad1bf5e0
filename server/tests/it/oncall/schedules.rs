use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::{daily, schedule, turns};
use crate::harness::TestApp;

#[store::both_engines]
async fn a_schedule_is_made_and_written_out(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let made = muster
        .post(
            "/schedules?since=2026-11-17T00:00:00Z&until=2026-11-18T12:00:00Z",
            daily("Payments", &[muster.owner.id.as_str(), ben.id.as_str()]),
        )
        .await
        .with_status(201);
    insta::assert_json_snapshot!("schedule_made", made, {
        ".schedule.id" => "[id]",
        ".**.self" => "[url]",
        ".**.html_url" => "[url]",
        ".schedule.http_cal_url" => "[url]",
        ".schedule.web_cal_url" => "[url]",
        ".schedule.users[].id" => "[id]",
        ".**.user.id" => "[id]",
        ".schedule.schedule_layers[].id" => "[id]",
    });
}

#[store::both_engines]
async fn turns_follow_the_wall_clock_over_the_change_of_the_clocks(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str(), ben.id.as_str()]).await;
    let shown = muster
        .get(&format!(
            "{path}?since=2027-03-27T12:00:00Z&until=2027-03-29T12:00:00Z"
        ))
        .await
        .good();
    let starts: Vec<String> = turns(&shown).into_iter().map(|(_, start)| start).collect();
    assert_eq!(
        starts,
        [
            "2027-03-27T12:00:00+00:00",
            "2027-03-28T08:00:00+01:00",
            "2027-03-29T08:00:00+01:00"
        ]
    );
    let elsewhere = muster
        .get(&format!(
            "{path}?since=2027-03-27T12:00:00Z&until=2027-03-28T12:00:00Z&time_zone=America/New_York&overflow=true"
        ))
        .await
        .good();
    assert_eq!(turns(&elsewhere)[0].1, "2027-03-27T04:00:00-04:00");
}

#[store::both_engines]
async fn later_layers_cover_earlier_ones_and_are_shown_first(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let mut body = daily("Payments", &[muster.owner.id.as_str()]);
    body["schedule"]["schedule_layers"].as_array_mut().unwrap().push(json!({
        "name": "Nights", "start": "2026-11-02T08:00:00Z", "rotation_virtual_start": "2026-11-02T08:00:00Z",
        "rotation_turn_length_seconds": 604_800, "users": [{ "user": { "id": ben.id, "type": "user" } }],
        "restrictions": [{
            "type": "daily_restriction", "start_time_of_day": "20:00:00", "duration_seconds": 43_200,
        }],
    }));
    let path = "/schedules/preview?since=2026-11-17T12:00:00Z&until=2026-11-18T12:00:00Z";
    let preview = muster.post(path, body).await.with_status(200);
    assert_eq!(preview["schedule"]["schedule_layers"][0]["name"], "Nights");
    let names: Vec<String> = turns(&preview).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Maya Okafor", "Ben", "Maya Okafor"]);
    let none = muster.get("/schedules").await.good();
    assert_eq!(none["schedules"], json!([]));
}

#[store::both_engines]
async fn a_new_member_changes_neither_the_past_nor_anybody_elses_turn(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let ana = muster.person("Ana", "ana@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str(), ben.id.as_str()]).await;
    muster.clock.advance(Duration::from_secs(3600));
    let range = "since=2026-11-10T12:00:00Z&until=2026-11-17T07:00:00Z";
    let before = muster.get(&format!("{path}?{range}")).await.good();
    let today = muster
        .get(&format!(
            "{path}?since=2026-11-17T07:00:00Z&until=2026-11-17T07:30:00Z"
        ))
        .await;
    let mut body = daily(
        "Payments",
        &[muster.owner.id.as_str(), ben.id.as_str(), ana.id.as_str()],
    );
    body["schedule"]["schedule_layers"][0]["id"] = before["schedule"]["schedule_layers"][0]["id"].clone();
    let changed = muster.put(&path, body).await.good();
    assert_eq!(
        changed["schedule"]["schedule_layers"][0]["rotation_virtual_start"],
        "2026-11-02T08:00:00+00:00"
    );
    let after = muster.get(&format!("{path}?{range}")).await.good();
    assert_eq!(turns(&before), turns(&after));
    let same = muster
        .get(&format!(
            "{path}?since=2026-11-17T07:00:00Z&until=2026-11-17T07:30:00Z"
        ))
        .await;
    assert_eq!(turns(&today.good()), turns(&same.good()));
    let coming = muster
        .get(&format!(
            "{path}?since=2026-11-17T07:00:00Z&until=2026-11-20T07:00:00Z"
        ))
        .await
        .good();
    let names: Vec<String> = turns(&coming).into_iter().map(|(name, _)| name).collect();
    let first = names[0].clone();
    let order = ["Maya Okafor", "Ben", "Ana"];
    let begin = order.iter().position(|name| *name == first).unwrap();
    let expected: Vec<&str> = (0..4).map(|turn| order[(begin + turn) % 3]).collect();
    assert_eq!(names, expected);
}

#[store::both_engines]
async fn mistakes_name_the_layer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let owner = muster.owner.id.as_str().to_owned();
    let with = |field: &str, value: Value| {
        let mut body = daily("Wrong", &[&owner]);
        body["schedule"]["schedule_layers"][0][field] = value;
        body
    };
    for (field, value) in [
        ("start", json!("soon")),
        ("start", json!(null)),
        ("rotation_turn_length_seconds", json!(0)),
        ("users", json!([])),
        ("users", json!([{ "user": { "id": "QNOBODY", "type": "user" } }])),
        (
            "restrictions",
            json!([{ "type": "daily_restriction", "start_time_of_day": "25:00:00", "duration_seconds": 5 }]),
        ),
        (
            "restrictions",
            json!([{ "type": "weekly_restriction", "start_time_of_day": "05:00:00", "duration_seconds": 5, "start_day_of_week": 8 }]),
        ),
    ] {
        let problem = muster
            .post("/schedules", with(field, value.clone()))
            .await
            .with_status(400);
        let text = problem["error"]["errors"].to_string();
        assert!(text.contains("schedule_layers[0]"), "{field} {value}: {text}");
    }
    let mut zone = daily("Wrong", &[&owner]);
    zone["schedule"]["time_zone"] = json!("Mars/Olympus");
    muster.post("/schedules", zone).await.with_status(400);
    let path = schedule(&muster, "Right", &[&owner]).await;
    for range in [
        "since=soon",
        "since=2026-11-17T00:00:00Z&until=2026-11-16T00:00:00Z",
        "since=2020-01-01&until=2026-01-01",
        "time_zone=Mars/Olympus",
    ] {
        muster.get(&format!("{path}?{range}")).await.with_status(400);
    }
    muster
        .post("/schedules", daily("Right", &[&owner]))
        .await
        .with_status(400);
}

#[store::both_engines]
async fn a_schedule_that_pages_cannot_be_deleted(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[ben.id.as_str()]).await;
    let id = path.rsplit('/').next().unwrap();
    let policy = muster
        .post(
            "/escalation_policies",
            json!({ "escalation_policy": { "name": "Payments", "escalation_rules": [{
                "escalation_delay_in_minutes": 5, "targets": [{ "id": id, "type": "schedule_reference" }],
            }] } }),
        )
        .await
        .with_status(201);
    assert_eq!(
        policy["escalation_policy"]["escalation_rules"][0]["targets"][0]["summary"],
        "Payments"
    );
    let shown = muster.get(&path).await.good();
    assert_eq!(shown["schedule"]["escalation_policies"][0]["summary"], "Payments");
    muster.delete(&path).await.with_status(400);
    muster
        .delete(&format!("/users/{}", ben.id))
        .await
        .with_status(400);
    let policy_id = policy["escalation_policy"]["id"].as_str().unwrap();
    muster
        .delete(&format!("/escalation_policies/{policy_id}"))
        .await
        .with_status(204);
    muster.delete(&path).await.with_status(204);
    muster.get(&path).await.with_status(404);
}

#[store::both_engines]
async fn the_next_turn_and_the_users_are_told(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str(), ben.id.as_str()]).await;
    let list = muster
        .get(&format!(
            "/schedules?query=pay&include_next_oncall_for_user={}",
            ben.id
        ))
        .await
        .good();
    let next = &list["schedules"][0]["next_oncall_for_user"];
    assert_eq!(next["user"]["summary"], "Ben");
    assert_eq!(list["schedules"][0].get("schedule_layers"), None);
    let all = muster.get(&format!("{path}/users")).await.good();
    assert_eq!(all["users"].as_array().unwrap().len(), 2);
    let few = muster
        .get(&format!(
            "{path}/users?since=2026-11-17T09:00:00Z&until=2026-11-17T10:00:00Z"
        ))
        .await
        .good();
    assert_eq!(few["users"].as_array().unwrap().len(), 1);
}

#[store::both_engines]
async fn on_call_time_is_a_calendar_for_whoever_has_the_address(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str()]).await;
    let shown = muster.get(&path).await.good();
    let me = muster.get("/users/me").await.good();
    for address in [&shown["schedule"]["http_cal_url"], &me["user"]["http_cal_url"]] {
        let path = address
            .as_str()
            .unwrap()
            .strip_prefix("https://muster.example.org")
            .unwrap();
        let answer = muster
            .send(Request::builder().uri(path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "text/calendar; charset=utf-8");
        assert!(answer.text.starts_with("BEGIN:VCALENDAR"), "{}", answer.text);
        assert!(answer.text.contains("SUMMARY:On call"), "{}", answer.text);
    }
    let unknown = Request::builder()
        .uri("/calendars/nonsense.ics")
        .body(Body::empty())
        .unwrap();
    muster.send(unknown).await.with_status(404);
}

#[store::both_engines]
async fn other_teams_schedules_are_seen_and_not_changed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let team = muster.team("Payments").await;
    muster
        .put(
            &format!("/teams/{team}/users/{}", ben.id),
            json!({ "role": "manager" }),
        )
        .await
        .with_status(204);
    let other = schedule(&muster, "Loyalty", &[ben.id.as_str()]).await;
    muster.as_person(&ben, Method::GET, &other, None).await.good();
    let rename = Some(json!({ "schedule": { "name": "Mine" } }));
    muster
        .as_person(&ben, Method::PUT, &other, rename)
        .await
        .with_status(403);
    muster
        .as_person(&ben, Method::DELETE, &other, None)
        .await
        .with_status(403);
    let mut own = daily("Tills", &[ben.id.as_str()]);
    muster
        .as_person(&ben, Method::POST, "/schedules", Some(own.clone()))
        .await
        .with_status(403);
    own["schedule"]["teams"] = json!([{ "id": team, "type": "team_reference" }]);
    muster
        .as_person(&ben, Method::POST, "/schedules", Some(own))
        .await
        .with_status(201);
}
