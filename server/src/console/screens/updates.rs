//! Updates: all audiences side by side from one set of facts, the promise at the top.

use askama::Template;

use super::room::Urgency;
use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/updates.html")]
pub struct Updates {
    pub frame: Frame,
    /// The incident that is spoken about.
    pub incident: String,
    pub promise: Option<PromiseHead>,
    /// What stands at the top when nothing is promised.
    pub headline: String,
    /// The incident with its number, and where it stands.
    pub about: Option<Link>,
    /// "revision 7, confirmed 06:10 by Maya Okafor. Change one, and all five texts follow."
    pub facts_note: String,
    pub facts: Vec<Fact>,
    pub columns: Vec<AudienceColumn>,
    /// Open incidents to speak about.
    pub incidents: Vec<Pick>,
    pub rights: UpdateRights,
}

/// What the reader may do with facts and words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateRights {
    Look,
    /// Write them, and send them or ask for approval.
    Write,
}

/// The promise, with what happens if it is missed, and the one button.
#[derive(Debug, Clone)]
pub struct PromiseHead {
    /// "Customers expect to hear from us".
    pub who: String,
    pub due: Countdown,
    pub below: String,
    /// The column that is due: its words are sent by the one button.
    pub verb: String,
    pub audience: String,
}

#[derive(Debug, Clone)]
pub struct Fact {
    pub number: u8,
    /// What the form calls it; none for what follows from the incident.
    pub field: Option<&'static str>,
    pub name: &'static str,
    pub value: String,
}

#[derive(Debug, Clone)]
pub struct AudienceColumn {
    /// What the form calls it.
    pub id: String,
    pub icon: &'static str,
    pub name: String,
    pub reach: Reach,
    /// "298 people, 1,912 readers, status page" and "English, German".
    pub who: Vec<String>,
    /// "Every 20 min", "Live".
    pub cadence: String,
    /// "by 06:20", or that it was sent.
    pub next: ColumnNext,
    /// The words, paragraph by paragraph, with facts and findings marked.
    pub words: Vec<Rich>,
    /// The same words as they are edited.
    pub plain: String,
    pub findings: Vec<Finding>,
    /// "Uses facts 1 2 4 5 7. Leaves out the cause."
    pub note: String,
    /// "Approve", "Tell customers", "Correct it".
    pub verb: String,
    pub urgency: Urgency,
}

#[derive(Debug, Clone)]
pub enum ColumnNext {
    By(String),
    Sent(String),
}

/// What the checker objects to.
#[derive(Debug, Clone)]
pub struct Finding {
    pub objection: String,
    pub remedy: String,
    /// What is put in instead, when one thing can be.
    pub replace: Option<(String, String)>,
}

/// Where no incident is open and nothing is promised: what was said before.
#[derive(Debug, Clone, Template)]
#[template(path = "console/updates_list.html")]
pub struct UpdatesList {
    pub frame: Frame,
    pub headline: String,
    pub below: Rich,
    pub rows: Vec<UpdateRow>,
    pub pagination: Pagination,
}

#[derive(Debug, Clone)]
pub struct UpdateRow {
    pub id: String,
    pub at: Moment,
    pub audience: String,
    pub incident: Link,
    pub words: String,
    /// "284 of 298 reached".
    pub reached: String,
    pub state: StateMark,
}
