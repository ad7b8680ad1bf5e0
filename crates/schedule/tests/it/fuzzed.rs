//! The body of this crate that is fuzzed by coverage (`fuzz/`), run as a test.

#[path = "../../../../fuzz/src/schedule.rs"]
#[expect(
    unreachable_pub,
    reason = "the file is the public body of the fuzzing package, too"
)]
mod body;

#[path = "../../../../fuzz/spoiled.rs"]
mod spoiled;

/// A seed that is not read would let the fuzzer look at nothing but the reader.
#[test]
fn the_seeds_are_schedules_that_answer() {
    for seed in body::SEEDS {
        match seed[0] {
            b's' => {
                let schedule: schedule::Schedule = serde_json::from_slice(&seed[1..]).unwrap();
                assert!(schedule.validate().is_ok());
            }
            b'f' => {
                let schedule: schedule::shifts::ShiftSchedule = serde_json::from_slice(&seed[1..]).unwrap();
                assert!(schedule.validate().is_ok());
            }
            _ => {}
        }
    }
}
