//! Checking what was sent, so that every mistake is named at once.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Problem;

/// Names of things: as long as the field's own.
pub const LONGEST_NAME: usize = 255;
/// Descriptions and other texts that people write.
pub const LONGEST_TEXT: usize = 10_000;

/// Collects what is wrong; each sentence begins with the name of the field.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    sentences: Vec<String>,
}

impl Faults {
    pub fn new() -> Self {
        Self::default()
    }

    /// With what was found wrong before.
    pub fn of(sentences: Vec<String>) -> Self {
        Self { sentences }
    }

    pub fn add(&mut self, sentence: impl Into<String>) {
        self.sentences.push(sentence.into());
    }

    /// A name: one line that must say something. Breaks in it become blanks; blanks around it are dropped.
    pub fn name(&mut self, field: &str, text: Option<&str>, longest: usize) -> String {
        one_line(&self.text(field, text, longest))
    }

    /// A text that must be there and must say something. Blanks around it are dropped.
    pub fn text(&mut self, field: &str, text: Option<&str>, longest: usize) -> String {
        let text = text.unwrap_or_default().trim();
        if text.is_empty() {
            self.add(format!("{field} can't be blank."));
        }
        self.check_length(field, text, longest);
        text.to_owned()
    }

    /// A text that may be missing; an empty one counts as missing.
    pub fn optional_text(&mut self, field: &str, text: Option<&str>, longest: usize) -> Option<String> {
        let text = text.filter(|text| !text.is_empty())?;
        self.check_length(field, text, longest);
        Some(text.to_owned())
    }

    pub fn time_zone(&mut self, field: &str, name: &str) {
        if !is_time_zone(name) {
            self.add(format!(
                "{field} must be an IANA time zone such as Europe/Dublin."
            ));
        }
    }

    /// An address that mail can be sent to, in lower case.
    pub fn email(&mut self, field: &str, text: Option<&str>) -> String {
        let text = text.unwrap_or_default().trim().to_lowercase();
        let good = (6..=100).contains(&text.len())
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && domain.contains('.') && !domain.contains('@')
            })
            && !text
                .chars()
                .any(|one| one.is_whitespace() || one.is_control() || "<>,;\"".contains(one));
        if !good {
            self.add(format!(
                "{field} must be an e-mail address of 6 to 100 characters."
            ));
        }
        text
    }

    pub fn instant(&mut self, field: &str, text: Option<&str>) -> Option<Timestamp> {
        match text {
            None => {
                self.add(format!("{field} can't be blank."));
                None
            }
            Some(text) => self.optional_instant(field, Some(text)),
        }
    }

    pub fn optional_instant(&mut self, field: &str, text: Option<&str>) -> Option<Timestamp> {
        let text = text.filter(|text| !text.is_empty())?;
        let instant = parse_instant(text);
        if instant.is_none() {
            self.add(format!(
                "{field} must be a date in ISO 8601, such as 2026-11-17T06:12:00Z."
            ));
        }
        instant
    }

    /// A yes or no of a query string, in any case of letters; an empty one counts as missing.
    pub fn yes_or_no(&mut self, field: &str, text: Option<&str>) -> Option<bool> {
        let text = text.filter(|text| !text.is_empty())?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => {
                self.add(format!("{field} must be true, false, 1 or 0."));
                None
            }
        }
    }

    pub fn within(&mut self, field: &str, number: i64, range: std::ops::RangeInclusive<i64>) -> i64 {
        if !range.contains(&number) {
            self.add(format!(
                "{field} must lie between {} and {}.",
                range.start(),
                range.end()
            ));
        }
        number
    }

    /// Money in the currency's smallest unit: zero or more, and small enough to be added up.
    pub fn money(&mut self, field: &str, amount: Option<i64>) {
        if let Some(amount) = amount {
            self.within(field, amount, 0..=1_000_000_000_000);
        }
    }

    /// A currency as ISO 4217 writes it.
    pub fn currency(&mut self, field: &str, currency: Option<&str>) {
        let good = |text: &str| text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase());
        if !currency.is_none_or(good) {
            self.add(format!("{field} must be three capital letters, such as EUR."));
        }
    }

    /// Refuses if anything was wrong.
    pub fn done(self) -> Result<(), Problem> {
        if self.sentences.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.sentences))
        }
    }

    fn check_length(&mut self, field: &str, text: &str, longest: usize) {
        if text.chars().count() > longest {
            self.add(format!("{field} is too long (maximum is {longest} characters)."));
        }
        if text.contains('\0') {
            self.add(format!("{field} must not hold a NUL character."));
        }
    }
}

