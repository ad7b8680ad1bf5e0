//! The rows of sends: owing, withdrawing, claiming, recording.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use store::{Error, Tx, Value, params, query, sql};

use super::links;
use super::model::{Attempt, Channel, Claimed, HeaderName, NewSend, Purpose, Send, SendId, State};
use super::pages;
use super::rules::{self, Delivery, Next, Standing};
use crate::access::token;
use crate::http::listing::Page;
use crate::identifier::earliest_at;
use crate::live::SENDS;
use crate::timeline::IncidentId;
use crate::timeline::{Change, Kind, NewEntry};

/// How long a claim lasts. Longer than the longest time a claimed message can wait and be handed over;
/// see `sender`.
pub const LEASE: Duration = Duration::from_mins(1);

/// Pages that somebody has on their way before further ones let those of others go first.
const PAGES_AT_ONCE: i64 = 20;

const LONGEST_SUBJECT: usize = 250;
const LONGEST_BODY: usize = 200_000;
const LONGEST_DETAIL: usize = 500;

/// What a message says, as it is kept.
struct Words {
    subject: String,
    body: String,
    html: Option<String>,
    headers: serde_json::Value,
    content_hash: String,
}

impl Words {
    fn of(send: &NewSend) -> Self {
        let subject = one_line(&send.subject, LONGEST_SUBJECT);
        let body = plain(&send.body);
        let html = send.html.as_deref().map(plain);
        let headers: Vec<(HeaderName, String)> = send
            .headers
            .iter()
            .map(|(name, value)| (*name, one_line(value, 2_000)))
            .collect();
        let content_hash = token::hash(&json!([subject, body, html, headers]).to_string());
        Self {
            headers: json!(headers),
            subject,
            body,
            html,
            content_hash,
        }
    }
}

/// Owes a message in the transaction of whatever gives the reason for it. The same idempotency key is the
/// same promise: owed again, it keeps its first words.
pub fn owe(change: &mut Change, send: &NewSend) -> Result<SendId, Error> {
    let id: SendId = change.identifier();
    let Words {
        subject,
        body,
        html,
        headers,
        content_hash,
    } = Words::of(send);
    let state = match send.channel {
        Channel::Outbox => State::Shown,
        Channel::Email | Channel::Webhook => State::Owed,
    };
    let link = links::sealed(change.vault, &id, send.secret_link.as_deref())?;
    let priority = priority(change.tx, send)?;
    let added = change.tx.execute(
        sql!(
            "INSERT INTO sends (id, idempotency_key, purpose, channel, priority, address, recipient_name, user_id,
                 incident_id, subject, body, html, headers, secret_link, content_hash, state, attempts, created_at,
                 wanted_at, due_at, deadline_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, $17, $18, $18, $19)
             ON CONFLICT (idempotency_key) DO NOTHING"
        ),
        params![
            &id,
            &send.idempotency_key,
            send.purpose,
            send.channel,
            priority,
            one_line(&send.recipient.address, 2_000),
            one_line(&send.recipient.name, 255),
            send.recipient.user_id.as_ref(),
            send.incident_id.as_ref(),
            subject,
            body,
            html,
            headers,
            link,
            content_hash,
            state,
            change.now,
            send.due_at,
            send.due_at.max(change.now) + send.purpose.deadline()
        ],
    )?;
    if added == 0 {
        let (id,): (SendId,) = change.tx.one(
            sql!("SELECT id FROM sends WHERE idempotency_key = $1"),
            params![&send.idempotency_key],
        )?;
        return Ok(id);
    }
    if send.channel == Channel::Outbox
        && let (Purpose::Page, Some(incident_id)) = (send.purpose, &send.incident_id)
    {
        let text = format!(
            "The page for {} is shown in the outbox only; nothing is configured that could carry it.",
            send.recipient.name
        );
        let entry = NewEntry::new(Kind::PageSent, incident_id, text).details(pages::details(
            &id,
            send.recipient.user_id.as_ref(),
            send.channel,
            State::Shown,
        ));
        change.record(entry)?;
    }
    change.touch(SENDS);
    Ok(id)
}

