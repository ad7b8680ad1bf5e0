//! The rows of cases, and the words they are found by.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::model::{Case, CaseId, Direction, Message, Status};
use super::rules;
use crate::http::Page;
use crate::identifier::earliest_at;
use crate::incidents::IncidentId;
use crate::people::UserId;

/// The newest cases that a search by words looks at.
const MOST_FOUND: i64 = 5_000;
/// Words of one search.
const MOST_WORDS: usize = 12;

const COLUMNS: &str = "c.id, c.number, c.channel, c.external_reference, c.token, c.account_id, c.reporter_name, c.reporter_email,
    c.reporter_telephone, c.location_id, c.touchpoint_id, c.subject, c.text, c.language, c.status, c.owner_id,
    c.incident_id, c.linked_at, c.owed_since, c.recovery, c.first_answer_due_at, c.first_answered_at,
    c.last_told_at, c.created_at, c.updated_at, c.closed_at, a.name AS account_name, a.tier, a.value_per_year,
    a.currency, l.name AS location_name, b.name AS touchpoint_name, u.name AS owner_name,
    i.number AS incident_number, i.title AS incident_title, i.status AS incident_status";

const JOINED: &str = " FROM cases c LEFT JOIN accounts a ON a.id = c.account_id
    LEFT JOIN locations l ON l.id = c.location_id
    LEFT JOIN business_services b ON b.id = c.touchpoint_id
    LEFT JOIN users u ON u.id = c.owner_id
    LEFT JOIN incidents i ON i.id = c.incident_id ";

pub fn find(tx: &mut Tx, id: &CaseId) -> Result<Option<Case>, Error> {
    query!("SELECT ", COLUMNS, JOINED, " WHERE c.id = $id")
        .bind("id", id)
        .rows(tx)
        .map(|mut rows: Vec<Case>| rows.pop())
}

/// The case as it stands, for a transaction that goes by it: it stays so until that ends.
pub fn hold(tx: &mut Tx, id: &CaseId) -> Result<Option<Case>, Error> {
    tx.rows::<(String,)>(
        sql!("SELECT id FROM cases WHERE id = $1 FOR NO KEY UPDATE"),
        params![id],
    )?;
    find(tx, id)
}

/// The case behind a reporter's link.
pub fn find_by_token(tx: &mut Tx, token: &str) -> Result<Option<Case>, Error> {
    query!("SELECT ", COLUMNS, JOINED, " WHERE c.token = $token")
        .bind("token", token)
        .rows(tx)
        .map(|mut rows: Vec<Case>| rows.pop())
}

pub fn find_by_reference(tx: &mut Tx, reference: &str) -> Result<Option<Case>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.external_reference = $reference"
    )
    .bind("reference", reference)
    .rows(tx)
    .map(|mut rows: Vec<Case>| rows.pop())
}

/// What a list of cases is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Words of the customer, the case, its place or its touchpoint, or its number.
    pub words: Option<String>,
    pub number: Option<i64>,
    pub statuses: Vec<Status>,
    pub account_ids: Vec<String>,
    /// Also what stands inside of them.
    pub location_ids: Vec<String>,
    pub touchpoint_ids: Vec<String>,
    pub owner_ids: Vec<String>,
    pub incident_id: Option<String>,
    pub linked: Option<Linked>,
    pub owed: Option<Owed>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    Yes,
    No,
}

/// Whether the reporter still waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    Yes,
    No,
}

const NARROWED: &str = " WHERE true
      {AND c.number = ANY($found)}
      {AND c.number = $number}
      {AND c.status = ANY($statuses)}
      {AND c.account_id = $account}
      {AND c.account_id = ANY($accounts)}
      {AND c.location_id IN (SELECT l1.id FROM locations l1 LEFT JOIN locations l2 ON l2.id = l1.parent_id
          WHERE l1.id = ANY($locations) OR l1.parent_id = ANY($locations) OR l2.parent_id = ANY($locations))}
      {AND c.touchpoint_id = ANY($touchpoints)}
      {AND c.owner_id = ANY($owners)}
      {AND c.incident_id = $incident}
      {linked: AND c.incident_id IS NOT NULL}
      {unlinked: AND c.incident_id IS NULL}
      {owed: AND c.owed_since IS NOT NULL}
      {answered: AND c.owed_since IS NULL}
      {AND c.created_at >= $since AND c.id >= $earliest}
      {AND c.created_at < $until}";

