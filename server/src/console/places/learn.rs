//! *Learn*: the reports on what happened. Each wrote itself from its incident's timeline; here it is read,
//! put right, published.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{go_to, report_chart, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor, show, show_with_status};
use crate::console::prelude::{
    Pagination, Person, Place, Reading, Rich, State as Shape, counted, measured_words, money, thousands,
};
use crate::console::screens::report::{
    Chapter, Learn, NoReport, Report, ReportEdit, ReportRights, ReportRow, Version,
};
use crate::console::screens::room::Figure;
use crate::http::listing::Counted;
use crate::http::{Page, Path, Problem, Query};
use crate::incidents::{Incident, IncidentId, Status, store as incident_rows};
use crate::reviews::facts::{Facts, NoticedBy};
use crate::reviews::store::{self as rows, Edit, Line, Review, ReviewStatus};
use crate::reviews::{actions, chapters, render};
use crate::updates::headline;

/// Reports on a page of the list.
const ROWS: i64 = 50;
/// Reports over which the list's figures are taken.
const MEASURED: i64 = 30;
/// Chapters that a form may send.
const MOST_CHAPTERS: usize = 60;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/learn", get(list))
        .route("/console/learn/{id}", get(one).post(keep))
        .route("/console/learn/{id}/edit", get(edit))
        .route("/console/learn/{id}/write", post(write))
        .route("/console/learn/{id}/publish", post(publish))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct From {
    from: String,
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Review)?;
    let page = |limit, offset| Page {
        limit,
        offset,
        counted: Counted::No,
    };
    let asked = page(ROWS, from.from.parse().unwrap_or(0).clamp(0, 1_000_000));
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, mut lines, newest, total) = app
        .read(move |tx| -> Result<_, Problem> {
            Ok((
                situation::read(tx, &caller, now)?,
                rows::lines(tx, asked)?,
                rows::lines(tx, page(MEASURED, 0))?,
                rows::count(tx)?,
            ))
        })
        .await?;
    let more = lines.len() > ROWS as usize;
    lines.truncate(ROWS as usize);
    let turn = |offset: i64| format!("/console/learn?from={offset}");
    let pagination = Pagination {
        words: format!(
            "{} to {} of {}",
            asked.offset + 1,
            asked.offset + lines.len() as i64,
            thousands(total.unsigned_abs())
        ),
        earlier: (asked.offset > 0).then(|| turn((asked.offset - ROWS).max(0))),
        later: more.then(|| turn(asked.offset + ROWS)),
    };
    Ok(show(&Learn {
        frame: visitor.frame(&app, Place::Learn, "Learn", situation),
        headline: "What we learned".to_owned(),
        figures: middles(&newest),
        rows: lines.iter().map(|line| row(line, &reading)).collect(),
        pagination,
    }))
}

fn row(line: &Line, reading: &Reading) -> ReportRow {
    ReportRow {
        id: format!("report-{}", line.number),
        to: format!("/console/learn/{}", line.incident_id),
        title: format!("#{} {}", line.number, line.title),
        date: reading.clock(line.began_at()),
        lasted: line.to_resolve.map(measured_words).unwrap_or_default(),
        hurt: line.hurt.clone().unwrap_or_default(),
        state: match line.status {
            ReviewStatus::Draft => Shape::Acknowledged.says(format!("Draft {}", line.version)),
            ReviewStatus::Published => Shape::Resolved.says("Published"),
        },
    }
}

/// The middle of what the newest reports measured.
fn middles(lines: &[Line]) -> Vec<Figure> {
    let measured: [(&str, fn(&Line) -> Option<i64>); 3] = [
        ("To acknowledge", |line| line.to_acknowledge),
        ("To tell customers", |line| line.to_first_update),
        ("To put right", |line| line.to_resolve),
    ];
    measured
        .into_iter()
        .filter_map(|(label, of)| {
            let seconds: Vec<i64> = lines.iter().filter_map(of).collect();
            let middle = middle(&seconds)?;
            let note = match seconds.len() as u64 {
                1 => "in the one report so far".to_owned(),
                count => format!("middle of the last {}", counted(count, "report", "reports")),
            };
            Some(Figure::new(label, measured_words(middle), vec![note.into()]))
        })
        .collect()
}

/// The median: of an even count, half-way between the two in the middle.
fn middle(values: &[i64]) -> Option<i64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(lower + (upper - lower) / 2)
}

