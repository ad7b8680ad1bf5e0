//! The public pages as typed views. Each is one file: style inside, named by its hash in the policy.

use std::fmt::Write as _;

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use crate::drawing::{Rich, State};

pub(super) const STYLE: &str = include_str!("../../templates/pages/style.css");
pub(super) const STATUS_STYLE: &str = include_str!("../../templates/pages/status.css");
const LOCATION_STYLE: &str = include_str!("../../templates/pages/location.css");

/// How many days of history a component shows.
pub const DAYS: usize = 90;

/// A company's status page.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/status.html")]
pub struct StatusPage {
    /// "Larkfield status".
    pub title: String,
    /// The language of the answer where it is not Muster's own, as in `lang="de"`.
    pub foreign: Option<String>,
    /// Other languages: name and address. Empty when there is one.
    pub languages: Vec<(String, String)>,
    pub state: State,
    /// The one sentence that answers "is it broken?".
    pub headline: String,
    /// What to do, and what is true besides.
    pub words: Vec<String>,
    /// "We will tell you more by 06:20 GMT, in 8 minutes."
    pub next_word: Option<String>,
    /// "See the 17 shops", and their names.
    pub places: Option<(String, Vec<String>)>,
    pub components: Vec<Component>,
    /// Newest first.
    pub story: Vec<StoryEntry>,
    pub subscribe: Option<Subscribe>,
    /// "06:12 GMT, Tuesday 17 November 2026".
    pub written: String,
    /// This page's own address, to renew it.
    pub address: String,
}

/// Where a component stands: alone, or in a group whose name stands before its first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rank {
    Alone,
    FirstOf(String),
    Further,
}

/// How a day went, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Day {
    Well,
    /// Planned work.
    Work,
    /// Slow, or broken for a few minutes.
    Brief,
    /// Broken for a while.
    Short,
    /// Broken for so long that the day stands out.
    Long,
}

#[derive(Debug, Clone)]
pub struct Component {
    pub name: String,
    pub rank: Rank,
    pub state: State,
    /// "Not working in 17 shops".
    pub words: String,
    /// One for each of the last ninety days, oldest first; nothing for days before it was watched.
    pub days: Vec<Option<Day>>,
    /// "99.91 % working".
    pub uptime: String,
}

#[derive(Debug, Clone)]
pub struct StoryEntry {
    /// The language of the words where it is not Muster's own.
    pub foreign: Option<String>,
    /// "05:58 GMT", "9 November".
    pub when: String,
    /// A state and its word, when the entry begins or ends something.
    pub state: Option<(State, String)>,
    pub words: Vec<Rich>,
}

/// How to be told.
#[derive(Debug, Clone)]
pub struct Subscribe {
    pub post_to: String,
    pub feed: String,
}

/// One of the big buttons of a location.
#[derive(Debug, Clone)]
pub struct Tap {
    pub name: &'static str,
    pub value: String,
    pub state: State,
    pub words: String,
}

/// The page of one location: what is down, what to do instead, what to say.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/location.html")]
pub struct LocationPage {
    pub language: String,
    pub name: String,
    /// "06:12".
    pub at: String,
    pub address: String,
    pub state: State,
    /// "Cards do not work here".
    pub headline: String,
    /// "Since 05:41. We are bringing the shops back. Yours is one of 12 to go."
    pub below: String,
    pub steps: Vec<Rich>,
    pub say: Option<String>,
    /// "We tell you more by 06:25."
    pub next_word: Option<String>,
    pub needs: Vec<(Option<State>, Rich)>,
    /// Where taps are sent.
    pub report_to: String,
    /// "How is it at your place?", or what was said here last.
    pub question: String,
    pub taps: Vec<Tap>,
    /// The form for everything else.
    pub tell: String,
    /// "good until 06:25", for the printed page.
    pub good_until: String,
}

impl StatusPage {
    fn style() -> String {
        format!("{STYLE}{STATUS_STYLE}")
    }

    /// The policy that is sent with the page.
    pub fn policy() -> String {
        policy(&Self::style())
    }
}

impl LocationPage {
    fn style() -> String {
        LOCATION_STYLE.to_owned()
    }

    pub fn policy() -> String {
        policy(&Self::style())
    }
}

impl Component {
    /// Days before the first watched one.
    fn unwatched(&self) -> usize {
        let first = self.days.iter().position(Option::is_some);
        first.unwrap_or(self.days.len())
    }

    /// A row of small ticks from the first watched day on.
    fn ticks(&self) -> String {
        format!("M{} 21.5H{}", self.unwatched() * 8, self.days.len() * 8)
    }

    /// The paler ticks of the days before.
    fn before(&self) -> Option<String> {
        let days = self.unwatched();
        (days > 0).then(|| format!("M0 21.5H{}", days * 8))
    }

