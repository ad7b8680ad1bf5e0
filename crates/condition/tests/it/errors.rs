//! Faults point at the place and say what was expected.

use condition::{Condition, Limits, Problem, Settings, SyntaxError};

#[track_caller]
fn fault(text: &str) -> SyntaxError {
    text.parse::<Condition>().expect_err(text)
}

#[track_caller]
fn shows(text: &str, expected: &str) {
    assert_eq!(fault(text).to_string(), expected.trim_matches('\n'));
}

#[test]
fn a_single_equals_sign() {
    shows(
        "event.severity = 'critical'",
        "
line 1, column 16: expected `==`, `>`, `>=`, `<`, `<=`, `matches` or `exists`, found `=`
  event.severity = 'critical'
                 ^
Equality is written with two signs: ==.
",
    );
}

#[test]
fn the_line_is_the_one_of_the_place() {
    shows(
        "event.a == 1\n  and event.b matches part",
        "
line 2, column 27: expected a path, a quoted text, a number, a date, `true`, `false` or `now`, found the end
    and event.b matches part
                            ^
",
    );
}

#[test]
fn columns_count_characters_and_offsets_bytes() {
    let error = fault("'äöü' == 'x' && true");
    assert_eq!((error.line, error.column, error.offset), (1, 14, 16), "{error}");
}

#[test]
fn a_long_line_is_shortened_around_the_place() {
    let text = format!(
        "{} = 1 {}",
        "event.abcdefgh == 1 and ".repeat(20),
        "x".repeat(200)
    );
    let shown = fault(&text).to_string();
    let longest = shown.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(150), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let caret = lines[2].chars().count() - 1;
    assert_eq!(lines[1].chars().nth(caret), Some('='), "{shown}");
}

#[test]
fn common_slips_get_a_hint() {
    for (text, hint) in [
        ("event.a != 1", "not a == b"),
        ("event.a == \"x\"", "single quotes"),
        ("event.a contains 'x'", "matches part"),
        ("event.a equals 'x'", "=="),
        ("event.a == 1 AND event.b == 2", "lower case"),
        ("event.a == 1 && event.b == 2", "`and`"),
        ("event.a-b == 1", "event['a-b']"),
        ("not not true", "not (…)"),
        ("event.a in Mon 09:00:00 to 17:00:00 Etc/UTC", "Only `now`"),
        ("'a' exists", "Only a path"),
        ("now in Mon, Tue 09:00:00 to 17:00:00 Etc/UTC", "no blank"),
        ("now in Monday 09:00:00 to 17:00:00 Etc/UTC", "three letters"),
        ("trigger_count > 5", "trigger_count over 5 minutes"),
        ("event.a == 4e10", "4.0e10"),
        ("true)", "never opened"),
        ("!event.a == 1", "`not`"),
    ] {
        let error = fault(text);
        let shown = error.to_string();
        assert!(shown.lines().last().unwrap_or_default().contains(hint), "{shown}");
    }
}

