//! *Now*: what needs the reader, in order of harm; then what is happening; then the pulse.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/now.html")]
pub struct Now {
    pub frame: Frame,
    /// "Five things need you", or what takes its place when nothing does.
    pub headline: String,
    /// "In order of harm. The first one escalates to Jonas Weber in 2 min."
    pub below: Rich,
    /// The most harmful first.
    pub needs: Vec<Need>,
    /// "3 open, 1 planned".
    pub happening_note: String,
    pub happening: Vec<Happening>,
    /// "1 early warning".
    pub watch_note: String,
    pub watch: Vec<Warning>,
    pub pulse: Vec<Pulse>,
    /// Four times under the pulse, from its start to now.
    pub pulse_axis: Vec<String>,
    pub pulse_note: String,
}

/// One thing that only the reader can do.
#[derive(Debug, Clone)]
pub struct Need {
    pub id: String,
    pub mark: NodeMark,
    pub title: String,
    pub detail: String,
    pub due: Due,
    pub action: NeedAction,
}

#[derive(Debug, Clone)]
pub enum Due {
    In(Countdown),
    /// "asked 1 min ago", "by 06:30", "waits 29 min": a word and a moment.
    Since(&'static str, Moment),
    Open,
}

#[derive(Debug, Clone)]
pub enum NeedAction {
    /// Done at once.
    Post { words: &'static str, to: String },
    /// Needs another screen.
    Open { words: &'static str, to: String },
}

/// An open or planned incident in two lines.
#[derive(Debug, Clone)]
pub struct Happening {
    pub id: String,
    pub to: String,
    pub state: StateMark,
    pub title: String,
    /// Whom it hurts, in one line.
    pub impact: String,
    pub who: Person,
    pub age: Moment,
}

/// Something that may become an incident.
#[derive(Debug, Clone)]
pub struct Warning {
    pub id: String,
    pub title: String,
    pub evidence: String,
    pub action: Link,
}

/// *Now* before anything has ever happened: it teaches.
#[derive(Debug, Clone, Template)]
#[template(path = "console/now_first.html")]
pub struct FirstNow {
    pub frame: Frame,
    pub first_name: String,
    /// A command that sends a test event with the reader's own key in it.
    pub command: String,
    /// Whether there is a service yet whose key stands in the command.
    pub has_key: Current,
    pub steps: Vec<FirstStep>,
    pub pulse: Vec<Pulse>,
}

#[derive(Debug, Clone)]
pub struct FirstStep {
    pub title: &'static str,
    pub detail: &'static str,
    pub action: Link,
}
