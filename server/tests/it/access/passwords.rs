//! Passwords: chosen by a link that works once, changed by whoever knows the old one, asked for when forgotten.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use muster::people::Role;
use serde_json::json;
use store::{Engine, params, sql};

use crate::harness::{Answer, Browser, Person, TestApp};
use crate::smtp::MailServer;

const GOOD: &str = "correct horse battery";

/// A form of somebody who is not signed in. Passwords and addresses here hold nothing but letters, blanks, `@`.
async fn send(muster: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('@', "%40")))
        .collect();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.join("&")))
        .unwrap();
    muster.send(request).await
}

async fn open(muster: &TestApp, path: &str) -> Answer {
    muster.send(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn sign_in(muster: &TestApp, email: &str, password: &str) -> u16 {
    let given = [("email", email), ("password", password)];
    send(muster, "/console/sign-in", &given).await.status.as_u16()
}

/// The path of the link in a text.
fn link_in(text: &str) -> String {
    let at = text
        .find("/console/password/")
        .unwrap_or_else(|| panic!("no link in {text}"));
    let rest = &text[at..];
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"/-_".contains(letter));
    rest[..end.unwrap_or(rest.len())].to_owned()
}

async fn invite(muster: &TestApp, email: &str) -> String {
    let browser = muster.browser().await;
    let fields = [("name", "New Person"), ("email", email), ("role", "responder")];
    let added = browser.send("/console/settings/people", &fields).await;
    assert_eq!(added.status.as_u16(), 200, "{}", added.text);
    let link = link_in(&added.text);
    assert!(
        !browser.open("/console/settings").await.contains(&link),
        "shown once"
    );
    link
}

async fn choose(muster: &TestApp, link: &str, password: &str) -> Answer {
    send(muster, link, &[("password", password), ("again", password)]).await
}

#[store::both_engines]
async fn whoever_is_invited_chooses_a_password_by_a_link_that_works_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let link = invite(&muster, "new@example.org").await;
    for _ in 0..2 {
        let page = open(&muster, &link).await;
        assert_eq!(
            page.status.as_u16(),
            200,
            "looking uses nothing up: {}",
            page.text
        );
        assert!(page.text.contains("new@example.org"), "{}", page.text);
    }
    let short = choose(&muster, &link, "short").await;
    assert_eq!(short.status.as_u16(), 422, "{}", short.text);
    assert!(short.text.contains("12 letters or more"), "{}", short.text);
    let differing = [("password", GOOD), ("again", "correct horse batterz")];
    let differing = send(&muster, &link, &differing).await;
    assert!(differing.text.contains("not the same"), "{}", differing.text);
    assert!(!differing.text.contains(GOOD), "a password is never shown again");

    let chosen = choose(&muster, &link, GOOD).await;
    assert_eq!(Browser::led_to(&chosen), "/console");
    assert!(
        chosen.headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("HttpOnly")
    );
    assert_eq!(sign_in(&muster, "new@example.org", GOOD).await, 303);
    assert_eq!(
        choose(&muster, &link, "another horse battery")
            .await
            .status
            .as_u16(),
        410
    );
    assert_eq!(open(&muster, &link).await.status.as_u16(), 410);
    assert_eq!(sign_in(&muster, "new@example.org", GOOD).await, 303);
    let records = muster.get("/audit/records").await.good().to_string();
    assert!(
        records.contains("set by link") && records.contains("link given"),
        "{records}"
    );
    assert!(!records.contains(link.rsplit('/').next().unwrap()), "{records}");
}

#[store::both_engines]
async fn a_link_ends_with_its_week_its_person_and_their_address(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let old = invite(&muster, "old@example.org").await;
    muster.clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(choose(&muster, &old, GOOD).await.status.as_u16(), 410);

    let moved = invite(&muster, "moved@example.org").await;
    let users = muster.get("/users?query=moved").await.good();
    let id = users["users"][0]["id"].as_str().unwrap().to_owned();
    let email = json!({ "user": { "email": "elsewhere@example.org" } });
    muster.put(&format!("/users/{id}"), email).await.good();
    assert_eq!(open(&muster, &moved).await.status.as_u16(), 410);

    let gone = invite(&muster, "gone@example.org").await;
    let users = muster.get("/users?query=gone").await.good();
    let id = users["users"][0]["id"].as_str().unwrap();
    muster.delete(&format!("/users/{id}")).await.good();
    assert_eq!(choose(&muster, &gone, GOOD).await.status.as_u16(), 410);
    for unknown in ["x", "%00", &"x".repeat(3_000)] {
        let path = format!("/console/password/{unknown}");
        let status = open(&muster, &path).await.status.as_u16();
        assert!([400, 404, 410].contains(&status), "{unknown}: {status}");
    }
}

