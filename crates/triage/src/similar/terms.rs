//! Reads a report as two bags of terms: words, and groups of four letters.
//!
//! Words carry the meaning and are what a person is shown; letters catch what is written a little differently.
//! Names made of several words (`NullPointerException`, `read_timeout`) count as a whole and by their parts, because
//! people quote them either way.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Field, Report};
use crate::hash::stable_hash_pair;
use crate::words::{Token, first_characters, is_glue, stem, tokens};

/// Characters of the body that are read for words.
const BODY_CHARACTERS: usize = 1_000;

/// Characters of the body that are read for letters.
const LETTER_CHARACTERS: usize = 600;

/// Characters of the title that are read.
const TITLE_CHARACTERS: usize = 400;

/// How often a word of the title counts, compared with one of the body.
const TITLE_WEIGHT: f32 = 2.0;

/// The same for letters, which are many more in the body.
const TITLE_LETTER_WEIGHT: f32 = 3.0;

/// Keeps words and letters apart where they are hashed.
const WORD: &str = "w";
const LETTERS: &str = "l";

/// Letters in a group.
const GROUP: usize = 4;

/// What a word that only holds sentences together counts, compared with one that says something.
const GLUE_WEIGHT: f32 = 0.25;

/// A term by the hash of its content, and how often it occurs (weighted by field).
pub(super) type Bag = Vec<(u64, f32)>;

/// A report as terms, ascending by hash.
pub(super) struct Terms {
    pub(super) words: Bag,
    pub(super) letters: Bag,
}

/// A word of a report with the terms that come from it.
pub(super) struct Mention {
    pub(super) field: Field,
    pub(super) place: Range<usize>,
    pub(super) words: Vec<u64>,
    pub(super) letters: Vec<u64>,
    /// What one of the words counts.
    pub(super) weight: f32,
    /// What one of the letters counts.
    pub(super) letter_weight: f32,
}

/// Every word of a report that is read, in order.
pub(super) fn mentions(report: &Report) -> Vec<Mention> {
    let title = first_characters(&report.title, TITLE_CHARACTERS);
    let body = first_characters(&report.body, BODY_CHARACTERS);
    let letters_end = first_characters(body, LETTER_CHARACTERS).len();
    let in_title = tokens(title).into_iter().map(|token| {
        let mut mention = read(&token, title, Field::Title);
        mention.weight *= TITLE_WEIGHT;
        mention.letter_weight *= TITLE_LETTER_WEIGHT;
        mention
    });
    let in_body = tokens(body).into_iter().map(|token| {
        let mut mention = read(&token, body, Field::Body);
        if token.place.end > letters_end {
            mention.letters.clear();
        }
        mention
    });
    in_title.chain(in_body).collect()
}

/// The bags of a report.
pub(super) fn terms(mentions: &[Mention]) -> Terms {
    let mut words: BTreeMap<u64, f32> = BTreeMap::new();
    let mut letters: BTreeMap<u64, f32> = BTreeMap::new();
    for mention in mentions {
        for word in &mention.words {
            *words.entry(*word).or_default() += mention.weight;
        }
        for group in &mention.letters {
            *letters.entry(*group).or_default() += mention.letter_weight;
        }
    }
    Terms {
        words: words.into_iter().collect(),
        letters: letters.into_iter().collect(),
    }
}

fn read(token: &Token, text: &str, field: Field) -> Mention {
    let original = text.get(token.place.clone()).unwrap_or_default();
    let parts = parts(original);
    let mut words = vec![stable_hash_pair(WORD, &stem(&token.text))];
    if parts.len() > 1 {
        words.extend(parts.iter().map(|part| stable_hash_pair(WORD, &stem(part))));
    }
    let spoken = if parts.len() > 1 {
        parts.as_slice()
    } else {
        std::slice::from_ref(&token.text)
    };
    let letters = spoken.iter().flat_map(|part| groups(part)).collect();
    let weight = if is_glue(&token.text) { GLUE_WEIGHT } else { 1.0 };
    Mention {
        field,
        place: token.place.clone(),
        words,
        letters,
        weight,
        letter_weight: weight,
    }
}

/// The parts of a name in camel case, in lower case; one part for any other word.
fn parts(original: &str) -> Vec<String> {
    let characters: Vec<char> = original.chars().collect();
    let mut parts: Vec<String> = Vec::new();
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1);
        let begins = character.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if parts.is_empty() || begins {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.extend(character.to_lowercase());
        }
    }
    parts
}

fn groups(word: &str) -> Vec<u64> {
    let padded: Vec<char> = std::iter::once(' ')
        .chain(word.chars())
        .chain(std::iter::once(' '))
        .collect();
    if padded.len() <= GROUP {
        return vec![stable_hash_pair(LETTERS, &padded.iter().collect::<String>())];
    }
    padded
        .windows(GROUP)
        .map(|group| stable_hash_pair(LETTERS, &group.iter().collect::<String>()))
        .collect()
}

/// The part of a report that is ever read, so that nothing else is kept.
pub(super) fn trimmed(report: Report) -> Report {
    let facts = |facts: Vec<String>| -> Vec<String> {
        let mut facts: Vec<String> = facts
            .into_iter()
            .map(|fact| first_characters(&fact, FACT_CHARACTERS).to_owned())
            .take(FACTS)
            .collect();
        facts.sort();
        facts.dedup();
        facts
    };
    Report {
        title: first_characters(&report.title, TITLE_CHARACTERS).to_owned(),
        body: first_characters(&report.body, BODY_CHARACTERS).to_owned(),
        template: report
            .template
            .map(|template| first_characters(&template, FACT_CHARACTERS).to_owned()),
        services: facts(report.services),
        touchpoints: facts(report.touchpoints),
        locations: facts(report.locations),
        at: report.at,
    }
}

/// Facts of one kind that are read.
const FACTS: usize = 256;

/// Characters of a fact that are read.
const FACT_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn names_in_camel_case_come_apart() {
        assert_eq!(parts("NullPointerException"), ["null", "pointer", "exception"]);
        assert_eq!(parts("HDFSClient"), ["hdfs", "client"]);
        assert_eq!(parts("URL"), ["url"]);
        assert_eq!(parts("card"), ["card"]);
    }
}
