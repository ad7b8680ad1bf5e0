use jiff::ToSpan;

use super::{at, frame, on, reading};
use crate::console::prelude::*;
use crate::console::screens::oncall::*;
use crate::console::screens::services::*;

fn tabs(current: usize) -> Choices {
    Choices::new(
        ChoicesLook::Tabs,
        "Services",
        current,
        &[
            ("Picture", "/console/services"),
            ("Shops", "/console/services/shops"),
        ],
    )
}

fn graph_input() -> GraphInput {
    let node = |name: &str, note: &str, mark, tone, column| Node {
        name: name.to_owned(),
        note: note.to_owned(),
        mark,
        tone,
        column,
        to: "#".to_owned(),
    };
    let state = NodeMark::State;
    use NodeTone::{Lit, Origin, Quiet};
    let edge = |from, to, passes| Edge { from, to, passes };
    let (red, amber) = (Some(State::Triggered), Some(State::Slow));
    GraphInput {
        columns: vec![
            "What changed, who supplies",
            "What it runs on",
            "Technical services",
            "Touchpoints",
            "Who is hurt",
        ],
        nodes: vec![
            node(
                "Northpay",
                "vendor, card acquirer",
                state(State::Working),
                Quiet,
                0,
            ),
            node(
                "store-edge 4.18.0",
                "change, 05:30, stopped",
                NodeMark::Icon("change"),
                Lit,
                0,
            ),
            node("store-edge", "Shop systems", state(State::Triggered), Origin, 1),
            node("stock-feed", "Order systems", state(State::Working), Quiet, 1),
            node("card-gateway", "Payments", state(State::Triggered), Lit, 2),
            node("loyalty-api", "Loyalty", state(State::Slow), Lit, 2),
            node("order-hub", "Order systems", state(State::Slow), Lit, 2),
            node("booking", "Appointments", state(State::Triggered), Quiet, 2),
            node(
                "workforce",
                "People systems",
                state(State::Acknowledged),
                Quiet,
                2,
            ),
            node(
                "Card payments",
                "down in 24 shops",
                state(State::Triggered),
                Lit,
                3,
            ),
            node("Loyalty", "slow in 24 shops", state(State::Slow), Lit, 3),
            node(
                "Click & collect",
                "slow, 61 orders wait",
                state(State::Slow),
                Lit,
                3,
            ),
            node("Appointments", "reminders late", state(State::Slow), Quiet, 3),
            node("Staff scheduling", "slow in Spain", state(State::Slow), Quiet, 3),
            node(
                "24 shops",
                "12 offline, 5 recovering",
                NodeMark::Icon("shop"),
                Lit,
                4,
            ),
            node(
                "298 customers",
                "41 Gold, 6 business",
                NodeMark::Icon("customers"),
                Lit,
                4,
            ),
            node("316 cases", "4 not linked", NodeMark::Icon("case"), Lit, 4),
        ],
        edges: vec![
            edge(0, 4, None),
            edge(1, 2, red),
            edge(2, 4, red),
            edge(2, 5, amber),
            edge(2, 6, amber),
            edge(3, 6, None),
            edge(4, 9, red),
            edge(5, 10, amber),
            edge(6, 11, amber),
            edge(7, 12, None),
            edge(8, 13, None),
            edge(9, 14, red),
            edge(9, 15, red),
            edge(10, 15, amber),
            edge(9, 16, red),
            edge(11, 16, amber),
        ],
    }
}

