//! Weekly schedules on the wall clock, by the tables of the reference.

use condition::{Condition, Scope};

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
