//! The story of an incident as it is read: newest first, what came in a row told as one, older parts behind a
//! link.
//!
//! An outage brings hundreds of entries of the same kind. Three or more of a kind without anything else between
//! them become one line with their number and an opener; what only follows from them (whom it hurts now, a
//! draft that was renewed) is told inside. Nothing is left out, and no decision of a person is ever folded
//! into what machines did.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use crate::console::kit::{
    Actor, Entry, Folded, Person, Reading, Rich, State as Shape, counted, duration_words, thousands,
};
use crate::console::page::show;
use crate::timeline::store::Tellers;
use crate::timeline::{self, AgentKind, Kind};

/// Entries that are read for one part of the story.
pub(super) const READ: i64 = 1_000;
/// Lines of one part.
const LINES: usize = 40;
/// Entries of a kind that are told as one.
const FEWEST: usize = 3;
/// Entries further apart than this are not told as one.
const GAP: Duration = Duration::from_mins(10);
/// Entries that are shown when a line is opened.
const SHOWN: usize = 20;

/// A part of the story, and from where it goes on.
pub(super) struct Part {
    pub lines: Vec<Entry>,
    /// The entry before which the next part ends.
    pub before: Option<String>,
}

/// The lines of a part alone, as a live page asks for them.
#[derive(Debug, Template)]
#[template(source = "{% for line in lines %}{{ line }}{% endfor %}", ext = "html")]
struct Lines<'a> {
    lines: &'a [Entry],
}

pub(super) fn show_lines(part: &Part) -> Response {
    show(&Lines { lines: &part.lines })
}

/// What the address asks for, and its number among the choices.
pub(super) fn tellers(show: &str) -> (Tellers, usize) {
    match show {
        "people" => (Tellers::People, 1),
        "machines" => (Tellers::Machines, 2),
        "outside" => (Tellers::SaidOutside, 3),
        _ => (Tellers::All, 0),
    }
}

/// Tells entries that stand newest first.
pub(super) fn tell(entries: &[timeline::Entry], reading: &Reading) -> Part {
    let told = without_echoes(entries);
    let mut runs = fold(&told);
    let cut = runs.len() > LINES;
    runs.truncate(LINES);
    let whole = !cut && (entries.len() as i64) < READ;
    let last = runs
        .last()
        .and_then(|run| run.entries.last())
        .map(|entry| entry.id.to_string());
    Part {
        lines: runs.iter().map(|run| line(run, reading)).collect(),
        before: last.filter(|_| !whole),
    }
}

/// The promise that words made as they went out, and the approval of whoever sent them, are told with the words.
fn without_echoes(entries: &[timeline::Entry]) -> Vec<&timeline::Entry> {
    const TOGETHER: Duration = Duration::from_mins(2);
    let audience = |entry: &timeline::Entry| entry.details.get("audience_id").cloned();
    let published: Vec<&timeline::Entry> = entries
        .iter()
        .filter(|entry| entry.kind == Kind::UpdatePublished)
        .collect();
    let echoes = |entry: &timeline::Entry| {
        matches!(entry.kind, Kind::PromiseMade | Kind::UpdateApproved)
            && published.iter().any(|one| {
                audience(one) == audience(entry)
                    && one.agent_name == entry.agent_name
                    && one.at.duration_since(entry.at).unsigned_abs() <= TOGETHER
            })
    };
    entries.iter().filter(|entry| !echoes(entry)).collect()
}

/// What is told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Alerts,
    AlertsOver,
    Cases,
    Answers,
    Pages,
    Roles,
    Tasks,
}

fn sort_of(entry: &timeline::Entry) -> Option<Sort> {
    match entry.kind {
        Kind::AlertAdded | Kind::AlertRepeated => Some(Sort::Alerts),
        Kind::AlertResolved => Some(Sort::AlertsOver),
        Kind::CaseLinked | Kind::CaseReported => Some(Sort::Cases),
        Kind::AnswerSent | Kind::AnswerUndelivered => Some(Sort::Answers),
        Kind::PageOwed | Kind::PageSent => Some(Sort::Pages),
        Kind::RoleAssigned => Some(Sort::Roles),
        Kind::TaskAdded => Some(Sort::Tasks),
        _ => None,
    }
}

