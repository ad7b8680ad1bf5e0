//! Templates learned from the stream: which of the words left by the masks vary.
//!
//! A message is split at white space. A word that holds a digit is taken as a value at once, so most messages are
//! filed under their final template when they are first seen. The rest is learned by counting: when the messages
//! that agree in all words but one show enough different words there, that place becomes a value too, and what was
//! learned separately becomes one template. How many are enough depends on how much else agrees, because two words
//! in common are weaker evidence than six. Places are found by hashing the message without one word, so a message
//! costs time in proportion to its words, whatever was learned before.
//!
//! This is the parse tree of Drain (He and others 2017) turned around: Drain merges what is similar and must be told
//! how similar; here only what was seen to vary varies.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::mask::mask;
use crate::{
    event::truncate,
    hash::{combine, stable_hash},
    work,
};

/// Number of a template. Templates may become one later: see [`Templates::current`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateId(u64);

/// A bounded, deterministic memory of message templates.
///
/// Messages are masked first ([`mask`](crate::mask())). The parse tree is that of Drain (He and others, "Drain: An online log
/// parsing approach with fixed depth tree", ICWS 2017) turned around: only what was seen to vary becomes a value. A message
/// costs time in proportion to its words, however many templates are known. A snapshot that would give a number twice
/// is refused when it is read.
///
/// ```
/// let mut templates = triage::Templates::default();
/// let first = templates.learn("backup of db7 took 93s");
/// let second = templates.learn("backup of db12 took 2h");
/// assert_eq!(first, second);
/// assert_eq!(templates.text(first).as_deref(), Some("backup of <*> took <duration>"));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Templates {
    capacity: usize,
    next: u64,
    clock: u64,
    patterns: BTreeMap<TemplateId, Pattern>,
    /// Templates that became part of another one.
    became: BTreeMap<TemplateId, TemplateId>,
    /// Hashes of patterns whose place was found to vary.
    varies: BTreeMap<u64, u64>,
    by_hash: HashMap<u64, TemplateId>,
    places: HashMap<u64, Vec<TemplateId>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pattern {
    words: Vec<Box<str>>,
    /// Instant of last use, in messages.
    used: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    capacity: usize,
    next: u64,
    clock: u64,
    patterns: Vec<(TemplateId, Pattern)>,
    became: Vec<(TemplateId, TemplateId)>,
    varies: Vec<(u64, u64)>,
}

/// Counts stay below this, so that counting on never runs over.
const HIGHEST: u64 = u64::MAX / 2;

#[derive(Debug, thiserror::Error)]
#[error("the templates would be given a number twice")]
struct Spoiled;

impl TryFrom<Stored> for Templates {
    type Error = Spoiled;

    fn try_from(stored: Stored) -> Result<Self, Spoiled> {
        let known = stored.patterns.iter().map(|(id, _)| id);
        let highest = known.chain(stored.became.iter().map(|(id, _)| id)).max();
        if stored.next.max(stored.clock) > HIGHEST || highest.is_some_and(|id| id.0 >= stored.next) {
            return Err(Spoiled);
        }
        let mut templates = Self {
            capacity: stored.capacity.max(SMALLEST),
            next: stored.next,
            clock: stored.clock,
            patterns: stored.patterns.into_iter().collect(),
            became: stored.became.into_iter().collect(),
            varies: stored.varies.into_iter().collect(),
            by_hash: HashMap::new(),
            places: HashMap::new(),
        };
        templates.settle();
        templates.index_again();
        Ok(templates)
    }
}

impl From<Templates> for Stored {
    fn from(templates: Templates) -> Self {
        Self {
            capacity: templates.capacity,
            next: templates.next,
            clock: templates.clock,
            patterns: templates.patterns.into_iter().collect(),
            became: templates.became.into_iter().collect(),
            varies: templates.varies.into_iter().collect(),
        }
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self::with_capacity(20_000)
    }
}

/// Longest message that is read, in bytes, and in words.
const BYTES: usize = 2048;
const WORDS: usize = 64;
const SMALLEST: usize = 16;
/// The place of a value.
const VALUE: &str = "<*>";

