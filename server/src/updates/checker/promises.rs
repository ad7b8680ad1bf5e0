//! The promise of the next word: there is one, it lies ahead, and the words name no other time.

use jiff::tz::TimeZone;

use super::{Against, Field, Finding, FindingKind, Weight, finding};
use crate::updates::model::Phase;
use crate::updates::promised_words;

pub(super) fn find(text: &str, against: &Against<'_>, findings: &mut Vec<Finding>) {
    if against.phase == Phase::Resolved {
        return;
    }
    let zone = TimeZone::get(&against.audience.time_zone).unwrap_or(TimeZone::UTC);
    let end = text.len()..text.len();
    let missing = |objection: &str, remedy: Option<String>| {
        let mut found = finding(
            FindingKind::PromiseMissing,
            Weight::Refuse,
            Field::Words,
            text,
            end.clone(),
            objection,
        );
        found.remedy = remedy;
        found
    };
    let Some(due) = against.next_update_by else {
        findings.push(missing(
            "Nobody is told when the next word comes. Set a time (next_update_by).",
            None,
        ));
        return;
    };
    if due <= against.now {
        findings.push(missing(
            "The promised time has passed. Set a later one (next_update_by).",
            None,
        ));
        return;
    }
    let time = due.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    let said = promised_words::said(text);
    for said in said.iter().filter(|said| !said.clocks.contains(&time)) {
        let mut contradicted = finding(
            FindingKind::PromiseContradicted,
            Weight::Refuse,
            Field::Words,
            text,
            said.place.clone(),
            format!(
                "This promises the next word for {}; what will be kept is {time}.",
                said.clocks.join(" and ")
            ),
        );
        contradicted.remedy = Some(format!("Say {time} here, or choose the other time."));
        findings.push(contradicted);
    }
    if said.is_empty() && !text.contains(&time) {
        let words = promised_words::promise(&against.audience.language, due, against.now, &zone);
        findings.push(missing(
            "The words do not say when the next word comes.",
            Some(format!("Add “{words}”")),
        ));
    }
}
