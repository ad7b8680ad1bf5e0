//! Audiences: who is told, in which language, how often and in whose words; adding one, changing it, taking it away.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use super::super::seen::{Seen, overtaken};
use super::super::sheet::{Gone, Outcome, parts_of, status_of};
use super::super::typed::{Typed, Wrong};
use super::super::{from_json, go_to, lengths, situation};
use super::audience_fields::{Fields, READERS, approval_words};
use super::{From, long_table, page, part_of, row, words};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Place, Rich};
use crate::console::screens::settings::{Button, Cell, Field, Form, SettingsPart, TableRow, Weight};
use crate::http::{Body, Path, Problem, Query};
use crate::updates::audiences as rows;
use crate::updates::audiences_api as api;
use crate::updates::model::{Audience, AudienceId, Readers};

const LIST: &str = "/console/settings/audiences";
const PLACE: &str = "Audiences";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/audiences", get(list).post(add))
        .route("/console/settings/audiences/{id}", get(one).post(change))
        .route("/console/settings/audiences/{id}/remove", post(remove))
}

fn address(id: &AudienceId) -> String {
    format!("{LIST}/{id}")
}

fn readers_words(readers: Readers) -> &'static str {
    let value = match readers {
        Readers::Public => "public",
        Readers::Internal => "internal",
    };
    READERS
        .iter()
        .find(|(one, _)| *one == value)
        .map_or("", |(_, words)| words)
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let zone = visitor.reading(&app).zone;
    let blank = Fields::blank(zone.iana_name().unwrap_or_default());
    draw_list(&app, &visitor, from, blank, Wrong::default()).await
}

async fn draw_list(
    app: &Arc<App>,
    visitor: &Visitor,
    from: From,
    typed: Fields,
    wrong: Wrong,
) -> Result<Response, PageProblem> {
    let status = status_of(&wrong);
    let below = "Who is told when something breaks, each in their own words.";
    let mut drawn = page(app, visitor, PLACE, below, move |tx, _, caller| {
        let asked = from.page();
        let listed = rows::list(tx, asked)?;
        let columns = vec!["Audience", "Told every", "Before words go out"];
        let empty = "An audience is a group of readers with words of their own. Add the first one below.";
        let rows = listed.into_iter().map(list_row).collect();
        let mut parts = vec![long_table(PLACE, columns, rows, (asked, LIST), empty)];
        if caller.may(Action::Create, Resource::Audience) {
            parts.extend(parts_of(
                Form {
                    id: "add-audience",
                    title: "Add an audience".to_owned(),
                    words: "How often it is told, where its words go and who agrees to them is set on its own page."
                        .to_owned(),
                    post_to: LIST.to_owned(),
                    fields: typed.first_drawn(),
                    verb: "Add it",
                    also: Vec::new(),
                    back: None,
                },
                &wrong,
            ));
        }
        Ok(parts)
    })
    .await?;
    *drawn.status_mut() = status;
    Ok(drawn)
}

fn list_row(audience: Audience) -> TableRow {
    let minutes = |minutes: i64| lengths::written(minutes.saturating_mul(60));
    let cadence = format!(
        "{}, after two hours {}",
        minutes(audience.cadence_minutes),
        minutes(audience.later_cadence_minutes)
    );
    let named = Cell::Title {
        link: Some(Link::new(audience.name.clone(), address(&audience.id))),
        name: audience.name,
        below: readers_words(audience.readers).to_owned(),
    };
    row(
        "audience",
        audience.id.as_str(),
        vec![named, words(cadence), words(approval_words(audience.approval))],
    )
}

async fn add(State(app): State<Arc<App>>, posted: Posted<Typed>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    visitor.0.require(Action::Create, Resource::Audience)?;
    let typed = Fields::of_typed(&fields);
    match Outcome::of(
        create(&app, &visitor.0, typed.first_body()).await,
        &Fields::belongs(),
    )? {
        Outcome::Done(id) => Ok(go_to(&address(&id))),
        Outcome::Wrong(wrong) => draw_list(&app, &visitor, From::default(), typed, wrong).await,
        Outcome::Gone => Err(Problem::not_found("The audience").into()),
    }
}

async fn create(app: &Arc<App>, caller: &Caller, body: Value) -> Result<AudienceId, Problem> {
    let body = Body(from_json(body)?);
    let (_, answer) = api::create(State(app.clone()), caller.clone(), body).await?;
    Ok(AudienceId::from(answer.0.audience.head.id.as_str()))
}

async fn find(app: &App, id: &AudienceId) -> Result<Option<Audience>, Problem> {
    let id = id.clone();
    app.read(move |tx| Ok(rows::find(tx, &id)?)).await
}

async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<AudienceId>,
) -> Result<Response, PageProblem> {
    let audience = find(&app, &id)
        .await?
        .ok_or_else(|| Problem::not_found("The audience"))?;
    let stands = Fields::of(&audience).drawn();
    draw(&app, &visitor, audience, stands, Wrong::default()).await
}

