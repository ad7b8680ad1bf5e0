//! Forms that are sent over somebody else's change.
//!
//! A form that changes a thing carries, hidden, what its fields said when it was drawn, a short hash for each. When it
//! is sent and the thing says something else by then, nothing is changed: the form comes back with what was typed, says
//! who was faster, and marks what they changed. A field that the reader had left alone shows what stands now; one that
//! both changed keeps what the reader typed. Sent once more, it counts. The look at the thing and its change are two
//! transactions; of two forms that arrive within the same few milliseconds the later one wins.

use std::collections::BTreeMap;

use super::sheet::words_of;
use super::typed::{Typed, Wrong};
use crate::access::{audit, token};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::console::prelude::{Current, Pick};
use crate::console::screens::settings::{Control, Field};
use crate::http::Problem;

const NAME: &str = "seen";
/// Enough to tell two values of one field apart.
const HASH_LENGTH: usize = 10;

/// What the fields of a form said when it was drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen(String);

impl Seen {
    pub(super) fn of(fields: &[Field]) -> Self {
        let parts: Vec<String> = fields
            .iter()
            .filter_map(|field| Some(format!("{}:{}", field.name, hashed(&value_of(field)?))))
            .collect();
        Self(parts.join(" "))
    }

    /// As the form brought it; nothing from a form that was drawn without.
    pub(super) fn brought_by(typed: &Typed) -> Self {
        Self(typed.text(NAME).to_owned())
    }

    /// The fields of the form with what was seen hidden among them.
    pub(super) fn hidden_in(self, mut fields: Vec<Field>) -> Vec<Field> {
        fields.push(Field::new(NAME, "", Control::Hidden { value: self.0 }));
        fields
    }

    fn hashes(&self) -> BTreeMap<&str, &str> {
        self.0
            .split(' ')
            .filter_map(|part| part.rsplit_once(':'))
            .collect()
    }
}

/// The form as it comes back with what happened to the thing meanwhile; nothing when nobody was faster. `stands` are
/// its fields as they would be drawn now, `drawn` as they were typed, `id` the thing's.
pub(super) async fn overtaken(
    app: &App,
    visitor: &Visitor,
    id: &str,
    typed: &Typed,
    drawn: Vec<Field>,
    stands: &[Field],
) -> Result<Option<(Vec<Field>, Wrong)>, PageProblem> {
    let seen = Seen::brought_by(typed);
    if seen == Seen::default() || seen == Seen::of(stands) {
        return Ok(None);
    }
    let filter = audit::AuditFilter {
        resource_id: Some(id.to_owned()),
        ..audit::AuditFilter::default()
    };
    let last = app
        .read(move |tx| -> Result<_, Problem> { Ok(audit::list(tx, &filter, 1)?.pop()) })
        .await?;
    let who = match last {
        Some(record) => {
            let me = visitor.0.user_id().map(AsRef::<str>::as_ref);
            let name = match record.actor_id.as_deref() {
                Some(actor) if Some(actor) == me => "You, in another window,",
                _ => record.actor_name.as_str(),
            };
            (
                name.to_owned(),
                format!(" at {}", visitor.reading(app).clock_words(record.at)),
            )
        }
        None => ("Somebody".to_owned(), String::new()),
    };
    let (fields, wrong) = merged(&seen, drawn, stands, &who);
    Ok((!wrong.is_empty()).then_some((fields, wrong)))
}

