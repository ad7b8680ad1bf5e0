//! Reading leave and holidays from a calendar.
//!
//! Calendars in the wild are sloppy, so an event that cannot be read is left out with a note that says where and why, and
//! the others are kept. Repeating events are written out over the span that is asked for; an occurrence that was moved or
//! cancelled on its own is obeyed, and so is a change of one occurrence and all that follow (`RANGE=THISANDFUTURE`, RFC 5545,
//! 3.8.4.4: they keep their distance from what the rule says). Sizes and counts are bounded, so that no calendar costs more than a moment.

use std::collections::{HashMap, HashSet};

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::lines::{Property, properties};
use super::own_zones::OwnZones;
use super::windows_zones::iana_name;
use crate::absences::{Absence, AbsenceKind, Concerned};
use crate::recurrence::{
    MAX_BARREN_DAYS, MAX_EFFORT, Moment, Occurrence, Recurrence, RecurrenceProblem, parse_moment,
};
use crate::span::{DAY, Micros, SECOND, Span, WEEK};
use crate::wall_clock::WallClock;

/// Longest calendar that is read, in bytes.
pub const MAX_CALENDAR_BYTES: usize = 16 * 1024 * 1024;
/// Most events that are read.
pub const MAX_EVENTS: usize = 20_000;
/// Most occurrences that are written out.
pub const MAX_OCCURRENCES: usize = 100_000;

/// How to read a calendar.
#[derive(Debug, Clone)]
pub struct Import<'zones> {
    /// Whose days and local times are meant where an event names no zone.
    pub zone: TimeZone,
    /// Only what has time in common with this is kept.
    pub span: Span,
    /// Where to look up the zones that events name.
    pub zones: &'zones TimeZoneDatabase,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// By start; whole, even where they reach beyond the span.
    pub events: Vec<ImportedEvent>,
    /// What was left out or guessed, by line.
    pub notes: Vec<ImportNote>,
}

/// One occurrence of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEvent {
    /// The event's own identifier, the same for all its occurrences.
    pub uid: String,
    /// What the calendar shows.
    pub summary: String,
    /// From when to when.
    pub span: Span,
    /// Whether it is given in days or in hours.
    pub length: Length,
    /// Whether it takes the person's time.
    pub occupied: Occupied,
    /// As written.
    pub categories: Vec<String>,
}

/// How an event's time is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Length {
    /// In whole days.
    Days,
    /// From one time of day to another.
    Hours,
}

/// Whether an event takes time (`TRANSP`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occupied {
    /// It does, as leave does.
    Busy,
    /// It does not, as a birthday.
    Free,
}

impl ImportedEvent {
    /// The event as an absence.
    pub fn absence(&self, who: Concerned, kind: AbsenceKind) -> Absence {
        Absence {
            who,
            kind,
            span: self.span,
            label: self.summary.clone(),
        }
    }
}

/// A calendar that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It has no `BEGIN:VCALENDAR`.
    #[error("this is not a calendar in iCalendar form: it has no line BEGIN:VCALENDAR")]
    NotACalendar,
    /// It is too long.
    #[error("the calendar is longer than {MAX_CALENDAR_BYTES} bytes")]
    TooLarge,
    /// It has too many events.
    #[error("the calendar has more than {MAX_EVENTS} events")]
    TooManyEvents,
}

/// Something about an event that the person who imports it should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNote {
    /// Line of the calendar, from 1.
    pub line: usize,
    /// What.
    pub skipped: Skipped,
}

/// What was left out or guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Skipped {
    /// The event was left out: it has no beginning that can be read.
    #[error("the event has no start that can be read and was left out")]
    NoStart,
    /// The event was left out: it takes no time.
    #[error("the event takes no time and was left out")]
    NoLength,
    /// The event was left out: its rule is not supported.
    #[error("the event was left out: {0}")]
    Recurrence(RecurrenceProblem),
    /// The event was left out or cut: it occurs too often.
    #[error("the event occurs too often; not all of it was read")]
    TooManyOccurrences,
    /// The zone is unknown; the import's own was used.
    #[error("the time zone `{0}` is unknown; yours was used")]
    UnknownZone(String),
}

