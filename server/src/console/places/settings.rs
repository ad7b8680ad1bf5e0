//! *Settings*: people, teams, keys, integrations, escalation policies, the outbox, the audit log, health.
//! Lists are read with the reader's rights; what can be done here is what the API does, by the same functions.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::{go_to, situation};
use crate::access::audit::{self, AuditAction, AuditFilter, Changed};
use crate::access::model::{KeyKind, KeyScope};
use crate::access::store::{NewKey, add_key, find_key_row, list_keys, revoke_key};
use crate::access::{Action, ApiKeyId, Caller, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Posted, Visitor, show};
use crate::console::prelude::{
    Choice, Current, Empty, Moment, Pagination, Pick, Place, Reading, Rich, State as Shape, StateMark,
    counted,
};
use crate::console::screens::settings::{
    Cell, Control, Field, Form, Required, Settings, SettingsPart, Table, TableRow, Weight,
};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};

/// Rows of a page of a list.
const ROWS: i64 = 50;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings", get(people))
        .route("/console/settings/teams", get(teams))
        .route("/console/settings/keys", get(keys).post(make_key))
        .route("/console/settings/keys/{id}/revoke", post(revoke))
        .route("/console/settings/integrations", get(integrations))
        .route("/console/settings/escalation-policies", get(policies))
        .route("/console/settings/outbox", get(outbox))
        .route("/console/settings/audit", get(audit_log))
        .route("/console/settings/health", get(health))
        .route("/console/settings/me", get(me))
}

