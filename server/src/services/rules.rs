//! How urgent, when somebody is there to look, and why nothing is opened.

use jiff::civil::Weekday;
use jiff::{Timestamp, ToSpan as _};
use triage::Severity;

use super::model::{Service, SupportHours, Urgency, UrgencyChoice, UrgencyRule};

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
    let Ok(local) = now.in_tz(&hours.time_zone) else {
        return false;
    };
    let (time, today) = (local.time(), local.weekday());
    let on = |day: Weekday| {
        hours
            .days_of_week
            .contains(&day.to_monday_one_offset().unsigned_abs())
    };
    if hours.start_time < hours.end_time {
        on(today) && hours.start_time <= time && time < hours.end_time
    } else {
        (on(today) && hours.start_time <= time) || (on(today.previous()) && time < hours.end_time)
    }
}

/// The next instant after `now` at which the hours begin (or end), looked for over a week.
pub fn next_edge(hours: &SupportHours, edge: super::model::NamedTime, now: Timestamp) -> Option<Timestamp> {
    use super::model::NamedTime;
    let local = now.in_tz(&hours.time_zone).ok()?;
    (-1..=8).find_map(|offset: i64| {
        let day = local.date().checked_add(offset.days()).ok()?;
        if !hours
            .days_of_week
            .contains(&day.weekday().to_monday_one_offset().unsigned_abs())
        {
            return None;
        }
        let (date, time) = match edge {
            NamedTime::SupportHoursStart => (day, hours.start_time),
            NamedTime::SupportHoursEnd if hours.start_time < hours.end_time => (day, hours.end_time),
            NamedTime::SupportHoursEnd => (day.tomorrow().ok()?, hours.end_time),
        };
        let at = date.to_datetime(time).in_tz(&hours.time_zone).ok()?.timestamp();
        (at > now).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::model::{NamedTime, SupportHoursKind};

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
}
