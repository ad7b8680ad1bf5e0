//! What may be sent of an escalation policy, and its checks.

use serde::Deserialize;
use serde_json::Value;
use store::Tx;
use utoipa::ToSchema;

use crate::http::{Faults, Problem, ReferenceInput, Sent};
use crate::oncall::model::{
    EscalationPolicy, EscalationRule, EscalationRuleId, HandoffNotifications, ScheduleId, Strategy, Target,
    TargetKind,
};
use crate::oncall::store::find_schedule;
use crate::people::store::{find_team, find_user};
use crate::people::{TeamId, UserId};

const MOST_RULES: usize = 20;
const MOST_TARGETS: usize = 10;
/// Thirty days.
const LONGEST_DELAY: i64 = 43_200;

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PolicyRequest {
    pub(super) escalation_policy: PolicyInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct PolicyInput {
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    /// How often the rules are gone through again after the last: 0 to 9.
    num_loops: Option<i64>,
    on_call_handoff_notifications: Option<HandoffNotifications>,
    escalation_rules: Option<Vec<RuleInput>>,
    /// At most one.
    pub(super) teams: Option<Vec<ReferenceInput>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct RuleInput {
    id: Option<String>,
    /// 1 to 43,200.
    escalation_delay_in_minutes: Option<i64>,
    /// 1 to 10 users and schedules.
    #[serde(default)]
    targets: Vec<ReferenceInput>,
    /// `{"type": "round_robin"}`; the bare word and a list of one are understood too.
    #[schema(value_type = Option<Object>)]
    escalation_rule_assignment_strategy: Option<Value>,
}

/// The policy after what was sent. Rules that are new have an empty id still.
pub(super) fn check(
    tx: &mut Tx,
    input: &PolicyInput,
    mut policy: EscalationPolicy,
) -> Result<EscalationPolicy, Problem> {
    let mut faults = Faults::new();
    if let Some(name) = &input.name {
        policy.name.clone_from(name);
    }
    policy.name = faults.name("Name", Some(&policy.name), 255);
    let description = input.description.clone().over(policy.description.take());
    policy.description = faults.optional_text("Description", description.as_deref(), 10_000);
    if let Some(loops) = input.num_loops {
        policy.num_loops = faults.within("Num loops", loops, 0..=9);
    }
    if let Some(notifications) = input.on_call_handoff_notifications {
        policy.on_call_handoff_notifications = notifications;
    }
    if let Some(rules) = &input.escalation_rules {
        policy.rules = check_rules(tx, &mut faults, rules, &policy.rules)?;
    }
    if policy.rules.is_empty() || policy.rules.len() > MOST_RULES {
        faults.add(format!("Escalation rules must be between 1 and {MOST_RULES}."));
    }
    faults.done()?;
    Ok(policy)
}

fn check_rules(
    tx: &mut Tx,
    faults: &mut Faults,
    rules: &[RuleInput],
    before: &[EscalationRule],
) -> Result<Vec<EscalationRule>, Problem> {
    let mut checked: Vec<EscalationRule> = Vec::new();
    for (index, rule) in rules.iter().take(MOST_RULES + 1).enumerate() {
        let field = format!("Escalation rules[{index}].escalation_delay_in_minutes");
        let delay = if let Some(delay) = rule.escalation_delay_in_minutes {
            faults.within(&field, delay, 1..=LONGEST_DELAY)
        } else {
            faults.add(format!("{field} is missing."));
            1
        };
        if rule.targets.is_empty() || rule.targets.len() > MOST_TARGETS {
            faults.add(format!(
                "Escalation rules[{index}].targets must be between 1 and {MOST_TARGETS}."
            ));
        }
        let mut targets: Vec<Target> = Vec::new();
        for target in rule.targets.iter().take(MOST_TARGETS) {
            match check_target(tx, target)? {
                Some(target) if !targets.contains(&target) => targets.push(target),
                Some(_) => {}
                None => faults.add(format!(
                    "Escalation rules[{index}].targets: {} is not a user or schedule that is known here.",
                    target.id.chars().take(64).collect::<String>()
                )),
            }
        }
        let known = rule
            .id
            .as_deref()
            .and_then(|id| before.iter().find(|known| known.id.as_str() == id));
        // An answer leaves the strategy out unless it was asked for; what was read and is sent back stays as it was.
        let unsaid = known.map_or(Strategy::AssignToEveryone, |known| known.strategy);
        let strategy = rule
            .escalation_rule_assignment_strategy
            .as_ref()
            .map_or(Some(unsaid), strategy_of);
        if strategy.is_none() {
            faults.add(format!(
                "Escalation rules[{index}].escalation_rule_assignment_strategy must be assign_to_everyone or round_robin."
            ));
        }
        let kept = known
            .filter(|known| !checked.iter().any(|one| one.id == known.id))
            .map(|known| known.id.clone());
        checked.push(EscalationRule {
            id: kept.unwrap_or_else(|| EscalationRuleId::from("")),
            delay_in_minutes: u32::try_from(delay).unwrap_or(1),
            strategy: strategy.unwrap_or_default(),
            targets,
        });
    }
    Ok(checked)
}

fn check_target(tx: &mut Tx, target: &ReferenceInput) -> Result<Option<Target>, Problem> {
    let (kind, known) = match target.plain_kind() {
        "user" => {
            let user = find_user(tx, &UserId::from(target.id.as_str()))?;
            (
                TargetKind::User,
                user.is_some_and(|user| user.deleted_at.is_none()),
            )
        }
        "schedule" => {
            let schedule = find_schedule(tx, &ScheduleId::from(target.id.as_str()))?;
            (TargetKind::Schedule, schedule.is_some())
        }
        _ => return Ok(None),
    };
    Ok(known.then(|| Target {
        kind,
        id: target.id.clone(),
    }))
}

/// The three forms in which clients send a strategy.
fn strategy_of(sent: &Value) -> Option<Strategy> {
    let name = match sent {
        Value::Null => return Some(Strategy::AssignToEveryone),
        Value::String(name) => name.as_str(),
        Value::Object(fields) => fields.get("type")?.as_str()?,
        Value::Array(items) => match items.as_slice() {
            [only] => only.get("type")?.as_str()?,
            _ => return None,
        },
        Value::Bool(_) | Value::Number(_) => return None,
    };
    match name {
        "assign_to_everyone" => Some(Strategy::AssignToEveryone),
        "round_robin" => Some(Strategy::RoundRobin),
        _ => None,
    }
}

/// The teams that were named, each of which must exist; at most one.
pub(super) fn check_teams(tx: &mut Tx, teams: &[ReferenceInput]) -> Result<Vec<TeamId>, Problem> {
    if teams.len() > 1 {
        return Err(Problem::invalid(["Teams may hold at most one team."]));
    }
    let mut checked = Vec::new();
    for team in teams {
        let id = TeamId::from(team.id.as_str());
        if find_team(tx, &id)?.is_none() {
            return Err(Problem::invalid(["Teams names a team that is not known here."]));
        }
        checked.push(id);
    }
    Ok(checked)
}
