//! `/oncalls`: who is on call, for which policy, on which level, by which schedule, from when to when.

use std::collections::HashMap;
use std::sync::Arc;

use ::store::Tx;
use axum::Json;
use axum::extract::State;
use jiff::{SignedDuration, Timestamp};
use schedule::{Entry, Span, merge_by_user};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::rendering::{shown, too_long, widened};
use super::schedule_view::whole_schedules;
use super::view::{policy_reference, policy_views, schedule_reference};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Expandable, Faults, Include, Listing, Page, Paging, Problem, Problems, Query, Site};
use crate::oncall::model::{EscalationPolicy, ScheduleId, TargetKind};
use crate::oncall::store::{self, PolicyFilter};
use crate::people::UserId;
use crate::people::api::view::{user_reference, user_views};
use crate::people::store::find_users;

const LONGEST_RANGE: SignedDuration = SignedDuration::from_hours(24 * 90);

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct OncallView {
    escalation_policy: Expandable,
    escalation_level: usize,
    /// Null for a person who is a target directly.
    schedule: Option<Expandable>,
    user: Expandable,
    /// Null, like `end`, for somebody who always is.
    start: Option<String>,
    end: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OncallsAnswer {
    oncalls: Vec<OncallView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct OncallsQuery {
    /// Now unless told.
    since: Option<String>,
    /// `since` unless told; at most 90 days after it.
    until: Option<String>,
    /// The zone in which times are shown; UTC unless told.
    time_zone: Option<String>,
    #[serde(rename = "user_ids[]")]
    user_ids: Vec<String>,
    #[serde(rename = "escalation_policy_ids[]")]
    escalation_policy_ids: Vec<String>,
    /// `null` stands for people who are targets directly.
    #[serde(rename = "schedule_ids[]")]
    schedule_ids: Vec<String>,
    /// `true` for only the first of each policy, level and user.
    #[param(value_type = Option<bool>)]
    earliest: Option<String>,
}

/// Which stretches of each policy, level and user are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stretches {
    All,
    OnlyTheFirst,
}

/// One stretch of somebody's being on call.
struct Found {
    policy: usize,
    level: usize,
    schedule: Option<ScheduleId>,
    user: UserId,
    stretch: Option<(Timestamp, Timestamp)>,
}

/// Who is on call, now or during a range.
#[utoipa::path(get, path = "/oncalls", tag = "On call", params(Listing, OncallsQuery, Include),
    responses((status = 200, body = OncallsAnswer), Problems))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<OncallsQuery>,
    Query(include): Query<Include>,
) -> Result<Json<OncallsAnswer>, Problem> {
    caller.require(Action::View, Resource::Schedule)?;
    let page = listing.page()?;
    let mut faults = Faults::new();
    let since = faults.optional_instant("since", asked.since.as_deref());
    let until = faults.optional_instant("until", asked.until.as_deref());
    let zone_name = asked.time_zone.clone().unwrap_or_else(|| "UTC".to_owned());
    faults.time_zone("time_zone", &zone_name);
    let stretches = match faults.yes_or_no("earliest", asked.earliest.as_deref()) {
        Some(true) => Stretches::OnlyTheFirst,
        Some(false) | None => Stretches::All,
    };
    faults.done()?;
    let since = since.unwrap_or_else(|| app.clock.now());
    let until = until.unwrap_or(since);
    if until < since {
        return Err(Problem::refused(2004, "until must not lie before since."));
    }
    if until.duration_since(since) > LONGEST_RANGE {
        return Err(Problem::refused(2005, "The range may be at most 90 days."));
    }
    let span =
        Span::new(since, until.max(since + SignedDuration::from_micros(1))).map_err(Problem::internal)?;
    let zone = jiff::tz::TimeZone::get(&zone_name).unwrap_or(jiff::tz::TimeZone::UTC);
    let site = app.site.clone();
    app.read(move |tx| {
        let policies = policies_of(tx, &asked)?;
        let mut found = find(tx, &policies, span)?;
        narrow(&mut found, &asked, stretches);
        let count = found.len() as i64;
        let rows: Vec<Found> = found
            .into_iter()
            .skip(page.offset as usize)
            .take(page.rows_to_read() as usize)
            .collect();
        let (rows, paging) = page.finish(rows, || Ok::<_, Problem>(count))?;
        let oncalls = views(tx, &site, &policies, &rows, &include, &zone)?;
        Ok(Json(OncallsAnswer { oncalls, paging }))
    })
    .await
}

fn policies_of(tx: &mut Tx, asked: &OncallsQuery) -> Result<Vec<EscalationPolicy>, Problem> {
    let page = Page {
        limit: 9_999,
        offset: 0,
        counted: crate::http::listing::Counted::No,
    };
    let mut policies = store::list_policies(tx, &PolicyFilter::default(), page)?;
    if !asked.escalation_policy_ids.is_empty() {
        policies.retain(|policy| {
            asked
                .escalation_policy_ids
                .iter()
                .any(|id| id == policy.id.as_str())
        });
    }
    Ok(policies)
}

