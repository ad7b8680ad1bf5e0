//! The reports that are known, and the ranking of them.
//!
//! Every report is compared with the question, term by term; no part of the index is left out by a heuristic, so a
//! ranking can be explained by its reasons alone. A few thousand reports take some milliseconds. Rarity is that among
//! the reports kept now: inserting or removing one changes it at once, and no history is needed to get the same
//! answers again, which is why only the reports themselves are written down.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::terms::{Bag, Mention, mentions, terms, trimmed};
use super::{Match, MatchedWord, Reason, Report};

/// What a shared template adds.
const TEMPLATE_POINTS: f64 = 0.35;
/// What shared facts add at most, each kind.
const SERVICES_POINTS: f64 = 0.30;
const TOUCHPOINTS_POINTS: f64 = 0.25;
const LOCATIONS_POINTS: f64 = 0.20;
/// What is taken off when both name locations and share none.
const OTHER_LOCATION_POINTS: f64 = -0.20;
/// Share of the points of the text that is added for reports from the same instant.
const TIME_SHARE: f64 = 0.5;
/// Seconds after which that share has fallen to about a third: three months.
const TIME_REACH: f64 = 90.0 * 86_400.0;
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

/// Reports under the caller's ids.
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
}

/// How an [`Index`] is written down: the reports, oldest first.
#[derive(Serialize, Deserialize)]
struct IndexRecord {
    settings: Settings,
    reports: Vec<(String, Report)>,
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

