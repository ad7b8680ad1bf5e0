//! Who may do what, keys, and the audit log.

mod abilities;
mod api_keys;
mod audit;
mod deeds;
mod differences;
mod matrix;
mod origin;
mod own_resources;
mod passwords;
mod teams;
