//! What may become an incident: alerts that wait to see whether they clear by themselves, customers who write
//! alike while nothing is open for it, and more reports than usual. Nothing is stored but what was unusual
//! ([`super::usual`]); when the cause is gone, so is the warning: an alert has cleared, cases are linked to an incident.

use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::{usual, voices};
use crate::alerts::model::Reason;
use crate::cases::{CaseId, store as cases};
use crate::http::Page;
use crate::http::listing::Counted;
use crate::identifier::earliest_at;
use crate::jobs;

/// How long ago the first of those who write alike may have written.
const LATELY: Duration = Duration::from_secs(3_600);
/// So many write alike before it is worth a look.
const FEWEST: u64 = 3;
/// Cases that are read, the latest.
const MOST_CASES: i64 = 200;
/// Warnings of each kind.
const MOST: usize = 5;
/// Unusual counts that are looked at.
const MOST_NOTICED: i64 = 50;
/// Cases without an incident that unusual counts are held against, the newest.
const MOST_UNLINKED: i64 = 20_000;

/// One early warning, with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// An alert that opens an incident only if it stays.
    HeldBack {
        alert_id: String,
        summary: String,
        service_id: String,
        service: String,
        /// Why it waits.
        reason: String,
        until: Timestamp,
    },
    /// Customers who say alike, none of them linked to an incident.
    SaidByMany {
        /// What one of them wrote.
        words: String,
        count: u64,
        /// The last of their cases.
        last: CaseId,
    },
    MoreThanUsual(Unusual),
}

/// More reports than usual, most of them linked to no incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusual {
    pub id: String,
    /// Of which touchpoint, id and name; of any, when nothing.
    pub touchpoint: Option<(String, String)>,
    /// From which place, id and name; from any, when nothing.
    pub location: Option<(String, String)>,
    pub sign: Sign,
    pub since: Timestamp,
    /// When it was noticed.
    pub at: Timestamp,
    /// Reports between the two.
    pub observed: u64,
    /// Reports usual between the two.
    pub expected: f64,
    /// How often a week chance alone brings something like it, over everything that is counted.
    pub chance_per_week: f64,
    /// The last case of them that is linked to no incident.
    pub last: CaseId,
}

/// How too many reports show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, store::TextEnum, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WarningSign)]
pub enum Sign {
    /// Many at once.
    Burst,
    /// A few too many, for long.
    Persistent,
}

impl Unusual {
    /// One line.
    pub fn title(&self) -> String {
        let name = |named: &Option<(String, String)>| named.as_ref().map(|(_, name)| name.clone());
        match (name(&self.touchpoint), name(&self.location)) {
            (Some(touchpoint), Some(location)) => {
                format!("More reports than usual about {touchpoint} from {location}")
            }
            (Some(touchpoint), None) => format!("More reports than usual about {touchpoint}"),
            (None, Some(location)) => format!("More reports than usual from {location}"),
            (None, None) => "More reports than usual".to_owned(),
        }
    }

    /// Why, for people.
    pub fn reason(&self) -> String {
        let span = span_words(self.at.duration_since(self.since).as_secs());
        let usual = match self.expected.round() as u64 {
            0 => "hardly any is usual".to_owned(),
            usual => format!("about {usual} would be usual"),
        };
        let chance = match 1.0 / self.chance_per_week.max(1e-9) {
            weeks if weeks >= 5_200.0 => "less than once in a hundred years".to_owned(),
            weeks if weeks >= 104.0 => format!("about once in {} years", (weeks / 52.0).round()),
            weeks if weeks >= 1.5 => format!("about once in {} weeks", weeks.round()),
            _ => "about once a week".to_owned(),
        };
        format!(
            "{} within {span}, where {usual} at this hour of the week. Chance alone brings this {chance}.",
            self.observed
        )
    }