/// The pages of settings: words, address, and what one must be able to see.
const PLACES: [(&str, &str, Resource); 9] = [
    ("People", "/console/settings", Resource::User),
    ("Teams", "/console/settings/teams", Resource::Team),
    (
        "Escalation policies",
        "/console/settings/escalation-policies",
        Resource::EscalationPolicy,
    ),
    (
        "Integrations",
        "/console/settings/integrations",
        Resource::Service,
    ),
    ("Keys", "/console/settings/keys", Resource::OwnProfile),
    ("Outbox", "/console/settings/outbox", Resource::Outbox),
    ("Audit", "/console/settings/audit", Resource::Audit),
    ("How I am paged", "/console/settings/me", Resource::OwnProfile),
    ("Health", "/console/settings/health", Resource::Settings),
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct From {
    from: String,
}

impl From {
    fn page(&self) -> Page {
        Page {
            limit: ROWS,
            offset: self.from.parse().unwrap_or(0).clamp(0, 1_000_000),
            counted: Counted::No,
        }
    }
}

/// Reads the parts of a page together with the situation, and draws it.
async fn page<F>(
    app: &Arc<App>,
    visitor: &Visitor,
    place: &'static str,
    below: &'static str,
    parts: F,
) -> Result<Response, PageProblem>
where
    F: Fn(&mut Tx, &Reading, &Caller) -> Result<Vec<SettingsPart>, Problem> + Send + Sync + 'static,
{
    if let Some((_, _, resource)) = PLACES.iter().find(|(words, _, _)| *words == place) {
        visitor.0.require(Action::View, *resource)?;
    }
    let (reading, caller, now) = (visitor.reading(app), visitor.0.clone(), app.clock.now());
    let (situation, parts) = app
        .read(move |tx| -> Result<_, Problem> {
            Ok((situation::read(tx, &caller, now)?, parts(tx, &reading, &caller)?))
        })
        .await?;
    Ok(show(&Settings {
        frame: visitor.frame(app, Place::Settings, place, situation),
        headline: place.to_owned(),
        below: below.into(),
        places: PLACES
            .iter()
            .filter(|(_, _, resource)| visitor.0.may(Action::View, *resource))
            .map(|(words, to, _)| Choice {
                words: (*words).to_owned(),
                to: (*to).to_owned(),
                current: if *words == place {
                    Current::Yes
                } else {
                    Current::No
                },
            })
            .collect(),
        parts,
    }))
}

fn table(title: &str, columns: Vec<&'static str>, rows: Vec<TableRow>, empty: &'static str) -> SettingsPart {
    SettingsPart::Table(Table {
        title: title.to_owned(),
        note: rows.len().to_string(),
        columns,
        rows,
        empty: Empty {
            title: "Nothing here yet",
            words: empty.into(),
            action: None,
        },
        pagination: None,
    })
}

/// The same for a list that goes on: one row more was read than is shown.
fn long_table(
    title: &str,
    columns: Vec<&'static str>,
    mut rows: Vec<TableRow>,
    (page, address): (Page, &str),
    empty: &'static str,
) -> SettingsPart {
    let more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let turn = |offset: i64| format!("{address}?from={offset}");
    let pagination = Pagination {
        words: format!("{} to {}", page.offset + 1, page.offset + rows.len() as i64),
        earlier: (page.offset > 0).then(|| turn((page.offset - ROWS).max(0))),
        later: more.then(|| turn(page.offset + ROWS)),
    };
    let pagination = (!rows.is_empty()).then_some(pagination);
    SettingsPart::Table(Table {
        title: title.to_owned(),
        note: String::new(),
        columns,
        rows,
        empty: Empty {
            title: "Nothing here yet",
            words: empty.into(),
            action: None,
        },
        pagination,
    })
}

fn row(kind: &str, id: &str, cells: Vec<Cell>) -> TableRow {
    TableRow {
        id: format!("{kind}-{id}"),
        cells,
    }
}

fn title(name: impl Into<String>, below: impl Into<String>) -> Cell {
    Cell::Title {
        link: None,
        name: name.into(),
        below: below.into(),
    }
}

fn words(text: impl Into<String>) -> Cell {
    Cell::Words(Rich::plain(text))
}

async fn people(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    page(&app, &visitor, "People", "Who can sign in, and what they may do.", |tx, reading, _| {
        let found: Vec<(String, String, String, String, Option<Timestamp>)> = tx.rows(
            store::sql!(
                "SELECT u.id, u.name, u.email, u.role, MAX(s.seen_at) FROM users u LEFT JOIN sessions s ON s.user_id = u.id
                 WHERE u.deleted_at IS NULL GROUP BY u.id, u.name, u.email, u.role ORDER BY u.name, u.id LIMIT 1000"
            ),
            store::params![],
        )?;
        let rows = found
            .into_iter()
            .map(|(id, name, email, role, seen)| {
                let seen = seen.map_or(Cell::Nothing, |at| Cell::Moment(reading.ago(at)));
                row("user", &id, vec![title(name, email), words(capitalised(&role)), seen])
            })
            .collect();
        Ok(vec![table("People", vec!["Name", "Role", "Signed in"], rows, "The first owner is made by muster setup.")])
    })
    .await
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

async fn teams(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    page(&app, &visitor, "Teams", "Who works together, and owns which services.", |tx, _, _| {
        let found: Vec<(String, String, Option<String>, i64)> = tx.rows(
            store::sql!(
                "SELECT t.id, t.name, t.description, COUNT(m.user_id) FROM teams t LEFT JOIN team_members m ON m.team_id = t.id
                 WHERE t.deleted_at IS NULL GROUP BY t.id, t.name, t.description ORDER BY t.name, t.id LIMIT 1000"
            ),
            store::params![],
        )?;
        let rows = found
            .into_iter()
            .map(|(id, name, description, members)| {
                let members = counted(members.unsigned_abs(), "person", "people");
                row("team", &id, vec![title(name, description.unwrap_or_default()), words(members)])
            })
            .collect();
        Ok(vec![table("Teams", vec!["Team", "People"], rows, "Teams are added by the API: POST /teams.")])
    })
    .await
}

async fn policies(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    page(&app, &visitor, "Escalation policies", "Who is paged first, and who when nobody answers.", |tx, _, _| {
        let found: Vec<(crate::oncall::EscalationPolicyId, String)> = tx.rows(
            store::sql!("SELECT id, name FROM escalation_policies WHERE deleted_at IS NULL ORDER BY name, id LIMIT 500"),
            store::params![],
        )?;
        let mut rows = Vec::new();
        for (id, name) in found {
            let Some(policy) = crate::oncall::load_policy(tx, &id)? else { continue };
            let ladder: Vec<String> = policy
                .rules
                .iter()
                .map(|rule| {
                    let targets = counted(rule.targets.len() as u64, "target", "targets");
                    format!("{targets}, {} min", rule.delay_in_minutes)
                })
                .collect();
            let again = counted(policy.num_loops.unsigned_abs(), "time", "times");
            let described = title(name, policy.description.unwrap_or_default());
            rows.push(TableRow {
                id: id.as_str().to_owned(),
                cells: vec![described, words(ladder.join(" → ")), words(format!("again {again}"))],
            });
        }
        let empty = "Policies are added by the API: POST /escalation_policies.";
        Ok(vec![table("Policies", vec!["Policy", "Levels", "Then"], rows, empty)])
    })
    .await
}

async fn integrations(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let base = app.settings.base_url.clone();
    page(
        &app,
        &visitor,
        "Integrations",
        "What reports to Muster. Each has a key of its own.",
        move |tx, _, caller| {
            let page = from.page();
            let found: Vec<(String, String, String, String, String)> = tx.rows(
                store::sql!(
                    "SELECT i.id, i.name, i.type, i.integration_key, s.name FROM integrations i
                 JOIN services s ON s.id = i.service_id AND s.deleted_at IS NULL
                 WHERE i.deleted_at IS NULL ORDER BY s.name, i.name, i.id LIMIT $1 OFFSET $2"
                ),
                store::params![ROWS + 1, page.offset],
            )?;
            let may_see_keys = caller.may(Action::Change, Resource::Service);
            let rows = found
                .into_iter()
                .map(|(id, name, kind, key, service)| {
                    let key = if may_see_keys {
                        Rich::default().code(key)
                    } else {
                        Rich::plain("kept from you")
                    };
                    row(
                        "integration",
                        &id,
                        vec![
                            title(name, kind.replace('_', " ")),
                            words(service),
                            Cell::Words(key),
                        ],
                    )
                })
                .collect();
            let send = SettingsPart::Facts {
                title: "Where to send".to_owned(),
                facts: vec![
                    (
                        "Events API v2".to_owned(),
                        Rich::default().code(format!("POST {base}/v2/enqueue")),
                    ),
                    (
                        "Change events".to_owned(),
                        Rich::default().code(format!("POST {base}/v2/change/enqueue")),
                    ),
                ],
            };
            let columns = vec!["Integration", "Service", "Key"];
            let listed = long_table(
                "Integrations",
                columns,
                rows,
                (page, "/console/settings/integrations"),
                "A service's page makes one.",
            );
            Ok(vec![send, listed])
        },
    )
    .await
}

fn key_rows(tx: &mut Tx, reading: &Reading, caller: &Caller) -> Result<Vec<TableRow>, Problem> {
    let all = caller.may(Action::View, Resource::ApiKey);
    let owner = if all { None } else { caller.user_id() };
    let page = Page {
        limit: 200,
        offset: 0,
        counted: Counted::No,
    };
    Ok(list_keys(tx, owner, page)?
        .into_iter()
        .map(|key| {
            let acts = match &key.user_name {
                Some(name) => format!("acts as {name}"),
                None => "belongs to nobody".to_owned(),
            };
            let scope = if key.scope == KeyScope::ReadOnly {
                "reads only"
            } else {
                "reads and writes"
            };
            let used = key
                .last_used_at
                .map_or(Cell::Words("never".into()), |at| Cell::Moment(reading.ago(at)));
            let to = format!("/console/settings/keys/{}/revoke", key.id.as_str());
            let ending = Cell::Words(Rich::default().code(format!("…{}", key.last_four)));
            let revoke = Cell::Post {
                words: "Take back",
                to,
                weight: Weight::Danger,
            };
            row(
                "key",
                key.id.as_str(),
                vec![title(key.name, acts), words(scope), ending, used, revoke],
            )
        })
        .collect())
}

fn key_parts(tx: &mut Tx, reading: &Reading, caller: &Caller) -> Result<Vec<SettingsPart>, Problem> {
    let rows = key_rows(tx, reading, caller)?;
    let scopes = vec![
        Pick::new("full", "Reads and writes").current(),
        Pick::new("read_only", "Reads only"),
    ];
    let name = Control::Line {
        kind: "text",
        value: String::new(),
        required: Required::Yes,
    };
    let form = Form {
        title: "Make a key".to_owned(),
        words: "It acts as you and can do what you can. It is shown once.".to_owned(),
        post_to: "/console/settings/keys".to_owned(),
        fields: vec![
            Field::new("name", "What it is for", name),
            Field::new("scope", "What it may do", Control::Select { picks: scopes }),
        ],
        verb: "Make a key",
    };
    let columns = vec!["Key", "May", "Ends in", "Used", ""];
    let listed = table("Keys", columns, rows, "A key lets a program use the API.");
    Ok(vec![listed, SettingsPart::Form(form)])
}

const KEYS_BELOW: &str = "Keys let programs use the API.";

async fn keys(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    page(&app, &visitor, "Keys", KEYS_BELOW, key_parts).await
}

#[derive(Debug, Clone, Deserialize)]
struct NewKeyForm {
    name: String,
    #[serde(default)]
    scope: String,
}

async fn make_key(State(app): State<Arc<App>>, posted: Posted<NewKeyForm>) -> Result<Response, PageProblem> {
    let name: String = posted
        .fields
        .name
        .trim()
        .chars()
        .filter(|letter| !letter.is_control())
        .take(255)
        .collect();
    if name.is_empty() {
        return Err(Problem::invalid(["Say what the key is for."]).into());
    }
    let visitor = posted.visitor;
    let Some(user_id) = visitor.0.user_id().cloned() else {
        return Err(Problem::forbidden("Only people have keys of their own.").into());
    };
    let scope = if posted.fields.scope == "read_only" {
        KeyScope::ReadOnly
    } else {
        KeyScope::Full
    };
    let caller = visitor.0.clone();
    let key = app
        .change(caller.agent(), move |change| -> Result<String, Problem> {
            let new = NewKey {
                kind: KeyKind::User,
                user_id: Some(user_id.clone()),
                name: name.clone(),
                scope,
            };
            let (id, key) = add_key(change, &new)?;
            let made = Changed {
                resource_type: "api_key",
                resource_id: id.as_str(),
                resource_name: &name,
                details: json!({ "kind": "user" }),
            };
            audit::record(change, &caller, AuditAction::Create, &made)?;
            Ok(key)
        })
        .await?;
    page(&app, &visitor, "Keys", KEYS_BELOW, move |tx, reading, caller| {
        let mut parts = key_parts(tx, reading, caller)?;
        let secret = SettingsPart::Secret {
            id: "new-key",
            title: "Your new key".to_owned(),
            words: "It is shown once. Keep it where your program can read it and nobody else can.".to_owned(),
            secret: key.clone(),
        };
        parts.insert(0, secret);
        Ok(parts)
    })
    .await
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Nothing {}

async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<ApiKeyId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        let key = find_key_row(change.tx, &id)?.ok_or_else(|| Problem::not_found("The key"))?;
        if key.user_id.as_ref() != caller.user_id() {
            caller.require(Action::Delete, Resource::ApiKey)?;
        }
        if key.revoked_at.is_none() {
            let now = change.now;
            revoke_key(change.tx, &id, now)?;
            let gone = Changed {
                resource_type: "api_key",
                resource_id: id.as_str(),
                resource_name: &key.name,
                details: json!({}),
            };
            audit::record(change, &caller, AuditAction::Delete, &gone)?;
        }
        Ok(())
    })
    .await?;
    Ok(go_to("/console/settings/keys"))
}

