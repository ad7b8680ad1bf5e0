//! Forms whose number of fields is not fixed, such as the levels of a policy: what was typed, and what was wrong
//! with it, beside the field. Nothing typed is lost when something is wrong.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::Deserialize;

use crate::console::prelude::{Current, Pick};
use crate::console::screens::settings::{Control, Field, Move, SettingsPart};

/// Names and values in the order in which the form had them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Typed(Vec<(String, String)>);

impl Typed {
    /// What stands in a field; empty when the form had no such field.
    pub(super) fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// What stands in all fields of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(one, _)| one == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The keys of the groups of fields that are called `group-key-…`, in their order.
    pub(super) fn keys(&self, group: &str) -> Vec<&str> {
        let mut keys = Vec::new();
        for (name, _) in &self.0 {
            let key = name
                .strip_prefix(group)
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.rsplit_once('-'))
                .map(|(key, _)| key);
            if let Some(key) = key
                && !keys.contains(&key)
            {
                keys.push(key);
            }
        }
        keys
    }
}

/// Where a sentence of the API belongs: it begins with `prefix`, and is shown at `field` under the name `label`.
#[derive(Debug, Clone)]
pub(super) struct Belongs {
    pub(super) prefix: String,
    pub(super) field: String,
    pub(super) label: &'static str,
}

impl Belongs {
    pub(super) fn new(prefix: impl Into<String>, field: impl Into<String>, label: &'static str) -> Self {
        Self {
            prefix: prefix.into(),
            field: field.into(),
            label,
        }
    }
}

/// What was wrong with a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    at: BTreeMap<String, String>,
    rest: Vec<String>,
    cause: Cause,
}

/// Why a form comes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Cause {
    /// What was typed cannot be.
    #[default]
    Refused,
    /// Somebody else was faster.
    Overtaken,
}

impl Wrong {
    /// Sorts the sentences of a refusal to the fields they speak of; the first that fits counts.
    pub(super) fn of(errors: &[String], belongs: &[Belongs]) -> Self {
        let mut wrong = Self::default();
        for error in errors {
            let found = belongs.iter().find_map(|one| {
                let rest = error.strip_prefix(one.prefix.as_str())?;
                Some((one, rest.trim_start_matches(':').trim()))
            });
            match found {
                Some((one, rest)) => wrong.add(&one.field, format!("{} {rest}", one.label)),
                None => wrong.rest.push(error.clone()),
            }
        }
        wrong
    }

    /// The first sentence about a field is shown; one is enough to mend it.
    pub(super) fn add(&mut self, field: &str, words: impl Into<String>) {
        self.at.entry(field.to_owned()).or_insert_with(|| words.into());
    }

    /// Says something of the whole form, above it.
    pub(super) fn say(&mut self, words: impl Into<String>) {
        self.rest.push(words.into());
    }

    /// Somebody else changed the thing while the form was open.
    pub(super) fn overtaken(&mut self) {
        self.cause = Cause::Overtaken;
    }

