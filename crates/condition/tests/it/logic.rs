//! Conditions against independent models of what they mean.

use condition::{Condition, Scope};
use proptest::prelude::*;
use serde_json::json;

#[derive(Clone, Debug)]
enum Model {
    Leaf(&'static str, bool),
    Not(Box<Model>),
    All(Vec<Model>),
    Any(Vec<Model>),
}

impl Model {
    fn decide(&self) -> bool {
        match self {
            Self::Leaf(_, value) => *value,
            Self::Not(inner) => !inner.decide(),
            Self::All(members) => members.iter().all(Self::decide),
            Self::Any(members) => members.iter().any(Self::decide),
        }
    }

    /// With as few parentheses as the precedence of the reference allows.
    fn write(&self) -> String {
        let grouped = |member: &Self, group: bool| {
            if group {
                format!("({})", member.write())
            } else {
                member.write()
            }
        };
        match self {
            Self::Leaf(text, _) => (*text).to_owned(),
            Self::Not(inner) => format!("not {}", grouped(inner, !matches!(**inner, Self::Leaf(..)))),
            Self::All(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|member| grouped(member, matches!(member, Self::Any(_))))
                    .collect();
                members.join(" and ")
            }
            Self::Any(members) => members.iter().map(Self::write).collect::<Vec<_>>().join(" or "),
        }
    }
}

fn model() -> impl Strategy<Value = Model> {
    let leaf = prop::sample::select(vec![
        Model::Leaf("true", true),
        Model::Leaf("false", false),
        Model::Leaf("event.a == 1", true),
        Model::Leaf("event.a > 1", false),
        Model::Leaf("event.b matches part 'is'", true),
        Model::Leaf("event.b matches regex '^x'", false),
        Model::Leaf("event.none > 5", false),
        Model::Leaf("event.a exists", true),
    ]);
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Model::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Model::All),
            prop::collection::vec(inner, 2..4).prop_map(Model::Any),
        ]
    })
}

proptest! {
    #[test]
    fn a_condition_decides_as_its_model_does(model in model()) {
        let event = json!({"a": 1, "b": "disk"});
        let scope = Scope::at(jiff::Timestamp::UNIX_EPOCH).with("event", &event);
        let settings = condition::Settings {
            limits: condition::Limits { bytes: 1 << 16, factors: 1 << 10, ..Default::default() },
            ..Default::default()
        };
        let text = model.write();
        let condition = Condition::parse_with(&text, &settings).unwrap_or_else(|error| panic!("{error}"));
        prop_assert_eq!(condition.matches(&scope), model.decide(), "{}", text);
    }
}

/// Texts in which case matters: letters that fold to others, in a small alphabet so that parts are found.
fn letters() -> impl Strategy<Value = String> {
    let alphabet = vec![
        'a', 'A', 'ß', 'ẞ', 'σ', 'ς', 'Σ', 'k', 'K', '\u{212a}', 'é', 'É', 'İ', 'ı', 'i', '.',
    ];
    prop::collection::vec(prop::sample::select(alphabet), 0..5)
        .prop_map(|letters| letters.into_iter().collect())
}

fn holds(text: &str) -> bool {
    let condition: Condition = text.parse().unwrap_or_else(|error| panic!("{error}"));
    condition.matches(&Scope::at(jiff::Timestamp::UNIX_EPOCH))
}

proptest! {
    #[test]
    fn plain_matching_agrees_with_regular_expressions(left in letters(), right in letters()) {
        let escaped = right.replace('.', r"\\.");
        for exactly in ["", " exactly"] {
            prop_assert_eq!(
                holds(&format!("'{left}' matches part{exactly} '{right}'")),
                holds(&format!("'{left}' matches regex{exactly} '{escaped}'"))
            );
            prop_assert_eq!(
                holds(&format!("'{left}' matches{exactly} '{right}'")),
                holds(&format!(r"'{left}' matches regex{exactly} '\\A{escaped}\\z'"))
            );
        }
    }

    #[test]
    fn numbers_compare_as_numbers(left in -50_i32..50, right in -50_i32..50, scale in 1_i32..4) {
        let broken = f64::from(right) / f64::from(scale);
        for (symbol, expected) in [
            ("==", left * scale == right),
            (">", f64::from(left) > broken),
            (">=", f64::from(left) >= broken),
            ("<", f64::from(left) < broken),
            ("<=", f64::from(left) <= broken),
        ] {
            prop_assert_eq!(holds(&format!("{left} {symbol} {broken:?}")), expected, "{} {} {}", left, symbol, broken);
        }
    }
}
