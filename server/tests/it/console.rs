//! The console's own doors: signing in and out, assets, the headers of every page.

mod fragments;
mod live;
mod now;
mod once;
pub(crate) mod room;
mod room_forms;
mod search;
mod together;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use muster::access::password;
use muster::console::assets;
use muster::people::Role;
use muster::people::store::{NewUser, add_user};
use muster::timeline::Agent;
use store::Engine;
use tower::ServiceExt as _;

use crate::harness::TestApp;

const PASSWORD: &str = "correct horse battery";

async fn with_agent(engine: Engine) -> TestApp {
    let muster = TestApp::new(engine).await;
    let password_hash = Some(password::hash(PASSWORD.to_owned()).await.unwrap());
    let user = NewUser {
        name: "Aoife Brennan".to_owned(),
        email: "aoife@example.org".to_owned(),
        role: Role::Agent,
        time_zone: "Europe/Dublin".to_owned(),
        color: "green".to_owned(),
        job_title: None,
        description: None,
        password_hash,
    };
    muster
        .app
        .change(Agent::muster(), move |change| add_user(change, &user))
        .await
        .unwrap();
    muster
}

async fn ask(muster: &TestApp, request: Request<Body>) -> Response {
    muster.router.clone().oneshot(request).await.unwrap()
}