#[test]
fn each_fault_has_its_place_and_its_reason() {
    for (text, offset, reason) in [
        ("", 0, "found the end"),
        ("(event.a == 1", 13, "expected `and`, `or` or `)`, found the end"),
        ("event.a == 'open", 11, "no closing quote"),
        (r"event.a == 'tab\t'", 15, "backslash"),
        ("event.a == 9223372036854775808", 11, "too large"),
        ("event.a == 1.0e999", 11, "too large"),
        ("event.a == 1.", 13, "expected a digit"),
        ("event.if == 1", 6, "`if` is a reserved word"),
        ("while == 1", 0, "`while` is a reserved word"),
        ("event[x] == 1", 6, "expected a quoted field name"),
        ("event[99999999999] == 1", 6, "too large"),
        ("event. a == 1", 6, "expected a field name"),
        ("and == 1", 0, "expected a path"),
        ("now > 2021-02-30 00:00:00 Etc/UTC", 6, "no such date"),
        ("now > 2021-02-03 24:00:00 Etc/UTC", 17, "no such date or time"),
        (
            "now > 2021-2-03 00:00:00 Etc/UTC",
            11,
            "expected a date such as 2021-12-04, found `2`",
        ),
        (
            "now > 2021-02-03 00:00:00 Mars/Olympus",
            26,
            "no time zone called `Mars/Olympus`",
        ),
        (
            "now in Mon 09:00 to 17:00 Etc/UTC",
            16,
            "expected a time such as 09:00:00",
        ),
        ("trigger_count over 0 minutes > 1", 19, "at least one second"),
        (
            "trigger_count over 1 hour 2 hours > 1",
            28,
            "`hour` is given twice",
        ),
        ("trigger_count over 99999 days > 1", 19, "too large"),
        ("trigger_count over 5 weeks > 1", 21, "expected `seconds`"),
        ("event.a matches regex event.b", 22, "expected a quoted text"),
        ("event.a matches regex '(unclosed'", 22, "unclosed group"),
        (r"event.a matches regex '(?=ahead)'", 22, "look-around"),
        (r"event.a matches regex '(a)\\1'", 22, "backreferences"),
        (
            "event.a matches regex '(((a{99}){99}){99})'",
            22,
            "too large when compiled",
        ),
        ("event.a", 7, "expected `==`"),
        ("'a'", 3, "expected `==`"),
        ("true true", 5, "expected `and`, `or` or the end"),
        ("event.a == 1 == 2", 13, "expected `and`, `or` or the end"),
        ("event.a == \u{7}", 11, "invisible character"),
        ("event.a == \u{202e}1", 11, "invisible character"),
    ] {
        let error = fault(text);
        assert_eq!(error.offset, offset, "{error}");
        assert!(error.problem.to_string().contains(reason), "{error}");
    }
}

#[test]
fn sizes_are_limited() {
    let deep = |levels: usize| format!("{}true{}", "(".repeat(levels), ")".repeat(levels));
    let wide = |factors: usize| vec!["true"; factors].join(" and ");
    let text = |bytes: usize| format!("event.a == '{}'", "x".repeat(bytes));
    let path = |parts: usize| format!("event{} exists", ".a".repeat(parts - 1));
    let long = |bytes: usize| format!("true{}", " ".repeat(bytes - 4));
    for (allowed, refused, problem) in [
        (deep(32), deep(33), Problem::TooDeep { limit: 32 }),
        (wide(64), wide(65), Problem::TooManyFactors { limit: 64 }),
        (text(1024), text(1025), Problem::TextTooLong { limit: 1024 }),
        (path(32), path(33), Problem::PathTooLong { limit: 32 }),
        (
            long(2048),
            long(2049),
            Problem::TooLong {
                bytes: 2049,
                limit: 2048,
            },
        ),
    ] {
        assert!(allowed.parse::<Condition>().is_ok(), "{allowed}");
        assert_eq!(fault(&refused).problem, problem);
    }
}

#[test]
fn patterns_may_not_be_too_large_together() {
    let one = r"event.a matches regex '\\pL{5}'";
    assert!(one.parse::<Condition>().is_ok());
    let error = fault(&[one; 40].join(" or "));
    assert!(
        error.problem.to_string().contains("too large together"),
        "{error}"
    );
}

#[test]
fn depth_has_an_end_even_without_limits() {
    let limits = Limits {
        bytes: 1 << 20,
        depth: usize::MAX,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let error = Condition::parse_with(&"(".repeat(100_000), &settings).unwrap_err();
    assert_eq!(error.problem, Problem::TooDeep { limit: 64 });
}

#[test]
fn limits_can_be_chosen() {
    let settings = Settings {
        limits: Limits {
            factors: 1,
            ..Limits::default()
        },
        ..Settings::default()
    };
    assert!(Condition::parse_with("true", &settings).is_ok());
    assert!(Condition::parse_with("true or false", &settings).is_err());
}
