//! The tests that the pure crates share: the body that is fuzzed by coverage, on its seeds, on seeds with a few bytes spoiled, and
//! on random bytes. `crates/*/tests/**/fuzzed.rs` include this file beside the body of their crate as `body`.

use proptest::{collection::vec, prelude::*, sample::select};

use super::body::{SEEDS, run};

fn input() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..4, any::<u8>());
    let spoiled = (select(SEEDS), vec(change, 0..8)).prop_map(|(seed, changes)| {
        let mut bytes = seed.to_vec();
        for (place, kind, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            // The first byte says what is tried and stays.
            let place = place.index(bytes.len()).max(1).min(bytes.len() - 1);
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => drop(bytes.remove(place)),
                _ => bytes.truncate(place.max(1)),
            }
        }
        bytes
    });
    prop_oneof![3 => spoiled, 1 => vec(any::<u8>(), 0..200)]
}

#[test]
fn every_seed_holds() {
    for seed in SEEDS {
        run(seed);
    }
}

proptest! {
    #[test]
    fn spoiled_and_random_input_holds(bytes in input()) {
        run(&bytes);
    }
}