/// A storm on one service must not keep the page of another waiting: whoever has many pages on their way gets further
/// ones after everybody else's.
fn priority(tx: &mut Tx, send: &NewSend) -> Result<i64, Error> {
    let own = send.purpose.priority();
    let (Purpose::Page, Some(user_id)) = (send.purpose, &send.recipient.user_id) else {
        return Ok(own);
    };
    let (on_their_way,): (i64,) = tx.one(
        sql!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM sends
                                   WHERE user_id = $1 AND state IN ('owed', 'sending') AND purpose = 'page' LIMIT $2) few"
        ),
        params![user_id, PAGES_AT_ONCE],
    )?;
    Ok(if on_their_way < PAGES_AT_ONCE {
        own
    } else {
        own + 1
    })
}

/// Takes back messages that are not wanted any more. One that is under way just now may still arrive, but
/// is not tried again.
pub fn cancel(change: &mut Change, ids: &[SendId]) -> Result<u64, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let cancelled = change.tx.execute(
        sql!(
            "UPDATE sends SET withdrawn_at = $1,
                 secret_link = CASE WHEN state = 'owed' THEN NULL ELSE secret_link END,
                 state = CASE WHEN state = 'owed' THEN 'cancelled' ELSE state END
             WHERE id = ANY($2) AND state IN ('owed', 'sending') AND withdrawn_at IS NULL"
        ),
        params![change.now, Value::texts(ids.iter().map(SendId::as_str))],
    )?;
    change.touch(SENDS);
    Ok(cancelled)
}

/// Owes a message that was taken back after all: with its words as they are now, and a link of its own. One that is under way
/// just now goes on as it is, and is tried again. False when it was not taken back.
pub fn owe_after_all(change: &mut Change, id: &SendId, send: &NewSend) -> Result<bool, Error> {
    let words = Words::of(send);
    let link = links::sealed(change.vault, id, send.secret_link.as_deref())?;
    let owed = change.tx.execute(
        sql!(
            "UPDATE sends SET state = 'owed', withdrawn_at = NULL, address = $2, subject = $3, body = $4, html = $5,
                 headers = $6, secret_link = $7, content_hash = $8, due_at = $9, deadline_at = $10
             WHERE id = $1 AND state = 'cancelled'"
        ),
        params![
            id,
            one_line(&send.recipient.address, 2_000),
            words.subject,
            words.body,
            words.html,
            words.headers,
            link,
            words.content_hash,
            change.now,
            change.now + send.purpose.deadline()
        ],
    )?;
    let under_way = change.tx.execute(
        sql!(
            "UPDATE sends SET withdrawn_at = NULL
             WHERE id = $1 AND state = 'sending' AND withdrawn_at IS NOT NULL"
        ),
        params![id],
    )?;
    change.touch(SENDS);
    Ok(owed + under_way > 0)
}

/// What a clock that was `ahead` of this one wanted sent goes out as long after now as it was to after then, and what was
/// under way then is free.
pub fn set_back(tx: &mut Tx, now: Timestamp, ahead: Duration) -> Result<(), Error> {
    let microseconds = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
    tx.send(
        sql!(
            "UPDATE sends SET due_at = due_at - $2, wanted_at = wanted_at - $2, deadline_at = deadline_at - $2
             WHERE created_at > $1 AND state IN ('owed', 'sending')"
        ),
        params![now, microseconds],
    )?;
    tx.send(
        sql!("UPDATE sends SET due_at = $1 WHERE state = 'sending' AND due_at > $2"),
        params![now, now + LEASE],
    )
}