    /// Taller ticks over the days that were not all well, by the name of their state.
    fn bad_days(&self) -> Vec<(&'static str, String)> {
        let mut paths: Vec<(&'static str, String)> = Vec::new();
        for (day, how) in self.days.iter().enumerate() {
            let (class, height) = match how {
                Some(Day::Long) => ("triggered", 22),
                Some(Day::Short) => ("slow", 15),
                Some(Day::Brief) => ("slow", 9),
                Some(Day::Work) => ("maintenance", 9),
                Some(Day::Well) | None => continue,
            };
            let place = paths
                .iter()
                .position(|(name, _)| *name == class)
                .unwrap_or_else(|| {
                    paths.push((class, String::new()));
                    paths.len() - 1
                });
            // Writing to a string does not fail.
            write!(paths[place].1, "M{} {}h5V24h-5z", day * 8, 24 - height).ok();
        }
        paths
    }
}

impl State {
    /// The outline of the shape, the same as among the console's icons, so that no second request is needed.
    fn outline(self) -> &'static str {
        match self {
            State::Triggered => "M6 .9 11.7 11.2H.3z",
            State::Acknowledged => {
                "M6 .3a5.7 5.7 0 1 1 0 11.4A5.7 5.7 0 0 1 6 .3zm0 1.5v8.4a4.2 4.2 0 0 0 0-8.4z"
            }
            State::Slow => "M.3.9h11.4L6 11.2zM2.8 2.4 6 8.1l3.2-5.7z",
            State::Recovering => "M6 .3 11.3 6H8v5.7H4V6H.7z",
            State::Resolved => {
                "M6 .3a5.7 5.7 0 1 1 0 11.4A5.7 5.7 0 0 1 6 .3zm2.3 3.2L5.2 6.9 3.7 5.4l-1 1L5.3 9l4.1-4.5z"
            }
            State::Working => "m1.9 5.6 2.7 2.6 5.6-5.7 1.3 1.3-6.9 7L.6 7z",
            State::Maintenance => {
                "M1.2.4h9.6c.5 0 .8.3.8.8v9.6c0 .5-.3.8-.8.8H1.2c-.5 0-.8-.3-.8-.8V1.2c0-.5.3-.8.8-.8zM3.7 3v6h1.5V3zm3.1 0v6h1.5V3z"
            }
            State::Drill => "M6 .1 11.9 6 6 11.9.1 6zm0 2.3L2.4 6 6 9.6 9.6 6z",
            State::Unknown => {
                "M6 .5a5.5 5.5 0 1 1 0 11A5.5 5.5 0 0 1 6 .5zm0 1.4a4.1 4.1 0 1 0 0 8.2 4.1 4.1 0 0 0 0-8.2z"
            }
        }
    }
}

