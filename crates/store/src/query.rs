//! Statements with optional parts, for lists that can be filtered and sorted.
//!
//! The whole text is one literal. Values are named, and parts in braces come and go:
//!
//! ```
//! use store::query;
//! let (status, team): (Option<&str>, Option<&str>) = (Some("open"), None);
//! let list = query!(
//!     "SELECT id, title FROM incidents
//!       WHERE account = $account
//!       {AND status = $status}
//!       {AND team = $team}
//!       {only_late: AND due_at < $now}
//!       ORDER BY {sort=newest: created_at DESC} {sort=title: title}, id
//!       LIMIT $limit"
//! )
//! .bind("account", "A1")
//! .bind("now", 1_700_000_000_000_000_i64)
//! .bind("limit", 25)
//! .bind_optional("status", status)
//! .bind_optional("team", team)
//! .choose("sort", "newest");
//! # let _: store::Query = list;
//! ```
//!
//! - `{…}` stays when all values named in it are bound; here the part with `$status` stays, that with `$team` goes.
//! - `{name: …}` stays when [`Query::with`] names it.
//! - `{group=name: …}` stays when [`Query::choose`] names it; one of each group must be chosen.
//!
//! Only literals of the program get into the text, and values are always bound. A name that is misspelled is an error
//! when the query runs, and the test that prepares all statements covers every part and choice.

use crate::statement::{is_word, quoted_length};
use crate::{Error, FromRow, Statement, Tx, Value};

/// A statement with optional parts, and its values. Made by [`crate::query!`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Query {
    text: &'static str,
    values: Vec<(&'static str, Value)>,
    absent: Vec<&'static str>,
    parts: Vec<&'static str>,
    choices: Vec<(&'static str, &'static str)>,
}

/// Marks the text of a statement with optional parts and makes a [`Query`] of it.
///
/// Like [`crate::sql!`] it takes one literal, or several pieces that are literals or constants.
#[macro_export]
macro_rules! query {
    ($($piece:expr),+ $(,)?) => {{
        const __STORE_PIECES: &[&str] = &[$($piece),+];
        const __STORE_JOINED: [u8; $crate::statement::joined_length(__STORE_PIECES)] =
            $crate::statement::joined(__STORE_PIECES);
        const __STORE_TEXT: &str = $crate::statement::text(&__STORE_JOINED);
        $crate::Query::of(__STORE_TEXT)
    }};
}

impl Query {
    /// Used by [`crate::query!`].
    #[doc(hidden)]
    pub const fn of(text: &'static str) -> Self {
        Self {
            text,
            values: Vec::new(),
            absent: Vec::new(),
            parts: Vec::new(),
            choices: Vec::new(),
        }
    }