async fn outbox(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    page(&app, &visitor, "Outbox", "Everything that was sent or waits to be, newest first.", move |tx, reading, _| {
        let page = from.page();
        let found: Vec<OutboxRow> = tx.rows(
            store::sql!(
                "SELECT id, channel, recipient_name, address, subject, body, state, created_at, last_error FROM sends
                 ORDER BY id DESC LIMIT $1 OFFSET $2"
            ),
            store::params![ROWS + 1, page.offset],
        )?;
        let rows = found.into_iter().map(|sent| outbox_row(sent, reading)).collect();
        let columns = vec!["What", "To", "By", "State", "When"];
        let empty = "Pages, answers and updates stand here as soon as one is owed.";
        Ok(vec![long_table("Sent and waiting", columns, rows, (page, "/console/settings/outbox"), empty)])
    })
    .await
}

#[derive(Debug, store::FromRow)]
struct OutboxRow {
    id: String,
    channel: String,
    recipient_name: String,
    address: String,
    subject: String,
    body: String,
    state: String,
    created_at: Timestamp,
    last_error: Option<String>,
}

fn outbox_row(sent: OutboxRow, reading: &Reading) -> TableRow {
    let state: StateMark = match sent.state.as_str() {
        "sent" | "delivered" => Shape::Resolved.says("Sent"),
        "failed" | "dead" => Shape::Triggered.says(sent.last_error.unwrap_or_else(|| "Failed".to_owned())),
        "withdrawn" => Shape::Unknown.says("Withdrawn"),
        _ => Shape::Acknowledged.says("Waits"),
    };
    let beginning: String = sent.body.chars().take(240).collect();
    let when: Moment = reading.ago(sent.created_at);
    let cells = vec![
        title(sent.subject, beginning),
        title(sent.recipient_name, sent.address),
        words(capitalised(&sent.channel)),
        Cell::State(state),
        Cell::Moment(when),
    ];
    row("send", &sent.id, cells)
}

