//! The body of this crate that is fuzzed by coverage (`fuzz/`), run as a test.

#[path = "../../../../fuzz/src/schedule.rs"]
#[expect(
    unreachable_pub,
    reason = "the file is the public body of the fuzzing package, too"
)]
mod body;

#[path = "../../../../fuzz/spoiled.rs"]
mod spoiled;
