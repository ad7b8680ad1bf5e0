//! How many are hurt over time: what is offline, what is coming back, and the pace, which is no promise.

use askama::Template;
use jiff::Timestamp;

use super::words::{coordinate, path_through};
use super::{Reading, drawn};

/// Height of the drawing, in pixels.
const HEIGHT: f64 = 140.0;

/// How many at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hurt {
    pub at: Timestamp,
    pub offline: u32,
    pub recovering: u32,
}

#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "kit/recovery.html")]
pub struct Recovery {
    /// Paths in a box of 1000 by the height.
    pub offline: String,
    pub offline_line: String,
    pub recovering: String,
    /// From now to when, at this pace, none would be left.
    pub pace: Option<String>,
    /// In percent.
    pub now: String,
    pub most: u32,
    pub half: u32,
    /// Percent and words.
    pub axis: Vec<(String, String)>,
    pub told: String,
}

/// Lays out a recovery whose last point is now; `over_at` is when the last would be back at this pace.
pub fn recovery(points: &[Hurt], over_at: Option<Timestamp>, reading: &Reading) -> Recovery {
    let from = points.first().map_or(reading.now, |point| point.at);
    let now = points.last().map_or(reading.now, |point| point.at);
    let to = over_at.filter(|over| *over > now).unwrap_or(now);
    let length = (to.as_second() - from.as_second()).max(1) as f64;
    let across = |at: Timestamp| (at.as_second() - from.as_second()) as f64 / length * 1000.0;
    let most = points
        .iter()
        .map(|point| point.offline + point.recovering)
        .max()
        .unwrap_or(0)
        .max(1);
    let down = |count: u32| HEIGHT - f64::from(count) / f64::from(most) * (HEIGHT - 12.0);
    let lower: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (across(point.at), down(point.offline)))
        .collect();
    let upper: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (across(point.at), down(point.offline + point.recovering)))
        .collect();
    let floor = [(across(now), HEIGHT), (0.0, HEIGHT)];
    let closed = |points: String| {
        if points.is_empty() {
            points
        } else {
            format!("{points}Z")
        }
    };
    let last = points.last().map_or(0, |point| point.offline + point.recovering);
    let mut axis = vec![(0.0, from), (across(now) / 10.0, now)];
    if to > now {
        axis.push((100.0, to));
    }
    Recovery {
        offline_line: path_through(lower.iter().copied()),
        offline: closed(path_through(
            lower
                .iter()
                .copied()
                .chain(floor.into_iter().take(2 * lower.len().min(1))),
        )),
        recovering: closed(path_through(
            upper.iter().copied().chain(lower.iter().rev().copied()),
        )),
        pace: (to > now).then(|| {
            path_through(
                [
                    (across(now), down(points.last().map_or(0, |p| p.offline))),
                    (1000.0, HEIGHT),
                ]
                .into_iter(),
            )
        }),
        now: coordinate(across(now) / 10.0),
        most,
        half: most / 2,
        axis: axis
            .into_iter()
            .map(|(at, time)| (coordinate(at), reading.zoned(time).strftime("%H:%M").to_string()))
            .collect(),
        told: format!("{last} of at most {most} are not yet back"),
    }
}

drawn!(Recovery);

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn hurt(minute: i64, offline: u32, recovering: u32) -> Hurt {
        Hurt {
            at: Timestamp::from_second(minute * 60).unwrap(),
            offline,
            recovering,
        }
    }

    #[test]
    fn what_comes_back_lies_on_what_is_offline() {
        let reading = Reading::new(Timestamp::from_second(600).unwrap(), TimeZone::UTC);
        let drawn = recovery(&[hurt(0, 0, 0), hurt(5, 4, 0), hurt(10, 2, 1)], None, &reading);
        assert_eq!(drawn.offline_line, "M0 140L500 12L1000 76");
        assert_eq!(drawn.recovering, "M0 140L500 12L1000 44L1000 76L500 12L0 140Z");
        assert_eq!((drawn.most, drawn.pace), (4, None));
    }

    #[test]
    fn pace_runs_beyond_now() {
        let reading = Reading::new(Timestamp::from_second(600).unwrap(), TimeZone::UTC);
        let drawn = recovery(
            &[hurt(0, 4, 0), hurt(10, 2, 0)],
            Some(Timestamp::from_second(1200).unwrap()),
            &reading,
        );
        assert_eq!(drawn.now, "50");
        assert!(drawn.pace.is_some());
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let drawn = recovery(&[], None, &Reading::new(Timestamp::UNIX_EPOCH, TimeZone::UTC));
        assert_eq!(drawn.offline, "");
    }
}