/// What follows by itself from what machines and customers report.
fn follows(entry: &timeline::Entry) -> bool {
    matches!(
        entry.kind,
        Kind::ImpactChanged | Kind::UpdateDrafted | Kind::AlertLimitReached | Kind::PageOwed | Kind::PageSent
    )
}

/// Entries that make one line: several of a sort with what follows from them, or a single one.
#[derive(Debug)]
struct Run<'e> {
    sort: Option<Sort>,
    entries: Vec<&'e timeline::Entry>,
}

impl<'e> Run<'e> {
    fn single(entry: &'e timeline::Entry) -> Self {
        Self {
            sort: None,
            entries: vec![entry],
        }
    }

    fn members(&self) -> impl Iterator<Item = &'e timeline::Entry> + '_ {
        self.entries
            .iter()
            .copied()
            .filter(|entry| self.sort.is_some() && sort_of(entry) == self.sort)
    }

    fn takes(&self, entry: &timeline::Entry) -> bool {
        let Some(last) = self.members().last() else {
            return false;
        };
        let near = last.at.duration_since(entry.at).unsigned_abs() <= GAP;
        let by_people = matches!(
            self.sort,
            Some(Sort::Roles | Sort::Tasks | Sort::Cases | Sort::Answers)
        );
        sort_of(entry) == self.sort && near && (!by_people || last.agent_name == entry.agent_name)
    }

    /// Itself when it is long enough to be told as one, or its entries one by one.
    fn told(self) -> Vec<Self> {
        if self.members().count() >= FEWEST {
            vec![self]
        } else {
            self.entries.into_iter().map(Self::single).collect()
        }
    }
}

fn fold<'e>(entries: &[&'e timeline::Entry]) -> Vec<Run<'e>> {
    let mut told: Vec<Run<'e>> = Vec::new();
    let mut run: Option<Run<'e>> = None;
    // What followed after the last member of the run; inside it only if another member comes.
    let mut between: Vec<&'e timeline::Entry> = Vec::new();
    for entry in entries.iter().copied() {
        match &mut run {
            Some(open) if open.takes(entry) => {
                open.entries.append(&mut between);
                open.entries.push(entry);
                continue;
            }
            Some(_) if follows(entry) => {
                between.push(entry);
                continue;
            }
            _ => {}
        }
        told.extend(run.take().into_iter().flat_map(Run::told));
        told.extend(between.drain(..).map(Run::single));
        match sort_of(entry) {
            Some(sort) => {
                run = Some(Run {
                    sort: Some(sort),
                    entries: vec![entry],
                });
            }
            None => told.push(Run::single(entry)),
        }
    }
    told.extend(run.into_iter().flat_map(Run::told));
    told.extend(between.into_iter().map(Run::single));
    told
}

fn line(run: &Run<'_>, reading: &Reading) -> Entry {
    match (run.sort, run.entries.as_slice()) {
        (Some(sort), [newest, .., oldest]) => folded(run, sort, newest, oldest, reading),
        (_, [one, ..]) => entry(one, reading),
        (_, []) => Entry::new("nothing", reading.clock(reading.now), Actor::Machine("play"), ""),
    }
}

