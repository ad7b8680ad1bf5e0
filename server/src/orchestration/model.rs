//! Rules as they are kept and shown, and what they say of one event.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::alerts::model::Reason;
use crate::oncall::EscalationPolicyId;
use crate::people::UserId;
use crate::services::{PriorityId, ServiceId};

/// The set that every event begins with.
pub const START: &str = "start";

/// The rules of a service and what is known about them.
#[derive(Debug, Clone, store::FromRow)]
pub struct Orchestration {
    pub service_id: ServiceId,
    /// Whether events are judged at all.
    pub active: bool,
    /// Grows with every change of the rules.
    pub version: i64,
    #[row(json)]
    pub rules: Rules,
    pub created_at: Timestamp,
    pub created_by: Option<UserId>,
    pub updated_at: Timestamp,
    pub updated_by: Option<UserId>,
}

/// Sets of rules, and what happens where a set ends without a match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub sets: Vec<RuleSet>,
    pub catch_all: CatchAll,
}

impl Default for Rules {
    /// No rules.
    fn default() -> Self {
        Self {
            sets: vec![RuleSet {
                id: START.to_owned(),
                rules: Vec::new(),
            }],
            catch_all: CatchAll::default(),
        }
    }
}

impl Rules {
    /// The rules that every event begins with.
    pub fn start(&self) -> &[Rule] {
        self.sets
            .iter()
            .find(|set| set.id == START)
            .map_or(&[], |set| &set.rules)
    }

    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.sets.iter().flat_map(|set| &set.rules)
    }

    /// The policies that incidents may be handed to.
    pub fn policies(&self) -> impl Iterator<Item = &EscalationPolicyId> {
        self.all()
            .map(|rule| &rule.actions)
            .chain([&self.catch_all.actions])
            .filter_map(|actions| actions.escalation_policy.as_ref())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    pub id: String,
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub id: String,
    pub label: Option<String>,
    /// One of them must be true; none: always.
    pub conditions: Vec<Condition>,
    pub actions: Actions,
    pub disabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RuleCondition)]
pub struct Condition {
    pub expression: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchAll {
    pub actions: Actions,
}

/// What a rule does with an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actions {
    /// The set that goes on with the event.
    pub route_to: Option<String>,
    /// Its alert opens no incident.
    pub suppress: Option<bool>,
    /// Seconds in which its alert may clear by itself before it opens an incident.
    pub suspend: Option<u32>,
    pub priority: Option<PriorityId>,
    /// Who is asked instead of the service's own policy.
    pub escalation_policy: Option<EscalationPolicyId>,
    /// A template; what it gives becomes a note of the incident.
    pub annotate: Option<String>,
    pub severity: Option<Severity>,
    pub event_action: Option<EventAction>,
    pub variables: Vec<Variable>,
    pub extractions: Vec<Extraction>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, store::TextEnum)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventAction {
    Trigger,
    Resolve,
}

/// A word that later extractions and notes may use as `variables.name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RuleVariable)]
pub struct Variable {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: VariableKind,
    pub path: String,
    /// A regular expression (RE2).
    pub value: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    #[default]
    Regex,
}

/// A field of the event that is written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RuleExtraction)]
#[serde(untagged)]
pub enum Extraction {
    Template {
        target: String,
        template: String,
    },
    Capture {
        target: String,
        source: String,
        /// RE2.
        regex: String,
    },
}

impl Extraction {
    pub fn target(&self) -> &str {
        match self {
            Self::Template { target, .. } | Self::Capture { target, .. } => target,
        }
    }
}

/// By what a rule keeps an open alert from an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, store::TextEnum)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Until its sender says something that no rule suppresses.
    Suppressed,
    /// For a while, to see whether it clears by itself.
    Suspended,
}

/// What the rules said of one event, beside what they made of its fields. Kept with its alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ruling {
    pub suppress: bool,
    pub suspend_seconds: Option<u32>,
    pub priority_id: Option<PriorityId>,
    pub escalation_policy_id: Option<EscalationPolicyId>,
    pub notes: Vec<Noted>,
    /// A sentence for each rule that acted.
    pub reasons: Vec<Reason>,
    /// The fields that rules wrote anew, as they were sent; null where nothing was. Of the custom details, their keys.
    pub sent: Map<String, Value>,
}

/// A note that a rule leaves on the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// Who leaves it: `The rule “Disks”`.
    pub by: String,
    pub text: String,
}

impl Ruling {
    /// By what it keeps the alert from an incident. Suppressing goes before waiting.
    pub fn held(&self) -> Option<Held> {
        if self.suppress {
            Some(Held::Suppressed)
        } else {
            self.suspend_seconds.map(|_| Held::Suspended)
        }
    }
}