    /// Whether both tell of the same reports: one counts what the other counts, or the last case is the same.
    fn overlaps(&self, other: &Self) -> bool {
        fn may_share(one: Option<&(String, String)>, other: Option<&(String, String)>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        self.last == other.last
            || (may_share(self.touchpoint.as_ref(), other.touchpoint.as_ref())
                && may_share(self.location.as_ref(), other.location.as_ref()))
    }
}

fn span_words(seconds: i64) -> String {
    match seconds / 60 {
        0..=119 => format!("{} minutes", seconds / 60),
        minutes => format!("{} hours", minutes / 60),
    }
}

/// The warnings of this moment: those of customers first.
pub fn of(tx: &mut Tx, now: Timestamp) -> Result<Vec<Warning>, Error> {
    let mut warnings = said_by_many(tx, now)?;
    warnings.extend(more_than_usual(tx, now)?.into_iter().map(Warning::MoreThanUsual));
    warnings.extend(held_back(tx)?);
    Ok(warnings)
}

/// What was unusual lately, the rarest first; of what tells of the same reports only the rarest.
fn more_than_usual(tx: &mut Tx, now: Timestamp) -> Result<Vec<Unusual>, Error> {
    let rows: Vec<Noticed> = tx.rows(
        sql!(
            "SELECT u.id, u.at, u.touchpoint_id, b.name AS touchpoint_name, u.location_id, l.name AS location_name, u.sign,
                 u.seconds, u.observed, u.expected, u.chance_per_week
             FROM unusual_reports u LEFT JOIN business_services b ON b.id = u.touchpoint_id
             LEFT JOIN locations l ON l.id = u.location_id
             WHERE u.at > $1 ORDER BY u.chance_per_week, u.touchpoint_id IS NULL, u.location_id IS NULL, u.id LIMIT $2"
        ),
        params![now - usual::SHOWN_FOR, MOST_NOTICED],
    )?;
    let Some(earliest) = rows.iter().map(Noticed::since).min() else {
        return Ok(Vec::new());
    };
    let unlinked = unlinked_since(tx, earliest)?;
    let mut found: Vec<Unusual> = Vec::new();
    for row in rows {
        if found.len() == MOST {
            break;
        }
        if let Some(unusual) = row.still_unexplained(&unlinked)
            && !found.iter().any(|one| one.overlaps(&unusual))
        {
            found.push(unusual);
        }
    }
    Ok(found)
}

/// A row of what was noticed.
#[derive(Debug, store::FromRow)]
struct Noticed {
    id: String,
    at: Timestamp,
    touchpoint_id: Option<String>,
    touchpoint_name: Option<String>,
    location_id: Option<String>,
    location_name: Option<String>,
    sign: Sign,
    seconds: i64,
    observed: u64,
    expected: f64,
    chance_per_week: f64,
}

/// A case that is linked to no incident.
#[derive(Debug, store::FromRow)]
struct Unlinked {
    id: CaseId,
    created_at: Timestamp,
    touchpoint_id: Option<String>,
    location_id: Option<String>,
    /// Where its location stands, and where that stands.
    within: Option<String>,
    within_that: Option<String>,
}

/// Cases that are linked to no incident, the newest first; read once for everything that was noticed.
fn unlinked_since(tx: &mut Tx, since: Timestamp) -> Result<Vec<Unlinked>, Error> {
    tx.rows(
        sql!(
            "SELECT c.id, c.created_at, c.touchpoint_id, c.location_id, l.parent_id AS within, p.parent_id AS within_that
             FROM cases c LEFT JOIN locations l ON l.id = c.location_id LEFT JOIN locations p ON p.id = l.parent_id
             WHERE c.incident_id IS NULL AND c.created_at >= $1 AND c.id >= $2 ORDER BY c.id DESC LIMIT $3"
        ),
        params![since, earliest_at(since), MOST_UNLINKED],
    )
}

impl Noticed {
    /// When the first of its reports may have come.
    fn since(&self) -> Timestamp {
        self.at - jiff::SignedDuration::from_secs(self.seconds)
    }

    fn counts(&self, case: &Unlinked) -> bool {
        let places = [&case.location_id, &case.within, &case.within_that];
        (self.since()..self.at).contains(&case.created_at)
            && (self.touchpoint_id.is_none() || self.touchpoint_id == case.touchpoint_id)
            && (self.location_id.is_none() || places.contains(&&self.location_id))
    }

