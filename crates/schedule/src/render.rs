//! A plan written out over a span: what each layer says, what the overrides say, and who is on call in the end.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::keys::{LayerId, OverrideId, UserKey};
use crate::pieces::Piece;
use crate::plan::{Plan, TooLong, stack};
use crate::span::{Micros, Span, instant, micros};

/// What put somebody on call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Source {
    /// A layer's rotation.
    Layer(LayerId),
    /// An override.
    Override(OverrideId),
}

/// Somebody is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnCall {
    /// Who.
    pub user: UserKey,
    /// By which layer or override.
    pub source: Source,
}

/// Somebody is on call from `start` (inside) to `end` (outside).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The first instant.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
    /// Who.
    pub user: UserKey,
    /// By which layer or override.
    pub source: Source,
}

impl Entry {
    /// From when to when.
    pub fn span(&self) -> Span {
        Span::from_micros(micros(self.start), micros(self.end))
    }
}

/// One line of a rendered schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubSchedule {
    /// In order of time, without overlaps; a stretch without anybody is left out. Stretches that follow each other
    /// directly with the same person and the same source are one entry.
    pub entries: Vec<Entry>,
    /// How much of the span has somebody on call: 0 to 100.
    pub coverage_percentage: f64,
}

/// What one layer says, as if it were alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedLayer {
    /// Which layer.
    pub id: LayerId,
    /// What it says.
    #[serde(flatten)]
    pub schedule: SubSchedule,
}

/// A schedule written out over a span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    /// The span that was asked for.
    pub span: Span,
    /// Each layer alone, in the schedule's order: lowest first. (PagerDuty's answers list the highest first.)
    pub layers: Vec<RenderedLayer>,
    /// The overrides alone.
    pub overrides: SubSchedule,
    /// Who is on call in the end.
    pub final_schedule: SubSchedule,
}

/// A person's uninterrupted time on call, whatever put them there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Who.
    pub user: UserKey,
    /// When it begins; `None` if that lies further back than was looked.
    pub start: Option<Timestamp>,
    /// When it ends; `None` if that lies further ahead than was looked.
    pub end: Option<Timestamp>,
}

impl Plan {
    /// Writes the plan out over the span; entries that reach beyond it are cut at its ends.
    ///
    /// # Errors
    /// [`TooLong`] when the span holds more than [`MAX_HANDOFFS`](crate::MAX_HANDOFFS) hand-offs.
    pub fn render(&self, span: Span) -> Result<Rendered, TooLong> {
        self.render_within(span, span.start_micros(), span.end_micros())
    }

    /// As [`render`](Self::render), but entries at the ends of the span are shown to the end of their turn or their
    /// override. Coverage is still that of the span.
    ///
    /// # Errors
    /// [`TooLong`] when the span, with the turns at its ends, holds too many hand-offs.
    pub fn render_overflowing(&self, span: Span) -> Result<Rendered, TooLong> {
        let (start, end) = self.widened(span);
        self.render_within(span, start, end)
    }

    fn render_within(&self, span: Span, start: Micros, end: Micros) -> Result<Rendered, TooLong> {
        let (layers, overrides) = self.pieces(start, end)?;
        let final_pieces = stack(&layers, overrides.clone());
        let rendered = self
            .layers
            .iter()
            .zip(&layers)
            .map(|(layer, pieces)| RenderedLayer {
                id: layer.id.clone(),
                schedule: self.sub_schedule(pieces, span),
            });
        Ok(Rendered {
            span,
            layers: rendered.collect(),
            overrides: self.sub_schedule(&overrides, span),
            final_schedule: self.sub_schedule(&final_pieces, span),
        })
    }

    fn sub_schedule(&self, pieces: &[Piece], span: Span) -> SubSchedule {
        let (start, end) = (span.start_micros(), span.end_micros());
        let inside = pieces
            .iter()
            .filter(|piece| piece.start < end && start < piece.end);
        let covered: Micros = inside
            .clone()
            .map(|piece| piece.end.min(end) - piece.start.max(start))
            .sum();
        let entries = inside.map(|piece| Entry {
            start: instant(piece.start),
            end: instant(piece.end),
            user: self.user(piece.user),
            source: self.source(piece.source),
        });
        SubSchedule {
            entries: entries.collect(),
            coverage_percentage: percentage(covered, end - start),
        }
    }

