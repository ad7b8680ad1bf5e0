//! A hash that stays the same over releases and machines, because hashes are stored in snapshots.
//!
//! It is not keyed: it decides similarity, never identity. Whoever forges a collision only makes two alerts of
//! his own look alike.

/// FNV-1a over the bytes (Fowler, Noll, Vo), finished with the mixer of SplitMix64 so that all bits are usable.
pub(crate) fn stable_hash(text: &str) -> u64 {
    finish(absorb(START, text.as_bytes()))
}

/// Hash of two texts whose border matters: `("ab", "c")` differs from `("a", "bc")`.
pub(crate) fn stable_hash_pair(first: &str, second: &str) -> u64 {
    let first = absorb(START, first.as_bytes());
    finish(absorb(absorb(first, &[0xFF]), second.as_bytes()))
}

/// An order-dependent combination of two hashes.
pub(crate) fn combine(first: u64, second: u64) -> u64 {
    finish(first.rotate_left(23) ^ second.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

const START: u64 = 0xCBF2_9CE4_8422_2325;

fn absorb(mut state: u64, bytes: &[u8]) -> u64 {
    for byte in bytes {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    }
    state
}

fn finish(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::{stable_hash, stable_hash_pair};

    #[test]
    fn hashes_never_change_between_releases() {
        assert_eq!(stable_hash(""), 0xF52A_15E9_A9B5_E89B);
        assert_ne!(stable_hash_pair("ab", "c"), stable_hash_pair("a", "bc"));
    }
}
