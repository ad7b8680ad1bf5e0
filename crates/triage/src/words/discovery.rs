//! Finds topics that nobody named: texts that say alike are gathered as they come.
//!
//! Each text goes to the cluster that it is most like, or founds one of its own if it is like none
//! ([`Settings::likeness`]). A cluster remembers what its texts have in common (their words, and groups of four letters
//! against typing errors), each weighted by how rare it is among all texts seen. Two clusters that turn out to say the
//! same become one; people can do the same with [`Discovery::merge`], or drop one. Everything is bounded: the
//! cluster that is small and was silent longest makes room, and of each only the weightiest terms are kept. The same
//! texts in the same order give the same clusters.
//!
//! ```
//! use triage::words::discovery::Discovery;
//!
//! let mut discovery = Discovery::default();
//! for text in [
//!     "the self checkout at gate 3 is frozen",
//!     "where can I see my loyalty points",
//!     "self checkout frozen again, nobody can pay",
//! ] {
//!     discovery.observe(text);
//! }
//! let placed = discovery.place("checkout is frozen").unwrap();
//! let cluster = discovery.clusters().iter().find(|cluster| cluster.id == placed.cluster).unwrap();
//! assert_eq!((cluster.texts, discovery.clusters().len()), (2, 2));
//! assert!(placed.words.contains(&"frozen".to_owned()));
//! ```

mod snapshot;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::{Kind, Token, first_characters, is_glue, stem, tokens};
use crate::hash::stable_hash_pair;

/// Tokens of a text that are read.
const TOKENS: usize = 200;

/// Letters in a group.
const GROUP: usize = 4;

/// Terms kept of a cluster, of each sort.
const TERMS_KEPT: usize = 80;

/// Terms whose rarity is remembered.
const RARITIES_KEPT: usize = 50_000;

/// How alike two clusters are to become one, above [`Settings::likeness`].
const MERGE_MARGIN: f64 = 0.2;

/// Texts between two searches for clusters to be merged.
const MERGE_EVERY: u64 = 256;

/// Words that name a cluster.
const NAME_WORDS: usize = 5;

/// Characters kept of an example.
const EXAMPLE_CHARACTERS: usize = 300;

/// Examples kept of a cluster.
const EXAMPLES: usize = 3;

/// How texts are gathered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How like a cluster a text must be to join it, 0 to 1.
    pub likeness: f64,
    /// Clusters kept at most.
    pub clusters_maximum: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            likeness: 0.25,
            clusters_maximum: 500,
        }
    }
}

/// Where a text was put.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placement {
    /// The cluster.
    pub cluster: u64,
    /// How like it the text is, 0 to 1; 1 for its founder.
    pub likeness: f64,
    /// The words that it shares with the cluster, rarest first; empty for its founder.
    pub words: Vec<String>,
}

/// A gathered topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Never used again for another.
    pub id: u64,
    /// Texts gathered.
    pub texts: u64,
    /// Its first texts, cut.
    pub examples: Vec<String>,
    /// Number of the last text that joined, counted over all texts.
    pub last: u64,
    words: Terms,
    letters: Terms,
    spelling: BTreeMap<u64, String>,
    /// Of words and letters; measured anew when a text joins and at every search for merges, because rarities drift.
    lengths: (f64, f64),
}

/// How often each term occurred, by the hash of the term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, f32)>", into = "Vec<(u64, f32)>")]
struct Terms(BTreeMap<u64, f32>);

impl From<Vec<(u64, f32)>> for Terms {
    fn from(terms: Vec<(u64, f32)>) -> Self {
        Self(terms.into_iter().collect())
    }
}

impl From<Terms> for Vec<(u64, f32)> {
    fn from(terms: Terms) -> Self {
        terms.0.into_iter().collect()
    }
}

/// Topics found so far, at most [`Settings::clusters_maximum`]: a text joins the cluster that it is most like or founds one
/// (the leader algorithm; Hartigan, "Clustering Algorithms", 1975), and clusters that turn out alike are joined. The same
/// texts in the same order give the same clusters. A snapshot whose numbers do not belong together is refused when it is
/// read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "snapshot::Stored")]
pub struct Discovery {
    settings: Settings,
    clusters: Vec<Cluster>,
    next_id: u64,
    texts: u64,
    /// In how many texts each term was.
    seen: Terms,
}

struct Read {
    words: Terms,
    letters: Terms,
    spelling: BTreeMap<u64, String>,
}

