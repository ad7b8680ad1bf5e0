//! A real SMTP server (aiosmtpd) that the tests send to. Missing, it is an error and not a skipped test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use muster::config::{Given, Settings};
use serde::Deserialize;

/// A mail as the server took it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Headers and body as they travelled, with the quoted-printable line ends taken away.
    pub(crate) content: String,
}

impl Mail {
    /// The value of a header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.content.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        let prefix = format!("{}:", name.to_lowercase());
        head.lines()
            .find(|line| line.to_lowercase().starts_with(&prefix))
            .map(|line| line[prefix.len()..].trim().to_owned())
    }

    /// The text of the mail with soft line ends joined.
    pub(crate) fn text(&self) -> String {
        self.content.replace("=\r\n", "").replace("=3D", "=")
    }
}

pub(crate) struct MailServer {
    process: Child,
    pub(crate) port: u16,
    mails: Receiver<Mail>,
    taken: Arc<AtomicUsize>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp/server.py");
        let mut process = Command::new(python())
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let (sender, mails) = channel();
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                counted.fetch_add(1, Ordering::Relaxed);
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self {
            process,
            port,
            mails,
            taken,
        }
    }

    /// How many mails were taken, looked at or not.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Settings of a Muster that mails through this server.
    pub(crate) fn settings(&self) -> Settings {
        Given {
            base_url: Some("https://muster.example.org".to_owned()),
            smtp_url: Some(format!("smtp://127.0.0.1:{}", self.port)),
            mail_from: Some("Muster <muster@example.org>".to_owned()),
            ..Given::default()
        }
        .check()
        .unwrap()
    }

    /// The next mail that was taken; fails when there is none.
    #[track_caller]
    pub(crate) fn mail(&self) -> Mail {
        self.mails
            .recv_timeout(Duration::from_secs(10))
            .expect("no mail came")
    }

    /// The next mail that was taken already, if there is one.
    pub(crate) fn waiting(&self) -> Option<Mail> {
        self.mails.recv_timeout(Duration::from_millis(300)).ok()
    }

    /// Fails when another mail was taken.
    #[track_caller]
    pub(crate) fn no_more_mail(&self) {
        if let Ok(mail) = self.mails.recv_timeout(Duration::from_millis(150)) {
            panic!("one more mail came: {mail:?}");
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn python() -> PathBuf {
    let binary = std::env::current_exe().unwrap();
    let environments = binary
        .ancestors()
        .map(|folder| folder.join("smtp-environment/bin/python"));
    let candidates = environments.chain(["python3", "/usr/bin/python3"].map(PathBuf::from));
    for candidate in candidates {
        let works = Command::new(&candidate)
            .args(["-c", "import aiosmtpd"])
            .stderr(Stdio::null())
            .status();
        if works.is_ok_and(|status| status.success()) {
            return candidate;
        }
    }
    panic!(
        "the tests need a mail server: run server/tests/it/smtp/prepare (it installs aiosmtpd under target/)"
    );
}
