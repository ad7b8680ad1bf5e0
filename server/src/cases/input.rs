//! What callers send about cases, checked.

use serde::Deserialize;
use store::Tx;
use utoipa::ToSchema;

use super::actions::Corrected;
use super::model::{Case, Channel, NewCase, OF_A_FORM, Status};
use super::raise::Raise;
use crate::customers::{AccountId, LocationId, accounts, locations};
use crate::http::faults::{LONGEST_NAME, LONGEST_TEXT};
use crate::http::{Faults, Problem, ReferenceInput, Sent};
use crate::incidents::Urgency;
use crate::people::UserId;
use crate::services::BusinessServiceId;

/// Telephone numbers, with room for what people write around them.
const LONGEST_TELEPHONE: usize = 40;

#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateCase {
    pub case: CaseInput,
}

/// A case as it is reported.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CaseInput {
    /// In a few words; the beginning of the text unless told.
    #[serde(default)]
    subject: Option<String>,
    /// What the customer said.
    #[serde(default)]
    text: Option<String>,
    /// `api` or `agent`.
    #[serde(default)]
    channel: Option<Channel>,
    /// The sender's own number; the same one again gives the same case.
    #[serde(default)]
    external_reference: Option<String>,
    #[serde(default)]
    reporter: ReporterInput,
    /// Found by the reporter's e-mail unless told.
    #[serde(default)]
    account: Option<ReferenceInput>,
    #[serde(default)]
    location: Option<ReferenceInput>,
    /// A business service.
    #[serde(default)]
    touchpoint: Option<ReferenceInput>,
    #[serde(default)]
    owner: Option<ReferenceInput>,
    /// Such as `en` or `pt-BR`.
    #[serde(default)]
    language: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ReporterInput {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    telephone: Option<String>,
}

/// What a form or a body said about a report, before it is checked.
#[derive(Debug, Default)]
pub struct Report<'a> {
    pub subject: Option<&'a str>,
    pub text: Option<&'a str>,
    pub name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub telephone: Option<&'a str>,
    pub language: Option<&'a str>,
}

impl Report<'_> {
    /// Checks the words; what it points at is added by the caller.
    pub fn check(&self, field: &str, channel: Channel) -> Result<NewCase, Problem> {
        let mut faults = Faults::new();
        let text = faults.text(&format!("{field}text"), self.text, LONGEST_TEXT);
        let subject = match self.subject.map(str::trim).filter(|subject| !subject.is_empty()) {
            Some(subject) => faults.name(&format!("{field}subject"), Some(subject), LONGEST_NAME),
            None => beginning(&text),
        };
        let name = faults.optional_text(&format!("{field}reporter.name"), self.name, LONGEST_NAME);
        let telephone = faults.optional_text(
            &format!("{field}reporter.telephone"),
            self.telephone,
            LONGEST_TELEPHONE,
        );
        let email = self
            .email
            .filter(|email| !email.trim().is_empty())
            .map(|email| faults.email(&format!("{field}reporter.email"), Some(email)));
        let language = self.language.unwrap_or("en");
        let plain = |one: char| one.is_ascii_alphanumeric() || one == '-';
        if !(2..=16).contains(&language.len()) || !language.chars().all(plain) {
            faults.add(format!(
                "{field}language must be a language tag such as en or pt-BR."
            ));
        }
        faults.done()?;
        Ok(NewCase {
            channel,
            external_reference: None,
            account_id: None,
            reporter_name: name,
            reporter_email: email,
            reporter_telephone: telephone,
            location_id: None,
            touchpoint_id: None,
            subject: one_line(&subject),
            text,
            language: language.to_owned(),
            owner_id: None,
        })
    }
}

impl CaseInput {
    /// Checks everything that can be checked without the database.
    pub fn check(&self, usual: Channel) -> Result<NewCase, Problem> {
        let channel = match self.channel {
            Some(channel @ (Channel::Api | Channel::Agent)) => channel,
            Some(Channel::Form | Channel::LocationForm) => {
                return Err(Problem::invalid(["case.channel must be api or agent."]));
            }
            None => usual,
        };
        let mut new = Report {
            subject: self.subject.as_deref(),
            text: self.text.as_deref(),
            name: self.reporter.name.as_deref(),
            email: self.reporter.email.as_deref(),
            telephone: self.reporter.telephone.as_deref(),
            language: self.language.as_deref(),
        }
        .check("case.", channel)?;
        let mut faults = Faults::new();
        new.external_reference = faults.optional_text(
            "case.external_reference",
            self.external_reference.as_deref(),
            LONGEST_NAME,
        );
        if new
            .external_reference
            .as_deref()
            .is_some_and(|one| one.starts_with(OF_A_FORM))
        {
            faults.add("case.external_reference must not begin with form:.");
        }
        faults.done()?;
        let id = |reference: &Option<ReferenceInput>| reference.as_ref().map(|one| one.id.clone());
        new.account_id = id(&self.account).map(AccountId::from);
        new.location_id = id(&self.location).map(LocationId::from);
        new.touchpoint_id = id(&self.touchpoint).map(BusinessServiceId::from);
        new.owner_id = id(&self.owner).map(UserId::from);
        Ok(new)
    }
}

