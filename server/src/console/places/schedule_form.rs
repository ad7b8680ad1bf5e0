//! The form that makes or changes a schedule: what stands in it, from the row or as typed, and what it says to the API. All
//! times are those of the schedule's own zone, as its turns are handed over by that wall clock.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use schedule::Layer;
use serde_json::{Value, json};

use super::oncall_hours as hours;
use super::sheet::{line, line_of, lines, optional, optional_of};
use super::typed::{Belongs, Typed, Wrong, chosen, heading, moved};
use crate::console::prelude::Pick;
use crate::console::screens::settings::{Control, Field};
use crate::oncall::model::ScheduleRow;

/// One more than a schedule may have, so that too many are told and not cut off.
const MOST_LAYERS: usize = 51;
/// People of one layer that a form bears.
pub(super) const MOST_PLACES: usize = 60;
/// Units of a turn, the longest first.
const UNITS: [(&str, i64, &str); 5] = [
    ("weeks", 604_800, "weeks"),
    ("days", 86_400, "days"),
    ("hours", 3_600, "hours"),
    ("minutes", 60, "minutes"),
    ("seconds", 1, "seconds"),
];

/// What stands in the form.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    name: String,
    description: String,
    pub(super) zone: String,
    team: String,
    layers: Vec<LayerFields>,
}

#[derive(Debug, Clone, Default)]
struct LayerFields {
    /// The layer's id, or `new1` and so on.
    key: String,
    name: String,
    /// In the order of their turns; without the places that were left empty.
    who: Vec<String>,
    length: String,
    unit: String,
    /// When the turns are counted from, as the browser writes a local time.
    starts: String,
    /// Empty for never.
    ends: String,
    hours: String,
}

/// What is known of a layer from before, so that an instant whose words were left alone stays exactly as it was.
struct Known<'a> {
    layer: &'a Layer,
    origin: Timestamp,
}

fn known<'a>(row: &'a ScheduleRow, key: &str) -> Option<Known<'a>> {
    let layer = row
        .definition
        .schedule
        .layers
        .iter()
        .find(|one| one.id.as_str() == key)?;
    let written = row.definition.written_origins.get(&layer.id).copied();
    Some(Known {
        layer,
        origin: written.unwrap_or(layer.rotation_virtual_start),
    })
}

fn zone_of(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string()
}

impl Fields {
    /// What the form for a new schedule begins with: turns of a week from `at` on.
    pub(super) fn blank(zone: &str, at: Timestamp) -> Self {
        Self {
            zone: zone.to_owned(),
            ..Self::default()
        }
        .with_another_layer(at)
    }

    pub(super) fn of(row: &ScheduleRow, team: Option<String>) -> Self {
        let zone = zone_of(&row.time_zone);
        let layers = &row.definition.schedule.layers;
        Self {
            name: row.name.clone(),
            description: row.description.clone().unwrap_or_default(),
            zone: row.time_zone.clone(),
            team: team.unwrap_or_default(),
            layers: layers
                .iter()
                .map(|layer| LayerFields::of(row, layer, &zone))
                .collect(),
        }
    }

    pub(super) fn of_typed(typed: &Typed) -> Self {
        let text = |name: &str| typed.text(name).to_owned();
        let layer = |key: &str| {
            let field = |what: &str| text(&format!("layer-{key}-{what}"));
            LayerFields {
                key: key.to_owned(),
                name: field("name"),
                who: typed
                    .all(&format!("layer-{key}-who"))
                    .filter(|one| !one.is_empty())
                    .take(MOST_PLACES)
                    .map(ToOwned::to_owned)
                    .collect(),
                length: field("length"),
                unit: field("unit"),
                starts: field("starts"),
                ends: field("ends"),
                hours: field("hours").replace("\r\n", "\n"),
            }
        };
        Self {
            name: text("name"),
            description: text("description"),
            zone: text("zone").trim().to_owned(),
            team: text("team"),
            layers: typed
                .keys("layer")
                .into_iter()
                .take(MOST_LAYERS)
                .map(layer)
                .collect(),
        }
    }

    /// Whether a form can show all its people.
    pub(super) fn fits(&self) -> bool {
        self.layers.iter().all(|layer| layer.who.len() < MOST_PLACES)
    }

    /// The form as a button asks for it that changes its fields and keeps nothing; none when it was another button. A
    /// further layer begins with the hour.
    pub(super) fn rearranged(&self, act: &str, now: Timestamp) -> Option<Self> {
        let mut fields = self.clone();
        if act == "more" {
            return Some(fields.with_another_layer(now));
        }
        moved(&mut fields.layers, act, |layer| &layer.key)?;
        Some(fields)
    }

