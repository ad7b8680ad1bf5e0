//! Serving with a certificate of one's own.

use std::sync::Arc;

use muster::app::serve;
use muster::config::Given;
use rustls::pki_types::{CertificateDer, ServerName};
use store::Engine;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use crate::harness::TestApp;

#[store::both_engines]
async fn muster_speaks_tls_by_itself(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = Given {
        tls_cert: Some(certificate),
        tls_key: Some(key),
        ..Given::default()
    };
    let muster = TestApp::with_settings(engine, settings.check().unwrap()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve::serve(Arc::clone(&muster.app), listener));

    // Somebody who connects and says nothing holds nobody up.
    let _silent = TcpStream::connect(address).await.unwrap();
    let answer = ask_encrypted(address.port(), made.cert.der(), "/metrics")
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("muster_incidents_open"), "{answer}");

    muster.app.stopping.cancel();
    serving.await.unwrap().unwrap();
}

/// What a server on this machine answers to whoever trusts this certificate alone.
pub(super) async fn ask_encrypted(
    port: u16,
    certificate: &CertificateDer<'static>,
    path: &str,
) -> std::io::Result<String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut stream = TlsConnector::from(Arc::new(configuration))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[test]
fn a_certificate_that_cannot_be_used_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, "nothing").unwrap();
    std::fs::write(&key, "nothing").unwrap();
    let settings = muster::config::Tls { certificate, key };
    let error = muster::app::tls::check(&settings).unwrap_err().to_string();
    assert!(error.contains("cert.pem holds no certificate"), "{error}");
}
