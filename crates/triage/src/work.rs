//! Counts the work of the hot paths, in tests only: how many elements of collections an event makes the crate look at.
//!
//! "The cost of an event does not grow with what is open" is a promise of the crate; counted it can be tested on any machine,
//! timed it can not. Whoever writes a loop over something that grows counts it here, in one line before the loop. Outside of
//! tests the call is empty.

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
