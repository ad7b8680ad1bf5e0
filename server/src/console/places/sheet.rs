//! A page with the form that changes one thing: how it is drawn, what its fields are made of, and what becomes of it
//! once it was sent. What the API refuses stands beside its field, with everything as it was typed; if the thing was
//! taken away meanwhile, what was typed is shown so that it can be copied.

use axum::http::StatusCode;
use axum::response::Response;

use super::typed::{Belongs, Wrong};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor, show_with_status};
use crate::console::prelude::{Current, Link, Pick, Place, Rich};
use crate::console::screens::settings::{Control, Field, Form, Required, Settings, SettingsPart, Written};
use crate::http::Problem;

/// One thing to be changed, with the form in its parts.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub(super) place: Place,
    pub(super) headline: String,
    pub(super) below: Rich,
    pub(super) parts: Vec<SettingsPart>,
}

impl Sheet {
    pub(super) fn shown(
        self,
        app: &App,
        visitor: &Visitor,
        situation: Situation,
        status: StatusCode,
    ) -> Response {
        show_with_status(
            status,
            &Settings {
                frame: visitor.frame(app, self.place, self.headline.clone(), situation),
                headline: self.headline,
                below: self.below,
                places: Vec::new(),
                parts: self.parts,
            },
        )
    }
}

/// A form with what is wrong beside its fields.
pub(super) fn parts_of(form: Form, wrong: &Wrong) -> Vec<SettingsPart> {
    let (above, fields) = wrong.beside(form.fields);
    above
        .into_iter()
        .chain([SettingsPart::Form(Form { fields, ..form })])
        .collect()
}

/// The status of a page with a form, by what is wrong with it.
pub(super) fn status_of(wrong: &Wrong) -> StatusCode {
    wrong.status()
}

/// What becomes of a form that was sent.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    Done(T),
    /// It is shown again with what was typed.
    Wrong(Wrong),
    /// There is nothing left to change.
    Gone,
}

impl<T> Outcome<T> {
    pub(super) fn of(answer: Result<T, Problem>, belongs: &[Belongs]) -> Result<Self, PageProblem> {
        match answer {
            Ok(done) => Ok(Self::Done(done)),
            Err(problem) => match problem.status() {
                StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::CONFLICT => {
                    Ok(Self::Wrong(Wrong::of(problem.errors(), belongs)))
                }
                StatusCode::NOT_FOUND => Ok(Self::Gone),
                _ => Err(problem.into()),
            },
        }
    }
}

/// What is said when the thing is not there any more.
#[derive(Debug, Clone)]
pub(super) struct Gone {
    pub(super) place: Place,
    /// "This service".
    pub(super) what: &'static str,
    /// Where the others are.
    pub(super) back: Link,
}

impl Gone {
    /// `fields` hold what was typed.
    pub(super) fn shown(
        self,
        app: &App,
        visitor: &Visitor,
        situation: Situation,
        fields: &[Field],
    ) -> Response {
        let typed: Vec<(String, Rich)> = fields
            .iter()
            .filter_map(words_of)
            .map(|(name, words)| (name, Rich::plain(words)))
            .collect();
        let kept = if typed.is_empty() {
            ""
        } else {
            " What you typed is below, so that you can copy it."
        };
        let mut parts = vec![SettingsPart::Problem {
            title: "Nothing was changed".to_owned(),
            words: format!("Somebody took it away while this page was open.{kept}"),
        }];
        if !typed.is_empty() {
            parts.push(SettingsPart::Facts {
                title: "What you typed".to_owned(),
                facts: typed,
            });
        }
        let sheet = Sheet {
            place: self.place,
            headline: format!("{} is not here any more", self.what),
            below: Rich::default().link(self.back.words, self.back.to),
            parts,
        };
        sheet.shown(app, visitor, situation, StatusCode::NOT_FOUND)
    }
}