async fn draw(
    app: &Arc<App>,
    visitor: &Visitor,
    audience: Audience,
    fields: Vec<Field>,
    wrong: Wrong,
) -> Result<Response, PageProblem> {
    let status = status_of(&wrong);
    let headline = (
        audience.name.clone(),
        Rich::plain(format!("Who reads it: {}.", readers_words(audience.readers))),
    );
    let mut drawn = part_of(app, visitor, PLACE, headline, move |_, _, caller| {
        Ok(parts(caller, &audience, fields.clone(), &wrong))
    })
    .await?;
    *drawn.status_mut() = status;
    Ok(drawn)
}

fn parts(caller: &Caller, audience: &Audience, fields: Vec<Field>, wrong: &Wrong) -> Vec<SettingsPart> {
    let to = address(&audience.id);
    if !caller.may(Action::Change, Resource::Audience) {
        return vec![SettingsPart::Facts {
            title: "How it is told".to_owned(),
            facts: facts(audience),
        }];
    }
    let mut parts = parts_of(
        Form {
            id: "change-audience",
            title: "How it is told".to_owned(),
            words: "Words that are out already stay as they are, and so do the promises made with them. A template may use {{\u{a0}touchpoints\u{a0}}}, {{\u{a0}since\u{a0}}}, {{\u{a0}symptom\u{a0}}}, {{\u{a0}places\u{a0}}}, {{\u{a0}workaround\u{a0}}} and {{\u{a0}next_update_by\u{a0}}}; where it is empty, Muster’s own words are used."
                .to_owned(),
            post_to: to.clone(),
            fields: Seen::of(&Fields::of(audience).drawn()).hidden_in(fields),
            verb: "Change it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", LIST)),
        },
        wrong,
    );
    if caller.may(Action::Delete, Resource::Audience) {
        let question = format!("Take the audience {} away?", audience.name);
        parts.push(SettingsPart::Act {
            title: "Take it away".to_owned(),
            words: "Nothing is written for it any more, and its drafts are dropped. What it was told stays."
                .to_owned(),
            button: Button::post(
                "Take the audience away",
                format!("{to}/remove"),
                Weight::Danger(question),
            ),
        });
    }
    parts
}

/// The same for those who may only look.
fn facts(audience: &Audience) -> Vec<(String, Rich)> {
    let minutes = |minutes: i64| lengths::written(minutes.saturating_mul(60));
    [
        ("Language", audience.language.clone()),
        ("Time zone", audience.time_zone.clone()),
        ("In the first two hours, every", minutes(audience.cadence_minutes)),
        ("After that, every", minutes(audience.later_cadence_minutes)),
        (
            "Before words go out",
            approval_words(audience.approval).to_owned(),
        ),
    ]
    .into_iter()
    .map(|(name, words)| (name.to_owned(), Rich::plain(words)))
    .collect()
}

async fn gone(app: &App, visitor: &Visitor, fields: &[Field]) -> Result<Response, PageProblem> {
    let situation = situation::of(app, &visitor.0).await?;
    let gone = Gone {
        place: Place::Settings,
        what: "This audience",
        back: Link::new("See all audiences", LIST),
    };
    Ok(gone.shown(app, visitor, situation, fields))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<AudienceId>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    visitor.0.require(Action::Change, Resource::Audience)?;
    let fields = Fields::of_typed(&typed);
    let Some(audience) = find(&app, &id).await? else {
        return gone(&app, &visitor, &fields.drawn()).await;
    };
    // Who reads it is not in the form, and decides what is.
    let fields = fields.for_readers_of(&audience);
    let (drawn, stands) = (fields.drawn(), Fields::of(&audience).drawn());
    let met = overtaken(&app, &visitor, id.as_str(), &typed, drawn.clone(), &stands).await?;
    if let Some((merged, wrong)) = met {
        return draw(&app, &visitor, audience, merged, wrong).await;
    }
    let body = match fields.body(&audience) {
        Ok(body) => body,
        Err(wrong) => return draw(&app, &visitor, audience, drawn, wrong).await,
    };
    match Outcome::of(put(&app, &visitor.0, &id, body).await, &Fields::belongs())? {
        Outcome::Done(()) => Ok(go_to(&address(&id))),
        Outcome::Wrong(wrong) => draw(&app, &visitor, audience, drawn, wrong).await,
        Outcome::Gone => gone(&app, &visitor, &drawn).await,
    }
}

async fn put(app: &Arc<App>, caller: &Caller, id: &AudienceId, body: Value) -> Result<(), Problem> {
    let body = Body(from_json(body)?);
    api::change_one(State(app.clone()), caller.clone(), Path(id.to_string()), body)
        .await
        .map(drop)
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<AudienceId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    match api::delete(State(app.clone()), visitor.0.clone(), Path(id.to_string())).await {
        Ok(_) => Ok(go_to(LIST)),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => gone(&app, &visitor, &[]).await,
        Err(problem) => Err(problem.into()),
    }
}
