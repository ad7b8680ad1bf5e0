//! Texts of a million characters, empty ones, and numbers that are none, at each door of the crate.

use condition::{
    Case, Comparison, Condition, Expression, Extraction, Limits, MatchKind, Operand, Path, Pattern, Problem,
    Scope, Segment, Settings, Template,
};
use jiff::Timestamp;
use serde_json::{Value, json};

const MILLION: usize = 1_000_000;

fn texts() -> Vec<String> {
    [
        "", "x", "é", "(", "not ", "'", "a.", "1", "{{", "\\", "a or ", "\u{202E}", " ",
    ]
    .map(|part| part.repeat(MILLION / part.len().max(1)))
    .to_vec()
}

fn settings(bytes: usize) -> Settings {
    Settings {
        limits: Limits {
            bytes,
            ..Limits::default()
        },
        ..Settings::default()
    }
}

#[test]
fn a_condition_of_any_length_is_read_or_refused_with_its_place() {
    for text in texts() {
        for settings in [Settings::default(), settings(usize::MAX)] {
            let error = Condition::parse_with(&text, &settings).unwrap_err();
            assert!(error.offset <= text.len() && error.line >= 1 && error.column >= 1);
            assert!(error.to_string().len() < 2_000, "the message stays short");
        }
        let too_long = matches!(
            Condition::parse_with(&text, &Settings::default())
                .unwrap_err()
                .problem,
            Problem::TooLong { .. }
        );
        assert_eq!(too_long, text.len() > 2_048);
    }
}

#[test]
fn templates_patterns_extractions_and_paths_of_any_length_are_read_or_refused() {
    let event = json!({"summary": "x".repeat(MILLION)});
    let scope = Scope::at(Timestamp::UNIX_EPOCH).with("event", &event);
    for text in texts() {
        if let Ok(template) = Template::parse(&text) {
            assert!(
                template
                    .render(&scope)
                    .is_ok_and(|rendered| rendered.text.len() <= 64 * 1024)
            );
        }
        if let Ok(pattern) = Pattern::compile(&text) {
            assert!(
                pattern
                    .capture(&text)
                    .is_none_or(|found| found.len() <= text.len())
            );
        }
        if let Ok(extraction) = Extraction::capture("event.summary", &text) {
            assert!(extraction.extract(&scope).is_ok());
        }
        assert!(Extraction::capture(&text, "x").is_err());
        assert!(text.parse::<Path>().is_err());
        assert!(Path::new(&text, vec![]).is_err() || text == "x".repeat(MILLION));
    }
}

#[test]
fn what_is_looked_at_may_be_of_any_length_and_of_any_sort() {
    let documents: Vec<Value> = texts()
        .into_iter()
        .map(Value::String)
        .chain([
            json!(null),
            json!(1e308),
            json!(-1e308),
            json!(i64::MIN),
            json!(u64::MAX),
            json!([]),
            json!({}),
        ])
        .collect();
    let conditions = [
        "event.a == event.b",
        "event.a > 5 or event.a <= -5",
        "event.a matches part 'x'",
        "event.a matches regex '(x|é)+$'",
        "event.a matches exactly event.b",
        "event.a exists and not event.c exists",
    ];
    for value in &documents {
        let event = json!({"a": value, "b": value});
        let scope = Scope::at(Timestamp::MIN).with("event", &event);
        for condition in conditions {
            let outcome = condition.parse::<Condition>().unwrap().evaluate(&scope);
            assert!(outcome.steps <= 64 * 4 * 65_536, "{condition}: {}", outcome.steps);
        }
    }
}

#[test]
fn a_tree_with_numbers_that_are_none_or_names_that_are_none_is_refused_or_reads_back() {
    let path = || Operand::Path("event.a".parse().unwrap());
    for number in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        -0.0,
    ] {
        let tree = Expression::Compare {
            left: path(),
            comparison: Comparison::Greater,
            right: Operand::Float(number),
        };
        match Condition::from_expression(&tree, &settings(4_096)) {
            Ok(condition) => assert!(number.is_finite() && *condition.expression() == tree, "{number}"),
            Err(error) => assert!(!number.is_finite(), "{number} {error}"),
        }
    }
    for text in texts() {
        let tree = Expression::Match {
            left: path(),
            kind: MatchKind::Part,
            case: Case::Ignored,
            right: Operand::Text(text.clone()),
        };
        assert_eq!(
            Condition::from_expression(&tree, &Settings::default()).is_ok(),
            text.is_empty()
        );
    }
}

#[test]
fn a_value_is_put_at_any_path_or_what_is_in_the_way_is_named() {
    for key in ["", "a", "\u{202E}"] {
        let segments = vec![Segment::Key(key.to_owned()), Segment::Index(u32::MAX)];
        let path = Path::new("event", segments).unwrap();
        for document in [
            json!(null),
            json!({}),
            json!([]),
            json!("text"),
            json!({ key: [1] }),
        ] {
            let mut document = document;
            match path.assign(&mut document, json!(1)) {
                Ok(()) => assert!(document.to_string().len() < 1_000),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
