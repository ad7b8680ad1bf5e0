//! Finds what is already known about something new: open incidents and known issues for a customer's sentence,
//! past incidents for a fresh one, duplicates among reports.
//!
//! A [`Report`] is anything with a title, a body and a few facts. An [`Index`] keeps reports under the caller's ids
//! and [`Index::rank`] orders them by likeness to another report. The score of a [`Match`] is the plain sum of the
//! points of its [`Reason`]s, so what a person is shown is what was computed. Text speaks through rare words and,
//! because people mistype, through groups of four letters; facts (template, services, touchpoints, locations) add to
//! it; reports from about the same time count as a little more alike. What people confirm and refuse changes how much each
//! sort of reason counts ([`Index::confirm`]). Nothing is random and nothing is read from
//! outside; the number of reports and the part of each that is kept are bounded, the oldest report makes room.
//!
//! ```
//! use triage::similar::{Index, Reason, Report, Settings};
//!
//! let mut index = Index::new(Settings::default());
//! index.insert("issue-1", Report {
//!     title: "Card payments fail at the till".into(),
//!     touchpoints: vec!["payments".into()],
//!     ..Report::default()
//! });
//! index.insert("issue-2", Report { title: "Loyalty points are shown late".into(), ..Report::default() });
//!
//! let asked = Report {
//!     body: "customer's card payment keeps failing".into(),
//!     touchpoints: vec!["payments".into()],
//!     ..Report::default()
//! };
//! let matches = index.rank(&asked, 3);
//! assert_eq!(matches[0].id, "issue-1");
//! assert!(matches[0].reasons.iter().any(|reason| matches!(reason, Reason::Touchpoints { .. })));
//! ```

mod facts;
mod index;
mod lessons;
mod lexicon;
mod terms;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use index::{Index, Settings};

/// Something that was reported, or that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The short text, which counts more than the body; may be empty.
    pub title: String,
    /// The long text; about its first thousand characters are read.
    pub body: String,
    /// Id of the message template that the title follows, if one is known.
    pub template: Option<String>,
    /// Technical services concerned.
    pub services: Vec<String>,
    /// Touchpoints (business services that customers know) concerned.
    pub touchpoints: Vec<String>,
    /// Locations concerned; empty means "not known or everywhere".
    pub locations: Vec<String>,
    /// When it was reported, in seconds since 1970 (UTC).
    pub at: Option<i64>,
}

/// A report that is like the one asked about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// The id under which it was inserted.
    pub id: String,
    /// Sum of the points of the reasons; above zero. Two reports with the same text and nothing else get 1.
    pub score: f64,
    /// Why, most points first. Reasons against have points below zero.
    pub reasons: Vec<Reason>,
}

/// Why a report is, or is not, like the one asked about.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// They use the same or similarly written words.
    Words {
        /// Added to the score.
        points: f64,
        /// Share of what the question says that the report says too, by rarity of the words, 0 to 1.
        covered: f64,
        /// The words of the question that decided, strongest first, for highlighting.
        words: Vec<MatchedWord>,
    },
    /// They follow the same message template.
    Template {
        /// Added to the score.
        points: f64,
    },
    /// They concern the same technical services.
    Services {
        /// Added to the score.
        points: f64,
        /// The services in both.
        shared: Vec<String>,
    },
    /// They concern the same touchpoints.
    Touchpoints {
        /// Added to the score.
        points: f64,
        /// The touchpoints in both.
        shared: Vec<String>,
    },
    /// They concern the same locations.
    Locations {
        /// Added to the score.
        points: f64,
        /// The locations in both.
        shared: Vec<String>,
    },
    /// Both name locations, and none of them is the same.
    OtherLocation {
        /// Added to the score; below zero.
        points: f64,
    },
    /// They were reported at about the same time.
    Time {
        /// Added to the score.
        points: f64,
        /// Seconds between them.
        apart: u64,
    },
}

impl Reason {
    /// What the reason adds to the score.
    pub fn points(&self) -> f64 {
        match self {
            Self::Words { points, .. }
            | Self::Template { points }
            | Self::Services { points, .. }
            | Self::Touchpoints { points, .. }
            | Self::Locations { points, .. }
            | Self::OtherLocation { points }
            | Self::Time { points, .. } => *points,
        }
    }
}

impl Reason {
    fn points_mut(&mut self) -> &mut f64 {
        match self {
            Self::Words { points, .. }
            | Self::Template { points }
            | Self::Services { points, .. }
            | Self::Touchpoints { points, .. }
            | Self::Locations { points, .. }
            | Self::OtherLocation { points }
            | Self::Time { points, .. } => points,
        }
    }
}

/// Which text of a report a word stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// [`Report::title`].
    Title,
    /// [`Report::body`].
    Body,
}

/// A word of the question that the found report has too.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatchedWord {
    /// The word as it stands in the question.
    pub text: String,
    /// Which text of the question it stands in.
    pub field: Field,
    /// Where, in bytes of that text.
    pub place: Range<usize>,
    /// Share of the likeness of the texts that it brought, 0 to 1.
    pub share: f64,
}