/// Claims up to `limit` messages of one channel: each gets an attempt that is under way and a lease.
/// Those whose earlier claim ran out have that attempt marked as unknown.
pub fn claim(tx: &mut Tx, channel: Channel, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, Error> {
    let claimed: Vec<Claimed> = tx.rows(
        sql!(
            "UPDATE sends SET state = 'sending', attempts = attempts + 1, due_at = $3
             WHERE id IN (SELECT id FROM sends
                          WHERE channel = $1 AND state IN ('owed', 'sending') AND due_at <= $2
                            AND withdrawn_at IS NULL
                          ORDER BY priority, due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
             RETURNING id, purpose, channel, address, recipient_name, user_id, incident_id, subject, body, html,
                 headers, secret_link, attempts, created_at, wanted_at, deadline_at"
        ),
        params![channel, now, now + LEASE, limit],
    )?;
    if claimed.is_empty() {
        return Ok(claimed);
    }
    let again = claimed
        .iter()
        .filter(|send| send.attempts > 1)
        .map(|send| send.id.as_str());
    let again = Value::texts(again);
    tx.execute(
        sql!(
            "UPDATE delivery_attempts SET outcome = 'unknown', detail = 'Muster stopped before it heard the answer'
             WHERE send_id = ANY($1) AND outcome = 'under_way'"
        ),
        params![again],
    )?;
    let started: Vec<serde_json::Value> = claimed
        .iter()
        .map(|send| json!({"id": send.id, "number": send.attempts}))
        .collect();
    tx.execute(
        sql! {
            sqlite: "INSERT INTO delivery_attempts (send_id, number, at, outcome, detail, took_milliseconds)
                     SELECT value ->> 'id', CAST(value ->> 'number' AS BIGINT), $2, 'under_way', '', 0 FROM json_each($1)",
            postgres: "INSERT INTO delivery_attempts (send_id, number, at, outcome, detail, took_milliseconds)
                       SELECT value ->> 'id', CAST(value ->> 'number' AS BIGINT), $2, 'under_way', '', 0
                       FROM jsonb_array_elements($1)"
        },
        params![serde_json::Value::Array(started), now],
    )?;
    Ok(claimed)
}

/// The outcome of one attempt, waiting to be recorded.
#[derive(Debug, Clone)]
pub struct Finished {
    pub send: Claimed,
    pub delivery: Delivery,
    pub at: Timestamp,
    pub took: Duration,
}

/// Where a message ended that will not be tried again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub channel: Channel,
    pub purpose: Purpose,
    pub state: State,
    /// From when it ought to have gone out to when it was handed over.
    pub delay: Duration,
}

/// Records a group of outcomes together and returns those that ended.
pub fn record(change: &mut Change, group: &[Finished]) -> Result<Vec<Ended>, Error> {
    let ids = Value::texts(group.iter().map(|one| one.send.id.as_str()));
    let standings: Vec<(SendId, State, i64, Option<Timestamp>)> = change.tx.rows(
        sql!("SELECT id, state, attempts, withdrawn_at FROM sends WHERE id = ANY($1) ORDER BY id FOR UPDATE"),
        params![ids],
    )?;
    let standings: std::collections::HashMap<SendId, Standing> = standings
        .into_iter()
        .map(|(id, state, attempts, withdrawn_at)| {
            let standing = Standing {
                state,
                attempts,
                withdrawn: withdrawn_at.is_some(),
            };
            (id, standing)
        })
        .collect();
    let (mut rows, mut attempts, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for one in group {
        let detail = one_line(one.delivery.detail(), LONGEST_DETAIL);
        attempts.push(json!({
            "id": one.send.id,
            "number": one.send.attempts,
            "outcome": one.delivery.outcome().as_text(),
            "detail": detail,
            "took": i64::try_from(one.took.as_millis()).unwrap_or(i64::MAX),
        }));
        let Some(standing) = standings.get(&one.send.id) else {
            continue;
        };
        let (number, purpose) = (one.send.attempts, one.send.purpose);
        let next = rules::after(
            &one.delivery,
            number,
            *standing,
            purpose,
            one.send.deadline_at,
            one.at,
        );
        let (state, due_at) = match next {
            Next::Unchanged => continue,
            Next::Sent => (State::Sent, one.at),
            Next::Shown => (State::Shown, one.at),
            Next::Failed => (State::Failed, one.at),
            Next::Cancelled => (State::Cancelled, one.at),
            Next::Again { at } => (State::Owed, at),
        };
        rows.push(json!({
            "id": one.send.id,
            "state": state.as_text(),
            "due_at": due_at.as_microsecond(),
            "sent_at": (state == State::Sent).then(|| one.at.as_microsecond()),
            "receipt": (state == State::Sent).then_some(&detail),
            "last_error": (!matches!(state, State::Sent | State::Shown)).then_some(&detail),
        }));
        if state == State::Owed {
            pages::put_off(change, one)?;
        } else {
            ended.push(Ended {
                channel: one.send.channel,
                purpose,
                state,
                delay: Duration::try_from(one.at.duration_since(one.send.wanted_at)).unwrap_or_default(),
            });
            pages::tell_incident(change, one, state, &detail)?;
        }
    }
    update(change.tx, rows, attempts)?;
    change.touch(SENDS);
    Ok(ended)
}

fn update(tx: &mut Tx, rows: Vec<serde_json::Value>, attempts: Vec<serde_json::Value>) -> Result<(), Error> {
    tx.execute(
        sql! {
            sqlite: "UPDATE sends SET
                         state = value ->> 'state',
                         due_at = CAST(value ->> 'due_at' AS BIGINT),
                         sent_at = CAST(value ->> 'sent_at' AS BIGINT),
                         receipt = value ->> 'receipt',
                         last_error = COALESCE(value ->> 'last_error', last_error),
                         secret_link = CASE WHEN value ->> 'state' IN ('sent', 'cancelled') THEN NULL ELSE secret_link END
                     FROM json_each($1) WHERE sends.id = value ->> 'id'",
            postgres: "UPDATE sends SET
                           state = value ->> 'state',
                           due_at = CAST(value ->> 'due_at' AS BIGINT),
                           sent_at = CAST(value ->> 'sent_at' AS BIGINT),
                           receipt = value ->> 'receipt',
                           last_error = COALESCE(value ->> 'last_error', last_error),
                           secret_link = CASE WHEN value ->> 'state' IN ('sent', 'cancelled') THEN NULL ELSE secret_link END
                       FROM jsonb_array_elements($1) WHERE sends.id = value ->> 'id'"
        },
        params![serde_json::Value::Array(rows)],
    )?;
    tx.execute(
        sql! {
            sqlite: "UPDATE delivery_attempts SET
                         outcome = value ->> 'outcome',
                         detail = value ->> 'detail',
                         took_milliseconds = CAST(value ->> 'took' AS BIGINT)
                     FROM json_each($1)
                     WHERE send_id = value ->> 'id' AND number = CAST(value ->> 'number' AS BIGINT)",
            postgres: "UPDATE delivery_attempts SET
                           outcome = value ->> 'outcome',
                           detail = value ->> 'detail',
                           took_milliseconds = CAST(value ->> 'took' AS BIGINT)
                       FROM jsonb_array_elements($1)
                       WHERE send_id = value ->> 'id' AND number = CAST(value ->> 'number' AS BIGINT)"
        },
        params![serde_json::Value::Array(attempts)],
    )?;
    Ok(())
}

/// When the next message of a channel is due.
pub fn next_due(tx: &mut Tx, channel: Channel) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Option<Timestamp>,)> = tx.row(
        sql!(
            "SELECT MIN(due_at) FROM sends
             WHERE channel = $1 AND state IN ('owed', 'sending') AND withdrawn_at IS NULL"
        ),
        params![channel],
    )?;
    Ok(row.and_then(|(due_at,)| due_at))
}

