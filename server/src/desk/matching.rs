//! The pure part of "is it us?": which open incident a customer's words are about, how sure that is, and why.
//!
//! The texts are compared by `triage::similar`. On top of it counts what the desk knows besides: the touchpoint,
//! the place, whether the incident had begun when the customer noticed, and what others wrote lately. The
//! answer is a word, never a number, because three kinds of evidence do not make a probability.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use triage::similar::{Field, Index, Reason as Likeness, Report, Settings};
use triage::words::{Token, tokens};
use utoipa::ToSchema;

/// Reports that begin this much after an incident's customers did cannot be explained by it.
const BEGAN_LATE_SECONDS: i64 = 600;
/// Share of the question's words from which others wrote "the same".
const SAME_WORDS: f64 = 0.5;
/// Letters by which two forms of a word are taken for one.
const STEM_LETTERS: usize = 5;
/// Words that hold a sentence together and say nothing about what is broken.
const FILLERS: [&str; 44] = [
    "all", "and", "any", "are", "been", "but", "can", "could", "did", "does", "for", "from", "had", "has",
    "have", "her", "here", "his", "its", "just", "not", "our", "out", "say", "says", "she", "some", "that",
    "the", "their", "them", "there", "they", "this", "very", "was", "were", "when", "where", "which", "with",
    "would", "you", "your",
];

/// An open incident as customers may describe it.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub id: String,
    pub title: String,
    /// What customers say about it: the touchpoints' words, linked cases.
    pub words: Vec<String>,
    /// Id and name of the hurt touchpoints.
    pub touchpoints: Vec<(String, String)>,
    /// Id and name of the hurt places; named ones, or all that use it where none was named.
    pub places: Vec<(String, String)>,
    pub places_known: PlacesKnown,
    pub began_at: Timestamp,
}

/// Whether the places of a candidate were named or only follow from what they use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlacesKnown {
    Named,
    UsedThere,
}

/// What the customer says.
#[derive(Debug, Clone)]
pub struct Question {
    pub text: String,
    pub touchpoints: Vec<String>,
    pub places: Vec<String>,
    /// Names of places that were found in the text: they speak by the place, not as words.
    pub names: Vec<String>,
    pub at: Timestamp,
}

/// Somebody else's report of late.
#[derive(Debug, Clone)]
pub struct Other {
    pub id: String,
    pub text: String,
    pub incident_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likelihood {
    ProbablyNot,
    Perhaps,
    VeryLikely,
}

impl Likelihood {
    pub fn words(self) -> &'static str {
        match self {
            Self::VeryLikely => "Yes, very likely",
            Self::Perhaps => "Perhaps",
            Self::ProbablyNot => "Probably not",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Match {
    pub id: String,
    pub likelihood: Likelihood,
    /// For the order only.
    pub score: f64,
    /// Those for it first.
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = MatchReason)]
pub struct Reason {
    pub kind: ReasonKind,
    /// One plain sentence.
    pub sentence: String,
    /// Words of the question to highlight.
    pub words: Vec<Highlight>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    Words,
    Touchpoint,
    Location,
    OtherLocation,
    BeganBefore,
    BeganAfter,
    OthersWrote,
}

/// A stretch of the question, in bytes of its UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Highlight {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// What others wrote lately that says the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alike {
    /// Ids of the reports, the most alike first.
    pub ids: Vec<String>,
    /// How many of them are linked to no incident.
    pub unlinked: usize,
}

/// The words of a text that say something, by their beginnings. Where words are written without spaces between them, every
/// two signs that stand together count as one.
fn stems(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let words = tokens
        .iter()
        .filter(|token| token.text.chars().count() >= 3 && !FILLERS.contains(&token.text.as_str()))
        .map(|token| token.text.chars().take(STEM_LETTERS).collect());
    let pairs = tokens.windows(2).filter_map(|pair| match pair {
        [one, next] if is_sign(one) && is_sign(next) && one.place.end == next.place.start => {
            Some(format!("{}{}", one.text, next.text))
        }
        _ => None,
    });
    words.chain(pairs).collect()
}

/// One character of a script that is written without spaces.
fn is_sign(token: &Token) -> bool {
    !token.text.is_ascii() && token.text.chars().count() == 1
}

/// Share of what the question says that `texts` say too. Counted by words and not by their rarity: among a
/// handful of open incidents every word that none of them knows would seem the most telling.
fn covered<'t>(question: &Question, texts: impl IntoIterator<Item = &'t str>) -> f64 {
    let names: BTreeSet<String> = question.names.iter().flat_map(|name| stems(name)).collect();
    let asked: Vec<String> = stems(&question.text).difference(&names).cloned().collect();
    let known: BTreeSet<String> = texts.into_iter().flat_map(stems).collect();
    let shared = asked.iter().filter(|word| known.contains(*word)).count();
    shared as f64 / asked.len().max(1) as f64
}

