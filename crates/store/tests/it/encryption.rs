//! Connections to PostgreSQL over TLS.

use std::net::TcpListener;

use store::testing::PostgresServer;
use store::{Error, Location, Single, Store, sql};

#[tokio::test]
async fn an_encrypted_connection_checks_the_server() {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, &authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let _server = PostgresServer::start_encrypted(port, &certificate.pem(), &key.serialize_pem());
    let directory = tempfile::tempdir().unwrap();
    let authorities = directory.path().join("authorities.pem");
    std::fs::write(&authorities, issuer_certificate.pem()).unwrap();
    let open = async |host: &str, options: &str| {
        let url = format!("postgres://muster@{host}:{port}/postgres?{options}");
        Store::open(&Location::Postgres { url }, &[]).await
    };
    let trusting = format!("sslmode=verify-full&sslrootcert={}", authorities.display());

    let store = open("localhost", &trusting).await.unwrap();
    let encrypted: Result<Single<bool>, Error> = store
        .read(|tx| {
            let statement = sql! {
                sqlite: "SELECT 1",
                postgres: "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            };
            tx.one(statement, &[])
        })
        .await;
    assert_eq!(encrypted.unwrap(), Single(true));
    open("localhost", "sslmode=disable").await.unwrap();

    for (host, options) in [("localhost", "sslmode=require"), ("127.0.0.1", trusting.as_str())] {
        let error = open(host, options).await.err().unwrap();
        assert!(
            error.to_string().contains("certificate"),
            "{host} {options}: {error}"
        );
    }
}
