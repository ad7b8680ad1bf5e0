//! When somebody is paged, and how: pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::incidents::IncidentId;
use crate::outbox::{self, Channel, State};
use crate::people::UserId;
use crate::people::model::{ContactKind, ContactMethod, NotificationRule};

/// The longest delay of a rule that is believed: a week.
const LONGEST_DELAY_MINUTES: i64 = 7 * 24 * 60;

/// Where a page goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub channel: Channel,
    pub address: String,
    pub length: Length,
}

/// How much a page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Full,
    /// What broke, and the link.
    Short,
}

impl From<&ContactMethod> for Target {
    fn from(method: &ContactMethod) -> Self {
        Self {
            channel: channel_of(method.kind),
            address: method.address.clone(),
            length: if method.send_short_email {
                Length::Short
            } else {
                Length::Full
            },
        }
    }
}

/// How a page travels to a contact method. What nothing here can carry yet is shown in the outbox.
pub fn channel_of(kind: ContactKind) -> Channel {
    match kind {
        ContactKind::EmailContactMethod => Channel::Email,
        ContactKind::WebhookContactMethod => Channel::Webhook,
        ContactKind::PhoneContactMethod
        | ContactKind::SmsContactMethod
        | ContactKind::WhatsappContactMethod
        | ContactKind::PushNotificationContactMethod => Channel::Outbox,
    }
}

/// Somebody who is to be paged, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub user_id: UserId,
    pub since: Timestamp,
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// They have the incident.
    Assigned,
    /// Somebody asked for their help.
    Requested { message: String },
    /// Nobody has the incident, or nobody who has it could be reached; they own the account.
    LastResort,
}

/// What is known about how somebody can be reached.
#[derive(Debug, Clone)]
pub struct Reachable {
    /// The address they sign in with.
    pub email: String,
    /// Oldest first.
    pub methods: Vec<ContactMethod>,
    /// Those for the incident's urgency.
    pub rules: Vec<NotificationRule>,
}

/// A page and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub key: String,
    pub at: Timestamp,
    pub target: Target,
}

/// What every page of one person for one assignment is named by.
pub fn key_prefix(incident_id: &IncidentId, wanted: &Wanted) -> String {
    let (user_id, since) = (&wanted.user_id, wanted.since.as_microsecond());
    format!("page:{incident_id}:{user_id}:{since}:")
}

/// All pages of one person, past and to come.
pub fn plan(incident_id: &IncidentId, wanted: &Wanted, reachable: &Reachable) -> Vec<Planned> {
    let prefix = key_prefix(incident_id, wanted);
    let mut pages: Vec<Planned> = reachable
        .rules
        .iter()
        .filter_map(|rule| {
            let method = reachable
                .methods
                .iter()
                .find(|method| method.id == rule.contact_method_id)?;
            let minutes = rule.start_delay_in_minutes.clamp(0, LONGEST_DELAY_MINUTES);
            Some(Planned {
                key: format!("{prefix}{}", rule.id),
                at: wanted.since + Duration::from_mins(minutes.unsigned_abs()),
                target: Target::from(method),
            })
        })
        .collect();
    if !pages.iter().any(|page| page.target.channel != Channel::Outbox) {
        pages.extend(fallback(reachable).map(|target| Planned {
            key: format!("{prefix}fallback"),
            at: wanted.since,
            target,
        }));
    }
    pages
}

/// Where every other way has failed: the address somebody signs in with, unless it is among them.
pub fn last_way(
    incident_id: &IncidentId,
    wanted: &Wanted,
    reachable: &Reachable,
    tried: &[Planned],
) -> Option<Planned> {
    let is_tried = tried
        .iter()
        .any(|page| page.target.channel == Channel::Email && page.target.address == reachable.email);
    (!is_tried && !reachable.email.is_empty()).then(|| Planned {
        key: format!("{}last", key_prefix(incident_id, wanted)),
        at: wanted.since,
        target: Target {
            channel: Channel::Email,
            address: reachable.email.clone(),
            length: Length::Full,
        },
    })
}