impl Templates {
    /// Remembers at most `capacity` templates; those unused for longest are forgotten, half of them at once.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(SMALLEST),
            next: 0,
            clock: 0,
            patterns: BTreeMap::new(),
            became: BTreeMap::new(),
            varies: BTreeMap::new(),
            by_hash: HashMap::new(),
            places: HashMap::new(),
        }
    }

    /// Files a message and learns from it.
    pub fn learn(&mut self, message: &str) -> TemplateId {
        self.clock += 1;
        let words = self.generalise(split(message));
        let hash = hash_words(&words);
        if let Some(id) = self.by_hash.get(&hash).copied() {
            if let Some(pattern) = self.patterns.get_mut(&id) {
                pattern.used = self.clock;
                show_as_values(&mut pattern.words, &words);
            }
            return id;
        }
        if self.patterns.len() >= self.capacity {
            self.forget_unused();
        }
        let id = self.insert(words, hash);
        self.current(id)
    }

    /// Finds the template of a message without learning.
    pub fn find(&self, message: &str) -> Option<TemplateId> {
        self.by_hash
            .get(&hash_words(&self.generalise(split(message))))
            .copied()
    }

    /// The template that an earlier one has become; itself if it is as it was.
    pub fn current(&self, mut id: TemplateId) -> TemplateId {
        while let Some(next) = self.became.get(&id) {
            id = *next;
        }
        id
    }

    /// The template as text, values as `<*>` or as the mask that found them. `None` when it was forgotten.
    pub fn text(&self, id: TemplateId) -> Option<String> {
        self.patterns
            .get(&self.current(id))
            .map(|pattern| pattern.words.join(" "))
    }

    /// Number of templates.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// True while no message was learned.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Replaces the words at places that are known to vary.
    fn generalise(&self, mut words: Vec<Box<str>>) -> Vec<Box<str>> {
        let mut hash = hash_words(&words);
        let mut position = 0;
        while position < words.len() {
            work::count(1);
            let without = without(hash, position, &words[position]);
            if identity(&words[position]) != VALUE && self.varies.contains_key(&without) {
                words[position] = VALUE.into();
                hash = without;
                position = 0;
            } else {
                position += 1;
            }
        }
        words
    }

    fn insert(&mut self, words: Vec<Box<str>>, hash: u64) -> TemplateId {
        let id = TemplateId(self.next);
        self.next += 1;
        self.by_hash.insert(hash, id);
        self.patterns.insert(
            id,
            Pattern {
                words: words.clone(),
                used: self.clock,
            },
        );
        if self.places.contains_key(&hash) && plain_words(&words) >= ENOUGH_BESIDE_A_VALUE {
            self.unite(hash, 0, words);
            return id;
        }
        work::count(words.len());
        for position in 0..words.len() {
            if identity(&words[position]) == VALUE {
                continue;
            }
            let place = without(hash, position, &words[position]);
            let enough = if self.by_hash.contains_key(&place) {
                enough_beside_a_value(&words, position)
            } else {
                enough(&words, position)
            };
            let seen = self.places.entry(place).or_default();
            seen.push(id);
            if seen.len() >= enough {
                self.unite(place, position, words);
                break;
            }
        }
        id
    }

    /// The place varies: all patterns that differ only there become one.
    fn unite(&mut self, place: u64, position: usize, mut words: Vec<Box<str>>) {
        self.varies.insert(place, self.clock);
        words[position] = VALUE.into();
        let parts = self.places.remove(&place).unwrap_or_default();
        let whole = match self.by_hash.get(&place) {
            Some(id) => *id,
            None => self.insert(words, place),
        };
        let whole = self.current(whole);
        for part in parts {
            if part == whole {
                continue;
            }
            if let Some(pattern) = self.patterns.remove(&part) {
                self.by_hash.remove(&hash_words(&pattern.words));
                self.remove_from_places(part, &pattern);
                self.became.insert(part, whole);
            }
        }
    }

    fn remove_from_places(&mut self, id: TemplateId, pattern: &Pattern) {
        let hash = hash_words(&pattern.words);
        for (position, word) in pattern.words.iter().enumerate() {
            let place = without(hash, position, word);
            if let Some(seen) = self.places.get_mut(&place) {
                work::count(seen.len());
                seen.retain(|other| *other != id);
                if seen.is_empty() {
                    self.places.remove(&place);
                }
            }
        }
    }

    fn forget_unused(&mut self) {
        work::count(2 * self.patterns.len() + self.varies.len());
        let mut used: Vec<u64> = self.patterns.values().map(|pattern| pattern.used).collect();
        used.sort_unstable();
        let median = used.get(used.len() / 2).copied().unwrap_or(0);
        self.patterns.retain(|_, pattern| pattern.used > median);
        self.settle();
        if self.varies.len() > self.capacity {
            let mut since: Vec<u64> = self.varies.values().copied().collect();
            since.sort_unstable();
            let newest_forgotten = since[since.len() - self.capacity - 1];
            self.varies.retain(|_, since| *since > newest_forgotten);
        }
        self.index_again();
    }

    /// Lets every template that became another point at what it is now. Those that lead to a forgotten one are dropped, and so
    /// are those of a spoiled snapshot that lead in a circle: each step makes a value of at least one word, so a way is
    /// never longer than a message.
    fn settle(&mut self) {
        work::count(self.became.len());
        let settled = self.became.keys().filter_map(|id| {
            let mut end = *id;
            for _ in 0..=WORDS {
                match self.became.get(&end) {
                    Some(next) => end = *next,
                    None => return self.patterns.contains_key(&end).then_some((*id, end)),
                }
            }
            None
        });
        self.became = settled.collect();
    }

    fn index_again(&mut self) {
        self.by_hash.clear();
        self.places.clear();
        for (id, pattern) in &self.patterns {
            work::count(pattern.words.len());
            let hash = hash_words(&pattern.words);
            self.by_hash.insert(hash, *id);
            for (position, word) in pattern.words.iter().enumerate() {
                if identity(word) != VALUE {
                    self.places
                        .entry(without(hash, position, word))
                        .or_default()
                        .push(*id);
                }
            }
        }
    }
}

