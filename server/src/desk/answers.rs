//! Answers: drafted, confirmed by a person, sent, and kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Error, Tx, params, query, sql};
use utoipa::ToSchema;

use super::compose::{self, Facts};
use super::known::{self, KnownIssue, PublicTouchpoint};
use super::zone;
use crate::access::audit::AuditAction;
use crate::cases::actions::{self, Told};
use crate::cases::model::Direction;
use crate::cases::view::private_url;
use crate::cases::{Case, CaseId, store as case_rows};
use crate::http::{Page, Problem, Site};
use crate::incidents::{Incident, IncidentId, Status as IncidentStatus};
use crate::live::CASES;
use crate::outbox::{Channel, Mail, NewSend, Purpose, Recipient, SECRET_LINK, SendId};
use crate::people::UserId;
use crate::timeline::{Change, Kind as EntryKind, NewEntry};
use crate::words::{Approval, InternalText, PublicText};

crate::identifier! {
    /// One answer to one reporter.
    AnswerId
}

/// What an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnswerKind)]
pub enum Kind {
    /// The incident is open: we know, and when we speak again.
    Progress,
    /// The incident is over: does it work for you?
    Resolution,
    /// The case has no incident.
    Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnswerState)]
pub enum State {
    /// Waits for a person to confirm it.
    Drafted,
    /// Confirmed; the reporter can only be called, and nobody has yet.
    ToCall,
    Sent,
    /// No longer right: the incident opened again, or the case left it.
    Withdrawn,
}

/// How the reporter gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Email,
    Call,
    /// On the reporter's own page only: they left no address, or no mail can be sent.
    Page,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Answer {
    pub id: AnswerId,
    pub case_id: CaseId,
    pub incident_id: Option<IncidentId>,
    pub kind: Kind,
    pub state: State,
    pub common_part: InternalText,
    pub personal_part: Option<InternalText>,
    pub delivery: Option<Delivery>,
    pub send_id: Option<SendId>,
    pub drafted_at: Timestamp,
    pub confirmed_by: Option<UserId>,
    pub confirmed_at: Option<Timestamp>,
    pub told_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "w.id, w.case_id, w.incident_id, w.kind, w.state, w.common_part, w.personal_part, w.delivery, w.send_id,
    w.drafted_at, w.confirmed_by, w.confirmed_at, w.told_at";

/// The answer of a case that has not been given yet.
pub fn open_answer(tx: &mut Tx, case_id: &CaseId) -> Result<Option<Answer>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM case_answers w WHERE w.case_id = $case AND w.state IN ('drafted', 'to_call')"
    )
    .bind("case", case_id)
    .rows(tx)
    .map(|mut rows: Vec<Answer>| rows.pop())
}

/// Answers of many cases that have not been given yet.
pub fn open_answers(tx: &mut Tx, case_ids: &[&str]) -> Result<Vec<Answer>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM case_answers w WHERE w.case_id = ANY($cases) AND w.state IN ('drafted', 'to_call')"
    )
    .bind("cases", store::Value::texts(case_ids))
    .rows(tx)
}

/// Answers of an incident's cases, by the order in which their reporters are owed.
pub fn of_incident(tx: &mut Tx, id: &IncidentId, page: Page) -> Result<Vec<Answer>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM case_answers w JOIN cases c ON c.id = w.case_id WHERE w.incident_id = $incident AND w.state <> 'withdrawn'
          ORDER BY CASE w.state WHEN 'sent' THEN 1 ELSE 0 END, c.owed_order, w.id LIMIT $limit OFFSET $offset"
    )
    .bind("incident", id)
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_of_incident(tx: &mut Tx, id: &IncidentId) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM case_answers WHERE incident_id = $1 AND state <> 'withdrawn'"),
        params![id],
    )?;
    Ok(count)
}

