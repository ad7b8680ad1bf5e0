use jiff::Timestamp;

use super::{
    ACTIVE_GROUPS, Action, Configuration, Event, Features, Grouping, KEYS_A_GROUP, Setting, Triage,
    index_keys, stable_hash, work,
};
use crate::{FlappingLimits, TransientLimits};

fn event<'a>(dedup_key: &'a str, summary: &'a str, source: &'a str) -> Event<'a> {
    Event {
        service: "shop",
        dedup_key,
        summary,
        source,
        ..Event::default()
    }
}

/// Counts comparisons instead of taking the time: their number is what the cost of a new alert hangs on.
#[test]
fn the_work_for_a_new_alert_does_not_grow_with_what_is_open() {
    let setting = Setting {
        grouping: Grouping::Intelligent {
            fields: vec![],
            window_seconds: 300,
        },
        ..Setting::default()
    };
    let mut triage = Triage::new(Configuration::default());
    for number in 0..3_000_i64 {
        let letters: String = number
            .to_string()
            .bytes()
            .map(|digit| char::from(digit + 49))
            .collect();
        let (key, source) = (format!("key {number}"), format!("host-{letters}"));
        let event = event(&key, &letters, &source);
        // Far apart in time, so that every alert opens a group.
        triage.observe(&event, &setting, Timestamp::from_second(number * 1_000).unwrap());
    }
    assert_eq!(triage.open_groups(), 3_000);
    let features = Features::of(&event("new", "bcd", "host-bcd"), &setting.grouping);
    let scope = stable_hash("shop");
    let keys = index_keys(scope, &features);
    assert!(keys.len() <= 3);
    let compared = triage.candidates(scope, &keys);
    assert!(compared.len() <= ACTIVE_GROUPS + keys.len(), "{}", compared.len());
    assert!(
        compared.len() > ACTIVE_GROUPS,
        "what said the same long ago is found too"
    );
}

/// What an event may make the machine look at, at most: the profiles of the candidates (places, messages and identities that
/// each remembers), the profile that it joins, the index and the list of active groups.
const MOST_WORK: u64 = ((ACTIVE_GROUPS + 3) * 560 + 560 + 2 * KEYS_A_GROUP + 2 * ACTIVE_GROUPS) as u64;

/// A machine with `open` alerts: half of them one incident each, half of them in one incident of one service.
fn crowded(open: usize) -> Triage {
    let mut triage = Triage::new(Configuration {
        // Halving a full memory is counted below.
        flapping: FlappingLimits {
            capacity: usize::MAX,
            ..FlappingLimits::default()
        },
        ..Configuration::default()
    });
    let all_in_one = Setting {
        grouping: Grouping::Time { window_seconds: None },
        ..Setting::default()
    };
    for number in 0..open {
        let (key, host) = (format!("key {number}"), format!("host-{}", number % 997));
        let service = if number % 2 == 0 {
            "shop".to_owned()
        } else {
            format!("service {}", number % 101)
        };
        let setting = if number % 2 == 0 {
            all_in_one.clone()
        } else {
            Setting::default()
        };
        let event = Event {
            service: &service,
            ..event(
                &key,
                ["disk full", "login fails", "queue grows"][number % 3],
                &host,
            )
        };
        triage.observe(
            &event,
            &setting,
            Timestamp::from_second(number as i64 / 100).unwrap(),
        );
    }
    assert_eq!(triage.open_alerts(), open);
    triage
}

/// The most that one of some hundred events made a crowded machine look at: new, repeated and resolved alerts.
fn most_work(open: usize) -> [u64; 3] {
    let mut triage = crowded(open);
    let setting = Setting {
        grouping: Grouping::Intelligent {
            fields: vec![],
            window_seconds: 300,
        },
        ..Setting::default()
    };
    let now = Timestamp::from_second(open as i64 / 100 + 1).unwrap();
    let mut most = [0; 3];
    for number in 0..300_usize {
        let (new, known) = (format!("new {number}"), format!("key {}", number * (open / 300)));
        let host = format!("host-{}", number % 997);
        let acts = [
            (&new, Action::Trigger),
            (&known, Action::Trigger),
            (&known, Action::Resolve),
        ];
        for (most, (key, action)) in most.iter_mut().zip(acts) {
            let event = Event {
                action,
                ..event(key, "disk full", &host)
            };
            *most = work::of(|| triage.observe(&event, &setting, now)).0.max(*most);
        }
    }
    most
}

#[test]
fn no_event_looks_at_more_than_a_bounded_part_of_a_hundred_thousand_open_alerts() {
    let (few, many) = (most_work(2_000), most_work(100_000));
    assert!(few[0] > 0, "a new alert is compared with something");
    for (few, many) in few.into_iter().zip(many) {
        assert!(
            many <= MOST_WORK && many <= few + few / 4 + 64,
            "{few} with 2,000, {many} with 100,000"
        );
    }
}

/// Memories that are full are halved now and then; spread over the events between, that is little.
#[test]
fn forgetting_costs_each_event_little() {
    let mut triage = Triage::new(Configuration {
        maximum_open_alerts: 100,
        flapping: FlappingLimits {
            capacity: 200,
            ..FlappingLimits::default()
        },
        transient: TransientLimits {
            capacity: 50,
            ..TransientLimits::default()
        },
    });
    let events = 5_000_u32;
    let (work, ()) = work::of(|| {
        for number in 0..events {
            let (key, class) = (format!("key {number}"), format!("class {number}"));
            let now = Timestamp::from_second(i64::from(number) * 400).unwrap();
            for action in [Action::Trigger, Action::Resolve] {
                let event = Event {
                    action,
                    class: Some(&class),
                    ..event(&key, "disk full", "host")
                };
                triage.observe(&event, &Setting::default(), now);
            }
        }
    });
    assert!(
        work <= 100 * u64::from(events),
        "{} units an alert",
        work / u64::from(events)
    );
}
