//! Lists of stretches, each with the person on call in it, and how lists cover one another.
//!
//! A list is sorted and its pieces never overlap. Every operation is linear in what it is given (flattening sorts).

use std::collections::BTreeSet;

use crate::span::Micros;
use crate::work;

/// A stretch in which one person is on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: Micros,
    pub(crate) end: Micros,
    /// Index into the people of the plan.
    pub(crate) user: u32,
    pub(crate) source: PieceSource,
}

/// What put the person on call, by its index in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceSource {
    Layer(u32),
    Override(u32),
}

/// Adds a piece at the end, as part of the last one if it only continues it.
pub(crate) fn push_joined(pieces: &mut Vec<Piece>, piece: Piece) {
    match pieces.last_mut() {
        Some(last) if last.end == piece.start && last.user == piece.user && last.source == piece.source => {
            last.end = piece.end;
        }
        _ => pieces.push(piece),
    }
}

/// The upper list, with the lower one showing through its gaps.
pub(crate) fn cover(upper: Vec<Piece>, lower: &[Piece]) -> Vec<Piece> {
    if lower.is_empty() {
        return upper;
    }
    if upper.is_empty() {
        return lower.to_vec();
    }
    work::count(upper.len());
    let mut result = Vec::with_capacity(upper.len() + lower.len());
    let mut above = upper.into_iter().peekable();
    for &piece in lower {
        let mut start = piece.start;
        while start < piece.end {
            work::count(1);
            match above.peek() {
                Some(next) if next.end <= start => result.extend(above.next()),
                Some(next) if next.start <= start => start = next.end,
                Some(next) if next.start < piece.end => {
                    push_joined(
                        &mut result,
                        Piece {
                            start,
                            end: next.start,
                            ..piece
                        },
                    );
                    start = next.start;
                }
                _ => {
                    push_joined(&mut result, Piece { start, ..piece });
                    start = piece.end;
                }
            }
        }
    }
    result.extend(above);
    result
}

/// One list out of pieces that may overlap, oldest first: the newest shows. Cut to `start..end`.
pub(crate) fn flatten_newest_first(pieces: &[Piece], start: Micros, end: Micros) -> Vec<Piece> {
    let mut edges: Vec<(Micros, bool, usize)> = Vec::new();
    work::count(pieces.len());
    for (age, piece) in pieces.iter().enumerate() {
        let (from, to) = (piece.start.max(start), piece.end.min(end));
        if from < to {
            edges.push((from, true, age));
            edges.push((to, false, age));
        }
    }
    edges.sort_unstable();
    let mut open = BTreeSet::new();
    let mut result = Vec::new();
    let mut since = start;
    work::count(edges.len());
    for (at, opens, age) in edges {
        if let Some(&newest) = open.last().filter(|_| since < at) {
            push_joined(
                &mut result,
                Piece {
                    start: since,
                    end: at,
                    ..pieces[newest]
                },
            );
        }
        since = at;
        if opens {
            open.insert(age);
        } else {
            open.remove(&age);
        }
    }
    result
}
