//! What belongs together, and why.

pub mod similar;
pub mod words;
