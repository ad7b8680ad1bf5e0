//! How schedules look over the API.

use ::store::Tx;
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use schedule::{Restriction, Span, UserKey, merge_by_user};
use serde::Serialize;
use utoipa::ToSchema;

use super::rendering::{EntryView, Range, SubScheduleView, entry_views, shown, sub_schedule_view, too_long};
use super::view::{Names, policy_reference};
use crate::http::{Problem, Reference, Site};
use crate::oncall::model::{Definition, ScheduleId, ScheduleRow};
use crate::oncall::{rules, store};
use crate::people::api::view::{calendar_urls, team_reference};
use crate::people::store::find_teams;
use crate::people::{TeamId, UserId};

/// How far ahead is looked for somebody's next turn.
const NEXT_TURN: SignedDuration = SignedDuration::from_hours(24 * 180);

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct ScheduleView {
    #[serde(flatten)]
    pub(super) head: Reference,
    name: String,
    time_zone: String,
    description: Option<String>,
    escalation_policies: Vec<Reference>,
    users: Vec<Reference>,
    teams: Vec<Reference>,
    /// The highest first: the reverse of what is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_layers: Option<Vec<LayerView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overrides_subschedule: Option<SubScheduleView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    final_schedule: Option<SubScheduleView>,
    /// With `include_next_oncall_for_user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_oncall_for_user: Option<EntryView>,
    http_cal_url: String,
    web_cal_url: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct LayerView {
    id: String,
    name: String,
    start: String,
    end: Option<String>,
    rotation_virtual_start: String,
    rotation_turn_length_seconds: u64,
    users: Vec<MemberView>,
    /// Hours in which the layer has somebody on call; none: always.
    restrictions: Vec<RestrictionView>,
    rendered_schedule_entries: Vec<EntryView>,
    rendered_coverage_percentage: Option<f64>,
}

/// Hours of a day, or of a week.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct RestrictionView {
    /// `daily_restriction` or `weekly_restriction`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// On the clock of the schedule.
    #[schema(value_type = String)]
    start_time_of_day: Time,
    duration_seconds: u32,
    /// 1 (Monday) to 7 (Sunday), where it is weekly.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_day_of_week: Option<u8>,
}

fn restriction_view(restriction: &Restriction) -> RestrictionView {
    match *restriction {
        Restriction::Daily {
            start_time_of_day,
            duration_seconds,
        } => RestrictionView {
            kind: "daily_restriction",
            start_time_of_day,
            duration_seconds,
            start_day_of_week: None,
        },
        Restriction::Weekly {
            start_day_of_week,
            start_time_of_day,
            duration_seconds,
        } => RestrictionView {
            kind: "weekly_restriction",
            start_time_of_day,
            duration_seconds,
            start_day_of_week: Some(start_day_of_week),
        },
    }
}

#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = LayerMemberView)]
struct MemberView {
    user: Reference,
}

/// Which of the larger parts are shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub(super) layers: Shown,
    pub(super) overrides: Shown,
    pub(super) final_schedule: Shown,
    /// Whose next turn is shown, and from when on it is sought.
    pub(super) next_for: Option<(UserId, Timestamp)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shown {
    #[default]
    No,
    Yes,
}

impl Shown {
    pub(super) fn when(asked: bool) -> Self {
        if asked { Self::Yes } else { Self::No }
    }
}

impl Parts {
    pub(super) fn all(next_for: Option<(UserId, Timestamp)>) -> Self {
        Self {
            layers: Shown::Yes,
            overrides: Shown::Yes,
            final_schedule: Shown::Yes,
            next_for,
        }
    }
}

/// Where the plan of a schedule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From its stored versions and overrides.
    Stored,
    /// From what was sent and is not stored.
    Preview,
}

