//! A shift plan written out over a span.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Member;
use super::plan::{Origin, ShiftPiece, ShiftPlan};
use crate::keys::{CustomShiftId, EventId, OverrideId, RotationId};
use crate::plan::TooLong;
use crate::render::percentage;
use crate::span::{Micros, Span, instant, micros};

/// What gave somebody a shift.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ShiftSource {
    /// A rotation's event.
    #[serde(rename = "schedule_rotation")]
    Rotation {
        /// Which rotation.
        rotation_id: RotationId,
        /// Which of its events.
        event_id: EventId,
    },
    /// A custom shift.
    #[serde(rename = "custom_shift")]
    CustomShift {
        /// Which.
        shift_id: CustomShiftId,
    },
    /// An override of a rotation's shift.
    #[serde(rename = "schedule_rotation_override")]
    RotationOverride {
        /// Which rotation.
        rotation_id: RotationId,
        /// By which override.
        override_id: OverrideId,
    },
    /// An override of a custom shift.
    #[serde(rename = "custom_shift_override")]
    CustomShiftOverride {
        /// Which shift.
        shift_id: CustomShiftId,
        /// By which override.
        override_id: OverrideId,
    },
}

/// Somebody has a shift from `start_time` (inside) to `end_time` (outside).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftEntry {
    /// The first instant.
    pub start_time: Timestamp,
    /// The first instant after.
    pub end_time: Timestamp,
    /// Who.
    pub member: Member,
    /// By what.
    pub source: ShiftSource,
}

/// A shift-based schedule written out over a span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderedShifts {
    /// The span that was asked for.
    pub span: Span,
    /// By start; several may overlap, and those of an empty member are gaps that were planned.
    pub entries: Vec<ShiftEntry>,
    /// How much of the span has a person on call: 0 to 100.
    pub coverage_percentage: f64,
}

impl ShiftPlan {
    /// Writes the plan out over the span; shifts that reach beyond it are cut at its ends.
    ///
    /// # Errors
    /// [`TooLong`] when the span holds more than [`MAX_HANDOFFS`](crate::MAX_HANDOFFS) shifts.
    pub fn render(&self, span: Span) -> Result<RenderedShifts, TooLong> {
        let (start, end) = (span.start_micros(), span.end_micros());
        let mut pieces = self.pieces(start, end)?;
        for piece in &mut pieces {
            piece.start = piece.start.max(start);
            piece.end = piece.end.min(end);
        }
        pieces.sort_by_key(|piece| (piece.start, piece.end));
        Ok(rendered(span, pieces))
    }

    /// As [`render`](Self::render), but every shift is shown whole. Coverage is still that of the span.
    ///
    /// # Errors
    /// [`TooLong`] when the span holds too many shifts.
    pub fn render_overflowing(&self, span: Span) -> Result<RenderedShifts, TooLong> {
        Ok(rendered(
            span,
            self.pieces(span.start_micros(), span.end_micros())?,
        ))
    }

    /// Who has a shift at an instant, in the order in which their shifts began; empty members are left out.
    ///
    /// # Errors
    /// [`TooLong`] when a recurrence has gone on for too many occurrences to count whose turn it is.
    pub fn on_call_at(&self, at: Timestamp) -> Result<Vec<ShiftEntry>, TooLong> {
        let at = micros(at);
        let pieces = self.pieces(at, at.saturating_add(1))?;
        Ok(pieces
            .into_iter()
            .filter(|piece| piece.member != Member::Empty)
            .map(entry)
            .collect())
    }
}

fn rendered(span: Span, pieces: Vec<ShiftPiece>) -> RenderedShifts {
    let (start, end) = (span.start_micros(), span.end_micros());
    let (mut covered, mut reached) = (0, start);
    for piece in pieces.iter().filter(|piece| piece.member != Member::Empty) {
        let to = piece.end.min(end);
        covered += (to - piece.start.max(reached)).max(0);
        reached = reached.max(to);
    }
    let coverage_percentage = percentage(covered, end - start);
    RenderedShifts {
        span,
        entries: pieces.into_iter().map(entry).collect(),
        coverage_percentage,
    }
}

fn entry(piece: ShiftPiece) -> ShiftEntry {
    let source = match (piece.origin, piece.replaced_by) {
        (Origin::Rotation(rotation_id, event_id), None) => ShiftSource::Rotation {
            rotation_id,
            event_id,
        },
        (Origin::Custom(shift_id), None) => ShiftSource::CustomShift { shift_id },
        (Origin::Rotation(rotation_id, _), Some(override_id)) => ShiftSource::RotationOverride {
            rotation_id,
            override_id,
        },
        (Origin::Custom(shift_id), Some(override_id)) => ShiftSource::CustomShiftOverride {
            shift_id,
            override_id,
        },
    };
    let at = |micros: Micros| instant(micros);
    ShiftEntry {
        start_time: at(piece.start),
        end_time: at(piece.end),
        member: piece.member,
        source,
    }
}
