//! What a rota means for those who carry it: rules of working time that it breaks, as notes in the margin, and how
//! the load of the last weeks was shared. Both warn; neither forbids.
//!
//! A shift of at most thirteen hours may be spent at work, so it is judged as work: eleven hours of rest are due
//! after it. Nobody is at work for longer than that, so a longer turn can only be stand-by at home, which the
//! directive counts as rest while nothing happens.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::{TimeZone, db};
use jiff::{SignedDuration, Timestamp};
use schedule::working_time::{
    Duty, DutyKind, Measure, NightWorker, RulePack, StandBy, Standing, Violation, Worker, check,
};
use schedule::{Assignment, Bearer, Quality, QualityQuestion, Span, UserKey, quality};
use store::Tx;

use crate::console::prelude::{Bar, Person, Reading, duration_words};
use crate::console::screens::oncall::LoadRow;
use crate::http::listing::Counted;
use crate::http::{Page, Problem};
use crate::oncall::{ScheduleId, store as rows};
use crate::timeline::{Kind, store as timeline_rows};

/// The longest turn that may be spent at work.
const LONGEST_AT_WORK: SignedDuration = SignedDuration::from_hours(13);
/// How far to both sides of what is shown a rota is judged, so that rests which reach into it count.
const AROUND: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Over how long load is told.
const LOAD_OVER: SignedDuration = SignedDuration::from_hours(8 * 7 * 24);
/// How far ahead somebody's next turn is looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(28 * 24);
/// Hours of one night, from 22:00 to 07:00.
const NIGHT_HOURS: f64 = 9.0;
/// Acknowledgements that are looked at.
const MOST_WOKEN: i64 = 5_000;

/// What there is to say about one schedule.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub violations: Vec<Violation>,
    /// Everybody's turns, some days to both sides of what is shown.
    pub turns: Vec<Assignment>,
    pub load: Option<Quality>,
    /// How often each was woken: acknowledged something at night.
    pub woken: BTreeMap<String, u64>,
    /// The reader's turn that is running or comes next.
    pub mine: Option<(Timestamp, Timestamp)>,
    /// When it was judged: a turn that begins then has long been running.
    pub at: Timestamp,
}

/// Judges a schedule around a stretch that is shown.
pub(super) fn judge(
    tx: &mut Tx,
    id: &ScheduleId,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
    zones: &BTreeMap<String, String>,
    me: &str,
) -> Result<Judged, Problem> {
    let reach = |at: Timestamp, by: SignedDuration| at.checked_add(by).unwrap_or(at);
    let around = assignments(tx, id, reach(from, -AROUND), reach(to, AROUND))?;
    let past = assignments(tx, id, reach(now, -LOAD_OVER), now)?;
    let ahead = assignments(tx, id, now, reach(now, AHEAD))?;
    let zone_of = |user: &str| zones.get(user).map_or("UTC", String::as_str).to_owned();
    let mut violations = Vec::new();
    let people: BTreeSet<&str> = around.iter().map(|one| one.user.as_str()).collect();
    if let Ok(known) = Span::new(reach(from, -AROUND), reach(to, AROUND)) {
        for user in people {
            violations.extend(broken(user, zone_of(user), &around, known));
        }
    }
    violations.retain(|violation| violation.span.start() < to && violation.span.end() > from);
    violations.sort_by_key(|violation| violation.span.start());
    Ok(Judged {
        violations,
        turns: around,
        load: load(&past, (reach(now, -LOAD_OVER), now), zone_of),
        woken: woken(tx, reach(now, -LOAD_OVER), zone_of)?,
        mine: ahead
            .iter()
            .find(|one| one.user.as_str() == me)
            .map(|one| (one.span.start(), one.span.end())),
        at: now,
    })
}

