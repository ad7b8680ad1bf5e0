//! What the page of a location says: what is down here, what to do instead, what to say, when the next word
//! comes.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::documents::paragraphs;
use super::location::{LocationSituation, Trouble};
use super::view::{LocationPage, Tap};
use crate::drawing::{Rich, State as Mark};
use crate::impact::model::Standing;
use crate::updates::compose::{clock_time, listing};
use crate::updates::promised_words::is_promise;
use crate::updates::situation::Harm;
use crate::updates::store::PublicWord;

/// Touchpoints that are hurt elsewhere and can be said to be hurt here with one tap.
const MOST_TAPS: usize = 3;
/// Letters of what customers were told; the whole stands on the status page.
const LONGEST_TOLD: usize = 600;

/// The page as it reads now.
pub fn page(here: &LocationSituation, now: Timestamp) -> LocationPage {
    let location = &here.location;
    // Where nobody said which clock hangs there, it is the one of the words that are shown.
    let of_words = here.word.as_ref().and_then(|word| word.time_zone.as_deref());
    let zone = location
        .time_zone
        .as_deref()
        .or(of_words)
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC);
    let address = format!("/at/{}", location.code.as_deref().unwrap_or_default());
    let worst = here.here.first();
    let promise = here.word.as_ref().and_then(|word| word.next_update_by);
    LocationPage {
        language: "en".to_owned(),
        name: location.name.clone(),
        at: now.to_zoned(zone.clone()).strftime("%H:%M").to_string(),
        state: worst.map_or(Mark::Working, state_of),
        headline: worst.map_or_else(|| "Everything works here".to_owned(), headline),
        below: below(here, now, &zone),
        steps: worst
            .filter(|one| one.standing != Standing::Recovering)
            .and_then(|one| one.touchpoint.fallback.as_ref())
            .map_or_else(Vec::new, |words| steps(words.as_str())),
        say: worst
            .filter(|one| one.standing != Standing::Recovering)
            .and_then(|one| one.touchpoint.words_to_say.as_ref())
            .map(ToString::to_string),
        next_word: worst.map(|_| next_word(promise, now, &zone)),
        needs: needs(here),
        report_to: format!("{address}/said"),
        question: question(here, now, &zone),
        taps: taps(here),
        tell: format!("{address}/report"),
        good_until: promise.filter(|due| *due > now).map_or_else(
            || "look again within the hour".to_owned(),
            |due| format!("good until {}", clock_time(due, now, &zone)),
        ),
        address,
    }
}

/// Nouns that end in a single s are taken to be many: "Card payments do", "Loyalty does".
fn is_plural(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    name.ends_with('s') && !name.ends_with("ss") && !name.ends_with("us")
}

fn headline(trouble: &Trouble) -> String {
    let name = trouble.touchpoint.name.as_str();
    let (are, do_) = if is_plural(name) {
        ("are", "do")
    } else {
        ("is", "does")
    };
    match (trouble.standing, trouble.harm) {
        (Standing::Recovering, _) => format!("{name} should work here again"),
        (Standing::MayBeHurt, Harm::Slow) => format!("{name} may be slow here"),
        (Standing::MayBeHurt, _) => format!("{name} may not work here"),
        (_, Harm::Slow) => format!("{name} {are} slow here"),
        (_, Harm::PartlyDown | Harm::Down) => format!("{name} {do_} not work here"),
    }
}

fn state_of(trouble: &Trouble) -> Mark {
    match (trouble.standing, trouble.harm) {
        (Standing::Recovering | Standing::Back, _) => Mark::Recovering,
        (_, Harm::Slow) => Mark::Slow,
        (_, Harm::PartlyDown | Harm::Down) => Mark::Triggered,
    }
}

/// Since when, where else, and that somebody is at it.
fn below(here: &LocationSituation, now: Timestamp, zone: &TimeZone) -> String {
    let Some(worst) = here.here.first() else {
        return if here.elsewhere.is_empty() {
            "Nothing is known to be wrong.".to_owned()
        } else {
            let names: Vec<&str> = here
                .elsewhere
                .iter()
                .map(|one| one.touchpoint.name.as_str())
                .collect();
            format!(
                "Other places have trouble with {}. Yours is not one of them.",
                listing(&names)
            )
        };
    };
    let since = clock_time(worst.since, now, zone);
    let counts = worst.counts;
    match worst.standing {
        Standing::Recovering => {
            format!("It was down from {since}. Please try it, then press “Back up” or “Still down”.")
        }
        Standing::Confirmed if counts.recovering + counts.back > 0 && counts.down > 1 => {
            format!(
                "Since {since}. Places are coming back. Yours is one of {} to go.",
                counts.down
            )
        }
        Standing::Confirmed if counts.recovering + counts.back > 0 => {
            format!("Since {since}. Other places are back. Yours is the last to go.")
        }
        Standing::Confirmed if counts.down > 1 => {
            format!(
                "Since {since}, here and in {} more. We are working on it.",
                places(counts.down - 1)
            )
        }
        _ => format!("Since {since}. We are working on it."),
    }
}

fn places(count: usize) -> String {
    match count {
        1 => "1 place".to_owned(),
        many => format!("{many} places"),
    }
}

