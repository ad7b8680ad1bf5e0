//! The desk: "Is it us?", the open case with its reply, and who is still owed an answer.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use store::Tx;

use super::incidents::mark;
use super::{case_unlink, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::cases::model::Channel;
use crate::cases::{Case, CaseId, store as case_rows};
use crate::console::frame::{Place, Situation};
use crate::console::kit::{
    Chosen, Link, Person, Pick, Reading, Rich, State as Shape, StateMark, money, thousands,
};
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::screens::desk::{
    Approved, CaseFact, Desk, DeskAct, Likelihood, Match, MatchLink, OpenCase, OwedRow, Reply, ToDo,
    ToldAgents,
};
use crate::customers::locations::{self, LocationKind};
use crate::desk::answers::{self, Delivery};
use crate::desk::compose::{self, greeting};
use crate::desk::question::{Answered, ask};
use crate::desk::undelivered::{self, CameBack};
use crate::desk::{matching, notices};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};
use crate::incidents::IncidentId;
use crate::outbox::Mail;
use crate::services::store::{services, touchpoints};
use crate::updates::headline::{self, Headline};
use crate::words::InternalText;

/// Known issues that are shown.
const MATCHES: usize = 5;
/// Reporters owed an answer that are shown; the rest stands in the list of cases.
const OWED: i64 = 12;
/// What agents were told last.
const NOTICES: i64 = 5;
/// Services and locations that a select offers.
const MOST_PICKS: i64 = 1_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/desk", get(page))
        .route("/console/desk/owed", get(page))
        .route("/console/desk/told", get(page))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    question: String,
    case: String,
}

struct Known {
    situation: Situation,
    answered: Option<Answered>,
    /// What customers feel of the incidents that were found.
    headlines: HashMap<IncidentId, Headline>,
    proposal: Option<Proposal>,
    owed: Vec<Case>,
    /// Answers that could not be delivered, by case.
    came_back: HashMap<CaseId, CameBack>,
    owed_counts: (i64, i64),
    drafted: i64,
    told: Vec<notices::Posted>,
    services: Vec<Pick>,
    locations: Vec<Pick>,
    touchpoints: Vec<Pick>,
}

/// What would be sent as it stands: exactly this is shown, and what is shown is sent.
#[derive(Debug, Clone)]
struct Proposed {
    kind: answers::Kind,
    personal: String,
    common: String,
    origin: Origin,
}

/// What is left to do about the reporter of the open case.
#[derive(Debug, Clone)]
enum Proposal {
    Reply(Proposed),
    /// Somebody has confirmed the answer, and the reporter can only be called: what is to be read to them.
    Call(String),
}

/// Where the words of a reply come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Somebody began this answer.
    Draft,
    Approved,
    /// Nothing is known that could be said.
    Nothing,
}

fn propose(tx: &mut Tx, case: &Case) -> Result<Proposal, Problem> {
    let kind = answers::fitting_kind(case);
    let open = answers::open_answer(tx, &case.id)?;
    let confirmed = open
        .as_ref()
        .filter(|open| open.state == answers::State::ToCall && open.kind == kind);
    if let Some(confirmed) = confirmed {
        let personal = confirmed.personal_part.as_ref().map(InternalText::for_insiders);
        let whole = compose::whole(case, personal, confirmed.common_part.for_insiders());
        return Ok(Proposal::Call(whole.for_insiders().to_owned()));
    }
    let personal = open.as_ref().and_then(|open| open.personal_part.as_ref());
    let personal = personal
        .map(|part| part.for_insiders().to_owned())
        .unwrap_or_default();
    let (common, origin) = match open.filter(|open| open.kind == kind) {
        Some(open) => (open.common_part.for_insiders().to_owned(), Origin::Draft),
        None if kind == answers::Kind::Reply => (String::new(), Origin::Nothing),
        None => {
            let words = answers::proposed(tx, case, kind)?;
            (words.for_insiders().to_owned(), Origin::Approved)
        }
    };
    Ok(Proposal::Reply(Proposed {
        kind,
        personal,
        common,
        origin,
    }))
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Case)?;
    let caller = visitor.0.clone();
    let now = app.clock.now();
    let wanted = asked.clone();
    let known = app
        .read(move |tx| -> Result<_, Problem> {
            let situation = situation::read(tx, &caller, now)?;
            know(tx, &wanted, now, situation)
        })
        .await?;
    let reading = visitor.reading(&app);
    Ok(show(&draw(&app, &visitor, &reading, &asked, known)))
}

