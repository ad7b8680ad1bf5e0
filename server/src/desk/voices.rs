//! What customers say about an incident, gathered by their words.
//!
//! The gathering is that of [`triage::words::discovery`]. Names of places are taken out first: the same
//! complaint from two shops is one voice. Nothing is stored; the same cases give the same voices.

use store::{Error, Tx};
use triage::words::discovery::{Discovery, Settings};

use crate::cases::store as cases;
use crate::incidents::IncidentId;

/// Cases that are read, the latest.
const MOST_CASES: i64 = 500;
/// Letters of an example.
const LONGEST: usize = 90;

/// A group of customers who say alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// What one of them wrote, cut, without the place.
    pub example: String,
    pub count: u64,
    /// Which of the texts joined last, counted from 0.
    pub last: usize,
}

/// The voices of an incident's cases, the loudest first.
pub fn of_incident(tx: &mut Tx, id: &IncidentId) -> Result<Vec<Voice>, Error> {
    let texts = cases::words_of_incident(tx, id, MOST_CASES)?;
    Ok(gather(
        texts
            .iter()
            .rev()
            .map(|(text, place)| (text.as_str(), place.as_deref())),
    ))
}

/// The pure part: texts with the place that each names, the oldest first.
pub fn gather<'t>(texts: impl Iterator<Item = (&'t str, Option<&'t str>)>) -> Vec<Voice> {
    let mut discovery = Discovery::new(Settings::default());
    let mut gathered = Vec::new();
    for (number, (text, place)) in texts.enumerate() {
        let text = place.map_or_else(|| text.to_owned(), |place| text.replace(place, "…"));
        // A text without words says nothing that could be gathered.
        if discovery.observe(&text).is_some() {
            gathered.push(number);
        }
    }
    let mut voices: Vec<Voice> = discovery
        .clusters()
        .iter()
        .map(|cluster| Voice {
            example: cluster.examples.first().map(|text| cut(text)).unwrap_or_default(),
            count: cluster.texts,
            last: usize::try_from(cluster.last)
                .ok()
                .and_then(|last| gathered.get(last.checked_sub(1)?).copied())
                .unwrap_or(0),
        })
        .collect();
    voices.sort_by(|one, other| other.count.cmp(&one.count).then(one.example.cmp(&other.example)));
    voices
}

/// The first sentence, or as much of it as fits.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = line
        .split_inclusive(['.', '!', '?'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    if sentence.chars().count() <= LONGEST {
        return sentence;
    }
    let mut short: String = sentence.chars().take(LONGEST).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_complaint_from_two_places_is_one_voice() {
        let voices = gather(
            [
                (
                    "The card reader at Leeds says offline. Have I paid?",
                    Some("Leeds"),
                ),
                ("The card reader at York says offline. Have I paid?", Some("York")),
                ("My loyalty points are missing", None),
            ]
            .into_iter(),
        );
        assert_eq!(voices.len(), 2, "{voices:?}");
        assert_eq!(
            (voices[0].example.as_str(), voices[0].count, voices[0].last),
            ("The card reader at … says offline.", 2, 1)
        );
    }

    #[test]
    fn long_and_empty_texts_do_no_harm() {
        assert!(gather(std::iter::empty()).is_empty());
        assert!(gather([("", None), ("…", None)].into_iter()).is_empty());
        let long = "word ".repeat(5_000);
        let voices = gather([(long.as_str(), None)].into_iter());
        assert!(voices[0].example.chars().count() <= LONGEST + 1);
    }
}
