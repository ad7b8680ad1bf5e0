use super::{at, frame, on, reading};
use crate::console::prelude::*;
use crate::console::screens::report::*;
use crate::console::screens::room::{Figure, Urgency};
use crate::console::screens::updates::*;

pub(crate) fn updates() -> Updates {
    let fact = |number, field, name, value: &str| Fact {
        number,
        field,
        name,
        value: value.to_owned(),
    };
    let column = |id: &str,
                  icon,
                  name: &str,
                  reach,
                  who: &[&str],
                  cadence: &str,
                  next,
                  words: Vec<Rich>,
                  note: &str,
                  verb: &str| AudienceColumn {
        id: id.to_owned(),
        icon,
        name: name.to_owned(),
        reach,
        who: who.iter().map(|line| (*line).to_owned()).collect(),
        cadence: cadence.to_owned(),
        next,
        plain: "Card payments are still not working in some shops.".to_owned(),
        words,
        findings: Vec::new(),
        note: note.to_owned(),
        verb: verb.to_owned(),
        urgency: Urgency::Calm,
    };
    let by = |words: &str| ColumnNext::By(words.to_owned());
    let mut customers = column(
        "customers",
        "globe",
        "Customers",
        Reach::Outside,
        &[
            "298 people, 1,912 readers, status page",
            "English, German, French, Spanish",
        ],
        "Every 20 min",
        by("by 06:20"),
        vec![
            Rich::plain("Card payments are ")
                .fact("still not working", 1)
                .then(" in some shops. They are ")
                .fact("back in 7 of 24", 2)
                .then("."),
            Rich::plain("We are putting the ")
                .found("store-edge agent")
                .then(" ")
                .fact("back to how it was yesterday", 7)
                .then(", shop by shop."),
            Rich::plain("You can ")
                .fact("pay with cash, or we hold your basket", 5)
                .then(" until tomorrow evening. ")
                .fact("Points and collection orders", 4)
                .then(" may be slow."),
            Rich::plain("You have not been charged twice. We will tell you more ")
                .strong("by 06:40")
                .then("."),
        ],
        "Uses facts 1 2 4 5 7. Leaves out the cause. Reads like grade 6.",
        "Tell customers",
    );
    customers.urgency = Urgency::Next;
    customers.findings = vec![Finding {
        objection: "Customers do not know this name.".to_owned(),
        remedy: "Say “the till system”.".to_owned(),
        replace: Some(("store-edge agent".to_owned(), "till system".to_owned())),
    }];
    Updates {
        frame: frame("Updates", Place::Updates),
        incident: "1042".to_owned(),
        promise: Some(PromiseHead {
            who: "Customers expect to hear from us".to_owned(),
            due: reading().countdown(at("05:52"), at("06:20")),
            below: "Promised at 05:52 on the status page and to everyone who wrote. One thing to fix first. If silent at 06:18, Aoife Brennan is paged.".to_owned(),
            verb: "Fix and tell customers".to_owned(),
            audience: "customers".to_owned(),
        }),
        headline: String::new(),
        facts_note: "revision 7, confirmed 06:10 by Maya Okafor. Change one, and all five texts follow.".to_owned(),
        facts: vec![
            fact(1, Some("symptom"), "Symptom", "No card payments"),
            fact(2, None, "Where", "24 shops, 7 back"),
            fact(3, None, "Since", "05:41, 31 min"),
            fact(4, None, "Also", "Points, collection slow"),
            fact(5, None, "Instead", "Cash, or hold basket"),
            fact(6, None, "Cause", "store-edge 4.18.0"),
            fact(7, None, "Doing", "Rolling back, 12 to go"),
            fact(8, None, "Done by", ""),
        ],
        columns: vec![
            customers,
            column(
                "shops",
                "shop",
                "Shop teams",
                Reach::Outside,
                &["24 shops, store page, SMS", "In each shop’s language"],
                "Every 20 min",
                by("by 06:25"),
                vec![Rich::default().strong("Cards do not work. ").fact("Take cash. Hold baskets", 5).then(" until tomorrow evening."), Rich::plain("Do not restart terminals. They come back by themselves, ").fact("12 shops to go", 7).then(".")],
                "Uses facts 1 5 7. Adds restitution and words to read aloud.",
                "Approve",
            ),
            column(
                "agents",
                "desk",
                "Agents",
                Reach::Inside,
                &["38 on shift, inside the desk", "English, German"],
                "Live",
                ColumnNext::Sent("Sent 06:09".to_owned()),
                vec![Rich::default().strong("It is us. ").fact("No card payments", 1).then(" in ").fact("24 shops, 7 back", 2).then(", ").fact("since 05:41", 3).then(".")],
                "Uses facts 1 2 3 8. Adds do and don’t.",
                "Correct it",
            ),
        ],
        about: Some(Link::new("#1042 Customers cannot pay by card in 24 shops.", "/console/incidents/1042")),
        rights: UpdateRights::Write,
        incidents: Vec::new(),
    }
}