/// Nothing but this page's own style, and forms to this host.
pub(super) fn policy(style: &str) -> String {
    let hash = BASE64.encode(&Sha256::digest(style.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_the_console() {
        let icons = include_str!("../../assets/icons.svg");
        for state in State::ALL.into_iter().filter(|state| *state != State::Unknown) {
            assert!(icons.contains(&format!("d=\"{}\"", state.outline())), "{state:?}");
        }
    }

    #[test]
    fn a_public_page_is_one_light_file_without_scripts() {
        for (name, page, limit) in [
            ("status", status().render().unwrap(), 11_264),
            ("location", location().render().unwrap(), 6_144),
        ] {
            assert!(page.len() < limit, "{name} has {} bytes", page.len());
            for forbidden in [
                "<script",
                " style=",
                "http-equiv",
                " src=",
                "<link rel=\"stylesheet\"",
            ] {
                assert!(!page.contains(forbidden), "{name} has {forbidden}");
            }
        }
    }

    #[test]
    fn the_policy_names_the_style_that_is_in_the_page() {
        let page = status().render().unwrap();
        let style = page
            .split("<style>")
            .nth(1)
            .unwrap()
            .split("</style>")
            .next()
            .unwrap();
        assert_eq!(policy(style), StatusPage::policy());
    }

    #[test]
    fn hostile_words_stay_words() {
        let mut page = status();
        page.headline = "</title><script>alert(1)</script>".to_owned();
        assert!(!page.render().unwrap().contains("<script"));
    }

    #[test]
    fn bad_days_stand_out_by_height() {
        let component = Component {
            days: vec![None, Some(Day::Well), Some(Day::Long)],
            ..status().components.remove(0)
        };
        assert_eq!(component.ticks(), "M8 21.5H24");
        assert_eq!(component.before().as_deref(), Some("M0 21.5H8"));
        assert_eq!(component.bad_days(), [("triggered", "M16 2h5V24h-5z".to_owned())]);
    }

    fn days(bad: &[(usize, Day)]) -> Vec<Option<Day>> {
        let mut days = vec![Some(Day::Well); DAYS];
        for (day, how) in bad {
            days[*day] = Some(*how);
        }
        days
    }

    pub(crate) fn status() -> StatusPage {
        let component = |name: &str, state, words: &str, bad: &[(usize, Day)], uptime: &str| Component {
            rank: Rank::Alone,
            name: name.to_owned(),
            state,
            words: words.to_owned(),
            days: days(bad),
            uptime: uptime.to_owned(),
        };
        let told = |when: &str, words: Rich| StoryEntry {
            foreign: None,
            when: when.to_owned(),
            state: None,
            words: vec![words],
        };
        StatusPage {
            title: "Larkfield status".to_owned(),
            foreign: None,
            languages: vec![("Deutsch".to_owned(), "?language=de".to_owned()), ("Français".to_owned(), "?language=fr".to_owned())],
            state: State::Triggered,
            headline: "Card payments are not working in 17 of our 240 shops.".to_owned(),
            words: vec![
                "It is us, not your card. You can pay with cash, or we hold your basket until tomorrow evening. You have not been charged twice.".to_owned(),
            ],
            next_word: Some("We will tell you more by 06:20 GMT, in 8 minutes.".to_owned()),
            places: Some(("See the 17 shops".to_owned(), vec!["Bristol Broadmead".to_owned(), "Manchester Market Street".to_owned()])),
            components: vec![
                component("Card payments", State::Triggered, "Not working in 17 shops", &[(41, Day::Short), (89, Day::Long)], "99.91 % working"),
                component("Loyalty points", State::Slow, "Slow in 24 shops", &[(41, Day::Short), (89, Day::Short)], "99.96 % working"),
                component("Click & collect", State::Slow, "Slow in 24 shops", &[(22, Day::Short), (23, Day::Short), (81, Day::Short), (89, Day::Short)], "99.88 % working"),
                component("Appointments", State::Working, "Working", &[(60, Day::Short)], "99.99 % working"),
            ],
            story: vec![
                told("05:58 GMT", Rich::default().strong("Loyalty points and collection orders are slow").then(" in the same shops. Points are counted later by themselves. Orders are ready, handing them over takes longer.")),
                told("05:52 GMT", Rich::default().strong("Card payments are not working in 24 of our shops").then(" since 05:41. It is not spreading to other shops. You can pay with cash, or we hold your basket until tomorrow evening.")),
                StoryEntry {
                    foreign: None,
                    when: "Tonight".to_owned(),
                    state: Some((State::Maintenance, "Planned".to_owned())),
                    words: vec!["22:00 to 23:30 GMT: the stock shown online may be 10 minutes old. Nothing else changes.".into()],
                },
                told("9 November", Rich::plain("Click & collect was slow for 42 minutes. ").link("What we changed", "#")),
            ],
            subscribe: Some(Subscribe { post_to: "/status/larkfield/subscribe".to_owned(), feed: "/status/larkfield/history.atom".to_owned() }),
            written: "06:12 GMT, Tuesday 17 November 2026".to_owned(),
            address: "/status/larkfield".to_owned(),
        }
    }

    pub(crate) fn location() -> LocationPage {
        LocationPage {
            language: "en".to_owned(),
            name: "Manchester Market Street".to_owned(),
            at: "06:12".to_owned(),
            address: "/at/MMS".to_owned(),
            state: State::Triggered,
            headline: "Cards do not work here".to_owned(),
            below: "Since 05:41. We are bringing the shops back. Yours is one of 12 to go.".to_owned(),
            steps: vec![
                Rich::default().strong("Take cash."),
                Rich::plain("No cash? ").strong("Hold the basket").then(" until tomorrow 20:00. Name and phone on the yellow slip."),
                Rich::default().strong("Leave the terminals alone.").then(" They come back by themselves."),
            ],
            say: Some("I am sorry. It is us, not your card. You have not been charged twice. Would you like to pay cash, or shall I hold your basket?".to_owned()),
            next_word: Some("We tell you more by 06:25.".to_owned()),
            needs: vec![
                (None, Rich::default().strong("You may give").then(" a £5 voucher, once per customer. Shift lead: up to £20.")),
                (None, Rich::default().strong("In a hurry?").then(" Offer to bring the basket to the door, or post it free of charge.")),
                (Some(State::Slow), Rich::default().strong("Points are slow.").then(" They are added later by themselves.")),
                (Some(State::Slow), Rich::default().strong("Collection is slow.").then(" Find the parcel by order number, paper list B.")),
                (None, Rich::default().strong("A person: ").link("020 5550 0199", "tel:02055500199").then(", day and night")),
            ],
            report_to: "/at/MMS/said".to_owned(),
            question: "How is it at your place?".to_owned(),
            taps: vec![
                Tap { name: "said", value: "down".to_owned(), state: State::Triggered, words: "Still down".to_owned() },
                Tap { name: "said", value: "up".to_owned(), state: State::Working, words: "Back up".to_owned() },
            ],
            tell: "/at/MMS/report".to_owned(),
            good_until: "good until 06:25".to_owned(),
        }
    }
}
