//! The console's pages with a long history behind them.

use std::time::Instant;

use anyhow::Context as _;
use hyper::Method;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::Row;
use super::history::{self, CASES, INCIDENTS};
use super::pages::percentile;
use super::program::{Grouping, Installed, Muster, OWNER, Program};
use super::web::Web;

/// How often each page is asked for.
const TIMES: usize = 40;
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
    for path in addresses(&muster).await? {
        let mut times = Vec::with_capacity(TIMES);
        let mut weight = 0;
        for _ in 0..TIMES {
            let began = Instant::now();
            let answer = web.get(&path).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            anyhow::ensure!(answer.status == 200, "{path} answered {}", answer.status);
            weight = answer.body.len();
        }
        times.sort_by(f64::total_cmp);
        all.extend_from_slice(&times);
        let name = format!("console, {}: p95 ({} kB)", shown(&path), weight / 1_000);
        rows.push(Row::figure(name, percentile(&times, 0.95), "ms").at_most(50.0));
    }
    all.sort_by(f64::total_cmp);
    let name = format!("console, {INCIDENTS} incidents and {CASES} cases, all pages: median");
    rows.push(Row::figure(name, percentile(&all, 0.5), "ms"));
    Ok(rows)
}

/// An address without the identifiers of this run.
fn shown(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('Q') { "…" } else { part })
        .collect::<Vec<_>>()
        .join("/")
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
            "uses": [{ "id": touchpoint["business_service"]["id"], "type": "business_service_reference" }],
        } });
        web.post("/locations", &location).await?;
    }
    let case = json!({ "case": {
        "subject": "The card reader says offline", "text": "I tried two cards and neither worked.",
        "reporter": { "name": "Hannah Whitcombe", "email": "hannah@example.org" },
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

/// Every page of the rail, one of each kind of thing, and searches.
async fn addresses(muster: &Muster) -> anyhow::Result<Vec<String>> {
    let first = |answer: &Value, list: &str| answer[list][0]["id"].as_str().unwrap_or_default().to_owned();
    let web = &muster.web;
    let open = web.get("/incidents?statuses[]=triggered&limit=1").await?.json()?;
    let resolved = web
        .get("/incidents?statuses[]=resolved&limit=1&date_range=all")
        .await?
        .json()?;
    let service = web.get("/services?limit=1").await?.json()?;
    let mut addresses: Vec<String> = [
        "/console",
        "/console/incidents",
        "/console/incidents?status=resolved",
        "/console/desk",
        "/console/desk?question=card+reader+offline",
        "/console/services",
        "/console/services/shops",
        "/console/on-call",
        "/console/customers",
        "/console/updates",
        "/console/pages",
        "/console/maintenance",
        "/console/learn",
        "/console/settings",
        "/console/settings/outbox",
        "/console/settings/audit",
        "/console/search?query=card",
        "/console/situation",
    ]
    .map(str::to_owned)
    .to_vec();
    addresses.push(format!("/console/incidents/{}", first(&open, "incidents")));
    addresses.push(format!("/console/incidents/{}", first(&resolved, "incidents")));
    addresses.push(format!("/console/services/{}", first(&service, "services")));
    Ok(addresses)
}
