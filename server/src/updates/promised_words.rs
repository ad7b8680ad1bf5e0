//! The sentences that Muster adds of itself, in the languages readers may have: the promise of the next word, that one is
//! late, and where a story goes on.
//!
//! An audience and a page each have a language. What people write is in it already; these sentences are added by
//! Muster and must not be the one English line in a German text. A language that is not here gets English.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use super::compose::clock_time;
use super::readability::sentences;
use crate::http::Faults;

/// One language: how a promise is said, how it is said that one is late, and how a day is written.
struct Language {
    /// The first part of a language tag, such as `de` of `de-AT`.
    tag: &'static str,
    /// Words before and after the time.
    promise: (&'static str, &'static str),
    late: (&'static str, &'static str),
    /// Words before and after the name of the story in which another goes on.
    merged: (&'static str, &'static str),
    /// Follows the clock when the time is not today.
    day: &'static str,
}

const ENGLISH: Language = Language {
    tag: "en",
    promise: ("We will tell you more by ", "."),
    late: ("We wanted to tell you more by ", " and are late. We are sorry."),
    merged: (
        "This turned out to be part of “",
        "”. We go on telling about it there.",
    ),
    day: "on %-d %B",
};

const OTHERS: [Language; 9] = [
    Language {
        tag: "de",
        promise: ("Mehr erfahren Sie von uns bis ", "."),
        late: (
            "Wir wollten uns bis ",
            " wieder melden und sind zu spät. Das tut uns leid.",
        ),
        merged: (
            "Das hat sich als Teil von „",
            "“ herausgestellt. Dort berichten wir weiter.",
        ),
        day: "am %-d.%-m.",
    },
    Language {
        tag: "fr",
        promise: ("Nous vous en dirons plus avant ", "."),
        late: (
            "Nous voulions vous en dire plus avant ",
            " et sommes en retard. Veuillez nous en excuser.",
        ),
        merged: (
            "Il s’avère que cela fait partie de « ",
            " ». Nous continuons d’en parler là.",
        ),
        day: "le %d/%m",
    },
    Language {
        tag: "es",
        promise: ("Le contaremos más antes de las ", "."),
        late: (
            "Queríamos contarle más antes de las ",
            " y llegamos tarde. Lo sentimos.",
        ),
        merged: ("Resultó ser parte de «", "». Seguimos informando allí."),
        day: "del %d/%m",
    },
    Language {
        tag: "it",
        promise: ("Vi diremo di più entro le ", "."),
        late: (
            "Volevamo dirvi di più entro le ",
            " e siamo in ritardo. Ci scusiamo.",
        ),
        merged: ("È risultato parte di «", "». Continuiamo a informarvi lì."),
        day: "del %d/%m",
    },
    Language {
        tag: "nl",
        promise: ("Wij vertellen u meer vóór ", "."),
        late: (
            "Wij wilden u meer vertellen vóór ",
            " en zijn te laat. Het spijt ons.",
        ),
        merged: (
            "Dit blijkt deel uit te maken van “",
            "”. Daar vertellen wij verder.",
        ),
        day: "op %-d-%-m",
    },
    Language {
        tag: "pt",
        promise: ("Daremos mais informações até às ", "."),
        late: (
            "Queríamos dar mais informações até às ",
            " e estamos atrasados. Lamentamos.",
        ),
        merged: ("Afinal, isto faz parte de “", "”. Continuamos a informar aí."),
        day: "de %d/%m",
    },
    Language {
        tag: "pl",
        promise: ("Więcej powiemy do godziny ", "."),
        late: (
            "Chcieliśmy powiedzieć więcej do godziny ",
            " i jesteśmy spóźnieni. Przepraszamy.",
        ),
        merged: ("Okazało się, że to część „", "”. Dalej informujemy tam."),
        day: "dnia %d.%m",
    },
    Language {
        tag: "sv",
        promise: ("Vi berättar mer senast kl. ", "."),
        late: ("Vi ville berätta mer senast kl. ", " och är sena. Vi beklagar."),
        merged: ("Det visade sig höra till ”", "”. Vi berättar vidare där."),
        day: "den %-d/%-m",
    },
    Language {
        tag: "da",
        promise: ("Vi fortæller mere senest kl. ", "."),
        late: (
            "Vi ville fortælle mere senest kl. ",
            " og er sent på den. Vi beklager.",
        ),
        merged: ("Det viste sig at høre til “", "”. Vi fortæller videre der."),
        day: "den %-d/%-m",
    },
];

