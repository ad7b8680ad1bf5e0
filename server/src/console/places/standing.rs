//! What a customer's page and a location's page have in common: the cases they reported, and what was said about
//! them in both directions.

use store::Tx;

use crate::cases::model::{Direction, Message, Status};
use crate::cases::store::{self as rows, Sought};
use crate::cases::{Case, CaseId};
use crate::console::prelude::{
    Actor, Entry, Person, Reading, Rich, State as Shape, StateMark, counted, thousands,
};
use crate::console::screens::people::CaseRow;
use crate::console::screens::room::Figure;
use crate::http::listing::Counted;
use crate::http::{Page, Problem};

/// Cases that are shown.
const CASES: i64 = 50;
/// Messages that are shown.
const MESSAGES: i64 = 40;

pub(super) struct Told {
    /// The newest of them.
    cases: Vec<Case>,
    open: i64,
    owed: i64,
    messages: Vec<Message>,
}

pub(super) fn read(tx: &mut Tx, sought: &Sought) -> Result<Told, Problem> {
    let page = Page {
        limit: CASES,
        offset: 0,
        counted: Counted::No,
    };
    let (cases, _) = rows::list(tx, sought, page)?;
    let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let messages = rows::newest_messages(tx, &ids, MESSAGES)?;
    let (open, owed) = rows::count_open(tx, sought)?;
    Ok(Told {
        cases,
        open,
        owed,
        messages,
    })
}

impl Told {
    pub(super) fn rows(&self, reading: &Reading) -> Vec<CaseRow> {
        self.cases
            .iter()
            .map(|case| CaseRow {
                id: format!("case-{}", case.id),
                to: format!("/console/desk?case={}", case.id),
                number: case.label(),
                title: case.subject.clone(),
                age: reading.ago(case.created_at),
                state: mark(case),
            })
            .collect()
    }

    /// Open cases, and those owed an answer.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let below = match self.owed {
            0 => "nobody waits for an answer".to_owned(),
            owed => format!("{} owed an answer", counted(owed.unsigned_abs(), "is", "are")),
        };
        let open = thousands(self.open.unsigned_abs());
        vec![Figure::new("Open cases", open, vec![below.into()])]
    }

    /// What was said, the newest first.
    pub(super) fn story(&self, reading: &Reading) -> Vec<Entry> {
        self.messages
            .iter()
            .map(|message| entry(message, self.label(&message.case_id), reading))
            .collect()
    }

    fn label(&self, id: &CaseId) -> String {
        self.cases
            .iter()
            .find(|case| case.id == *id)
            .map(Case::label)
            .unwrap_or_default()
    }
}

fn mark(case: &Case) -> StateMark {
    match (case.status, case.owed_since, case.incident_number) {
        (Status::Closed, _, _) => Shape::Resolved.says("Closed"),
        (_, Some(_), Some(number)) => Shape::Acknowledged.says(format!("Linked to #{number}, owed")),
        (_, Some(_), None) => Shape::Unknown.says("Not linked, owed"),
        (Status::Waiting, None, _) => Shape::Recovering.says("Answered"),
        (_, None, _) => Shape::Acknowledged.says("Open"),
    }
}

fn entry(message: &Message, case: String, reading: &Reading) -> Entry {
    let at = reading.clock(message.created_at);
    let id = format!("message-{}", message.id);
    let to = format!("/console/desk?case={}", message.case_id);
    let actor = Actor::Person(Person::named(message.author_name.clone()).face());
    let name = Rich::default().strong(message.author_name.clone());
    match message.direction {
        Direction::In => {
            Entry::new(id, at, actor, name.then(" wrote in ").link(case, to)).with_body(message.text.clone())
        }
        Direction::Inside => {
            Entry::new(id, at, actor, name.then(" noted on ").link(case, to)).with_body(message.text.clone())
        }
        Direction::Out => Entry::new(id, at, actor, name.then(" answered ").link(case.clone(), to))
            .published(case, message.text.clone()),
    }
}
