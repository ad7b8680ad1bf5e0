//! Connections to one mail server, kept open between mails.
//!
//! The protocol is the library's; the streams are ours, so that a mail's end is not held back until its
//! beginning has been confirmed, which costs 40 ms a mail on most systems. A connection that has rested is asked
//! whether it still stands before it is used; one on which anything went wrong is thrown away.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;

/// A connection that has not been used for so long is closed.
const REST: Duration = Duration::from_secs(30);
/// After so long without use a connection is asked whether it still stands.
const DOUBT: Duration = Duration::from_secs(1);

/// Where a connection becomes a secret one.
pub(super) enum Security {
    Plain,
    /// When the server offers it.
    Offered(TlsParameters),
    /// Or there is no connection.
    Demanded(TlsParameters),
    /// Before a word is said.
    FromTheStart(TlsParameters),
}

/// Why a mail did not go.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the mail server offers no encryption, and smtp_url demands it")]
    Unprotected,
    #[error("{0}")]
    Answered(#[from] Error),
}

/// A mail server and the open connections to it.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) patience: Duration,
    pub(super) resting: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Server {
    /// Hands one mail over.
    pub(super) async fn send(&self, message: &Message) -> Result<Response, Fault> {
        let mut connection = match self.rested().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        if !connection.has_broken() {
            let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
            resting.push((connection, Instant::now()));
        }
        Ok(sent?)
    }

    /// The connection that was used last, if it still stands.
    async fn rested(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = {
                let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
                resting.retain(|(_, since)| since.elapsed() < REST);
                resting.pop()?
            };
            if since.elapsed() < DOUBT || connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let hello = ClientId::default();
        let address = (self.host.trim_matches(['[', ']']), self.port);
        let mut connection = if let Security::FromTheStart(parameters) = &self.security {
            let (patience, tls) = (Some(self.patience), Some(parameters.clone()));
            AsyncSmtpConnection::connect_tokio1(address, patience, &hello, tls, None).await?
        } else {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?
        };
        match &self.security {
            Security::Offered(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &hello).await?;
            }
            Security::Demanded(parameters) => {
                if !connection.can_starttls() {
                    return Err(Fault::Unprotected);
                }
                connection.starttls(parameters.clone(), &hello).await?;
            }
            Security::Plain | Security::Offered(_) | Security::FromTheStart(_) => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}
