//! `/ack/{token}`: one plain page with one button. It needs no script and no sign-in; the link is the proof.
//!
//! Reading it changes nothing, however often and by whatever program it is read. The button sends the form,
//! and only that acknowledges.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use store::Tx;

use super::links;
use super::message::spoken_time;
use super::store::{self as rows, Facts};
use crate::access::audit::{self, AuditAction, Changed};
use crate::app::App;
use crate::drawing::unturned;
use crate::http::Problem;
use crate::incidents::{Status, Urgency, actions};
use crate::people::User;
use crate::timeline::Agent;

const STYLE: &str = include_str!("../../templates/pages/acknowledge.css");

/// Nothing may be loaded but the style in the page itself.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = BASE64.encode(&Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
});

pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/ack/{token}", axum::routing::get(show).post(acknowledge))
}

/// What the page says.
enum Standing {
    /// Triggered: the button is there.
    Open,
    /// Acknowledged by the reader just now, or before.
    Yours,
    /// Acknowledged by others, whose names these are.
    Others(String),
    Resolved(String),
    /// The link was never made, or has expired.
    Unknown,
}

#[derive(Template)]
#[template(path = "pages/acknowledge.html")]
struct Page<'a> {
    style: &'static str,
    standing: &'a Standing,
    token: &'a str,
    name: &'a str,
    title: &'a str,
    number: i64,
    /// What the page was about, where that became part of this incident.
    paged_for: Option<i64>,
    service: &'a str,
    urgency: &'static str,
    since: String,
    room: String,
}

struct Found {
    facts: Facts,
    paged_for: Option<i64>,
    user: User,
    standing: Standing,
}

fn find(tx: &mut Tx, token: &str, now: jiff::Timestamp) -> Result<Option<Found>, Problem> {
    if token.contains('\0') {
        return Ok(None);
    }
    let Some((incident_id, user_id)) = links::find(tx, token, now)? else {
        return Ok(None);
    };
    let user = crate::people::store::find_user(tx, &user_id)?.filter(|user| user.deleted_at.is_none());
    let paged_for = rows::facts(tx, &incident_id)?.map(|facts| facts.number);
    // What somebody was paged for may have become part of another incident, which is the one to be acknowledged now.
    let Some(incident) = crate::incidents::store::standing_for(tx, &incident_id)? else {
        return Ok(None);
    };
    let incident_id = incident.id;
    let (Some(user), Some(facts)) = (user, rows::facts(tx, &incident_id)?) else {
        return Ok(None);
    };
    let paged_for = paged_for.filter(|number| *number != facts.number);
    let standing = match facts.status {
        Status::Triggered => Standing::Open,
        Status::Resolved => {
            let at = facts.resolved_at.unwrap_or(facts.last_status_change_at);
            Standing::Resolved(spoken_time(at, &user.time_zone))
        }
        Status::Acknowledged => {
            let known = crate::incidents::store::acknowledgements(tx, std::slice::from_ref(&incident_id))?;
            if known.iter().any(|one| one.acknowledger_id == user.id.as_str()) {
                Standing::Yours
            } else {
                let names: Vec<String> = known.into_iter().map(|one| one.acknowledger_name).collect();
                Standing::Others(names.join(", "))
            }
        }
    };
    Ok(Some(Found {
        facts,
        paged_for,
        user,
        standing,
    }))
}

async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let (now, sought) = (app.clock.now(), token.clone());
    let found = app.read(move |tx| find(tx, &sought, now)).await;
    answer(&app, &token, found)
}

async fn acknowledge(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let sought = token.clone();
    let found = app
        .change(Agent::muster(), move |change| -> Result<_, Problem> {
            let Some(found) = find(change.tx, &sought, change.now)? else {
                return Ok(None);
            };
            if !matches!(found.standing, Standing::Open) {
                return Ok(Some(found));
            }
            let agent = Agent::user(found.user.id.as_str(), found.user.name.clone());
            change.act_as(agent.clone());
            actions::acknowledge(change, &found.facts.id)?;
            let changed = Changed {
                resource_type: "incident",
                resource_id: found.facts.id.as_str(),
                resource_name: &found.facts.title,
                details: json!({"acknowledged": "by the link of a page"}),
            };
            audit::record_as(change, agent, AuditAction::Update, &changed);
            find(change.tx, &sought, change.now)
        })
        .await;
    answer(&app, &token, found)
}

fn answer(app: &App, token: &str, found: Result<Option<Found>, Problem>) -> Response {
    let (status, page) = match &found {
        Ok(Some(found)) => {
            let page = Page {
                style: STYLE,
                standing: &found.standing,
                token,
                name: &found.user.name,
                title: &found.facts.title,
                number: found.facts.number,
                paged_for: found.paged_for,
                service: &found.facts.service_name,
                urgency: match found.facts.urgency {
                    Urgency::High => "High",
                    Urgency::Low => "Low",
                },
                since: spoken_time(found.facts.created_at, &found.user.time_zone),
                room: app.site.room_url(found.facts.id.as_str()),
            };
            (StatusCode::OK, page.render())
        }
        Ok(None) => {
            let page = Page {
                style: STYLE,
                standing: &Standing::Unknown,
                token: "",
                name: "",
                title: "",
                number: 0,
                paged_for: None,
                service: "",
                urgency: "",
                since: String::new(),
                room: app.site.url("/console"),
            };
            (StatusCode::NOT_FOUND, page.render())
        }
        Err(problem) => {
            problem.log();
            let words = "Muster cannot do this just now. Wait a moment, then load this page again.\n";
            return (problem.status(), words).into_response();
        }
    };
    let html = match page {
        Ok(html) => unturned(html),
        Err(error) => return Problem::internal(error).into_response(),
    };
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
