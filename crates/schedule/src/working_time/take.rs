//! Who may lawfully take a shift, and when somebody may work again.

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use serde::{Deserialize, Serialize};

use super::measure::Stretches;
use super::pack::{Limit, RulePack, StandBy};
use super::{Duty, DutyKind, Known, RestOwed, Violation, Worker, check};
use crate::keys::UserKey;
use crate::span::{DAY, Micros, SECOND, Span, instant, micros};
use crate::validate::{Problem, ProblemKind};

/// Somebody who might take a shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub worker: Worker,
    /// What they do already.
    pub duties: Vec<Duty>,
}

/// Whether somebody may take a shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Who.
    pub user: UserKey,
    /// Rules that are broken around this shift if they take it, and those that it breaks, or breaks worse, elsewhere. Whoever
    /// is owed rest already may not work through it, even where the shift itself makes nothing worse.
    pub violations: Vec<Violation>,
    /// Leave that lies in the shift.
    pub leave: Option<Span>,
    /// A duty that they already have then.
    pub occupied: Option<Duty>,
}

impl Verdict {
    /// Whether nothing speaks against it.
    pub fn is_clear(&self) -> bool {
        self.violations.is_empty() && self.leave.is_none() && self.occupied.is_none()
    }
}

/// For each candidate, whether they may take the shift: those who may first, by how much they already work in the time
/// known, least first; then the others likewise.
///
/// # Errors
/// A [`Problem`]: with `candidates[n].…` as its field when a time zone is unknown, with `known` when the time known does not
/// reach from 24 hours before the shift to 24 hours after it, because then the daily rest around it could not be judged.
pub fn who_may_take(
    pack: &RulePack,
    candidates: &[Candidate],
    shift: Duty,
    known: Known,
    zones: &TimeZoneDatabase,
) -> Result<Vec<Verdict>, Problem> {
    let is_known = known.start_micros() <= shift.span.start_micros().saturating_sub(DAY)
        && shift.span.end_micros().saturating_add(DAY) <= known.end_micros();
    if !is_known {
        return Err(Problem {
            field: "known".to_owned(),
            kind: ProblemKind::ShiftNotKnown,
        });
    }
    let is_work = shift.kind != DutyKind::StandBy || pack.stand_by == StandBy::Wholly;
    let mut verdicts = Vec::with_capacity(candidates.len());
    for (index, candidate) in candidates.iter().enumerate() {
        let with_path = |problem: Problem| Problem {
            field: format!("candidates[{index}].worker.{}", problem.field),
            kind: problem.kind,
        };
        let before = check(pack, &candidate.worker, &candidate.duties, known, zones).map_err(with_path)?;
        let mut duties = candidate.duties.clone();
        duties.push(shift);
        let after = check(pack, &candidate.worker, &duties, known, zones).map_err(with_path)?;
        let total: Micros = Stretches::of_spans(
            &candidate
                .duties
                .iter()
                .map(|duty| duty.span)
                .collect::<Vec<Span>>(),
        )
        .total_within(known.start_micros(), known.end_micros());
        let leave = candidate
            .worker
            .leave
            .iter()
            .find_map(|leave| leave.intersection(&shift.span));
        let occupied = candidate
            .duties
            .iter()
            .find(|duty| duty.span.intersection(&shift.span).is_some());
        let verdict = Verdict {
            user: candidate.worker.user.clone(),
            violations: after
                .into_iter()
                .filter(|violation| {
                    let is_here = violation.span.intersection(&shift.span).is_some();
                    (is_work && is_here) || is_new(violation, &before)
                })
                .collect(),
            leave,
            occupied: occupied.copied(),
        };
        verdicts.push((!verdict.is_clear(), total, verdict));
    }
    verdicts.sort_by(|a, b| (a.0, a.1, &a.2.user).cmp(&(b.0, b.1, &b.2.user)));
    Ok(verdicts.into_iter().map(|(_, _, verdict)| verdict).collect())
}

fn is_new(violation: &Violation, before: &[Violation]) -> bool {
    let shortfall = |violation: &Violation| (violation.limit - violation.measured).unsigned_abs();
    let same = before
        .iter()
        .filter(|known| known.rule == violation.rule && known.standing == violation.standing);
    let mut as_bad = same.filter(|known| known.span.intersection(&violation.span).is_some());
    !as_bad.any(|known| shortfall(known) >= shortfall(violation))
}

/// Until when somebody must rest after their last intervention before `now`, if a rule of the pack says so and the
/// daily rest was broken by it; `None` when nothing is owed.
pub fn rest_owed_until(pack: &RulePack, duties: &[Duty], now: Timestamp) -> Option<RestOwed> {
    let rule = pack.rules.iter().find_map(|rule| match rule.limit {
        Limit::CompensatoryRest { hours } => Some((rule, i64::from(hours) * 3600 * SECOND)),
        _ => None,
    });
    let (rule, rest) = rule?;
    let now = micros(now);
    let ended = duties
        .iter()
        .filter(|duty| duty.kind == DutyKind::Intervention && duty.span.end_micros() <= now);
    let last = ended.max_by_key(|duty| duty.span.end_micros())?;
    // An intervention in the middle of ordinary work breaks no rest.
    let during_work = duties.iter().any(|duty| {
        duty.kind == DutyKind::Work
            && duty.span.start_micros() <= last.span.start_micros()
            && last.span.end_micros() <= duty.span.end_micros()
    });
    let until = last.span.end_micros() + rest;
    (!during_work && now < until).then(|| RestOwed {
        from: last.span.end(),
        until: instant(until),
        rule: rule.id.clone(),
    })
}
