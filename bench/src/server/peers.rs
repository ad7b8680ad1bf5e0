//! The peers, as Debian packages them, and wrk, which loads them and Muster alike.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::program::{Running, free_port, wait_for, wait_for_status};
use super::web::Web;

/// Connections that wrk keeps open.
const CONNECTIONS: usize = 64;

/// Whether a program can be run here.
fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
        || Command::new(program).arg("-v").output().is_ok()
}

/// Whom Alertmanager tells.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    Nobody,
    /// A webhook on this port is told of each alert by itself, at once.
    Webhook(u16),
}

impl Told {
    fn configuration(self) -> String {
        match self {
            Self::Nobody => "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n".to_owned(),
            Self::Webhook(port) => format!(
                "route:\n  receiver: hook\n  group_by: ['...']\n  group_wait: 0s\nreceivers:\n  - name: hook\n    \
                 webhook_configs:\n      - url: http://127.0.0.1:{port}/\n"
            ),
        }
    }
}

/// Alertmanager, or nothing when it is not installed.
pub(super) async fn alertmanager(folder: &Path, told: Told) -> anyhow::Result<Option<(Running, u16)>> {
    const PROGRAM: &str = "prometheus-alertmanager";
    if !installed(PROGRAM) {
        return Ok(None);
    }
    let configuration = folder.join("alertmanager.yml");
    std::fs::write(&configuration, told.configuration())?;
    let port = free_port()?;
    let running = Running::start(Command::new(PROGRAM).args([
        format!("--config.file={}", configuration.display()),
        format!("--storage.path={}", folder.join("alertmanager").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
        "--log.level=error".to_owned(),
    ]))?;
    wait_for(&Web::plain(port), "/-/ready").await?;
    Ok(Some((running, port)))
}

/// nginx answering every request as an accepted event is answered, from memory and without a look at it: what the load
/// generator and the machine can exchange at most. Or nothing when it is not installed.
pub(super) async fn answering(folder: &Path, probe: &str) -> anyhow::Result<Option<(Running, u16)>> {
    let answer =
        r#"return 202 "{\"status\":\"success\",\"message\":\"Event processed\",\"dedup_key\":\"till-1\"}";"#;
    nginx_with(folder, &format!("location / {{ {answer} }}"), probe, 202).await
}

/// nginx serving `folder` as files, or nothing when it is not installed. It is set up for speed: no access log, files
/// kept open, a worker for each core.
pub(super) async fn nginx(folder: &Path, probe: &str) -> anyhow::Result<Option<(Running, u16)>> {
    nginx_with(folder, "", probe, 200).await
}

async fn nginx_with(
    folder: &Path,
    location: &str,
    probe: &str,
    status: u16,
) -> anyhow::Result<Option<(Running, u16)>> {
    const PROGRAM: &str = "/usr/sbin/nginx";
    if !installed(PROGRAM) {
        return Ok(None);
    }
    let port = free_port()?;
    let root = std::fs::canonicalize(folder)?;
    let configuration = root.join("nginx.conf");
    let text = format!(
        "daemon off;\nworker_processes auto;\npid {root}/nginx.pid;\nerror_log {root}/error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  keepalive_requests 1000000000;\n\
         open_file_cache max=100;\n  open_file_cache_valid 60s;\n  default_type text/html;\n\
         client_body_temp_path {root}/t1;\n  proxy_temp_path {root}/t2;\n  fastcgi_temp_path {root}/t3;\n\
         uwsgi_temp_path {root}/t4;\n  scgi_temp_path {root}/t5;\n\
         server {{ listen 127.0.0.1:{port} reuseport; root {root}; {location} }}\n}}\n",
        root = root.display()
    );
    std::fs::write(&configuration, text)?;
    let running = Running::start(Command::new(PROGRAM).arg("-c").arg(&configuration))?;
    wait_for_status(&Web::plain(port), probe, status).await?;
    Ok(Some((running, port)))
}

/// What wrk saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) requests: f64,
    pub(super) seconds: f64,
    pub(super) refused: f64,
}

impl Load {
    pub(super) fn rate(&self) -> f64 {
        self.requests / self.seconds
    }
}

/// Loads one address for some seconds. The script, if any, makes the requests.
pub(super) async fn load(port: u16, path: &str, script: Option<&Path>, seconds: u64) -> anyhow::Result<Load> {
    anyhow::ensure!(
        installed("wrk"),
        "wrk is not installed (Debian: apt-get install wrk)"
    );
    let mut command = tokio::process::Command::new("wrk");
    command.args([
        "--threads=1".to_owned(),
        format!("--connections={CONNECTIONS}"),
        format!("--duration={seconds}s"),
    ]);
    if let Some(script) = script {
        command.arg(format!("--script={}", script.display()));
    }
    let output = command
        .arg(format!("http://127.0.0.1:{port}{path}"))
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(
        output.status.success(),
        "wrk failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let done = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in "))
        .context("wrk's answer is not understood")?;
    let refused = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: "))
        .map_or(Ok(0.0), str::parse)?;
    let seconds = done.1.split_once("s,").context("wrk's time is not understood")?.0;
    Ok(Load {
        requests: done.0.trim().parse()?,
        seconds: seconds.trim().parse()?,
        refused,
    })
}