fn rights(visitor: &Visitor, status: ReviewStatus) -> ReportRights {
    match (visitor.0.may(Action::Change, Resource::Review), status) {
        (false, _) => ReportRights::Read,
        (true, ReviewStatus::Draft) => ReportRights::Edit,
        (true, ReviewStatus::Published) => ReportRights::EditPublished,
    }
}

async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<IncidentId>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Review)?;
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, incident, felt, found) = app
        .read(move |tx| -> Result<_, Problem> {
            let situation = situation::read(tx, &caller, now)?;
            let incident = incident_rows::find(tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            let felt = headline::of(tx, std::slice::from_ref(&incident))?
                .remove(&incident.id)
                .and_then(|headline| headline.felt.into_iter().next());
            let found = match rows::find(tx, &id)? {
                Some(review) => {
                    let versions = rows::versions(tx, &review.id)?;
                    Some((review, versions))
                }
                None => None,
            };
            Ok((situation, incident, felt, found))
        })
        .await?;
    let title = format!("Report on #{}", incident.number);
    let frame = visitor.frame(&app, Place::Learn, title, situation);
    let Some((review, versions)) = found else {
        return Ok(show(&NoReport {
            frame,
            id: incident.id.to_string(),
            headline: format!("#{} {}", incident.number, felt.as_ref().unwrap_or(&incident.title)),
            words: match incident.status {
                Status::Resolved => {
                    "Its timeline holds everything that a report is made of: times, people, words, cases, impact."
                }
                _ => "It writes itself when the incident is over. You can have what is known so far.",
            }
            .to_owned(),
            rights: if visitor.0.may(Action::Create, Resource::Review) {
                ReportRights::Edit
            } else {
                ReportRights::Read
            },
        }));
    };
    let words = versions
        .last()
        .map(|version| version.body.clone())
        .unwrap_or_default();
    Ok(show(&Report {
        id: incident.id.to_string(),
        state: match incident.status {
            Status::Resolved => Shape::Resolved,
            Status::Acknowledged => Shape::Acknowledged,
            Status::Triggered => Shape::Triggered,
        }
        .mark()
        .as_chip(),
        facts: head(&incident, &review, &reading),
        headline: review.title.clone(),
        below: outcome(&review.facts),
        chart: report_chart::chart(&review.facts, &reading),
        figures: figures(&review.facts),
        chapters: chapters::part(&words)
            .into_iter()
            .map(|chapter| Chapter {
                html: chapter.is_written().then(|| render::html(&chapter.words)),
                title: chapter.title,
            })
            .collect(),
        versions: versions
            .iter()
            .rev()
            .map(|version| Version {
                number: version.number,
                who: match version.origin {
                    rows::VersionOrigin::Generated => Person::Nobody("wrote itself"),
                    rows::VersionOrigin::Edited => Person::named(version.author_name.clone()),
                },
                at: reading.clock(version.created_at),
            })
            .collect(),
        notes: notes(&review.facts),
        rights: rights(&visitor, review.status),
        frame,
    }))
}

fn head(incident: &Incident, review: &Review, reading: &Reading) -> Vec<String> {
    let facts = &review.facts;
    let clock = |at| reading.zoned(at).strftime("%H:%M").to_string();
    let times = match facts.resolved_at {
        Some(at) => format!("{} to {}", clock(facts.began_at), clock(at)),
        None => format!("since {}", clock(facts.began_at)),
    };
    let state = match review.status {
        ReviewStatus::Draft => format!("draft {}", review.version),
        ReviewStatus::Published => format!("published, version {}", review.version),
    };
    vec![
        format!("#{}", incident.number),
        reading.date(facts.began_at),
        times,
        state,
    ]
}

/// "24 sites were hurt, for 53 min. Everyone who told us has an answer."
fn outcome(facts: &Facts) -> String {
    let whom = match (facts.sites, facts.touchpoints.first()) {
        (1.., _) => format!(
            "{} hurt",
            counted(facts.sites.unsigned_abs(), "site was", "sites were")
        ),
        (_, Some(touchpoint)) => format!("{touchpoint} was hurt"),
        _ => "Nothing that customers touch was hurt".to_owned(),
    };
    let lasted = facts
        .seconds
        .to_resolve
        .map(|seconds| format!(", for {}", measured_words(seconds)))
        .unwrap_or_default();
    let answered = match (facts.cases.linked, facts.cases.owed) {
        (0, _) => "No customer wrote about it.".to_owned(),
        (_, 0) => "Everyone who told us has an answer.".to_owned(),
        (linked, owed) => format!(
            "{} told us; {} for an answer.",
            counted(linked.unsigned_abs(), "customer", "customers"),
            match owed {
                1 => "one still waits".to_owned(),
                many => format!("{} still wait", thousands(many.unsigned_abs())),
            }
        ),
    };
    format!("{whom}{lasted}. {answered}")
}

