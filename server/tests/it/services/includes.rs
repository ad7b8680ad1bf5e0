//! `include[]`: whole resources in the place of references.

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Built, TestApp};
use crate::oncall::daily;

/// A service whose policy belongs to a team and asks a rota, with an incident.
async fn scene(muster: &TestApp) -> (Built, String) {
    let built = muster.service("tills").build().await;
    let team = muster.team("Payments").await;
    let rota = muster
        .post(
            "/schedules",
            daily("Turns of payments", &[muster.owner.id.as_str()]),
        )
        .await
        .good();
    let policy = json!({ "escalation_policy": {
        "type": "escalation_policy", "teams": [{ "id": team, "type": "team_reference" }],
        "escalation_rules": [{ "escalation_delay_in_minutes": 5, "targets": [
            { "id": rota["schedule"]["id"], "type": "schedule_reference" },
            { "id": muster.owner.id, "type": "user_reference" },
        ] }],
    } });
    muster
        .put(&format!("/escalation_policies/{}", built.policy_id), policy)
        .await
        .good();
    muster.trigger(&built, "till-1", "Tills are silent").await;
    let found = muster.get("/incidents").await.good();
    let incident = found["incidents"][0]["id"].as_str().unwrap().to_owned();
    (built, incident)
}

/// Whether every one is whole: of its own type, with fields that no reference has.
fn whole<'v>(kind: &str, field: &str, ones: impl IntoIterator<Item = &'v Value>) {
    let mut seen = 0;
    for one in ones {
        assert_eq!(one["type"], kind, "{one}");
        assert!(one.get(field).is_some(), "{field} is missing: {one}");
        seen += 1;
    }
    assert!(seen > 0, "there is no {kind}");
}

fn each<'v>(value: &'v Value, list: &str) -> &'v Vec<Value> {
    value[list].as_array().unwrap()
}

#[store::both_engines]
async fn a_service_brings_its_policy_and_its_teams(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, _) = scene(&muster).await;
    let asked = "include[]=escalation_policies&include[]=teams&include[]=auto_pause_notifications_parameters";
    let one = muster
        .get(&format!("/services/{}?{asked}", built.service_id))
        .await
        .good();
    let listed = muster.get(&format!("/services?{asked}")).await.good();
    for service in [&one["service"], &listed["services"][0]] {
        whole(
            "escalation_policy",
            "escalation_rules",
            [&service["escalation_policy"]],
        );
        whole("team", "default_role", each(service, "teams"));
    }
    let plain = muster
        .get(&format!("/services/{}", built.service_id))
        .await
        .good();
    assert_eq!(
        plain["service"]["escalation_policy"]["type"],
        "escalation_policy_reference"
    );
    assert_eq!(plain["service"]["teams"][0]["type"], "team_reference");
}

#[store::both_engines]
async fn a_policy_brings_its_services_teams_and_targets(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, _) = scene(&muster).await;
    let asked = "include[]=services&include[]=teams&include[]=targets&include[]=escalation_rule_assignment_strategies";
    let one = muster
        .get(&format!("/escalation_policies/{}?{asked}", built.policy_id))
        .await
        .good();
    let listed = muster.get(&format!("/escalation_policies?{asked}")).await.good();
    for policy in [&one["escalation_policy"], &listed["escalation_policies"][0]] {
        whole("service", "incident_urgency_rule", each(policy, "services"));
        whole("team", "default_role", each(policy, "teams"));
        let rule = &policy["escalation_rules"][0];
        whole("schedule", "schedule_layers", [&rule["targets"][0]]);
        whole("user", "email", [&rule["targets"][1]]);
        assert_eq!(
            rule["escalation_rule_assignment_strategy"]["type"],
            "assign_to_everyone"
        );
    }
    let plain = muster
        .get(&format!("/escalation_policies/{}", built.policy_id))
        .await
        .good();
    assert_eq!(
        plain["escalation_policy"]["services"][0]["type"],
        "service_reference"
    );
}

#[store::both_engines]
async fn who_is_on_call_comes_with_their_policy_and_rota(engine: Engine) {
    let muster = TestApp::new(engine).await;
    scene(&muster).await;
    let asked = "include[]=users&include[]=escalation_policies&include[]=schedules";
    let listed = muster.get(&format!("/oncalls?{asked}")).await.good();
    let oncalls = each(&listed, "oncalls");
    whole("user", "email", oncalls.iter().map(|one| &one["user"]));
    let policies = oncalls.iter().map(|one| &one["escalation_policy"]);
    whole("escalation_policy", "escalation_rules", policies);
    let rotas = oncalls.iter().map(|one| &one["schedule"]);
    whole("schedule", "time_zone", rotas.filter(|rota| !rota.is_null()));
}

#[store::both_engines]
async fn a_person_brings_contact_methods_rules_and_teams(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let team = muster.team("Payments").await;
    muster
        .put(
            &format!("/teams/{team}/users/{}", muster.owner.id),
            json!({ "role": "manager" }),
        )
        .await
        .good();
    let asked = "include[]=contact_methods&include[]=notification_rules&include[]=teams&include[]=subdomains";
    let one = muster
        .get(&format!("/users/{}?{asked}", muster.owner.id))
        .await
        .good();
    let listed = muster.get(&format!("/users?{asked}")).await.good();
    for user in [&one["user"], &listed["users"][0]] {
        whole("email_contact_method", "address", each(user, "contact_methods"));
        let rules = each(user, "notification_rules");
        whole("assignment_notification_rule", "start_delay_in_minutes", rules);
        whole("team", "default_role", each(user, "teams"));
    }
}

