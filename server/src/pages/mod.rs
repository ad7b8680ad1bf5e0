//! What people outside see: the status page of a company and the page of one location.
//!
//! They answer "is it broken?" in one sentence, need no script, no cookie and no second request, and are drawn
//! from words that were written for outsiders. They share the kit's states and nothing else with the console.

pub mod view;
