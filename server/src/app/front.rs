//! What every request passes before its handler: who is on the line, an id for the logs, its rate limit,
//! and the measuring of the answer.
//!
//! Keys and sessions that were found good lately have a limit of their own; all others share that of their address,
//! and an address that keeps showing keys which are refused is held up before they are looked at. So neither a
//! stranger's mistakes nor a flood from behind the same address shut out who works there. Events are limited by
//! their integration, where they are accepted, and what is public and cached is not limited here at all.
//! Nothing secret is logged: of a request only the pattern of its route, of a caller only the address.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;

use super::App;
use crate::access::caller::key_of;
use crate::access::token;
use crate::config::Settings;
use crate::console::page::PageProblem;
use crate::http::Problem;
use crate::http::limits::{Decision, Limiter, Verdict};
use crate::http::request::{Accepted, RequestId};
use crate::outbound::Network;

/// Requests a minute of one address that shows neither key nor session. A whole shop or office may stand
/// behind one address.
const VISITOR_LIMIT: u32 = 300;
/// Attempts a minute to sign in from one address.
const SIGN_IN_LIMIT: u32 = 30;
/// Refused keys and sessions a minute from one address.
const REFUSAL_LIMIT: u32 = 60;

/// How long a key or session that was found good is known as such, and how many are known.
const WELCOME: SignedDuration = SignedDuration::from_hours(24);
const MOST_WELCOME: usize = 20_000;

/// Bodies up to this length, in bytes, are read before the request is looked at.
const READ_AHEAD: usize = 64 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The limiters of one node.
pub struct Front {
    callers: Option<Limiter>,
    visitors: Limiter,
    sign_ins: Limiter,
    refusals: Limiter,
    /// Hashes of keys and sessions that were found good, and when last.
    welcome: Mutex<HashMap<String, Timestamp>>,
    trusted_proxies: Vec<Network>,
}

impl Front {
    pub fn new(settings: &Settings) -> Self {
        Self {
            callers: Limiter::of(settings.api_rate_limit),
            visitors: Limiter::per_minute(VISITOR_LIMIT),
            sign_ins: Limiter::per_minute(SIGN_IN_LIMIT),
            refusals: Limiter::per_minute(REFUSAL_LIMIT),
            welcome: Mutex::default(),
            trusted_proxies: settings.trusted_proxies.clone(),
        }
    }

    /// Which limit applies, and what it says. None where there is no limit.
    fn decide(&self, class: &Class, address: &str, now: Timestamp) -> Option<Decision> {
        match class {
            Class::Free => None,
            Class::Caller(key) => {
                if !self.is_welcome(key, now) {
                    let of_address = [self.refusals.look(address, now), self.visitors.take(address, now)];
                    let refused = of_address.into_iter().find(|one| one.verdict == Verdict::Refused);
                    if refused.is_some() {
                        return refused;
                    }
                }
                Some(self.callers.as_ref()?.take(key, now))
            }
            Class::SignIn => Some(self.sign_ins.take(address, now)),
            Class::Visitor => Some(self.visitors.take(address, now)),
        }
    }

    fn welcome(&self) -> MutexGuard<'_, HashMap<String, Timestamp>> {
        self.welcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_welcome(&self, key: &str, now: Timestamp) -> bool {
        self.welcome().get(key).is_some_and(|last| now - WELCOME < *last)
    }

    /// Remembers what was found of a key or a session.
    fn learn(&self, class: &Class, address: &str, found: Found, now: Timestamp) {
        let Class::Caller(key) = class else {
            return;
        };
        let mut welcome = self.welcome();
        match found {
            Found::Nothing => {}
            Found::Refused => {
                welcome.remove(key);
                self.refusals.take(address, now);
            }
            Found::Good => {
                if welcome.len() >= MOST_WELCOME && !welcome.contains_key(key) {
                    welcome.clear();
                }
                welcome.insert(key.clone(), now);
            }
        }
    }
}

/// What a request showed of its key or session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Good,
    Refused,
    /// Nobody looked at it.
    Nothing,
}

/// What a request counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Class {
    /// Not limited here.
    Free,
    /// A key or a session, by its hash.
    Caller(String),
    SignIn,
    /// Neither key nor session.
    Visitor,
}

