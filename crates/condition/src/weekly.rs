//! Weekly schedules: `Mon,Tue 09:00:00 to 17:00:00 America/New_York`.
//!
//! The comparison is made on the wall clock of the schedule's zone, as the reference makes it: an hour that
//! the clock repeats counts again, an hour that it skips is never seen. The days are those on which the
//! window starts.

use jiff::{
    Timestamp,
    civil::{Time, Weekday},
    tz::TimeZone,
};

/// The days as the language writes them, in its order.
pub(crate) const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// Windows of wall-clock time that come back every week.
#[derive(Clone, Debug, PartialEq)]
pub struct WeeklySchedule {
    /// Bit 0 is Monday.
    days: u8,
    pub(crate) start: Time,
    pub(crate) end: Time,
    pub(crate) zone_name: String,
    zone: TimeZone,
}

impl WeeklySchedule {
    pub(crate) fn new(days: &[Weekday], start: Time, end: Time, zone_name: &str, zone: TimeZone) -> Self {
        let days = days.iter().fold(0, |bits, day| bits | bit(*day));
        Self {
            days,
            start,
            end,
            zone_name: zone_name.to_owned(),
            zone,
        }
    }

    /// Whether a window starts on this day.
    pub fn starts_on(&self, day: Weekday) -> bool {
        self.days & bit(day) != 0
    }

    /// Whether a clock on the wall of the zone stands within a window at this instant.
    ///
    /// Both ends belong to the window, to the whole second; where start and end are the same the window is
    /// exactly 24 hours of wall clock and its end does not belong to it.
    ///
    /// ```
    /// use condition::{Condition, Expression};
    ///
    /// let condition: Condition = "now in Mon,Tue 09:00:00 to 17:00:00 America/New_York".parse()?;
    /// let Expression::During(hours) = condition.expression() else { panic!("not a weekly schedule") };
    /// assert!(hours.contains("2026-03-09T13:00:00Z".parse()?), "a Monday, 9:00 in New York");
    /// assert!(!hours.contains("2026-03-11T13:00:00Z".parse()?), "a Wednesday");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(&self, now: Timestamp) -> bool {
        let wall = self.zone.to_datetime(now);
        let time = wall.time();
        let time = time.with().subsec_nanosecond(0).build().unwrap_or(time);
        let today = wall.weekday();
        let started_today = self.starts_on(today);
        let started_yesterday = self.starts_on(today.previous());
        match self.start.cmp(&self.end) {
            std::cmp::Ordering::Less => started_today && self.start <= time && time <= self.end,
            std::cmp::Ordering::Equal => {
                (started_today && self.start <= time) || (started_yesterday && time < self.end)
            }
            std::cmp::Ordering::Greater => {
                (started_today && self.start <= time) || (started_yesterday && time <= self.end)
            }
        }
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}
