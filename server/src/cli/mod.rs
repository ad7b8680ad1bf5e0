//! The command line: what a person types to run, set up, check and save a Muster.

mod secrets;
mod setup;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use store::{Location, Store};
use tokio::net::TcpListener;

use crate::access::audit::Verification;
use crate::app::{App, migrations::MIGRATIONS, one_time, serve};
use crate::clock::Clock;
use crate::config::{Given, Mistakes, Settings};
use crate::signals::leaves;
use secrets::Stored;

/// Where customers' reports, support agents and engineers meet when something breaks.
#[derive(Debug, Parser)]
#[command(name = "muster", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run Muster: accept events, page, and show the console
    Serve(SettingsArguments),
    /// Show a retailer's outage from beginning to end, in a database of its own
    Demo(crate::demo::DemoArguments),
    /// Make the first owner and an API key, without asking questions
    Setup(setup::SetupArguments),
    /// Say what is configured, what is missing, and what is wrong
    Check(SettingsArguments),
    /// Write a consistent copy of the embedded database while it is in use
    Backup {
        #[command(flatten)]
        settings: SettingsArguments,
        /// The file to write; it must not exist yet
        to: PathBuf,
    },
    /// Make a copy that `backup` wrote the database of a folder that has none
    Restore {
        #[command(flatten)]
        settings: SettingsArguments,
        /// The file that `backup` wrote
        from: PathBuf,
    },
    /// Print the OpenAPI document
    Openapi,
}

#[derive(Debug, clap::Args)]
struct SettingsArguments {
    /// Settings file (TOML); flags and the environment go before it
    #[arg(long, env = "MUSTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

impl SettingsArguments {
    fn check(self) -> anyhow::Result<Settings> {
        let (beneath, Mistakes(mut mistakes)) = match &self.config {
            Some(path) => Given::from_file(path),
            None => (Given::default(), Mistakes(Vec::new())),
        };
        match self.given.over(beneath).check() {
            Ok(settings) if mistakes.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(Mistakes(others)) => mistakes.extend(others),
        }
        Err(Mistakes(mistakes).into())
    }
}

/// Runs the command that was typed.
pub fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    begin_log(match arguments.command {
        Command::Serve(_) => "info",
        // What these say to whoever typed them must not drown among the migrations.
        _ => "warn",
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(settings) => serve_command(settings.check()?).await,
            Command::Demo(arguments) => crate::demo::run(arguments).await,
            Command::Setup(arguments) => setup::run(arguments).await,
            Command::Check(settings) => {
                let found = look_at_everything(&settings.check()?).await;
                print_line(&found.words)?;
                anyhow::ensure!(found.mistakes.is_empty(), "{}", found.mistakes.join("; "));
                Ok(())
            }
            Command::Backup { settings, to } => {
                let settings = settings.check()?;
                anyhow::ensure!(
                    has_database(&settings),
                    "there is no database in {}, so there is nothing to copy; say where it is with --data",
                    place(&settings)
                );
                // As it is: an older server may be running on it, and its copy is to be its own.
                let store = open_as_it_is(&settings).await?;
                leaves::back_up(&store, &to).await?;
                print_line(&format!(
                    "The database was copied to {}. The key that its secrets are sealed with (secret.key) is not \
                     in it; keep a copy of that elsewhere.",
                    to.display()
                ))
            }
            Command::Restore { settings, from } => {
                let settings = settings.check()?;
                leaves::restore(&settings.location, &from).await?;
                look_into_database(&settings)
                    .await
                    .context("the copy is in place, but Muster cannot use it")?;
                print_line(&look_at_everything(&settings).await.words)?;
                print_line("The database is restored; start Muster with `muster serve`.")
            }
            Command::Openapi => print_line(&crate::app::router::document().to_pretty_json()?),
        }
    })
}

/// Writes the log to standard error: lines for people, or JSON for programs with `MUSTER_LOG_FORMAT=json`.
/// `MUSTER_LOG` says how much, such as `info` or `muster=debug`; unless it does, it is as much as is `usual`.
fn begin_log(usual: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MUSTER_LOG").unwrap_or_else(|_| usual.into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // A log on a full disk must cost lines and nothing else; it would be said on the same disk, which panics.
        .log_internal_errors(false);
    match std::env::var("MUSTER_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).with_current_span(true).init(),
        _ => log.init(),
    }
}

/// The folder of the embedded database, for people.
fn place(settings: &Settings) -> String {
    match &settings.location {
        Location::Sqlite { directory } => directory.display().to_string(),
        Location::Postgres { .. } => "PostgreSQL".to_owned(),
    }
}

/// Whether a database was made already. A command that only looks must not make an empty one.
fn has_database(settings: &Settings) -> bool {
    match &settings.location {
        Location::Sqlite { directory } => directory.join("muster.db").exists(),
        Location::Postgres { .. } => true,
    }
}

async fn open(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::open(&settings.location, MIGRATIONS)
        .await
        .context("the database cannot be opened")?;
    one_time::agree(&store)
        .await
        .context("the database cannot be asked for the time")?;
    Ok(store)
}

