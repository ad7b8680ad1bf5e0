//! Documents ready to be sent: bytes, compressed bytes, and an entity tag. Serving one is a look in a map.
//!
//! [`Cache::answer`] is all that a front door needs: from a path and the request's headers to a whole response,
//! without a router, a database or a copy of the bytes. What a reader understands and has already is read from
//! the headers here and nowhere else.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::model::StatusPageId;
use crate::access::token;

/// Readers and proxies may keep a public document this long.
const ANYBODY_KEEPS: HeaderValue = HeaderValue::from_static("public, max-age=15");
/// Only the reader keeps it, and asks each time whether it still holds.
const READER_KEEPS: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Below this, compressing costs more than it saves.
const WORTH_COMPRESSING: usize = 512;

/// What kind of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    Html,
    Atom,
}

/// Who may keep a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Proxies, and pages of other sites.
    Anybody,
    /// The one who asked: the address of the page is a secret.
    Reader,
}

impl Kind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
        }
    }
}

/// A document as it is drawn.
#[derive(Debug, Clone)]
pub struct Document {
    pub path: String,
    pub kind: Kind,
    pub keeps: Keeps,
    pub text: String,
    /// The content security policy, for HTML.
    pub policy: Option<String>,
}

/// A document ready to be sent: all that can be known before anybody asks is worked out here, once.
#[derive(Debug)]
pub struct Ready {
    etag: HeaderValue,
    /// The headers of a whole answer, of a compressed one, and of one that says that nothing changed.
    headers: HeaderMap,
    gzip_headers: HeaderMap,
    unchanged_headers: HeaderMap,
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Ready {
    pub fn new(document: Document) -> Self {
        let hash = token::hash(&document.text);
        let etag = format!("W/\"{}\"", hash.get(..20).unwrap_or_default());
        let etag = HeaderValue::from_str(&etag).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""));
        let policy = document
            .policy
            .and_then(|policy| HeaderValue::from_str(&policy).ok());
        let mut unchanged_headers = HeaderMap::from_iter([
            (header::ETAG, etag.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ]);
        match document.keeps {
            Keeps::Anybody => {
                unchanged_headers.insert(header::CACHE_CONTROL, ANYBODY_KEEPS);
                unchanged_headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Keeps::Reader => {
                unchanged_headers.insert(header::CACHE_CONTROL, READER_KEEPS);
            }
        }
        let mut headers = unchanged_headers.clone();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(document.kind.content_type()),
        );
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        if let Some(policy) = policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        let mut gzip_headers = headers.clone();
        gzip_headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let plain = document.text.into_bytes();
        let gzip = (plain.len() >= WORTH_COMPRESSING)
            .then(|| compressed(&plain))
            .flatten();
        Self {
            etag,
            headers,
            gzip_headers,
            unchanged_headers,
            plain: Bytes::from(plain),
            gzip,
        }
    }

    /// The response to a request with these headers.
    pub fn answer(&self, request: &HeaderMap) -> Response<Bytes> {
        let unchanged = text_of(request, &header::IF_NONE_MATCH)
            .is_some_and(|sent| matches(sent, self.etag.to_str().unwrap_or_default()));
        let gzip = self
            .gzip
            .as_ref()
            .filter(|_| text_of(request, &header::ACCEPT_ENCODING).is_some_and(accepts_gzip));
        let (status, headers, body) = match (unchanged, gzip) {
            (true, _) => (StatusCode::NOT_MODIFIED, &self.unchanged_headers, Bytes::new()),
            (false, Some(gzip)) => (StatusCode::OK, &self.gzip_headers, gzip.clone()),
            (false, None) => (StatusCode::OK, &self.headers, self.plain.clone()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().clone_from(headers);
        response
    }
}

fn compressed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// A header as text; one that is no text counts as absent.
fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether gzip is among the encodings, and not with a weight of zero.
fn accepts_gzip(header: &str) -> bool {
    header.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            part.strip_prefix("q=")
                .is_some_and(|weight| weight.trim_end_matches(['0', '.']).is_empty())
        });
        (name.eq_ignore_ascii_case("gzip") || name == "*") && !refused
    })
}

/// Weak comparison of entity tags.
fn matches(sent: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    sent.trim() == "*" || sent.split(',').any(|one| bare(one) == bare(etag))
}

/// All documents of one page, as of one version.
#[derive(Debug, Default)]
struct Drawn {
    version: i64,
    paths: Vec<String>,
}