pub(crate) fn updates_list() -> UpdatesList {
    UpdatesList {
        frame: frame("Updates", Place::Updates),
        headline: "Nothing is promised".to_owned(),
        below: "What was said before:".into(),
        rows: vec![UpdateRow {
            id: "update-1".to_owned(),
            at: reading().clock(at("05:52")),
            audience: "Customers".to_owned(),
            incident: Link::new("#1042", "#"),
            words: "Card payments are not working in 24 of our shops. You can pay with cash.".to_owned(),
            reached: "284 of 298 reached; 14 e-mails bounced".to_owned(),
            state: State::Resolved.says("Sent"),
        }],
        pagination: Pagination {
            words: "1 of 1".to_owned(),
            earlier: None,
            later: None,
        },
    }
}

fn chart() -> LaneChart {
    let span = |from: &str, to: &str, label: &str, look, moment: Option<(&str, &str)>| Span {
        from: at(from),
        to: at(to),
        label: label.to_owned(),
        look,
        moment: moment.map(|(clock, words)| (at(clock), words.to_owned())),
    };
    let lane = |name, note: &str, content| LaneInput {
        name,
        note: note.to_owned(),
        content,
    };
    let told = |clock: &str, words: &str| (at(clock), words.to_owned(), Promise::Kept);
    let input = LaneChartInput {
        from: at("05:25"),
        to: at("07:30"),
        through: vec![
            (at("05:41"), "05:41 began".to_owned()),
            (at("06:58"), "06:58 resolved".to_owned()),
        ],
        lanes: vec![
            lane(
                "Shops",
                "24 offline at most",
                LaneContent::Area {
                    state: Some(State::Triggered),
                    points: [
                        ("05:25", 0.0),
                        ("05:38", 0.0),
                        ("05:41", 9.0),
                        ("05:44", 24.0),
                        ("06:05", 24.0),
                        ("06:08", 18.0),
                        ("06:15", 12.0),
                        ("06:26", 6.0),
                        ("06:41", 0.0),
                        ("07:18", 0.0),
                    ]
                    .map(|(clock, value)| (at(clock), value))
                    .to_vec(),
                    labels: vec![
                        (at("05:50"), "24 shops without cards".to_owned()),
                        (at("06:24"), "back one by one, all at 06:41".to_owned()),
                    ],
                },
            ),
            lane(
                "Machines",
                "63 alerts, 1 incident",
                LaneContent::Spans(vec![
                    span(
                        "05:30",
                        "05:44",
                        "update 4.18.0, stopped by its health gate at 05:44",
                        SpanLook::Solid(State::Triggered),
                        None,
                    ),
                    span(
                        "05:41",
                        "05:50",
                        "63 alerts",
                        SpanLook::Burst(State::Triggered),
                        None,
                    ),
                    span(
                        "06:05",
                        "06:41",
                        "rolled back, four shops at a time",
                        SpanLook::Tinted(State::Recovering),
                        None,
                    ),
                    span(
                        "05:58",
                        "06:36",
                        "loyalty, collection slow",
                        SpanLook::Tinted(State::Slow),
                        None,
                    ),
                ]),
            ),
            lane(
                "People",
                "1 min 48 s to answer",
                LaneContent::Spans(vec![
                    span("05:43", "07:02", "Priya Raman", SpanLook::Person, None),
                    span(
                        "05:49",
                        "07:04",
                        "Maya Okafor, commander",
                        SpanLook::Person,
                        Some(("06:05", "06:05 approves the way back")),
                    ),
                    span(
                        "05:50",
                        "06:58",
                        "Tomasz Zieliński",
                        SpanLook::Person,
                        Some(("06:03", "06:03 finds the origin")),
                    ),
                ]),
            ),
            lane(
                "Customers",
                "316 cases",
                LaneContent::Area {
                    state: None,
                    points: [
                        ("05:25", 0.0),
                        ("05:41", 0.0),
                        ("05:46", 41.0),
                        ("05:51", 66.0),
                        ("05:56", 78.0),
                        ("06:12", 53.0),
                        ("06:30", 14.0),
                        ("06:58", 2.0),
                        ("07:20", 0.0),
                    ]
                    .map(|(clock, value)| (at(clock), value))
                    .to_vec(),
                    labels: vec![(at("05:58"), "78 in 5 min, usually 2".to_owned())],
                },
            ),
            lane(
                "What was said",
                "4 promises, 4 kept",
                LaneContent::Chain {
                    told: vec![
                        told("05:52", "05:52 “not working”"),
                        told("06:19", "06:19 “7 shops back”"),
                        told("06:39", "06:39 “nearly all”"),
                        told("07:00", "07:00 “all back, thank you”"),
                    ],
                    last_answer: Some((at("07:30"), "09:40 last of 316 answered".to_owned())),
                },
            ),
        ],
    };
    lane_chart(&input, &reading())
}

