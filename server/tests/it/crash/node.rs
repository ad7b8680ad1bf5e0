//! A real process of the program, started and killed by the test, and a small client for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::Location;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_muster");
/// How long a process may take to accept events; generous, because the machine is shared with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// One running node.
pub(crate) struct Node {
    process: Child,
    pub(crate) port: u16,
}

/// Settings of a process by its environment.
pub(crate) fn environment(location: &Location, smtp_port: u16) -> Vec<(String, String)> {
    let (name, value) = match location {
        Location::Sqlite { directory } => ("MUSTER_DATA", directory.display().to_string()),
        Location::Postgres { url } => ("MUSTER_DATABASE_URL", url.clone()),
    };
    [
        (name, value),
        ("MUSTER_SMTP_URL", format!("smtp://127.0.0.1:{smtp_port}")),
        ("MUSTER_MAIL_FROM", "Muster <muster@example.org>".to_owned()),
        ("MUSTER_EVENT_RATE_LIMIT", "off".to_owned()),
        ("MUSTER_LOG", "error".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Makes the first owner and gives the key, before any process has run.
pub(crate) fn set_up(environment: &[(String, String)]) -> String {
    set_up_owner(environment).api_key
}

/// What the first owner comes in with.
#[derive(serde::Deserialize)]
pub(crate) struct Owner {
    pub(crate) api_key: String,
    pub(crate) password: String,
}

pub(crate) fn set_up_owner(environment: &[(String, String)]) -> Owner {
    run_setup(&[], environment)
}

/// Sets up the first owner and reads what is printed of it.
pub(crate) fn run_setup<T: DeserializeOwned>(flags: &[&str], environment: &[(String, String)]) -> T {
    let output = Command::new(PROGRAM)
        .args([
            "setup",
            "--email",
            "maya@example.org",
            "--name",
            "Maya Okafor",
            "--json",
        ])
        .args(flags)
        .envs(environment.iter().cloned())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Node {
    /// Starts a process and waits until it accepts events.
    pub(crate) fn start(environment: &[(String, String)]) -> Self {
        Self::start_as(Command::new(PROGRAM), environment)
    }

    /// The same by another command, which ends in that program.
    pub(crate) fn start_as(mut command: Command, environment: &[(String, String)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .envs(environment.iter().cloned())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let node = Self { process, port };
        let began = Instant::now();
        loop {
            if Connection::open(port)
                .and_then(|mut one| one.ask("GET", "/health/ready", "", None))
                .is_ok_and(|one| one.0 == 200)
            {
                return node;
            }
            assert!(began.elapsed() < PATIENCE, "the process did not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes the process away without a word, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks the process to stop and waits for it.
    pub(crate) fn stop(&mut self) {
        self.ask_to_stop();
        assert!(self.ended().success(), "the process failed at its end");
    }

    /// Asks the process to stop, and lets it.
    pub(crate) fn ask_to_stop(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Waits until a process that was asked to stop has ended.
    pub(crate) fn ended(&mut self) -> std::process::ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the process does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A connection that is kept open between requests.
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream),
        })
    }

    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> std::io::Result<(u16, Value)> {
        let (status, bytes) = self.exchange(method, path, key, body)?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// What stands at an address that answers in words.
    pub(crate) fn text(&mut self, path: &str) -> std::io::Result<String> {
        let (_, bytes) = self.exchange("GET", path, "", None)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let authorization = if key.is_empty() {
            String::new()
        } else {
            format!("authorization: Token token={key}\r\n")
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: muster\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.reader.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line.split_whitespace().nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            let lower = line.trim().to_lowercase();
            if lower.is_empty() {
                break;
            }
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes)?;
        Ok((status, bytes))
    }

    #[track_caller]
    pub(crate) fn good(&mut self, method: &str, path: &str, key: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, key, Some(body)).unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }
}

/// Makes a policy with the owner, a service without grouping, and gives the key of its integration.
pub(crate) fn build_service(port: u16, api_key: &str) -> String {
    let mut api = Connection::open(port).unwrap();
    let (_, me) = api.ask("GET", "/users/me", api_key, None).unwrap();
    let policy = json!({ "escalation_policy": {
        "type": "escalation_policy",
        "name": "Payments",
        "escalation_rules": [{
            "escalation_delay_in_minutes": 30,
            "targets": [{ "id": me["user"]["id"], "type": "user_reference" }],
        }],
    } });
    let policy = api.good("POST", "/escalation_policies", api_key, &policy);
    let service = json!({ "service": {
        "type": "service",
        "name": "card-gateway",
        "escalation_policy": { "id": policy["escalation_policy"]["id"], "type": "escalation_policy_reference" },
    } });
    let service = api.good("POST", "/services", api_key, &service);
    let path = format!(
        "/services/{}/integrations",
        service["service"]["id"].as_str().unwrap()
    );
    let integration =
        json!({ "integration": { "type": "events_api_v2_inbound_integration", "name": "Monitoring" } });
    let integration = api.good("POST", &path, api_key, &integration);
    integration["integration"]["integration_key"]
        .as_str()
        .unwrap()
        .to_owned()
}
