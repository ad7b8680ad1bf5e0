//! Requests that Muster makes to addresses that somebody typed in, without becoming a way into the house.
//!
//! Every address is resolved here, every result of the look-up must be allowed (`guard`), and the
//! connection goes to the very address that was checked, so that a name cannot answer differently the
//! second time. Redirects are not followed, an answer is read only at its beginning, and everything
//! together takes at most [`TIMEOUT`]. Each request has its own connection.

pub mod guard;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes};
use hyper::header;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

pub use guard::Network;

/// The longest a request may take, from the look-up of the name to the beginning of the answer.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer is read.
const LONGEST_ANSWER: usize = 2_048;
/// The largest body that is sent.
const LARGEST_BODY: usize = 512 * 1024;

/// What the other side said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The first characters of the body, for people who look for the mistake.
    pub beginning: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The address may not be reached from here, now or later.
    #[error("{0}")]
    Forbidden(String),
    /// Nobody answered properly; it may be worth another attempt.
    #[error("{0}")]
    Unreachable(String),
}

/// Makes guarded requests.
pub struct Client {
    allowed: Vec<Network>,
    tls: TlsConnector,
}

impl Client {
    /// Whether an address can be refused before anything is sent: one that is written as a number, or that means this
    /// machine. Other names are looked up, and checked, each time that something is sent.
    pub fn is_off_limits(&self, address: &Url) -> bool {
        let numbers = match address.host() {
            Some(Host::Ipv4(number)) => IpAddr::V4(number),
            Some(Host::Ipv6(number)) => IpAddr::V6(number),
            Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            }
            Some(Host::Domain(_)) | None => return false,
        };
        !guard::may_reach(numbers, &self.allowed)
    }

    /// `allowed` are networks that may be reached although they are not public.
    pub fn new(allowed: Vec<Network>) -> Result<Self, rustls::Error> {
        let mut roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        // The machine's own authorities too: webhooks often lead to a company's own servers.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let configuration = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            allowed,
            tls: TlsConnector::from(Arc::new(configuration)),
        })
    }

    /// Sends a POST. Header names and values come from the program or are checked here.
    pub async fn post(
        &self,
        address: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        if body.len() > LARGEST_BODY {
            return Err(Failure::Forbidden(format!(
                "The message has {} bytes; a webhook may have {LARGEST_BODY}.",
                body.len()
            )));
        }
        let url = guard::parse(address).map_err(Failure::Forbidden)?;
        tokio::time::timeout(TIMEOUT, self.post_to(&url, headers, body))
            .await
            .unwrap_or_else(|_| {
                Err(Failure::Unreachable(format!(
                    "{} did not answer within {} s.",
                    url.host_str().unwrap_or_default(),
                    TIMEOUT.as_secs()
                )))
            })
    }

    async fn post_to(&self, url: &Url, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer, Failure> {
        let stream = self.connect(url).await?;
        let request = request(url, headers, body)?;
        if url.scheme() == "https" {
            let name = server_name(url)?;
            let stream = self
                .tls
                .connect(name, stream)
                .await
                .map_err(|error| unreachable(url, &error))?;
            exchange(url, stream, request).await
        } else {
            exchange(url, stream, request).await
        }
    }

    async fn connect(&self, url: &Url) -> Result<TcpStream, Failure> {
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let found: Vec<std::net::SocketAddr> = tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| unreachable(url, &error))?
            .collect();
        if let Some(forbidden) = found
            .iter()
            .find(|address| !guard::may_reach(address.ip(), &self.allowed))
        {
            return Err(Failure::Forbidden(format!(
                "{host} leads to {}, which is not a public address; allow its network in the settings if it is meant.",
                forbidden.ip()
            )));
        }
        TcpStream::connect(found.as_slice())
            .await
            .map_err(|error| unreachable(url, &error))
    }
}

fn request(
    url: &Url,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<hyper::Request<Full<Bytes>>, Failure> {
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = hyper::Request::post(target)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("Muster/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| Failure::Forbidden(format!("The request could not be put together: {error}.")))
}

fn server_name(url: &Url) -> Result<ServerName<'static>, Failure> {
    let name = match url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
        Some(Host::Ipv4(address)) => Some(ServerName::from(std::net::IpAddr::V4(address))),
        Some(Host::Ipv6(address)) => Some(ServerName::from(std::net::IpAddr::V6(address))),
        None => None,
    };
    name.ok_or_else(|| Failure::Forbidden("The host cannot be named in a certificate.".to_owned()))
}

async fn exchange<S>(url: &Url, stream: S, request: hyper::Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(url, &error))?;
    // The connection ends with the request: when this future is dropped, so is the task.
    let mut driver = tokio::task::JoinSet::new();
    driver.spawn(connection);
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| unreachable(url, &error))?;
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    let mut beginning = Vec::new();
    while beginning.len() < LONGEST_ANSWER && !body.is_end_stream() {
        // The status counts; a body that breaks off changes nothing.
        let Some(Ok(frame)) = body.frame().await else {
            break;
        };
        if let Some(data) = frame.data_ref() {
            beginning.extend_from_slice(&data[..data.len().min(LONGEST_ANSWER - beginning.len())]);
        }
    }
    Ok(Answer {
        status,
        beginning: String::from_utf8_lossy(&beginning).into_owned(),
    })
}

fn unreachable(url: &Url, error: &dyn std::error::Error) -> Failure {
    let host = url.host_str().unwrap_or_default();
    Failure::Unreachable(match error.source() {
        Some(source) => format!("{host} could not be reached: {error}: {source}"),
        None => format!("{host} could not be reached: {error}"),
    })
}
