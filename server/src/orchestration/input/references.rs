//! What rules name: sets that they lead to, priorities and escalation policies. All of them are there.

use std::collections::{BTreeMap, BTreeSet};

use store::Tx;

use super::Places;
use crate::http::Problem;
use crate::oncall::EscalationPolicyId;
use crate::orchestration::model::{Actions, Rules};
use crate::services::PriorityId;

impl Places {
    /// Rules lead to sets that are there, and never in a circle.
    pub(super) fn routes(&mut self, rules: &Rules) {
        let places: BTreeMap<&str, usize> = rules
            .sets
            .iter()
            .enumerate()
            .map(|(place, set)| (set.id.as_str(), place))
            .collect();
        let mut leads: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); rules.sets.len()];
        for (from, set) in rules.sets.iter().enumerate() {
            for (place, rule) in set.rules.iter().enumerate() {
                let Some(wanted) = &rule.actions.route_to else {
                    continue;
                };
                let at = format!("orchestration_path.sets[{from}].rules[{place}].actions.route_to");
                match places.get(wanted.as_str()) {
                    Some(to) => {
                        leads[from].insert(*to);
                    }
                    None => self.add(format!("{at}: there is no set with the id “{wanted:.50}”.")),
                }
            }
        }
        if circles(&leads) {
            self.add(
                "orchestration_path.sets: route_to leads in a circle; an event would never come to an end.",
            );
        }
    }

    /// Priorities and policies that are named anew are there. A policy that is gone since may stay: whoever mends another
    /// rule need not know of it, and the service's own is asked instead.
    pub(super) fn references(&mut self, tx: &mut Tx, before: &Rules, rules: &Rules) -> Result<(), Problem> {
        let known: BTreeSet<&EscalationPolicyId> = before.policies().collect();
        let priorities: BTreeSet<PriorityId> = crate::services::store::priorities(tx)?
            .into_iter()
            .map(|priority| priority.id)
            .collect();
        let mut policies: BTreeMap<EscalationPolicyId, bool> = BTreeMap::new();
        for (at, actions) in placed(rules) {
            if let Some(id) = &actions.priority
                && !priorities.contains(id)
            {
                self.add(format!("{at}.priority: there is no priority with this id."));
            }
            if let Some(id) = actions
                .escalation_policy
                .as_ref()
                .filter(|id| !known.contains(id))
            {
                if !policies.contains_key(id) {
                    policies.insert(id.clone(), crate::oncall::load_policy(tx, id)?.is_some());
                }
                if policies.get(id) != Some(&true) {
                    self.add(format!(
                        "{at}.escalation_policy: there is no escalation policy with this id."
                    ));
                }
            }
        }
        Ok(())
    }
}

/// All actions with their places.
fn placed(rules: &Rules) -> impl Iterator<Item = (String, &Actions)> {
    let of_sets = rules.sets.iter().enumerate().flat_map(|(set, rules)| {
        rules.rules.iter().enumerate().map(move |(rule, one)| {
            let at = format!("orchestration_path.sets[{set}].rules[{rule}].actions");
            (at, &one.actions)
        })
    });
    let catch_all = "orchestration_path.catch_all.actions".to_owned();
    of_sets.chain([(catch_all, &rules.catch_all.actions)])
}

/// Takes away what leads nowhere until nothing is left, or only circles.
fn circles(leads: &[BTreeSet<usize>]) -> bool {
    let mut left: BTreeSet<usize> = (0..leads.len()).collect();
    loop {
        let ends: Vec<usize> = left
            .iter()
            .copied()
            .filter(|from| leads[*from].is_disjoint(&left))
            .collect();
        if ends.is_empty() {
            return !left.is_empty();
        }
        for end in ends {
            left.remove(&end);
        }
    }
}
