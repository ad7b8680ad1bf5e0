//! How often somebody may ask: a limiter that spreads its limit evenly over a while, such as a minute.
//!
//! It is the generic cell rate algorithm: for each key one instant is kept, up to which its requests so far
//! have used up their share. A key may use its whole limit at once and then earns it back evenly, so there
//! is no instant at which everybody may begin again. The state is in memory: every node grants the limit
//! of its own, and a restart forgets it. It keeps honest clients apart and slows the others down; it is not
//! what keeps secrets safe.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;

/// Parts of the state, so that requests of different keys seldom wait for each other.
const SHARDS: usize = 16;
/// Keys remembered in one part. When as many are in use, newcomers pass unremembered.
const LARGEST_SHARD: usize = 16_384;

/// A limit as somebody sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    Off,
    PerMinute(u32),
}

/// Grants each key so many requests in a while.
#[derive(Debug)]
pub struct Limiter {
    limit: u32,
    /// What one request uses up, in microseconds.
    share: i64,
    hasher: RandomState,
    /// For each key the instant, in microseconds, at which its whole limit is free again.
    shards: [Mutex<HashMap<u64, i64>>; SHARDS],
}

/// What the limiter says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    pub limit: u32,
    /// Requests that would be granted at once after this one.
    pub remaining: u32,
    /// Until the whole limit is free again; of a refused request, until the next is granted.
    pub reset: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Granted,
    Refused,
}

impl Decision {
    /// `ratelimit-reset`: whole seconds, rounded up.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_millis().div_ceil(1_000) as u64
    }

    /// Tells the caller how the limit stands; a refused one also by the web's own header.
    pub fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
        headers.insert(RESET, HeaderValue::from(self.reset_seconds()));
        if self.verdict == Verdict::Refused {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.reset_seconds()));
        }
    }
}

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

impl Limiter {
    pub fn per_minute(limit: u32) -> Self {
        Self::new(limit, Duration::from_mins(1))
    }

    /// The limiter of a setting; none where nothing is limited.
    pub fn of(limit: RateLimit) -> Option<Self> {
        match limit {
            RateLimit::Off => None,
            RateLimit::PerMinute(limit) => Some(Self::per_minute(limit)),
        }
    }

