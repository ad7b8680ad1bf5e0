//! What a service does not take: it is named, and nothing else is kept in its place.

use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

#[store::both_engines]
async fn a_wrong_type_in_the_settings_of_a_grouping_is_named_and_nothing_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = format!("/services/{}", built.service_id);
    let time = json!({ "type": "time", "config": { "timeout": 5 } });
    let kept = json!({ "service": { "alert_grouping_parameters": time } });
    muster.put(&path, kept).await.good();
    let many: Vec<String> = (0..21).map(|number| format!("custom_details.{number}")).collect();
    for (kind, config, words) in [
        (
            "time",
            json!({ "timeout": "5" }),
            vec![".timeout must be a whole number."],
        ),
        (
            "time",
            json!({ "timeout": 5.5 }),
            vec![".timeout must be a whole number."],
        ),
        ("time", json!([5]), vec![" must be a JSON object."]),
        (
            "intelligent",
            json!({ "time_window": "600" }),
            vec![".time_window must be a whole number."],
        ),
        (
            "intelligent",
            json!({ "iag_fields": "summary" }),
            vec![".iag_fields must be a list."],
        ),
        (
            "content_based",
            json!({ "aggregate": "some", "fields": [1, "summary"] }),
            vec![".aggregate must be all or any.", ".fields[0] must be a text."],
        ),
        (
            "content_based_intelligent",
            json!({ "aggregate": true, "fields": ["summary"] }),
            vec![".aggregate must be all or any."],
        ),
    ] {
        let body = json!({ "service": { "alert_grouping_parameters": { "type": kind, "config": config } } });
        let refused = muster.put(&path, body.clone()).await.with_status(400);
        let words: Vec<String> = words
            .iter()
            .map(|words| format!("service.alert_grouping_parameters.config{words}"))
            .collect();
        assert_eq!(refused["error"]["errors"], json!(words), "{body}");
    }
    let body = json!({ "type": "content_based", "config": { "fields": many } });
    let body = json!({ "service": { "alert_grouping_parameters": body } });
    let refused = muster.put(&path, body).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!(["Alert grouping fields may be at most 20."])
    );
    let shown = muster.get(&path).await.good();
    assert_eq!(shown["service"]["alert_grouping_parameters"], time);
}

#[store::both_engines]
async fn settings_of_a_grouping_that_are_null_have_their_usual_values(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = format!("/services/{}", built.service_id);
    let config = json!({ "timeout": null, "time_window": null, "aggregate": null, "fields": ["summary"] });
    let sent = json!({ "type": "content_based", "config": config });
    let body = json!({ "service": { "alert_grouping_parameters": sent } });
    let shown = muster.put(&path, body).await.good();
    assert_eq!(shown["service"]["alert_grouping_parameters"], sent);
}

#[store::both_engines]
async fn more_than_a_service_or_a_policy_holds_is_refused_and_not_cut_off(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let action = json!({
        "type": "urgency_change", "to_urgency": "high",
        "at": { "type": "named_time", "name": "support_hours_start" },
    });
    let actions: Vec<&Value> = std::iter::repeat_n(&action, 5).collect();
    let body = json!({ "service": { "scheduled_actions": actions } });
    let path = format!("/services/{}", built.service_id);
    let refused = muster.put(&path, body).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!([
            "Scheduled actions can be at most 4.",
            "Scheduled actions need support hours."
        ])
    );
    let strategies = json!([{ "type": "round_robin" }, { "type": "assign_to_everyone" }]);
    let rule = json!({
        "escalation_delay_in_minutes": 30, "targets": [{ "id": muster.owner.id, "type": "user_reference" }],
        "escalation_rule_assignment_strategy": strategies,
    });
    let body = json!({ "escalation_policy": { "name": "Payments", "escalation_rules": [rule] } });
    let refused = muster.post("/escalation_policies", body).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!([
            "Escalation rules[0].escalation_rule_assignment_strategy must be assign_to_everyone or round_robin."
        ])
    );
}
