//! Tells which known topic a short text belongs to, from few examples, or that it belongs to none.
//!
//! Agents and responders teach it ([`Classifier::teach`]) by linking cases to known issues, and it is told what the
//! topics are called ([`Classifier::describe`]) and what customers wrote before ([`Classifier::observe`]), which is worth
//! as much as twice the examples; [`Classifier::fit`] learns from all of it at once, and [`Classifier::classify`]
//! answers with ranked topics and the words that decided. Whether anything fits is not a guess of the model about itself: the score is
//! compared with the scores that taught examples got while they were held out, so [`Settings::keep`] means what it
//! says. Nothing is random, nothing is read from outside, and the same lessons always give the same answers.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::families::named;
use super::features::grams;
use super::model::{Example, Model};
use super::text::{BYTES_READ, tokens};

/// Bounds and the one choice that is the user's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Share of texts that do belong to a known topic which must not be rejected, between 0 and 1. With few examples
    /// it holds up to one in their number.
    pub keep: f64,
    /// Candidates that a verdict names at most.
    pub candidates: usize,
    /// Topics at most; teaching another one is refused.
    pub topics_maximum: usize,
    /// Examples kept of each topic; the oldest makes room.
    pub examples_maximum: usize,
    /// Texts without a topic that are kept; the oldest makes room.
    pub history_maximum: usize,
    /// Weights learned at most (four bytes each): features × topics. The features in the most texts are kept.
    pub weights_maximum: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep: 0.95,
            candidates: 3,
            topics_maximum: 500,
            examples_maximum: 300,
            history_maximum: 10_000,
            weights_maximum: 16_000_000,
        }
    }
}

/// Why a lesson was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeachError {
    /// The text holds no word to learn from.
    #[error("the text holds no words; give one in the customer's own words")]
    NoWords,
    /// [`Settings::topics_maximum`] is reached.
    #[error("there are already {0} topics; remove one that is no longer needed")]
    TooManyTopics(usize),
}

/// A classifier, its examples, and what it learned from them.
///
/// Separators of each topic and each family of topics are learned by dual coordinate descent (Hsieh and others, "A dual
/// coordinate descent method for large-scale linear SVM", ICML 2008) over words, pairs of words and groups of
/// characters; texts without a topic by class-balanced self-training (Zou and others, ECCV 2018); the threshold that
/// rejects is a conformal one (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005). Memory is
/// bounded by [`Settings`]. The same lessons always give the same answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Classifier {
    settings: Settings,
    examples: BTreeMap<String, VecDeque<String>>,
    descriptions: BTreeMap<String, String>,
    strangers: VecDeque<String>,
    history: VecDeque<String>,
    model: Model,
}

/// What a text was found to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// Share of held-out examples of known topics that looked no more at home than this text, 0 to 1: low means
    /// that it fits nothing known. The decision compares it with 1 − [`Settings::keep`].
    pub fit: f64,
    /// The score of the best topic, finer than `fit` for putting texts in order; only comparable among verdicts of the
    /// same classifier. Minus infinity where nothing is known of the text.
    pub score: f64,
    /// The best topics, best first, also when none is accepted.
    pub candidates: Vec<Candidate>,
}

/// Whether a text belongs to a known topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Decision {
    /// It belongs to this topic.
    Topic(String),
    /// It belongs to none of the topics taught.
    FitsNothing,
    /// There are fewer than two topics with examples, or [`Classifier::fit`] was not called.
    NotTrained,
}

/// One topic that a text may belong to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// As it was taught.
    pub topic: String,
    /// Share of belief among all topics, 0 to 1.
    pub share: f32,
    /// The words that spoke for this topic, strongest first.
    pub words: Vec<DecidingWord>,
}

/// A word of the text that spoke for a topic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecidingWord {
    /// As it was read: lower case, no accents.
    pub text: String,
    /// Where it stands in the text, in bytes.
    pub place: Range<usize>,
    /// What it added to the topic's score beyond what it added to the average topic; always above zero.
    pub weight: f32,
}