impl Discovery {
    /// Nothing found yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Puts a text where it belongs; `None` for a text that says nothing.
    pub fn observe(&mut self, text: &str) -> Option<Placement> {
        let read = read(&tokens(text));
        if read.words.0.is_empty() {
            return None;
        }
        self.texts += 1;
        self.count(&read);
        let placement = match self.nearest(&read) {
            Some((index, placement)) => {
                self.clusters[index].take(&read, text, self.texts);
                self.measure(index);
                placement
            }
            None => Placement {
                cluster: self.found(&read, text),
                likeness: 1.0,
                words: Vec::new(),
            },
        };
        if self.texts.is_multiple_of(MERGE_EVERY) {
            self.merge_alike();
        }
        Some(self.after_merges(placement))
    }

    /// Where a text would be put, without learning from it; `None` if it is like no cluster.
    pub fn place(&self, text: &str) -> Option<Placement> {
        self.nearest(&read(&tokens(text))).map(|(_, placement)| placement)
    }

    fn nearest(&self, read: &Read) -> Option<(usize, Placement)> {
        let lengths = (self.length(&read.words), self.length(&read.letters));
        let (likeness, index) = self
            .clusters
            .iter()
            .enumerate()
            .map(|(index, cluster)| {
                (
                    self.likeness((&read.words, &read.letters), lengths, cluster),
                    index,
                )
            })
            .max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)))?;
        let cluster = &self.clusters[index];
        (likeness >= self.settings.likeness && likeness > 0.0).then(|| {
            (
                index,
                Placement {
                    cluster: cluster.id,
                    likeness,
                    words: self.shared(read, cluster),
                },
            )
        })
    }

    /// The clusters, in no particular order.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The words that set a cluster apart, weightiest first; empty if there is no such cluster.
    pub fn name(&self, id: u64) -> Vec<String> {
        let Some(cluster) = self.clusters.iter().find(|cluster| cluster.id == id) else {
            return Vec::new();
        };
        let mut weighted: Vec<(f64, &String)> = cluster
            .words
            .0
            .iter()
            .filter_map(|(term, count)| {
                Some((
                    f64::from(*count) * self.rarity(*term),
                    cluster.spelling.get(term)?,
                ))
            })
            .collect();
        weighted.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
        weighted
            .into_iter()
            .take(NAME_WORDS)
            .map(|(_, word)| word.clone())
            .collect()
    }

    /// Makes one cluster of two, as a person says that they are the same; keeps the first id. False if either is not
    /// there or both are the same.
    pub fn merge(&mut self, kept: u64, other: u64) -> bool {
        let at = |id: u64| self.clusters.iter().position(|cluster| cluster.id == id);
        let (Some(_), Some(from)) = (at(kept), at(other)) else {
            return false;
        };
        if kept == other {
            return false;
        }
        let moved = self.clusters.remove(from);
        if let Some(index) = self.clusters.iter().position(|cluster| cluster.id == kept) {
            self.clusters[index].join(moved);
            self.measure(index);
        }
        true
    }

    /// Drops a cluster, for instance because it became a topic that is taught.
    pub fn remove(&mut self, id: u64) {
        self.clusters.retain(|cluster| cluster.id != id);
    }

    fn found(&mut self, read: &Read, text: &str) -> u64 {
        if self.clusters.len() >= self.settings.clusters_maximum.max(1) {
            // Small and silent makes room: each text is worth as much as being silent for as long as all of them.
            let worth = |cluster: &Cluster| {
                (cluster.texts.min(1 << 20)) as f64 / (1 + self.texts - cluster.last) as f64
            };
            let least = self
                .clusters
                .iter()
                .enumerate()
                .min_by(|one, other| worth(one.1).total_cmp(&worth(other.1)));
            if let Some(index) = least.map(|(index, _)| index) {
                self.clusters.swap_remove(index);
            }
        }
        let id = self.next_id;
        self.next_id += 1;
        let mut cluster = Cluster {
            id,
            texts: 0,
            examples: Vec::new(),
            last: 0,
            words: Terms::default(),
            letters: Terms::default(),
            spelling: BTreeMap::new(),
            lengths: (0.0, 0.0),
        };
        cluster.take(read, text, self.texts);
        self.clusters.push(cluster);
        self.measure(self.clusters.len() - 1);
        id
    }

    fn count(&mut self, read: &Read) {
        for term in read.words.0.keys().chain(read.letters.0.keys()) {
            *self.seen.0.entry(*term).or_default() += 1.0;
        }
        if self.seen.0.len() > RARITIES_KEPT {
            self.seen.0.retain(|_, count| {
                *count -= 1.0;
                *count > 0.0
            });
        }
    }

    fn rarity(&self, term: u64) -> f64 {
        let seen = f64::from(self.seen.0.get(&term).copied().unwrap_or_default());
        (1.0 + (self.texts as f64 - seen + 0.5).max(0.0) / (seen + 0.5)).ln()
    }

    fn likeness(&self, (words, letters): (&Terms, &Terms), lengths: (f64, f64), cluster: &Cluster) -> f64 {
        let cosine = |one: &Terms, other: &Terms, lengths: f64| {
            let product = self.product(one, other);
            if product > 0.0 { product / lengths } else { 0.0 }
        };
        f64::midpoint(
            cosine(words, &cluster.words, lengths.0 * cluster.lengths.0),
            cosine(letters, &cluster.letters, lengths.1 * cluster.lengths.1),
        )
    }

    fn product(&self, one: &Terms, other: &Terms) -> f64 {
        let (fewer, more) = if one.0.len() <= other.0.len() {
            (one, other)
        } else {
            (other, one)
        };
        let shared = fewer
            .0
            .iter()
            .filter_map(|(term, count)| Some((term, count, more.0.get(term)?)));
        shared
            .map(|(term, count, other)| f64::from(count * other) * self.rarity(*term).powi(2))
            .sum()
    }

    fn measure(&mut self, index: usize) {
        let cluster = &self.clusters[index];
        let lengths = (self.length(&cluster.words), self.length(&cluster.letters));
        self.clusters[index].lengths = lengths;
    }

    fn length(&self, terms: &Terms) -> f64 {
        terms
            .0
            .iter()
            .map(|(term, count)| (f64::from(*count) * self.rarity(*term)).powi(2))
            .sum::<f64>()
            .sqrt()
    }

    fn shared(&self, read: &Read, cluster: &Cluster) -> Vec<String> {
        let mut shared: Vec<(f64, &String)> = read
            .spelling
            .iter()
            .filter(|(term, _)| cluster.words.0.contains_key(term))
            .map(|(term, word)| (self.rarity(*term), word))
            .collect();
        shared.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
        shared
            .into_iter()
            .take(NAME_WORDS)
            .map(|(_, word)| word.clone())
            .collect()
    }

    /// Joins each cluster with the one most like it, if they are more alike than a text must be to join; the larger
    /// keeps its id.
    fn merge_alike(&mut self) {
        for index in 0..self.clusters.len() {
            self.measure(index);
        }
        let least = (self.settings.likeness + MERGE_MARGIN).min(1.0);
        let last_search = self.texts.saturating_sub(MERGE_EVERY);
        let mut pairs: Vec<(f64, u64, u64)> = Vec::new();
        for (index, one) in self.clusters.iter().enumerate() {
            for other in &self.clusters[index + 1..] {
                // What founded a cluster was like no other; only clusters that grew since can have become alike.
                if one.texts.max(other.texts) < 3 || one.last.max(other.last) <= last_search {
                    continue;
                }
                let likeness = self.likeness((&one.words, &one.letters), one.lengths, other);
                if likeness >= least {
                    let (kept, gone) = if other.texts > one.texts {
                        (other.id, one.id)
                    } else {
                        (one.id, other.id)
                    };
                    pairs.push((likeness, kept, gone));
                }
            }
        }
        pairs.sort_by(|one, other| {
            other
                .0
                .total_cmp(&one.0)
                .then((one.1, one.2).cmp(&(other.1, other.2)))
        });
        for (_, kept, gone) in pairs {
            self.merge(kept, gone);
        }
    }

    /// If the cluster of a placement was just merged into another, the last one that the text joined.
    fn after_merges(&self, placement: Placement) -> Placement {
        if self
            .clusters
            .iter()
            .any(|cluster| cluster.id == placement.cluster)
        {
            return placement;
        }
        let latest = self.clusters.iter().max_by_key(|cluster| cluster.last);
        Placement {
            cluster: latest.map_or(placement.cluster, |cluster| cluster.id),
            ..placement
        }
    }
}

