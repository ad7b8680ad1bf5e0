use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;
use crate::orchestration::{rule, start};

fn policy(name: &str, user: &str) -> Value {
    json!({ "escalation_policy": {
        "type": "escalation_policy", "name": name,
        "escalation_rules": [{
            "escalation_delay_in_minutes": 10,
            "targets": [{ "id": user, "type": "user_reference" }],
        }],
    } })
}

#[store::both_engines]
async fn a_policy_is_made_and_shown_whole(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster
        .person("Ben Adeyemi", "ben@example.org", Role::Responder)
        .await;
    let team = muster.team("Payments").await;
    let made = muster
        .post(
            "/escalation_policies",
            json!({ "escalation_policy": {
                "type": "escalation_policy", "name": "Payments", "num_loops": 2,
                "teams": [{ "id": team, "type": "team_reference" }],
                "escalation_rules": [
                    { "escalation_delay_in_minutes": 5, "targets": [{ "id": ben.id, "type": "user" }] },
                    {
                        "escalation_delay_in_minutes": 15,
                        "targets": [{ "id": ben.id, "type": "user_reference" }, { "id": muster.owner.id, "type": "user" }],
                        "escalation_rule_assignment_strategy": { "type": "round_robin" },
                    },
                ],
            } }),
        )
        .await
        .with_status(201);
    insta::assert_json_snapshot!("policy_made", made, {
        ".escalation_policy.id" => "[id]",
        ".**.self" => "[url]",
        ".**.html_url" => "[url]",
        ".escalation_policy.teams[].id" => "[id]",
        ".escalation_policy.escalation_rules[].id" => "[id]",
        ".escalation_policy.escalation_rules[].targets[].id" => "[id]",
    });
    let path = format!(
        "/escalation_policies/{}",
        made["escalation_policy"]["id"].as_str().unwrap()
    );
    let shown = muster
        .get(&format!("{path}?include[]=targets&include[]=teams"))
        .await
        .good();
    let shown = &shown["escalation_policy"];
    assert_eq!(
        shown["escalation_rules"][0]["targets"][0]["email"],
        "ben@example.org"
    );
    assert_eq!(shown["teams"][0]["default_role"], "manager");
    assert_eq!(
        shown["escalation_rules"][1].get("escalation_rule_assignment_strategy"),
        None
    );
    // What was read and is sent back changes nothing, though the strategy was not among it.
    let read = muster.get(&path).await.good();
    muster.put(&path, read).await.good();
    let asked = format!("{path}?include[]=escalation_rule_assignment_strategies");
    let strategies: Vec<_> = muster.get(&asked).await.good()["escalation_policy"]["escalation_rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["escalation_rule_assignment_strategy"]["type"].clone())
        .collect();
    assert_eq!(strategies, ["assign_to_everyone", "round_robin"]);
}

#[store::both_engines]
async fn rules_that_are_sent_back_keep_their_ids(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let made = muster
        .post(
            "/escalation_policies",
            policy("Payments", muster.owner.id.as_str()),
        )
        .await
        .with_status(201);
    let id = made["escalation_policy"]["id"].as_str().unwrap();
    let rule = &made["escalation_policy"]["escalation_rules"][0];
    let target = json!({ "id": muster.owner.id, "type": "user_reference" });
    let changed = muster
        .put(
            &format!("/escalation_policies/{id}"),
            json!({ "escalation_policy": { "escalation_rules": [
                { "escalation_delay_in_minutes": 1, "targets": [target] },
                { "id": rule["id"], "escalation_delay_in_minutes": 20, "targets": [target] },
            ] } }),
        )
        .await
        .good();
    let rules = changed["escalation_policy"]["escalation_rules"]
        .as_array()
        .unwrap();
    assert_eq!(rules[1]["id"], rule["id"]);
    assert_ne!(rules[0]["id"], rule["id"]);
    assert_eq!(changed["escalation_policy"]["name"], "Payments");
}

#[store::both_engines]
async fn what_pages_nobody_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let user = muster.owner.id.as_str();
    let rules = [
        json!([]),
        json!([{ "escalation_delay_in_minutes": 5, "targets": [] }]),
        json!([{ "escalation_delay_in_minutes": 0, "targets": [{ "id": user, "type": "user" }] }]),
        json!([{ "escalation_delay_in_minutes": 5, "targets": [{ "id": "QNOBODY", "type": "user" }] }]),
        json!([{ "escalation_delay_in_minutes": 5, "targets": [{ "id": user, "type": "pigeon" }] }]),
        json!([{ "escalation_delay_in_minutes": 5, "targets": vec![json!({ "id": user, "type": "user" }); 11] }]),
    ];
    for rules in rules {
        muster
            .post(
                "/escalation_policies",
                json!({ "escalation_policy": { "name": "Nobody", "escalation_rules": rules } }),
            )
            .await
            .with_status(400);
    }
    muster
        .post("/escalation_policies", policy("Twice", user))
        .await
        .with_status(201);
    muster
        .post("/escalation_policies", policy("Twice", user))
        .await
        .with_status(400);
}

