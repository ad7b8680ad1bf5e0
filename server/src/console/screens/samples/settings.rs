use super::{at, frame, on, reading};
use crate::console::prelude::*;
use crate::console::screens::maintenance::*;
use crate::console::screens::pages::*;
use crate::console::screens::people::*;
use crate::console::screens::room::Figure;
use crate::console::screens::settings::*;

pub(crate) fn customers() -> Customers {
    let row = |id: &str, name: &str, standing: &str, state: Option<StateMark>| CustomerRow {
        id: format!("customer-{id}"),
        to: "#".to_owned(),
        name: name.to_owned(),
        standing: standing.to_owned(),
        uses: "Card payments, Loyalty".to_owned(),
        open_cases: "1".to_owned(),
        state,
    };
    Customers {
        frame: frame("Customers", Place::Customers),
        headline: "298 customers are hurt now".to_owned(),
        words: String::new(),
        tiers: vec![Pick::new("gold", "Gold")],
        add: Some(Link::new("Add a customer", "#")),
        rows: vec![
            row(
                "1",
                "Brodie & Sons Catering",
                "Business, £41,000 a year",
                Some(State::Triggered.says("Card payments")),
            ),
            row(
                "2",
                "Hannah Whitcombe",
                "Gold, 9 years",
                Some(State::Triggered.says("Card payments")),
            ),
            row("3", "مكتبة النور", "Standard", None),
        ],
        pagination: Pagination {
            words: "1 to 3 of 3".to_owned(),
            earlier: None,
            later: None,
        },
    }
}

pub(crate) fn customer() -> Customer {
    Customer {
        frame: frame("Hannah Whitcombe", Place::Customers),
        name: "Hannah Whitcombe".to_owned(),
        standing: "Gold, customer for 9 years · Manchester".to_owned(),
        state: Some(State::Triggered.says("Hurt now")),
        about: "About them",
        nothing_reported: "They have reported nothing.",
        figures: vec![
            Figure::new("Open cases", "1", vec!["waits 10 min".into()]),
            Figure::new("Worth a year", "£2,140", Vec::new()),
        ],
        facts: vec![
            ("Consent".to_owned(), "E-mail and SMS".into()),
            ("Shop".to_owned(), "Manchester Market Street".into()),
        ],
        cases: vec![CaseRow {
            id: "case-88213".to_owned(),
            to: "#".to_owned(),
            number: "C-88213".to_owned(),
            title: "Card reader keeps saying offline".to_owned(),
            age: reading().age(at("06:02")),
            state: State::Unknown.says("Not linked"),
        }],
        story: Vec::new(),
        change: Some(Link::new("Change", "#")),
    }
}

pub(crate) fn pages() -> StatusPages {
    StatusPages {
        frame: frame("Pages", Place::Pages),
        headline: "What people outside can see".to_owned(),
        pages: vec![PageCard {
            id: "page-1".to_owned(),
            name: "Larkfield status".to_owned(),
            to: "#".to_owned(),
            audience: "Public",
            public: Link::new("Open the page", "/status/larkfield"),
            state: State::Triggered.mark(),
            says: "Card payments are not working in 17 of our 240 shops.".to_owned(),
            components: vec![
                (
                    "Card payments".to_owned(),
                    State::Triggered.says("Not working in 17 shops"),
                ),
                ("Loyalty points".to_owned(), State::Slow.says("Slow in 24 shops")),
                ("Appointments".to_owned(), State::Working.mark()),
            ],
            readers: "1,912 readers today, 298 are told by e-mail".to_owned(),
        }],
        locations_note: Rich::plain("Every one of 240 shops has a page of its own, behind its code. ")
            .link("See the list", "#")
            .then("."),
        components: vec![Pick::new("B1", "Card payments")],
        rights: PageRights::Keep,
    }
}

pub(crate) fn page() -> StatusPageDetail {
    StatusPageDetail {
        frame: frame("Larkfield status", Place::Pages),
        id: "PG1".to_owned(),
        name: "Larkfield status".to_owned(),
        state: State::Triggered.mark().as_chip(),
        audience: "Public",
        public: "/status/larkfield".to_owned(),
        says: "Card payments are not working in 17 of our 240 shops.".to_owned(),
        components: vec![ComponentRow {
            id: "C1".to_owned(),
            name: "Card payments".to_owned(),
            description: "Paying by card in our shops".to_owned(),
            state: State::Triggered.says("Not working for some"),
            follows: "follows Card payments".to_owned(),
            rank: ComponentRank::Single,
            says: vec![
                Pick::new("", "By itself").current(),
                Pick::new("operational", "Working"),
            ],
        }],
        groups: vec![Pick::new("G1", "In our shops")],
        change: Some(ComponentChange {
            id: "C1".to_owned(),
            name: "Card payments".to_owned(),
            description: "Paying by card in our shops".to_owned(),
            groups: Some(vec![Pick::new("G1", "In our shops").current()]),
            only_when_hurt: Current::No,
        }),
        touchpoints: vec![Pick::new("B2", "Loyalty")],
        facts: vec![("Told by e-mail", "298".into())],
        slug: "larkfield".to_owned(),
        time_zone: "Europe/London".to_owned(),
        visibilities: vec![Pick::new("public", "Everyone, without sign-in").current()],
        rights: PageRights::Keep,
    }
}

