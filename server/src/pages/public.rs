//! `/status/{slug}` and everything below it, for anybody.
//!
//! What is public is answered from the cache. What is not there is looked up once: a page that no node has
//! drawn yet is drawn, a private one is shown to those who may see it, everything else is not found, in one
//! constant shape.

use std::sync::Arc;

use askama::Template as _;
use axum::Form;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Deserialize;

use super::cache::Ready;
use super::location_page::{self, RemoteAddress};
use super::model::{OWN_LANGUAGE, StatusPage, Visibility};
use super::plain::{Plain, Question};
use super::{documents, jobs, snapshot, store as rows, subscribers};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::drawing::unturned;
use crate::http::{Faults, Path, Problem};
use crate::timeline::Agent;

/// The public routes; they are no part of the API's document.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/status/{slug}", any(serve))
        .route("/status/{slug}/subscribe", post(subscribe))
        .route(
            "/status/{slug}/confirm/{token}",
            get(ask_to_confirm).post(confirm),
        )
        .route(
            "/status/{slug}/unsubscribe/{token}",
            get(ask_to_let_go).post(let_go),
        )
        .route("/status/{slug}/{*rest}", any(serve))
        .merge(location_page::routes())
}

/// A small page with its policy.
pub(super) fn page(status: StatusCode, plain: &Plain) -> Response {
    match plain.render() {
        Ok(text) => html(status, text, &Plain::policy()),
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// A page that is made for one reader and must not be kept by anybody.
pub(super) fn html(status: StatusCode, text: String, policy: &str) -> Response {
    let mut response = (status, axum::response::Html(unturned(text))).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page for an address that nothing stands at.
pub fn not_found() -> Response {
    let plain = Plain {
        language: OWN_LANGUAGE.to_owned(),
        title: "Nothing here".to_owned(),
        headline: "There is no page at this address".to_owned(),
        words: vec!["It may have moved, or the address may be mistyped.".to_owned()],
        ..Plain::default()
    };
    page(StatusCode::NOT_FOUND, &plain)
}

async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let path = request.uri().path().trim_end_matches('/').to_owned();
    if let Some(answer) = app.pages.answer(&path, request.headers()) {
        return answer.map(Body::from);
    }
    let slug = path
        .strip_prefix("/status/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default()
        .to_owned();
    match found(&app, slug.clone()).await {
        Ok(Some(page)) if page.slug != slug => moved(&app, &page, &slug, request).await,
        Ok(Some(page)) if page.visibility == Visibility::Public => {
            if app.pages.version(&page.id) != Some(page.version)
                && let Err(error) = jobs::draw(&app, &page.id).await
            {
                return failed(error);
            }
            app.pages
                .answer(&path, request.headers())
                .map_or_else(not_found, |answer| answer.map(Body::from))
        }
        Ok(Some(page)) => private(&app, page, &path, request).await,
        Ok(None) => not_found(),
        Err(problem) => problem.into_response(),
    }
}

fn failed(error: anyhow::Error) -> Response {
    match error.downcast::<store::Error>() {
        Ok(error) => Problem::from(error).into_response(),
        Err(error) => Problem::internal(error).into_response(),
    }
}

async fn found(app: &Arc<App>, slug: String) -> Result<Option<StatusPage>, Problem> {
    if slug.is_empty() || slug.len() > super::api::LONGEST_SLUG || slug.contains('%') {
        return Ok(None);
    }
    app.read(move |tx| -> Result<_, Problem> { Ok(rows::find_by_any_slug(tx, &slug)?) })
        .await
}

/// Whether whoever asks is signed in and may see private pages.
async fn may_see_private(app: &Arc<App>, request: Request) -> bool {
    let (mut parts, _) = request.into_parts();
    Caller::from_request_parts(&mut parts, app)
        .await
        .is_ok_and(|caller| caller.require(Action::View, Resource::StatusPage).is_ok())
}

/// Leads from an address that a page had before to where it is now. Not for good: another page may take the address.
async fn moved(app: &Arc<App>, page: &StatusPage, former: &str, request: Request) -> Response {
    let (before, now) = (format!("/status/{former}"), format!("/status/{}", page.slug));
    let uri = request.uri().clone();
    if page.visibility == Visibility::Private && !may_see_private(app, request).await {
        return not_found();
    }
    let rest = uri.path().strip_prefix(&before).unwrap_or_default();
    if !rest.is_ascii() {
        return not_found();
    }
    axum::response::Redirect::temporary(&format!("{now}{rest}")).into_response()
}

/// A private page is drawn for this one reader, if they are signed in and may see it; otherwise it is not found.
async fn private(app: &Arc<App>, page: StatusPage, path: &str, request: Request) -> Response {
    if !may_see_private(app, request).await {
        return not_found();
    }
    let now = app.clock.now();
    let snapshot = app
        .read(move |tx| snapshot::read(tx, page.clone(), now))
        .await
        .map_err(|error: store::Error| Problem::from(error));
    let drawn = match snapshot {
        Ok(snapshot) => documents::draw(&snapshot, &app.site, now),
        Err(problem) => return problem.into_response(),
    };
    match drawn {
        Ok(drawn) => match drawn.into_iter().find(|document| document.path == path) {
            Some(document) => {
                let mut response = Ready::new(document).answer(&HeaderMap::new()).map(Body::from);
                let headers = response.headers_mut();
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
                response
            }
            None => not_found(),
        },
        Err(error) => failed(error),
    }
}

/// A page that anybody may subscribe to.
async fn open_page(app: &Arc<App>, slug: String) -> Result<StatusPage, Response> {
    match found(app, slug).await {
        Ok(Some(page)) if page.visibility == Visibility::Public => Ok(page),
        Ok(_) => Err(not_found()),
        Err(problem) => Err(problem.into_response()),
    }
}

fn small(page: &StatusPage, headline: &str, words: &str) -> Plain {
    Plain {
        language: OWN_LANGUAGE.to_owned(),
        title: page.title(),
        headline: headline.to_owned(),
        words: vec![words.to_owned()],
        back: Some((
            "How everything is now".to_owned(),
            format!("/status/{}", page.slug),
        )),
        ..Plain::default()
    }
}

#[derive(Debug, Deserialize)]
struct SubscribeForm {
    #[serde(default)]
    email: String,
}

/// The answer is the same for every address that could be one.
async fn subscribe(
    State(app): State<Arc<App>>,
    RemoteAddress(address): RemoteAddress,
    Path(slug): Path<String>,
    form: Result<Form<SubscribeForm>, FormRejection>,
) -> Result<Response, Response> {
    let shown = open_page(&app, slug).await?;
    let typed = form.map(|Form(form)| form.email).unwrap_or_default();
    let mut faults = Faults::new();
    let email = faults.email("email", Some(&typed));
    if faults.done().is_err() {
        let plain = small(
            &shown,
            "That is no e-mail address we can use",
            "Go back, look at it again, and send it once more.",
        );
        return Ok(page(StatusCode::BAD_REQUEST, &plain));
    }
    if !app.page_limits.asking.grants(&address, app.clock.now()) {
        let plain = small(&shown, "That was too often", "Wait an hour, then try again.");
        return Ok(page(StatusCode::TOO_MANY_REQUESTS, &plain));
    }
    let (site, asked) = (app.site.clone(), shown.clone());
    app.change(Agent::visitor("A reader"), move |change| {
        subscribers::ask(change, &site, &asked, &email)
    })
    .await
    .map_err(|error: store::Error| Problem::from(error).into_response())?;
    let plain = small(
        &shown,
        "Look into your mail",
        "If this address is not on the list yet, a mail with a link is on its way. Follow the link to confirm.",
    );
    Ok(page(StatusCode::OK, &plain))
}

/// The page that a mailed link is about: the one its token is for, or else the public one at its address. None where
/// neither is to be named.
async fn page_of_link(
    app: &Arc<App>,
    slug: String,
    of_token: impl Fn(&mut store::Tx) -> Result<Option<StatusPage>, store::Error> + Send + 'static,
) -> Result<Option<StatusPage>, Response> {
    let page = app
        .read(move |tx| -> Result<_, Problem> { Ok(of_token(tx)?) })
        .await
        .map_err(IntoResponse::into_response)?;
    if page.is_some() {
        return Ok(page);
    }
    let at_address = found(app, slug).await.map_err(IntoResponse::into_response)?;
    Ok(at_address.filter(|page| page.visibility == Visibility::Public))
}

/// Words for whoever followed a mailed link. There may be no page that could be named, or shown.
fn to_link_holder(page: Option<&StatusPage>, headline: &str, words: &str) -> Plain {
    match page {
        Some(page) => {
            let mut plain = small(page, headline, words);
            plain.back = plain.back.filter(|_| page.visibility == Visibility::Public);
            plain
        }
        None => Plain {
            language: OWN_LANGUAGE.to_owned(),
            title: headline.to_owned(),
            headline: headline.to_owned(),
            words: vec![words.to_owned()],
            ..Plain::default()
        },
    }
}

async fn page_to_confirm(app: &Arc<App>, slug: String, token: &str) -> Result<StatusPage, Response> {
    let token = token.to_owned();
    page_of_link(app, slug, move |tx| subscribers::page_to_confirm(tx, &token))
        .await?
        .ok_or_else(not_found)
}

/// Following a link only asks: programs that look at mails follow links, too.
async fn ask_to_confirm(
    State(app): State<Arc<App>>,
    Path((slug, token)): Path<(String, String)>,
) -> Result<Response, Response> {
    let token = letters(&token);
    let shown = page_to_confirm(&app, slug, &token).await?;
    let mut plain = to_link_holder(
        Some(&shown),
        "Shall we tell you?",
        "We write when this page changes, and when it is over.",
    );
    plain.question = Some(Question {
        post_to: format!("/status/{}/confirm/{token}", shown.slug),
        button: "Yes, tell me".to_owned(),
        ..Question::default()
    });
    Ok(page(StatusCode::OK, &plain))
}

/// What a token can be made of.
fn letters(token: &str) -> String {
    token
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}

async fn confirm(
    State(app): State<Arc<App>>,
    Path((slug, token)): Path<(String, String)>,
) -> Result<Response, Response> {
    let token = letters(&token);
    let shown = page_to_confirm(&app, slug, &token).await?;
    let confirmed = app
        .change(Agent::visitor("A reader"), move |change| {
            subscribers::confirm(change, &token)
        })
        .await
        .map_err(|error: store::Error| Problem::from(error).into_response())?;
    Ok(if confirmed {
        let words = match shown.visibility {
            Visibility::Public => "Each mail has a link that ends it with one click.",
            Visibility::Private => {
                "The page is not open to everybody at present. You will hear from us once it is again."
            }
        };
        let plain = to_link_holder(Some(&shown), "Done: we will tell you", words);
        page(StatusCode::OK, &plain)
    } else {
        let plain = to_link_holder(
            Some(&shown),
            "This link does not work any more",
            "Links to confirm last three days. Ask again on the page.",
        );
        page(StatusCode::NOT_FOUND, &plain)
    })
}

async fn page_to_leave(app: &Arc<App>, slug: String, token: &str) -> Result<Option<StatusPage>, Response> {
    let token = token.to_owned();
    page_of_link(app, slug, move |tx| match subscribers::leaving(tx, &token)? {
        Some(leaving) => rows::find(tx, &leaving.page_id),
        None => Ok(None),
    })
    .await
}

/// Answers for every address and every token, so that whoever was mailed can always get out.
async fn ask_to_let_go(
    State(app): State<Arc<App>>,
    Path((slug, token)): Path<(String, String)>,
) -> Result<Response, Response> {
    let token = letters(&token);
    let shown = page_to_leave(&app, slug, &token).await?;
    let mut plain = to_link_holder(shown.as_ref(), "No more mails?", "You can come back at any time.");
    plain.question = Some(Question {
        // The token alone says who leaves; the address only has to be one.
        post_to: format!(
            "/status/{}/unsubscribe/{token}",
            shown.as_ref().map_or("page", |page| page.slug.as_str())
        ),
        button: "No more mails".to_owned(),
        ..Question::default()
    });
    Ok(page(StatusCode::OK, &plain))
}

/// Also what a mail program sends by itself (RFC 8058): one POST, no question, always done.
async fn let_go(
    State(app): State<Arc<App>>,
    Path((slug, token)): Path<(String, String)>,
) -> Result<Response, Response> {
    let token = letters(&token);
    let shown = page_to_leave(&app, slug, &token).await?;
    app.change(Agent::visitor("A reader"), move |change| {
        subscribers::let_go(change, &token)
    })
    .await
    .map_err(|error: store::Error| Problem::from(error).into_response())?;
    let plain = to_link_holder(
        shown.as_ref(),
        "Done: no more mails",
        "We have forgotten your address.",
    );
    Ok(page(StatusCode::OK, &plain))
}
