//! How the reader is paged: where, in which order, and what becomes of it, explained and ready to be changed.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use store::Tx;

use super::super::typed::Wrong;
use super::outbox::mark_of;
use super::{line, me_forms, own_password, page, row, select, table, title, words};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::console::prelude::{Link, Pick, Reading, Rich};
use crate::console::screens::settings::{Button, Cell, Field, Form, Live, SettingsPart, TableRow, Weight};
use crate::http::{Problem, Query};
use crate::outbox::Channel;
use crate::outbox::model::Send;
use crate::paging::rules::channel_of;
use crate::paging::trial;
use crate::people::model::{ContactKind, ContactMethod, NotificationRule};
use crate::people::store::{contact_methods_of, notification_rules_of};
use crate::people::{Urgency, User};

pub(super) const HERE: &str = "/console/settings/me";
/// Delays that are offered, in minutes.
const DELAYS: [i64; 8] = [0, 1, 2, 5, 10, 15, 30, 60];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(HERE, get(show))
        .merge(me_forms::routes())
        .merge(own_password::routes())
}

/// What is being changed: its form takes the place of the one that adds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Changing {
    method: String,
    rule: String,
}

async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(changing): Query<Changing>,
) -> Result<Response, PageProblem> {
    draw(&app, &visitor, changing, Wrong::default()).await
}

/// The page, with what was wrong with a password that was chosen.
pub(super) async fn draw(
    app: &Arc<App>,
    visitor: &Visitor,
    changing: Changing,
    wrong: Wrong,
) -> Result<Response, PageProblem> {
    let below = "Where pages reach you, when, and what happens if you do not answer.";
    page(
        app,
        visitor,
        "How I am paged",
        below,
        move |tx, reading, caller| {
            let Some(user) = caller.user() else {
                return Ok(Vec::new());
            };
            let mut parts = parts(tx, reading, user, &changing)?;
            parts.push(own_password::form(&wrong));
            Ok(parts)
        },
    )
    .await
}

fn parts(
    tx: &mut Tx,
    reading: &Reading,
    user: &User,
    changing: &Changing,
) -> Result<Vec<SettingsPart>, Problem> {
    let methods = contact_methods_of(tx, &[&user.id])?;
    let mut rules = notification_rules_of(tx, &[&user.id])?;
    rules.sort_by_key(|rule| (rule.urgency.as_text(), rule.start_delay_in_minutes));
    let tried = trial::latest(tx, user, &methods)?;
    Ok(vec![
        SettingsPart::Told {
            title: "What happens".to_owned(),
            lines: what_happens(user, &methods, &rules),
        },
        methods_table(&tried, reading),
        method_form(&methods, changing),
        rules_table(&methods, &rules),
        rule_form(&methods, &rules, changing),
        SettingsPart::Form(Form {
            id: "me",
            title: "About you".to_owned(),
            words: format!("You sign in as {}.", user.email),
            post_to: HERE.to_owned(),
            fields: vec![
                line("name", "Name", "text").filled(user.name.clone()),
                line("time_zone", "Time zone", "text")
                    .filled(user.time_zone.clone())
                    .hint("Such as Europe/London. All times are shown in it."),
            ],
            verb: "Keep it",
            also: Vec::new(),
            back: None,
        }),
    ])
}

fn kind_words(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::EmailContactMethod => "E-mail",
        ContactKind::PhoneContactMethod => "Telephone",
        ContactKind::SmsContactMethod => "SMS",
        ContactKind::WhatsappContactMethod => "WhatsApp",
        ContactKind::PushNotificationContactMethod => "Push",
        ContactKind::WebhookContactMethod => "Webhook",
    }
}

fn urgency_words(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "What is urgent",
        Urgency::Low => "What can wait",
    }
}

fn when(minutes: i64) -> String {
    match minutes {
        0 => "at once".to_owned(),
        minutes => format!("after {minutes} min"),
    }
}

fn is_carried(method: &ContactMethod) -> bool {
    channel_of(method.kind) != Channel::Outbox
}

