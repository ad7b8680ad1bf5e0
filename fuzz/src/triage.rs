//! Masks, templates, the state machine and spoiled snapshots of every memory from bytes. The first byte says which.

use ::triage::counts::{self, Monitor};
use ::triage::similar::{Index, Report};
use ::triage::words::{Classifier, discovery::Discovery};
use ::triage::{
    Action, Configuration, Decision, Event, GroupId, Grouping, OriginWeights, Origins, Outcome, Profile,
    Setting, Signal, Symptom, Templates, Topology, Triage, mask,
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

/// Input to begin with.
pub const SEEDS: &[&[u8]] = &[
    b"mConnection from 10.0.0.7:443 to fe80::1 failed after 1.5s (id 3f2a9c41-11d2-4b0e-9a77-0c6d1e5f8a90) 'some text'",
    b"m2026-11-22T05:00:00.123Z ERROR 0x7ffe 99% 12,345.67 EUR user@example.org /var/log/a.log https://a.b/c?d=e",
    b"tsession opened for user anna\nsession opened for user ben\nsession closed for user anna\nsession opened for user carla",
    b"sabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ\x00\x01\x02\x7f\x80\xff",
    b"k\x00\x41\x02\x43\x14\x45\x46\x07\x00\x01\x80\x10\x02\x81\x30\x01\x82\x90\x04\x83\xA0\x08\x84\x12\x06\x85",
    b"kabcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"s\x00\x00\x00\x10\x11\x12\x20\x21\x22\x30\x31\x32\x40\x41\x42\x50\x51\x52\x60\x61\x62",
    b"o\x00abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x01abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x02abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x03abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x04abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x05abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x06abcdefghijabcdefghij\x00\x00\x80\x40\x00\x80\x80\x00\x80\xc0\x00\x83\x00\x01\x80\x40\x01\x83",
    b"o\x00abcdefghibaj\x92\x91\x90\x89\xd2\xd2\xd2\x80\x40\x01\xc3",
    b"j{}",
];

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind {
        b'm' => masked(&String::from_utf8_lossy(rest)),
        b't' => templates(&String::from_utf8_lossy(rest)),
        b's' => machine(rest),
        b'k' => spoiled_snapshot(rest),
        b'o' => spoiled_memory(rest),
        _ => restored(rest),
    }
}

fn masked(text: &str) {
    let once = mask(text);
    assert_eq!(mask(text), once);
    // A mask is never much longer than what it stands for: work and memory stay linear.
    assert!(
        once.len() <= 8 * text.len() + 64,
        "{} from {}",
        once.len(),
        text.len()
    );
}

fn templates(text: &str) {
    let mut templates = Templates::default();
    let mut ids = Vec::new();
    for line in text.lines().take(200) {
        ids.push(templates.learn(line));
    }
    for id in ids {
        let current = templates.current(id);
        assert_eq!(templates.current(current), current);
    }
}

const TEXTS: [&str; 6] = [
    "disk full",
    "latency 830ms",
    "login fails",
    "queue grows",
    "",
    "ä\u{0}\u{202E}",
];

/// Plays one byte as an event: what, of which key, and how much later.
fn play(triage: &mut Triage, byte: u8, number: usize, now: &mut i64) -> Decision {
    *now += i64::from(byte >> 5) * 7 - 3;
    let text = TEXTS[number.wrapping_mul(7).wrapping_add(usize::from(byte)) % TEXTS.len()];
    let key = format!("key-{}", byte & 7);
    let event = Event {
        integration: "i",
        service: if byte & 8 == 0 { "shop" } else { "payment" },
        dedup_key: &key,
        action: match byte & 0x30 {
            0x10 => Action::Resolve,
            0x20 if byte & 1 == 1 => Action::Acknowledge,
            _ => Action::Trigger,
        },
        summary: text,
        source: ["a", "b", ""][usize::from(byte) % 3],
        ..Event::default()
    };
    let setting = Setting {
        scope: (byte & 0x40 != 0).then(|| "all".to_owned()),
        grouping: Grouping::Intelligent {
            fields: vec![],
            window_seconds: 60,
        },
        ..Setting::default()
    };
    triage.observe(&event, &setting, Timestamp::from_second(*now).unwrap_or_default())
}