/// Refuses a language in which Muster has no words to say.
pub fn check_language(faults: &mut Faults, field: &str, tag: &str) {
    let known = OTHERS.iter().chain([&ENGLISH]).map(|one| one.tag);
    if language(tag).tag == ENGLISH.tag && first_part(tag) != ENGLISH.tag {
        let known: Vec<&str> = known.collect();
        faults.add(format!(
            "{field} must be a language that Muster has words in: {}.",
            known.join(", ")
        ));
    }
}

fn first_part(tag: &str) -> String {
    tag.split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn language(tag: &str) -> &'static Language {
    let first = first_part(tag);
    OTHERS.iter().find(|one| one.tag == first).unwrap_or(&ENGLISH)
}

impl Language {
    fn time(&self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
        if self.tag == ENGLISH.tag {
            return clock_time(at, now, zone);
        }
        let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
        let clock = at.strftime("%H:%M %Z").to_string();
        if at.date() == now.date() {
            clock
        } else {
            format!("{clock} {}", at.strftime(self.day))
        }
    }
}

fn around(words: (&str, &str), time: &str) -> String {
    // "am 18.11." ends with the stop of the sentence already.
    let end = match (time.ends_with('.'), words.1) {
        (true, ".") => "",
        (_, end) => end,
    };
    format!("{}{time}{end}", words.0)
}

/// "We will tell you more by 06:20 GMT."
pub fn promise(tag: &str, due: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let language = language(tag);
    around(language.promise, &language.time(due, now, zone))
}

/// "We wanted to tell you more by 06:20 GMT and are late. We are sorry."
pub fn late(tag: &str, due: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let language = language(tag);
    around(language.late, &language.time(due, now, zone))
}

/// "This turned out to be part of “Problem with Card payments”. We go on telling about it there."
pub fn goes_on_in(tag: &str, story: &str) -> String {
    let (before, after) = language(tag).merged;
    format!("{before}{story}{after}")
}

/// Whether this is the sentence in which an update promises the next one, in any of the languages.
pub fn is_promise(paragraph: &str) -> bool {
    std::iter::once(&ENGLISH)
        .chain(&OTHERS)
        .any(|language| paragraph.starts_with(language.promise.0))
}

/// The language in which words promise the next ones; nothing, where they promise none, or in words of their own.
pub fn language_of_promise(words: &str) -> Option<&'static str> {
    words.lines().map(str::trim_start).find_map(|line| {
        std::iter::once(&ENGLISH)
            .chain(&OTHERS)
            .find(|language| line.starts_with(language.promise.0))
            .map(|language| language.tag)
    })
}

/// Whether two tags name one language, such as `de` and `de-AT`.
pub fn is_same_language(one: &str, other: &str) -> bool {
    first_part(one) == first_part(other)
}

/// Sentences that tell the reader about the next word, not about the end.
static NEXT_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?:tell|update|inform) you|next (?:word|update)|(?:update|speak|write) again|more by|hear from us|come back to you)\b",
    )
});

/// `18:15`, `18.15`, `6:30`, `6:30 pm`, `6 p.m.`
static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?<hour>[01]?\d|2[0-3])[:.](?<minute>[0-5]\d)(?:\s?(?<half>[ap])\.?m)?|(?<whole>1[0-2]|0?[1-9])\s?(?<side>[ap])\.?m)\b",
    )
});

