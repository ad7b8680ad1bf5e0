//! How soon a Muster accepts its first event, and what it holds when nothing happens.

use std::time::{Duration, Instant};

use hyper::Method;
use hyper::body::Bytes;
use serde_json::json;

use super::program::{Grouping, Installed, Program, used};
use super::web::Web;
use super::{Row, peers};

const TIMES: usize = 5;
/// How long a Muster is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

pub(super) async fn run(program: &Program) -> anyhow::Result<Vec<Row>> {
    let installed = Installed::new(program, Vec::new())?;
    let key = installed
        .serve()
        .await?
        .build_service("card-gateway", Grouping::Off)
        .await?;
    let mut times = Vec::new();
    for number in 0..TIMES {
        let event = json!({
            "routing_key": key, "event_action": "trigger", "dedup_key": format!("start-{number}"),
            "payload": { "summary": "Till is silent", "source": "till.leeds", "severity": "critical" },
        });
        let began = Instant::now();
        let (_running, port) = installed.launch()?;
        let web = Web::plain(port);
        loop {
            let body = Bytes::from(event.to_string());
            let answer = web
                .ask(Method::POST, "/v2/enqueue", "application/json", body)
                .await;
            if answer.is_ok_and(|answer| answer.status == 202) {
                break;
            }
            anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "no event was accepted");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let muster = installed.serve().await?;
    tokio::time::sleep(IDLE).await;
    let resident = used(muster.running.id())?.resident as f64 / 1e6;
    let binary = std::fs::metadata(&program.file)?.len() as f64 / 1e6;
    let mut rows = vec![
        Row::figure(
            "start to first accepted event: median of 5",
            times[TIMES / 2],
            "s",
        )
        .at_most(0.5),
        Row::figure("start to first accepted event: worst of 5", times[TIMES - 1], "s").at_most(0.5),
        Row::figure("resident when idle", resident, "MB").at_most(80.0),
        Row::figure("the one binary", binary, "MB"),
    ];
    let began = Instant::now();
    if let Some((alertmanager, _)) = peers::alertmanager(installed.folder.path(), peers::Told::Nobody).await?
    {
        rows.push(Row::figure(
            "Alertmanager: start to ready",
            began.elapsed().as_secs_f64(),
            "s",
        ));
        tokio::time::sleep(IDLE).await;
        let resident = used(alertmanager.id())?.resident as f64 / 1e6;
        rows.push(Row::figure("Alertmanager: resident when idle", resident, "MB"));
    }
    Ok(rows)
}