/// Reads a calendar.
///
/// # Errors
/// [`ImportError`] when it cannot be read at all; whatever is wrong with single events is noted instead.
pub fn import_calendar(text: &str, import: &Import<'_>) -> Result<Imported, ImportError> {
    if text.len() > MAX_CALENDAR_BYTES {
        return Err(ImportError::TooLarge);
    }
    let (events, aliases, own_zones) = read_events(text)?;
    let mut reader = Reader {
        import,
        aliases,
        own_zones,
        imported: Imported::default(),
        effort: 0,
    };
    let mut exceptions: HashMap<&str, Exceptions<'_>> = HashMap::new();
    for event in &events {
        if let Some(moment) = &event.replaces {
            let meant = reader.occurrence_meant(moment, event.line);
            let exceptions = exceptions.entry(&event.uid).or_default();
            exceptions.moved.insert(meant);
            if event.reach == Reach::ThisAndFuture {
                exceptions.later.push(event);
            }
        }
    }
    let none = Exceptions::default();
    for event in &events {
        let exceptions = if event.replaces.is_none() {
            exceptions.get(event.uid.as_str()).unwrap_or(&none)
        } else {
            &none
        };
        if !event.is_cancelled {
            reader.read(event, exceptions);
        }
    }
    let mut imported = reader.imported;
    imported
        .events
        .sort_by(|a, b| (a.span, &a.uid).cmp(&(b.span, &b.uid)));
    imported.notes.sort_by_key(|note| note.line);
    imported.notes.dedup();
    Ok(imported)
}

/// An event as written.
#[derive(Debug, Default)]
struct RawEvent {
    line: usize,
    uid: String,
    summary: String,
    categories: Vec<String>,
    start: Option<Moment>,
    end: Option<Moment>,
    duration: Option<Micros>,
    recurrence: Vec<String>,
    /// The occurrence that this event stands in for.
    replaces: Option<Moment>,
    reach: Reach,
    is_cancelled: bool,
    is_free: bool,
}

/// How far a replaced occurrence reaches (`RANGE`).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Reach {
    #[default]
    This,
    ThisAndFuture,
}

/// What is said of single occurrences of a repeated event.
#[derive(Debug, Default)]
struct Exceptions<'events> {
    /// Occurrences that others stand in for.
    moved: HashSet<Meant>,
    /// Those that change what follows them, too.
    later: Vec<&'events RawEvent>,
}

/// From some occurrence on, on the wall clock of the repeated event.
struct Later<'events> {
    from: Micros,
    shift: Micros,
    length: Micros,
    /// What the occurrences are from then on; nothing when they are cancelled, or written out by a rule of their own.
    event: Option<&'events RawEvent>,
}

/// The occurrence that another event stands in for, as that event names it.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Meant {
    /// Whatever begins on this day of the repeated event's own calendar.
    Day(i64),
    /// What begins at this time of the repeated event's own clock.
    Local(Micros),
    /// What begins at this instant.
    Instant(Micros),
}

type Events = (Vec<RawEvent>, HashMap<String, String>, OwnZones);

fn read_events(text: &str) -> Result<Events, ImportError> {
    let mut events = Vec::new();
    let mut aliases = HashMap::new();
    let mut own_zones = OwnZones::default();
    let mut open: Vec<String> = Vec::new();
    let mut event = RawEvent::default();
    let mut zone = String::new();
    let mut is_calendar = false;
    for property in properties(text) {
        match (property.name.as_str(), open.last().map(String::as_str)) {
            ("BEGIN", _) => {
                let component = property.value.trim().to_ascii_uppercase();
                is_calendar |= component == "VCALENDAR";
                if component == "VEVENT" {
                    event = RawEvent {
                        line: property.line,
                        ..RawEvent::default()
                    };
                }
                if matches!(component.as_str(), "STANDARD" | "DAYLIGHT") {
                    own_zones.begin_observance();
                }
                // Real calendars nest three deep; what lies deeper is nobody's leave.
                if open.len() < 32 {
                    open.push(component);
                }
            }
            ("END", component) => {
                if component == Some("VEVENT") {
                    if events.len() >= MAX_EVENTS {
                        return Err(ImportError::TooManyEvents);
                    }
                    events.push(std::mem::take(&mut event));
                }
                if let Some(kind @ ("STANDARD" | "DAYLIGHT")) = component {
                    own_zones.end_observance(kind);
                }
                open.pop();
            }
            ("TZID", Some("VTIMEZONE")) => {
                zone = property.text();
                own_zones.begin(zone.clone());
            }
            ("X-LIC-LOCATION", Some("VTIMEZONE")) => {
                aliases.insert(zone.clone(), property.text());
            }
            (_, Some("VEVENT")) => event.take(&property),
            (_, Some("STANDARD" | "DAYLIGHT")) => own_zones.take(&property),
            _ => {}
        }
    }
    if is_calendar {
        Ok((events, aliases, own_zones))
    } else {
        Err(ImportError::NotACalendar)
    }
}

