//! Recurrence rules, calendars, schedules and duties from bytes. The first byte says which.

use ::schedule::calendar::{Import, import_calendar};
use ::schedule::shifts::ShiftSchedule;
use ::schedule::working_time::{
    Candidate, Duty, DutyKind, NightWorker, RulePack, StandBy, Worker, check, who_may_take,
};
use ::schedule::{Advance, Layer, Recurrence, Restriction, Schedule, Span};
use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};

/// Input to begin with.
pub const SEEDS: &[&[u8]] = &[
    b"rRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;UNTIL=20300101T000000Z\nEXDATE:20270101T090000",
    b"rRRULE:FREQ=MONTHLY;BYDAY=-1SU,2MO;BYSETPOS=1;COUNT=10;WKST=SU\nRDATE;VALUE=DATE:20270105",
    b"rFREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=-1,31",
    b"cBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Dublin:20270105T090000\r\nDURATION:PT8H\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:Leave\\, long\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    b"cBEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20271225\nDTEND;VALUE=DATE:20271227\nTRANSP:OPAQUE\nCATEGORIES:HOLIDAY\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nRECURRENCE-ID:20271225\nDTSTART:20271226T100000Z\nDTEND:20271226T110000Z\nEND:VEVENT\nEND:VCALENDAR",
    b"cBEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:3\nDTSTART;TZID=Ours:20270310T090000\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR",
    br#"s{"time_zone":"Europe/Dublin","layers":[{"id":"L1","users":["a","b"],"start":"2027-01-01T00:00:00Z","rotation_virtual_start":"2027-01-01T00:00:00Z","rotation_turn_length_seconds":86400,"advance":"worked_turns","restrictions":[{"type":"daily_restriction","start_time_of_day":"22:00:00","duration_seconds":36000},{"type":"weekly_restriction","start_day_of_week":7,"start_time_of_day":"20:00:00","duration_seconds":100000}]}],"overrides":[{"id":"O","start":"2027-03-10T00:00:00Z","end":"2027-03-11T00:00:00Z","user":"c"}]}"#,
    br#"f{"time_zone":"UTC","rotations":[{"id":"R","events":[{"id":"E","effective_since":"2027-01-01T00:00:00Z","start_time":{"date_time":"2027-01-04T09:00:00","time_zone":"Australia/Lord_Howe"},"end_time":{"date_time":"2027-01-04T17:00:00","time_zone":"Europe/Dublin"},"recurrence":["RRULE:FREQ=WEEKLY;BYDAY=MO,WE","EXDATE:20270310T090000"],"assignment_strategy":{"type":"rotating_member_assignment_strategy","shifts_per_member":2,"members":[{"type":"user_member","user_id":"a"},{"type":"empty_member"}]}}]}],"custom_shifts":[{"id":"C","start_time":"2027-03-10T00:00:00Z","end_time":"2027-03-11T00:00:00Z","member":{"type":"user_member","user_id":"b"}}],"overrides":[{"id":"O","rotation_id":"R","start_time":"2027-03-09T00:00:00Z","end_time":"2027-03-12T00:00:00Z","overridden_member":{"type":"user_member","user_id":"a"},"overriding_member":{"type":"user_member","user_id":"c"}}]}"#,
    b"b\x00\x02\x01\x10\x00\x20\x03\x40\x05\x06\x07\x08\x90\x0a\x0b\x0c\x0d\x0e\xf0\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c",
    b"b\x01\x03\x00\x51\x80\x02\x00\x00\x16\x08\x01\x07\x12\x30\x02\x05\x00\x24\x00\x08\x03\x03\x00\x30\x01\x02\x00\x10\x11\x20\x40\x18\x09\x08\x33\x07",
    b"w\x10\x08\x00\x00\x0a\x01\x30\x09\x02\x50\x08\x00\x60\x02\x02\x80\x30\x01\xa0\x08\x00",
];

