//! `/console/kit`: every part in every state, for those who build screens.

use askama::Template;
use jiff::{Timestamp, ToSpan};

use crate::console::prelude::*;

#[derive(Debug, Clone, Template)]
#[template(path = "console/kit.html")]
pub struct Kit {
    pub frame: Frame,
    reading: Reading,
}

/// Roles by the names they have in the style sheet.
const ROLES: [&str; 16] = [
    "canvas",
    "surface",
    "raised",
    "sunk",
    "line",
    "line-strong",
    "edge",
    "text",
    "text-2",
    "text-3",
    "accent",
    "accent-hover",
    "accent-tint",
    "on-accent",
    "select",
    "mark",
];

impl Kit {
    pub fn new(frame: Frame) -> Self {
        let reading = Reading::new(frame.now, jiff::tz::TimeZone::UTC);
        Self { frame, reading }
    }

    fn roles() -> [&'static str; 16] {
        ROLES
    }

    fn states() -> Vec<(State, &'static str)> {
        let told = [
            "Solid triangle, point up. Nobody has it yet, or it is down.",
            "Half-filled circle. Somebody has it.",
            "Open triangle, point down. Works, but less. Shares amber.",
            "Arrow up. Coming back.",
            "Disc with a tick. Over.",
            "Bare tick. Was never broken. Shares green.",
            "Square with two bars. Planned pause.",
            "Open diamond. Pretend, never real.",
            "Broken ring. We do not know.",
        ];
        State::ALL.into_iter().zip(told).collect()
    }

    fn minutes(&self, minutes: i64) -> Timestamp {
        self.reading
            .now
            .saturating_add(minutes.minutes())
            .unwrap_or(self.reading.now)
    }

    fn ago(&self) -> Moment {
        self.reading.ago(self.minutes(-31))
    }

    fn age(&self) -> Moment {
        self.reading.age(self.minutes(-31))
    }

    fn countdown(&self, left: i64) -> Countdown {
        self.reading
            .countdown(self.minutes(left - 60), self.minutes(left))
    }

    fn banners() -> [Banner; 3] {
        let banner = |state, about, words: &str, link: &str| Banner {
            state,
            about,
            words: words.into(),
            link: Some(Link::new(link, "#")),
        };
        [
            banner(
                State::Drill,
                "Drill",
                "This is practice. Nothing here reaches a customer.",
                "Stop the drill",
            ),
            banner(
                State::Maintenance,
                "Maintenance",
                "stock-feed moves tonight, 22:00 to 23:30. Its alerts will be kept, not paged.",
                "See plan",
            ),
            banner(
                State::Slow,
                "Muster",
                "Text messages wait: the provider does not answer. E-mail and push still go.",
                "Details",
            ),
        ]
    }

    fn empty() -> Empty {
        Empty {
            title: "No tasks yet",
            words: "Tasks of this incident will be listed here.".into(),
            action: Some(Link::new("Write the first", "#")),
        }
    }

    fn tabs() -> Choices {
        Choices::new(
            ChoicesLook::Tabs,
            "Pictures",
            1,
            &[
                ("Picture", "#"),
                ("Shops", "#"),
                ("Touchpoints", "#"),
                ("Rollouts", "#"),
            ],
        )
    }

    fn segments() -> Choices {
        Choices::new(
            ChoicesLook::Segments,
            "Show",
            0,
            &[("All", "#"), ("People", "#"), ("Machines", "#")],
        )
    }

