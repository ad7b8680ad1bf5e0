use proptest::prelude::*;

use super::super::{Alarm, Key, Settings, Sign};
use super::Monitor;
use crate::work;

const BUCKET: i64 = 300;
const DAY: i64 = 288;
const WEEK: i64 = 7 * DAY;

/// SplitMix64, so that simulations are the same everywhere.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A Poisson count by Knuth's method; fine for small means.
    fn count(&mut self, mean: f64) -> u32 {
        let limit = (-mean).exp();
        let (mut product, mut count) = (self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// Busy by day, calm by night and at weekends.
fn usual(bucket: i64) -> f64 {
    let hour = bucket / 12;
    let by_day = if (8..18).contains(&(hour % 24)) { 3.0 } else { 0.5 };
    if hour / 24 % 7 >= 5 { by_day / 3.0 } else { by_day }
}

fn key(number: usize) -> Key {
    Key::at(&format!("topic{number}"), "berlin")
}

/// Runs `keys` independent series for some buckets and gathers the alarms.
fn run(
    monitor: &mut Monitor,
    keys: usize,
    buckets: std::ops::Range<i64>,
    chance: &mut Chance,
    rate: impl Fn(i64) -> f64,
) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for bucket in buckets {
        alarms.extend(monitor.advance(bucket * BUCKET));
        for number in 0..keys {
            monitor.observe(&key(number), chance.count(rate(bucket)));
        }
    }
    alarms
}

#[test]
fn the_stated_rate_of_false_alarms_holds_while_nothing_happens() {
    let weeks = 16;
    for (keys, stated) in [(1, 1.0), (4, 0.5)] {
        let mut false_alarms = 0;
        for seed in 0..4 {
            let mut monitor = Monitor::new(Settings {
                false_alarms_per_week: stated,
                ..Settings::default()
            });
            false_alarms += run(&mut monitor, keys, 0..weeks * WEEK, &mut Chance(seed), usual).len();
        }
        let rate = false_alarms as f64 / (4 * weeks) as f64;
        assert!(rate <= stated, "{keys} keys: {rate} a week, stated {stated}");
    }
}

/// Reports that bring reports, and a rate that wanders: what real counts are like, and what a Poisson count is not.
#[test]
fn it_holds_for_restless_series_too() {
    let (weeks, series, stated) = (8, 4, 0.5);
    let settings = || Settings {
        false_alarms_per_week: stated,
        ..Settings::default()
    };
    let (mut exciting, mut wandering) = (0, 0);
    for seed in 0..series {
        let chance = &mut Chance(seed);
        let (mut one, mut other) = (Monitor::new(settings()), Monitor::new(settings()));
        let (mut excited, mut wandered) = (0.0, 0.0);
        for bucket in 0..weeks * WEEK {
            exciting += one.advance(bucket * BUCKET).len();
            let count = chance.count(usual(bucket) * 0.4 + excited);
            excited = excited * 5.0 / 6.0 + f64::from(count) * 0.1;
            one.observe(&key(0), count);
            wandering += other.advance(bucket * BUCKET).len();
            wandered = 0.96 * wandered + 0.25 * (chance.unit() + chance.unit() - 1.0);
            other.observe(&key(0), chance.count(usual(bucket) * f64::exp(wandered)));
        }
    }
    let allowed = stated * (weeks * series as i64) as f64;
    assert!(f64::from(exciting as u32) <= allowed, "{exciting} of {allowed}");
    assert!(f64::from(wandering as u32) <= allowed, "{wandering} of {allowed}");
}

#[test]
fn it_holds_for_rare_reports_too() {
    let mut monitor = Monitor::new(Settings::default());
    let alarms = run(&mut monitor, 20, 0..8 * WEEK, &mut Chance(9), |_| 0.004);
    // Half an alarm a week is stated unless told.
    assert!(alarms.len() <= 4, "{}", alarms.len());
}

#[test]
fn another_rate_can_be_stated_without_forgetting_what_is_usual() {
    let mut monitor = Monitor::new(Settings::default());
    let chance = &mut Chance(5);
    run(&mut monitor, 1, 0..2 * WEEK, chance, usual);
    let mut stricter = monitor.clone();
    stricter.state_false_alarms(1e-6);
    let noticed = |monitor: &mut Monitor| {
        monitor.observe(&key(0), 14);
        monitor.advance((2 * WEEK + 1) * BUCKET).len()
    };
    assert_eq!((noticed(&mut monitor), noticed(&mut stricter)), (1, 0));
    for rate in [f64::NAN, -1.0, f64::INFINITY] {
        monitor.state_false_alarms(rate);
        assert_eq!(monitor.len(), 1);
    }
}

#[test]
fn an_outage_is_noticed_within_minutes_and_once() {
    let mut monitor = Monitor::new(Settings::default());
    let chance = &mut Chance(3);
    run(&mut monitor, 4, 0..3 * WEEK, chance, usual);
    let start = 3 * WEEK + 9 * 12;
    run(&mut monitor, 4, 3 * WEEK..start, chance, usual);
    let mut noticed = Vec::new();
    for bucket in start..start + 36 {
        noticed.extend(monitor.advance(bucket * BUCKET));
        for number in 0..4 {
            let outage = if number == 2 { 12.0 } else { 0.0 };
            monitor.observe(&key(number), chance.count(usual(bucket) + outage));
        }
    }
    assert_eq!(noticed.len(), 1, "{noticed:?}");
    assert_eq!(noticed[0].key, key(2));
    assert!(
        noticed[0].at - start * BUCKET <= 3 * BUCKET,
        "{}",
        noticed[0].at - start * BUCKET
    );
    assert!(noticed[0].observed as f64 > noticed[0].expected && noticed[0].chance_per_week <= 1.0);
}

#[test]
fn a_little_more_for_hours_is_noticed() {
    let mut monitor = Monitor::new(Settings::default());
    let chance = &mut Chance(5);
    run(&mut monitor, 1, 0..3 * WEEK, chance, |_| 1.0);
    let noticed = run(&mut monitor, 1, 3 * WEEK..3 * WEEK + DAY, chance, |_| 1.8);
    let over_hours = |sign: Sign| match sign {
        Sign::Burst { seconds } | Sign::Persistent { seconds } => seconds >= 3 * 3_600,
    };
    assert!(noticed.iter().any(|alarm| over_hours(alarm.sign)), "{noticed:?}");
}

#[test]
fn a_topic_never_seen_before_needs_a_handful_of_reports() {
    let mut monitor = Monitor::new(Settings::default());
    run(&mut monitor, 1, 0..2 * WEEK, &mut Chance(1), usual);
    let fresh = Key::at("new", "rome");
    monitor.observe(&fresh, 2);
    assert!(
        monitor
            .advance((2 * WEEK + 1) * BUCKET)
            .iter()
            .all(|alarm| alarm.key != fresh)
    );
    monitor.observe(&fresh, 10);
    assert!(
        monitor
            .advance((2 * WEEK + 2) * BUCKET)
            .iter()
            .any(|alarm| alarm.key == fresh)
    );
}

#[test]
fn the_key_silent_longest_makes_room() {
    let mut monitor = Monitor::new(Settings {
        keys_maximum: 2,
        ..Settings::default()
    });
    for number in 0..3 {
        monitor.advance(number as i64 * BUCKET);
        monitor.observe(&key(number), 1);
    }
    assert_eq!(monitor.len(), 2);
    assert!(monitor.series.contains_key(&key(1)) && monitor.series.contains_key(&key(2)));
}

/// Counted, not timed: a stream of nothing but new keys looks at the keys that are watched, never at those that were.
#[test]
fn a_new_key_costs_no_more_than_the_keys_that_are_watched() {
    let mut monitor = Monitor::new(Settings {
        keys_maximum: 50,
        ..Settings::default()
    });
    for number in 0..500 {
        let (work, ()) = work::of(|| monitor.observe(&key(number), 1));
        assert!(work <= 50, "{work}");
    }
    assert_eq!(monitor.len(), 50);
}

#[test]
fn memory_of_a_key_is_bounded() {
    let mut monitor = Monitor::new(Settings::default());
    run(&mut monitor, 1, 0..12 * WEEK, &mut Chance(2), usual);
    let after = serde_json::to_string(&monitor).unwrap().len();
    run(&mut monitor, 1, 12 * WEEK..24 * WEEK, &mut Chance(2), usual);
    assert!(serde_json::to_string(&monitor).unwrap().len() < after + after / 5);
}

#[test]
fn strange_settings_and_instants_are_no_trouble() {
    for rate in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let settings = Settings {
            bucket_seconds: 0,
            false_alarms_per_week: rate,
            utc_offset_seconds: i32::MIN,
            keys_maximum: 0,
            quiet_seconds: u32::MAX,
        };
        let mut monitor = Monitor::new(settings);
        for now in [0, -5, 10, i64::MIN, 9] {
            monitor.advance(now);
            monitor.observe(&key(0), u32::MAX);
            monitor.observe(&key(1), u32::MAX);
        }
        assert_eq!(monitor.len(), 1);
    }
    let mut monitor = Monitor::new(Settings {
        bucket_seconds: 3_600,
        ..Settings::default()
    });
    for now in [i64::MIN, 0, i64::MAX] {
        monitor.advance(now);
        monitor.observe(&key(0), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn written_down_and_read_again_it_goes_on_alike(seed: u64, buckets in 1_i64..1_500, burst in 0_u32..60) {
        let mut monitor = Monitor::new(Settings::default());
        run(&mut monitor, 2, 0..buckets, &mut Chance(seed), usual);
        let mut read: Monitor = serde_json::from_str(&serde_json::to_string(&monitor).unwrap()).unwrap();
        prop_assert!(read == monitor);
        monitor.observe(&key(0), burst);
        read.observe(&key(0), burst);
        prop_assert_eq!(read.advance((buckets + 20) * BUCKET), monitor.advance((buckets + 20) * BUCKET));
    }
}
