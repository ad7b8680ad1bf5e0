//! What to do about a note in the margin of a rota: which turn to hand over, and to whom.
//!
//! Whoever has carried least and has eleven hours of rest on both sides of the turn is named; where nobody of the rota
//! has, the reader chooses. It proposes and changes nothing.

use jiff::{SignedDuration, Timestamp};
use schedule::working_time::{Measure, Violation};
use schedule::{Assignment, Quality};

/// Rest that is due on both sides of a turn.
const REST: SignedDuration = SignedDuration::from_hours(11);

/// A turn that somebody else could take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handover {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Who could take it, as the rota knows them.
    pub to: Option<String>,
}

/// The turn whose handing over gives the rest back, or takes the most work away: the last that begins within the
/// stretch that was judged, or the one that reaches into it.
pub(super) fn handover(
    violation: &Violation,
    turns: &[Assignment],
    load: Option<&Quality>,
    now: Timestamp,
) -> Option<Handover> {
    let theirs = || {
        turns
            .iter()
            .filter(|turn| turn.user == violation.user && turn.span.end() > now)
            .filter(|turn| {
                turn.span.start() < violation.span.end() && turn.span.end() > violation.span.start()
            })
    };
    let turn = match violation.measure {
        Measure::WeeklyWork | Measure::NightWork | Measure::NightWorkAverage => {
            theirs().max_by_key(|turn| turn.span.duration())
        }
        Measure::DailyRest | Measure::CompensatoryRest | Measure::WeeklyRest => theirs()
            .filter(|turn| turn.span.start() >= violation.span.start())
            .max_by_key(|turn| turn.span.start())
            .or_else(|| theirs().max_by_key(|turn| turn.span.start())),
    }?;
    let (from, until) = (turn.span.start().max(now), turn.span.end());
    Some(Handover {
        from,
        until,
        to: free(from, until, Some(violation.user.as_str()), turns, load),
    })
}

/// Who could take a stretch: of those who share the load, the one with the least of it who has their rest before and
/// after.
pub(super) fn free(
    from: Timestamp,
    until: Timestamp,
    but: Option<&str>,
    turns: &[Assignment],
    load: Option<&Quality>,
) -> Option<String> {
    let (first, last) = (
        from.checked_sub(REST).unwrap_or(from),
        until.checked_add(REST).unwrap_or(until),
    );
    let rested = |user: &str| {
        !turns
            .iter()
            .any(|turn| turn.user.as_str() == user && turn.span.start() < last && turn.span.end() > first)
    };
    load?
        .loads
        .iter()
        .filter(|one| Some(one.user.as_str()) != but && rested(one.user.as_str()))
        .min_by_key(|one| (one.total, one.user.as_str().to_owned()))
        .map(|one| one.user.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use schedule::working_time::{Duty, check};
    use schedule::working_time::{DutyKind, NightWorker, RulePack, StandBy, Worker};
    use schedule::{Bearer, QualityQuestion, Span, UserKey, quality};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn turn(user: &str, from: &str, until: &str) -> Assignment {
        Assignment::new(user, Span::new(at(from), at(until)).unwrap())
    }

    fn rota() -> Vec<Assignment> {
        vec![
            turn("priya", "2026-11-17T08:00:00Z", "2026-11-17T20:00:00Z"),
            turn("lucia", "2026-11-17T20:00:00Z", "2026-11-18T02:00:00Z"),
            turn("priya", "2026-11-18T02:00:00Z", "2026-11-18T08:00:00Z"),
            turn("emre", "2026-11-20T08:00:00Z", "2026-11-20T20:00:00Z"),
        ]
    }

    fn shared() -> Quality {
        let question = QualityQuestion {
            span: Span::new(at("2026-11-16T00:00:00Z"), at("2026-11-23T00:00:00Z")).unwrap(),
            people: ["emre", "lucia", "priya"]
                .map(|user| Bearer {
                    user: UserKey::new(user),
                    time_zone: "UTC".to_owned(),
                    share: 1.0,
                })
                .to_vec(),
            night_begins: jiff::civil::time(22, 0, 0, 0),
            night_ends: jiff::civil::time(7, 0, 0, 0),
            weekend: vec![6, 7],
            holidays: Vec::new(),
        };
        quality(&rota(), &question, jiff::tz::db()).unwrap()
    }

    fn short_rest() -> Violation {
        let worker = Worker {
            user: UserKey::new("priya"),
            time_zone: "UTC".to_owned(),
            opted_out: Vec::new(),
            night_worker: NightWorker::No,
            leave: Vec::new(),
        };
        let duties: Vec<Duty> = rota()
            .iter()
            .filter(|one| one.user.as_str() == "priya")
            .map(|one| Duty {
                span: one.span,
                kind: DutyKind::Work,
            })
            .collect();
        let known = Span::new(at("2026-11-16T00:00:00Z"), at("2026-11-30T00:00:00Z")).unwrap();
        let pack = RulePack::european_union(StandBy::InterventionsOnly);
        check(&pack, &worker, &duties, known, jiff::tz::db())
            .unwrap()
            .into_iter()
            .find(|violation| violation.measure == Measure::DailyRest)
            .unwrap()
    }

    #[test]
    fn the_turn_after_too_short_a_rest_goes_to_whoever_is_rested() {
        let found = handover(
            &short_rest(),
            &rota(),
            Some(&shared()),
            at("2026-11-16T00:00:00Z"),
        )
        .unwrap();
        assert_eq!(found.from, at("2026-11-18T02:00:00Z"));
        assert_eq!(found.until, at("2026-11-18T08:00:00Z"));
        assert_eq!(
            found.to.as_deref(),
            Some("emre"),
            "Lucía comes off her own turn at 02:00"
        );
    }

    #[test]
    fn a_turn_that_is_over_cannot_be_handed_over() {
        assert_eq!(
            handover(
                &short_rest(),
                &rota(),
                Some(&shared()),
                at("2026-11-19T00:00:00Z")
            ),
            None
        );
    }

    #[test]
    fn nobody_is_named_when_nobody_is_rested() {
        let (from, until) = (at("2026-11-18T09:00:00Z"), at("2026-11-20T07:00:00Z"));
        assert_eq!(free(from, until, None, &rota(), Some(&shared())), None);
    }
}
