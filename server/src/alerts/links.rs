//! What senders gave along with their alerts: runbooks, dashboards and pictures, for whoever responds.

use std::collections::BTreeSet;

use serde_json::Value;
use store::{Error, Tx};

use super::store as rows;
use crate::http::faults::one_line;
use crate::incidents::IncidentId;

/// Alerts whose links are read, the newest first.
const ALERTS: i64 = 200;

/// A link by the sender's words, or by its address without its scheme where they gave none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderLink {
    pub words: String,
    /// With `https` or `http`.
    pub to: String,
}

/// The links of an incident's alerts, each address once, those of the newest alerts first; at most `most`.
pub fn of(tx: &mut Tx, id: &IncidentId, most: usize) -> Result<Vec<SenderLink>, Error> {
    let contexts = rows::contexts_of(tx, id, ALERTS)?;
    Ok(distinct(
        contexts.iter().filter_map(Value::as_array).flatten(),
        most,
    ))
}

fn distinct<'c>(contexts: impl Iterator<Item = &'c Value>, most: usize) -> Vec<SenderLink> {
    let mut known = BTreeSet::new();
    contexts
        .filter_map(link_of)
        .filter(|link| known.insert(link.to.clone()))
        .take(most)
        .collect()
}

/// A link by its words, a picture by what it shows. Addresses were checked when the event was accepted.
fn link_of(context: &Value) -> Option<SenderLink> {
    let text = |name: &str| {
        let text = context.get(name)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    };
    let to = text("href").or_else(|| text("src"))?;
    if !(to.starts_with("https://") || to.starts_with("http://")) {
        return None;
    }
    let words = text("text")
        .or_else(|| text("alt"))
        .map_or_else(|| bare(to), one_line);
    Some(SenderLink {
        words,
        to: to.to_owned(),
    })
}

/// "wiki.example/runbooks/till" of "https://wiki.example/runbooks/till".
fn bare(address: &str) -> String {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    rest.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_address_stands_once_by_the_words_of_its_sender() {
        let contexts = [
            json!({ "type": "link", "href": "https://wiki.example/till", "text": "Runbook" }),
            json!({ "type": "link", "href": "https://wiki.example/till", "text": "The same" }),
            json!({ "type": "image", "src": "https://graphs.example/7.png", "alt": "Silent terminals" }),
            json!({ "type": "link", "href": "https://dash.example/d/1/" }),
            json!({ "type": "link", "href": "javascript:alert(1)", "text": "An old one" }),
            json!({ "type": "link", "text": "Nowhere" }),
        ];
        let links = distinct(contexts.iter(), 8);
        let shown: Vec<(&str, &str)> = links
            .iter()
            .map(|one| (one.words.as_str(), one.to.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Runbook", "https://wiki.example/till"),
                ("Silent terminals", "https://graphs.example/7.png"),
                ("dash.example/d/1", "https://dash.example/d/1/"),
            ]
        );
    }
}
