//! Cover and swaps: what people agree between themselves on top of a schedule.
//!
//! An agreement names people and a time, not a turn of a rotation, and a schedule may change after it was made. So it is
//! fitted anew each time: if the giver's shift has moved, the cover follows it; if the giver is no longer on call, or
//! the taker already is, the agreement changes nothing and says so. A swap is two covers that stand or fall together.

use serde::{Deserialize, Serialize};

use crate::assignments::{Assignment, join};
use crate::keys::{AgreementId, UserKey};
use crate::span::{Micros, Span};

/// Somebody stands in for somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Who hands over.
    pub giver: UserKey,
    /// Who takes over.
    pub taker: UserKey,
    /// The time that was agreed on.
    pub agreed: Span,
    /// What follows a change.
    pub extent: Extent,
}

/// What of a shift a cover is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// The giver's whole shift, wherever it moves, as long as it still touches the time agreed and has not grown to
    /// more than twice its length.
    WholeShift,
    /// Only the time agreed, whatever the shift does around it.
    ExactTime,
}

/// What people have agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Unique among those fitted together.
    pub id: AgreementId,
    /// One cover, or the two halves of a swap (or more, in a ring). All fit or none applies.
    pub covers: Vec<Cover>,
}

/// How an agreement fits the schedule as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fit {
    /// Just as agreed.
    AsAgreed,
    /// The shifts have moved and the agreement has followed: the time that each cover now takes.
    Moved {
        /// One list per cover.
        now: Vec<Vec<Span>>,
    },
    /// It no longer fits and changes nothing.
    NoLongerFits {
        /// Which cover, by position.
        cover: usize,
        /// Why.
        reason: Misfit,
    },
}

/// Why an agreement no longer fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Misfit {
    /// The giver has nothing to hand over any more.
    #[error("{giver} is no longer on call then")]
    GiverNotOnCall {
        /// Who was to hand over.
        giver: UserKey,
    },
    /// The giver's shift is now more than twice as long as agreed.
    #[error("{giver}'s shift has grown to {now_hours} hours")]
    ShiftGrew {
        /// Who was to hand over.
        giver: UserKey,
        /// How long it is now, rounded up.
        now_hours: i64,
    },
    /// The taker would be on call twice.
    #[error("{taker} is on call then anyway, from {} to {}", .already.start(), .already.end())]
    TakerOnCall {
        /// Who was to take over.
        taker: UserKey,
        /// When they already are.
        already: Span,
    },
    /// Giver and taker are one person, or there is no cover at all.
    #[error("an agreement needs two different people")]
    NothingAgreed,
}

/// Assignments with agreements worked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// Who is on call in the end.
    pub assignments: Vec<Assignment>,
    /// How each agreement fits, in the order given.
    pub fits: Vec<(AgreementId, Fit)>,
}

/// Works agreements into assignments, the oldest first; a later one may hand on what an earlier one brought.
///
/// The assignments should reach beyond the time of interest by a shift or two, so that shifts are seen whole.
///
/// ```
/// use schedule::{Agreement, Assignment, Cover, Extent, Fit, Span, apply_agreements};
///
/// let span = |start: &str, end: &str| -> Result<Span, Box<dyn std::error::Error>> {
///     Ok(Span::new(start.parse()?, end.parse()?)?)
/// };
/// let agreed = span("2026-05-04T08:00:00Z", "2026-05-04T16:00:00Z")?;
/// let cover = Cover { giver: "ann".into(), taker: "bob".into(), agreed, extent: Extent::WholeShift };
/// let agreements = [Agreement { id: "COVER1".into(), covers: vec![cover] }];
///
/// // Since they agreed, the schedule was changed: ann's shift begins and ends an hour later.
/// let moved = span("2026-05-04T09:00:00Z", "2026-05-04T17:00:00Z")?;
/// let covered = apply_agreements(&[Assignment::new("ann", moved)], &agreements);
/// assert_eq!(covered.assignments, [Assignment::new("bob", moved)]);
/// assert_eq!(covered.fits[0].1, Fit::Moved { now: vec![vec![moved]] });
///
/// // Or ann was taken off: nothing is handed over, and it says so.
/// let covered = apply_agreements(&[Assignment::new("cat", agreed)], &agreements);
/// assert!(matches!(covered.fits[0].1, Fit::NoLongerFits { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn apply_agreements(assignments: &[Assignment], agreements: &[Agreement]) -> Covered {
    let mut assignments = join(assignments.to_vec());
    let mut fits = Vec::with_capacity(agreements.len());
    for agreement in agreements {
        let fit = match fit(&assignments, agreement) {
            Ok(now) => {
                assignments = handed_over(&assignments, &agreement.covers, &now);
                let as_agreed = agreement
                    .covers
                    .iter()
                    .zip(&now)
                    .all(|(cover, now)| *now == [cover.agreed]);
                if as_agreed {
                    Fit::AsAgreed
                } else {
                    Fit::Moved { now }
                }
            }
            Err((cover, reason)) => Fit::NoLongerFits { cover, reason },
        };
        fits.push((agreement.id.clone(), fit));
    }
    Covered { assignments, fits }
}

