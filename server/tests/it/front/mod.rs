//! What every request passes: limits, ids, TLS, and the figures Muster keeps of itself.

mod limits;
mod metrics;
mod tls;
