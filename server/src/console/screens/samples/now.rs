use super::{at, frame, on, reading, series};
use crate::console::prelude::*;
use crate::console::screens::now::*;

pub(crate) fn now() -> Now {
    let told = reading();
    let need = |id: &str, mark, title: &str, detail: &str, due, action| Need {
        id: format!("need-{id}"),
        mark,
        title: title.to_owned(),
        detail: detail.to_owned(),
        due,
        action,
    };
    Now {
        frame: frame("Now", Place::Now),
        headline: "Five things need you".to_owned(),
        below: "In order of harm. The first one escalates to Jonas Weber in 2 min.".into(),
        needs: vec![
            need(
                "1",
                NodeMark::State(State::Triggered),
                "Acknowledge: appointment reminders are not leaving the queue",
                "#1043 · booking · paged you 3 min ago · first appointments at 08:00",
                Due::In(told.left(at("06:09"), at("06:14"))),
                NeedAction::Post {
                    words: "Acknowledge",
                    to: "/console/incidents/1043/acknowledge".to_owned(),
                },
            ),
            need(
                "2",
                NodeMark::Icon("updates"),
                "Keep a promise: customers expect the next words on card payments",
                "Draft is ready from facts r7. The checker found one thing to fix.",
                Due::In(told.due_by(at("05:52"), at("06:20"))),
                NeedAction::Open {
                    words: "Review and send",
                    to: "/console/updates".to_owned(),
                },
            ),
            need(
                "3",
                NodeMark::Icon("play"),
                "Approve: roll back store-edge on the last 12 shops",
                "Tomasz Zieliński asks. 12 rolled back so far: 7 back, 5 coming, none failed.",
                Due::Since("asked", told.ago(at("06:11"))),
                NeedAction::Open {
                    words: "Look and approve",
                    to: "#".to_owned(),
                },
            ),
            need(
                "4",
                NodeMark::Icon("tick"),
                "Ask Northpay whether half-finished payments were reversed",
                "Your task in #1042. Northpay duty desk: +44 20 5550 0142",
                Due::Since("by", told.clock(at("06:30"))),
                NeedAction::Post {
                    words: "Mark as done",
                    to: "#".to_owned(),
                },
            ),
            need(
                "5",
                NodeMark::Icon("phone"),
                "Call back Brodie & Sons Catering",
                "Business customer. Could not pay for 14 trays at Leeds Briggate; asked for a person.",
                Due::Since("waits", told.age(at("05:43"))),
                NeedAction::Open {
                    words: "Call back",
                    to: "#".to_owned(),
                },
            ),
        ],
        happening_note: "3 open, 1 planned".to_owned(),
        happening: happening(),
        watch_note: "1 early warning".to_owned(),
        watch: vec![Warning {
            id: "warning-1".to_owned(),
            title: "order-hub answers slower each minute".to_owned(),
            evidence: "620 ms, usually 180 ms. It waits for loyalty-api, which is part of #1042.".to_owned(),
            action: Link::new("Look at it", "#"),
        }],
        pulse: vec![
            pulse(
                "Events in",
                "usual 620 to 980".into(),
                series(800.0, 2100.0, 1610.0, (620.0, 980.0)),
                "1,610",
                "per minute",
            ),
            pulse(
                "Alerts shown",
                Rich::plain("98 % hidden: ").link("see what", "#"),
                series(2.0, 30.0, 9.0, (1.0, 3.0)),
                "9",
                "per 5 min",
            ),
            pulse(
                "Customers’ cases",
                "usual 0 to 4".into(),
                series(2.0, 78.0, 53.0, (0.0, 4.0)),
                "53",
                "per 5 min",
            ),
            pulse(
                "Pages to people",
                "8 tonight, all answered but 1".into(),
                series(0.0, 3.0, 1.0, (0.0, 1.0)),
                "1",
                "last 5 min",
            ),
        ],
        pulse_axis: ["00:12", "02:00", "04:00", "06:12"].map(str::to_owned).to_vec(),
        pulse_note: "Grey band: what is usual at this hour on a Tuesday. Dashed line: #1042 began, 05:41."
            .to_owned(),
    }
}