fn know(tx: &mut Tx, asked: &Asked, now: jiff::Timestamp, situation: Situation) -> Result<Known, Problem> {
    let words = Some(asked.question.trim()).filter(|words| !words.is_empty());
    let case_id = Some(asked.case.as_str())
        .filter(|id| !id.is_empty())
        .map(CaseId::from);
    if let Some(id) = &case_id
        && case_rows::find(tx, id)?.is_none()
    {
        return Err(Problem::not_found("The case"));
    }
    let answered = if words.is_some() || case_id.is_some() {
        Some(ask(tx, words, case_id.as_ref(), now, MATCHES)?)
    } else {
        None
    };
    let proposal = match answered.as_ref().and_then(|answered| answered.case.as_ref()) {
        Some(case) if case.owed_since.is_some() => Some(propose(tx, case)?),
        _ => None,
    };
    let page = Page {
        limit: OWED,
        offset: 0,
        counted: Counted::No,
    };
    let many = Page {
        limit: MOST_PICKS,
        ..page
    };
    let sites = locations::Sought {
        kind: Some(LocationKind::Site),
        ..locations::Sought::default()
    };
    let found: Vec<crate::incidents::Incident> = answered
        .iter()
        .flat_map(|answered| &answered.matches)
        .map(|(_, incident, _)| incident.clone())
        .collect();
    let owed: Vec<Case> = case_rows::owed(tx, page, None)?
        .into_iter()
        .take(OWED as usize)
        .collect();
    let open = answered.as_ref().and_then(|answered| answered.case.as_ref());
    let shown: Vec<CaseId> = owed.iter().chain(open).map(|case| case.id.clone()).collect();
    Ok(Known {
        situation,
        came_back: undelivered::came_back(tx, &shown)?,
        headlines: headline::of(tx, &found)?,
        answered,
        proposal,
        owed,
        owed_counts: case_rows::count_owed(tx, None)?,
        drafted: answers::count_drafted(tx)?,
        told: notices::list(
            tx,
            None,
            None,
            Page {
                limit: NOTICES,
                ..page
            },
        )?
        .into_iter()
        .take(NOTICES as usize)
        .collect(),
        services: services::list(tx, &services::ServiceFilter::default(), many)?
            .into_iter()
            .map(|service| Pick::new(service.id.as_str(), service.name))
            .collect(),
        locations: locations::list(tx, &sites, many)?
            .into_iter()
            .map(|location| Pick::new(location.id.as_str(), location.name))
            .collect(),
        touchpoints: touchpoints::all(tx)?
            .into_iter()
            .map(|touchpoint| Pick::new(touchpoint.id.as_str(), touchpoint.name))
            .collect(),
    })
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, asked: &Asked, known: Known) -> Desk {
    let matches: Vec<Match> = known
        .answered
        .iter()
        .flat_map(|answered| {
            answered
                .matches
                .iter()
                .map(|found| matched(answered, found, known.headlines.get(&found.1.id), reading))
        })
        .collect();
    let case = known
        .answered
        .as_ref()
        .and_then(|answered| answered.case.as_ref());
    let question = match (asked.question.trim(), case) {
        ("", Some(case)) => case.text.clone(),
        (words, _) => words.to_owned(),
    };
    let searched = match (&known.answered, case) {
        (None, _) => String::new(),
        (Some(_), Some(_)) => format!("Searched for you from the open case. {}", counted(matches.len())),
        (Some(_), None) => counted(matches.len()),
    };
    let alike = known
        .answered
        .as_ref()
        .map_or(0, |answered| answered.alike.ids.len());
    let (owed, unlinked) = known.owed_counts;
    Desk {
        frame: visitor.frame(app, Place::Desk, "Desk", known.situation.clone()),
        question,
        searched,
        no_match: match known.answered {
            Some(_) => no_match(alike),
            None => Rich::plain("Type what the customer says, or open a case from the list."),
        },
        matches,
        raise_note: match case {
            Some(_) => "The customer, the place and their words go along.".to_owned(),
            None => "Whoever is on call for it is paged.".to_owned(),
        },
        owed_note: if owed == 0 {
            "nobody".to_owned()
        } else {
            format!(
                "{}, of which {} not linked",
                thousands(owed.unsigned_abs()),
                thousands(unlinked.unsigned_abs())
            )
        },
        owed: known
            .owed
            .iter()
            .map(|one| owed_row(one, known.came_back.get(&one.id), &asked.case, reading))
            .collect(),
        owed_further: further(owed - known.owed.len() as i64),
        acts: acts_of(&visitor.0),
        answer_all: (known.drafted > 0 && visitor.0.may(Action::Publish, Resource::Case)).then(|| {
            Link::new(
                format!("Answer {} customers", thousands(known.drafted.unsigned_abs())),
                "/console/desk/answers",
            )
        }),
        open_case: case.map(|case| {
            let unlink = case_unlink::way_to_take_back(&visitor.0, case);
            let to_do = known
                .proposal
                .as_ref()
                .map(|proposal| to_do(app, &visitor.0, case, proposal));
            let mut drawn = open_case(case, &known.headlines, to_do, unlink, reading);
            drawn.mind.extend(
                known
                    .came_back
                    .get(&case.id)
                    .map(|one| ("mail", Rich::plain(came_back_words(one, case)))),
            );
            drawn
        }),
        told: known.told.iter().map(|one| told_agents(one, reading)).collect(),
        services: known.services,
        locations: known.locations,
        touchpoints: known.touchpoints,
    }
}

