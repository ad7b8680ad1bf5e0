//! The live stream: what it tells, to whom, and when it ends.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use store::Engine;

use crate::harness::{Browser, TestApp};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

struct Listening {
    pieces: BodyDataStream,
    heard: String,
}

impl Listening {
    /// Listens, and has heard the first word: the time.
    async fn open(browser: &Browser<'_>) -> Self {
        let mut listening = Self {
            pieces: browser.listen("/console/live").await,
            heard: String::new(),
        };
        listening.hear("event: time").await;
        listening.heard.clear();
        listening
    }

    async fn hear(&mut self, words: &str) {
        while !self.heard.contains(words) {
            let piece = tokio::time::timeout(PATIENCE, self.pieces.next()).await;
            let piece = piece
                .unwrap_or_else(|_| panic!("“{words}” was never said, only: {}", self.heard))
                .unwrap_or_else(|| panic!("the stream ended before “{words}”: {}", self.heard));
            self.heard.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    async fn ends(&mut self) {
        let rest = async { while self.pieces.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, rest)
            .await
            .expect("the stream goes on");
    }
}

#[store::both_engines]
async fn whoever_looks_is_told_which_things_changed_and_never_what(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    let mut listening = Listening::open(&browser).await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    for topic in ["event: incidents", "event: situation", "event: time"] {
        listening.hear(topic).await;
    }
    assert!(!listening.heard.contains("Terminal"), "{}", listening.heard);
    let said = |line: &&str| line.starts_with("data: ") && !line.ends_with('Z');
    assert!(
        listening
            .heard
            .lines()
            .filter(said)
            .all(|line| line == "data: changed")
    );
}

#[store::both_engines]
async fn whoever_begins_to_listen_is_told_what_changed_while_the_page_was_on_its_way(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let mut listening = Listening {
        pieces: browser.listen("/console/live").await,
        heard: String::new(),
    };
    listening.hear("event: time").await;
    assert!(
        listening.heard.contains("event: incidents\n"),
        "{}",
        listening.heard
    );
}

#[store::both_engines]
async fn who_was_too_slow_to_hear_all_is_told_that_everything_may_have_changed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let mut listening = Listening::open(&browser).await;
    for number in 0..3_000 {
        muster.app.live.tell(vec![format!("Q{number}")]);
    }
    for topic in ["cases", "sends", "services", "oncall", "incidents", "situation"] {
        listening.hear(&format!("event: {topic}\n")).await;
    }
}

#[store::both_engines]
async fn the_stream_ends_when_muster_stops(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let mut listening = Listening::open(&browser).await;
    muster.app.stopping.cancel();
    listening.ends().await;
}

#[store::both_engines]
async fn nobody_listens_without_having_signed_in(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let request = Request::get("/console/live").body(Body::empty()).unwrap();
    let answer = muster.send(request).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(!answer.text.contains("event:"), "{}", answer.text);
}