/// Stretches of at most this length are asked for, so that the size of an answer is bounded by the question.
const ASKED: SignedDuration = SignedDuration::from_hours(24 * 21);

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind {
        b'r' => recurrence(&String::from_utf8_lossy(rest)),
        b'c' => calendar(&String::from_utf8_lossy(rest)),
        b's' => layered(rest),
        b'b' => built(rest),
        b'w' => worked(rest),
        _ => shifts(rest),
    }
}

/// Three weeks with a change of the clocks in them, in Europe and in America.
fn asked() -> Option<Span> {
    let start = Timestamp::from_second(1_804_464_000).ok()?;
    Span::new(start, start.checked_add(ASKED).ok()?).ok()
}

fn recurrence(text: &str) {
    let Ok(recurrence) = Recurrence::parse(text.lines()) else {
        return;
    };
    let written = serde_json::to_value(&recurrence).unwrap_or_default();
    let again: Result<Recurrence, _> = serde_json::from_value(written.clone());
    assert_eq!(again.ok().as_ref(), Some(&recurrence), "{written}");
}

fn calendar(text: &str) {
    let Some(span) = asked() else {
        return;
    };
    let import = Import {
        zone: TimeZone::UTC,
        span,
        zones: jiff::tz::db(),
    };
    if let Ok(imported) = import_calendar(text, &import) {
        for event in &imported.events {
            assert!(event.span.start() < event.span.end());
            assert!(
                event.span.start() < span.end() && event.span.end() > span.start(),
                "outside of what was asked"
            );
        }
    }
}

fn layered(bytes: &[u8]) {
    if let Ok(schedule) = serde_json::from_slice::<Schedule>(bytes) {
        answers(&schedule);
    }
}

fn answers(schedule: &Schedule) {
    let Some(span) = asked() else {
        return;
    };
    match schedule.validate() {
        Ok(plan) => {
            if let Ok(rendered) = plan.render(span) {
                let entries = &rendered.final_schedule.entries;
                for pair in entries.windows(2) {
                    assert!(pair[0].end <= pair[1].start, "two at once: {pair:?}");
                }
                for entry in entries.iter().take(20) {
                    let on_call = plan.on_call_at(entry.start);
                    assert_eq!(on_call.map(|one| one.user), Some(entry.user.clone()), "{entry:?}");
                }
            }
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
}

/// Numbers out of bytes, zero when there are no more.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl Numbers<'_> {
    fn below(&mut self, limit: u8) -> u8 {
        self.0.next().copied().unwrap_or(0) % limit.max(1)
    }

    fn large(&mut self) -> u32 {
        (0..3).fold(0, |number, _| number << 8 | u32::from(self.below(u8::MAX)))
    }

    fn time(&mut self) -> Time {
        Time::constant(self.below(24) as i8, (self.below(4) * 15) as i8, 0, 0)
    }
}

/// A layered schedule built from numbers, so that its shape is right and its values are anything: what it answers, and what it
/// answers once somebody has been replaced.
fn built(bytes: &[u8]) {
    const ZONES: [&str; 6] = [
        "America/Chicago",
        "Australia/Lord_Howe",
        "Europe/Dublin",
        "Africa/Casablanca",
        "America/Sao_Paulo",
        "UTC",
    ];
    let Some(span) = asked() else {
        return;
    };
    let mut numbers = Numbers(bytes.iter());
    let near = |numbers: &mut Numbers<'_>| {
        let seconds = i64::from(numbers.large()) - (1 << 22);
        span.start()
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or_default()
    };
    let zone = ZONES[usize::from(numbers.below(6))];
    let layers = (0..numbers.below(4)).map(|number| {
        let restriction = |numbers: &mut Numbers<'_>| {
            let (start_time_of_day, day) = (numbers.time(), numbers.below(8));
            let duration_seconds = numbers.large() % 604_800;
            if day == 0 {
                Restriction::Daily {
                    start_time_of_day,
                    duration_seconds,
                }
            } else {
                Restriction::Weekly {
                    start_day_of_week: day,
                    start_time_of_day,
                    duration_seconds,
                }
            }
        };
        Layer {
            id: format!("L{number}").into(),
            name: String::new(),
            start: near(&mut numbers),
            end: (numbers.below(3) == 0).then(|| near(&mut numbers)),
            rotation_virtual_start: near(&mut numbers),
            rotation_turn_length_seconds: u64::from(numbers.large() % 20_000) * 60,
            users: (0..numbers.below(5))
                .map(|user| format!("{user}").into())
                .collect(),
            restrictions: (0..numbers.below(4)).map(|_| restriction(&mut numbers)).collect(),
            advance: if numbers.below(2) == 0 {
                Advance::CalendarTurns
            } else {
                Advance::WorkedTurns
            },
            time_zone: None,
        }
    });
    let schedule = Schedule {
        time_zone: zone.to_owned(),
        layers: layers.collect(),
        overrides: Vec::new(),
    };
    answers(&schedule);
    let Some(layer) = schedule.layers.iter().find(|layer| layer.users.len() > 1) else {
        return;
    };
    let mut members = layer.users.clone();
    members[0] = "new".into();
    if let (Ok(before), Ok(changed)) = (
        schedule.validate(),
        schedule.with_members(&layer.id, members, span.start()),
    ) {
        let (Ok(after), gone) = (changed.validate(), &layer.users[0]) else {
            return;
        };
        for day in 0..21 {
            let at = span.start() + SignedDuration::from_hours(24 * day);
            let (was, is) = (before.on_call_at(at), after.on_call_at(at));
            let stays = was.as_ref().is_some_and(|was| was.user != *gone);
            assert!(!stays || was.map(|was| was.user) == is.map(|is| is.user), "{at}");
        }
    }
}

