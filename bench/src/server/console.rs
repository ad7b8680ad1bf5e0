//! The console's pages with a long history behind them.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context as _;
use hyper::Method;
use hyper::body::Bytes;
use serde_json::json;

use super::Row;
use super::history::{self, CASES, INCIDENTS};
use super::pages::percentile;
use super::program::{Grouping, Installed, Muster, OWNER, Program};
use super::web::Web;

/// How often each page is asked for.
const TIMES: usize = 40;
/// What a link may lead to that is no page.
const NO_PAGES: [&str; 3] = ["/console/live", ".ics", "/console/sign-out"];
/// The wall of shops.
const SHOPS: usize = 240;

pub(super) async fn run(program: &Program) -> anyhow::Result<Vec<Row>> {
    if program.server.is_some() {
        return Ok(vec![Row::missing(
            "console",
            "its history is written for the embedded database",
        )]);
    }
    let installed = Installed::new(program, Vec::new())?;
    let muster = installed.serve().await?;
    build(&muster).await?;
    drop(muster);
    history::write(&installed.folder.path().join("data"))?;
    let muster = installed.serve().await?;
    let web = sign_in(&muster, &installed.password).await?;
    let mut rows = Vec::new();
    let mut all = Vec::new();
    let mut addresses = asked();
    let mut known: BTreeSet<String> = addresses.iter().map(|path| shown(path)).collect();
    let mut place = 0;
    while let Some(path) = addresses.get(place).cloned() {
        place += 1;
        let mut times = Vec::with_capacity(TIMES);
        let mut body = Bytes::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let answer = web.get(&path).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            anyhow::ensure!(answer.status == 200, "{path} answered {}", answer.status);
            body = answer.body;
        }
        for link in links(&String::from_utf8_lossy(&body)) {
            if known.insert(shown(&link)) {
                addresses.push(link);
            }
        }
        times.sort_by(f64::total_cmp);
        all.extend_from_slice(&times);
        let name = format!("console, {}: p95 ({} kB)", shown(&path), body.len() / 1_000);
        rows.push(Row::figure(name, percentile(&times, 0.95), "ms").at_most(50.0));
    }
    all.sort_by(f64::total_cmp);
    let name = format!("console, {INCIDENTS} incidents and {CASES} cases, all pages: median");
    rows.push(Row::figure(name, percentile(&all, 0.5), "ms"));
    let mut bare = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        web.get("/health/live").await?;
        bare.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    bare.sort_by(f64::total_cmp);
    let name = "console: an answer for which nothing is looked at, p95";
    rows.push(Row::figure(name, percentile(&bare, 0.95), "ms"));
    Ok(rows)
}

/// An address without what differs between things of one kind: identifiers, places in lists, times.
fn shown(path: &str) -> String {
    path.split_inclusive(['/', '?', '&', '=', ':'])
        .map(|part| {
            let word = part.trim_end_matches(['/', '?', '&', '=', ':']);
            let end = &part[word.len()..];
            let differs = word.len() > 1 && word.chars().any(|one| one.is_ascii_digit());
            if differs {
                format!("…{end}")
            } else {
                part.to_owned()
            }
        })
        .collect()
}

/// A retailer in small: services, shops, one fault that was and one that is, a case.
async fn build(muster: &Muster) -> anyhow::Result<()> {
    let web = &muster.web;
    let key = muster.build_service("card-gateway", Grouping::Off).await?;
    let touchpoint = json!({ "business_service": { "name": "Card payments" } });
    let touchpoint = web.post("/business_services", &touchpoint).await?;
    let services = web.get("/services").await?.json()?;
    let dependency = json!({ "relationships": [{
        "supporting_service": { "id": services["services"][0]["id"], "type": "service" },
        "dependent_service": { "id": touchpoint["business_service"]["id"], "type": "business_service" },
    }] });
    web.post("/service_dependencies/associate", &dependency).await?;
    for number in 0..SHOPS {
        let location = json!({ "location": {
            "name": format!("Shop {number}"), "kind": "site",
            "services": [{ "id": touchpoint["business_service"]["id"], "type": "business_service_reference" }],
        } });
        web.post("/locations", &location).await?;
    }
    let account = json!({ "account": { "name": "Hannah Whitcombe", "email": "hannah@example.org" } });
    let account = web.post("/accounts", &account).await?;
    let case = json!({ "case": {
        "subject": "The card reader says offline", "text": "I tried two cards and neither worked.",
        "reporter": { "name": "Hannah Whitcombe", "email": "hannah@example.org" },
        "account": { "id": account["account"]["id"], "type": "account_reference" },
        "touchpoint": { "id": touchpoint["business_service"]["id"], "type": "business_service_reference" },
    } });
    web.post("/cases", &case).await?;
    let anybody = Web::plain(muster.port);
    for (dedup_key, action) in [("old", "trigger"), ("old", "resolve"), ("new", "trigger")] {
        let event = json!({
            "routing_key": key, "event_action": action, "dedup_key": dedup_key,
            "payload": { "summary": "Card terminals are silent", "source": "till.leeds", "severity": "critical" },
        });
        anybody.post("/v2/enqueue", &event).await?;
        muster.drain().await?;
    }
    Ok(())
}

async fn sign_in(muster: &Muster, password: &str) -> anyhow::Result<Web> {
    let form = format!(
        "email={}&password={password}&back=/console",
        OWNER.replace('@', "%40")
    );
    let answer = Web::plain(muster.port)
        .ask(
            Method::POST,
            "/console/sign-in",
            "application/x-www-form-urlencoded",
            Bytes::from(form),
        )
        .await?;
    let cookie = answer
        .headers
        .get("set-cookie")
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .context("the sign-in gave no session")?;
    Ok(Web::with_cookie(muster.port, cookie))
}

/// Where the way begins: the first page, what is asked for by words, and the customer with the most cases. All other pages are
/// found by the links on these.
fn asked() -> Vec<String> {
    [
        "/console",
        "/console/desk?question=card+reader+offline",
        "/console/search?query=card",
        "/console/cases?words=shop+17",
        "/console/incidents?view=all&words=terminal+17",
        "/console/customers?words=customer+77",
        "/console/customers/Q0000000000001",
        "/console/situation",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The pages of the console that a page leads to.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| link.starts_with("/console") && !NO_PAGES.iter().any(|part| link.contains(part)))
        .map(|link| {
            link.split('#')
                .next()
                .unwrap_or_default()
                .replace("&#38;", "&")
                .replace("&amp;", "&")
        })
        .collect()
}
