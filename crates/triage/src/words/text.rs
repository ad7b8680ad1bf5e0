//! Cuts what a person wrote into words, each with its place in the original.
//!
//! Every later step (features, similarity, highlighting in the console) works on these tokens, so this is the
//! one place that knows about writing: case, accents, full-width forms, contractions, inflection, scripts without
//! spaces, and the invisible characters with which a text can be made to look like another. It never fails: a
//! text without words has no tokens, and a text that is too long is read up to a bound.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Bytes of a text that are read; the rest is ignored.
pub const BYTES_READ: usize = 16 * 1024;

/// Tokens taken from one text; the rest is ignored.
pub const TOKENS_READ: usize = 2_000;

/// Characters kept of one token; longer ones are cut, so that a line of base64 is one short token.
const TOKEN_CHARACTERS: usize = 40;

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Letters only.
    Word,
    /// Digits only.
    Number,
    /// Letters and digits together, such as an error code or a model.
    Identifier,
}

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Lower case, without accents, inflection untouched.
    pub text: String,
    /// What it looks like.
    pub kind: Kind,
    /// Bytes of the original that it came from; always on character boundaries.
    pub place: Range<usize>,
}

/// The words of `text` in order.
///
/// Contractions are taken apart (`can't` gives `can` and `not`, both with the place of the whole), accents and
/// letter case are dropped, compatibility forms are unified (Unicode NFKD), and every character of a script that
/// is written without spaces is a token of its own.
///
/// ```
/// use triage::words::tokens;
///
/// let words: Vec<String> = tokens("My CAFÉ card can't pay!").into_iter().map(|token| token.text).collect();
/// assert_eq!(words, ["my", "cafe", "card", "can", "not", "pay"]);
/// ```
pub fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter::default();
    for (start, character) in text.char_indices() {
        if start >= BYTES_READ || cutter.tokens.len() >= TOKENS_READ {
            break;
        }
        cutter.read(character, start..start + character.len_utf8());
    }
    cutter.finish_word();
    cutter.tokens.truncate(TOKENS_READ);
    cutter.tokens
}

#[derive(Default)]
struct Cutter {
    tokens: Vec<Token>,
    word: String,
    characters: usize,
    place: Range<usize>,
}

impl Cutter {
    fn read(&mut self, character: char, place: Range<usize>) {
        if is_invisible(character) {
            return;
        }
        if stands_alone(character) {
            self.finish_word();
            self.tokens.push(Token {
                text: character.to_string(),
                kind: Kind::Word,
                place,
            });
            return;
        }
        let character = if matches!(character, '’' | '‘' | 'ʼ' | '`' | '´') {
            '\''
        } else {
            character
        };
        decompose_compatible(character, |part| {
            for part in part.to_lowercase() {
                if part == 'ß' {
                    // As it is written where it has no capital form: STRASSE.
                    self.read_part('s', &place);
                    self.read_part('s', &place);
                } else {
                    self.read_part(part, &place);
                }
            }
        });
    }

    fn read_part(&mut self, part: char, place: &Range<usize>) {
        if is_dropped_mark(part) {
            return;
        }
        let inside = !self.word.is_empty();
        if part.is_alphanumeric() || (inside && (part == '\'' || is_combining_mark(part))) {
            if !inside {
                self.place = place.clone();
            }
            if self.characters < TOKEN_CHARACTERS {
                self.word.push(part);
                self.characters += 1;
            }
            if part != '\'' {
                self.place.end = place.end;
            }
        } else {
            self.finish_word();
        }
    }

    fn finish_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        self.characters = 0;
        let word = word.trim_end_matches('\'');
        if word.is_empty() {
            return;
        }
        let (stem, second) = expand(word);
        for text in [stem, second.to_owned()] {
            if !text.is_empty() {
                self.tokens.push(Token {
                    kind: kind_of(&text),
                    text,
                    place: self.place.clone(),
                });
            }
        }
    }
}

fn kind_of(text: &str) -> Kind {
    let digits = text.chars().filter(|character| character.is_numeric()).count();
    match digits {
        0 => Kind::Word,
        count if count == text.chars().count() => Kind::Number,
        _ => Kind::Identifier,
    }
}

/// A contraction as its two words; any other word alone.
fn expand(word: &str) -> (String, &'static str) {
    // People leave the apostrophe out; only forms that are no other word are listed.
    let negated = match word {
        "cannot" | "cant" | "can't" => Some("can"),
        "dont" => Some("do"),
        "doesnt" => Some("does"),
        "didnt" => Some("did"),
        "isnt" => Some("is"),
        "wasnt" => Some("was"),
        "hasnt" => Some("has"),
        "havent" => Some("have"),
        "couldnt" => Some("could"),
        "wouldnt" => Some("would"),
        "won't" | "wont" => Some("will"),
        _ => word.strip_suffix("n't"),
    };
    if let Some(verb) = negated {
        return (verb.to_owned(), "not");
    }
    for (ending, second) in [
        ("'m", "am"),
        ("'ve", "have"),
        ("'re", "are"),
        ("'ll", "will"),
        ("'d", "would"),
        ("'s", ""),
    ] {
        if let Some(first) = word.strip_suffix(ending) {
            return (first.replace('\'', ""), second);
        }
    }
    (word.replace('\'', ""), "")
}

