//! Planned work: what is under way, what is ahead, what is over.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/maintenance.html")]
pub struct Maintenance {
    pub frame: Frame,
    pub headline: String,
    /// "Under way", "Planned", "Over", each with its rows; those without any are left out.
    pub parts: Vec<(&'static str, Vec<WindowRow>)>,
    pub pagination: Option<Pagination>,
    pub plan: Option<Plan>,
}

#[derive(Debug, Clone)]
pub struct WindowRow {
    pub id: String,
    pub state: StateMark,
    pub words: String,
    pub services: String,
    pub from: Moment,
    pub until: Moment,
    /// "1 h 30 min".
    pub length: String,
    /// "End it now" or "Call it off", for whoever may.
    pub end: Option<&'static str>,
}

/// The form, for whoever may plan work.
#[derive(Debug, Clone)]
pub struct Plan {
    pub services: Vec<Pick>,
    /// Local times as the browser writes them: "2026-11-17T22:00".
    pub from: String,
    pub until: String,
    /// "Europe/London".
    pub zone: String,
    pub words: String,
    /// What readers of status pages are told.
    pub public_words: String,
    /// What stood in the way, when something did. What was typed is kept.
    pub problem: Option<String>,
}
