//! Reports over the API, under the paths that clients know, and their exports.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::actions;
use super::chapters;
use super::facts::Facts;
use super::render::{self, PrintPage};
use super::store::{self as rows, Edit, Review, ReviewStatus, Version, VersionOrigin};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::drawing::unturned;
use crate::http::{Body, Head, Listing, Paging, Path, Problem, Problems, Query, Reference, Site};
use crate::incidents::{Incident, IncidentId};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, write, change_one))
        .routes(routes!(list_versions))
        .routes(routes!(as_markdown))
        .routes(routes!(as_html))
}

/// One report.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ReviewAnswer {
    pub incident_review: ReviewView,
}

/// A page of reports.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ReviewsAnswer {
    pub incident_reviews: Vec<ReviewView>,
    #[serde(flatten)]
    paging: Paging,
}

/// A report on an incident.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ReviewView {
    #[serde(flatten)]
    head: Head,
    incident: Reference,
    title: String,
    status: ReviewStatus,
    /// Counts the edits of the words.
    version: i64,
    /// The words, in Markdown; null in lists.
    body: Option<String>,
    /// Who wrote them last; null in lists.
    author: Option<String>,
    /// What the report is made from.
    facts: Facts,
    /// Counts how often the facts were read anew.
    facts_revision: i64,
    #[schema(value_type = String, format = DateTime)]
    generated_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
}

fn view(review: &Review, version: Option<&Version>, site: &Site) -> ReviewView {
    let id = &review.incident_id;
    ReviewView {
        head: Head {
            id: review.id.to_string(),
            kind: "incident_review".to_owned(),
            summary: Some(review.title.clone()),
            api_url: Some(site.url(&format!("/incidents/{id}/review"))),
            html_url: Some(site.html_url("learn", id.as_str())),
        },
        incident: site.reference("incident", "incidents", id.as_str(), &*review.title),
        title: review.title.clone(),
        status: review.status,
        version: review.version,
        body: version.map(|version| version.body.clone()),
        author: version.map(|version| version.author_name.clone()),
        facts: review.facts.clone(),
        facts_revision: review.facts_revision,
        generated_at: review.generated_at,
        created_at: review.created_at,
        updated_at: review.updated_at,
        published_at: review.published_at,
    }
}

fn load(tx: &mut Tx, id: &str) -> Result<(Incident, Review, Version), Problem> {
    actions::load(tx, &IncidentId::from(id))
}

/// List reports, the newest first.
#[utoipa::path(
    get, path = "/incidents/reviews", tag = "Reports", params(Listing),
    responses((status = 200, description = "A page of reports, without their words", body = ReviewsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<ReviewsAnswer>, Problem> {
    caller.require(Action::View, Resource::Review)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let reviews = rows::list(tx, page)?;
            let (reviews, paging) = page.finish(reviews, || rows::count(tx))?;
            Ok(ReviewsAnswer {
                incident_reviews: reviews.iter().map(|review| view(review, None, &site)).collect(),
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Show the report on an incident: its facts and the latest words.
#[utoipa::path(
    get, path = "/incidents/{id}/review", tag = "Reports",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The report", body = ReviewAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<ReviewAnswer>, Problem> {
    caller.require(Action::View, Resource::Review)?;
    let site = app.site.clone();
    let incident_review = app
        .read(move |tx| -> Result<_, Problem> {
            let (_, review, version) = load(tx, &id)?;
            Ok(view(&review, Some(&version), &site))
        })
        .await?;
    Ok(axum::Json(ReviewAnswer { incident_review }))
}

/// Write the report on an incident now, or bring its facts up to date. Words that were edited stay.
#[utoipa::path(
    post, path = "/incidents/{id}/review", tag = "Reports",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The report", body = ReviewAnswer), Problems)
)]
async fn write(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<ReviewAnswer>, Problem> {
    caller.require(Action::Create, Resource::Review)?;
    let site = app.site.clone();
    let incident_review = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let review = actions::write(change, &caller, &IncidentId::from(id.as_str()))?;
            let version = rows::version(change.tx, &review.id, review.version)?;
            Ok(view(&review, version.as_ref(), &site))
        })
        .await?;
    Ok(axum::Json(ReviewAnswer { incident_review }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ChangeReview {
    incident_review: ReviewInput,
}

/// What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
struct ReviewInput {
    #[serde(default)]
    title: Option<String>,
    /// Markdown.
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    status: Option<ReviewStatus>,
    /// The version that was edited; when somebody else was faster, the answer is 409.
    #[serde(default)]
    version: Option<i64>,
}

/// Edit the words or title of a report, or publish it. Each edit of the words is a version of its own.
#[utoipa::path(
    put, path = "/incidents/{id}/review", tag = "Reports", request_body = ChangeReview,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The report", body = ReviewAnswer), Problems)
)]
async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ChangeReview>,
) -> Result<axum::Json<ReviewAnswer>, Problem> {
    caller.require(Action::Change, Resource::Review)?;
    let input = body.incident_review;
    let mut edit = Edit {
        title: input.title,
        body: input.body,
        status: input.status,
        version: input.version,
    };
    actions::check(&mut edit)?;
    let site = app.site.clone();
    let incident_review = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let review = actions::edit(change, &caller, &IncidentId::from(id.as_str()), &edit)?;
            let version = rows::version(change.tx, &review.id, review.version)?;
            Ok(view(&review, version.as_ref(), &site))
        })
        .await?;
    Ok(axum::Json(ReviewAnswer { incident_review }))
}