pub(crate) fn happening() -> Vec<Happening> {
    let told = reading();
    let incident = |number: u32, state: StateMark, title: &str, impact: &str, who, age| Happening {
        id: format!("incident-{number}"),
        to: format!("/console/incidents/{number}"),
        state,
        title: title.to_owned(),
        impact: impact.to_owned(),
        who,
        age,
    };
    vec![
        incident(
            1042,
            State::Recovering.mark(),
            "Card payments do not work in 24 shops",
            "12 shops still offline, 7 back · loyalty and collection slow · 316 cases",
            Person::named("Maya Okafor"),
            told.age(at("05:41")),
        ),
        incident(
            1043,
            State::Triggered.mark(),
            "Appointment reminders are late",
            "1,204 messages wait · no customer has noticed yet",
            Person::Nobody("Nobody yet"),
            told.age(at("06:09")),
        ),
        incident(
            1041,
            State::Acknowledged.mark(),
            "Clocking in is slow in Spain",
            "9 shops · 3 cases · paper rota in use",
            Person::named("Lucía Ferrer"),
            told.age(at("04:02")),
        ),
        incident(
            88,
            State::Maintenance.says("Planned"),
            "stock-feed moves to a new database",
            "Stock counts may be 10 min old · 2 objections, both answered",
            Person::named("Emre Yıldız"),
            told.clock(on("2026-11-17", "22:00")),
        ),
    ]
}

fn pulse(name: &'static str, note: Rich, series: Series, value: &str, unit: &'static str) -> Pulse {
    Pulse {
        name,
        note,
        spark: spark(&series),
        value: value.to_owned(),
        unit,
    }
}

/// The longest that the bar has to say: many incidents, a promise to many readers, and what is wrong with Muster.
pub(crate) fn unwell(promised_by: &str) -> Now {
    let mut now = now();
    let situation = &mut now.frame.situation;
    for (_, count) in &mut situation.open {
        *count = 1_240;
    }
    situation.promise = Some(NextPromise {
        audience: "Customers of the north and their partners".to_owned(),
        due: reading().countdown(at("04:52"), at(promised_by)),
        to: "/console/updates".to_owned(),
    });
    situation.health = Health::Unwell("the machine's clock was set back 1240 min".to_owned());
    now
}

pub(crate) fn first_now() -> FirstNow {
    let mut frame = frame("Now", Place::Now);
    frame.situation = Situation::calm();
    let none = || Series {
        values: vec![0.0, 0.0],
        told: "nothing yet".to_owned(),
        ..Series::default()
    };
    FirstNow {
        frame,
        first_name: "Maya".to_owned(),
        has_key: Current::Yes,
        command: "curl https://muster.larkfield.example/v2/enqueue \\\n  -d '{\"routing_key\": \"R0HX4K2M7QTEST\", \"event_action\": \"trigger\",\n       \"payload\": {\"summary\": \"Hello from Maya\",\n                   \"source\": \"my laptop\", \"severity\": \"info\"}}'".to_owned(),
        steps: vec![
            step("Say who is on call", "One person is enough to begin. Muster shows the gaps.", "Add a schedule"),
            step("Name what your customers touch", "Payments, pick-up, appointments: so that alerts say whom they hurt.", "Add a touchpoint"),
            step("Bring your customers’ cases", "From your helpdesk, a form, a mailbox, or typed in at the desk.", "Open the desk"),
            step("Drill it once", "A pretend outage through the real machinery. No customer is told.", "Plan a drill"),
        ],
        pulse: vec![
            pulse("Events in", Rich::default(), none(), "0", "per minute"),
            pulse("Customers’ cases", Rich::default(), none(), "0", "per 5 min"),
            pulse("Pages to people", Rich::default(), none(), "0", "last 5 min"),
        ],
    }
}

fn step(title: &'static str, detail: &'static str, action: &str) -> FirstStep {
    FirstStep {
        title,
        detail,
        action: Link::new(action, "#"),
    }
}
