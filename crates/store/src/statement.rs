//! Statements: one text with `$n` for both engines.
//!
//! The text is written for PostgreSQL and translated for SQLite while compiling, so that nothing is left to do at run
//! time. Only four things are translated, and only outside of quotes and comments:
//!
//! | written | on SQLite |
//! | --- | --- |
//! | `$1` | `?1` |
//! | `= ANY($1)` and `<> ALL($1)` | ` IN (SELECT value FROM json_each(?1))` and ` NOT IN (…)` |
//! | `ILIKE` | `LIKE`, which there ignores the case of ASCII letters |
//! | `FOR UPDATE`, `FOR NO KEY UPDATE`, `FOR SHARE`, each also with `SKIP LOCKED` or `NOWAIT` | nothing: one writer at a time |
//!
//! What differs further is written twice: `sql! { sqlite: "…", postgres: "…" }`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

/// Composed texts that one thread remembers; the server has some hundreds.
const MOST_REMEMBERED: usize = 1_000;

thread_local! {
    static REMEMBERED: RefCell<HashMap<String, String>> = RefCell::new(HashMap::new());
}

fn translate(postgres: &str) -> String {
    let mut buffer = vec![0; translated_length(postgres.as_bytes())];
    translate_into(postgres.as_bytes(), &mut buffer);
    String::from_utf8_lossy(&buffer).into_owned()
}

/// The text of a statement for both engines. Made by [`crate::sql!`] or [`crate::Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub(crate) sqlite: Cow<'static, str>,
    pub(crate) postgres: Cow<'static, str>,
}

impl Statement {
    /// Used by [`crate::sql!`]; both texts are in the language of their engine.
    #[doc(hidden)]
    pub const fn fixed(sqlite: &'static str, postgres: &'static str) -> Self {
        Self {
            sqlite: Cow::Borrowed(sqlite),
            postgres: Cow::Borrowed(postgres),
        }
    }

    /// Translates a text made at run time, of pieces that are literals of the program.
    /// A thread that composed the same text before remembers what became of it: translating one costs as much as
    /// running it.
    pub(crate) fn composed(postgres: String) -> Self {
        let sqlite = REMEMBERED.with_borrow_mut(|remembered| {
            if let Some(sqlite) = remembered.get(&postgres) {
                return sqlite.clone();
            }
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
            let sqlite = translate(&postgres);
            remembered.insert(postgres.clone(), sqlite.clone());
            sqlite
        });
        Self {
            sqlite: Cow::Owned(sqlite),
            postgres: Cow::Owned(postgres),
        }
    }

    /// A statement that is written twice, with `$n` in both texts.
    #[cfg(feature = "test-support")]
    pub(crate) fn twins(sqlite: &str, postgres: String) -> Self {
        Self {
            postgres: Cow::Owned(postgres),
            ..Self::composed(sqlite.to_owned())
        }
    }

    /// The text that is sent to this engine.
    pub fn text(&self, engine: crate::Engine) -> &str {
        match engine {
            crate::Engine::Sqlite => &self.sqlite,
            crate::Engine::Postgres => &self.postgres,
        }
    }
}

/// Marks the text of a statement and makes a [`Statement`] of it, at compile time.
///
/// The text is a literal, or several pieces that are literals or constants: `sql!("SELECT ", COLUMNS, " FROM users")`.
/// A statement that differs between the engines is written twice: `sql! { sqlite: "…", postgres: "…" }`.
/// Every use is found by `store::statements` (feature `test-support`) and prepared on both engines.
#[macro_export]
macro_rules! sql {
    (sqlite: $sqlite:expr, postgres: $postgres:expr $(,)?) => {{
        const __STORE_SQLITE: &str = $sqlite;
        const __STORE_LENGTH: usize = $crate::statement::translated_length(__STORE_SQLITE.as_bytes());
        const __STORE_BYTES: [u8; __STORE_LENGTH] = $crate::statement::translated(__STORE_SQLITE.as_bytes());
        const __STORE_STATEMENT: $crate::Statement =
            $crate::Statement::fixed($crate::statement::text(&__STORE_BYTES), $postgres);
        __STORE_STATEMENT
    }};
    ($($piece:expr),+ $(,)?) => {{
        const __STORE_PIECES: &[&str] = &[$($piece),+];
        const __STORE_JOINED: [u8; $crate::statement::joined_length(__STORE_PIECES)] =
            $crate::statement::joined(__STORE_PIECES);
        const __STORE_BYTES: [u8; $crate::statement::translated_length(&__STORE_JOINED)] =
            $crate::statement::translated(&__STORE_JOINED);
        const __STORE_STATEMENT: $crate::Statement = $crate::Statement::fixed(
            $crate::statement::text(&__STORE_BYTES),
            $crate::statement::text(&__STORE_JOINED),
        );
        __STORE_STATEMENT
    }};
}