/// Ends messages that were withdrawn while a node had them that has since died.
pub fn sweep_withdrawn(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.execute(
        sql!(
            "UPDATE sends SET state = 'cancelled', secret_link = NULL
             WHERE state IN ('owed', 'sending') AND withdrawn_at IS NOT NULL AND due_at <= $1"
        ),
        params![now],
    )
}

/// Gives a message that failed, or was only shown, another chance from now on. False when it is in
/// another state.
pub fn owe_again(change: &mut Change, send: &Send) -> Result<bool, Error> {
    let changed = change.tx.execute(
        sql!(
            "UPDATE sends SET state = 'owed', due_at = $2, deadline_at = $3, withdrawn_at = NULL
             WHERE id = $1 AND state IN ('failed', 'shown') AND channel <> 'outbox'"
        ),
        params![&send.id, change.now, change.now + send.purpose.deadline()],
    )?;
    change.touch(SENDS);
    Ok(changed == 1)
}

/// Ends a message that failed for good: what it was to say is said in another way, so it cannot be tried again. False when
/// it is in another state.
pub fn give_up(change: &mut Change, id: &SendId) -> Result<bool, Error> {
    let changed = change.tx.execute(
        sql!(
            "UPDATE sends SET state = 'cancelled', withdrawn_at = $2, secret_link = NULL
             WHERE id = $1 AND state = 'failed'"
        ),
        params![id, change.now],
    )?;
    change.touch(SENDS);
    Ok(changed == 1)
}

const COLUMNS: &str = "id, idempotency_key, purpose, channel, address, recipient_name, user_id, incident_id, subject,
    body, html, secret_link, content_hash, state, attempts, created_at, wanted_at, due_at, deadline_at, withdrawn_at,
    sent_at, receipt, last_error";

pub fn find(tx: &mut Tx, id: &SendId) -> Result<Option<Send>, Error> {
    tx.row(sql!("SELECT ", COLUMNS, " FROM sends WHERE id = $1"), params![id])
}

pub fn attempts_of(tx: &mut Tx, id: &SendId) -> Result<Vec<Attempt>, Error> {
    tx.rows(
        sql!(
            "SELECT number, at, outcome, detail, took_milliseconds FROM delivery_attempts
             WHERE send_id = $1 ORDER BY number"
        ),
        params![id],
    )
}

