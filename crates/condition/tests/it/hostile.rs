//! Input that means no good: nothing panics, every fault has a place, and the work stays linear.

use condition::{Condition, Extraction, Limits, Path, Pattern, Scope, Settings, Template};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::programs;

/// Pieces of the language, so that random texts get past the first word.
fn soup() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "event",
        ".",
        "a",
        "[",
        "]",
        "'",
        "\\",
        "'x'",
        "(",
        ")",
        "not",
        "and",
        "or",
        "==",
        ">",
        "<",
        "=",
        "matches",
        "part",
        "regex",
        "exactly",
        "exists",
        "now",
        "in",
        "true",
        "trigger_count",
        "over",
        "5",
        "-",
        "1.5",
        "e",
        "seconds",
        "hour",
        "2021-12-04",
        "09:00:00",
        "to",
        "Mon",
        ",",
        "Etc/UTC",
        " ",
        " ",
        " ",
        "\n",
        "é",
        "{{",
        "}}",
        "|",
        "'(a|b)+'",
        "[[:alpha:]]",
        "{2}",
        "\u{0}",
        "😀",
    ]);
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A valid condition with a few bytes changed.
fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0..4, any::<u8>());
    (programs::condition(), vec(change, 1..6)).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (place, kind, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => drop(bytes.remove(place)),
                _ => bytes.truncate(place),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn anything() -> impl Strategy<Value = String> {
    let bytes = vec(any::<u8>(), 0..200).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    prop_oneof![bytes, soup(), mutated()]
}

fn event() -> Value {
    json!({"summary": "a disk", "a": {"a": [1, null, "x"]}, "custom_details": {"part": 4.5}})
}

/// Everything that can be read from a text is tried on it.
fn try_everything(text: &str) {
    let event = event();
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
    match text.parse::<Condition>() {
        Ok(condition) => {
            let outcome = condition.evaluate(&scope);
            assert_eq!(outcome.matched, condition.matches(&scope));
            assert_eq!(outcome.findings.len(), condition.cost().factors);
            assert!(outcome.warnings.len() <= outcome.findings.len());
            assert!(
                condition.cost().steps <= 8 * text.len() as u64 + 64,
                "{} {text}",
                condition.cost().steps
            );
        }
        Err(error) => {
            assert!(
                error.offset <= text.len() && text.is_char_boundary(error.offset),
                "{error}"
            );
            assert_eq!(text[..error.offset].matches('\n').count() + 1, error.line);
            assert!(error.to_string().lines().count() >= 3);
        }
    }
    if let Ok(template) = Template::parse(text)
        && let Ok(rendered) = template.render(&scope)
    {
        assert!(rendered.text.len() <= 64 * 1024);
    }
    if let Ok(extraction) = Extraction::capture("event.summary", text) {
        assert!(extraction.extract(&scope).is_ok());
    }
    if let Ok(path) = text.parse::<Path>() {
        let before = scope.look_up(&path).is_some();
        let mut document = event.clone();
        let assigned = path.root() == "event" && path.assign(&mut document, json!("new")).is_ok();
        let after = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &document);
        assert_eq!(after.look_up(&path).is_some(), before || assigned);
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in anything()) {
        try_everything(&text);
    }

    #[test]
    fn no_pattern_panics(text in "\\PC{0,60}", body in soup()) {
        for pattern in [text, body] {
            if let Ok(compiled) = Pattern::compile(&pattern) {
                compiled.capture("some text: a b c");
            }
        }
    }

    #[test]
    fn no_formula_panics(body in "[a-z0-9_.|()'\"\\[\\]{}<>=!~+%/ -]{0,60}") {
        try_everything(&format!("{{{{ event.{body} }}}}"));
        try_everything(&format!("{{{{ {body} }}}}"));
    }
}

fn unlimited() -> Settings {
    let limit = 1 << 24;
    let limits = Limits {
        bytes: limit,
        factors: limit,
        depth: 100,
        text_bytes: limit,
        path_parts: limit,
    };
    Settings {
        limits,
        ..Settings::default()
    }
}

/// Steps taken for a text; a fault counts as its text with the fault mended must not be cheaper to find.
fn parse_steps(text: &str) -> u64 {
    Condition::parse_with(text, &unlimited())
        .unwrap_or_else(|error| panic!("{error}"))
        .cost()
        .steps
}

#[test]
fn parsing_twice_as_much_takes_at_most_twice_the_steps() {
    type Family = fn(usize) -> String;
    let families: [(&str, Family); 10] = [
        ("and", |n| vec!["event.a == 1"; n].join(" and ")),
        ("or", |n| vec!["not event.a exists"; n].join(" or ")),
        ("groups", |n| vec!["(((true)))"; n].join(" and ")),
        ("path", |n| format!("event{} exists", ".abc['x'][1]".repeat(n))),
        ("text", |n| format!("event.a == '{}'", "x".repeat(n))),
        ("escapes", |n| format!("event.a == '{}'", r"\'\\".repeat(n))),
        ("word", |n| format!("{} exists", "a".repeat(n))),
        ("blanks", |n| format!("true{}", " ".repeat(n))),
        ("digits", |n| format!("{}1 == 1", "0".repeat(n))),
        ("schedules", |n| {
            vec!["now in Mon,Tue 09:00:00 to 17:00:00 America/New_York"; n].join(" or ")
        }),
    ];
    for (name, family) in families {
        let (once, twice) = (parse_steps(&family(500)), parse_steps(&family(1000)));
        assert!(twice <= 2 * once + 64, "{name}: {once} then {twice}");
    }
}

