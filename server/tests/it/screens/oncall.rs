//! On call, changed by the forms of the console: levels of a policy, layers of a schedule, turns that are swapped.

use muster::people::Role;
use serde_json::Value;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::harness::{Browser, TestApp};
use crate::oncall::{daily, turns};

/// The policy of a service, its page, and the id of its only rule.
async fn policy(muster: &TestApp) -> (String, String, String) {
    let id = muster.service("tills").build().await.policy_id;
    let policy = read_policy(muster, &id).await;
    let rule = policy["escalation_rules"][0]["id"].as_str().unwrap().to_owned();
    let page = format!("/console/settings/escalation-policies/{id}");
    (id, page, rule)
}

async fn read_policy(muster: &TestApp, id: &str) -> Value {
    muster.get(&format!("/escalation_policies/{id}")).await.good()["escalation_policy"].clone()
}

#[store::both_engines]
async fn a_policy_is_changed_with_all_its_levels(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, page, rule) = policy(&muster).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let team = muster.team("Tills").await;
    let browser = muster.browser().await;
    let form = browser.open(&page).await;
    assert!(form.contains(&format!("name=\"level-{rule}-minutes\"")), "{form}");
    assert!(
        form.contains(">tills</a>"),
        "the service that pages by it: {form}"
    );

    let (maya, ben) = (format!("user:{}", muster.owner.id), format!("user:{}", ben.id));
    let (who, minutes) = (format!("level-{rule}-who"), format!("level-{rule}-minutes"));
    let fields = [
        ("name", HOSTILE),
        ("description", "By night"),
        ("team", team.as_str()),
        (who.as_str(), ben.as_str()),
        (who.as_str(), ""),
        (who.as_str(), maya.as_str()),
        (minutes.as_str(), "7"),
        ("level-new1-who", ""),
        ("level-new1-minutes", "10"),
        ("level-new2-who", maya.as_str()),
        ("level-new2-how", "in_turn"),
        ("level-new2-minutes", "25"),
        ("loops", "3"),
    ];
    assert_eq!(Browser::led_to(&browser.send(&page, &fields).await), page);
    shows_harmlessly(&browser.open(&page).await);
    let after = read_policy(&muster, &id).await;
    assert_eq!(after["num_loops"], 3);
    assert_eq!(after["teams"][0]["id"], team.as_str());
    let rules = after["escalation_rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2, "{after}");
    assert_eq!(rules[0]["id"], rule.as_str(), "a level that stays is the same");
    assert_eq!(rules[0]["escalation_delay_in_minutes"], 7);
    assert_eq!(rules[0]["targets"][0]["summary"], "Ben");
    assert_eq!(rules[0]["targets"][1]["summary"], "Maya Okafor");
    assert_eq!(rules[1]["escalation_delay_in_minutes"], 25);

    let entries = muster.get("/audit/records").await.good();
    assert!(entries.to_string().contains("escalation_policy"), "{entries}");
}

#[store::both_engines]
async fn what_is_wrong_with_a_policy_is_said_beside_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, page, rule) = policy(&muster).await;
    let browser = muster.browser().await;
    let before = read_policy(&muster, &id).await;
    let maya = format!("user:{}", muster.owner.id);
    let (who, minutes) = (format!("level-{rule}-who"), format!("level-{rule}-minutes"));
    let wrong = [
        ("name", ""),
        ("description", "Kept as it was typed"),
        (who.as_str(), maya.as_str()),
        (minutes.as_str(), "soon"),
        ("level-new1-who", "user:QNOBODY"),
        ("level-new1-minutes", "5"),
        ("loops", "0"),
    ];
    let refused = browser.send(&page, &wrong).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    for said in [
        "The name can&#39;t be blank.",
        "The minutes must lie between 1 and 43200.",
        "Those who are paged QNOBODY is not a user or schedule",
        "Kept as it was typed",
        "value=\"soon\"",
    ] {
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
    }
    let nobody = [("name", "x"), ("loops", "0")];
    assert_eq!(browser.send(&page, &nobody).await.status.as_u16(), 422);

    let mut more = wrong.to_vec();
    more.push(("act", "more"));
    let longer = browser.send(&page, &more).await;
    assert_eq!(longer.status.as_u16(), 200, "{}", longer.text);
    assert!(longer.text.contains("name=\"level-new2-who\""), "{}", longer.text);
    assert!(longer.text.contains("Kept as it was typed"), "{}", longer.text);
    assert_eq!(read_policy(&muster, &id).await, before);

    assert_eq!(browser.send_forged(&page, &wrong).await.status.as_u16(), 403);
    let agent = muster.browser_as(Role::Agent).await;
    assert!(!agent.open(&page).await.contains("Change it"));
    assert_eq!(agent.send(&page, &wrong).await.status.as_u16(), 403);
    let unknown = "/console/settings/escalation-policies/PNONE";
    assert_eq!(browser.look(unknown).await.status.as_u16(), 404);
}

