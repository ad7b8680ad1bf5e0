//! Leave and holidays, and where they clash with being on call.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::assignments::Assignment;
use crate::keys::UserKey;
use crate::span::{Micros, Span};
use crate::span_index::SpanIndex;

/// Time that people have off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// Whom it concerns.
    pub who: Concerned,
    /// What it is.
    pub kind: AbsenceKind,
    /// From when to when.
    pub span: Span,
    /// What people call it, such as `Christmas Day`.
    pub label: String,
}

/// Whom an absence concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concerned {
    /// Everybody, as a holiday of the whole company does.
    Everybody,
    /// These people, as a holiday of one region or one person's leave does.
    People(Vec<UserKey>),
}

/// Why people are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceKind {
    /// Somebody's own leave: they are not there.
    Leave,
    /// A public or company holiday: they may be on call, but it weighs more.
    Holiday,
}

/// Somebody is on call while they have time off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clash {
    /// Who.
    pub user: UserKey,
    /// The time in common.
    pub span: Span,
    /// Of what kind the absence is.
    pub kind: AbsenceKind,
    /// Its label.
    pub label: String,
}

/// Where people are on call while they have time off, in the order of the assignments.
///
/// ```
/// use schedule::{Absence, AbsenceKind, Assignment, Concerned, Span, clashes};
///
/// let span = |start: &str, end: &str| -> Result<Span, Box<dyn std::error::Error>> {
///     Ok(Span::new(start.parse()?, end.parse()?)?)
/// };
/// let week = Assignment::new("ann", span("2026-12-21T08:00:00Z", "2026-12-28T08:00:00Z")?);
/// let leave = Absence {
///     who: Concerned::People(vec!["ann".into()]),
///     kind: AbsenceKind::Leave,
///     span: span("2026-12-27T00:00:00Z", "2027-01-04T00:00:00Z")?,
///     label: "leave".into(),
/// };
/// let found = clashes(&[week], &[leave]);
/// assert_eq!(found[0].span, span("2026-12-27T00:00:00Z", "2026-12-28T08:00:00Z")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn clashes(assignments: &[Assignment], absences: &[Absence]) -> Vec<Clash> {
    let mut of_everybody = Vec::new();
    let mut of_person: HashMap<&UserKey, Vec<(Micros, Micros, &Absence)>> = HashMap::new();
    for absence in absences {
        let stretch = (absence.span.start_micros(), absence.span.end_micros(), absence);
        match &absence.who {
            Concerned::Everybody => of_everybody.push(stretch),
            Concerned::People(people) => {
                for user in people {
                    of_person.entry(user).or_default().push(stretch);
                }
            }
        }
    }
    let of_everybody = SpanIndex::new(of_everybody);
    let of_person: HashMap<&UserKey, SpanIndex<&Absence>> = of_person
        .into_iter()
        .map(|(user, stretches)| (user, SpanIndex::new(stretches)))
        .collect();
    let mut found = Vec::new();
    for assignment in assignments {
        let (start, end) = (assignment.span.start_micros(), assignment.span.end_micros());
        let own = of_person
            .get(&assignment.user)
            .into_iter()
            .flat_map(|index| index.during(start, end));
        for (from, to, absence) in own.chain(of_everybody.during(start, end)) {
            found.push(Clash {
                user: assignment.user.clone(),
                span: Span::from_micros(start.max(*from), end.min(*to)),
                kind: absence.kind,
                label: absence.label.clone(),
            });
        }
    }
    found
}
