//! Small pictures of numbers: a line over time with its usual band, and shares of a whole.
//!
//! Drawings stretch to their place: across in percent, down in pixels. So they need no script and no size.

use askama::Template;

use super::words::{coordinate, path_through};
use super::{State, StateMark, drawn};

/// Height of a line's drawing, in pixels.
const HEIGHT: f64 = 48.0;
/// Room above and below the line for its own thickness and its last dot.
const INSET: f64 = 4.0;
/// Above this many times the usual, the scale stops and says so: one outage must not flatten the rest.
const CAP: f64 = 12.0;

/// What is to be drawn: values at equal steps of time, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    pub values: Vec<f64>,
    /// What is usual at this hour, from and to.
    pub usual: Option<(f64, f64)>,
    /// Where along the way something began, 0 to 1.
    pub began: Option<f64>,
    /// Stands in for the picture where it is not seen: "rose from 4 to 53 since 05:41".
    pub told: String,
}

/// A laid out line.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "kit/spark.html")]
pub struct Spark {
    /// Path in a box of 100 by `HEIGHT`.
    pub path: String,
    pub usual: Option<Band>,
    /// In percent.
    pub began: Option<String>,
    /// Height of the last value, in pixels.
    pub last: Option<String>,
    /// Set when values reach above the scale.
    pub beyond: Option<String>,
    pub told: String,
}

/// A band across the drawing, in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    pub top: String,
    pub height: String,
}

/// Lays out a line. Values that are not numbers are drawn as nought.
pub fn spark(series: &Series) -> Spark {
    let finite = |value: f64| if value.is_finite() { value.max(0.0) } else { 0.0 };
    let values: Vec<f64> = series.values.iter().copied().map(finite).collect();
    let highest = values.iter().copied().fold(0.0_f64, f64::max);
    let usual_high = series.usual.map_or(0.0, |(_, high)| finite(high));
    let cap = if usual_high > 0.0 {
        usual_high * CAP
    } else {
        f64::INFINITY
    };
    let top = highest.max(usual_high).min(cap).max(f64::MIN_POSITIVE);
    let down = |value: f64| HEIGHT - INSET - (value.min(top) / top) * (HEIGHT - 2.0 * INSET);
    let step = 100.0 / (values.len().max(2) - 1) as f64;
    let path = path_through(
        values
            .iter()
            .enumerate()
            .map(|(index, value)| (index as f64 * step, down(*value))),
    );
    Spark {
        path,
        usual: series.usual.map(|(low, high)| {
            let (upper, lower) = (down(finite(high)), down(finite(low)));
            Band {
                top: coordinate(upper),
                height: coordinate((lower - upper).max(2.0)),
            }
        }),
        began: series
            .began
            .map(|share| coordinate(share.clamp(0.0, 1.0) * 100.0)),
        last: values.last().map(|value| coordinate(down(*value))),
        beyond: (highest > top).then(|| format!("up to {}", super::thousands(highest.round() as u64))),
        told: series.told.clone(),
    }
}

/// One of the small multiples on *Now*.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulse {
    pub name: &'static str,
    /// "usual 620 to 980".
    pub note: super::Rich,
    pub spark: Spark,
    pub value: String,
    /// "per minute".
    pub unit: &'static str,
}

/// Parts of a whole, each in the colour of its state: 12 offline, 5 recovering, 7 back.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "kit/shares.html")]
pub struct Shares {
    pub segments: Vec<Segment>,
    /// The words under the bar.
    pub words: Vec<StateMark>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub class: &'static str,
    /// In percent.
    pub from: String,
    pub width: String,
}

/// Lays out shares from states, counts, and what each is called.
pub fn shares(parts: &[(State, u64, &str)]) -> Shares {
    let whole: u64 = parts.iter().map(|(_, count, _)| count).sum();
    let mut from = 0.0;
    let mut segments = Vec::new();
    for (state, count, _) in parts.iter().filter(|(_, count, _)| *count > 0) {
        let width = *count as f64 / whole as f64 * 100.0;
        let gap = if from + width < 99.99 {
            0.6_f64.min(width / 2.0)
        } else {
            0.0
        };
        segments.push(Segment {
            class: state.class(),
            from: coordinate(from),
            width: coordinate(width - gap),
        });
        from += width;
    }
    let words = parts
        .iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(state, count, word)| state.says(format!("{} {word}", super::thousands(*count))))
        .collect();
    Shares { segments, words }
}

/// A bar against the longest of its list.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    source = r#"<svg class="bar" aria-hidden="true"><rect class="{{ class }}" width="{{ percent }}%" height="8" rx="1"/></svg>"#,
    ext = "html"
)]
pub struct Bar {
    pub percent: u8,
    pub class: &'static str,
}

impl Bar {
    pub fn of(value: u64, longest: u64) -> Self {
        let percent = (value.min(longest) * 100).checked_div(longest).unwrap_or(0) as u8;
        Self {
            percent,
            class: "fill-edge",
        }
    }

    #[must_use]
    pub fn for_the_reader(mut self) -> Self {
        self.class = "fill-you";
        self
    }
}

drawn!(Spark, Shares, Bar);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(values: &[f64]) -> Series {
        Series {
            values: values.to_vec(),
            ..Series::default()
        }
    }

    #[test]
    fn a_line_fills_its_box_from_left_to_right() {
        assert_eq!(spark(&series(&[0.0, 10.0, 5.0])).path, "M0 44L50 4L100 24");
    }

    #[test]
    fn nothing_to_draw_is_no_line_and_no_dot() {
        let empty = spark(&series(&[]));
        assert_eq!((empty.path.as_str(), empty.last), ("", None));
    }

    #[test]
    fn an_outage_does_not_flatten_the_rest() {
        let drawn = spark(&Series {
            values: vec![2.0, 3.0, 400.0, 53.0],
            usual: Some((0.0, 4.0)),
            ..Series::default()
        });
        assert_eq!(drawn.beyond.as_deref(), Some("up to 400"));
        assert!(drawn.path.ends_with("L66.67 4L100 4"), "{}", drawn.path);
    }

    #[test]
    fn shares_fill_the_bar_and_leave_out_what_is_none() {
        let laid = shares(&[
            (State::Triggered, 12, "offline"),
            (State::Slow, 0, "slow"),
            (State::Resolved, 12, "back"),
        ]);
        assert_eq!(laid.segments.len(), 2);
        assert_eq!(laid.segments[1].from, "50");
        assert_eq!(laid.words[0].word, "12 offline");
    }

    proptest! {
        #[test]
        fn a_line_never_leaves_its_box(values in prop::collection::vec(prop::num::f64::ANY, 0..40)) {
            let drawn = spark(&Series { values, usual: Some((1.0, 2.0)), ..Series::default() });
            for point in drawn.path.split(['M', 'L']).filter(|point| !point.is_empty()) {
                let (across, down) = point.split_once(' ').unwrap();
                prop_assert!((0.0..=100.0).contains(&across.parse::<f64>().unwrap()));
                prop_assert!((0.0..=HEIGHT).contains(&down.parse::<f64>().unwrap()));
            }
        }
    }
}
