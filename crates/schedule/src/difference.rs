//! What a change of a schedule does to people, before it is made and after.
//!
//! Two lists of assignments are compared over a span: which stretches have somebody else on call, and for every person
//! what they gain, what they lose, and which of their shifts merely moved.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::assignments::{Assignment, Roster, Stretch, join, stretches, within};
use crate::keys::UserKey;
use crate::plan::TooLong;
use crate::span::{Micros, Span};

/// How two rosters differ over a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The stretches in which not the same people are on call, in order.
    pub stretches: Vec<ChangedStretch>,
    /// Everybody whose shifts change, in order of their keys.
    pub people: Vec<PersonChange>,
}

/// A stretch with other people on call than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedStretch {
    /// From when to when.
    pub span: Span,
    /// Who was on call; nobody in a gap.
    pub before: Vec<UserKey>,
    /// Who is now; nobody in a gap.
    pub after: Vec<UserKey>,
}

/// What changes for one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonChange {
    /// Who.
    pub user: UserKey,
    /// Their shifts that change, in order.
    pub shifts: Vec<ShiftChange>,
    /// Time on call that they gain, less what they lose.
    pub balance: SignedDuration,
}

/// What happens to one shift.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ShiftChange {
    /// It is new.
    Gained {
        /// From when to when.
        span: Span,
    },
    /// It is gone.
    Lost {
        /// From when to when it was.
        span: Span,
    },
    /// It begins or ends at another time, but some of it stays.
    Moved {
        /// From when to when it was.
        before: Span,
        /// From when to when it is.
        after: Span,
    },
}

impl ShiftChange {
    fn order(&self) -> (Span, u8) {
        match self {
            Self::Lost { span } => (*span, 0),
            Self::Moved { before, .. } => (*before, 1),
            Self::Gained { span } => (*span, 2),
        }
    }
}

impl Difference {
    /// Whether nothing changes for anybody.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// What changes for a person, if anything does.
    pub fn of(&self, user: &UserKey) -> Option<&PersonChange> {
        self.people.iter().find(|change| change.user == *user)
    }

    /// The changed stretches that leave nobody on call where somebody was.
    pub fn new_gaps(&self) -> impl Iterator<Item = Span> + '_ {
        let opened = self
            .stretches
            .iter()
            .filter(|stretch| stretch.after.is_empty() && !stretch.before.is_empty());
        opened.map(|stretch| stretch.span)
    }
}

/// What would change over the span if `after` took the place of `before`.
///
/// # Errors
/// [`TooLong`] when the span holds too many hand-offs of either.
pub fn preview(before: &impl Roster, after: &impl Roster, span: Span) -> Result<Difference, TooLong> {
    Ok(difference(
        &before.assignments(span)?,
        &after.assignments(span)?,
        span,
    ))
}

/// How two lists of assignments differ over the span; what lies outside of it does not count.
///
/// ```
/// use schedule::{Assignment, ShiftChange, Span, difference};
///
/// let day = |day: i8| -> Result<Span, Box<dyn std::error::Error>> {
///     let start = jiff::civil::date(2026, 5, day).to_zoned(jiff::tz::TimeZone::UTC)?.timestamp();
///     Ok(Span::new(start, start + jiff::SignedDuration::from_hours(24))?)
/// };
/// let before = [Assignment::new("ann", day(4)?), Assignment::new("bob", day(5)?)];
/// let after = [Assignment::new("ann", day(4)?), Assignment::new("cat", day(5)?)];
/// let changes = difference(&before, &after, Span::new(day(4)?.start(), day(5)?.end())?);
/// assert_eq!(changes.stretches.len(), 1);
/// assert_eq!(changes.of(&"bob".into()).map(|bob| &bob.shifts[..]), Some(&[ShiftChange::Lost { span: day(5)? }][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn difference(before: &[Assignment], after: &[Assignment], span: Span) -> Difference {
    let (before, after) = (
        join(within(before, span).collect()),
        join(within(after, span).collect()),
    );
    let mut users: Vec<&UserKey> = before
        .iter()
        .chain(&after)
        .map(|assignment| &assignment.user)
        .collect();
    users.sort_unstable();
    users.dedup();
    let by_user = |assignments: &[Assignment]| {
        let mut sorted = assignments.to_vec();
        sorted.sort_by(|a, b| a.user.cmp(&b.user).then(a.span.cmp(&b.span)));
        sorted
    };
    let (sorted_before, sorted_after) = (by_user(&before), by_user(&after));
    let people = users.into_iter().filter_map(|user| {
        person_change(
            user,
            spans_of(user, &sorted_before),
            spans_of(user, &sorted_after),
        )
    });
    Difference {
        people: people.collect(),
        stretches: changed_stretches(&before, &after, span),
    }
}

