//! Money as people type it: whole units with at most two decimals, kept in hundredths. What is written is what is read.

/// Longer than anything that is asked for.
const LONGEST_TEXT: usize = 40;

/// `2140`, `2140.50`.
pub(super) fn written(minor: i64) -> String {
    match (minor / 100, minor % 100) {
        (whole, 0) => whole.to_string(),
        (whole, cents) => format!("{whole}.{:02}", cents.abs()),
    }
}

/// Reads `2140`, `2,140`, `£2 140.5`; an empty text is nothing at all, so 0. Nothing where it cannot be read, or could be read
/// in two ways: a comma stands before three digits, as it does between thousands.
pub(super) fn read(text: &str) -> Option<i64> {
    let plain: String = text
        .trim()
        .trim_start_matches(['£', '€', '$'])
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    if text.len() > LONGEST_TEXT {
        return None;
    }
    if plain.is_empty() {
        return text.trim().is_empty().then_some(0);
    }
    let (whole, cents) = plain.split_once('.').unwrap_or((plain.as_str(), "00"));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    if whole.contains(',') && (first.is_empty() || first.len() > 3 || groups.any(|group| group.len() != 3)) {
        return None;
    }
    let whole = whole.replace(',', "");
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit());
    if !digits(&whole) || !digits(cents) || cents.len() > 2 {
        return None;
    }
    let cents: i64 = format!("{cents:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_as_people_type_them() {
        assert_eq!(read("2140"), Some(214_000));
        assert_eq!(read("£2,140.5"), Some(214_050));
        assert_eq!(read(" 12 000 "), Some(1_200_000));
        assert_eq!(read("12,345,678.90"), Some(1_234_567_890));
        assert_eq!(read(""), Some(0));
    }

    #[test]
    fn what_is_no_amount_is_not_guessed() {
        for text in [
            "much",
            "-5",
            "1.234",
            "1.2.3",
            ".",
            "£",
            "5.",
            "12,5",
            "1,50",
            "1,2345",
            "1234,567",
            ",500",
            "1,000,00",
            "5.1,000",
            "99999999999999999999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(minor in 0..1_000_000_000_000_i64) {
            prop_assert_eq!(read(&written(minor)), Some(minor));
        }
    }
}