fn narrowed(query: store::Query, sought: &Sought, found: Option<&[i64]>) -> store::Query {
    let some = |list: &[String]| (!list.is_empty()).then(|| Value::texts(list));
    let statuses = (!sought.statuses.is_empty())
        .then(|| Value::texts(sought.statuses.iter().map(super::model::Status::as_text)));
    // Of one customer, the index has the newest first; of several they are sorted.
    let (account, accounts) = match sought.account_ids.as_slice() {
        [only] => (Some(only.as_str()), None),
        several => (None, some(several)),
    };
    let query = query
        .bind_optional("account", account)
        .bind_optional("accounts", accounts)
        .bind_optional("found", found.map(|found| Value::integers(found.iter().copied())))
        .bind_optional("number", sought.number)
        .bind_optional("statuses", statuses)
        .bind_optional("locations", some(&sought.location_ids))
        .bind_optional("touchpoints", some(&sought.touchpoint_ids))
        .bind_optional("owners", some(&sought.owner_ids))
        .bind_optional("incident", sought.incident_id.as_deref())
        .bind_optional("since", sought.since)
        .bind_optional("earliest", sought.since.map(earliest_at))
        .bind_optional("until", sought.until);
    let query = match sought.linked {
        Some(Linked::Yes) => query.with("linked"),
        Some(Linked::No) => query.with("unlinked"),
        None => query,
    };
    match sought.owed {
        Some(Owed::Yes) => query.with("owed"),
        Some(Owed::No) => query.with("answered"),
        None => query,
    }
}

/// A page of cases, the newest first (of those owed an answer, whoever comes first), and how many there are in all if that was asked.
pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<(Vec<Case>, crate::http::Paging), Error> {
    let found = match &sought.words {
        Some(words) => Some(found_by_words(tx, words)?),
        None => None,
    };
    let rows: Vec<Case> = narrowed(
        query!(
            "SELECT ",
            COLUMNS,
            JOINED,
            NARROWED,
            " ORDER BY {first_come: c.owed_order,} c.id {newest: DESC} LIMIT $limit OFFSET $offset"
        ),
        sought,
        found.as_deref(),
    )
    .with(match sought.owed {
        Some(Owed::Yes) => "first_come",
        Some(Owed::No) | None => "newest",
    })
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)?;
    page.finish(rows, || {
        let (count,): (i64,) = narrowed(
            query!(
                "SELECT COUNT(*) FROM (SELECT 1 AS one FROM cases c ",
                NARROWED,
                " {LIMIT $most}) AS counted"
            ),
            sought,
            found.as_deref(),
        )
        .bind_optional("most", page.most_counted())
        .one(tx)?;
        Ok(count)
    })
}

/// How many of these cases are not closed, and how many of those are owed an answer.
pub fn count_open(tx: &mut Tx, sought: &Sought) -> Result<(i64, i64), Error> {
    narrowed(
        query!(
            "SELECT COUNT(*), COUNT(c.owed_since) FROM cases c ",
            NARROWED,
            " AND c.status <> 'closed'"
        ),
        sought,
        None,
    )
    .one(tx)
}

/// Numbers of the cases in which every word occurs, the last one perhaps not yet written to its end.
fn found_by_words(tx: &mut Tx, text: &str) -> Result<Vec<i64>, Error> {
    let number = number_in(text);
    let mut words = rules::words_of(&[Some(text)]);
    words.truncate(MOST_WORDS);
    let mut found: Vec<i64> = number.into_iter().collect();
    if words.is_empty() {
        return Ok(found);
    }
    let pattern = match tx.engine() {
        store::Engine::Sqlite => words
            .iter()
            .map(|word| format!("\"{word}\"*"))
            .collect::<Vec<_>>()
            .join(" AND "),
        store::Engine::Postgres => words
            .iter()
            .map(|word| format!("'{word}':*"))
            .collect::<Vec<_>>()
            .join(" & "),
    };
    let rows: Vec<(i64,)> = tx.rows(
        sql! {
            sqlite: "SELECT rowid FROM case_words WHERE case_words MATCH $1 ORDER BY rowid DESC LIMIT $2",
            postgres: "SELECT number FROM case_words WHERE words @@ CAST(CAST($1 AS TEXT) AS TSQUERY)
                       ORDER BY number DESC LIMIT $2"
        },
        params![pattern, MOST_FOUND],
    )?;
    found.extend(rows.into_iter().map(|(number,)| number));
    Ok(found)
}