pub(crate) fn settings() -> Settings {
    let person = |id: &str, name: &str, email: &str, role: &str| TableRow {
        id: format!("user-{id}"),
        cells: vec![
            Cell::Title {
                link: Some(Link::new(name, "#")),
                name: name.to_owned(),
                below: email.to_owned(),
            },
            Cell::Words(role.into()),
            Cell::State(State::Working.says("Can be paged")),
            Cell::Moment(reading().ago(at("05:40"))),
            Cell::Buttons(vec![
                Button::open("Change", "#"),
                Button::post(
                    "Remove",
                    "#",
                    Weight::Danger(format!("Remove {name}? They are signed out at once.")),
                ),
            ]),
        ],
    };
    Settings {
        frame: frame("People", Place::Settings),
        headline: "People".to_owned(),
        below: "Who can sign in, and what they may do.".into(),
        places: Choices::new(
            ChoicesLook::Tabs,
            "Settings",
            0,
            &[
                ("People", "#"),
                ("Teams", "#"),
                ("Escalation policies", "#"),
                ("Keys", "#"),
                ("Integrations", "#"),
                ("Outbox", "#"),
                ("Audit", "#"),
                ("Health", "#"),
            ],
        )
        .choices,
        parts: vec![
            SettingsPart::Secret {
                id: "new-key",
                title: "Your new key".to_owned(),
                words: "It is shown once. Keep it where your program can read it and nobody else can."
                    .to_owned(),
                secret: "R0HX4K2M7QEXAMPLEKEY".to_owned(),
            },
            SettingsPart::Table(Table {
                title: "People".to_owned(),
                note: "3".to_owned(),
                columns: vec!["Name", "Role", "Pages", "Last seen", ""],
                rows: vec![
                    person("1", "Maya Okafor", "maya.okafor@larkfield.example", "Owner"),
                    person("2", "Priya Raman", "priya.raman@larkfield.example", "Responder"),
                    person("3", "Aoife Brennan", "aoife.brennan@larkfield.example", "Agent"),
                ],
                empty: Empty {
                    title: "Nobody yet",
                    words: Rich::default(),
                    action: None,
                },
                pagination: None,
                live: None,
            }),
            SettingsPart::Form(Form {
                id: "add-person",
                title: "Add somebody".to_owned(),
                words: "They get an e-mail with a link to choose a password.".to_owned(),
                post_to: "#".to_owned(),
                fields: vec![
                    Field::new(
                        "name",
                        "Name",
                        Control::Line {
                            kind: "text",
                            value: String::new(),
                            required: Required::Yes,
                        },
                    ),
                    Field::new(
                        "email",
                        "E-mail",
                        Control::Line {
                            kind: "email",
                            value: "maya".to_owned(),
                            required: Required::Yes,
                        },
                    )
                    .problem("An e-mail address has an @ in it."),
                    Field::new(
                        "role",
                        "Role",
                        Control::Select {
                            picks: vec![Pick::new("responder", "Responder").current()],
                        },
                    )
                    .hint("Responders acknowledge and resolve; agents work at the desk."),
                    Field::new(
                        "admin",
                        "More",
                        Control::Check {
                            words: "May change settings",
                            current: Current::No,
                        },
                    ),
                    Field::new(
                        "about",
                        "About",
                        Control::Lines {
                            value: String::new(),
                            written: Written::InWords,
                        },
                    ),
                ],
                verb: "Add them",
                also: Vec::new(),
                back: None,
            }),
            SettingsPart::Facts {
                title: "This Muster".to_owned(),
                facts: vec![("Database".to_owned(), "SQLite, embedded".into())],
            },
            SettingsPart::Problem {
                title: "Mail is not set up".to_owned(),
                words: "Pages by e-mail wait in the outbox. Set MUSTER_SMTP_URL.".to_owned(),
            },
        ],
    }
}

pub(crate) fn maintenance() -> Maintenance {
    let row = |id: &str, words: &str, state: StateMark, end| WindowRow {
        id: id.to_owned(),
        state,
        words: words.to_owned(),
        services: "stock-feed, order-hub".to_owned(),
        from: reading().clock(on("2026-11-17", "22:00")),
        until: reading().clock(on("2026-11-17", "23:30")),
        length: "1 h 30 min".to_owned(),
        end,
    };
    Maintenance {
        frame: frame("Maintenance", Place::Maintenance),
        headline: "One piece of work planned, nothing under way".to_owned(),
        parts: vec![
            (
                "Planned",
                vec![row(
                    "W2",
                    "Swap the disks of stock-feed",
                    State::Maintenance.says("Planned"),
                    Some("Call it off"),
                )],
            ),
            (
                "Over",
                vec![row(
                    "W1",
                    "صيانة قاعدة البيانات",
                    State::Unknown.says("Over"),
                    None,
                )],
            ),
        ],
        pagination: None,
        plan: Some(Plan {
            services: vec![
                Pick::new("S1", "stock-feed").current(),
                Pick::new("S2", "order-hub"),
            ],
            from: "2026-11-17T22:00".to_owned(),
            until: "2026-11-17T23:30".to_owned(),
            zone: "Europe/London".to_owned(),
            words: String::new(),
            public_words: String::new(),
            problem: None,
        }),
    }
}
