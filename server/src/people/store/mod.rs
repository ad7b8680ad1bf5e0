//! The rows of people.

mod contacts;
mod teams;
mod users;

pub use contacts::{
    add_contact_method, add_notification_rule, contact_methods_of, delete_contact_method,
    delete_notification_rule, find_contact_method, find_notification_rule, notification_rules_of,
    update_contact_method, update_notification_rule,
};
pub use teams::{
    NewTeam, TeamFilter, add_team, associations_of, count_members, count_teams, delete_team, find_team,
    find_teams, list_members, list_teams, put_member, remove_member, teams_of_users, update_team,
};
pub use users::{
    NewUser, UserFilter, add_user, count_listed_users, count_users, delete_user, duties_of, everybody,
    find_user, find_user_by_email, find_users, is_last_owner, list_users, names, owners, teams_of,
    update_user, usual_time_zone,
};
