//! How the console looks: assets, the kit of parts, the frame round every page, and the screens.
//!
//! No view here asks the database. A slice's `page.rs` reads what was committed, fills the view of a
//! screen (`screens::…`), and answers with it; the view knows how to draw itself. So a picture can be made
//! of any screen before its data exists, and a screen cannot be slow by itself.

pub mod assets;
pub mod frame;
pub mod kit;
pub mod once;
pub mod page;
pub mod passwords;
pub mod places;
pub mod prelude;
pub mod refusal;
pub mod routes;
pub mod screens;
pub mod sign_in;
mod stream;
