//! Encryption on the way to PostgreSQL.
//!
//! There are two ways only: encrypted with a server whose certificate is checked, name included, or not encrypted.
//! Unless the address says otherwise, what leaves the machine is encrypted, and a socket or the loopback address is
//! not. `sslmode=disable` turns it off; `require`, `verify-ca` and `verify-full` all mean the same here. Authorities
//! are those of the system, or those in the file `sslrootcert=…`.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Error;

/// The address without the parts that only this module understands.
pub(super) struct Address {
    pub(super) config: Config,
    authorities: Option<String>,
}

impl Address {
    /// Reads `postgres://…` or `host=… user=…`.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut authorities = None;
        let mut keep = |part: &str| match part.split_once('=') {
            Some(("sslrootcert", file)) => {
                authorities = Some(file.replace("%2F", "/"));
                None
            }
            Some(("sslmode", "verify-ca" | "verify-full")) => Some("sslmode=require".to_owned()),
            _ => Some(part.to_owned()),
        };
        let text = match text.split_once('?') {
            Some((address, options)) if address.contains("://") => {
                format!(
                    "{address}?{}",
                    options
                        .split('&')
                        .filter_map(&mut keep)
                        .collect::<Vec<_>>()
                        .join("&")
                )
            }
            _ if text.contains("://") => text.to_owned(),
            // A value in quotes may contain spaces; it is put together again as it was.
            _ => text
                .split(' ')
                .filter_map(&mut keep)
                .collect::<Vec<_>>()
                .join(" "),
        };
        let mut config: Config = text
            .parse()
            .map_err(|error| Error::other(format!("the address of the database: {error}")))?;
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(if stays_on_this_machine(&config) {
                SslMode::Disable
            } else {
                SslMode::Require
            });
        }
        Ok(Self { config, authorities })
    }

    /// What makes encrypted connections; nothing when the address asks for none.
    pub(super) fn encryption(&self) -> Result<Option<MakeRustlsConnect>, Error> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            return Ok(None);
        }
        let roots = self.roots()?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(MakeRustlsConnect::new(config)))
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let certificates = match &self.authorities {
            Some(file) => CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect)
                .map_err(|error| Error::other(format!("the certificates in {file}: {error:?}")))?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        // Some systems carry certificates that nothing can read; they are of no use, but no harm either.
        let (added, _) = roots.add_parsable_certificates(certificates);
        if added == 0 {
            return Err(Error::other(
                "no certificate authorities to check the database server with; name a file with sslrootcert",
            ));
        }
        Ok(roots)
    }
}

fn stays_on_this_machine(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(text: &str) -> SslMode {
        Address::parse(text).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_by_default() {
        for local in [
            "host=/run/postgresql",
            "postgres://m@localhost/m",
            "host=127.0.0.1",
            "postgres://[::1]/m",
        ] {
            assert_eq!(mode(local), SslMode::Disable, "{local}");
        }
        for remote in [
            "postgres://m@db.example/m",
            "host=/run/postgresql,10.0.0.1 user=m",
        ] {
            assert_eq!(mode(remote), SslMode::Require, "{remote}");
        }
    }

    #[test]
    fn the_address_has_the_last_word() {
        assert_eq!(
            mode("postgres://m@db.example/m?sslmode=disable"),
            SslMode::Disable
        );
        assert_eq!(
            mode("postgres://m@localhost/m?sslmode=verify-full"),
            SslMode::Require
        );
        assert_eq!(mode("host=localhost sslmode=require"), SslMode::Require);
    }

    #[test]
    fn the_file_of_authorities_is_taken_out() {
        for text in [
            "postgres://m@db.example/m?sslrootcert=/etc/ca.pem&application_name=x",
            "postgres://m@db.example/m?application_name=x&sslrootcert=%2Fetc%2Fca.pem",
            "host=db.example sslrootcert=/etc/ca.pem application_name=x",
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.authorities.as_deref(), Some("/etc/ca.pem"), "{text}");
            assert_eq!(address.config.get_application_name(), Some("x"), "{text}");
        }
    }

    #[test]
    fn a_missing_file_of_authorities_is_an_error() {
        let address = Address::parse("host=db.example sslrootcert=/nowhere/ca.pem").unwrap();
        assert!(address.encryption().is_err());
    }
}
