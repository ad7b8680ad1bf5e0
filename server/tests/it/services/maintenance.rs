//! Planned work and the teams whose services it covers.

use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

/// A service of a team of the same name: the ids of both.
async fn service_of_a_team(muster: &TestApp, name: &str) -> (String, String) {
    let built = muster.service(name).build().await;
    let team = muster.team(name).await;
    let path = format!("/teams/{team}/escalation_policies/{}", built.policy_id);
    muster.put(&path, json!({})).await.good();
    (built.service_id, team)
}

async fn plan(muster: &TestApp, words: &str, services: &[&str]) {
    let services: Vec<Value> = services
        .iter()
        .map(|id| json!({ "id": id, "type": "service_reference" }))
        .collect();
    let body = json!({ "maintenance_window": {
        "description": words, "services": services,
        "start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-01T01:00:00Z",
    } });
    muster.post("/maintenance_windows", body).await.with_status(201);
}

/// What each window is about, and the teams it shows.
fn windows(answer: &Value) -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let windows = answer["maintenance_windows"].as_array().unwrap().iter();
    windows
        .map(|window| {
            let teams = window["teams"].as_array().unwrap().iter();
            let teams = teams.map(|team| text(&team["summary"])).collect();
            (text(&window["description"]), teams)
        })
        .collect()
}

#[store::both_engines]
async fn work_is_found_by_the_teams_of_its_services_and_shows_them(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (tills, tills_team) = service_of_a_team(&muster, "tills").await;
    let (shop, shop_team) = service_of_a_team(&muster, "shop").await;
    let feed = muster.service("stock-feed").build().await.service_id;
    plan(&muster, "Swap tills", &[&tills]).await;
    plan(&muster, "Move the shop", &[&shop]).await;
    plan(&muster, "New racks", &[&tills, &shop, &feed]).await;
    let shown = |rows: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
        rows.iter()
            .map(|(words, teams)| {
                (
                    (*words).to_owned(),
                    teams.iter().map(|team| (*team).to_owned()).collect(),
                )
            })
            .collect()
    };
    let swap = ("Swap tills", &["tills"][..]);
    let racks = ("New racks", &["shop", "tills"][..]);
    let found = muster
        .get(&format!(
            "/maintenance_windows?team_ids[]={tills_team}&total=true"
        ))
        .await
        .good();
    assert_eq!(windows(&found), shown(&[swap, racks]));
    assert_eq!(found["total"], 2);
    let found = muster.get("/maintenance_windows?team_ids[]=nobody").await.good();
    assert_eq!(windows(&found), shown(&[]));
    let found = muster
        .get(&format!(
            "/maintenance_windows?team_ids[]={tills_team}&team_ids[]={shop_team}&include[]=teams"
        ))
        .await
        .good();
    assert_eq!(
        windows(&found),
        shown(&[swap, ("Move the shop", &["shop"][..]), racks])
    );
    let kinds: Vec<&Value> = found["maintenance_windows"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|window| window["teams"].as_array().unwrap())
        .map(|team| &team["type"])
        .collect();
    assert_eq!(kinds, ["team"; 4]);
}
