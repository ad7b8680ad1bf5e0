//! The form of one rule on events: what stands in it, from the rule or as typed, and the rule it makes. What the form has
//! no words for, such as extractions, stays as it was.

use serde_json::{Value, json};

use super::lengths;
use super::sheet::{check, choice, code, lines, optional, select};
use super::typed::{Belongs, Typed, Wrong};
use crate::console::prelude::Pick;
use crate::console::screens::settings::Field;
use crate::orchestration::model::{Actions, EventAction, Rule};

const FATES: [(&str, &str); 4] = [
    ("plain", "It opens an incident or joins one, as others do"),
    ("suppress", "No incident: it is kept quiet"),
    ("suspend", "It waits first, and opens none if it clears meanwhile"),
    ("resolve", "It says that the fault is over"),
];
const SEVERITIES: [(&str, &str); 5] = [
    ("", "As it was sent"),
    ("critical", "Critical"),
    ("error", "Error"),
    ("warning", "Warning"),
    ("info", "Info"),
];
/// The conditions of a rule, a line each.
const LINES: [&str; 20] = [
    "Line 1,", "Line 2,", "Line 3,", "Line 4,", "Line 5,", "Line 6,", "Line 7,", "Line 8,", "Line 9,",
    "Line 10,", "Line 11,", "Line 12,", "Line 13,", "Line 14,", "Line 15,", "Line 16,", "Line 17,",
    "Line 18,", "Line 19,", "Line 20,",
];

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    label: String,
    conditions: String,
    fate: String,
    wait: String,
    severity: String,
    priority: String,
    policy: String,
    note: String,
    /// The id of the rule that it stands behind; empty: it is the first.
    pub(super) after: String,
    /// `yes` where it is left out.
    resting: String,
}

/// What may be chosen.
#[derive(Debug, Clone, Default)]
pub(super) struct Choices {
    pub(super) priorities: Vec<Pick>,
    pub(super) policies: Vec<Pick>,
    pub(super) places: Vec<Pick>,
}

impl Fields {
    /// Of a rule, or of a new one, and the one before it.
    pub(super) fn of(rule: Option<&Rule>, after: Option<&Rule>) -> Self {
        let after = after.map(|rule| rule.id.clone()).unwrap_or_default();
        let Some(rule) = rule else {
            return Self {
                fate: "plain".to_owned(),
                after,
                ..Self::default()
            };
        };
        let actions = &rule.actions;
        let conditions: Vec<String> = rule
            .conditions
            .iter()
            .map(|one| one.expression.replace(['\r', '\n'], " "))
            .collect();
        Self {
            label: rule.label.clone().unwrap_or_default(),
            conditions: conditions.join("\n"),
            fate: fate(actions).to_owned(),
            wait: actions
                .suspend
                .map(|seconds| lengths::written(i64::from(seconds)))
                .unwrap_or_default(),
            severity: actions
                .severity
                .map(|severity| severity.as_text().to_owned())
                .unwrap_or_default(),
            priority: actions
                .priority
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            policy: actions
                .escalation_policy
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            note: actions.annotate.clone().unwrap_or_default(),
            after,
            resting: if rule.disabled { "yes" } else { "" }.to_owned(),
        }
    }

