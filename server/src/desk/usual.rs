//! Whether more is reported than usual: for each touchpoint, each place, both, and in all.
//!
//! Every five minutes the cases that came since are counted ([`triage::counts`]), each under its touchpoint and under its
//! place and whatever the place stands in. What is unusual is kept as a row, which [`super::warnings`] shows. How unusual
//! is too unusual follows from the rate of false alarms that the operator states.
//!
//! What is usual is kept in one row, written about once an hour; from there on it is counted again from the cases. So the
//! count is the same on every node, and after any restart. A Muster that has cases already, or has not run for long, first
//! catches up, a day at a time and at most four weeks. A row that cannot be read is made anew from the cases.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::{Error, Tx, params, sql};
use triage::counts::{Alarm, Key, Monitor, Settings, Sign};

use crate::app::App;
use crate::identifier::earliest_at;
use crate::jobs::{Kind as JobKind, Owed};
use crate::timeline::{Agent, Change};

/// How often is counted.
const BUCKET_SECONDS: u32 = 300;
/// How far back a Muster looks that has never counted.
const PAST: SignedDuration = SignedDuration::from_hours(28 * 24);
/// So much time is caught up in one run, and so many cases.
const LONGEST_STRETCH: SignedDuration = SignedDuration::from_hours(24);
const MOST_CASES: usize = 20_000;
/// Between two runs that catch up: whoever asks for a page meanwhile comes first.
const BREATH: SignedDuration = SignedDuration::from_secs(5);
/// How old the kept row becomes before it is written again.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How long an unusual count is shown.
pub const SHOWN_FOR: SignedDuration = SignedDuration::from_hours(4);
/// How long an unusual count is kept.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

const SUBJECT: &str = "all";

/// Sees to it that reports are counted. Several nodes share one.
pub async fn begin(app: &App) -> Result<(), Error> {
    app.change(Agent::muster(), |change| {
        change.owe(&Owed::now(JobKind::ReportsCounted, SUBJECT, change.now))
    })
    .await
}

/// One round, and the promise of the next.
pub async fn reports_counted(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.change(Agent::muster(), move |change| {
        change.owe(&Owed::at(JobKind::ReportsCounted, SUBJECT, next_round(now)))
    })
    .await?;
    let rate = app.settings.false_alarms_per_week;
    let Some(known) = app.read(move |tx| Known::read(tx, now)).await? else {
        return Ok(());
    };
    // The largest installations count thousands of series, which is too much for a thread that serves requests.
    let counted = tokio::task::spawn_blocking(move || known.count(rate, now)).await??;
    app.change(Agent::muster(), move |change| counted.write(change, now))
        .await?;
    Ok(())
}

