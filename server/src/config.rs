//! Settings: from a file, then the environment, then flags; the later wins. Everything is checked at the
//! start and every mistake is named, not only the first.

pub mod smtp_url;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use store::Location;

use crate::http::limits::RateLimit;
use crate::outbound::Network;
use crate::vault::{KeyFileError, Vault};

/// Whether mail that is only shown has reached anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxReader {
    Nobody,
    /// The outbox stands for the recipients, as in the demo.
    InPlaceOfRecipients,
}

/// Checked settings of a running Muster.
#[derive(Debug, Clone)]
pub struct Settings {
    pub location: Location,
    pub listen: SocketAddr,
    /// How Muster is reached from outside, without a slash at the end.
    pub base_url: String,
    /// For clients that insist on a certain shape of `html_url`.
    pub html_base_url: Option<String>,
    pub mail: Option<Mail>,
    /// Who reads what is shown in the outbox because no mail can be sent.
    pub outbox_reader: OutboxReader,
    pub tls: Option<Tls>,
    /// Events a minute for each key.
    pub event_rate_limit: RateLimit,
    /// Networks that outgoing webhooks may reach although they are private, such as `10.1.0.0/16`.
    pub allowed_networks: Vec<Network>,
    /// Requests to the API a minute for each key or session.
    pub api_rate_limit: RateLimit,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<Network>,
    /// False early warnings of "more reports than usual" that are accepted at most, by the week.
    pub false_alarms_per_week: f64,
    /// The key that secrets in the database are sealed with, where somebody named one.
    pub secret_key_file: Option<PathBuf>,
    /// Without a key until [`Settings::with_vault`].
    pub vault: Vault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `smtp://host:port` or `smtps://user:password@host:port`.
    pub smtp_url: String,
    pub from: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Settings as they are written, before they are checked. Also the shape of the settings file.
#[derive(Debug, Clone, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Folder for the embedded database [default: ./muster-data]
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// PostgreSQL instead of the embedded database: postgres://user@host/name
    #[arg(long, env = "MUSTER_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "MUSTER_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// How people and programs reach this Muster, for links [default: from the listening address]
    #[arg(long, env = "MUSTER_BASE_URL", value_name = "URL")]
    pub base_url: Option<String>,
    /// Another beginning for html_url, for clients that insist on one
    #[arg(long, env = "MUSTER_HTML_BASE_URL", value_name = "URL")]
    pub html_base_url: Option<String>,
    /// Mail server: smtp://host:port, or smtps://user:password@host:port
    #[arg(long, env = "MUSTER_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Sender of every mail, such as "Muster <muster@example.org>"
    #[arg(long, env = "MUSTER_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Certificate chain (PEM); with the key, Muster speaks TLS itself
    #[arg(long, env = "MUSTER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, env = "MUSTER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Events a minute for each key, or "off" [default: 120]
    #[arg(long, env = "MUSTER_EVENT_RATE_LIMIT", value_name = "NUMBER|off")]
    #[serde(default, deserialize_with = "as_written")]
    pub event_rate_limit: Option<String>,
    /// Private networks that webhooks may reach, such as 10.1.0.0/16 (several with commas)
    #[arg(
        long,
        env = "MUSTER_ALLOWED_NETWORKS",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub allowed_networks: Vec<String>,
    /// Key that secrets in the database are sealed with [default: secret.key in the data folder]
    #[arg(long, env = "MUSTER_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
    /// Requests to the API a minute for each key or session, or "off" [default: 960]
    #[arg(long, env = "MUSTER_API_RATE_LIMIT", value_name = "NUMBER|off")]
    #[serde(default, deserialize_with = "as_written")]
    pub api_rate_limit: Option<String>,
    /// False warnings of more reports than usual that are accepted in a week [default: 0.5]
    #[arg(long, env = "MUSTER_FALSE_ALARMS_PER_WEEK", value_name = "NUMBER")]
    #[serde(default, deserialize_with = "as_written")]
    pub false_alarms_per_week: Option<String>,
    /// Networks of reverse proxies whose X-Forwarded-For is believed (several with commas)
    #[arg(
        long,
        env = "MUSTER_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    #[serde(default)]
    pub trusted_proxies: Vec<String>,
}

