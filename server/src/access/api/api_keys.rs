//! `/api_keys`: making a key, seeing which there are, taking one back.
//!
//! A key is shown once, in the answer that makes it. Everybody may make keys that act as themselves;
//! account-level keys, which belong to nobody, take an admin. Nobody can make a key that acts as somebody
//! else.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::access::audit::{self, AuditAction, Changed};
use crate::access::model::{KeyKind, KeyScope};
use crate::access::store::{self, KeyRow, NewKey};
use crate::access::{Action, ApiKeyId, Caller, Resource};
use crate::app::App;
use crate::http::{
    Body, Faults, Listing, Paging, Path, Problem, Problems, Query, Reference, ReferenceInput, Site,
};
use crate::people::UserId;

#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyView {
    #[serde(flatten)]
    head: Reference,
    name: String,
    kind: KeyKind,
    scope: KeyScope,
    /// Whom a user-level key acts as.
    user: Option<Reference>,
    last_four: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// To the hour.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// The key itself, only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyAnswer {
    pub api_key: ApiKeyView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKeysAnswer {
    api_keys: Vec<ApiKeyView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ApiKeyRequest {
    api_key: ApiKeyInput,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ApiKeyInput {
    /// What it is for.
    name: Option<String>,
    /// `user` (acts as oneself) unless told.
    kind: Option<KeyKind>,
    /// `full` unless told.
    scope: Option<KeyScope>,
    /// For a key of kind `user`: yourself, as if it were not said.
    user: Option<ReferenceInput>,
}

/// The keys there are: all of them for an admin, one's own for everybody else.
#[utoipa::path(get, path = "/api_keys", tag = "Access", params(Listing),
    responses((status = 200, body = ApiKeysAnswer), Problems))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<ApiKeysAnswer>, Problem> {
    let owner = visible_owner(&caller)?;
    let page = listing.page()?;
    let site = app.site.clone();
    app.read(move |tx| {
        let rows = store::list_keys(tx, owner.as_ref(), page)?;
        let (rows, paging) = page.finish(rows, || store::count_keys(tx, owner.as_ref()))?;
        let api_keys = rows.iter().map(|row| view(&site, row, None)).collect();
        Ok(Json(ApiKeysAnswer { api_keys, paging }))
    })
    .await
}

/// Makes a key. `key` in this answer is the only time it is shown.
#[utoipa::path(post, path = "/api_keys", tag = "Access", request_body = ApiKeyRequest,
    responses((status = 201, body = ApiKeyAnswer), Problems))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<ApiKeyRequest>,
) -> Result<(StatusCode, Json<ApiKeyAnswer>), Problem> {
    let kind = request.api_key.kind.unwrap_or(KeyKind::User);
    let user_id = match kind {
        KeyKind::Account => {
            caller.require(Action::Create, Resource::ApiKey)?;
            None
        }
        KeyKind::User => {
            caller.require(Action::Change, Resource::OwnProfile)?;
            let own = caller.person_id().cloned().ok_or_else(|| {
                Problem::invalid(["Kind must be account: an account-level key acts as nobody."])
            })?;
            if request
                .api_key
                .user
                .as_ref()
                .is_some_and(|user| user.id != own.as_str())
            {
                return Err(Problem::invalid([
                    "User must be yourself: a key acts for whoever makes it, so ask them to make it.",
                ]));
            }
            Some(own)
        }
    };
    let mut faults = Faults::new();
    let name = faults.name("Name", request.api_key.name.as_deref(), 255);
    faults.done()?;
    let new = NewKey {
        kind,
        user_id,
        name,
        scope: request.api_key.scope.unwrap_or(KeyScope::Full),
    };
    let site = app.site.clone();
    let api_key = app
        .change(caller.agent(), move |change| {
            let (id, key) = store::add_key(change, &new)?;
            let row = store::find_key_row(change.tx, &id)?.ok_or_else(|| Problem::not_found("The key"))?;
            audit::record(change, &caller, AuditAction::Create, &changed(&row));
            Ok::<_, Problem>(view(&site, &row, Some(key)))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(ApiKeyAnswer { api_key })))
}

/// One key, without the key itself.
#[utoipa::path(get, path = "/api_keys/{id}", tag = "Access", params(("id" = String, Path)),
    responses((status = 200, body = ApiKeyAnswer), Problems))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<Json<ApiKeyAnswer>, Problem> {
    let owner = visible_owner(&caller)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let row = visible_key(tx, &id, owner.as_ref())?;
        Ok(Json(ApiKeyAnswer {
            api_key: view(&site, &row, None),
        }))
    })
    .await
}

/// Takes a key back, at once and for good.
#[utoipa::path(delete, path = "/api_keys/{id}", tag = "Access", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let owner = visible_owner(&caller)?;
    app.change(caller.agent(), move |change| {
        let row = visible_key(change.tx, &id, owner.as_ref())?;
        let own = row.user_id.is_some() && row.user_id.as_ref() == caller.person_id();
        if own {
            caller.require(Action::Change, Resource::OwnProfile)?;
        } else {
            caller.require(Action::Delete, Resource::ApiKey)?;
        }
        if row.revoked_at.is_some() {
            return Err(Problem::not_found("The key"));
        }
        store::revoke_key(change.tx, &id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&row));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Whose keys the caller sees: nobody's name means all.
pub fn visible_owner(caller: &Caller) -> Result<Option<UserId>, Problem> {
    match caller.require(Action::View, Resource::ApiKey) {
        Ok(()) => Ok(None),
        Err(refusal) => caller.person_id().cloned().map(Some).ok_or(refusal),
    }
}

fn visible_key(tx: &mut ::store::Tx, id: &ApiKeyId, owner: Option<&UserId>) -> Result<KeyRow, Problem> {
    store::find_key_row(tx, id)?
        .filter(|row| owner.is_none() || row.user_id.as_ref() == owner)
        .ok_or_else(|| Problem::not_found("The key"))
}

fn view(site: &Site, row: &KeyRow, key: Option<String>) -> ApiKeyView {
    ApiKeyView {
        head: site.part("api_key", "api_keys", &row.id, &row.name),
        name: row.name.clone(),
        kind: row.kind,
        scope: row.scope,
        user: row
            .user_id
            .as_ref()
            .map(|id| site.reference("user", "users", id, row.user_name.clone().unwrap_or_default())),
        last_four: row.last_four.clone(),
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        revoked_at: row.revoked_at,
        key,
    }
}

fn changed(row: &KeyRow) -> Changed<'_> {
    Changed {
        resource_type: "api_key",
        resource_id: row.id.as_str(),
        resource_name: &row.name,
        details: json!({ "kind": row.kind, "scope": row.scope, "user_id": row.user_id, "last_four": row.last_four }),
    }
}