/// What stands in a field, in words; nothing where it says nothing.
pub(super) fn words_of(field: &Field) -> Option<(String, String)> {
    let current = |picks: &[Pick]| {
        picks
            .iter()
            .find(|pick| pick.current == Current::Yes && !pick.value.is_empty())
            .map(|pick| pick.words.clone())
    };
    let words = match &field.control {
        Control::Line { value, .. } | Control::Lines { value, .. } => value.trim().to_owned(),
        Control::Select { picks } => current(picks)?,
        Control::Check { words, current } => match current {
            Current::Yes => (*words).to_owned(),
            Current::No => return None,
        },
        Control::Ordered { places } => {
            let all: Vec<String> = places.iter().filter_map(|picks| current(picks)).collect();
            all.join(", ")
        }
        Control::Heading { .. } | Control::Hidden { .. } => return None,
    };
    (!words.is_empty()).then(|| (field.label.to_string(), words))
}

/// A line that must be filled in.
pub(super) fn line(name: &str, label: &'static str, value: &str) -> Field {
    one_line(name, label, "text", value, Required::Yes)
}

/// A line of some kind of input, such as `number`, that must be filled in.
pub(super) fn line_of(kind: &'static str, name: &str, label: &'static str, value: &str) -> Field {
    one_line(name, label, kind, value, Required::Yes)
}

/// A line that may stay empty.
pub(super) fn optional(name: &str, label: &'static str, value: &str) -> Field {
    one_line(name, label, "text", value, Required::No)
}

/// A line of some kind of input, such as `number`, that may stay empty.
pub(super) fn optional_of(kind: &'static str, name: &str, label: &'static str, value: &str) -> Field {
    one_line(name, label, kind, value, Required::No)
}

fn one_line(name: &str, label: &'static str, kind: &'static str, value: &str, required: Required) -> Field {
    let value = value.to_owned();
    Field::new(
        name,
        label,
        Control::Line {
            kind,
            value,
            required,
        },
    )
}

/// Words of several lines.
pub(super) fn lines(name: &str, label: &'static str, value: &str) -> Field {
    several_lines(name, label, value, Written::InWords)
}

/// Several lines of code, such as conditions.
pub(super) fn code(name: &str, label: &'static str, value: &str) -> Field {
    several_lines(name, label, value, Written::InCode)
}

fn several_lines(name: &str, label: &'static str, value: &str, written: Written) -> Field {
    let value = value.to_owned();
    Field::new(name, label, Control::Lines { value, written })
}

/// One of several; a value that is not offered any more is shown as `missing`.
pub(super) fn select(
    name: &str,
    label: &'static str,
    picks: &[Pick],
    value: &str,
    missing: &'static str,
) -> Field {
    let picks = picked(picks, value, missing);
    Field::new(name, label, Control::Select { picks })
}

/// The choices with this one chosen.
pub(super) fn picked(picks: &[Pick], value: &str, missing: &'static str) -> Vec<Pick> {
    let mut picks: Vec<Pick> = picks
        .iter()
        .map(|pick| {
            let plain = Pick::new(pick.value.clone(), pick.words.clone());
            if pick.value == value {
                plain.current()
            } else {
                plain
            }
        })
        .collect();
    if !value.is_empty() && !picks.iter().any(|pick| pick.current == Current::Yes) {
        picks.push(Pick::new(value, missing).current());
    }
    picks
}

/// The same for choices that never change.
pub(super) fn choice(name: &str, label: &'static str, picks: &[(&str, &str)], value: &str) -> Field {
    let picks: Vec<Pick> = picks
        .iter()
        .map(|(value, words)| Pick::new(*value, *words))
        .collect();
    select(name, label, &picks, value, "Something else")
}

/// Ticked when `value` is `yes`.
pub(super) fn check(name: &str, label: &'static str, words: &'static str, value: &str) -> Field {
    let current = if value == "yes" { Current::Yes } else { Current::No };
    Field::new(name, label, Control::Check { words, current })
}

pub(super) fn heading(name: &str, words: &'static str) -> Field {
    Field::new(name, words, Control::Heading { moves: Vec::new() })
}

/// A text as the API takes it: without blanks around it, and null where nothing is left.
pub(super) fn text_or_null(text: &str) -> serde_json::Value {
    match text.trim() {
        "" => serde_json::Value::Null,
        text => serde_json::Value::from(text.replace("\r\n", "\n")),
    }
}