async fn open_as_it_is(settings: &Settings) -> anyhow::Result<Store> {
    Store::open_as_it_is(&settings.location)
        .await
        .context("the database cannot be opened")
}

/// Nobody's real work belongs into a folder that the next demo empties.
fn refuse_the_demos(settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(
        !crate::demo::owns(&settings.location),
        "{} belongs to the demo, which empties it at its next start; choose another folder with --data",
        place(settings)
    );
    Ok(())
}

async fn serve_command(settings: Settings) -> anyhow::Result<()> {
    refuse_the_demos(&settings)?;
    if let Some(tls) = &settings.tls {
        crate::app::tls::check(tls)?;
    }
    let _held = serve::hold_folder(&settings.location)?;
    serve::allow_many_connections();
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", settings.listen))?;
    let store = open(&settings).await?;
    let settings = secrets::unlock(settings, &store).await?;
    if settings.key_file().is_none() {
        tracing::warn!(
            "secrets in the database are not sealed: set secret_key_file, the same for every node"
        );
    }
    let app = App::assemble(store, Clock::System, settings).await?;
    let stopping = app.stopping.clone();
    tokio::spawn(async move {
        if let Err(error) = serve::stop_asked().await {
            tracing::error!("signals cannot be heard: {error}");
        }
        stopping.cancel();
    });
    tracing::info!(
        "Muster listens on {}; the console is at {}",
        app.settings.listen,
        app.site.url("/console")
    );
    serve::serve(Arc::clone(&app), listener).await
}

/// What `check` finds: a line about each thing, and what must not stay as it is.
#[derive(Default)]
struct Found {
    words: String,
    mistakes: Vec<String>,
}

/// Looks at each thing, whatever is wrong with the others.
async fn look_at_everything(settings: &Settings) -> Found {
    let mut mistakes = Vec::new();
    let database = if has_database(settings) {
        look_into_database(settings).await.unwrap_or_else(|error| {
            mistakes.push("the database cannot be used".to_owned());
            Database {
                words: format!("database: NOT USABLE; {error:#}"),
                ..Database::default()
            }
        })
    } else {
        let place = place(settings);
        Database {
            words: format!("database: none yet in {place}; the first start makes it"),
            ..Database::default()
        }
    };
    mistakes.extend(database.mistake.map(str::to_owned));
    let mail = match &settings.mail {
        Some(mail) => format!("mail: sent as {}", mail.from),
        None => {
            "mail: not configured; pages by e-mail will only be shown in the outbox (set smtp_url)".to_owned()
        }
    };
    let tls = match settings.tls.as_ref().map(crate::app::tls::check) {
        Some(Ok(())) => "TLS: on".to_owned(),
        Some(Err(error)) => {
            mistakes.push("TLS cannot be spoken".to_owned());
            format!("TLS: NOT USABLE; {error:#}")
        }
        None => "TLS: off; put a proxy in front, or set tls_cert and tls_key".to_owned(),
    };
    let secrets = match secrets::look(&database.stored, settings.key_file().as_deref()) {
        Ok(look) => {
            if !look.is_readable {
                mistakes.push("stored secrets cannot be read".to_owned());
            }
            look.words
        }
        Err(error) => {
            mistakes.push("the key of the secrets cannot be read".to_owned());
            format!("secrets: NOT USABLE; {error}")
        }
    };
    let words = format!(
        "{}\nlisten: {}\naddress: {}\n{mail}\n{tls}\n{secrets}",
        database.words, settings.listen, settings.base_url
    );
    Found { words, mistakes }
}

/// What the database says of itself, and the secrets that are kept in it.
#[derive(Default)]
struct Database {
    words: String,
    mistake: Option<&'static str>,
    stored: Stored,
}

async fn look_into_database(settings: &Settings) -> anyhow::Result<Database> {
    let store = open_as_it_is(settings).await?;
    let pending = store.pending(MIGRATIONS).await?;
    if !pending.is_empty() {
        return Ok(Database {
            words: format!(
                "database: {} migrations behind this program; its next start applies them",
                pending.len()
            ),
            mistake: None,
            // An older database may lack what is asked for; then nothing is known of its secrets.
            stored: Stored::read(&store).await.unwrap_or_default(),
        });
    }
    store.check().await.context("the database cannot be written to")?;
    let (audit, mistake) = match store.read(crate::access::audit::verify).await? {
        Verification {
            broken: None,
            records,
            ..
        } => (format!("audit log: {records} records, chain whole"), None),
        Verification {
            broken: Some(link), ..
        } => (
            format!(
                "audit log: BROKEN at record {} ({:?}); somebody changed the database by hand",
                link.sequence, link.reason
            ),
            Some("the audit log was changed by hand"),
        ),
    };
    Ok(Database {
        words: format!("database: ready\n{audit}"),
        mistake,
        stored: Stored::read(&store).await?,
    })
}

/// The answer of a command goes to standard output; everything else to the log.
fn print_line(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}").context("the answer could not be printed")
}
