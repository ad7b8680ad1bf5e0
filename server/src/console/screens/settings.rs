//! Settings and other plain lists: people, teams, keys, integrations, escalation policies, outbox, audit. One
//! screen draws them all: a table that is typed by what stands in its cells, a form in the kit's fields.

use askama::Template;

use crate::console::prelude::*;

/// A page of settings: a list, what can be added to it, and where one is.
#[derive(Debug, Clone, Template)]
#[template(path = "console/settings.html")]
pub struct Settings {
    pub frame: Frame,
    pub headline: String,
    pub below: Rich,
    /// The pages of settings.
    pub places: Vec<Choice>,
    pub parts: Vec<SettingsPart>,
}

#[derive(Debug, Clone)]
pub enum SettingsPart {
    Table(Table),
    Form(Form),
    /// A secret that is shown once and can be copied.
    Secret {
        id: &'static str,
        title: String,
        words: String,
        secret: String,
    },
    Facts {
        title: String,
        facts: Vec<(String, Rich)>,
    },
    Problem {
        title: String,
        words: String,
    },
}

#[derive(Debug, Clone)]
pub struct Table {
    pub title: String,
    pub note: String,
    pub columns: Vec<&'static str>,
    pub rows: Vec<TableRow>,
    pub empty: Empty,
    pub pagination: Option<Pagination>,
}

#[derive(Debug, Clone)]
pub struct TableRow {
    pub id: String,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone)]
pub enum Cell {
    Words(Rich),
    Title {
        link: Option<Link>,
        name: String,
        below: String,
    },
    State(StateMark),
    Person(Person),
    Moment(Moment),
    Number(String),
    /// A button in the row: what it says and where it posts.
    Post {
        words: &'static str,
        to: String,
        weight: Weight,
    },
    Nothing,
}

/// How much a button weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Plain,
    /// It takes something away.
    Danger,
}

#[derive(Debug, Clone)]
pub struct Form {
    pub title: String,
    pub words: String,
    pub post_to: String,
    pub fields: Vec<Field>,
    pub verb: &'static str,
}

#[derive(Debug, Clone)]
pub struct Field {
    /// What the form calls it. Unique on the page.
    pub name: String,
    pub label: &'static str,
    pub hint: &'static str,
    pub problem: Option<String>,
    pub control: Control,
}

#[derive(Debug, Clone)]
pub enum Control {
    /// `kind` is the input's type: `text`, `email`, `password`, `number`.
    Line {
        kind: &'static str,
        value: String,
        required: Required,
    },
    Lines {
        value: String,
    },
    Select {
        picks: Vec<Pick>,
    },
    Check {
        words: &'static str,
        current: Current,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    No,
    Yes,
}

impl Field {
    pub fn new(name: impl Into<String>, label: &'static str, control: Control) -> Self {
        Self {
            name: name.into(),
            label,
            hint: "",
            problem: None,
            control,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    #[must_use]
    pub fn problem(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }
}