impl Classifier {
    /// A classifier that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Adds an example of a topic. It counts from the next [`Classifier::fit`] on. Of a text 16 KiB are read.
    ///
    /// # Errors
    /// [`TeachError::NoWords`] for a text without words, [`TeachError::TooManyTopics`] where this would be a topic too many;
    /// nothing is learned then.
    pub fn teach(&mut self, topic: &str, text: &str) -> Result<(), TeachError> {
        if tokens(text).is_empty() {
            return Err(TeachError::NoWords);
        }
        if !self.examples.contains_key(topic) && self.examples.len() >= self.settings.topics_maximum {
            return Err(TeachError::TooManyTopics(self.settings.topics_maximum));
        }
        let examples = self.examples.entry(topic.to_owned()).or_default();
        remember(examples, text, self.settings.examples_maximum);
        Ok(())
    }

    /// Adds an example of a text that belongs to none of the topics.
    ///
    /// # Errors
    /// [`TeachError::NoWords`] for a text without words.
    pub fn teach_stranger(&mut self, text: &str) -> Result<(), TeachError> {
        if tokens(text).is_empty() {
            return Err(TeachError::NoWords);
        }
        remember(&mut self.strangers, text, self.settings.examples_maximum);
        Ok(())
    }

    /// Takes one example back, as if it had not been taught; counts from the next [`Classifier::fit`] on.
    pub fn unteach(&mut self, topic: &str, text: &str) {
        let text = bounded(text);
        if let Some(examples) = self.examples.get_mut(topic) {
            if let Some(index) = examples.iter().rposition(|example| example == text) {
                examples.remove(index);
            }
            if examples.is_empty() {
                self.examples.remove(topic);
            }
        }
    }

    /// Drops a topic and its examples, for instance when the known issue is closed.
    pub fn forget(&mut self, topic: &str) {
        self.examples.remove(topic);
        self.descriptions.remove(topic);
    }

    /// The topics taught and how many examples each has.
    pub fn topics(&self) -> impl Iterator<Item = (&str, usize)> {
        self.examples
            .iter()
            .map(|(topic, examples)| (topic.as_str(), examples.len()))
    }

    /// Says what a topic is called or about, which counts as one more example of it. Says nothing about topics that
    /// have no example.
    pub fn describe(&mut self, topic: &str, description: &str) {
        if self.descriptions.contains_key(topic) || self.descriptions.len() < self.settings.topics_maximum {
            self.descriptions
                .insert(topic.to_owned(), bounded(description).to_owned());
        }
    }

    /// Adds a text of which nobody said where it belongs. Such texts show which words go together.
    pub fn observe(&mut self, text: &str) {
        remember(&mut self.history, text, self.settings.history_maximum);
    }

    /// Learns from all that was taught and observed, also what several topics have in common (shrinkage along a
    /// hierarchy: McCallum and others, ICML 1998). Takes time in proportion to texts × topics: about a second for
    /// hundreds of examples, some seconds to a minute with thousands of texts.
    pub fn fit(&mut self) {
        let topics: Vec<String> = self.examples.keys().cloned().collect();
        if topics.len() < 2 {
            self.model = Model::default();
            return;
        }
        let mut basis = Vec::new();
        for (topic, (name, examples)) in self.examples.iter().enumerate() {
            let description = self.descriptions.get(name).into_iter();
            basis.extend(
                examples
                    .iter()
                    .chain(description)
                    .map(|text| Example::taught(text, Some(topic as u32))),
            );
        }
        basis.extend(self.strangers.iter().map(|text| Example::taught(text, None)));
        basis.extend(self.history.iter().map(|text| Example::observed(text)));
        let features_maximum = self.settings.weights_maximum / topics.len();
        let names = self
            .examples
            .keys()
            .zip(0..)
            .filter_map(|(name, topic)| Some((topic, self.descriptions.get(name)?.as_str())));
        let named = named(names, topics.len());
        self.model = Model::learn(topics, &named, basis, features_maximum);
    }

