//! How connections come in: on every core a thread of its own accepts and serves them.
//!
//! A public document that is ready is answered here, and so is an event, of which a storm brings tens of thousands a
//! second; everything else goes on to the router. Threads
//! share nothing but the listening socket, so readers of a status page cannot slow each other down by locks,
//! and on the worst day a page that everybody reloads costs little more than the bytes. A connection that
//! says nothing for [`SILENCE`] is closed; when Muster stops, requests under way are finished first, for at
//! most [`FAREWELL`].

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_http::timeout::TimeoutBody;

use super::App;
use super::tls::Handshakes;

/// How long a connection may take to say what it wants, the first time and between two requests; and how long the next
/// piece of a body may take to come.
const SILENCE: Duration = Duration::from_secs(30);
/// How long requests under way may take to end when Muster stops.
const FAREWELL: Duration = Duration::from_secs(20);
/// Pause after the machine refused to give another connection.
const BREATH: Duration = Duration::from_millis(100);
/// Where events are posted to.
const EVENTS: &str = "/v2/enqueue";

/// Some clients end every address with a slash.
fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// Where an answer comes from.
enum Answer<E, F> {
    /// It was drawn before anybody asked.
    Drawn(Response<Body>),
    Event(E),
    Routed(F),
}

/// One door: what a thread needs to serve.
#[derive(Clone)]
struct Door {
    app: Arc<App>,
    router: Router,
    handshakes: Option<Arc<Handshakes>>,
}

/// Serves on all cores until `app.stopping` is cancelled and the last request has been answered.
pub async fn serve(
    app: &Arc<App>,
    router: Router,
    listener: TcpListener,
    handshakes: Option<Arc<Handshakes>>,
) -> anyhow::Result<()> {
    let listener = listener.into_std()?;
    let door = Door {
        app: Arc::clone(app),
        router,
        handshakes,
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut serving = tokio::task::JoinSet::new();
    for number in 0..threads {
        let (door, listener) = (door.clone(), listener.try_clone()?);
        let (finished, ended) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name(format!("door-{number}"))
            .spawn(move || {
                // Nobody to hear it means that the program is already gone.
                finished.send(door.serve_here(listener)).ok();
            })?;
        serving.spawn(async move { ended.await.context("a door fell shut")? });
    }
    while let Some(ended) = serving.join_next().await {
        ended.context("a door could not be waited for")??;
    }
    Ok(())
}

impl Door {
    fn serve_here(self, listener: std::net::TcpListener) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            self.accept(TcpListener::from_std(listener)?).await;
            Ok(())
        })
    }

    async fn accept(self, listener: TcpListener) {
        let stopping: CancellationToken = self.app.stopping.clone();
        let farewell = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopping.cancelled() => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!("a connection will be slower than it could be: {error}");
            }
            let watcher = farewell.watcher();
            let door = self.clone();
            tokio::spawn(async move {
                match door.handshakes.clone() {
                    None => door.converse(stream, peer, watcher).await,
                    Some(handshakes) => {
                        let secured = tokio::select! {
                            secured = handshakes.secure(stream, peer) => secured,
                            () = door.app.stopping.cancelled() => None,
                        };
                        if let Some(stream) = secured {
                            door.converse(stream, peer, watcher).await;
                        }
                    }
                }
            });
        }
        drop(listener);
        if tokio::time::timeout(FAREWELL, farewell.shutdown()).await.is_err() {
            tracing::warn!("connections that did not end were closed");
        }
    }

    /// Answers the requests of one connection.
    async fn converse(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let service = service_fn(|mut request: Request<Incoming>| {
            let answer = if let Some(ready) = self.ready(&request) {
                Answer::Drawn(ready)
            } else if request.method() == Method::POST && without_last_slash(request.uri().path()) == EVENTS {
                Answer::Event(self.take_event(TimeoutBody::new(SILENCE, request.into_body())))
            } else {
                request.extensions_mut().insert(ConnectInfo(peer));
                let patient = |body| Body::new(TimeoutBody::new(SILENCE, body));
                Answer::Routed(self.router.clone().oneshot(request.map(patient)))
            };
            async move {
                match answer {
                    Answer::Drawn(ready) => Ok::<_, Infallible>(ready),
                    Answer::Event(answer) => Ok(answer.await),
                    Answer::Routed(answer) => answer.await,
                }
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(SILENCE)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%peer, "a connection ended early: {error}");
        }
    }

    /// Takes an event as the router would, measured and named alike.
    async fn take_event(&self, body: TimeoutBody<Incoming>) -> Response<Body> {
        let began = Instant::now();
        let mut response = crate::signals::api::answer_event(&self.app, body).await;
        super::front::complete(&self.app, &mut response, EVENTS, began);
        response
    }

    /// The answer to a request for a public document that is drawn already.
    fn ready<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        self.app
            .pages
            .answer(request.uri().path(), request.headers())
            .map(|answer| answer.map(Body::from))
    }
}
