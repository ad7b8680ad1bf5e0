//! How good a plan is: how much it covers, and how evenly it spreads hours, nights, weekends and holidays.
//!
//! Evenness is Jain's index: (Σx)² / (n·Σx²), from 1/n when one person bears everything to 1 when all bear the same
//! (Jain, Chiu and Hawe, "A quantitative measure of fairness", 1984). Each person's time is first divided by their
//! share, so that half-time people who do half are treated evenly.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

use crate::absences::{Absence, AbsenceKind, Concerned};
use crate::assignments::{Assignment, gaps, join, within};
use crate::keys::UserKey;
use crate::layered::Restriction;
use crate::render::percentage;
use crate::span::{DAY, Micros, SECOND, Span};
use crate::validate::{Findings, Problem, ProblemKind};
use crate::wall_clock::WallClock;
use crate::week::{WorkingHours, time_of_day};
use crate::work;

/// What a plan is judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityQuestion {
    /// The time to look at.
    pub span: Span,
    /// Everybody who should share the load, also those who have none of it.
    pub people: Vec<Bearer>,
    /// Local time at which the night begins.
    pub night_begins: Time,
    /// Local time at which it ends, the day after unless that is later than `night_begins`.
    pub night_ends: Time,
    /// Days of the weekend, from 1 (Monday) to 7 (Sunday); none, if empty.
    pub weekend: Vec<u8>,
    /// Holidays; leave in this list is ignored.
    pub holidays: Vec<Absence>,
}

/// Somebody who bears part of the load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bearer {
    /// Who.
    pub user: UserKey,
    /// IANA name of the zone they live in, which says when their nights and weekends are.
    pub time_zone: String,
    /// How much they should bear beside others: 1 for full time, 0.5 for half; from 0.001 to 1,000.
    pub share: f64,
}

/// How good a plan is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// How much of the span has somebody on call: 0 to 100.
    pub coverage_percentage: f64,
    /// When nobody is.
    pub gaps: Vec<Span>,
    /// What each bears, in the order of the question.
    pub loads: Vec<Load>,
    /// How evenly.
    pub fairness: Fairness,
}

/// What somebody bears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Who.
    pub user: UserKey,
    /// How many uninterrupted stretches on call.
    pub stretches: usize,
    /// The longest of them, in time that passes (as all durations here, not on the clock face).
    pub longest: SignedDuration,
    /// Time on call.
    pub total: SignedDuration,
    /// Of it, at night.
    pub nights: SignedDuration,
    /// Of it, at the weekend.
    pub weekends: SignedDuration,
    /// Of it, on holidays.
    pub holidays: SignedDuration,
}

/// Jain's index per kind of time, of hours divided by shares (Jain, Chiu and Hawe, "A quantitative measure of fairness",
/// 1984): 1 is even, 1 ÷ (number of people) is all on one person; where there is no such time at all, it is spread evenly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fairness {
    /// Of all time on call.
    pub total: f64,
    /// Of nights.
    pub nights: f64,
    /// Of weekends.
    pub weekends: f64,
    /// Of holidays.
    pub holidays: f64,
}

/// What a person's share may be: far beyond what anybody works, and narrow enough to compare with.
const SHARES: std::ops::RangeInclusive<f64> = 0.001..=1_000.0;

/// Longest time that is judged at once, in days: a hundred years.
pub const MAX_QUALITY_DAYS: i64 = 36_600;