/// Cases of an incident whose drafted answer waits to be confirmed, first those who come first.
pub fn drafted_cases(tx: &mut Tx, id: &IncidentId, limit: i64) -> Result<Vec<CaseId>, Error> {
    let rows: Vec<(CaseId,)> = tx.rows(
        sql!(
            "SELECT w.case_id FROM case_answers w JOIN cases c ON c.id = w.case_id
             WHERE w.incident_id = $1 AND w.state = 'drafted' ORDER BY c.owed_order, c.id LIMIT $2"
        ),
        params![id, limit],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many drafted answers wait to be confirmed, over all incidents that are over. What an agent began to write to one
/// reporter is not among them.
pub fn count_drafted(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!(
            "SELECT COUNT(*) FROM case_answers w JOIN cases c ON c.id = w.case_id AND c.incident_id = w.incident_id
             JOIN incidents i ON i.id = w.incident_id
             WHERE w.state = 'drafted' AND w.kind = 'resolution' AND i.status = 'resolved'"
        ),
        params![],
    )?;
    Ok(count)
}

/// Incidents that are over and whose reporters' answers wait to be confirmed.
pub fn incidents_with_drafts(tx: &mut Tx) -> Result<Vec<IncidentId>, Error> {
    let rows: Vec<(IncidentId,)> = tx.rows(
        sql!(
            "SELECT DISTINCT w.incident_id FROM case_answers w JOIN incidents i ON i.id = w.incident_id
             WHERE w.state = 'drafted' AND w.kind = 'resolution' AND i.status = 'resolved'
             ORDER BY w.incident_id LIMIT 1000"
        ),
        params![],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The answer that was given last, if that was after `since`.
fn given_since(tx: &mut Tx, case_id: &CaseId, since: Timestamp) -> Result<Option<Answer>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM case_answers w WHERE w.case_id = $case AND w.state IN ('sent', 'to_call') AND w.confirmed_at > $since
          ORDER BY w.confirmed_at DESC, w.id DESC LIMIT 1"
    )
    .bind("case", case_id)
    .bind("since", since)
    .rows(tx)
    .map(|mut rows: Vec<Answer>| rows.pop())
}

/// The kind that fits a case as it stands.
pub fn fitting_kind(case: &Case) -> Kind {
    match case.incident_status {
        None => Kind::Reply,
        Some(IncidentStatus::Resolved) => Kind::Resolution,
        Some(IncidentStatus::Triggered | IncidentStatus::Acknowledged) => Kind::Progress,
    }
}

/// What the public may know about an incident, or about what is reported without one. It is the same for all cases of an
/// incident, so it is read once for all of them.
pub struct About {
    incident: Option<Incident>,
    touchpoints: Vec<PublicTouchpoint>,
    /// The touchpoint that the incident hurts most.
    hurt_most: Option<String>,
    issue: Option<KnownIssue>,
}

impl About {
    /// # Errors
    /// When the database cannot be read.
    pub fn read(tx: &mut Tx, incident_id: Option<&IncidentId>) -> Result<Self, Problem> {
        let incident = match incident_id {
            Some(id) => crate::incidents::store::find(tx, id)?,
            None => None,
        };
        let touchpoints = known::touchpoints(tx)?;
        let Some(known) = &incident else {
            return Ok(Self {
                incident,
                touchpoints,
                hurt_most: None,
                issue: None,
            });
        };
        let stored = crate::impact::store::find(tx, &known.id)?;
        let impact = crate::impact::store::current(tx, known, stored.as_ref())?;
        Ok(Self {
            hurt_most: impact.touchpoints.into_iter().next().map(|one| one.id),
            issue: known::of(tx, std::slice::from_ref(&known.id))?.pop(),
            incident,
            touchpoints,
        })
    }

    /// In the reporter's time, about the touchpoint that they named or else the one that is hurt most.
    fn for_reporter(&self, tx: &mut Tx, case: &Case) -> Result<Facts, Problem> {
        let own = case.touchpoint_id.as_ref().map(AsRef::<str>::as_ref);
        let id = own.or(self.hurt_most.as_deref());
        let touchpoint = self.touchpoints.iter().find(|one| Some(one.id.as_str()) == id);
        let (words_now, next_update_by) = match &self.issue {
            Some(issue) => (Some(issue.words_to_say.clone()), issue.next_update_by),
            None => (touchpoint.and_then(|one| one.words_to_say.clone()), None),
        };
        Ok(Facts {
            reporter_name: case.reporter_name.clone(),
            touchpoint: touchpoint.map(|one| one.name.clone()),
            reported_at: case.created_at,
            resolved_at: self.incident.as_ref().and_then(|incident| incident.resolved_at),
            words_now,
            next_update_by,
            time_zone: zone::of_case(tx, case)?,
        })
    }
}

/// What would be answered as everything stands now.
pub fn proposed(tx: &mut Tx, case: &Case, kind: Kind) -> Result<InternalText, Problem> {
    let about = About::read(tx, case.incident_id.as_ref())?;
    compose::common_part(kind, &about.for_reporter(tx, case)?)
}

/// Keeps a draft of this kind for a case, if it has none that is open.
pub fn draft(change: &mut Change, case: &Case, kind: Kind) -> Result<Answer, Problem> {
    match open_answer(change.tx, &case.id)? {
        Some(open) if open.kind == kind => Ok(open),
        open => {
            let about = About::read(change.tx, case.incident_id.as_ref())?;
            draft_anew(change, case, kind, &about, open)
        }
    }
}

/// As [`draft`], for one of many cases of an incident.
pub fn draft_about(change: &mut Change, case: &Case, kind: Kind, about: &About) -> Result<Answer, Problem> {
    match open_answer(change.tx, &case.id)? {
        Some(open) if open.kind == kind => Ok(open),
        open => draft_anew(change, case, kind, about, open),
    }
}

/// What was begun while something else was to be told is overtaken; the agent's own part goes on.
fn draft_anew(
    change: &mut Change,
    case: &Case,
    kind: Kind,
    about: &About,
    overtaken: Option<Answer>,
) -> Result<Answer, Problem> {
    if let Some(overtaken) = &overtaken {
        change.tx.execute_one(
            sql!("UPDATE case_answers SET state = 'withdrawn' WHERE id = $1"),
            params![&overtaken.id],
        )?;
    }
    let facts = about.for_reporter(change.tx, case)?;
    let words = compose::common_part(kind, &facts)?;
    let personal = overtaken.and_then(|overtaken| overtaken.personal_part);
    let id: AnswerId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO case_answers (id, case_id, incident_id, kind, state, common_part, personal_part, drafted_at)
             VALUES ($1, $2, $3, $4, 'drafted', $5, $6, $7)"
        ),
        params![
            &id,
            &case.id,
            case.incident_id.as_ref(),
            kind,
            &words,
            personal.as_ref(),
            change.now
        ],
    )?;
    open_answer(change.tx, &case.id)?.ok_or_else(|| Problem::not_found("The answer"))
}

