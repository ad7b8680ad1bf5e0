//! What belongs together, and why.
