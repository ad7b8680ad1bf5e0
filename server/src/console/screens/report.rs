//! The report: one picture first, six figures, then words.

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
    /// "#1042", "17 November 2026", "05:41 to 06:58", "version 3".
    pub facts: Vec<String>,
    pub headline: String,
    pub below: String,
    pub chart: LaneChart,
    pub figures: Vec<Figure>,
    /// "What happened" and its like.
    pub chapters: Vec<Chapter>,
    /// Newest first.
    pub versions: Vec<Version>,
    /// What the figures tell for next time: an icon and words.
    pub notes: Vec<(&'static str, Rich)>,
    /// What the reader may do.
    pub rights: ReportRights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportRights {
    Read,
    /// A draft that the reader may edit and publish.
    Edit,
    /// It is published; the reader may still edit it.
    EditPublished,
}

#[derive(Debug, Clone)]
pub struct Chapter {
    pub title: String,
    /// Made harmless by the reviews slice. Nothing when nobody has written anything.
    pub html: Option<String>,
}

/// One version of the words.
#[derive(Debug, Clone)]
pub struct Version {
    pub number: i64,
    pub who: Person,
    pub at: Moment,
}

/// The words of a report as they are edited.
#[derive(Debug, Clone, Template)]
#[template(path = "console/report_edit.html")]
pub struct ReportEdit {
    pub frame: Frame,
    pub id: String,
    /// The version that is edited: another one meanwhile is a conflict.
    pub version: i64,
    /// What stood in the way of keeping it, when something did. What was typed is kept.
    pub problem: Option<String>,
    pub title: String,
    /// Title and Markdown.
    pub chapters: Vec<(String, String)>,
}

/// An incident that has no report yet.
#[derive(Debug, Clone, Template)]
#[template(path = "console/report_none.html")]
pub struct NoReport {
    pub frame: Frame,
    pub id: String,
    pub headline: String,
    pub words: String,
    /// Whether the reader may have it written.
    pub rights: ReportRights,
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
