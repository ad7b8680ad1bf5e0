//! Listening with TLS, for those who put no proxy in front.
//!
//! Handshakes happen beside the accepting, so that a slow one holds nobody up; one that takes longer than
//! [`PATIENCE`] is dropped. The certificate is read at the start and again whenever its file has changed,
//! so renewing one needs no restart; a file that cannot be read then leaves the old one in use.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
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

/// Says whether certificate and key can be read and belong together.
pub fn check(settings: &Tls) -> anyhow::Result<()> {
    read_key(settings).map(drop)
}

/// Makes secure streams of plain ones.
pub struct Handshakes {
    acceptor: TlsAcceptor,
    under_way: Semaphore,
}

impl Handshakes {
    /// Reads the certificate and keeps it fresh until `stopping` is cancelled.
    pub fn prepare(settings: &Tls, stopping: CancellationToken) -> anyhow::Result<Self> {
        let certificate = Arc::new(Certificate::read(settings)?);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Certificate>::clone(&certificate));
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        tokio::spawn(certificate.keep_fresh(settings.clone(), stopping));
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(configuration)),
            under_way: Semaphore::new(HANDSHAKES),
        })
    }

    /// Shakes hands with one peer. Nothing when it took too long or did not speak TLS.
    pub async fn secure(&self, stream: TcpStream, peer: SocketAddr) -> Option<TlsStream<TcpStream>> {
        let _slot = self.under_way.acquire().await.ok()?;
        match tokio::time::timeout(PATIENCE, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%peer, "a TLS handshake failed: {error}");
                None
            }
            Err(_) => {
                tracing::debug!(%peer, "a TLS handshake took too long");
                None
            }
        }
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