    /// The form with one layer more than there is, which begins with the hour.
    fn with_another_layer(mut self, at: Timestamp) -> Self {
        let key = (1..=MOST_LAYERS)
            .map(|number| format!("new{number}"))
            .find(|key| !self.layers.iter().any(|layer| layer.key == *key));
        let Some(key) = key else { return self };
        let hour = Timestamp::from_second(at.as_second().div_euclid(3_600) * 3_600).unwrap_or(at);
        let starts = local(hour, &zone_of(&self.zone));
        self.layers.push(LayerFields {
            key,
            length: "1".to_owned(),
            unit: "weeks".to_owned(),
            starts,
            ..LayerFields::default()
        });
        self
    }

    /// A schedule that nobody takes turns in pages nobody: what to choose, beside the first layer.
    pub(super) fn nobody(&self) -> Option<Wrong> {
        if self.kept().next().is_some() {
            return None;
        }
        let mut wrong = Wrong::default();
        let field = self
            .layers
            .first()
            .map_or_else(String::new, |layer| layer.field("who"));
        wrong.add(&field, "Choose somebody who takes turns.");
        Some(wrong)
    }

    /// The layers in which somebody takes turns.
    fn kept(&self) -> impl Iterator<Item = &LayerFields> {
        self.layers.iter().filter(|layer| !layer.who.is_empty())
    }

    /// What the API is told, or what cannot be understood. `row` is the schedule as it is, where there is one.
    pub(super) fn body(&self, row: Option<&ScheduleRow>) -> Result<Value, Wrong> {
        let mut wrong = Wrong::default();
        let zone = zone_of(&self.zone);
        let same_zone = row.filter(|row| row.time_zone == self.zone);
        let mut layers = Vec::new();
        for layer in self.kept() {
            let find = |row| known(row, &layer.key);
            let (before, known) = (same_zone.and_then(find), row.and_then(find));
            layers.push(layer.body(before.as_ref(), known.as_ref(), &zone, &mut wrong));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut teams = Vec::new();
        if !self.team.is_empty() {
            teams.push(json!({ "id": self.team, "type": "team_reference" }));
        }
        Ok(json!({ "schedule": {
            "name": self.name, "description": self.description.trim(), "time_zone": self.zone,
            "teams": teams, "schedule_layers": layers,
        } }))
    }

    /// Where the sentences of the API about each field belong.
    pub(super) fn belongs(&self) -> Vec<Belongs> {
        let mut all = vec![
            Belongs::new("Name", "name", "The name"),
            Belongs::new("Description", "description", "The description"),
            Belongs::new("Time zone", "zone", "The time zone"),
            Belongs::new("schedule_time_zone", "zone", "The time zone:"),
            Belongs::new("Teams", "team", "The team"),
        ];
        for (index, layer) in self.kept().enumerate() {
            for (part, field, label) in [
                ("rotation_turn_length_seconds", "length", "A turn, in seconds,"),
                ("rotation_virtual_start", "starts", "The first turn"),
                ("start", "starts", "The first turn"),
                ("end", "ends", "The end"),
                ("name", "name", "The name of the layer"),
                ("users", "who", "Who takes turns:"),
                ("restrictions", "hours", "The hours:"),
            ] {
                all.push(Belongs::new(
                    format!("schedule_layers[{index}].{part}"),
                    format!("layer-{}-{field}", layer.key),
                    label,
                ));
            }
        }
        all
    }

    pub(super) fn drawn(&self, people: &[Pick], teams: &[Pick]) -> Vec<Field> {
        let mut fields = vec![
            line("name", "Name", &self.name),
            optional("description", "What it is for", &self.description),
            line("zone", "Time zone", &self.zone)
                .hint("Such as Europe/London. Turns are handed over by its clock."),
            Field::new(
                "team",
                "Whose it is",
                Control::Select {
                    picks: chosen(teams, &self.team),
                },
            ),
        ];
        for (layer, place) in self.layers.iter().zip(1..) {
            let head = heading(layer.field("head"), "Layer", &layer.key, place, self.layers.len());
            fields.push(head);
            fields.extend(layer.drawn(people));
        }
        fields
    }
}

impl LayerFields {
    fn of(row: &ScheduleRow, layer: &Layer, zone: &TimeZone) -> Self {
        let seconds = i64::try_from(layer.rotation_turn_length_seconds).unwrap_or(i64::MAX);
        let (unit, length, _) = UNITS
            .into_iter()
            .find(|(_, length, _)| seconds % length == 0)
            .unwrap_or(("seconds", 1, ""));
        let origin = known(row, layer.id.as_str()).map_or(layer.start, |known| known.origin);
        Self {
            key: layer.id.to_string(),
            name: layer.name.clone(),
            who: layer.users.iter().map(|user| user.as_str().to_owned()).collect(),
            length: (seconds / length).to_string(),
            unit: unit.to_owned(),
            starts: local(origin, zone),
            ends: layer.end.map(|end| local(end, zone)).unwrap_or_default(),
            hours: hours::written(&layer.restrictions),
        }
    }