/// What a list of messages may be narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub incident_id: Option<IncidentId>,
    pub user_id: Option<crate::people::UserId>,
    pub states: Vec<State>,
    pub purposes: Vec<Purpose>,
}

/// Messages, the newest first.
pub fn list(tx: &mut Tx, filter: &Filter, page: Page) -> Result<Vec<Send>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM sends WHERE 1 = 1
          {AND incident_id = $incident_id} {AND user_id = $user_id}
          {AND state = ANY($states)} {AND purpose = ANY($purposes)}
          ORDER BY id DESC LIMIT $limit OFFSET $offset"
    )
    .bind_optional("incident_id", filter.incident_id.as_ref())
    .bind_optional("user_id", filter.user_id.as_ref())
    .bind_optional("states", texts(&filter.states, State::as_text))
    .bind_optional("purposes", texts(&filter.purposes, Purpose::as_text))
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, Error> {
    let (count,): (i64,) = query!(
        "SELECT COUNT(*) FROM sends WHERE 1 = 1
          {AND incident_id = $incident_id} {AND user_id = $user_id}
          {AND state = ANY($states)} {AND purpose = ANY($purposes)}"
    )
    .bind_optional("incident_id", filter.incident_id.as_ref())
    .bind_optional("user_id", filter.user_id.as_ref())
    .bind_optional("states", texts(&filter.states, State::as_text))
    .bind_optional("purposes", texts(&filter.purposes, Purpose::as_text))
    .one(tx)?;
    Ok(count)
}

fn texts<T>(values: &[T], as_text: impl Fn(&T) -> &'static str) -> Option<Value> {
    (!values.is_empty()).then(|| Value::texts(values.iter().map(as_text)))
}

/// How many messages are in each state that is still open, for the metrics.
pub fn open_counts(tx: &mut Tx) -> Result<Vec<(Channel, State, i64)>, Error> {
    tx.rows(
        sql!(
            "SELECT channel, state, COUNT(*) FROM sends WHERE state IN ('owed', 'sending')
             GROUP BY channel, state ORDER BY channel, state"
        ),
        params![],
    )
}

/// Messages that wait although they were tried already: their channel may be down.
pub fn count_stuck(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM sends WHERE state IN ('owed', 'sending') AND attempts >= 2 AND withdrawn_at IS NULL"),
        params![],
    )?;
    Ok(count)
}

/// Pages to people about incidents, not those that somebody sends to try how they arrive, in steps of time since `from`: the number of the step, and how many.
pub fn pages_by_step(tx: &mut Tx, from: Timestamp, step: Duration) -> Result<Vec<(i64, i64)>, Error> {
    tx.rows(
        sql!(
            "SELECT (created_at - $1) / $2, COUNT(*) FROM sends
             WHERE id >= $3 AND purpose = 'page' AND incident_id IS NOT NULL AND created_at >= $1 GROUP BY 1"
        ),
        params![from, step.as_micros() as i64, earliest_at(from)],
    )
}

/// One line without control characters, cut at `longest` characters.
fn one_line(text: &str, longest: usize) -> String {
    let line = text
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character });
    line.take(longest).collect::<String>().trim().to_owned()
}

/// Text without control characters other than line ends and tabs, cut to what a message may hold.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control() || matches!(character, '\n' | '\t'))
        .take(LONGEST_BODY)
        .collect()
}

/// Takes the words out of up to `limit` messages to readers outside that were done with by `before`. That each was
/// sent, when, and the hash of what it said stay. Says of how many.
pub fn forget_words(change: &mut Change, before: Timestamp, limit: i64) -> Result<i64, Error> {
    let forgotten = change.tx.execute(
        sql!(
            "UPDATE sends SET body = '', html = NULL WHERE id IN (
                 SELECT id FROM sends WHERE purpose = 'update' AND user_id IS NULL AND body <> '' AND created_at <= $1
                   AND state NOT IN ('owed', 'sending') ORDER BY created_at LIMIT $2)"
        ),
        params![before, limit],
    )?;
    Ok(forgotten as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_can_begin_another() {
        assert_eq!(one_line("a\r\nBcc: b\u{0}\u{85}c", 99), "a  Bcc: b  c");
        assert_eq!(one_line("abcdef", 3), "abc");
    }

    #[test]
    fn bodies_keep_their_lines_and_lose_the_rest() {
        assert_eq!(plain("a\r\n\tb\u{7}\u{0}"), "a\n\tb");
    }
}