impl RawEvent {
    fn take(&mut self, property: &Property<'_>) {
        let moment = || parse_moment(property.value.trim(), property.parameter("TZID"));
        match property.name.as_str() {
            "UID" => self.uid = property.text(),
            "SUMMARY" => self.summary = property.text(),
            "CATEGORIES" => {
                self.categories.extend(
                    property
                        .text()
                        .split(',')
                        .map(|category| category.trim().to_owned()),
                );
            }
            "DTSTART" => self.start = moment(),
            "DTEND" => self.end = moment(),
            "DURATION" => self.duration = duration(property.value.trim()),
            "RECURRENCE-ID" => {
                self.replaces = moment();
                let is_later = property
                    .parameter("RANGE")
                    .is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
                self.reach = if is_later {
                    Reach::ThisAndFuture
                } else {
                    Reach::This
                };
            }
            "STATUS" => self.is_cancelled = property.value.trim().eq_ignore_ascii_case("CANCELLED"),
            "TRANSP" => self.is_free = property.value.trim().eq_ignore_ascii_case("TRANSPARENT"),
            "RRULE" => self.recurrence.push(format!("RRULE:{}", property.value)),
            name @ ("EXDATE" | "RDATE") => {
                let zone = property
                    .parameter("TZID")
                    .map(|zone| format!(";TZID={zone}"))
                    .unwrap_or_default();
                self.recurrence.push(format!("{name}{zone}:{}", property.value));
            }
            _ => {}
        }
    }
}

