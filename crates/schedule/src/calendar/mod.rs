//! Calendars in iCalendar form (RFC 5545): on-call time out, leave and holidays in.

mod export;
mod import;
mod lines;
mod windows_zones;

pub use export::{Feed, FeedEvent};
pub use import::{
    Import, ImportError, ImportNote, Imported, ImportedEvent, Length, MAX_CALENDAR_BYTES, MAX_EVENTS,
    MAX_OCCURRENCES, Occupied, Skipped, import_calendar,
};