#[store::both_engines]
async fn a_password_that_is_taken_away_ends_at_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let link = invite(&muster, "new@example.org").await;
    choose(&muster, &link, GOOD).await;
    let users = muster.get("/users?query=new@example.org").await.good();
    let id = users["users"][0]["id"].as_str().unwrap();
    let path = format!("/console/settings/people/{id}/password");
    let observer = muster.browser_as(Role::Observer).await;
    assert_eq!(observer.send(&path, &[]).await.status.as_u16(), 403);
    let browser = muster.browser().await;
    assert_eq!(browser.send_forged(&path, &[]).await.status.as_u16(), 403);
    let renewed = browser.send(&path, &[]).await;
    assert_eq!(sign_in(&muster, "new@example.org", GOOD).await, 422);
    let link = link_in(&renewed.text);
    assert_eq!(
        choose(&muster, &link, "another horse battery")
            .await
            .status
            .as_u16(),
        303
    );
    assert_eq!(
        sign_in(&muster, "new@example.org", "another horse battery").await,
        303
    );
}

/// Somebody with a password, and their browser.
async fn with_password(muster: &TestApp) -> Person {
    let person = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let (id, hash) = (
        person.id.clone(),
        muster::access::password::hash(GOOD.to_owned()).await.unwrap(),
    );
    muster
        .app
        .change(muster::timeline::Agent::muster(), move |change| {
            muster::access::store::set_password(change.tx, &id, &hash)
        })
        .await
        .unwrap();
    person
}

const OWN: &str = "/console/settings/me/password";

#[store::both_engines]
async fn ones_own_password_is_changed_with_the_old_one(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = with_password(&muster).await;
    let (here, elsewhere) = (muster.browser_of(&ben).await, muster.browser_of(&ben).await);
    let fields = |old: &'static str, new: &'static str, again: &'static str| {
        [("old_password", old), ("new_password", new), ("again", again)]
    };
    for (old, new, again, said) in [
        (
            "wrong horse battery",
            "another horse battery",
            "another horse battery",
            "not your password",
        ),
        (GOOD, "short", "short", "12 letters or more"),
        (GOOD, "another horse battery", "another horse", "not the same"),
        (GOOD, GOOD, GOOD, "the old one"),
    ] {
        let refused = here.send(OWN, &fields(old, new, again)).await;
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
        assert!(!refused.text.contains("horse battery"), "{}", refused.text);
    }
    let change = fields(GOOD, "another horse battery", "another horse battery");
    assert_eq!(here.send_forged(OWN, &change).await.status.as_u16(), 403);
    let changed = here.send(OWN, &change).await;
    assert_eq!(Browser::led_to(&changed), "/console/settings/me");
    assert!(
        changed.headers.contains_key(header::SET_COOKIE),
        "one stays signed in"
    );
    for browser in [&here, &elsewhere] {
        assert_eq!(browser.look("/console/settings/me").await.status.as_u16(), 303);
    }
    assert_eq!(sign_in(&muster, "ben@example.org", GOOD).await, 422);
    assert_eq!(
        sign_in(&muster, "ben@example.org", "another horse battery").await,
        303
    );
    let records = muster.get("/audit/records").await.good().to_string();
    assert!(records.contains("\"changed\""), "{records}");
    assert!(!records.contains("horse"), "{records}");
}

