//! How policies and schedules look over the API.

use ::store::Tx;
use serde::Serialize;
use utoipa::ToSchema;

use super::schedule_view::whole_schedules;
use crate::http::{Expandable, Include, Problem, Reference, Site};
use crate::oncall::model::{
    EscalationPolicy, EscalationPolicyId, HandoffNotifications, ScheduleId, Strategy, TargetKind,
};
use crate::oncall::store;
use crate::people::api::view::{expand, team_views, user_reference, user_views};
use crate::people::store::{find_teams, find_users};
use crate::people::{TeamId, UserId};

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PolicyView {
    #[serde(flatten)]
    pub head: Reference,
    pub name: String,
    pub description: Option<String>,
    pub num_loops: i64,
    pub on_call_handoff_notifications: HandoffNotifications,
    pub escalation_rules: Vec<RuleView>,
    pub services: Vec<Reference>,
    pub teams: Vec<Expandable>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleView {
    pub id: String,
    pub escalation_delay_in_minutes: u32,
    pub targets: Vec<Expandable>,
    /// With `include[]=escalation_rule_assignment_strategies`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation_rule_assignment_strategy: Option<StrategyView>,
}

/// How those whom a rule names are asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StrategyView {
    /// `assign_to_everyone` or `round_robin`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

pub fn policy_reference(site: &Site, id: impl AsRef<str>, name: &str) -> Reference {
    site.reference("escalation_policy", "escalation_policies", id, name)
}

pub fn schedule_reference(site: &Site, id: impl AsRef<str>, name: &str) -> Reference {
    site.reference("schedule", "schedules", id, name)
}

/// Whole policies, what they name read in one go for all of them.
pub fn policy_views(
    tx: &mut Tx,
    site: &Site,
    policies: &[EscalationPolicy],
    include: &Include,
) -> Result<Vec<PolicyView>, Problem> {
    let ids: Vec<&EscalationPolicyId> = policies.iter().map(|policy| &policy.id).collect();
    let services = store::services_of_policies(tx, &ids)?;
    let memberships = store::teams_of_policies(tx, &ids)?;
    let team_ids: Vec<&TeamId> = memberships.iter().map(|(_, team)| team).collect();
    let teams = find_teams(tx, &team_ids)?;
    let teams = team_views(tx, site, &teams)?;
    let targets = Targets::of(tx, site, policies, include)?;
    policies
        .iter()
        .map(|policy| {
            let escalation_rules = policy
                .rules
                .iter()
                .map(|rule| RuleView {
                    id: rule.id.to_string(),
                    escalation_delay_in_minutes: rule.delay_in_minutes,
                    targets: rule
                        .targets
                        .iter()
                        .map(|target| targets.show(site, target.kind, &target.id))
                        .collect(),
                    escalation_rule_assignment_strategy: include
                        .asks_for("escalation_rule_assignment_strategies")
                        .then(|| StrategyView {
                            kind: strategy_name(rule.strategy),
                        }),
                })
                .collect();
            let teams = memberships
                .iter()
                .filter(|(id, _)| *id == policy.id)
                .filter_map(|(_, team)| teams.iter().find(|view| view.head.id == team.as_str()))
                .map(|view| expand(include, "teams", view.head.as_reference(), view))
                .collect::<Result<_, _>>()?;
            Ok(PolicyView {
                head: site.resource(
                    "escalation_policy",
                    "escalation_policies",
                    &policy.id,
                    &policy.name,
                ),
                name: policy.name.clone(),
                description: policy.description.clone(),
                num_loops: policy.num_loops,
                on_call_handoff_notifications: policy.on_call_handoff_notifications,
                escalation_rules,
                services: services
                    .iter()
                    .filter(|(id, _, _)| *id == policy.id)
                    .map(|(_, id, name)| site.reference("service", "services", id, name))
                    .collect(),
                teams,
            })
        })
        .collect()
}

fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::AssignToEveryone => "assign_to_everyone",
        Strategy::RoundRobin => "round_robin",
    }
}

/// The people and schedules that policies name.
struct Targets {
    users: Vec<(UserId, Expandable)>,
    schedules: Vec<(ScheduleId, Expandable)>,
}

impl Targets {
    fn of(
        tx: &mut Tx,
        site: &Site,
        policies: &[EscalationPolicy],
        include: &Include,
    ) -> Result<Self, Problem> {
        let named = |kind: TargetKind| {
            policies
                .iter()
                .flat_map(|policy| &policy.rules)
                .flat_map(|rule| &rule.targets)
                .filter(move |target| target.kind == kind)
                .map(|target| target.id.as_str())
        };
        let user_ids: Vec<UserId> = named(TargetKind::User).map(UserId::from).collect();
        let users = find_users(tx, &user_ids.iter().collect::<Vec<_>>())?;
        let whole = include.asks_for("targets");
        let users = if whole {
            let views = user_views(tx, site, &users, &Include::default())?;
            users
                .into_iter()
                .zip(views)
                .map(|(user, view)| Ok((user.id, Expandable::whole(&view)?)))
                .collect::<Result<_, Problem>>()?
        } else {
            users
                .into_iter()
                .map(|user| {
                    let reference = user_reference(site, &user.id, &user.name);
                    (user.id, reference.into())
                })
                .collect()
        };
        let schedule_ids: Vec<&str> = named(TargetKind::Schedule).collect();
        let schedules = if whole {
            whole_schedules(tx, site, &schedule_ids)?
                .iter()
                .map(|view| Ok((ScheduleId::from(view.id()), Expandable::whole(view)?)))
                .collect::<Result<_, Problem>>()?
        } else {
            store::schedule_names(tx, &schedule_ids)?
                .into_iter()
                .map(|(id, name)| {
                    let reference = schedule_reference(site, &id, &name);
                    (id, reference.into())
                })
                .collect()
        };
        Ok(Self { users, schedules })
    }

    fn show(&self, site: &Site, kind: TargetKind, id: &str) -> Expandable {
        let found = match kind {
            TargetKind::User => self
                .users
                .iter()
                .find(|(known, _)| known.as_str() == id)
                .map(|(_, one)| one),
            TargetKind::Schedule => self
                .schedules
                .iter()
                .find(|(known, _)| known.as_str() == id)
                .map(|(_, one)| one),
        };
        found.cloned().unwrap_or_else(|| {
            match kind {
                TargetKind::User => user_reference(site, id, id),
                TargetKind::Schedule => schedule_reference(site, id, id),
            }
            .into()
        })
    }
}

/// The names of people, for references.
pub(super) struct Names {
    users: Vec<(UserId, String)>,
}

impl Names {
    pub(super) fn of_users(tx: &mut Tx, ids: &[UserId]) -> Result<Self, Problem> {
        let users = find_users(tx, &ids.iter().collect::<Vec<_>>())?;
        Ok(Self {
            users: users.into_iter().map(|user| (user.id, user.name)).collect(),
        })
    }

    pub(super) fn name<'n>(&'n self, id: &'n str) -> &'n str {
        self.users
            .iter()
            .find(|(known, _)| known.as_str() == id)
            .map_or(id, |(_, name)| name)
    }

    pub(super) fn user(&self, site: &Site, id: &str) -> Reference {
        user_reference(site, id, self.name(id))
    }
}