    pub(super) fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).trim().to_owned();
        Self {
            label: typed.text("label").to_owned(),
            conditions: typed.text("conditions").replace("\r\n", "\n"),
            fate: text("fate"),
            wait: text("wait"),
            severity: text("severity"),
            priority: text("priority"),
            policy: text("policy"),
            note: typed.text("note").replace("\r\n", "\n"),
            after: text("after"),
            resting: text("resting"),
        }
    }

    /// The rule as the API is told of it, or what cannot be understood.
    pub(super) fn rule(&self, before: Option<&Rule>) -> Result<Value, Wrong> {
        let was = Self::of(before, None);
        let mut rule = before.map_or_else(|| json!({ "actions": {} }), |rule| json!(rule));
        rule["label"] = json!((!self.label.trim().is_empty()).then_some(self.label.trim()));
        rule["disabled"] = json!(self.resting == "yes");
        if before.is_none() || self.conditions.trim_end() != was.conditions {
            let conditions: Vec<Value> = self
                .written_lines()
                .map(|(_, line)| json!({ "expression": line }))
                .collect();
            rule["conditions"] = json!(conditions);
        }
        let actions = &mut rule["actions"];
        if (&self.fate, &self.wait) != (&was.fate, &was.wait) {
            actions["suppress"] = json!((self.fate == "suppress").then_some(true));
            actions["event_action"] = json!((self.fate == "resolve").then_some("resolve"));
            actions["suspend"] = match self.fate.as_str() {
                "suspend" => json!(self.seconds()?),
                _ => Value::Null,
            };
        }
        for (name, now, then) in [
            ("severity", &self.severity, &was.severity),
            ("priority", &self.priority, &was.priority),
            ("escalation_policy", &self.policy, &was.policy),
            ("annotate", &self.note, &was.note),
        ] {
            if now != then {
                actions[name] = json!((!now.trim().is_empty()).then_some(now.trim()));
            }
        }
        Ok(rule)
    }

    fn seconds(&self) -> Result<i64, Wrong> {
        let seconds = lengths::read(&self.wait).filter(|seconds| *seconds > 0);
        seconds.ok_or_else(|| {
            let mut wrong = Wrong::default();
            wrong.add("wait", "Say how long it waits, such as 5 min or 1 h.");
            wrong
        })
    }

    /// The conditions with the numbers of their lines, from 0.
    fn written_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.conditions.lines().map(str::trim).enumerate();
        lines.filter(|(_, line)| !line.is_empty())
    }

    /// Where the sentences of the API about a rule belong; they begin with its place.
    pub(super) fn belongs(&self, place: &str) -> Vec<Belongs> {
        let conditions = self.written_lines().enumerate().map(|(nth, (line, _))| {
            let label = LINES.get(line).copied().unwrap_or("Further down,");
            Belongs::new(
                format!("{place}.conditions[{nth}].expression"),
                "conditions",
                label,
            )
        });
        let others = [
            ("conditions", "conditions", "The lines:"),
            ("label", "label", "The name"),
            ("actions.suspend", "wait", "The time"),
            ("actions.severity", "severity", "The severity"),
            ("actions.priority", "priority", "The priority:"),
            ("actions.escalation_policy", "policy", "The policy:"),
            ("actions.annotate", "note", "The note,"),
        ];
        conditions
            .chain(others.map(|(of, field, label)| Belongs::new(format!("{place}.{of}"), field, label)))
            .collect()
    }

    pub(super) fn drawn(&self, choices: &Choices) -> Vec<Field> {
        vec![
            optional("label", "What you call it", &self.label).hint("It is named on each alert that it acts on."),
            code("conditions", "When one of these lines is true", &self.conditions).hint(
                "Such as event.severity == 'info' and event.component matches 'disk', or event.summary matches part 'nearly full'. Empty: always.",
            ),
            choice("fate", "What becomes of the alert", &FATES, &self.fate),
            optional("wait", "How long it waits", &self.wait).hint("Where it waits first: such as 5 min."),
            choice("severity", "Its severity", &SEVERITIES, &self.severity),
            select(
                "priority",
                "The priority of its incident",
                &choices.priorities,
                &self.priority,
                "One that is not there any more",
            ),
            select(
                "policy",
                "Who is paged",
                &choices.policies,
                &self.policy,
                "A policy that is gone, or that you may not choose",
            ),
            lines("note", "A note for the incident", &self.note)
                .hint("{{event.source}} puts in where it came from; so it is with every field."),
            select(
                "after",
                "Where it stands",
                &choices.places,
                &self.after,
                "Behind a rule that is gone",
            ),
            check("resting", "For now", "Leave it out", &self.resting),
        ]
    }
}

fn fate(actions: &Actions) -> &'static str {
    if actions.suppress == Some(true) {
        "suppress"
    } else if actions.event_action == Some(EventAction::Resolve) {
        "resolve"
    } else if actions.suspend.is_some() {
        "suspend"
    } else {
        "plain"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestration::model::{Condition, Extraction};

    fn rule() -> Rule {
        Rule {
            id: "R1".to_owned(),
            label: Some("Disks".to_owned()),
            conditions: vec![Condition {
                expression: "event.severity\n== 'info'".to_owned(),
            }],
            actions: Actions {
                suspend: Some(300),
                suppress: Some(false),
                extractions: vec![Extraction::Template {
                    target: "event.group".to_owned(),
                    template: "x".to_owned(),
                }],
                ..Actions::default()
            },
            disabled: false,
        }
    }

    #[test]
    fn a_rule_that_is_not_typed_over_stays_as_it_was() {
        let rule = rule();
        let fields = Fields::of(Some(&rule), None);
        assert_eq!(fields.rule(Some(&rule)).unwrap(), json!(rule));
    }

    #[test]
    fn what_is_typed_over_is_said_and_the_rest_stays() {
        let rule = rule();
        let fields = Fields {
            conditions: "\n event.severity == 'error'\n\ntrue".to_owned(),
            fate: "suppress".to_owned(),
            ..Fields::of(Some(&rule), None)
        };
        let said = fields.rule(Some(&rule)).unwrap();
        assert_eq!(
            said["conditions"],
            json!([{ "expression": "event.severity == 'error'" }, { "expression": "true" }])
        );
        let actions = &said["actions"];
        assert_eq!(
            (&actions["suppress"], &actions["suspend"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(actions["extractions"], json!(rule)["actions"]["extractions"]);
        let belongs = fields.belongs("at");
        assert_eq!((belongs[0].label, belongs[1].label), ("Line 2,", "Line 4,"));
    }

    #[test]
    fn a_time_that_cannot_be_read_is_asked_for_again() {
        let fields = Fields {
            fate: "suspend".to_owned(),
            wait: "soon".to_owned(),
            ..Fields::of(None, None)
        };
        assert!(fields.rule(None).is_err());
    }
}