fn form(path: &str, cookie: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn page(path: &str, cookie: &str) -> Request<Body> {
    Request::get(path)
        .header(header::COOKIE, cookie)
        .body(Body::empty())
        .unwrap()
}

fn cookie_of(signed_in: &Response) -> String {
    let set = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn text(answer: Response) -> String {
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn sign_in(password: &str) -> Request<Body> {
    sign_in_as("aoife@example.org", password)
}

fn sign_in_as(email: &str, password: &str) -> Request<Body> {
    let (email, words) = (email.replace('@', "%40"), password.replace(' ', "+"));
    form(
        "/console/sign-in",
        "",
        &format!("email={email}&password={words}&back=%2Fconsole%2Fkit"),
    )
}

#[store::both_engines]
async fn whoever_is_not_signed_in_is_sent_to_the_sign_in_and_back(engine: Engine) {
    let muster = with_agent(engine).await;
    let sent = ask(&muster, page("/console/kit", "")).await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        sent.headers()[header::LOCATION],
        "/console/sign-in?back=/console/kit"
    );

    let signed_in = ask(&muster, sign_in(PASSWORD)).await;
    assert_eq!(signed_in.headers()[header::LOCATION], "/console/kit");
    let set = signed_in.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    let cookie = set.split(';').next().unwrap();

    let kit = ask(&muster, page("/console/kit", cookie)).await;
    assert_eq!(kit.status(), StatusCode::OK);
    let policy = kit.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = text(kit).await;
    assert!(html.contains("Aoife Brennan"));

    let token = html
        .split("name=\"csrf_token\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let forged = ask(&muster, form("/console/sign-out", cookie, "csrf_token=guessed")).await;
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    ask(
        &muster,
        form("/console/sign-out", cookie, &format!("csrf_token={token}")),
    )
    .await;
    assert_eq!(
        ask(&muster, page("/console/kit", cookie)).await.status(),
        StatusCode::SEE_OTHER
    );
}

#[store::both_engines]
async fn a_wrong_password_does_not_say_which_of_the_two_was_wrong(engine: Engine) {
    let muster = with_agent(engine).await;
    let wrong = ask(&muster, sign_in("something else")).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!wrong.headers().contains_key(header::SET_COOKIE));
    assert!(text(wrong).await.contains("E-mail and password do not match."));
}

#[store::both_engines]
async fn signing_in_out_and_being_refused_are_in_the_audit_log(engine: Engine) {
    let muster = with_agent(engine).await;
    ask(&muster, sign_in("something else")).await;
    let unknown = "email=hunter2%40nowhere.example&password=x";
    ask(&muster, form("/console/sign-in", "", unknown)).await;
    let cookie = cookie_of(&ask(&muster, sign_in(PASSWORD)).await);
    let kit = text(ask(&muster, page("/console/kit", &cookie)).await).await;
    let token = kit.split("name=\"csrf_token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    ask(
        &muster,
        form("/console/sign-out", &cookie, &format!("csrf_token={token}")),
    )
    .await;
    let records = muster.get("/audit/records").await.good();
    let mut told: Vec<String> = records["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["action"].as_str().unwrap().starts_with("sign_"))
        .map(|record| {
            format!("{}: {}", record["action"], record["root_resource"]["summary"]).replace('"', "")
        })
        .collect();
    told.reverse();
    assert_eq!(
        told,
        [
            "sign_in_refused: Aoife Brennan",
            "sign_in_refused: unknown address",
            "sign_in: Aoife Brennan",
            "sign_out: Aoife Brennan",
        ]
    );
    assert!(
        !records.to_string().contains("hunter2"),
        "what was typed is kept nowhere"
    );
}

#[store::both_engines]
async fn guessing_passwords_is_held_up_with_a_page_that_says_so(engine: Engine) {
    let muster = with_agent(engine).await;
    // From one address; how often one account may be tried is another matter (`access::guessing`).
    let mut last = ask(&muster, sign_in_as("somebody@example.org", "guess")).await;
    for number in 0..30 {
        assert_eq!(last.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let email = format!("somebody-{number}@example.org");
        last = ask(&muster, sign_in_as(&email, "guess")).await;
    }
    assert_eq!(last.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(text(last).await.contains("Wait a minute, then try again."));
    assert_eq!(
        ask(&muster, sign_in(PASSWORD)).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[store::both_engines]
async fn assets_are_kept_for_ever_under_their_version_and_sent_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let address = assets::url("console.css");
    let first = ask(&muster, page(&address, "")).await;
    assert_eq!(
        first.headers()[header::CACHE_CONTROL],
        "public, max-age=31536000, immutable"
    );
    let etag = first.headers()[header::ETAG].clone();
    let again = Request::get(&address)
        .header(header::IF_NONE_MATCH, etag)
        .body(Body::empty())
        .unwrap();
    assert_eq!(ask(&muster, again).await.status(), StatusCode::NOT_MODIFIED);

    let old = ask(&muster, page("/assets/older/console.css", "")).await;
    assert_eq!(old.headers()[header::CACHE_CONTROL], "no-cache");
    assert_eq!(
        ask(&muster, page("/assets/older/../Cargo.toml", ""))
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
}

#[store::both_engines]
async fn every_place_answers_also_when_nothing_has_happened(engine: Engine) {
    let muster = with_agent(engine).await;
    let signed_in = ask(&muster, sign_in(PASSWORD)).await;
    let set = signed_in.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    let cookie = set.split(';').next().unwrap();
    for path in [
        "/console",
        "/console/situation",
        "/console/incidents",
        "/console/services",
        "/console/services?lit=everything",
        "/console/services/shops",
        "/console/on-call",
        "/console/on-call?from=2026-10-19&days=28",
        "/console/on-call?from=nonsense&days=-3",
        "/console/customers",
        "/console/customers?words=%25%27&tier=gold&from=50",
        "/console/settings",
        "/console/settings/teams",
        "/console/settings/keys",
        "/console/settings/integrations",
        "/console/settings/escalation-policies",
        "/console/settings/me",
    ] {
        let answer = ask(&muster, page(path, cookie)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(!text(answer).await.contains(" style="), "{path}");
    }
    for path in ["/console/customers/QNOBODY", "/console/settings/audit"] {
        let answer = ask(&muster, page(path, cookie)).await;
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
    }
}

#[store::both_engines]
async fn a_key_that_is_made_in_the_console_works_until_it_is_taken_back(engine: Engine) {
    let muster = with_agent(engine).await;
    let signed_in = ask(&muster, sign_in(PASSWORD)).await;
    let set = signed_in.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    let cookie = set.split(';').next().unwrap();
    let html = text(ask(&muster, page("/console/settings/keys", cookie)).await).await;
    let token = html
        .split("name=\"csrf_token\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();

    let made = form(
        "/console/settings/keys",
        cookie,
        &format!("csrf_token={token}&name=reports&scope=read_only"),
    );
    let html = text(ask(&muster, made).await).await;
    let key = html
        .split("id=\"new-key\" tabindex=\"0\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let by_key = || Request::get("/users/me").header(header::AUTHORIZATION, format!("Token token={key}"));
    assert_eq!(
        ask(&muster, by_key().body(Body::empty()).unwrap()).await.status(),
        StatusCode::OK
    );

    let revoke = html
        .split("action=\"")
        .find(|rest| rest.contains("/revoke\""))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    ask(&muster, form(revoke, cookie, &format!("csrf_token={token}"))).await;
    assert_eq!(
        ask(&muster, by_key().body(Body::empty()).unwrap()).await.status(),
        StatusCode::UNAUTHORIZED
    );
}