fn fit(assignments: &[Assignment], agreement: &Agreement) -> Result<Vec<Vec<Span>>, (usize, Misfit)> {
    if agreement.covers.is_empty() {
        return Err((0, Misfit::NothingAgreed));
    }
    let mut now = Vec::with_capacity(agreement.covers.len());
    for (index, cover) in agreement.covers.iter().enumerate() {
        now.push(time_to_cover(assignments, cover).map_err(|reason| (index, reason))?);
    }
    // Only when everybody has handed over is it clear who is free.
    let given_up: Vec<Assignment> = without(assignments, &agreement.covers, &now);
    for (index, (cover, spans)) in agreement.covers.iter().zip(&now).enumerate() {
        let clash = given_up
            .iter()
            .filter(|assignment| assignment.user == cover.taker)
            .find_map(|assignment| spans.iter().find_map(|span| span.intersection(&assignment.span)));
        if let Some(already) = clash {
            return Err((
                index,
                Misfit::TakerOnCall {
                    taker: cover.taker.clone(),
                    already,
                },
            ));
        }
    }
    Ok(now)
}

fn time_to_cover(assignments: &[Assignment], cover: &Cover) -> Result<Vec<Span>, Misfit> {
    if cover.giver == cover.taker {
        return Err(Misfit::NothingAgreed);
    }
    let shifts = assignments
        .iter()
        .filter(|assignment| assignment.user == cover.giver);
    let touching = shifts.filter_map(|shift| Some((shift.span, shift.span.intersection(&cover.agreed)?)));
    let spans: Vec<Span> = match cover.extent {
        Extent::WholeShift => touching.map(|(whole, _)| whole).collect(),
        Extent::ExactTime => touching.map(|(_, common)| common).collect(),
    };
    if spans.is_empty() {
        return Err(Misfit::GiverNotOnCall {
            giver: cover.giver.clone(),
        });
    }
    let total: Micros = spans
        .iter()
        .map(|span| span.end_micros() - span.start_micros())
        .sum();
    if total > 2 * (cover.agreed.end_micros() - cover.agreed.start_micros()) {
        let now_hours = (total + HOUR - 1) / HOUR;
        return Err(Misfit::ShiftGrew {
            giver: cover.giver.clone(),
            now_hours,
        });
    }
    Ok(spans)
}

const HOUR: Micros = 3600 * crate::span::SECOND;

/// The assignments less what the givers hand over.
fn without(assignments: &[Assignment], covers: &[Cover], now: &[Vec<Span>]) -> Vec<Assignment> {
    let mut rest = assignments.to_vec();
    for (cover, spans) in covers.iter().zip(now) {
        for span in spans {
            rest = rest
                .into_iter()
                .flat_map(|assignment| remainder(assignment, &cover.giver, *span))
                .collect();
        }
    }
    rest
}

fn remainder(assignment: Assignment, giver: &UserKey, taken: Span) -> Vec<Assignment> {
    if assignment.user != *giver || assignment.span.intersection(&taken).is_none() {
        return vec![assignment];
    }
    let before = Span::new(assignment.span.start(), taken.start());
    let after = Span::new(taken.end(), assignment.span.end());
    let left = [before, after].into_iter().flatten();
    left.map(|span| Assignment {
        span,
        user: assignment.user.clone(),
    })
    .collect()
}

fn handed_over(assignments: &[Assignment], covers: &[Cover], now: &[Vec<Span>]) -> Vec<Assignment> {
    let mut result = without(assignments, covers, now);
    for (cover, spans) in covers.iter().zip(now) {
        result.extend(spans.iter().map(|span| Assignment {
            span: *span,
            user: cover.taker.clone(),
        }));
    }
    join(result)
}