pub(crate) fn services() -> Services {
    let row = |name: &str, state: StateMark, who: &str, change: &str, alerts: &str| ServiceRow {
        name: name.to_owned(),
        to: "#".to_owned(),
        state,
        on_call: Person::named(who),
        last_change: change.to_owned(),
        alerts: alerts.to_owned(),
    };
    let step = |mark, name: &str, note: &str, hurts: &[(State, &'static str, &str)]| PathStep {
        mark,
        name: name.to_owned(),
        note: note.to_owned(),
        hurts: hurts
            .iter()
            .map(|(state, what, how)| (state.says(*what), (*how).to_owned()))
            .collect(),
    };
    Services {
        frame: frame("Services", Place::Services),
        headline: "One update to store-edge hurts three touchpoints".to_owned(),
        below: Rich::plain("The lit path is ")
            .link("#1042", "#")
            .then(": from what changed, through what engineers run, to who is hurt."),
        lit: Some(Choices::new(
            ChoicesLook::Segments,
            "Light the path of",
            0,
            &[("#1042", "#"), ("#1043", "#"), ("Everything", "#")],
        )),
        tabs: tabs(0),
        graph: graph(&graph_input()),
        path: vec![
            step(
                NodeMark::Icon("change"),
                "store-edge 4.18.0",
                "Rollout, wave one, 05:30. Stopped at 05:44.",
                &[],
            ),
            step(
                NodeMark::State(State::Triggered),
                "store-edge",
                "Drops the terminals’ network when it restarts",
                &[
                    (State::Triggered, "card-gateway", "63 alerts"),
                    (State::Slow, "loyalty-api", "waits for store-edge"),
                    (State::Triggered, "Card payments", "down in 24 shops"),
                ],
            ),
            step(
                NodeMark::Icon("customers"),
                "24 shops, 298 customers, 316 cases",
                "£38,400 an hour, £25,000 to £52,000",
                &[],
            ),
        ],
        list_note: "7 technical, 5 touchpoints, 1 vendor".to_owned(),
        rows: vec![
            row(
                "store-edge",
                State::Triggered.mark(),
                "Tomasz Zieliński",
                "4.18.0, 05:30 today",
                "24",
            ),
            row(
                "card-gateway",
                State::Triggered.mark(),
                "Priya Raman",
                "Thursday",
                "38",
            ),
            row(
                "loyalty-api",
                State::Slow.mark(),
                "Priya Raman",
                "3 November",
                "6",
            ),
            row(
                "workforce",
                State::Acknowledged.mark(),
                "Lucía Ferrer",
                "9 November",
                "3",
            ),
            row(
                "stock-feed",
                State::Maintenance.says("Tonight 22:00"),
                "Emre Yıldız",
                "10 November",
                "0",
            ),
        ],
        adds: Some(NewServices {
            kinds: NewKinds::Both,
            policies: vec![Pick::new("E1", "Payments")],
        }),
    }
}

pub(crate) fn no_services() -> Services {
    let mut services = services();
    services.headline = "What you run, and whom it serves".to_owned();
    services.below = Rich::default();
    services.lit = None;
    services.rows = Vec::new();
    services.path = Vec::new();
    services
}

fn rules_on_events() -> RulesOnEvents {
    let rule = |id: &str, name: &str, conditions: &[&str], does: &str, turn| RuleOnEvents {
        id: id.to_owned(),
        name: name.to_owned(),
        conditions: conditions.iter().map(|one| (*one).to_owned()).collect(),
        does: does.to_owned(),
        turn,
        change: Some(Link::new("Change", "#")),
    };
    RulesOnEvents {
        rules: vec![
            rule(
                "PRULE1",
                "Disks that fill up slowly",
                &[
                    "event.component == 'disk' and event.severity == 'info'",
                    "event.summary matches part 'disk is nearly full'",
                ],
                "suppresses it: no incident opens",
                RuleTurn::Asked,
            ),
            rule(
                "PRULE2",
                "Rule 2",
                &[],
                "asks for the priority P2",
                RuleTurn::LeftOut,
            ),
        ],
        notes: vec![
            Rich::plain("One more rule stands in another set, which is changed over the API: ")
                .code("PUT /event_orchestrations/services/PSVC1")
                .then("."),
        ],
        held: vec![(
            "Disk is nearly full on db-7".to_owned(),
            "The rule “Disks that fill up slowly” suppressed it, so that no incident opens.".to_owned(),
        )],
        add: Some(Link::new("Add a rule", "#")),
        switch: Some(Link::new("Let them rest", "#")),
    }
}

pub(crate) fn service() -> Service {
    Service {
        frame: frame("card-gateway", Place::Services),
        id: "PSVC1".to_owned(),
        name: "card-gateway".to_owned(),
        state: State::Triggered.mark().as_chip(),
        description: "Takes card payments from the shops’ terminals to Northpay.".to_owned(),
        kind: "Engineers run it",
        hurt: vec![("If it fails", Rich::plain("Card payments in 240 shops"))],
        facts: vec![
            ("Team", "Payments".into()),
            ("Escalation", Rich::default().link("Payments", "#")),
        ],
        on_call: vec![
            ("First".to_owned(), Person::named("Priya Raman")),
            ("After 5 min".to_owned(), Person::named("Jonas Weber")),
        ],
        uses: vec![(State::Triggered.mark(), Link::new("store-edge", "#"))],
        used_by: vec![(State::Triggered.says("Down"), Link::new("Card payments", "#"))],
        reports: Some(Reports {
            integrations: vec![Integration {
                id: "PINT1".to_owned(),
                name: "Prometheus, Leeds".to_owned(),
                kind: "Events API v2".to_owned(),
                key: "…0001".to_owned(),
                last_event: Rich::plain("last event 2 min ago"),
            }],
            made: Some((
                "Prometheus, Leeds".to_owned(),
                "R0HX4K2M7QEXAMPLEKEY0001".to_owned(),
                "https://muster.larkfield.example/v2/enqueue".to_owned(),
            )),
            rights: ServiceRights::Change,
        }),
        rules: Some(rules_on_events()),
        incidents: super::now::happening(),
        changes: vec![Entry::new(
            "change-1",
            reading().clock(at("05:30")),
            Actor::Machine("change"),
            Rich::default()
                .code("store-edge 4.18.0")
                .then(" went to wave one"),
        )],
        others: vec![Pick::new("S3", "loyalty-api")],
        words: None,
        change: Some(Link::new("Change it", "#")),
    }
}

pub(crate) fn shops() -> Shops {
    let regions = [
        ("Scotland", 14),
        ("North of England", 32),
        ("Midlands", 22),
        ("South of England", 28),
        ("Wales", 8),
        ("Ireland", 22),
        ("Germany", 48),
        ("France", 38),
        ("Spain", 28),
    ];
    let mut tiles = Vec::new();
    for (region, (name, count)) in regions.into_iter().enumerate() {
        for index in 0..count {
            let state = match (index * 7 + region * 3) % 19 {
                2 if index % 3 == 0 => State::Triggered,
                5 if index % 3 == 1 => State::Recovering,
                8 if index % 2 == 1 => State::Resolved,
                _ if region == 5 && index == 8 => State::Maintenance,
                _ if region == 0 && index == 2 => State::Unknown,
                _ => State::Working,
            };
            let label = format!("{name} {}, {}", index + 1, state.word().to_lowercase());
            let chosen = if region == 1 && index == 1 {
                Chosen::Yes
            } else {
                Chosen::No
            };
            tiles.push((
                name.to_owned(),
                Tile {
                    id: format!("shop-{region}-{index}"),
                    label,
                    state,
                    to: "#".to_owned(),
                    chosen,
                },
            ));
        }
    }
    let row = |name: &str, state: State, word: &'static str, up, all| ShopRow {
        id: format!("row-{name}").replace(' ', "-"),
        to: "#".to_owned(),
        state: state.says(word),
        name: name.to_owned(),
        terminals: Terminals { state, up, all },
    };
    let hurt = |clock: &str, offline, recovering| Hurt {
        at: at(clock),
        offline,
        recovering,
    };
    Shops {
        frame: frame("Shops", Place::Services),
        headline: "12 shops are offline, 5 recovering, 7 of 24 back".to_owned(),
        below: Rich::plain("All 24 got ")
            .code("store-edge 4.18.0")
            .then(" in wave one. No other shop is hurt. ")
            .link("#1042", "#")
            .then(", open 31 min."),
        add: Some(Link::new("Add a location", "#")),
        incident: Some(Link::new("Open the incident", "#")),
        tabs: tabs(1),
        grouping: Choices::new(
            ChoicesLook::Segments,
            "Group by",
            0,
            &[("Region", "#"), ("Wave", "#")],
        ),
        legend: vec![
            State::Triggered.says("Offline 12"),
            State::Recovering.says("Recovering 5"),
            State::Resolved.says("Back 7"),
            State::Maintenance.says("Maintenance 2"),
            State::Unknown.says("No word 1"),
        ],
        working: "213".to_owned(),
        wall: tile_wall(tiles),
        recovery_note: "58 of 153 terminals".to_owned(),
        recovery: Some(recovery(
            &[
                hurt("05:30", 0, 0),
                hurt("05:38", 0, 0),
                hurt("05:41", 9, 0),
                hurt("05:44", 24, 0),
                hurt("06:03", 24, 0),
                hurt("06:06", 20, 4),
                hurt("06:09", 16, 5),
                hurt("06:12", 12, 5),
            ],
            Some(at("06:23")),
            &reading(),
        )),
        call: Some(Link::new("Call the 12", "#")),
        rows: vec![
            row("Hamburg Mönckebergstraße", State::Triggered, "Offline", 0, 9),
            row("Cardiff Queen Street", State::Triggered, "Offline", 0, 8),
            row("Manchester Market Street", State::Triggered, "Offline", 2, 6),
            row("Bristol Broadmead", State::Recovering, "Recovering", 4, 9),
            row("Newcastle Grainger", State::Recovering, "Recovering", 5, 8),
            row("Brighton Churchill Square", State::Resolved, "Back", 7, 7),
            row("Leeds Briggate", State::Resolved, "Back", 6, 6),
        ],
        empty: Empty {
            title: "No shops yet",
            words: "Import a list, or add them by the API.".into(),
            action: None,
        },
    }
}