async fn audit_log(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let below = "Who changed what, each record bound to the one before it.";
    page(&app, &visitor, "Audit", below, move |tx, reading, _| {
        let before = from.from.parse().ok();
        let mut found = audit::list(
            tx,
            &AuditFilter {
                before,
                ..AuditFilter::default()
            },
            ROWS + 1,
        )?;
        let more = found.len() > ROWS as usize;
        found.truncate(ROWS as usize);
        let later = found
            .last()
            .filter(|_| more)
            .map(|last| format!("/console/settings/audit?from={}", last.sequence));
        let listed = counted(found.len() as u64, "record", "records");
        let rows = found
            .into_iter()
            .map(|record| {
                let what = format!(
                    "{} {}",
                    record.resource_type.replace('_', " "),
                    record.resource_name
                );
                let cells = vec![
                    title(record.actor_name, record.method.replace('_', " ")),
                    words(capitalised(&record.action.as_text().replace('_', " "))),
                    words(what),
                    Cell::Moment(reading.ago(record.at)),
                ];
                row("audit", &record.id, cells)
            })
            .collect();
        let pagination = Pagination {
            words: listed,
            earlier: None,
            later,
        };
        Ok(vec![SettingsPart::Table(Table {
            title: "Records".to_owned(),
            note: String::new(),
            columns: vec!["Who", "Did", "To", "When"],
            rows,
            empty: Empty {
                title: "Nothing here yet",
                words: "Every change is written here.".into(),
                action: None,
            },
            pagination: Some(pagination),
        })])
    })
    .await
}