/// A schedule in which Maya and Ben take turns of a day; its id and Ben's.
async fn rota(muster: &TestApp) -> (String, String) {
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let body = daily("Payments", &[muster.owner.id.as_str(), ben.id.as_str()]);
    let made = muster.post("/schedules", body).await.with_status(201);
    let id = made["schedule"]["id"].as_str().unwrap().to_owned();
    (id, ben.id.to_string())
}

async fn written_out(muster: &TestApp, id: &str) -> Value {
    let range = "since=2026-11-17T06:00:00Z&until=2026-11-21T08:00:00Z";
    muster.get(&format!("/schedules/{id}?{range}")).await.good()
}

/// What the form of a schedule holds, to be sent again with something changed.
fn filled(page: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for tag in page.split('<').skip(1) {
        let attribute = |name: &str| {
            let rest = tag.split_once(&format!(" {name}=\""))?.1;
            Some(rest.split('"').next().unwrap_or_default().to_owned())
        };
        let kind = tag.split([' ', '>']).next().unwrap_or_default();
        match (kind, attribute("name")) {
            ("input", Some(name)) if name != "csrf_token" => {
                fields.push((name, attribute("value").unwrap_or_default()));
            }
            ("textarea", Some(name)) => {
                let text = tag.split_once('>').map_or("", |(_, text)| text);
                fields.push((name, text.to_owned()));
            }
            ("select", Some(name)) => fields.push((name, String::new())),
            ("option", _) if tag.contains(" selected") => {
                let value = attribute("value").unwrap_or_default();
                if let Some((_, chosen)) = fields.last_mut() {
                    *chosen = value;
                }
            }
            _ => {}
        }
    }
    fields.retain(|(name, _)| {
        ["name", "description", "zone", "team", "loops"].contains(&name.as_str())
            || name.starts_with("layer-")
            || name.starts_with("level-")
    });
    fields
}

fn set(fields: &mut [(String, String)], ending: &str, nth: usize, value: &str) {
    let mut matching = fields.iter_mut().filter(|(name, _)| name.ends_with(ending));
    value.clone_into(&mut matching.nth(nth).unwrap().1);
}