fn counted(matches: usize) -> String {
    match matches {
        0 => "No known issue fits.".to_owned(),
        1 => "1 known issue.".to_owned(),
        count => format!("{count} known issues, best first."),
    }
}

/// Where those stand who are owed an answer and not listed.
fn further(count: i64) -> Option<Link> {
    let words = match count {
        ..=0 => return None,
        1 => "1 more waits".to_owned(),
        count => format!("{} more wait", thousands(count.unsigned_abs())),
    };
    Some(Link::new(words, "/console/cases?state=owed"))
}

fn no_match(alike: usize) -> Rich {
    match alike {
        0 => Rich::plain("We know of nothing like this, and nobody else wrote the same in the last hour."),
        1 => Rich::plain("We know of nothing like this. 1 other wrote the same in the last hour."),
        count => Rich::plain(format!(
            "We know of nothing like this. {count} others wrote the same in the last hour."
        )),
    }
}

fn matched(
    answered: &Answered,
    (found, incident, _impact): &(matching::Match, crate::incidents::Incident, crate::impact::Impact),
    headline: Option<&Headline>,
    reading: &Reading,
) -> Match {
    let linked_to = answered.case.as_ref().and_then(|case| case.incident_id.as_ref());
    let issue = answered.issues.get(incident.id.as_str());
    let why = found.reasons.iter().fold(Rich::default(), because);
    Match {
        id: incident.id.to_string(),
        number: format!("#{}", incident.number),
        answer: found.likelihood.words().to_owned(),
        likelihood: match found.likelihood {
            matching::Likelihood::ProbablyNot => Likelihood::Unlikely,
            matching::Likelihood::Perhaps | matching::Likelihood::VeryLikely => Likelihood::Likely,
        },
        state: mark(
            incident,
            headline.map(|headline| headline.course).unwrap_or_default(),
        ),
        since: reading.clock(incident.created_at),
        title: headline
            .and_then(|headline| headline.felt.first())
            .unwrap_or(&incident.title)
            .clone(),
        to: format!("/console/incidents/{}", incident.id),
        link: if linked_to == Some(&incident.id) {
            MatchLink::Linked
        } else {
            MatchLink::Open
        },
        why,
        say: issue.map(|issue| Approved {
            words: issue.words_to_say.as_str().to_owned(),
            by: format!(
                "approved by {} {}, from facts r{}",
                issue.approved_by_name,
                reading.clock_words(issue.approved_at),
                issue.facts_revision
            ),
        }),
        offer: Rich::default(),
        next: issue.and_then(|issue| {
            issue
                .next_update_by
                .map(|due| reading.countdown(issue.approved_at, due))
        }),
    }
}

