//! Rules as they are sent, checked into their model. Whatever would not do what it says is refused with its place:
//! nothing that is accepted is silently ignored.

mod references;
mod texts;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use store::Tx;
use utoipa::ToSchema;

use super::model::{
    self, Actions, CatchAll, EventAction, Extraction, Rule, RuleSet, Rules, START, Severity, Variable,
    VariableKind,
};
use crate::http::faults::{LONGEST_NAME, one_line};
use crate::http::{Faults, Problem};
use crate::oncall::EscalationPolicyId;
use crate::services::PriorityId;

const SETS: usize = 10;
const MOST_RULES: usize = 100;
const CONDITIONS: usize = 20;
const EXTRACTIONS: usize = 10;
const LONGEST_SET: usize = 100;
const LONGEST_WORD: usize = 100;
const LONGEST_PAUSE: i64 = 86_400;
/// States that the regular expressions of a service may have together: what they take in memory and to compile.
const PATTERN_STATES: u64 = 50_000;
/// Mistakes that are named at once.
const NAMED: usize = 20;

/// `{"orchestration_path": {…}}`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PathRequest {
    pub orchestration_path: PathInput,
}

/// What may be set; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PathInput {
    /// All of them; one is called `start`.
    sets: Option<Vec<SetInput>>,
    /// What happens where a set ends without a match.
    catch_all: Option<CatchAllInput>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct SetInput {
    id: String,
    rules: Option<Vec<RuleInput>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EventRuleInput)]
