//! A PostgreSQL server of this process alone.
//!
//! `initdb` and `postgres` run below a shell that waits for the end of a pipe whose other end this process holds.
//! However this process ends, kill -9 included, the kernel closes the pipe, and the shell stops the server and removes
//! its files. When tests run as root, the shell and the server run as the user `postgres` or `nobody`, since
//! PostgreSQL refuses root. It listens on a socket in its own directory only.

use std::collections::HashSet;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::{Location, Migration, Store};

/// How long the server may take until it answers.
const START: Duration = Duration::from_mins(1);

const SCRIPT: &str = r#"
trap '' HUP INT TERM
cd "$DIRECTORY"
if [ -n "$CERTIFICATE" ]; then
    umask 077
    printf '%s' "$CERTIFICATE" >server.crt
    printf '%s' "$KEY" >server.key
fi
"$PROGRAMS/initdb" --pgdata=data --username=muster --auth=trust --encoding=UTF8 --locale=C --no-sync >log 2>&1 &&
"$PROGRAMS/postgres" -D data -k "$DIRECTORY" -c max_connections=400 \
    -c shared_buffers=64MB -c max_wal_size=256MB -c autovacuum=on $SETTINGS >>log 2>&1 </dev/null &
server=$!
read -r _
kill -QUIT "$(head -n 1 data/postmaster.pid)" "$server" 2>/dev/null
wait "$server"
cd /
rm -rf "$DIRECTORY"
"#;

/// Whether commits wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// They do not; for tests.
    None,
    /// They do; for measuring.
    Full,
}

/// Where a server listens: a socket in its directory, named after the port.
#[derive(Clone)]
struct Place {
    directory: PathBuf,
    port: u16,
}

/// A running server.
pub struct PostgresServer {
    place: Place,
    requests: Mutex<mpsc::Sender<Request>>,
    /// Holds the pipe that keeps the server running.
    _shell: Child,
}

/// A database that is dropped with this value.
pub(super) struct FreshDatabase {
    name: String,
    server: &'static PostgresServer,
}

enum Request {
    Create {
        template: Option<Vec<Migration>>,
        reply: oneshot::Sender<Result<String, String>>,
    },
    Drop {
        name: String,
    },
}

impl PostgresServer {
    /// The server that all tests of this process share, started on first use.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Durability::None))
    }

    /// Starts a server. It stops when this process ends.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn start(durability: Durability) -> Self {
        let settings = match durability {
            Durability::None => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            Durability::Full => "-c fsync=on -c synchronous_commit=on",
        };
        Self::start_with(&format!("-c listen_addresses= {settings}"), 5432, "", "")
    }

    /// Starts a server that also listens on this port of 127.0.0.1, with this certificate and key, both in PEM.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_encrypted(port: u16, certificate: &str, key: &str) -> Self {
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c synchronous_commit=off \
             -c ssl=on -c ssl_cert_file=../server.crt -c ssl_key_file=../server.key"
        );
        Self::start_with(&settings, port, certificate, key)
    }

    fn start_with(settings: &str, port: u16, certificate: &str, key: &str) -> Self {
        let programs = programs();
        let directory = tempfile::Builder::new()
            .prefix("muster-pg-")
            .tempdir()
            .unwrap_or_else(|error| panic!("no temporary directory: {error}"))
            .keep();
        let shell = shell_for(&directory)
            .arg(SCRIPT)
            .env("PROGRAMS", programs)
            .env("DIRECTORY", &directory)
            .env("SETTINGS", settings)
            .env("CERTIFICATE", certificate)
            .env("KEY", key)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("PostgreSQL cannot be started: {error}"));
        let (requests, received) = mpsc::channel();
        let place = Place { directory, port };
        let served = place.clone();
        let (ready, is_ready) = mpsc::channel();
        std::thread::spawn(move || serve(&served, &ready, &received));
        match is_ready.recv_timeout(START + Duration::from_secs(5)) {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => panic!("PostgreSQL did not start: {reason}\n{}", log_in(&place.directory)),
            Err(error) => panic!("PostgreSQL did not start: {error}\n{}", log_in(&place.directory)),
        }
        Self {
            place,
            requests: Mutex::new(requests),
            _shell: shell,
        }
    }

    /// The address of one of its databases.
    pub fn url(&self, database: &str) -> String {
        url(&self.place, database)
    }

    /// Creates a database that stays until the server stops, and returns its address.
    ///
    /// # Panics
    /// When that fails.
    pub async fn create_database(&self) -> String {
        self.url(&self.create(None).await)
    }

    pub(super) async fn fresh_database(&'static self, migrations: &[Migration]) -> FreshDatabase {
        FreshDatabase {
            name: self.create(Some(migrations.to_vec())).await,
            server: self,
        }
    }

    pub(super) async fn empty_database(&'static self) -> FreshDatabase {
        FreshDatabase {
            name: self.create(None).await,
            server: self,
        }
    }

    async fn create(&self, template: Option<Vec<Migration>>) -> String {
        let (reply, created) = oneshot::channel();
        self.request(Request::Create { template, reply });
        match created.await {
            Ok(Ok(name)) => name,
            Ok(Err(reason)) => panic!("no database for the test: {reason}"),
            Err(error) => panic!("no database for the test: {error}"),
        }
    }

    fn request(&self, request: Request) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.send(request).is_err() {
            tracing::error!("the thread that makes databases has ended");
        }
    }
}