    /// Says which topic `text` belongs to, and why. Of a text 16 KiB are read; one without words fits nothing.
    pub fn classify(&self, text: &str) -> Verdict {
        let tokens = tokens(text);
        let grams = grams(&tokens);
        let vector = self.model.vector(&grams);
        let scores = self.model.scores(&vector);
        let Some(best) = scores.iter().copied().max_by(f32::total_cmp) else {
            return Verdict {
                decision: Decision::NotTrained,
                fit: 0.0,
                score: f64::NEG_INFINITY,
                candidates: Vec::new(),
            };
        };
        let (fit, score) = if vector.is_empty() {
            (0.0, f64::NEG_INFINITY)
        } else {
            (self.model.fit_of(best), f64::from(best))
        };
        let shares = shares(&scores);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]).then(one.cmp(other)));
        let candidates: Vec<Candidate> = order
            .iter()
            .take(self.settings.candidates.max(1))
            .map(|&topic| Candidate {
                topic: self.model.topic(topic).to_owned(),
                share: shares[topic],
                words: self
                    .model
                    .words_for(topic, &grams, &vector, tokens.len())
                    .into_iter()
                    .map(|(token, weight)| DecidingWord {
                        text: tokens[token].text.clone(),
                        place: tokens[token].place.clone(),
                        weight,
                    })
                    .collect(),
            })
            .collect();
        let decision = match candidates.first() {
            Some(first) if fit >= 1.0 - self.settings.keep => Decision::Topic(first.topic.clone()),
            _ => Decision::FitsNothing,
        };
        Verdict {
            decision,
            fit,
            score,
            candidates,
        }
    }
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(BYTES_READ)]
}

fn remember(examples: &mut VecDeque<String>, text: &str, maximum: usize) {
    examples.push_back(bounded(text).to_owned());
    while examples.len() > maximum.max(1) {
        examples.pop_front();
    }
}

