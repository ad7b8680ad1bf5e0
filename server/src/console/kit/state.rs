//! The nine states. Each is a colour, a shape and a word, always all three.

use std::borrow::Cow;

use askama::Template;

use super::drawn;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Triggered,
    Acknowledged,
    Slow,
    Recovering,
    Resolved,
    Working,
    Maintenance,
    Drill,
    Unknown,
}

impl State {
    pub const ALL: [Self; 9] = [
        Self::Triggered,
        Self::Acknowledged,
        Self::Slow,
        Self::Recovering,
        Self::Resolved,
        Self::Working,
        Self::Maintenance,
        Self::Drill,
        Self::Unknown,
    ];

    /// The word, when the screen has no better one for what it shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Triggered => "Triggered",
            Self::Acknowledged => "Acknowledged",
            Self::Slow => "Slow",
            Self::Recovering => "Recovering",
            Self::Resolved => "Resolved",
            Self::Working => "Working",
            Self::Maintenance => "Maintenance",
            Self::Drill => "Drill",
            Self::Unknown => "No word",
        }
    }

    /// The name of its colours in the style sheet and of its shape among the icons.
    pub fn class(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Slow => "slow",
            Self::Recovering => "recovering",
            Self::Resolved => "resolved",
            Self::Working => "working",
            Self::Maintenance => "maintenance",
            Self::Drill => "drill",
            Self::Unknown => "unknown",
        }
    }

    pub fn mark(self) -> StateMark {
        StateMark {
            state: self,
            word: Cow::Borrowed(self.word()),
            look: StateLook::Words,
        }
    }

    /// The same state in the words of what it is the state of: "Offline", "Back", "Linked, told 05:52".
    pub fn says(self, word: impl Into<Cow<'static, str>>) -> StateMark {
        StateMark {
            state: self,
            word: word.into(),
            look: StateLook::Words,
        }
    }

    pub fn shape(self) -> Shape {
        Shape { state: self }
    }
}

/// The shape alone, for places where the word stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(
    source = r##"<svg class="shape" aria-hidden="true"><use href="{{ crate::console::assets::icons() }}#state-{{ state.class() }}"/></svg>"##,
    ext = "html"
)]
pub struct Shape {
    pub state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateLook {
    /// Shape and word.
    Words,
    /// On the state's own tint: the state of the whole page.
    Chip,
}

/// A state as it is shown: shape and word in the state's colour.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="state {{ state.class() }}{% if look == StateLook::Chip %} chip{% endif %}">{{ state.shape() }}<span>{{ word }}</span></span>"#,
    ext = "html"
)]
pub struct StateMark {
    pub state: State,
    pub word: Cow<'static, str>,
    pub look: StateLook,
}

impl StateMark {
    #[must_use]
    pub fn as_chip(mut self) -> Self {
        self.look = StateLook::Chip;
        self
    }
}

drawn!(Shape, StateMark);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_shape_among_the_icons() {
        let icons =
            String::from_utf8(crate::console::assets::get("icons.svg").unwrap().bytes.clone()).unwrap();
        for state in State::ALL {
            assert!(
                icons.contains(&format!("id=\"state-{}\"", state.class())),
                "{state:?}"
            );
        }
    }

    #[test]
    fn a_mark_says_its_state_in_words_and_keeps_hostile_words_harmless() {
        let drawn = State::Resolved.says("<b>Back").render().unwrap();
        assert!(drawn.contains("&#60;b&#62;Back"), "{drawn}");
        assert!(drawn.contains("#state-resolved"), "{drawn}");
    }
}
