//! What the server thinks for people: where an incident began, what was like it, what belongs together.

mod causes;
mod grouping;
mod nodes;
mod origins;