/// What is wrong with the settings, one sentence each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(pub Vec<String>);

/// A setting that may be written as a number or as a text.
fn as_written<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number or a text is needed")]
    enum Written {
        Text(String),
        Whole(i64),
        Fraction(f64),
    }
    Ok(Some(match Written::deserialize(deserializer)? {
        Written::Text(text) => text,
        Written::Whole(number) => number.to_string(),
        Written::Fraction(number) => number.to_string(),
    }))
}

/// The usual limit of the field: 120 events a minute for each key.
const DEFAULT_EVENT_RATE: u32 = 120;
/// The usual limit of the field: 960 requests a minute for each key.
const DEFAULT_API_RATE: u32 = 960;
/// One false warning in two weeks, over everything that is counted.
const DEFAULT_FALSE_ALARMS: f64 = 0.5;
const FALSE_ALARMS: std::ops::RangeInclusive<f64> = 0.001..=100.0;

impl Given {
    /// Reads the settings file: the settings in it that fit, and what is wrong with the others.
    pub fn from_file(path: &Path) -> (Self, Mistakes) {
        let file = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let mistake = format!("The settings file {file} cannot be read: {error}.");
                return (Self::default(), Mistakes(vec![mistake]));
            }
        };
        let table = match toml::from_str::<toml::Table>(&text) {
            Ok(table) => table,
            Err(error) => {
                let mistake = format!("The settings file {file} is not TOML: {error}");
                return (Self::default(), Mistakes(vec![mistake]));
            }
        };
        let (mut given, mut mistakes) = (Self::default(), Vec::new());
        for (name, value) in table {
            let alone = toml::Table::from_iter([(name.clone(), value)]);
            match alone.try_into::<Self>() {
                Ok(one) => given = one.over(given),
                Err(error) => {
                    let why = error.message();
                    mistakes.push(format!("{name} in the settings file {file}: {why}."));
                }
            }
        }
        (given, Mistakes(mistakes))
    }

    /// These settings, with the gaps filled from `beneath`.
    #[must_use]
    pub fn over(self, beneath: Self) -> Self {
        Self {
            data: self.data.or(beneath.data),
            database: self.database.or(beneath.database),
            listen: self.listen.or(beneath.listen),
            base_url: self.base_url.or(beneath.base_url),
            html_base_url: self.html_base_url.or(beneath.html_base_url),
            smtp_url: self.smtp_url.or(beneath.smtp_url),
            mail_from: self.mail_from.or(beneath.mail_from),
            tls_cert: self.tls_cert.or(beneath.tls_cert),
            tls_key: self.tls_key.or(beneath.tls_key),
            event_rate_limit: self.event_rate_limit.or(beneath.event_rate_limit),
            allowed_networks: if self.allowed_networks.is_empty() {
                beneath.allowed_networks
            } else {
                self.allowed_networks
            },
            secret_key_file: self.secret_key_file.or(beneath.secret_key_file),
            api_rate_limit: self.api_rate_limit.or(beneath.api_rate_limit),
            false_alarms_per_week: self.false_alarms_per_week.or(beneath.false_alarms_per_week),
            trusted_proxies: if self.trusted_proxies.is_empty() {
                beneath.trusted_proxies
            } else {
                self.trusted_proxies
            },
        }
    }

    /// Checks everything and names every mistake.
    pub fn check(self) -> Result<Settings, Mistakes> {
        let mut mistakes = Vec::new();
        let listen = self.listen.as_deref().unwrap_or("127.0.0.1:8080");
        let listen = listen.parse::<SocketAddr>().unwrap_or_else(|_| {
            mistakes.push(format!(
                "listen is \"{listen}\"; an address and a port are needed, such as 127.0.0.1:8080."
            ));
            SocketAddr::from(([127, 0, 0, 1], 8080))
        });
        let location = match &self.database {
            Some(url)
                if ["postgres://", "postgresql://", "host="]
                    .iter()
                    .any(|start| url.starts_with(start)) =>
            {
                Location::Postgres { url: url.clone() }
            }
            Some(_) => {
                mistakes.push(
                    "database must begin with postgres://; leave it out to use the embedded one.".to_owned(),
                );
                Location::Sqlite {
                    directory: PathBuf::new(),
                }
            }
            None => Location::Sqlite {
                directory: self.data.clone().unwrap_or_else(|| PathBuf::from("muster-data")),
            },
        };
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(certificate), Some(key)) => {
                for (name, path) in [("tls_cert", &certificate), ("tls_key", &key)] {
                    if let Err(error) = std::fs::metadata(path) {
                        mistakes.push(format!(
                            "{name} is {}, which cannot be read: {error}.",
                            path.display()
                        ));
                    }
                }
                Some(Tls { certificate, key })
            }
            (None, None) => None,
            _ => {
                mistakes.push("tls_cert and tls_key belong together; only one of them is given.".to_owned());
                None
            }
        };
        let base_url = self.base_url.unwrap_or_else(|| {
            let scheme = if tls.is_some() { "https" } else { "http" };
            format!("{scheme}://{listen}")
        });
        check_address("base_url", &base_url, &mut mistakes);
        if let Some(html_base_url) = &self.html_base_url {
            check_address("html_base_url", html_base_url, &mut mistakes);
        }
        if let Some(path) = &self.secret_key_file
            && let Err(error) = std::fs::metadata(path)
        {
            mistakes.push(format!(
                "secret_key_file is {0}, which cannot be read: {error}. A new key is made with: openssl rand -hex 32 > {0}",
                path.display()
            ));
        }
        let mail = check_mail(self.smtp_url, self.mail_from, &mut mistakes);
        let event_rate_limit = check_rate(
            "event_rate_limit",
            self.event_rate_limit.as_deref(),
            DEFAULT_EVENT_RATE,
            &mut mistakes,
        );
        let api_rate_limit = check_rate(
            "api_rate_limit",
            self.api_rate_limit.as_deref(),
            DEFAULT_API_RATE,
            &mut mistakes,
        );
        let false_alarms_per_week = check_false_alarms(self.false_alarms_per_week.as_deref(), &mut mistakes);
        let allowed_networks = check_networks("allowed_networks", &self.allowed_networks, &mut mistakes);
        let trusted_proxies = check_networks("trusted_proxies", &self.trusted_proxies, &mut mistakes);
        if mistakes.is_empty() {
            Ok(Settings {
                outbox_reader: OutboxReader::Nobody,
                location,
                listen,
                base_url: base_url.trim_end_matches('/').to_owned(),
                html_base_url: self.html_base_url,
                mail,
                tls,
                event_rate_limit,
                allowed_networks,
                api_rate_limit,
                false_alarms_per_week,
                trusted_proxies,
                secret_key_file: self.secret_key_file,
                vault: Vault::default(),
            })
        } else {
            Err(Mistakes(mistakes))
        }
    }
}