    /// Binds a value to `$name`.
    pub fn bind(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Binds a value to `$name` if there is one; otherwise the parts with `$name` go.
    pub fn bind_optional<T: Into<Value>>(mut self, name: &'static str, value: Option<T>) -> Self {
        if let Some(value) = value {
            return self.bind(name, value);
        }
        self.absent.push(name);
        self
    }

    /// Keeps the part `{name: …}`.
    pub fn with(mut self, name: &'static str) -> Self {
        self.parts.push(name);
        self
    }

    /// Keeps the part `{group=name: …}`.
    pub fn choose(mut self, group: &'static str, name: &'static str) -> Self {
        self.choices.push((group, name));
        self
    }

    /// All rows of the answer. See [`Tx::rows`].
    ///
    /// # Errors
    /// As [`Tx::rows`], and [`Error::Statement`] when a name is misspelled or a value is missing.
    pub fn rows<T: FromRow>(&self, tx: &mut Tx<'_>) -> Result<Vec<T>, Error> {
        let (statement, values) = self.render()?;
        tx.rows(statement, &values)
    }

    /// The only row of the answer, such as a count. See [`Tx::one`].
    ///
    /// # Errors
    /// As [`Tx::one`], and [`Error::Statement`] when a name is misspelled or a value is missing.
    pub fn one<T: FromRow>(&self, tx: &mut Tx<'_>) -> Result<T, Error> {
        let (statement, values) = self.render()?;
        tx.one(statement, &values)
    }

    /// Runs it and counts the changed rows. See [`Tx::execute`].
    ///
    /// # Errors
    /// As [`Tx::execute`], and [`Error::Statement`] when a name is misspelled or a value is missing.
    pub fn execute(&self, tx: &mut Tx<'_>) -> Result<u64, Error> {
        let (statement, values) = self.render()?;
        tx.execute(statement, &values)
    }

    /// The statement and its values in order.
    ///
    /// # Errors
    /// [`Error::Statement`] when a name is misspelled or a value is missing.
    pub fn render(&self) -> Result<(Statement, Vec<Value>), Error> {
        let wrong = |reason: String| Error::statement(reason, self.text);
        let parts = parse(self.text).map_err(wrong)?;
        self.ensure_known(&parts).map_err(wrong)?;
        let kept = parts.iter().filter(|part| self.keeps(part)).map(|part| part.text);
        let (text, names) = number(kept);
        let values = names
            .iter()
            .map(|name| {
                self.value(name)
                    .cloned()
                    .ok_or_else(|| wrong(format!("${name} is not bound")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok((Statement::composed(text), values))
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(bound, _)| *bound == name)
            .map(|(_, value)| value)
    }

    fn keeps(&self, part: &Part<'_>) -> bool {
        match part.condition {
            Condition::Always => true,
            Condition::Bound => names_in(part.text).all(|name| self.value(name).is_some()),
            Condition::Named(name) => self.parts.contains(&name),
            Condition::Chosen(group, name) => self.choices.contains(&(group, name)),
        }
    }

    fn ensure_known(&self, parts: &[Part<'_>]) -> Result<(), String> {
        let bound = self.values.iter().map(|(name, _)| name).chain(&self.absent);
        for name in bound {
            if !parts
                .iter()
                .any(|part| names_in(part.text).any(|known| known == *name))
            {
                return Err(format!("${name} does not occur"));
            }
        }
        for name in &self.parts {
            if !parts.iter().any(|part| part.condition == Condition::Named(name)) {
                return Err(format!("the part {name} does not occur"));
            }
        }
        for (group, name) in &self.choices {
            if !parts
                .iter()
                .any(|part| part.condition == Condition::Chosen(group, name))
            {
                return Err(format!("the choice {group}={name} does not occur"));
            }
        }
        for part in parts {
            if let Condition::Chosen(group, _) = part.condition {
                let chosen = self.choices.iter().filter(|(chosen, _)| *chosen == group).count();
                if chosen != 1 {
                    return Err(format!("{chosen} choices of {group} instead of one"));
                }
            }
        }
        Ok(())
    }
}

/// A piece of the text, without its braces and heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    condition: Condition<'a>,
    text: &'a str,
}

/// When a part stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition<'a> {
    Always,
    Bound,
    Named(&'a str),
    Chosen(&'a str, &'a str),
}

fn parse(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = find(rest, b'{') {
        parts.push(Part {
            condition: Condition::Always,
            text: &rest[..open],
        });
        let inside = &rest[open + 1..];
        let close = find(inside, b'}').ok_or("a brace is not closed")?;
        let (condition, body) = heading(&inside[..close]);
        if find(body, b'{').is_some() {
            return Err("braces are nested".to_owned());
        }
        if condition == Condition::Bound && names_in(body).next().is_none() {
            return Err("a part in braces has neither a value nor a name".to_owned());
        }
        parts.push(Part {
            condition,
            text: body,
        });
        rest = &inside[close + 1..];
    }
    parts.push(Part {
        condition: Condition::Always,
        text: rest,
    });
    Ok(parts)
}

/// Splits `group=name: body` and `name: body`.
fn heading(part: &str) -> (Condition<'_>, &str) {
    if let Some((head, body)) = part.split_once(':')
        && !body.starts_with(':')
    {
        let is_name = |text: &str| !text.is_empty() && text.bytes().all(is_word);
        match head.split_once('=') {
            Some((group, name)) if is_name(group) && is_name(name) => {
                return (Condition::Chosen(group, name), body);
            }
            None if is_name(head) => return (Condition::Named(head), body),
            _ => {}
        }
    }
    (Condition::Bound, part)
}

/// Position of this byte outside of quotes and comments.
fn find(text: &str, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        if bytes[position] == wanted {
            return Some(position);
        }
        position += quoted_length(bytes, position).max(1);
    }
    None
}

/// The names behind `$`, in order, with repetitions.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let after = &rest[find(rest, b'$')? + 1..];
        let length = after.bytes().take_while(|byte| is_word(*byte)).count();
        rest = &after[length..];
        Some(&after[..length])
    })
}

