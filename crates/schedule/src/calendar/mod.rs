//! Calendars in iCalendar form (RFC 5545): on-call time out, leave and holidays in.
//!
//! A feed is written whole each time; subscribers match events by UID, so an unchanged shift stays as it is. What is read may
//! come from anybody: sizes are bounded, what can not be read is left out and named with its line, and repeated events are
//! unrolled only over the span that was asked for.
//!
//! ```
//! use schedule::Span;
//! use schedule::calendar::{Feed, FeedEvent, Import, import_calendar};
//!
//! let day = Span::new("2026-12-24T08:00:00Z".parse()?, "2026-12-25T08:00:00Z".parse()?)?;
//! let feed = Feed {
//!     name: "On call".into(),
//!     product: "-//Example//On call//EN".into(),
//!     realm: "PSCHED1.muster.example".into(),
//!     written_at: "2026-12-01T00:00:00Z".parse()?,
//!     refresh_minutes: 60,
//! };
//! let event = FeedEvent { span: day, key: "layer L1 ann".into(), summary: "ann".into(), description: String::new() };
//! let text = feed.write([&event]);
//!
//! let import = Import { zone: jiff::tz::TimeZone::UTC, span: day, zones: jiff::tz::db() };
//! let read = import_calendar(&text, &import)?;
//! assert_eq!((read.events[0].summary.as_str(), read.events[0].span), ("ann", day));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod export;
mod import;
mod lines;
mod own_zones;
mod windows_zones;

pub use export::{Feed, FeedEvent};
pub use import::{
    Import, ImportError, ImportNote, Imported, ImportedEvent, Length, MAX_CALENDAR_BYTES, MAX_EVENTS,
    MAX_OCCURRENCES, Occupied, Skipped, import_calendar,
};
