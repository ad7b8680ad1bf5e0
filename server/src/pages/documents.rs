//! A page's documents, drawn from a snapshot: the page itself, its history, each incident, JSON, feed.

use askama::Template as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::cache::{Document, Keeps, Kind};
use super::model::{
    ComponentId, ComponentStatus, Impact, Maintenance, MaintenanceStatus, PageIncident, PageUpdate,
};
use super::plain::{Entry, Plain, Section};
use super::snapshot::Snapshot;
use super::uptime::Uptime;
use super::view::{self, StoryEntry, Subscribe};
use super::{feed, json};
use crate::drawing::{Rich, State, unturned};
use crate::http::Site;
use crate::updates::Phase;
use crate::updates::compose::clock_time;
use crate::updates::promised_words::{is_promise, late, promise};

/// Updates on the page itself; the rest stands in its history.
const MOST_IN_STORY: usize = 8;
/// Letters of a sentence that can stand at the head of the page.
const LONGEST_HEADLINE: usize = 110;
/// Days after which a share of working time says something.
const DAYS_TO_JUDGE: usize = 2;

/// Everything there is to serve of a page.
pub fn draw(snapshot: &Snapshot, site: &Site, now: Timestamp) -> anyhow::Result<Vec<Document>> {
    let base = format!("/status/{}", snapshot.page.slug);
    let mut documents = vec![
        html(
            base.clone(),
            front(snapshot, now).render()?,
            view::StatusPage::policy(),
        ),
        html(
            format!("{base}/history"),
            history(snapshot).render()?,
            Plain::policy(),
        ),
        Document {
            path: format!("{base}/feed.atom"),
            kind: Kind::Atom,
            keeps: Keeps::Anybody,
            text: feed::feed(snapshot, site),
            policy: None,
        },
    ];
    for (path, value) in json::documents(snapshot, site) {
        documents.push(Document {
            path: format!("{base}{path}"),
            kind: Kind::Json,
            keeps: Keeps::Anybody,
            text: value.to_string(),
            policy: None,
        });
    }
    for incident in &snapshot.incidents {
        let path = format!("{base}/incidents/{}", incident.id);
        documents.push(html(
            path,
            story_of(snapshot, incident).render()?,
            Plain::policy(),
        ));
    }
    Ok(documents)
}

fn html(path: String, text: String, policy: String) -> Document {
    Document {
        path,
        kind: Kind::Html,
        keeps: Keeps::Anybody,
        text: unturned(text),
        policy: Some(policy),
    }
}

pub(crate) fn state_of(status: ComponentStatus) -> State {
    match status {
        ComponentStatus::Operational => State::Working,
        ComponentStatus::UnderMaintenance => State::Maintenance,
        ComponentStatus::DegradedPerformance => State::Slow,
        ComponentStatus::PartialOutage | ComponentStatus::MajorOutage => State::Triggered,
    }
}

pub(crate) fn state_of_page(indicator: Impact) -> State {
    match indicator {
        Impact::None => State::Working,
        Impact::Maintenance => State::Maintenance,
        Impact::Minor => State::Slow,
        Impact::Major | Impact::Critical => State::Triggered,
    }
}

/// Paragraphs as they were written.
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(str::to_owned)
        .collect()
}

/// "22:00 to 23:30 GMT"; with its days when it ends on another.
fn span(work: &Maintenance, now: Timestamp, zone: &TimeZone) -> String {
    let (start, end) = (
        work.start_at.to_zoned(zone.clone()),
        work.end_at.to_zoned(zone.clone()),
    );
    if start.date() == end.date() {
        format!("{} to {}", start.strftime("%H:%M"), end.strftime("%H:%M %Z"))
    } else {
        let (start, end) = (when(work.start_at, now, zone), when(work.end_at, now, zone));
        format!("{start} to {end}")
    }
}

/// "05:58 GMT"; with the day when it is not today, and the year when it is not this one.
fn when(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    if local.date() == today.date() {
        local.strftime("%H:%M %Z").to_string()
    } else if local.year() == today.year() {
        local.strftime("%-d %B, %H:%M %Z").to_string()
    } else {
        local.strftime("%-d %B %Y, %H:%M %Z").to_string()
    }
}

/// The one sentence, and what belongs to it.
struct Answer {
    /// The language of these words, where it is not Muster's own.
    foreign: Option<String>,
    headline: String,
    words: Vec<String>,
    next_word: Option<String>,
}

