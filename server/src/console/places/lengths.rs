//! Lengths of time as people type them: `30 min`, `4 h`, `1 day 6 h`. What is written is what is read.

/// Units, the longest first: seconds, how it is written, and how else it may be.
const UNITS: [(i64, &str, &[&str]); 4] = [
    (86_400, "day", &["d", "day", "days"]),
    (3_600, "h", &["h", "hour", "hours", "hr", "hrs"]),
    (60, "min", &["", "m", "min", "mins", "minute", "minutes"]),
    (1, "s", &["s", "sec", "secs", "second", "seconds"]),
];
/// Longer than anything that is asked for.
const LONGEST_TEXT: usize = 60;

/// The words for some seconds; none for none.
pub(super) fn written(seconds: i64) -> String {
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    for (length, word, _) in UNITS {
        let count = rest / length;
        rest %= length;
        match (count, word) {
            (0, _) => {}
            (2.., "day") => parts.push(format!("{count} days")),
            _ => parts.push(format!("{count} {word}")),
        }
    }
    parts.join(" ")
}

/// Seconds; a number by itself counts minutes. Nothing where it cannot be read.
pub(super) fn read(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    if text.is_empty() || text.len() > LONGEST_TEXT {
        return None;
    }
    let mut rest = text.as_str();
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let (number, after) = parted(rest, |letter| letter.is_ascii_digit());
        let (unit, after) = parted(after, char::is_alphabetic);
        let (length, _, _) = UNITS.iter().find(|(_, _, words)| words.contains(&unit))?;
        let number: i64 = number.parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(*length)?)?;
        rest = after;
    }
    Some(seconds)
}

/// The letters of a kind at the beginning, and what follows them without its blanks.
fn parted(text: &str, kind: impl Fn(char) -> bool) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|letter| !kind(letter)).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    (first, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_read_as_people_type_them() {
        assert_eq!(read("30 min"), Some(1_800));
        assert_eq!(read(" 30 "), Some(1_800));
        assert_eq!(read("1h30"), Some(5_400));
        assert_eq!(read("2 Days"), Some(172_800));
        assert_eq!(read("90s"), Some(90));
    }

    #[test]
    fn what_is_no_length_is_not_guessed() {
        for text in [
            "",
            "soon",
            "1.5 h",
            "-5 min",
            "5 fortnights",
            "99999999999999999999 h",
            "min",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(seconds in 1..100_000_000_i64) {
            prop_assert_eq!(read(&written(seconds)), Some(seconds));
        }

        #[test]
        fn nothing_that_is_typed_hurts(text in ".{0,80}") {
            prop_assert!(read(&text).is_none_or(|seconds| seconds >= 0));
        }
    }
}