#[store::both_engines]
async fn whom_a_policy_pages_cannot_be_deleted(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let made = muster
        .post("/escalation_policies", policy("Payments", ben.id.as_str()))
        .await
        .with_status(201);
    let refused = muster
        .delete(&format!("/users/{}", ben.id))
        .await
        .with_status(400);
    assert!(
        refused["error"]["errors"][0]
            .as_str()
            .unwrap()
            .contains("Payments")
    );
    let path = format!(
        "/escalation_policies/{}",
        made["escalation_policy"]["id"].as_str().unwrap()
    );
    muster.delete(&path).await.with_status(204);
    muster.get(&path).await.with_status(404);
    muster
        .delete(&format!("/users/{}", ben.id))
        .await
        .with_status(204);
}

#[store::both_engines]
async fn the_manager_of_a_team_changes_its_things_and_no_others(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let (own, other) = (muster.team("Payments").await, muster.team("Loyalty").await);
    muster
        .put(
            &format!("/teams/{own}/users/{}", ben.id),
            json!({ "role": "manager" }),
        )
        .await
        .with_status(204);
    muster
        .put(
            &format!("/teams/{other}/users/{}", ben.id),
            json!({ "role": "responder" }),
        )
        .await
        .with_status(204);
    let mut paths = Vec::new();
    for (name, team) in [("Own", &own), ("Other", &other)] {
        let mut body = policy(name, ben.id.as_str());
        body["escalation_policy"]["teams"] = json!([{ "id": team, "type": "team_reference" }]);
        let made = muster.post("/escalation_policies", body).await.with_status(201);
        paths.push(format!(
            "/escalation_policies/{}",
            made["escalation_policy"]["id"].as_str().unwrap()
        ));
    }
    let rename = |name: &str| Some(json!({ "escalation_policy": { "name": name } }));
    muster
        .as_person(&ben, Method::PUT, &paths[0], rename("Mine"))
        .await
        .good();
    muster
        .as_person(&ben, Method::PUT, &paths[1], rename("Theirs"))
        .await
        .with_status(403);
    muster
        .as_person(&ben, Method::DELETE, &paths[1], None)
        .await
        .with_status(403);
    muster.as_person(&ben, Method::GET, &paths[1], None).await.good();
    // Taking something into one's own team takes leave of the team it belongs to.
    let policy_id = paths[1].rsplit('/').next().unwrap();
    muster
        .as_person(
            &ben,
            Method::PUT,
            &format!("/teams/{own}/escalation_policies/{policy_id}"),
            None,
        )
        .await
        .with_status(403);
    let move_away = Some(json!({ "escalation_policy": { "teams": [{ "id": other, "type": "team" }] } }));
    muster
        .as_person(&ben, Method::PUT, &paths[0], move_away)
        .await
        .with_status(403);
    let fresh = Some(policy("Without a team", ben.id.as_str()));
    muster
        .as_person(&ben, Method::POST, "/escalation_policies", fresh)
        .await
        .with_status(403);
    let listed = muster
        .get(&format!("/escalation_policies?team_ids[]={other}"))
        .await
        .good();
    assert_eq!(listed["escalation_policies"].as_array().unwrap().len(), 1);
}

#[store::both_engines]
async fn a_policy_that_a_rule_names_cannot_be_deleted(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let made = muster
        .post("/escalation_policies", policy("Night", muster.owner.id.as_str()))
        .await
        .with_status(201);
    let id = made["escalation_policy"]["id"].as_str().unwrap();
    let asks = start(json!([{ "actions": { "escalation_policy": id } }]));
    rule(&muster, &built, asks).await;
    let path = format!("/escalation_policies/{id}");
    let refused = muster.delete(&path).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!([
            "A rule on the events of the service 'card-gateway' uses this policy; change the rule first."
        ])
    );
    rule(&muster, &built, start(json!([]))).await;
    muster.delete(&path).await.with_status(204);
}
