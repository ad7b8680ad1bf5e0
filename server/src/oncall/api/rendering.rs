//! Who is on call from when to when, as the API shows it: the range that was asked for, the zone it is shown
//! in, and the entries.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schedule::{Entry, Plan, Rendered, Span, VersionedPlan, merge_by_user};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::Names;
use crate::http::{Faults, Problem, Reference, Site};

/// How far beyond a range is looked for the ends of the turns at its edges.
const OVERFLOW: SignedDuration = SignedDuration::from_hours(24 * 35);
const TWO_WEEKS: SignedDuration = SignedDuration::from_hours(24 * 14);
const LONGEST_RANGE: SignedDuration = SignedDuration::from_hours(24 * 400);

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct RangeQuery {
    pub(super) since: Option<String>,
    /// Two weeks after `since` unless told.
    pub(super) until: Option<String>,
    /// The zone in which times are shown; the schedule's own unless told.
    time_zone: Option<String>,
    /// `true` to show the turns at the edges whole instead of cut.
    #[param(value_type = Option<bool>)]
    overflow: Option<String>,
}

/// A checked [`RangeQuery`].
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    pub(super) span: Option<Span>,
    zone: Option<TimeZone>,
    edges: Edges,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Edges {
    #[default]
    Cut,
    Whole,
}

impl RangeQuery {
    pub(super) fn check(&self) -> Result<Range, Problem> {
        let mut faults = Faults::new();
        let since = faults.optional_instant("since", self.since.as_deref());
        let until = faults.optional_instant("until", self.until.as_deref());
        let zone = self.time_zone.as_deref().filter(|name| !name.is_empty());
        if let Some(name) = zone {
            faults.time_zone("time_zone", name);
        }
        let edges = match faults.yes_or_no("overflow", self.overflow.as_deref()) {
            Some(true) => Edges::Whole,
            Some(false) | None => Edges::Cut,
        };
        faults.done()?;
        let bounds = match (since, until) {
            (None, None) => None,
            (Some(since), Some(until)) => Some((since, until)),
            (Some(since), None) => Some((since, since.saturating_add(TWO_WEEKS).unwrap_or(since))),
            (None, Some(until)) => Some((until.saturating_sub(TWO_WEEKS).unwrap_or(until), until)),
        };
        let span = match bounds {
            None => None,
            Some((since, until)) if until.duration_since(since) > LONGEST_RANGE => {
                return Err(Problem::refused(
                    2005,
                    format!("The range from {since} to {until} is longer than 400 days."),
                ));
            }
            Some((since, until)) => Some(
                Span::new(since, until).map_err(|_| Problem::refused(2004, "until must lie after since."))?,
            ),
        };
        Ok(Range {
            span,
            zone: zone.and_then(|name| TimeZone::get(name).ok()),
            edges,
        })
    }
}

impl Range {
    /// The zone in which times of a schedule are shown.
    pub(super) fn zone_for(&self, time_zone: &str) -> TimeZone {
        self.zone
            .clone()
            .or_else(|| TimeZone::get(time_zone).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// A stretch as it is shown: cut at the ends of the range, unless it is to be whole.
    pub(super) fn cut(&self, start: Timestamp, end: Timestamp) -> (Timestamp, Timestamp) {
        match (self.span, self.edges) {
            (Some(span), Edges::Cut) => (start.max(span.start()), end.min(span.end())),
            _ => (start, end),
        }
    }

    /// The plan written out over the range; nothing without a range.
    pub(super) fn render(&self, plan: &VersionedPlan<Plan>) -> Result<Option<Rendered>, Problem> {
        let Some(span) = self.span else {
            return Ok(None);
        };
        let mut rendered = plan.render(span).map_err(too_long)?;
        if self.edges == Edges::Whole {
            let wide = plan.render(widened(span)?).map_err(too_long)?;
            let touching = |entries: Vec<Entry>| -> Vec<Entry> {
                entries
                    .into_iter()
                    .filter(|entry| entry.start < span.end() && span.start() < entry.end)
                    .collect()
            };
            rendered.final_schedule.entries = touching(wide.final_schedule.entries);
            rendered.overrides.entries = touching(wide.overrides.entries);
            for layer in &mut rendered.layers {
                if let Some(wide) = wide.layers.iter().find(|one| one.id == layer.id) {
                    layer.schedule.entries = touching(wide.schedule.entries.clone());
                }
            }
        }
        Ok(Some(rendered))
    }
}

/// A span with enough on both sides to see the turns at its edges whole.
pub(super) fn widened(span: Span) -> Result<Span, Problem> {
    let start = span.start().saturating_sub(OVERFLOW).unwrap_or(span.start());
    let end = span.end().saturating_add(OVERFLOW).unwrap_or(span.end());
    Span::new(start, end).map_err(Problem::internal)
}

pub(super) fn too_long(error: schedule::TooLong) -> Problem {
    Problem::refused(2005, error.to_string())
}

/// An instant with the offset of the zone it is shown in.
pub(super) fn shown(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct EntryView {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    start: String,
    end: String,
    user: Reference,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct SubScheduleView {
    name: &'static str,
    rendered_schedule_entries: Vec<EntryView>,
    /// Null unless a range was asked for.
    rendered_coverage_percentage: Option<f64>,
}

pub(super) fn entry_views(site: &Site, names: &Names, entries: &[Entry], zone: &TimeZone) -> Vec<EntryView> {
    entries
        .iter()
        .map(|entry| EntryView {
            id: match &entry.source {
                schedule::Source::Override(id) => Some(id.to_string()),
                schedule::Source::Layer(_) => None,
            },
            start: shown(entry.start, zone),
            end: shown(entry.end, zone),
            user: names.user(site, entry.user.as_str()),
        })
        .collect()
}

pub(super) fn sub_schedule_view(
    name: &'static str,
    site: &Site,
    names: &Names,
    rendered: Option<&schedule::SubSchedule>,
    zone: &TimeZone,
) -> SubScheduleView {
    SubScheduleView {
        name,
        rendered_schedule_entries: rendered
            .map(|sub| entry_views(site, names, &merge_by_user(&sub.entries), zone))
            .unwrap_or_default(),
        rendered_coverage_percentage: rendered.map(|sub| (sub.coverage_percentage * 10.0).round() / 10.0),
    }
}
