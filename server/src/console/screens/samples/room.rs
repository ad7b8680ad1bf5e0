use super::{at, frame, reading};
use crate::console::prelude::*;
use crate::console::screens::room::*;

fn face(name: &str) -> Actor {
    Actor::Person(Person::named(name).face())
}

fn strong(name: &str, then: &str) -> Rich {
    Rich::default().strong(name).then(then)
}

pub(crate) fn entries() -> Vec<Entry> {
    let told = reading();
    let when = |clock: &str| told.clock(at(clock));
    vec![
        Entry::new("e14", when("06:11"), face("Tomasz Zieliński"), strong("Tomasz Zieliński", " asks for approval"))
            .with_body(
                Rich::plain("Roll back ")
                    .code("store-edge")
                    .then(" to ")
                    .code("4.17.3")
                    .then(" on the last 12 shops, four at a time. Stops by itself if one terminal stays down for 90 s."),
            )
            .with_action(EntryAction::Post { words: "Approve".to_owned(), to: "#".to_owned() })
            .with_action(EntryAction::Open { words: "See the steps".to_owned(), to: "#".to_owned() }),
        Entry::new(
            "e13",
            when("06:10"),
            Actor::State(State::Resolved),
            Rich::plain("7 shops back. Last: Kilkenny High Street, 5 of 5 terminals. ").link("Watch the shops", "#"),
        ),
        Entry::new("e12", when("06:08"), face("Priya Raman"), strong("Priya Raman", "")).with_body(
            "Terminals take about 70 s to come back after the agent restarts. No reversals needed on the ones I checked in Leeds.",
        ),
        Entry::new(
            "e11",
            when("06:05"),
            Actor::Machine("play"),
            Rich::plain("Runbook ")
                .strong("Roll back store-edge")
                .then(" ran on Leeds Briggate, approved by Maya Okafor. 6 of 6 terminals back in 68 s."),
        ),
        Entry::new("e10", when("06:03"), face("Tomasz Zieliński"), strong("Tomasz Zieliński", " confirmed the origin"))
            .with_body(
                Rich::default()
                    .code("store-edge 4.18.0")
                    .then(" drops the terminals’ network route when it restarts. Waves two to five never got it."),
            ),
        Entry::new(
            "e9",
            when("05:58"),
            Actor::State(State::Slow),
            Rich::plain("Loyalty and Click & collect are slow too: ")
                .code("loyalty-api")
                .then(" and ")
                .code("order-hub")
                .then(" wait for ")
                .code("store-edge")
                .then("."),
        ),
        Entry::new("e8", when("05:52"), face("Maya Okafor"), strong("Maya Okafor", " told customers")).published(
            "status page, 1,912 readers, 96 replies on cases",
            "Card payments are not working in 24 of our shops. You can pay with cash, or we keep your basket until tomorrow evening. We will tell you more by 06:20.",
        ),
        Entry::new(
            "e7",
            when("05:49"),
            face("Maya Okafor"),
            strong("Maya Okafor", " took command and asked store-edge, payments and customer service to join"),
        ),
        Entry::new(
            "e6",
            when("05:46"),
            Actor::Machine("gauge"),
            "41 cases on Card payments in 5 min, usually 2. 38 match this incident and were linked.",
        ),
        Entry::new(
            "e5",
            when("05:44"),
            Actor::Machine("stop"),
            Rich::plain("Rollout ")
                .strong("store-edge 4.18.0")
                .then(" stopped by its health gate. 216 shops in waves two to five are safe."),
        ),
        Entry::new(
            "e4",
            when("05:43"),
            face("Priya Raman"),
            strong("Priya Raman", " acknowledged the page, 1 min 48 s after it was sent"),
        ),
        Entry::new(
            "e3",
            when("05:41"),
            Actor::State(State::Triggered),
            Rich::plain("Opened. ")
                .strong("63 alerts became one incident")
                .then(": terminals silent in 9 shops on ")
                .code("card-gateway")
                .then(". ")
                .link("See the alerts", "#"),
        ),
    ]
}

