//! Identifiers in the shape the field knows: the letter `Q` and thirteen characters, ordered by the time
//! of their making, never reused.
//!
//! An identifier packs 42 bits of milliseconds since 2020, 10 bits of node number and 13 bits of
//! counter into Crockford's base 32. The node number is handed out by the database at each start, so
//! two processes, or one process before and after its clock was set back, cannot make the same one.

use std::sync::Mutex;

use jiff::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const EPOCH_MILLISECONDS: i64 = 1_577_836_800_000;
const COUNTER_LIMIT: u64 = 1 << 13;
pub const NODE_LIMIT: u64 = 1 << 10;

#[derive(Debug, Default)]
struct Last {
    millisecond: u64,
    counter: u64,
}

/// Makes identifiers for one running process.
#[derive(Debug)]
pub struct Identifiers {
    node: u64,
    last: Mutex<Last>,
}

impl Identifiers {
    /// `node` is taken modulo [`NODE_LIMIT`].
    pub fn new(node: u64) -> Self {
        Self {
            node: node % NODE_LIMIT,
            last: Mutex::new(Last::default()),
        }
    }

    /// The next identifier. It sorts after every earlier one of this process, even when the clock stands
    /// still or more than 8,192 are asked for within one millisecond (it then borrows from the next).
    pub fn next<I: From<String>>(&self, now: Timestamp) -> I {
        let wanted = u64::try_from(now.as_millisecond() - EPOCH_MILLISECONDS).unwrap_or(0);
        let (millisecond, counter) = {
            let mut last = self
                .last
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if wanted > last.millisecond {
                *last = Last {
                    millisecond: wanted,
                    counter: 0,
                };
            } else {
                last.counter += 1;
                if last.counter == COUNTER_LIMIT {
                    *last = Last {
                        millisecond: last.millisecond + 1,
                        counter: 0,
                    };
                }
            }
            (last.millisecond, last.counter)
        };
        let packed = (u128::from(millisecond & ((1 << 42) - 1)) << 23)
            | (u128::from(self.node) << 13)
            | u128::from(counter);
        I::from(written(packed))
    }
}

fn written(packed: u128) -> String {
    let mut text = String::with_capacity(14);
    text.push('Q');
    for position in (0..13).rev() {
        text.push(char::from(ALPHABET[((packed >> (position * 5)) & 31) as usize]));
    }
    text
}

/// What sorts before every identifier made at a time or later, so that the newest rows of a table are found by
/// its key.
pub fn earliest_at(at: Timestamp) -> String {
    let millisecond = u64::try_from(at.as_millisecond() - EPOCH_MILLISECONDS).unwrap_or(0);
    written(u128::from(millisecond & ((1 << 42) - 1)) << 23)
}

/// Declares one kind of identifier: a distinct type over the same text, so that an incident's cannot be
/// passed where a service's is meant.
#[macro_export]
macro_rules! identifier {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        store::text_type!($name);
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_fields_shape_and_sort_by_making() {
        let identifiers = Identifiers::new(3);
        let now: Timestamp = "2026-11-17T06:12:00Z".parse().unwrap();
        let made: Vec<String> = (0..20_000).map(|_| identifiers.next(now)).collect();
        assert!(made.iter().all(|one| one.len() == 14 && one.starts_with('Q')));
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn two_nodes_never_make_the_same_one() {
        let now: Timestamp = "2026-11-17T06:12:00Z".parse().unwrap();
        let (left, right) = (Identifiers::new(1), Identifiers::new(2));
        let mut all: Vec<String> = (0..9_000)
            .flat_map(|_| [left.next(now), right.next(now)])
            .collect();
        all.sort();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
