//! How a state is shown in the console: its shape, and its word in its colour.

use std::borrow::Cow;

use askama::Template;

use super::drawn;
pub use crate::drawing::State;

impl State {
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
