//! Listening, and stopping gracefully: no new requests, those under way finished, the journal written,
//! leases left to run out.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::App;
use super::router::router;

/// Starts the background loops of a node. They end when `app.stopping` is cancelled.
pub fn start_background(app: &Arc<App>) -> tokio::task::JoinSet<()> {
    let mut background = tokio::task::JoinSet::new();
    background.spawn(crate::jobs::runner::run(Arc::clone(app)));
    background.spawn(crate::signals::intake::run(Arc::clone(app)));
    for lane in crate::outbox::sender::LANES {
        background.spawn(crate::outbox::sender::run(Arc::clone(app), lane));
    }
    background
}

/// Serves until told to stop.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> anyhow::Result<()> {
    let mut background = start_background(&app);
    let service = router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
    let stopping = app.stopping.clone();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move { stopping.cancelled().await })
        .await
        .context("the server stopped listening")?;
    app.stopping.cancel();
    while let Some(ended) = background.join_next().await {
        if let Err(error) = ended {
            tracing::error!("a background loop stopped: {error}");
        }
    }
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
