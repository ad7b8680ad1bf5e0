//! Mail by SMTP, over a few connections that are kept open.
//!
//! `smtp://` encrypts when the server offers it and does not check its certificate: that keeps listeners
//! out and changes nothing against an impostor, who would not offer it. `smtp://…?tls=required` and
//! `smtps://` insist and check. A password is only ever sent over a checked connection, or to this machine.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName as MailHeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::TlsParameters;
use tokio::sync::Semaphore;
use url::Url;

use super::model::{Claimed, Purpose};
use super::rules::Delivery;
use super::smtp::{Fault, Security, Server};
use crate::config::{Mail, smtp_url};

/// Connections to the mail server at the same time; the usual limit of one for each client is 20 or more.
pub(super) const CONNECTIONS: usize = 16;
/// The longest a single mail may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// A mail server and the sender's address.
pub(super) struct Mailer {
    server: Server,
    from: Mailbox,
    connections: Semaphore,
}

impl Mailer {
    /// Connects to nothing yet.
    pub(super) fn new(settings: &Mail) -> anyhow::Result<Self> {
        smtp_url::check(&settings.smtp_url).map_err(anyhow::Error::msg)?;
        let url = Url::parse(&settings.smtp_url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let strict = || TlsParameters::new(host.clone());
        let (security, usual_port) = match (url.scheme(), smtp_url::tls_of(&url).as_deref()) {
            ("smtps", _) => (Security::FromTheStart(strict()?), 465),
            (_, Some("required")) => (Security::Demanded(strict()?), 587),
            (_, Some("none")) => (Security::Plain, 25),
            _ => {
                let lenient = TlsParameters::builder(host.clone()).dangerous_accept_invalid_certs(true);
                (Security::Offered(lenient.build()?), 25)
            }
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Ok(Self {
            server: Server {
                port: url.port().unwrap_or(usual_port),
                host,
                security,
                credentials,
                patience: TIMEOUT,
                resting: Mutex::default(),
            },
            from: settings.from.parse()?,
            connections: Semaphore::new(CONNECTIONS),
        })
    }

    pub(super) async fn deliver(&self, send: &Claimed) -> Delivery {
        let message = match self.compose(send) {
            Ok(message) => message,
            Err(reason) => return Delivery::Refused { reason },
        };
        let Ok(_connection) = self.connections.acquire().await else {
            return Delivery::PutOff {
                reason: "Muster is stopping.".to_owned(),
            };
        };
        match tokio::time::timeout(TIMEOUT, self.server.send(&message)).await {
            Ok(Ok(response)) => Delivery::Accepted {
                receipt: format!(
                    "{} {}",
                    response.code(),
                    response.message().collect::<Vec<_>>().join(" ")
                ),
            },
            Ok(Err(error)) => judge(&error),
            Err(_) => Delivery::PutOff {
                reason: format!("The mail server did not answer within {} s.", TIMEOUT.as_secs()),
            },
        }
    }

    fn compose(&self, send: &Claimed) -> Result<Message, String> {
        let address: Address = send
            .address
            .parse()
            .map_err(|_| format!("\"{}\" is not a mail address.", send.address))?;
        let name = (!send.recipient_name.is_empty()).then(|| send.recipient_name.clone());
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name, address))
            .subject(send.subject.clone())
            .date(SystemTime::from(send.created_at))
            .message_id(Some(format!("<{}@{}>", send.id, self.from.email.domain())))
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned())?)
            .raw_header(raw("X-Auto-Response-Suppress", "All".to_owned())?);
        if send.purpose == Purpose::Page {
            message = message.raw_header(raw("X-Priority", "1".to_owned())?);
        }
        for (name, value) in &send.headers {
            message = message.raw_header(raw(name.text(), value.clone())?);
        }
        let text = send.full_body();
        let message = match send.full_html() {
            Some(html) => message.multipart(MultiPart::alternative_plain_html(text, html)),
            None => message.singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text)),
        };
        message.map_err(|error| format!("The mail could not be put together: {error}."))
    }
}

fn raw(name: &str, value: String) -> Result<HeaderValue, String> {
    let name = MailHeaderName::new_from_ascii(name.to_owned())
        .map_err(|error| format!("The mail could not be put together: {error}."))?;
    Ok(HeaderValue::new(name, value))
}

/// A name or password as it was before it was put into the address.
fn decoded(text: &str) -> anyhow::Result<String> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8()?;
    Ok(decoded.into_owned())
}

/// A 5xx about the message is for good. A 5xx about who we are (sign-in, encryption) is about the
/// configuration, which somebody can mend while the message waits.
fn judge(fault: &Fault) -> Delivery {
    let Fault::Answered(error) = fault else {
        return Delivery::PutOff {
            reason: fault.to_string(),
        };
    };
    let code = error.status().map(u16::from);
    let ours = matches!(code, Some(530 | 534 | 535 | 538));
    let reason = {
        use std::error::Error as _;
        match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        }
    };
    if error.is_permanent() && !ours {
        Delivery::Refused { reason }
    } else {
        Delivery::PutOff { reason }
    }
}