    /// The reports most like `question`, best first, at most `limit`; reports with nothing in common are left out.
    ///
    /// A report does not find itself only if the caller leaves it out: the question need not be in the index.
    pub fn rank(&self, question: &Report, limit: usize) -> Vec<Match> {
        let question = trimmed(question.clone());
        let mentions = mentions(&question);
        let terms = terms(&mentions);
        let number = self.entries.len();
        let words = Query::new(&terms.words, &self.words, number);
        let letters = Query::new(&terms.letters, &self.letters, number);
        let mut ranked: Vec<(f64, &String, Likeness)> = self
            .entries
            .iter()
            .filter_map(|(id, entry)| {
                let likeness = Likeness {
                    words: words.cosine(&entry.words),
                    letters: letters.cosine(&entry.letters),
                };
                let score = facts(&question, &entry.report, likeness.text())
                    .iter()
                    .map(Reason::points)
                    .sum::<f64>()
                    + likeness.text();
                (score > 0.0).then_some((score, id, likeness))
            })
            .collect();
        ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        ranked.truncate(limit);
        ranked
            .into_iter()
            .filter_map(|(score, id, likeness)| {
                let entry = self.entries.get(id)?;
                let mut reasons = facts(&question, &entry.report, likeness.text());
                if likeness.text() > 0.0 {
                    reasons.push(Reason::Words {
                        points: likeness.text(),
                        covered: words.covered(&entry.words),
                        words: self.named(&question, &mentions, &words, &letters, entry),
                    });
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

    /// The mentions of the question that brought most of the likeness.
    fn named(
        &self,
        question: &Report,
        mentions: &[Mention],
        words: &Query,
        letters: &Query,
        entry: &Entry,
    ) -> Vec<MatchedWord> {
        let (words, from_words) = words.contributions(&entry.words);
        let (letters, from_letters) = letters.contributions(&entry.letters);
        let total = from_words + from_letters;
        let part = |lexicon: &Lexicon, contributions: &HashMap<u32, f64>, hash: u64, weight: f32| {
            let each = lexicon.known.get(&hash).and_then(|term| contributions.get(term));
            each.map_or(0.0, |each| each * f64::from(weight))
        };
        let mut named: Vec<MatchedWord> = mentions
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
                    super::Field::Title => &question.title,
                    super::Field::Body => &question.body,
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

struct Likeness {
    words: f64,
    letters: f64,
}

impl Likeness {
    fn text(&self) -> f64 {
        f64::midpoint(self.words, self.letters)
    }
}

/// The reasons that do not lie in the text.
fn facts(question: &Report, report: &Report, text: f64) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if question.template.is_some() && question.template == report.template {
        reasons.push(Reason::Template {
            points: TEMPLATE_POINTS,
        });
    }
    if let Some((points, shared)) = overlap(&question.services, &report.services, SERVICES_POINTS) {
        reasons.push(Reason::Services { points, shared });
    }
    if let Some((points, shared)) = overlap(&question.touchpoints, &report.touchpoints, TOUCHPOINTS_POINTS) {
        reasons.push(Reason::Touchpoints { points, shared });
    }
    match overlap(&question.locations, &report.locations, LOCATIONS_POINTS) {
        Some((points, shared)) => reasons.push(Reason::Locations { points, shared }),
        None if !question.locations.is_empty() && !report.locations.is_empty() => {
            reasons.push(Reason::OtherLocation {
                points: OTHER_LOCATION_POINTS,
            });
        }
        None => {}
    }
    if let (Some(asked), Some(known)) = (question.at, report.at)
        && text > 0.0
    {
        let apart = asked.abs_diff(known);
        let points = TIME_SHARE * text * (-(apart as f64) / TIME_REACH).exp();
        reasons.push(Reason::Time { points, apart });
    }
    reasons
}

/// Points by the cosine of two sorted sets; nothing where they share none.
fn overlap(one: &[String], other: &[String], most: f64) -> Option<(f64, Vec<String>)> {
    let shared: Vec<String> = one
        .iter()
        .filter(|fact| other.binary_search(fact).is_ok())
        .cloned()
        .collect();
    let share = shared.len() as f64 / ((one.len() * other.len()) as f64).sqrt();
    (!shared.is_empty()).then_some((most * share, shared))
}

/// The terms in use: a small number for each, and in how many reports it is.
#[derive(Clone, Debug, Default)]
struct Lexicon {
    known: HashMap<u64, u32>,
    hashes: Vec<u64>,
    reports: Vec<u32>,
    free: Vec<u32>,
}

impl Lexicon {
    fn take_in(&mut self, bag: &Bag) -> Vec<(u32, f32)> {
        bag.iter()
            .map(|(hash, count)| (self.count(*hash), *count))
            .collect()
    }

    fn count(&mut self, hash: u64) -> u32 {
        let term = self.known.get(&hash).copied().unwrap_or_else(|| {
            let term = self.free.pop().unwrap_or_else(|| {
                self.hashes.push(0);
                self.reports.push(0);
                (self.reports.len() - 1) as u32
            });
            self.known.insert(hash, term);
            self.hashes[term as usize] = hash;
            term
        });
        self.reports[term as usize] += 1;
        term
    }

    fn let_go(&mut self, terms: &[(u32, f32)]) {
        for (term, _) in terms {
            let reports = &mut self.reports[*term as usize];
            *reports -= 1;
            if *reports == 0 {
                self.known.remove(&self.hashes[*term as usize]);
                self.free.push(*term);
            }
        }
    }
}

/// Rarity of a term that is in `reports` of `number` reports (the always positive form of BM25's).
fn rarity(reports: u32, number: usize) -> f64 {
    let (reports, number) = (f64::from(reports), number as f64);
    (1.0 + (number - reports + 0.5).max(0.0) / (reports + 0.5)).ln()
}

fn dampened(count: f32) -> f64 {
    // Below one (words that hold sentences together) the count itself is the damped value.
    if count < 1.0 {
        f64::from(count)
    } else {
        1.0 + f64::from(count).ln()
    }
}

/// A question made ready to be compared with many reports.
struct Query {
    /// The weight of each term in the question, by term; zero for most.
    weights: Vec<f64>,
    mentions: Vec<f32>,
    rarities: Vec<f64>,
    length: f64,
}

impl Query {
    fn new(bag: &Bag, lexicon: &Lexicon, number: usize) -> Self {
        let rarities: Vec<f64> = lexicon
            .reports
            .iter()
            .map(|reports| rarity(*reports, number))
            .collect();
        let mut weights = vec![0.0; rarities.len()];
        let mut mentions = vec![0.0; rarities.len()];
        let mut squares = 0.0;
        for (hash, count) in bag {
            let term = lexicon.known.get(hash).map(|term| *term as usize);
            let weight = dampened(*count) * term.map_or_else(|| rarity(0, number), |term| rarities[term]);
            squares += weight * weight;
            if let Some(term) = term {
                weights[term] = weight;
                mentions[term] = *count;
            }
        }
        Self {
            weights,
            mentions,
            rarities,
            length: squares.sqrt(),
        }
    }

    fn weight(&self, (term, count): (u32, f32)) -> f64 {
        dampened(count) * self.rarities[term as usize]
    }

    fn cosine(&self, terms: &[(u32, f32)]) -> f64 {
        let (mut product, mut squares) = (0.0, 0.0);
        for term in terms {
            let weight = self.weight(*term);
            squares += weight * weight;
            product += weight * self.weights[term.0 as usize];
        }
        if product > 0.0 {
            product / (squares.sqrt() * self.length)
        } else {
            0.0
        }
    }

    fn covered(&self, terms: &[(u32, f32)]) -> f64 {
        let found: f64 = terms
            .iter()
            .map(|(term, _)| self.weights[*term as usize].powi(2))
            .sum();
        if found > 0.0 {
            found / (self.length * self.length)
        } else {
            0.0
        }
    }

    /// What each shared term brings to the cosine for each time that the question mentions it, and the cosine.
    fn contributions(&self, terms: &[(u32, f32)]) -> (HashMap<u32, f64>, f64) {
        let squares: f64 = terms.iter().map(|term| self.weight(*term).powi(2)).sum();
        let length = squares.sqrt() * self.length;
        let mut each = HashMap::new();
        let mut total = 0.0;
        for term in terms {
            let at = term.0 as usize;
            if self.weights[at] > 0.0 {
                let points = self.weights[at] * self.weight(*term) / length;
                total += points;
                each.insert(term.0, points / f64::from(self.mentions[at]));
            }
        }
        (each, total)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Field, Reason, Report};
    use super::{Index, Settings};

    fn titled(title: &str) -> Report {
        Report {
            title: title.to_owned(),
            ..Report::default()
        }
    }

    fn said(body: &str) -> Report {
        Report {
            body: body.to_owned(),
            ..Report::default()
        }
    }

    fn index(titles: &[&str]) -> Index {
        let mut index = Index::new(Settings::default());
        for title in titles {
            index.insert(title, titled(title));
        }
        index
    }

    fn best(index: &Index, question: &Report) -> String {
        index
            .rank(question, 1)
            .into_iter()
            .next()
            .map(|found| found.id)
            .unwrap_or_default()
    }

    #[test]
    fn a_customers_sentence_finds_the_known_issue_in_spite_of_typing_errors() {
        let index = index(&[
            "Card payments declined in shops",
            "Login codes arrive late",
            "Loyalty points missing",
        ]);
        assert_eq!(
            best(
                &index,
                &said("hi my card paymnet was declinde in the shop please help")
            ),
            "Card payments declined in shops"
        );
        assert_eq!(
            best(&index, &said("i never get the login code")),
            "Login codes arrive late"
        );
    }

    #[test]
    fn a_single_report_is_found_although_nothing_is_rare() {
        assert_eq!(
            index(&["Card payments declined"])
                .rank(&said("card declined"), 3)
                .len(),
            1
        );
    }

    #[test]
    fn reports_with_nothing_in_common_are_left_out() {
        assert!(
            index(&["Card payments declined"])
                .rank(&said("zzz 123"), 3)
                .is_empty()
        );
        assert!(
            index(&["Card payments declined"])
                .rank(&Report::default(), 3)
                .is_empty()
        );
    }

    #[test]
    fn the_same_text_gets_one_point() {
        let found =
            index(&["Card payments declined", "Login late"]).rank(&titled("Card payments declined"), 1);
        assert!((found[0].score - 1.0).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn the_score_is_the_sum_of_the_reasons() {
        let mut index = index(&["Login late"]);
        let known = Report {
            template: Some("t7".into()),
            services: vec!["till".into(), "gateway".into()],
            touchpoints: vec!["payments".into()],
            locations: vec!["berlin".into()],
            at: Some(1_000),
            ..titled("Card payments fail")
        };
        index.insert("known", known.clone());
        let asked = Report {
            locations: vec!["rome".into()],
            at: Some(90_000),
            ..known
        };
        let found = &index.rank(&asked, 1)[0];
        let sum: f64 = found.reasons.iter().map(Reason::points).sum();
        assert!((found.score - sum).abs() < 1e-9);
        assert_eq!(found.reasons.len(), 6);
        assert!(matches!(found.reasons.last(), Some(Reason::OtherLocation { points }) if *points < 0.0));
    }

    #[test]
    fn the_matched_words_point_into_the_question() {
        let index = index(&["Card payments declined in shops", "Login codes arrive late"]);
        let asked = said("Why was my CARD declined?");
        let found = index.rank(&asked, 1);
        let Some(Reason::Words { words, covered, .. }) = found[0].reasons.first() else {
            panic!("{found:?}")
        };
        assert_eq!(words[0].field, Field::Body);
        assert_eq!(&asked.body[words[0].place.clone()], words[0].text);
        assert!(
            words.iter().any(|word| word.text == "CARD") && words.iter().any(|word| word.text == "declined")
        );
        assert!(*covered > 0.4 && *covered <= 1.0);
    }

    #[test]
    fn of_the_same_words_the_one_at_the_customers_touchpoint_and_location_comes_first() {
        let mut index = Index::new(Settings::default());
        for (id, location) in [("a", "rome"), ("b", "berlin")] {
            index.insert(
                id,
                Report {
                    locations: vec![location.into()],
                    ..titled("Till does not start")
                },
            );
        }
        assert_eq!(
            best(
                &index,
                &Report {
                    locations: vec!["berlin".into()],
                    ..said("till is dead, will not start")
                }
            ),
            "b"
        );
    }

    #[test]
    fn the_oldest_report_makes_room_and_takes_its_words_along() {
        let mut index = Index::new(Settings { reports_maximum: 2 });
        for title in ["one alpha", "two beta", "three gamma"] {
            index.insert(title, titled(title));
        }
        assert_eq!(index.len(), 2);
        assert!(index.rank(&said("alpha"), 5).is_empty());
        for round in 0..1_000 {
            index.insert(
                &format!("id{}", round % 3),
                titled(&format!("word{round} other{round}")),
            );
        }
        assert!(
            index.words.reports.len() < 20 && index.letters.reports.len() < 100 && index.ages.len() <= 20
        );
    }

    #[test]
    fn removing_a_report_is_as_if_it_had_never_been_there() {
        let mut changed = index(&["Card payments declined", "Login codes arrive late"]);
        let plain = changed.clone();
        changed.insert("extra", titled("Card login extra words"));
        changed.remove("extra");
        let asked = said("card login late");
        assert_eq!(changed.rank(&asked, 5), plain.rank(&asked, 5));
    }

    proptest! {
        #[test]
        fn any_texts_are_ranked_without_panic_and_alike_after_a_round_trip(
            titles in prop::collection::vec("\\PC{0,40}|[a-e ]{0,20}|[\u{590}-\u{6FF}\u{202E} ]{0,20}", 0..8),
            body in "\\PC{0,60}|[a-e ]{0,40}",
            at in prop::option::of(any::<i64>()),
        ) {
            let mut index = Index::new(Settings { reports_maximum: 6 });
            for title in &titles {
                index.insert(title, Report { at, ..titled(title) });
            }
            let asked = Report { at: Some(0), ..said(&body) };
            let ranked = index.rank(&asked, 3);
            prop_assert!(ranked.iter().all(|found| found.score.is_finite() && found.score > 0.0));
            let written = serde_json::to_string(&index).unwrap();
            let read: Index = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read.rank(&asked, 3), ranked);
        }
    }

    #[test]
    fn a_title_of_a_million_characters_is_cut() {
        let mut index = Index::new(Settings::default());
        index.insert(
            "long",
            Report {
                body: "b ".repeat(500_000),
                services: vec!["s".repeat(9_999); 9_999],
                ..titled(&"a".repeat(1_000_000))
            },
        );
        let kept = index.get("long").unwrap();
        assert!(kept.title.len() + kept.body.len() + kept.services.concat().len() < 5_000);
        assert!(!index.is_empty());
    }
}
