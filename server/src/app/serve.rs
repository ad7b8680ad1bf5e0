//! Listening, and stopping gracefully: no new requests, those under way finished, the journal written,
//! leases left to run out.

use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use store::Location;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::router::router;
use super::tls::Handshakes;
use super::{App, door};

/// How often the metrics are folded together.
const TIDY_PAUSE: Duration = Duration::from_secs(5);

/// Holds the folder of the embedded database for as long as the answer lives: two servers there would not hear of each
/// other's changes. The other commands may look into it meanwhile.
///
/// # Errors
/// When another server holds it.
pub fn hold_folder(location: &Location) -> anyhow::Result<Option<File>> {
    let Location::Sqlite { directory } = location else {
        return Ok(None);
    };
    std::fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    let path = directory.join("muster.lock");
    let file = File::create(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "another Muster already runs on {}; for several nodes, use PostgreSQL",
            directory.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(anyhow::Error::new(error).context(format!("{} cannot be locked", path.display())))
        }
    }
}

/// Opens as many files as the system lets: every connection is one, and what a shell allows is soon taken by those that only
/// stay open.
pub fn allow_many_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let allowed = getrlimit(Resource::Nofile);
    let wished = Rlimit {
        current: allowed.maximum,
        maximum: allowed.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, wished) {
        tracing::warn!("the limit of open files stays at {:?}: {error}", allowed.current);
    }
}

/// Starts the background loops of a node. They end when `app.stopping` is cancelled.
pub fn start_background(app: &Arc<App>) -> tokio::task::JoinSet<()> {
    let mut background = tokio::task::JoinSet::new();
    background.spawn(super::runner::run(Arc::clone(app)));
    background.spawn(crate::signals::intake::run(Arc::clone(app)));
    background.spawn(crate::pages::jobs::watch(Arc::clone(app)));
    background.spawn(crate::live::others::watch(Arc::clone(app)));
    for lane in crate::outbox::sender::LANES {
        background.spawn(crate::outbox::sender::run(Arc::clone(app), lane));
    }
    background.spawn(tidy_metrics(app.stopping.clone()));
    background.spawn(super::one_time::keep_agreeing(
        app.store.clone(),
        app.stopping.clone(),
    ));
    background
}

/// Keeps the memory of the metrics bounded when nobody reads them.
async fn tidy_metrics(stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(TIDY_PAUSE) => crate::metrics::tidy(),
            () = stopping.cancelled() => return,
        }
    }
}

/// Serves until told to stop, with TLS where a certificate is configured.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> anyhow::Result<()> {
    let handshakes = match &app.settings.tls {
        Some(tls) => Some(Arc::new(Handshakes::prepare(tls, app.stopping.clone())?)),
        None => None,
    };
    super::one_time::set_back_what_was_owed_ahead(&app).await?;
    let mut background = start_background(&app);
    super::sealing::seal_what_lies_open(&app).await?;
    super::auditor::begin(&app).await?;
    super::cleaning::begin(&app).await?;
    crate::desk::usual::begin(&app).await?;
    crate::incidents::causes::begin(&app).await?;
    door::serve(&app, router(Arc::clone(&app)), listener, handshakes)
        .await
        .context("the server stopped listening")?;
    app.stopping.cancel();
    while let Some(ended) = background.join_next().await {
        if let Err(error) = ended {
            tracing::error!("a background loop stopped: {error}");
        }
    }
    app.journal.leaves.clone().close().await;
    app.store.clone().close().await;
    Ok(())
}

/// Waits for the signal that a service manager or a person at the terminal sends.
pub async fn stop_asked() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
