//! Services: the dependency picture with the path of an incident lit, the wall of locations, and one service.

use askama::Template;

use crate::console::prelude::*;

/// The picture and the list.
#[derive(Debug, Clone, Template)]
#[template(path = "console/services.html")]
pub struct Services {
    pub frame: Frame,
    /// "One update to store-edge hurts three touchpoints".
    pub headline: String,
    pub below: Rich,
    /// Which incident lights the path, and "Everything".
    pub lit: Option<Choices>,
    pub tabs: Choices,
    pub graph: Graph,
    /// The same path from top to bottom, for a phone.
    pub path: Vec<PathStep>,
    /// "7 technical, 5 touchpoints, 1 vendor".
    pub list_note: String,
    pub rows: Vec<ServiceRow>,
    /// What may be added; nothing for whoever may add none.
    pub adds: Option<NewServices>,
}

/// What the form offers that adds a service.
#[derive(Debug, Clone)]
pub struct NewServices {
    pub kinds: NewKinds,
    /// Those that may page for what engineers run.
    pub policies: Vec<Pick>,
}

/// Which of the two kinds of service somebody may add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKinds {
    Both,
    /// A service of their own team; a touchpoint belongs to everybody.
    Technical,
}

#[derive(Debug, Clone)]
pub struct PathStep {
    pub mark: NodeMark,
    pub name: String,
    pub note: String,
    /// What this step does to others: a state and how.
    pub hurts: Vec<(StateMark, String)>,
}

impl PathStep {
    fn class(&self) -> &'static str {
        match self.mark {
            NodeMark::State(state) => state.class(),
            NodeMark::Icon(_) => "",
        }
    }
}

#[derive(Debug, Clone)]
pub struct ServiceRow {
    pub name: String,
    pub to: String,
    pub state: StateMark,
    pub on_call: Person,
    pub last_change: String,
    pub alerts: String,
}

/// One service or touchpoint: how it stands, who answers for it, what it needs, what reports to it, whom it hurts.
#[derive(Debug, Clone, Template)]
#[template(path = "console/service.html")]
pub struct Service {
    pub frame: Frame,
    pub id: String,
    pub name: String,
    pub state: StateMark,
    pub description: String,
    /// "Customers touch it", "Engineers run it".
    pub kind: &'static str,
    /// Whom it hurts now, or would.
    pub hurt: Vec<(&'static str, Rich)>,
    pub facts: Vec<(&'static str, Rich)>,
    pub on_call: Vec<(String, Person)>,
    pub uses: Vec<(StateMark, Link)>,
    pub used_by: Vec<(StateMark, Link)>,
    /// Nothing can report to a touchpoint.
    pub reports: Option<Reports>,
    /// Rules on the events that reach it; a touchpoint has none.
    pub rules: Option<RulesOnEvents>,
    pub incidents: Vec<super::now::Happening>,
    pub changes: Vec<Entry>,
    /// What it may be said to use; empty for whoever may not say so.
    pub others: Vec<Pick>,
    /// What is said of a touchpoint when it fails, by who says it; nothing for a service, which is no customer's word.
    pub words: Option<Vec<(&'static str, String)>>,
    /// To the form that changes it, for whoever may.
    pub change: Option<Link>,
}

/// What reports to a service.
#[derive(Debug, Clone)]
pub struct Reports {
    pub integrations: Vec<Integration>,
    /// Name, key and address of what was just connected; shown once.
    pub made: Option<(String, String, String)>,
    pub rights: ServiceRights,
}

/// What becomes of a service's events before they become alerts.
#[derive(Debug, Clone)]
pub struct RulesOnEvents {
    pub rules: Vec<RuleOnEvents>,
    /// What is said beside them: that they rest, what else there is.
    pub notes: Vec<Rich>,
    /// Open alerts that they keep quiet: each with why.
    pub held: Vec<(String, String)>,
    /// To the form that adds one, for whoever may.
    pub add: Option<Link>,
    /// "Let them rest", and where that is posted; for whoever may.
    pub switch: Option<Link>,
}

/// One rule: when, and what it does.
#[derive(Debug, Clone)]
pub struct RuleOnEvents {
    pub id: String,
    pub name: String,
    /// One of them must be true; none: always.
    pub conditions: Vec<String>,
    /// "suppresses it: no incident opens".
    pub does: String,
    pub turn: RuleTurn,
    /// To its form, for whoever may change it.
    pub change: Option<Link>,
}

/// Whether a rule is asked at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleTurn {
    Asked,
    LeftOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceRights {
    Look,
    Change,
}

/// What reports to a service, and the end of the key it does so with.
#[derive(Debug, Clone)]
pub struct Integration {
    pub id: String,
    pub name: String,
    pub kind: String,
    /// "…K2M7".
    pub key: String,
    pub last_event: Rich,
}

/// The wall: every location, the hurt ones first to the eye.
#[derive(Debug, Clone, Template)]
#[template(path = "console/shops.html")]
pub struct Shops {
    pub frame: Frame,
    pub headline: String,
    pub below: Rich,
    /// "Open the incident", when there is one.
    pub incident: Option<Link>,
    /// To the form that adds one, for whoever may.
    pub add: Option<Link>,
    pub tabs: Choices,
    pub grouping: Choices,
    /// Counts by state.
    pub legend: Vec<StateMark>,
    /// How many work, which have no colour.
    pub working: String,
    pub wall: TileWall,
    /// "58 of 153 terminals".
    pub recovery_note: String,
    pub recovery: Option<Recovery>,
    /// "Call the 12".
    pub call: Option<Link>,
    pub rows: Vec<ShopRow>,
    /// What a location is called here: "shop", "shops".
    pub empty: Empty,
}

#[derive(Debug, Clone)]
pub struct ShopRow {
    pub id: String,
    pub to: String,
    pub state: StateMark,
    pub name: String,
    pub terminals: Terminals,
}
