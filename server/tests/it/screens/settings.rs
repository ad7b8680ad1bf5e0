//! Settings: people, teams, policies, integrations, the outbox.

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::console::room::{post, see};
use crate::desk::outage;
use crate::harness::{Browser, TestApp};

/// What is shown once, in the part with this id.
fn secret(page: &str, id: &str) -> String {
    page.split(&format!("id=\"{id}\" tabindex=\"0\">"))
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .unwrap_or_else(|| panic!("{id} is not in {page}"))
        .to_owned()
}

async fn id_of(muster: &TestApp, email: &str) -> String {
    let users = muster.get("/users?limit=100").await.good();
    users["users"]
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["email"] == email)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[store::both_engines]
async fn somebody_is_added_is_given_a_role_and_removed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let fields = [
        ("name", HOSTILE),
        ("email", "new@example.org"),
        ("role", "responder"),
    ];
    let added = browser.send("/console/settings/people", &fields).await;
    assert_eq!(added.status.as_u16(), 200, "{}", added.text);
    shows_harmlessly(&added.text);
    assert!(secret(&added.text, "password-link").contains("/console/password/"));

    let id = id_of(&muster, "new@example.org").await;
    let role = [("person", id.as_str()), ("new_role", "agent")];
    Browser::led_to(&browser.send("/console/settings/people/role", &role).await);
    assert_eq!(
        muster.get(&format!("/users/{id}")).await.good()["user"]["role"],
        "restricted_access"
    );
    Browser::led_to(
        &browser
            .send(&format!("/console/settings/people/{id}/remove"), &[])
            .await,
    );
    assert_eq!(muster.get(&format!("/users/{id}")).await.status.as_u16(), 404);
}

#[store::both_engines]
async fn an_admin_neither_makes_owners_nor_takes_their_password(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let admin = muster.browser_as(Role::Admin).await;
    let fields = [("name", "X"), ("email", "x@example.org"), ("role", "owner")];
    assert_eq!(
        admin
            .send("/console/settings/people", &fields)
            .await
            .status
            .as_u16(),
        403
    );
    let path = format!("/console/settings/people/{}/password", muster.owner.id);
    assert_eq!(admin.send(&path, &[]).await.status.as_u16(), 403);
}

#[store::both_engines]
async fn teams_policies_and_integrations_are_made_and_taken_away(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    Browser::led_to(
        &browser
            .send(
                "/console/settings/teams",
                &[("name", HOSTILE), ("description", "")],
            )
            .await,
    );
    shows_harmlessly(&browser.open("/console/settings/teams").await);
    let teams = muster.get("/teams").await.good();
    let team = teams["teams"][0]["id"].as_str().unwrap().to_owned();
    let members = format!("/console/settings/teams/{team}/members");
    let member = [("person", muster.owner.id.as_str()), ("role", "manager")];
    Browser::led_to(&browser.send(&members, &member).await);
    assert!(browser.open("/console/settings/teams").await.contains("1 person"));

    let first = format!("user:{}", muster.owner.id);
    let policy = [
        ("name", "Night watch"),
        ("level-new1-who", first.as_str()),
        ("level-new1-minutes", "10"),
        ("loops", "2"),
    ];
    Browser::led_to(
        &browser
            .send("/console/settings/escalation-policies/new", &policy)
            .await,
    );
    let page = browser.open("/console/settings/escalation-policies").await;
    assert!(
        page.contains("Night watch") && page.contains("Maya Okafor, 10 min"),
        "{page}"
    );

    let made = browser
        .send(
            "/console/settings/integrations",
            &[("name", "Nagios, Leeds"), ("service", &built.service_id)],
        )
        .await;
    let key = secret(&made.text, "new-integration");
    let page = browser.open("/console/settings/integrations").await;
    assert!(page.contains("Nagios, Leeds") && !page.contains(&key) && !page.contains(&built.integration_key));
    let list = muster
        .get(&format!("/services/{}?include[]=integrations", built.service_id))
        .await
        .good();
    let id = list["service"]["integrations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["summary"] == "Nagios, Leeds")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let remove = format!("/console/settings/integrations/{}/{id}/remove", built.service_id);
    Browser::led_to(&browser.send(&remove, &[]).await);
    assert!(
        !browser
            .open("/console/settings/integrations")
            .await
            .contains("Nagios, Leeds")
    );
}

#[store::both_engines]
async fn whoever_may_not_change_settings_is_not_offered_it_and_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let agent = muster.browser_as(Role::Agent).await;
    let page = agent.open("/console/settings").await;
    assert!(!page.contains("Add somebody") && !page.contains("New password"));
    for (path, fields) in [
        (
            "/console/settings/people",
            &[("name", "x"), ("email", "x@example.org"), ("role", "agent")][..],
        ),
        ("/console/settings/teams", &[("name", "x")]),
        (
            "/console/settings/escalation-policies/new",
            &[("name", "x"), ("level-new1-who", "user:Q1")],
        ),
    ] {
        assert_eq!(agent.send(path, fields).await.status.as_u16(), 403, "{path}");
    }
    let owner = muster.browser().await;
    let forged = owner
        .send_forged("/console/settings/teams", &[("name", "x")])
        .await;
    assert_eq!(forged.status.as_u16(), 403);
}

#[store::both_engines]
async fn the_outbox_shows_what_was_sent(engine: Engine) {
    let muster = TestApp::new(engine).await;
    outage(&muster).await;
    muster.settle().await;
    let browser = muster.browser().await;
    let page = browser.open("/console/outbox").await;
    assert!(
        page.contains("Gateway silent") && page.contains("Maya Okafor"),
        "{page}"
    );
    let team = [("name", "Payments"), ("description", "")];
    Browser::led_to(&browser.send("/console/settings/teams", &team).await);
    let audit = browser.open("/console/settings/audit").await;
    assert!(
        audit.contains("Team Payments") && audit.contains("Added"),
        "{audit}"
    );
}

#[store::both_engines]
async fn a_policy_is_taken_away_only_by_those_of_its_teams(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ours = muster.service("tills").build().await.policy_id;
    let theirs = muster.service("web").build().await.policy_id;
    let team = muster.team("Tills").await;
    muster
        .put(&format!("/teams/{team}/escalation_policies/{ours}"), json!({}))
        .await
        .good();
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let manager = json!({ "role": "manager" });
    muster
        .put(&format!("/teams/{team}/users/{}", ben.id), manager)
        .await
        .good();
    let page = see(&muster, &ben, "/console/settings/escalation-policies").await;
    let removal = |policy: &str| format!("/console/settings/escalation-policies/{policy}/remove");
    assert!(page.contains(&removal(&ours)), "{page}");
    assert!(!page.contains(&removal(&theirs)), "{page}");
    let refused = post(&muster, &ben, &removal(&theirs), &[]).await;
    assert_eq!(refused.status.as_u16(), 403);
    assert!(
        refused.text.contains("This is not yours to change"),
        "{}",
        refused.text
    );
    let unseen = muster
        .as_person(&ben, Method::GET, "/console/settings/audit", None)
        .await;
    assert!(
        unseen.text.contains("This is not yours to see"),
        "{}",
        unseen.text
    );
}
