//! How often somebody outside may do something, in this node's memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Names kept at most; when there are more, those whose time is over are forgotten, then all.
const MOST_NAMES: usize = 20_000;

/// Counts within fixed windows, by a name such as an address.
#[derive(Debug)]
pub struct Counter {
    most: u32,
    window: Duration,
    counts: Mutex<HashMap<String, (Timestamp, u32)>>,
}

impl Counter {
    pub fn new(most: u32, window: Duration) -> Self {
        Self {
            most,
            window,
            counts: Mutex::new(HashMap::new()),
        }
    }

    /// Counts one more. False: it is one too many.
    pub fn take(&self, name: &str, now: Timestamp) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST_NAMES {
            counts.retain(|_, (began, _)| *began + self.window > now);
            if counts.len() >= MOST_NAMES {
                counts.clear();
            }
        }
        let entry = counts.entry(name.to_owned()).or_insert((now, 0));
        if entry.0 + self.window <= now {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= self.most
    }

    /// Whether one more would be too many.
    pub fn is_spent(&self, name: &str, now: Timestamp) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .get(name)
            .is_some_and(|(began, count)| *began + self.window > now && *count >= self.most)
    }
}

/// The limits of the public pages.
#[derive(Debug)]
pub struct Limits {
    /// Requests to be told by mail, by network address.
    pub asking: Counter,
    /// Location codes that do not exist, by network address.
    pub guessing: Counter,
    /// Words from a location, by network address and location.
    pub saying: Counter,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            asking: Counter::new(20, Duration::from_secs(3_600)),
            guessing: Counter::new(20, Duration::from_secs(600)),
            saying: Counter::new(12, Duration::from_secs(600)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_allows_so_many_and_then_begins_anew() {
        let counter = Counter::new(2, Duration::from_secs(60));
        let now: Timestamp = "2026-11-17T06:00:00Z".parse().unwrap();
        assert!(counter.take("a", now) && counter.take("a", now) && counter.take("b", now));
        assert!(counter.is_spent("a", now) && !counter.is_spent("b", now));
        assert!(!counter.take("a", now));
        assert!(counter.take("a", now + Duration::from_secs(60)));
    }
}