/// Others who wrote the same, the most alike first.
pub fn alike(question: &Question, others: &[Other]) -> Alike {
    let mut found: Vec<(f64, &Other)> = others
        .iter()
        .map(|other| (covered(question, [other.text.as_str()]), other))
        .filter(|(share, _)| *share >= SAME_WORDS)
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    Alike {
        unlinked: found
            .iter()
            .filter(|(_, other)| other.incident_id.is_none())
            .count(),
        ids: found.into_iter().map(|(_, other)| other.id.clone()).collect(),
    }
}

/// Candidates that may be what the customer means, best first.
pub fn rank(question: &Question, candidates: &[Candidate], others: &[Other], alike: &Alike) -> Vec<Match> {
    let mut index = Index::new(Settings::default());
    for candidate in candidates {
        let report = Report {
            title: candidate.title.clone(),
            body: candidate.words.join("\n"),
            touchpoints: candidate.touchpoints.iter().map(|(id, _)| id.clone()).collect(),
            ..Report::default()
        };
        index.insert(&candidate.id, report);
    }
    let asked = Report {
        body: question.text.clone(),
        touchpoints: question.touchpoints.clone(),
        ..Report::default()
    };
    let likenesses = index.rank(&asked, candidates.len());
    let mut matches: Vec<Match> = candidates
        .iter()
        .filter_map(|candidate| {
            let likeness = likenesses.iter().find(|found| found.id == candidate.id);
            let wrote = alike
                .ids
                .iter()
                .filter(|id| {
                    others
                        .iter()
                        .any(|other| other.id == **id && other.incident_id.as_deref() == Some(&candidate.id))
                })
                .count();
            judge(
                question,
                candidate,
                likeness.map_or(&[], |found| &found.reasons),
                wrote,
            )
        })
        .collect();
    matches.sort_by(|one, other| {
        other
            .likelihood
            .cmp(&one.likelihood)
            .then(other.score.total_cmp(&one.score))
            .then_with(|| one.id.cmp(&other.id))
    });
    matches
}