    /// The status of a page with the form.
    pub(super) fn status(&self) -> StatusCode {
        match self.cause {
            _ if self.is_empty() => StatusCode::OK,
            Cause::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            Cause::Overtaken => StatusCode::CONFLICT,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at.is_empty() && self.rest.is_empty()
    }

    /// Puts what is wrong beside its field, and what belongs to none of them above the form.
    pub(super) fn beside(&self, fields: Vec<Field>) -> (Option<SettingsPart>, Vec<Field>) {
        let mut words = self.rest.clone();
        words.extend(
            self.at
                .iter()
                .filter(|(name, _)| !fields.iter().any(|field| field.name == **name))
                .map(|(_, words)| words.clone()),
        );
        let fields = fields
            .into_iter()
            .map(|field| match self.at.get(&field.name) {
                Some(words) => field.problem(words.clone()),
                None => field,
            })
            .collect();
        let above = (!self.is_empty()).then(|| SettingsPart::Problem {
            title: "Nothing was changed yet".to_owned(),
            words: if words.is_empty() {
                "What is wrong is said beside the field; all that you typed is still there.".to_owned()
            } else {
                words.join(" ")
            },
        });
        (above, fields)
    }
}

/// The heading of one group of several, with the buttons that move it: "Layer 2".
pub(super) fn heading(field: String, what: &str, key: &str, place: usize, count: usize) -> Field {
    let moved = |act: &str, words: &str| Move {
        act: format!("{act}-{key}"),
        icon: if act == "up" { "up" } else { "down" },
        words: format!("Move {} {place} {words}", what.to_lowercase()),
    };
    let up = (place > 1).then(|| moved("up", "up"));
    let down = (place < count).then(|| moved("down", "down"));
    let moves = up.into_iter().chain(down).collect();
    Field::new(field, format!("{what} {place}"), Control::Heading { moves })
}

/// Moves one of `list` as the button says that was pressed; nothing when it was another button.
pub(super) fn moved<T>(list: &mut [T], act: &str, key: impl Fn(&T) -> &str) -> Option<()> {
    let (step, wanted) = match act.split_once('-')? {
        ("up", wanted) => (-1, wanted),
        ("down", wanted) => (1, wanted),
        _ => return None,
    };
    if let Some(at) = list.iter().position(|one| key(one) == wanted)
        && let Some(other) = at.checked_add_signed(step).filter(|other| *other < list.len())
    {
        list.swap(at, other);
    }
    Some(())
}

/// The choices with this one chosen. One that is no longer offered, such as somebody who left, stays to be seen.
pub(super) fn chosen(picks: &[Pick], value: &str) -> Vec<Pick> {
    let mut picks: Vec<Pick> = picks
        .iter()
        .map(|pick| Pick {
            current: if pick.value == value {
                Current::Yes
            } else {
                Current::No
            },
            ..pick.clone()
        })
        .collect();
    if !value.is_empty() && !picks.iter().any(|pick| pick.current == Current::Yes) {
        picks.push(Pick::new(value, "Somebody who is not here any more").current());
    }
    picks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Typed(pairs.iter().map(owned).collect())
    }

    #[test]
    fn groups_of_fields_are_found_in_their_order() {
        let form = typed(&[
            ("name", "x"),
            ("level-b-1-who", "1"),
            ("level-b-1-who", "2"),
            ("level-a-who", "3"),
            ("levels-c-who", "4"),
        ]);
        assert_eq!(form.keys("level"), ["b-1", "a"]);
        assert_eq!(form.all("level-b-1-who").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.text("missing"), "");
    }

    #[test]
    fn a_sentence_stands_beside_its_field_or_above_the_form() {
        let belongs = [Belongs::new("rules[0].delay", "level-a-delay", "The time")];
        let errors = [
            "rules[0].delay must lie between 1 and 9.".to_owned(),
            "Something else.".to_owned(),
        ];
        let wrong = Wrong::of(&errors, &belongs);
        let field = Field::new("level-a-delay", "Minutes", Control::Heading { moves: Vec::new() });
        let (above, fields) = wrong.beside(vec![field]);
        assert_eq!(
            fields[0].problem.as_deref(),
            Some("The time must lie between 1 and 9.")
        );
        let Some(SettingsPart::Problem { words, .. }) = above else {
            panic!("nothing above")
        };
        assert_eq!(words, "Something else.");
    }

    #[test]
    fn a_group_moves_one_place_and_not_past_the_ends() {
        let mut keys = ["a", "new1", "c"];
        assert_eq!(moved(&mut keys, "up-new1", |key| key), Some(()));
        assert_eq!(keys, ["new1", "a", "c"]);
        moved(&mut keys, "up-new1", |key| key);
        moved(&mut keys, "down-c", |key| key);
        moved(&mut keys, "down-nobody", |key| key);
        assert_eq!(keys, ["new1", "a", "c"]);
        assert_eq!(moved(&mut keys, "more", |key| key), None);
    }

    #[test]
    fn only_what_can_move_is_offered_to() {
        let acts = |place| match heading("x".to_owned(), "Layer", "k", place, 2).control {
            Control::Heading { moves } => moves.into_iter().map(|one| one.act).collect(),
            _ => Vec::new(),
        };
        assert_eq!(
            (acts(1), acts(2)),
            (vec!["down-k".to_owned()], vec!["up-k".to_owned()])
        );
    }

    #[test]
    fn whoever_left_is_still_shown_as_chosen() {
        let picks = [Pick::new("", "Nobody"), Pick::new("a", "Maya")];
        assert_eq!(chosen(&picks, "a")[1], Pick::new("a", "Maya").current());
        assert_eq!(chosen(&picks, "b")[2].current, Current::Yes);
        assert_eq!(chosen(&picks, "").len(), 2);
    }
}
