//! Keys: made here for oneself, shown once, taken back.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::super::{from_json, go_to};
use super::{page, row, table, title, words};
use crate::access::api::api_keys;
use crate::access::store::list_keys;
use crate::access::{ApiKeyId, Caller, KeyScope};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Pick, Reading, Rich};
use crate::console::screens::settings::{
    Cell, Control, Field, Form, Required, SettingsPart, TableRow, Weight,
};
use crate::http::listing::Counted;
use crate::http::{Body, Page, Path, Problem};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/keys", get(keys).post(make_key))
        .route("/console/settings/keys/{id}/revoke", post(revoke))
}

fn key_rows(tx: &mut Tx, reading: &Reading, caller: &Caller) -> Result<Vec<TableRow>, Problem> {
    let owner = api_keys::visible_owner(caller)?;
    let page = Page {
        limit: 200,
        offset: 0,
        counted: Counted::No,
    };
    Ok(list_keys(tx, owner.as_ref(), page)?
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
            let question = format!(
                "Take the key {} back? Programs that use it are refused at once.",
                key.name
            );
            let revoke = Cell::post("Take back", to, Weight::Danger(question));
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
        id: "add-key",
        title: "Make a key".to_owned(),
        words: "It acts as you and can do what you can. It is shown once.".to_owned(),
        post_to: "/console/settings/keys".to_owned(),
        fields: vec![
            Field::new("name", "What it is for", name),
            Field::new("scope", "What it may do", Control::Select { picks: scopes }),
        ],
        verb: "Make a key",
        also: Vec::new(),
        back: None,
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
    let (visitor, sent) = (posted.visitor, posted.fields);
    let scope = if sent.scope == "read_only" {
        "read_only"
    } else {
        "full"
    };
    let body = json!({ "api_key": { "name": sent.name, "kind": "user", "scope": scope } });
    let made = api_keys::create(State(Arc::clone(&app)), visitor.0.clone(), Body(from_json(body)?)).await?;
    let key = made.1.0.api_key.key.unwrap_or_default();
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

async fn revoke(
    State(app): State<Arc<App>>,
    id: Path<ApiKeyId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api_keys::revoke(State(app), posted.visitor.0, id).await?;
    Ok(go_to("/console/settings/keys"))
}
