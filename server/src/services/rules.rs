//! How urgent, when somebody is there to look, and why nothing is opened.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use triage::Severity;

use super::model::{NamedTime, Service, SupportHours, Urgency, UrgencyChoice, UrgencyRule};

/// Why a service opens no incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    SwitchedOff,
    /// Until the last of the windows that are open now ends.
    Maintenance {
        until: Timestamp,
    },
}

/// How urgent an incident of this service is at an instant. Without a severity (somebody typed it in), it
/// counts as an error.
pub fn urgency_at(service: &Service, severity: Option<Severity>, now: Timestamp) -> Urgency {
    match choice_at(service, now) {
        UrgencyChoice::High => Urgency::High,
        UrgencyChoice::Low => Urgency::Low,
        UrgencyChoice::SeverityBased => match severity.unwrap_or_default() {
            Severity::Critical | Severity::Error => Urgency::High,
            Severity::Warning | Severity::Info => Urgency::Low,
        },
    }
}

/// Whether a further alert makes an incident of this service urgent that began as a mild one.
pub fn is_raised_by(service: &Service, severity: Severity, now: Timestamp) -> bool {
    choice_at(service, now) == UrgencyChoice::SeverityBased
        && urgency_at(service, Some(severity), now) == Urgency::High
}

fn choice_at(service: &Service, now: Timestamp) -> UrgencyChoice {
    match (&service.incident_urgency_rule, &service.support_hours) {
        (UrgencyRule::Constant { urgency }, _) => *urgency,
        (
            UrgencyRule::UseSupportHours {
                outside_support_hours,
                ..
            },
            None,
        ) => outside_support_hours.urgency,
        (
            UrgencyRule::UseSupportHours {
                during_support_hours,
                outside_support_hours,
            },
            Some(hours),
        ) => {
            if within(hours, now) {
                during_support_hours.urgency
            } else {
                outside_support_hours.urgency
            }
        }
    }
}

/// Whether an instant lies within the hours. A window that ends at or before its start ends on the next day.
pub fn within(hours: &SupportHours, now: Timestamp) -> bool {
    now.in_tz(&hours.time_zone)
        .is_ok_and(|local| covers(hours, local.datetime()))
}

/// The same for what the clock on the wall says.
fn covers(hours: &SupportHours, local: DateTime) -> bool {
    let (time, today) = (local.time(), local.weekday());
    if hours.start_time < hours.end_time {
        begins_on(hours, today) && hours.start_time <= time && time < hours.end_time
    } else {
        (begins_on(hours, today) && hours.start_time <= time)
            || (begins_on(hours, today.previous()) && time < hours.end_time)
    }
}

fn begins_on(hours: &SupportHours, day: Weekday) -> bool {
    hours
        .days_of_week
        .contains(&day.to_monday_one_offset().unsigned_abs())
}

/// When the scheduled actions of a service next make its quiet incidents urgent, and what happens to its hours then.
pub fn next_rise(service: &Service, now: Timestamp) -> Option<(Timestamp, NamedTime)> {
    let hours = service.support_hours.as_ref()?;
    service
        .scheduled_actions
        .iter()
        .filter_map(|action| Some((next_edge(hours, action.at.name, now)?, action.at.name)))
        .min_by_key(|(at, _)| *at)
}

/// The next instant after `now` at which the hours begin (or end), looked for over a week. Where the hours of one day follow
/// those of another without a pause, they neither end nor begin.
pub fn next_edge(hours: &SupportHours, edge: NamedTime, now: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get(&hours.time_zone).ok()?;
    let today = now.to_zoned(zone.clone()).date();
    (-1..=8).find_map(|offset: i64| {
        let day = today.checked_add(offset.days()).ok()?;
        if !begins_on(hours, day.weekday()) {
            return None;
        }
        let (local, goes_on) = match edge {
            NamedTime::SupportHoursStart => {
                let start = day.to_datetime(hours.start_time);
                (start, covers(hours, start.checked_sub(1.nanosecond()).ok()?))
            }
            NamedTime::SupportHoursEnd => {
                let ends_on = if hours.start_time < hours.end_time {
                    day
                } else {
                    day.tomorrow().ok()?
                };
                let end = ends_on.to_datetime(hours.end_time);
                (end, covers(hours, end))
            }
        };
        let at = instant_of(local, &zone)?;
        (!goes_on && at > now).then_some(at)
    })
}