/// A reason in a sentence. Words that were recognised are marked where they stand, each once.
fn because(rich: Rich, reason: &matching::Reason) -> Rich {
    /// Shorter words say nothing, and neither do these.
    const LEAST_LETTERS: usize = 3;
    const COMMON: [&str; 16] = [
        "and", "are", "but", "for", "had", "has", "have", "not", "that", "the", "they", "this", "was",
        "were", "with", "you",
    ];
    if reason.words.is_empty() {
        return rich.then(format!("{} ", reason.sentence));
    }
    let mut words: Vec<&str> = Vec::new();
    for word in &reason.words {
        let text = word.text.as_str();
        let known = words
            .iter()
            .any(|known| known.to_lowercase() == text.to_lowercase());
        let common = COMMON.contains(&text.to_lowercase().as_str());
        if !known && !common && text.chars().count() >= LEAST_LETTERS {
            words.push(text);
        }
    }
    let Some(last) = words.len().checked_sub(1) else {
        return rich;
    };
    let said = words
        .iter()
        .enumerate()
        .fold(rich.then("Said "), |rich, (number, word)| {
            let rich = match number {
                0 => rich,
                number if number == last => rich.then(" and "),
                _ => rich.then(", "),
            };
            rich.matched(*word)
        });
    said.then(". ")
}

fn told_agents(notice: &notices::Posted, reading: &Reading) -> ToldAgents {
    ToldAgents {
        id: format!("told-{}", notice.id),
        at: reading.clock(notice.at),
        subject: notice.subject.for_insiders().to_owned(),
        words: notice.words.for_insiders().to_owned(),
        to: format!("/console/incidents/{}", notice.incident_id),
        incident: notice.incident_title.clone(),
    }
}

/// Where a case stands, in one mark.
fn standing(case: &Case) -> StateMark {
    match (&case.incident_id, case.last_told_at) {
        (None, _) => Shape::Unknown.says("Not linked"),
        (Some(_), Some(_)) => Shape::Recovering.says("Linked, told"),
        (Some(_), None) => Shape::Acknowledged.says("Linked"),
    }
}

pub(super) fn tier_words(case: &Case) -> String {
    let tier = match case.tier {
        Some(tier) => {
            let mut word = tier.as_text().to_owned();
            if let Some(first) = word.get_mut(0..1) {
                first.make_ascii_uppercase();
            }
            word
        }
        None => "Not a known customer".to_owned(),
    };
    match (case.value_per_year, &case.currency) {
        (Some(value), Some(currency)) if value > 0 => {
            format!("{tier}, {} a year", money(value, currency))
        }
        _ => tier,
    }
}

/// Why the last answer is owed again, and what to do.
fn came_back_words(one: &CameBack, case: &Case) -> String {
    let instead = match &case.reporter_telephone {
        Some(telephone) => format!("Call {telephone}, or check the address."),
        None => "Check the address before you send it again.".to_owned(),
    };
    format!("{} {instead}", one.words())
}

fn owed_row(case: &Case, came_back: Option<&CameBack>, open: &str, reading: &Reading) -> OwedRow {
    let about = match &case.location_name {
        Some(place) if !case.subject.contains(place.as_str()) => format!("{place}: {}", case.subject),
        _ => case.subject.clone(),
    };
    OwedRow {
        id: case.id.to_string(),
        to: format!("/console/desk?case={}", case.id),
        waits: reading.age(case.owed_since.unwrap_or(case.created_at)),
        customer: case.reporter().to_owned(),
        standing: tier_words(case),
        about,
        state: match came_back {
            Some(_) => Shape::Triggered.says("Answer came back"),
            None => standing(case),
        },
        chosen: if case.id.as_str() == open {
            Chosen::Yes
        } else {
            Chosen::No
        },
    }
}

