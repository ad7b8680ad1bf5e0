//! The rules of the services of one batch, and the memory that keeps them prepared between batches.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use store::{Error, Tx};

use super::judgement::Judged;
use super::model::Rules;
use super::rulebook::Rulebook;
use super::store as rows;
use crate::services::ServiceId;
use crate::signals::event::AlertEvent;

/// Services whose rules are kept prepared at most.
const SERVICES: usize = 500;

/// Prepared rules by service, each with its version. A node asks for the version in the transaction that judges by it, so
/// nodes need not tell one another.
#[derive(Debug, Clone, Default)]
pub struct Rulebooks(Arc<Mutex<HashMap<ServiceId, (i64, Arc<Rulebook>)>>>);

impl Rulebooks {
    /// The rules of these services as they are now. Where none of them has any, that costs one question.
    pub fn of(&self, tx: &mut Tx, services: &BTreeSet<&ServiceId>) -> Result<Rulings, Error> {
        let mut rulings = Rulings::default();
        if services.is_empty() {
            return Ok(rulings);
        }
        let wanted: Vec<&ServiceId> = services.iter().copied().collect();
        for (id, version) in rows::active_versions(tx, &wanted)? {
            let book = match self.known(&id, version) {
                Some(book) => book,
                None => match self.read(tx, &id)? {
                    Some(book) => book,
                    None => continue,
                },
            };
            if !book.is_empty() {
                rulings.books.insert(id, book);
            }
        }
        Ok(rulings)
    }

    fn known(&self, id: &ServiceId, version: i64) -> Option<Arc<Rulebook>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_version, book) = kept.get(id)?;
        (*of_version == version).then(|| Arc::clone(book))
    }

    fn read(&self, tx: &mut Tx, id: &ServiceId) -> Result<Option<Arc<Rulebook>>, Error> {
        let Some((version, written)) = rows::written(tx, id)? else {
            return Ok(None);
        };
        let book = Arc::new(Rulebook::prepare(&read_rules(id, written)));
        self.keep(id, version, Arc::clone(&book));
        Ok(Some(book))
    }

    /// Where there is no room, one goes: of somewhat more services than there is room for, most are still kept from one
    /// storm to the next.
    fn keep(&self, id: &ServiceId, version: i64, book: Arc<Rulebook>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= SERVICES
            && !kept.contains_key(id)
            && let Some(other) = kept.keys().next().cloned()
        {
            kept.remove(&other);
        }
        kept.insert(id.clone(), (version, book));
    }
}

/// Rules that cannot be read judge nothing; they must not stop the events.
fn read_rules(id: &ServiceId, written: Value) -> Rules {
    serde_json::from_value(written).unwrap_or_else(|error| {
        tracing::error!(service = id.as_str(), "rules on events cannot be read: {error}");
        Rules::default()
    })
}

/// The rules of the services of a batch; empty where no service has any.
#[derive(Debug, Default)]
pub struct Rulings {
    books: HashMap<ServiceId, Arc<Rulebook>>,
    given_up: BTreeSet<ServiceId>,
}

impl Rulings {
    /// What the rules of a service make of an event; nothing where it has none.
    pub fn judge(&mut self, id: &ServiceId, event: &AlertEvent, at: Timestamp) -> Option<Judged> {
        if self.books.is_empty() {
            return None;
        }
        let judged = self.books.get(id)?.judge(event, at);
        if judged.given_up {
            crate::metrics::rules_given_up();
            if self.given_up.insert(id.clone()) {
                tracing::warn!(
                    service = id.as_str(),
                    "rules were too much work for an event and were not applied"
                );
            }
        }
        Some(judged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_services_than_there_is_room_for_most_stay_prepared() {
        let rulebooks = Rulebooks::default();
        let services: Vec<ServiceId> = (0..SERVICES + 100)
            .map(|number| ServiceId::from(format!("Q{number}")))
            .collect();
        let book = Arc::new(Rulebook::prepare(&Rules::default()));
        for id in &services {
            rulebooks.keep(id, 1, Arc::clone(&book));
        }
        let known = services.iter().filter(|id| rulebooks.known(id, 1).is_some());
        assert_eq!(known.count(), SERVICES);
    }
}
