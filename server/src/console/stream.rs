//! The live stream of a page: which topics have changed, and the server's time.
//!
//! An event's name is the topic; its data says nothing, the page fetches what it shows and so sees only what
//! its reader may see. Hints that come close together are told once. A reader who was too slow to hear all
//! is told that everything may have changed, and one who begins to listen is told what changed in the last seconds,
//! while the page was on its way.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::page::Visitor;
use crate::app::App;

/// How long hints are gathered before they are told.
const GATHERED: Duration = Duration::from_millis(150);
/// How often the time is told when nothing else is.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Topics that are lists; any other topic is the id of an incident.
const LISTS: [&str; 9] = [
    "cases",
    "notices",
    "sends",
    "services",
    "locations",
    "updates",
    "pages",
    "oncall",
    "reviews",
];

pub(super) async fn live(
    State(app): State<Arc<App>>,
    _visitor: Visitor,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let listening = app.live.listen();
    let mut topics = BTreeSet::new();
    for topic in app.live.told_lately() {
        note(topic, &mut topics);
    }
    let waiting = events(&topics, &app);
    let events = stream::unfold(
        (app, listening, waiting),
        |(app, mut listening, mut waiting)| async move {
            while waiting.is_empty() {
                waiting = gather(&app, &mut listening).await?;
            }
            let event = waiting.remove(0);
            Some((Ok(event), (app, listening, waiting)))
        },
    );
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Waits for hints, or for the heartbeat. Nothing when Muster stops.
async fn gather(app: &App, listening: &mut Receiver<Arc<str>>) -> Option<Vec<Event>> {
    let mut topics = BTreeSet::new();
    tokio::select! {
        () = app.stopping.cancelled() => return None,
        () = tokio::time::sleep(HEARTBEAT) => return Some(vec![time(app)]),
        heard = listening.recv() => hear(heard, &mut topics)?,
    }
    let until = tokio::time::Instant::now() + GATHERED;
    while let Ok(heard) = tokio::time::timeout_at(until, listening.recv()).await {
        hear(heard, &mut topics)?;
    }
    Some(events(&topics, app))
}

fn events(topics: &BTreeSet<String>, app: &App) -> Vec<Event> {
    let changed = topics
        .iter()
        .map(|topic| Event::default().event(topic).data("changed"));
    changed.chain([time(app)]).collect()
}

fn note(topic: Arc<str>, topics: &mut BTreeSet<String>) {
    if !LISTS.contains(&&*topic) {
        topics.insert("incidents".to_owned());
    }
    topics.insert(topic.to_string());
    topics.insert("situation".to_owned());
}

fn hear(heard: Result<Arc<str>, RecvError>, topics: &mut BTreeSet<String>) -> Option<()> {
    match heard {
        Ok(topic) => note(topic, topics),
        Err(RecvError::Lagged(_)) => {
            topics.extend(LISTS.map(str::to_owned));
            topics.extend(["incidents".to_owned(), "situation".to_owned()]);
        }
        Err(RecvError::Closed) => return None,
    }
    Some(())
}

fn time(app: &App) -> Event {
    Event::default().event("time").data(app.clock.now().to_string())
}