impl Cluster {
    fn take(&mut self, read: &Read, text: &str, number: u64) {
        self.texts += 1;
        self.last = number;
        if self.examples.len() < EXAMPLES {
            self.examples
                .push(first_characters(text, EXAMPLE_CHARACTERS).to_owned());
        }
        self.words.add(&read.words);
        self.letters.add(&read.letters);
        for (term, word) in &read.spelling {
            self.spelling.entry(*term).or_insert_with(|| word.clone());
        }
        self.trim();
    }

    fn join(&mut self, other: Self) {
        self.texts += other.texts;
        self.last = self.last.max(other.last);
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
        self.words.add(&other.words);
        self.letters.add(&other.letters);
        self.spelling.extend(other.spelling);
        self.trim();
    }

    fn trim(&mut self) {
        self.words.trim();
        self.letters.trim();
        let words = &self.words.0;
        self.spelling.retain(|term, _| words.contains_key(term));
    }
}

impl Terms {
    fn add(&mut self, other: &Self) {
        for (term, count) in &other.0 {
            *self.0.entry(*term).or_default() += count;
        }
    }

    fn trim(&mut self) {
        if self.0.len() > TERMS_KEPT * 2 {
            let mut counts: Vec<(f32, u64)> = self.0.iter().map(|(term, count)| (*count, *term)).collect();
            counts.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
            self.0 = counts
                .into_iter()
                .take(TERMS_KEPT)
                .map(|(count, term)| (term, count))
                .collect();
        }
    }
}

