//! All cases, or those of one incident: who wrote what, and whether they were answered.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/cases.html")]
pub struct CaseList {
    pub frame: Frame,
    /// "66 of 312 are owed an answer".
    pub headline: String,
    /// Which incident, with the way to its room.
    pub below: Rich,
    /// All, owed an answer, answered, closed: views of the same list.
    pub views: Choices,
    /// The filter as the form keeps it.
    pub words: String,
    pub state: String,
    pub incident: String,
    pub rows: Vec<CaseLine>,
    pub pagination: Pagination,
    pub empty: Empty,
}

/// A case in the list.
#[derive(Debug, Clone)]
pub struct CaseLine {
    pub id: String,
    pub to: String,
    pub number: String,
    pub title: String,
    pub customer: String,
    /// "Business, £41,000 a year".
    pub standing: String,
    /// The place and the touchpoint.
    pub about: String,
    pub state: StateMark,
    /// When it was answered last, or since when it waits.
    pub since: Moment,
}