/// "C-88213", "c88213" or "88213".
pub fn number_in(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text
        .strip_prefix(['C', 'c'])
        .map_or(text, |rest| rest.trim_start_matches('-'));
    (!digits.is_empty() && digits.bytes().all(|one| one.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// Writes the words of a case anew.
pub fn index_words(tx: &mut Tx, case: &Case) -> Result<(), Error> {
    let words = rules::words_of(&[
        Some(&case.subject),
        Some(&case.text),
        case.reporter_name.as_deref(),
        case.reporter_email.as_deref(),
        case.account_name.as_deref(),
        case.location_name.as_deref(),
        case.touchpoint_name.as_deref(),
        case.external_reference.as_deref(),
    ]);
    tx.execute(
        sql! {
            sqlite: "DELETE FROM case_words WHERE rowid = $1",
            postgres: "DELETE FROM case_words WHERE number = $1"
        },
        params![case.number],
    )?;
    match tx.engine() {
        store::Engine::Sqlite => {
            let text = words.join(" ");
            insert_words(tx, case.number, Value::Text(text))
        }
        store::Engine::Postgres => insert_words(tx, case.number, Value::texts(&words)),
    }
}

fn insert_words(tx: &mut Tx, number: i64, words: Value) -> Result<(), Error> {
    tx.execute(
        sql! {
            sqlite: "INSERT INTO case_words (rowid, words) VALUES ($1, $2)",
            postgres: "INSERT INTO case_words (number, words) VALUES ($1, array_to_tsvector($2))"
        },
        &[Value::Integer(number), words],
    )?;
    Ok(())
}

/// Cases of an incident, the oldest first.
pub fn of_incident(tx: &mut Tx, id: &IncidentId, limit: i64) -> Result<Vec<Case>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.incident_id = $incident ORDER BY c.id LIMIT $limit"
    )
    .bind("incident", id)
    .bind("limit", limit)
    .rows(tx)
}

/// What was reported lately, the newest first.
pub fn reported_since(tx: &mut Tx, since: Timestamp, limit: i64) -> Result<Vec<Case>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.created_at >= $since ORDER BY c.created_at DESC, c.id DESC LIMIT $limit"
    )
    .bind("since", since)
    .bind("limit", limit)
    .rows(tx)
}

/// Cases in steps of time since `from`: the number of the step, and how many.
pub fn by_step(tx: &mut Tx, from: Timestamp, step: std::time::Duration) -> Result<Vec<(i64, i64)>, Error> {
    tx.rows(
        sql!("SELECT (created_at - $1) / $2, COUNT(*) FROM cases WHERE created_at >= $1 GROUP BY 1"),
        params![from, step.as_micros() as i64],
    )
}

/// What the reporters of an incident wrote and where, the latest cases first.
pub fn words_of_incident(
    tx: &mut Tx,
    id: &IncidentId,
    limit: i64,
) -> Result<Vec<(String, Option<String>)>, Error> {
    tx.rows(
        sql!(
            "SELECT c.text, l.name FROM cases c LEFT JOIN locations l ON l.id = c.location_id
             WHERE c.incident_id = $1 ORDER BY c.id DESC LIMIT $2"
        ),
        params![id, limit],
    )
}

/// How many cases are linked to each of several incidents; those without any are left out.
pub fn counts_of(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<(IncidentId, i64)>, Error> {
    tx.rows(
        sql!("SELECT incident_id, COUNT(*) FROM cases WHERE incident_id = ANY($1) GROUP BY incident_id"),
        params![Value::texts(ids.iter().map(IncidentId::as_str))],
    )
}

/// Cases of an owner that are owed an answer, first those who come first, and how many there are.
pub fn owed_by(tx: &mut Tx, owner_id: &UserId, limit: i64) -> Result<(Vec<Case>, i64), Error> {
    let cases = query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.owed_since IS NOT NULL AND c.owner_id = $owner ORDER BY c.owed_order, c.id LIMIT $limit"
    )
    .bind("owner", owner_id)
    .bind("limit", limit)
    .rows(tx)?;
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM cases WHERE owed_since IS NOT NULL AND owner_id = $1"),
        params![owner_id],
    )?;
    Ok((cases, count))
}