/// Duties built from numbers, judged, and offered one shift more.
fn worked(bytes: &[u8]) {
    let Some(span) = asked() else {
        return;
    };
    let mut numbers = Numbers(bytes.iter());
    let duty = |numbers: &mut Numbers<'_>| {
        let start = span.start() + SignedDuration::from_mins(i64::from(numbers.below(120)) * 240);
        let length = SignedDuration::from_mins(15 * (1 + i64::from(numbers.below(96))));
        let kind = match numbers.below(3) {
            0 => DutyKind::Work,
            1 => DutyKind::StandBy,
            _ => DutyKind::Intervention,
        };
        Span::new(start, start + length)
            .ok()
            .map(|span| Duty { span, kind })
    };
    let shift = duty(&mut numbers);
    let duties: Vec<Duty> = (0..numbers.below(40))
        .filter_map(|_| duty(&mut numbers))
        .collect();
    let worker = Worker {
        user: "a".into(),
        time_zone: "Europe/Dublin".to_owned(),
        opted_out: Vec::new(),
        night_worker: NightWorker::Hazardous,
        leave: Vec::new(),
    };
    let pack = RulePack::european_union(StandBy::Wholly);
    let before = check(&pack, &worker, &duties, span, jiff::tz::db());
    for violation in before.iter().flatten() {
        assert!(violation.span.start() < violation.span.end());
        assert!(violation.measured != violation.limit, "{violation}");
    }
    if let Some(shift) = shift {
        let candidate = Candidate { worker, duties };
        if let Ok(verdicts) = who_may_take(
            &pack,
            std::slice::from_ref(&candidate),
            shift,
            span,
            jiff::tz::db(),
        ) {
            let clear = verdicts[0].is_clear();
            let mut duties = candidate.duties;
            duties.push(shift);
            let after = check(&pack, &candidate.worker, &duties, span, jiff::tz::db());
            let around = after
                .iter()
                .flatten()
                .any(|found| found.span.intersection(&shift.span).is_some());
            assert!(!(clear && around), "cleared in spite of {after:?}");
        }
    }
}

fn shifts(bytes: &[u8]) {
    let (Ok(schedule), Some(span)) = (serde_json::from_slice::<ShiftSchedule>(bytes), asked()) else {
        return;
    };
    match schedule.validate() {
        Ok(plan) => drop(plan.render(span)),
        Err(problems) => assert!(!problems.is_empty()),
    }
}
