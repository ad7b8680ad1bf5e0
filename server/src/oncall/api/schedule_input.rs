//! What may be sent of a schedule, and its checks.

use std::collections::BTreeMap;

use ::store::Tx;
use jiff::Timestamp;
use schedule::{Layer, LayerId, Restriction, Schedule, UserKey};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::{Faults, Problem, ReferenceInput, Sent};
use crate::oncall::model::{Definition, ScheduleRow};
use crate::oncall::rules;
use crate::people::UserId;
use crate::people::store::find_users;

const MOST_LAYERS: usize = 50;

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ScheduleRequest {
    pub(super) schedule: ScheduleInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct ScheduleInput {
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// The first is the lowest; later ones cover it.
    schedule_layers: Option<Vec<LayerInput>>,
    /// At most one.
    pub(super) teams: Option<Vec<ReferenceInput>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct LayerInput {
    /// Sent back, it keeps the layer.
    id: Option<String>,
    name: Option<String>,
    start: Option<String>,
    end: Option<String>,
    rotation_virtual_start: Option<String>,
    rotation_turn_length_seconds: Option<i64>,
    #[serde(default)]
    users: Vec<MemberInput>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    restrictions: Option<Vec<Restriction>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = LayerMemberInput)]
pub(super) struct MemberInput {
    user: ReferenceInput,
}

/// The schedule after what was sent. A change of members takes effect at `now` and leaves everybody else
/// their turn.
pub(super) fn check(
    tx: &mut Tx,
    input: &ScheduleInput,
    mut row: ScheduleRow,
    now: Timestamp,
    mut new_layer_ids: Vec<String>,
) -> Result<ScheduleRow, Problem> {
    let mut faults = Faults::new();
    if let Some(name) = &input.name {
        row.name.clone_from(name);
    }
    row.name = faults.name("Name", Some(&row.name), 255);
    let description = input.description.clone().over(row.description.take());
    row.description = faults.optional_text("Description", description.as_deref(), 10_000);
    if let Some(time_zone) = &input.time_zone {
        row.time_zone.clone_from(time_zone);
    }
    faults.time_zone("Time zone", &row.time_zone);
    let before = row.definition.clone();
    row.definition.schedule.time_zone.clone_from(&row.time_zone);
    if let Some(layers) = &input.schedule_layers {
        if layers.len() > MOST_LAYERS {
            faults.add(format!("Schedule layers may be at most {MOST_LAYERS}."));
        }
        let mut checked: Vec<Layer> = Vec::new();
        for (index, layer) in layers.iter().take(MOST_LAYERS).enumerate() {
            let layer = check_layer(&mut faults, index, layer, &before, &checked, &mut new_layer_ids);
            checked.push(layer);
        }
        check_members(tx, &mut faults, &checked)?;
        row.definition = Definition {
            written_origins: checked
                .iter()
                .map(|layer| (layer.id.clone(), layer.rotation_virtual_start))
                .collect::<BTreeMap<_, _>>(),
            schedule: Schedule {
                layers: checked,
                ..row.definition.schedule
            },
        };
    }
    faults.done()?;
    if let Err(found) = row.definition.schedule.validate() {
        let mut sentences = found
            .into_iter()
            .map(|problem| format!("schedule_{}: {}.", problem.field, problem.kind));
        let first = sentences.next().unwrap_or_default();
        return Err(sentences.fold(Problem::refused(3001, first), Problem::because));
    }
    rules::keep_turns(&before, &mut row.definition, now);
    Ok(row)
}

fn check_layer(
    faults: &mut Faults,
    index: usize,
    input: &LayerInput,
    before: &Definition,
    checked: &[Layer],
    new_layer_ids: &mut Vec<String>,
) -> Layer {
    let field = |name: &str| format!("schedule_layers[{index}].{name}");
    let kept = input.id.as_deref().filter(|id| {
        before
            .schedule
            .layers
            .iter()
            .any(|known| known.id.as_str() == *id)
            && !checked.iter().any(|known| known.id.as_str() == *id)
    });
    let id = match kept {
        Some(id) => LayerId::from(id),
        None => LayerId::from(new_layer_ids.pop().unwrap_or_default()),
    };
    let name = match input.name.as_deref() {
        None | Some("") => format!("Layer {}", index + 1),
        Some(name) => faults.name(&field("name"), Some(name), 255),
    };
    let start = faults
        .instant(&field("start"), input.start.as_deref())
        .unwrap_or_default();
    let end = faults.optional_instant(&field("end"), input.end.as_deref());
    // A layer that is known may be ended before it began: so clients take away one that lies ahead.
    if kept.is_none() && end.is_some_and(|end| end <= start) {
        faults.add(format!("{} must lie after its start.", field("end")));
    }
    let origin = match input.rotation_virtual_start.as_deref() {
        None => start,
        text => faults
            .instant(&field("rotation_virtual_start"), text)
            .unwrap_or_default(),
    };
    let turn = faults.within(
        &field("rotation_turn_length_seconds"),
        input.rotation_turn_length_seconds.unwrap_or(0),
        1..=31_622_400,
    );
    Layer {
        id,
        name,
        start,
        end,
        rotation_virtual_start: origin,
        rotation_turn_length_seconds: turn.unsigned_abs(),
        users: input
            .users
            .iter()
            .map(|member| UserKey::from(member.user.id.as_str()))
            .collect(),
        restrictions: input.restrictions.clone().unwrap_or_default(),
        advance: schedule::Advance::default(),
        time_zone: None,
    }
}

fn check_members(tx: &mut Tx, faults: &mut Faults, layers: &[Layer]) -> Result<(), Problem> {
    let named: Vec<UserId> = layers
        .iter()
        .flat_map(|layer| &layer.users)
        .map(|user| UserId::from(user.as_str()))
        .collect();
    let known = find_users(tx, &named.iter().collect::<Vec<_>>())?;
    for (index, layer) in layers.iter().enumerate() {
        for user in &layer.users {
            let is_present = known
                .iter()
                .any(|one| one.id.as_str() == user.as_str() && one.deleted_at.is_none());
            if !is_present {
                faults.add(format!(
                    "schedule_layers[{index}].users: {} is not a user who is known here.",
                    user.as_str().chars().take(64).collect::<String>()
                ));
            }
        }
    }
    Ok(())
}
