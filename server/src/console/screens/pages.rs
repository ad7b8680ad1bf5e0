//! Status pages as those who keep them see them: what each says now, what it shows, and who is told.

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
    pub rights: PageRights,
}

/// Whether the reader may change status pages or only look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRights {
    Look,
    Keep,
}

#[derive(Debug, Clone)]
pub struct PageCard {
    pub id: String,
    pub name: String,
    /// Where it is kept, in the console.
    pub to: String,
    pub public: Link,
    pub state: StateMark,
    /// "Public" or "Private".
    pub audience: &'static str,
    /// What the page answers to "is it broken?".
    pub says: String,
    pub components: Vec<(String, StateMark)>,
    /// "298 are told by e-mail".
    pub readers: String,
}

/// One page: what it shows, to whom, and in whose words.
#[derive(Debug, Clone, Template)]
#[template(path = "console/page.html")]
pub struct StatusPageDetail {
    pub frame: Frame,
    pub id: String,
    pub name: String,
    pub state: StateMark,
    pub audience: &'static str,
    pub public: String,
    pub says: String,
    pub components: Vec<ComponentRow>,
    /// Groups that a component can stand in.
    pub groups: Vec<Pick>,
    /// The component that is being changed.
    pub change: Option<ComponentChange>,
    /// Touchpoints that are not shown yet.
    pub touchpoints: Vec<Pick>,
    pub facts: Vec<(&'static str, Rich)>,
    pub slug: String,
    pub time_zone: String,
    pub visibilities: Vec<Pick>,
    pub rights: PageRights,
}

/// Where a component stands among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentRank {
    Single,
    /// A heading over its members.
    Group,
    Member,
}

/// The form that changes a component.
#[derive(Debug, Clone)]
pub struct ComponentChange {
    pub id: String,
    pub name: String,
    pub description: String,
    /// Groups to choose from; nothing for a group itself.
    pub groups: Option<Vec<Pick>>,
    pub only_when_hurt: Current,
}

#[derive(Debug, Clone)]
pub struct ComponentRow {
    pub id: String,
    pub name: String,
    pub description: String,
    pub state: StateMark,
    /// "follows Card payments" or "set by hand".
    pub follows: String,
    pub rank: ComponentRank,
    /// "By itself", and what a person may say over it.
    pub says: Vec<Pick>,
}