#[store::both_engines]
async fn an_integration_brings_its_service_and_its_vendor(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, _) = scene(&muster).await;
    let integrations = format!("/services/{}/integrations", built.service_id);
    let body = json!({ "integration": {
        "type": "events_api_v2_inbound_integration", "name": "Grafana",
        "vendor": { "id": "PVGRAFANA0", "type": "vendor_reference" },
    } });
    let made = muster.post(&integrations, body).await.with_status(201);
    let path = format!("{integrations}/{}", made["integration"]["id"].as_str().unwrap());
    let plain = muster.get(&path).await.good()["integration"].clone();
    assert_eq!(plain["vendor"]["type"], "vendor_reference");
    let shown = muster
        .get(&format!("{path}?include[]=services&include[]=vendors"))
        .await
        .good()["integration"]
        .clone();
    whole("service", "incident_urgency_rule", [&shown["service"]]);
    whole("vendor", "description", [&shown["vendor"]]);
}

#[store::both_engines]
async fn planned_work_brings_its_services_and_who_planned_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, _) = scene(&muster).await;
    let window = json!({ "maintenance_window": {
        "type": "maintenance_window", "start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-01T01:00:00Z",
        "services": [{ "id": built.service_id, "type": "service_reference" }],
    } });
    let made = muster.post("/maintenance_windows", window).await.good();
    let asked = "include[]=services&include[]=users&include[]=teams";
    let id = made["maintenance_window"]["id"].as_str().unwrap();
    let one = muster
        .get(&format!("/maintenance_windows/{id}?{asked}"))
        .await
        .good();
    let listed = muster.get(&format!("/maintenance_windows?{asked}")).await.good();
    for window in [&one["maintenance_window"], &listed["maintenance_windows"][0]] {
        whole("service", "incident_urgency_rule", each(window, "services"));
        whole("user", "email", [&window["created_by"]]);
    }
}

#[store::both_engines]
async fn an_incident_its_alerts_and_its_log_bring_what_they_are_about(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = scene(&muster).await;
    let body = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
    muster.put(&format!("/incidents/{incident}"), body).await.good();
    let asked = "include[]=services&include[]=escalation_policies&include[]=teams&include[]=assignees\
                 &include[]=acknowledgers&include[]=agents&include[]=priorities";
    let one = muster.get(&format!("/incidents/{incident}?{asked}")).await.good();
    let listed = muster.get(&format!("/incidents?{asked}")).await.good();
    for shown in [&one["incident"], &listed["incidents"][0]] {
        whole("service", "incident_urgency_rule", [&shown["service"]]);
        whole(
            "escalation_policy",
            "escalation_rules",
            [&shown["escalation_policy"]],
        );
        whole("team", "default_role", each(shown, "teams"));
        whole(
            "user",
            "email",
            each(shown, "assignments").iter().map(|one| &one["assignee"]),
        );
        let acknowledgers = each(shown, "acknowledgements").iter();
        whole("user", "email", acknowledgers.map(|one| &one["acknowledger"]));
        whole("user", "email", [&shown["last_status_change_by"]]);
    }
    let begun = muster
        .get(&format!(
            "/incidents/{incident}?include[]=first_trigger_log_entries"
        ))
        .await
        .good();
    let first = &begun["incident"]["first_trigger_log_entry"];
    whole("trigger_log_entry", "channel", [first]);
    let entry = first["id"].as_str().unwrap();
    muster.get(&format!("/log_entries/{entry}")).await.good();
    let users = muster
        .get(&format!("/incidents/{incident}?include[]=users"))
        .await
        .good();
    whole(
        "user",
        "email",
        [&users["incident"]["assignments"][0]["assignee"]],
    );
    assert_eq!(users["incident"]["service"]["type"], "service_reference");
    let asked = "include[]=services&include[]=incidents&include[]=channels";
    let alerts = muster
        .get(&format!("/incidents/{incident}/alerts?{asked}"))
        .await
        .good();
    whole(
        "service",
        "incident_urgency_rule",
        [&alerts["alerts"][0]["service"]],
    );
    whole("incident", "incident_number", [&alerts["alerts"][0]["incident"]]);
    for path in ["/log_entries", &format!("/incidents/{incident}/log_entries")] {
        let entries = muster.get(&format!("{path}?{asked}")).await.good();
        let incidents = each(&entries, "log_entries").iter().map(|one| &one["incident"]);
        whole("incident", "incident_number", incidents);
    }
}

/// With its key, somebody who may only look could open and resolve incidents.
#[store::both_engines]
async fn keys_of_integrations_are_for_those_who_may_change_services(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let service = format!("/services/{}", built.service_id);
    let shown = muster.get(&service).await.good();
    let integration = shown["service"]["integrations"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (role, sees) in [
        (Role::Admin, true),
        (Role::Manager, true),
        (Role::Responder, false),
        (Role::Agent, false),
        (Role::Observer, false),
        (Role::Stakeholder, false),
    ] {
        let person = muster.person("Sam", &format!("{role:?}@example.org"), role).await;
        for path in [
            format!("{service}/integrations/{integration}"),
            format!("{service}?include[]=integrations"),
            "/services?include[]=integrations".to_owned(),
        ] {
            let text = muster.as_person(&person, Method::GET, &path, None).await.text;
            assert_eq!(
                text.contains(&built.integration_key),
                sees,
                "{role:?} {path}: {text}"
            );
        }
    }
}
