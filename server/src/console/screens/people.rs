//! Customers, and the case of one of them.

use askama::Template;

use super::room::Figure;
use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/customers.html")]
pub struct Customers {
    pub frame: Frame,
    pub headline: String,
    /// What was looked for.
    pub words: String,
    pub tiers: Vec<Pick>,
    /// To the form that adds one, for whoever may.
    pub add: Option<Link>,
    pub rows: Vec<CustomerRow>,
    pub pagination: Pagination,
}

#[derive(Debug, Clone)]
pub struct CustomerRow {
    pub id: String,
    pub to: String,
    pub name: String,
    /// "Gold, 9 years".
    pub standing: String,
    pub uses: String,
    pub open_cases: String,
    /// What hurts them now, when something does.
    pub state: Option<StateMark>,
}

/// One customer or one location: who they are, what they use, what they told us and what we told them.
#[derive(Debug, Clone, Template)]
#[template(path = "console/customer.html")]
pub struct Customer {
    pub frame: Frame,
    pub name: String,
    pub standing: String,
    /// How they are just now, when there is something to say.
    pub state: Option<StateMark>,
    /// "About them", "About it".
    pub about: &'static str,
    /// Said where there are no cases.
    pub nothing_reported: &'static str,
    pub figures: Vec<Figure>,
    pub facts: Vec<(String, Rich)>,
    pub cases: Vec<CaseRow>,
    /// To the form that changes it, for whoever may.
    pub change: Option<Link>,
    pub story: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub struct CaseRow {
    pub id: String,
    pub to: String,
    pub number: String,
    pub title: String,
    pub age: Moment,
    pub state: StateMark,
}
