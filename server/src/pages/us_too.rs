//! "Us too": one tap by the staff of a location makes a case of theirs, linked to the incident that they mean.
//!
//! One case for each location, touchpoint and incident: whoever taps again joins it, from whatever device, and
//! opens it again if it was closed meanwhile. The
//! word counts at once as evidence of place, so that the impact and the page follow.

use jiff::{Timestamp, ToSpan as _};

use super::location::{self, LocationSituation, Said, Trouble};
use crate::cases::input::Report;
use crate::cases::model::Word;
use crate::cases::{Channel, Status, actions, store as cases};
use crate::http::Problem;
use crate::services::BusinessServiceId;
use crate::timeline::Change;

/// What stands in a case that was closed and is true again.
const AGAIN: &str =
    "The staff say again that they have the same trouble. (One tap on the page of the location.)";
/// A word that was said again within this time is the same word.
const SAME_WORD_MINUTES: i64 = 10;

/// Keeps the word, and the case unless there is one.
pub fn tell(change: &mut Change, here: &LocationSituation, trouble: &Trouble) -> Result<(), Problem> {
    let location = &here.location;
    let touchpoint = &trouble.touchpoint;
    let reference = format!(
        "form:too:{}:{}:{}",
        location.id, touchpoint.id, trouble.incident_id
    );
    let known = match cases::find_by_reference(change.tx, &reference)? {
        Some(known) => Some(actions::load(change, &known.id)?),
        None => None,
    };
    let closed = known.as_ref().filter(|known| known.status == Status::Closed);
    if known.is_some() && closed.is_none() && is_just_said(here, change.now) {
        return Ok(());
    }
    location::record(
        change,
        location,
        std::slice::from_ref(&trouble.incident_id),
        Said::Down,
        None,
    )?;
    if let Some(closed) = closed {
        return actions::hear(change, closed, Word::StillBroken, Some(AGAIN));
    }
    if known.is_some() {
        return Ok(());
    }
    let text = format!(
        "{}: the staff of {} say that they have the same trouble. (One tap on the page of the location.)",
        touchpoint.name, location.name
    );
    let mut new = Report {
        subject: None,
        text: Some(&text),
        name: Some(&location.name),
        email: None,
        telephone: location.telephone.as_deref(),
        language: None,
    }
    .check("", Channel::LocationForm)?;
    new.external_reference = Some(reference);
    new.location_id = Some(location.id.clone());
    new.touchpoint_id = Some(BusinessServiceId::from(touchpoint.id.as_str()));
    let (_, case) = actions::report(change, &new)?;
    actions::link(change, &case.id, &trouble.incident_id)?;
    Ok(())
}

fn is_just_said(here: &LocationSituation, now: Timestamp) -> bool {
    let since = now.checked_sub(SAME_WORD_MINUTES.minutes()).unwrap_or(now);
    here.last_report
        .as_ref()
        .is_some_and(|report| report.said == Said::Down && report.at > since)
}