#[store::both_engines]
async fn a_key_changes_no_password_and_trying_is_limited(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = with_password(&muster).await;
    let by_key = crate::console::room::post(&muster, &ben, OWN, &[("old_password", "x")]).await;
    assert_eq!(by_key.status.as_u16(), 403, "{}", by_key.text);
    // From no address at all the limit is one for everybody; the sign-in shares it.
    let browser = muster.browser_of(&ben).await;
    let mut last = 0;
    for _ in 0..40 {
        last = browser
            .send(OWN, &[("old_password", "wrong")])
            .await
            .status
            .as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(sign_in(&muster, "ben@example.org", GOOD).await, 429);
}

const FORGOTTEN: &str = "/console/sign-in/forgotten";

#[store::both_engines]
async fn a_forgotten_password_is_replaced_by_mail_and_nobody_learns_who_is_known(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let ben = with_password(&muster).await;
    assert!(open(&muster, "/console/sign-in").await.text.contains(FORGOTTEN));
    let unknown = send(&muster, FORGOTTEN, &[("email", "eve@example.org")]).await;
    let known = send(&muster, FORGOTTEN, &[("email", "BEN@example.org")]).await;
    assert_eq!(unknown.status, known.status);
    assert_eq!(
        unknown.text.replace("eve@", "ben@"),
        known.text,
        "the answer is the same for every address"
    );
    let wrong = send(&muster, FORGOTTEN, &[("email", "nobody")]).await;
    assert_eq!(wrong.status.as_u16(), 422, "{}", wrong.text);
    muster.settle().await;
    let mail = server.mail();
    assert_eq!(mail.to, ["ben@example.org"]);
    let link = link_in(&mail.text());
    server.no_more_mail();
    send(&muster, FORGOTTEN, &[("email", "ben@example.org")]).await;
    muster.settle().await;
    server.no_more_mail();

    let outbox = muster.get("/outbox/sends?purposes[]=sign_in").await.good();
    assert!(outbox.to_string().contains("Choose a new password"), "{outbox}");
    assert!(!outbox.to_string().contains("/console/password/"), "{outbox}");
    assert_eq!(
        sign_in(&muster, "ben@example.org", GOOD).await,
        303,
        "asking ends nothing"
    );
    assert_eq!(
        choose(&muster, &link, "another horse battery")
            .await
            .status
            .as_u16(),
        303
    );
    assert_eq!(sign_in(&muster, "ben@example.org", GOOD).await, 422);

    muster.pass(Duration::from_mins(3)).await;
    send(&muster, FORGOTTEN, &[("email", "ben@example.org")]).await;
    muster.settle().await;
    let late = link_in(&server.mail().text());
    muster.clock.advance(Duration::from_hours(1));
    assert_eq!(open(&muster, &late).await.status.as_u16(), 410);
    drop(ben);
}

#[store::both_engines]
async fn without_mail_a_link_comes_from_an_admin_and_never_from_the_outbox(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let page = open(&muster, FORGOTTEN).await;
    assert!(page.text.contains("Ask an admin"), "{}", page.text);
    let asked = send(&muster, FORGOTTEN, &[("email", "maya@example.org")]).await;
    assert_eq!(asked.status.as_u16(), 200);
    muster.settle().await;
    invite(&muster, "new@example.org").await;
    muster.settle().await;
    let outbox = muster.get("/outbox/sends").await.good();
    assert!(!outbox.to_string().contains("/console/password/"), "{outbox}");
}

#[store::both_engines]
async fn an_admin_does_not_move_an_owners_address(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let admin = muster.person("Ada", "ada@example.org", Role::Admin).await;
    let path = format!("/users/{}", muster.owner.id);
    let email = json!({ "user": { "email": "ada+owner@example.org" } });
    let refused = muster
        .as_person(&admin, Method::PUT, &path, Some(email.clone()))
        .await;
    assert_eq!(refused.status.as_u16(), 403, "{}", refused.text);
    muster.put(&path, email).await.good();
}

#[store::both_engines]
async fn people_show_when_they_were_here_last_and_not_when_they_signed_in(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser_as(Role::Agent).await;
    muster.clock.advance(Duration::from_hours(30));
    browser.open("/console").await;
    let read = muster.app.store.read(|tx| {
        tx.rows::<(jiff::Timestamp,)>(sql!("SELECT seen_at FROM sessions ORDER BY seen_at"), params![])
    });
    let seen: Vec<_> = read.await.unwrap().into_iter().map(|(at,)| at).collect();
    assert_eq!(*seen.last().unwrap(), muster.app.clock.now());
}

#[store::both_engines]
async fn a_link_that_two_use_at_once_works_for_the_first(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let link = invite(&muster, "new@example.org").await;
    let secret = link.rsplit('/').next().unwrap().to_owned();
    let using = move |change: &mut muster::timeline::Change| {
        let used = muster::passwords::links::set_by_link(change, &secret, "a hash", None)?;
        Ok(used.is_some())
    };
    let [first, second] = crate::incidents::race::at_once(&muster, using.clone(), using).await;
    assert_eq!((first.unwrap(), second.unwrap()), (true, false));
}
