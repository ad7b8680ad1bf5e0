//! The hours of a layer as people write them, a line each: `every day 18:00 to 08:00`, `Mon to Fri 09:00 to 17:00`,
//! `Fri 18:00 to Mon 08:00`. What is written is what is read: every restriction can be said in such a line.

use jiff::civil::Time;
use schedule::Restriction;

use super::weekdays;

/// The longest text that is read.
const LONGEST: usize = 4_000;
const DAY: u32 = 86_400;
const WEEK: u32 = 7 * DAY;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// How it must be written, for whoever wrote it otherwise.
const SUCH_AS: &str =
    "Write such as “Mon to Fri 09:00 to 17:00”, “every day 18:00 to 08:00” or “Fri 18:00 to Mon 08:00”.";

/// The lines for some restrictions; none for all the time. Days with the same hours share a line where they follow
/// each other.
pub(super) fn written(restrictions: &[Restriction]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = restrictions;
    while let [first, others @ ..] = rest {
        rest = others;
        match *first {
            Restriction::Daily {
                start_time_of_day,
                duration_seconds,
            } => {
                // What lasts a day or longer is never closed.
                let end = after(start_time_of_day, duration_seconds.min(DAY));
                lines.push(format!(
                    "every day {} to {}",
                    clock(start_time_of_day),
                    clock(end)
                ));
            }
            Restriction::Weekly {
                start_day_of_week,
                start_time_of_day,
                duration_seconds,
            } => {
                let day = usize::from(start_day_of_week.clamp(1, 7) - 1);
                let run = run_of(first, others);
                let end = after(start_time_of_day, duration_seconds);
                let hours = format!("{} to {}", clock(start_time_of_day), clock(end));
                if run > 0 {
                    rest = others.get(run..).unwrap_or_default();
                    lines.push(format!("{} to {} {hours}", DAYS[day], DAYS[(day + run).min(6)]));
                } else if duration_seconds < DAY {
                    lines.push(format!("{} {hours}", DAYS[day]));
                } else {
                    let seconds = seconds_of(start_time_of_day) + duration_seconds;
                    let last = DAYS[(day + (seconds / DAY) as usize) % 7];
                    lines.push(format!(
                        "{} {} to {last} {}",
                        DAYS[day],
                        clock(start_time_of_day),
                        clock(end)
                    ));
                }
            }
        }
    }
    lines.join("\n")
}

/// How many of those that follow are the same hours of the next days, one day after the other.
fn run_of(first: &Restriction, others: &[Restriction]) -> usize {
    let Restriction::Weekly {
        start_day_of_week,
        duration_seconds: ..DAY,
        ..
    } = *first
    else {
        return 0;
    };
    let mut run = 0;
    for (next, other) in (start_day_of_week + 1..=7).zip(others) {
        if *other != on_day(*first, next) {
            break;
        }
        run += 1;
    }
    run
}

fn on_day(restriction: Restriction, day: u8) -> Restriction {
    match restriction {
        Restriction::Weekly {
            start_time_of_day,
            duration_seconds,
            ..
        } => Restriction::Weekly {
            start_day_of_week: day,
            start_time_of_day,
            duration_seconds,
        },
        daily @ Restriction::Daily { .. } => daily,
    }
}

/// Reads the lines, or says which of them cannot be read.
pub(super) fn read(text: &str) -> Result<Vec<Restriction>, String> {
    if text.len() > LONGEST {
        return Err(format!("The hours are longer than {LONGEST} letters."));
    }
    let mut all = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let read = line_of(line).ok_or_else(|| {
            let shown: String = line.chars().take(60).collect();
            format!("“{shown}” cannot be read as hours. {SUCH_AS}")
        })?;
        all.extend(read);
    }
    Ok(all)
}

fn line_of(line: &str) -> Option<Vec<Restriction>> {
    let plain = line.to_lowercase().replace(['–', '—', '-'], " to ");
    let words: Vec<&str> = plain
        .split(|letter: char| letter.is_whitespace() || letter == ',')
        .filter(|word| !word.is_empty() && *word != "from")
        .collect();
    match words.as_slice() {
        ["every", "day", from, "to", until] | ["daily", from, "to", until] => {
            let (start, duration) = hours(from, until)?;
            Some(vec![Restriction::Daily {
                start_time_of_day: start,
                duration_seconds: duration,
            }])
        }
        [first, "to", last, from, "to", until] if time(last).is_none() => {
            let (first, last) = (day(first)?, day(last)?);
            let (start, duration) = hours(from, until)?;
            let days = (last + 7 - first) % 7;
            Some(
                (0..=days)
                    .map(|step| weekly((first + step) % 7, start, duration))
                    .collect(),
            )
        }
        [first, from, "to", last, until] => {
            let (first, last) = (day(first)?, day(last)?);
            let (start, end) = (time(from)?, time(until)?);
            let from = u32::from(first) * DAY + seconds_of(start);
            let until = u32::from(last) * DAY + seconds_of(end);
            let duration = (until + WEEK - from) % WEEK;
            (duration > 0).then(|| vec![weekly(first, start, duration)])
        }
        [on, from, "to", until] => {
            let (start, duration) = hours(from, until)?;
            Some(vec![weekly(day(on)?, start, duration)])
        }
        _ => None,
    }
}