fn folded(
    run: &Run<'_>,
    sort: Sort,
    newest: &timeline::Entry,
    oldest: &timeline::Entry,
    reading: &Reading,
) -> Entry {
    let count = run.members().count() as u64;
    let seconds = newest.at.duration_since(oldest.at).as_secs();
    let over = if seconds < 60 {
        String::new()
    } else {
        format!(" in {}", duration_words(seconds))
    };
    let person = matches!(newest.agent_type, AgentKind::User | AgentKind::Visitor);
    let by = |verb: String, impersonal: String| {
        if person {
            Rich::default().strong(newest.agent_name.clone()).then(verb)
        } else {
            Rich::default().strong(impersonal)
        }
    };
    let number = thousands(count);
    let said = match sort {
        Sort::Alerts => Rich::default()
            .strong(format!("{number} alerts joined"))
            .then(over),
        Sort::AlertsOver => Rich::default()
            .strong(format!("{number} alerts are over"))
            .then(over),
        Sort::Cases => by(
            format!(" linked {number} cases{over}"),
            format!("{number} cases were linked{over}"),
        ),
        Sort::Answers => by(
            format!(" answered {number} customers{over}"),
            format!("{number} customers were answered{over}"),
        ),
        Sort::Pages => Rich::plain(format!("{number} pages went out{over}")),
        Sort::Roles => by(
            format!(" gave {number} roles"),
            format!("{number} roles were given"),
        ),
        Sort::Tasks => by(
            format!(" added {number} tasks"),
            format!("{number} tasks were added"),
        ),
    };
    let actor = match sort {
        Sort::Alerts => Actor::Machine("bell"),
        Sort::AlertsOver => Actor::State(Shape::Resolved),
        _ if person => Actor::Person(Person::named(newest.agent_name.clone()).face()),
        Sort::Pages => Actor::Machine("phone"),
        _ => Actor::Machine("case"),
    };
    let followed = run
        .entries
        .iter()
        .find(|entry| entry.kind == Kind::ImpactChanged)
        .map(|entry| entry.text.clone());
    let mut entry = Entry::new(
        format!("run-{}", oldest.id),
        reading.clock(newest.at),
        actor,
        said,
    );
    if let Some(followed) = followed {
        entry = entry.with_body(followed);
    }
    let hidden = run.entries.len().saturating_sub(SHOWN) as u64;
    entry.folded = Some(Folded {
        opener: format!("See all {number}"),
        lines: run
            .entries
            .iter()
            .take(SHOWN)
            .map(|one| (reading.clock(one.at), one.text.clone()))
            .collect(),
        rest: (hidden > 0).then(|| format!("and {}", counted(hidden, "earlier one", "earlier ones"))),
    });
    entry
}

/// One entry as a line of its own.
pub(super) fn entry(entry: &timeline::Entry, reading: &Reading) -> Entry {
    let actor = match (entry.kind, entry.agent_type) {
        (Kind::Triggered | Kind::Reopened | Kind::Unacknowledged | Kind::SnoozeEnded, _) => {
            Actor::State(Shape::Triggered)
        }
        (Kind::Resolved | Kind::AlertResolved, kind) if kind != AgentKind::User => {
            Actor::State(Shape::Resolved)
        }
        (_, AgentKind::User | AgentKind::Visitor) => {
            Actor::Person(Person::named(entry.agent_name.clone()).face())
        }
        (kind, _) => Actor::Machine(icon(kind)),
    };
    let drawn = |said: Rich| Entry::new(entry.id.as_str(), reading.clock(entry.at), actor.clone(), said);
    match entry.kind {
        Kind::Noted => drawn(Rich::default().strong(entry.agent_name.clone())).with_body(entry.text.clone()),
        Kind::UpdatePublished => published(entry, reading, drawn),
        _ => match entry.text.strip_prefix(&entry.agent_name) {
            Some(rest) if entry.agent_type == AgentKind::User => {
                drawn(Rich::default().strong(entry.agent_name.clone()).then(rest))
            }
            _ => drawn(Rich::plain(entry.text.clone())),
        },
    }
}

/// Words that went out: as a public quote only when they are public.
fn published(entry: &timeline::Entry, reading: &Reading, drawn: impl Fn(Rich) -> Entry) -> Entry {
    let detail = |name: &str| entry.details.get(name).and_then(Value::as_str);
    let audience = detail("audience_name").unwrap_or("an audience");
    let words = detail("words").unwrap_or_default();
    let next = detail("next_update_by").and_then(|due| due.parse().ok());
    let to = match next {
        Some(due) => format!("{audience}, next word by {}", reading.clock_words(due)),
        None => audience.to_owned(),
    };
    let said = Rich::default()
        .strong(entry.agent_name.clone())
        .then(format!(" told {audience}"));
    if detail("visibility") == Some("public") {
        drawn(said).published(to, words)
    } else {
        drawn(said).with_body(words)
    }
}

