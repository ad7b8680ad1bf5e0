//! What authors and senders get wrong, one test for each: an error that points at the place, or a sensible answer.

use condition::{
    Comparison, Condition, Expression, Extraction, Operand, Problem, Scope, Settings, SyntaxError, Template,
};
use jiff::Timestamp;
use serde_json::{Value, json};

fn fault(text: &str) -> SyntaxError {
    text.parse::<Condition>().unwrap_err()
}

fn matches_at(now: &str, text: &str, event: &Value) -> bool {
    let scope = Scope::at(now.parse().unwrap()).with("event", event);
    text.parse::<Condition>().unwrap().matches(&scope)
}

#[test]
fn a_window_of_no_length_is_refused() {
    let error = fault("trigger_count over 0 seconds > 1");
    assert_eq!((error.offset, error.problem), (19, Problem::EmptyWindow));
}

#[test]
fn an_unknown_zone_is_refused_with_its_name() {
    for text in [
        "now > 2026-01-05 00:00:00 Mars/Olympus",
        "now in Mon 09:00:00 to 17:00:00 Mars/Olympus",
    ] {
        let error = fault(text);
        assert_eq!(
            error.problem,
            Problem::UnknownZone {
                name: "Mars/Olympus".into()
            }
        );
        assert_eq!(error.offset, text.len() - "Mars/Olympus".len());
    }
}

#[test]
fn instants_before_the_epoch_are_compared_like_others() {
    let event = json!({});
    assert!(matches_at(
        "1960-01-01T00:00:00Z",
        "now < 1969-12-31 23:59:59 Etc/UTC",
        &event
    ));
    assert!(matches_at(
        "1960-01-01T00:00:00Z",
        "now > 1916-05-21 02:00:00 Europe/Dublin",
        &event
    ));
    // A Friday; New York kept its own time before 1883.
    assert!(matches_at(
        "1800-01-03T12:00:00Z",
        "now in Fri 00:00:00 to 23:59:59 America/New_York",
        &event
    ));
    for now in [Timestamp::MIN, Timestamp::MAX] {
        let condition: Condition = "now in Mon,Tue,Wed,Thu,Fri,Sat,Sun 00:00:00 to 00:00:00 Etc/UTC"
            .parse()
            .unwrap();
        assert!(condition.matches(&Scope::at(now)));
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    assert_eq!(fault("event.a > 1.0e999").problem, Problem::NumberTooLarge);
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let tree = Expression::Compare {
            left: Operand::Path("event.a".parse().unwrap()),
            comparison: Comparison::Greater,
            right: Operand::Float(number),
        };
        let error = Condition::from_expression(&tree, &Settings::default()).unwrap_err();
        assert_eq!(error.problem, Problem::NotFinite);
    }
    let event = json!({"a": 1e308});
    let scope = Scope::at(Timestamp::UNIX_EPOCH).with("event", &event);
    for formula in [
        "event.a | times(10)",
        "event.a / 0.001",
        "event.a - event.a | times(-10)",
        "event.a / 0",
    ] {
        let template = Template::parse(&format!("{{{{ {formula} }}}}")).unwrap();
        let error = template.render(&scope).unwrap_err();
        assert!(!error.reason.is_empty(), "{formula}");
    }
    let finite = json!({"a": 1e308, "largest": u64::MAX, "smallest": i64::MIN});
    let scope = Scope::at(Timestamp::UNIX_EPOCH).with("event", &finite);
    let template =
        Template::parse("{{ event.largest | default(0) }} {{ event.smallest | default(0) }}").unwrap();
    assert_eq!(
        template.render(&scope).unwrap().text,
        format!("{} {}", u64::MAX, i64::MIN)
    );
    let template = Template::parse("{{ event.a / 10 }}").unwrap();
    assert_eq!(template.render(&scope).unwrap().text.parse(), Ok(1e307));
}

#[test]
fn empty_texts_are_refused_as_conditions_and_are_values_like_others() {
    for text in ["", " ", "\n", "()"] {
        assert!(
            matches!(fault(text).problem, Problem::Expected { .. }),
            "{text:?}"
        );
    }
    let event = json!({"a": "", "b": null});
    let now = "2026-01-05T00:00:00Z";
    assert!(matches_at(
        now,
        "event.a == '' and event.a matches '' and event.a matches part ''",
        &event
    ));
    assert!(matches_at(
        now,
        "event.a matches regex '' and event.a exists",
        &event
    ));
    assert!(!matches_at(
        now,
        "event.b matches '' or event.c matches part ''",
        &event
    ));
    let scope = Scope::at(now.parse().unwrap()).with("event", &event);
    assert_eq!(Template::parse("").unwrap().render(&scope).unwrap().text, "");
    assert!(Extraction::capture("", "x").is_err());
}

#[test]
fn a_title_of_a_million_characters_is_looked_at_as_far_as_its_first_64_kib() {
    let event = json!({"summary": format!("{}needle", "é".repeat(1_000_000))});
    let now = "2026-01-05T00:00:00Z";
    assert!(!matches_at(now, "event.summary matches part 'needle'", &event));
    assert!(matches_at(now, "event.summary matches regex '^é+$'", &event));
    assert!(matches_at(now, "event.summary matches part 'éé'", &event));
    let scope = Scope::at(now.parse().unwrap()).with("event", &event);
    let rendered = Template::parse("{{event.summary}}")
        .unwrap()
        .render(&scope)
        .unwrap();
    assert!(rendered.text.len() <= 64 * 1024 && rendered.text.starts_with('é'));
}

#[test]
fn a_condition_of_a_million_characters_is_refused_before_it_is_read() {
    let error = fault(&"event.a == 1 or ".repeat(70_000));
    assert_eq!(
        error.problem,
        Problem::TooLong {
            bytes: 1_120_000,
            limit: 2048
        }
    );
}

#[test]
fn what_is_absent_is_nil_and_makes_comparisons_false_not_fail() {
    let event = json!({});
    let now = "2026-01-05T00:00:00Z";
    for text in [
        "event.a.b[3] > 1",
        "nothing.whatever == 'x'",
        "event.a matches part 'x'",
        "event.a exists",
    ] {
        assert!(!matches_at(now, text, &event), "{text}");
        assert!(matches_at(now, &format!("not {text}"), &event), "{text}");
    }
}
