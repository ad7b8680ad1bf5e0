//! What is known about a request before anybody looks at who made it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the key or session that a request shows was found good.
#[derive(Debug, Clone, Default)]
pub struct Accepted(Arc<AtomicBool>);

impl Accepted {
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The id that names one request in the log, the audit and the answer's `x-request-id`.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);