/// A promise that has lapsed is never hidden.
fn next_word(promise: Option<Timestamp>, now: Timestamp, zone: &TimeZone) -> String {
    match promise {
        Some(due) if due > now => format!("We tell you more by {}.", clock_time(due, now, zone)),
        Some(due) => format!(
            "We wanted to tell you more by {} and are late. We are sorry; look again in a few minutes.",
            clock_time(due, now, zone)
        ),
        None => "We tell you more here as soon as we know more. Look again in 10 minutes.".to_owned(),
    }
}

fn needs(here: &LocationSituation) -> Vec<(Option<Mark>, Rich)> {
    let mut needs: Vec<(Option<Mark>, Rich)> = here
        .here
        .iter()
        .skip(1)
        .map(|other| {
            let fallback = other
                .touchpoint
                .fallback
                .as_ref()
                .filter(|_| other.standing != Standing::Recovering);
            let rest = fallback.map_or_else(String::new, |words| format!(" {}", in_one_line(words.as_str())));
            (
                Some(state_of(other)),
                Rich::default().strong(format!("{}.", headline(other))).then(rest),
            )
        })
        .collect();
    if here.here.is_empty() {
        for other in here.elsewhere.iter().take(MOST_TAPS) {
            if let Some(fallback) = &other.touchpoint.fallback {
                let words = Rich::default()
                    .strong(format!("If {} fails here too:", other.touchpoint.name.as_str()))
                    .then(format!(" {}", in_one_line(fallback.as_str())));
                needs.push((None, words));
            }
        }
    }
    if let Some(word) = &here.word {
        let told = told(word);
        if !told.is_empty() {
            let words = Rich::default()
                .strong("Customers were told: ")
                .then(told.join(" "));
            needs.push((None, words));
        }
    }
    needs
}

/// What customers were told, as far as it is short, and without the promise, which stands elsewhere.
fn told(word: &PublicWord) -> Vec<String> {
    let mut left = LONGEST_TOLD;
    paragraphs(word.public_words.as_str())
        .into_iter()
        .filter(|paragraph| !is_promise(paragraph))
        .take_while(|paragraph| {
            let fits = paragraph.len() <= left;
            left = left.saturating_sub(paragraph.len());
            fits
        })
        .collect()
}

/// Steps as they were written: one to a line, the first sentence of each the loudest.
fn steps(text: &str) -> Vec<Rich> {
    lines(text)
        .map(|line| match line.split_once(". ") {
            Some((first, rest)) if first.len() < 60 => Rich::default()
                .strong(format!("{first}."))
                .then(format!(" {rest}")),
            _ => Rich::default().strong(line),
        })
        .collect()
}

/// Lines without the numbers and dashes that people put before them; the page numbers steps itself.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| {
            let line = line.trim();
            let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
            match rest.strip_prefix(['.', ')']) {
                Some(words) if rest.len() < line.len() => words.trim_start(),
                _ => line.strip_prefix(['-', '*', '•']).map_or(line, str::trim_start),
            }
        })
        .filter(|line| !line.is_empty())
}

fn in_one_line(text: &str) -> String {
    lines(text).collect::<Vec<_>>().join(" ")
}

/// What is asked at the foot of the page, or what the staff said last.
fn question(here: &LocationSituation, now: Timestamp, zone: &TimeZone) -> String {
    match &here.last_report {
        Some(report) => {
            let by = report
                .said_by
                .as_ref()
                .map_or_else(String::new, |name| format!(" by {name}"));
            let at = clock_time(report.at, now, zone);
            format!("“{}” said here at {at}{by}. Thank you.", report.said.words())
        }
        None if here.here.is_empty() => "Is something wrong here?".to_owned(),
        None => "How is it at your place?".to_owned(),
    }
}

fn taps(here: &LocationSituation) -> Vec<Tap> {
    let tap = |name: &'static str, value: &str, state: Mark, words: String| Tap {
        name,
        value: value.to_owned(),
        state,
        words,
    };
    let Some(worst) = here.here.first() else {
        return here
            .elsewhere
            .iter()
            .take(MOST_TAPS)
            .map(|one| {
                let words = format!("Us too: {}", one.touchpoint.name.as_str());
                tap("too", &one.touchpoint.id, Mark::Triggered, words)
            })
            .collect();
    };
    let down = match worst.standing {
        Standing::MayBeHurt => tap("too", &worst.touchpoint.id, Mark::Triggered, "Us too".to_owned()),
        _ => tap("said", "down", Mark::Triggered, "Still down".to_owned()),
    };
    let up = match worst.standing {
        Standing::MayBeHurt => "Works here",
        _ => "Back up",
    };
    vec![down, tap("said", "up", Mark::Working, up.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dashes_that_people_write_before_steps_are_left_out() {
        let written =
            "1. Take cash. The float is enough.\n2) Hold baskets\n\n- 3 days at most\n24 h later, ask again";
        let read: Vec<&str> = lines(written).collect();
        assert_eq!(
            read,
            [
                "Take cash. The float is enough.",
                "Hold baskets",
                "3 days at most",
                "24 h later, ask again"
            ]
        );
    }

    #[test]
    fn names_of_many_and_of_one_get_their_verbs() {
        assert!(is_plural("Card payments") && is_plural("Appointments"));
        assert!(!is_plural("Loyalty") && !is_plural("Click & collect") && !is_plural("Wireless"));
    }
}