pub(crate) fn report() -> Report {
    let chapter = |title: &str, markdown: &str| Chapter {
        title: title.to_owned(),
        html: (!markdown.is_empty()).then(|| crate::reviews::render::html(markdown)),
    };
    let version = |number, who| Version {
        number,
        who,
        at: reading().clock(on("2026-11-17", "09:41")),
    };
    Report {
        frame: frame("Report on #1042", Place::Learn),
        id: "1042".to_owned(),
        state: State::Resolved.mark().as_chip(),
        facts: ["#1042", "17 November 2026", "05:41 to 06:58", "draft 3"]
            .map(str::to_owned)
            .to_vec(),
        headline: "Cards failed in 24 shops for 60 minutes".to_owned(),
        below: "24 sites were hurt, for 1 h 17 min. Everyone who told us has an answer.".to_owned(),
        chart: chart(),
        figures: vec![
            Figure::new("Noticed by", "machines", vec!["63 alerts".into()]),
            Figure::new("To acknowledge", "1 min 48 s", vec!["4 people helped".into()]),
            Figure::new(
                "To tell customers",
                "11 min",
                vec!["promises: 4 made, 4 kept, 0 missed".into()],
            ),
            Figure::new("To put right", "1 h 17 min", vec!["3 touchpoints hurt".into()]),
            Figure::new(
                "To the last answer",
                "3 h 59 min",
                vec!["316 of 316 cases answered".into()],
            ),
            Figure::new("Cost, estimated", "£41,200", vec!["£27,000 to £56,000".into()]),
        ],
        chapters: vec![
            chapter(
                "What happened",
                "On Tuesday at 05:30 an update to the shops’ till system, `store-edge 4.18.0`, went to the first 24 of 240 shops.\n\nThe rollout’s health gate stopped it at 05:44, so 216 shops never received it.",
            ),
            chapter(
                "Why it could happen",
                "1. Terminals lost their route, because the agent rewrites it on restart.\n2. Tests did not see it, because the test shop has only one network card.",
            ),
            chapter("What went well", ""),
            chapter(
                "What we change",
                "| Action | Owner | Due |\n| --- | --- | --- |\n| Test shop with two network cards | Tomasz Zieliński | 27 Nov |",
            ),
        ],
        versions: vec![
            version(3, Person::named("Maya Okafor")),
            version(1, Person::Nobody("wrote itself")),
        ],
        notes: vec![("filter", "63 alerts made 1 incident.".into())],
        rights: ReportRights::Edit,
    }
}

pub(crate) fn report_edit() -> ReportEdit {
    ReportEdit {
        frame: frame("Edit the report", Place::Learn),
        id: "1042".to_owned(),
        version: 3,
        problem: Some("Somebody kept another version meanwhile.".to_owned()),
        title: "Cards failed in 24 shops for 60 minutes".to_owned(),
        chapters: vec![
            ("What happened".to_owned(), "On Tuesday at 05:30 …".to_owned()),
            (String::new(), String::new()),
        ],
    }
}

pub(crate) fn no_report() -> NoReport {
    NoReport {
        frame: frame("Report on #1042", Place::Learn),
        id: "1042".to_owned(),
        headline: "#1042 Cards failed in 24 shops".to_owned(),
        words: "It writes itself when the incident is over.".to_owned(),
        rights: ReportRights::Edit,
    }
}

pub(crate) fn learn() -> Learn {
    Learn {
        frame: frame("Learn", Place::Learn),
        headline: "What we learned".to_owned(),
        figures: vec![Figure::new(
            "To acknowledge",
            "2 min 10 s",
            vec!["middle of 14 incidents".into()],
        )],
        rows: vec![ReportRow {
            id: "report-1042".to_owned(),
            to: "#".to_owned(),
            title: "#1042 Cards failed in 24 shops".to_owned(),
            date: reading().clock(on("2026-11-17", "05:41")),
            lasted: "1 h 17 min".to_owned(),
            hurt: "24 shops, 298 customers".to_owned(),
            state: State::Acknowledged.says("Draft 3"),
        }],
        pagination: Pagination {
            words: "1 of 1".to_owned(),
            earlier: None,
            later: None,
        },
    }
}
