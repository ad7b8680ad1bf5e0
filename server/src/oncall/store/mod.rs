//! The rows of policies, schedules and overrides.

mod policies;
mod schedules;

pub use policies::{
    PolicyFilter, PolicySort, count_policies, delete_policy, insert_policy, list_policies, load_policies,
    load_policy, put_policy_team, remove_policy_team, services_of_policies, set_policy_teams,
    teams_of_policies, teams_of_policy, update_policy,
};
pub use schedules::{
    find_schedule, on_call_at, overrides_between, people_on_call, plan_between, schedule_names,
};