fn lent(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[store::both_engines]
async fn a_schedule_is_changed_after_seeing_whose_turns_move(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, ben) = rota(&muster).await;
    let browser = muster.browser().await;
    let page = format!("/console/on-call/{id}/change");
    assert!(browser.open("/console/on-call").await.contains(&page));
    let mut fields = filled(&browser.open(&page).await);
    let untouched = browser.send(&page, &lent(&fields)).await;
    assert!(
        untouched.text.contains("Nobody’s, in the next four weeks."),
        "{}",
        untouched.text
    );

    set(&mut fields, "-hours", 0, "Mon to Fri 09:00 to 17:00");
    let before = written_out(&muster, &id).await;
    let preview = browser.send(&page, &lent(&fields)).await;
    assert_eq!(preview.status.as_u16(), 200, "{}", preview.text);
    for said in [
        "left with nobody on call",
        "less on call",
        "Tue 17 Nov 17:00 to Wed 18 Nov 08:00",
        "Mon to Fri 09:00 to 17:00",
    ] {
        assert!(preview.text.contains(said), "{said} is not in {}", preview.text);
    }
    assert_eq!(written_out(&muster, &id).await, before, "looking changes nothing");

    set(&mut fields, "-who", 2, &ben);
    set(&mut fields, "name", 0, HOSTILE);
    fields.push(("act".to_owned(), "keep".to_owned()));
    Browser::led_to(&browser.send(&page, &lent(&fields)).await);
    let after = written_out(&muster, &id).await;
    let layer = &after["schedule"]["schedule_layers"][0];
    assert_eq!(layer["users"].as_array().unwrap().len(), 3, "{layer}");
    assert_eq!(layer["restrictions"].as_array().unwrap().len(), 5, "{layer}");
    assert_eq!(
        layer["rotation_virtual_start"], "2026-11-02T08:00:00+00:00",
        "{layer}"
    );
    shows_harmlessly(&browser.open(&page).await);
    assert_eq!(turns(&after)[0].1, "2026-11-17T09:00:00+00:00");
}

#[store::both_engines]
async fn a_layer_is_added_and_one_is_taken_away(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, ben) = rota(&muster).await;
    let browser = muster.browser().await;
    let page = format!("/console/on-call/{id}/change");
    let mut fields = filled(&browser.open(&page).await);
    fields.push(("act".to_owned(), "more".to_owned()));
    let mut fields = filled(&browser.send(&page, &lent(&fields)).await.text);
    set(&mut fields, "layer-new1-who", 0, &ben);
    set(&mut fields, "layer-new1-hours", 0, "every day 20:00 to 08:00");
    let layers = async |fields: &[(String, String)]| {
        let mut kept = fields.to_vec();
        kept.push(("act".to_owned(), "keep".to_owned()));
        Browser::led_to(&browser.send(&page, &lent(&kept)).await);
        let schedule = muster.get(&format!("/schedules/{id}")).await.good();
        schedule["schedule"]["schedule_layers"].as_array().unwrap().len()
    };
    assert_eq!(layers(&fields).await, 2);
    let mut fields = filled(&browser.open(&page).await);
    set(&mut fields, "-who", 0, "");
    set(&mut fields, "-who", 1, "");
    assert_eq!(layers(&fields).await, 1);
    let schedule = muster.get(&format!("/schedules/{id}")).await.good();
    let left = &schedule["schedule"]["schedule_layers"][0];
    assert_eq!(left["users"][0]["user"]["summary"], "Ben", "{left}");
}

#[store::both_engines]
async fn a_layer_changes_its_place_and_with_it_what_it_covers(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, ben) = rota(&muster).await;
    let browser = muster.browser().await;
    let page = format!("/console/on-call/{id}/change");
    let pressed = async |fields: &[(String, String)], act: &str| {
        let mut fields = fields.to_vec();
        fields.push(("act".to_owned(), act.to_owned()));
        browser.send(&page, &lent(&fields)).await
    };
    let mut fields = filled(&pressed(&filled(&browser.open(&page).await), "more").await.text);
    set(&mut fields, "layer-new1-name", 0, "Nights");
    set(&mut fields, "layer-new1-who", 0, &ben);
    let moved = pressed(&fields, "up-new1").await;
    assert_eq!(moved.status.as_u16(), 200, "{}", moved.text);
    let fields = filled(&moved.text);
    let first = fields
        .iter()
        .find(|(name, _)| name.starts_with("layer-"))
        .unwrap();
    assert_eq!(
        (first.0.as_str(), first.1.as_str()),
        ("layer-new1-name", "Nights")
    );
    Browser::led_to(&pressed(&fields, "keep").await);
    let after = filled(&browser.open(&page).await);
    let names: Vec<&str> = after
        .iter()
        .filter(|(name, _)| name.starts_with("layer-") && name.ends_with("-name"))
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(names[0], "Nights", "{names:?}");
    assert_eq!(names.len(), 2);
}

