//! The rows of policies, schedules and overrides.

mod overrides;
mod policies;
mod schedules;

pub use overrides::{
    count_open_overrides, delete_override, end_override, find_override, insert_override, overrides_between,
};
pub use policies::{
    PolicyFilter, PolicySort, count_policies, delete_policy, insert_policy, list_policies, load_policies,
    load_policy, named_teams_of_policies, names_of_policies, policy_names, put_policy_team,
    remove_policy_team, services_of_policies, services_whose_rules_name, set_policy_teams, teams_of_policies,
    teams_of_policy, update_policy,
};
pub use schedules::{
    ScheduleFilter, count_schedules, delete_schedule, find_schedule, find_schedule_by_calendar_key,
    find_user_by_calendar_key, insert_schedule, list_schedules, nearest_schedule, on_call_at, people_on_call,
    plan_between, policies_of_schedules, schedule_names, schedules_with, set_schedule_teams,
    teams_of_schedules, update_schedule,
};
