//! The reports that are known, and the ranking of them.
//!
//! Every report is compared with the question, term by term; no part of the index is left out by a heuristic, so a
//! ranking can be explained by its reasons alone. A few thousand reports take some milliseconds. Rarity is that among
//! the reports kept now: inserting or removing one changes it at once, and no history is needed to get the same
//! answers again, which is why only the reports themselves are written down.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::facts::facts;
use super::lessons::{Lessons, Points, Weights, points};
use super::lexicon::{Lexicon, Query};
use super::terms::{Mention, mentions, terms, trimmed};
use super::{Match, MatchedWord, Reason, Report};
use crate::hash::stable_hash_pair;

/// Wrong reports that a confirmed one is compared with at most.
const RIVALS: usize = 5;

/// Words named in a reason.
const WORDS_NAMED: usize = 8;

/// Bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Reports kept; the one inserted first makes room.
    pub reports_maximum: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reports_maximum: 5_000,
        }
    }
}

/// Reports under the caller's ids, at most [`Settings::reports_maximum`] of them.
///
/// Texts are compared as bags of words and of groups of four letters, each weighted by its rarity among the reports kept
/// (inverse document frequency as in BM25: Robertson and Spärck Jones, "Relevance weighting of search terms", 1976); the weights of
/// the reasons follow what people confirm and refuse (pairwise logistic regression, computed anew from the answers, so that
/// one that is taken back leaves no trace).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "IndexRecord", into = "IndexRecord")]
pub struct Index {
    settings: Settings,
    entries: BTreeMap<String, Entry>,
    /// Ids with their ages, oldest first; those whose age is not that of the entry were replaced or removed.
    ages: VecDeque<(u64, String)>,
    next_age: u64,
    words: Lexicon,
    letters: Lexicon,
    lessons: Lessons,
    weights: Weights,
}

/// How an [`Index`] is written down: the reports, oldest first.
#[derive(Serialize, Deserialize)]
struct IndexRecord {
    settings: Settings,
    reports: Vec<(String, Report)>,
    #[serde(default)]
    lessons: Lessons,
}

#[derive(Clone, Debug)]
struct Entry {
    age: u64,
    report: Report,
    words: Vec<(u32, f32)>,
    letters: Vec<(u32, f32)>,
}

impl From<IndexRecord> for Index {
    fn from(record: IndexRecord) -> Self {
        let mut index = Self::new(record.settings);
        for (id, report) in record.reports {
            index.insert(&id, report);
        }
        index.weights = record.lessons.weights();
        index.lessons = record.lessons;
        index
    }
}

impl From<Index> for IndexRecord {
    fn from(index: Index) -> Self {
        let mut entries: Vec<(String, Entry)> = index.entries.into_iter().collect();
        entries.sort_by_key(|(_, entry)| entry.age);
        let reports = entries
            .into_iter()
            .map(|(id, entry)| (id, entry.report))
            .collect();
        Self {
            settings: index.settings,
            reports,
            lessons: index.lessons,
        }
    }
}

impl Index {
    /// An index without reports.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Puts a report under an id; one that was there before is replaced.
    pub fn insert(&mut self, id: &str, report: Report) {
        self.remove(id);
        let report = trimmed(report);
        let terms = terms(&mentions(&report));
        let entry = Entry {
            age: self.next_age,
            words: self.words.take_in(&terms.words),
            letters: self.letters.take_in(&terms.letters),
            report,
        };
        self.ages.push_back((self.next_age, id.to_owned()));
        self.next_age += 1;
        self.entries.insert(id.to_owned(), entry);
        while self.entries.len() > self.settings.reports_maximum.max(1) {
            self.remove_oldest();
        }
    }

    /// Takes a report out; an id that is not there is no error.
    pub fn remove(&mut self, id: &str) {
        if let Some(entry) = self.entries.remove(id) {
            self.words.let_go(&entry.words);
            self.letters.let_go(&entry.letters);
        }
        if self.ages.len() > 2 * self.entries.len() + 16 {
            let entries = &self.entries;
            self.ages
                .retain(|(age, id)| entries.get(id).is_some_and(|entry| entry.age == *age));
        }
    }

    fn remove_oldest(&mut self) {
        while let Some((age, id)) = self.ages.pop_front() {
            if self.entries.get(&id).is_some_and(|entry| entry.age == age) {
                self.remove(&id);
                return;
            }
        }
    }

    /// Number of reports kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no report is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The report under an id, as far as it is kept.
    pub fn get(&self, id: &str) -> Option<&Report> {
        self.entries.get(id).map(|entry| &entry.report)
    }

    /// The reports most like `question`, best first, at most `limit`; reports with nothing in common are left out. The
    /// question need not be in the index; if it is, it finds itself.
    pub fn rank(&self, question: &Report, limit: usize) -> Vec<Match> {
        let question = Question::new(question, self);
        let mut ranked = self.scored(&question);
        ranked.truncate(limit);
        ranked
            .into_iter()
            .filter_map(|(score, id)| {
                let entry = self.entries.get(id)?;
                let mut reasons = question.reasons(entry);
                for reason in &mut reasons {
                    let weight = self.weights.of(reason);
                    *reason.points_mut() *= weight;
                    if let Reason::Words { covered, words, .. } = reason {
                        *covered = question.words.covered(&entry.words);
                        *words = self.named(&question, entry);
                    }
                }
                reasons.sort_by(|one, other| other.points().total_cmp(&one.points()));
                Some(Match {
                    id: id.clone(),
                    score,
                    reasons,
                })
            })
            .collect()
    }

