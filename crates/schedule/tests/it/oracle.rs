//! A second opinion, minute by minute.
//!
//! This evaluator shares no arithmetic with the crate. It walks through time one minute after the other, asks the time
//! zone for the local date and time, remembers the latest one it has seen (a person at a wall clock who hands over once
//! and never twice), and compares civil dates and times. It is slow and simple on purpose.

use std::collections::HashMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use schedule::{Advance, Layer, Restriction, Schedule, UserKey};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// For every minute of a stretch, the latest local time seen up to it in each zone.
pub(crate) struct Watch {
    pub(crate) start: Timestamp,
    pub(crate) minutes: usize,
    instants: Vec<Timestamp>,
    seen: HashMap<String, Vec<DateTime>>,
}

impl Watch {
    pub(crate) fn new(start: Timestamp, minutes: usize) -> Self {
        let minute = |index: usize| start + MINUTE * i32::try_from(index).unwrap();
        let instants = (0..minutes).map(minute).collect();
        Self {
            start,
            minutes,
            instants,
            seen: HashMap::new(),
        }
    }

    pub(crate) fn minute(&self, index: usize) -> Timestamp {
        self.instants[index]
    }

    /// Looks at the clock of a zone, from two days before so that a repeated hour at the start is known as such.
    pub(crate) fn look(&mut self, zone: &str) -> &[DateTime] {
        let (start, minutes) = (self.start, self.minutes);
        self.seen.entry(zone.to_owned()).or_insert_with(|| {
            let time_zone = TimeZone::get(zone).unwrap();
            let before = 2 * 24 * 60;
            let mut latest = DateTime::MIN;
            let mut seen = Vec::with_capacity(minutes);
            for index in 0..before + minutes {
                let now = start + MINUTE * (i32::try_from(index).unwrap() - before as i32);
                let just_before = now - SignedDuration::from_micros(1);
                latest = latest
                    .max(time_zone.to_datetime(just_before))
                    .max(time_zone.to_datetime(now));
                if index >= before {
                    seen.push(latest);
                }
            }
            seen
        })
    }

    /// Who is on call at every minute.
    pub(crate) fn who(&mut self, schedule: &Schedule) -> Vec<Option<UserKey>> {
        let mut who = vec![None; self.minutes];
        for layer in &schedule.layers {
            for (index, user) in self.who_in_layer(schedule, layer).into_iter().enumerate() {
                if user.is_some() {
                    who[index] = user;
                }
            }
        }
        for replacement in &schedule.overrides {
            for (index, user) in who.iter_mut().enumerate() {
                let now = self.minute(index);
                if replacement.start <= now && now < replacement.end {
                    *user = Some(replacement.user.clone());
                }
            }
        }
        who
    }

    pub(crate) fn who_in_layer(&mut self, schedule: &Schedule, layer: &Layer) -> Vec<Option<UserKey>> {
        let zone = layer.time_zone.as_ref().unwrap_or(&schedule.time_zone).clone();
        let origin = TimeZone::get(&zone)
            .unwrap()
            .to_datetime(layer.rotation_virtual_start);
        let (start, end) = (layer.start, layer.end);
        let instants = self.instants.clone();
        let seen = self.look(&zone);
        let windows = windows(&layer.restrictions, *seen.first().unwrap(), *seen.last().unwrap());
        let mut turns = Turns {
            layer,
            origin,
            turn: 0,
            advanced: 0,
        };
        let mut who = Vec::with_capacity(instants.len());
        for (now, local) in instants.into_iter().zip(seen) {
            let active = start <= now && end.is_none_or(|end| now < end);
            let open =
                layer.restrictions.is_empty() || windows.iter().any(|(from, to)| from <= local && local < to);
            who.push((active && open).then(|| turns.user_at(*local)));
        }
        who
    }
}

/// The windows of all restrictions that could matter between two local times.
fn windows(restrictions: &[Restriction], first: DateTime, last: DateTime) -> Vec<(DateTime, DateTime)> {
    let mut windows = Vec::new();
    for restriction in restrictions {
        let mut date = first.date() - 9.days();
        while date <= last.date() {
            let (weekday, time, seconds) = match *restriction {
                Restriction::Daily {
                    start_time_of_day,
                    duration_seconds,
                } => (None, start_time_of_day, duration_seconds),
                Restriction::Weekly {
                    start_day_of_week,
                    start_time_of_day,
                    duration_seconds,
                } => (Some(start_day_of_week as i8), start_time_of_day, duration_seconds),
            };
            if weekday.is_none_or(|weekday| date.weekday().to_monday_one_offset() == weekday) {
                let opens = date.to_datetime(time);
                windows.push((opens, opens + SignedDuration::from_secs(i64::from(seconds))));
            }
            date = date.tomorrow().unwrap();
        }
    }
    windows
}

/// Counts turns one by one where worked turns count, and divides where calendar turns do.
struct Turns<'layer> {
    layer: &'layer Layer,
    origin: DateTime,
    turn: i64,
    advanced: i64,
}

impl Turns<'_> {
    fn user_at(&mut self, local: DateTime) -> UserKey {
        let length = i64::try_from(self.layer.rotation_turn_length_seconds).unwrap();
        let turn = local
            .duration_since(self.origin)
            .floor_seconds()
            .div_euclid(length);
        match self.layer.advance {
            Advance::CalendarTurns => self.advanced = turn,
            Advance::WorkedTurns => self.walk_to(turn),
        }
        let people = i64::try_from(self.layer.users.len()).unwrap();
        self.layer.users[usize::try_from(self.advanced.rem_euclid(people)).unwrap()].clone()
    }

    fn walk_to(&mut self, turn: i64) {
        while self.turn < turn {
            self.advanced += i64::from(self.is_worked(self.turn));
            self.turn += 1;
        }
        while self.turn > turn {
            self.turn -= 1;
            self.advanced -= i64::from(self.is_worked(self.turn));
        }
    }

    /// Whether any minute of the turn lies in a window, going by the clock face alone.
    fn is_worked(&self, turn: i64) -> bool {
        if self.layer.restrictions.is_empty() {
            return true;
        }
        let length = i64::try_from(self.layer.rotation_turn_length_seconds).unwrap();
        let start = self.origin + SignedDuration::from_secs(turn * length);
        let end = start + SignedDuration::from_secs(length);
        let windows = windows(&self.layer.restrictions, start, end);
        let mut local = start;
        while local < end {
            if windows.iter().any(|(from, to)| *from <= local && local < *to) {
                return true;
            }
            local += MINUTE;
        }
        false
    }
}

trait FloorSeconds {
    fn floor_seconds(&self) -> i64;
}

impl FloorSeconds for SignedDuration {
    /// Whole seconds, rounded towards the past.
    fn floor_seconds(&self) -> i64 {
        self.as_secs() - i64::from(self.subsec_nanos() < 0)
    }
}