/// Words that agree only in being values are shown as one.
fn show_as_values(shown: &mut [Box<str>], words: &[Box<str>]) {
    for (known, word) in shown.iter_mut().zip(words) {
        if known != word && &**known != VALUE {
            *known = VALUE.into();
        }
    }
}

/// Where a value was seen at the same place, one word is enough to vary if so many others agree.
const ENOUGH_BESIDE_A_VALUE: usize = 3;

/// How many different words at a place show that it varies. The first word names the event more often than not, so
/// it takes more.
fn enough(words: &[Box<str>], position: usize) -> usize {
    let enough = match plain_words_beside(words, position) {
        0 => usize::MAX,
        1 => 12,
        2 => 6,
        _ => 4,
    };
    if position == 0 {
        enough.saturating_mul(3)
    } else {
        enough
    }
}

/// The same where a value was seen at the place before.
fn enough_beside_a_value(words: &[Box<str>], position: usize) -> usize {
    if position > 0 && plain_words_beside(words, position) >= ENOUGH_BESIDE_A_VALUE {
        1
    } else {
        enough(words, position)
    }
}

fn plain_words_beside(words: &[Box<str>], position: usize) -> usize {
    plain_words(words) - usize::from(is_plain(&words[position]))
}

fn plain_words(words: &[Box<str>]) -> usize {
    words.iter().filter(|word| is_plain(word)).count()
}

/// A word of the message itself, not a value and not only punctuation.
fn is_plain(word: &str) -> bool {
    identity(word) != VALUE && word.chars().any(char::is_alphabetic)
}

fn split(message: &str) -> Vec<Box<str>> {
    let masked = mask(truncate(message, BYTES));
    masked.split_whitespace().take(WORDS).map(Into::into).collect()
}

/// What identifies a word: a word that holds a digit or a mask is a value whatever surrounds it.
fn identity(word: &str) -> &str {
    let value = word.bytes().any(|byte| byte.is_ascii_digit())
        || (word.contains('<') && MASKS.iter().any(|mask| word.contains(mask)));
    if value { VALUE } else { word }
}

const MASKS: [&str; 8] = [
    "<*>",
    "<address>",
    "<number>",
    "<id>",
    "<duration>",
    "<time>",
    "<path>",
    "<text>",
];

fn at(position: usize, word: &str) -> u64 {
    combine(position as u64, stable_hash(identity(word)))
}

/// A sum, so that one word can be exchanged without reading the others again.
fn hash_words(words: &[Box<str>]) -> u64 {
    words
        .iter()
        .enumerate()
        .fold(words.len() as u64, |sum, (position, word)| {
            sum.wrapping_add(at(position, word))
        })
}