#[derive(Debug, Default)]
struct Kept {
    documents: HashMap<String, Arc<Ready>>,
    pages: HashMap<StatusPageId, Drawn>,
}

/// The documents of all public pages, in this process.
#[derive(Debug, Default)]
pub struct Cache {
    kept: RwLock<Kept>,
}

impl Cache {
    pub fn lookup(&self, path: &str) -> Option<Arc<Ready>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.documents.get(path).cloned()
    }

    /// The whole response for a path, or nothing when this is no public page.
    pub fn answer(&self, path: &str, request: &HeaderMap) -> Option<Response<Bytes>> {
        Some(self.lookup(path)?.answer(request))
    }

    /// Puts the documents of a page in place of what was there, all at once. An older version does nothing.
    pub fn put(&self, id: &StatusPageId, version: i64, documents: Vec<Document>) {
        let ready: Vec<(String, Arc<Ready>)> = documents
            .into_iter()
            .map(|document| (document.path.clone(), Arc::new(Ready::new(document))))
            .collect();
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.pages.get(id).is_some_and(|drawn| drawn.version > version) {
            return;
        }
        forget(&mut kept, id);
        let paths = ready.iter().map(|(path, _)| path.clone()).collect();
        kept.documents.extend(ready);
        kept.pages.insert(id.clone(), Drawn { version, paths });
    }

    pub fn remove(&self, id: &StatusPageId) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        forget(&mut kept, id);
    }

    /// Which version of a page is in place.
    pub fn version(&self, id: &StatusPageId) -> Option<i64> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.pages.get(id).map(|drawn| drawn.version)
    }

    pub fn page_ids(&self) -> Vec<StatusPageId> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.pages.keys().cloned().collect()
    }
}

fn forget(kept: &mut Kept, id: &StatusPageId) {
    if let Some(drawn) = kept.pages.remove(id) {
        for path in drawn.paths {
            kept.documents.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document {
            path: "/status/x".to_owned(),
            kind: Kind::Html,
            keeps: Keeps::Anybody,
            text: text.to_owned(),
            policy: None,
        }
    }

    fn request(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn what_a_reader_has_already_is_not_sent_again() {
        let ready = Ready::new(document("Everything works."));
        let first = ready.answer(&HeaderMap::new());
        let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert!(etag.starts_with("W/\""));
        for sent in [
            etag.clone(),
            etag.trim_start_matches("W/").to_owned(),
            format!("\"a\", {etag}"),
            "*".to_owned(),
        ] {
            let mut headers = request(header::IF_NONE_MATCH, &sent);
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            let again = ready.answer(&headers);
            assert_eq!(
                (again.status(), again.body().len()),
                (StatusCode::NOT_MODIFIED, 0),
                "{sent}"
            );
        }
        let other = ready.answer(&request(header::IF_NONE_MATCH, "\"other\""));
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn only_who_understands_gzip_gets_it() {
        let ready = Ready::new(document(&"Everything works. ".repeat(100)));
        let encoding = |accept: &str| {
            let answer = ready.answer(&request(header::ACCEPT_ENCODING, accept));
            answer.headers().get(header::CONTENT_ENCODING).is_some()
        };
        assert!(encoding("gzip") && encoding("br, gzip;q=0.5") && encoding("*"));
        assert!(!encoding("br") && !encoding("gzip;q=0") && !encoding("identity"));
    }

    #[test]
    fn a_header_that_is_no_text_counts_as_absent() {
        let ready = Ready::new(document(&"Everything works. ".repeat(100)));
        let unreadable = HeaderValue::from_bytes(b"gzip\xff").unwrap();
        let headers = HeaderMap::from_iter([
            (header::ACCEPT_ENCODING, unreadable.clone()),
            (header::IF_NONE_MATCH, unreadable),
        ]);
        let answer = ready.answer(&headers);
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.headers().get(header::CONTENT_ENCODING).is_none());
    }

    #[test]
    fn a_slower_node_cannot_bring_back_an_older_page() {
        let cache = Cache::default();
        let id = StatusPageId::from("Q1");
        cache.put(&id, 2, vec![document("new")]);
        cache.put(&id, 1, vec![document("old")]);
        let none = HeaderMap::new();
        assert_eq!(cache.answer("/status/x", &none).unwrap().body().as_ref(), b"new");
        cache.remove(&id);
        assert!(cache.answer("/status/x", &none).is_none());
    }
}
