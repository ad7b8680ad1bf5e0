//! People: a face of two letters and a name. Machines have icons instead, so the two are told apart.

use askama::Template;

use super::drawn;

#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/person.html")]
pub enum Person {
    Someone(String),
    /// The reader; the name is kept for the letters of the face.
    You(String),
    /// Nobody, with the words that say so: "Nobody yet".
    Nobody(&'static str),
}

impl Person {
    pub fn named(name: impl Into<String>) -> Self {
        Self::Someone(name.into())
    }

    pub fn face(&self) -> Face {
        match self {
            Self::Someone(name) => Face {
                letters: letters(name),
                class: "",
            },
            Self::You(name) => Face {
                letters: letters(name),
                class: " you",
            },
            Self::Nobody(_) => Face {
                letters: "?".to_owned(),
                class: "",
            },
        }
    }

    /// "Maya Okafor", "You", "Nobody yet".
    pub fn words(&self) -> &str {
        match self {
            Self::Someone(name) => name,
            Self::You(_) => "You",
            Self::Nobody(words) => words,
        }
    }
}

/// The disc with two letters. It is hidden from screen readers: the name always stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="face{{ class }}" aria-hidden="true">{{ letters }}</span>"#,
    ext = "html"
)]
pub struct Face {
    pub letters: String,
    pub class: &'static str,
}

drawn!(Person, Face);

/// First letters of the first and the last word of a name.
pub fn letters(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .take(2)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_has_the_first_letters_of_first_and_last_name() {
        assert_eq!(letters("Maya Okafor"), "MO");
        assert_eq!(letters("Inés Caballero Montoya"), "IM");
        assert_eq!(letters("élise"), "É");
        assert_eq!(letters("  (the) 4th "), "T4");
        assert_eq!(letters("李 小龙"), "李小");
        assert_eq!(letters(""), "");
    }
}