async fn health(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let settings = app.settings.clone();
    page(
        &app,
        &visitor,
        "Health",
        "Whether Muster itself is well.",
        move |tx, _, _| {
            let (jobs,): (i64,) = tx.one(store::sql!("SELECT COUNT(*) FROM jobs"), store::params![])?;
            let (waiting,): (i64,) = tx.one(
                store::sql!("SELECT COUNT(*) FROM sends WHERE sent_at IS NULL AND withdrawn_at IS NULL"),
                store::params![],
            )?;
            let mut parts = vec![SettingsPart::Facts {
                title: "This Muster".to_owned(),
                facts: vec![
                    ("Version".to_owned(), env!("CARGO_PKG_VERSION").into()),
                    ("Reached at".to_owned(), settings.base_url.clone().into()),
                    (
                        "Things owed".to_owned(),
                        counted(jobs.unsigned_abs(), "job", "jobs").into(),
                    ),
                    (
                        "Waiting to be sent".to_owned(),
                        counted(waiting.unsigned_abs(), "message", "messages").into(),
                    ),
                ],
            }];
            if settings.mail.is_none() {
                parts.push(SettingsPart::Problem {
                    title: "Mail is not set up".to_owned(),
                    words: "Pages by e-mail wait in the outbox. Set MUSTER_SMTP_URL and MUSTER_MAIL_FROM."
                        .to_owned(),
                });
            }
            Ok(parts)
        },
    )
    .await
}

async fn me(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    page(
        &app,
        &visitor,
        "How I am paged",
        "Where pages reach you, and after how long.",
        |tx, _, caller| {
            let Some(user) = caller.user() else {
                return Ok(Vec::new());
            };
            let found: Vec<(String, String, String, String)> = tx.rows(
                store::sql!(
                    "SELECT id, type, label, address FROM contact_methods WHERE user_id = $1 ORDER BY id"
                ),
                store::params![&user.id],
            )?;
            let methods = found
                .into_iter()
                .map(|(id, kind, label, address)| {
                    row(
                        "method",
                        &id,
                        vec![title(label, address), words(capitalised(&kind.replace('_', " ")))],
                    )
                })
                .collect();
            let rules: Vec<(String, i64, String, String)> = tx.rows(
                store::sql!(
                    "SELECT r.id, r.start_delay_in_minutes, r.urgency, m.label FROM notification_rules r
                 JOIN contact_methods m ON m.id = r.contact_method_id
                 WHERE r.user_id = $1 ORDER BY r.urgency, r.start_delay_in_minutes, r.id"
                ),
                store::params![&user.id],
            )?;
            let rules = rules
                .into_iter()
                .map(|(id, delay, urgency, label)| {
                    let when = if delay == 0 {
                        "at once".to_owned()
                    } else {
                        format!("after {delay} min")
                    };
                    row(
                        "rule",
                        &id,
                        vec![words(capitalised(&urgency)), words(when), words(label)],
                    )
                })
                .collect();
            let facts = SettingsPart::Facts {
                title: "You".to_owned(),
                facts: vec![
                    ("Name".to_owned(), user.name.clone().into()),
                    ("E-mail".to_owned(), user.email.clone().into()),
                    ("Time zone".to_owned(), user.time_zone.clone().into()),
                ],
            };
            let places = table(
                "Where pages reach you",
                vec!["Name", "Kind"],
                methods,
                "Add one by the API.",
            );
            let order = table(
                "When",
                vec!["Urgency", "When", "By"],
                rules,
                "Without a rule nobody can page you.",
            );
            Ok(vec![facts, places, order])
        },
    )
    .await
}
