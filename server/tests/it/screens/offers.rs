//! Nobody is offered what they would be refused: every place of every role, walked link by link, every form sent.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use crate::desk::{Outage, outage};
use crate::harness::{Browser, TestApp};

/// A form as a page shows it: where it goes, and the fields with the values they stand at.
#[derive(Debug)]
struct Form {
    to: String,
    fields: Vec<(String, String)>,
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("{name}=\"");
    let (at, _) = tag
        .match_indices(&wanted)
        .find(|(at, _)| *at == 0 || tag.as_bytes()[at - 1] == b' ')?;
    tag[at + wanted.len()..].split_once('"').map(|(value, _)| value)
}

fn forms(page: &str) -> Vec<Form> {
    page.split("<form ")
        .skip(1)
        .filter_map(|rest| rest.split_once("</form>").map(|(form, _)| form))
        .filter(|form| form.split('>').next().unwrap().contains("method=\"post\""))
        .map(|form| {
            let head = form.split('>').next().unwrap();
            let filled = form.split('<').filter(|tag| {
                tag.starts_with("input ") || tag.starts_with("textarea ") || tag.starts_with("select ")
            });
            let fields = filled
                .filter_map(|tag| {
                    let name = attribute(tag, "name")?;
                    // A choice takes the first that is one; what must be filled is filled.
                    let first = || {
                        let after = form.split_once(tag)?.1.split_once("</select>")?.0;
                        after
                            .split("<option ")
                            .skip(1)
                            .filter_map(|option| attribute(option, "value"))
                            .find(|value| !value.is_empty())
                    };
                    let value = match tag.split(' ').next() {
                        Some("select") => first().unwrap_or_default(),
                        _ => attribute(tag, "value").unwrap_or_default(),
                    };
                    let value = if value.is_empty() { "Words" } else { value };
                    (name != "csrf_token").then(|| (name.to_owned(), value.to_owned()))
                })
                .collect();
            Form {
                to: attribute(head, "action").unwrap_or_default().to_owned(),
                fields,
            }
        })
        .collect()
}

/// Pages and forms of one kind are alike, whatever they are about.
fn kind(path: &str) -> String {
    let path = path.split_once('=').map_or(path, |(before, _)| before);
    path.split('/')
        .map(|part| {
            if part.len() > 8
                && part
                    .chars()
                    .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
            {
                "*"
            } else {
                part
            }
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// What this browser is offered, from *Now* on, and refused.
async fn refused(browser: &Browser<'_>) -> Vec<String> {
    let mut waiting = vec![("/console".to_owned(), "the start".to_owned())];
    let mut seen: BTreeSet<String> = BTreeSet::from(["/console".to_owned()]);
    let mut sent: BTreeMap<String, Form> = BTreeMap::new();
    let mut refused = Vec::new();
    while let Some((path, from)) = waiting.pop() {
        let answer = browser.look(&path).await;
        if answer.status == StatusCode::FORBIDDEN {
            refused.push(format!("{path}, linked from {from}"));
            continue;
        }
        for link in answer.text.split(" href=\"/console").skip(1) {
            let link = link.split(['"', '#']).next().unwrap();
            let link = format!("/console{}", link.replace("&#38;", "&").replace("&amp;", "&"));
            if !link.contains("sign-out") && seen.insert(kind(&link)) {
                waiting.push((link, path.clone()));
            }
        }
        for form in forms(&answer.text) {
            if !form.to.contains("sign-out") {
                sent.entry(format!("{} on {}", kind(&form.to), kind(&path)))
                    .or_insert(form);
            }
        }
    }
    for (what, form) in sent {
        let fields: Vec<(&str, &str)> = form
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if browser.send(&form.to, &fields).await.status == StatusCode::FORBIDDEN {
            refused.push(format!("the form {what}"));
        }
    }
    refused
}

#[store::both_engines]
async fn nobody_is_offered_what_they_would_be_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let account = json!({ "account": { "name": "Brodie Catering", "email": "b@example.org" } });
    muster.post("/accounts", account).await.good();
    let page = json!({ "status_page": { "name": "Larkfield", "slug": "larkfield" } });
    muster.post("/status_pages", page).await.good();
    let case = json!({ "case": {
        "channel": "api", "text": "I cannot pay by card", "reporter": { "name": "Ana", "email": "ana@example.org" },
    } });
    let case = muster.post("/cases", case).await.good()["case"].clone();
    crate::desk::link(&muster, &case, &incident).await;
    muster.settle().await;
    for role in [
        Role::Observer,
        Role::Stakeholder,
        Role::Agent,
        Role::Responder,
        Role::Manager,
    ] {
        let browser = muster.browser_as(role).await;
        assert_eq!(refused(&browser).await, Vec::<String>::new(), "{role:?}");
    }
}
