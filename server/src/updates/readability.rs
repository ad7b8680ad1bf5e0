//! How hard a text is to read: sentences, words, syllables, and the school grade they make.
//!
//! The grade is that of Flesch and Kincaid (US Navy, 1975): 0.39 × words a sentence + 11.8 × syllables a word
//! − 15.59. Syllables of English are counted by groups of vowels; other languages get a rough value.

use std::ops::Range;

/// A sentence by its place in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    pub place: Range<usize>,
    pub words: usize,
}

/// Cuts a text into sentences. Times such as 06:20, numbers such as 4.5 and abbreviated letters do not end one.
pub fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        let ends = match character {
            '.' | '!' | '?' | '…' => characters
                .peek()
                .is_none_or(|(_, next)| next.is_whitespace() || matches!(next, '"' | '”' | '’' | ')')),
            '\n' => characters.peek().is_some_and(|(_, next)| *next == '\n'),
            _ => false,
        };
        if ends {
            let end = position + character.len_utf8();
            push(text, start..end, &mut found);
            start = end;
        }
    }
    push(text, start..text.len(), &mut found);
    found
}

fn push(text: &str, place: Range<usize>, found: &mut Vec<Sentence>) {
    let Some(piece) = text.get(place.clone()) else {
        return;
    };
    let words = words(piece).count();
    if words == 0 {
        return;
    }
    let lead = piece.len() - piece.trim_start().len();
    let tail = piece.len() - piece.trim_end().len();
    found.push(Sentence {
        place: place.start + lead..place.end - tail,
        words,
    });
}

pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

/// The school grade a reader needs; 0 for an empty text.
pub fn grade(text: &str) -> f64 {
    let sentences = sentences(text).len();
    let words: Vec<&str> = words(text).collect();
    if sentences == 0 || words.is_empty() {
        return 0.0;
    }
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let (sentences, count) = (sentences as f64, words.len() as f64);
    (0.39 * count / sentences + 11.8 * syllables as f64 / count - 15.59).max(0.0)
}

fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    if !word.chars().any(char::is_alphabetic) {
        return 1;
    }
    let mut groups = 0_usize;
    let mut inside = false;
    for character in word.chars() {
        let vowel = "aeiouyäöüéèêàâîôûáíóúåøæœ".contains(character);
        if vowel && !inside {
            groups += 1;
        }
        inside = vowel;
    }
    let silent = (word.ends_with('e') && !word.ends_with("le"))
        || (word.ends_with("ed") && !word.ends_with("ted") && !word.ends_with("ded"))
        || (word.ends_with("es")
            && !word.ends_with("ses")
            && !word.ends_with("ces")
            && !word.ends_with("xes"));
    if silent && groups > 1 {
        groups -= 1;
    }
    groups.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_easy_and_engineers_words_are_not() {
        let plain = "Card payments do not work. You can pay with cash. We will tell you more by 06:20 GMT.";
        let engineer = "Intermittent degradation of the authorisation infrastructure necessitates a \
                        comprehensive rollback of the previously deployed configuration across all regional installations.";
        assert!(grade(plain) < 4.0, "{}", grade(plain));
        assert!(grade(engineer) > 16.0, "{}", grade(engineer));
    }

    #[test]
    fn times_and_numbers_do_not_end_a_sentence() {
        let found = sentences("It began at 05.41 GMT. Version 4.18.0 is back!\n\nAll is well");
        let counted: Vec<usize> = found.iter().map(|one| one.words).collect();
        assert_eq!(counted, [5, 4, 3]);
    }

    #[test]
    fn an_empty_text_has_no_grade() {
        assert!(grade(" \n").abs() < f64::EPSILON);
        assert!(sentences("…").is_empty());
    }
}
