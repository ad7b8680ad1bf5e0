//! Times as a tired person reads them: how long ago, how long left, in the reader's own zone, with the exact
//! time one hover away. The browser keeps counting from the server's time (`js/ticking.js` has the same words).

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::drawn;

/// What time it is for the reader: every moment on one page is told against the same now.
#[derive(Debug, Clone)]
pub struct Reading {
    pub now: Timestamp,
    pub zone: TimeZone,
}

impl Reading {
    pub fn new(now: Timestamp, zone: TimeZone) -> Self {
        Self { now, zone }
    }

    /// "06:20", "tomorrow 08:00", "12 Nov 16:20".
    pub fn clock(&self, at: Timestamp) -> Moment {
        self.moment(at, self.clock_words(at), Tick::Still)
    }

    /// "31 min ago".
    pub fn ago(&self, at: Timestamp) -> Moment {
        let seconds = seconds_between(at, self.now);
        let words = if seconds < 5 {
            "just now".to_owned()
        } else {
            format!("{} ago", duration_words(seconds))
        };
        self.moment(at, words, Tick::Ago)
    }

    /// "31 min": how long something has been so.
    pub fn age(&self, since: Timestamp) -> Moment {
        self.moment(since, duration_words(seconds_between(since, self.now)), Tick::Age)
    }

    /// "in 8 min", "2 min late", with a ring that empties from the promise to its time.
    pub fn countdown(&self, promised: Timestamp, due: Timestamp) -> Countdown {
        self.countdown_in(promised, due, CountdownWords::In)
    }

    /// "2 min left".
    pub fn left(&self, from: Timestamp, due: Timestamp) -> Countdown {
        self.countdown_in(from, due, CountdownWords::Left)
    }

    /// "by 06:20", or "2 min late" once it has passed.
    pub fn due_by(&self, from: Timestamp, due: Timestamp) -> Countdown {
        self.countdown_in(from, due, CountdownWords::By)
    }

    /// "Tue 17 Nov".
    pub fn day(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%a %-d %b").to_string()
    }

    /// "17 November 2026".
    pub fn date(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%-d %B %Y").to_string()
    }

    pub fn zoned(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// "Tuesday 17 November 2026, 06:12 GMT".
    pub fn exact(&self, at: Timestamp) -> String {
        self.zoned(at).strftime("%A %-d %B %Y, %H:%M %Z").to_string()
    }

    pub fn clock_words(&self, at: Timestamp) -> String {
        let (then, today) = (self.zoned(at), self.zoned(self.now).date());
        let clock = then.strftime("%H:%M");
        let days = today.until(then.date()).map_or(i32::MAX, |span| span.get_days());
        match days {
            0 => clock.to_string(),
            1 => format!("tomorrow {clock}"),
            -1 => format!("yesterday {clock}"),
            _ if then.year() == today.year() => then.strftime("%-d %b %H:%M").to_string(),
            _ => then.strftime("%-d %b %Y").to_string(),
        }
    }

    fn moment(&self, at: Timestamp, words: String, tick: Tick) -> Moment {
        Moment {
            machine: machine_time(at),
            exact: self.exact(at),
            words,
            tick,
        }
    }

    fn countdown_in(&self, from: Timestamp, due: Timestamp, words: CountdownWords) -> Countdown {
        let left = due.as_second() - self.now.as_second();
        let whole = (due.as_second() - from.as_second()).max(1);
        let late = left < 0;
        let text = match words {
            _ if late => format!("{} late", duration_words(-left)),
            CountdownWords::In => format!("in {}", duration_words(left)),
            CountdownWords::Left => format!("{} left", duration_words(left)),
            CountdownWords::By => format!("by {}", self.clock_words(due)),
        };
        Countdown {
            from: machine_time(from),
            due: machine_time(due),
            exact: self.exact(due),
            by: self.clock_words(due),
            words: text,
            pattern: words,
            left_percent: ((left.max(0) as f64 / whole as f64) * 100.0).min(100.0).round() as u8,
            late,
        }
    }
}

/// How the browser keeps the words of a moment true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    Still,
    Ago,
    Age,
}