fn figures(facts: &Facts) -> Vec<Figure> {
    let seconds = &facts.seconds;
    // What was not done before it was over was never done.
    let undone = if seconds.to_resolve.is_some() {
        "never"
    } else {
        "not yet"
    };
    let took = |seconds: Option<i64>| seconds.map_or_else(|| undone.to_owned(), measured_words);
    let last_answer = match (seconds.to_last_answer, facts.cases.linked, facts.cases.owed) {
        (None, 0, _) => "nobody wrote".to_owned(),
        (None, _, owed) if owed > 0 => "not yet".to_owned(),
        (answered, _, _) => took(answered),
    };
    let promises = &facts.promises;
    let mut figures = vec![
        Figure::new(
            "Noticed by",
            match facts.noticed_by {
                NoticedBy::Machines => "machines",
                NoticedBy::Customers => "customers",
                NoticedBy::People => "people here",
            },
            vec![
                counted(facts.alerts.unsigned_abs(), "alert", "alerts").into(),
                format!("times count from {}", facts.noticed_by.beginning()).into(),
            ],
        ),
        Figure::new(
            "To acknowledge",
            took(seconds.to_acknowledge),
            vec![counted(facts.people.len() as u64, "person helped", "people helped").into()],
        ),
        Figure::new(
            "To tell customers",
            took(seconds.to_first_update),
            vec![
                match promises.made {
                    0 => "no next word was promised".to_owned(),
                    _ => format!("promises: {}", promises.figures()),
                }
                .into(),
            ],
        ),
        Figure::new(
            "To put right",
            took(seconds.to_resolve),
            vec![
                match facts.touchpoints.len() {
                    0 => "no touchpoint hurt".to_owned(),
                    count => format!("{} hurt", counted(count as u64, "touchpoint", "touchpoints")),
                }
                .into(),
            ],
        ),
        Figure::new(
            "To the last answer",
            last_answer,
            vec![
                format!(
                    "{} of {} answered",
                    thousands((facts.cases.linked - facts.cases.owed).unsigned_abs()),
                    counted(facts.cases.linked.unsigned_abs(), "case", "cases")
                )
                .into(),
            ],
        ),
    ];
    for cost in facts.cost.iter().take(2) {
        let range = format!(
            "{} to {}",
            money(cost.low, &cost.currency),
            money(cost.high, &cost.currency)
        );
        let likely = money(cost.likely, &cost.currency);
        figures.push(Figure::new("Cost, estimated", likely, vec![range.into()]));
    }
    figures
}

/// What the figures tell for next time.
fn notes(facts: &Facts) -> Vec<(&'static str, Rich)> {
    /// Silence that customers notice.
    const LONG_SILENCE: i64 = 600;
    let mut notes = Vec::new();
    if facts.noticed_by == NoticedBy::Customers {
        notes.push((
            "customers",
            "Customers noticed it before any machine did. What would have seen it?".into(),
        ));
    }
    if let Some(seconds) = facts
        .seconds
        .to_first_update
        .filter(|seconds| *seconds > LONG_SILENCE)
    {
        notes.push((
            "updates",
            Rich::plain(format!(
                "Customers heard nothing for {}.",
                measured_words(seconds)
            )),
        ));
    }
    if facts.promises.missed > 0 {
        let missed = counted(facts.promises.missed.unsigned_abs(), "promise", "promises");
        notes.push((
            "bell",
            Rich::plain(format!("{missed} of a next word came too late.")),
        ));
    }
    if facts.cases.owed > 0 {
        let owed = counted(
            facts.cases.owed.unsigned_abs(),
            "customer waits",
            "customers wait",
        );
        notes.push((
            "case",
            Rich::plain(format!("{owed} for an answer still. ")).link("Answer them", "/console/desk#owed"),
        ));
    }
    if facts.alerts > 9 {
        let alerts = thousands(facts.alerts.unsigned_abs());
        notes.push(("filter", Rich::plain(format!("{alerts} alerts made 1 incident."))));
    }
    notes
}

