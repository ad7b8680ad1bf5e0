//! How many events a minute one key may send. A bucket for each key, in this node's memory: with several
//! nodes a key may send as much to each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::config::RateLimit;
use crate::services::IntegrationId;

/// Buckets for the keys that are known; unknown keys never get this far, so the map is bounded by them.
pub struct Buckets {
    limit: RateLimit,
    filled: Mutex<HashMap<IntegrationId, Bucket>>,
}

struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Buckets {
    pub fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            filled: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one event's worth out of the key's bucket. `false`: it is empty, nothing may be kept.
    pub fn take(&self, key: &IntegrationId, now: Timestamp) -> bool {
        let RateLimit::PerMinute(limit) = self.limit else {
            return true;
        };
        let capacity = f64::from(limit);
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = filled.entry(key.clone()).or_insert(Bucket {
            left: capacity,
            at: now,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.left = (bucket.left + passed * capacity / 60.0).min(capacity);
        bucket.at = now;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_gets_its_minute_and_then_a_trickle() {
        let buckets = Buckets::new(RateLimit::PerMinute(120));
        let key = IntegrationId::from("Q1");
        let now: Timestamp = "2026-11-17T06:00:00Z".parse().unwrap();
        assert_eq!((0..200).filter(|_| buckets.take(&key, now)).count(), 120);
        let later = now + Duration::from_secs(30);
        assert_eq!((0..200).filter(|_| buckets.take(&key, later)).count(), 60);
    }
}
