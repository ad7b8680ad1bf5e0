//! Listening with TLS, for those who put no proxy in front.
//!
//! Handshakes happen beside the accepting, so that a slow one holds nobody up; one that takes longer than
//! [`PATIENCE`] is dropped. The certificate is read at the start and again whenever its file has changed,
//! so renewing one needs no restart; a file that cannot be read then leaves the old one in use.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::config::Tls;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Handshakes under way at the same time.
const HANDSHAKES: usize = 512;
/// How often the files are looked at.
const RELOAD_PAUSE: Duration = Duration::from_mins(1);

/// Accepts connections whose handshake is done.
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// Puts the other end where handlers look for it, as without TLS.
pub async fn name_peer(mut request: Request) -> Request {
    if let Some(ConnectInfo(Peer(address))) = request.extensions().get::<ConnectInfo<Peer>>().copied() {
        request.extensions_mut().insert(ConnectInfo(address));
    }
    request
}

/// Says whether certificate and key can be read and belong together.
pub fn check(settings: &Tls) -> anyhow::Result<()> {
    read_key(settings).map(drop)
}

impl TlsListener {
    /// Reads the certificate and begins to accept.
    pub fn start(listener: TcpListener, settings: &Tls, stopping: CancellationToken) -> anyhow::Result<Self> {
        let certificate = Arc::new(Certificate::read(settings)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Certificate>::clone(&certificate));
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(configuration));
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(HANDSHAKES);
        tokio::spawn(certificate.keep_fresh(settings.clone(), stopping.clone()));
        tokio::spawn(accept(listener, acceptor, sender, stopping));
        Ok(Self { ready, address })
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    stopping: CancellationToken,
) {
    let handshakes = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES));
    loop {
        let Ok(slot) = Arc::clone(&handshakes).acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            stream.set_nodelay(true).ok();
            let handshake = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await;
            drop(slot);
            match handshake {
                Ok(Ok(stream)) => {
                    // Nobody to take it means that the server is stopping.
                    ready.send((stream, peer)).await.ok();
                }
                Ok(Err(error)) => tracing::debug!(%peer, "a TLS handshake failed: {error}"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // Nothing more will come; the server ends by its own signal.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// The certificate in use, which can be exchanged while serving.
#[derive(Debug)]
struct Certificate {
    key: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    fn read(settings: &Tls) -> anyhow::Result<Self> {
        Ok(Self {
            key: RwLock::new(Arc::new(read_key(settings)?)),
        })
    }

    async fn keep_fresh(self: Arc<Self>, settings: Tls, stopping: CancellationToken) {
        let mut known = changed_at(&settings.certificate);
        loop {
            tokio::select! {
                () = tokio::time::sleep(RELOAD_PAUSE) => {}
                () = stopping.cancelled() => return,
            }
            let found = changed_at(&settings.certificate);
            if found == known {
                continue;
            }
            match read_key(&settings) {
                Ok(key) => {
                    *self.key.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                    known = found;
                    tracing::info!("the TLS certificate was read anew");
                }
                Err(error) => tracing::warn!("the new TLS certificate does not fit yet: {error:#}"),
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.key.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

fn read_key(settings: &Tls) -> anyhow::Result<CertifiedKey> {
    let (certificate, key) = (settings.certificate.display(), settings.key.display());
    let chain = CertificateDer::pem_file_iter(&settings.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("{certificate} holds no certificate that can be read"))?;
    anyhow::ensure!(!chain.is_empty(), "{certificate} holds no certificate");
    let private = PrivateKeyDer::from_pem_file(&settings.key)
        .with_context(|| format!("{key} holds no private key that can be read"))?;
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(chain, private, &provider)
        .with_context(|| format!("{certificate} and {key} do not belong together"))
}
