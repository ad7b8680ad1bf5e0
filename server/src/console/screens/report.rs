//! The report: one picture first, six figures with their goals, then words.

use askama::Template;

use super::room::Figure;
use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/report.html")]
pub struct Report {
    pub frame: Frame,
    /// The incident's id: forms post below `/console/learn/{id}`.
    pub id: String,
    pub state: StateMark,
    /// "#1042", "17 November 2026", "05:41 to 06:58", "draft 3, agreed by 4 of 6".
    pub facts: Vec<String>,
    pub headline: String,
    pub chart: LaneChart,
    pub figures: Vec<Figure>,
    /// "What happened" and its like.
    pub chapters: Vec<Chapter>,
    pub actions: Vec<ActionItem>,
    pub versions: Vec<Version>,
    pub felt: Vec<(String, String)>,
    pub next_time: Vec<(&'static str, Rich)>,
    /// "Publish to partners".
    pub publish: Option<Link>,
}

#[derive(Debug, Clone)]
pub struct Chapter {
    /// What the form calls it.
    pub field: String,
    pub title: String,
    pub content: ChapterContent,
    /// The same as it is edited.
    pub plain: String,
}

#[derive(Debug, Clone)]
pub enum ChapterContent {
    Paragraphs(Vec<Rich>),
    /// Numbered, one factor a line.
    Factors(Vec<Rich>),
}

#[derive(Debug, Clone)]
pub struct ActionItem {
    pub title: String,
    pub owner: String,
    pub due: String,
    pub state: StateMark,
}

#[derive(Debug, Clone)]
pub struct Version {
    pub audience: String,
    pub state: String,
    pub opened: String,
}

/// All reports.
#[derive(Debug, Clone, Template)]
#[template(path = "console/learn.html")]
pub struct Learn {
    pub frame: Frame,
    pub headline: String,
    pub figures: Vec<Figure>,
    pub rows: Vec<ReportRow>,
    pub pagination: Pagination,
}

#[derive(Debug, Clone)]
pub struct ReportRow {
    pub id: String,
    pub to: String,
    pub title: String,
    pub date: Moment,
    pub lasted: String,
    pub hurt: String,
    pub state: StateMark,
}