/// Everybody who is on call by these policies during the span, by policy, level and time.
fn find(tx: &mut Tx, policies: &[EscalationPolicy], span: Span) -> Result<Vec<Found>, Problem> {
    let mut known: HashMap<String, Vec<Entry>> = HashMap::new();
    let mut found = Vec::new();
    for (policy, row) in policies.iter().enumerate() {
        for (level, rule) in row.rules.iter().enumerate() {
            for target in &rule.targets {
                match target.kind {
                    TargetKind::User => found.push(Found {
                        policy,
                        level: level + 1,
                        schedule: None,
                        user: UserId::from(target.id.as_str()),
                        stretch: None,
                    }),
                    TargetKind::Schedule => {
                        if !known.contains_key(&target.id) {
                            let entries = turns(tx, &ScheduleId::from(target.id.as_str()), span)?;
                            known.insert(target.id.clone(), entries);
                        }
                        let entries = known.get(&target.id).into_iter().flatten();
                        found.extend(entries.map(|entry| Found {
                            policy,
                            level: level + 1,
                            schedule: Some(ScheduleId::from(target.id.as_str())),
                            user: UserId::from(entry.user.as_str()),
                            stretch: Some((entry.start, entry.end)),
                        }));
                    }
                }
            }
        }
    }
    Ok(found)
}

/// The turns that touch the span, whole.
fn turns(tx: &mut Tx, id: &ScheduleId, span: Span) -> Result<Vec<Entry>, Problem> {
    let wide = widened(span)?;
    let Some(plan) = store::plan_between(tx, id, wide.start(), wide.end())? else {
        return Ok(Vec::new());
    };
    let rendered = plan.render(wide).map_err(too_long)?;
    let mut entries = merge_by_user(&rendered.final_schedule.entries);
    entries.retain(|entry| entry.start < span.end() && span.start() < entry.end);
    Ok(entries)
}

fn narrow(found: &mut Vec<Found>, asked: &OncallsQuery, stretches: Stretches) {
    if !asked.user_ids.is_empty() {
        found.retain(|one| asked.user_ids.iter().any(|id| id == one.user.as_str()));
    }
    if !asked.schedule_ids.is_empty() {
        found.retain(|one| {
            let id = one.schedule.as_ref().map_or("null", ScheduleId::as_str);
            asked.schedule_ids.iter().any(|wanted| wanted == id)
        });
    }
    if stretches == Stretches::OnlyTheFirst {
        found.sort_by_key(|one| {
            let start = one.stretch.map(|(start, _)| start);
            (one.policy, one.level, one.user.clone(), start)
        });
        found.dedup_by(|later, first| {
            later.policy == first.policy && later.level == first.level && later.user == first.user
        });
    }
}

fn views(
    tx: &mut Tx,
    site: &Site,
    policies: &[EscalationPolicy],
    rows: &[Found],
    include: &Include,
    zone: &jiff::tz::TimeZone,
) -> Result<Vec<OncallView>, Problem> {
    let user_ids: Vec<&UserId> = rows.iter().map(|row| &row.user).collect();
    let users = find_users(tx, &user_ids)?;
    let whole_users = if include.asks_for("users") {
        user_views(tx, site, &users, &Include::default())?
    } else {
        Vec::new()
    };
    let whole_policies = if include.asks_for("escalation_policies") {
        policy_views(tx, site, policies, &Include::default())?
    } else {
        Vec::new()
    };
    let schedule_ids: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.schedule.as_ref())
        .map(ScheduleId::as_str)
        .collect();
    let schedules = store::schedule_names(tx, &schedule_ids)?;
    let whole_schedules = if include.asks_for("schedules") {
        whole_schedules(tx, site, &schedule_ids)?
    } else {
        Vec::new()
    };
    rows.iter()
        .map(|row| {
            let policy = &policies[row.policy];
            let escalation_policy = match whole_policies.get(row.policy) {
                Some(view) => Expandable::whole(view)?,
                None => policy_reference(site, &policy.id, &policy.name).into(),
            };
            let user = if let Some(view) = whole_users.iter().find(|view| view.head.id == row.user.as_str()) {
                Expandable::whole(view)?
            } else {
                let name = users
                    .iter()
                    .find(|user| user.id == row.user)
                    .map_or("", |user| &user.name);
                user_reference(site, &row.user, name).into()
            };
            let schedule = match &row.schedule {
                None => None,
                Some(id) => Some(
                    if let Some(whole) = whole_schedules.iter().find(|one| one.id() == id.as_str()) {
                        Expandable::whole(whole)?
                    } else {
                        let name = schedules
                            .iter()
                            .find(|(known, _)| known == id)
                            .map_or("", |(_, name)| name);
                        schedule_reference(site, id, name).into()
                    },
                ),
            };
            Ok(OncallView {
                escalation_policy,
                escalation_level: row.level,
                schedule,
                user,
                start: row.stretch.map(|(start, _)| shown(start, zone)),
                end: row.stretch.map(|(_, end)| shown(end, zone)),
            })
        })
        .collect()
}
