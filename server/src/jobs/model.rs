//! The kinds of jobs and how one is described before it is owed.

use jiff::Timestamp;
use serde_json::Value;

/// Every kind of job there is. The slice that owns a kind does it; `app::dispatch` says who.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, store::TextEnum)]
pub enum Kind {
    /// The responders of the present level have not acknowledged in time.
    EscalationDue,
    /// Pages to the people assigned to an incident are to be brought in line with their rules.
    PagesDue,
    /// An acknowledgement has become too old.
    AcknowledgementExpires,
    /// A snooze is over.
    SnoozeEnds,
    /// An incident has been open longer than its service allows.
    AutoResolveDue,
    /// The support hours of a service begin or end, and it wants its quiet incidents urgent then.
    UrgencyChangeDue,
    /// The support hours of a service, or what it does when they begin and end, may have changed.
    SupportHoursChanged,
    /// An alert that was held back because its kind tends to clear by itself.
    PauseEnds,
    /// What was reported while a service opened no incidents is to be looked at again.
    SilenceEnds,
    /// An alert counts as over unless its sender has said it again.
    AlertEnds,
    /// The impact of an incident is to be computed afresh.
    ImpactDue,
    /// The drafts for the audiences of an incident are to be brought up to its facts.
    UpdatesDue,
    /// A promised update is due soon, now, or is late.
    PromiseDue,
    /// An estimate that readers were given ends soon, has ended, or has been left standing.
    EstimateDue,
    /// The status pages that show an incident are to be rendered afresh.
    PagesRender,
    /// The next group of a status page's readers is to be told of an update.
    ReadersDue,
    /// The reporters of an incident's cases are to be drafted an answer.
    AnswersDue,
    /// The cases that came are to be counted, to see whether there are more than usual.
    ReportsCounted,
    /// Which kinds of alerts bring about which is to be learned afresh from the past.
    CausesDue,
    /// A review is to be written from the timeline.
    ReviewDue,
    /// Somebody at the sign-in says that they have forgotten their password.
    PasswordForgotten,
    /// What was promised is compared with what happened, and repaired.
    AuditorDue,
    /// Old rows that nobody needs are to be removed.
    CleanUpDue,
}

/// The subject of a drawing of every status page: something changed that any of them may show.
pub const EVERY_PAGE: &str = "every page";

/// A job as it will be written.
#[derive(Debug, Clone)]
pub struct Owed {
    pub kind: Kind,
    /// What it is about: the id of an incident, a send, a case.
    pub subject: String,
    /// Distinguishes several jobs of one kind about one subject.
    pub part: Option<String>,
    pub payload: Value,
    pub due_at: Timestamp,
    pub when_owed: WhenOwed,
}

/// What happens to the due time when the same job is owed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenOwed {
    /// The earlier of the two counts: for reconcilers that many causes wake.
    KeepEarlier,
    /// The new time counts: for timers that are set anew.
    Replace,
}

impl Owed {
    /// A job for as soon as possible.
    pub fn now(kind: Kind, subject: impl Into<String>, now: Timestamp) -> Self {
        Self {
            kind,
            subject: subject.into(),
            part: None,
            payload: Value::Null,
            due_at: now,
            when_owed: WhenOwed::KeepEarlier,
        }
    }

    /// A job for some time at the latest: if it is owed earlier, that stays.
    pub fn by(kind: Kind, subject: impl Into<String>, due_at: Timestamp) -> Self {
        Self::now(kind, subject, due_at)
    }

    /// A timer: owing it again moves it.
    pub fn at(kind: Kind, subject: impl Into<String>, due_at: Timestamp) -> Self {
        Self {
            when_owed: WhenOwed::Replace,
            ..Self::now(kind, subject, due_at)
        }
    }

    #[must_use]
    pub fn part(mut self, part: impl Into<String>) -> Self {
        self.part = Some(part.into());
        self
    }

    #[must_use]
    pub fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    pub fn unique_key(&self) -> String {
        unique_key(self.kind, &self.subject, self.part.as_deref())
    }
}

pub(super) fn unique_key(kind: Kind, subject: &str, part: Option<&str>) -> String {
    match part {
        Some(part) => format!("{}:{subject}:{part}", kind.as_text()),
        None => format!("{}:{subject}", kind.as_text()),
    }
}

/// A job that has been claimed by this node.
#[derive(Debug, Clone, store::FromRow)]
pub struct Job {
    pub id: String,
    pub kind: Kind,
    pub subject: String,
    #[row(json)]
    pub payload: Value,
    pub generation: i64,
    pub due_at: Timestamp,
    pub attempt: i64,
    /// The node that has it.
    pub leased_by: String,
    /// When it was last owed.
    #[row(column = "created_at")]
    pub owed_at: Timestamp,
}
