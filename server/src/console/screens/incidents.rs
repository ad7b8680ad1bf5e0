//! The list of incidents: filters in the address, bulk actions, rows that stay put.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/incidents.html")]
pub struct IncidentList {
    pub frame: Frame,
    /// "3 incidents are open", or that none is.
    pub headline: String,
    /// Open, mine, resolved, all: saved views of the same list.
    pub views: Choices,
    pub filter: IncidentFilter,
    pub rows: Vec<IncidentRow>,
    pub pagination: Pagination,
    /// What stands here when no row does.
    pub empty: Empty,
    /// Services that an incident can be raised on; nothing for those who may not.
    pub raise_on: Option<Vec<Pick>>,
    pub rights: IncidentRights,
}

/// What the reader may do with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentRights {
    Look,
    /// Choose several and act on them together.
    Act,
}

/// The filter as it stands in the address.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    pub words: String,
    pub services: Vec<Pick>,
    pub urgencies: Vec<Pick>,
    /// The view that the form keeps.
    pub view: String,
}

#[derive(Debug, Clone)]
pub struct IncidentRow {
    pub id: String,
    pub number: String,
    pub state: StateMark,
    pub title: String,
    pub to: String,
    /// "booking · P2".
    pub about: String,
    /// "316 cases", "nobody yet".
    pub hurts: String,
    pub who: Person,
    pub age: Moment,
}