/// Keeps the agent's own part with the draft, for when it is sent.
pub fn keep_personal_part(
    change: &mut Change,
    case: &Case,
    personal: Option<&InternalText>,
) -> Result<Answer, Problem> {
    let answer = draft(change, case, fitting_kind(case))?;
    change.tx.execute_one(
        sql!("UPDATE case_answers SET personal_part = $2 WHERE id = $1"),
        params![&answer.id, personal],
    )?;
    change.touch(CASES);
    actions::note(
        change,
        AuditAction::Update,
        case,
        json!({ "personal_part": "kept" }),
    );
    Ok(Answer {
        personal_part: personal.cloned(),
        ..answer
    })
}

/// Takes back the drafts of cases that they are no longer right for.
pub fn withdraw_drafts(change: &mut Change, incident_id: &IncidentId) -> Result<u64, Error> {
    let withdrawn = change.tx.execute(
        sql!(
            "UPDATE case_answers SET state = 'withdrawn' WHERE incident_id = $1 AND state IN ('drafted', 'to_call')
             AND kind = 'resolution'"
        ),
        params![incident_id],
    )?;
    if withdrawn > 0 {
        change.touch(CASES);
    }
    Ok(withdrawn)
}

/// What an agent confirms.
#[derive(Debug, Clone, Default)]
pub struct Confirmed {
    /// The kind that fits unless told.
    pub kind: Option<Kind>,
    pub personal_part: PersonalPart,
    /// Instead of the drafted common part.
    pub text: Option<InternalText>,
}

/// What an agent says of their own part.
#[derive(Debug, Clone, Default)]
pub enum PersonalPart {
    /// What was kept with the draft, if anything was.
    #[default]
    AsKept,
    /// Exactly this, or none.
    Exactly(Option<InternalText>),
}

impl PersonalPart {
    fn over(&self, kept: Option<&InternalText>) -> Option<InternalText> {
        match self {
            Self::AsKept => kept.cloned(),
            Self::Exactly(said) => said.clone(),
        }
    }
}

/// Who answers, and what there is to answer with.
#[derive(Debug, Clone)]
pub struct Answering {
    /// Answers for the words.
    pub user_id: UserId,
    pub site: Site,
    pub mail: Mail,
}

/// Whether an answer was given by this request, or by the same one a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    Now,
    Before,
}

