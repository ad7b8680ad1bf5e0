//! Schedules that change without rewriting the past.
//!
//! A change is a new version that takes effect at an instant. What earlier versions said about earlier times stays
//! said, for ever; a version can be withdrawn only while it has not taken effect. The caller passes the present in.

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

use crate::assignments::{Assignment, Roster, join};
use crate::keys::LayerId;
use crate::layered::Schedule;
use crate::plan::{Plan, TooLong};
use crate::render::{Entry, OnCall, Rendered, RenderedLayer, SubSchedule, percentage};
use crate::shifts::{ShiftPlan, ShiftSchedule};
use crate::span::{Micros, Span, micros};
use crate::validate::Problem;

/// A schedule of either kind, as written.
pub trait Written {
    /// What it becomes when it has been checked.
    type Plan: Roster;

    /// Checks it.
    ///
    /// # Errors
    /// Every problem found, with its field.
    fn plan_with(&self, zones: &TimeZoneDatabase) -> Result<Self::Plan, Vec<Problem>>;
}

impl Written for Schedule {
    type Plan = Plan;

    fn plan_with(&self, zones: &TimeZoneDatabase) -> Result<Plan, Vec<Problem>> {
        self.validate_with(zones)
    }
}

impl Written for ShiftSchedule {
    type Plan = ShiftPlan;

    fn plan_with(&self, zones: &TimeZoneDatabase) -> Result<ShiftPlan, Vec<Problem>> {
        self.validate_with(zones)
    }
}

/// What a schedule says from an instant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version<S> {
    /// From when, until the next version.
    pub effective_from: Timestamp,
    /// What it says.
    pub schedule: S,
}

/// All versions of a schedule.
///
/// ```
/// use schedule::{History, HistoryProblem, Schedule};
///
/// let empty: Schedule = serde_json::from_str(r#"{"time_zone": "UTC", "layers": []}"#)?;
/// let mut history = History::new("2026-01-01T00:00:00Z".parse()?, empty.clone());
/// let now = "2026-05-04T09:00:00Z".parse()?;
/// history.change(now, "2026-06-01T00:00:00Z".parse()?, empty.clone())?;
/// let late = history.change(now, "2026-05-01T00:00:00Z".parse()?, empty);
/// assert!(matches!(late, Err(HistoryProblem::InThePast { .. })));
/// assert_eq!(history.versions().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "Vec<Version<S>>",
    into = "Vec<Version<S>>",
    bound(serialize = "S: Serialize + Clone")
)]
pub struct History<S> {
    /// By instant, each at its own; never empty.
    versions: Vec<Version<S>>,
}

/// Why a history cannot be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryProblem {
    /// The change would alter what was.
    #[error(
        "a change can take effect from {now} on, not already at {effective_from}: the past stays as it was"
    )]
    InThePast {
        /// When it should have taken effect.
        effective_from: Timestamp,
        /// The present.
        now: Timestamp,
    },
    /// There is no such version.
    #[error("no version takes effect at {effective_from}")]
    NoSuchVersion {
        /// When it should have taken effect.
        effective_from: Timestamp,
    },
    /// A history needs at least one version.
    #[error("a schedule needs at least one version")]
    Empty,
    /// Two versions take effect at the same instant.
    #[error("two versions take effect at {effective_from}")]
    SameInstant {
        /// When.
        effective_from: Timestamp,
    },
}

impl<S> TryFrom<Vec<Version<S>>> for History<S> {
    type Error = HistoryProblem;

    fn try_from(mut versions: Vec<Version<S>>) -> Result<Self, HistoryProblem> {
        versions.sort_by_key(|version| version.effective_from);
        let same = versions.iter().zip(versions.iter().skip(1));
        for (one, other) in same {
            if micros(one.effective_from) == micros(other.effective_from) {
                return Err(HistoryProblem::SameInstant {
                    effective_from: one.effective_from,
                });
            }
        }
        if versions.is_empty() {
            Err(HistoryProblem::Empty)
        } else {
            Ok(Self { versions })
        }
    }
}

impl<S> From<History<S>> for Vec<Version<S>> {
    fn from(history: History<S>) -> Self {
        history.versions
    }
}

impl<S> History<S> {
    /// A schedule that begins at an instant and has nobody on call before.
    pub fn new(effective_from: Timestamp, schedule: S) -> Self {
        Self {
            versions: vec![Version {
                effective_from,
                schedule,
            }],
        }
    }