/// "by e-mail to maya@example.org".
fn by(method: &ContactMethod) -> String {
    let number = method
        .country_code
        .map(|code| format!("+{code} "))
        .unwrap_or_default();
    let kind = kind_words(method.kind);
    let kind = if matches!(
        method.kind,
        ContactKind::EmailContactMethod | ContactKind::WebhookContactMethod
    ) {
        kind.to_lowercase()
    } else {
        kind.to_owned()
    };
    format!("by {kind} to {number}{}", method.address)
}

/// A sentence for each urgency, one for what cannot be carried, and what happens when nobody answers.
fn what_happens(user: &User, methods: &[ContactMethod], rules: &[NotificationRule]) -> Vec<Rich> {
    let mut lines: Vec<Rich> = [Urgency::High, Urgency::Low]
        .into_iter()
        .map(|urgency| {
            let steps: Vec<(i64, &ContactMethod)> = rules
                .iter()
                .filter(|rule| rule.urgency == urgency)
                .filter_map(|rule| {
                    let method = methods.iter().find(|one| one.id == rule.contact_method_id)?;
                    Some((rule.start_delay_in_minutes, method))
                })
                .collect();
            let head = Rich::default().strong(urgency_words(urgency));
            if !steps.iter().any(|(_, method)| is_carried(method)) {
                let first = methods.iter().find(|method| is_carried(method));
                let instead = first.map_or_else(|| format!("by e-mail to {}", user.email), by);
                return head.then(format!(
                    " has no rule that can reach you, so it is sent at once {instead}."
                ));
            }
            let said: Vec<String> = steps
                .iter()
                .map(|(minutes, method)| format!("{} {}", when(*minutes), by(method)))
                .collect();
            head.then(format!(" is sent {}.", said.join(", then ")))
        })
        .collect();
    lines.push(Rich::plain(
        "It stops as soon as you or somebody else acknowledges. If nobody does, the escalation policy goes on to \
         whoever is next.",
    ));
    if methods.iter().any(|method| !is_carried(method)) {
        lines.push(Rich::plain(
            "Telephone, SMS, WhatsApp and push are kept, but this Muster cannot carry them: such a page is shown in \
             the outbox only.",
        ));
    }
    lines
}

fn methods_table(tried: &[(ContactMethod, Option<Send>)], reading: &Reading) -> SettingsPart {
    let rows: Vec<TableRow> = tried
        .iter()
        .map(|(method, last)| method_row(method, last.as_ref(), tried.len(), reading))
        .collect();
    let columns = vec!["Name", "By", "Last test", ""];
    let empty = "Nothing yet. Pages go to the address you sign in with.";
    match table("Where pages reach you", columns, rows, empty) {
        SettingsPart::Table(mut listed) => {
            listed.live = Some(Live {
                id: "methods",
                topic: "sends",
                from: HERE.to_owned(),
            });
            SettingsPart::Table(listed)
        }
        other => other,
    }
}

fn method_row(method: &ContactMethod, last: Option<&Send>, of: usize, reading: &Reading) -> TableRow {
    let number = method
        .country_code
        .map(|code| format!("+{code} "))
        .unwrap_or_default();
    let tested = match last {
        None => words("never"),
        Some(send) => Cell::StateAt(
            mark_of(send),
            reading.ago(send.sent_at.unwrap_or(send.created_at)),
        ),
    };
    let to = |what: &str| format!("{HERE}/methods/{}/{what}", method.id);
    let mut buttons = vec![
        Button::post("Send a test page", to("test"), Weight::Plain),
        Button::open("Change", format!("{HERE}?method={}#change-method", method.id)),
    ];
    if of > 1 {
        let question = format!("Remove {}? The rules that use it go with it.", method.label);
        buttons.push(Button::post("Remove", to("remove"), Weight::Danger(question)));
    }
    row(
        "method",
        method.id.as_str(),
        vec![
            title(method.label.clone(), format!("{number}{}", method.address)),
            words(kind_words(method.kind)),
            tested,
            Cell::Buttons(buttons),
        ],
    )
}