/// Any order of events and acts keeps the promises, and a restart in the middle changes no decision.
fn machine(bytes: &[u8]) {
    let configuration = Configuration {
        maximum_open_alerts: 5,
        ..Configuration::default()
    };
    let mut triage = Triage::new(configuration);
    let mut now = 1_000;
    let bytes = &bytes[..bytes.len().min(300)];
    let middle = bytes.len() / 2;
    let mut groups: Vec<GroupId> = Vec::new();
    for (number, byte) in bytes[..middle].iter().enumerate() {
        let decision = play(&mut triage, *byte, number, &mut now);
        assert!(triage.open_alerts() <= 5 && triage.open_groups() <= triage.open_alerts());
        assert!(!decision.reasons.is_empty());
        if let Outcome::OpenedGroup { group, alert } | Outcome::JoinedGroup { group, alert } =
            decision.outcome
        {
            groups.push(group);
            assert_eq!(triage.group_of(alert), Some(group));
            assert!(
                decision
                    .moved
                    .iter()
                    .all(|moved| triage.group_of(*moved).is_none_or(|of| of == group))
            );
            if *byte == 0x7F && groups.len() > 1 {
                let lesson = triage.merge(groups[0], group);
                if let Ok(lesson) = lesson {
                    triage.undo(&lesson);
                }
            }
            if *byte == 0x5F {
                drop(triage.split(group, &[alert]));
            }
        }
    }
    let written = serde_json::to_string(&triage).unwrap_or_default();
    let restored: Result<Triage, _> = serde_json::from_str(&written);
    assert!(restored.is_ok(), "{:?}", restored.err());
    let Ok(mut restored) = restored else {
        return;
    };
    let mut later = now;
    for (number, byte) in bytes[middle..].iter().enumerate() {
        let decision = play(&mut triage, *byte, number, &mut now);
        assert_eq!(play(&mut restored, *byte, number, &mut later), decision);
    }
}

/// A snapshot of a machine that has seen some events, with numbers and letters changed, is refused or works on.
fn spoiled_snapshot(bytes: &[u8]) {
    let (events, changes) = bytes.split_at(bytes.len().min(40) / 2);
    let mut triage = Triage::default();
    let mut now = 1_000;
    for (number, byte) in events.iter().enumerate() {
        play(&mut triage, *byte, number, &mut now);
    }
    let mut written = serde_json::to_string(&triage).unwrap_or_default().into_bytes();
    spoil(&mut written, changes);
    restored(&written);
}

/// Changes numbers and letters of a snapshot, three bytes for each change.
fn spoil(written: &mut Vec<u8>, changes: &[u8]) {
    for change in changes.chunks_exact(3).take(20) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % written.len().max(1);
        if change[2] < 0x80 {
            if let Some(byte) = written.get_mut(place) {
                *byte = change[2];
            }
            continue;
        }
        // The next number becomes one at the border of its range.
        let Some(start) = written[place..]
            .iter()
            .position(u8::is_ascii_digit)
            .map(|at| place + at)
        else {
            continue;
        };
        let length = written[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let borders = [
            "18446744073709551615",
            "0",
            "4294967295",
            "9223372036854775807",
            "1e308",
            "-1",
        ];
        let border = borders[usize::from(change[2]) % borders.len()];
        written.splice(start..start + length, border.bytes());
    }
}

