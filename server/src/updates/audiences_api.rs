//! `/audiences`: groups of readers, by the conventions of the dialect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audiences as rows;
use super::compose;
use super::model::{ApprovalRule, Audience, AudienceChannel, AudienceId, Readers, Templates};
use super::promised_words::check_language;
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Head, Listing, Paging, Path, Problem, Problems, Query, Site};
use crate::timeline::Change;

/// A day: no cadence is slower.
const LONGEST_CADENCE: i64 = 24 * 60;
const MOST_CHANNELS: usize = 50;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change_one, delete))
}

/// One audience.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct AudienceAnswer {
    pub(crate) audience: AudienceView,
}

/// A page of audiences.
#[derive(Debug, serde::Serialize, ToSchema)]
struct AudiencesAnswer {
    audiences: Vec<AudienceView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct AudienceBody {
    audience: AudienceInput,
}

/// An audience as it is sent. On a change, what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct AudienceInput {
    #[serde(default)]
    name: Option<String>,
    /// Who may read its words: `public` or `internal`; cannot be changed later.
    #[serde(default)]
    visibility: Option<Readers>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
    /// `required` or `not_required`.
    #[serde(default)]
    approval: Option<ApprovalRule>,
    /// Minutes between two updates in the first two hours.
    #[serde(default)]
    cadence_minutes: Option<i64>,
    /// And after them.
    #[serde(default)]
    later_cadence_minutes: Option<i64>,
    /// For each phase, and for the subject; what is null is the built-in one.
    #[serde(default)]
    templates: Option<Templates>,
    #[serde(default)]
    channels: Option<Vec<AudienceChannel>>,
    #[serde(default)]
    position: Option<i64>,
}

impl AudienceInput {
    fn over(&self, mut audience: Audience) -> Result<Audience, Problem> {
        let mut faults = Faults::new();
        if let Some(name) = &self.name {
            audience.name.clone_from(name);
        }
        audience.name = faults.name("audience.name", Some(&audience.name), 255);
        if let Some(language) = &self.language {
            audience.language = faults.name("audience.language", Some(language), 35);
            check_language(&mut faults, "audience.language", &audience.language);
        }
        if let Some(zone) = &self.time_zone {
            faults.time_zone("audience.time_zone", zone);
            audience.time_zone.clone_from(zone);
        }
        audience.approval = self.approval.unwrap_or(audience.approval);
        let cadence = |field: &str, wanted: Option<i64>, kept: i64, faults: &mut Faults| {
            faults.within(field, wanted.unwrap_or(kept), 5..=LONGEST_CADENCE)
        };
        audience.cadence_minutes = cadence(
            "audience.cadence_minutes",
            self.cadence_minutes,
            audience.cadence_minutes,
            &mut faults,
        );
        audience.later_cadence_minutes = cadence(
            "audience.later_cadence_minutes",
            self.later_cadence_minutes,
            audience.later_cadence_minutes,
            &mut faults,
        );
        audience.position = faults.within(
            "audience.position",
            self.position.unwrap_or(audience.position),
            0..=10_000,
        );
        if let Some(templates) = &self.templates {
            audience.templates = templates.clone();
            for fault in compose::faults_of(&audience) {
                faults.add(fault);
            }
        }
        if let Some(channels) = &self.channels {
            check_channels(&mut faults, channels, audience.readers);
            audience.channels.clone_from(channels);
        }
        faults.done()?;
        Ok(audience)
    }
}

fn check_channels(faults: &mut Faults, channels: &[AudienceChannel], readers: Readers) {
    if channels.len() > MOST_CHANNELS {
        faults.add(format!("audience.channels may name at most {MOST_CHANNELS}."));
    }
    for (index, channel) in channels.iter().enumerate() {
        let field = format!("audience.channels[{index}]");
        match channel {
            AudienceChannel::Email { address } => {
                faults.email(&format!("{field}.address"), Some(address));
            }
            AudienceChannel::Webhook { url } => {
                let url = faults.name(&format!("{field}.url"), Some(url), 2_000);
                if !url.starts_with("https://") && !url.starts_with("http://") {
                    faults.add(format!("{field}.url must begin with https:// or http://."));
                }
            }
            AudienceChannel::StatusPage if readers == Readers::Internal => {
                faults.add(format!("{field}: status pages show only words for the public."));
            }
            AudienceChannel::StatusPage | AudienceChannel::Desk | AudienceChannel::Subscribers => {}
        }
    }
}

/// Somebody who is told.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct AudienceView {
    #[serde(flatten)]
    pub(crate) head: Head,
    name: String,
    /// Who may read its words.
    visibility: Readers,
    /// As in `lang="en"`.
    language: String,
    /// IANA name.
    time_zone: String,
    /// Whether somebody has to agree before words go out.
    approval: ApprovalRule,
    /// How often they hear something at first.
    cadence_minutes: i64,
    /// How often they hear something later on.
    later_cadence_minutes: i64,
    /// Their own templates; null is the built-in one.
    templates: Templates,
    /// Where published words go.
    channels: Vec<AudienceChannel>,
    /// Their place in lists.
    position: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
}

