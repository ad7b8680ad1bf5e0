//! Masks: a scanner that reads a message once, left to right, and replaces values by their kind.
//!
//! No regular expressions: each matcher looks ahead at most as far as the value reaches, so the whole is linear
//! in the length of the text.

/// The message with its values replaced: `timeout after 30s on 10.1.2.3:443` becomes
/// `timeout after <duration> on <address>`.
///
/// ```
/// assert_eq!(triage::mask("job 4711 of 'nightly run' failed"), "job <number> of '<text>' failed");
/// ```
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    mask_into(text, &mut masked);
    masked
}

/// As [`mask`], appending to a buffer that the caller reuses.
pub fn mask_into(text: &str, masked: &mut String) {
    let bytes = text.as_bytes();
    let mut position = 0;
    let mut copied = 0;
    while position < bytes.len() {
        let starts_word = position == 0 || !is_word(bytes[position - 1]);
        let found = match bytes[position] {
            quote @ (b'"' | b'\'' | b'`') if starts_word => {
                quoted(bytes, position, quote).map(|end| (position + 1, end - 1, "<text>"))
            }
            first if starts_word && (first.is_ascii_hexdigit() || matches!(first, b':' | b'-' | b'+')) => {
                value(bytes, position)
                    .or_else(|| day_or_month(bytes, position).map(|end| (end, TIME)))
                    .map(|(end, kind)| (position, end, kind))
            }
            first if starts_word && first.is_ascii_uppercase() => {
                day_or_month(bytes, position).map(|end| (position, end, TIME))
            }
            b'/' if starts_word => path(bytes, position).map(|end| (position, end, PATH)),
            _ => None,
        };
        if let Some((start, end, kind)) = found {
            masked.push_str(&text[copied..start]);
            masked.push_str(kind);
            copied = end;
            position = end.max(position + 1);
            if kind == "<text>" {
                position += 1;
            }
        } else {
            position += 1;
        }
    }
    masked.push_str(&text[copied..]);
}

const ADDRESS: &str = "<address>";
const NUMBER: &str = "<number>";
const IDENTIFIER: &str = "<id>";
const DURATION: &str = "<duration>";
const TIME: &str = "<time>";
const PATH: &str = "<path>";

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// True where a value may end: at the end of the text or before something that is no letter and no digit.
fn ends_at(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_none_or(|byte| !is_word(*byte))
}

/// The end of a quoted text that closes on the same line within 256 bytes and is followed by a border, so that
/// an apostrophe is no quote.
fn quoted(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let inside = bytes.get(start + 1..bytes.len().min(start + 258))?;
    let length = inside.iter().position(|byte| *byte == quote || *byte == b'\n')?;
    let end = start + 2 + length;
    (inside[length] == quote && length > 0 && ends_at(bytes, end)).then_some(end)
}

fn value(bytes: &[u8], start: usize) -> Option<(usize, &'static str)> {
    uuid(bytes, start)
        .map(|end| (end, IDENTIFIER))
        .or_else(|| internet_address(bytes, start).map(|end| (end, ADDRESS)))
        .or_else(|| colon_address(bytes, start).map(|end| (end, ADDRESS)))
        .or_else(|| clock_time(bytes, start).map(|end| (end, NUMBER)))
        .or_else(|| hexadecimal(bytes, start).map(|end| (end, IDENTIFIER)))
        .or_else(|| quantity(bytes, start))
}

fn run(bytes: &[u8], start: usize, limit: usize, accept: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .skip(start)
        .take(limit)
        .take_while(|byte| accept(**byte))
        .count()
}

fn digits(bytes: &[u8], start: usize, limit: usize) -> usize {
    run(bytes, start, limit, |byte| byte.is_ascii_digit())
}

/// `8-4-4-4-12` hexadecimal digits.
fn uuid(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            if bytes.get(end) != Some(&b'-') {
                return None;
            }
            end += 1;
        }
        if run(bytes, end, length, |byte| byte.is_ascii_hexdigit()) != length {
            return None;
        }
        end += length;
    }
    ends_at(bytes, end).then_some(end)
}

/// Dotted IPv4, with port or prefix length.
fn internet_address(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(end) != Some(&b'.') {
                return None;
            }
            end += 1;
        }
        let length = digits(bytes, end, 4);
        if !(1..=3).contains(&length) {
            return None;
        }
        end += length;
    }
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if matches!(bytes.get(end), Some(b':' | b'/')) {
        let length = digits(bytes, end + 1, 6);
        if (1..=5).contains(&length) && ends_at(bytes, end + 1 + length) {
            return Some(end + 1 + length);
        }
    }
    ends_at(bytes, end).then_some(end)
}