fn next_round(now: Timestamp) -> Timestamp {
    let seconds = i64::from(BUCKET_SECONDS);
    let next = (now.as_second().div_euclid(seconds) + 1).saturating_mul(seconds);
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

/// A case as it is counted.
#[derive(Debug, Clone)]
struct Report {
    number: i64,
    at: Timestamp,
    touchpoint_id: Option<String>,
    /// The location and those that it stands in.
    places: Vec<String>,
}

impl Report {
    /// Everything that it counts under, finest first.
    fn keys(&self) -> Vec<Key> {
        let places: Vec<Option<&String>> = self.places.iter().map(Some).chain([None]).collect();
        let topics: Vec<Option<&String>> = self.touchpoint_id.iter().map(Some).chain([None]).collect();
        topics
            .iter()
            .flat_map(|topic| {
                places.iter().map(|place| Key {
                    topic: topic.cloned(),
                    place: place.cloned(),
                })
            })
            .collect()
    }
}

/// What is known before a round: what was kept, and the cases since.
#[derive(Debug)]
struct Known {
    counted_to: Timestamp,
    last_case: i64,
    /// As it was written down; nothing in the first round.
    monitor: Option<String>,
    reports: Vec<Report>,
}

/// What a round has found.
#[derive(Debug)]
struct Counted {
    counted_to: Timestamp,
    last_case: i64,
    /// What is to be kept, if it is time to.
    written: Option<String>,
    alarms: Vec<Alarm>,
    reach: Reach,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    UpToNow,
    /// There is more to count.
    Behind,
}

impl Known {
    /// Nothing, as long as nobody has reported anything.
    fn read(tx: &mut Tx, now: Timestamp) -> Result<Option<Self>, Error> {
        let kept: Option<(Timestamp, i64, String)> = tx.row(
            sql!("SELECT counted_to, last_case, monitor FROM usual_reports WHERE id = $1"),
            params![SUBJECT],
        )?;
        let (counted_to, last_case, monitor) = if let Some((counted_to, last_case, monitor)) = kept {
            (counted_to, last_case, Some(monitor))
        } else {
            let first: Option<(Timestamp, i64)> = tx.row(
                sql!("SELECT created_at, number FROM cases WHERE id >= $1 ORDER BY id LIMIT 1"),
                params![earliest_at(now - PAST)],
            )?;
            let Some((at, number)) = first else {
                return Ok(None);
            };
            (at, number - 1, None)
        };
        let reports = reports_after(tx, last_case)?;
        Ok(Some(Self {
            counted_to,
            last_case,
            monitor,
            reports,
        }))
    }

    /// The pure part: counts what came, up to `now` or for as long as one round may be.
    fn count(self, false_alarms_per_week: f64, now: Timestamp) -> Result<Counted, serde_json::Error> {
        let settings = Settings {
            bucket_seconds: BUCKET_SECONDS,
            false_alarms_per_week,
            ..Settings::default()
        };
        let kept = self.monitor.and_then(|written| {
            serde_json::from_str(&written)
                .inspect_err(|error| tracing::warn!("how many reports are usual is learned anew: {error}"))
                .ok()
        });
        let mut monitor: Monitor = kept.unwrap_or_else(|| Monitor::new(settings));
        monitor.state_false_alarms(false_alarms_per_week);
        let is_cut = self.reports.len() >= MOST_CASES;
        let mut end = now.min(self.counted_to + LONGEST_STRETCH);
        if is_cut && let Some(last) = self.reports.last() {
            end = end.min(last.at);
        }
        let mut alarms = monitor.advance(self.counted_to.as_second());
        let mut last_case = self.last_case;
        for report in self.reports.iter().take_while(|report| report.at <= end) {
            alarms.extend(monitor.advance(report.at.as_second()));
            for key in report.keys() {
                monitor.observe(&key, 1);
            }
            last_case = report.number;
        }
        alarms.extend(monitor.advance(end.as_second()));
        let reach = if is_cut || end < now {
            Reach::Behind
        } else {
            Reach::UpToNow
        };
        let is_old = end.duration_since(self.counted_to) >= KEPT_FOR;
        let written = (is_old || reach == Reach::Behind).then(|| serde_json::to_string(&monitor));
        Ok(Counted {
            counted_to: end,
            last_case,
            written: written.transpose()?,
            alarms,
            reach,
        })
    }
}

fn reports_after(tx: &mut Tx, last_case: i64) -> Result<Vec<Report>, Error> {
    type Row = (
        i64,
        Timestamp,
        Option<String>,
        Option<String>,
        Option<String>,
        Option<String>,
    );
    let rows: Vec<Row> = tx.rows(
        sql!(
            "SELECT c.number, c.created_at, c.touchpoint_id, c.location_id, l.parent_id, p.parent_id
             FROM cases c LEFT JOIN locations l ON l.id = c.location_id LEFT JOIN locations p ON p.id = l.parent_id
             WHERE c.number > $1 ORDER BY c.number LIMIT $2"
        ),
        params![last_case, MOST_CASES as i64],
    )?;
    Ok(rows
        .into_iter()
        .map(|(number, at, touchpoint_id, place, parent, above)| Report {
            number,
            at,
            touchpoint_id,
            places: [place, parent, above].into_iter().flatten().collect(),
        })
        .collect())
}

impl Counted {
    fn write(&self, change: &mut Change, now: Timestamp) -> Result<(), Error> {
        if self.reach == Reach::Behind {
            change.owe(&Owed::at(JobKind::ReportsCounted, SUBJECT, now + BREATH))?;
        }
        if let Some(written) = &self.written {
            self.keep(change, written)?;
        }
        let mut is_new = false;
        for alarm in &self.alarms {
            let at = Timestamp::from_second(alarm.at).unwrap_or(now);
            if now.duration_since(at) < SHOWN_FOR {
                is_new |= note(change, alarm, at)?;
            }
        }
        if is_new {
            change.tx.execute(
                sql!("DELETE FROM unusual_reports WHERE at < $1"),
                params![now - REMEMBERED_FOR],
            )?;
            change.touch(crate::live::CASES);
        }
        Ok(())
    }

    /// Two nodes that count at the same time write the same; the one that has come further stays.
    fn keep(&self, change: &mut Change, written: &str) -> Result<(), Error> {
        change.tx.execute(
            sql!(
                "INSERT INTO usual_reports (id, counted_to, last_case, monitor) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (id) DO UPDATE SET counted_to = excluded.counted_to, last_case = excluded.last_case,
                     monitor = excluded.monitor
                 WHERE usual_reports.counted_to <= excluded.counted_to"
            ),
            params![SUBJECT, self.counted_to, self.last_case, written],
        )?;
        Ok(())
    }
}

/// Keeps an alarm, unless it is kept already.
fn note(change: &mut Change, alarm: &Alarm, at: Timestamp) -> Result<bool, Error> {
    let (sign, seconds) = match alarm.sign {
        Sign::Burst { seconds } => ("burst", seconds),
        Sign::Persistent { seconds } => ("persistent", seconds),
    };
    let (touchpoint, place) = (alarm.key.topic.as_deref(), alarm.key.place.as_deref());
    let id = format!(
        "{}:{}:{}",
        alarm.at,
        touchpoint.unwrap_or("*"),
        place.unwrap_or("*")
    );
    let written = change.tx.execute(
        sql!(
            "INSERT INTO unusual_reports (id, at, touchpoint_id, location_id, sign, seconds, observed, expected,
                 chance_per_week)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING"
        ),
        params![
            id,
            at,
            touchpoint,
            place,
            sign,
            i64::from(seconds),
            i64::try_from(alarm.observed).unwrap_or(i64::MAX),
            alarm.expected,
            alarm.chance_per_week
        ],
    )?;
    Ok(written > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_763_337_600 + minutes * 60).unwrap()
    }

    fn report(number: i64, minutes: i64) -> Report {
        Report {
            number,
            at: at(minutes),
            touchpoint_id: Some("cards".to_owned()),
            places: vec!["leeds".to_owned(), "north".to_owned()],
        }
    }

    fn known(reports: Vec<Report>) -> Known {
        Known {
            counted_to: at(0),
            last_case: 0,
            monitor: None,
            reports,
        }
    }

    #[test]
    fn a_report_counts_under_its_touchpoint_and_every_place_that_it_stands_in() {
        let keys = report(1, 0).keys();
        assert_eq!(keys.len(), 6);
        assert_eq!(keys[0], Key::at("cards", "leeds"));
        assert!(keys.contains(&Key::at("cards", "north")));
        assert_eq!(
            keys[5],
            Key {
                topic: None,
                place: None
            }
        );
        let anywhere = Report {
            touchpoint_id: None,
            places: Vec::new(),
            ..report(1, 0)
        };
        assert_eq!(anywhere.keys().len(), 1);
    }

    fn monitor_of(counted: &Counted) -> Monitor {
        serde_json::from_str(counted.written.as_deref().unwrap()).unwrap()
    }

    /// Forty days of two reports a day, and a burst at the end.
    fn days_and_a_burst() -> Vec<Report> {
        let calm = (0..80).map(|number| number * 720);
        let burst = (0..25).map(|minute| 79 * 720 + 60 + minute);
        (1..)
            .zip(calm.chain(burst))
            .map(|(number, minutes)| report(number, minutes))
            .collect()
    }

    #[test]
    fn counting_in_rounds_over_restarts_finds_the_burst_and_nothing_before() {
        let reports = days_and_a_burst();
        let end = reports.last().unwrap().at + SignedDuration::from_mins(10);
        let (mut counted_to, mut last_case, mut written) = (at(0), 0, None);
        let mut alarms = Vec::new();
        let mut rounds = 0;
        loop {
            let known = Known {
                counted_to,
                last_case,
                monitor: written.clone(),
                reports: reports
                    .iter()
                    .filter(|report| report.number > last_case)
                    .cloned()
                    .collect(),
            };
            let counted = known.count(0.5, end).unwrap();
            alarms.extend(counted.alarms);
            if counted.reach == Reach::UpToNow {
                break;
            }
            (counted_to, last_case) = (counted.counted_to, counted.last_case);
            written = counted.written;
            rounds += 1;
        }
        assert_eq!(rounds, 39);
        let burst_began = at(79 * 720 + 60);
        assert!(!alarms.is_empty());
        assert!(alarms.iter().all(|alarm| alarm.at > burst_began.as_second()));
        let at_leeds = alarms
            .iter()
            .find(|alarm| alarm.key == Key::at("cards", "leeds"))
            .unwrap();
        assert!(at_leeds.observed > 3 && at_leeds.expected < 1.0, "{at_leeds:?}");
        assert!(at_leeds.chance_per_week <= 0.5);
    }

    #[test]
    fn a_lower_rate_of_false_alarms_needs_more_to_be_noticed() {
        let mut reports = days_and_a_burst();
        reports.truncate(85);
        let noticed = |rate: f64| {
            let (mut monitor, mut alarms) = (Monitor::new(Settings::default()), 0);
            monitor.state_false_alarms(rate);
            for report in &reports {
                alarms += monitor.advance(report.at.as_second()).len();
                report.keys().iter().for_each(|key| monitor.observe(key, 1));
            }
            alarms
                + monitor
                    .advance(reports.last().unwrap().at.as_second() + 600)
                    .len()
        };
        assert!(noticed(0.5) > 0);
        assert_eq!(noticed(1e-6), 0);
    }

    #[test]
    fn one_round_counts_a_day_at_most_and_says_how_far_it_came() {
        let counted = known(vec![report(1, 10), report(2, 3 * 1_440)])
            .count(0.5, at(5 * 1_440))
            .unwrap();
        assert_eq!((counted.last_case, counted.counted_to), (1, at(1_440)));
        assert_eq!(counted.reach, Reach::Behind);
    }

    #[test]
    fn what_cannot_be_read_is_learned_anew() {
        let spoiled = Known {
            monitor: Some("{".to_owned()),
            ..known(vec![report(1, 10)])
        };
        let counted = spoiled.count(0.5, at(70)).unwrap();
        assert_eq!(monitor_of(&counted).len(), 6);
    }
}