/// How many of the replacements open a list whose next parenthesis must be closed twice; they come first.
const LISTS: usize = 2;

/// The replacements, longest first where one begins like another. A number follows `$` at the end of a pattern.
const REPLACEMENTS: [(&[u8], &[u8]); 13] = [
    (b"= ANY($", b"IN (SELECT value FROM json_each(?"),
    (b"<> ALL($", b"NOT IN (SELECT value FROM json_each(?"),
    (b"ILIKE", b"LIKE"),
    (b"FOR UPDATE SKIP LOCKED", b""),
    (b"FOR NO KEY UPDATE SKIP LOCKED", b""),
    (b"FOR SHARE SKIP LOCKED", b""),
    (b"FOR UPDATE NOWAIT", b""),
    (b"FOR NO KEY UPDATE NOWAIT", b""),
    (b"FOR SHARE NOWAIT", b""),
    (b"FOR UPDATE", b""),
    (b"FOR NO KEY UPDATE", b""),
    (b"FOR SHARE", b""),
    (b"$", b"?"),
];

/// Length of the text for SQLite, in bytes.
#[doc(hidden)]
pub const fn translated_length(text: &[u8]) -> usize {
    translate_into(text, &mut [])
}

/// The text for SQLite; `N` is [`translated_length`].
#[doc(hidden)]
pub const fn translated<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    translate_into(text, &mut output);
    output
}

/// Length of the pieces together, in bytes.
#[doc(hidden)]
pub const fn joined_length(pieces: &[&str]) -> usize {
    let (mut length, mut piece) = (0, 0);
    while piece < pieces.len() {
        length += pieces[piece].len();
        piece += 1;
    }
    length
}

/// The pieces together; `N` is [`joined_length`].
#[doc(hidden)]
pub const fn joined<const N: usize>(pieces: &[&str]) -> [u8; N] {
    let mut output = [0; N];
    let (mut written, mut piece) = (0, 0);
    while piece < pieces.len() {
        written = write(pieces[piece].as_bytes(), &mut output, written);
        piece += 1;
    }
    output
}

/// The bytes as text. Translation replaces ASCII by ASCII, so text stays text.
#[doc(hidden)]
pub const fn text(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("a statement is UTF-8"),
    }
}

/// Writes the text for SQLite and returns its length; with an empty output it only measures.
pub(crate) const fn translate_into(text: &[u8], output: &mut [u8]) -> usize {
    let (mut position, mut written) = (0, 0);
    let mut close_list = false;
    while position < text.len() {
        let quoted = quoted_length(text, position);
        if quoted > 0 {
            let (_, rest) = text.split_at(position);
            written = write(rest.split_at(quoted).0, output, written);
            position += quoted;
            continue;
        }
        if let Some(index) = replacement_at(text, position) {
            let (pattern, replacement) = REPLACEMENTS[index];
            written = write(replacement, output, written);
            close_list = close_list || index < LISTS;
            position += pattern.len();
            continue;
        }
        written = write(&[text[position]], output, written);
        if close_list && text[position] == b')' {
            written = write(b")", output, written);
            close_list = false;
        }
        position += 1;
    }
    written
}

/// Length of the quoted text or comment that starts here, or 0.
pub(crate) const fn quoted_length(text: &[u8], start: usize) -> usize {
    let first = text[start];
    let second = if start + 1 < text.len() {
        text[start + 1]
    } else {
        0
    };
    let mut end = start + 1;
    match (first, second) {
        (b'\'' | b'"', _) => {
            while end < text.len() && text[end] != first {
                end += 1;
            }
        }
        (b'-', b'-') => {
            while end < text.len() && text[end] != b'\n' {
                end += 1;
            }
        }
        (b'/', b'*') => {
            end += 2;
            while end < text.len() && !(text[end] == b'/' && text[end - 1] == b'*') {
                end += 1;
            }
        }
        _ => return 0,
    }
    if end < text.len() {
        end + 1 - start
    } else {
        text.len() - start
    }
}

