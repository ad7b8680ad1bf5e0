//! Pages: how soon one is handed to the provider, and how fast many are.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::body::Bytes;
use serde_json::json;

use super::program::{Grouping, Installed, Muster, Program};
use super::sinks::{self, Arrivals};
use super::web::Web;
use super::{Row, peers};

/// Events a second while the delay is measured.
const RATE: u32 = 1_000;
/// Of so many events one opens an incident and pages; the others repeat what is open.
const ONE_IN: u32 = 20;
/// Pages that are owed at once.
const OWED: u32 = 10_000;
/// Messages that Muster hands over at the same time: what a kill may double.
const IN_FLIGHT: u32 = 48;
const PATIENCE: Duration = Duration::from_secs(120);

/// How a page goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Mail,
    Webhook,
}

pub(super) async fn run(program: &Program, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for way in [Way::Mail, Way::Webhook] {
        rows.extend(delay(program, way, seconds, Storm::Mixed).await?);
        rows.extend(delay(program, way, seconds, Storm::AllPage).await?);
        rows.extend(many(program, way).await?);
    }
    rows.extend(by_the_peer().await?);
    rows.extend(through_a_kill(program).await?);
    Ok(rows)
}

/// What a stream of events is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Storm {
    /// Most events repeat what is open.
    Mixed,
    /// Every event opens an incident and pages somebody.
    AllPage,
}

struct Paged {
    muster: Muster,
    key: String,
    arrivals: Arrivals,
    installed: Installed,
}

async fn start(program: &Program, way: Way) -> anyhow::Result<Paged> {
    let arrivals = Arrivals::default();
    let mut environment = vec![("MUSTER_ALLOWED_NETWORKS", "127.0.0.0/8".to_owned())];
    let mut hook = None;
    match way {
        Way::Mail => {
            let port = sinks::mail(arrivals.clone()).await?;
            environment.push(("MUSTER_SMTP_URL", format!("smtp://127.0.0.1:{port}")));
            environment.push(("MUSTER_MAIL_FROM", "Muster <muster@example.org>".to_owned()));
        }
        Way::Webhook => hook = Some(sinks::webhooks(arrivals.clone()).await?),
    }
    let installed = Installed::new(program, environment)?;
    let muster = installed.serve().await?;
    if let Some(port) = hook {
        page_by_webhook(&muster.web, port).await?;
    }
    let key = muster.build_service("card-gateway", Grouping::Off).await?;
    Ok(Paged {
        muster,
        key,
        arrivals,
        installed,
    })
}

/// Makes a webhook the owner's only way to be paged.
async fn page_by_webhook(web: &Web, port: u16) -> anyhow::Result<()> {
    let me = web.get("/users/me").await?.json()?;
    let person = format!("/users/{}", me["user"]["id"].as_str().unwrap_or_default());
    let method = json!({ "contact_method": {
        "type": "webhook_contact_method", "label": "Pager", "address": format!("http://127.0.0.1:{port}/")
    } });
    let method = web.post(&format!("{person}/contact_methods"), &method).await?;
    let known = web.get(&format!("{person}/notification_rules")).await?.json()?;
    for rule in known["notification_rules"].as_array().into_iter().flatten() {
        let id = rule["id"].as_str().unwrap_or_default();
        let path = format!("{person}/notification_rules/{id}");
        web.ask(Method::DELETE, &path, "application/json", Bytes::new())
            .await?;
    }
    let rule = json!({ "notification_rule": {
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": 0,
        "urgency": "high",
        "contact_method": { "id": method["contact_method"]["id"], "type": "webhook_contact_method" },
    } });
    web.post(&format!("{person}/notification_rules"), &rule).await?;
    Ok(())
}

fn event(key: &str, number: u32) -> Bytes {
    let event = json!({
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": format!("till-{number}"),
        "payload": {
            "summary": format!("terminal-{number} is silent"), "source": "till.leeds", "severity": "critical"
        },
    });
    Bytes::from(event.to_string())
}

/// Sends one event and gives the moment at which it was accepted.
async fn send(web: &Web, body: Bytes) -> anyhow::Result<Instant> {
    let answer = web
        .ask(Method::POST, "/v2/enqueue", "application/json", body)
        .await?;
    anyhow::ensure!(answer.status == 202, "an event was answered {}", answer.status);
    Ok(Instant::now())
}

/// Events come at a steady rate, whatever the answers take: a slow Muster does not slow the senders down.
async fn delay(program: &Program, way: Way, seconds: u64, storm: Storm) -> anyhow::Result<Vec<Row>> {
    let paged = start(program, way).await?;
    let web = Web::plain(paged.muster.port);
    let mut sending = tokio::task::JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    let began = Instant::now();
    for number in 0..(RATE * seconds as u32) {
        tick.tick().await;
        let pages = storm == Storm::AllPage || number % ONE_IN == 0;
        let about = if pages { number } else { number - number % ONE_IN };
        let (web, body) = (web.clone(), event(&paged.key, about));
        sending.spawn(async move { anyhow::Ok((pages.then_some(number), send(&web, body).await?)) });
    }
    let sent_in = began.elapsed();
    let mut accepted: HashMap<u32, Instant> = HashMap::new();
    while let Some(one) = sending.join_next().await {
        if let (Some(number), at) = one?? {
            accepted.insert(number, at);
        }
    }
    wait(&paged.arrivals, accepted.len()).await;
    let (arrived, doubled) = paged.arrivals.take();
    let mut delays: Vec<f64> = accepted
        .iter()
        .filter_map(|(number, at)| {
            arrived
                .get(number)
                .map(|then| then.saturating_duration_since(*at))
        })
        .map(|delay| delay.as_secs_f64() * 1_000.0)
        .collect();
    delays.sort_by(f64::total_cmp);
    let about = match storm {
        Storm::Mixed => format!("one in {ONE_IN} pages"),
        Storm::AllPage => "every event pages".to_owned(),
    };
    let rate = f64::from(RATE * seconds as u32) / sent_in.as_secs_f64();
    let name =
        |what: &str| format!("accepted → page handed over ({way:?}, {rate:.0} events/s, {about}): {what}");
    Ok(vec![
        Row::figure(name("median"), percentile(&delays, 0.5), "ms"),
        Row::figure(name("p99"), percentile(&delays, 0.99), "ms").at_most(250.0),
        Row::figure(name("lost"), (accepted.len() - delays.len()) as f64, "pages").at_most(0.0),
        Row::figure(name("doubled"), f64::from(doubled), "pages").at_most(0.0),
    ])
}

