//! The incident room: what customers feel, how much, the story, and everyone who works on it.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/room.html")]
pub struct Room {
    pub frame: Frame,
    /// The incident's id: every form of the room posts below `/console/incidents/{id}`.
    pub id: String,
    /// "#1042".
    pub number: String,
    /// A chip.
    pub state: StateMark,
    pub phase: RoomPhase,
    pub reader: RoomReader,
    /// "P1", when one is set.
    pub priority: Option<String>,
    /// "open" or "lasted", and how long.
    pub age_word: &'static str,
    pub age: Moment,
    pub commander: Person,
    /// Who hears next, and when: "customers hear next by".
    pub next_word: Option<(String, Countdown)>,
    /// What customers feel, in their words. A line each.
    pub title: Vec<String>,
    /// What a machine or a reporter said first, where the title says something else.
    pub first_said: Option<String>,
    pub impact: Impact,
    /// None once it is resolved.
    pub holders: Option<Holders>,
    pub composer: Composer,
    pub filter: Choices,
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Where the lines alone are, for when the story has gone on.
    pub lines_from: String,
    /// What came before, when there is more.
    pub older: Option<Older>,
    /// The way back to the newest part, when this is an older one.
    pub newest: Option<String>,
    /// Only for those who may read cases.
    pub voices: Option<Voices>,
    /// What senders gave along: runbooks, dashboards, pictures.
    pub links: Vec<Link>,
    pub origin: Origin,
    pub origin_act: OriginAct,
    pub told: Vec<Told>,
    pub roles: Vec<Role>,
    /// "3 of 4 here".
    pub responders_note: String,
    pub responders: Vec<Responder>,
    /// "2 of 5 done".
    pub tasks_note: String,
    pub tasks: Vec<Task>,
    pub similar: Vec<Similar>,
    pub picks: RoomPicks,
}

/// Who has it, and what happens by itself, the first first.
#[derive(Debug, Clone)]
pub struct Holders {
    pub people: Vec<Person>,
    pub ahead: Vec<Ahead>,
    /// Why nothing goes on by itself, when nothing does.
    pub standing_still: Option<&'static str>,
}

/// "Pages Tomasz Zieliński if nobody acknowledges", "06:20".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    pub what: String,
    pub when: String,
}

/// A link to the part of the story before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Older {
    pub to: String,
}

/// What comes first in thumb reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomPhase {
    /// Nobody has it yet: acknowledge.
    Triggered,
    /// Somebody has it: tell customers.
    Acknowledged,
    /// Over: read the report.
    Resolved,
}

/// The strip that says how much.
#[derive(Debug, Clone)]
pub struct Impact {
    /// Each hurt touchpoint in its state's colour, and the word for how: "down".
    pub touchpoints: Vec<(StateMark, &'static str)>,
    pub locations: Option<LocationImpact>,
    /// Customers, cases, cost: in the order of the strip.
    pub figures: Vec<Figure>,
}

#[derive(Debug, Clone)]
pub struct LocationImpact {
    /// "Shops in wave one".
    pub label: String,
    /// "7 of 24 back".
    pub value: String,
    pub shares: Shares,
}

/// A label, one large value, and lines below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    pub label: String,
    pub value: String,
    pub below: Vec<Rich>,
}

impl Figure {
    pub fn new(label: &str, value: impl Into<String>, below: Vec<Rich>) -> Self {
        Self {
            label: label.to_owned(),
            value: value.into(),
            below,
        }
    }
}

/// What customers say.
#[derive(Debug, Clone)]
pub struct Voices {
    /// "312 cases, grouped by their words".
    pub note: String,
    pub heard: Vec<Voice>,
}

/// What a group of customers said.
#[derive(Debug, Clone)]
pub struct Voice {
    pub words: Rich,
    pub bar: Bar,
    pub count: String,
}

/// What the reader may do with the incident: those who may only look are offered nothing that would be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomReader {
    Responds,
    Watches,
}

/// Where it probably began.
#[derive(Debug, Clone)]
pub enum Origin {
    /// "No origin found yet. 3 changes to look at."
    Unknown(Rich),
    Probable {
        what: Rich,
        /// "confirmed", "82 % likely".
        how_sure: String,
        /// An icon and a reason.
        reasons: Vec<(&'static str, Rich)>,
    },
}

/// What a person can say about the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginAct {
    /// The reader may not say anything.
    Nothing,
    /// "This was it": the value that the form sends; nothing where no origin is named yet.
    Confirm(Option<String>),
    /// Somebody has said so; it can be taken back.
    TakeBack,
}

/// What an audience was last told and when it hears next.
#[derive(Debug, Clone)]
pub struct Told {
    pub audience: String,
    pub last: String,
    pub next: String,
    pub urgency: Urgency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    Calm,
    /// The next one due.
    Next,
}

#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    pub holder: Person,
}

#[derive(Debug, Clone)]
pub struct Responder {
    /// What they were asked for; empty where it is the same as for the one above.
    pub what: String,
    pub who: Person,
    /// "2 min", "no answer yet".
    pub answer: String,
}

#[derive(Debug, Clone)]
pub struct Task {
    pub id: String,
    pub title: String,
    /// "Maya, 06:30".
    pub owner: String,
    pub progress: TaskProgress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskProgress {
    Open,
    Done,
}

#[derive(Debug, Clone)]
pub struct Similar {
    pub link: Link,
    /// "March, 14 shops, 2 h 40 min. Rolling back fixed it."
    pub words: String,
}

/// What the room's dialogs let one choose from.
#[derive(Debug, Clone, Default)]
pub struct RoomPicks {
    pub people: Vec<Pick>,
    pub policies: Vec<Pick>,
    pub priorities: Vec<Pick>,
    pub other_incidents: Vec<Pick>,
    pub roles: Vec<Pick>,
    /// Changes and services that may have been the origin, the most probable first.
    pub origins: Vec<Pick>,
    /// How many are told when it is over: "312 customers are owed an answer and get one to confirm."
    pub on_resolve: String,
}
