use super::{at, frame, reading};
use crate::console::prelude::*;
use crate::console::screens::desk::*;
use crate::console::screens::incidents::*;

pub(crate) fn incidents() -> IncidentList {
    let rows = super::now::happening()
        .into_iter()
        .map(|incident| IncidentRow {
            number: incident.id.replace("incident-", "#"),
            id: incident.id,
            state: incident.state,
            title: incident.title,
            to: incident.to,
            about: "Payments · P1".to_owned(),
            hurts: "316 cases".to_owned(),
            who: incident.who,
            age: incident.age,
        })
        .collect();
    IncidentList {
        frame: frame("Incidents", Place::Incidents),
        headline: "3 incidents are open".to_owned(),
        views: Choices::new(
            ChoicesLook::Tabs,
            "Views",
            0,
            &[
                ("Open", "?view=open"),
                ("Mine", "?view=mine"),
                ("Resolved", "?view=resolved"),
                ("All", "?view=all"),
            ],
        ),
        filter: IncidentFilter {
            view: "open".to_owned(),
            services: vec![Pick::new("S1", "booking"), Pick::new("S2", "card-gateway")],
            urgencies: vec![Pick::new("high", "Pages"), Pick::new("low", "Can wait")],
            ..IncidentFilter::default()
        },
        rows,
        pagination: Pagination {
            words: "1 to 4 of 4".to_owned(),
            earlier: None,
            later: None,
        },
        empty: Empty {
            title: "No incident fits",
            words: "Try fewer words.".into(),
            action: None,
        },
        raise_on: Some(vec![Pick::new("S1", "booking")]),
        rights: IncidentRights::Act,
    }
}

