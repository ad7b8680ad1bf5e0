//! JSON that almost is: what some programs send, and a JSON reader refuses whole. Their alert must not be lost over a
//! part of it, so the part is put differently.
//!
//! Half of a pair of surrogates (`\\ud800` alone, which Python's `json.dumps` writes for bytes that it could not read)
//! becomes the sign for what cannot be shown (U+FFFD). A number that no floating-point number can hold, and what is
//! nested deeper than [`DEEPEST`], become the text that they were written as; the field they stand in is named, so that
//! whoever reads the alert knows.

/// Levels of lists and objects that are kept. A JSON reader takes 127, and the journal needs some around an event.
pub(super) const DEEPEST: usize = 120;

/// Levels whose names are remembered, to say where something was put differently.
const NAMED: usize = 2;
/// Fields that are named, and how much of each.
const FIELDS: usize = 20;
const LONGEST_NAME: usize = 100;

/// A JSON text that may be readable now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mended {
    pub json: String,
    /// Fields in which something became text, by the names of the two uppermost levels: `payload.custom_details`.
    pub fields: Vec<String>,
}

/// The text with what cannot be read put differently; none when nothing in it asks for that, or it has no end.
pub(super) fn mended(json: &str) -> Option<Mended> {
    let mut mender = Mender {
        kept: String::with_capacity(json.len()),
        changed: false,
        depth: 0,
        names: [""; NAMED],
        fields: Vec::new(),
    };
    let mut rest = json;
    while let Some(position) =
        rest.find(|character: char| matches!(character, '"' | '{' | '[' | '}' | ']' | '-' | '0'..='9'))
    {
        let (before, token) = rest.split_at(position);
        mender.kept.push_str(before);
        let length = mender.take(token)?;
        rest = &token[length..];
    }
    mender.kept.push_str(rest);
    mender.changed.then_some(Mended {
        json: mender.kept,
        fields: mender.fields,
    })
}

struct Mender<'a> {
    kept: String,
    changed: bool,
    /// Lists and objects that are open here.
    depth: usize,
    /// The name that is being given a value, on each of the uppermost levels.
    names: [&'a str; NAMED],
    fields: Vec<String>,
}

impl<'a> Mender<'a> {
    /// Takes one token from the beginning of `rest` and gives its length; none when it has no end.
    fn take(&mut self, rest: &'a str) -> Option<usize> {
        match rest.as_bytes().first()? {
            b'"' => {
                let length = text_length(rest)?;
                let (text, after) = rest.split_at(length);
                self.changed |= mend_halves(text, &mut self.kept);
                if after.trim_start().starts_with(':') && (1..=NAMED).contains(&self.depth) {
                    self.names[self.depth - 1] = text.trim_matches('"');
                }
                Some(length)
            }
            b'{' | b'[' if self.depth == DEEPEST => {
                let length = part_length(rest)?;
                self.put_as_text(&rest[..length]);
                Some(length)
            }
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth <= NAMED {
                    self.names[self.depth - 1] = "";
                }
                self.kept.push_str(&rest[..1]);
                Some(1)
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.kept.push_str(&rest[..1]);
                Some(1)
            }
            _ => {
                let part_of_number =
                    |character: char| matches!(character, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                let length = rest
                    .find(|character| !part_of_number(character))
                    .unwrap_or(rest.len());
                let number = &rest[..length];
                if number.parse::<f64>().is_ok_and(f64::is_infinite) {
                    self.put_as_text(number);
                } else {
                    self.kept.push_str(number);
                }
                Some(length)
            }
        }
    }

    fn put_as_text(&mut self, part: &str) {
        self.changed = true;
        self.kept.push_str(&serde_json::Value::from(part).to_string());
        let names = self.names.iter().take(self.depth).filter(|name| !name.is_empty());
        let field = names.copied().collect::<Vec<_>>().join(".");
        let field: String = field.chars().take(LONGEST_NAME).collect();
        if !field.is_empty() && self.fields.len() < FIELDS && !self.fields.contains(&field) {
            self.fields.push(field);
        }
    }
}