/// Judges a plan.
///
/// ```
/// use schedule::{Assignment, QualityQuestion, Span, quality};
///
/// let day = Span::new("2026-05-04T00:00:00Z".parse()?, "2026-05-05T00:00:00Z".parse()?)?;
/// let question: QualityQuestion = serde_json::from_value(serde_json::json!({
///     "span": day,
///     "people": [
///         {"user": "ann", "time_zone": "Europe/Dublin", "share": 1.0},
///         {"user": "bob", "time_zone": "Europe/Dublin", "share": 1.0}
///     ],
///     "night_begins": "22:00:00", "night_ends": "06:00:00", "weekend": [6, 7], "holidays": []
/// }))?;
/// let found = quality(&[Assignment::new("ann", day)], &question, jiff::tz::db()).map_err(|problems| problems[0].to_string())?;
/// assert_eq!((found.coverage_percentage, found.fairness.total), (100.0, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Problems with the question, such as an unknown time zone, with the field named.
pub fn quality(
    assignments: &[Assignment],
    question: &QualityQuestion,
    zones: &TimeZoneDatabase,
) -> Result<Quality, Vec<Problem>> {
    let mut found = Findings::default();
    if question.span.end_micros() - question.span.start_micros() > MAX_QUALITY_DAYS * DAY {
        found.add("span", ProblemKind::SpanTooLong(MAX_QUALITY_DAYS));
    }
    let mut placed = Vec::new();
    for (index, bearer) in question.people.iter().enumerate() {
        placed.extend(found.zone(&format!("people[{index}].time_zone"), &bearer.time_zone, zones));
        if !SHARES.contains(&bearer.share) {
            found.add(format!("people[{index}].share"), ProblemKind::Share);
        }
    }
    for (index, day) in question
        .weekend
        .iter()
        .enumerate()
        .filter(|(_, day)| !(1..=7).contains(*day))
    {
        found.add(format!("weekend[{index}]"), ProblemKind::DayOfWeek(*day));
    }
    if !found.0.is_empty() {
        return Err(found.0);
    }
    let assignments = join(within(assignments, question.span).collect());
    let mut by_user: BTreeMap<&UserKey, Vec<Span>> = BTreeMap::new();
    for assignment in &assignments {
        by_user.entry(&assignment.user).or_default().push(assignment.span);
    }
    let (nights, weekends) = (nights(question), weekends(question));
    let loads: Vec<Load> = question
        .people
        .iter()
        .zip(&placed)
        .map(|(bearer, zone)| {
            let spans = by_user.get(&bearer.user).map(Vec::as_slice).unwrap_or_default();
            let clock = WallClock::over(zone, question.span.start_micros(), question.span.end_micros());
            Load {
                user: bearer.user.clone(),
                stretches: spans.len(),
                longest: spans.iter().map(Span::duration).max().unwrap_or_default(),
                total: spans.iter().map(Span::duration).sum(),
                nights: during(spans, nights.as_ref(), &clock),
                weekends: during(spans, weekends.as_ref(), &clock),
                holidays: on_holidays(spans, &bearer.user, &question.holidays),
            }
        })
        .collect();
    let gaps = gaps(&assignments, question.span);
    let length = question.span.end_micros() - question.span.start_micros();
    let open: Micros = gaps.iter().map(|gap| gap.end_micros() - gap.start_micros()).sum();
    let index = |time: fn(&Load) -> SignedDuration| {
        let shares = loads.iter().zip(&question.people);
        jain(shares.map(|(load, bearer)| time(load).as_secs_f64() / bearer.share))
    };
    Ok(Quality {
        coverage_percentage: percentage(length - open, length),
        fairness: Fairness {
            total: index(|load| load.total),
            nights: index(|load| load.nights),
            weekends: index(|load| load.weekends),
            holidays: index(|load| load.holidays),
        },
        gaps,
        loads,
    })
}

fn nights(question: &QualityQuestion) -> Option<WorkingHours> {
    let (begins, ends) = (
        time_of_day(question.night_begins),
        time_of_day(question.night_ends),
    );
    let length = (ends - begins).rem_euclid(DAY) / SECOND;
    let duration_seconds = u32::try_from(length).ok().filter(|length| *length > 0)?;
    Some(WorkingHours::new(&[Restriction::Daily {
        start_time_of_day: question.night_begins,
        duration_seconds,
    }]))
}

fn weekends(question: &QualityQuestion) -> Option<WorkingHours> {
    let day = |day: &u8| Restriction::Weekly {
        start_day_of_week: *day,
        start_time_of_day: Time::midnight(),
        duration_seconds: 86_400,
    };
    let days: Vec<Restriction> = question.weekend.iter().map(day).collect();
    (!days.is_empty()).then(|| WorkingHours::new(&days))
}

/// How much of the spans lies in the hours.
fn during(spans: &[Span], hours: Option<&WorkingHours>, clock: &WallClock) -> SignedDuration {
    let Some(hours) = hours else {
        return SignedDuration::ZERO;
    };
    let mut total: Micros = 0;
    for span in spans {
        let (start, end) = (span.start_micros(), span.end_micros());
        for (opens, closes) in hours.windows(clock.reading(start), clock.reading(end).saturating_add(1)) {
            let (from, to) = (
                clock.first_instant(opens).max(start),
                clock.first_instant(closes).min(end),
            );
            total += (to - from).max(0);
        }
    }
    SignedDuration::from_micros(total)
}

fn on_holidays(spans: &[Span], user: &UserKey, holidays: &[Absence]) -> SignedDuration {
    let concerns = |absence: &&Absence| {
        absence.kind == AbsenceKind::Holiday
            && match &absence.who {
                Concerned::Everybody => true,
                Concerned::People(people) => people.contains(user),
            }
    };
    let off = holidays
        .iter()
        .filter(concerns)
        .map(|absence| Assignment::new(user.clone(), absence.span));
    // Joined, so that two holidays on one day count once.
    let off = join(off.collect());
    // Both lists are sorted and apart, so each holiday is looked at by the stretches that touch it only.
    let common = spans.iter().flat_map(|span| {
        let first = off.partition_point(|holiday| holiday.span.end() <= span.start());
        let touching = off[first..].iter().inspect(|_| work::count(1));
        touching.map_while(|holiday| holiday.span.intersection(span))
    });
    common.map(|span| span.duration()).sum()
}

fn jain(values: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    if squares > 0.0 {
        sum * sum / (count * squares)
    } else {
        1.0
    }
}