/// The times of day that a sentence names, as `06:20`.
fn clocks(sentence: &str) -> Vec<String> {
    CLOCK
        .captures_iter(sentence)
        .filter_map(|found| {
            let hour: u8 = found
                .name("hour")
                .or(found.name("whole"))?
                .as_str()
                .parse()
                .ok()?;
            let minute = found.name("minute").map_or("00", |minute| minute.as_str());
            // "6:30 am 18.11." is German for "on the 18th".
            let rest = sentence.get(found.get(0)?.end()..).unwrap_or_default();
            let is_day = rest
                .trim_start()
                .starts_with(|first: char| first.is_ascii_digit());
            let half = found.name("half").or(found.name("side")).filter(|_| !is_day);
            let hour = match half.map(|half| half.as_str()) {
                Some("a" | "A") if hour == 12 => 0,
                Some("p" | "P") if hour < 12 => hour + 12,
                _ => hour,
            };
            Some(format!("{hour:02}:{minute}"))
        })
        .collect()
}

/// Whether a sentence tells when the next word comes.
pub fn is_about_next_word(sentence: &str) -> bool {
    let promises = std::iter::once(&ENGLISH).chain(&OTHERS);
    NEXT_WORD.is_match(sentence)
        || promises
            .into_iter()
            .any(|one| sentence.contains(one.promise.0.trim()))
}

/// A sentence that promises the next word for a time on the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// In the words, in bytes.
    pub place: std::ops::Range<usize>,
    /// Such as `06:20`.
    pub clocks: Vec<String>,
}

/// Every sentence of the words that says by when the next word comes.
pub fn said(words: &str) -> Vec<Said> {
    sentences(words)
        .into_iter()
        .filter_map(|sentence| {
            let text = words.get(sentence.place.clone())?;
            let clocks = clocks(text);
            (is_about_next_word(text) && !clocks.is_empty()).then_some(Said {
                place: sentence.place,
                clocks,
            })
        })
        .collect()
}

/// The one time for which words promise the next word, within half a day from now; none where they name none or several.
pub fn said_time(words: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let said = said(words);
    let mut clocks = said.iter().flat_map(|one| &one.clocks);
    let clock = clocks.next()?;
    if clocks.any(|other| other != clock) {
        return None;
    }
    let time: jiff::civil::Time = clock.parse().ok()?;
    let today = now.to_zoned(zone.clone()).date();
    [today, today.tomorrow().ok()?]
        .into_iter()
        .filter_map(|day| Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp()))
        .find(|at| *at > now)
        .filter(|at| at.duration_since(now) <= SignedDuration::from_hours(12))
}

fn pattern(text: &str) -> Regex {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are literals of this file, and a test compiles each"
    )]
    Regex::new(text).expect("a literal pattern")
}