async fn edit(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<IncidentId>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::Change, Resource::Review)?;
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, review, version) = app
        .read(move |tx| -> Result<_, Problem> {
            let (_, review, version) = actions::load(tx, &id)?;
            Ok((situation::read(tx, &caller, now)?, review, version))
        })
        .await?;
    let known = chapters::part(&version.body)
        .into_iter()
        .map(|chapter| (chapter.title, chapter.words))
        .chain([(String::new(), String::new())])
        .collect();
    Ok(show(&ReportEdit {
        frame: visitor.frame(&app, Place::Learn, "Edit the report", situation),
        id: review.incident_id.to_string(),
        version: review.version,
        problem: None,
        title: review.title,
        chapters: known,
    }))
}

#[derive(Debug, Clone, Deserialize)]
struct Written {
    version: i64,
    #[serde(default)]
    headline: String,
    #[serde(default)]
    title: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
}

/// Keeps what was typed. When that cannot be, everything typed is shown again, with the reason.
async fn keep(
    State(app): State<Arc<App>>,
    Path(id): Path<IncidentId>,
    posted: Posted<Written>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    visitor.0.require(Action::Change, Resource::Review)?;
    let typed: Vec<chapters::Chapter> = fields
        .title
        .iter()
        .zip(&fields.words)
        .take(MOST_CHAPTERS)
        .map(|(title, words)| chapters::Chapter {
            title: title.clone(),
            words: words.clone(),
        })
        .collect();
    let mut edit = Edit {
        title: Some(fields.headline.clone()),
        body: Some(chapters::join(&typed)),
        status: None,
        version: Some(fields.version),
    };
    let (caller, incident_id) = (visitor.0.clone(), id.clone());
    let done = match actions::check(&mut edit) {
        Ok(()) => {
            app.change(caller.agent(), move |change| {
                actions::edit(change, &caller, &incident_id, &edit).map(drop)
            })
            .await
        }
        Err(problem) => Err(problem),
    };
    let problem = match done {
        Ok(()) => return Ok(go_to(&format!("/console/learn/{id}"))),
        Err(problem) if problem.status() == StatusCode::CONFLICT => {
            "Somebody kept another version meanwhile. What you typed is still here: look at theirs in a second \
             window, then keep yours over it."
                .to_owned()
        }
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => problem.errors().join(" "),
        Err(problem) => return Err(problem.into()),
    };
    let (caller, now, incident_id) = (visitor.0.clone(), app.clock.now(), id.clone());
    let (situation, version) = app
        .read(move |tx| -> Result<_, Problem> {
            let (_, review, _) = actions::load(tx, &incident_id)?;
            Ok((situation::read(tx, &caller, now)?, review.version))
        })
        .await?;
    let again = ReportEdit {
        frame: visitor.frame(&app, Place::Learn, "Edit the report", situation),
        id: id.to_string(),
        version,
        problem: Some(problem),
        title: fields.headline,
        chapters: typed
            .into_iter()
            .map(|chapter| (chapter.title, chapter.words))
            .collect(),
    };
    Ok(show_with_status(StatusCode::UNPROCESSABLE_ENTITY, &again))
}

async fn write(
    State(app): State<Arc<App>>,
    Path(id): Path<IncidentId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Create, Resource::Review)?;
    let back = format!("/console/learn/{id}");
    app.change(caller.agent(), move |change| {
        actions::write(change, &caller, &id).map(drop)
    })
    .await?;
    Ok(go_to(&back))
}

async fn publish(
    State(app): State<Arc<App>>,
    Path(id): Path<IncidentId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Change, Resource::Review)?;
    let back = format!("/console/learn/{id}");
    let edit = Edit {
        status: Some(ReviewStatus::Published),
        ..Edit::default()
    };
    app.change(caller.agent(), move |change| {
        actions::edit(change, &caller, &id, &edit).map(drop)
    })
    .await?;
    Ok(go_to(&back))
}

#[cfg(test)]
mod tests {
    use super::middle;

    #[test]
    fn the_middle_of_an_even_count_lies_between_two() {
        assert_eq!(middle(&[]), None);
        assert_eq!(middle(&[7]), Some(7));
        assert_eq!(middle(&[3_000, 0]), Some(1_500));
        assert_eq!(middle(&[100, 0, 50, 10, 30, 20]), Some(25));
        assert_eq!(middle(&[9, 1, 5]), Some(5));
    }
}
