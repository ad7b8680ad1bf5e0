//! Settings and other plain lists: people, teams, keys, integrations, escalation policies, outbox, audit. One
//! screen draws them all: a table that is typed by what stands in its cells, a form in the kit's fields.

use std::borrow::Cow;

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
    /// Sentences that explain, a line each.
    Told {
        title: String,
        lines: Vec<Rich>,
    },
    /// A button by itself, below what it does.
    Act {
        title: String,
        words: String,
        button: Button,
    },
}

#[derive(Debug, Clone)]
pub struct Table {
    pub title: String,
    pub note: String,
    /// A column without a name holds what can be done.
    pub columns: Vec<&'static str>,
    pub rows: Vec<TableRow>,
    pub empty: Empty,
    pub pagination: Option<Pagination>,
    pub live: Option<Live>,
}

/// A table whose rows change while they are looked at.
#[derive(Debug, Clone)]
pub struct Live {
    /// Unique on the page.
    pub id: &'static str,
    /// What the stream says when something has changed.
    pub topic: &'static str,
    /// Where the page is that holds the table.
    pub from: String,
}

#[derive(Debug, Clone)]
pub struct TableRow {
    pub id: String,
    pub cells: Vec<Cell>,
}

impl Form {
    /// Whether a button other than the form's own stands first in it.
    fn has_moves(&self) -> bool {
        self.fields
            .iter()
            .any(|field| matches!(&field.control, Control::Heading { moves } if !moves.is_empty()))
    }
}

impl Settings {
    /// One button of a page is filled: that of its only form, or of the form that changes something.
    fn weight(&self, form: &Form) -> &'static str {
        let forms = self
            .parts
            .iter()
            .filter(|part| matches!(part, SettingsPart::Form(_)))
            .count();
        if forms == 1 || form.back.is_some() {
            " primary"
        } else {
            ""
        }
    }
}

impl Table {
    /// The cells of a row with the names of their columns, which a phone shows beside them.
    fn named<'a>(&'a self, row: &'a TableRow) -> impl Iterator<Item = (&'static str, &'a Cell)> {
        let names = self.columns.iter().copied().chain(std::iter::repeat(""));
        names.zip(&row.cells)
    }
}

#[derive(Debug, Clone)]
pub enum Cell {
    Words(Rich),
    Title {
        link: Option<Link>,
        name: String,
        below: String,
    },
    /// A message: its subject, how it begins, and the whole to be unfolded.
    Message {
        subject: String,
        beginning: String,
        whole: Rich,
    },
    State(StateMark),
    Person(Person),
    Moment(Moment),
    /// A state and since when.
    StateAt(StateMark, Moment),
    Number(String),
    /// What can be done with the row, side by side.
    Buttons(Vec<Button>),
    /// One of several, set from the row: "Responder", and the button that sets it.
    Choose {
        /// For screen readers: "What Maya Okafor is in it".
        label: String,
        /// What the form calls it.
        name: &'static str,
        picks: Vec<Pick>,
        to: String,
        verb: &'static str,
    },
    Nothing,
}

impl Cell {
    /// One button that posts.
    pub fn post(words: &'static str, to: impl Into<String>, weight: Weight) -> Self {
        Self::Buttons(vec![Button::post(words, to, weight)])
    }
}

/// A button in a row.
#[derive(Debug, Clone)]
pub enum Button {
    /// Does it at once, or after a question.
    Post {
        words: &'static str,
        to: String,
        weight: Weight,
    },
    /// Needs another screen, or a form of this one.
    Open { words: &'static str, to: String },
}

impl Button {
    pub fn post(words: &'static str, to: impl Into<String>, weight: Weight) -> Self {
        Self::Post {
            words,
            to: to.into(),
            weight,
        }
    }

    pub fn open(words: &'static str, to: impl Into<String>) -> Self {
        Self::Open { words, to: to.into() }
    }
}

/// How much a button weighs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weight {
    Plain,
    /// It takes something away; the question that is asked before.
    Danger(String),
}

#[derive(Debug, Clone)]
pub struct Form {
    /// Unique on the page.
    pub id: &'static str,
    pub title: String,
    pub words: String,
    pub post_to: String,
    pub fields: Vec<Field>,
    pub verb: &'static str,
    /// What else the form can be sent for: the value of `act`, and the words on the button.
    pub also: Vec<(&'static str, &'static str)>,
    /// The way out of a form that changes something.
    pub back: Option<Link>,
}

#[derive(Debug, Clone)]
pub struct Field {
    /// What the form calls it. Unique on the page.
    pub name: String,
    pub label: Cow<'static, str>,
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
        written: Written,
    },
    Select {
        picks: Vec<Pick>,
    },
    Check {
        words: &'static str,
        current: Current,
    },
    /// Several in an order, each picked by itself; who is picked nowhere is not in it.
    Ordered {
        places: Vec<Vec<Pick>>,
    },
    /// What the form carries and nobody sees.
    Hidden {
        value: String,
    },
    /// A heading between fields: what those below are about, and how it changes its place among its like.
    Heading {
        moves: Vec<Move>,
    },
}

/// What is written in a field of several lines, which sets its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    InWords,
    InCode,
}

/// A button that moves a group of fields; the form comes back with all that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What the form sends as `act`.
    pub act: String,
    pub icon: &'static str,
    /// "Move layer 2 up".
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    No,
    Yes,
}

impl Field {
    pub fn new(name: impl Into<String>, label: impl Into<Cow<'static, str>>, control: Control) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
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

    /// What stands in the field at first.
    #[must_use]
    pub fn filled(mut self, with: impl Into<String>) -> Self {
        let with = with.into();
        match &mut self.control {
            Control::Line { value, .. } | Control::Lines { value, .. } => *value = with,
            Control::Select { picks } => {
                for pick in picks {
                    pick.current = if pick.value == with {
                        Current::Yes
                    } else {
                        Current::No
                    };
                }
            }
            Control::Check { .. }
            | Control::Ordered { .. }
            | Control::Hidden { .. }
            | Control::Heading { .. } => {}
        }
        self
    }
}