/// A text in one line, for names and titles: a break would show as two in lists.
pub fn one_line(text: &str) -> String {
    let is_break = |letter: char| {
        matches!(
            letter,
            '\r' | '\n' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    if !text.contains(is_break) {
        return text.to_owned();
    }
    let lines = text.split(is_break).map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether this is a zone of the IANA database. What only looks like a path or an offset is not.
pub fn is_time_zone(name: &str) -> bool {
    name.len() <= 64 && TimeZone::get(name).is_ok()
}

/// An instant in the forms the field's clients send: with any offset, with or without its colon, with a plus
/// sign that a query string turned into a blank; without an offset it is UTC, without a time midnight.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    if text.len() > 64 {
        return None;
    }
    let text = text.trim();
    let mended = match text.rsplit_once(' ') {
        Some((before, offset))
            if before.contains('T')
                && offset.len() <= 6
                && offset.starts_with(|one: char| one.is_ascii_digit()) =>
        {
            format!("{before}+{offset}")
        }
        _ => text.to_owned(),
    };
    if mended.starts_with("9999-12-3") {
        // Means the end of time, in whatever zone; the calendar ends there.
        return Timestamp::from_second(LAST_SECOND).ok();
    }
    let instant = mended
        .parse::<Timestamp>()
        .ok()
        .or_else(|| {
            let local: DateTime = mended.parse().ok()?;
            local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })
        .or_else(|| {
            let date: Date = mended.parse().ok()?;
            date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })?;
    // Far outside any use, and where arithmetic with it would leave the calendar.
    (-62_135_596_800..=LAST_SECOND)
        .contains(&instant.as_second())
        .then_some(instant)
}

/// The first of January 9999.
const LAST_SECOND: i64 = 253_370_764_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_or_no_is_read_in_any_case_and_nothing_else_is() {
        for (text, read) in [
            (None, None),
            (Some(""), None),
            (Some("true"), Some(true)),
            (Some("True"), Some(true)),
            (Some("1"), Some(true)),
            (Some("FALSE"), Some(false)),
            (Some("0"), Some(false)),
        ] {
            let mut faults = Faults::new();
            assert_eq!(faults.yes_or_no("total", text), read, "{text:?}");
            assert_eq!(faults.sentences, Vec::<String>::new());
        }
        for text in ["yes", "2", " true", "truetrue"] {
            let mut faults = Faults::new();
            assert_eq!(faults.yes_or_no("total", Some(text)), None);
            assert_eq!(faults.sentences, ["total must be true, false, 1 or 0."]);
        }
    }

    #[test]
    fn instants_are_read_in_every_form_that_clients_send() {
        for text in [
            "2026-11-17T06:12:00Z",
            "2026-11-17T06:12:00+00:00",
            "2026-11-17T07:12:00+0100",
            "2026-11-17T07:12:00 01:00",
            "2026-11-17T06:12:00",
            "2026-11-17T06:12:00.000Z",
        ] {
            assert_eq!(
                parse_instant(text),
                Some("2026-11-17T06:12:00Z".parse().unwrap()),
                "{text}"
            );
        }
        assert_eq!(
            parse_instant("2026-11-17"),
            Some("2026-11-17T00:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn the_end_of_time_is_an_instant() {
        for text in ["9999-12-31T23:59:59Z", "9999-12-31", "9999-12-30T00:00:00+01:00"] {
            assert_eq!(
                parse_instant(text),
                Some("9999-01-01T00:00:00Z".parse().unwrap()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in ["", "soon", "2026-13-01", "2026-11-17T25:00:00Z", "99999-01-01"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_one_line_and_texts_keep_theirs() {
        let mut faults = Faults::new();
        let broken = Some(" Card\r\nterminals\t\n\n of Leeds ");
        assert_eq!(faults.name("Name", broken, 50), "Card terminals of Leeds");
        assert_eq!(faults.text("Text", Some("a\nb"), 50), "a\nb");
        faults.name("Name", Some("\n"), 50);
        assert_eq!(faults.done().unwrap_err().errors(), ["Name can't be blank."]);
    }

    #[test]
    fn every_fault_is_named() {
        let mut faults = Faults::new();
        faults.name("Name", Some("  "), 10);
        faults.email("Email", Some("nobody"));
        faults.time_zone("Time zone", "Mars/Olympus");
        let problem = faults.done().unwrap_err();
        assert_eq!(problem.errors().len(), 3);
        assert_eq!(problem.errors()[0], "Name can't be blank.");
    }
}
