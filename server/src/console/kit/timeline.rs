//! The story of an incident: people with faces and full colour, machines with icons and second colour.

use askama::Template;

use super::{Face, Moment, Rich, State, drawn};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    Person(Face),
    /// A machine, by the name of its icon.
    Machine(&'static str),
    /// A change of state.
    State(State),
}

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/entry.html")]
pub struct Entry {
    /// Unique on the page, so that a live update finds it.
    pub id: String,
    pub at: Moment,
    pub actor: Actor,
    /// "Maya Okafor told customers".
    pub said: Rich,
    /// What they wrote, if anything.
    pub body: Rich,
    pub left_the_house: Option<Published>,
    /// Entries of one kind that came in a row and are told as one.
    pub folded: Option<Folded>,
    pub actions: Vec<EntryAction>,
}

/// What stands behind an entry that tells several at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// "See all 75".
    pub opener: String,
    /// Newest first; not more than can be read.
    pub lines: Vec<(Moment, String)>,
    /// "and 25 earlier ones", when there are.
    pub rest: Option<String>,
}

/// Words that left the house, as they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// "status page, 1,912 readers, 96 replies on cases".
    pub to: String,
    pub words: String,
}

/// Something that can be done about an entry, in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryAction {
    Post { words: String, to: String },
    Open { words: String, to: String },
}

impl Entry {
    /// Machines speak in the second colour.
    fn tone(&self) -> &'static str {
        if matches!(self.actor, Actor::Person(_)) {
            ""
        } else {
            " machine"
        }
    }

    pub fn new(id: impl Into<String>, at: Moment, actor: Actor, said: impl Into<Rich>) -> Self {
        Self {
            id: id.into(),
            at,
            actor,
            said: said.into(),
            body: Rich::default(),
            left_the_house: None,
            folded: None,
            actions: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_body(mut self, body: impl Into<Rich>) -> Self {
        self.body = body.into();
        self
    }

    #[must_use]
    pub fn published(mut self, to: impl Into<String>, words: impl Into<String>) -> Self {
        self.left_the_house = Some(Published {
            to: to.into(),
            words: words.into(),
        });
        self
    }

    #[must_use]
    pub fn with_action(mut self, action: EntryAction) -> Self {
        self.actions.push(action);
        self
    }
}

drawn!(Entry);