/// The versions of a report's words.
#[derive(Debug, serde::Serialize, ToSchema)]
struct VersionsAnswer {
    versions: Vec<VersionView>,
}

#[derive(Debug, serde::Serialize, ToSchema)]
struct VersionView {
    number: i64,
    origin: VersionOrigin,
    /// Markdown.
    body: String,
    /// Who wrote it.
    author: String,
    /// The revision of the facts that it was written from.
    facts_revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// List the versions of a report's words, the oldest first.
#[utoipa::path(
    get, path = "/incidents/{id}/review/versions", tag = "Reports",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The versions", body = VersionsAnswer), Problems)
)]
async fn list_versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<VersionsAnswer>, Problem> {
    caller.require(Action::View, Resource::Review)?;
    let versions = app
        .read(move |tx| -> Result<_, Problem> {
            let (_, review, _) = load(tx, &id)?;
            Ok(rows::versions(tx, &review.id)?)
        })
        .await?;
    let versions = versions
        .into_iter()
        .map(|version| VersionView {
            number: version.number,
            origin: version.origin,
            body: version.body,
            author: version.author_name,
            facts_revision: version.facts_revision,
            created_at: version.created_at,
        })
        .collect();
    Ok(axum::Json(VersionsAnswer { versions }))
}

async fn exported(app: &Arc<App>, caller: &Caller, id: String) -> Result<(String, String), Problem> {
    caller.require(Action::View, Resource::Review)?;
    app.read(move |tx| -> Result<_, Problem> {
        let (incident, review, version) = load(tx, &id)?;
        let words = chapters::handed_out(&version.body);
        let text = render::markdown(&review, &incident, &review.facts, &words);
        Ok((review.title, text))
    })
    .await
}

/// Export a report as Markdown.
#[utoipa::path(
    get, path = "/incidents/{id}/review.md", tag = "Reports",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The report", content_type = "text/markdown", body = String), Problems)
)]
async fn as_markdown(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, text) = exported(&app, &caller, id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"report.md\""),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((StatusCode::OK, headers, text).into_response())
}

/// Export a report as a page that prints.
#[utoipa::path(
    get, path = "/incidents/{id}/review.html", tag = "Reports",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The report", content_type = "text/html", body = String), Problems)
)]
async fn as_html(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (title, text) = exported(&app, &caller, id).await?;
    let page = PrintPage {
        title,
        body: render::html(&text),
    };
    let body = page.render().map_err(Problem::internal)?;
    let hash = BASE64.encode(&Sha256::digest(PrintPage::style().as_bytes()));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'");
    let mut response = axum::response::Html(unturned(body)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    Ok(response)
}