/// Joins the parts, with `$1`, `$2` … in place of the names.
fn number<'a>(parts: impl Iterator<Item = &'a str>) -> (String, Vec<&'a str>) {
    let mut output = String::new();
    let mut names: Vec<&str> = Vec::new();
    for part in parts {
        let mut rest = part;
        while let Some(position) = find(rest, b'$') {
            output.push_str(&rest[..=position]);
            let after = &rest[position + 1..];
            let name = &after[..after.bytes().take_while(|byte| is_word(*byte)).count()];
            let index = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            output.push_str(&(index + 1).to_string());
            rest = &after[name.len()..];
        }
        output.push_str(rest);
    }
    (output, names)
}

/// All texts that the query can become in essence: with every optional part and without any, for each choice.
#[cfg(feature = "test-support")]
pub(crate) fn variants(text: &str) -> Result<Vec<Statement>, String> {
    let parts = parse(text)?;
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for part in &parts {
        if let Condition::Chosen(group, name) = part.condition {
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => groups.push((group, vec![name])),
            }
        }
    }
    let first: Vec<(&str, &str)> = groups.iter().map(|(group, names)| (*group, names[0])).collect();
    let mut choices = vec![first.clone()];
    for (position, (group, names)) in groups.iter().enumerate() {
        choices.extend(names[1..].iter().map(|name| {
            let mut choice = first.clone();
            choice[position] = (*group, *name);
            choice
        }));
    }
    let mut statements = Vec::new();
    for choice in choices {
        for keeps_optional in [true, false] {
            let kept = parts.iter().filter(|part| match part.condition {
                Condition::Always => true,
                Condition::Bound | Condition::Named(_) => keeps_optional,
                Condition::Chosen(group, name) => choice.contains(&(group, name)),
            });
            statements.push(Statement::composed(number(kept.map(|part| part.text)).0));
        }
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    fn list() -> Query {
        query!(
            "SELECT id FROM incidents WHERE account = $account {AND status = ANY($status)} \
             {AND (team = $team OR owner = $team)} {late: AND due_at < $now} \
             ORDER BY {sort=newest: created_at DESC}{sort=title: title} LIMIT $limit"
        )
        .bind("account", "A")
        .bind("limit", 25)
    }

    fn text(query: &Query) -> String {
        query.render().unwrap().0.text(Engine::Postgres).to_owned()
    }

    #[test]
    fn drops_parts_whose_values_are_missing() {
        let query = list()
            .bind_optional("status", None::<Vec<String>>)
            .choose("sort", "title");
        assert_eq!(
            text(&query),
            "SELECT id FROM incidents WHERE account = $1    ORDER BY  title LIMIT $2"
        );
        assert_eq!(query.render().unwrap().1, vec![Value::from("A"), Value::from(25)]);
    }

    #[test]
    fn keeps_parts_and_numbers_each_name_once() {
        let query = list()
            .bind_optional("status", Some(vec!["open".to_owned()]))
            .bind_optional("team", Some("T"))
            .bind("now", 7)
            .with("late")
            .choose("sort", "newest");
        assert_eq!(
            text(&query),
            "SELECT id FROM incidents WHERE account = $1 AND status = ANY($2) AND (team = $3 OR owner = $3)  \
             AND due_at < $4 ORDER BY  created_at DESC LIMIT $5"
        );
    }

    #[test]
    fn refuses_names_that_do_not_occur() {
        let sorted = || list().choose("sort", "newest");
        for wrong in [
            sorted().bind("stauts", "x"),
            sorted().bind_optional("stauts", None::<&str>),
            sorted().with("early"),
            list().choose("sort", "size"),
            list(),
            sorted().with("late"),
        ] {
            assert!(
                matches!(wrong.render(), Err(Error::Statement { .. })),
                "{wrong:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_and_no_choice_of_parts_makes_it_panic(text in "[a-z${}=: ']{0,40}", name in "[a-z]{1,2}") {
            let text: &'static str = text.leak();
            let name: &'static str = name.leak();
            drop(Query::of(text).bind(name, 1).with(name).choose(name, name).render());
        }
    }

    #[test]
    fn refuses_texts_that_make_no_sense() {
        for wrong in ["SELECT {a", "SELECT {AND b}", "SELECT {a $b {c $d} }"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn leaves_braces_in_quotes_and_casts_alone() {
        let query = query!("SELECT '{$a}' {, $b::text}").bind("b", "x");
        assert_eq!(text(&query), "SELECT '{$a}' , $1::text");
    }
}
