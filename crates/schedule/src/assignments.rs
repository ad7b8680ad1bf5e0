//! Who is on call when, whatever kind of schedule says so.
//!
//! Layers, shifts, versions and covers all come down to this one list, and everything that looks at plans as a whole
//! (differences, gaps, clashes, fairness, working time) starts from it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::keys::UserKey;
use crate::plan::{Plan, TooLong};
use crate::render::{Entry, FIRST_LOOK, Rendered, Shift, in_time, length_of};
use crate::shifts::{RenderedShifts, ShiftPlan};
use crate::span::{Micros, Span, instant, micros};
use crate::work;

/// Somebody is on call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Assignment {
    /// From when to when.
    pub span: Span,
    /// Who.
    pub user: UserKey,
}

impl Assignment {
    /// A person on call for a stretch of time.
    pub fn new(user: impl Into<UserKey>, span: Span) -> Self {
        Self {
            span,
            user: user.into(),
        }
    }
}

impl From<&Entry> for Assignment {
    fn from(entry: &Entry) -> Self {
        Self {
            span: entry.span(),
            user: entry.user.clone(),
        }
    }
}

/// Anything that can say who is on call over a span.
pub trait Roster {
    /// Who is on call during the span, by start; stretches that reach beyond it are cut.
    ///
    /// # Errors
    /// [`TooLong`] when the span holds too many hand-offs.
    fn assignments(&self, span: Span) -> Result<Vec<Assignment>, TooLong>;

    /// The shifts that hold the instant, each whole as far as it lies within `horizon` to both sides; none in a gap.
    ///
    /// # Errors
    /// [`TooLong`] when so many hand-offs lie within the horizon that the ends are not found before.
    fn shifts_at(&self, at: Timestamp, horizon: SignedDuration) -> Result<Vec<Shift>, TooLong> {
        let (at, horizon) = (micros(at), length_of(horizon));
        let mut reach = horizon.min(FIRST_LOOK);
        loop {
            let (from, to) = (
                in_time(at.saturating_sub(reach)),
                in_time(at.saturating_add(reach)),
            );
            let Ok(span) = Span::new(instant(from), instant(to)) else {
                return Ok(Vec::new());
            };
            let mut here = self.assignments(span)?;
            here.retain(|assignment| assignment.span.contains(instant(at)));
            let found = |edge: Timestamp, limit: Timestamp| (edge != limit).then_some(edge);
            let shift = |assignment: Assignment| Shift {
                start: found(assignment.span.start(), span.start()),
                end: found(assignment.span.end(), span.end()),
                user: assignment.user,
            };
            let shifts: Vec<Shift> = here.into_iter().map(shift).collect();
            if reach >= horizon
                || shifts
                    .iter()
                    .all(|shift| shift.start.is_some() && shift.end.is_some())
            {
                return Ok(shifts);
            }
            reach = reach.saturating_mul(4).min(horizon);
        }
    }

    /// The person's shift that is under way at the instant or else begins next, if it begins within `horizon`.
    ///
    /// # Errors
    /// [`TooLong`] when so many hand-offs lie within the horizon that no shift is found before.
    fn next_shift_of(
        &self,
        user: &UserKey,
        at: Timestamp,
        horizon: SignedDuration,
    ) -> Result<Option<Shift>, TooLong> {
        let mut from = micros(at);
        let limit = in_time(from.saturating_add(length_of(horizon)));
        let mut reach = FIRST_LOOK;
        while let Ok(span) = Span::new(instant(from), instant(from.saturating_add(reach).min(limit))) {
            let next = self
                .assignments(span)?
                .into_iter()
                .find(|assignment| assignment.user == *user);
            if let Some(next) = next {
                let shifts = self.shifts_at(next.span.start(), horizon)?;
                return Ok(shifts.into_iter().find(|shift| shift.user == *user));
            }
            (from, reach) = (span.end_micros(), reach.saturating_mul(2));
        }
        Ok(None)
    }
}

impl Roster for Plan {
    fn assignments(&self, span: Span) -> Result<Vec<Assignment>, TooLong> {
        let pieces = self.final_pieces(span.start_micros(), span.end_micros())?;
        let assignment = |piece: &crate::pieces::Piece| {
            Assignment::new(self.user(piece.user), Span::from_micros(piece.start, piece.end))
        };
        Ok(join(pieces.iter().map(assignment).collect()))
    }
}

impl Roster for ShiftPlan {
    fn assignments(&self, span: Span) -> Result<Vec<Assignment>, TooLong> {
        self.render(span).map(|rendered| rendered.assignments())
    }
}

impl Rendered {
    /// The final schedule as assignments.
    pub fn assignments(&self) -> Vec<Assignment> {
        join(self.final_schedule.entries.iter().map(Assignment::from).collect())
    }
}

impl RenderedShifts {
    /// Everybody's shifts as assignments; empty members are left out.
    pub fn assignments(&self) -> Vec<Assignment> {
        let assigned = self.entries.iter().filter_map(|entry| {
            let span = Span::new(entry.start_time, entry.end_time).ok()?;
            Some(Assignment {
                span,
                user: entry.member.as_user()?.clone(),
            })
        });
        join(assigned.collect())
    }
}