/// Who is on call in turn between two instants.
pub(super) fn assignments(
    tx: &mut Tx,
    id: &ScheduleId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Assignment>, Problem> {
    let Ok(span) = Span::new(from, to) else {
        return Ok(Vec::new());
    };
    let plan = rows::plan_between(tx, id, from, to)?;
    Ok(plan
        .and_then(|plan| plan.render(span).ok())
        .map(|rendered| {
            rendered
                .final_schedule
                .entries
                .iter()
                .map(Assignment::from)
                .collect()
        })
        .unwrap_or_default())
}

/// Until when somebody's turn that runs now lasts, as far as it can be seen.
pub(super) fn turn_ends(tx: &mut Tx, id: &ScheduleId, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let ahead = now.checked_add(AHEAD).unwrap_or(now);
    let turns = assignments(tx, id, now, ahead)?;
    Ok(turns
        .first()
        .filter(|turn| turn.span.start() <= now && turn.span.end() < ahead)
        .map(|turn| turn.span.end()))
}

fn broken(user: &str, time_zone: String, around: &[Assignment], known: Span) -> Vec<Violation> {
    let duties: Vec<Duty> = around
        .iter()
        .filter(|one| one.user.as_str() == user)
        .map(|one| Duty {
            span: one.span,
            kind: if one.span.duration() <= LONGEST_AT_WORK {
                DutyKind::Work
            } else {
                DutyKind::StandBy
            },
        })
        .collect();
    let worker = Worker {
        user: UserKey::new(user),
        time_zone,
        opted_out: Vec::new(),
        night_worker: NightWorker::No,
        leave: Vec::new(),
    };
    let pack = RulePack::european_union(StandBy::InterventionsOnly);
    check(&pack, &worker, &duties, known, db())
        .unwrap_or_default()
        .into_iter()
        .filter(|violation| violation.standing == Standing::Breach)
        .collect()
}

fn load(
    past: &[Assignment],
    (from, to): (Timestamp, Timestamp),
    zone_of: impl Fn(&str) -> String,
) -> Option<Quality> {
    let people: BTreeSet<&str> = past.iter().map(|one| one.user.as_str()).collect();
    let question = QualityQuestion {
        span: Span::new(from, to).ok()?,
        people: people
            .into_iter()
            .map(|user| Bearer {
                user: UserKey::new(user),
                time_zone: zone_of(user),
                share: 1.0,
            })
            .collect(),
        night_begins: jiff::civil::time(22, 0, 0, 0),
        night_ends: jiff::civil::time(7, 0, 0, 0),
        weekend: vec![6, 7],
        holidays: Vec::new(),
    };
    quality(past, &question, db())
        .ok()
        .filter(|quality| !quality.loads.is_empty())
}

fn woken(
    tx: &mut Tx,
    since: Timestamp,
    zone_of: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, u64>, Problem> {
    let sought = timeline_rows::Sought {
        since: Some(since),
        kinds: vec![Kind::Acknowledged],
        ..timeline_rows::Sought::default()
    };
    let page = Page {
        limit: MOST_WOKEN,
        offset: 0,
        counted: Counted::No,
    };
    let mut woken = BTreeMap::new();
    for entry in timeline_rows::list(tx, &sought, page)? {
        let Some(user) = entry.agent_id else { continue };
        let zone = TimeZone::get(&zone_of(&user)).unwrap_or(TimeZone::UTC);
        let hour = entry.at.to_zoned(zone).hour();
        if !(7..22).contains(&hour) {
            *woken.entry(user).or_default() += 1;
        }
    }
    Ok(woken)
}

/// What a rule that is broken says to whoever plans, and to whom it happens.
pub(super) fn in_words(violation: &Violation, name: &str, reading: &Reading) -> (String, String) {
    let clock = |at: Timestamp| reading.zoned(at).strftime("%a %-d %H:%M").to_string();
    let (measured, limit) = (
        duration_words(violation.measured.as_secs()),
        duration_words(violation.limit.as_secs()),
    );
    let (title, words) = match violation.measure {
        Measure::DailyRest | Measure::CompensatoryRest => (
            "Rest too short",
            format!(
                "At most {measured} of rest within a day from {}. {limit} in a row are due.",
                clock(violation.span.start())
            ),
        ),
        Measure::WeeklyRest => (
            "No free day",
            format!(
                "{measured} of weekly rest from {} to {}. {limit} are due.",
                clock(violation.span.start()),
                clock(violation.span.end())
            ),
        ),
        Measure::WeeklyWork => (
            "Long weeks",
            format!("{measured} a week on average. {limit} are allowed."),
        ),
        Measure::NightWork | Measure::NightWorkAverage => (
            "Long nights",
            format!("{measured} of work by night. {limit} are allowed."),
        ),
    };
    (
        format!("{title}: {name}"),
        format!("{words} {}.", violation.source),
    )
}

/// The load as rows of a table, who carried most first.
pub(super) fn load_rows(judged: &Judged, person: impl Fn(&str) -> Person) -> Vec<LoadRow> {
    let Some(quality) = &judged.load else {
        return Vec::new();
    };
    let hours = |time: SignedDuration| time.as_hours().unsigned_abs();
    let mut loads: Vec<_> = quality.loads.iter().collect();
    loads.sort_by_key(|load| std::cmp::Reverse(load.total));
    let longest = loads.first().map_or(0, |load| hours(load.total)).max(1);
    let all: u64 = loads.iter().map(|load| hours(load.total)).sum();
    let fair = all as f64 / loads.len() as f64;
    loads
        .into_iter()
        .map(|load| {
            let who = person(load.user.as_str());
            let bar = Bar::of(hours(load.total), longest);
            LoadRow {
                bar: if matches!(who, Person::You(_)) {
                    bar.for_the_reader()
                } else {
                    bar
                },
                who,
                hours: format!("{} h", hours(load.total)),
                nights: format!("{:.0}", load.nights.as_secs_f64() / 3_600.0 / NIGHT_HOURS),
                woken: judged
                    .woken
                    .get(load.user.as_str())
                    .copied()
                    .unwrap_or(0)
                    .to_string(),
                share: share(hours(load.total) as f64, fair),
            }
        })
        .collect()
}

/// "31 % more", "even".
fn share(hours: f64, fair: f64) -> String {
    if fair <= 0.0 {
        return "even".to_owned();
    }
    match ((hours / fair - 1.0) * 100.0).round() as i64 {
        -4..=4 => "even".to_owned(),
        more @ 5.. => format!("{more} % more"),
        less => format!("{} % less", less.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(user: &str, from: &str, hours: i64) -> Assignment {
        let start: Timestamp = from.parse().unwrap();
        let end = start + SignedDuration::from_hours(hours);
        Assignment::new(user, Span::new(start, end).unwrap())
    }

    fn week() -> Span {
        Span::new(
            "2026-11-16T00:00:00Z".parse().unwrap(),
            "2026-11-30T00:00:00Z".parse().unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_shift_that_begins_six_hours_after_the_last_is_noted() {
        let rota = [
            turn("priya", "2026-11-17T08:00:00Z", 12),
            turn("priya", "2026-11-18T02:00:00Z", 6),
        ];
        let found = broken("priya", "Europe/London".to_owned(), &rota, week());
        assert!(
            found
                .iter()
                .any(|violation| violation.measure == Measure::DailyRest),
            "{found:?}"
        );
    }

    #[test]
    fn a_week_of_stand_by_at_home_breaks_nothing_by_itself() {
        let rota = [turn("emre", "2026-11-16T09:00:00Z", 7 * 24)];
        assert_eq!(broken("emre", "Europe/Berlin".to_owned(), &rota, week()), []);
    }

    #[test]
    fn a_share_is_told_against_the_fair_one() {
        let told: Vec<String> = [131.0, 102.0, 60.0].map(|hours| share(hours, 100.0)).into();
        assert_eq!(told, ["31 % more", "even", "40 % less"]);
    }
}
