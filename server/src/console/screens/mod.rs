//! The screens: for each a view, typed by what the reader sees, and a template that draws it.
//!
//! A view holds words that are ready to be read (a slice has already asked the database, and decided). Every
//! optional thing of a view has its own words for when it is missing, so an empty system is drawn by the same
//! template.

pub mod cases;
pub mod desk;
pub mod incidents;
pub mod kit;
pub mod maintenance;
pub mod now;
pub mod oncall;
pub mod pages;
pub mod people;
pub mod report;
pub mod room;
pub mod services;
pub mod settings;
pub mod updates;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
