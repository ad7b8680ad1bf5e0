//! Working-time rules: which plans break them, and who may lawfully take a shift.
//!
//! Rules are data with their source and date ([`RulePack`]); this module only knows how kinds of limit are measured. What
//! counts as working time is the pack's to say: stand-by counts wholly or only by its interventions. A finding is a
//! warning to a planner, not legal advice: national law is usually stricter, and a pack for it can be written as data.
//!
//! ```
//! use schedule::Span;
//! use schedule::working_time::{Candidate, Duty, DutyKind, RulePack, StandBy, Worker, who_may_take};
//!
//! let span = |start: &str, end: &str| -> Result<Span, Box<dyn std::error::Error>> {
//!     Ok(Span::new(start.parse()?, end.parse()?)?)
//! };
//! let candidate = |user: &str, work: Span| -> Result<Candidate, serde_json::Error> {
//!     let worker: Worker = serde_json::from_value(serde_json::json!({"user": user, "time_zone": "Europe/Dublin"}))?;
//!     Ok(Candidate { worker, duties: vec![Duty { span: work, kind: DutyKind::Work }] })
//! };
//! let late = candidate("ann", span("2026-01-05T14:00:00Z", "2026-01-05T23:00:00Z")?)?;
//! let early = candidate("bob", span("2026-01-05T07:00:00Z", "2026-01-05T16:00:00Z")?)?;
//! let shift = Duty { span: span("2026-01-06T07:00:00Z", "2026-01-06T15:00:00Z")?, kind: DutyKind::Work };
//! let known = span("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z")?;
//!
//! let pack = RulePack::european_union(StandBy::InterventionsOnly);
//! let verdicts = who_may_take(&pack, &[late, early], shift, known, jiff::tz::db()).map_err(|problem| problem.to_string())?;
//! assert_eq!((verdicts[0].user.as_str(), verdicts[0].is_clear()), ("bob", true));
//! assert!(verdicts[1].violations[0].to_string().starts_with("ann rests 8 h at most"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod measure;
mod pack;
mod take;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use check::{MAX_KNOWN_DAYS, check};
pub use pack::{Limit, NightHours, OptOut, RulePack, StandBy, WorkingRule};
pub use take::{Candidate, Verdict, rest_owed_until, who_may_take};

use crate::assignments::Assignment;
use crate::keys::UserKey;
use crate::span::Span;

/// Time that somebody spends for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Duty {
    /// From when to when.
    pub span: Span,
    /// How.
    pub kind: DutyKind,
}

/// How somebody spends time for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyKind {
    /// At work.
    Work,
    /// On call, free to do as they like while nothing happens.
    StandBy,
    /// Called upon while on stand-by.
    Intervention,
}

/// A person's on-call time as stand-by duties.
pub fn stand_by<'list>(
    assignments: &'list [Assignment],
    user: &'list UserKey,
) -> impl Iterator<Item = Duty> + 'list {
    let own = assignments
        .iter()
        .filter(move |assignment| assignment.user == *user);
    own.map(|assignment| Duty {
        span: assignment.span,
        kind: DutyKind::StandBy,
    })
}

/// What the rules need to know of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Who.
    pub user: UserKey,
    /// IANA name of the zone in which they work; says when weeks begin and when it is night.
    pub time_zone: String,
    /// When they have agreed in writing to work more than the average week allows; revocable.
    #[serde(default)]
    pub opted_out: Vec<Span>,
    /// Whether they usually work at night.
    #[serde(default)]
    pub night_worker: NightWorker,
    /// Leave, which averages leave out on both sides.
    #[serde(default)]
    pub leave: Vec<Span>,
}

/// Whether somebody usually works at night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NightWorker {
    /// Only by exception.
    #[default]
    No,
    /// As a normal course.
    Usual,
    /// As a normal course, with special hazards or heavy strain.
    Hazardous,
}

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule's id in its pack.
    pub rule: String,
    /// Where the rule is written.
    pub source: String,
    /// Who.
    pub user: UserKey,
    /// The stretch that was measured: a day, a reference period, or what follows an intervention.
    pub span: Span,
    /// What was measured: rest, or work.
    pub measure: Measure,
    /// How much there is.
    pub measured: SignedDuration,
    /// How much there must be at least (rest) or may be at most (work).
    pub limit: SignedDuration,
    /// Whether the law is broken or will be if it goes on so.
    pub standing: Standing,
}

/// What a rule measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The longest rest without a break in the stretch.
    DailyRest,
    /// Rest over the reference period, counted in whole weekly rests.
    WeeklyRest,
    /// Rest right after an intervention.
    CompensatoryRest,
    /// Work in an average week of the stretch.
    WeeklyWork,
    /// Work in an average day of a night worker.
    NightWorkAverage,
    /// Work in one day of a night worker whose work is hazardous.
    NightWork,
}

/// How firm a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The plan breaks the rule.
    Breach,
    /// The plan is shorter than the reference period and breaks the rule if the rest of the period is like it.
    Trend,
}

/// The time of which all duties are known; only what lies wholly inside is judged.
pub type Known = Span;

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (user, start, end) = (&self.user, self.span.start(), self.span.end());
        let (measured, limit) = (hours(self.measured), hours(self.limit));
        match self.measure {
            Measure::DailyRest => {
                write!(
                    formatter,
                    "{user} rests {measured} h at most between {start} and {end}; {limit} h are due"
                )
            }
            Measure::WeeklyRest => {
                write!(
                    formatter,
                    "{user} has {measured} h of weekly rest between {start} and {end}; {limit} h are due"
                )
            }
            Measure::CompensatoryRest => write!(
                formatter,
                "{user} is called upon until {start} and rests {measured} h after that; {limit} h are due"
            ),
            Measure::WeeklyWork => {
                write!(
                    formatter,
                    "{user} works {measured} h a week on average from {start} to {end}; {limit} h are allowed"
                )
            }
            Measure::NightWorkAverage => {
                write!(
                    formatter,
                    "{user} works {measured} h a day on average, by night, from {start} to {end}; {limit} h are allowed"
                )
            }
            Measure::NightWork => {
                write!(
                    formatter,
                    "{user} works {measured} h, by night, from {start} to {end}; {limit} h are allowed"
                )
            }
        }?;
        if self.standing == Standing::Trend {
            write!(formatter, " (if it goes on like this)")?;
        }
        write!(formatter, " ({})", self.source)
    }
}

fn hours(duration: SignedDuration) -> String {
    let tenths = (duration.as_secs_f64() / 360.0).round() / 10.0;
    tenths.to_string()
}

/// When somebody may start to work again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestOwed {
    /// From when the rest counts: the end of the last intervention.
    pub from: Timestamp,
    /// Until when it lasts.
    pub until: Timestamp,
    /// By which rule of the pack.
    pub rule: String,
}
