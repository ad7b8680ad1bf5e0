//! Counts the work of a question, in tests only: how many windows, turns, changes of clocks, days, edges and lines it makes
//! the crate look at.
//!
//! "An instant costs the same in any century" and "twice the span costs twice as much" are promises of the crate; counted
//! they can be tested on any machine, timed they can not. Whoever writes a loop over something that grows counts it here, in
//! one line in or before the loop. Outside of tests the call is empty.

#[cfg(test)]
mod tests;

#[cfg(test)]
thread_local! {
    static UNITS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts `units` elements that are about to be looked at.
#[cfg(test)]
pub(crate) fn count(units: usize) {
    UNITS.with(|sum| sum.set(sum.get().saturating_add(units as u64)));
}

/// Counts nothing.
#[cfg(not(test))]
#[inline]
pub(crate) const fn count(_units: usize) {}

/// What `act` makes the crate look at, on this thread.
#[cfg(test)]
pub(crate) fn of<T>(act: impl FnOnce() -> T) -> (u64, T) {
    let before = UNITS.with(std::cell::Cell::get);
    let result = act();
    (UNITS.with(std::cell::Cell::get) - before, result)
}
