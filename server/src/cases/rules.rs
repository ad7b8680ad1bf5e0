//! When an answer is due, and who comes first among those who wait.

use std::time::Duration;

use jiff::Timestamp;

use crate::customers::accounts::Tier;

/// When the first answer is due: a business within a quarter of an hour, a gold customer within half an
/// hour, everybody else within the hour.
pub fn first_answer_due(tier: Option<Tier>, reported_at: Timestamp) -> Timestamp {
    let minutes = match tier {
        Some(Tier::Business) => 15,
        Some(Tier::Gold) => 30,
        Some(Tier::Standard) | None => 60,
    };
    reported_at + Duration::from_secs(minutes * 60)
}

/// Where a case stands among those owed an answer; smaller comes first. It is the time since which it waits,
/// set back by ten minutes for each power of ten of the customer's yearly value in whole units of money. So
/// the oldest come first, a valuable customer earlier, and nobody waits for ever; and because the head start
/// does not change with time, the order can be an index.
pub fn owed_order(owed_since: Timestamp, value_per_year: i64) -> i64 {
    let whole = (value_per_year / 100).max(0) as f64;
    let head_start_seconds = (600.0 * (1.0 + whole).log10()) as i64;
    owed_since.as_microsecond() - head_start_seconds * 1_000_000
}

/// Words, as they are found by: lower case, no accents; each once.
pub fn words_of(texts: &[Option<&str>]) -> Vec<String> {
    let mut words: Vec<String> = texts
        .iter()
        .flatten()
        .flat_map(|text| triage::words::tokens(text))
        .map(|token| {
            token
                .text
                .chars()
                .filter(|one| one.is_alphanumeric())
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_oldest_come_first_and_the_valuable_earlier() {
        let brodie = owed_order(at("2026-11-17T05:43:00Z"), 4_100_000);
        let dieter = owed_order(at("2026-11-17T05:46:00Z"), 20_000);
        let ines = owed_order(at("2026-11-17T05:48:00Z"), 0);
        let late_but_valuable = owed_order(at("2026-11-17T06:05:00Z"), 4_100_000);
        let mut order = [
            ("ines", ines),
            ("late", late_but_valuable),
            ("dieter", dieter),
            ("brodie", brodie),
        ];
        order.sort_by_key(|(_, order)| *order);
        assert_eq!(order.map(|(name, _)| name), ["brodie", "late", "dieter", "ines"]);
    }

    #[test]
    fn however_valuable_a_customer_nobody_waits_for_ever() {
        let patient = owed_order(at("2026-11-17T04:00:00Z"), 0);
        let richest = owed_order(at("2026-11-17T06:00:00Z"), i64::MAX);
        assert!(richest < patient, "a head start of three hours at most");
        let next_morning = owed_order(at("2026-11-17T08:00:00Z"), i64::MAX);
        assert!(patient < next_morning);
    }

    #[test]
    fn words_are_plain_and_each_there_once() {
        assert_eq!(
            words_of(&[Some("Köln: CARD card"), None, Some("o'clock 42")]),
            ["42", "card", "koln", "oclock"]
        );
    }
}
