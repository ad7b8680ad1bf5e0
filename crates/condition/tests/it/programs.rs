//! Random valid conditions, in every shape that the grammar allows. The strategies are boxed, as their unboxed
//! types need more stack than a test thread has.

use proptest::{collection::vec, prelude::*, sample::select};

/// Blanks where at least one is needed, and where none is.
fn gap() -> impl Strategy<Value = String> {
    select(vec![" ", "  ", "\t", "\n", " \r\n "]).prop_map(str::to_owned)
}

fn loose() -> impl Strategy<Value = String> {
    select(vec!["", "", " ", "\n\t"]).prop_map(str::to_owned)
}

pub(crate) fn quoted() -> BoxedStrategy<String> {
    let character = prop_oneof![
        8 => proptest::char::range(' ', '~'),
        2 => any::<char>(),
        1 => select(vec!['\'', '\\', '\n', 'é', '日', '\u{0}', '\u{202e}']),
    ];
    vec(character, 0..12)
        .prop_map(|characters| {
            let mut text = String::from("'");
            for character in characters {
                if matches!(character, '\'' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
            text.push('\'');
            text
        })
        .boxed()
}

pub(crate) fn path() -> BoxedStrategy<String> {
    let root = select(vec![
        "event",
        "raw_event",
        "variables",
        "cache_var",
        "_x9",
        "incident",
    ]);
    let segment = prop_oneof![
        4 => select(vec![".summary", ".custom_details", ".exists", ".part", "._", ".now", "['if']", "['while']"])
            .prop_map(str::to_owned),
        1 => any::<u32>().prop_map(|index| format!("[{index}]")),
        1 => (0_u32..4).prop_map(|index| format!("[{index:03}]")),
        1 => quoted().prop_map(|key| format!("[{key}]")),
    ];
    (root, vec(segment, 0..5))
        .prop_map(|(root, segments)| format!("{root}{}", segments.concat()))
        .boxed()
}

fn number() -> BoxedStrategy<String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (0_i64..100).prop_map(|number| format!("{number:03}")),
        (any::<i32>(), 0_u32..10_000).prop_map(|(whole, fraction)| format!("{whole}.{fraction}")),
        (-9_i32..10, 0_u32..100, -300_i32..300).prop_map(|(a, b, power)| format!("{a}.{b}e{power}")),
        (0_u32..10, 0_u32..20).prop_map(|(a, power)| format!("{a}.0e+{power}")),
    ]
    .boxed()
}

fn zone() -> impl Strategy<Value = String> {
    select(vec![
        "Etc/UTC",
        "UTC",
        "Etc/utc",
        "Etc/GMT+5",
        "America/New_York",
        "America/Port-au-Prince",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "America/Argentina/Buenos_Aires",
    ])
    .prop_map(str::to_owned)
}

fn clock() -> impl Strategy<Value = String> {
    (0..24, 0..60, 0..60).prop_map(|(hour, minute, second)| format!("{hour:02}:{minute:02}:{second:02}"))
}

fn instant() -> BoxedStrategy<String> {
    (1_i32..9999, 1..13, 1..29, gap(), clock(), gap(), zone())
        .prop_map(|(year, month, day, first, clock, second, zone)| {
            format!("{year:04}-{month:02}-{day:02}{first}{clock}{second}{zone}")
        })
        .boxed()
}

fn threshold() -> BoxedStrategy<String> {
    let parts = proptest::sample::subsequence(vec!["second", "minutes", "hour", "days"], 1..5).prop_shuffle();
    (
        select(vec!["trigger_count", "resetting_trigger_count"]),
        parts,
        vec((1_u32..2_000, gap(), gap()), 4),
    )
        .prop_map(|(name, units, amounts)| {
            let window: Vec<String> = units
                .iter()
                .zip(&amounts)
                .map(|(unit, (amount, first, second))| format!("{first}{amount}{second}{unit}"))
                .collect();
            let window = window.concat();
            format!("{name} over{window}")
        })
        .boxed()
}

fn operand() -> BoxedStrategy<String> {
    prop_oneof![
        5 => path(),
        3 => quoted(),
        3 => number(),
        1 => instant(),
        1 => threshold(),
        1 => select(vec!["true", "false", "now"]).prop_map(str::to_owned),
    ]
    .boxed()
}

fn schedule() -> BoxedStrategy<String> {
    let days = proptest::sample::subsequence(vec!["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], 1..8)
        .prop_shuffle();
    (days, clock(), gap(), clock(), gap(), zone())
        .prop_map(|(days, start, first, end, second, zone)| {
            format!("{} {start}{first}to {end}{second}{zone}", days.join(","))
        })
        .boxed()
}

fn factor() -> BoxedStrategy<String> {
    let comparison = (
        operand(),
        loose(),
        select(vec!["==", ">", ">=", "<", "<="]),
        loose(),
        operand(),
    )
        .prop_map(|(left, before, symbol, after, right)| format!("{left}{before}{symbol}{after}{right}"));
    let exactly = || select(vec!["", " exactly"]);
    let matching = (
        operand(),
        gap(),
        select(vec!["", " part"]),
        exactly(),
        gap(),
        operand(),
    )
        .prop_map(|(left, before, kind, case, after, right)| {
            format!("{left}{before}matches{kind}{case}{after}{right}")
        });
    let pattern = select(vec![
        r"'db[0-9]+'",
        r"'^\\d{2,3}\\b'",
        "'(a|b)*?c'",
        "'[^]x]'",
        "''",
        r"'\\Q.\\E{'",
    ]);
    let regex = (operand(), exactly(), gap(), pattern)
        .prop_map(|(left, case, after, pattern)| format!("{left} matches regex{case}{after}{pattern}"));
    prop_oneof![
        4 => comparison.boxed(),
        3 => matching.boxed(),
        2 => regex.boxed(),
        1 => (path(), gap()).prop_map(|(path, gap)| format!("{path}{gap}exists")),
        1 => (gap(), schedule()).prop_map(|(gap, schedule)| format!("now in{gap}{schedule}")),
        1 => select(vec!["true", "false"]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// A condition with at most 64 comparisons and a few levels of parentheses.
pub(crate) fn condition() -> BoxedStrategy<String> {
    factor()
        .prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                (loose(), inner.clone(), loose())
                    .prop_map(|(before, inner, after)| format!("({before}{inner}{after})")),
                inner.clone().prop_map(|inner| format!("not ({inner})")),
                factor().prop_map(|inner| format!("not {inner}")),
                (vec(inner.clone(), 2..4), gap())
                    .prop_map(|(members, gap)| members.join(&format!(" and{gap}"))),
                (vec(inner, 2..4), gap()).prop_map(|(members, gap)| members.join(&format!("{gap}or "))),
            ]
        })
        .boxed()
}
