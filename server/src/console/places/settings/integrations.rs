//! Integrations: what reports to Muster. Each has a key of its own, which is shown once.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::super::service::kind_words;
use super::super::{from_json, go_to};
use super::{From, line, long_table, page, row, select, title, words};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Pick, Rich};
use crate::console::screens::settings::{Button, Cell, Form, SettingsPart, Weight};
use crate::http::{Body, Path, Problem, Query, Site};
use crate::services::api::integrations as api;
use crate::services::store::keys;
use crate::services::store::services::{ServiceFilter, list as list_services, list_integrations};
use crate::services::{IntegrationId, ServiceId};

const BELOW: &str = "What reports to Muster. Each has a key of its own.";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/integrations", get(list).post(connect))
        .route(
            "/console/settings/integrations/{service_id}/{id}/remove",
            post(disconnect),
        )
}

fn parts(tx: &mut Tx, caller: &Caller, from: &From, site: &Site) -> Result<Vec<SettingsPart>, Problem> {
    let asked = from.page();
    let may_change = caller.may(Action::Change, Resource::Service);
    let rows = list_integrations(tx, asked)?
        .into_iter()
        .map(|(one, service)| {
            let kind = kind_words(&one.kind);
            let end = keys::last_letters(site.vault(), &one);
            let to = format!(
                "/console/settings/integrations/{}/{}/remove",
                one.service_id, one.id
            );
            let question = format!(
                "Take {} away? What is sent with its key is refused from then on.",
                one.name
            );
            let mut cells = vec![
                title(one.name, kind),
                words(service),
                Cell::Words(Rich::default().code(format!("…{end}"))),
            ];
            if may_change {
                cells.push(Cell::post("Take away", to, Weight::Danger(question)));
            }
            row("integration", one.id.as_str(), cells)
        })
        .collect();
    let code = |path: &str| Rich::default().code(format!("POST {}", site.url(path)));
    let send = SettingsPart::Facts {
        title: "Where to send".to_owned(),
        facts: vec![
            ("Events API v2".to_owned(), code("/v2/enqueue")),
            ("Change events".to_owned(), code("/v2/change/enqueue")),
            ("Alertmanager".to_owned(), code("/alertmanager/KEY")),
        ],
    };
    let mut columns = vec!["Integration", "Service", "Key ends in"];
    if may_change {
        columns.push("");
    }
    let address = (asked, "/console/settings/integrations");
    let empty = "Nothing reports here yet. Connect a tool below, and it gets a key of its own.";
    let mut parts = vec![long_table("Integrations", columns, rows, address, empty)];
    if may_change {
        let services: Vec<Pick> = list_services(tx, &ServiceFilter::default(), From::everybody())?
            .into_iter()
            .map(|service| Pick::new(service.id.as_str(), service.name))
            .collect();
        let nothing_to_watch = services.is_empty().then(|| SettingsPart::Act {
            title: "Connect a tool".to_owned(),
            words: "A tool watches a service, and there is none yet.".to_owned(),
            button: Button::open("Add a service", "/console/services"),
        });
        let form = SettingsPart::Form(Form {
            id: "add-integration",
            title: "Connect a tool".to_owned(),
            words: "It gets a key, which is shown once.".to_owned(),
            post_to: "/console/settings/integrations".to_owned(),
            fields: vec![
                line("name", "What you call it", "text"),
                select("service", "Which service it watches", services),
            ],
            verb: "Make a key",
            also: Vec::new(),
            back: None,
        });
        parts.push(nothing_to_watch.unwrap_or(form));
    }
    parts.push(send);
    Ok(parts)
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let site = app.site.clone();
    page(&app, &visitor, "Integrations", BELOW, move |tx, _, caller| {
        parts(tx, caller, &from, &site)
    })
    .await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewIntegration {
    name: String,
    service: String,
}

async fn connect(
    State(app): State<Arc<App>>,
    posted: Posted<NewIntegration>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let body = json!({ "integration": { "name": fields.name, "type": "events_api_v2_inbound_integration" } });
    let id = ServiceId::from(fields.service.as_str());
    let made = api::create(
        State(app.clone()),
        visitor.0.clone(),
        Path(id),
        Body(from_json(body)?),
    );
    let (_, answer) = made.await?;
    let key = answer.0.integration["integration_key"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let site = app.site.clone();
    page(&app, &visitor, "Integrations", BELOW, move |tx, _, caller| {
        let mut parts = parts(tx, caller, &From::default(), &site)?;
        let shown = SettingsPart::Secret {
            id: "new-integration",
            title: "Its key".to_owned(),
            words: "It is shown once. Give it to the tool.".to_owned(),
            secret: key.clone(),
        };
        parts.insert(0, shown);
        Ok(parts)
    })
    .await
}

async fn disconnect(
    State(app): State<Arc<App>>,
    Path(ids): Path<(ServiceId, IntegrationId)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api::delete(State(app), posted.visitor.0, Path(ids))
        .await
        .map(drop)?;
    Ok(go_to("/console/settings/integrations"))
}
