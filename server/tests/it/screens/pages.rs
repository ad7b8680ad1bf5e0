//! Status pages, kept in the console.

use muster::people::Role;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::desk::outage;
use crate::harness::{Browser, TestApp};

#[store::both_engines]
async fn a_page_is_added_with_what_it_shows_and_is_public_at_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    assert!(
        browser
            .open("/console/pages")
            .await
            .contains("No status page yet")
    );
    let fields = [
        ("name", "Larkfield"),
        ("slug", "larkfield"),
        ("visibility", "public"),
        ("component", outage.cards.as_str()),
    ];
    let kept = Browser::led_to(&browser.send("/console/pages", &fields).await);
    let page = browser.open(&kept).await;
    assert!(
        page.contains("follows Card payments") && page.contains("/status/larkfield"),
        "{page}"
    );
    muster.settle().await;
    assert_eq!(browser.look("/status/larkfield").await.status.as_u16(), 200);
    assert!(browser.open("/console/pages").await.contains("Larkfield"));

    let again = browser.send("/console/pages", &fields).await;
    assert_eq!(again.status.as_u16(), 400);
    assert!(
        again.text.contains("Slug is taken by another page."),
        "{}",
        again.text
    );
}

#[store::both_engines]
async fn a_component_is_said_to_stand_differently_and_then_follows_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = Browser::led_to(
        &browser
            .send("/console/pages", &[("name", "L"), ("slug", "l")])
            .await,
    );
    let added = browser
        .send(
            &format!("{page}/components"),
            &[("touchpoint", ""), ("name", HOSTILE), ("description", "")],
        )
        .await;
    Browser::led_to(&added);
    let html = browser.open(&page).await;
    shows_harmlessly(&html);
    let component = html
        .split("id=\"component-Q")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .map(|rest| format!("{page}/components/Q{rest}"))
        .unwrap();
    Browser::led_to(&browser.send(&component, &[("status", "major_outage")]).await);
    assert!(browser.open(&page).await.contains("said by hand"));
    Browser::led_to(&browser.send(&component, &[("status", "")]).await);
    assert!(browser.open(&page).await.contains("follows nothing"));
    Browser::led_to(&browser.send(&format!("{component}/remove"), &[]).await);
    assert!(!browser.open(&page).await.contains("follows nothing"));
}

#[store::both_engines]
async fn a_page_is_changed_and_taken_away_by_whoever_may(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = Browser::led_to(
        &browser
            .send("/console/pages", &[("name", "L"), ("slug", "l")])
            .await,
    );
    let agent = muster.browser_as(Role::Agent).await;
    assert!(!agent.open(&page).await.contains("Take the page away"));
    let changed = [
        ("name", "M"),
        ("slug", "m"),
        ("visibility", "private"),
        ("time_zone", "Europe/Dublin"),
    ];
    for (path, fields) in [
        (page.clone(), &changed[..]),
        (format!("{page}/remove"), &[]),
        ("/console/pages".to_owned(), &changed[..2]),
    ] {
        assert_eq!(agent.send(&path, fields).await.status.as_u16(), 403, "{path}");
    }
    assert_eq!(
        browser
            .send_forged(&format!("{page}/remove"), &[])
            .await
            .status
            .as_u16(),
        403
    );
    Browser::led_to(&browser.send(&page, &changed).await);
    let html = browser.open(&page).await;
    assert!(html.contains("For those who sign in") && html.contains("Europe/Dublin"));
    assert_eq!(
        Browser::led_to(&browser.send(&format!("{page}/remove"), &[]).await),
        "/console/pages"
    );
    assert_eq!(browser.look(&page).await.status.as_u16(), 404);
}

#[store::both_engines]
async fn components_are_put_into_groups_and_order_as_readers_see_them(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = Browser::led_to(
        &browser
            .send("/console/pages", &[("name", "Larkfield"), ("slug", "larkfield")])
            .await,
    );
    for name in ["Cards", "Tills"] {
        let fields = [("name", name), ("touchpoint", "")];
        Browser::led_to(&browser.send(&format!("{page}/components"), &fields).await);
    }
    let group = [("name", HOSTILE)];
    Browser::led_to(&browser.send(&format!("{page}/groups"), &group).await);
    shows_harmlessly(&browser.open(&page).await);
    let id = page.rsplit('/').next().unwrap();
    let list = muster.get(&format!("/status_pages/{id}/components")).await.good();
    let of = |name: &str| {
        let components = list["components"].as_array().unwrap();
        let found = components
            .iter()
            .find(|one| one["name"].as_str().unwrap().contains(name));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (cards, tills, group) = (of("Cards"), of("Tills"), of("script"));

    let form = browser.open(&format!("{page}?component={tills}")).await;
    assert!(form.contains("Show it only while something is wrong"), "{form}");
    let put = [("name", "Tills"), ("description", ""), ("group", group.as_str())];
    Browser::led_to(
        &browser
            .send(&format!("{page}/components/{tills}/change"), &put)
            .await,
    );
    let records = async || {
        let audit = muster.get("/audit/records?limit=100").await.good();
        audit["records"].as_array().unwrap().clone()
    };
    let before = records().await.len();
    let up = [("direction", "up")];
    Browser::led_to(
        &browser
            .send(&format!("{page}/components/{group}/move"), &up)
            .await,
    );
    let after = records().await;
    assert_eq!(after.len(), before + 1, "one press is one change");
    assert_eq!(after[0]["root_resource"]["id"], group.as_str(), "{}", after[0]);
    let order: Vec<String> = browser
        .open(&page)
        .await
        .split("id=\"component-")
        .skip(1)
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .filter(|id| [&cards, &tills, &group].contains(&id))
        .collect();
    assert_eq!(
        order,
        [group, tills, cards],
        "the group with what it holds, then the other"
    );

    muster.settle().await;
    let public = browser.open("/status/larkfield").await;
    shows_harmlessly(&public);
    let at = |what: &str| {
        public
            .find(what)
            .unwrap_or_else(|| panic!("{what} is not in {public}"))
    };
    assert!(at("class=\"group\"") < at("Tills") && at("Tills") < at("Cards"));
}