fn method_form(methods: &[ContactMethod], changing: &Changing) -> SettingsPart {
    let form = match methods
        .iter()
        .find(|method| method.id.as_str() == changing.method)
    {
        Some(method) => Form {
            id: "change-method",
            title: format!("Change {}", method.label),
            words: String::new(),
            post_to: format!("{HERE}/methods/{}", method.id),
            fields: vec![
                line("label", "What you call it", "text").filled(method.label.clone()),
                line("address", "Address", "text").filled(method.address.clone()),
            ],
            verb: "Keep it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", HERE)),
        },
        None => Form {
            id: "add-method",
            title: "Add a way to reach you".to_owned(),
            words: String::new(),
            post_to: format!("{HERE}/methods"),
            fields: vec![
                select(
                    "kind",
                    "How",
                    vec![
                        Pick::new("email_contact_method", "E-mail"),
                        Pick::new(
                            "webhook_contact_method",
                            "Webhook: a signed POST, for a chat or a pager",
                        ),
                    ],
                ),
                line("label", "What you call it", "text")
                    .hint("Work, private, the pager of the night shift."),
                line("address", "Address", "text")
                    .hint("An e-mail address, or one that begins with https://."),
            ],
            verb: "Add it",
            also: Vec::new(),
            back: None,
        },
    };
    SettingsPart::Form(form)
}

fn rules_table(methods: &[ContactMethod], rules: &[NotificationRule]) -> SettingsPart {
    let rows = rules
        .iter()
        .map(|rule| {
            let label = methods
                .iter()
                .find(|method| method.id == rule.contact_method_id)
                .map_or("", |method| &method.label);
            let question = format!(
                "Remove this rule? {} is then not sent {} by {label}.",
                urgency_words(rule.urgency),
                when(rule.start_delay_in_minutes)
            );
            let buttons = vec![
                Button::open("Change", format!("{HERE}?rule={}#change-rule", rule.id)),
                Button::post(
                    "Remove",
                    format!("{HERE}/rules/{}/remove", rule.id),
                    Weight::Danger(question),
                ),
            ];
            row(
                "rule",
                rule.id.as_str(),
                vec![
                    title(urgency_words(rule.urgency), String::new()),
                    words(when(rule.start_delay_in_minutes)),
                    words(label),
                    Cell::Buttons(buttons),
                ],
            )
        })
        .collect();
    let empty = "No rule yet: pages go at once to the first of the places above.";
    table("When", vec!["What", "Is sent", "By", ""], rows, empty)
}

fn rule_form(methods: &[ContactMethod], rules: &[NotificationRule], changing: &Changing) -> SettingsPart {
    let mut delays = DELAYS.to_vec();
    let changed = rules.iter().find(|rule| rule.id.as_str() == changing.rule);
    if let Some(rule) = changed
        && !delays.contains(&rule.start_delay_in_minutes)
    {
        delays.push(rule.start_delay_in_minutes);
        delays.sort_unstable();
    }
    let urgencies = [Urgency::High, Urgency::Low]
        .map(|urgency| Pick::new(urgency.as_text(), urgency_words(urgency)))
        .to_vec();
    let delays = delays
        .into_iter()
        .map(|minutes| Pick::new(minutes.to_string(), when(minutes)))
        .collect();
    let places = methods
        .iter()
        .map(|method| {
            Pick::new(
                method.id.as_str(),
                format!("{}, {}", method.label, method.address),
            )
        })
        .collect();
    let fields: Vec<Field> = vec![
        select("urgency", "What", urgencies),
        select("delay", "Is sent", delays),
        select("by", "By", places),
    ];
    let form = match changed {
        Some(rule) => {
            let [what, delay, by] = [
                rule.urgency.as_text().to_owned(),
                rule.start_delay_in_minutes.to_string(),
                rule.contact_method_id.to_string(),
            ];
            Form {
                id: "change-rule",
                title: "Change a rule".to_owned(),
                words: String::new(),
                post_to: format!("{HERE}/rules/{}", rule.id),
                fields: fields
                    .into_iter()
                    .zip([what, delay, by])
                    .map(|(field, value)| field.filled(value))
                    .collect(),
                verb: "Keep it",
                also: Vec::new(),
                back: Some(Link::new("Leave it as it is", HERE)),
            }
        }
        None => Form {
            id: "add-rule",
            title: "Add a rule".to_owned(),
            words: "A second one, some minutes later and by another way, wakes you when the first did not."
                .to_owned(),
            post_to: format!("{HERE}/rules"),
            fields,
            verb: "Add it",
            also: Vec::new(),
            back: None,
        },
    };
    SettingsPart::Form(form)
}
