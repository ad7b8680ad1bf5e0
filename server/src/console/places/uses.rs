//! What a customer or a location uses, as a form lists it: a place for each, and some more to fill.

use serde_json::{Value, json};
use store::Tx;

use super::sheet::picked;
use super::typed::{Belongs, Typed};
use crate::console::prelude::Pick;
use crate::console::screens::settings::{Control, Field};
use crate::customers::model::Used;
use crate::http::listing::Counted;
use crate::http::{Page, Problem};
use crate::services::store::services::{ServiceFilter, list};
use crate::services::store::touchpoints;

/// Places that a form bears; who uses more is changed over the API.
const MOST: usize = 60;
/// Technical services that are offered.
const MOST_SERVICES: i64 = 500;
/// Places to fill, beside those that are taken.
const FREE: usize = 3;

/// What there is to use: touchpoints first.
pub(super) fn picks(tx: &mut Tx) -> Result<Vec<Pick>, Problem> {
    let mut picks = vec![Pick::new("", "Nothing")];
    picks.extend(
        touchpoints::all(tx)?
            .into_iter()
            .map(|touchpoint| Pick::new(touchpoint.id.as_str(), touchpoint.name)),
    );
    let page = Page {
        limit: MOST_SERVICES,
        offset: 0,
        counted: Counted::No,
    };
    picks.extend(
        list(tx, &ServiceFilter::default(), page)?
            .into_iter()
            .map(|service| {
                Pick::new(
                    service.id.as_str(),
                    format!("{} (engineers run it)", service.name),
                )
            }),
    );
    Ok(picks)
}

/// What stands in the form, without the places that were left empty.
pub(super) fn of(used: &[Used]) -> Vec<String> {
    used.iter().map(|one| one.service_id.clone()).collect()
}

pub(super) fn of_typed(typed: &Typed) -> Vec<String> {
    typed
        .all("uses")
        .filter(|one| !one.is_empty())
        .take(MOST + FREE)
        .map(ToOwned::to_owned)
        .collect()
}

/// The field, where a form bears it.
pub(super) fn drawn(label: &'static str, picks: &[Pick], uses: &[String]) -> Option<Field> {
    if uses.len() > MOST {
        return None;
    }
    let places = uses
        .iter()
        .map(String::as_str)
        .chain(std::iter::repeat_n("", FREE))
        .map(|one| picked(picks, one, "Something that is not here any more"))
        .collect();
    Some(Field::new("uses", label, Control::Ordered { places }))
}

/// Where the sentences of the API about `field` belong.
pub(super) fn belongs(field: &str) -> Vec<Belongs> {
    (0..MOST + FREE)
        .map(|place| Belongs::new(format!("{field}[{place}]"), "uses", "One of these"))
        .chain([Belongs::new(field, "uses", "These")])
        .collect()
}

/// What the API is told; nothing where it is as it was, or where the form could not bear it.
pub(super) fn body(was: &[String], uses: &[String]) -> Option<Value> {
    if was.len() > MOST || was == uses {
        return None;
    }
    let all: Vec<Value> = uses
        .iter()
        .map(|id| json!({ "id": id, "type": "service_reference" }))
        .collect();
    Some(Value::from(all))
}