pub struct RuleInput {
    /// That of a rule which is changed.
    id: Option<String>,
    label: Option<String>,
    /// One of them must be true; none: always.
    conditions: Option<Vec<ConditionInput>>,
    actions: Option<ActionsInput>,
    disabled: Option<bool>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ConditionInput {
    /// In the condition language (PCL).
    expression: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CatchAllInput {
    actions: Option<ActionsInput>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ActionsInput {
    /// The id of another set, which goes on with the event. Not for `catch_all`.
    route_to: Option<String>,
    suppress: Option<bool>,
    /// Seconds.
    suspend: Option<i64>,
    /// The id of a priority.
    priority: Option<String>,
    /// The id of an escalation policy.
    escalation_policy: Option<String>,
    /// Text with placeholders such as `{{event.summary}}`.
    annotate: Option<String>,
    severity: Option<Severity>,
    event_action: Option<EventAction>,
    variables: Option<Vec<VariableInput>>,
    extractions: Option<Vec<ExtractionInput>>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct VariableInput {
    name: String,
    #[serde(rename = "type")]
    kind: Option<VariableKind>,
    /// Where it is taken from, such as `event.summary`.
    path: String,
    /// A regular expression (RE2).
    value: String,
}

/// Either `template`, or `source` and `regex`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ExtractionInput {
    /// What is written, such as `event.summary`.
    target: String,
    template: Option<String>,
    source: Option<String>,
    regex: Option<String>,
}

/// What the reference knows beside these, and why Muster refuses it.
const UNSUPPORTED: [(&str, &str); 5] = [
    ("automation_actions", "rules run no automation here"),
    ("pagerduty_automation_actions", "rules run no automation here"),
    (
        "incident_custom_field_updates",
        "incidents have no custom fields here",
    ),
    ("incident_custom_fields", "incidents have no custom fields here"),
    (
        "drop_event",
        "no event is thrown away here; suppress keeps it from opening an incident",
    ),
];

const SUPPORTED: [&str; 10] = [
    "route_to",
    "suppress",
    "suspend",
    "priority",
    "escalation_policy",
    "annotate",
    "severity",
    "event_action",
    "variables",
    "extractions",
];

/// What was sent, as far as it can be judged by itself. Patterns are compiled for it, which may take a tenth of a second;
/// no more, since those that are too large together are not compiled to the end.
pub struct Parsed {
    sets: Option<Vec<RuleSet>>,
    catch_all: Option<CatchAll>,
    faults: Places,
}

/// Reads what was sent.
pub fn parse(body: &Value) -> Result<Parsed, Problem> {
    let request: PathRequest = crate::http::body::read(body)?;
    let mut checking = Checking::default();
    let raw = &body["orchestration_path"];
    let path = request.orchestration_path;
    let sets = path.sets.map(|sets| checking.sets(sets, &raw["sets"]));
    let catch_all = path.catch_all.map(|catch_all| {
        let at = "orchestration_path.catch_all.actions";
        let actions = catch_all.actions.unwrap_or_default();
        let actions = checking.actions(at, actions, &raw["catch_all"]["actions"]);
        if actions.route_to.is_some() {
            checking.faults.add(format!(
                "{at}.route_to is not allowed: the last rule of a set may lead on."
            ));
        }
        CatchAll { actions }
    });
    if checking.states > PATTERN_STATES {
        checking.faults.add(
            "orchestration_path.sets: the regular expressions are too large together; write fewer, or simpler ones.",
        );
    }
    Ok(Parsed {
        sets,
        catch_all,
        faults: checking.faults,
    })
}

impl Parsed {
    /// The rules as they will be: what was sent over what they were. New rules have no id yet.
    pub fn over(&self, tx: &mut Tx, before: &Rules) -> Result<Rules, Problem> {
        let mut faults = self.faults.clone();
        let mut rules = before.clone();
        if let Some(sets) = &self.sets {
            rules.sets.clone_from(sets);
            keep_known_ids(&mut rules, before);
        }
        if let Some(catch_all) = &self.catch_all {
            rules.catch_all = catch_all.clone();
        }
        faults.routes(&rules);
        faults.references(tx, before, &rules)?;
        faults.done()?;
        Ok(rules)
    }
}

/// A rule that was there before keeps its id, once; any other is new.
fn keep_known_ids(rules: &mut Rules, before: &Rules) {
    let mut known: BTreeSet<&str> = before.all().map(|rule| rule.id.as_str()).collect();
    for rule in rules.sets.iter_mut().flat_map(|set| &mut set.rules) {
        if !known.remove(rule.id.as_str()) {
            rule.id.clear();
        }
    }
}

/// What is wrong, the first of it.
#[derive(Debug, Default, Clone)]
struct Places {
    faults: Faults,
    named: usize,
}

impl Places {
    fn add(&mut self, sentence: impl Into<String>) {
        self.named += 1;
        if self.named <= NAMED {
            self.faults.add(sentence);
        }
    }

    fn done(self) -> Result<(), Problem> {
        self.faults.done()
    }
}

#[derive(Default)]
struct Checking {
    faults: Places,
    states: u64,
}

impl Checking {
    fn sets(&mut self, sets: Vec<SetInput>, raw: &Value) -> Vec<RuleSet> {
        let at = "orchestration_path.sets";
        let count: usize = sets
            .iter()
            .map(|set| set.rules.as_ref().map_or(0, Vec::len))
            .sum();
        if sets.len() > SETS {
            self.faults.add(format!("{at}: at most {SETS} are kept."));
            return Vec::new();
        }
        if count > MOST_RULES {
            self.faults.add(format!(
                "{at}: at most {MOST_RULES} rules are kept, in all sets together."
            ));
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut checked = Vec::with_capacity(sets.len());
        for (place, set) in sets.into_iter().enumerate() {
            let at = format!("{at}[{place}]");
            if set.id.trim().is_empty() || set.id.chars().count() > LONGEST_SET {
                self.faults
                    .add(format!("{at}.id must have 1 to {LONGEST_SET} characters."));
            } else if !seen.insert(set.id.clone()) {
                self.faults.add(format!("{at}.id: another set has it, too."));
            }
            let raw = &raw[place]["rules"];
            let rules = set
                .rules
                .unwrap_or_default()
                .into_iter()
                .enumerate()
                .map(|(place, rule)| self.rule(&format!("{at}.rules[{place}]"), rule, &raw[place]))
                .collect();
            checked.push(RuleSet { id: set.id, rules });
        }
        if !seen.contains(START) {
            self.faults.add(format!(
                "{at}: one must have the id “{START}”; events begin there."
            ));
        }
        checked
    }

    fn rule(&mut self, at: &str, rule: RuleInput, raw: &Value) -> Rule {
        let label = rule
            .label
            .as_deref()
            .map(str::trim)
            .filter(|label| !label.is_empty());
        if label.is_some_and(|label| label.chars().count() > LONGEST_NAME) {
            self.faults.add(format!(
                "{at}.label is too long (maximum is {LONGEST_NAME} characters)."
            ));
        }
        let conditions = rule.conditions.unwrap_or_default();
        if conditions.len() > CONDITIONS {
            self.faults.add(format!(
                "{at}.conditions: at most {CONDITIONS} are kept for a rule."
            ));
        }
        let conditions = conditions
            .into_iter()
            .take(CONDITIONS)
            .enumerate()
            .map(|(place, one)| {
                self.condition(&format!("{at}.conditions[{place}].expression"), &one.expression);
                model::Condition {
                    expression: one.expression,
                }
            })
            .collect();
        let actions = rule.actions.unwrap_or_default();
        Rule {
            id: rule.id.unwrap_or_default(),
            label: label.map(one_line),
            conditions,
            actions: self.actions(&format!("{at}.actions"), actions, &raw["actions"]),
            disabled: rule.disabled.unwrap_or(false),
        }
    }

    fn actions(&mut self, at: &str, sent: ActionsInput, raw: &Value) -> Actions {
        self.refuse_others(at, raw);
        let suspend = sent.suspend.filter(|seconds| *seconds != 0);
        if suspend.is_some_and(|seconds| !(1..=LONGEST_PAUSE).contains(&seconds)) {
            self.faults.add(format!(
                "{at}.suspend must lie between 1 and {LONGEST_PAUSE} seconds."
            ));
        }
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let annotate = said(sent.annotate);
        if let Some(text) = &annotate {
            self.template(&format!("{at}.annotate"), text);
        }
        Actions {
            route_to: said(sent.route_to),
            suppress: sent.suppress,
            suspend: suspend.and_then(|seconds| u32::try_from(seconds).ok()),
            priority: said(sent.priority).map(PriorityId::from),
            escalation_policy: said(sent.escalation_policy).map(EscalationPolicyId::from),
            annotate,
            severity: sent.severity,
            event_action: sent.event_action,
            variables: self.variables(&format!("{at}.variables"), sent.variables.unwrap_or_default()),
            extractions: self.extractions(&format!("{at}.extractions"), sent.extractions.unwrap_or_default()),
        }
    }

    /// What the reference knows and Muster does not do, and what neither knows. Empty, it asks for nothing.
    fn refuse_others(&mut self, at: &str, raw: &Value) {
        let Some(sent) = raw.as_object() else { return };
        for (name, value) in sent {
            let asks_nothing = match value {
                Value::Null | Value::Bool(false) => true,
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.is_empty(),
                _ => false,
            };
            if SUPPORTED.contains(&name.as_str()) || asks_nothing {
                continue;
            }
            let why = UNSUPPORTED
                .iter()
                .find(|(known, _)| known == name)
                .map_or("there is no such action", |(_, why)| why);
            self.faults
                .add(format!("{at}.{name:.50} is not supported: {why}."));
        }
    }

    fn variables(&mut self, at: &str, sent: Vec<VariableInput>) -> Vec<Variable> {
        if sent.len() > EXTRACTIONS {
            self.faults
                .add(format!("{at}: at most {EXTRACTIONS} are kept for a rule."));
        }
        let mut checked = Vec::new();
        for (place, variable) in sent.into_iter().take(EXTRACTIONS).enumerate() {
            let at = format!("{at}[{place}]");
            if variable.name.trim().is_empty() || variable.name.chars().count() > LONGEST_WORD {
                self.faults
                    .add(format!("{at}.name must have 1 to {LONGEST_WORD} characters."));
            }
            self.source(&format!("{at}.path"), &variable.path);
            self.pattern(&format!("{at}.value"), &variable.value);
            checked.push(Variable {
                name: variable.name,
                kind: variable.kind.unwrap_or_default(),
                path: variable.path,
                value: variable.value,
            });
        }
        checked
    }

    fn extractions(&mut self, at: &str, sent: Vec<ExtractionInput>) -> Vec<Extraction> {
        if sent.len() > EXTRACTIONS {
            self.faults
                .add(format!("{at}: at most {EXTRACTIONS} are kept for a rule."));
        }
        let mut checked = Vec::new();
        for (place, one) in sent.into_iter().take(EXTRACTIONS).enumerate() {
            let at = format!("{at}[{place}]");
            self.target(&format!("{at}.target"), &one.target);
            let target = one.target;
            match (one.template, one.source, one.regex) {
                (Some(template), None, None) => {
                    self.template(&format!("{at}.template"), &template);
                    checked.push(Extraction::Template { target, template });
                }
                (None, Some(source), Some(regex)) => {
                    self.source(&format!("{at}.source"), &source);
                    self.pattern(&format!("{at}.regex"), &regex);
                    checked.push(Extraction::Capture {
                        target,
                        source,
                        regex,
                    });
                }
                _ => self.faults.add(format!(
                    "{at} must hold either a template, or a source and a regex."
                )),
            }
        }
        checked
    }
}
