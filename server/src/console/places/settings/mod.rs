//! *Settings*: people, teams, keys, integrations, escalation policies, audiences, the outbox, the audit log, health; a room for
//! each. Lists are read with the reader's rights; what can be done here is what the API does, by the same functions.

mod audience_fields;
mod audiences;
mod audit_log;
mod health;
mod integrations;
mod keys;
mod me;
mod me_forms;
mod outbox;
mod own_password;
mod people;
mod policies;
mod policy;
mod teams;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use serde::Deserialize;
use store::Tx;

use super::situation;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{Choice, Current, Empty, Pagination, Pick, Place, Reading, Rich};
use crate::console::screens::settings::{
    Cell, Control, Field, Required, Settings, SettingsPart, Table, TableRow,
};
use crate::http::listing::Counted;
use crate::http::{Page, Problem};

/// Rows of a page of a list.
const ROWS: i64 = 50;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(people::routes())
        .merge(teams::routes())
        .merge(keys::routes())
        .merge(integrations::routes())
        .merge(policies::routes())
        .merge(audiences::routes())
        .merge(outbox::routes())
        .merge(audit_log::routes())
        .merge(health::routes())
        .merge(me::routes())
}

/// The pages of settings: words, address, and what one must be able to see.
const PLACES: [(&str, &str, Resource); 10] = [
    ("People", "/console/settings", Resource::User),
    ("Teams", "/console/settings/teams", Resource::Team),
    (
        "Escalation policies",
        "/console/settings/escalation-policies",
        Resource::EscalationPolicy,
    ),
    ("Audiences", "/console/settings/audiences", Resource::Audience),
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

    /// As many as a select of a form bears.
    fn everybody() -> Page {
        Page {
            limit: 500,
            offset: 0,
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
    part_of(app, visitor, place, (place.to_owned(), below.into()), parts).await
}

/// The same for one thing of a place: its name is the headline.
async fn part_of<F>(
    app: &Arc<App>,
    visitor: &Visitor,
    place: &'static str,
    (headline, below): (String, Rich),
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
        frame: visitor.frame(app, Place::Settings, headline.clone(), situation),
        headline,
        below,
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
        live: None,
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
        live: None,
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

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A line of a form that must be filled in.
fn line(name: &str, label: &'static str, kind: &'static str) -> Field {
    Field::new(
        name,
        label,
        Control::Line {
            kind,
            value: String::new(),
            required: Required::Yes,
        },
    )
}

/// The same, when it may stay empty.
fn optional_line(name: &str, label: &'static str) -> Field {
    Field::new(
        name,
        label,
        Control::Line {
            kind: "text",
            value: String::new(),
            required: Required::No,
        },
    )
}

fn select(name: &str, label: &'static str, picks: Vec<Pick>) -> Field {
    Field::new(name, label, Control::Select { picks })
}