/// IPv6 and hardware addresses: at least two colons, groups of at most four hexadecimal digits, and either
/// eight groups, six groups of two, or a `::`.
fn colon_address(bytes: &[u8], start: usize) -> Option<usize> {
    let length = run(bytes, start, 48, |byte| byte.is_ascii_hexdigit() || byte == b':');
    let candidate = bytes.get(start..start + length)?;
    let shortened = candidate.windows(2).any(|pair| pair == b"::");
    let mut groups = 0;
    let mut widest = 0;
    let mut pairs = true;
    for group in candidate.split(|byte| *byte == b':') {
        groups += 1;
        widest = widest.max(group.len());
        pairs &= group.len() == 2;
    }
    let plausible =
        widest <= 4 && widest > 0 && ((shortened && groups >= 3) || groups == 8 || (groups == 6 && pairs));
    (plausible && ends_at(bytes, start + length)).then_some(start + length)
}

/// `12:34`, `12:34:56`, with a fraction.
fn clock_time(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    let mut groups = 0;
    loop {
        let length = digits(bytes, end, 3);
        if !(1..=2).contains(&length) || (groups > 0 && length != 2) {
            return None;
        }
        end += length;
        groups += 1;
        if bytes.get(end) != Some(&b':') || groups == 3 {
            break;
        }
        end += 1;
    }
    if groups < 2 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'.' | b',')) {
        let fraction = digits(bytes, end + 1, 9);
        if fraction > 0 {
            end += 1 + fraction;
        }
    }
    ends_at(bytes, end).then_some(end)
}

/// `0x…`, or at least six hexadecimal digits among which there is a digit and a letter.
fn hexadecimal(bytes: &[u8], start: usize) -> Option<usize> {
    let hex = |byte: u8| byte.is_ascii_hexdigit();
    if bytes[start] == b'0' && matches!(bytes.get(start + 1), Some(b'x' | b'X')) {
        let length = run(bytes, start + 2, 128, hex);
        return (length > 0 && ends_at(bytes, start + 2 + length)).then_some(start + 2 + length);
    }
    let length = run(bytes, start, 128, hex);
    let candidate = &bytes[start..start + length];
    let mixed = candidate.iter().any(u8::is_ascii_digit) && candidate.iter().any(u8::is_ascii_alphabetic);
    (length >= 6 && mixed && ends_at(bytes, start + length)).then_some(start + length)
}

/// A number with sign, thousands, fraction and exponent; with a unit of time it is a duration.
fn quantity(bytes: &[u8], start: usize) -> Option<(usize, &'static str)> {
    let mut end = start;
    if matches!(bytes[end], b'-' | b'+') {
        end += 1;
    }
    let whole = digits(bytes, end, 64);
    if whole == 0 {
        return None;
    }
    end += whole;
    while matches!(bytes.get(end), Some(b'.' | b',')) {
        let more = digits(bytes, end + 1, 64);
        if more == 0 {
            break;
        }
        end += 1 + more;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        let exponent = digits(bytes, end + 1 + sign, 4);
        if exponent > 0 && ends_at(bytes, end + 1 + sign + exponent) {
            return Some((end + 1 + sign + exponent, NUMBER));
        }
    }
    if ends_at(bytes, end) {
        let unit = run(bytes, end + 1, 4, |byte| byte.is_ascii_alphabetic());
        let spaced = bytes.get(end) == Some(&b' ') && is_unit_of_size(&bytes[end + 1..end + 1 + unit]);
        let long = unit > 1 || bytes.get(end + 1) == Some(&b'B');
        return Some((
            if spaced && long && ends_at(bytes, end + 1 + unit) {
                end + 1 + unit
            } else {
                end
            },
            NUMBER,
        ));
    }
    let unit = run(bytes, end, 8, |byte| byte.is_ascii_alphabetic());
    let word = &bytes[end..end + unit];
    if is_unit_of_time(word) {
        return compound_duration(bytes, end + unit);
    }
    (is_unit_of_size(word) && ends_at(bytes, end + unit)).then_some((end + unit, NUMBER))
}