    fn field(&self, what: &str) -> String {
        format!("layer-{}-{what}", self.key)
    }

    /// `before` is what the same words mean in the same zone; `known` the layer as it is.
    fn body(
        &self,
        before: Option<&Known<'_>>,
        known: Option<&Known<'_>>,
        zone: &TimeZone,
        wrong: &mut Wrong,
    ) -> Value {
        let read = |text: &str, was: Option<Timestamp>| -> Option<Timestamp> {
            if let Some(was) = was
                && local(was, zone) == text
            {
                return Some(was);
            }
            let local: DateTime = text.trim().parse().ok()?;
            Some(local.to_zoned(zone.clone()).ok()?.timestamp())
        };
        let origin = read(&self.starts, before.map(|known| known.origin));
        if origin.is_none() {
            wrong.add(
                &self.field("starts"),
                "Say when the first turn begins, such as 2026-11-17T09:00.",
            );
        }
        let end = match self.ends.trim() {
            "" => None,
            text => {
                let end = read(text, before.and_then(|known| known.layer.end));
                if end.is_none() {
                    wrong.add(
                        &self.field("ends"),
                        "Say when it ends, such as 2026-12-24T09:00, or leave it empty.",
                    );
                }
                end
            }
        };
        let unit = UNITS.iter().find(|(unit, _, _)| *unit == self.unit);
        let turn = self
            .length
            .trim()
            .parse::<i64>()
            .ok()
            .zip(unit)
            .and_then(|(length, (_, seconds, _))| length.checked_mul(*seconds))
            .filter(|seconds| (1..=31_622_400).contains(seconds));
        if turn.is_none() {
            wrong.add(
                &self.field("length"),
                "Say in whole numbers how long a turn lasts: at most 366 days.",
            );
        }
        let restrictions = hours::read(&self.hours).unwrap_or_else(|said| {
            wrong.add(&self.field("hours"), said);
            Vec::new()
        });
        let users: Vec<Value> = self
            .who
            .iter()
            .map(|id| json!({ "user": { "id": id, "type": "user_reference" } }))
            .collect();
        // A layer that is there already keeps when it took effect; a new one takes effect with its first turn.
        let start = known.map(|known| known.layer.start).or(origin);
        json!({
            "id": known.map(|_| &self.key), "name": self.name.trim(), "users": users,
            "start": start.map(|at| at.to_string()), "end": end.map(|at| at.to_string()),
            "rotation_virtual_start": origin.map(|at| at.to_string()),
            "rotation_turn_length_seconds": turn, "restrictions": restrictions,
        })
    }

    fn drawn(&self, people: &[Pick]) -> Vec<Field> {
        // More places than are taken, so that there is always one to fill.
        let places = self.who.iter().map(String::as_str).chain(["", ""]);
        let units: Vec<Pick> = UNITS
            .iter()
            .map(|(unit, _, words)| Pick::new(*unit, *words))
            .collect();
        vec![
            optional(&self.field("name"), "Name of the layer", &self.name),
            Field::new(
                self.field("who"),
                "Who takes turns, in this order",
                Control::Ordered {
                    places: places.map(|who| chosen(people, who)).collect(),
                },
            )
            .hint("A layer with nobody in it is taken away. A later layer covers those above it."),
            line_of("number", &self.field("length"), "A turn lasts", &self.length),
            Field::new(
                self.field("unit"),
                "Counted in",
                Control::Select {
                    picks: chosen(&units, &self.unit),
                },
            ),
            line_of("datetime-local", &self.field("starts"), "The first turn begins", &self.starts,
            )
            .hint("Each turn is handed over at this time. Changed, it says anew whose turn it is."),
            optional_of("datetime-local", &self.field("ends"), "The layer ends", &self.ends,
            )
            .hint("Empty: never."),
            lines(&self.field("hours"), "Its hours", &self.hours)
            .hint("A line each, such as “Mon to Fri 09:00 to 17:00”, “every day 18:00 to 08:00” or “Fri 18:00 to Mon 08:00”. Empty: all the time."),
        ]
    }
}
