//! A running Muster: set up, started, asked, watched and stopped.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::web::Web;

/// How long a start may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Clock ticks a second in `/proc/PID/stat`; the same on every Linux.
const TICKS: f64 = 100.0;

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) cpu: Duration,
    /// Resident memory, in bytes.
    pub(super) resident: u64,
}

/// Reads what a process has used.
pub(super) fn used(process: u32) -> anyhow::Result<Used> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name stands in brackets and may hold anything; the numbers come after it.
    let numbers: Vec<&str> = stat
        .rsplit_once(')')
        .context("/proc/PID/stat has no name")?
        .1
        .split_whitespace()
        .collect();
    let ticks = |index: usize| numbers.get(index).and_then(|text| text.parse::<f64>().ok());
    let cpu = ticks(11).zip(ticks(12)).context("/proc/PID/stat is too short")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .context("/proc/PID/status has no VmRSS")?;
    Ok(Used {
        cpu: Duration::from_secs_f64((cpu.0 + cpu.1) / TICKS),
        resident: resident * 1024,
    })
}

/// A process that is stopped when it is no longer needed.
pub(super) struct Running {
    child: Child,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
        Ok(Self { child })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// An address on loopback that nobody listens on.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What is measured.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) file: PathBuf,
    /// The PostgreSQL server that it stores on; otherwise the database is embedded.
    pub(super) server: Option<String>,
}

/// Creates a database beside the one that `server` names, and gives its address.
fn create_database(server: &str) -> anyhow::Result<String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let (place, _) = server
        .rsplit_once('/')
        .context("--database has no name of a database")?;
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let name = format!("bench_{}_{number}", std::process::id());
    let made = Command::new("psql")
        .args([server, "--quiet", "--command", &format!("CREATE DATABASE {name}")])
        .output()
        .context("psql cannot be run")?;
    anyhow::ensure!(
        made.status.success(),
        "no database could be made: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    Ok(format!("{place}/{name}"))
}

/// A folder with a Muster that has been set up, and its owner's key.
pub(super) struct Installed {
    file: PathBuf,
    pub(super) folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    pub(super) api_key: String,
    pub(super) password: String,
}

pub(super) const OWNER: &str = "maya@example.org";

impl Installed {
    /// Runs `muster setup` in a new folder on the disk of the present directory.
    pub(super) fn new(program: &Program, environment: Vec<(&'static str, String)>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in("target")?;
        let mut environment = environment;
        environment.extend([
            ("MUSTER_DATA", folder.path().join("data").display().to_string()),
            ("MUSTER_EVENT_RATE_LIMIT", "off".to_owned()),
            ("MUSTER_API_RATE_LIMIT", "off".to_owned()),
            ("MUSTER_LOG", "error".to_owned()),
        ]);
        if let Some(server) = &program.server {
            environment.push(("MUSTER_DATABASE_URL", create_database(server)?));
        }
        let made = Command::new(&program.file)
            .args(["setup", "--email", OWNER, "--name", "Maya Okafor", "--json"])
            .envs(environment.iter().cloned())
            .output()
            .with_context(|| format!("{} cannot be run", program.file.display()))?;
        anyhow::ensure!(
            made.status.success(),
            "muster setup failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let made: Value = serde_json::from_slice(&made.stdout)?;
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            file: program.file.clone(),
            folder,
            environment,
            api_key: text("api_key"),
            password: text("password"),
        })
    }

    /// Starts `muster serve`; it need not be ready yet.
    pub(super) fn launch(&self) -> anyhow::Result<(Running, u16)> {
        let port = free_port()?;
        let running = Running::start(
            Command::new(&self.file)
                .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
                .envs(self.environment.iter().cloned()),
        )?;
        Ok((running, port))
    }

    /// Starts `muster serve` and waits until it accepts events.
    pub(super) async fn serve(&self) -> anyhow::Result<Muster> {
        let (running, port) = self.launch()?;
        let web = Web::to(port, &self.api_key);
        wait_for(&web, "/health/ready").await?;
        Ok(Muster { running, port, web })
    }
}

/// Asks until the answer is 200.
pub(super) async fn wait_for(web: &Web, path: &str) -> anyhow::Result<()> {
    wait_for_status(web, path, 200).await
}

/// Asks until the answer has this status.
pub(super) async fn wait_for_status(web: &Web, path: &str, status: u16) -> anyhow::Result<()> {
    let began = Instant::now();
    while !web.get(path).await.is_ok_and(|answer| answer.status == status) {
        anyhow::ensure!(began.elapsed() < PATIENCE, "no answer on {path}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// A Muster that accepts events.
pub(super) struct Muster {
    pub(super) running: Running,
    pub(super) port: u16,
    pub(super) web: Web,
}

/// How alerts of a service become incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// Whatever comes joins the incident that is open.
    OneIncident,
    /// Every alert is an incident.
    Off,
}

impl Muster {
    /// A service with the owner on call for it; gives the key that events are sent with.
    pub(super) async fn build_service(&self, name: &str, grouping: Grouping) -> anyhow::Result<String> {
        let me = self.web.get("/users/me").await?.json()?;
        let policy = json!({ "escalation_policy": {
            "type": "escalation_policy",
            "name": format!("{name} policy"),
            "escalation_rules": [{
                "escalation_delay_in_minutes": 30,
                "targets": [{ "id": me["user"]["id"], "type": "user_reference" }],
            }],
        } });
        let policy = self.web.post("/escalation_policies", &policy).await?;
        let mut service = json!({
            "type": "service",
            "name": name,
            "escalation_policy": { "id": policy["escalation_policy"]["id"], "type": "escalation_policy_reference" },
        });
        service["alert_grouping_parameters"] = match grouping {
            Grouping::OneIncident => json!({ "type": "time", "config": { "timeout": 0 } }),
            Grouping::Off => json!({ "type": null }),
        };
        let service = self.web.post("/services", &json!({ "service": service })).await?;
        let id = service["service"]["id"]
            .as_str()
            .context("the service has no id")?;
        let integration =
            json!({ "integration": { "type": "events_api_v2_inbound_integration", "name": "Monitoring" } });
        let made = self
            .web
            .post(&format!("/services/{id}/integrations"), &integration)
            .await?;
        Ok(made["integration"]["integration_key"]
            .as_str()
            .context("the integration has no key")?
            .to_owned())
    }

    /// A gauge or counter without labels, as `/metrics` shows it now.
    pub(super) async fn measure(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.web.get("/metrics").await?.text();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
            .with_context(|| format!("/metrics has no {name}"))
    }

    /// Waits until every accepted event has become an alert, and gives how long that took.
    pub(super) async fn drain(&self) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while self.measure("muster_events_waiting").await? > 0.0 {
            anyhow::ensure!(began.elapsed() < PATIENCE, "the backlog does not drain");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(began.elapsed())
    }
}
