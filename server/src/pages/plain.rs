//! The small pages around the big ones: history, one incident, a question, thanks, nothing here.

use askama::Template;

use super::view::{STATUS_STYLE, STYLE, policy};

/// A heading, words, sections, perhaps a question. Everything is text; nothing becomes markup.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "pages/plain.html")]
pub struct Plain {
    pub language: String,
    pub title: String,
    pub headline: String,
    pub words: Vec<String>,
    pub sections: Vec<Section>,
    pub question: Option<Question>,
    /// The way back: words and address.
    pub back: Option<(String, String)>,
}

#[derive(Debug, Clone, Default)]
pub struct Section {
    pub heading: String,
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub when: String,
    /// A heading with where it leads.
    pub link: Option<(String, String)>,
    pub strong: Option<String>,
    /// The language of the words where it is not the page's.
    pub foreign: Option<String>,
    pub words: Vec<String>,
}

/// A form with one button.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub post_to: String,
    /// Names and values that are sent along.
    pub hidden: Vec<(String, String)>,
    /// A line that may be filled in: its name and label.
    pub line: Option<(String, String)>,
    pub button: String,
}

impl Plain {
    fn style() -> String {
        format!("{STYLE}{STATUS_STYLE}")
    }

    pub fn policy() -> String {
        policy(&Self::style())
    }
}
