//! A form that was sent twice counts once.
//!
//! Somebody presses a button twice because nothing seems to happen, or a browser sends a form again: that must not page
//! three people for one fault, or answer a customer three times. Every page that is drawn gives its forms a number of its
//! own beside the proof of origin. The same form of the same page with the same words is then the same wish; whoever sends
//! it again within [`REMEMBERED`] is led to where the first one led. What was refused does not count: it can be sent again.
//! When a node dies over a form, the form counts as sent for [`ABANDONED`].

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use store::{Error, Tx, params, sql};
use tracing::Instrument as _;

use crate::access::token;
use crate::app::App;

/// How long sending the same again is the same wish.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(2);
/// After so long a form that led nowhere is no longer waited for.
const ABANDONED: SignedDuration = SignedDuration::from_secs(20);
/// How often is looked whether the first one has led somewhere.
const LOOKED_EVERY: Duration = Duration::from_millis(50);
/// How often at most.
const LOOKS: u32 = 200;
const NUMBER_LENGTH: usize = 12;
/// Between the proof of origin and the number of a page.
const MARK: char = '.';

/// The proof of origin with a number for one drawing of a page.
pub(super) fn numbered(proof: &str) -> String {
    format!("{proof}{MARK}{}", token::random_token(NUMBER_LENGTH))
}

/// The proof of origin alone.
pub(super) fn proof_of(sent: &str) -> &str {
    sent.split_once(MARK).map_or(sent, |(proof, _)| proof)
}

/// The form that a request brought, once somebody has read it.
#[derive(Debug, Clone, Default)]
struct Brought(Arc<OnceLock<String>>);

/// What became of a form.
pub(super) enum Sent {
    /// It has not been sent before.
    First,
    /// It was, and led there.
    Before(String),
}

/// Notes that a form is being sent, for whoever reads it. Without a number it always counts.
pub(super) async fn note(app: &App, parts: &Parts, sent: &str, body: &[u8]) -> Result<Sent, Error> {
    let Some(brought) = parts.extensions.get::<Brought>() else {
        return Ok(Sent::First);
    };
    if !sent.contains(MARK) {
        return Ok(Sent::First);
    }
    let body = String::from_utf8_lossy(body);
    let fingerprint = token::hash(&format!("{sent}\n{}\n{body}", parts.uri.path()));
    for _ in 0..LOOKS {
        let (name, now) = (fingerprint.clone(), app.clock.now());
        // Only the first look writes, and one after the row has gone: whoever waits keeps the writer from nobody.
        let seen = if let Some(seen) = app.store.read(move |tx| look(tx, &name, now)).await? {
            seen
        } else {
            let name = fingerprint.clone();
            app.store.write(move |tx| claim(tx, &name, now)).await?
        };
        match seen {
            Claim::Ours => {
                brought.0.get_or_init(|| fingerprint);
                return Ok(Sent::First);
            }
            Claim::Ended(led_to) => return Ok(Sent::Before(led_to)),
            Claim::UnderWay => tokio::time::sleep(LOOKED_EVERY).await,
        }
    }
    Ok(Sent::Before(came_from(parts)))
}

enum Claim {
    Ours,
    Ended(String),
    UnderWay,
}

fn claim(tx: &mut Tx, fingerprint: &str, now: Timestamp) -> Result<Claim, Error> {
    tx.execute(
        sql!("DELETE FROM forms_sent WHERE at < $1 OR (at < $2 AND led_to IS NULL)"),
        params![now - REMEMBERED, now - ABANDONED],
    )?;
    let kept = tx.execute(
        sql!("INSERT INTO forms_sent (fingerprint, at) VALUES ($1, $2) ON CONFLICT (fingerprint) DO NOTHING"),
        params![fingerprint, now],
    )?;
    if kept > 0 {
        return Ok(Claim::Ours);
    }
    Ok(look(tx, fingerprint, now)?.unwrap_or(Claim::UnderWay))
}

/// What became of a form that was sent before; nothing if it was not, or led nowhere and is no longer waited for.
fn look(tx: &mut Tx, fingerprint: &str, now: Timestamp) -> Result<Option<Claim>, Error> {
    let row: Option<(Option<String>,)> = tx.row(
        sql!("SELECT led_to FROM forms_sent WHERE fingerprint = $1 AND at >= $2 AND (at >= $3 OR led_to IS NOT NULL)"),
        params![fingerprint, now - REMEMBERED, now - ABANDONED],
    )?;
    Ok(row.map(|(led_to,)| led_to.map_or(Claim::UnderWay, Claim::Ended)))
}

/// The page that a form stood on.
fn came_from(parts: &Parts) -> String {
    let referrer = parts
        .headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok());
    let path = referrer.and_then(|referrer| referrer.parse::<axum::http::Uri>().ok());
    path.map(|uri| uri.path().to_owned())
        .filter(|path| path.starts_with("/console"))
        .unwrap_or_else(|| "/console".to_owned())
}

/// Remembers where the form of a request led, or that it led nowhere and may be sent again.
pub async fn remember(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let brought = Brought::default();
    request.extensions_mut().insert(brought.clone());
    // Whoever presses twice lets go of the first answer: what was begun is ended all the same.
    let work = async move {
        let answer = next.run(request).await;
        let place = answer.headers().get(header::LOCATION);
        let led_to = place.and_then(|place| place.to_str().ok()).map(str::to_owned);
        end(&app, &brought, led_to).await;
        answer
    };
    tokio::spawn(work.in_current_span())
        .await
        .unwrap_or_else(|error| {
            tracing::error!("a form could not be answered: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        })
}

async fn end(app: &App, brought: &Brought, led_to: Option<String>) {
    if let Some(fingerprint) = brought.0.get().cloned() {
        let noted = app
            .store
            .write(move |tx| keep_end(tx, &fingerprint, led_to.as_deref()))
            .await;
        if let Err(error) = noted {
            tracing::warn!("where a form led could not be noted: {error}");
        }
    }
}

fn keep_end(tx: &mut Tx, fingerprint: &str, led_to: Option<&str>) -> Result<(), Error> {
    match led_to {
        Some(led_to) => tx.execute(
            sql!("UPDATE forms_sent SET led_to = $2 WHERE fingerprint = $1"),
            params![fingerprint, led_to],
        ),
        None => tx.execute(
            sql!("DELETE FROM forms_sent WHERE fingerprint = $1"),
            params![fingerprint],
        ),
    }
    .map(drop)
}
