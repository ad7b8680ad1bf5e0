//! Customers and places: accounts, and the tree of locations, with the services each of them uses.
//!
//! From these an incident's impact is computed: whom it hurts, where, and what it costs. A location's code
//! is the only key to its own page; it is made on request, long and random, and can be made anew.

pub mod model;

pub use model::{AccountId, LocationId};
