//! Readers who asked to be told by mail: asked twice, told once for each update, let go by one click.
//!
//! Whoever types an address hears the same answer, whether the address is known, new or already confirmed, so
//! that nobody learns who reads. A mail that asks for confirmation goes out at most once in ten minutes to an
//! address. Tokens are long, random and kept as hashes. A token alone says whose it is: links that were mailed work
//! whatever has become of the page and its address. While a page is private, nobody is written to; a round of mails that was
//! under way goes on when it is public again, if it is soon.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Error, params, sql};

use super::model::{PageSubscriber, PageSubscriberId, StatusPage, StatusPageId, SubscriberState, Visibility};
use super::store as rows;
use crate::access::token;
use crate::http::Site;
use crate::jobs::{Kind as JobKind, Owed};
use crate::outbox::{self, Channel, HeaderName, NewSend, Purpose, Recipient, SECRET_LINK};
use crate::timeline::Change;
use crate::updates::UpdateId;
use crate::updates::store::PublicWord;

const TOKEN_LENGTH: usize = 32;
/// At most one mail that asks for confirmation to an address in this time.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(600);
/// How long a link to confirm can be used.
const CONFIRM_WITHIN: Duration = Duration::from_secs(3 * 24 * 3_600);
/// How soon it is seen that a page is public again whose readers have not all been told.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);

const COLUMNS: &str = "id, page_id, email, state, asked_at";

/// Somebody typed an address. What happens next is known only to the owner of the address.
pub fn ask(change: &mut Change, site: &Site, page: &StatusPage, email: &str) -> Result<(), Error> {
    let known: Option<PageSubscriber> = change.tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM status_page_subscribers WHERE page_id = $1 AND email = $2 FOR UPDATE"
        ),
        params![&page.id, email],
    )?;
    let id = match known {
        Some(known)
            if known.state == SubscriberState::Confirmed || known.asked_at + ASK_AGAIN_AFTER > change.now =>
        {
            return Ok(());
        }
        Some(known) => known.id,
        None => change.identifier(),
    };
    let secret = token::random_token(TOKEN_LENGTH);
    let written = change.tx.execute(
        sql!(
            "INSERT INTO status_page_subscribers (id, page_id, email, state, confirm_token_hash, asked_at)
             VALUES ($1, $2, $3, 'pending', $4, $5)
             ON CONFLICT (page_id, email) DO UPDATE SET
                 confirm_token_hash = excluded.confirm_token_hash, asked_at = excluded.asked_at
             WHERE status_page_subscribers.state = 'pending' AND status_page_subscribers.asked_at <= $6"
        ),
        params![
            &id,
            &page.id,
            email,
            token::hash(&secret),
            change.now,
            change.now - ASK_AGAIN_AFTER
        ],
    )?;
    // Somebody else asked for the same address at the same moment.
    if written == 0 {
        return Ok(());
    }
    let link = site.url(&format!("/status/{}/confirm/{secret}", page.slug));
    let body = format!(
        "Somebody, probably you, asked that this address be told when something changes on the status page of {}.\n\n\
         If that was you, confirm it here: {SECRET_LINK}\n\n\
         If it was not, do nothing. You will not hear from us.\n",
        page.name
    );
    let recipient = Recipient {
        name: String::new(),
        address: email.to_owned(),
        user_id: None,
    };
    let key = format!("status-page-confirm:{id}:{}", change.now.as_microsecond());
    let send = NewSend::new(Purpose::Confirmation, Channel::Email, recipient, key, change.now)
        .words(format!("Confirm: news from {}", page.title()), body)
        .secret_link(link);
    outbox::owe(change, &send)?;
    Ok(())
}

/// The page that a link to confirm is for; None when the link is unknown.
pub fn page_to_confirm(tx: &mut store::Tx, secret: &str) -> Result<Option<StatusPage>, Error> {
    let asked: Option<(StatusPageId,)> = tx.row(
        sql!("SELECT page_id FROM status_page_subscribers WHERE confirm_token_hash = $1"),
        params![token::hash(secret)],
    )?;
    match asked {
        Some((id,)) => rows::find(tx, &id),
        None => Ok(None),
    }
}

/// The link in the mail was followed and the question answered. False when the link is unknown or too old.
pub fn confirm(change: &mut Change, secret: &str) -> Result<bool, Error> {
    let changed = change.tx.execute(
        sql!(
            "UPDATE status_page_subscribers SET state = 'confirmed', confirmed_at = COALESCE(confirmed_at, $2)
             WHERE confirm_token_hash = $1 AND (state = 'confirmed' OR asked_at > $3)"
        ),
        params![token::hash(secret), change.now, change.now - CONFIRM_WITHIN],
    )?;
    Ok(changed > 0)
}

/// Who holds a way out, and of which page.
#[derive(Debug, Clone, store::FromRow)]
pub struct Leaving {
    pub id: PageSubscriberId,
    pub page_id: StatusPageId,
}

/// None when the token is unknown, or its holder is gone already.
pub fn leaving(tx: &mut store::Tx, secret: &str) -> Result<Option<Leaving>, Error> {
    tx.row(
        sql!(
            "SELECT s.id, s.page_id FROM status_page_ways_out w JOIN status_page_subscribers s ON s.id = w.subscriber_id
             WHERE w.token_hash = $1"
        ),
        params![token::hash(secret)],
    )
}

