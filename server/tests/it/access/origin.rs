//! A session's cookie travels along with whatever another site has a browser send; it must do nothing there.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use muster::access::store::add_session;
use muster::timeline::Agent;
use serde_json::json;
use store::Engine;

use crate::harness::{Answer, TestApp};

async fn send_with_cookie(muster: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let id = muster.owner.id.clone();
    let session = muster
        .app
        .change(Agent::muster(), move |change| {
            add_session(change, &id, None, None)
        })
        .await
        .unwrap();
    let mut request = Request::post("/teams").header(header::COOKIE, format!("muster={session}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let team = json!({ "team": { "name": format!("{headers:?}") } });
    muster
        .send(request.body(Body::from(team.to_string())).unwrap())
        .await
}

#[store::both_engines]
async fn the_api_takes_a_cookie_only_from_our_own_pages(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let cross = [("origin", "https://evil.example"), ("content-type", "text/plain")];
    for refused in [
        &[][..],
        &cross[..],
        &[("origin", "null")][..],
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")][..],
        &[("x-csrf-token", "guessed")][..],
    ] {
        send_with_cookie(&muster, refused).await.with_status(403);
    }
    let own = muster.app.site.base_url().to_owned();
    send_with_cookie(&muster, &[("origin", &own)])
        .await
        .with_status(201);
    send_with_cookie(&muster, &[("sec-fetch-site", "same-origin")])
        .await
        .with_status(201);
}

#[store::both_engines]
async fn forms_and_sign_ins_of_other_sites_are_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let sign_in = async |origin: &str| {
        let request = Request::post("/console/sign-in")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("email=maya%40example.org&password=wrong"))
            .unwrap();
        muster.send(request).await.status.as_u16()
    };
    assert_eq!(sign_in("https://evil.example").await, 403);
    assert_eq!(sign_in(muster.app.site.base_url()).await, 422);
}

/// Nineteen more wrong passwords than anybody types; then even the right one has to wait, except where it was right before.
#[store::both_engines]
async fn an_account_that_is_guessed_at_takes_no_more_passwords_for_a_while(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let hash = muster::access::password::hash("the right horse battery".to_owned())
        .await
        .unwrap();
    let id = muster.owner.id.clone();
    muster
        .app
        .change(Agent::muster(), move |change| {
            muster::access::store::set_password(change.tx, &id, &hash)
        })
        .await
        .unwrap();
    let try_from = async |address: &str, password: &str| {
        let mut request = Request::post("/console/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!(
                "email=Maya%40example.org&password={}",
                password.replace(' ', "+")
            )))
            .unwrap();
        let address: std::net::SocketAddr = format!("{address}:5000").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        muster.send(request).await.status.as_u16()
    };
    let right = "the right horse battery";
    assert_eq!(try_from("192.0.2.1", right).await, 303);
    for guess in 0..20 {
        assert_eq!(try_from(&format!("198.51.100.{guess}"), "wrong").await, 422);
    }
    assert_eq!(try_from("198.51.100.99", right).await, 429);
    assert_eq!(
        try_from("192.0.2.1", right).await,
        303,
        "where it was right before"
    );
    muster.clock.advance(std::time::Duration::from_mins(5));
    assert_eq!(try_from("198.51.100.99", right).await, 303);
}