/// What the page answers to "is it broken?".
pub(crate) fn sentence(snapshot: &Snapshot) -> String {
    answer(snapshot, snapshot.page.updated_at, &snapshot.zone()).headline
}

fn answer(snapshot: &Snapshot, now: Timestamp, zone: &TimeZone) -> Answer {
    let said = |headline: &str, words: Vec<String>| Answer {
        foreign: None,
        headline: headline.to_owned(),
        words,
        next_word: None,
    };
    let newest = snapshot
        .open_incidents()
        .max_by_key(|one| (one.impact, one.updated_at))
        .and_then(|one| Some((one, snapshot.updates_of(one).first()?)));
    if let Some((incident, update)) = newest {
        return told(snapshot, incident, update, now, zone);
    }
    match snapshot.indicator() {
        Impact::None => said("Everything works.", Vec::new()),
        Impact::Maintenance => said(
            "Planned work is under way.",
            snapshot
                .in_state(MaintenanceStatus::InProgress)
                .map(|one| {
                    let until = clock_time(one.end_at, now, zone);
                    format!("{} It ends by {until}.", snapshot.words_of(one))
                })
                .collect(),
        ),
        Impact::Minor | Impact::Major | Impact::Critical => said(
            "Not everything works as it should.",
            vec!["We have noticed and are looking into it. We will say more here.".to_owned()],
        ),
    }
}

/// The first sentence of what was said last answers; the promise of the next word stands apart, on the
/// clock of these words. One that has lapsed is not hidden.
fn told(
    snapshot: &Snapshot,
    incident: &PageIncident,
    update: &PageUpdate,
    now: Timestamp,
    zone: &TimeZone,
) -> Answer {
    let mut words: Vec<String> = paragraphs(update.body.as_str());
    words.retain(|paragraph| !is_promise(paragraph));
    let headline = match words.first().and_then(|first| first_sentence(first)) {
        Some((first, rest)) => {
            let (first, rest) = (first.to_owned(), rest.to_owned());
            if rest.is_empty() {
                words.remove(0);
            } else if let Some(words) = words.first_mut() {
                *words = rest;
            }
            first
        }
        None => format!("{}.", incident.name.as_str().trim_end_matches('.')),
    };
    let zone = &update.zone(zone);
    let next_word = update.next_update_by.map(|due| {
        let language = snapshot.language_of(incident);
        if snapshot.lapsed.contains(&incident.id) {
            late(language, due, now, zone)
        } else {
            promise(language, due, now, zone)
        }
    });
    Answer {
        foreign: snapshot.foreign_to(incident),
        headline,
        words,
        next_word,
    }
}

/// The first sentence of a paragraph and the rest, if it is short enough to be read at a glance.
fn first_sentence(paragraph: &str) -> Option<(&str, &str)> {
    let end = paragraph
        .match_indices(['.', '!', '?'])
        .map(|(at, mark)| at + mark.len())
        .find(|end| paragraph[*end..].is_empty() || paragraph[*end..].starts_with(char::is_whitespace))?;
    let (first, rest) = paragraph.split_at(end);
    (first.chars().count() <= LONGEST_HEADLINE).then(|| (first, rest.trim()))
}

/// What the mark beside the sentence says: while we watch and nothing is down any more, that it is coming back.
fn state_now(snapshot: &Snapshot) -> State {
    let mut open = snapshot.open_incidents().peekable();
    let watched = open.peek().is_some()
        && open.all(|one| {
            let newest = snapshot.updates_of(one).first();
            newest.is_some_and(|update| update.status == Phase::Monitoring)
        });
    let down = snapshot
        .shown()
        .any(|one| state_of(one.status) == State::Triggered);
    if watched && !down {
        State::Recovering
    } else {
        state_of_page(snapshot.indicator())
    }
}