/// Sends an answer that a person has read and agreed to. The very same words once more within ten minutes are the
/// answer that was given: a button pressed twice, or two agents with one case.
pub fn confirm(
    change: &mut Change,
    case: &Case,
    confirmed: &Confirmed,
    answering: &Answering,
) -> Result<(Given, Answer), Problem> {
    let kind = confirmed.kind.unwrap_or_else(|| fitting_kind(case));
    if let Some(given) = given_before(change, case, confirmed, kind)? {
        return Ok((Given::Before, given));
    }
    check_kind(case, kind)?;
    let says_nothing = !matches!(confirmed.personal_part, PersonalPart::Exactly(Some(_)));
    if kind == Kind::Reply && confirmed.text.is_none() && says_nothing {
        return Err(Problem::invalid([
            "answer.text: the case is linked to no incident, so say what is to be answered.",
        ]));
    }
    if kind != fitting_kind(case) {
        // What was begun is about the incident; this answer is about something else.
        change.tx.execute(
            sql!("UPDATE case_answers SET state = 'withdrawn' WHERE case_id = $1 AND state IN ('drafted', 'to_call') AND kind <> $2"),
            params![&case.id, kind],
        )?;
    }
    let answer = draft(change, case, kind)?;
    if answer.state == State::ToCall {
        return Ok((Given::Before, answer));
    }
    let common = confirmed.text.as_ref().unwrap_or(&answer.common_part).clone();
    let personal = confirmed.personal_part.over(answer.personal_part.as_ref());
    let whole = compose::whole(
        case,
        personal.as_ref().map(InternalText::for_insiders),
        common.for_insiders(),
    );
    let words = PublicText::approve(&whole, &Approval::by_person(&answering.user_id, change.now));
    let delivery = delivery_of(case, answering.mail);
    let send_id = match delivery {
        Delivery::Email => Some(send(change, case, &answer.id, kind, &words, &answering.site)?),
        Delivery::Call | Delivery::Page => None,
    };
    let state = match delivery {
        Delivery::Call => State::ToCall,
        Delivery::Email | Delivery::Page => State::Sent,
    };
    let told_at = (state == State::Sent).then_some(change.now);
    change.tx.execute_one(
        sql!(
            "UPDATE case_answers SET state = $2, common_part = $3, personal_part = $4, delivery = $5, send_id = $6,
                 confirmed_by = $7, confirmed_at = $8, told_at = $9 WHERE id = $1"
        ),
        params![
            &answer.id,
            state,
            &common,
            personal.as_ref(),
            delivery,
            send_id.as_ref(),
            &answering.user_id,
            change.now,
            told_at
        ],
    )?;
    show(change, case, &words)?;
    if state == State::Sent {
        tell(change, case, kind)?;
    }
    change.touch(CASES);
    let given = Answer {
        state,
        common_part: common,
        personal_part: personal,
        delivery: Some(delivery),
        send_id,
        confirmed_by: Some(answering.user_id.clone()),
        confirmed_at: Some(change.now),
        told_at,
        ..answer
    };
    Ok((Given::Now, given))
}

/// The answer that was just given, if what is confirmed now says the same and the reporter has said nothing since.
fn given_before(
    change: &mut Change,
    case: &Case,
    confirmed: &Confirmed,
    kind: Kind,
) -> Result<Option<Answer>, Problem> {
    let since = change.now - actions::SAID_AGAIN;
    let Some(given) = given_since(change.tx, &case.id, since)?.filter(|given| given.kind == kind) else {
        return Ok(None);
    };
    let last = case_rows::last_said(change.tx, &case.id)?;
    if last.is_some_and(|last| last.direction == Direction::In) {
        return Ok(None);
    }
    if let Some(open) = open_answer(change.tx, &case.id)?.filter(|open| open.state == State::Drafted) {
        let personal = confirmed.personal_part.over(open.personal_part.as_ref());
        let is_same = open.kind == kind
            && confirmed.text.as_ref().unwrap_or(&open.common_part) == &given.common_part
            && personal == given.personal_part;
        return Ok(is_same.then_some(given));
    }
    let common = match &confirmed.text {
        Some(text) => text.clone(),
        None if kind == Kind::Reply => given.common_part.clone(),
        None => proposed(change.tx, case, kind)?,
    };
    // What was kept with a draft went out with it: whoever confirms the draft again means that, too.
    let personal = confirmed.personal_part.over(given.personal_part.as_ref());
    let is_same = common == given.common_part && personal == given.personal_part;
    Ok(is_same.then_some(given))
}