/// Reads `P1W`, `P1DT2H30M` and their like, as time on the wall clock.
fn duration(text: &str) -> Option<Micros> {
    let text = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let mut total: Micros = 0;
    let mut number: Option<Micros> = None;
    for character in text.chars() {
        let unit = match character {
            'T' => continue,
            digit if digit.is_ascii_digit() => {
                let digit = Micros::from(digit.to_digit(10)?);
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
                continue;
            }
            'W' => WEEK,
            'D' => DAY,
            'H' => 3600 * SECOND,
            'M' => 60 * SECOND,
            'S' => SECOND,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    Some(total)
}

struct Reader<'import, 'zones> {
    import: &'import Import<'zones>,
    /// What the calendar's own zone definitions say they are.
    aliases: HashMap<String, String>,
    own_zones: OwnZones,
    imported: Imported,
    /// Days looked at so far.
    effort: i64,
}

impl Reader<'_, '_> {
    fn note(&mut self, line: usize, skipped: Skipped) {
        self.imported.notes.push(ImportNote { line, skipped });
    }

    /// The zone on whose wall clock a moment is given.
    fn zone_of(&mut self, moment: &Moment, line: usize) -> TimeZone {
        match moment {
            Moment::Date(_) | Moment::Local(_) => self.import.zone.clone(),
            Moment::Instant(_) => TimeZone::UTC,
            Moment::Zoned(_, name) => {
                let alias = self.aliases.get(name).map(String::as_str);
                let names = [Some(name.as_str()), alias, iana_name(name)];
                let known = names
                    .into_iter()
                    .flatten()
                    .find_map(|name| self.import.zones.get(name).ok());
                known.or_else(|| self.own_zones.get(name)).unwrap_or_else(|| {
                    let shown = name.chars().take(100).collect();
                    self.note(line, Skipped::UnknownZone(shown));
                    self.import.zone.clone()
                })
            }
        }
    }

    fn occurrence_meant(&mut self, moment: &Moment, line: usize) -> Meant {
        let zone = self.zone_of(moment, line);
        let local = moment.on_wall(&zone, self.import.zones);
        match moment {
            Moment::Date(_) => Meant::Day(local.div_euclid(DAY)),
            Moment::Local(_) => Meant::Local(local),
            Moment::Instant(_) | Moment::Zoned(..) => {
                Meant::Instant(WallClock::over(&zone, local - DAY, local + DAY).first_instant(local))
            }
        }
    }

    fn read(&mut self, event: &RawEvent, exceptions: &Exceptions<'_>) {
        let Some(start) = &event.start else {
            return self.note(event.line, Skipped::NoStart);
        };
        let zone = self.zone_of(start, event.line);
        let recurrence = match Recurrence::parse(event.recurrence.iter().map(String::as_str)) {
            Ok(recurrence) => recurrence,
            Err(problem) => return self.note(event.line, Skipped::Recurrence(problem)),
        };
        let local = start.on_wall(&zone, self.import.zones);
        let Some(length) = self.length_of(event, start, local, &zone) else {
            return self.note(event.line, Skipped::NoLength);
        };
        self.effort += EFFORT_OF_A_CHANGE * exceptions.later.len() as i64;
        if self.effort > MAX_EFFORT {
            return self.note(event.line, Skipped::TooManyOccurrences);
        }
        let later = self.changes_from(&exceptions.later, &zone);
        let further = later.iter().map(|later| later.shift.abs() + later.length).max();
        let further = further.unwrap_or(0);
        let reach = length + further;
        let (from, to) = (self.import.span.start_micros(), self.import.span.end_micros());
        let clock = WallClock::over(&zone, from - reach - DAY, to + reach + DAY);
        self.effort += recurrence.effort(from - further, to + further);
        if self.effort > MAX_EFFORT || self.imported.events.len() >= MAX_OCCURRENCES {
            return self.note(event.line, Skipped::TooManyOccurrences);
        }
        let placed = recurrence.place(local, &zone, self.import.zones);
        self.effort += placed.as_ref().map_or(MAX_BARREN_DAYS, |placed| placed.looked_at);
        let (first, last) = (
            clock.reading(from) - reach - 2 * DAY,
            (clock.reading(to) + further).saturating_add(1),
        );
        let Ok(occurrences) = placed.and_then(|placed| placed.between(first, last)) else {
            return self.note(event.line, Skipped::TooManyOccurrences);
        };
        for Occurrence { local, .. } in occurrences {
            let mut names = [
                Meant::Day(local.div_euclid(DAY)),
                Meant::Local(local),
                Meant::Instant(clock.first_instant(local)),
            ]
            .into_iter();
            if names.any(|name| exceptions.moved.contains(&name)) {
                continue;
            }
            let changed = later.partition_point(|later| later.from <= local).checked_sub(1);
            let (said, local, length) = match changed.and_then(|index| later.get(index)) {
                None => (event, local, length),
                Some(Later { event: None, .. }) => continue,
                Some(Later {
                    event: Some(said),
                    shift,
                    length,
                    ..
                }) => (*said, local + shift, *length),
            };
            let (start, end) = (clock.first_instant(local), clock.first_instant(local + length));
            if start >= end || end <= from || to <= start {
                continue;
            }
            if self.imported.events.len() >= MAX_OCCURRENCES {
                return self.note(event.line, Skipped::TooManyOccurrences);
            }
            self.imported
                .events
                .push(said.during(Span::from_micros(start, end)));
        }
    }

    /// How long an event is on the wall clock of its zone, if it has a length that can be.
    fn length_of(
        &mut self,
        event: &RawEvent,
        start: &Moment,
        local: Micros,
        zone: &TimeZone,
    ) -> Option<Micros> {
        let length = match (&event.end, event.duration, start) {
            (Some(end), _, _) => self.on_wall_of(zone, end, event.line) - local,
            (None, Some(duration), _) => duration,
            (None, None, Moment::Date(_)) => DAY,
            (None, None, _) => 0,
        };
        (length > 0 && length <= MAX_EVENT_LENGTH).then_some(length)
    }

    /// Changes of an occurrence and all that follow, by time. One that cannot be read, or shifts by years, is left out.
    fn changes_from<'events>(&mut self, said: &[&'events RawEvent], zone: &TimeZone) -> Vec<Later<'events>> {
        let mut changes: Vec<Later<'events>> = Vec::new();
        for event in said {
            let Some(from) = &event.replaces else {
                continue;
            };
            let from = match from {
                // What names no zone means the repeated event's own clock.
                Moment::Date(_) | Moment::Local(_) => from.on_wall(zone, self.import.zones),
                Moment::Instant(_) | Moment::Zoned(..) => self.on_wall_of(zone, from, event.line),
            };
            if event.is_cancelled || !event.recurrence.is_empty() {
                changes.push(Later {
                    from,
                    shift: 0,
                    length: 0,
                    event: None,
                });
                continue;
            }
            let Some(start) = &event.start else {
                continue;
            };
            let local = self.on_wall_of(zone, start, event.line);
            let shift = local - from;
            if let Some(length) = self.length_of(event, start, local, zone)
                && shift.abs() <= MAX_EVENT_LENGTH
            {
                changes.push(Later {
                    from,
                    shift,
                    length,
                    event: Some(event),
                });
            }
        }
        changes.sort_by_key(|later| later.from);
        changes
    }

    /// A moment on the wall clock of a zone.
    fn on_wall_of(&mut self, zone: &TimeZone, moment: &Moment, line: usize) -> Micros {
        let own_zone = self.zone_of(moment, line);
        let local = moment.on_wall(&own_zone, self.import.zones);
        if own_zone == *zone {
            return local;
        }
        let at = WallClock::over(&own_zone, local - DAY, local + DAY).first_instant(local);
        WallClock::over(zone, at, at).reading(at)
    }
}

impl RawEvent {
    /// One occurrence of it.
    fn during(&self, span: Span) -> ImportedEvent {
        ImportedEvent {
            uid: self.uid.clone(),
            summary: self.summary.clone(),
            span,
            length: if matches!(self.start, Some(Moment::Date(_))) {
                Length::Days
            } else {
                Length::Hours
            },
            occupied: if self.is_free {
                Occupied::Free
            } else {
                Occupied::Busy
            },
            categories: self.categories.clone(),
        }
    }
}

/// What it costs to read one change of all that follow, in days looked at.
const EFFORT_OF_A_CHANGE: i64 = 100;
/// Leave longer than this is a change of job: ten years.
const MAX_EVENT_LENGTH: Micros = 3660 * DAY;