fn weekly(day: u8, start: Time, duration: u32) -> Restriction {
    Restriction::Weekly {
        start_day_of_week: day + 1,
        start_time_of_day: start,
        duration_seconds: duration,
    }
}

/// From one time of day to the next time that the clock shows the other.
fn hours(from: &str, until: &str) -> Option<(Time, u32)> {
    let (start, end) = (time(from)?, time(until)?);
    let duration = (seconds_of(end) + DAY - seconds_of(start)) % DAY;
    Some((start, if duration == 0 { DAY } else { duration }))
}

/// 0 for Monday; a day by its first three letters or whole, one or many of them.
fn day(word: &str) -> Option<u8> {
    let day = weekdays::day(word).or_else(|| weekdays::day(word.strip_suffix('s')?))?;
    day.checked_sub(1)
}

fn time(word: &str) -> Option<Time> {
    if word == "24:00" {
        return Some(Time::midnight());
    }
    let is_clock = word.contains(':') && word.len() <= 8;
    let padded = if word.find(':') == Some(1) {
        format!("0{word}")
    } else {
        word.to_owned()
    };
    is_clock.then(|| padded.parse().ok()).flatten()
}

fn seconds_of(time: Time) -> u32 {
    let seconds = i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second());
    seconds.unsigned_abs()
}

fn after(start: Time, seconds: u32) -> Time {
    start.wrapping_add(jiff::SignedDuration::from_secs(i64::from(seconds)))
}

fn clock(time: Time) -> String {
    if time.second() == 0 {
        time.strftime("%H:%M").to_string()
    } else {
        time.strftime("%H:%M:%S").to_string()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time as at;
    use proptest::prelude::*;

    use super::*;

    fn daily(start: Time, duration_seconds: u32) -> Restriction {
        Restriction::Daily {
            start_time_of_day: start,
            duration_seconds,
        }
    }

    #[test]
    fn hours_are_read_as_people_write_them() {
        let nine = at(9, 0, 0, 0);
        let working: Vec<_> = (0..5).map(|day| weekly(day, nine, 8 * 3_600)).collect();
        for text in [
            "Mon to Fri 09:00 to 17:00",
            "monday-friday 9:00-17:00",
            "Mon – Fri, 09:00 – 17:00",
            "Mondays to Fridays from 09:00 to 17:00",
        ] {
            assert_eq!(read(text).as_deref(), Ok(working.as_slice()), "{text}");
        }
        assert_eq!(
            read("every day 18:00 to 08:00"),
            Ok(vec![daily(at(18, 0, 0, 0), 14 * 3_600)])
        );
        assert_eq!(
            read("Fri 18:00 to Mon 08:00"),
            Ok(vec![weekly(4, at(18, 0, 0, 0), 62 * 3_600)])
        );
        assert_eq!(
            read("Sat 00:00 to 24:00\n\nSun 20:00 to 04:00"),
            Ok(vec![
                weekly(5, Time::midnight(), DAY),
                weekly(6, at(20, 0, 0, 0), 8 * 3_600)
            ])
        );
        assert_eq!(read(" \n"), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in [
            "at night",
            "Mon 09:00",
            "Mo 09:00 to 17:00",
            "Mon 25:00 to 26:00",
            "Mon 09:00 to Mon 09:00",
            "Mon to Fri 09:00 to Tue 10:00",
        ] {
            let said = read(&format!("every day 18:00 to 08:00\n{text}")).unwrap_err();
            assert!(said.contains(text), "{said}");
        }
        assert!(read(&"x".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn days_that_follow_each_other_share_a_line() {
        let text = "Mon to Fri 09:00 to 17:00\nSat 10:00 to 14:00\nFri 18:00 to Mon 08:00";
        assert_eq!(written(&read(text).unwrap()), text);
    }

    fn restriction() -> impl Strategy<Value = Restriction> {
        let start = (0_i8..24, 0_i8..60, prop_oneof![Just(0_i8), 0_i8..60])
            .prop_map(|(hour, minute, second)| at(hour, minute, second, 0));
        prop_oneof![
            (start.clone(), 1..=DAY).prop_map(|(start, duration)| daily(start, duration)),
            (0_u8..7, start, 1..WEEK).prop_map(|(day, start, duration)| weekly(day, start, duration)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(all in proptest::collection::vec(restriction(), 0..8)) {
            prop_assert_eq!(read(&written(&all)), Ok(all));
        }

        #[test]
        fn no_text_is_too_much(text in "(?s).{0,80}") {
            drop(read(&text));
        }
    }
}