    pub fn new(limit: u32, span: Duration) -> Self {
        let limit = limit.max(1);
        Self {
            limit,
            share: i64::try_from(span.as_micros()).unwrap_or(i64::MAX) / i64::from(limit),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::new(HashMap::new())),
        }
    }

    /// Takes one request of `key` from its limit.
    pub fn take(&self, key: &str, now: Timestamp) -> Decision {
        self.take_many(key, now, 1)
    }

    /// Takes so many at once, all or none of them. They are granted as soon as one is: what they use up beyond what is
    /// left is owed, and nothing is granted until that has been earned back, at most for the limiter's span.
    pub fn take_many(&self, key: &str, now: Timestamp, count: usize) -> Decision {
        self.decide(key, now, Use::Taken(count))
    }

    /// Takes one request of `key` from its limit and says only whether it is granted.
    pub fn grants(&self, key: &str, now: Timestamp) -> bool {
        self.take(key, now).verdict == Verdict::Granted
    }

    /// Whether the next request of `key` would be refused; takes nothing.
    pub fn is_spent(&self, key: &str, now: Timestamp) -> bool {
        self.look(key, now).verdict == Verdict::Refused
    }

    /// Says what [`Limiter::take`] would, and takes nothing.
    pub fn look(&self, key: &str, now: Timestamp) -> Decision {
        self.decide(key, now, Use::Looked)
    }

    fn decide(&self, key: &str, now: Timestamp, usage: Use) -> Decision {
        let now = now.as_microsecond();
        let share = self.share;
        let whole = share * i64::from(self.limit);
        let hash = self.hasher.hash_one(key);
        let shard = &self.shards[(hash % SHARDS as u64) as usize];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let used_until = shard.get(&hash).copied().unwrap_or(now).max(now);
        let wanted = used_until + share;
        let over = wanted - (now + whole);
        if over > 0 {
            return Decision {
                verdict: Verdict::Refused,
                limit: self.limit,
                remaining: 0,
                reset: microseconds(over),
            };
        }
        let mut used_until = wanted;
        if let Use::Taken(count) = usage {
            let others = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(1).max(0);
            let owed = wanted.saturating_add(share.saturating_mul(others));
            used_until = owed.min(now + 2 * whole).max(wanted);
            if shard.len() >= LARGEST_SHARD && !shard.contains_key(&hash) {
                shard.retain(|_, used_until| *used_until > now);
            }
            if shard.len() < LARGEST_SHARD || shard.contains_key(&hash) {
                shard.insert(hash, used_until);
            }
        }
        Decision {
            verdict: Verdict::Granted,
            limit: self.limit,
            remaining: u32::try_from((now + whole - used_until) / share).unwrap_or(0),
            reset: microseconds(used_until - now),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// So many at once.
    Taken(usize),
    Looked,
}

fn microseconds(count: i64) -> Duration {
    Duration::from_micros(count.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-11-17T06:12:00Z".parse().unwrap()
    }

    #[test]
    fn a_whole_minute_may_be_used_at_once_and_is_earned_back_evenly() {
        let limiter = Limiter::per_minute(60);
        let now = start();
        for remaining in (0..60).rev() {
            let decision = limiter.take("a", now);
            assert_eq!(decision.verdict, Verdict::Granted);
            assert_eq!(decision.remaining, remaining);
        }
        let refused = limiter.take("a", now);
        assert_eq!((refused.verdict, refused.reset_seconds()), (Verdict::Refused, 1));
        assert_eq!(limiter.take("b", now).verdict, Verdict::Granted);
        let later = now + Duration::from_secs(1);
        assert_eq!(limiter.take("a", later).verdict, Verdict::Granted);
        assert_eq!(limiter.take("a", later).verdict, Verdict::Refused);
    }

    #[test]
    fn looking_takes_nothing() {
        let limiter = Limiter::per_minute(1);
        for _ in 0..5 {
            assert_eq!(limiter.look("a", start()).verdict, Verdict::Granted);
        }
        limiter.take("a", start());
        assert_eq!(limiter.look("a", start()).verdict, Verdict::Refused);
    }

    #[test]
    fn a_large_group_is_granted_whole_and_what_it_owes_is_earned_back() {
        let limiter = Limiter::per_minute(60);
        let granted = |seconds, count| {
            let decision = limiter.take_many("a", start() + Duration::from_secs(seconds), count);
            decision.verdict == Verdict::Granted
        };
        assert!(granted(0, 90));
        assert!(!granted(30, 1), "thirty are owed, and the next comes after them");
        assert!(granted(31, 1));
    }

    #[test]
    fn no_group_is_so_large_that_its_sender_is_shut_out_for_longer_than_a_minute() {
        let limiter = Limiter::per_minute(60);
        let first = limiter.take_many("a", start(), 10_000);
        assert_eq!((first.verdict, first.remaining), (Verdict::Granted, 0));
        let refused = limiter.take_many("a", start(), 10_000);
        assert_eq!((refused.verdict, refused.reset_seconds()), (Verdict::Refused, 61));
        let later = start() + Duration::from_secs(61);
        assert_eq!(limiter.take("a", later).verdict, Verdict::Granted);
        assert_eq!(
            limiter.take_many("b", start(), usize::MAX).verdict,
            Verdict::Granted
        );
    }

    #[test]
    fn many_keys_do_not_fill_the_memory() {
        let limiter = Limiter::per_minute(10);
        for number in 0..(SHARDS * LARGEST_SHARD + 50_000) {
            limiter.take(&number.to_string(), start());
        }
        for shard in &limiter.shards {
            assert!(shard.lock().unwrap().len() <= LARGEST_SHARD);
        }
        let later = start() + Duration::from_secs(61);
        assert_eq!(limiter.take("new", later).remaining, 9);
    }

    proptest::proptest! {
        /// Whatever the pauses, no minute grants more than twice the limit, and the long run no more than it.
        #[test]
        fn the_limit_holds(pauses in proptest::collection::vec(0_u64..2_000_000, 1..400)) {
            let limiter = Limiter::per_minute(30);
            let mut now = start();
            let mut granted = Vec::new();
            for pause in pauses {
                now += Duration::from_micros(pause);
                if limiter.take("a", now).verdict == Verdict::Granted {
                    granted.push(now);
                }
            }
            let elapsed = now.duration_since(start()).as_secs_f64();
            proptest::prop_assert!(granted.len() as f64 <= 31.0 + elapsed / 2.0);
        }
    }
}