/// One click: whoever holds the token lets the address go for good.
pub fn let_go(change: &mut Change, secret: &str) -> Result<(), Error> {
    if let Some(Leaving { id, .. }) = leaving(change.tx, secret)? {
        change.tx.execute(
            sql!("DELETE FROM status_page_ways_out WHERE subscriber_id = $1"),
            params![&id],
        )?;
        change.tx.execute(
            sql!("DELETE FROM status_page_subscribers WHERE id = $1"),
            params![&id],
        )?;
    }
    Ok(())
}

/// Readers who are told in one transaction. There may be many, and others have to write meanwhile.
const TOLD_AT_ONCE: i64 = 500;

/// Which readers are told next about an update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    update_id: UpdateId,
    /// The last one who has been told.
    after: Option<PageSubscriberId>,
}

/// Owes every confirmed reader a mail about a posted update.
pub fn owe(change: &mut Change, page: &StatusPage, update_id: &UpdateId) -> Result<(), Error> {
    let group = Group {
        update_id: update_id.clone(),
        after: None,
    };
    owe_group(change, &page.id, &group, change.now)
}

fn owe_group(
    change: &mut Change,
    page_id: &StatusPageId,
    group: &Group,
    due_at: Timestamp,
) -> Result<(), Error> {
    let payload = serde_json::to_value(group).map_err(|error| Error::Invalid {
        reason: error.to_string(),
    })?;
    let owed = Owed::at(JobKind::ReadersDue, page_id.as_str(), due_at)
        .part(group.update_id.as_str())
        .payload(payload);
    change.owe(&owed)
}

/// Owes a group of readers their mail, and the next group its turn. The words are public by their type. While the page is
/// private the group waits, for as long as the words are worth sending.
pub fn tell(change: &mut Change, site: &Site, page_id: &StatusPageId, group: &Group) -> Result<(), Error> {
    let Some(page) = rows::find(change.tx, page_id)? else {
        return Ok(());
    };
    let posted = rows::posted(change.tx, page_id, &group.update_id)?;
    let word = crate::updates::store::public_word(change.tx, &group.update_id)?;
    let (Some(incident), Some(word)) = (posted, word) else {
        return Ok(());
    };
    if page.visibility != Visibility::Public {
        if change.now > word.published_at + Purpose::Update.deadline() {
            tracing::warn!(
                page = page_id.as_str(),
                update = word.update_id.as_str(),
                "a status page became private before all its readers were told; the others were not mailed"
            );
            return Ok(());
        }
        return owe_group(change, page_id, group, change.now + LOOK_AGAIN_AFTER);
    }
    let readers: Vec<PageSubscriber> = change.tx.rows(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM status_page_subscribers WHERE page_id = $1 AND state = 'confirmed' AND id > $2 ORDER BY id LIMIT $3"
        ),
        params![
            page_id,
            group.after.as_ref().map_or("", PageSubscriberId::as_str),
            TOLD_AT_ONCE
        ],
    )?;
    let story = site.url(&format!("/status/{}/incidents/{incident}", page.slug));
    for reader in &readers {
        mail(change, site, &page, reader, &word, &story)?;
    }
    match readers.last() {
        Some(last) if readers.len() as i64 == TOLD_AT_ONCE => owe_group(
            change,
            page_id,
            &Group {
                update_id: group.update_id.clone(),
                after: Some(last.id.clone()),
            },
            change.now,
        ),
        _ => Ok(()),
    }
}

fn mail(
    change: &mut Change,
    site: &Site,
    page: &StatusPage,
    reader: &PageSubscriber,
    word: &PublicWord,
    story: &str,
) -> Result<(), Error> {
    let secret = token::random_token(TOKEN_LENGTH);
    change.tx.execute(
        sql!("INSERT INTO status_page_ways_out (token_hash, subscriber_id, created_at) VALUES ($1, $2, $3)"),
        params![token::hash(&secret), &reader.id, change.now],
    )?;
    let way_out = site.url(&format!("/status/{}/unsubscribe/{secret}", page.slug));
    let body = format!(
        "{}\n\nThe whole story: {story}\n\n--\nYou asked to be told by {}. No more of these: {way_out}\n",
        word.public_words, page.name
    );
    let recipient = Recipient {
        name: String::new(),
        address: reader.email.clone(),
        user_id: None,
    };
    let key = format!("status-page:{}:{}:{}", page.id, word.update_id, reader.id);
    let send = NewSend::new(Purpose::Update, Channel::Email, recipient, key, change.now)
        .about(&word.incident_id)
        .words(format!("{}: {}", page.name, word.public_subject), body)
        .header(HeaderName::ListUnsubscribe, format!("<{way_out}>"))
        .header(HeaderName::ListUnsubscribePost, "List-Unsubscribe=One-Click");
    outbox::owe(change, &send)?;
    Ok(())
}

/// How many readers a page has, for the console.
pub fn count(tx: &mut store::Tx, page_id: &StatusPageId) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM status_page_subscribers WHERE page_id = $1 AND state = 'confirmed'"),
        params![page_id],
    )?;
    Ok(count)
}

/// Removes the ways out of mails that are older than `sent_by`. Whoever keeps a mail for so long finds the next one.
pub fn forget_old_ways_out(tx: &mut store::Tx, sent_by: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM status_page_ways_out WHERE created_at <= $1"),
        params![sent_by],
    )?;
    Ok(())
}

/// Removes the addresses that were asked by `asked_by` at the latest and never said yes.
pub fn forget_unanswered(tx: &mut store::Tx, asked_by: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM status_page_subscribers WHERE confirmed_at IS NULL AND asked_at <= $1"),
        params![asked_by],
    )?;
    Ok(())
}