/// Who is owed an answer, first those who come first.
pub fn owed(tx: &mut Tx, page: Page, incident_id: Option<&str>) -> Result<Vec<Case>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.owed_since IS NOT NULL {AND c.incident_id = $incident} ORDER BY c.owed_order, c.id
          LIMIT $limit OFFSET $offset"
    )
    .bind_optional("incident", incident_id)
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

/// How many are owed an answer, and how many of them are linked to no incident.
pub fn count_owed(tx: &mut Tx, incident_id: Option<&str>) -> Result<(i64, i64), Error> {
    query!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN c.incident_id IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM cases c WHERE c.owed_since IS NOT NULL {AND c.incident_id = $incident}"
    )
    .bind_optional("incident", incident_id)
    .one(tx)
}

pub fn messages(tx: &mut Tx, id: &CaseId) -> Result<Vec<Message>, Error> {
    tx.rows(
        sql!(
            "SELECT id, case_id, direction, author_name, text, created_at FROM case_messages
             WHERE case_id = $1 ORDER BY id LIMIT 1000"
        ),
        params![id],
    )
}

/// What the reporter, or somebody to the reporter, said last.
pub fn last_said(tx: &mut Tx, id: &CaseId) -> Result<Option<Message>, Error> {
    tx.row(
        sql!(
            "SELECT id, case_id, direction, author_name, text, created_at FROM case_messages
             WHERE case_id = $1 AND direction <> 'inside' ORDER BY id DESC LIMIT 1"
        ),
        params![id],
    )
}

/// How much a reporter has written, to bound it.
pub fn count_messages(tx: &mut Tx, id: &CaseId, direction: Direction) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM case_messages WHERE case_id = $1 AND direction = $2"),
        params![id, direction],
    )?;
    Ok(count)
}

/// Cases of an incident that is over that are owed an answer and for which none is open that says so, the oldest first.
/// What was begun while the incident was open does not.
pub fn without_draft(tx: &mut Tx, id: &IncidentId, limit: i64) -> Result<Vec<Case>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.incident_id = $incident AND c.owed_since IS NOT NULL AND NOT EXISTS (
              SELECT 1 FROM case_answers w WHERE w.case_id = c.id AND w.state IN ('drafted', 'to_call') AND w.kind = 'resolution')
          ORDER BY c.id LIMIT $limit"
    )
    .bind("incident", id)
    .bind("limit", limit)
    .rows(tx)
}

/// Cases of an incident whose reporters were told that it should work again and have said nothing since.
pub fn told_that_it_is_over(tx: &mut Tx, id: &IncidentId, limit: i64) -> Result<Vec<Case>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        JOINED,
        " WHERE c.incident_id = $incident AND c.owed_since IS NULL AND c.status = 'waiting' AND c.recovery = 'asked'
          ORDER BY c.id LIMIT $limit"
    )
    .bind("incident", id)
    .bind("limit", limit)
    .rows(tx)
}

/// How many cases of each of these customers are open, and how many of those are owed an answer.
pub fn open_of_accounts(tx: &mut Tx, ids: &[&str]) -> Result<Vec<(String, i64, i64)>, Error> {
    tx.rows(
        sql!(
            "SELECT account_id, COUNT(*), CAST(SUM(CASE WHEN owed_since IS NOT NULL THEN 1 ELSE 0 END) AS BIGINT)
             FROM cases WHERE account_id = ANY($1) AND status <> 'closed' GROUP BY account_id"
        ),
        params![Value::texts(ids)],
    )
}

/// The newest messages of these cases.
pub fn newest_messages(tx: &mut Tx, ids: &[&str], limit: i64) -> Result<Vec<Message>, Error> {
    tx.rows(
        sql!(
            "SELECT id, case_id, direction, author_name, text, created_at FROM case_messages
             WHERE case_id = ANY($1) ORDER BY created_at DESC, id DESC LIMIT $2"
        ),
        params![Value::texts(ids), limit],
    )
}
