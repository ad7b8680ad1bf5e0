//! The desk: "Is it us?", what to say, and who is still owed an answer.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/desk.html")]
pub struct Desk {
    pub frame: Frame,
    /// What is asked: typed, or filled from the open case.
    pub question: String,
    /// "Searched for you from the open case. 2 known issues, best first."
    pub searched: String,
    /// Best first.
    pub matches: Vec<Match>,
    /// What stands in their place: "We know of nothing like this. 2 others wrote the same in the last hour."
    pub no_match: Rich,
    /// What goes along when it is raised.
    pub raise_note: String,
    /// "316, of which 4 not linked".
    pub owed_note: String,
    pub owed: Vec<OwedRow>,
    /// Where those stand who are not listed: "58 more wait".
    pub owed_further: Option<Link>,
    /// Where all who can be answered at once are answered: "Answer 312 customers".
    pub answer_all: Option<Link>,
    pub open_case: Option<OpenCase>,
    /// What the reader may do here.
    pub acts: Vec<DeskAct>,
    /// The newest first.
    pub told: Vec<ToldAgents>,
    pub services: Vec<Pick>,
    pub locations: Vec<Pick>,
    pub touchpoints: Vec<Pick>,
}

impl Desk {
    fn may(&self, act: DeskAct) -> bool {
        self.acts.contains(&act)
    }
}

/// What is done at the desk, each by whoever may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskAct {
    WriteDown,
    Link,
    Raise,
}

/// What agents were told about an incident.
#[derive(Debug, Clone)]
pub struct ToldAgents {
    pub id: String,
    pub at: Moment,
    pub subject: String,
    /// With its line ends.
    pub words: String,
    /// Where the incident stands.
    pub to: String,
    pub incident: String,
}

/// A known issue that may be what the customer means.
#[derive(Debug, Clone)]
pub struct Match {
    /// The incident's id.
    pub id: String,
    pub number: String,
    /// "Yes, very likely", "Probably not".
    pub answer: String,
    pub likelihood: Likelihood,
    pub state: StateMark,
    pub since: Moment,
    /// In the customer's words.
    pub title: String,
    pub to: String,
    pub why: Rich,
    /// Whether the open case belongs to it already.
    pub link: MatchLink,
    pub say: Option<Approved>,
    pub offer: Rich,
    pub next: Option<Countdown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchLink {
    /// It can be linked.
    Open,
    /// It is linked to this incident.
    Linked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// Drawn whole, with what to say.
    Likely,
    /// Drawn in two lines.
    Unlikely,
}

/// Words that may be said, and who agreed to them.
#[derive(Debug, Clone)]
pub struct Approved {
    pub words: String,
    /// "approved by Maya Okafor 05:52, from facts r7".
    pub by: String,
}

#[derive(Debug, Clone)]
pub struct OwedRow {
    pub id: String,
    pub to: String,
    pub waits: Moment,
    pub customer: String,
    /// "Business, £41,000 a year".
    pub standing: String,
    pub about: String,
    pub state: StateMark,
    pub chosen: Chosen,
}

/// The case beside the answer.
#[derive(Debug, Clone)]
pub struct OpenCase {
    pub id: String,
    pub number: String,
    /// Where it was reported.
    pub source: String,
    pub age: Moment,
    pub title: String,
    pub customer: String,
    pub face: Face,
    pub standing: String,
    pub wrote: String,
    /// An icon and what to mind: a hurry, a pending payment, a mood.
    pub mind: Vec<(&'static str, Rich)>,
    pub facts: Vec<(&'static str, CaseFact)>,
    /// Nothing, when nothing is owed.
    pub to_do: Option<ToDo>,
}

#[derive(Debug, Clone)]
pub enum CaseFact {
    Words(Rich),
    State(StateMark),
    Due(Countdown),
}

/// How the reporter gets their answer.
#[derive(Debug, Clone)]
pub enum ToDo {
    Reply(Reply),
    /// It is confirmed; these words are read to them on the telephone.
    Call(String),
    /// It is for others to answer: who does.
    LeftToOthers(&'static str),
}

#[derive(Debug, Clone)]
pub struct Reply {
    /// "Public: Hannah will read this".
    pub reader: String,
    /// How it begins: "Hello Hannah,".
    pub greeting: String,
    /// The agent's own part, as it was kept.
    pub personal: String,
    pub words: String,
    /// What kind of answer it is, so that it is sent as what was read.
    pub kind: &'static str,
    /// "Personal part kept, the rest is approved".
    pub note: String,
}