fn spans_of<'list>(user: &UserKey, sorted: &'list [Assignment]) -> &'list [Assignment] {
    let from = sorted.partition_point(|assignment| assignment.user < *user);
    let to = sorted.partition_point(|assignment| assignment.user <= *user);
    sorted.get(from..to).unwrap_or_default()
}

fn person_change(user: &UserKey, before: &[Assignment], after: &[Assignment]) -> Option<PersonChange> {
    let mut shifts = Vec::new();
    let mut next_after = 0;
    let mut taken = vec![false; after.len()];
    for was in before {
        while after
            .get(next_after)
            .is_some_and(|is| is.span.end() <= was.span.start())
        {
            next_after += 1;
        }
        // The first of today's shifts that still has something of the old one is what became of it.
        let became = (next_after..after.len())
            .take_while(|index| after[*index].span.start() < was.span.end())
            .find(|index| !taken[*index]);
        match became {
            Some(index) => {
                taken[index] = true;
                if after[index].span != was.span {
                    shifts.push(ShiftChange::Moved {
                        before: was.span,
                        after: after[index].span,
                    });
                }
            }
            None => shifts.push(ShiftChange::Lost { span: was.span }),
        }
    }
    let gained = after.iter().zip(&taken).filter(|(_, taken)| !**taken);
    shifts.extend(gained.map(|(is, _)| ShiftChange::Gained { span: is.span }));
    if shifts.is_empty() {
        return None;
    }
    shifts.sort_by_key(ShiftChange::order);
    let total = |list: &[Assignment]| {
        list.iter()
            .map(|assignment| assignment.span.duration())
            .sum::<SignedDuration>()
    };
    Some(PersonChange {
        user: user.clone(),
        shifts,
        balance: total(after) - total(before),
    })
}

fn changed_stretches(before: &[Assignment], after: &[Assignment], span: Span) -> Vec<ChangedStretch> {
    let (before, after) = (stretches(before, span), stretches(after, span));
    let mut changed: Vec<ChangedStretch> = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    let mut since = span.start_micros();
    while let (Some(was), Some(is)) = (old.peek(), new.peek()) {
        let until = was.span.end_micros().min(is.span.end_micros());
        if was.users != is.users {
            push_changed(&mut changed, since, until, was, is);
        }
        if was.span.end_micros() == until {
            old.next();
        }
        if new.peek().is_some_and(|is| is.span.end_micros() == until) {
            new.next();
        }
        since = until;
    }
    changed
}

fn push_changed(
    changed: &mut Vec<ChangedStretch>,
    since: Micros,
    until: Micros,
    was: &Stretch,
    is: &Stretch,
) {
    match changed.last_mut() {
        Some(last)
            if last.span.end_micros() == since && last.before == was.users && last.after == is.users =>
        {
            last.span = Span::from_micros(last.span.start_micros(), until);
        }
        _ => changed.push(ChangedStretch {
            span: Span::from_micros(since, until),
            before: was.users.clone(),
            after: is.users.clone(),
        }),
    }
}
