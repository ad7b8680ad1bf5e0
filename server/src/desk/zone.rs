//! In which time zone a reporter is told times.
//!
//! That of the place a case is about; else that of the place where its customer usually goes; else the one most of the
//! places are in; and where no place has one, the one that most people here live by. Every time is written with its zone, so a
//! wrong guess misleads nobody.

use jiff::tz::TimeZone;
use store::{Error, Tx};

use crate::cases::Case;
use crate::customers::{LocationId, accounts, locations};
use crate::people::store as people;

pub(super) fn of_case(tx: &mut Tx, case: &Case) -> Result<TimeZone, Error> {
    if let Some(zone) = of_place(tx, case.location_id.as_ref())? {
        return Ok(zone);
    }
    let account = match &case.account_id {
        Some(id) => accounts::find(tx, id)?,
        None => None,
    };
    let usual = account.and_then(|account| account.location_id);
    match of_place(tx, usual.as_ref())? {
        Some(zone) => Ok(zone),
        None => of_most(tx),
    }
}

fn of_place(tx: &mut Tx, id: Option<&LocationId>) -> Result<Option<TimeZone>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(locations::find(tx, id)?
        .and_then(|place| place.time_zone)
        .and_then(|name| TimeZone::get(&name).ok()))
}

fn of_most(tx: &mut Tx) -> Result<TimeZone, Error> {
    for name in [locations::usual_time_zone(tx)?, people::usual_time_zone(tx)?] {
        if let Some(zone) = name.and_then(|name| TimeZone::get(&name).ok()) {
            return Ok(zone);
        }
    }
    Ok(TimeZone::UTC)
}