impl Settings {
    /// Reads the key that secrets are sealed with: from the file that was named, or from one that is made in the
    /// folder of the embedded database. On PostgreSQL every node needs the same key, so none is made there.
    pub fn with_vault(mut self) -> Result<Self, KeyFileError> {
        self.vault = match (&self.secret_key_file, self.key_file()) {
            (Some(path), _) => Vault::with_key_file(path)?,
            (None, Some(path)) => Vault::with_own_key_file(&path)?,
            (None, None) => Vault::default(),
        };
        Ok(self)
    }

    /// Where the key that secrets are sealed with is, or belongs. On PostgreSQL nowhere, until a file is named.
    pub fn key_file(&self) -> Option<PathBuf> {
        match (&self.secret_key_file, &self.location) {
            (Some(path), _) => Some(path.clone()),
            (None, Location::Sqlite { directory }) => Some(directory.join("secret.key")),
            (None, Location::Postgres { .. }) => None,
        }
    }
}

fn check_rate(name: &str, given: Option<&str>, default: u32, mistakes: &mut Vec<String>) -> RateLimit {
    match given {
        None => RateLimit::PerMinute(default),
        Some("off") => RateLimit::Off,
        Some(text) => match text.parse::<u32>() {
            Ok(number) if number > 0 => RateLimit::PerMinute(number),
            _ => {
                mistakes.push(format!(
                    "{name} is \"{text}\"; a number above zero or \"off\" is needed."
                ));
                RateLimit::Off
            }
        },
    }
}

