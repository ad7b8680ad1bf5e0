//! `/audit/records`: who did what, newest first, and whether the record is whole.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::access::audit::{self, AuditFilter, AuditRecord};
use crate::access::compared::pair_of;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Faults, Listing, Problem, Problems, Query, Reference, Site};
use crate::timeline::AgentKind;

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordsQuery {
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
    since: Option<String>,
    until: Option<String>,
    /// Such as `services`.
    #[serde(rename = "root_resource_types[]")]
    root_resource_types: Vec<String>,
    /// `user_reference` or `api_key_reference`.
    actor_type: Option<String>,
    actor_id: Option<String>,
    /// `browser`, `api_token` or `other`.
    method_type: Option<String>,
    method_truncated_token: Option<String>,
    /// `create`, `update`, `delete`, `sign_in` …
    #[serde(rename = "actions[]")]
    actions: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordView {
    id: String,
    #[serde(rename = "self")]
    api_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    execution_time: Timestamp,
    execution_context: ExecutionContext,
    actors: Vec<Reference>,
    method: MethodView,
    root_resource: Reference,
    action: &'static str,
    details: DetailsView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExecutionContext {
    request_id: Option<String>,
    remote_address: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MethodView {
    #[serde(rename = "type")]
    kind: String,
    description: Option<String>,
    truncated_token: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DetailsView {
    resource: Reference,
    fields: Vec<FieldView>,
    references: Vec<Reference>,
}

/// A field as it was after the change, and before it where that is known. Both are null of what the log names only.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldView {
    name: String,
    value: Option<String>,
    before_value: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordsAnswer {
    records: Vec<RecordView>,
    limit: i64,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerificationAnswer {
    verification: audit::Verification,
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/audit/records", tag = "Access", params(Listing, RecordsQuery),
    responses((status = 200, body = RecordsAnswer), Problems))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<RecordsQuery>,
) -> Result<Json<RecordsAnswer>, Problem> {
    caller.require(Action::View, Resource::Audit)?;
    let limit = listing.page()?.limit;
    let filter = filter_of(asked)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let mut rows = audit::list(tx, &filter, limit + 1)?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .map(|row| format!("before-{}", row.sequence));
        let records = rows.into_iter().map(|row| view(&site, row)).collect();
        Ok(Json(RecordsAnswer {
            records,
            limit,
            next_cursor,
        }))
    })
    .await
}

/// Goes over the whole chain of hashes and says whether a record was altered or removed.
#[utoipa::path(get, path = "/audit/verification", tag = "Access",
    responses((status = 200, body = VerificationAnswer), Problems))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<VerificationAnswer>, Problem> {
    caller.require(Action::View, Resource::Audit)?;
    app.read(|tx| {
        Ok(Json(VerificationAnswer {
            verification: audit::verify(tx)?,
        }))
    })
    .await
}

fn filter_of(asked: RecordsQuery) -> Result<AuditFilter, Problem> {
    let mut faults = Faults::new();
    let before = match asked.cursor.as_deref() {
        None | Some("") => None,
        Some(cursor) => {
            let sequence = cursor
                .strip_prefix("before-")
                .and_then(|number| number.parse().ok());
            if sequence.is_none() {
                faults.add("cursor must be the next_cursor of an earlier answer.");
            }
            sequence
        }
    };
    let since = faults.optional_instant("since", asked.since.as_deref());
    let until = faults.optional_instant("until", asked.until.as_deref());
    let actor_type = match asked.actor_type.as_deref() {
        None | Some("") => None,
        Some("user_reference" | "user") => Some(AgentKind::User),
        Some("api_key_reference" | "api_key") => Some(AgentKind::Key),
        Some(_) => {
            faults.add("actor_type must be user_reference or api_key_reference.");
            None
        }
    };
    faults.done()?;
    let listed = |names: Vec<String>| Some(names).filter(|names| !names.is_empty());
    Ok(AuditFilter {
        resource_id: None,
        before,
        since,
        until,
        // The plural of the field's clients, or the type itself.
        resource_types: listed(
            asked
                .root_resource_types
                .into_iter()
                .flat_map(|name| [singular(&name), name])
                .collect(),
        ),
        actor_type,
        actor_id: asked.actor_id,
        method: asked.method_type,
        truncated_token: asked.method_truncated_token,
        actions: listed(asked.actions),
    })
}

fn singular(name: &str) -> String {
    match name.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => name.strip_suffix('s').unwrap_or(name).to_owned(),
    }
}

/// The dialect counts milliseconds here, and some clients read no more digits.
fn in_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn view(site: &Site, row: AuditRecord) -> RecordView {
    let actor = Reference {
        id: row.actor_id.clone().unwrap_or_default(),
        kind: match row.actor_type {
            AgentKind::User => "user_reference".to_owned(),
            AgentKind::Key => "api_key_reference".to_owned(),
            _ => "app_reference".to_owned(),
        },
        summary: Some(row.actor_name.clone()),
        api_url: match (row.actor_type, &row.actor_id) {
            (AgentKind::User, Some(id)) => Some(site.api_url("users", id)),
            _ => None,
        },
        html_url: None,
    };
    let resource = Reference {
        id: row.resource_id.clone(),
        kind: format!("{}_reference", row.resource_type),
        summary: Some(row.resource_name.clone()),
        api_url: None,
        html_url: None,
    };
    let fields = match row.details {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    RecordView {
        id: row.id,
        api_url: None,
        execution_time: in_milliseconds(row.at),
        execution_context: ExecutionContext {
            request_id: row.request_id,
            remote_address: row.remote_address,
        },
        actors: vec![actor],
        method: MethodView {
            kind: row.method,
            description: None,
            truncated_token: row.truncated_token,
        },
        root_resource: resource.clone(),
        action: row.action.as_text(),
        details: DetailsView {
            resource,
            fields: fields
                .into_iter()
                .map(|(name, value)| {
                    let (before, after) = pair_of(&value).unwrap_or((&Value::Null, &value));
                    FieldView {
                        name,
                        value: said(after),
                        before_value: said(before),
                    }
                })
                .collect(),
            references: Vec::new(),
        },
    }
}

fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