/// Takes the common inflections off an English word; other words are returned as they are.
///
/// Deliberately light: `payments` and `payment`, `charged` and `charge` and `charging` fall together, and nothing
/// that reads differently does. Words of other languages meet through their character n-grams instead.
pub(crate) fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    if !word.bytes().all(|byte| byte.is_ascii_lowercase()) || word.len() < 4 {
        return stem;
    }
    let ends_in = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    if ends_in(&["ies"]) && word.len() > 4 {
        stem.truncate(word.len() - 3);
        stem.push('y');
    } else if ends_in(&["sses", "xes", "shes", "ches"]) {
        stem.truncate(word.len() - 2);
    } else if word.ends_with('s') && !ends_in(&["ss", "us", "is"]) {
        stem.truncate(word.len() - 1);
    }
    if stem.ends_with("ing") && stem.len() > 5 {
        stem.truncate(stem.len() - 3);
        undouble(&mut stem);
    } else if stem.ends_with("ied") && stem.len() > 4 {
        stem.truncate(stem.len() - 3);
        stem.push('y');
    } else if stem.ends_with("ed") && stem.len() > 4 {
        stem.truncate(stem.len() - 2);
        undouble(&mut stem);
    }
    if stem.ends_with('e') && stem.len() > 3 {
        stem.truncate(stem.len() - 1);
    }
    stem
}

/// `stopp` to `stop`, but `fill` stays.
fn undouble(stem: &mut String) {
    let mut last = stem.bytes().rev();
    if let (Some(one), Some(two)) = (last.next(), last.next())
        && one == two
        && !b"lsz".contains(&one)
    {
        stem.pop();
    }
}

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

/// Whether a word (as in [`Token::text`]) only holds sentences together.
pub(crate) fn is_glue(word: &str) -> bool {
    GLUE.binary_search(&word).is_ok()
}

/// The first `count` characters of `text`.
pub(crate) fn first_characters(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}

/// Characters without width or that turn the direction of writing: a reader does not see them, so neither do we.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Marks that a writer may leave out: Latin accents, Hebrew points, Arabic vowel signs.
fn is_dropped_mark(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}' | '\u{0640}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}')
}

/// Scripts written without spaces: Thai, Lao, Burmese, Khmer, Han, kana.
fn stands_alone(character: char) -> bool {
    matches!(character,
        '\u{0E01}'..='\u{0E30}' | '\u{0E81}'..='\u{0EB0}' | '\u{1000}'..='\u{102A}' | '\u{1780}'..='\u{17B3}'
        | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BYTES_READ, GLUE, Kind, TOKENS_READ, stem, tokens};

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn contractions_with_and_without_apostrophe_read_alike() {
        assert_eq!(
            words("It doesn’t work, I'm stuck"),
            words("it doesnt work i am stuck")
        );
        assert_eq!(words("customer's"), ["customer"]);
    }

    #[test]
    fn accents_full_width_forms_and_invisible_characters_do_not_matter() {
        assert_eq!(words("Überweisung"), ["uberweisung"]);
        assert_eq!(words("ｃａｒｄ"), ["card"]);
        assert_eq!(words("Straße STRASSE"), ["strasse", "strasse"]);
        assert_eq!(words("pay\u{200B}ment \u{202E}x"), ["payment", "x"]);
        assert_eq!(words("שָׁלוֹם"), words("שלום"));
    }

    #[test]
    fn scripts_without_spaces_give_one_token_for_each_character() {
        assert_eq!(words("支払い失敗"), ["支", "払", "い", "失", "敗"]);
    }

    #[test]
    fn kinds_tell_words_numbers_and_codes_apart() {
        let kinds: Vec<Kind> = tokens("error 503 E1042")
            .into_iter()
            .map(|token| token.kind)
            .collect();
        assert_eq!(kinds, [Kind::Word, Kind::Number, Kind::Identifier]);
    }

    #[test]
    fn places_point_at_the_original() {
        let text = "Ça ne marche — «paiement» can't";
        for token in tokens(text) {
            assert!(!text[token.place.clone()].is_empty());
        }
        let last = tokens(text).pop().unwrap();
        assert_eq!(&text[last.place], "can't");
    }

    #[test]
    fn inflections_fall_together() {
        for (one, other) in [
            ("payments", "payment"),
            ("charged", "charging"),
            ("tries", "try"),
            ("stopped", "stop"),
        ] {
            assert_eq!(stem(one), stem(other));
        }
        assert_eq!(stem("status"), "status");
    }

    #[test]
    fn a_million_characters_are_read_up_to_the_bound() {
        let long = "a ".repeat(500_000);
        assert_eq!(tokens(&long).len(), TOKENS_READ);
        assert_eq!(tokens(&"x".repeat(1_000_000)).len(), 1);
        assert!(
            tokens(&"é".repeat(1_000_000))
                .iter()
                .all(|token| token.place.end <= BYTES_READ + 4)
        );
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

    proptest! {
        #[test]
        fn any_text_gives_places_on_character_boundaries(text in "\\PC*|[\u{0}-\u{1F}\u{590}-\u{6FF}\u{202A}-\u{202E} a-z']*") {
            for token in tokens(&text) {
                prop_assert!(!token.text.is_empty());
                prop_assert!(text.get(token.place.clone()).is_some_and(|original| !original.is_empty()));
            }
        }
    }
}