impl Class {
    fn of(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        const FREE: [&str; 9] = [
            "/health/",
            "/metrics",
            "/assets/",
            "/v2/enqueue",
            "/v2/change/enqueue",
            "/api/v2/alerts",
            "/alertmanager/",
            "/integrations/",
            "/status/",
        ];
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if FREE.iter().any(|prefix| path.starts_with(prefix)) && (reads || !path.starts_with("/status/")) {
            return Self::Free;
        }
        if reads && path.starts_with("/at/") {
            return Self::Free;
        }
        if !reads && tries_a_password(path) {
            return Self::SignIn;
        }
        if let Some(authorization) = headers.get(header::AUTHORIZATION) {
            let shown = String::from_utf8_lossy(authorization.as_bytes());
            // However it is written, it is one key with one limit.
            let key = key_of(&shown).unwrap_or(&shown);
            return Self::Caller(token::hash(key));
        }
        match crate::access::store::session_token_of(headers) {
            Some(session) => Self::Caller(token::hash(&session)),
            None => Self::Visitor,
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Caller(_) => "caller",
            Self::SignIn => "sign_in",
            Self::Visitor => "visitor",
        }
    }
}

/// Whether somebody who posts here says a password, or a secret that leads to one.
fn tries_a_password(path: &str) -> bool {
    path.ends_with("/sign-in")
        || path == "/console/settings/me/password"
        || path.starts_with("/console/sign-in/")
        || path.starts_with("/console/password/")
}

/// Whose address counts: the peer's, or, behind proxies that are trusted, the nearest one that is not.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for");
    // Whatever a client wrote into its line, the proxy's own word stands behind it.
    let lines: Vec<Cow<str>> = forwarded
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut nearest = peer;
    for hop in hops {
        // What stands before a word that cannot be read may be the client's own invention.
        let Some(address) = address_in(hop.trim()) else {
            return nearest;
        };
        nearest = address;
        if !is_trusted(address) {
            return address;
        }
    }
    nearest
}

/// An address as proxies write it: alone, or with the port, IPv6 in brackets.
fn address_in(hop: &str) -> Option<IpAddr> {
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(hop);
    bare.parse()
        .ok()
        .or_else(|| hop.parse().map(|with_port: SocketAddr| with_port.ip()).ok())
}

/// A refusal for the reader: a page where people are, the dialect's answer where programs are.
fn refuse(path: &str) -> Response {
    if ["/console", "/at/", "/report"]
        .iter()
        .any(|place| path.starts_with(place))
    {
        PageProblem::from(Problem::rate_limited()).into_response()
    } else {
        Problem::rate_limited().into_response()
    }
}

/// Reads a small body before anybody answers. Whoever is refused without a look at their body loses the connection, and
/// with it the next request, which they may have sent already.
async fn read_ahead(request: Request) -> Result<Request, Problem> {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_none_or(|length: usize| length == 0 || length > READ_AHEAD) {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, READ_AHEAD)
        .await
        .map_err(|_| Problem::invalid(["The body did not come to its end."]))?;
    Ok(Request::from_parts(parts, bytes.into()))
}