fn check_kind(case: &Case, kind: Kind) -> Result<(), Problem> {
    match (kind, case.incident_status) {
        (Kind::Reply, _)
        | (Kind::Progress, Some(IncidentStatus::Triggered | IncidentStatus::Acknowledged))
        | (Kind::Resolution, Some(IncidentStatus::Resolved)) => Ok(()),
        (Kind::Progress, _) => Err(Problem::invalid([
            "answer.kind: progress is for a case whose incident is open.",
        ])),
        (Kind::Resolution, _) => Err(Problem::invalid([
            "answer.kind: resolution is for a case whose incident is resolved.",
        ])),
    }
}

/// How the reporter would get an answer. Without a mail server nothing goes out by mail, so nobody counts as told by it.
pub fn delivery_of(case: &Case, mail: Mail) -> Delivery {
    match (&case.reporter_email, mail, &case.reporter_telephone) {
        (Some(_), Mail::Configured, _) => Delivery::Email,
        (_, _, Some(_)) => Delivery::Call,
        (_, _, None) => Delivery::Page,
    }
}

/// Public words only: nothing else can be handed to a reporter.
fn send(
    change: &mut Change,
    case: &Case,
    answer_id: &AnswerId,
    kind: Kind,
    words: &PublicText,
    site: &Site,
) -> Result<SendId, Problem> {
    let recipient = Recipient {
        name: case.reporter().to_owned(),
        address: case.reporter_email.clone().unwrap_or_default(),
        user_id: None,
    };
    let subject = format!("Your report {}: {}", case.label(), case.subject);
    let ask = match kind {
        Kind::Resolution => "Say whether it works, or write back:",
        Kind::Progress | Kind::Reply => "Read this again, or write back:",
    };
    let mut mail = NewSend::new(
        Purpose::Answer,
        Channel::Email,
        recipient,
        format!("answer:{answer_id}"),
        change.now,
    )
    .words(subject, format!("{words}\n\n{ask} {SECRET_LINK}\n"))
    .secret_link(private_url(case, site));
    mail.incident_id.clone_from(&case.incident_id);
    Ok(crate::outbox::owe(change, &mail)?)
}

/// Puts the words on the reporter's own page.
fn show(change: &mut Change, case: &Case, words: &PublicText) -> Result<(), Problem> {
    actions::add_message(change, &case.id, Direction::Out, words.as_str())?;
    Ok(())
}

/// The reporter has been told: the case and its incident remember.
fn tell(change: &mut Change, case: &Case, kind: Kind) -> Result<(), Problem> {
    let told = match kind {
        Kind::Progress => Told::Progress,
        Kind::Resolution => Told::AskedAboutRecovery,
        Kind::Reply => Told::Answered,
    };
    // A reply never settles what a linked case is owed.
    let told = if kind == Kind::Reply && case.incident_id.is_some() {
        Told::Progress
    } else {
        told
    };
    actions::note_told(change, &case.id, told, change.now)
}

/// Writes on the incident's timeline that reporters were answered.
pub(super) fn record_sent(
    change: &mut Change,
    incident_id: &IncidentId,
    kind: Kind,
    cases: &[String],
) -> Result<(), Problem> {
    if cases.is_empty() {
        return Ok(());
    }
    let who = match cases {
        [one] => one.clone(),
        many => format!("{} reporters", many.len()),
    };
    let text = format!("{} answered {who}", change.agent.name);
    change.record(
        NewEntry::new(EntryKind::AnswerSent, incident_id, text)
            .details(json!({ "count": cases.len(), "kind": kind, "cases": cases })),
    )?;
    Ok(())
}

/// Somebody called the reporter and told them.
pub fn called(change: &mut Change, case: &Case) -> Result<Answer, Problem> {
    let answer = open_answer(change.tx, &case.id)?
        .filter(|answer| answer.state == State::ToCall)
        .ok_or_else(|| Problem::invalid(["The case has no confirmed answer that waits for a call."]))?;
    change.tx.execute_one(
        sql!("UPDATE case_answers SET state = 'sent', told_at = $2 WHERE id = $1"),
        params![&answer.id, change.now],
    )?;
    tell(change, case, answer.kind)?;
    if let Some(incident_id) = &case.incident_id {
        record_sent(change, incident_id, answer.kind, &[case.label()])?;
    }
    actions::note(change, AuditAction::Update, case, json!({ "called": true }));
    Ok(Answer {
        state: State::Sent,
        told_at: Some(change.now),
        ..answer
    })
}