/// Weighs the evidence about one candidate; none when nothing speaks for it.
fn judge(
    question: &Question,
    candidate: &Candidate,
    likenesses: &[Likeness],
    others: usize,
) -> Option<Match> {
    let mut reasons = Vec::new();
    let texts = candidate.words.iter().map(String::as_str);
    let covered = covered(question, texts.chain([candidate.title.as_str()]));
    let mut text = 0.0;
    for likeness in likenesses {
        if let Likeness::Words { points, words, .. } = likeness {
            text = *points;
            let words: Vec<Highlight> = words
                .iter()
                .filter(|word| word.field == Field::Body && word.share >= 0.05)
                .map(|word| Highlight {
                    text: word.text.clone(),
                    start: word.place.start,
                    end: word.place.end,
                })
                .collect();
            if !words.is_empty() {
                reasons.push(Reason {
                    kind: ReasonKind::Words,
                    sentence: format!("Said {}.", listed(&words)),
                    words,
                });
            }
        }
    }
    let touchpoint = candidate
        .touchpoints
        .iter()
        .find(|(id, _)| question.touchpoints.contains(id));
    if let Some((_, name)) = touchpoint {
        reasons.push(plain(ReasonKind::Touchpoint, format!("It is about {name}.")));
    }
    let place = candidate
        .places
        .iter()
        .find(|(id, _)| question.places.contains(id));
    let elsewhere =
        place.is_none() && !question.places.is_empty() && candidate.places_known == PlacesKnown::Named;
    match (place, candidate.places_known) {
        (Some((_, name)), PlacesKnown::Named) => reasons.push(plain(
            ReasonKind::Location,
            format!(
                "{name} is one of the {} places that are down.",
                candidate.places.len()
            ),
        )),
        (Some((_, name)), PlacesKnown::UsedThere) => {
            reasons.push(plain(ReasonKind::Location, format!("{name} uses what is down.")));
        }
        (None, _) => {}
    }
    if others > 0 {
        let sentence = match others {
            1 => "1 other wrote the same in the last hour and is linked to it.".to_owned(),
            count => format!("{count} others wrote the same in the last hour and are linked to it."),
        };
        reasons.push(plain(ReasonKind::OthersWrote, sentence));
    }
    if reasons.is_empty() {
        return None;
    }
    let early = candidate.began_at.duration_since(question.at).as_secs() > BEGAN_LATE_SECONDS;
    reasons.push(if early {
        plain(
            ReasonKind::BeganAfter,
            "But it began only after the customer wrote.".to_owned(),
        )
    } else {
        plain(
            ReasonKind::BeganBefore,
            "It had begun when the customer wrote.".to_owned(),
        )
    });
    if elsewhere {
        reasons.push(plain(
            ReasonKind::OtherLocation,
            "But the customer's place is none of those that are down.".to_owned(),
        ));
    }
    let facts = usize::from(touchpoint.is_some()) + usize::from(place.is_some());
    let likelihood = if facts == 2
        || (covered >= 0.5 && facts >= 1)
        || (covered >= 0.75 && text >= 0.25)
        || (others >= 3 && covered >= 0.3)
    {
        Likelihood::VeryLikely
    } else if covered >= 0.34 || facts >= 1 || others > 0 {
        Likelihood::Perhaps
    } else {
        Likelihood::ProbablyNot
    };
    let likelihood = if early || elsewhere {
        likelihood.min(Likelihood::Perhaps)
    } else {
        likelihood
    };
    let score = covered + text + 0.5 * facts as f64 + 0.1 * others.min(5) as f64
        - if early || elsewhere { 0.5 } else { 0.0 };
    Some(Match {
        id: candidate.id.clone(),
        likelihood,
        score,
        reasons,
    })
}

fn plain(kind: ReasonKind, sentence: String) -> Reason {
    Reason {
        kind,
        sentence,
        words: Vec::new(),
    }
}

/// "card", "reader" and "offline", in the order in which they were said; at most five.
fn listed(words: &[Highlight]) -> String {
    let mut words: Vec<&Highlight> = words.iter().take(5).collect();
    words.sort_by_key(|word| word.start);
    let mut quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.text)).collect();
    quoted.dedup();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Ids of the named things whose whole name occurs in a text, word by word.
