//! The audit log, page by page.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{From, ROWS, capitalised, page, row, title, words};
use crate::access::audit::{self, AuditAction, AuditFilter};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::console::prelude::{Empty, Pagination, counted};
use crate::console::screens::settings::{Cell, SettingsPart, Table};
use crate::http::Query;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/settings/audit", get(list))
}

async fn list(
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
                let cells = vec![
                    title(record.actor_name, way(&record.method)),
                    words(did(record.action)),
                    words(what(&record.resource_type, &record.resource_name)),
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
            columns: vec!["Who", "Did", "What", "When"],
            rows,
            empty: Empty {
                title: "Nothing here yet",
                words: "Every change is written here.".into(),
                action: None,
            },
            pagination: Some(pagination),
            live: None,
        })])
    })
    .await
}

/// Through which door somebody came.
fn way(method: &str) -> String {
    match method {
        "browser" => "in the console".to_owned(),
        "api_token" => "with a key".to_owned(),
        _ => String::new(),
    }
}

fn did(action: AuditAction) -> &'static str {
    match action {
        AuditAction::Create => "Added",
        AuditAction::Update => "Changed",
        AuditAction::Delete => "Took away",
        AuditAction::SignIn => "Signed in",
        AuditAction::SignOut => "Signed out",
        AuditAction::SignInRefused => "Was refused at the sign-in",
        AuditAction::Show => "Was shown",
    }
}

/// "Case C-70"; a thing without a name of its own is called by its kind.
fn what(kind: &str, name: &str) -> String {
    let kind = match kind {
        "api_key" => "Key".to_owned(),
        kind => capitalised(&kind.replace('_', " ")),
    };
    format!("{kind} {name}").trim_end().to_owned()
}