    fn pagination() -> Pagination {
        Pagination {
            words: "51 to 100 of 1,204".to_owned(),
            earlier: Some("#".to_owned()),
            later: Some("#".to_owned()),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let face = |name: &str| Actor::Person(Person::named(name).face());
        let at = |minutes| self.reading.clock(self.minutes(minutes));
        vec![
            Entry::new(
                "entry-1",
                at(-4),
                face("Priya Raman"),
                Rich::default().strong("Priya Raman"),
            )
            .with_body("A person: full text colour, a face."),
            Entry::new(
                "entry-2",
                at(-7),
                Actor::Machine("play"),
                "A machine: second text colour, an icon, no face.",
            ),
            Entry::new(
                "entry-3",
                at(-20),
                face("Maya Okafor"),
                Rich::default().strong("Maya Okafor").then(" told customers"),
            )
            .published(
                "status page",
                "Words that left the house stand on the accent tint with a solid bar.",
            ),
            Entry::new(
                "entry-4",
                at(-31),
                Actor::State(State::Triggered),
                "Opened. 63 alerts became one incident.",
            ),
        ]
    }

    fn composer() -> Composer {
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
            id: "kit-composer",
            csrf_token: String::new(),
            post_to: "#".to_owned(),
            placeholder: "What did you see or do?",
            readers: vec![
                reader(
                    "inside",
                    "Inside",
                    "lock",
                    Reach::Inside,
                    "Only people here see this.",
                    "Add note",
                ),
                reader(
                    "shops",
                    "Shop teams",
                    "shop",
                    Reach::Outside,
                    "Public: 24 shops, on their page",
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
            task_to: Some("#".to_owned()),
        }
    }

    fn checked_words() -> Rich {
        Rich::plain("We are putting the ")
            .found("store-edge agent")
            .then(" ")
            .fact("back to how it was yesterday", 7)
            .then(".")
    }

    fn spark() -> Spark {
        let mut values: Vec<f64> = (0..60).map(|index| 10.0 + f64::from((index * 7) % 5)).collect();
        values.extend([30.0, 52.0, 48.0, 40.0]);
        let told = "calm, then four times the usual".to_owned();
        spark(&Series {
            values,
            usual: Some((9.0, 15.0)),
            began: Some(0.93),
            told,
        })
    }

    fn shares() -> Shares {
        shares(&[
            (State::Triggered, 12, "offline"),
            (State::Recovering, 5, "recovering"),
            (State::Resolved, 7, "back"),
        ])
    }

    fn bars() -> [(&'static str, Bar); 3] {
        [
            ("241", Bar::of(241, 241)),
            ("38", Bar::of(38, 241)),
            ("You", Bar::of(120, 241).for_the_reader()),
        ]
    }

    fn wall() -> TileWall {
        let tile = |index: usize, state: State, chosen| {
            let label = format!("Shop {index}, {}", state.word().to_lowercase());
            (
                "Scotland".to_owned(),
                Tile {
                    id: format!("tile-{index}"),
                    label,
                    state,
                    to: "#".to_owned(),
                    chosen,
                },
            )
        };
        let mut tiles: Vec<_> = State::ALL
            .into_iter()
            .enumerate()
            .map(|(index, state)| tile(index, state, Chosen::No))
            .collect();
        tiles.push(tile(9, State::Triggered, Chosen::Yes));
        tile_wall(tiles)
    }

    fn terminals() -> [Terminals; 3] {
        [
            Terminals {
                state: State::Triggered,
                up: 0,
                all: 6,
            },
            Terminals {
                state: State::Recovering,
                up: 3,
                all: 6,
            },
            Terminals {
                state: State::Resolved,
                up: 6,
                all: 6,
            },
        ]
    }

    fn graph() -> Graph {
        let node = |name: &str, note: &str, state, tone, column| Node {
            name: name.to_owned(),
            note: note.to_owned(),
            mark: NodeMark::State(state),
            tone,
            column,
            to: "#".to_owned(),
        };
        graph(&GraphInput {
            columns: vec!["What it runs on", "Technical services", "Touchpoints"],
            nodes: vec![
                node(
                    "store-edge",
                    "where it began",
                    State::Triggered,
                    NodeTone::Origin,
                    0,
                ),
                node(
                    "stock-feed",
                    "quiet, not on the path",
                    State::Working,
                    NodeTone::Quiet,
                    0,
                ),
                node("card-gateway", "on the path", State::Triggered, NodeTone::Lit, 1),
                node("loyalty-api", "on the path", State::Slow, NodeTone::Lit, 1),
                node(
                    "Card payments",
                    "down in 24 shops",
                    State::Triggered,
                    NodeTone::Lit,
                    2,
                ),
                node("Loyalty", "slow in 24 shops", State::Slow, NodeTone::Lit, 2),
            ],
            edges: vec![
                Edge {
                    from: 0,
                    to: 2,
                    passes: Some(State::Triggered),
                },
                Edge {
                    from: 0,
                    to: 3,
                    passes: Some(State::Slow),
                },
                Edge {
                    from: 1,
                    to: 3,
                    passes: None,
                },
                Edge {
                    from: 2,
                    to: 4,
                    passes: Some(State::Triggered),
                },
                Edge {
                    from: 3,
                    to: 5,
                    passes: Some(State::Slow),
                },
            ],
        })
    }

    fn lane_chart(&self) -> LaneChart {
        let at = |minutes| self.minutes(minutes);
        let input = LaneChartInput {
            from: at(-100),
            to: at(0),
            through: vec![(at(-85), "began".to_owned()), (at(-12), "resolved".to_owned())],
            lanes: vec![
                LaneInput {
                    name: "Shops",
                    note: "24 offline at most".to_owned(),
                    content: LaneContent::Area {
                        state: Some(State::Triggered),
                        points: vec![
                            (at(-100), 0.0),
                            (at(-85), 2.0),
                            (at(-78), 24.0),
                            (at(-50), 24.0),
                            (at(-20), 0.0),
                        ],
                        labels: vec![(at(-70), "24 shops without cards".to_owned())],
                    },
                },
                LaneInput {
                    name: "People",
                    note: "1 min 48 s to answer".to_owned(),
                    content: LaneContent::Spans(vec![
                        Span {
                            from: at(-83),
                            to: at(-10),
                            label: "Priya Raman".to_owned(),
                            look: SpanLook::Person,
                            moment: None,
                        },
                        Span {
                            from: at(-85),
                            to: at(-70),
                            label: "63 alerts".to_owned(),
                            look: SpanLook::Burst(State::Triggered),
                            moment: None,
                        },
                    ]),
                },
                LaneInput {
                    name: "What was said",
                    note: "3 promises, 2 kept".to_owned(),
                    content: LaneContent::Chain {
                        told: vec![
                            (at(-74), "not working".to_owned(), Promise::Kept),
                            (at(-50), "7 shops back".to_owned(), Promise::Kept),
                            (at(-20), "nearly all".to_owned(), Promise::Missed),
                        ],
                        last_answer: Some((at(0), "last of 316 answered".to_owned())),
                    },
                },
            ],
        };
        lane_chart(&input, &self.reading)
    }

    fn calendar(&self) -> Calendar {
        let hour = |hours: i64| self.minutes(hours * 60);
        let shift = |from, to, name: &str, look| ShiftInput {
            from: hour(from),
            to: hour(to),
            name: name.to_owned(),
            look,
        };
        let input = CalendarInput {
            from: hour(-24),
            to: hour(72),
            lanes: vec![CalendarLaneInput {
                name: "On call".to_owned(),
                note: "final line".to_owned(),
                rank: LaneRank::Final,
                shifts: vec![
                    shift(-24, -12, "Lucía Ferrer", ShiftLook::Night),
                    shift(-12, 6, "Priya Raman", ShiftLook::You),
                    shift(6, 20, "Emre Yıldız", ShiftLook::Plain),
                    shift(20, 32, "Emre Yıldız", ShiftLook::Change),
                    shift(32, 40, "Nobody", ShiftLook::Gap),
                    shift(40, 72, "Jonas Weber", ShiftLook::Weekend),
                ],
                pins: vec![(hour(-12), Pin::Note(1)), (hour(36), Pin::Gap)],
            }],
        };
        calendar(&input, &self.reading)
    }
}
