//! Ninety days of a component, from its recorded changes.
//!
//! A day is coloured by how much of it was lost, so that a minute of trouble does not look like a lost day. That, and
//! the share of working time, count an outage whole, a partial one half, and slowness and planned work not at all, as
//! others in the field weigh them.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Serialize;

use super::model::ComponentStatus;
use super::view::{DAYS, Day};

/// From so many lost seconds on a day was not only briefly disturbed.
const SHORT: f64 = 10.0 * 60.0;
/// From so many on it stands out.
const LONG: f64 = 30.0 * 60.0;

/// What is shown of one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Uptime {
    /// Oldest first; nothing for days before it was watched.
    pub days: Vec<Option<Day>>,
    /// In hundredths of a percent, 0 to 10,000.
    pub share: u32,
}

/// `changes` are in order of time; before the first the component was not watched.
pub fn uptime(changes: &[(Timestamp, ComponentStatus)], now: Timestamp, zone: &TimeZone) -> Uptime {
    let today = now.to_zoned(zone.clone()).date();
    let starts: Vec<Timestamp> = (0..=DAYS as i64)
        .filter_map(|day| {
            let date = today.checked_sub(Span::new().days(DAYS as i64 - 1 - day)).ok()?;
            Some(date.to_zoned(zone.clone()).ok()?.timestamp())
        })
        .collect();
    let mut days = Vec::with_capacity(DAYS);
    let (mut watched, mut lost) = (0.0_f64, 0.0_f64);
    for day in starts.windows(2) {
        let (from, until) = (day[0], day[1].min(now));
        let (mut worst, mut lost_today) = (None, 0.0_f64);
        for (position, (at, status)) in changes.iter().enumerate() {
            let ends = changes.get(position + 1).map_or(now, |(next, _)| *next);
            let (begins, ends) = ((*at).max(from), ends.min(until));
            let touches = begins < ends || (*at >= from && *at < day[1]);
            if !touches {
                continue;
            }
            worst = worst.max(Some(*status));
            let seconds = ends.duration_since(begins).as_secs_f64().max(0.0);
            watched += seconds;
            lost_today += seconds * weight(*status);
        }
        lost += lost_today;
        days.push(worst.map(|worst| shown(worst, lost_today)));
    }
    let share = if watched > 0.0 { 1.0 - lost / watched } else { 1.0 };
    Uptime {
        days,
        share: (share * 10_000.0).floor() as u32,
    }
}

/// A day by the worst it has seen and by what was lost of it.
fn shown(worst: ComponentStatus, lost: f64) -> Day {
    match worst {
        ComponentStatus::Operational => Day::Well,
        ComponentStatus::UnderMaintenance => Day::Work,
        _ if lost >= LONG => Day::Long,
        _ if lost >= SHORT => Day::Short,
        _ => Day::Brief,
    }
}

fn weight(status: ComponentStatus) -> f64 {
    match status {
        ComponentStatus::MajorOutage => 1.0,
        ComponentStatus::PartialOutage => 0.5,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::ComponentStatus::{MajorOutage, Operational};
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_shows_its_worst_and_the_share_counts_what_was_lost() {
        let changes = [
            (at("2026-11-16T00:00:00Z"), Operational),
            (at("2026-11-16T12:00:00Z"), MajorOutage),
            (at("2026-11-16T18:00:00Z"), Operational),
        ];
        let uptime = uptime(&changes, at("2026-11-17T00:00:00Z"), &TimeZone::UTC);
        assert_eq!(uptime.days.len(), DAYS);
        assert_eq!(uptime.days[DAYS - 2], Some(Day::Long));
        assert_eq!(uptime.days[DAYS - 3], None);
        assert_eq!(uptime.share, 7_500);
    }

    #[test]
    fn a_short_outage_colours_its_day_mildly() {
        let day = |minutes: i64, status| {
            let began = at("2026-11-16T12:00:00Z");
            let changes = [
                (at("2026-11-16T00:00:00Z"), Operational),
                (began, status),
                (began + jiff::SignedDuration::from_mins(minutes), Operational),
            ];
            uptime(&changes, at("2026-11-17T00:00:00Z"), &TimeZone::UTC).days[DAYS - 2]
        };
        assert_eq!(day(1, MajorOutage), Some(Day::Brief));
        assert_eq!(day(15, MajorOutage), Some(Day::Short));
        assert_eq!(day(45, MajorOutage), Some(Day::Long));
        assert_eq!(day(45, ComponentStatus::PartialOutage), Some(Day::Short));
        assert_eq!(day(600, ComponentStatus::DegradedPerformance), Some(Day::Brief));
        assert_eq!(day(600, ComponentStatus::UnderMaintenance), Some(Day::Work));
    }

    #[test]
    fn a_component_without_history_has_lost_nothing() {
        let uptime = uptime(&[], at("2026-11-17T06:00:00Z"), &TimeZone::UTC);
        assert_eq!((uptime.share, uptime.days.iter().flatten().count()), (10_000, 0));
    }
}