/// All events at once; the time runs from the first event until the last page has arrived.
async fn many(program: &Program, way: Way) -> anyhow::Result<Vec<Row>> {
    let paged = start(program, way).await?;
    let web = Web::plain(paged.muster.port);
    let began = Instant::now();
    send_all(&web, &paged.key).await?;
    wait(&paged.arrivals, OWED as usize).await;
    let (arrived, doubled) = paged.arrivals.take();
    let last = arrived.values().max().copied().unwrap_or(began);
    let name = |what: &str| format!("{OWED} pages ({way:?}), from the first event: {what}");
    Ok(vec![
        Row::figure(name("last arrived after"), (last - began).as_secs_f64(), "s").at_most(10.0),
        Row::figure(name("lost"), f64::from(OWED) - arrived.len() as f64, "pages").at_most(0.0),
        Row::figure(name("doubled"), f64::from(doubled), "pages").at_most(0.0),
    ])
}

/// As many notifications by Alertmanager, which keeps nothing on disk and sends a webhook for each alert at once.
async fn by_the_peer() -> anyhow::Result<Vec<Row>> {
    let (folder, arrivals) = (tempfile::tempdir()?, Arrivals::default());
    let hook = sinks::webhooks(arrivals.clone()).await?;
    let Some((alertmanager, port)) = peers::alertmanager(folder.path(), peers::Told::Webhook(hook)).await?
    else {
        let why = "prometheus-alertmanager is not installed";
        return Ok(vec![Row::missing("pages: Alertmanager", why)]);
    };
    let web = Web::plain(port);
    let began = Instant::now();
    at_once(|number| {
        let (web, alert) = (web.clone(), alert(number));
        async move {
            let answer = web
                .ask(Method::POST, "/api/v2/alerts", "application/json", alert)
                .await?;
            anyhow::ensure!(answer.status == 200, "an alert was answered {}", answer.status);
            Ok(())
        }
    })
    .await?;
    wait(&arrivals, OWED as usize).await;
    drop(alertmanager);
    let (arrived, _) = arrivals.take();
    let last = arrived.values().max().copied().unwrap_or(began);
    let name =
        |what: &str| format!("{OWED} notifications by Alertmanager (Webhook), from the first alert: {what}");
    Ok(vec![
        Row::figure(name("last arrived after"), (last - began).as_secs_f64(), "s"),
        Row::figure(
            name("not arrived"),
            f64::from(OWED) - arrived.len() as f64,
            "notifications",
        ),
    ])
}

fn alert(number: u32) -> Bytes {
    let alert = json!([{
        "labels": { "alertname": "CardTerminalSilent", "instance": format!("terminal-{number}"), "severity": "critical" },
        "annotations": { "summary": format!("terminal-{number} is silent") },
    }]);
    Bytes::from(alert.to_string())
}

/// Sends the events of all pages and returns when every one has been accepted.
async fn send_all(web: &Web, key: &str) -> anyhow::Result<()> {
    at_once(|number| {
        let (web, event) = (web.clone(), event(key, number));
        async move { send(&web, event).await.map(drop) }
    })
    .await
}

/// Sends something for each page, 64 at a time.
async fn at_once<F>(sent: impl Fn(u32) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut sending = tokio::task::JoinSet::new();
    for number in 0..OWED {
        if sending.len() >= 64
            && let Some(one) = sending.join_next().await
        {
            one??;
        }
        sending.spawn(sent(number));
    }
    while let Some(one) = sending.join_next().await {
        one??;
    }
    Ok(())
}

/// The process is killed in the middle of handing over pages, and started again.
async fn through_a_kill(program: &Program) -> anyhow::Result<Vec<Row>> {
    let paged = start(program, Way::Mail).await?;
    send_all(&Web::plain(paged.muster.port), &paged.key).await?;
    let before = paged.arrivals.count();
    // Dropped, a running program is killed with SIGKILL.
    drop(paged.muster);
    let muster = paged.installed.serve().await?;
    wait(&paged.arrivals, OWED as usize).await;
    drop(muster);
    let (arrived, doubled) = paged.arrivals.take();
    let name = |what: &str| format!("{OWED} pages (Mail), killed after {before}: {what}");
    Ok(vec![
        Row::figure(name("lost"), f64::from(OWED) - arrived.len() as f64, "pages").at_most(0.0),
        Row::figure(name("doubled"), f64::from(doubled), "pages").at_most(f64::from(IN_FLIGHT)),
    ])
}

/// Waits until so many have arrived, or nothing more can be hoped for.
async fn wait(arrivals: &Arrivals, count: usize) {
    let began = Instant::now();
    while arrivals.count() < count && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A doubled page would come soon after.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// The value below which so large a part of the sorted values lies.
pub(super) fn percentile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * part).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}