#[store::both_engines]
async fn a_schedule_is_made_by_the_same_form_which_forgets_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = "/console/on-call/new";
    assert!(browser.open("/console/on-call").await.contains(page));
    let mut fields = filled(&browser.open(page).await);
    set(&mut fields, "description", 0, HOSTILE);
    let refused = browser.send(page, &lent(&fields)).await;
    assert!(
        refused.text.contains("Choose somebody who takes turns."),
        "{}",
        refused.text
    );
    set(&mut fields, "layer-new1-who", 0, muster.owner.id.as_str());
    let refused = browser.send(page, &lent(&fields)).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    assert!(
        refused.text.contains("The name can&#39;t be blank."),
        "{}",
        refused.text
    );
    shows_harmlessly(&refused.text);
    let mut fields = filled(&refused.text);
    set(&mut fields, "name", 0, "Nights");
    fields.push(("act".to_owned(), "more".to_owned()));
    let mut fields = filled(&browser.send(page, &lent(&fields)).await.text);
    fields.retain(|(name, _)| name != "act");
    set(&mut fields, "layer-new2-hours", 0, "at night");
    set(&mut fields, "layer-new2-who", 0, muster.owner.id.as_str());
    let refused = browser.send(page, &lent(&fields)).await;
    assert!(
        refused.text.contains("cannot be read as hours"),
        "{}",
        refused.text
    );
    set(&mut fields, "layer-new2-hours", 0, "");
    set(&mut fields, "description", 0, HOSTILE);
    let led = Browser::led_to(&browser.send(page, &lent(&fields)).await);
    assert!(browser.open(&led).await.contains("Nights"));
    let schedules = muster.get("/schedules?include[]=schedule_layers").await.good();
    let made = &schedules["schedules"][0];
    assert_eq!(made["description"], HOSTILE);
    assert_eq!(
        made["schedule_layers"].as_array().map(Vec::len),
        Some(2),
        "{made}"
    );

    let fields = lent(&fields);
    assert_eq!(browser.send_forged(page, &fields).await.status.as_u16(), 403);
    let agent = muster.browser_as(Role::Agent).await;
    assert!(!agent.open("/console/on-call").await.contains(page));
    assert_eq!(agent.look(page).await.status.as_u16(), 403);
    assert_eq!(agent.send(page, &fields).await.status.as_u16(), 403);
}

#[store::both_engines]
async fn a_policy_is_made_by_the_same_form_which_forgets_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = "/console/settings/escalation-policies/new";
    assert!(
        browser
            .open("/console/settings/escalation-policies")
            .await
            .contains(page)
    );
    let maya = format!("user:{}", muster.owner.id);
    let mut fields = filled(&browser.open(page).await);
    set(&mut fields, "description", 0, "By night");
    fields.push(("act".to_owned(), "more".to_owned()));
    let mut fields = filled(&browser.send(page, &lent(&fields)).await.text);
    fields.retain(|(name, _)| name != "act");
    set(&mut fields, "level-new1-minutes", 0, "7");
    set(&mut fields, "level-new2-who", 0, &maya);
    set(&mut fields, "level-new2-minutes", 0, "9");
    let refused = browser.send(page, &lent(&fields)).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    assert!(
        refused.text.contains("The name can&#39;t be blank.") && refused.text.contains("By night"),
        "{}",
        refused.text
    );
    set(&mut fields, "name", 0, "Night watch");
    set(&mut fields, "level-new1-who", 0, &maya);
    fields.push(("act".to_owned(), "down-new1".to_owned()));
    let mut fields = filled(&browser.send(page, &lent(&fields)).await.text);
    fields.retain(|(name, _)| name != "act");
    Browser::led_to(&browser.send(page, &lent(&fields)).await);
    let policies = muster.get("/escalation_policies?query=Night").await.good();
    let minutes: Vec<i64> = policies["escalation_policies"][0]["escalation_rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["escalation_delay_in_minutes"].as_i64().unwrap())
        .collect();
    assert_eq!(minutes, [9, 7], "{policies}");
}