pub(super) fn schedule_view(
    tx: &mut Tx,
    site: &Site,
    row: &ScheduleRow,
    range: &Range,
    parts: &Parts,
    origin: Origin,
) -> Result<ScheduleView, Problem> {
    let zone = range.zone_for(&row.time_zone);
    let plan = match (range.span, origin) {
        (None, _) => None,
        (Some(span), Origin::Stored) => {
            let wide = super::rendering::widened(span)?;
            store::plan_between(tx, &row.id, wide.start(), wide.end())?
        }
        (Some(_), Origin::Preview) => {
            rules::versioned_plan(vec![(Timestamp::UNIX_EPOCH, row.definition.clone())], &[])
        }
    };
    let rendered = match &plan {
        Some(plan) => range.render(plan)?,
        None => None,
    };
    let next = match &parts.next_for {
        Some((user, now)) => next_turn(tx, &row.id, user, *now)?,
        None => None,
    };
    let mut people: Vec<UserId> = members(&row.definition);
    if let Some(rendered) = &rendered {
        let entries = rendered
            .final_schedule
            .entries
            .iter()
            .chain(&rendered.overrides.entries);
        people.extend(entries.map(|entry| UserId::from(entry.user.as_str())));
    }
    people.extend(parts.next_for.iter().map(|(user, _)| user.clone()));
    let names = Names::of_users(tx, &people)?;
    let layers = (parts.layers == Shown::Yes).then(|| {
        let mut layers: Vec<LayerView> = row
            .definition
            .schedule
            .layers
            .iter()
            .map(|layer| {
                let alone = rendered
                    .as_ref()
                    .and_then(|rendered| rendered.layers.iter().find(|one| one.id == layer.id));
                let written = row.definition.written_origins.get(&layer.id);
                LayerView {
                    id: layer.id.to_string(),
                    name: layer.name.clone(),
                    start: shown(layer.start, &zone),
                    end: layer.end.map(|end| shown(end, &zone)),
                    rotation_virtual_start: shown(
                        written.copied().unwrap_or(layer.rotation_virtual_start),
                        &zone,
                    ),
                    rotation_turn_length_seconds: layer.rotation_turn_length_seconds,
                    users: layer
                        .users
                        .iter()
                        .map(|user| MemberView {
                            user: names.user(site, user.as_str()),
                        })
                        .collect(),
                    restrictions: layer.restrictions.iter().map(restriction_view).collect(),
                    rendered_schedule_entries: alone
                        .map(|one| entry_views(site, &names, &one.schedule.entries, &zone))
                        .unwrap_or_default(),
                    rendered_coverage_percentage: alone
                        .map(|one| (one.schedule.coverage_percentage * 10.0).round() / 10.0),
                }
            })
            .collect();
        layers.reverse();
        layers
    });
    let team_ids: Vec<TeamId> = store::teams_of_schedules(tx, &[&row.id])?
        .into_iter()
        .map(|(_, team)| team)
        .collect();
    let teams = find_teams(tx, &team_ids.iter().collect::<Vec<_>>())?;
    let (http_cal_url, web_cal_url) = calendar_urls(site, &row.calendar_key);
    let sub = |wanted: Shown, name: &'static str, part: Option<&schedule::SubSchedule>| {
        (wanted == Shown::Yes).then(|| sub_schedule_view(name, site, &names, part, &zone))
    };
    Ok(ScheduleView {
        head: site.resource("schedule", "schedules", &row.id, &row.name),
        name: row.name.clone(),
        time_zone: row.time_zone.clone(),
        description: row.description.clone(),
        escalation_policies: store::policies_of_schedules(tx, &[&row.id])?
            .into_iter()
            .map(|(_, id, name)| policy_reference(site, &id, &name))
            .collect(),
        users: members(&row.definition)
            .iter()
            .map(|user| names.user(site, user.as_str()))
            .collect(),
        teams: teams
            .iter()
            .map(|team| team_reference(site, &team.id, &team.name))
            .collect(),
        schedule_layers: layers,
        overrides_subschedule: sub(
            parts.overrides,
            "Overrides",
            rendered.as_ref().map(|rendered| &rendered.overrides),
        ),
        final_schedule: sub(
            parts.final_schedule,
            "Final Schedule",
            rendered.as_ref().map(|rendered| &rendered.final_schedule),
        ),
        next_oncall_for_user: next
            .and_then(|entry| entry_views(site, &names, std::slice::from_ref(&entry), &zone).pop()),
        http_cal_url,
        web_cal_url,
    })
}

/// Whole schedules, without the parts that need a range, for where `include[]` asks for them.
pub(super) fn whole_schedules(tx: &mut Tx, site: &Site, ids: &[&str]) -> Result<Vec<ScheduleView>, Problem> {
    let mut wholes = Vec::new();
    for id in ids.iter().collect::<std::collections::BTreeSet<_>>() {
        if let Some(row) = store::find_schedule(tx, &ScheduleId::from(*id))? {
            let (range, parts) = (Range::default(), Parts::all(None));
            wholes.push(schedule_view(tx, site, &row, &range, &parts, Origin::Stored)?);
        }
    }
    Ok(wholes)
}

impl ScheduleView {
    pub(super) fn id(&self) -> &str {
        &self.head.id
    }
}

/// Everybody whom the layers name, each once, in the order of their appearance.
pub(super) fn members(definition: &Definition) -> Vec<UserId> {
    let mut people: Vec<UserId> = Vec::new();
    for user in definition.schedule.layers.iter().flat_map(|layer| &layer.users) {
        let id = UserId::from(user.as_str());
        if !people.contains(&id) {
            people.push(id);
        }
    }
    people
}

/// The turn that somebody has now, or the next one they will have.
fn next_turn(
    tx: &mut Tx,
    id: &ScheduleId,
    user: &UserId,
    now: Timestamp,
) -> Result<Option<schedule::Entry>, Problem> {
    let until = now.saturating_add(NEXT_TURN).unwrap_or(now);
    let Some(plan) = store::plan_between(tx, id, now, until)? else {
        return Ok(None);
    };
    let span = Span::new(now, until).map_err(Problem::internal)?;
    let rendered = plan.render(span).map_err(too_long)?;
    let key = UserKey::from(user.as_str());
    Ok(merge_by_user(&rendered.final_schedule.entries)
        .into_iter()
        .find(|entry| entry.user == key))
}