pub(crate) fn composer() -> Composer {
    let reader = |value: &str, words: &str, icon, reach, sees: &str, verb: &str| ComposerReader {
        value: value.to_owned(),
        words: words.to_owned(),
        icon,
        reach,
        sees: sees.to_owned(),
        verb: verb.to_owned(),
        draft: String::new(),
        promises: match reach {
            Reach::Inside => Vec::new(),
            Reach::Outside => vec![Pick::new("", "by 06:40"), Pick::new("30", "in 30 min")],
        },
    };
    Composer {
        id: "say",
        csrf_token: String::new(),
        post_to: "/console/incidents/1042/say".to_owned(),
        placeholder: "What did you see or do? / for a task, a runbook, a person",
        readers: vec![
            reader(
                "inside",
                "Inside",
                "lock",
                Reach::Inside,
                "Only people at Larkfield see this.",
                "Add note",
            ),
            reader(
                "shops",
                "Shop teams",
                "shop",
                Reach::Outside,
                "Public: 24 shops read this",
                "Tell shop teams",
            ),
            reader(
                "customers",
                "Customers",
                "globe",
                Reach::Outside,
                "Public: 298 customers and the status page",
                "Tell customers",
            ),
        ],
        task_to: Some("/console/incidents/1042/tasks".to_owned()),
    }
}

pub(crate) fn room() -> Room {
    let told = reading();
    let task = |id: &str, title: &str, owner: &str, progress| Task {
        id: id.to_owned(),
        title: title.to_owned(),
        owner: owner.to_owned(),
        progress,
    };
    let audience = |name: &str, last: &str, next: &str, urgency| Told {
        audience: name.to_owned(),
        last: last.to_owned(),
        next: next.to_owned(),
        urgency,
    };
    let role = |name: &str, holder| Role {
        name: name.to_owned(),
        holder,
    };
    let responder = |what: &str, who, answer: &str| Responder {
        what: what.to_owned(),
        who,
        answer: answer.to_owned(),
    };
    let voice = |words: Rich, count: u64| Voice {
        words,
        bar: Bar::of(count, 241),
        count: count.to_string(),
    };
    Room {
        frame: frame("#1042 Card payments", Place::Incidents),
        id: "1042".to_owned(),
        number: "#1042".to_owned(),
        state: State::Recovering.mark().as_chip(),
        phase: RoomPhase::Acknowledged,
        reader: RoomReader::Responds,
        priority: Some("P1".to_owned()),
        age_word: "open",
        age: told.age(at("05:41")),
        commander: Person::named("Maya Okafor"),
        next_word: Some(("customers".to_owned(), told.countdown(at("05:52"), at("06:20")))),
        title: vec![
            "Customers cannot pay by card in 24 shops.".to_owned(),
            "Loyalty points and collection orders are slow.".to_owned(),
        ],
        impact: Impact {
            touchpoints: vec![
                (State::Triggered.says("Card payments"), "down"),
                (State::Slow.says("Loyalty"), "slow"),
                (State::Slow.says("Click & collect"), "slow"),
            ],
            locations: Some(LocationImpact {
                label: "Shops in wave one".to_owned(),
                value: "7 of 24 back".to_owned(),
                shares: shares(&[
                    (State::Triggered, 12, "offline"),
                    (State::Recovering, 5, "recovering"),
                    (State::Resolved, 7, "back"),
                ]),
            }),
            figures: vec![
                Figure::new("Customers", "298", vec!["41 Gold, 6 business".into(), "3 asked for a person".into()]),
                Figure::new(
                    "Cases",
                    "312 linked",
                    vec![Rich::default().link("4 to look at", "#"), "53 in 5 min, falling".into()],
                ),
                Figure::new(
                    "Cost, estimate and range",
                    "£38,400 an hour",
                    vec!["£19,800 so far".into(), "£25,000 to £52,000".into()],
                ),
            ],
        },
        composer: composer(),
        filter: Choices::new(
            ChoicesLook::Segments,
            "Show",
            0,
            &[("All", "?"), ("People", "?show=people"), ("Machines", "?show=machines"), ("Said outside", "?show=outside")],
        ),
        first_said: Some("Card terminal 1 at Leeds Briggate is silent".to_owned()),
        entries: entries(),
        lines_from: "?".to_owned(),
        older: Some(Older {
            to: "?before=e3".to_owned(),
        }),
        newest: None,
        voices: Some(Voices { note: "312 cases, grouped by their words".to_owned(), heard: vec![
            voice("“Card refused”, “reader offline”".into(), 241),
            voice(Rich::plain("“Was I charged twice?” ").link("Answer is ready", "#"), 38),
            voice("“My points are missing”".into(), 21),
            voice("“My collection order is not ready”".into(), 12),
        ] }),
        origin: Origin::Probable {
            what: Rich::default().code("store-edge 4.18.0").then(", rollout wave one, 05:30"),
            how_sure: "confirmed".to_owned(),
            reasons: vec![
                ("change", "The only change in the 40 min before, 11 min ahead".into()),
                ("shop", "All 24 silent shops had it, no other shop is silent".into()),
                ("branch", Rich::plain("First alert upstream of all 63: ").code("store-edge").then(" in Leeds")),
                ("tick", "Rolling back brought 7 of 7 shops back".into()),
            ],
        },
        origin_act: OriginAct::Confirm(Some("change:C1".to_owned())),
        told: vec![
            audience("Customers", "05:52", "06:20", Urgency::Next),
            audience("Shop teams", "06:04", "06:25", Urgency::Calm),
            audience("Agents", "06:09", "live", Urgency::Calm),
            audience("Executives", "06:00", "07:00", Urgency::Calm),
            audience("Partners", "05:59", "07:00", Urgency::Calm),
        ],
        holders: Some(Holders {
            people: vec![Person::named("Priya Raman"), Person::named("Tomasz Zieliński")],
            ahead: vec![Ahead {
                what: "The acknowledgement ends, and people are paged again".to_owned(),
                when: "06:43".to_owned(),
            }],
            standing_still: None,
        }),
        roles: vec![
            role("Commander", Person::named("Maya Okafor")),
            role("Customer lead", Person::named("Aoife Brennan")),
            role("Operations", Person::named("Tomasz Zieliński")),
            role("Scribe", Person::Nobody("Nobody yet")),
        ],
        responders_note: "3 of 4 here".to_owned(),
        responders: vec![
            responder("Payments", Person::named("Priya Raman"), "2 min"),
            responder("store-edge", Person::named("Tomasz Zieliński"), "6 min"),
            responder("Customer service", Person::named("Aoife Brennan"), "1 min"),
            responder("Northpay", Person::Nobody("Called 06:01"), "no answer yet"),
        ],
        tasks_note: "2 of 5 done".to_owned(),
        tasks: vec![
            task("1", "Ask Northpay whether half-finished payments were reversed", "Maya, 06:30", TaskProgress::Open),
            task("2", "Call the 3 customers who asked for a person", "Aoife, 07:00", TaskProgress::Open),
            task("3", "Keep waves two to five held until a fix is tested", "Tomasz", TaskProgress::Open),
            task("4", "Tell shops to take cash and hold baskets", "Aoife", TaskProgress::Done),
            task("5", "Stop the rollout", "health gate", TaskProgress::Done),
        ],
        links: vec![
            Link::new("Runbook: terminals offline", "https://wiki.example/runbooks/terminals"),
            Link::new("grafana.example/d/terminals", "https://grafana.example/d/terminals"),
        ],
        similar: vec![Similar {
            link: Link::new("#871 Terminals offline after store-edge 4.9", "#"),
            words: "March, 14 shops, 2 h 40 min. Rolling back fixed it.".to_owned(),
        }],
        picks: RoomPicks {
            people: vec![Pick::new("U1", "Priya Raman"), Pick::new("U2", "Jonas Weber")],
            policies: vec![Pick::new("E1", "Payments")],
            priorities: vec![Pick::new("P1", "P1, many customers").current()],
            other_incidents: vec![Pick::new("1043", "#1043 Appointment reminders are late")],
            origins: vec![
                Pick::new("change:C1", "store-edge, 05:30: store-edge 4.18.0, rollout wave one"),
                Pick::new("service:S1", "card-gateway"),
            ],
            roles: vec![Pick::new("commander", "Commander"), Pick::new("scribe", "Scribe")],
            on_resolve: "312 customers are owed an answer. Each answer is drafted and waits for an agent to confirm it."
                .to_owned(),
        },
    }
}

