//! Reads a report as two bags of terms: words, and groups of four letters.
//!
//! Words carry the meaning and are what a person is shown; letters catch what is written a little differently.
//! Names made of several words (`NullPointerException`, `read_timeout`) count as a whole and by their parts, because
//! people quote them either way.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Field, Report};
use crate::words::{Token, stem, tokens};

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

/// Letters in a group.
const GROUP: usize = 4;

/// What a word that only holds sentences together counts, compared with one that says something.
const GLUE_WEIGHT: f32 = 0.25;

/// English words that hold sentences together. In a small index every word is rare, so rarity alone cannot tell
/// them from the words that matter.
const GLUE: &[&str] = &[
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "get", "had", "has", "have", "he", "hello", "her", "hi",
    "him", "his", "how", "i", "if", "in", "is", "it", "its", "just", "me", "my", "no", "not", "of", "on",
    "or", "our", "please", "she", "should", "so", "some", "than", "thank", "thanks", "that", "the", "their",
    "them", "then", "there", "they", "this", "to", "up", "us", "was", "we", "were", "what", "when", "where",
    "which", "who", "why", "will", "with", "would", "you", "your",
];

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
    let mut words = vec![hash(b'w', &stem(&token.text))];
    if parts.len() > 1 {
        words.extend(parts.iter().map(|part| hash(b'w', &stem(part))));
    }
    let spoken = if parts.len() > 1 {
        parts.as_slice()
    } else {
        std::slice::from_ref(&token.text)
    };
    let letters = spoken.iter().flat_map(|part| groups(part)).collect();
    let weight = if GLUE.binary_search(&token.text.as_str()).is_ok() {
        GLUE_WEIGHT
    } else {
        1.0
    };
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
        return vec![hash(b'l', &padded.iter().collect::<String>())];
    }
    padded
        .windows(GROUP)
        .map(|group| hash(b'l', &group.iter().collect::<String>()))
        .collect()
}

/// FNV-1a over a kind and the text, mixed once more so that all bits count.
fn hash(kind: u8, text: &str) -> u64 {
    let feed = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    let state = text.bytes().fold(feed(0xCBF2_9CE4_8422_2325, kind), feed);
    let state = (state ^ (state >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    state ^ (state >> 32)
}

/// The first `count` characters of `text`.
pub(super) fn first_characters(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
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
    use super::{GLUE, parts};

    #[test]
    fn names_in_camel_case_come_apart() {
        assert_eq!(parts("NullPointerException"), ["null", "pointer", "exception"]);
        assert_eq!(parts("HDFSClient"), ["hdfs", "client"]);
        assert_eq!(parts("URL"), ["url"]);
        assert_eq!(parts("card"), ["card"]);
    }

    #[test]
    fn glue_is_sorted_for_the_search() {
        let mut sorted = GLUE.to_vec();
        sorted.sort_unstable();
        assert_eq!(
            sorted.iter().position(|word| GLUE.binary_search(word).is_err()),
            None,
            "{sorted:?}"
        );
    }
}