/// Words with the sentence that says when the next word comes: in the place of the sentence for the time that
/// was `drafted`, in whichever language that was, or at the end, unless they say by themselves when it comes. Whether
/// that is the time that is kept is the checker's to see.
pub fn with_promise(
    words: &str,
    tag: &str,
    due: Timestamp,
    drafted: Option<Timestamp>,
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let drafted_words = [tag, ENGLISH.tag].into_iter().find_map(|tag| {
        let old = promise(tag, drafted?, now, zone);
        words.contains(&old).then_some((old, tag))
    });
    let time = due.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    match drafted_words {
        Some((old, tag)) => words.replace(&old, &promise(tag, due, now, zone)),
        None if words.contains(&time) || !said(words).is_empty() => words.to_owned(),
        None => format!("{}\n\n{}", words.trim_end(), promise(tag, due, now, zone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-17T{clock}:00Z").parse().unwrap()
    }

    #[test]
    fn a_promise_is_said_once_and_in_its_own_place() {
        let (now, zone) = (at("06:00"), TimeZone::UTC);
        let with = |words: &str, drafted| with_promise(words, "en", at("06:30"), drafted, now, &zone);
        assert_eq!(
            with("Cards fail.", None),
            "Cards fail.\n\nWe will tell you more by 06:30 UTC."
        );
        assert_eq!(
            with("We will tell you more by 06:20 UTC. Sorry.", Some(at("06:20"))),
            "We will tell you more by 06:30 UTC. Sorry."
        );
        assert_eq!(with("More at 06:30.", None), "More at 06:30.");
    }

    #[test]
    fn a_time_in_ones_own_words_is_the_time_that_is_promised() {
        let (now, zone) = (at("18:00"), TimeZone::UTC);
        let time = |words: &str| said_time(words, now, &zone);
        assert_eq!(time("Cards fail. Next update by 18:15."), Some(at("18:15")));
        assert_eq!(
            time("You hear from us at 6.30."),
            None,
            "that is more than half a day"
        );
        assert_eq!(time("It began at 17:40."), None);
        assert_eq!(time("Next update by 18:15. We tell you more by 18:30."), None);
        let kept = "Cards fail. Next update by 18:15.";
        assert_eq!(with_promise(kept, "en", at("18:11"), None, now, &zone), kept);
        assert_eq!(time("Next update by 6:30 pm."), Some(at("18:30")));
        assert_eq!(time("Next update by 6.30 P.M. at the latest."), Some(at("18:30")));
        assert_eq!(time("Next update by 7pm."), Some(at("19:00")));
        let noon = said("We tell you more by 12:30 pm, not by 12:30 am.");
        assert_eq!(noon[0].clocks, ["12:30", "00:30"]);
        let day = said("Mehr erfahren Sie von uns bis 12:30 am 18. November.");
        assert_eq!(day[0].clocks, ["12:30"]);
        let german = said("Mehr erfahren Sie von uns bis 07:20 CET.");
        assert_eq!(german[0].clocks, ["07:20"]);
    }

    #[test]
    fn a_promise_speaks_the_language_of_its_readers() {
        let (now, zone) = (at("06:00"), TimeZone::get("Europe/Berlin").unwrap());
        let said = |tag: &str| promise(tag, at("06:20"), now, &zone);
        assert_eq!(said("de-AT"), "Mehr erfahren Sie von uns bis 07:20 CET.");
        assert_eq!(said("FR"), "Nous vous en dirons plus avant 07:20 CET.");
        assert_eq!(said("en-GB"), "We will tell you more by 07:20 CET.");
        assert_eq!(said("tlh"), "We will tell you more by 07:20 CET.");
        let tomorrow = promise("de", at("23:30"), now, &zone);
        assert_eq!(tomorrow, "Mehr erfahren Sie von uns bis 00:30 CET am 18.11.");
    }

    #[test]
    fn words_in_another_language_get_their_promise_in_it() {
        let (now, zone) = (at("06:00"), TimeZone::UTC);
        let first = with_promise("Kartenzahlung geht nicht.", "de", at("06:30"), None, now, &zone);
        assert_eq!(
            first,
            "Kartenzahlung geht nicht.\n\nMehr erfahren Sie von uns bis 06:30 UTC."
        );
        let moved = with_promise(&first, "de", at("06:45"), Some(at("06:30")), now, &zone);
        assert_eq!(
            moved,
            "Kartenzahlung geht nicht.\n\nMehr erfahren Sie von uns bis 06:45 UTC."
        );
    }

    #[test]
    fn words_tell_their_language_by_what_they_promise() {
        let words = |promise: &str| format!("Cards fail.\n\n{promise}");
        for (tag, promise) in [
            (Some("en"), "We will tell you more by 06:20 UTC."),
            (Some("de"), "Mehr erfahren Sie von uns bis 06:20 UTC."),
            (None, "More at 06:20."),
        ] {
            assert_eq!(language_of_promise(&words(promise)), tag);
        }
        assert!(is_same_language("de", "DE_at") && !is_same_language("de", "da"));
    }

    #[test]
    fn every_language_is_known_again_and_says_that_it_is_late() {
        let (now, zone) = (at("06:00"), TimeZone::UTC);
        for tag in OTHERS.iter().map(|language| language.tag).chain(["en"]) {
            assert!(is_promise(&promise(tag, at("06:20"), now, &zone)), "{tag}");
            let late = late(tag, at("05:20"), now, &zone);
            assert!(late.contains("05:20 UTC") && !is_promise(&late), "{tag}: {late}");
            assert!(goes_on_in(tag, "Kasse").contains("Kasse"), "{tag}");
        }
        assert!(!is_promise("We are looking into it."));
    }
}
