//! `/calendars/{key}`: on-call time as a calendar to subscribe to. The key in the address is the permission,
//! so calendar programs, which cannot sign in, can read it.

use std::sync::Arc;

use ::store::Tx;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use jiff::SignedDuration;
use schedule::calendar::{Feed, FeedEvent};
use schedule::{Entry, Span, merge_by_user};

use super::rendering::too_long;
use super::view::Names;
use crate::app::App;
use crate::http::{Path, Problem, Problems};
use crate::oncall::model::ScheduleId;
use crate::oncall::store;
use crate::people::UserId;

const BACK: SignedDuration = SignedDuration::from_hours(24 * 30);
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 180);

/// The calendar of one schedule or of one person, in iCalendar form.
#[utoipa::path(get, path = "/calendars/{key}", tag = "On call", params(("key" = String, Path)),
    responses((status = 200, description = "A calendar", content_type = "text/calendar", body = String), Problems))]
pub(super) async fn feed(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let key = key.strip_suffix(".ics").unwrap_or(&key).to_owned();
    let now = app.clock.now();
    let start = now.saturating_sub(BACK).unwrap_or(now);
    let end = now.saturating_add(AHEAD).unwrap_or(now);
    let span = Span::new(start, end).map_err(Problem::internal)?;
    let host = app
        .site
        .base_url()
        .split_once("://")
        .map_or("muster", |(_, host)| host)
        .to_owned();
    let text = app
        .read(move |tx| {
            let (id, name, events) = match store::find_schedule_by_calendar_key(tx, &key)? {
                Some(schedule) => {
                    let entries = turns(tx, &schedule.id, span)?;
                    let people: Vec<UserId> = entries
                        .iter()
                        .map(|entry| UserId::from(entry.user.as_str()))
                        .collect();
                    let names = Names::of_users(tx, &people)?;
                    let events: Vec<FeedEvent> = entries
                        .iter()
                        .map(|entry| {
                            let name = names.name(entry.user.as_str());
                            FeedEvent::of_entry(entry, format!("On call: {name}"))
                        })
                        .collect();
                    (schedule.id.to_string(), schedule.name, events)
                }
                None => of_person(tx, &key, span)?,
            };
            let feed = Feed {
                name,
                product: "-//Muster//On call//EN".to_owned(),
                realm: format!("{id}.{host}"),
                written_at: now,
                refresh_minutes: 60,
            };
            Ok::<_, Problem>(feed.write(&events))
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text))
}

fn of_person(tx: &mut Tx, key: &str, span: Span) -> Result<(String, String, Vec<FeedEvent>), Problem> {
    let (user_id, name) = store::find_user_by_calendar_key(tx, key)?
        .filter(|_| !key.is_empty())
        .ok_or_else(|| Problem::not_found("The calendar"))?;
    let mut events = Vec::new();
    for (schedule_id, schedule_name) in store::schedules_with(tx, &user_id)? {
        let own = turns(tx, &schedule_id, span)?
            .into_iter()
            .filter(|entry| entry.user.as_str() == user_id.as_str());
        events.extend(own.map(|entry| {
            let mut event = FeedEvent::of_entry(&entry, format!("On call: {schedule_name}"));
            event.key = format!("{schedule_id} {}", event.key);
            event
        }));
    }
    Ok((user_id.to_string(), format!("{name}, on call"), events))
}

fn turns(tx: &mut Tx, id: &ScheduleId, span: Span) -> Result<Vec<Entry>, Problem> {
    let Some(plan) = store::plan_between(tx, id, span.start(), span.end())? else {
        return Ok(Vec::new());
    };
    let rendered = plan.render(span).map_err(too_long)?;
    Ok(merge_by_user(&rendered.final_schedule.entries))
}