/// When the clock on the wall comes to a time: the first of two where it is set back, and when it goes on where it leaps
/// over that time.
fn instant_of(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = local.to_zoned(zone.clone()).ok()?;
    if zoned.datetime() == local {
        return Some(zoned.timestamp());
    }
    zone.preceding(zoned.timestamp())
        .next()
        .map(|leap| leap.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::model::SupportHoursKind;

    fn hours(start: &str, end: &str) -> SupportHours {
        SupportHours {
            kind: SupportHoursKind::FixedTimePerDay,
            time_zone: "Europe/London".to_owned(),
            days_of_week: vec![1, 2, 3, 4, 5],
            start_time: start.parse().unwrap(),
            end_time: end.parse().unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn support_hours_follow_the_wall_clock_and_the_weekday() {
        let office = hours("09:00:00", "17:00:00");
        assert!(within(&office, at("2026-06-01T08:00:00Z")));
        assert!(!within(&office, at("2026-11-16T08:00:00Z")));
        assert!(within(&office, at("2026-11-16T09:00:00Z")));
        assert!(!within(&office, at("2026-11-16T17:00:00Z")));
        assert!(!within(&office, at("2026-11-21T12:00:00Z")));
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let night = hours("22:00:00", "06:00:00");
        assert!(within(&night, at("2026-11-20T23:00:00Z")));
        assert!(within(&night, at("2026-11-21T05:00:00Z")));
        assert!(!within(&night, at("2026-11-21T23:00:00Z")));
        assert!(!within(&night, at("2026-11-16T05:00:00Z")));
    }

    #[test]
    fn the_next_start_skips_the_weekend() {
        let office = hours("09:00:00", "17:00:00");
        let friday_evening = at("2026-11-20T18:00:00Z");
        assert_eq!(
            next_edge(&office, NamedTime::SupportHoursStart, friday_evening),
            Some(at("2026-11-23T09:00:00Z"))
        );
        assert_eq!(
            next_edge(&office, NamedTime::SupportHoursEnd, at("2026-11-20T16:00:00Z")),
            Some(at("2026-11-20T17:00:00Z"))
        );
    }

    #[test]
    fn hours_that_follow_one_another_begin_and_end_once() {
        let weekdays = hours("00:00:00", "00:00:00");
        let tuesday = at("2026-11-17T12:00:00Z");
        assert_eq!(
            next_edge(&weekdays, NamedTime::SupportHoursStart, tuesday),
            Some(at("2026-11-23T00:00:00Z"))
        );
        assert_eq!(
            next_edge(&weekdays, NamedTime::SupportHoursEnd, tuesday),
            Some(at("2026-11-21T00:00:00Z"))
        );
        let always = SupportHours {
            days_of_week: (1..=7).collect(),
            ..weekdays
        };
        for edge in [NamedTime::SupportHoursStart, NamedTime::SupportHoursEnd] {
            assert_eq!(next_edge(&always, edge, tuesday), None);
        }
    }

    #[test]
    fn the_next_start_follows_the_clocks_when_they_change() {
        let office = hours("09:00:00", "17:00:00");
        for (friday_evening, monday_morning) in [
            ("2026-03-27T18:00:00Z", "2026-03-30T08:00:00Z"),
            ("2026-10-23T17:00:00Z", "2026-10-26T09:00:00Z"),
        ] {
            assert_eq!(
                next_edge(&office, NamedTime::SupportHoursStart, at(friday_evening)),
                Some(at(monday_morning))
            );
        }
    }

    #[test]
    fn hours_that_begin_while_the_clocks_leap_begin_when_they_go_on() {
        let early = SupportHours {
            days_of_week: vec![7],
            ..hours("01:30:00", "17:00:00")
        };
        let begins = at("2026-03-29T01:00:00Z");
        assert_eq!(
            next_edge(&early, NamedTime::SupportHoursStart, at("2026-03-28T12:00:00Z")),
            Some(begins)
        );
        assert!(within(&early, begins));
    }
}