fn evaluation_steps(condition: &str, event: &Value) -> u64 {
    let condition = Condition::parse_with(condition, &unlimited()).unwrap_or_else(|error| panic!("{error}"));
    condition
        .evaluate(&Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", event))
        .steps
}

#[test]
fn evaluating_twice_as_much_takes_at_most_twice_the_steps() {
    let conditions = [
        "event.text matches 'no'",
        "event.text matches event.text",
        "event.text matches part 'aab'",
        "event.text matches part event.text",
        "event.text matches part exactly 'aab'",
        "event.text matches regex '(a*)*b'",
        "event.list matches part 'no'",
        "event.list == event.list",
        "event.object == event.object",
        "event.text == event.text",
    ];
    let event = |n: usize| {
        let object: serde_json::Map<String, Value> = (0..n)
            .map(|number| (format!("k{number:08}"), json!(number)))
            .collect();
        json!({"text": "a".repeat(n), "list": vec!["ü"; n], "object": object})
    };
    let (small, large) = (event(5_000), event(10_000));
    for condition in conditions {
        let (once, twice) = (
            evaluation_steps(condition, &small),
            evaluation_steps(condition, &large),
        );
        assert!(twice <= 2 * once + 64, "{condition}: {once} then {twice}");
        assert!(once > 0);
    }
    let repeated = |n: usize| vec!["event.text matches part 'aab'"; n].join(" or ");
    let (once, twice) = (
        evaluation_steps(&repeated(100), &small),
        evaluation_steps(&repeated(200), &small),
    );
    assert!(twice <= 2 * once + 64, "factors: {once} then {twice}");
}

#[test]
fn one_evaluation_has_a_ceiling_however_large_the_event() {
    let event = json!({"text": "a".repeat(1_000_000), "list": vec![1; 1_000_000]});
    let worst = vec!["event.text matches part event.text"; 59].join(" or ");
    assert!(worst.len() <= 2048 + 512);
    let ceiling = 64 * 4 * 65_536;
    assert!(evaluation_steps(&worst, &event) <= ceiling);
    assert!(evaluation_steps("event.list == event.list", &event) <= ceiling);
    assert!(evaluation_steps("event.list matches part 'x'", &event) <= ceiling);
}

#[test]
fn deeply_nested_events_do_no_harm() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let event = json!({"deep": deep});
    assert!(evaluation_steps("event.deep == event.deep", &event) > 100);
    assert!(evaluation_steps("event.deep matches regex '1'", &event) > 100);
}

#[test]
fn a_pattern_made_to_take_long_is_given_up_with_a_warning() {
    let mut state = 1_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        if state >> 63 == 0 { 'a' } else { 'b' }
    };
    let text: String = (0..65_536).map(|_| letter()).collect();
    let event = json!({"text": text, "summary": "disk"});
    let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
    let explosive = vec!["event.text matches regex '[ab]*a[ab]{900}c'"; 30].join(" or ");
    let condition: Condition = format!("{explosive} or event.summary matches regex '^d'")
        .parse()
        .unwrap();
    let outcome = condition.evaluate(&scope);
    assert!(outcome.matched, "small patterns are not held back by large ones");
    assert_eq!(outcome.warnings.len(), 30);
    assert!(outcome.warnings[0].to_string().contains("too much work"));
}

#[test]
fn the_deepest_condition_fits_a_small_stack() {
    let deepest = || {
        let limits = Limits {
            bytes: 1 << 16,
            depth: usize::MAX,
            ..Limits::default()
        };
        let settings = Settings {
            limits,
            ..Settings::default()
        };
        let text = format!(
            "{}event.a matches regex 'x+'{}",
            "not (true and (".repeat(32),
            "))".repeat(32)
        );
        let condition = Condition::parse_with(&text, &settings).unwrap();
        assert_eq!(condition.cost().depth, 64);
        assert!(condition.expression().to_string().len() > 64);
        condition.matches(&Scope::at(jiff::Timestamp::UNIX_EPOCH))
    };
    let thread = std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(deepest)
        .unwrap();
    assert!(thread.join().is_ok());
}

#[test]
fn deep_templates_patterns_and_events_fit_a_usual_stack() {
    let nested = || {
        let mut deep = json!("x");
        for _ in 0..120 {
            deep = json!({ "a": [deep] });
        }
        let event = json!({"deep": deep});
        let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
        for levels in [10, 49, 140, 149, 200] {
            let (open, close) = ("(".repeat(levels), ")".repeat(levels));
            if let Ok(extraction) = Extraction::capture("event.deep", &format!("{open}x{close}")) {
                assert!(extraction.extract(&scope).unwrap().is_some());
            }
            for formula in [
                format!("{open}event.deep{close} | json"),
                format!("{}1", "not ".repeat(levels)),
            ] {
                if let Ok(template) = Template::parse(&format!("{{{{ {formula} }}}}")) {
                    assert!(!template.render(&scope).unwrap().text.is_empty());
                }
            }
        }
    };
    let thread = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(nested)
        .unwrap();
    assert!(thread.join().is_ok());
}