/// The length of the text in quotes at the beginning, with its quotes.
fn text_length(rest: &str) -> Option<usize> {
    let mut bytes = rest.bytes().enumerate().skip(1);
    while let Some((position, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(position + 1),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

/// The length of the list or object at the beginning, up to where it is closed.
fn part_length(rest: &str) -> Option<usize> {
    let (mut depth, mut position) = (0_usize, 0);
    while let Some(byte) = rest.as_bytes().get(position) {
        match byte {
            b'"' => {
                position += text_length(&rest[position..])?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        position += 1;
        if depth == 0 {
            return Some(position);
        }
    }
    None
}

/// Writes a text in quotes with every lone half replaced, and says whether it held one.
fn mend_halves(text: &str, kept: &mut String) -> bool {
    let (mut rest, mut found) = (text, false);
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
    found
}

/// The number of an escape such as `\\ud83d` at the beginning of a text.
fn unit_of(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{DEEPEST, mended};

    fn read(json: &str) -> (Value, Vec<String>) {
        let mended = mended(json).unwrap();
        (serde_json::from_str(&mended.json).unwrap(), mended.fields)
    }

    #[test]
    fn a_half_is_replaced_and_a_pair_is_kept() {
        let json = r#"["\ud800 lone", "\ud83d\ude00", "\udc00\ud800", "\\ud800", "\u0041"]"#;
        let whole = json!(["\u{FFFD} lone", "\u{1F600}", "\u{FFFD}\u{FFFD}", "\\ud800", "A"]);
        assert_eq!(read(json), (whole, Vec::new()));
    }

    #[test]
    fn a_number_that_nothing_can_hold_becomes_text_and_its_field_is_named() {
        let json =
            r#"{"payload": {"summary": "1e400 [", "custom_details": {"load": [-1e400, 2], "n": 1e-400}}}"#;
        let whole = json!({ "payload": {
            "summary": "1e400 [",
            "custom_details": { "load": ["-1e400", 2], "n": 0.0 },
        } });
        assert_eq!(read(json), (whole, vec!["payload.custom_details".to_owned()]));
    }

    #[test]
    fn what_is_nested_too_deeply_becomes_text_and_what_stands_beside_it_is_kept() {
        let deep = format!("{}\"]\\\"{{\"{}", "[".repeat(10_000), "]".repeat(10_000));
        let json = format!(r#"{{"a": 1, "details": {deep}, "b": "\ud83d\ude00"}}"#);
        let (whole, fields) = read(&json);
        assert_eq!((&whole["a"], &whole["b"]), (&json!(1), &json!("\u{1F600}")));
        assert_eq!(fields, ["details"]);
        let mut inner = &whole["details"];
        for _ in 2..=DEEPEST {
            inner = &inner[0];
        }
        assert!(inner.as_str().unwrap().starts_with("[[["), "{inner}");
    }

    #[test]
    fn what_has_no_end_is_not_mended() {
        assert_eq!(mended(&"[".repeat(5_000)), None);
        assert_eq!(mended(r#"{"a": "\ud800"#), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_can_be_read_is_left_alone(value in any_json()) {
            prop_assert_eq!(mended(&value.to_string()), None);
            prop_assert_eq!(mended(&serde_json::to_string_pretty(&value).unwrap()), None);
        }

        #[test]
        fn a_part_that_is_put_differently_leaves_the_rest_as_it_was(value in any_json()) {
            let json = |other: &str| format!(r#"{{"kept": {value}, "other": {other}}}"#);
            let mended = mended(&json("1e999")).unwrap();
            prop_assert_eq!((mended.json, mended.fields), (json(r#""1e999""#), vec!["other".to_owned()]));
        }

        #[test]
        fn no_text_is_too_odd(text in r#"(\\\\|\\u|\\ud8|\\udc|d8|00|é|"|[0-9a-f]|[-+.eE\[\]{}:,]){0,24}"#) {
            mended(&text);
        }
    }
}
