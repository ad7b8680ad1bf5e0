//! Durable ingest, one event a request, against Alertmanager, which keeps nothing on disk.
//!
//! Both take the same alerts from the same load generator in the same run, one after the other. Muster's figure is
//! with everything on: each event is on disk before it is answered, and becomes alerts, incidents and pages while
//! the load goes on.

use std::path::{Path, PathBuf};

use super::program::{Grouping, Installed, Program, used};
use super::{Row, peers};

/// What is asked of the ratio. Acceptance alone, of which 2 is asked, is not loaded by itself: Muster takes what it accepts at
/// once, and slows its senders down when it falls behind, so no load meets acceptance without triage.
const WITH_TRIAGE: f64 = 1.5;

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
enum Storm {
    /// Ten thousand alerts of one incident, each sent again and again, as monitoring does. Alertmanager, too, keeps
    /// them in one group.
    Repeated,
    /// Every event is an alert of its own, all of one incident.
    New,
    /// Ten thousand alerts sent again and again, each of which is an incident of its own and pages somebody. There is
    /// nothing like it in Alertmanager; the ratio is with the same load as before.
    Incidents,
}

impl Storm {
    fn name(self) -> &'static str {
        match self {
            Self::Repeated => "10,000 alerts repeated",
            Self::New => "every event a new alert",
            Self::Incidents => "10,000 alerts repeated, each an incident and a page",
        }
    }

    fn number(self) -> &'static str {
        match self {
            Self::Repeated | Self::Incidents => "counter % 10000",
            Self::New => "counter",
        }
    }

    fn grouping(self) -> Grouping {
        match self {
            Self::Repeated | Self::New => Grouping::OneIncident,
            Self::Incidents => Grouping::Off,
        }
    }
}

pub(super) async fn run(program: &Program, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for storm in [Storm::Repeated, Storm::New, Storm::Incidents] {
        rows.extend(compare(program, seconds, storm).await?);
    }
    Ok(rows)
}

async fn compare(program: &Program, seconds: u64, storm: Storm) -> anyhow::Result<Vec<Row>> {
    let installed = Installed::new(program, Vec::new())?;
    let muster = installed.serve().await?;
    let key = muster.build_service("card-gateway", storm.grouping()).await?;
    let event = format!(
        r#"{{"routing_key":"{key}","event_action":"trigger","dedup_key":"till-%d","payload":{{"summary":"Card terminal %d is silent","source":"till-%d.leeds","severity":"critical"}}}}"#
    );
    let script = script(
        installed.folder.path(),
        "muster.lua",
        "/v2/enqueue",
        &event,
        storm,
    )?;
    let before = used(muster.running.id())?;
    let ours = peers::load(muster.port, "", Some(&script), seconds).await?;
    let drained = muster.drain().await?;
    let cpu = used(muster.running.id())?.cpu.saturating_sub(before.cpu);
    let accepted = muster.measure("muster_events_accepted_total").await?;
    anyhow::ensure!(
        accepted >= ours.requests - ours.refused,
        "{} events were answered 202, {accepted} are kept",
        ours.requests
    );
    let resident = used(muster.running.id())?.resident;
    drop(muster);

    let about = storm.name();
    let mut rows = vec![
        Row::figure(format!("ingest, {about}: accepted"), ours.rate(), "events/s"),
        Row::figure(format!("ingest, {about}: refused"), ours.refused, "events").at_most(0.0),
        Row::figure(
            format!("ingest, {about}: backlog drained after"),
            drained.as_secs_f64(),
            "s",
        )
        .at_most(0.2),
        Row::figure(
            format!("ingest, {about}: CPU an event, triage and paging included"),
            cpu.as_secs_f64() * 1e6 / accepted,
            "µs",
        )
        .at_most(50.0),
        Row::figure(
            format!("ingest, {about}: resident afterwards"),
            resident as f64 / 1e6,
            "MB",
        ),
    ];
    if let Some((nginx, port)) = peers::answering(installed.folder.path(), "/v2/enqueue").await? {
        let bare = peers::load(port, "", Some(&script), seconds).await?;
        drop(nginx);
        rows.push(Row::figure(
            format!("ingest, {about}: nginx, which answers 202 and looks at nothing"),
            bare.rate(),
            "requests/s",
        ));
    }
    if let Some((alertmanager, port)) =
        peers::alertmanager(installed.folder.path(), peers::Told::Nobody).await?
    {
        let alert = r#"[{"labels":{"alertname":"CardTerminalSilent","instance":"till-%d","severity":"critical"},"annotations":{"summary":"Card terminal %d is silent","source":"till-%d.leeds"}}]"#;
        let script = self::script(
            installed.folder.path(),
            "alertmanager.lua",
            "/api/v2/alerts",
            alert,
            storm,
        )?;
        let before = used(alertmanager.id())?;
        let theirs = peers::load(port, "", Some(&script), seconds).await?;
        let cpu = used(alertmanager.id())?.cpu.saturating_sub(before.cpu);
        rows.push(Row::figure(
            format!("ingest, {about}: Alertmanager's CPU an event"),
            cpu.as_secs_f64() * 1e6 / theirs.requests,
            "µs",
        ));
        rows.push(Row::figure(
            format!("ingest, {about}: Alertmanager, nothing on disk"),
            theirs.rate(),
            "events/s",
        ));
        rows.push(
            Row::figure(
                format!("ingest, {about}: ratio, triage in the same window"),
                ours.rate() / theirs.rate(),
                "× Alertmanager",
            )
            .at_least(WITH_TRIAGE),
        );
    } else {
        rows.push(Row::missing(
            "ingest: Alertmanager",
            "prometheus-alertmanager is not installed",
        ));
    }
    Ok(rows)
}

/// Writes what wrk runs: a body with three times the alert's number in it.
fn script(folder: &Path, name: &str, path: &str, body: &str, storm: Storm) -> anyhow::Result<PathBuf> {
    let file = folder.join(name);
    let text = format!(
        "local counter = 0\nlocal headers = {{ [\"Content-Type\"] = \"application/json\" }}\n\
         request = function()\n  counter = counter + 1\n  local number = {}\n\
         return wrk.format(\"POST\", \"{path}\", headers, string.format([==[{body}]==], number, number, number))\nend\n",
        storm.number()
    );
    std::fs::write(&file, text)?;
    Ok(file)
}
