//! How fast conditions are read and evaluated, on one core: `cargo bench -p condition`.
//!
//! Each row repeats its work for a fifth of a second, five times, and shows the median. The second table is
//! one event before many rules, the third the worst that a hostile author and a hostile event can do together
//! within the limits.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints a table and may give up"
)]

mod rulebook;

use std::{hint::black_box, time::Instant};

use condition::{Condition, Extraction, Scope};
use serde_json::{Value, json};

const ROUND_SECONDS: f64 = 0.2;
const ROUNDS: usize = 5;

/// The median time of one call, in nanoseconds.
fn measure(mut work: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| one_round(&mut work)).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn one_round(work: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u64;
    let mut batch = 1;
    loop {
        for _ in 0..batch {
            work();
        }
        calls += batch;
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= ROUND_SECONDS {
            return elapsed * 1e9 / calls as f64;
        }
        batch = (batch * 2).min(1024);
    }
}

fn event() -> Value {
    json!({
        "summary": "[PROD] Disk space low on db-7.eu-west-1.example.com: 97% of /var used",
        "source": "db-7.eu-west-1.example.com",
        "severity": "critical",
        "timestamp": "2026-11-22T05:00:00.000+0000",
        "component": "postgresql",
        "group": "databases",
        "class": "disk",
        "custom_details": {
            "load": 3.5, "cores": 4, "host": "db-7", "tags": ["eu", "db", "prod"],
            "runbook url": "https://example.com/runbooks/disk",
        }
    })
}

fn print_row(name: &str, nanoseconds: f64) {
    println!("| {name} | {nanoseconds:.0} | {:.2} |", 1e3 / nanoseconds);
}

fn typical() {
    println!("| work | ns each | millions a second |");
    println!("| --- | ---: | ---: |");
    let event = event();
    let now = "2026-11-23T15:00:00Z".parse().expect("an instant");
    let scope = Scope::at(now).with("event", &event).with("raw_event", &event);
    for text in [
        "event.severity == 'critical'",
        "event.custom_details.load > 3",
        "event.custom_details.tags[2] exists",
        "event.severity matches 'CRITICAL'",
        "event.summary matches part 'disk'",
        "event.summary matches part 'absent'",
        "event.summary matches part exactly 'Disk'",
        "event.source matches regex '^db-[0-9]+\\\\.eu'",
        "event.summary matches regex 'cpu|memory|used$'",
        "now in Mon,Tue,Wed,Thu,Fri 09:00:00 to 17:00:00 America/New_York",
        "event.absent > 5",
        "event.severity == 'critical' and event.summary matches part 'disk' and not event.group == 'web'",
    ] {
        let condition: Condition = text.parse().expect("a condition");
        print_row(
            &format!("`{}`", text.replace('|', "\\|")),
            measure(|| {
                black_box(black_box(&condition).matches(black_box(&scope)));
            }),
        );
    }
    print_row(
        "making a scope of two documents",
        measure(|| {
            black_box(
                Scope::at(now)
                    .with("event", black_box(&event))
                    .with("raw_event", black_box(&event)),
            );
        }),
    );
    for text in [
        "event.severity == 'critical'",
        "event.source matches regex '^db-[0-9]+'",
    ] {
        print_row(
            &format!("parsing `{text}`"),
            measure(|| {
                black_box(black_box(text).parse::<Condition>().is_ok());
            }),
        );
    }
    for (name, extraction) in [
        (
            "capture `on (\\S+):`",
            Extraction::capture("event.summary", r"on (\S+):"),
        ),
        (
            "template `{{event.source}}: {{event.class}}`",
            Extraction::template("{{event.source}}: {{event.class}}"),
        ),
        (
            "template `{{ event.source \\| upper }}`",
            Extraction::template("{{ event.source | upper }}"),
        ),
    ] {
        let extraction = extraction.expect("an extraction");
        print_row(
            name,
            measure(|| {
                black_box(black_box(&extraction).extract(black_box(&scope)).is_ok());
            }),
        );
    }
}

/// Pattern and text that keep the engine busiest; time for 64 KiB, once.
fn worst() {
    println!("\n| worst case, once | ms |");
    println!("| --- | ---: |");
    let mut state = 1_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if state >> 63 == 0 { 'a' } else { 'b' }
    };
    let noise: String = (0..70_000).map(|_| letter()).collect();
    let event = json!({"part": &noise[..4_500], "text": noise, "wide": vec!["ü"; 40_000]});
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
    let many = ["event.text matches part event.wide"; 52].join(" or ");
    let explosive = ["event.text matches regex '[ab]*a[ab]{900}c'"; 42].join(" or ");
    let conditions = [
        (
            "`(a\\|b)*a(a\\|b){N}c`",
            "event.text matches regex '(a|b)*a(a|b){500}c'",
        ),
        (
            "`[ab]*a[ab]{N}c` exactly",
            "event.text matches regex exactly '[ab]*a[ab]{900}c'",
        ),
        (
            "the same on 4,500 letters",
            "event.part matches regex exactly '[ab]*a[ab]{900}c'",
        ),
        ("`(a*)*c`", "event.text matches regex '((a*)*(b*)*)*c'"),
        ("`(\\pL{30}){4}9`", "event.text matches regex '(\\\\pL{30}){4}9'"),
        ("`(.*){N}c`", "event.text matches regex '(.*){30}(.*){30}c'"),
        (
            "a list of 40,000 texts equal to itself",
            "event.wide == event.wide",
        ),
        ("52 comparisons of two large values", many.as_str()),
        ("42 explosive patterns", explosive.as_str()),
    ];
    for (name, text) in conditions {
        match text.parse::<Condition>() {
            Ok(condition) => println!("| {name} | {:.1} |", once(|| condition.matches(&scope))),
            Err(error) => println!("| {name} | refused: {} |", error.problem),
        }
    }
    for (name, regex) in [
        ("capture `((a\\|b)*)a(a\\|b){N}c`", "((a|b)*)a(a|b){500}c"),
        ("capture `(.*)(.*)(.*)c`", "(.*)(.*)(.*)c"),
    ] {
        match Extraction::capture("event.text", regex) {
            Ok(extraction) => println!("| {name} | {:.1} |", once(|| extraction.extract(&scope).is_ok())),
            Err(error) => println!("| {name} | refused: {error} |"),
        }
    }
    let costly = [r"event.text matches regex '\\pL{5}'"; 24].join(" or ");
    println!(
        "| parsing 24 patterns `\\pL{{5}}` | {:.1} |",
        once(|| costly.parse::<Condition>().is_ok())
    );
    let joinings = format!("{{{{ {} }}}}", ["event.text"; 17].join("~"));
    if let Ok(template) = Extraction::template(&joinings) {
        println!(
            "| template of 16 joinings of 70 kB | {:.1} |",
            once(|| template.extract(&scope).is_ok())
        );
    }
}

fn once<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64() * 1e3
}

fn main() {
    typical();
    rulebook::print();
    worst();
}