fn front(snapshot: &Snapshot, now: Timestamp) -> view::StatusPage {
    let (page, zone) = (&snapshot.page, snapshot.zone());
    let Answer {
        foreign,
        headline,
        words,
        next_word,
    } = answer(snapshot, now, &zone);
    let mut above: Option<&ComponentId> = None;
    let components = snapshot
        .shown()
        .map(|one| {
            let group = snapshot.group_of(one);
            let rank = match group {
                None => view::Rank::Alone,
                Some(group) if above == Some(&group.id) => view::Rank::Further,
                Some(group) => view::Rank::FirstOf(group.name.to_string()),
            };
            above = group.map(|group| &group.id);
            let uptime = snapshot.uptimes.get(&one.id);
            view::Component {
                name: one.name.to_string(),
                rank,
                state: state_of(one.status),
                words: words_of(one.status, snapshot.places.get(&one.id).copied()),
                days: uptime.map_or_else(Vec::new, |uptime| uptime.days.clone()),
                uptime: uptime.map_or_else(String::new, uptime_words),
            }
        })
        .collect();
    let base = format!("/status/{}", page.slug);
    view::StatusPage {
        title: page.title(),
        foreign,
        languages: Vec::new(),
        state: state_now(snapshot),
        headline,
        words,
        next_word,
        places: None,
        components,
        story: story(snapshot, &base, now, &zone),
        subscribe: Some(Subscribe {
            post_to: format!("{base}/subscribe"),
            feed: format!("{base}/feed.atom"),
        }),
        written: now.to_zoned(zone).strftime("%H:%M %Z, %A %-d %B %Y").to_string(),
        address: base,
    }
}

/// "Not working in 17 places"
fn words_of(status: ComponentStatus, places: Option<usize>) -> String {
    let words = status.words();
    match (status, places) {
        (_, None) => words.to_owned(),
        (ComponentStatus::DegradedPerformance, Some(1)) => "Slow in 1 place".to_owned(),
        (ComponentStatus::DegradedPerformance, Some(many)) => format!("Slow in {many} places"),
        (_, Some(1)) => "Not working in 1 place".to_owned(),
        (_, Some(many)) => format!("Not working in {many} places"),
    }
}

/// Of a few hours no share is told: half an hour of trouble would read as if half were always broken.
fn uptime_words(uptime: &Uptime) -> String {
    match uptime.days.iter().flatten().count() {
        days if days < DAYS_TO_JUDGE => "watched since today".to_owned(),
        _ => format!("{}.{:02} % working", uptime.share / 100, uptime.share % 100),
    }
}

fn story(snapshot: &Snapshot, base: &str, now: Timestamp, zone: &TimeZone) -> Vec<StoryEntry> {
    let mut told: Vec<(&PageIncident, &PageUpdate)> = snapshot
        .incidents
        .iter()
        .flat_map(|incident| {
            snapshot
                .updates_of(incident)
                .iter()
                .map(move |update| (incident, update))
        })
        .collect();
    told.sort_by_key(|(_, one)| std::cmp::Reverse(one.at));
    let planned = [
        (MaintenanceStatus::InProgress, "Under way"),
        (MaintenanceStatus::Scheduled, "Planned"),
    ]
    .into_iter()
    .flat_map(|(state, word)| snapshot.in_state(state).map(move |one| (one, word)))
    .map(|(one, word)| StoryEntry {
        foreign: None,
        when: when(one.start_at, now, zone),
        state: Some((State::Maintenance, word.to_owned())),
        words: vec![Rich::plain(format!(
            "{}: {}",
            span(one, now, zone),
            snapshot.words_of(one)
        ))],
    });
    let begun = [MaintenanceStatus::Completed, MaintenanceStatus::InProgress];
    let happened = !snapshot.incidents.is_empty() || !snapshot.planned(&begun).is_empty();
    let more = told.len() > MOST_IN_STORY || happened;
    let entries = told.into_iter().take(MOST_IN_STORY).map(|(incident, update)| {
        let address = format!("{base}/incidents/{}", incident.id);
        let mut words = vec![Rich::default().link(incident.name.as_str(), address)];
        words.extend(paragraphs(update.body.as_str()).into_iter().map(Rich::plain));
        StoryEntry {
            foreign: snapshot.foreign_to(incident),
            when: when(update.at, now, &update.zone(zone)),
            state: (update.status == Phase::Resolved).then(|| (State::Resolved, "Over".to_owned())),
            words,
        }
    });
    let mut story: Vec<StoryEntry> = planned.chain(entries).collect();
    if more {
        story.push(StoryEntry {
            foreign: None,
            when: "Earlier".to_owned(),
            state: None,
            words: vec![Rich::default().link("Everything that happened", format!("{base}/history"))],
        });
    }
    story
}

fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Investigating => "We are looking into it",
        Phase::Identified => "We know what it is",
        Phase::Monitoring => "We are watching",
        Phase::Resolved => "Over",
    }
}