/// The first minute: nobody has it, nothing is known, and the names are long and from right to left.
pub(crate) fn fresh_room() -> Room {
    let mut room = room();
    let long = "تعذّر الدفع بالبطاقة في جميع الفروع: ".to_owned()
        + &"Donaudampfschifffahrtselektrizitätenhauptbetriebswerk".repeat(3);
    room.phase = RoomPhase::Triggered;
    room.state = State::Triggered.mark().as_chip();
    room.commander = Person::Nobody("nobody yet");
    room.next_word = None;
    room.priority = None;
    room.title = vec![long.clone()];
    room.impact = Impact {
        touchpoints: Vec::new(),
        locations: None,
        figures: vec![Figure::new("Cases", "0 linked", Vec::new())],
    };
    room.entries = vec![Entry::new(
        "e1",
        reading().clock(at("05:41")),
        Actor::State(State::Triggered),
        long,
    )];
    room.voices = Some(Voices {
        note: String::new(),
        heard: Vec::new(),
    });
    room.links = Vec::new();
    room.origin = Origin::Unknown(
        Rich::plain("No origin found yet. ")
            .link("3 changes to look at", "#")
            .then("."),
    );
    room.told = Vec::new();
    room.responders = Vec::new();
    room.tasks = Vec::new();
    room.similar = Vec::new();
    room.picks = RoomPicks::default();
    room
}
