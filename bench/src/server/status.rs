//! The status page against nginx serving the same bytes from disk.

use anyhow::Context as _;
use serde_json::json;

use super::program::{Grouping, Installed, Program, wait_for};
use super::web::Web;
use super::{Row, peers};

const PAGE: &str = "/status/larkfield";
const SUMMARY: &str = "/status/larkfield/api/v2/summary.json";

pub(super) async fn run(program: &Program, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let installed = Installed::new(program, Vec::new())?;
    let muster = installed.serve().await?;
    muster.build_service("card-gateway", Grouping::Off).await?;
    let page = json!({ "status_page": { "name": "Larkfield", "slug": "larkfield" } });
    let page = muster.web.post("/status_pages", &page).await?;
    let id = page["status_page"]["id"].as_str().context("the page has no id")?;
    for name in ["Card payments", "Click & collect", "Loyalty", "Web shop"] {
        let component = json!({ "component": { "name": name } });
        muster
            .web
            .post(&format!("/status_pages/{id}/components"), &component)
            .await?;
    }
    let anybody = Web::plain(muster.port);
    wait_for(&anybody, PAGE).await?;
    let folder = installed.folder.path().join("www");
    let mut rows = Vec::new();
    for path in [PAGE, SUMMARY] {
        let body = anybody.get(path).await?.body;
        let file = folder.join(path.trim_start_matches('/'));
        let file = if path == PAGE {
            file.join("index.html")
        } else {
            file
        };
        std::fs::create_dir_all(file.parent().context("a path without a folder")?)?;
        std::fs::write(&file, &body)?;
        let asked = file.strip_prefix(&folder)?.display();
        let asked = format!("/{asked}");
        let Some((_nginx, port)) = peers::nginx(&folder, &asked).await? else {
            rows.push(Row::missing("status page: nginx", "nginx is not installed"));
            continue;
        };
        let same = Web::plain(port).get(&asked).await?.body;
        anyhow::ensure!(same == body, "nginx and Muster serve different bytes");
        // Each is loaded twice, in turn, so that a machine that warms up or slows down favours neither.
        let mut rates = [0.0; 2];
        for _ in 0..2 {
            rates[0] += peers::load(muster.port, path, None, seconds).await?.rate() / 2.0;
            rates[1] += peers::load(port, &asked, None, seconds).await?.rate() / 2.0;
        }
        let name = |what: &str| format!("{path} ({} bytes): {what}", body.len());
        rows.push(Row::figure(name("Muster"), rates[0], "requests/s"));
        rows.push(Row::figure(
            name("nginx, the same bytes from disk"),
            rates[1],
            "requests/s",
        ));
        rows.push(Row::figure(name("ratio"), rates[0] / rates[1], "× nginx").at_least(1.0));
    }
    Ok(rows)
}
