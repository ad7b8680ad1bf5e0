//! How often somebody outside may do something, in this node's memory.

use std::time::Duration;

use crate::http::limits::Limiter;

/// The limits of the public pages.
#[derive(Debug)]
pub struct Limits {
    /// Requests to be told by mail, by network address.
    pub asking: Limiter,
    /// Location codes that do not exist, by network address.
    pub guessing: Limiter,
    /// Words from a location, by network address and location.
    pub saying: Limiter,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            asking: Limiter::new(20, Duration::from_hours(1)),
            guessing: Limiter::new(20, Duration::from_mins(10)),
            saying: Limiter::new(12, Duration::from_mins(10)),
        }
    }
}