    /// The shift that holds the instant, looked for up to `horizon` to both sides; `Ok(None)` in a gap.
    ///
    /// # Errors
    /// [`TooLong`] when so many hand-offs lie within the horizon that the end is not found before.
    pub fn shift_at(&self, at: Timestamp, horizon: SignedDuration) -> Result<Option<Shift>, TooLong> {
        let at = micros(at);
        let horizon = length_of(horizon);
        let mut reach = horizon.min(FIRST_LOOK);
        loop {
            let (from, to) = (
                in_time(at.saturating_sub(reach)),
                in_time(at.saturating_add(reach)),
            );
            let pieces = self.final_pieces(from, to)?;
            let Some(here) = pieces
                .iter()
                .position(|piece| piece.start <= at && at < piece.end)
            else {
                return Ok(None);
            };
            let (start, end) = unbroken(&pieces, here);
            let found = |edge: Micros, limit: Micros| (edge != limit).then(|| instant(edge));
            let shift = Shift {
                user: self.user(pieces[here].user),
                start: found(start, from),
                end: found(end, to),
            };
            if reach >= horizon || (shift.start.is_some() && shift.end.is_some()) {
                return Ok(Some(shift));
            }
            reach = reach.saturating_mul(4).min(horizon);
        }
    }

    /// The person's shift that is under way at the instant or else begins next, if it begins within `horizon`.
    ///
    /// # Errors
    /// [`TooLong`] when so many hand-offs lie within the horizon that no shift is found before.
    pub fn next_shift_of(
        &self,
        user: &UserKey,
        at: Timestamp,
        horizon: SignedDuration,
    ) -> Result<Option<Shift>, TooLong> {
        let Some(person) = self.people().iter().position(|known| known == user) else {
            return Ok(None);
        };
        let begin = micros(at);
        let limit = in_time(begin.saturating_add(length_of(horizon)));
        let mut from = begin;
        let mut reach = FIRST_LOOK;
        while from < limit {
            let to = from.saturating_add(reach).min(limit);
            let pieces = self.final_pieces(from, to)?;
            if let Some(piece) = pieces.iter().find(|piece| piece.user as usize == person) {
                return self.shift_at(instant(piece.start), horizon);
            }
            (from, reach) = (to, reach.saturating_mul(2));
        }
        Ok(None)
    }
}

/// How far a search for the end of a shift looks at first.
pub(crate) const FIRST_LOOK: Micros = 8 * crate::span::DAY;

/// The instant, or the nearest one that can be told; the end of time is the instant after the last.
pub(crate) fn in_time(at: Micros) -> Micros {
    at.clamp(micros(Timestamp::MIN), micros(Timestamp::MAX) + 1)
}

/// At least a microsecond.
pub(crate) fn length_of(duration: SignedDuration) -> Micros {
    Micros::try_from(duration.as_micros())
        .unwrap_or(Micros::MAX)
        .max(1)
}

fn unbroken(pieces: &[Piece], here: usize) -> (Micros, Micros) {
    let (mut start, mut end) = (pieces[here].start, pieces[here].end);
    let user = pieces[here].user;
    for piece in pieces[..here].iter().rev().take_while(|piece| piece.user == user) {
        if piece.end != start {
            break;
        }
        start = piece.start;
    }
    for piece in pieces[here + 1..].iter().take_while(|piece| piece.user == user) {
        if piece.start != end {
            break;
        }
        end = piece.end;
    }
    (start, end)
}

pub(crate) fn percentage(part: Micros, whole: Micros) -> f64 {
    if part == whole {
        100.0
    } else {
        part as f64 / whole as f64 * 100.0
    }
}

/// Joins entries that follow each other directly with the same person, whatever put them there; each keeps the
/// source with which it begins.
pub fn merge_by_user(entries: &[Entry]) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match merged.last_mut() {
            Some(last) if last.end == entry.start && last.user == entry.user => last.end = entry.end,
            _ => merged.push(entry.clone()),
        }
    }
    merged
}