pub(crate) fn desk() -> Desk {
    let told = reading();
    let owed = |id: &str, since: &str, customer: &str, standing: &str, about: &str, state, chosen| OwedRow {
        id: format!("case-{id}"),
        to: format!("/console/desk?case={id}"),
        waits: told.age(at(since)),
        customer: customer.to_owned(),
        standing: standing.to_owned(),
        about: about.to_owned(),
        state,
        chosen,
    };
    let mut frame = frame("Desk", Place::Desk);
    frame.signed_in.name = "Aoife Brennan".to_owned();
    frame.signed_in.phone_places = PhonePlaces::Agent;
    Desk {
        frame,
        question: "card reader says offline, manchester market street".to_owned(),
        searched: "Searched for you from the open case. 2 known issues, best first.".to_owned(),
        matches: vec![
            Match {
                id: "1042".to_owned(),
                number: "#1042".to_owned(),
                answer: "Yes, very likely".to_owned(),
                likelihood: Likelihood::Likely,
                state: State::Recovering.mark(),
                since: told.clock(at("05:41")),
                title: "I cannot pay by card in the shop".to_owned(),
                to: "/console/incidents/1042".to_owned(),
                why: Rich::plain("Said ")
                    .matched("card reader")
                    .then(" and ")
                    .matched("offline")
                    .then(". ")
                    .matched("Manchester Market Street")
                    .then(" is one of the 24 shops, and still down. Reported 06:02, after it began."),
                link: MatchLink::Open,
                say: Some(Approved {
                    words: "I am sorry, this is us and not your card. Card payments are not working in our Manchester Market Street shop. You have not been charged twice. You can pay with cash, or we hold your basket until tomorrow evening. We will write to you by 06:20.".to_owned(),
                    by: "approved by Maya Okafor 05:52, from facts r7".to_owned(),
                }),
                offer: Rich::plain("£5 voucher, once, as goodwill. You may give up to £20. ").link("Give one", "#"),
                next: Some(told.due_by(at("05:52"), at("06:20"))),
            },
            Match {
                id: "1042b".to_owned(),
                number: "#1042".to_owned(),
                answer: "Probably not".to_owned(),
                likelihood: Likelihood::Unlikely,
                state: State::Slow.mark(),
                since: told.clock(at("05:58")),
                title: "My loyalty points did not show at the till".to_owned(),
                to: "#".to_owned(),
                why: "Same shop, but the customer said nothing about points.".into(),
                link: MatchLink::Open,
                say: None,
                offer: Rich::default(),
                next: None,
            },
        ],
        no_match: Rich::default(),
        raise_note: "The customer, the shop, the till number and what you tried go along. Emre Yıldız, backup, is free.".to_owned(),
        owed_note: "316, of which 4 not linked".to_owned(),
        owed: vec![
            owed("1", "05:43", "Brodie & Sons Catering", "Business, £41,000 a year", "Leeds Briggate, paid half by card", State::Triggered.says("Wants a call"), Chosen::No),
            owed("2", "05:46", "Dieter Vogel", "Gold, 4 years", "Köln Ehrenstraße", State::Recovering.says("Linked, told 05:52"), Chosen::No),
            owed("3", "06:02", "Hannah Whitcombe", "Gold, 9 years", "Manchester Market Street", State::Unknown.says("Not linked"), Chosen::Yes),
            owed("4", "05:48", "Inés Caballero Montoya", "Standard", "Sevilla Sierpes, loyalty points", State::Recovering.says("Linked, told 05:52"), Chosen::No),
        ],
        owed_further: Some(Link::new("312 more wait", "/console/cases?state=owed")),
        answer_all: Some(Link::new("Answer 312 customers", "#")),
        acts: vec![DeskAct::WriteDown, DeskAct::Link, DeskAct::Raise],
        open_case: Some(OpenCase {
            id: "88213".to_owned(),
            number: "C-88213".to_owned(),
            source: "Zendesk".to_owned(),
            age: told.age(at("06:02")),
            title: "Card reader keeps saying offline".to_owned(),
            customer: "Hannah Whitcombe".to_owned(),
            face: Face { letters: "HW".to_owned(), class: " large" },
            standing: "Gold, customer for 9 years · Manchester".to_owned(),
            wrote: "Hi, I’m at your Manchester Market Street shop and the card reader keeps saying offline. I tried twice with two cards. The second time my bank app shows a payment of £64.20 as pending. Have I paid or not? I have a train at half past six.".to_owned(),
            mind: vec![
                ("bolt", Rich::default().strong("In a hurry:").then(" train at 06:30")),
                ("money", Rich::default().strong("Pending payment").then(" £64.20: say it is released within 3 days")),
                ("case", "Sounds worried, not angry. Confirm what happened first.".into()),
            ],
            facts: vec![
                ("First answer due", CaseFact::Due(told.due_by(at("06:02"), at("06:32")))),
                ("Shop", CaseFact::State(State::Triggered.says("Manchester Market Street"))),
                ("Last orders", CaseFact::Words("3 this month, £212".into())),
                ("Last contact", CaseFact::Words("September, late parcel, thanked us".into())),
                ("Consent", CaseFact::Words("E-mail and SMS".into())),
            ],
            to_do: Some(ToDo::Reply(Reply {
                reader: "Public: Hannah will read this".to_owned(),
                greeting: "Hello Hannah,".to_owned(),
                personal: "You have not been charged twice: the £64.20 is only reserved and comes back within 3 days.".to_owned(),
                words: "I am sorry, this is us and not your card. Card payments are not working in our Manchester Market Street shop. You can pay with cash, or we hold your basket until tomorrow evening. We will write to you by 06:20.".to_owned(),
                kind: "progress",
                note: "Personal part kept, the rest is approved".to_owned(),
            })),
        }),
        told: vec![
            ToldAgents {
                id: "told-2".to_owned(),
                at: told.clock(at("05:52")),
                subject: "Card payments: cause found".to_owned(),
                words: "The till software 4.18.0 breaks the card readers. It is being taken back, shop by shop.\n\nOffer cash, or hold the basket until tomorrow evening.".to_owned(),
                to: "#".to_owned(),
                incident: "Card readers offline".to_owned(),
            },
            ToldAgents {
                id: "told-1".to_owned(),
                at: told.clock(at("05:44")),
                subject: "Card payments do not work in some shops".to_owned(),
                words: "We are looking into it.".to_owned(),
                to: "#".to_owned(),
                incident: "Card readers offline".to_owned(),
            },
        ],
        services: vec![Pick::new("S1", "card-gateway")],
        locations: vec![Pick::new("L1", "Manchester Market Street")],
        touchpoints: vec![Pick::new("T1", "Card payments")],
    }
}

/// Nothing asked, no case open, nobody waiting.
pub(crate) fn empty_desk() -> Desk {
    let mut desk = desk();
    desk.question = String::new();
    desk.searched = "Type what the customer says. Known issues that fit appear below.".to_owned();
    desk.matches = Vec::new();
    desk.owed = Vec::new();
    desk.owed_note = String::new();
    desk.answer_all = None;
    desk.open_case = None;
    desk.told = Vec::new();
    desk
}
