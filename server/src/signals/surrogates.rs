//! Halves of surrogate pairs in JSON.
//!
//! `\\ud800` alone is no character, and a JSON reader refuses the whole text for it. Some programs write it for bytes
//! that they could not read (Python's `json.dumps` does), and their alert must not be lost over that: the half becomes
//! the sign for what cannot be shown (U+FFFD).

/// The text with every lone half replaced; none when it holds none.
pub(super) fn mended(json: &str) -> Option<String> {
    let mut kept = String::with_capacity(json.len());
    let (mut rest, mut found) = (json, false);
    while let Some(position) = rest.find('\\') {
        let (before, escape) = rest.split_at(position);
        kept.push_str(before);
        let length = match (unit_of(escape), escape.get(6..).and_then(unit_of)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                found = true;
                kept.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            (Some(_), _) => 6,
            // An escape is a backslash and one more character, which is ASCII in JSON.
            (None, _) if escape.is_char_boundary(2) => 2,
            (None, _) => 1,
        };
        let (whole, after) = escape.split_at(length.min(escape.len()));
        kept.push_str(whole);
        rest = after;
    }
    kept.push_str(rest);
    found.then_some(kept)
}

/// The number of an escape such as `\\ud83d` at the beginning of a text.
fn unit_of(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::mended;

    #[test]
    fn a_half_is_replaced_and_a_pair_is_kept() {
        let json = r#"["\ud800 lone", "\ud83d\ude00", "\udc00\ud800", "\\ud800", "\u0041"]"#;
        let read: Value = serde_json::from_str(&mended(json).unwrap()).unwrap();
        assert_eq!(
            read,
            serde_json::json!(["\u{FFFD} lone", "\u{1F600}", "\u{FFFD}\u{FFFD}", "\\ud800", "A"])
        );
    }

    proptest! {
        #[test]
        fn what_can_be_read_is_left_alone(text in any::<String>()) {
            prop_assert_eq!(mended(&Value::from(text).to_string()), None);
        }

        #[test]
        fn no_text_is_too_odd(text in r#"(\\\\|\\u|\\ud8|\\udc|d8|00|é|"|[0-9a-f]){0,24}"#) {
            mended(&text);
        }
    }
}