fn without(hash: u64, position: usize, word: &str) -> u64 {
    hash.wrapping_sub(at(position, word))
        .wrapping_add(at(position, VALUE))
}

#[cfg(test)]
mod tests {
    use super::{TemplateId, Templates, WORDS};
    use crate::work;

    fn letters(mut number: usize) -> String {
        let mut text = String::new();
        for _ in 0..4 {
            text.push(char::from(b'a' + (number % 26) as u8));
            number /= 26;
        }
        text
    }

    /// What a message makes the memory look at: each word, anew after each that turns out to be a value, and the short lists of
    /// messages that differ in one place.
    #[test]
    fn the_work_for_a_message_does_not_grow_with_what_is_known() {
        let most = |known: usize| {
            let mut templates = Templates::with_capacity(1_000_000);
            for number in 0..known {
                templates.learn(&format!("{} of {} is down", letters(number), letters(number * 7)));
            }
            (0..200)
                .map(|number| {
                    let message = format!("{} of {} is down", letters(number * 31), letters(number * 17));
                    work::of(|| templates.learn(&message)).0 + work::of(|| templates.find(&message)).0
                })
                .max()
        };
        let (few, many) = (most(500).unwrap(), most(10_000).unwrap());
        assert!(
            few > 0 && many <= few + few / 2 + 64,
            "{few} after 500, {many} after 10,000"
        );
    }

    #[test]
    fn a_long_message_full_of_values_costs_no_more_than_its_words_squared() {
        let mut templates = Templates::default();
        let long = "word ".repeat(1_000_000);
        let (work, _) = work::of(|| templates.learn(&long));
        assert!((1..=2 * (WORDS * WORDS) as u64).contains(&work), "{work}");
    }

    #[test]
    fn forgetting_costs_each_message_little() {
        let mut templates = Templates::with_capacity(100);
        let messages = 20_000;
        let (work, ()) = work::of(|| {
            for number in 0..messages {
                templates.learn(&format!(
                    "{} {} went away for good",
                    letters(number / 5),
                    letters(number)
                ));
            }
        });
        assert!(templates.len() <= 100);
        assert!(
            work <= 150 * messages as u64,
            "{} units a message",
            work / messages as u64
        );
    }

    #[test]
    fn what_became_of_a_template_is_known_after_others_were_forgotten() {
        let mut templates = Templates::with_capacity(16);
        let first = templates.learn("user anna left the room");
        for place in ["room", "house", "garden", "shop", "yard", "train"] {
            for name in ["anna", "ben", "carla", "dora", "emil"] {
                templates.learn(&format!("user {name} left the {place}"));
            }
        }
        let text = templates.text(first).unwrap();
        assert_eq!(text, "user <*> left the <*>");
        for round in 0..30 {
            templates.learn("user zoe left the room");
            templates.learn(&format!("{} {} {round}", letters(round), letters(round * 3)));
        }
        assert_eq!(templates.text(first), Some(text));
    }

    #[test]
    fn a_spoiled_snapshot_whose_counts_are_at_their_end_or_behind_is_refused() {
        let mut templates = Templates::default();
        templates.learn("the backup of the shop has ended");
        let written = serde_json::to_string(&templates).unwrap();
        assert!(serde_json::from_str::<Templates>(&written).is_ok());
        for (was, spoiled) in [
            (r#""clock":1"#, r#""clock":18446744073709551615"#),
            (r#""next":1"#, r#""next":18446744073709551615"#),
            (r#""next":1"#, r#""next":0"#),
        ] {
            let written = written.replace(was, spoiled);
            assert!(written.contains(spoiled), "{was} is not in {written}");
            assert!(serde_json::from_str::<Templates>(&written).is_err(), "{spoiled}");
        }
    }

    #[test]
    fn a_spoiled_snapshot_that_leads_in_a_circle_comes_to_an_end() {
        let spoiled =
            r#"{"capacity":16,"next":3,"clock":3,"patterns":[],"became":[[0,1],[1,0],[2,2]],"varies":[]}"#;
        let templates: Templates = serde_json::from_str(spoiled).unwrap();
        assert_eq!(templates.current(TemplateId(0)), TemplateId(0));
        assert_eq!(templates.text(TemplateId(2)), None);
    }
}
