//! Where pages arrive: a mail server and a webhook receiver on loopback which take everything and note when.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What marks the subject of a page in these benchmarks: `terminal-17-of-the-bench`.
const MARK: &str = "terminal-";

/// When each page arrived, by its number, and how often.
#[derive(Clone, Default)]
pub(super) struct Arrivals {
    seen: Arc<Mutex<HashMap<u32, (Instant, u32)>>>,
}

impl Arrivals {
    fn note(&self, text: &str) {
        let now = Instant::now();
        let number = text.split_once(MARK).and_then(|(_, rest)| {
            rest.split(|letter: char| !letter.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        });
        if let Some(number) = number {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.entry(number).or_insert((now, 0)).1 += 1;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The first arrival of each, and how many arrived again.
    pub(super) fn take(&self) -> (HashMap<u32, Instant>, u32) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let doubled = seen.values().map(|(_, count)| count - 1).sum();
        (
            seen.iter().map(|(number, (at, _))| (*number, *at)).collect(),
            doubled,
        )
    }
}

/// A mail server; gives its port.
pub(super) async fn mail(arrivals: Arrivals) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrivals = arrivals.clone();
            // A sender that hangs up in the middle has its mail counted as not arrived.
            tokio::spawn(async move { take_mail(stream, &arrivals).await.ok() });
        }
    });
    Ok(port)
}

async fn take_mail(stream: TcpStream, arrivals: &Arrivals) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let command = line.trim_end().to_ascii_uppercase();
        line.clear();
        let answer: &[u8] = match command.split(' ').next().unwrap_or_default() {
            "EHLO" | "HELO" => b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while stream.read_line(&mut line).await? > 0 && line.trim_end() != "." {
                    mail.push_str(&line);
                    line.clear();
                }
                line.clear();
                arrivals.note(&mail);
                b"250 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 well\r\n",
        };
        stream.write_all(answer).await?;
    }
    Ok(())
}

/// A webhook receiver; gives its port.
pub(super) async fn webhooks(arrivals: Arrivals) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrivals = arrivals.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let arrivals = arrivals.clone();
                    async move {
                        if let Ok(body) = request.into_body().collect().await {
                            arrivals.note(&String::from_utf8_lossy(&body.to_bytes()));
                        }
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"thank you"))))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                connection
                    .serve_connection(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    });
    Ok(port)
}
