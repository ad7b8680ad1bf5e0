//! Parts that people act on or are told by: banners, tabs, pages of a list, empty places, composers.

use askama::Template;

use super::{Rich, State, drawn};

/// A line across the page that says in which light to read it: a drill, maintenance, Muster unwell.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/banner.html")]
pub struct Banner {
    pub state: State,
    /// "Drill", "Maintenance", "Muster".
    pub about: &'static str,
    pub words: Rich,
    pub link: Option<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub words: String,
    pub to: String,
}

impl Link {
    pub fn new(words: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            to: to.into(),
        }
    }
}

/// One of several to pick from in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    pub value: String,
    pub words: String,
    pub current: Current,
}

impl Pick {
    pub fn new(value: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            words: words.into(),
            current: Current::No,
        }
    }

    #[must_use]
    pub fn current(mut self) -> Self {
        self.current = Current::Yes;
        self
    }
}

/// A row of places or filters of which one is current. The filter lives in the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// What is chosen here, for screen readers: "Show", "Width".
    pub label: &'static str,
    pub choices: Vec<Choice>,
    pub look: ChoicesLook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoicesLook {
    Tabs,
    Segments,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub words: String,
    pub to: String,
    pub current: Current,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Current {
    No,
    Yes,
}

/// Draws choices as links, the current one marked.
#[derive(Debug, Template)]
#[template(path = "kit/choices.html")]
struct DrawnChoices<'a> {
    label: &'a str,
    class: &'static str,
    choices: &'a [Choice],
}

impl Choices {
    /// Choices from words and addresses; the one whose index is given is current.
    pub fn new(look: ChoicesLook, label: &'static str, current: usize, choices: &[(&str, &str)]) -> Self {
        let choices = choices
            .iter()
            .enumerate()
            .map(|(index, (words, to))| Choice {
                words: (*words).to_owned(),
                to: (*to).to_owned(),
                current: if index == current {
                    Current::Yes
                } else {
                    Current::No
                },
            })
            .collect();
        Self { label, choices, look }
    }

    fn drawn(&self) -> DrawnChoices<'_> {
        DrawnChoices {
            label: self.label,
            class: match self.look {
                ChoicesLook::Tabs => "tabs",
                ChoicesLook::Segments => "segments",
            },
            choices: &self.choices,
        }
    }
}

impl std::fmt::Display for Choices {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // One choice is none.
        if self.choices.len() < 2 {
            return Ok(());
        }
        self.drawn().fmt(formatter)
    }
}

/// Where in a long list the reader is.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/pagination.html")]
pub struct Pagination {
    /// "1 to 50 of 1,204".
    pub words: String,
    pub earlier: Option<String>,
    pub later: Option<String>,
}

/// A place where nothing is yet: what will appear here, and how to make it happen.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/empty.html")]
pub struct Empty {
    pub title: &'static str,
    pub words: Rich,
    pub action: Option<Link>,
}

/// Who can read what is written, before a letter is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Inside,
    Outside,
}

/// One reader that a composer can write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposerReader {
    /// What the form sends: `inside`, `shops`, `customers`.
    pub value: String,
    pub words: String,
    pub icon: &'static str,
    pub reach: Reach,
    /// "Only people at Larkfield see this." or "Public: 298 customers and the status page".
    pub sees: String,
    /// "Add note", "Tell customers".
    pub verb: String,
    pub draft: String,
    /// When they hear next, to choose from; nothing for a reader who is promised nothing.
    pub promises: Vec<Pick>,
}

impl ComposerReader {
    /// The promises for the script that shows them once the reader is chosen: value, bar, words, in lines.
    fn promises_words(&self) -> String {
        let lines: Vec<String> = self
            .promises
            .iter()
            .map(|pick| format!("{}|{}", pick.value, pick.words))
            .collect();
        lines.join("\n")
    }
}

impl Composer {
    /// What every reader can be promised, each once, for whoever reads without scripts.
    fn all_promises(&self) -> Vec<Pick> {
        let mut all: Vec<Pick> = Vec::new();
        for pick in self.readers.iter().flat_map(|reader| &reader.promises) {
            if !all.iter().any(|known| known.value == pick.value) {
                let words = match pick.value.as_str() {
                    "" => "as the words say",
                    _ => pick.words.as_str(),
                };
                all.push(Pick::new(pick.value.clone(), words));
            }
        }
        all
    }

    fn promises_anything(&self) -> bool {
        self.readers.iter().any(|reader| !reader.promises.is_empty())
    }
}

/// The place to write in an incident. Line, ground, icon and sentence say who will read it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/composer.html")]
pub struct Composer {
    /// Unique on the page.
    pub id: &'static str,
    pub post_to: String,
    /// Proves that the form came from the reader's own page.
    pub csrf_token: String,
    pub placeholder: &'static str,
    /// The first is chosen at the start.
    pub readers: Vec<ComposerReader>,
    /// Where a task is made from what was typed.
    pub task_to: Option<String>,
}

drawn!(Banner, Choices, Pagination, Empty, Composer);