fn read(tokens: &[Token]) -> Read {
    let mut read = Read {
        words: Terms::default(),
        letters: Terms::default(),
        spelling: BTreeMap::new(),
    };
    for token in tokens
        .iter()
        .take(TOKENS)
        .filter(|token| token.kind != Kind::Number && !is_glue(&token.text))
    {
        let term = stable_hash_pair("w", &stem(&token.text));
        read.words.0.insert(term, 1.0);
        read.spelling.entry(term).or_insert_with(|| token.text.clone());
        let padded: Vec<char> = format!(" {} ", token.text).chars().collect();
        for group in padded.windows(GROUP.min(padded.len())) {
            read.letters
                .0
                .insert(stable_hash_pair("l", &group.iter().collect::<String>()), 1.0);
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Discovery, Settings};

    const TEXTS: &[&str] = &[
        "My card payment was declined at the till",
        "cannot log in to the app, password is refused",
        "card payment declined again",
        "the app refuses my password when I log in",
        "why was my card payment declinde?",
        "loyalty points are missing from my account",
        "password refused, cannot log into app",
        "points missing on my loyalty account",
    ];

    fn clusters_of(texts: &[&str]) -> (Discovery, Vec<u64>) {
        let mut discovery = Discovery::new(Settings::default());
        let placed = texts
            .iter()
            .filter_map(|text| discovery.observe(text))
            .map(|placement| placement.cluster);
        let placed = placed.collect();
        (discovery, placed)
    }

    #[test]
    fn texts_that_say_alike_come_together() {
        let (discovery, placed) = clusters_of(TEXTS);
        assert_eq!(discovery.clusters().len(), 3, "{placed:?}");
        let asked = discovery.place("is my card declined?").unwrap();
        assert_eq!((asked.cluster, asked.words.len()), (placed[0], 2));
        assert_eq!(discovery.place("zebra"), None);
        assert!(placed[0] == placed[2] && placed[2] == placed[4]);
        assert!(placed[1] == placed[3] && placed[3] == placed[6]);
        assert_eq!(placed[5], placed[7]);
        assert!(
            discovery.name(placed[0]).contains(&"declined".to_owned()),
            "{:?}",
            discovery.name(placed[0])
        );
    }

    #[test]
    fn a_person_can_merge_and_remove() {
        let (mut discovery, placed) = clusters_of(TEXTS);
        assert!(discovery.merge(placed[0], placed[1]));
        assert!(!discovery.merge(placed[0], placed[1]) && !discovery.merge(placed[0], placed[0]));
        assert_eq!(
            discovery.clusters().iter().map(|cluster| cluster.texts).max(),
            Some(6)
        );
        discovery.remove(placed[5]);
        assert_eq!(discovery.clusters().len(), 1);
        assert_eq!(discovery.observe("card declined").unwrap().cluster, placed[0]);
    }

    #[test]
    fn memory_is_bounded_and_the_large_stay() {
        let mut discovery = Discovery::new(Settings {
            clusters_maximum: 10,
            ..Settings::default()
        });
        for round in 0..400 {
            discovery.observe("card payment declined at the till");
            discovery.observe(&format!(
                "word{}x other{}y thing{}z",
                round * 7919,
                round * 104_729,
                round * 31
            ));
        }
        assert!(discovery.clusters().len() <= 10);
        assert!(discovery.clusters().iter().any(|cluster| cluster.texts == 400));
        let long = "unheard ".repeat(200_000) + &"x".repeat(1_000_000);
        discovery.observe(&long);
        assert!(serde_json::to_string(&discovery).unwrap().len() < 300_000);
    }

    proptest! {
        #[test]
        fn any_texts_give_the_same_clusters_before_and_after_being_written_down(
            texts in prop::collection::vec("\\PC{0,30}|([a-d]{3} ){0,6}|[\u{590}-\u{6FF}\u{202E} ]{0,20}", 0..40),
            last in "\\PC{0,30}|([a-d]{3} ){0,6}",
        ) {
            let mut discovery = Discovery::new(Settings { clusters_maximum: 6, ..Settings::default() });
            for text in &texts {
                discovery.observe(text);
            }
            let mut read: Discovery = serde_json::from_str(&serde_json::to_string(&discovery).unwrap()).unwrap();
            prop_assert!(discovery == read);
            let placement = discovery.observe(&last);
            prop_assert!(placement.as_ref().is_none_or(|placement| placement.likeness.is_finite()));
            prop_assert_eq!(read.observe(&last), placement);
            prop_assert!(discovery.clusters().len() <= 6);
        }
    }
}
