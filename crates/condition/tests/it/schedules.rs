//! Weekly schedules on the wall clock, by the tables of the reference.

use condition::{Condition, Scope};
use jiff::{
    Timestamp, ToSpan, civil,
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::prelude::*;

#[track_caller]
fn check(schedule: &str, rows: &[(&str, bool)]) {
    let condition: Condition = format!("now in {schedule}").parse().unwrap();
    for (instant, expected) in rows {
        let scope = Scope::at(instant.parse().unwrap());
        assert_eq!(condition.matches(&scope), *expected, "{schedule} at {instant}");
    }
}

#[test]
fn the_repeated_hour_counts_again() {
    check(
        "Sun 01:30:00 to 03:15:00 America/New_York",
        &[
            ("2021-11-07T05:00:00Z", false),
            ("2021-11-07T05:30:00Z", true),
            ("2021-11-07T06:00:00Z", false),
            ("2021-11-07T06:15:00Z", false),
            ("2021-11-07T06:30:00Z", true),
            ("2021-11-07T07:00:00Z", true),
            ("2021-11-07T07:30:00Z", true),
            ("2021-11-07T08:00:00Z", true),
            ("2021-11-07T08:30:00Z", false),
        ],
    );
}

#[test]
fn the_skipped_hour_is_never_seen() {
    check(
        "Sun 01:30:00 to 03:15:00 America/New_York",
        &[
            ("2022-03-13T05:00:00Z", false),
            ("2022-03-13T06:00:00Z", false),
            ("2022-03-13T06:30:00Z", true),
            ("2022-03-13T06:59:00Z", true),
            ("2022-03-13T07:00:00Z", true),
            ("2022-03-13T07:15:00Z", true),
            ("2022-03-13T07:30:00Z", false),
            ("2022-03-13T08:00:00Z", false),
        ],
    );
    check(
        "Sun 02:00:00 to 02:59:59 America/New_York",
        &[("2022-03-13T07:00:00Z", false)],
    );
}

#[test]
fn the_zone_decides_the_time_of_day() {
    let monday_noon_in_los_angeles = "2022-01-03T20:00:00Z";
    check(
        "Mon,Wed,Fri 01:00:00 to 15:00:00 America/Los_Angeles",
        &[(monday_noon_in_los_angeles, true)],
    );
    check(
        "Mon,Wed,Fri 01:00:00 to 15:00:00 Etc/Utc",
        &[(monday_noon_in_los_angeles, false)],
    );
}

#[test]
fn an_end_before_the_start_is_on_the_next_day() {
    check(
        "Wed 22:00:00 to 08:00:00 Etc/UTC",
        &[
            ("2022-01-05T21:59:59Z", false),
            ("2022-01-05T22:00:00Z", true),
            ("2022-01-06T08:00:00Z", true),
            ("2022-01-06T08:00:01Z", false),
            ("2022-01-06T22:30:00Z", false),
            ("2022-01-05T07:00:00Z", false),
        ],
    );
}

#[test]
fn equal_start_and_end_are_a_whole_day() {
    check(
        "Sat,Sun 12:00:00 to 12:00:00 Africa/Cairo",
        &[
            ("2022-01-01T09:59:59Z", false),
            ("2022-01-01T10:00:00Z", true),
            ("2022-01-02T10:00:00Z", true),
            ("2022-01-03T09:59:59Z", true),
            ("2022-01-03T10:00:00Z", false),
        ],
    );
}

#[test]
fn the_end_belongs_to_the_window_to_the_whole_second() {
    check(
        "Mon 00:00:00 to 23:59:59 Etc/UTC",
        &[
            ("2022-01-03T23:59:59.999Z", true),
            ("2022-01-04T00:00:00Z", false),
        ],
    );
}

/// From the database that conditions use; the machine's own may have other rules.
fn zone_called(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// The windows of two weeks written out as dates and times, and the wall clock looked up among them.
fn stands_within(days: &[usize], start: i64, end: i64, zone: &str, now: Timestamp) -> bool {
    let wall = now.to_zoned(zone_called(zone)).datetime();
    let midnight = wall.date().to_datetime(civil::Time::midnight());
    (-7..=7).any(|offset| {
        let day = midnight.saturating_add(i64::from(offset).days());
        let opens = day.saturating_add(start.seconds());
        let closes = day.saturating_add((if end > start { end } else { end + 86_400 }).seconds());
        let listed = days.contains(&(day.weekday().to_monday_zero_offset() as usize));
        // An end is over once its second is over, but 24 hours are not a second more.
        let closes = if start == end {
            closes
        } else {
            closes.saturating_add(1.second())
        };
        listed && opens <= wall && wall < closes
    })
}

fn clock(seconds: i64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

proptest! {
    #[test]
    fn a_schedule_agrees_with_its_windows_written_out(
        days in prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4, 5, 6], 1..8),
        (start, end) in prop_oneof![
            (0_i64..86_400, 0_i64..86_400),
            (0_i64..86_400).prop_map(|time| (time, time)),
        ],
        zone in prop::sample::select(vec![
            "America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Kathmandu", "America/Sao_Paulo",
            "Africa/Casablanca", "Pacific/Apia", "Etc/UTC",
        ]),
        near in -3_i64..4,
        second in 0_i64..2_000_000_000,
        exact in any::<bool>(),
    ) {
        let zoned = Timestamp::from_second(second).unwrap().to_zoned(zone_called(zone));
        // Half of the instants are within seconds of an edge of the window.
        let edge = zoned.date().to_datetime(civil::Time::midnight()).saturating_add((end + near).seconds());
        let now = if exact { zoned.timestamp() } else { edge.to_zoned(zone_called(zone)).unwrap().timestamp() };
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let listed: Vec<&str> = days.iter().map(|day| names[*day]).collect();
        let text = format!("now in {} {} to {} {zone}", listed.join(","), clock(start), clock(end));
        let condition: Condition = text.parse().unwrap();
        prop_assert_eq!(
            condition.matches(&Scope::at(now)),
            stands_within(&days, start, end, zone, now),
            "{} at {}", text, now
        );
    }
}