    /// Nothing, once more than half of the reports are linked to incidents.
    fn still_unexplained(self, unlinked: &[Unlinked]) -> Option<Unusual> {
        let mut left = unlinked.iter().filter(|case| self.counts(case));
        let last = left.next()?.id.clone();
        let count = 1 + left.count() as u64;
        if count * 2 < self.observed {
            return None;
        }
        let since = self.since();
        let named = |id: Option<String>, name: Option<String>| id.map(|id| (id, name.unwrap_or_default()));
        Some(Unusual {
            id: self.id,
            touchpoint: named(self.touchpoint_id, self.touchpoint_name),
            location: named(self.location_id, self.location_name),
            sign: self.sign,
            since,
            at: self.at,
            observed: self.observed,
            expected: self.expected,
            chance_per_week: self.chance_per_week,
            last,
        })
    }
}

fn said_by_many(tx: &mut Tx, now: Timestamp) -> Result<Vec<Warning>, Error> {
    let sought = cases::Sought {
        linked: Some(cases::Linked::No),
        since: Some(now - LATELY),
        ..cases::Sought::default()
    };
    let page = Page {
        limit: MOST_CASES,
        offset: 0,
        counted: Counted::No,
    };
    let (mut unlinked, _) = cases::list(tx, &sought, page)?;
    unlinked.reverse();
    let texts = unlinked
        .iter()
        .map(|case| (case.text.as_str(), case.location_name.as_deref()));
    Ok(voices::gather(texts)
        .into_iter()
        .filter(|voice| voice.count >= FEWEST)
        .take(MOST)
        .filter_map(|voice| {
            Some(Warning::SaidByMany {
                words: voice.example,
                count: voice.count,
                last: unlinked.get(voice.last)?.id.clone(),
            })
        })
        .collect())
}

/// Alerts whose pause runs: each has a job that ends it.
fn held_back(tx: &mut Tx) -> Result<Vec<Warning>, Error> {
    type Row = (String, String, String, String, serde_json::Value, Timestamp);
    let rows: Vec<Row> = tx.rows(
        sql!(
            "SELECT a.id, a.summary, a.service_id, s.name, a.reasons, j.due_at
             FROM jobs j JOIN alerts a ON a.id = j.subject JOIN services s ON s.id = a.service_id
             WHERE j.kind = $1 AND a.incident_id IS NULL AND a.status = 'triggered'
             ORDER BY j.due_at, a.id LIMIT $2"
        ),
        params![jobs::Kind::PauseEnds, MOST as i64],
    )?;
    Ok(rows
        .into_iter()
        .map(|(alert_id, summary, service_id, service, reasons, until)| {
            let reasons: Vec<Reason> = serde_json::from_value(reasons).unwrap_or_default();
            Warning::HeldBack {
                alert_id,
                summary,
                service_id,
                service,
                reason: reasons
                    .into_iter()
                    .next()
                    .map(|reason| reason.sentence)
                    .unwrap_or_default(),
                until,
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unusual(touchpoint: Option<&str>, location: Option<&str>) -> Unusual {
        let named = |name: Option<&str>| name.map(|name| (name.to_lowercase(), name.to_owned()));
        Unusual {
            id: "1".to_owned(),
            touchpoint: named(touchpoint),
            location: named(location),
            sign: Sign::Burst,
            since: "2026-11-17T06:00:00Z".parse().unwrap(),
            at: "2026-11-17T06:30:00Z".parse().unwrap(),
            observed: 12,
            expected: 1.4,
            chance_per_week: 0.02,
            last: format!("{touchpoint:?} {location:?}").into(),
        }
    }

    #[test]
    fn the_title_says_what_and_where() {
        let titles = [
            (Some("Cards"), Some("Leeds")),
            (Some("Cards"), None),
            (None, Some("Leeds")),
            (None, None),
        ]
        .map(|(touchpoint, location)| unusual(touchpoint, location).title());
        assert_eq!(
            titles,
            [
                "More reports than usual about Cards from Leeds",
                "More reports than usual about Cards",
                "More reports than usual from Leeds",
                "More reports than usual"
            ]
        );
    }

    #[test]
    fn the_reason_says_how_many_how_long_and_how_rare() {
        let first = unusual(None, None);
        assert_eq!(
            first.reason(),
            "12 within 30 minutes, where about 1 would be usual at this hour of the week. Chance alone brings this about once in 50 weeks."
        );
        let rarer = |chance_per_week: f64| Unusual {
            chance_per_week,
            expected: 0.1,
            since: first.at - jiff::SignedDuration::from_hours(12),
            ..first.clone()
        };
        assert_eq!(
            rarer(0.002).reason(),
            "12 within 12 hours, where hardly any is usual at this hour of the week. Chance alone brings this about once in 10 years."
        );
        assert!(
            rarer(0.0)
                .reason()
                .ends_with("less than once in a hundred years.")
        );
        assert!(rarer(0.9).reason().ends_with("about once a week."));
    }

    #[test]
    fn a_place_and_its_touchpoint_tell_of_the_same_reports_and_two_places_do_not() {
        let (leeds, york) = (
            unusual(Some("Cards"), Some("Leeds")),
            unusual(Some("Cards"), Some("York")),
        );
        assert!(leeds.overlaps(&unusual(Some("Cards"), None)) && leeds.overlaps(&unusual(None, None)));
        assert!(!leeds.overlaps(&york));
        let region = Unusual {
            last: leeds.last.clone(),
            ..unusual(Some("Cards"), Some("North"))
        };
        assert!(leeds.overlaps(&region) && !york.overlaps(&region));
    }
}