/// The same for everything else that is written down: after a few changes it is refused, or works on and comes to an end.
fn spoiled_memory(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else {
        return;
    };
    let (events, changes) = rest.split_at(rest.len().min(40) / 2);
    let texts: Vec<String> = events
        .iter()
        .map(|byte| {
            format!(
                "{} {} at till {byte}",
                TEXTS[usize::from(*byte) % TEXTS.len()],
                byte & 7
            )
        })
        .collect();
    match which % 7 {
        0 => again(&mut Templates::with_capacity(16), changes, |templates| {
            for text in &texts {
                let id = templates.learn(text);
                drop(templates.text(templates.current(id)));
            }
        }),
        1 => again(
            &mut Monitor::new(counts::Settings::default()),
            changes,
            |monitor| {
                for (number, text) in texts.iter().enumerate() {
                    drop(monitor.advance(number as i64 * 40_000));
                    monitor.observe(&counts::Key::at(text, "here"), number as u32);
                }
            },
        ),
        2 => again(&mut Discovery::default(), changes, |discovery| {
            for text in &texts {
                discovery.observe(text);
                let ids: Vec<u64> = discovery.clusters().iter().map(|cluster| cluster.id).collect();
                for id in ids {
                    drop(discovery.name(id));
                }
            }
        }),
        3 => again(&mut Classifier::default(), changes, |classifier| {
            for (number, text) in texts.iter().take(6).enumerate() {
                drop(classifier.classify(text));
                if classifier.teach(["one", "two"][number % 2], text).is_ok() {
                    classifier.observe(text);
                }
            }
            classifier.fit();
        }),
        4 => again(&mut Index::default(), changes, |index| {
            for (number, text) in texts.iter().take(8).enumerate() {
                let report = Report {
                    title: text.clone(),
                    at: Some(number as i64),
                    ..Report::default()
                };
                drop(index.rank(&report, 3));
                index.insert(text, report.clone());
                index.confirm(&report, text);
            }
        }),
        5 => again(
            &mut Origins::new(OriginWeights::default(), 16),
            changes,
            |origins| {
                let symptoms: Vec<Symptom<'_>> = texts.iter().map(|text| symptom(text)).collect();
                drop(origins.rank(&symptoms, &Topology::default(), &[]));
                origins.remember(&symptoms);
                drop(origins.confirm(&symptoms, "till 7"));
            },
        ),
        _ => again(&mut Topology::default(), changes, |topology| {
            for pair in texts.windows(2) {
                topology.add_dependency(&pair[0], &pair[1]);
                topology.add_part(&pair[1], &pair[0]);
                assert!(
                    topology
                        .hops(&pair[0], &pair[1], 200)
                        .is_none_or(|hops| hops <= 200)
                );
            }
        }),
    }
}

/// Uses a memory, writes it down, spoils what was written, and uses what is read back, if anything is.
fn again<T: Serialize + DeserializeOwned>(memory: &mut T, changes: &[u8], act: impl Fn(&mut T)) {
    act(memory);
    let mut written = serde_json::to_string(memory).unwrap_or_default().into_bytes();
    spoil(&mut written, changes);
    if let Ok(mut memory) = serde_json::from_slice::<T>(&written) {
        act(&mut memory);
    }
}

fn symptom(text: &str) -> Symptom<'_> {
    Symptom {
        place: text,
        signal: Signal::Log,
        kind: text,
        count: 1,
        at: None,
        deviation: None,
        noticed_by: Some("till 7"),
    }
}

/// A snapshot that somebody spoiled is refused, or works on without a panic.
fn restored(bytes: &[u8]) {
    if let Ok(mut triage) = serde_json::from_slice::<Triage>(bytes) {
        let mut now = 0;
        for (number, byte) in (0..=255_u8).step_by(5).enumerate() {
            play(&mut triage, byte, number, &mut now);
        }
    }
    if let Ok(profile) = serde_json::from_slice::<Profile>(bytes) {
        let event = Event {
            service: "shop",
            summary: "disk full",
            ..Event::default()
        };
        let grouping = Grouping::Intelligent {
            fields: vec![],
            window_seconds: u32::MAX,
        };
        let features = ::triage::Features::of(&event, &grouping);
        let knowledge = ::triage::Knowledge::default();
        drop(::triage::choose_group(
            &grouping,
            &features,
            &[&profile],
            &knowledge,
            Timestamp::UNIX_EPOCH,
        ));
        let mut profile = profile;
        profile.add(features, Timestamp::UNIX_EPOCH);
        assert!(profile.alerts() > 0);
    }
}