fn view(audience: &Audience, site: &Site) -> AudienceView {
    let head = site.resource(
        "audience",
        "audiences",
        audience.id.as_str(),
        audience.name.clone(),
    );
    AudienceView {
        head: head.into(),
        name: audience.name.clone(),
        visibility: audience.readers,
        language: audience.language.clone(),
        time_zone: audience.time_zone.clone(),
        approval: audience.approval,
        cadence_minutes: audience.cadence_minutes,
        later_cadence_minutes: audience.later_cadence_minutes,
        templates: audience.templates.clone(),
        channels: audience.channels.clone(),
        position: audience.position,
        created_at: audience.created_at,
    }
}

fn find(tx: &mut store::Tx, id: &str) -> Result<Audience, Problem> {
    rows::find(tx, &AudienceId::from(id))?.ok_or_else(|| Problem::not_found("The audience"))
}

fn note(change: &mut Change, caller: &Caller, action: AuditAction, audience: &Audience) {
    let changed = Changed {
        resource_type: "audience",
        resource_id: audience.id.as_str(),
        resource_name: &audience.name,
        details: json!({ "approval": audience.approval, "channels": audience.channels.len() }),
    };
    audit::record(change, caller, action, &changed);
}

/// List audiences.
#[utoipa::path(
    get, path = "/audiences", tag = "Audiences", params(Listing),
    responses((status = 200, description = "A page of audiences", body = AudiencesAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<AudiencesAnswer>, Problem> {
    caller.require(Action::View, Resource::Audience)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = rows::list(tx, page)?;
            let (found, paging) = page.finish(found, || rows::count(tx))?;
            Ok(AudiencesAnswer {
                audiences: found.iter().map(|one| view(one, &site)).collect(),
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Add an audience.
#[utoipa::path(
    post, path = "/audiences", tag = "Audiences", request_body = AudienceBody,
    responses((status = 201, description = "The audience", body = AudienceAnswer), Problems)
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<AudienceBody>,
) -> Result<(StatusCode, axum::Json<AudienceAnswer>), Problem> {
    caller.require(Action::Create, Resource::Audience)?;
    let agent = caller.agent();
    let site = app.site.clone();
    let audience = app
        .change(agent, move |change| -> Result<_, Problem> {
            let blank = Audience {
                id: change.identifier(),
                name: String::new(),
                // What is not known to be public is internal.
                readers: body.audience.visibility.unwrap_or(Readers::Internal),
                language: "en".to_owned(),
                time_zone: "Etc/UTC".to_owned(),
                approval: ApprovalRule::Required,
                cadence_minutes: 20,
                later_cadence_minutes: 60,
                templates: Templates::default(),
                channels: Vec::new(),
                position: 100,
                created_at: change.now,
            };
            let audience = body.audience.over(blank)?;
            rows::insert(change, &audience)?;
            note(change, &caller, AuditAction::Create, &audience);
            Ok(view(&audience, &site))
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(AudienceAnswer { audience })))
}

/// Show an audience.
#[utoipa::path(
    get, path = "/audiences/{id}", tag = "Audiences",
    params(("id" = String, Path, description = "The audience's id")),
    responses((status = 200, description = "The audience", body = AudienceAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<AudienceAnswer>, Problem> {
    caller.require(Action::View, Resource::Audience)?;
    let site = app.site.clone();
    let audience = app
        .read(move |tx| -> Result<_, Problem> { Ok(view(&find(tx, &id)?, &site)) })
        .await?;
    Ok(axum::Json(AudienceAnswer { audience }))
}

/// Change an audience. Who its readers are cannot be changed: words once internal stay internal.
#[utoipa::path(
    put, path = "/audiences/{id}", tag = "Audiences", request_body = AudienceBody,
    params(("id" = String, Path, description = "The audience's id")),
    responses((status = 200, description = "The audience", body = AudienceAnswer), Problems)
)]
pub(crate) async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<AudienceBody>,
) -> Result<axum::Json<AudienceAnswer>, Problem> {
    caller.require(Action::Change, Resource::Audience)?;
    let site = app.site.clone();
    let audience = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let known = find(change.tx, &id)?;
            if body
                .audience
                .visibility
                .is_some_and(|readers| readers != known.readers)
            {
                return Err(Problem::invalid([
                    "audience.visibility cannot be changed; make another audience instead.",
                ]));
            }
            let audience = body.audience.over(known)?;
            rows::save(change, &audience)?;
            note(change, &caller, AuditAction::Update, &audience);
            Ok(view(&audience, &site))
        })
        .await?;
    Ok(axum::Json(AudienceAnswer { audience }))
}

/// Readers who were promised a next word are not let go before they have had it.
fn refuse_if_waiting(tx: &mut store::Tx, audience: &Audience) -> Result<(), Problem> {
    let waiting = rows::promised_incidents(tx, &audience.id)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let numbers: Vec<String> = waiting.iter().map(|number| format!("#{number}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    Err(Problem::invalid([format!(
        "{} still wait for a word that was promised about {}. Tell them how it ended first.",
        audience.name,
        compose::listing(&numbers)
    )]))
}

/// Delete an audience that waits for no promised word. What it was told stays.
#[utoipa::path(
    delete, path = "/audiences/{id}", tag = "Audiences",
    params(("id" = String, Path, description = "The audience's id")),
    responses((status = 204, description = "Deleted"), Problems)
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Delete, Resource::Audience)?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let audience = find(change.tx, &id)?;
        refuse_if_waiting(change.tx, &audience)?;
        rows::delete(change, &audience.id)?;
        note(change, &caller, AuditAction::Delete, &audience);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
