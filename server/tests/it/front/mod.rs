//! What every request passes: limits, ids, TLS, and the figures Muster keeps of itself.

mod addresses;
mod doors;
mod limits;
mod manual;
mod metrics;
mod process;
mod schemas;
mod tls;