/// Each person's stretches joined where they touch or overlap; the whole by start.
pub(crate) fn join(mut assignments: Vec<Assignment>) -> Vec<Assignment> {
    work::count(assignments.len());
    assignments.sort_unstable_by(|a, b| a.user.cmp(&b.user).then(a.span.cmp(&b.span)));
    let mut joined: Vec<Assignment> = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        match joined.last_mut() {
            Some(last) if last.user == assignment.user && assignment.span.start() <= last.span.end() => {
                let end = last.span.end_micros().max(assignment.span.end_micros());
                last.span = Span::from_micros(last.span.start_micros(), end);
            }
            _ => joined.push(assignment),
        }
    }
    joined.sort_unstable();
    joined
}

/// A stretch of time with everybody who is on call throughout it; nobody in a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// From when to when.
    pub span: Span,
    /// Who, in order of their keys.
    pub users: Vec<UserKey>,
}

/// The span cut wherever somebody comes or goes: first to last, without a hole.
pub fn stretches(assignments: &[Assignment], span: Span) -> Vec<Stretch> {
    let (start, end) = (span.start_micros(), span.end_micros());
    let mut edges: Vec<(Micros, &UserKey, i32)> = Vec::new();
    for assignment in assignments {
        let (from, to) = (
            assignment.span.start_micros().max(start),
            assignment.span.end_micros().min(end),
        );
        if from < to {
            edges.push((from, &assignment.user, 1));
            edges.push((to, &assignment.user, -1));
        }
    }
    edges.sort_unstable();
    let mut present: std::collections::BTreeMap<&UserKey, i32> = std::collections::BTreeMap::new();
    let mut result: Vec<Stretch> = Vec::new();
    let mut since = start;
    let mut flush = |since: Micros, until: Micros, present: &std::collections::BTreeMap<&UserKey, i32>| {
        if since >= until {
            return;
        }
        let users: Vec<UserKey> = present.keys().map(|user| (*user).clone()).collect();
        match result.last_mut() {
            Some(last) if last.users == users => {
                last.span = Span::from_micros(last.span.start_micros(), until);
            }
            _ => result.push(Stretch {
                span: Span::from_micros(since, until),
                users,
            }),
        }
    };
    for (at, user, change) in edges {
        work::count(1 + present.len());
        flush(since, at, &present);
        since = since.max(at);
        let count = present.entry(user).or_insert(0);
        *count += change;
        if *count == 0 {
            present.remove(user);
        }
    }
    flush(since, end, &present);
    result
}

/// The stretches of the span in which nobody is on call.
///
/// ```
/// use schedule::{Assignment, Span, gaps};
///
/// let span = |start: &str, end: &str| -> Result<Span, Box<dyn std::error::Error>> {
///     Ok(Span::new(start.parse()?, end.parse()?)?)
/// };
/// let day = span("2026-05-04T00:00:00Z", "2026-05-05T00:00:00Z")?;
/// let morning = Assignment::new("ann", span("2026-05-04T00:00:00Z", "2026-05-04T12:00:00Z")?);
/// assert_eq!(gaps(&[morning], day), [span("2026-05-04T12:00:00Z", "2026-05-05T00:00:00Z")?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gaps(assignments: &[Assignment], span: Span) -> Vec<Span> {
    let empty = stretches(assignments, span)
        .into_iter()
        .filter(|stretch| stretch.users.is_empty());
    empty.map(|stretch| stretch.span).collect()
}

/// A person who is on call in several places at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubleBooking {
    /// Who.
    pub user: UserKey,
    /// When.
    pub span: Span,
    /// Which of the given rosters, by position; two or more.
    pub rosters: Vec<usize>,
}

/// Where anybody is on call in more than one of several rosters at the same time, by person and start.
///
/// ```
/// use schedule::{Assignment, Span, double_bookings};
///
/// let day = Span::new("2026-05-04T00:00:00Z".parse()?, "2026-05-05T00:00:00Z".parse()?)?;
/// let (payments, shop) = (vec![Assignment::new("ann", day)], vec![Assignment::new("ann", day)]);
/// let found = double_bookings(&[payments, shop]);
/// assert_eq!((found[0].user.as_str(), found[0].rosters.as_slice()), ("ann", &[0, 1][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn double_bookings(rosters: &[Vec<Assignment>]) -> Vec<DoubleBooking> {
    let mut edges: Vec<(&UserKey, Micros, i32, usize)> = Vec::new();
    for (index, assignments) in rosters.iter().enumerate() {
        for assignment in assignments {
            edges.push((&assignment.user, assignment.span.start_micros(), 1, index));
            edges.push((&assignment.user, assignment.span.end_micros(), -1, index));
        }
    }
    edges.sort_unstable();
    let mut found: Vec<DoubleBooking> = Vec::new();
    let mut open: std::collections::BTreeMap<usize, i32> = std::collections::BTreeMap::new();
    let mut since = 0;
    let mut whose = None;
    for (user, at, change, index) in edges {
        work::count(1 + open.len());
        if open.len() > 1 && since < at && whose == Some(user) {
            let rosters = open.keys().copied().collect();
            found.push(DoubleBooking {
                user: user.clone(),
                span: Span::from_micros(since, at),
                rosters,
            });
        }
        (since, whose) = (at, Some(user));
        let count = open.entry(index).or_insert(0);
        *count += change;
        if *count == 0 {
            open.remove(&index);
        }
    }
    found
}

/// Cuts assignments to a span, dropping what lies outside.
pub(crate) fn within(assignments: &[Assignment], span: Span) -> impl Iterator<Item = Assignment> + '_ {
    assignments.iter().filter_map(move |assignment| {
        let span = assignment.span.intersection(&span)?;
        Some(Assignment {
            span,
            user: assignment.user.clone(),
        })
    })
}