/// A point in time: relative or by the clock, the exact time on hover and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/moment.html")]
pub struct Moment {
    pub machine: String,
    pub exact: String,
    pub words: String,
    pub tick: Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountdownWords {
    In,
    Left,
    By,
}

/// A promise running out: a ring that empties, and words.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/countdown.html")]
pub struct Countdown {
    pub from: String,
    pub due: String,
    pub exact: String,
    /// The due time by the clock.
    pub by: String,
    pub words: String,
    pub pattern: CountdownWords,
    /// How much of the ring is left, 0 to 100.
    pub left_percent: u8,
    pub late: bool,
}

impl Countdown {
    fn pattern_name(&self) -> &'static str {
        match self.pattern {
            CountdownWords::In => "in",
            CountdownWords::Left => "left",
            CountdownWords::By => "by",
        }
    }
}

drawn!(Moment, Countdown);

fn machine_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0)
}

/// "40 s", "31 min", "2 h 10 min", "3 days": as much as one acts on, never more than two units.
pub fn duration_words(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{minutes} min"),
        3600..86_400 if minutes % 60 == 0 => format!("{hours} h"),
        3600..86_400 => format!("{hours} h {} min", minutes % 60),
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// "1 min 48 s", "3 h 59 min": exact, for measured figures.
pub fn measured_words(seconds: i64) -> String {
    match seconds {
        60..3600 if seconds % 60 != 0 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => duration_words(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn reading() -> Reading {
        Reading::new(
            at("2026-11-17T06:12:00Z"),
            TimeZone::get("Europe/London").unwrap(),
        )
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let said: Vec<_> = [0, 40, 60, 1860, 3600, 7800, 86_399, 90_000, 400_000]
            .into_iter()
            .map(duration_words)
            .collect();
        assert_eq!(
            said,
            [
                "0 s",
                "40 s",
                "1 min",
                "31 min",
                "1 h",
                "2 h 10 min",
                "23 h 59 min",
                "1 day",
                "4 days"
            ]
        );
    }

    #[test]
    fn measured_figures_keep_their_seconds() {
        assert_eq!(measured_words(108), "1 min 48 s");
        assert_eq!(measured_words(14_340), "3 h 59 min");
    }

    #[test]
    fn times_of_today_need_no_day() {
        assert_eq!(reading().clock(at("2026-11-17T06:20:00Z")).words, "06:20");
        assert_eq!(
            reading().clock(at("2026-11-16T16:20:00Z")).words,
            "yesterday 16:20"
        );
        assert_eq!(
            reading().clock(at("2026-11-18T08:00:00Z")).words,
            "tomorrow 08:00"
        );
        assert_eq!(reading().clock(at("2026-11-12T08:00:00Z")).words, "12 Nov 08:00");
        assert_eq!(reading().clock(at("2025-11-12T08:00:00Z")).words, "12 Nov 2025");
    }

    #[test]
    fn today_is_the_readers_day() {
        let madrid = Reading::new(
            at("2026-11-17T23:30:00Z"),
            TimeZone::get("Europe/Madrid").unwrap(),
        );
        assert_eq!(madrid.clock(at("2026-11-17T22:30:00Z")).words, "yesterday 23:30");
    }

    #[test]
    fn a_promise_counts_down_and_then_is_late() {
        let (promised, due) = (at("2026-11-17T05:52:00Z"), at("2026-11-17T06:20:00Z"));
        let near = reading().countdown(promised, due);
        assert_eq!(
            (near.words.as_str(), near.left_percent, near.late),
            ("in 8 min", 29, false)
        );
        let late = Reading::new(at("2026-11-17T06:22:00Z"), TimeZone::UTC).countdown(promised, due);
        assert_eq!(
            (late.words.as_str(), late.left_percent, late.late),
            ("2 min late", 0, true)
        );
    }

    #[test]
    fn a_moment_carries_the_exact_time_for_hover_and_for_machines() {
        let drawn = reading().ago(at("2026-11-17T05:41:00Z")).render().unwrap();
        assert_eq!(
            drawn,
            r#"<time datetime="2026-11-17T05:41:00Z" title="Tuesday 17 November 2026, 05:41 GMT" data-tick="ago">31 min ago</time>"#
        );
    }
}
