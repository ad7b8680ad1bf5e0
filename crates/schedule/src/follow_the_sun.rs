//! Teams around the world, each on call during its own day.
//!
//! Every team's layer keeps its own wall clock, because places change their clocks on different days. A team's day begins
//! at its own hour and lasts until the next team's begins, a distance that varies over the year. So each layer is made
//! as long as it ever needs to be, and the next one, lying higher, ends it at the right moment. The circle is closed by
//! laying the first team twice: at the bottom, always, and at the top for the first hours of its day.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::keys::{LayerId, UserKey};
use crate::layered::{Advance, Layer, Restriction, Schedule};
use crate::span::{DAY, Micros, SECOND, micros};
use crate::validate::{Findings, Problem, ProblemKind};
use crate::wall_clock::WallClock;
use crate::week::time_of_day;

/// A team at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SunTeam {
    /// Becomes the id and the name of its layer.
    pub name: String,
    /// IANA name of its zone.
    pub time_zone: String,
    /// Local time at which its day on call begins.
    pub day_begins: Time,
    /// Whose turn follows whose.
    pub users: Vec<UserKey>,
}

/// A schedule that hands over from team to team as the sun moves, beginning at `start`; `turn_days` days a person.
///
/// Teams are given in the order of a day: each hands over to the next and the last to the first. With one team, it is
/// on call around the clock.
///
/// ```
/// use schedule::{SunTeam, follow_the_sun};
///
/// let team = |name: &str, zone: &str, users: [&str; 1]| SunTeam {
///     name: name.into(),
///     time_zone: zone.into(),
///     day_begins: jiff::civil::time(9, 0, 0, 0),
///     users: users.map(Into::into).to_vec(),
/// };
/// let teams = [team("Dublin", "Europe/Dublin", ["ann"]), team("Chicago", "America/Chicago", ["bob"])];
/// let schedule = follow_the_sun(&teams, "2026-05-04T00:00:00Z".parse()?, 7, jiff::tz::db())
///     .map_err(|problems| problems[0].to_string())?;
/// let plan = schedule.validate().map_err(|problems| problems[0].to_string())?;
/// // Nine in the morning is at 8:00 UTC in Dublin and at 14:00 UTC in Chicago.
/// let on_call = |at: &str| -> Result<_, jiff::Error> { Ok(plan.on_call_at(at.parse()?).map(|now| now.user)) };
/// assert_eq!(on_call("2026-05-05T13:59:59Z")?, Some("ann".into()));
/// assert_eq!(on_call("2026-05-05T14:00:00Z")?, Some("bob".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Problems with `teams[n].…` or `teams` as their field.
pub fn follow_the_sun(
    teams: &[SunTeam],
    start: Timestamp,
    turn_days: u32,
    zones: &TimeZoneDatabase,
) -> Result<Schedule, Vec<Problem>> {
    let mut found = Findings::default();
    if teams.is_empty() {
        found.add("teams", ProblemKind::NoUsers);
    }
    found.limit("teams", teams.len(), 24);
    let placed: Option<Vec<TimeZone>> = teams
        .iter()
        .enumerate()
        .map(|(index, team)| found.zone(&format!("teams[{index}].time_zone"), &team.time_zone, zones))
        .collect();
    let Some(placed) = placed.filter(|_| found.0.is_empty()) else {
        return Err(found.0);
    };
    let begins = |place: usize| {
        (
            &placed[place % teams.len()],
            time_of_day(teams[place % teams.len()].day_begins),
        )
    };
    let layer = |index: usize, id: String, length: Option<Micros>| Layer {
        id: LayerId::new(id),
        name: teams[index].name.clone(),
        start,
        end: None,
        rotation_virtual_start: crate::span::instant(first_beginning(begins(index), micros(start))),
        rotation_turn_length_seconds: u64::from(turn_days) * 86_400,
        users: teams[index].users.clone(),
        restrictions: length
            .map(|length| daily(teams[index].day_begins, length))
            .into_iter()
            .collect(),
        advance: Advance::CalendarTurns,
        time_zone: Some(teams[index].time_zone.clone()),
    };
    let mut layers = vec![layer(0, teams[0].name.clone(), None)];
    for (index, team) in teams.iter().enumerate().skip(1) {
        let (_, longest) = day_lengths(begins(index), begins(index + 1), micros(start));
        layers.push(layer(index, team.name.clone(), Some(longest)));
    }
    if teams.len() > 1 {
        let (shortest, _) = day_lengths(begins(0), begins(1), micros(start));
        layers.push(layer(
            0,
            format!("{} (first hours)", teams[0].name),
            Some(shortest),
        ));
    }
    let time_zone = teams
        .first()
        .map(|team| team.time_zone.clone())
        .unwrap_or_default();
    let schedule = Schedule {
        time_zone,
        layers,
        overrides: Vec::new(),
    };
    schedule.validate_with(zones).map(|_| schedule)
}

/// The first day's beginning at a place that is not after `start`, so that the first turn is whole.
fn first_beginning((zone, begins): (&TimeZone, Micros), start: Micros) -> Micros {
    let clock = WallClock::over(zone, start - 2 * DAY, start + 2 * DAY);
    let midnight = clock.reading(start).div_euclid(DAY) * DAY;
    let today = clock.first_instant(midnight + begins);
    if today <= start {
        today
    } else {
        clock.first_instant(midnight - DAY + begins)
    }
}

fn daily(begins: Time, length: Micros) -> Restriction {
    let duration_seconds = u32::try_from(length / SECOND).unwrap_or(u32::MAX);
    Restriction::Daily {
        start_time_of_day: begins,
        duration_seconds,
    }
}

/// The shortest and the longest time, on the clock of the first place, from the beginning of its day to the beginning of
/// the next place's, over two years.
fn day_lengths(from: (&TimeZone, Micros), to: (&TimeZone, Micros), start: Micros) -> (Micros, Micros) {
    let end = start + 2 * 366 * DAY;
    let here = WallClock::over(from.0, start, end + 2 * DAY);
    let there = WallClock::over(to.0, start, end + 2 * DAY);
    let first_day = here.reading(start).div_euclid(DAY);
    let (mut shortest, mut longest) = (DAY, 0);
    for day in first_day..first_day + 2 * 366 {
        let begins = here.first_instant(day * DAY + from.1);
        let mut next_midnight = there.reading(begins).div_euclid(DAY) * DAY;
        while there.first_instant(next_midnight + to.1) <= begins {
            next_midnight += DAY;
        }
        let length = here.reading(there.first_instant(next_midnight + to.1)) - (day * DAY + from.1);
        shortest = shortest.min(length);
        longest = longest.max(length);
    }
    (shortest, longest)
}
