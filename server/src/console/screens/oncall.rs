//! On call: a week in lanes, the gap in the sentence, "you" always findable.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/oncall.html")]
pub struct OnCallWeek {
    pub frame: Frame,
    /// "Shops and payments, 16 to 22 November".
    pub headline: String,
    /// "One gap of 6 hours on Saturday evening. Three notes on working time."
    pub below: Rich,
    pub earlier: String,
    pub today: String,
    pub later: String,
    pub fill_gap: Option<Link>,
    pub span: Choices,
    /// "Times in Europe/London. No clock change this week."
    pub zone_note: String,
    /// The schedules that can be looked at; the current one is marked.
    pub schedules: Vec<Pick>,
    pub calendar: Calendar,
    /// The same week as a list, for a phone.
    pub agenda: Vec<AgendaDay>,
    pub notes: Vec<MarginNote>,
    pub load: Vec<LoadRow>,
    /// Covering for somebody, for whoever may.
    pub cover: Option<Cover>,
    /// Swapping two turns, for whoever may.
    pub swap: Option<Swap>,
    /// Where the schedule is changed, for whoever may.
    pub change: Option<Link>,
    /// Where a schedule is added, for whoever may.
    pub add: Option<Link>,
    /// Changes to the plan that are not over.
    pub covers: Vec<CoverRow>,
    /// Who is on call now, for every escalation policy.
    pub now_rows: Vec<OnCallNow>,
}

#[derive(Debug, Clone)]
pub struct AgendaDay {
    /// "Today, Tue 17".
    pub name: String,
    pub turns: Vec<AgendaTurn>,
    pub pins: Vec<(Pin, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgendaTurn {
    /// "02:00 to 20:00", "all day".
    pub hours: String,
    pub who: String,
    pub look: ShiftLook,
}

impl AgendaTurn {
    fn class(&self) -> &'static str {
        match self.look {
            ShiftLook::You | ShiftLook::YouInChange => " you",
            ShiftLook::Gap => " nobody-turn",
            _ => "",
        }
    }
}

/// A rule that the plan breaks, and one way out. It warns, it does not forbid.
#[derive(Debug, Clone)]
pub struct MarginNote {
    pub pin: Pin,
    pub title: String,
    pub words: String,
    pub way_out: Option<Rich>,
}

/// The form with which somebody takes over.
#[derive(Debug, Clone)]
pub struct Cover {
    /// The schedule's id: the form posts below it.
    pub schedule: String,
    pub people: Vec<Pick>,
    /// Local times as the browser writes them.
    pub from: String,
    pub until: String,
}

/// The form with which two people take each other's turn.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The schedule's id: the form posts below it.
    pub schedule: String,
    /// "Tue 17 Nov 09:00 to Wed 18 Nov 09:00, Maya Okafor".
    pub turns: Vec<Pick>,
    /// The same, with the first turn of somebody else chosen.
    pub others: Vec<Pick>,
}

#[derive(Debug, Clone)]
pub struct CoverRow {
    pub id: String,
    pub who: Person,
    pub from: Moment,
    pub until: Moment,
}

#[derive(Debug, Clone)]
pub struct LoadRow {
    pub who: Person,
    pub bar: Bar,
    pub hours: String,
    pub nights: String,
    pub woken: String,
    /// "31 % more", "even".
    pub share: String,
}

#[derive(Debug, Clone)]
pub struct OnCallNow {
    pub policy: Link,
    /// First level first.
    pub levels: Vec<Person>,
    /// "until 20:00".
    pub until: Rich,
}