/// An incident as the history tells it: when it began, and since when it is over.
fn incident_entry(incident: &PageIncident, base: &str, zone: &TimeZone) -> Entry {
    let local = |at: Timestamp| at.to_zoned(zone.clone());
    let ended = incident.resolved_at.map_or_else(
        || "Not over yet.".to_owned(),
        |at| format!("Over since {}.", local(at).strftime("%-d %B, %H:%M %Z")),
    );
    Entry {
        when: local(incident.created_at).strftime("%-d %B, %H:%M").to_string(),
        link: Some((
            incident.name.to_string(),
            format!("{base}/incidents/{}", incident.id),
        )),
        strong: None,
        foreign: None,
        words: vec![ended],
    }
}

/// Planned work as the history tells it, when it has begun.
fn work_entry(snapshot: &Snapshot, work: &Maintenance, zone: &TimeZone) -> Entry {
    let local = |at: Timestamp| at.to_zoned(zone.clone());
    let ended = match work.status {
        MaintenanceStatus::Completed => "Done since",
        MaintenanceStatus::InProgress | MaintenanceStatus::Scheduled => "It ends by",
    };
    let ended = format!("{ended} {}.", local(work.end_at).strftime("%-d %B, %H:%M %Z"));
    Entry {
        when: local(work.start_at).strftime("%-d %B, %H:%M").to_string(),
        link: None,
        strong: Some(snapshot.title_of(work)),
        foreign: None,
        words: vec![snapshot.words_of(work), ended],
    }
}

fn history(snapshot: &Snapshot) -> Plain {
    let (page, zone) = (&snapshot.page, snapshot.zone());
    let base = format!("/status/{}", page.slug);
    let begun = snapshot.planned(&[MaintenanceStatus::Completed, MaintenanceStatus::InProgress]);
    let incidents = snapshot
        .incidents
        .iter()
        .map(|one| (one.created_at, incident_entry(one, &base, &zone)));
    let works = begun
        .into_iter()
        .map(|one| (one.start_at, work_entry(snapshot, one, &zone)));
    let mut told: Vec<(Timestamp, Entry)> = incidents.chain(works).collect();
    told.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut sections: Vec<Section> = Vec::new();
    for (at, entry) in told {
        let month = at.to_zoned(zone.clone()).strftime("%B %Y").to_string();
        match sections.last_mut().filter(|last| last.heading == month) {
            Some(section) => section.entries.push(entry),
            None => sections.push(Section {
                heading: month,
                entries: vec![entry],
            }),
        }
    }
    let quiet = sections.is_empty();
    Plain {
        language: super::model::OWN_LANGUAGE.to_owned(),
        title: page.title(),
        headline: "Everything that happened".to_owned(),
        words: if quiet {
            vec!["Nothing has happened yet.".to_owned()]
        } else {
            Vec::new()
        },
        sections,
        question: None,
        back: Some(("How everything is now".to_owned(), base)),
    }
}

fn story_of(snapshot: &Snapshot, incident: &PageIncident) -> Plain {
    let (page, zone) = (&snapshot.page, snapshot.zone());
    let entries = snapshot
        .updates_of(incident)
        .iter()
        .map(|update| Entry {
            when: update
                .at
                .to_zoned(update.zone(&zone))
                .strftime("%-d %B, %H:%M %Z")
                .to_string(),
            link: None,
            strong: Some(phase_words(update.status).to_owned()),
            foreign: snapshot.foreign_to(incident),
            words: paragraphs(update.body.as_str()),
        })
        .collect();
    Plain {
        language: super::model::OWN_LANGUAGE.to_owned(),
        title: page.title(),
        headline: incident.name.to_string(),
        words: Vec::new(),
        sections: vec![Section {
            heading: "What we said".to_owned(),
            entries,
        }],
        question: None,
        back: Some((
            "How everything is now".to_owned(),
            format!("/status/{}", page.slug),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_answers_unless_it_is_long() {
        assert_eq!(
            first_sentence("Cards do not work in 2.5 % of shops. It began at 05:41."),
            Some(("Cards do not work in 2.5 % of shops.", "It began at 05:41."))
        );
        assert_eq!(first_sentence("It is over!"), Some(("It is over!", "")));
        assert_eq!(first_sentence("No end"), None);
        assert_eq!(first_sentence(&format!("{}.", "long ".repeat(40))), None);
    }
}