fn check_false_alarms(given: Option<&str>, mistakes: &mut Vec<String>) -> f64 {
    let Some(text) = given else {
        return DEFAULT_FALSE_ALARMS;
    };
    let number = text.parse().ok().filter(|number| FALSE_ALARMS.contains(number));
    number.unwrap_or_else(|| {
        mistakes.push(format!(
            "false_alarms_per_week is {text}; a number from {} to {} is needed.",
            FALSE_ALARMS.start(),
            FALSE_ALARMS.end()
        ));
        DEFAULT_FALSE_ALARMS
    })
}

/// What links begin with.
fn check_address(name: &str, given: &str, mistakes: &mut Vec<String>) {
    let is_web = url::Url::parse(given).is_ok_and(|url| {
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        ["http", "https"].contains(&url.scheme()) && url.has_host() && is_plain
    });
    if !is_web {
        mistakes.push(format!(
            "{name} is \"{given}\"; an address such as https://muster.example.org is needed."
        ));
    }
}

fn check_networks(name: &str, given: &[String], mistakes: &mut Vec<String>) -> Vec<Network> {
    let mut networks = Vec::new();
    for text in given {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(mistake) => mistakes.push(format!("{name}: {mistake}.")),
        }
    }
    networks
}

fn check_mail(
    smtp_url: Option<String>,
    mail_from: Option<String>,
    mistakes: &mut Vec<String>,
) -> Option<Mail> {
    let Some(smtp_url) = smtp_url else {
        if mail_from.is_some() {
            mistakes.push("mail_from is given without smtp_url, so no mail could be sent.".to_owned());
        }
        return None;
    };
    if let Err(mistake) = smtp_url::check(&smtp_url) {
        mistakes.push(mistake);
    }
    let from = mail_from.unwrap_or_else(|| "Muster <muster@localhost>".to_owned());
    if from.parse::<lettre::message::Mailbox>().is_err() {
        mistakes.push(format!("mail_from is \"{from}\", which is not a mail address."));
    }
    Some(Mail { smtp_url, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named() {
        let given = Given {
            listen: Some("8080".to_owned()),
            database: Some("mysql://x".to_owned()),
            tls_cert: Some(PathBuf::from("only-one.pem")),
            event_rate_limit: Some("many".to_owned()),
            false_alarms_per_week: Some("NaN".to_owned()),
            base_url: Some("http://".to_owned()),
            html_base_url: Some("zzz".to_owned()),
            secret_key_file: Some(PathBuf::from("/nowhere/secret.key")),
            ..Given::default()
        };
        let Mistakes(mistakes) = given.check().unwrap_err();
        assert_eq!(mistakes.len(), 8, "{mistakes:?}");
        for name in ["base_url is", "html_base_url is", "secret_key_file is"] {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name}");
        }
    }

    #[test]
    fn every_mistake_of_a_file_is_named_and_what_fits_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.toml");
        let text = "listen = 8080\nlisten_to = \"x\"\nevent_rate_limit = 500\nfalse_alarms_per_week = 1.5\ndata = []\n";
        std::fs::write(&path, text).unwrap();
        let (given, Mistakes(mistakes)) = Given::from_file(&path);
        assert_eq!(given.event_rate_limit.as_deref(), Some("500"));
        assert_eq!(given.false_alarms_per_week.as_deref(), Some("1.5"));
        let named: Vec<&str> = mistakes
            .iter()
            .filter_map(|mistake| mistake.split(' ').next())
            .collect();
        assert_eq!(named, ["data", "listen", "listen_to"], "{mistakes:?}");
        std::fs::write(&path, "listen = ").unwrap();
        let (_, Mistakes(mistakes)) = Given::from_file(&path);
        assert!(
            mistakes[0].contains("is not TOML") && mistakes[0].contains("line 1"),
            "{mistakes:?}"
        );
    }

    #[test]
    fn nothing_given_is_an_embedded_muster_on_this_machine() {
        let settings = Given::default().check().unwrap();
        assert_eq!(settings.base_url, "http://127.0.0.1:8080");
        assert_eq!(settings.event_rate_limit, RateLimit::PerMinute(120));
    }
}
