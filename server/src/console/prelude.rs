//! What every screen's module needs: the frame and the kit.

pub use super::frame::*;
pub use super::kit::*;
