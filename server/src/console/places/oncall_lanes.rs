//! A schedule as the calendar draws it: the final line with its gaps, the layers below, the changes; and the same as
//! a list of days for a phone.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, Zoned};
use schedule::Rendered;

use super::oncall::{Known, Shown};
use crate::console::prelude::{CalendarLaneInput, LaneRank, Pin, Reading, ShiftInput, ShiftLook};
use crate::console::screens::oncall::{AgendaDay, AgendaTurn};

/// Stretches of the final schedule with nobody.
pub(super) fn gaps(rendered: &Rendered, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut gaps = Vec::new();
    let mut at = from;
    for entry in &rendered.final_schedule.entries {
        if entry.start > at {
            gaps.push((at, entry.start));
        }
        at = at.max(entry.end);
    }
    if at < to {
        gaps.push((at, to));
    }
    gaps
}

pub(super) fn lanes(
    known: &Known,
    shown: &Shown,
    reading: &Reading,
    gaps: &[(Timestamp, Timestamp)],
) -> Vec<CalendarLaneInput> {
    let Some(rendered) = &known.rendered else {
        return Vec::new();
    };
    let turn = |entry: &schedule::Entry, change: bool| {
        let mine = entry.user.as_str() == shown.me;
        let start = reading.zoned(entry.start);
        let look = match (mine, change) {
            (true, true) => ShiftLook::YouInChange,
            (true, false) => ShiftLook::You,
            (false, true) => ShiftLook::Change,
            _ if matches!(
                start.weekday(),
                jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
            ) =>
            {
                ShiftLook::Weekend
            }
            _ if start.hour() >= 18 || start.hour() < 5 => ShiftLook::Night,
            _ => ShiftLook::Plain,
        };
        let name = known
            .people
            .get(entry.user.as_str())
            .cloned()
            .unwrap_or_else(|| "Somebody who left".to_owned());
        ShiftInput {
            from: entry.start,
            to: entry.end,
            name,
            look,
        }
    };
    let mut final_shifts: Vec<ShiftInput> = rendered
        .final_schedule
        .entries
        .iter()
        .map(|entry| turn(entry, false))
        .collect();
    final_shifts.extend(gaps.iter().map(|(from, to)| ShiftInput {
        from: *from,
        to: *to,
        name: "Nobody".to_owned(),
        look: ShiftLook::Gap,
    }));
    final_shifts.sort_by_key(|shift| shift.from);
    let middle = |from: &Timestamp, to: &Timestamp| {
        Timestamp::from_second(i64::midpoint(from.as_second(), to.as_second())).unwrap_or(*from)
    };
    let lane = |name: String, note: &str, rank, shifts, pins| CalendarLaneInput {
        name,
        note: note.to_owned(),
        rank,
        shifts,
        pins,
    };
    let pins = gaps
        .iter()
        .map(|(from, to)| (middle(from, to), Pin::Gap))
        .collect();
    let mut lanes = vec![lane(
        "On call".to_owned(),
        "final line",
        LaneRank::Final,
        final_shifts,
        pins,
    )];
    for layer in &rendered.layers {
        let name = known
            .layer_names
            .get(layer.id.as_str())
            .cloned()
            .unwrap_or_else(|| "Earlier layer".to_owned());
        let shifts = layer
            .schedule
            .entries
            .iter()
            .map(|entry| turn(entry, false))
            .collect();
        lanes.push(lane(name, "", LaneRank::Layer, shifts, Vec::new()));
    }
    if !rendered.overrides.entries.is_empty() {
        let shifts = rendered
            .overrides
            .entries
            .iter()
            .map(|entry| turn(entry, true))
            .collect();
        lanes.push(lane(
            "Changes".to_owned(),
            "swaps and cover",
            LaneRank::Layer,
            shifts,
            Vec::new(),
        ));
    }
    lanes
}

/// The final line as a list of days, for a phone. Days that are alike share one entry; today begins one of its own.
pub(super) fn agenda(lane: Option<&CalendarLaneInput>, reading: &Reading, shown: &Shown) -> Vec<AgendaDay> {
    let Some(lane) = lane else { return Vec::new() };
    let today = reading.zoned(reading.now).date();
    let mut days: Vec<(Date, Date, Vec<AgendaTurn>)> = Vec::new();
    let mut day = shown.from.clone();
    while day < shown.to {
        let Ok(next) = day.checked_add(1.day()) else { break };
        let turns = turns_of(lane, reading, &day, &next);
        match days.last_mut() {
            Some((_, last, before)) if *before == turns && day.date() != today => *last = day.date(),
            _ => days.push((day.date(), day.date(), turns)),
        }
        day = next;
    }
    days.into_iter()
        .filter(|(_, _, turns)| !turns.is_empty())
        .map(|(first, last, turns)| AgendaDay {
            name: days_in_words(first, last, today),
            turns,
            pins: Vec::new(),
        })
        .collect()
}

fn turns_of(lane: &CalendarLaneInput, reading: &Reading, day: &Zoned, next: &Zoned) -> Vec<AgendaTurn> {
    let (begins, ends) = (day.timestamp(), next.timestamp());
    lane.shifts
        .iter()
        .filter(|shift| shift.from < ends && shift.to > begins)
        .map(|shift| AgendaTurn {
            hours: match (shift.from <= begins, shift.to >= ends) {
                (true, true) => "all day".to_owned(),
                (false, true) => format!("{} to 24:00", hour(reading, shift.from)),
                (true, false) => format!("00:00 to {}", hour(reading, shift.to)),
                (false, false) => format!("{} to {}", hour(reading, shift.from), hour(reading, shift.to)),
            },
            who: if shift.look == ShiftLook::You {
                "You".to_owned()
            } else {
                shift.name.clone()
            },
            look: shift.look,
        })
        .collect()
}

fn hour(reading: &Reading, at: Timestamp) -> String {
    reading.zoned(at).strftime("%H:%M").to_string()
}

/// "Mon 16", "Today, Tue 17", "Wed 18 to Sun 22".
fn days_in_words(first: Date, last: Date, today: Date) -> String {
    let name = |day: Date| day.strftime("%a %-d").to_string();
    let begins = if first == today {
        format!("Today, {}", name(first))
    } else {
        name(first)
    };
    if first == last {
        begins
    } else {
        format!("{begins} to {}", name(last))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_alike_are_named_together_and_today_by_its_name() {
        let today = date(2026, 11, 17);
        assert_eq!(
            days_in_words(date(2026, 11, 16), date(2026, 11, 16), today),
            "Mon 16"
        );
        assert_eq!(
            days_in_words(today, date(2026, 11, 22), today),
            "Today, Tue 17 to Sun 22"
        );
    }
}
