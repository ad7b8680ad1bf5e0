//! Numbers as people write them.

/// `1,204`: thousands parted by commas.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut parted = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// `1 shop`, `12 shops`, `1,204 messages`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// `One`, `Five`, `Twelve`, then figures: for the first word of a sentence.
pub fn opening_number(number: u64) -> String {
    const WORDS: [&str; 13] = [
        "Nothing", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven",
        "Twelve",
    ];
    usize::try_from(number)
        .ok()
        .and_then(|index| WORDS.get(index))
        .map_or_else(|| thousands(number), |word| (*word).to_owned())
}

/// What a language is called; its code where Muster does not know it.
pub fn language_name(code: &str) -> String {
    match code {
        "en" => "English".to_owned(),
        "de" => "German".to_owned(),
        "fr" => "French".to_owned(),
        "es" => "Spanish".to_owned(),
        other => other.to_owned(),
    }
}

/// Minor units as people write them: whole, with the sign where everybody knows it.
pub fn money(minor: i64, currency: &str) -> String {
    let whole = thousands((minor / 100).unsigned_abs());
    match currency {
        "GBP" => format!("£{whole}"),
        "EUR" => format!("€{whole}"),
        "USD" => format!("${whole}"),
        other => format!("{whole} {other}"),
    }
}

/// An estimate as people say one: two figures that count, the rest rounded away.
pub fn about(minor: i64, currency: &str) -> String {
    let whole = (minor / 100).unsigned_abs();
    let digits = whole.checked_ilog10().unwrap_or(0);
    let step = 10_u64.pow(digits.saturating_sub(1));
    let rounded = (whole + step / 2) / step * step;
    money(
        i64::try_from(rounded)
            .unwrap_or(i64::MAX / 100)
            .saturating_mul(100),
        currency,
    )
}

/// A line through points: `M0 44L50 4L100 24`.
pub(super) fn path_through(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (across, down) in points {
        path.push(if path.is_empty() { 'M' } else { 'L' });
        path.push_str(&coordinate(across));
        path.push(' ');
        path.push_str(&coordinate(down));
    }
    path
}

/// Two decimals at most and no trailing zeros: coordinates in drawings.
pub(super) fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn one_thing_is_one_thing() {
        assert_eq!(counted(1, "shop", "shops"), "1 shop");
        assert_eq!(counted(0, "shop", "shops"), "0 shops");
    }

    #[test]
    fn sentences_begin_with_words_up_to_twelve() {
        assert_eq!(opening_number(5), "Five");
        assert_eq!(opening_number(13), "13");
    }

    #[test]
    fn an_estimate_shows_no_more_than_it_knows() {
        assert_eq!(about(255_937, "GBP"), "£2,600");
        assert_eq!(about(3_840_000, "EUR"), "€38,000");
        assert_eq!(about(700, "USD"), "$7");
        assert_eq!(about(0, "GBP"), "£0");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(coordinate(12.0), "12");
        assert_eq!(coordinate(1.0 / 3.0), "0.33");
    }
}