/// Whether these pages of one person have reached them or still may before long, by what became of each page so far. One that
/// was taken back is owed after all when its time has come; one that nothing carries, such as an SMS, reaches nobody.
pub fn may_reach<'p>(
    pages: &[Planned],
    now: Timestamp,
    became: impl Fn(&str) -> Option<&'p outbox::pages::Page>,
) -> bool {
    let carried = |planned: &&Planned| planned.target.channel != Channel::Outbox;
    pages.iter().filter(carried).any(|planned| {
        let Some(page) = became(&planned.key) else {
            return true;
        };
        match page.state {
            State::Sent | State::Shown => true,
            State::Failed => false,
            State::Owed | State::Sending | State::Cancelled => {
                !outbox::rules::is_slow(planned.at, page.tries(), now)
            }
        }
    })
}

/// The first contact method that can carry a page, or the address somebody signs in with.
fn fallback(reachable: &Reachable) -> Option<Target> {
    let able = reachable
        .methods
        .iter()
        .find(|method| channel_of(method.kind) != Channel::Outbox);
    able.map(Target::from).or_else(|| {
        (!reachable.email.is_empty()).then(|| Target {
            channel: Channel::Email,
            address: reachable.email.clone(),
            length: Length::Full,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::Urgency;

    fn method(kind: ContactKind) -> ContactMethod {
        ContactMethod {
            id: kind.as_text().into(),
            user_id: "QMAYA".into(),
            kind,
            label: "Work".to_owned(),
            address: kind.as_text().to_owned(),
            country_code: None,
            send_short_email: false,
            device_type: None,
            created_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn rule(minutes: i64, kind: ContactKind) -> NotificationRule {
        NotificationRule {
            id: format!("after-{minutes}").into(),
            user_id: "QMAYA".into(),
            contact_method_id: kind.as_text().into(),
            start_delay_in_minutes: minutes,
            urgency: Urgency::High,
        }
    }

    fn planned(methods: Vec<ContactMethod>, rules: Vec<NotificationRule>) -> Vec<(String, i64)> {
        let wanted = Wanted {
            user_id: UserId::from("QMAYA"),
            since: Timestamp::UNIX_EPOCH,
            reason: Reason::Assigned,
        };
        let reachable = Reachable {
            email: "maya@example.org".to_owned(),
            methods,
            rules,
        };
        plan(&IncidentId::from("QINCIDENT"), &wanted, &reachable)
            .into_iter()
            .map(|page| (page.target.address, page.at.as_second() / 60))
            .collect()
    }

    const EMAIL: ContactKind = ContactKind::EmailContactMethod;
    const WEBHOOK: ContactKind = ContactKind::WebhookContactMethod;
    const SMS: ContactKind = ContactKind::SmsContactMethod;

    fn at(minutes: i64, kind: ContactKind) -> (String, i64) {
        (kind.as_text().to_owned(), minutes)
    }

    #[test]
    fn each_rule_is_a_page_at_its_time() {
        let pages = planned(
            vec![method(EMAIL), method(WEBHOOK)],
            vec![rule(0, EMAIL), rule(10, WEBHOOK)],
        );
        assert_eq!(pages, [at(0, EMAIL), at(10, WEBHOOK)]);
    }

    #[test]
    fn a_way_that_nothing_carries_reaches_nobody() {
        let by = |kind: ContactKind| Planned {
            key: kind.as_text().to_owned(),
            at: Timestamp::UNIX_EPOCH,
            target: Target::from(&method(kind)),
        };
        let reaches = |pages: &[Planned]| may_reach(pages, Timestamp::UNIX_EPOCH, |_| None);
        assert!(!reaches(&[by(SMS)]));
        assert!(reaches(&[by(SMS), by(EMAIL)]));
    }

    #[test]
    fn without_rules_the_first_method_is_used_at_once() {
        let pages = planned(vec![method(SMS), method(WEBHOOK), method(EMAIL)], vec![]);
        assert_eq!(pages, [at(0, WEBHOOK)]);
    }

    #[test]
    fn rules_that_nothing_can_carry_do_not_count_as_reaching() {
        let pages = planned(vec![method(SMS), method(EMAIL)], vec![rule(0, SMS)]);
        assert_eq!(pages, [at(0, SMS), at(0, EMAIL)]);
    }

    #[test]
    fn a_rule_whose_method_is_gone_does_not_count_either() {
        let pages = planned(vec![method(EMAIL)], vec![rule(0, WEBHOOK)]);
        assert_eq!(pages, [at(0, EMAIL)]);
    }

    #[test]
    fn without_any_method_the_address_of_the_sign_in_is_used() {
        assert_eq!(planned(vec![], vec![]), [("maya@example.org".to_owned(), 0)]);
    }
}