/// The name of a day or a month in front of a number or of another such name, as dates are written.
fn day_or_month(bytes: &[u8], start: usize) -> Option<usize> {
    let name = |start: usize| {
        let length = run(bytes, start, 10, |byte| byte.is_ascii_alphabetic());
        (is_day_or_month(&bytes[start..start + length]) && ends_at(bytes, start + length))
            .then_some(start + length)
    };
    let end = name(start)?;
    let gap = run(bytes, end, 3, |byte| matches!(byte, b' ' | b',' | b'/' | b'-'));
    let next = end + gap;
    (gap > 0 && (bytes.get(next)?.is_ascii_digit() || name(next).is_some())).then_some(end)
}

fn is_day_or_month(word: &[u8]) -> bool {
    const NAMES: [&str; 19] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    NAMES
        .iter()
        .any(|name| word == name.as_bytes() || (word.len() == 3 && name.as_bytes().starts_with(word)))
}

/// An absolute path of at least two segments.
fn path(bytes: &[u8], start: usize) -> Option<usize> {
    let length = run(bytes, start, 1024, |byte| {
        byte.is_ascii_alphanumeric() || b"/._-+~@%".contains(&byte)
    });
    let mut end = start + length;
    while end > start && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let segments = bytes[start..end]
        .split(|byte| *byte == b'/')
        .filter(|segment| !segment.is_empty())
        .count();
    (segments >= 2 && bytes.get(start + 1) != Some(&b'/')).then_some(end)
}

/// The rest of `1h30m12s` after its first part.
fn compound_duration(bytes: &[u8], mut end: usize) -> Option<(usize, &'static str)> {
    for _ in 0..6 {
        if ends_at(bytes, end) {
            return Some((end, DURATION));
        }
        let count = digits(bytes, end, 20);
        let unit = run(bytes, end + count, 8, |byte| byte.is_ascii_alphabetic());
        if count == 0 || !is_unit_of_time(&bytes[end + count..end + count + unit]) {
            return None;
        }
        end += count + unit;
    }
    None
}

fn is_unit_of_time(word: &[u8]) -> bool {
    matches!(
        word,
        b"ns"
            | b"us"
            | b"ms"
            | b"s"
            | b"m"
            | b"h"
            | b"d"
            | b"w"
            | b"sec"
            | b"secs"
            | b"min"
            | b"mins"
            | b"msec"
    )
}

fn is_unit_of_size(word: &[u8]) -> bool {
    let word = word.strip_suffix(b"/s").unwrap_or(word);
    matches!(
        word,
        b"B" | b"b"
            | b"k"
            | b"K"
            | b"M"
            | b"G"
            | b"T"
            | b"kB"
            | b"KB"
            | b"MB"
            | b"GB"
            | b"TB"
            | b"Ki"
            | b"Mi"
            | b"Gi"
            | b"Ti"
            | b"KiB"
            | b"MiB"
            | b"GiB"
            | b"TiB"
            | b"kb"
            | b"mb"
            | b"gb"
            | b"x"
            | b"th"
            | b"st"
            | b"nd"
            | b"rd"
    )
}

#[cfg(test)]
mod tests {
    use super::mask;
    use proptest::prelude::*;

    #[test]
    fn values_become_their_kind() {
        for (text, expected) in [
            (
                "connection from 173.234.31.186:4022 closed",
                "connection from <address> closed",
            ),
            (
                "10.0.0.0/8 and fe80::1 and 00:1b:44:11:3a:b7",
                "<address> and <address> and <address>",
            ),
            (
                "request 123e4567-e89b-12d3-a456-426614174000 lost",
                "request <id> lost",
            ),
            (
                "took 1.5s, 200ms and 1h30m",
                "took <duration>, <duration> and <duration>",
            ),
            ("commit deadbeef42 at 0xFF", "commit <id> at <id>"),
            (
                "disk 97.3% of 1,024 GB (12MB left)",
                "disk <number>% of <number> (<number> left)",
            ),
            ("user \"jane doe\" isn't allowed", "user \"<text>\" isn't allowed"),
            ("pod api-7 on node12", "pod api-<number> on node12"),
            ("at 12:34:56.789 sharp", "at <number> sharp"),
            ("", ""),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_masked_without_panic_and_does_not_explode(text in "\\PC{0,200}") {
            prop_assert!(mask(&text).len() <= text.len() * 9 + 9);
        }

        #[test]
        fn the_number_in_a_message_does_not_matter(first in 0_u32..1_000_000, second in 0_u32..1_000_000) {
            prop_assert_eq!(mask(&format!("retry {first} of job")), mask(&format!("retry {second} of job")));
        }
    }
}