pub(crate) fn on_call() -> OnCallWeek {
    let monday = on("2026-11-16", "00:00");
    let hour = |hours: i64| monday + hours.hours();
    let shift = |from, to, name: &str, look| ShiftInput {
        from: hour(from),
        to: hour(to),
        name: name.to_owned(),
        look,
    };
    let lane = |name: &str, note: &str, rank, shifts, pins| CalendarLaneInput {
        name: name.to_owned(),
        note: note.to_owned(),
        rank,
        shifts,
        pins,
    };
    use ShiftLook::{Change, Gap, Night, Plain, Weekend, You, YouInChange};
    let lanes = vec![
        lane(
            "On call",
            "final line, first to be paged",
            LaneRank::Final,
            vec![
                shift(0, 8, "Lucía Ferrer", Night),
                shift(8, 20, "Priya Raman", You),
                shift(20, 26, "Lucía Ferrer", Night),
                shift(26, 44, "Priya Raman", You),
                shift(44, 56, "Lucía Ferrer", Night),
                shift(56, 68, "Priya Raman", You),
                shift(68, 80, "Lucía Ferrer", Night),
                shift(80, 92, "Emre Yıldız", Plain),
                shift(92, 104, "Lucía Ferrer", Night),
                shift(104, 116, "Tomasz Zieliński", Plain),
                shift(116, 138, "Jonas Weber", Weekend),
                shift(138, 144, "Nobody", Gap),
                shift(144, 168, "Jonas Weber", Weekend),
            ],
            vec![
                (hour(26), Pin::Note(1)),
                (hour(98), Pin::Note(2)),
                (hour(141), Pin::Gap),
                (hour(156), Pin::Note(3)),
            ],
        ),
        lane(
            "Backup",
            "after 5 min",
            LaneRank::Layer,
            vec![
                shift(0, 56, "Emre Yıldız", Plain),
                shift(56, 120, "Maya Okafor", Plain),
                shift(120, 168, "Tomasz Zieliński", Plain),
            ],
            Vec::new(),
        ),
        lane(
            "Days",
            "08:00 to 20:00",
            LaneRank::Layer,
            vec![
                shift(8, 20, "Priya Raman", You),
                shift(32, 44, "Priya Raman", You),
                shift(56, 68, "Priya Raman", You),
                shift(80, 92, "Tomasz Zieliński", Plain),
                shift(104, 116, "Tomasz Zieliński", Plain),
            ],
            Vec::new(),
        ),
        lane(
            "Nights",
            "20:00 to 08:00",
            LaneRank::Layer,
            vec![
                shift(-4, 8, "Lucía Ferrer", Night),
                shift(20, 32, "Lucía Ferrer", Night),
                shift(44, 56, "Lucía Ferrer", Night),
                shift(68, 80, "Lucía Ferrer", Night),
                shift(92, 104, "Lucía Ferrer", Night),
            ],
            Vec::new(),
        ),
        lane(
            "Changes",
            "swaps and cover",
            LaneRank::Layer,
            vec![
                shift(26, 32, "Priya Raman", YouInChange),
                shift(80, 92, "Emre Yıldız", Change),
            ],
            Vec::new(),
        ),
    ];
    let told = reading();
    let turn = |hours: &str, who: &str, look| AgendaTurn {
        hours: hours.to_owned(),
        who: who.to_owned(),
        look,
    };
    let note = |pin, title: &str, words: &str, way: &str| MarginNote {
        pin,
        title: title.to_owned(),
        words: words.to_owned(),
        way_out: Some(Rich::default().link(way, "#")),
    };
    let load = |who: Person, hours: u64, nights: &str, woken: &str, share: &str| LoadRow {
        bar: if matches!(who, Person::You(_)) {
            Bar::of(hours, 268).for_the_reader()
        } else {
            Bar::of(hours, 268)
        },
        who,
        hours: format!("{hours} h"),
        nights: nights.to_owned(),
        woken: woken.to_owned(),
        share: share.to_owned(),
    };
    OnCallWeek {
        swap: None,
        change: Some(Link::new("Change the schedule", "/console/on-call/P1/change")),
        frame: frame("On call", Place::OnCall),
        headline: "Shops and payments, 16 to 22 November".to_owned(),
        below: "One gap of 6 hours on Saturday evening, six days before Black Friday. Three notes on working time.".into(),
        earlier: "#".to_owned(),
        today: "#".to_owned(),
        later: "#".to_owned(),
        fill_gap: Some(Link::new("Fill the gap", "#")),
        span: Choices::new(ChoicesLook::Segments, "Show", 0, &[("Week", "#"), ("Two weeks", "#"), ("Month", "#")]),
        zone_note: "Times in Europe/London. No clock change this week.".to_owned(),
        schedules: vec![Pick::new("P1", "Shops and payments").current(), Pick::new("P2", "Orders")],
        calendar: calendar(&CalendarInput { from: monday, to: hour(168), lanes }, &told),
        agenda: vec![
            AgendaDay {
                name: "Today, Tue 17".to_owned(),
                turns: vec![turn("00:00 to 02:00", "Lucía", Night), turn("02:00 to 20:00", "You, until 08:00 for Lucía", You), turn("20:00 to 08:00", "Lucía", Night)],
                pins: vec![(Pin::Note(1), "You had 6 h rest since Monday’s shift. 11 h in a row are due.".to_owned())],
            },
            AgendaDay { name: "Sat 21".to_owned(), turns: vec![turn("until 18:00", "Jonas", Weekend), turn("18:00 to 00:00", "Nobody", Gap)], pins: vec![(Pin::Gap, "Pages would go to backup, Tomasz.".to_owned())] },
        ],
        notes: vec![
            note(Pin::Note(1), "Rest too short: you", "You cover for Lucía from Tue 02:00, 6 h after Monday’s shift ended. 11 h in a row are due.", "Hand over to Emre at 08:00 today"),
            note(Pin::Note(2), "Fifth night in a row: Lucía Ferrer", "Four is Larkfield’s own limit. She was woken twice this week.", "Ask Emre for Thursday night"),
            note(Pin::Gap, "Nobody: Sat 18:00 to Sun 00:00", "Jonas’s shift ends at 18:00, the next starts at midnight. Pages would go to backup, Tomasz.", "3 people could take it"),
        ],
        load: vec![
            load(Person::named("Lucía Ferrer"), 268, "22", "14", "31 % more"),
            load(Person::You("Priya Raman".to_owned()), 212, "6", "5", "4 % more"),
            load(Person::named("Jonas Weber"), 204, "8", "3", "even"),
        ],
        add: Some(Link::new("Add a schedule", "#")),
        cover: Some(Cover {
            schedule: "P1".to_owned(),
            people: vec![Pick::new("U1", "Priya Raman").current(), Pick::new("U2", "Emre Yıldız")],
            from: "2026-11-21T18:00".to_owned(),
            until: "2026-11-22T00:00".to_owned(),
        }),
        covers: vec![CoverRow {
            id: "OV1".to_owned(),
            who: Person::named("Emre Yıldız"),
            from: told.clock(hour(80)),
            until: told.clock(hour(92)),
        }],
        now_rows: vec![OnCallNow {
            policy: Link::new("Payments", "#"),
            levels: vec![Person::You("Priya Raman".to_owned()), Person::named("Emre Yıldız")],
            until: "until 20:00".into(),
        }],
    }
}
