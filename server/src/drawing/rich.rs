//! A line of text with emphasis, code, links, and the marks that screens put under words. It is built from
//! runs instead of HTML, so text from outside can never become markup.

use askama::Template;

use super::drawn;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    Plain(String),
    Strong(String),
    Code(String),
    Link {
        words: String,
        to: String,
    },
    /// Why a search matched.
    Matched(String),
    /// Words that come from a numbered fact.
    Fact {
        words: String,
        number: u8,
    },
    /// Words that the checker objects to.
    Found(String),
}

/// Runs of text, one after the other. Empty is drawn as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "kit/rich.html")]
pub struct Rich {
    pub runs: Vec<Run>,
}

impl Rich {
    pub fn plain(words: impl Into<String>) -> Self {
        Self::default().then(words)
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    #[must_use]
    pub fn then(self, words: impl Into<String>) -> Self {
        self.run(Run::Plain(words.into()))
    }

    #[must_use]
    pub fn strong(self, words: impl Into<String>) -> Self {
        self.run(Run::Strong(words.into()))
    }

    #[must_use]
    pub fn code(self, words: impl Into<String>) -> Self {
        self.run(Run::Code(words.into()))
    }

    #[must_use]
    pub fn link(self, words: impl Into<String>, to: impl Into<String>) -> Self {
        self.run(Run::Link {
            words: words.into(),
            to: to.into(),
        })
    }

    #[must_use]
    pub fn matched(self, words: impl Into<String>) -> Self {
        self.run(Run::Matched(words.into()))
    }

    #[must_use]
    pub fn fact(self, words: impl Into<String>, number: u8) -> Self {
        self.run(Run::Fact {
            words: words.into(),
            number,
        })
    }

    #[must_use]
    pub fn found(self, words: impl Into<String>) -> Self {
        self.run(Run::Found(words.into()))
    }

    #[must_use]
    pub fn run(mut self, run: Run) -> Self {
        self.runs.push(run);
        self
    }
}

impl From<&str> for Rich {
    fn from(words: &str) -> Self {
        Self::plain(words)
    }
}

impl From<String> for Rich {
    fn from(words: String) -> Self {
        Self::plain(words)
    }
}

drawn!(Rich);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_never_becomes_markup() {
        let drawn = Rich::plain("<script>")
            .strong("<b>")
            .code("<i>")
            .link("\"", "/a?\"b")
            .render()
            .unwrap();
        assert_eq!(
            drawn,
            "&#60;script&#62;<b>&#60;b&#62;</b><code>&#60;i&#62;</code><a href=\"/a?&#34;b\">&#34;</a>"
        );
    }
}