/// Scores as shares of belief. Separators keep a margin of one, so differences are sharpened before they are
/// compared.
fn shares(scores: &[f32]) -> Vec<f32> {
    const SHARPNESS: f32 = 4.0;
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores
        .iter()
        .map(|score| ((score - best) * SHARPNESS).exp())
        .collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Classifier, Decision, Settings, TeachError, grams, tokens};
    use crate::work;

    const LESSONS: &[(&str, &str)] = &[
        ("declined", "my card was declined at the till"),
        ("declined", "payment with my card got refused"),
        ("declined", "the shop says my card is declined"),
        ("declined", "why was my card payment refused"),
        ("login", "I cannot sign in to the app"),
        ("login", "the app does not take my password"),
        ("login", "sign in fails with wrong password"),
        ("login", "my password is not accepted when I sign in"),
        ("points", "my loyalty points are missing"),
        ("points", "points from my last purchase are not there"),
        ("points", "where are the loyalty points of my purchase"),
        ("points", "I did not get any points"),
    ];

    fn taught(settings: Settings) -> Classifier {
        let mut classifier = Classifier::new(settings);
        for (topic, text) in LESSONS {
            classifier.teach(topic, text).unwrap();
        }
        classifier.fit();
        classifier
    }

    fn topic(classifier: &Classifier, text: &str) -> Decision {
        classifier.classify(text).decision
    }

    #[test]
    fn a_text_goes_to_the_topic_whose_words_it_uses() {
        let classifier = taught(Settings::default());
        assert_eq!(
            topic(&classifier, "CARD refused!!"),
            Decision::Topic("declined".into())
        );
        assert_eq!(
            topic(&classifier, "pasword not accepted"),
            Decision::Topic("login".into())
        );
    }

    #[test]
    fn a_text_with_nothing_known_fits_nothing() {
        let classifier = taught(Settings::default());
        for stranger in ["", "zebra quux", "????", "\u{202E}\u{0}"] {
            assert_eq!(
                topic(&classifier, stranger),
                Decision::FitsNothing,
                "{stranger:?}"
            );
        }
    }

    /// Customers of five topics, each in words of its own and words that all use, by a small generator.
    fn written(seed: u64, topics: u64, texts: u64) -> Vec<(String, String)> {
        let mut state = seed;
        let mut draw = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut all = Vec::new();
        for topic in 0..topics {
            for _ in 0..texts {
                let own = (0..2 + draw(2)).map(|_| format!("own{topic}x{}", draw(12)));
                let text: Vec<String> = own.collect();
                let common: Vec<String> = (0..3).map(|_| format!("common{}", draw(20))).collect();
                all.push((
                    format!("topic{topic}"),
                    format!("{} {}", text.join(" "), common.join(" ")),
                ));
            }
        }
        all
    }

    #[test]
    fn the_share_of_known_texts_that_is_kept_is_what_was_asked_for() {
        for keep in [0.8, 0.95] {
            let mut classifier = Classifier::new(Settings {
                keep,
                ..Settings::default()
            });
            for (topic, text) in written(1, 5, 40) {
                classifier.teach(&topic, &text).unwrap();
            }
            classifier.fit();
            let asked = written(2, 5, 80);
            let is_kept = |text: &str| matches!(topic(&classifier, text), Decision::Topic(_));
            let kept = asked.iter().filter(|(_, text)| is_kept(text)).count() as f64 / asked.len() as f64;
            // The threshold comes from models that were taught a little less, so a little more is kept.
            let most = 1.0 - (1.0 - keep) / 5.0;
            assert!(
                (keep - 0.04..most).contains(&kept),
                "{kept} where {keep} was asked for"
            );
            // Strangers share only the words that all use.
            let strangers = written(3, 9, 40).split_off(5 * 40);
            let let_in = strangers.iter().filter(|(_, text)| is_kept(text)).count();
            assert!(let_in * 4 < strangers.len(), "{let_in} of {}", strangers.len());
        }
    }

    #[test]
    fn the_deciding_words_are_named_with_their_place() {
        let text = "Hello, where are my POINTS please";
        let verdict = taught(Settings::default()).classify(text);
        let word = &verdict.candidates[0].words[0];
        assert_eq!(
            (word.text.as_str(), &text[word.place.clone()]),
            ("points", "POINTS")
        );
        let shares: f32 = verdict.candidates.iter().map(|candidate| candidate.share).sum();
        assert!((shares - 1.0).abs() < 1e-4);
    }

    #[test]
    fn without_two_topics_there_is_no_answer() {
        let mut classifier = Classifier::default();
        assert_eq!(topic(&classifier, "card"), Decision::NotTrained);
        classifier.teach("declined", "card declined").unwrap();
        classifier.fit();
        assert_eq!(topic(&classifier, "card"), Decision::NotTrained);
    }

    #[test]
    fn what_customers_wrote_before_teaches_words_that_no_example_has() {
        let mut classifier = taught(Settings::default());
        let asked = "the terminal says transaction rejected";
        let before = classifier.classify(asked).candidates[0].share;
        for till in 0..6 {
            classifier.observe(&format!(
                "my card was declined at till {till}, terminal says transaction rejected"
            ));
            classifier.observe(&format!("password {till} does not work to sign in, please reset"));
        }
        classifier.fit();
        let verdict = classifier.classify(asked);
        assert_eq!(verdict.candidates[0].topic, "declined");
        assert!(verdict.candidates[0].share > before, "{before} {verdict:?}");
    }

    #[test]
    fn the_name_of_a_topic_counts_as_an_example() {
        let mut classifier = taught(Settings::default());
        assert_eq!(topic(&classifier, "voucher"), Decision::FitsNothing);
        classifier.describe("points", "voucher problems");
        classifier.fit();
        assert_eq!(classifier.classify("voucher").candidates[0].topic, "points");
    }

    #[test]
    fn what_topics_have_in_common_is_learned_together() {
        let mut classifier = Classifier::default();
        for (topic, name, texts) in [
            (
                "1",
                "lost card",
                ["my card got mislaid on a trip", "my card is gone, mislaid"],
            ),
            ("2", "stolen card", ["a thief took my card", "my card was robbed"]),
            (
                "3",
                "lost phone",
                ["I cannot find my phone any more", "my phone is nowhere"],
            ),
            (
                "4",
                "stolen phone",
                ["a thief took my phone", "my phone was snatched"],
            ),
        ] {
            classifier.describe(topic, name);
            for text in texts {
                classifier.teach(topic, text).unwrap();
            }
        }
        classifier.fit();
        // No example of a lost phone says so, but those of a lost card do.
        let verdict = classifier.classify("phone mislaid");
        let share = |topic: &str| {
            verdict
                .candidates
                .iter()
                .find(|found| found.topic == topic)
                .map(|found| found.share)
        };
        assert!(share("3") > share("4"), "{verdict:?}");
    }

    /// Counted, not timed: each feature of the text is looked up for each topic once, and once more for each candidate's words.
    #[test]
    fn the_work_for_a_text_hangs_on_the_text_and_the_topics_not_on_the_lessons() {
        let most = |examples: usize| {
            let mut classifier = taught(Settings::default());
            for number in 0..examples {
                for (topic, text) in LESSONS {
                    classifier
                        .teach(topic, &format!("{text} {number} again"))
                        .unwrap();
                }
            }
            classifier.fit();
            let text = "my card was declined at the till and I cannot sign in ".repeat(1_000);
            let (work, verdict) = work::of(|| classifier.classify(&text));
            let features = grams(&tokens(&text)).len() as u64;
            assert!(
                verdict.candidates.len() as u64 * features <= work,
                "it is counted"
            );
            assert!(work <= 6 * features, "{work} units for {features} features");
            work
        };
        let (few, many) = (most(0), most(12));
        assert!(many <= few + few / 4, "{few} and {many}");
    }

    #[test]
    fn lessons_are_bounded() {
        let settings = Settings {
            topics_maximum: 1,
            examples_maximum: 2,
            ..Settings::default()
        };
        let mut classifier = Classifier::new(settings);
        assert_eq!(classifier.teach("a", " ?! "), Err(TeachError::NoWords));
        for round in 0..5 {
            classifier.teach("a", &format!("text number{round} ")).unwrap();
        }
        assert_eq!(classifier.teach("b", "other"), Err(TeachError::TooManyTopics(1)));
        assert_eq!(classifier.topics().collect::<Vec<_>>(), [("a", 2)]);
        classifier.teach("a", &"x".repeat(1_000_000)).unwrap();
        for _ in 0..50 {
            classifier.observe("text");
            classifier.describe("none", &"y".repeat(1_000_000));
        }
        assert!(serde_json::to_string(&classifier).unwrap().len() < 40_000);
    }

    #[test]
    fn unteaching_gives_back_what_was_before() {
        let before = taught(Settings::default());
        let mut after = before.clone();
        after.teach("points", "card declined").unwrap();
        after.teach("new", "something else").unwrap();
        after.fit();
        assert_ne!(after.classify("card declined"), before.classify("card declined"));
        after.unteach("points", "card declined");
        after.forget("new");
        after.fit();
        assert_eq!(after, before);
    }

    #[test]
    fn what_was_learned_survives_being_written_down() {
        let mut classifier = taught(Settings::default());
        classifier.teach("points", "taught but not learned yet").unwrap();
        let written = serde_json::to_string(&classifier).unwrap();
        let read: Classifier = serde_json::from_str(&written).unwrap();
        assert_eq!(read, classifier);
        assert_eq!(read.classify("my card"), classifier.classify("my card"));
    }

    proptest! {
        #[test]
        fn any_lessons_and_any_text_give_an_answer(
            lessons in prop::collection::vec(("[a-c]", "\\PC{0,30}|[a-d ]{0,20}|[\u{590}-\u{6FF}\u{202E} ]{0,20}"), 0..12),
            text in "\\PC{0,60}|[a-d\u{0}-\u{1F} ]{0,40}",
        ) {
            let mut classifier = Classifier::default();
            for (topic, lesson) in &lessons {
                prop_assert!(classifier.teach(topic, lesson).is_ok() || tokens(lesson).is_empty());
            }
            classifier.fit();
            let verdict = classifier.classify(&text);
            prop_assert!((0.0..=1.0).contains(&verdict.fit));
            prop_assert!(verdict.candidates.iter().all(|candidate| candidate.share.is_finite()));
            prop_assert_eq!(classifier.classify(&text), verdict);
        }
    }
}
