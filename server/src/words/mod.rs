//! Words, by who may read them. What is not known to be public is internal.
//!
//! Everything that people write or Muster composes begins as [`InternalText`]. It becomes a [`PublicText`]
//! in one way only: somebody who may do so, or a named rule, approves these very words. There is no
//! conversion, no `From`, no shared trait. Public pages, mails and feeds take `PublicText` and nothing else,
//! so that words meant for the house cannot reach a customer without the compiler refusing.
//!
//! A database column is read as `PublicText` only where the column is declared to hold nothing else: words
//! that were approved before they were stored, and what the catalogue says about itself to customers.

pub mod template;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::people::UserId;

/// Words for the people of the house. Deliberately without `Display`: putting them into a text that
/// somebody reads takes a call that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InternalText(String);

/// Words that anybody may read.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PublicText(String);

store::text_type!(InternalText, PublicText);

/// Who answers for words that go outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    pub by: Approver,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approver {
    /// Somebody read exactly these words and agreed.
    Person(UserId),
    /// A rule that the house has set, such as an audience whose template needs no approval. The name is
    /// kept with what was sent.
    Rule(&'static str),
}

impl Approval {
    pub fn by_person(user_id: &UserId, at: Timestamp) -> Self {
        Self {
            by: Approver::Person(user_id.clone()),
            at,
        }
    }

    pub fn by_rule(name: &'static str, at: Timestamp) -> Self {
        Self {
            by: Approver::Rule(name),
            at,
        }
    }
}

impl InternalText {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For readers inside the house.
    pub fn for_insiders(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl PublicText {
    /// The only way from the house to the outside: `approval` says who answers for exactly these words.
    pub fn approve(words: &InternalText, _approval: &Approval) -> Self {
        Self(words.0.clone())
    }

    /// Words of the program itself, known when it was built.
    pub fn fixed(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Public words may be read inside, too.
    pub fn to_internal(&self) -> InternalText {
        InternalText(self.0.clone())
    }
}

impl std::fmt::Display for PublicText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_outside_unchanged_and_only_with_an_approval() {
        let now: Timestamp = "2026-11-17T06:12:00Z".parse().unwrap();
        let words = InternalText::new("Card payments do not work.");
        let approval = Approval::by_person(&UserId::from("Q1"), now);
        let public = PublicText::approve(&words, &approval);
        assert_eq!(public.to_string(), "Card payments do not work.");
        assert_eq!(public.to_internal(), words);
    }
}
