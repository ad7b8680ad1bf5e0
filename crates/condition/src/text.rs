//! Texts for `matches`: turning values into text, ignoring case, finding parts; each in one pass.
//!
//! Case is ignored character by character (Unicode's simple folding, no locale), so that folding never
//! changes the number of characters and agrees with what regular expressions do.

use std::borrow::Cow;

use memchr::memmem::Finder;
use serde::Serialize;

/// How much of a left side is looked at; the rest is cut off.
pub(crate) const TEXT_BYTES: usize = 64 * 1024;

/// The text's first [`TEXT_BYTES`] bytes, to the last whole character.
pub(crate) fn cut(text: &str) -> &str {
    if text.len() <= TEXT_BYTES {
        text
    } else {
        &text[..text.floor_char_boundary(TEXT_BYTES)]
    }
}

/// A value as JSON, written no further than `limit` bytes.
pub(crate) fn json_text(value: &impl Serialize, limit: usize) -> String {
    let mut writer = Bounded {
        bytes: Vec::new(),
        limit,
    };
    match serde_json::to_writer(&mut writer, value) {
        // An error here means that the limit was reached; what is written so far is the cut text.
        Ok(()) | Err(_) => (),
    }
    let mut bytes = writer.bytes;
    if let Err(error) = std::str::from_utf8(&bytes) {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).unwrap_or_default()
}

struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl std::io::Write for Bounded {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let room = self.limit - self.bytes.len();
        if room == 0 && !buffer.is_empty() {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        let taken = room.min(buffer.len());
        self.bytes.extend_from_slice(&buffer[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The character that stands for all those that differ from it by case only.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // Turkic letters fold to i only in Turkic texts.
    if matches!(character, 'ı' | 'İ') {
        return character;
    }
    let upper = single(character.to_uppercase()).unwrap_or(character);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

/// The text with case taken out of it.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    } else {
        Cow::Owned(text.chars().map(fold).collect())
    }
}

/// Whether two texts are the same but for case.
pub(crate) fn same_folded(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        left.chars().map(fold).eq(right.chars().map(fold))
    }
}

/// Whether the needle is somewhere in the text; linear in both (two-way search).
pub(crate) fn contains(text: &str, needle: &Finder<'_>) -> bool {
    needle.find(text.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn folding_agrees_with_the_regular_expressions() {
        // The standard library may know a newer version of Unicode than the regular expressions.
        let assigned = regex::Regex::new(r"^\P{Cn}$").unwrap();
        let changed = ('\u{80}'..=char::MAX).filter(|character| fold(*character) != *character);
        for character in changed.filter(|character| assigned.is_match(&character.to_string())) {
            let pattern = format!("^(?i){}$", regex::escape(&character.to_string()));
            let regex = regex::Regex::new(&pattern).unwrap();
            assert!(regex.is_match(&fold(character).to_string()), "{character:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_whole_character() {
        let text = "é".repeat(TEXT_BYTES);
        assert_eq!(cut(&text).len(), TEXT_BYTES);
        let shifted = format!("a{text}");
        assert_eq!(cut(&shifted).len(), TEXT_BYTES - 1);
    }

    #[test]
    fn json_is_written_no_further_than_the_limit() {
        assert_eq!(json_text(&json!({"a": [1, "ü"]}), 100), r#"{"a":[1,"ü"]}"#);
        assert_eq!(json_text(&json!(["ü"]), 3), "[\"");
    }
}
