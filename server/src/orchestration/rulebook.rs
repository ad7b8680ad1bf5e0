//! Rules prepared for judging: parsed and compiled once for each version, then used for every event.
//!
//! What is kept was checked when it was written. Should this version of the program read it otherwise, the rule in
//! question never matches, and the log says so; the others judge on.

use std::collections::HashMap;

use condition::{Condition, Extraction, Path, Template};

use super::model::{self, Actions, Rules};
use super::words::{CATCH_ALL, name_of};

/// The rules of one service, ready to judge.
#[derive(Debug)]
pub struct Rulebook {
    pub(super) sets: Vec<Vec<Prepared>>,
    /// The set that events begin with; none where there are no sets at all.
    pub(super) start: usize,
    pub(super) catch_all: Deed,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) conditions: Vec<Condition>,
    pub(super) deed: Deed,
    /// The set that goes on with the event.
    pub(super) leads_to: Option<usize>,
}

/// What is done with an event.
#[derive(Debug)]
pub(super) struct Deed {
    /// `The rule “Disks”`.
    pub(super) by: String,
    pub(super) rule_id: Option<String>,
    pub(super) actions: Actions,
    pub(super) variables: Vec<(String, Extraction)>,
    pub(super) extractions: Vec<(Path, Extraction)>,
    pub(super) note: Option<Template>,
}

impl Rulebook {
    pub fn prepare(rules: &Rules) -> Self {
        let places: HashMap<&str, usize> = rules
            .sets
            .iter()
            .enumerate()
            .map(|(place, set)| (set.id.as_str(), place))
            .collect();
        let sets = rules
            .sets
            .iter()
            .map(|set| {
                set.rules
                    .iter()
                    .enumerate()
                    .filter(|(_, rule)| !rule.disabled)
                    .filter_map(|(place, rule)| {
                        let by = name_of(&set.id, place, rule.label.as_deref());
                        match prepare(rule, by, &places) {
                            Ok(prepared) => Some(prepared),
                            Err(words) => {
                                tracing::error!(rule = rule.id, "a rule cannot be used any more: {words}");
                                None
                            }
                        }
                    })
                    .collect()
            })
            .collect();
        let catch_all = deed(&rules.catch_all.actions, CATCH_ALL.to_owned(), None).unwrap_or_else(|words| {
            tracing::error!("what a service does with unmatched events cannot be used any more: {words}");
            Deed::nothing()
        });
        Self {
            sets,
            start: places.get(model::START).copied().unwrap_or(0),
            catch_all,
        }
    }

    /// Whether it lets every event be.
    pub fn is_empty(&self) -> bool {
        self.sets.get(self.start).is_none_or(Vec::is_empty) && self.catch_all.actions == Actions::default()
    }
}

fn prepare(rule: &model::Rule, by: String, places: &HashMap<&str, usize>) -> Result<Prepared, String> {
    let conditions: Result<Vec<Condition>, _> =
        rule.conditions.iter().map(|one| one.expression.parse()).collect();
    let leads_to = match &rule.actions.route_to {
        Some(set) => Some(
            *places
                .get(set.as_str())
                .ok_or_else(|| format!("there is no set “{set}”"))?,
        ),
        None => None,
    };
    Ok(Prepared {
        conditions: conditions.map_err(|error| error.to_string())?,
        deed: deed(&rule.actions, by, Some(rule.id.clone()))?,
        leads_to,
    })
}

fn deed(actions: &Actions, by: String, rule_id: Option<String>) -> Result<Deed, String> {
    let mut variables = Vec::with_capacity(actions.variables.len());
    for variable in &actions.variables {
        let taken =
            Extraction::capture(&variable.path, &variable.value).map_err(|error| error.to_string())?;
        variables.push((variable.name.clone(), taken));
    }
    let mut extractions = Vec::with_capacity(actions.extractions.len());
    for extraction in &actions.extractions {
        let target: Path = extraction
            .target()
            .parse()
            .map_err(|error: condition::SyntaxError| error.to_string())?;
        extractions.push((target, extraction.prepared().map_err(|error| error.to_string())?));
    }
    let note = match &actions.annotate {
        Some(text) => Some(Template::parse(text).map_err(|error| error.to_string())?),
        None => None,
    };
    Ok(Deed {
        by,
        rule_id,
        actions: actions.clone(),
        variables,
        extractions,
        note,
    })
}

impl Deed {
    fn nothing() -> Self {
        Self {
            by: CATCH_ALL.to_owned(),
            rule_id: None,
            actions: Actions::default(),
            variables: Vec::new(),
            extractions: Vec::new(),
            note: None,
        }
    }
}

impl model::Extraction {
    pub(super) fn prepared(&self) -> Result<Extraction, condition::ExtractionError> {
        match self {
            Self::Template { template, .. } => Extraction::template(template),
            Self::Capture { source, regex, .. } => Extraction::capture(source, regex),
        }
    }
}
