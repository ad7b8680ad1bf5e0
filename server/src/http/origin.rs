//! Where a browser says that a request comes from.
//!
//! A browser sends a session's cookie along with whatever a page of somebody else has it send. It also says, in headers
//! that no page can forge, which site that page belongs to (Fetch Metadata, and `Origin` of the Fetch standard). A
//! request that carries a session and changes something is believed only when it comes from one of our own pages, or
//! shows the session's own token.

use axum::http::{HeaderMap, header};

use super::Site;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// One of our own pages, or the person's own hand.
    Here,
    /// A page of somebody else.
    Elsewhere,
    /// The sender does not say: an old browser, or no browser.
    Unsaid,
}

impl Origin {
    /// Reads what the headers say.
    pub fn of(headers: &HeaderMap, site: &Site) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        match text("sec-fetch-site") {
            Some("same-origin" | "none") => return Self::Here,
            Some(_) => return Self::Elsewhere,
            None => {}
        }
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Self::Unsaid;
        };
        let Some((_, authority)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
            return Self::Elsewhere;
        };
        let is_ours = authority_of(site.base_url()) == Some(authority) || text("host") == Some(authority);
        if is_ours { Self::Here } else { Self::Elsewhere }
    }
}

/// `muster.example:8080` of `https://muster.example:8080/sub`.
fn authority_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn says(headers: &[(&'static str, &'static str)], expected: Origin) {
        let site = Site::new("https://muster.example/sub", None);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        assert_eq!(Origin::of(&map, &site), expected, "{headers:?}");
    }

    #[test]
    fn only_our_own_pages_are_here() {
        says(&[], Origin::Unsaid);
        says(&[("sec-fetch-site", "same-origin")], Origin::Here);
        says(&[("sec-fetch-site", "none")], Origin::Here);
        says(&[("sec-fetch-site", "cross-site")], Origin::Elsewhere);
        says(&[("sec-fetch-site", "same-site")], Origin::Elsewhere);
        says(&[("origin", "https://muster.example")], Origin::Here);
        says(&[("origin", "https://evil.example")], Origin::Elsewhere);
        says(
            &[("origin", "https://muster.example.evil.example")],
            Origin::Elsewhere,
        );
        says(&[("origin", "null")], Origin::Elsewhere);
        let behind_a_proxy = [("host", "intern:8080"), ("origin", "http://intern:8080")];
        says(&behind_a_proxy, Origin::Here);
    }
}