    /// Every version, by the instant from which it counts.
    pub fn versions(&self) -> &[Version<S>] {
        &self.versions
    }

    /// The version that counts at an instant; none before the first.
    pub fn at(&self, instant: Timestamp) -> Option<&Version<S>> {
        self.versions
            .iter()
            .rev()
            .find(|version| version.effective_from <= instant)
    }

    /// Adds a version, in place of one that was planned for the same instant. Versions planned for later stay.
    ///
    /// # Errors
    /// [`HistoryProblem::InThePast`] when it would take effect before `now`.
    pub fn change(
        &mut self,
        now: Timestamp,
        effective_from: Timestamp,
        schedule: S,
    ) -> Result<(), HistoryProblem> {
        if effective_from < now {
            return Err(HistoryProblem::InThePast { effective_from, now });
        }
        let version = Version {
            effective_from,
            schedule,
        };
        let index = self
            .versions
            .partition_point(|known| micros(known.effective_from) < micros(effective_from));
        match self.versions.get_mut(index) {
            Some(known) if micros(known.effective_from) == micros(effective_from) => *known = version,
            _ => self.versions.insert(index, version),
        }
        Ok(())
    }

    /// Takes back a version that has not yet taken effect.
    ///
    /// # Errors
    /// [`HistoryProblem`] when it has taken effect, when there is none, or when it is the only one.
    pub fn withdraw(
        &mut self,
        now: Timestamp,
        effective_from: Timestamp,
    ) -> Result<Version<S>, HistoryProblem> {
        if effective_from <= now {
            return Err(HistoryProblem::InThePast { effective_from, now });
        }
        let index = self
            .versions
            .iter()
            .position(|version| version.effective_from == effective_from);
        let index = index.ok_or(HistoryProblem::NoSuchVersion { effective_from })?;
        if self.versions.len() == 1 {
            return Err(HistoryProblem::Empty);
        }
        Ok(self.versions.remove(index))
    }
}

impl<S: Written> History<S> {
    /// Checks every version and makes the history ready to answer questions.
    ///
    /// # Errors
    /// Every problem of every version, each field led by `versions[n].`.
    pub fn validate(&self) -> Result<VersionedPlan<S::Plan>, Vec<Problem>> {
        self.validate_with(jiff::tz::db())
    }

    /// As [`validate`](Self::validate), with the time zones given.
    ///
    /// # Errors
    /// Every problem of every version, each field led by `versions[n].`.
    pub fn validate_with(&self, zones: &TimeZoneDatabase) -> Result<VersionedPlan<S::Plan>, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut plans = Vec::new();
        for (index, version) in self.versions.iter().enumerate() {
            match version.schedule.plan_with(zones) {
                Ok(plan) => plans.push((micros(version.effective_from), plan)),
                Err(found) => problems.extend(found.into_iter().map(|problem| Problem {
                    field: format!("versions[{index}].{}", problem.field),
                    kind: problem.kind,
                })),
            }
        }
        if problems.is_empty() {
            Ok(VersionedPlan { plans })
        } else {
            Err(problems)
        }
    }
}

/// A history that has passed [`History::validate`].
#[derive(Debug, Clone)]
pub struct VersionedPlan<P> {
    /// By the instant from which each counts.
    plans: Vec<(Micros, P)>,
}

impl<P> VersionedPlan<P> {
    /// The plans that count during the span, each with its part of it.
    fn during(&self, span: Span) -> impl Iterator<Item = (&P, Span)> + '_ {
        let nexts = self
            .plans
            .iter()
            .skip(1)
            .map(|(from, _)| *from)
            .chain([Micros::MAX]);
        self.plans
            .iter()
            .zip(nexts)
            .filter_map(move |((from, plan), next)| {
                let (start, end) = (span.start_micros().max(*from), span.end_micros().min(next));
                (start < end).then(|| (plan, Span::from_micros(start, end)))
            })
    }
}

impl<P: Roster> Roster for VersionedPlan<P> {
    fn assignments(&self, span: Span) -> Result<Vec<Assignment>, TooLong> {
        let mut all = Vec::new();
        for (plan, part) in self.during(span) {
            all.extend(plan.assignments(part)?);
        }
        Ok(join(all))
    }
}

