//! The demo: a retailer with 240 shops in five countries, and one bad morning.
//!
//! `muster demo` fills an empty database through the same API that everybody uses, then replays an outage:
//! a faulty update of the shops' edge software takes the card terminals of the first wave of shops, then
//! loyalty and click & collect by dependency. Events go in at the real door, people press the real
//! buttons, mails end in the outbox instead of a mail server. The clock runs faster than the wall's. A
//! database that holds anything but an earlier demo is never touched.

mod client;
mod outage;
mod people;
mod retailer;
mod shops;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use store::{Location, Store};
use tokio::net::TcpListener;

use crate::access::{password, token};
use crate::app::migrations::MIGRATIONS;
use crate::app::{App, serve};
use crate::clock::Clock;
use crate::config::{Given, OutboxReader};
use crate::http::limits::RateLimit;
use client::Client;

/// When the story begins: a Tuesday, twenty minutes before the update goes out.
const BEGINS: &str = "2026-11-17T05:10:00Z";
/// The file that marks a database as a demo's own.
const MARK: &str = "this-is-a-demo";

#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// Folder for the demo's database; emptied at each start, if an earlier demo made it
    #[arg(long, default_value = "muster-data", value_name = "DIR")]
    data: PathBuf,
    /// Address and port to listen on
    #[arg(
        long,
        env = "MUSTER_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    listen: String,
    /// How many times faster than the wall's the demo's clock runs while the outage is replayed
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    speed: u32,
    /// Stop the replay at this time of the story, such as 06:12, and let the clock run on at its usual pace
    #[arg(long, value_name = "HH:MM")]
    until: Option<String>,
    /// The password of everybody in the demo; made up and printed when left out
    #[arg(long, env = "MUSTER_DEMO_PASSWORD", hide_env_values = true)]
    password: Option<String>,
}

/// Runs the demo until it is interrupted.
pub async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let until = arguments.until.as_deref().map(time_of_the_story).transpose()?;
    let _held = serve::hold_folder(&Location::Sqlite {
        directory: arguments.data.clone(),
    })?;
    prepare(&arguments.data)?;
    let settings = Given {
        data: Some(arguments.data.clone()),
        listen: Some(arguments.listen.clone()),
        ..Given::default()
    }
    .check()?;
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on; choose another with --listen",
            settings.listen
        )
    })?;
    let settings = crate::config::Settings {
        event_rate_limit: RateLimit::Off,
        api_rate_limit: RateLimit::Off,
        outbox_reader: OutboxReader::InPlaceOfRecipients,
        ..settings
    };
    let location = Location::Sqlite {
        directory: arguments.data.clone(),
    };
    let store = Store::open(&location, MIGRATIONS)
        .await
        .context("the demo's database cannot be opened")?;
    let begins: Timestamp = BEGINS.parse()?;
    let settings = settings.with_vault()?;
    let app = App::assemble(store, Clock::scaled(begins, 1), settings).await?;
    let chosen = arguments.password.unwrap_or_else(|| token::random_token(12));
    say("Larkfield and its 240 shops are being set up; this takes some seconds.")?;
    let key = people::first_owner(&app, password::hash(chosen.clone()).await?).await?;
    let client = Client::new(&app, key);
    let retailer = retailer::build(&client, &app, &chosen)
        .await
        .context("the demo's company could not be set up")?;
    greet(&app, &retailer, &chosen, arguments.speed)?;

    let stopping = app.stopping.clone();
    tokio::spawn(async move {
        if let Err(error) = serve::stop_asked().await {
            tracing::error!("signals cannot be heard: {error}");
        }
        stopping.cancel();
    });
    let replayed = Arc::clone(&app);
    tokio::spawn(async move {
        replayed.clock.set_speed(arguments.speed);
        match outage::replay(&replayed, &client, &retailer, until, arguments.speed).await {
            Ok(()) => {
                if let Err(error) = say("The replay is over; the clock runs on at its usual pace.") {
                    tracing::warn!("{error:#}");
                }
            }
            Err(error) => tracing::error!("the replay stopped: {error:#}"),
        }
        replayed.clock.set_speed(1);
    });
    serve::serve(app, listener).await
}

fn time_of_the_story(text: &str) -> anyhow::Result<Timestamp> {
    format!("2026-11-17T{text}:00Z")
        .parse()
        .context("--until is a time of the story, such as 06:12")
}

/// Whether a folder belongs to the demo, whose next start empties it.
pub fn owns(location: &Location) -> bool {
    match location {
        Location::Sqlite { directory } => directory.join(MARK).exists(),
        Location::Postgres { .. } => false,
    }
}

/// Makes the folder, or empties it when an earlier demo made it. Anything else is left alone.
fn prepare(directory: &Path) -> anyhow::Result<()> {
    let mark = directory.join(MARK);
    if directory.join("muster.db").exists() && !mark.exists() {
        anyhow::bail!(
            "{} holds the database of a real Muster, which the demo never touches; choose another folder with --data",
            directory.display()
        );
    }
    if mark.exists() {
        let files = ["muster.db", "journal.db"].into_iter();
        for name in files.flat_map(|name| ["", "-wal", "-shm"].map(|end| format!("{name}{end}"))) {
            let path = directory.join(name);
            if path.exists() {
                std::fs::remove_file(&path)
                    .with_context(|| format!("{} cannot be removed", path.display()))?;
            }
        }
    }
    std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    std::fs::write(
        &mark,
        "Made by muster demo. The demo empties this folder at each start.\n",
    )
    .with_context(|| format!("{} cannot be written", mark.display()))
}

/// Tells whoever started the demo.
fn say(words: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{words}").context("the demo's words could not be printed")
}

fn greet(app: &App, retailer: &retailer::Retailer, password: &str, speed: u32) -> anyhow::Result<()> {
    let url = |path: &str| app.site.url(path);
    let text = format!(
        "
Muster's demo: Larkfield, a retailer with 240 shops in five countries, on a bad Tuesday.
An update of the shops' edge software goes out at 05:30; the story runs {speed} times as fast as your clock.

  The console        {}
  sign in as         maya@larkfield.example   (incident commander)
                     priya@larkfield.example  (responder on call for payments)
                     aoife@larkfield.example  (support agent)
  password           {password}

  What customers see {}
  What a shop sees   {}
  What was sent      {}
  The API            {}

Stop with Ctrl C. Everything is kept in the folder, and made anew at the next start of the demo.",
        url("/console"),
        url("/status/larkfield"),
        url(&format!(
            "/at/{}",
            retailer.hurt_shops.last().map_or("", |shop| shop.code.as_str())
        )),
        url("/console/settings/outbox"),
        url("/docs"),
    );
    say(&text)
}
