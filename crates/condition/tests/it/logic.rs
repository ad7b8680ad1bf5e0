//! The boolean structure against a model of it.

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