fn open_case(
    case: &Case,
    headlines: &HashMap<IncidentId, Headline>,
    to_do: Option<ToDo>,
    unlink: Option<Link>,
    reading: &Reading,
) -> OpenCase {
    let mut facts = Vec::new();
    if case.first_answered_at.is_none() {
        facts.push((
            "First answer due",
            CaseFact::Due(reading.due_by(case.created_at, case.first_answer_due_at)),
        ));
    }
    if let Some(place) = &case.location_name {
        facts.push(("Where", CaseFact::Words(Rich::plain(place.clone()))));
    }
    if let Some(touchpoint) = &case.touchpoint_name {
        facts.push(("Touchpoint", CaseFact::Words(Rich::plain(touchpoint.clone()))));
    }
    if let (Some(number), Some(title), Some(id)) =
        (case.incident_number, &case.incident_title, &case.incident_id)
    {
        let felt = headlines.get(id).and_then(|headline| headline.felt.first());
        let words = felt.unwrap_or(title).trim_end_matches('.');
        let mut words =
            Rich::default().link(format!("#{number} {words}"), format!("/console/incidents/{id}"));
        if let Some(unlink) = unlink {
            words = words.then(". ").link(unlink.words, unlink.to);
        }
        facts.push(("Linked to", CaseFact::Words(words)));
    }
    for (name, value) in [
        ("E-mail", &case.reporter_email),
        ("Telephone", &case.reporter_telephone),
    ] {
        if let Some(value) = value {
            facts.push((name, CaseFact::Words(Rich::plain(value.clone()))));
        }
    }
    OpenCase {
        id: case.id.to_string(),
        number: case.label(),
        source: match case.channel {
            Channel::Api => "From another system".to_owned(),
            Channel::Form => "Written on our form".to_owned(),
            Channel::LocationForm => "Written on a location’s page".to_owned(),
            Channel::Agent => "Written down by an agent".to_owned(),
        },
        age: reading.age(case.created_at),
        title: case.subject.clone(),
        customer: case.reporter().to_owned(),
        face: Person::named(case.reporter()).face(),
        standing: tier_words(case),
        wrote: if case.text.trim() == case.subject.trim() {
            String::new()
        } else {
            case.text.clone()
        },
        mind: Vec::new(),
        facts,
        to_do,
    }
}

/// What the caller may do at the desk.
fn acts_of(caller: &Caller) -> Vec<DeskAct> {
    [
        (DeskAct::WriteDown, Action::Create, Resource::Case),
        (DeskAct::Link, Action::Respond, Resource::Case),
        (DeskAct::Raise, Action::Create, Resource::Incident),
    ]
    .into_iter()
    .filter(|(_, action, resource)| caller.may(*action, *resource))
    .map(|(act, ..)| act)
    .collect()
}

fn to_do(app: &App, caller: &Caller, case: &Case, proposal: &Proposal) -> ToDo {
    match proposal {
        Proposal::Reply(_) if !caller.may(Action::Publish, Resource::Case) => {
            ToDo::LeftToOthers("They are owed an answer. Whoever works at the desk gives it.")
        }
        Proposal::Call(_) if !caller.may(Action::Respond, Resource::Case) => {
            ToDo::LeftToOthers("Their answer is ready. Whoever works at the desk calls them.")
        }
        Proposal::Reply(proposed) => ToDo::Reply(reply(app, case, proposed)),
        Proposal::Call(words) => ToDo::Call(words.clone()),
    }
}

fn reply(app: &App, case: &Case, proposed: &Proposed) -> Reply {
    let note = match (
        proposed.origin,
        answers::delivery_of(case, Mail::to_customers(&app.settings)),
    ) {
        (_, Delivery::Email) | (Origin::Nothing, Delivery::Call) => None,
        (_, Delivery::Call) => Some("No mail goes out: call them and read it to them"),
        (_, Delivery::Page) => Some("No mail goes out: it stands on their own page"),
    };
    let from = match proposed.origin {
        Origin::Draft => "Somebody began this; it is sent as it stands here",
        Origin::Approved => "Drafted from what is approved; add what is personal",
        Origin::Nothing => "Nothing is known yet that could be said for you",
    };
    Reply {
        reader: format!("Public: {} will read this", case.reporter()),
        greeting: greeting(case),
        personal: proposed.personal.clone(),
        words: proposed.common.clone(),
        kind: proposed.kind.as_text(),
        note: note.unwrap_or(from).to_owned(),
    }
}