fn icon(kind: Kind) -> &'static str {
    match kind {
        Kind::PageOwed | Kind::PageSent | Kind::PageFailed | Kind::Escalated | Kind::Assigned => "phone",
        Kind::AlertAdded | Kind::AlertRepeated => "bell",
        Kind::CaseLinked | Kind::CaseReported | Kind::CaseRaised => "case",
        Kind::ImpactChanged => "gauge",
        Kind::UpdateDrafted
        | Kind::PromiseMade
        | Kind::PromiseKept
        | Kind::PromiseMissed
        | Kind::EstimatePassed
        | Kind::PromiseDueSoon
        | Kind::PageIncidentPosted => "updates",
        Kind::LocationReported => "shop",
        Kind::ChangeSeen => "change",
        Kind::ReviewWritten => "learn",
        Kind::Merged | Kind::MergedAway => "merge",
        _ => "play",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    fn entry_of(number: usize, kind: Kind, agent: &str, second: i64) -> timeline::Entry {
        let person = agent != "Monitoring";
        timeline::Entry {
            id: format!("Q{number:04}").as_str().into(),
            at: Timestamp::from_second(1_000_000 + second).unwrap(),
            incident_id: None,
            kind,
            agent_type: if person {
                AgentKind::User
            } else {
                AgentKind::Integration
            },
            agent_id: None,
            agent_name: agent.to_owned(),
            service_id: None,
            text: format!("text {number}"),
            details: Value::Null,
        }
    }

    /// Kinds from the oldest to the newest, ten seconds apart.
    fn told(kinds: &[(Kind, &str)]) -> Vec<String> {
        let mut entries: Vec<timeline::Entry> = kinds
            .iter()
            .enumerate()
            .map(|(number, (kind, agent))| entry_of(number, *kind, agent, number as i64 * 10))
            .collect();
        entries.reverse();
        let reading = Reading::new(Timestamp::from_second(1_100_000).unwrap(), TimeZone::UTC);
        tell(&entries, &reading)
            .lines
            .iter()
            .map(|line| {
                let said = line.said.render().unwrap();
                said.replace("<b>", "").replace("</b>", "")
            })
            .collect()
    }

    const ALERT: (Kind, &str) = (Kind::AlertAdded, "Monitoring");
    const HURT: (Kind, &str) = (Kind::ImpactChanged, "Monitoring");

    #[test]
    fn alerts_in_a_row_are_one_line_with_what_follows_from_them_inside() {
        assert_eq!(
            told(&[ALERT, HURT, ALERT, HURT, ALERT, ALERT]),
            ["4 alerts joined"]
        );
        assert_eq!(told(&[ALERT, ALERT, ALERT, HURT]), ["text 3", "3 alerts joined"]);
    }

    #[test]
    fn two_of_a_kind_stay_two() {
        assert_eq!(told(&[ALERT, HURT, ALERT]), ["text 2", "text 1", "text 0"]);
    }

    #[test]
    fn what_a_person_does_parts_what_machines_do() {
        assert_eq!(
            told(&[
                ALERT,
                ALERT,
                ALERT,
                (Kind::Acknowledged, "Priya"),
                ALERT,
                ALERT,
                ALERT
            ]),
            ["3 alerts joined", "text 3", "3 alerts joined"]
        );
    }

    #[test]
    fn the_work_of_two_people_is_told_apart() {
        let (one, other) = ((Kind::CaseLinked, "Aoife"), (Kind::CaseLinked, "Ines"));
        assert_eq!(
            told(&[one, one, one, other, other, other]),
            ["Ines linked 3 cases", "Aoife linked 3 cases"]
        );
    }

    #[test]
    fn entries_far_apart_are_not_told_as_one() {
        let mut entries: Vec<timeline::Entry> = (0..4_usize)
            .map(|number| entry_of(number, Kind::AlertAdded, "Monitoring", number as i64 * 3_600))
            .collect();
        entries.reverse();
        assert_eq!(fold(&entries.iter().collect::<Vec<_>>()).len(), 4);
    }

    #[test]
    fn a_long_story_goes_on_before_its_last_line() {
        let mut entries: Vec<timeline::Entry> = (0..100_usize)
            .map(|number| entry_of(number, Kind::Noted, "Priya", number as i64))
            .collect();
        entries.reverse();
        let reading = Reading::new(Timestamp::from_second(1_100_000).unwrap(), TimeZone::UTC);
        let part = tell(&entries, &reading);
        assert_eq!((part.lines.len(), part.before.as_deref()), (LINES, Some("Q0060")));
        let rest = tell(&entries[LINES..][..20], &reading);
        assert_eq!((rest.lines.len(), rest.before), (20, None));
    }
}