impl VersionedPlan<Plan> {
    /// Who is on call at an instant, as the version of that instant has it.
    pub fn on_call_at(&self, instant: Timestamp) -> Option<OnCall> {
        let index = self.plans.partition_point(|(from, _)| *from <= micros(instant));
        self.plans.get(index.checked_sub(1)?)?.1.on_call_at(instant)
    }

    /// Writes the history out over the span. Layers are matched by id: those of the newest version first to last, then
    /// those that only earlier versions have.
    ///
    /// # Errors
    /// [`TooLong`] when the span holds too many hand-offs.
    pub fn render(&self, span: Span) -> Result<Rendered, TooLong> {
        self.render_within(span, span)
    }

    /// As [`render`](Self::render), but entries at the ends of the span are shown to the end of their turn or their
    /// override, also over changes of the schedule. Coverage is still that of the span.
    ///
    /// # Errors
    /// [`TooLong`] when the span, with the turns at its ends, holds too many hand-offs.
    pub fn render_overflowing(&self, span: Span) -> Result<Rendered, TooLong> {
        let start = self.turn_start(span.start_micros());
        let end = self.turn_end(span.end_micros() - 1);
        self.render_within(span, Span::from_micros(start, end))
    }

    /// When the turns that are under way at an instant began, looking back over changes of the schedule.
    fn turn_start(&self, mut at: Micros) -> Micros {
        let until = self.plans.partition_point(|(from, _)| *from <= at);
        for (from, plan) in self.plans[..until].iter().rev() {
            let start = plan.widened(Span::from_micros(at, at + 1)).0;
            if start > *from {
                return start;
            }
            // The turn may have begun under the version before.
            at = *from - 1;
        }
        at
    }

    /// When the turns that are under way at an instant end, looking ahead over changes of the schedule.
    fn turn_end(&self, mut at: Micros) -> Micros {
        let first = self
            .plans
            .partition_point(|(from, _)| *from <= at)
            .saturating_sub(1);
        for (index, (from, plan)) in self.plans.iter().enumerate().skip(first) {
            at = at.max(*from);
            let end = plan.widened(Span::from_micros(at, at + 1)).1;
            match self.plans.get(index + 1) {
                Some((next, _)) if *next <= end => at = *next,
                _ => return end,
            }
        }
        at + 1
    }

    fn render_within(&self, span: Span, wide: Span) -> Result<Rendered, TooLong> {
        let mut parts = Vec::new();
        for (plan, part) in self.during(wide) {
            parts.push(plan.render(part)?);
        }
        let mut order: Vec<LayerId> = Vec::new();
        for part in parts.iter().rev() {
            for layer in &part.layers {
                if !order.contains(&layer.id) {
                    order.push(layer.id.clone());
                }
            }
        }
        let layers = order.into_iter().map(|id| {
            let layer_of = |part: &Rendered| {
                let layer = part.layers.iter().find(|layer| layer.id == id);
                layer
                    .map(|layer| layer.schedule.entries.clone())
                    .unwrap_or_default()
            };
            let schedule = joined(parts.iter().map(layer_of), span);
            RenderedLayer { id, schedule }
        });
        Ok(Rendered {
            span,
            layers: layers.collect(),
            overrides: joined(parts.iter().map(|part| part.overrides.entries.clone()), span),
            final_schedule: joined(parts.iter().map(|part| part.final_schedule.entries.clone()), span),
        })
    }
}

/// One list out of those of successive versions: what has time in common with the span.
fn joined(parts: impl Iterator<Item = Vec<Entry>>, span: Span) -> SubSchedule {
    let mut entries: Vec<Entry> = Vec::new();
    for entry in parts.flatten() {
        match entries.last_mut() {
            Some(last)
                if last.end == entry.start && last.user == entry.user && last.source == entry.source =>
            {
                last.end = entry.end;
            }
            _ => entries.push(entry),
        }
    }
    entries.retain(|entry| entry.start < span.end() && span.start() < entry.end);
    let inside = entries
        .iter()
        .filter_map(|entry| entry.span().intersection(&span));
    let covered = inside.map(|part| part.end_micros() - part.start_micros()).sum();
    let coverage_percentage = percentage(covered, span.end_micros() - span.start_micros());
    SubSchedule {
        entries,
        coverage_percentage,
    }
}