pub fn named_in(text: &str, named: &[(String, String)]) -> Vec<String> {
    let said: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
    named
        .iter()
        .filter(|(_, name)| {
            let name: Vec<String> = tokens(name).into_iter().map(|token| token.text).collect();
            !name.is_empty() && said.windows(name.len()).any(|window| window == name)
        })
        .map(|(id, _)| id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cards() -> Candidate {
        Candidate {
            id: "cards".to_owned(),
            title: "card-gateway: terminals silent".to_owned(),
            words: vec!["I cannot pay by card in the shop; the card reader says offline".to_owned()],
            touchpoints: vec![("T1".to_owned(), "Card payments".to_owned())],
            places: vec![("L1".to_owned(), "Manchester Market Street".to_owned())],
            places_known: PlacesKnown::Named,
            began_at: at("2026-11-17T05:41:00Z"),
        }
    }

    fn loyalty() -> Candidate {
        Candidate {
            id: "loyalty".to_owned(),
            title: "loyalty-api slow".to_owned(),
            words: vec!["My loyalty points did not show at the till".to_owned()],
            touchpoints: vec![("T2".to_owned(), "Loyalty".to_owned())],
            places: vec![("L1".to_owned(), "Manchester Market Street".to_owned())],
            places_known: PlacesKnown::UsedThere,
            began_at: at("2026-11-17T05:58:00Z"),
        }
    }

    fn asked(text: &str, places: &[&str]) -> Question {
        Question {
            text: text.to_owned(),
            touchpoints: Vec::new(),
            places: places.iter().map(|id| (*id).to_owned()).collect(),
            names: Vec::new(),
            at: at("2026-11-17T06:02:00Z"),
        }
    }

    fn told(question: &Question, others: &[Other]) -> Vec<(String, Likelihood)> {
        let alike = alike(question, others);
        rank(question, &[loyalty(), cards()], others, &alike)
            .into_iter()
            .map(|found| (found.id, found.likelihood))
            .collect()
    }

    #[test]
    fn words_and_place_together_are_very_likely() {
        let question = asked("card reader says offline, manchester market street", &["L1"]);
        let found = told(&question, &[]);
        assert_eq!(found[0], ("cards".to_owned(), Likelihood::VeryLikely));
    }

    #[test]
    fn what_decided_can_be_highlighted_where_it_stands() {
        let question = asked("card reader says offline, manchester market street", &["L1"]);
        let found = rank(&question, &[cards()], &[], &Alike::default());
        let words = &found[0].reasons[0].words;
        assert!(words.iter().any(|word| word.text == "reader"));
        for word in words {
            assert_eq!(&question.text[word.start..word.end], word.text);
        }
    }

    #[test]
    fn words_that_are_written_without_spaces_are_compared_too() {
        let question = asked("カードが使えません", &[]);
        assert!(covered(&question, ["レジでカードが使えません"]) > 0.9);
        assert!(covered(&question, ["ポイントが付きませんでした"]) < 0.4);
    }

    #[test]
    fn another_place_or_a_later_beginning_speaks_against_it() {
        let mut question = asked("card reader says offline", &["L9"]);
        assert_eq!(told(&question, &[])[0], ("cards".to_owned(), Likelihood::Perhaps));
        question.places.clear();
        question.at = at("2026-11-17T04:00:00Z");
        let found = rank(&question, &[cards()], &[], &Alike::default());
        assert_eq!(found[0].likelihood, Likelihood::Perhaps);
        assert!(
            found[0]
                .reasons
                .iter()
                .any(|reason| reason.kind == ReasonKind::BeganAfter)
        );
    }

    #[test]
    fn something_else_is_not_us() {
        let question = asked("where is the toilet paper", &[]);
        assert!(
            told(&question, &[])
                .iter()
                .all(|(_, likelihood)| *likelihood == Likelihood::ProbablyNot)
        );
    }

    #[test]
    fn what_others_wrote_and_agents_linked_counts() {
        let other = |id: &str| Other {
            id: id.to_owned(),
            text: "gift voucher refused at the counter".to_owned(),
            incident_id: Some("cards".to_owned()),
        };
        let question = asked("voucher was refused at the counter", &[]);
        let found = told(&question, &[other("a"), other("b"), other("c")]);
        assert_eq!(found[0].0, "cards");
        assert!(found[0].1 >= Likelihood::Perhaps);
    }

    #[test]
    fn names_are_found_whole_and_whatever_their_case() {
        let named = [
            ("L1".to_owned(), "Manchester Market Street".to_owned()),
            ("L2".to_owned(), "Market".to_owned()),
            ("L3".to_owned(), "Manchester Piccadilly".to_owned()),
            ("L4".to_owned(), String::new()),
        ];
        assert_eq!(
            named_in("offline, MANCHESTER market street!", &named),
            ["L1", "L2"]
        );
    }
}
