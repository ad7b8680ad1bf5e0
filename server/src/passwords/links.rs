//! Giving links, and setting passwords with them.

use std::time::Duration;

use serde_json::json;
use store::Error;

use super::store as rows;
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{store as access_rows, token};
use crate::http::{Problem, Site};
use crate::jobs::{Kind, Owed};
use crate::outbox::model::{Channel, NewSend, Purpose, Recipient, SECRET_LINK};
use crate::outbox::{self, Mail};
use crate::people::User;
use crate::timeline::{Agent, Change};

const SECRET_LENGTH: usize = 40;
/// Somebody who is impatient gets one mail in this time.
const AGAIN_AFTER: Duration = Duration::from_mins(2);

/// Why somebody was given a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, store::TextEnum)]
pub enum Reason {
    /// They are new.
    Invited,
    /// An admin took their password away.
    Renewed,
    /// They asked for it.
    Forgotten,
}

impl Reason {
    /// How long the link works.
    pub fn lifetime(self) -> Duration {
        let hours = match self {
            Self::Invited | Self::Renewed => 7 * 24,
            Self::Forgotten => 1,
        };
        Duration::from_secs(hours * 3_600)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Invited => (
                "Your sign-in to Muster",
                "you were added to Muster, where incidents are handled. Choose a password here",
            ),
            Self::Renewed => (
                "Choose a new password for Muster",
                "an admin has ended your old password for Muster. Choose a new one here",
            ),
            Self::Forgotten => (
                "Choose a new password for Muster",
                "somebody, probably you, asked for a new password for Muster. Choose it here",
            ),
        }
    }

    fn lasts(self) -> &'static str {
        match self {
            Self::Invited | Self::Renewed => "a week",
            Self::Forgotten => "an hour",
        }
    }
}

/// Gives somebody new their first link, and mails it where there is mail.
pub fn invite(change: &mut Change, site: &Site, user: &User, mail: Mail) -> Result<String, Problem> {
    rows::use_up(change.tx, &user.id, None)?;
    give(change, site, user, Reason::Invited, mail)
}

/// Ends somebody's password and sessions at once, and gives them a link to choose another.
pub fn take_away(change: &mut Change, site: &Site, user: &User, mail: Mail) -> Result<String, Problem> {
    access_rows::remove_password(change.tx, &user.id)?;
    rows::use_up(change.tx, &user.id, None)?;
    give(change, site, user, Reason::Renewed, mail)
}

/// Somebody at the sign-in says that they have forgotten their password. What is done is the same for every address;
/// whether it is known is looked up later, where nobody can measure how long it takes.
pub fn ask_for_another(change: &mut Change, email: &str) -> Result<(), Error> {
    change.owe(&Owed::now(Kind::PasswordForgotten, email, change.now))
}

/// Gives whoever has forgotten their password a link by mail. One who was given one just now waits for it.
pub(super) fn answer_forgotten(change: &mut Change, site: &Site, user: &User) -> Result<(), Problem> {
    let last = rows::last_given(change.tx, &user.id, Reason::Forgotten)?;
    if last.is_some_and(|last| last + AGAIN_AFTER > change.now) {
        return Ok(());
    }
    rows::use_up(change.tx, &user.id, Some(Reason::Forgotten))?;
    give(change, site, user, Reason::Forgotten, Mail::Configured)?;
    let asked = Changed {
        details: json!({ "password": "link sent" }),
        ..Changed::named("user", user.id.as_str(), &user.name)
    };
    audit::record_as(change, Agent::muster(), AuditAction::Update, &asked);
    Ok(())
}

fn give(
    change: &mut Change,
    site: &Site,
    user: &User,
    reason: Reason,
    mail: Mail,
) -> Result<String, Problem> {
    let secret = token::random_token(SECRET_LENGTH);
    rows::insert(change.tx, &secret, user, reason, change.now)?;
    let link = site.url(&format!("/console/password/{secret}"));
    if mail == Mail::Configured {
        let (subject, why) = reason.words();
        let body = format!(
            "Hello {},\n\n{why}: {SECRET_LINK}\n\nThe link works once, for {}. Your sign-in is {}.\n\n\
             If you did not expect this, do nothing and tell whoever runs Muster.\n",
            user.name,
            reason.lasts(),
            user.email,
        );
        let recipient = Recipient {
            name: user.name.clone(),
            address: user.email.clone(),
            user_id: Some(user.id.clone()),
        };
        let key = format!("password-link:{}:{}", user.id, token::hash(&secret));
        let send = NewSend::new(Purpose::SignIn, Channel::Email, recipient, key, change.now)
            .words(subject, body)
            .secret_link(link.clone());
        outbox::owe(change, &send)?;
    }
    Ok(link)
}

/// Sets the password that the holder of a link has chosen, ends every session and uses up every link of theirs. None
/// when the link does not work (any more).
pub fn set_by_link(
    change: &mut Change,
    secret: &str,
    hash: &str,
    remote_address: Option<&str>,
) -> Result<Option<rows::Link>, Error> {
    let Some(link) = rows::find(change.tx, secret, change.now)? else {
        return Ok(None);
    };
    // Two may hold it open at the same moment.
    if !rows::take(change.tx, secret)? {
        return Ok(None);
    }
    access_rows::set_password(change.tx, &link.user_id, hash)?;
    rows::use_up(change.tx, &link.user_id, None)?;
    let set = Changed {
        details: json!({
            "password": "set by link", "reason": link.reason.as_text(), "remote_address": remote_address,
        }),
        ..Changed::named("user", link.user_id.as_str(), &link.user_name)
    };
    let person = Agent::user(link.user_id.as_str(), link.user_name.clone());
    audit::record_as(change, person, AuditAction::Update, &set);
    Ok(Some(link))
}
