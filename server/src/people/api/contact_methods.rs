//! `/users/{id}/contact_methods`: how somebody is reached.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::view::{ContactMethodView, contact_method_view};
use super::{present_user, require_to_change, require_to_reach, require_to_see_ways};
use crate::access::Caller;
use crate::access::audit::{self, AuditAction, Changed};
use crate::app::App;
use crate::http::{Body, Faults, Path, Problem, Problems};
use crate::people::model::{ContactKind, ContactMethod};
use crate::people::{ContactMethodId, UserId, store};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactMethodAnswer {
    contact_method: ContactMethodView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactMethodsAnswer {
    contact_methods: Vec<ContactMethodView>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ContactMethodRequest {
    contact_method: ContactMethodInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct ContactMethodInput {
    #[serde(rename = "type")]
    kind: Option<String>,
    label: Option<String>,
    /// An e-mail address, a number without its country code, a device, or an address for a POST.
    address: Option<String>,
    /// 1 to 1999, for numbers. Some clients send it as text.
    #[serde(default, deserialize_with = "number_or_digits")]
    country_code: Option<i64>,
    send_short_email: Option<bool>,
    /// `android` or `ios`, for push notifications.
    device_type: Option<String>,
}

fn number_or_digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64(),
        Value::String(digits) => digits.parse().ok(),
        _ => None,
    };
    number
        .map(Some)
        .ok_or_else(|| D::Error::invalid_type(Unexpected::Other("something else"), &"i64"))
}

/// Every way to reach somebody.
#[utoipa::path(get, path = "/users/{id}/contact_methods", tag = "People", params(("id" = String, Path)),
    responses((status = 200, body = ContactMethodsAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Json<ContactMethodsAnswer>, Problem> {
    require_to_see_ways(&caller, &id)?;
    let site = app.site.clone();
    app.read(move |tx| {
        present_user(tx, &id)?;
        let methods = store::contact_methods_of(tx, &[&id])?;
        let contact_methods = methods
            .iter()
            .map(|method| contact_method_view(&site, method))
            .collect();
        Ok(Json(ContactMethodsAnswer { contact_methods }))
    })
    .await
}

/// Adds a way to reach somebody. It is used once a notification rule names it.
#[utoipa::path(post, path = "/users/{id}/contact_methods", tag = "People", params(("id" = String, Path)),
    request_body = ContactMethodRequest, responses((status = 201, body = ContactMethodAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
    Body(request): Body<ContactMethodRequest>,
) -> Result<(StatusCode, Json<ContactMethodAnswer>), Problem> {
    require_to_change(&caller, &id)?;
    refuse_off_limits(&app, &request.contact_method)?;
    let site = app.site.clone();
    let contact_method = app
        .change(caller.agent(), move |change| {
            require_to_reach(&caller, &present_user(change.tx, &id)?)?;
            let blank = ContactMethod {
                id: change.identifier(),
                user_id: id.clone(),
                kind: kind_of(request.contact_method.kind.as_deref())?,
                label: String::new(),
                address: String::new(),
                country_code: None,
                send_short_email: false,
                device_type: None,
                created_at: change.now,
            };
            let method = check(&request.contact_method, blank)?;
            refuse_taken(change.tx, &method)?;
            store::add_contact_method(change.tx, &method).map_err(taken)?;
            audit::record(change, &caller, AuditAction::Create, &changed(&method));
            Ok::<_, Problem>(contact_method_view(&site, &method))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(ContactMethodAnswer { contact_method })))
}

/// One way to reach somebody.
#[utoipa::path(get, path = "/users/{id}/contact_methods/{contact_method_id}", tag = "People",
    params(("id" = String, Path), ("contact_method_id" = String, Path)),
    responses((status = 200, body = ContactMethodAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, method_id)): Path<(UserId, ContactMethodId)>,
) -> Result<Json<ContactMethodAnswer>, Problem> {
    require_to_see_ways(&caller, &id)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let method = present_method(tx, &id, &method_id)?;
        Ok(Json(ContactMethodAnswer {
            contact_method: contact_method_view(&site, &method),
        }))
    })
    .await
}

/// Changes the fields that are sent.
#[utoipa::path(put, path = "/users/{id}/contact_methods/{contact_method_id}", tag = "People",
    params(("id" = String, Path), ("contact_method_id" = String, Path)), request_body = ContactMethodRequest,
    responses((status = 200, body = ContactMethodAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, method_id)): Path<(UserId, ContactMethodId)>,
    Body(request): Body<ContactMethodRequest>,
) -> Result<Json<ContactMethodAnswer>, Problem> {
    require_to_change(&caller, &id)?;
    refuse_off_limits(&app, &request.contact_method)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        require_to_reach(&caller, &present_user(change.tx, &id)?)?;
        let before = present_method(change.tx, &id, &method_id)?;
        if request.contact_method.kind.is_some()
            && kind_of(request.contact_method.kind.as_deref())? != before.kind
        {
            return Err(Problem::invalid([
                "Type cannot be changed; add another contact method instead.",
            ]));
        }
        let method = check(&request.contact_method, before)?;
        refuse_taken(change.tx, &method)?;
        store::update_contact_method(change.tx, &method).map_err(taken)?;
        audit::record(change, &caller, AuditAction::Update, &changed(&method));
        Ok(Json(ContactMethodAnswer {
            contact_method: contact_method_view(&site, &method),
        }))
    })
    .await
}