#[store::both_engines]
async fn what_is_wrong_with_a_schedule_is_said_beside_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, _) = rota(&muster).await;
    let browser = muster.browser().await;
    let page = format!("/console/on-call/{id}/change");
    let mut fields = filled(&browser.open(&page).await);
    set(&mut fields, "-hours", 0, "at night");
    set(&mut fields, "-starts", 0, "tomorrow");
    set(&mut fields, "-ends", 0, "2026-02-30T00:00");
    set(&mut fields, "-length", 0, "99999999999999999999");
    let refused = browser.send(&page, &lent(&fields)).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    for said in [
        "“at night” cannot be read as hours.",
        "Say when the first turn begins",
        "Say when it ends",
        "at most 366 days",
        "value=\"tomorrow\"",
    ] {
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
    }
    for (ending, value, said) in [
        ("name", "", "The name can&#39;t be blank."),
        ("zone", "Mars/Olympus", "The time zone must be an IANA time zone"),
        ("-who", "QNOBODY", "Who takes turns: QNOBODY is not a user"),
        ("team", "TNOBODY", "The team names a team that is not known here."),
    ] {
        let mut fields = filled(&browser.open(&page).await);
        set(&mut fields, ending, 0, value);
        fields.push(("act".to_owned(), "keep".to_owned()));
        let refused = browser.send(&page, &lent(&fields)).await;
        assert_eq!(refused.status.as_u16(), 422, "{ending}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
    }
    let fields = lent(&fields);
    assert_eq!(browser.send_forged(&page, &fields).await.status.as_u16(), 403);
    let agent = muster.browser_as(Role::Agent).await;
    assert!(!agent.open("/console/on-call").await.contains(&page));
    assert_eq!(agent.look(&page).await.status.as_u16(), 403);
    assert_eq!(agent.send(&page, &fields).await.status.as_u16(), 403);
    assert_eq!(
        browser
            .look("/console/on-call/PNONE/change")
            .await
            .status
            .as_u16(),
        404
    );
}

#[store::both_engines]
async fn two_people_swap_their_turns(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (id, ben) = rota(&muster).await;
    let browser = muster.browser().await;
    let page = browser.open("/console/on-call").await;
    assert!(page.contains("Swap two turns"), "{page}");
    let before = turns(&written_out(&muster, &id).await);
    let whose = |name: &str| {
        let id = if name == "Ben" {
            ben.as_str()
        } else {
            muster.owner.id.as_str()
        };
        id.to_owned()
    };
    // The turns of the next two whole days.
    let one = format!("{} {}", "2026-11-18T08:00:00Z", whose(&before[1].0));
    let other = format!("{} {}", "2026-11-19T08:00:00Z", whose(&before[2].0));
    let path = format!("/console/on-call/{id}/swaps");
    let swap = [("one", one.as_str()), ("other", other.as_str())];
    let observer = muster.browser_as(Role::Observer).await;
    assert_eq!(observer.send(&path, &swap).await.status.as_u16(), 403);
    assert_eq!(browser.send_forged(&path, &swap).await.status.as_u16(), 403);
    Browser::led_to(&browser.send(&path, &swap).await);
    let after = turns(&written_out(&muster, &id).await);
    let who = |turns: &[(String, String)], at: &str| {
        let turn = turns.iter().rev().find(|(_, start)| start.as_str() <= at);
        turn.unwrap().0.clone()
    };
    for (at, then) in [
        ("2026-11-17T12:00:00+00:00", "2026-11-18T12:00:00+00:00"),
        ("2026-11-18T12:00:00+00:00", "2026-11-17T12:00:00+00:00"),
    ] {
        assert_eq!(who(&after, at), who(&before, then), "{after:?}");
    }
    let again = browser.send(&path, &swap).await;
    assert_eq!(again.status.as_u16(), 409, "{}", again.text);
}