/// Which pattern is found here.
const fn replacement_at(text: &[u8], position: usize) -> Option<usize> {
    let mut index = 0;
    while index < REPLACEMENTS.len() {
        if matches_at(text, position, REPLACEMENTS[index].0) {
            return Some(index);
        }
        index += 1;
    }
    None
}

const fn matches_at(text: &[u8], position: usize, pattern: &[u8]) -> bool {
    let end = position + pattern.len();
    if end > text.len() {
        return false;
    }
    let mut index = 0;
    while index < pattern.len() {
        if !text[position + index].eq_ignore_ascii_case(&pattern[index]) {
            return false;
        }
        index += 1;
    }
    let begins_word = pattern[0].is_ascii_alphabetic();
    if begins_word && position > 0 && is_word(text[position - 1]) {
        return false;
    }
    match pattern[pattern.len() - 1] {
        b'$' => end < text.len() && text[end].is_ascii_digit(),
        _ => end == text.len() || !is_word(text[end]),
    }
}

/// Whether the byte may be part of a name.
pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

const fn write(bytes: &[u8], output: &mut [u8], start: usize) -> usize {
    let mut index = 0;
    while index < bytes.len() {
        if start + index < output.len() {
            output[start + index] = bytes[index];
        }
        index += 1;
    }
    start + bytes.len()
}

#[cfg(test)]
mod tests {
    use crate::Engine::{Postgres, Sqlite};

    #[test]
    fn numbers_parameters_for_sqlite_outside_of_quotes() {
        let statement = sql!("SELECT '$1', \"$2\", $3 /* $4 */ -- $5\n, $12");
        assert_eq!(
            statement.text(Sqlite),
            "SELECT '$1', \"$2\", ?3 /* $4 */ -- $5\n, ?12"
        );
        assert_eq!(
            statement.text(Postgres),
            "SELECT '$1', \"$2\", $3 /* $4 */ -- $5\n, $12"
        );
    }

    #[test]
    fn turns_array_comparisons_into_json_lists() {
        let statement = sql!("SELECT 1 WHERE a = ANY($1) AND lower(b) <> ALL($2) AND (c = $3)");
        assert_eq!(
            statement.text(Sqlite),
            "SELECT 1 WHERE a IN (SELECT value FROM json_each(?1)) \
             AND lower(b) NOT IN (SELECT value FROM json_each(?2)) AND (c = ?3)"
        );
    }

    #[test]
    fn drops_row_locks_and_keeps_words_that_only_look_alike() {
        let statement = sql!("SELECT a FROM b WHERE c ILIKE $1 FOR UPDATE SKIP LOCKED");
        assert_eq!(statement.text(Sqlite), "SELECT a FROM b WHERE c LIKE ?1 ");
        let statement = sql!("SELECT silike, x_for update FROM b");
        assert_eq!(statement.text(Sqlite), "SELECT silike, x_for update FROM b");
    }

    #[test]
    fn joins_pieces() {
        const COLUMNS: &str = "id, name";
        let statement = sql!("SELECT ", COLUMNS, " FROM users WHERE id = $1");
        assert_eq!(statement.text(Sqlite), "SELECT id, name FROM users WHERE id = ?1");
        assert_eq!(
            statement.text(Postgres),
            "SELECT id, name FROM users WHERE id = $1"
        );
    }

    #[test]
    fn keeps_twins_apart() {
        let statement = sql! { sqlite: "SELECT $1", postgres: "SELECT CAST($1 AS BIGINT)" };
        assert_eq!(statement.text(Sqlite), "SELECT ?1");
        assert_eq!(statement.text(Postgres), "SELECT CAST($1 AS BIGINT)");
    }

    proptest::proptest! {
        #[test]
        fn every_text_is_translated_to_the_length_that_was_measured(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "= ANY($1", ")", "'", "\"", "--", "\n", "/*", "*/", "$1", "$", "FOR UPDATE", " ", "a", "\u{e9}", "ILIKE",
                ]),
                0..20,
            ),
        ) {
            let text = pieces.concat();
            let mut output = vec![0; super::translated_length(text.as_bytes())];
            proptest::prop_assert_eq!(super::translate_into(text.as_bytes(), &mut output), output.len());
            let output = String::from_utf8(output).unwrap();
            proptest::prop_assert_eq!(output.contains('\u{e9}'), text.contains('\u{e9}'));
        }
    }

    #[test]
    fn unfinished_quotes_end_with_the_text() {
        assert_eq!(super::quoted_length(b"'abc", 0), 4);
        assert_eq!(super::quoted_length(b"/*", 0), 2);
    }
}