/// Removes a way to reach somebody and the rules that use it. The last one stays: nobody becomes unreachable
/// by omission.
#[utoipa::path(delete, path = "/users/{id}/contact_methods/{contact_method_id}", tag = "People",
    params(("id" = String, Path), ("contact_method_id" = String, Path)), responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, method_id)): Path<(UserId, ContactMethodId)>,
) -> Result<StatusCode, Problem> {
    require_to_change(&caller, &id)?;
    app.change(caller.agent(), move |change| {
        require_to_reach(&caller, &present_user(change.tx, &id)?)?;
        let method = present_method(change.tx, &id, &method_id)?;
        if store::contact_methods_of(change.tx, &[&id])?.len() == 1 {
            return Err(Problem::invalid([
                "This is the only contact method; add another one first.",
            ]));
        }
        store::delete_contact_method(change.tx, &method_id)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&method));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn present_method(
    tx: &mut ::store::Tx,
    id: &UserId,
    method_id: &ContactMethodId,
) -> Result<ContactMethod, Problem> {
    present_user(tx, id)?;
    store::find_contact_method(tx, id, method_id)?.ok_or_else(|| Problem::not_found("The contact method"))
}

fn kind_of(text: Option<&str>) -> Result<ContactKind, Problem> {
    let text = text.unwrap_or_default();
    ContactKind::from_text(text.strip_suffix("_reference").unwrap_or(text)).ok_or_else(|| {
        let known: Vec<&str> = ContactKind::ALL.iter().map(ContactKind::as_text).collect();
        Problem::invalid([format!("Type must be one of {}.", known.join(", "))])
    })
}

fn check(input: &ContactMethodInput, mut method: ContactMethod) -> Result<ContactMethod, Problem> {
    let mut faults = Faults::new();
    if let Some(label) = &input.label {
        method.label.clone_from(label);
    }
    if let Some(address) = &input.address {
        address.trim().clone_into(&mut method.address);
    }
    method.label = match method.label.trim() {
        "" => "Default".to_owned(),
        _ => faults.name("Label", Some(&method.label), 255),
    };
    match method.kind {
        ContactKind::EmailContactMethod => {
            method.address = faults.email("Address", Some(&method.address));
            method.send_short_email = input.send_short_email.unwrap_or(method.send_short_email);
        }
        ContactKind::PhoneContactMethod
        | ContactKind::SmsContactMethod
        | ContactKind::WhatsappContactMethod => {
            match input.country_code.or(method.country_code) {
                Some(code) => method.country_code = Some(faults.within("Country code", code, 1..=1999)),
                None => faults.add("Country code is missing; it is a number such as 44."),
            }
            method.address.retain(|one| !" -().".contains(one));
            let is_number = (3..=40).contains(&method.address.len())
                && method
                    .address
                    .chars()
                    .all(|one| one.is_ascii_digit() || one == ',');
            if !is_number {
                faults.add("Address must be a telephone number without its country code.");
            }
        }
        ContactKind::PushNotificationContactMethod => {
            method.address = faults.name("Address", Some(&method.address), 1024);
            let device = input.device_type.clone().or(method.device_type.take());
            if !matches!(device.as_deref(), Some("android" | "ios")) {
                faults.add("Device type must be android or ios.");
            }
            method.device_type = device;
        }
        ContactKind::WebhookContactMethod => {
            if method.address.chars().any(char::is_control) {
                faults.add("Address must be one line without tabs.");
            }
            let address = faults.name("Address", Some(&method.address), 1024);
            if let Err(reason) = crate::outbound::guard::parse(&address) {
                faults.add(format!("Address: {reason}"));
            }
            method.address = address;
        }
    }
    faults.done()?;
    Ok(method)
}

/// A webhook that could never be posted is refused when it is named, not when the page is due.
fn refuse_off_limits(app: &App, input: &ContactMethodInput) -> Result<(), Problem> {
    let address = input.address.as_deref().unwrap_or_default().trim();
    match crate::outbound::guard::parse(address) {
        Ok(url) if app.channels.is_off_limits(&url) => Err(Problem::invalid([
            "Address lies inside this machine or a private network; whoever runs Muster can allow that with MUSTER_ALLOWED_NETWORKS.",
        ])),
        _ => Ok(()),
    }
}

/// A client looks for these words and then uses the one that is there.
const TAKEN: &str = "User Contact method must be unique";

fn refuse_taken(tx: &mut ::store::Tx, method: &ContactMethod) -> Result<(), Problem> {
    let others = store::contact_methods_of(tx, &[&method.user_id])?;
    let taken = others
        .iter()
        .any(|other| other.id != method.id && other.kind == method.kind && other.address == method.address);
    if taken {
        return Err(Problem::invalid([TAKEN]));
    }
    Ok(())
}

fn taken(error: ::store::Error) -> Problem {
    Problem::if_taken(error, "contact_methods", &["user_id", "type", "address"], TAKEN)
}

fn changed(method: &ContactMethod) -> Changed<'_> {
    Changed {
        resource_type: "contact_method",
        resource_id: method.id.as_str(),
        resource_name: &method.label,
        details: json!({ "user_id": method.user_id, "type": method.kind }),
    }
}
