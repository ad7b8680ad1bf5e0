//! People, how they are reached, and their teams.

mod contact_methods;
mod teams;
mod users;