/// What was typed, with what stands now where the reader had left a field alone. `who` is a name and a time.
fn merged(seen: &Seen, drawn: Vec<Field>, stands: &[Field], who: &(String, String)) -> (Vec<Field>, Wrong) {
    let (name, when) = who;
    let (seen, mut wrong) = (seen.hashes(), Wrong::default());
    let fields: Vec<Field> = drawn
        .into_iter()
        .map(|field| {
            let now = stands.iter().find(|one| one.name == field.name);
            let (Some(shown), Some(now)) = (seen.get(field.name.as_str()), now) else {
                return field;
            };
            let (typed, current) = (hash_of(&field), hash_of(now));
            if current == *shown || current == typed {
                return field;
            }
            if typed == *shown {
                wrong.add(
                    &field.name,
                    format!("{name} changed this{when}. It stands here as they left it."),
                );
                return Field {
                    control: now.control.clone(),
                    ..field
                };
            }
            let made = words_of(now).map_or_else(
                || "emptied this".to_owned(),
                |(_, words)| format!("made this “{words}”"),
            );
            wrong.add(
                &field.name,
                format!("{name} {made}{when}. What you typed stands here."),
            );
            field
        })
        .collect();
    let others = |fields: &[Field]| -> Vec<String> {
        let named = fields.iter().filter(|field| value_of(field).is_some());
        named.map(|field| field.name.clone()).collect()
    };
    let regrouped = others(stands)
        .iter()
        .any(|name| !seen.contains_key(name.as_str()))
        || seen
            .keys()
            .any(|name| !stands.iter().any(|field| field.name == *name));
    if regrouped {
        wrong.say(format!(
            "{name} added or took away parts of this{when}. What you typed stands here; leave it as it is to see theirs."
        ));
    }
    if !wrong.is_empty() {
        wrong.say(format!(
            "{name} changed this{when}, while your form was open. Look at what is marked, and send it again if it is right."
        ));
        wrong.overtaken();
    }
    (fields, wrong)
}

fn hash_of(field: &Field) -> String {
    value_of(field).map(|value| hashed(&value)).unwrap_or_default()
}

fn hashed(value: &str) -> String {
    let value = value.replace("\r\n", "\n");
    token::hash(value.trim()).chars().take(HASH_LENGTH).collect()
}

/// What a field sends; nothing for what is no field.
fn value_of(field: &Field) -> Option<String> {
    let chosen = |picks: &[Pick]| {
        let current = picks.iter().find(|pick| pick.current == Current::Yes);
        // A list where nothing is chosen sends its first.
        current
            .or(picks.first())
            .map(|pick| pick.value.clone())
            .unwrap_or_default()
    };
    Some(match &field.control {
        Control::Line { value, .. } | Control::Lines { value, .. } => value.clone(),
        Control::Select { picks } => chosen(picks),
        Control::Check { current, .. } => match current {
            Current::Yes => "yes".to_owned(),
            Current::No => String::new(),
        },
        Control::Ordered { places } => {
            let all: Vec<String> = places.iter().map(|picks| chosen(picks)).collect();
            let filled: Vec<&str> = all
                .iter()
                .map(String::as_str)
                .filter(|one| !one.is_empty())
                .collect();
            filled.join("\n")
        }
        Control::Heading { .. } | Control::Hidden { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{line, lines};
    use super::*;

    fn form(name: &str, words: &str) -> Vec<Field> {
        vec![line("name", "Name", name), lines("words", "Words", words)]
    }

    fn meeting(typed: Vec<Field>, stands: &[Field]) -> (Vec<Option<String>>, bool) {
        let seen = Seen::of(&form("tills", "old\nwords"));
        let who = ("Priya".to_owned(), " at 06:12".to_owned());
        let (fields, wrong) = merged(&seen, typed, stands, &who);
        (fields.iter().map(value_of).collect(), wrong.is_empty())
    }

    #[test]
    fn what_the_reader_left_alone_shows_what_stands_now() {
        let (fields, quiet) = meeting(
            form("tills of Leeds", "old\r\nwords"),
            &form("tills", "new words"),
        );
        assert_eq!(
            fields,
            [Some("tills of Leeds".to_owned()), Some("new words".to_owned())]
        );
        assert!(!quiet);
    }

    #[test]
    fn what_both_changed_keeps_what_was_typed() {
        let (fields, quiet) = meeting(form("mine", "old\nwords"), &form("theirs", "old\nwords"));
        assert_eq!(fields[0], Some("mine".to_owned()));
        assert!(!quiet);
    }

    #[test]
    fn two_who_make_the_same_change_do_not_meet() {
        let (_, quiet) = meeting(form("tills 2", "old\nwords"), &form("tills 2", "old\nwords"));
        assert!(quiet);
    }

    #[test]
    fn parts_that_were_taken_away_are_told() {
        let (_, quiet) = meeting(form("mine", "old\nwords"), &form("tills", "old\nwords")[..1]);
        assert!(!quiet);
    }
}