/// The middleware around every route.
pub async fn pass(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let mut request = match read_ahead(request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let id: String = app.identifiers.next(app.clock.now());
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0);
    let client = peer.map(|peer| {
        let address = client_address(peer.ip(), request.headers(), &app.front.trusted_proxies);
        SocketAddr::new(address, peer.port())
    });
    if let Some(client) = client {
        request.extensions_mut().insert(ConnectInfo(client));
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    let accepted = Accepted::default();
    request.extensions_mut().insert(accepted.clone());
    let address = client.map_or_else(|| "unknown".to_owned(), |client| client.ip().to_string());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let class = Class::of(&method, request.uri().path(), request.headers());
    let decision = app.front.decide(&class, &address, app.clock.now());
    let refused = decision.is_some_and(|decision| decision.verdict == Verdict::Refused);
    let mut response = if refused {
        crate::metrics::request_limited(class.text());
        refuse(request.uri().path())
    } else {
        let span = tracing::info_span!("request", id, method = method.as_str(), route);
        next.run(request).instrument(span).await
    };
    let status = response.status();
    let found = match (accepted.is_noted(), status) {
        (true, _) => Found::Good,
        (false, StatusCode::UNAUTHORIZED) => Found::Refused,
        (false, _) => Found::Nothing,
    };
    app.front.learn(&class, &address, found, app.clock.now());
    if let Some(decision) = decision {
        decision.tell(response.headers_mut());
    }
    let took = finish(&mut response, &id, method.as_str(), &route, began);
    let (status, milliseconds) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
    if status >= 500 {
        tracing::warn!(
            id,
            method = method.as_str(),
            route,
            status,
            milliseconds,
            client = address,
            "answered"
        );
    } else {
        tracing::debug!(
            id,
            method = method.as_str(),
            route,
            status,
            milliseconds,
            client = address,
            "answered"
        );
    }
    response
}

/// Names an answer by its request and measures it; gives how long it took.
fn finish(response: &mut Response, id: &str, method: &str, route: &str, began: Instant) -> Duration {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let took = began.elapsed();
    crate::metrics::request_answered(method, route, response.status().as_u16(), took);
    took
}

/// The same for an event, which the door answers without the middleware.
pub(super) fn complete(app: &App, response: &mut Response, route: &'static str, began: Instant) {
    let id: String = app.identifiers.next(app.clock.now());
    finish(response, &id, "POST", route, began);
    let status = response.status().as_u16();
    if status >= 500 {
        tracing::warn!(id, route, status, "an event was not taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(method: Method, path: &str, headers: &[(&'static str, &'static str)]) -> Class {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        Class::of(&method, path, &map)
    }

    #[test]
    fn keys_sessions_visitors_and_the_free() {
        let key = [("authorization", "Token token=abc")];
        assert!(matches!(class(Method::GET, "/incidents", &key), Class::Caller(_)));
        assert!(matches!(
            class(Method::GET, "/console", &[("cookie", "muster=x")]),
            Class::Caller(_)
        ));
        let of = |shown| class(Method::GET, "/incidents", &[("authorization", shown)]);
        assert_eq!(of("Token token=abc"), of("bearer abc"));
        assert_ne!(of("Token token=abc"), of("Token token=abd"));
        assert_eq!(class(Method::GET, "/console", &[]), Class::Visitor);
        assert_eq!(
            class(Method::POST, "/console/sign-in", &[("cookie", "muster=x")]),
            Class::SignIn
        );
        assert_eq!(class(Method::POST, "/v2/enqueue", &[]), Class::Free);
        assert_eq!(class(Method::GET, "/status/shop", &[]), Class::Free);
        assert_eq!(class(Method::POST, "/status/shop/subscribe", &[]), Class::Visitor);
        assert_eq!(class(Method::POST, "/at/ABC/report", &[]), Class::Visitor);
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            HeaderValue::from_static("6.6.6.6, 198.51.100.7, 10.0.0.9"),
        );
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(
            client_address(address("10.0.0.1"), &headers, &trusted),
            address("198.51.100.7")
        );
        assert_eq!(
            client_address(address("192.0.2.1"), &headers, &trusted),
            address("192.0.2.1")
        );
        assert_eq!(
            client_address(address("10.0.0.1"), &HeaderMap::new(), &trusted),
            address("10.0.0.1")
        );
        for (line, whose) in [
            ("198.51.100.7:51234", "198.51.100.7"),
            ("6.6.6.6, 198.51.100.7:51234", "198.51.100.7"),
            ("[2001:db8::7]:443, 10.0.0.9", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("6.6.6.6, unknown", "10.0.0.1"),
            ("6.6.6.6, unknown, 10.0.0.9", "10.0.0.9"),
        ] {
            headers.insert("x-forwarded-for", HeaderValue::from_static(line));
            assert_eq!(
                client_address(address("10.0.0.1"), &headers, &trusted),
                address(whose),
                "{line}"
            );
        }
        for (line, whose) in [
            (&b"caf\xe9, 198.51.100.7"[..], "198.51.100.7"),
            (b"6.6.6.6, caf\xe9, 10.0.0.9", "10.0.0.9"),
            (b"6.6.6.6, caf\xe9", "10.0.0.1"),
        ] {
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
            assert_eq!(
                client_address(address("10.0.0.1"), &headers, &trusted),
                address(whose),
                "{line:?}"
            );
        }
    }
}