/// The first words of a text, as a subject.
fn beginning(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    let mut short: String = line.chars().take(80).collect();
    if short.len() < line.len() {
        if let Some(end) = short.rfind(' ') {
            short.truncate(end);
        }
        short.truncate(short.trim_end_matches(['.', ',', ' ']).len());
        short.push('…');
    }
    short
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refuses references to what is not there.
pub fn check_references(
    tx: &mut Tx,
    account: Option<&str>,
    location: Option<&str>,
    touchpoint: Option<&str>,
    owner: Option<&str>,
) -> Result<(), Problem> {
    let mut faults = Faults::new();
    if let Some(id) = account
        && accounts::find(tx, &AccountId::from(id))?.is_none()
    {
        faults.add("case.account was not found.");
    }
    if let Some(id) = location
        && locations::find(tx, &LocationId::from(id))?.is_none()
    {
        faults.add("case.location was not found.");
    }
    if let Some(id) = touchpoint {
        let row: Option<(String,)> = tx.row(
            store::sql!("SELECT id FROM business_services WHERE id = $1 AND deleted_at IS NULL"),
            store::params![id],
        )?;
        if row.is_none() {
            faults.add("case.touchpoint was not found.");
        }
    }
    if let Some(id) = owner
        && crate::people::store::find_user(tx, &UserId::from(id))?
            .is_none_or(|user| user.deleted_at.is_some())
    {
        faults.add("case.owner was not found.");
    }
    faults.done()
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ChangeCase {
    pub case: CaseChange,
}

/// What is to be corrected; what is left out stays, null takes away.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CaseChange {
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    owner: Sent<ReferenceInput>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    account: Sent<ReferenceInput>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    location: Sent<ReferenceInput>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    touchpoint: Sent<ReferenceInput>,
}

impl CaseChange {
    pub fn over(&self, tx: &mut Tx, case: &Case) -> Result<Corrected, Problem> {
        let mut faults = Faults::new();
        let subject = match &self.subject {
            Some(subject) => one_line(&faults.name("case.subject", Some(subject), LONGEST_NAME)),
            None => case.subject.clone(),
        };
        faults.done()?;
        let id = |sent: &Sent<ReferenceInput>| sent.value().map(|one| one.id.clone());
        check_references(
            tx,
            id(&self.account).as_deref(),
            id(&self.location).as_deref(),
            id(&self.touchpoint).as_deref(),
            id(&self.owner).as_deref(),
        )?;
        let over = |sent: &Sent<ReferenceInput>, present: Option<&str>| match sent {
            Sent::Nothing => present.map(str::to_owned),
            Sent::Null => None,
            Sent::Value(reference) => Some(reference.id.clone()),
        };
        Ok(Corrected {
            status: self.status.unwrap_or(case.status),
            owner_id: over(&self.owner, case.owner_id.as_ref().map(UserId::as_str)),
            account_id: over(&self.account, case.account_id.as_ref().map(AccountId::as_str)),
            location_id: over(&self.location, case.location_id.as_ref().map(LocationId::as_str)),
            touchpoint_id: over(
                &self.touchpoint,
                case.touchpoint_id.as_ref().map(BusinessServiceId::as_str),
            ),
            subject,
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct LinkCase {
    pub incident: ReferenceInput,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct RaiseCase {
    #[serde(default)]
    raise: RaiseInput,
}

/// All of it may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
struct RaiseInput {
    /// A technical service; the one nearest below the touchpoint unless told.
    #[serde(default)]
    service: Option<ReferenceInput>,
    /// The case's subject unless told.
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    urgency: Option<Urgency>,
    /// What was tried already.
    #[serde(default)]
    tried: Option<String>,
}

impl RaiseCase {
    pub fn check(&self) -> Result<Raise, Problem> {
        let mut faults = Faults::new();
        let title = self
            .raise
            .title
            .as_ref()
            .map(|title| faults.name("raise.title", Some(title), LONGEST_NAME));
        let tried = faults.optional_text("raise.tried", self.raise.tried.as_deref(), LONGEST_TEXT);
        faults.done()?;
        Ok(Raise {
            service_id: self.raise.service.as_ref().map(|service| service.id.clone()),
            title,
            urgency: self.raise.urgency,
            tried,
        })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct AddNote {
    pub note: NoteInput,
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CaseNoteInput)]
pub struct NoteInput {
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_without_a_subject_gets_its_first_words() {
        let long =
            "The card reader in the shop on Market Street says offline again and again since this morning";
        let report = Report {
            text: Some(long),
            ..Report::default()
        };
        let new = report.check("", Channel::Form).unwrap();
        assert_eq!(
            new.subject,
            "The card reader in the shop on Market Street says offline again and again since…"
        );
    }

    #[test]
    fn every_mistake_of_a_report_is_named() {
        let report = Report {
            text: Some(" "),
            email: Some("nobody"),
            language: Some("<script>"),
            ..Report::default()
        };
        let problem = report.check("case.", Channel::Api).unwrap_err();
        assert_eq!(problem.errors().len(), 3);
        assert_eq!(problem.errors()[0], "case.text can't be blank.");
    }
}
