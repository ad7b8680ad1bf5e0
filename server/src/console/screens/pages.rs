//! Status pages as those who keep them see them: what each says now, and who is told.

use askama::Template;

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/pages.html")]
pub struct StatusPages {
    pub frame: Frame,
    pub headline: String,
    pub pages: Vec<PageCard>,
    /// Where front-line staff find their own page, and how many locations have one.
    pub locations_note: Rich,
    /// Business services that a new page can show.
    pub components: Vec<Pick>,
}

#[derive(Debug, Clone)]
pub struct PageCard {
    pub id: String,
    pub name: String,
    pub public: Link,
    pub state: StateMark,
    /// What the page answers to "is it broken?".
    pub says: String,
    pub components: Vec<(String, StateMark)>,
    /// "1,912 readers today, 298 are told by e-mail".
    pub readers: String,
}