impl FreshDatabase {
    pub(super) fn url(&self) -> String {
        self.server.url(&self.name)
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        self.server.request(Request::Drop {
            name: std::mem::take(&mut self.name),
        });
    }
}

fn url(place: &Place, database: &str) -> String {
    format!(
        "host={} port={} user=muster dbname={database}",
        place.directory.display(),
        place.port
    )
}

/// The newest installed version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    versions
        .map(|entry| entry.path().join("bin"))
        .filter(|programs| programs.join("initdb").exists())
        .max_by_key(|programs| {
            let version = programs.parent().and_then(Path::file_name);
            version.and_then(|version| version.to_str()?.parse::<u32>().ok())
        })
        .unwrap_or_else(|| {
            panic!(
                "PostgreSQL is not installed in /usr/lib/postgresql; on Debian: apt-get install postgresql"
            )
        })
}

/// A shell as a user that PostgreSQL accepts, which owns the directory.
fn shell_for(directory: &Path) -> Command {
    let owner = std::fs::metadata(directory).map_or(0, |metadata| metadata.uid());
    if owner != 0 {
        let mut shell = Command::new("sh");
        shell.arg("-c");
        return shell;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| -> Option<(u32, u32)> {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let (user, group) = find("postgres").or_else(|| find("nobody")).unwrap_or_else(|| {
        panic!("PostgreSQL does not run as root, and there is no user postgres or nobody")
    });
    chown(directory, Some(user), Some(group))
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut shell = Command::new("setpriv");
    shell
        .arg(format!("--reuid={user}"))
        .arg(format!("--regid={group}"))
        .args(["--clear-groups", "sh", "-c"]);
    shell
}

fn log_in(directory: &Path) -> String {
    let mut text = String::new();
    if let Ok(mut log) = std::fs::File::open(directory.join("log"))
        && log.read_to_string(&mut text).is_err()
    {
        text.push_str("(the log cannot be read)");
    }
    text
}

/// Makes and drops databases, one after the other: a template must not be in use while it is copied.
fn serve(place: &Place, ready: &mpsc::Sender<Result<(), String>>, requests: &mpsc::Receiver<Request>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ready.send(Err(error.to_string())).unwrap_or_default();
            return;
        }
    };
    let client = runtime.block_on(connect(place));
    let result = client.as_ref().map(drop).map_err(Clone::clone);
    if ready.send(result).is_err() {
        return;
    }
    let Ok(client) = client else { return };
    let mut maker = Maker {
        place,
        client,
        count: 0,
        templates: HashSet::new(),
    };
    for request in requests {
        match request {
            Request::Create { template, reply } => {
                if reply.send(runtime.block_on(maker.create(template))).is_err() {
                    tracing::debug!("a test ended before its database was made");
                }
            }
            Request::Drop { name } => {
                let command = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                if let Err(error) = runtime.block_on(maker.client.batch_execute(&command)) {
                    tracing::warn!(%error, name, "a database could not be dropped");
                }
            }
        }
    }
}

async fn connect(place: &Place) -> Result<tokio_postgres::Client, String> {
    let started = Instant::now();
    loop {
        match tokio_postgres::connect(&url(place, "postgres"), tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return Ok(client);
            }
            Err(error) if started.elapsed() > START => return Err(error.to_string()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

struct Maker<'a> {
    place: &'a Place,
    client: tokio_postgres::Client,
    count: u32,
    templates: HashSet<String>,
}

impl Maker<'_> {
    async fn create(&mut self, template: Option<Vec<Migration>>) -> Result<String, String> {
        self.count += 1;
        let name = format!("test_{}", self.count);
        let template = match template {
            Some(migrations) => self.template(&migrations).await?,
            None => "template0".to_owned(),
        };
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await?;
        Ok(name)
    }

    async fn template(&mut self, migrations: &[Migration]) -> Result<String, String> {
        let name = format!("template_{}", super::series_key(migrations));
        if self.templates.contains(&name) {
            return Ok(name);
        }
        self.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .await?;
        self.run(&format!("CREATE DATABASE {name} TEMPLATE template0"))
            .await?;
        let location = Location::Postgres {
            url: url(self.place, &name),
        };
        let store = Store::open(&location, migrations)
            .await
            .map_err(|error| format!("the migrations failed on PostgreSQL: {error}"))?;
        store.close().await;
        self.run(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await?;
        self.templates.insert(name.clone());
        Ok(name)
    }

    async fn run(&self, command: &str) -> Result<(), String> {
        self.client
            .batch_execute(command)
            .await
            .map_err(|error| super::super::postgres::describe(&error))
    }
}