    /// Learns that the report under `id` was the right answer to `question`: reasons that speak for it count more,
    /// those for reports ranked as high or higher count less. An id that is not there teaches nothing.
    pub fn confirm(&mut self, question: &Report, id: &str) {
        let asked = Question::new(question, self);
        let Some(right) = self.entries.get(id).map(|entry| asked.points(entry)) else {
            return;
        };
        let ranked = self.scored(&asked);
        let above = ranked
            .iter()
            .position(|(_, other)| *other == id)
            .unwrap_or(ranked.len());
        let rivals = ranked
            .iter()
            .take(above + 2)
            .filter(|(_, other)| *other != id)
            .take(RIVALS);
        let wrong: Vec<Points> = rivals
            .filter_map(|(_, other)| self.entries.get(*other))
            .map(|entry| asked.points(entry))
            .collect();
        for wrong in wrong {
            self.lessons.learn(about(question, id), &right, &wrong);
        }
        self.weights = self.lessons.weights();
    }

    /// Learns that the report under `id` was a wrong answer to `question`, compared with the best of the others.
    pub fn refuse(&mut self, question: &Report, id: &str) {
        let asked = Question::new(question, self);
        let wrong = self.entries.get(id).map(|entry| asked.points(entry));
        let best = self.scored(&asked).into_iter().find(|(_, other)| *other != id);
        let right = best
            .and_then(|(_, other)| self.entries.get(other))
            .map(|entry| asked.points(entry));
        if let (Some(right), Some(wrong)) = (right, wrong) {
            self.lessons.learn(about(question, id), &right, &wrong);
            self.weights = self.lessons.weights();
        }
    }

    /// Forgets what was confirmed or refused about `question` and the report under `id`, as if it had not been.
    pub fn take_back(&mut self, question: &Report, id: &str) {
        self.lessons.forget(about(question, id));
        self.weights = self.lessons.weights();
    }

    /// Ids by score, best first; only scores above zero.
    fn scored(&self, question: &Question) -> Vec<(f64, &String)> {
        let score = |entry: &Entry| -> f64 {
            question
                .reasons(entry)
                .iter()
                .map(|reason| self.weights.of(reason) * reason.points())
                .sum()
        };
        let mut ranked: Vec<(f64, &String)> = self
            .entries
            .iter()
            .map(|(id, entry)| (score(entry), id))
            .filter(|(score, _)| *score > 0.0)
            .collect();
        ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        ranked
    }

    /// The mentions of the question that brought most of the likeness.
    fn named(&self, question: &Question, entry: &Entry) -> Vec<MatchedWord> {
        let (words, from_words) = question.words.contributions(&entry.words);
        let (letters, from_letters) = question.letters.contributions(&entry.letters);
        let total = from_words + from_letters;
        let part = |lexicon: &Lexicon, contributions: &HashMap<u32, f64>, hash: u64, weight: f32| {
            let each = lexicon.known.get(&hash).and_then(|term| contributions.get(term));
            each.map_or(0.0, |each| each * f64::from(weight))
        };
        let mut named: Vec<MatchedWord> = question
            .mentions
            .iter()
            .filter_map(|mention| {
                let from_words: f64 = mention
                    .words
                    .iter()
                    .map(|hash| part(&self.words, &words, *hash, mention.weight))
                    .sum();
                let from_letters: f64 = mention
                    .letters
                    .iter()
                    .map(|hash| part(&self.letters, &letters, *hash, mention.letter_weight))
                    .sum();
                let share = (from_words + from_letters) / total;
                let text = match mention.field {
                    super::Field::Title => &question.report.title,
                    super::Field::Body => &question.report.body,
                };
                (share > 0.0).then(|| MatchedWord {
                    text: text.get(mention.place.clone()).unwrap_or_default().to_owned(),
                    field: mention.field,
                    place: mention.place.clone(),
                    share,
                })
            })
            .collect();
        named.sort_by(|one, other| {
            other
                .share
                .total_cmp(&one.share)
                .then(one.place.start.cmp(&other.place.start))
        });
        named.truncate(WORDS_NAMED);
        named
    }
}

/// A question made ready for the comparison.
struct Question {
    report: Report,
    mentions: Vec<Mention>,
    words: Query,
    letters: Query,
}

impl Question {
    fn new(report: &Report, index: &Index) -> Self {
        let report = trimmed(report.clone());
        let mentions = mentions(&report);
        let terms = terms(&mentions);
        let number = index.entries.len();
        Self {
            words: Query::new(&terms.words, &index.words, number),
            letters: Query::new(&terms.letters, &index.letters, number),
            report,
            mentions,
        }
    }

    /// The reasons before weighting; words are not named yet.
    fn reasons(&self, entry: &Entry) -> Vec<Reason> {
        let text = f64::midpoint(
            self.words.cosine(&entry.words),
            self.letters.cosine(&entry.letters),
        );
        let mut reasons = facts(&self.report, &entry.report, text);
        if text > 0.0 {
            reasons.push(Reason::Words {
                points: text,
                covered: 0.0,
                words: Vec::new(),
            });
        }
        reasons
    }

    fn points(&self, entry: &Entry) -> Points {
        points(self.reasons(entry).iter())
    }
}

/// Names a question and a report, so that an answer can be taken back.
fn about(question: &Report, id: &str) -> u64 {
    let text = format!("{}\n{}", question.title, question.body);
    stable_hash_pair(&text, id)
}

#[cfg(test)]
mod tests;
