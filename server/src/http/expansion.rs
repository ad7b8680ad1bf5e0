//! Putting whole resources in the place of references, where `include[]` asks for them.
//!
//! A list says in one table which relations it knows ([`Relation`]); what is asked for is collected, loaded in
//! one go for the whole page and put in. Names that no relation has are ignored.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Include, Problem};

/// One name that `include[]` may hold: which references it means, and where in a resource they stand.
#[derive(Debug, Clone, Copy)]
pub struct Relation {
    pub name: &'static str,
    /// The type of the references, such as `service_reference`.
    pub kind: &'static str,
    /// The fields of the resource in which they stand, at any depth.
    pub under: &'static [&'static str],
}

/// Whole resources by their ids.
pub type Wholes = HashMap<String, Value>;

/// Expands what was asked for. `load` gives the whole resources of one kind of reference; what it does not
/// give, such as something deleted, stays a reference.
pub fn expand(
    include: &Include,
    relations: &[Relation],
    resources: &mut [Value],
    mut load: impl FnMut(&str, &[String]) -> Result<Wholes, Problem>,
) -> Result<(), Problem> {
    for relation in relations.iter().filter(|one| include.asks_for(one.name)) {
        let mut ids = BTreeSet::new();
        relation.visit(resources, &mut |reference| {
            ids.insert(id_of(reference).to_owned());
        });
        if ids.is_empty() {
            continue;
        }
        let wholes = load(relation.kind, &ids.into_iter().collect::<Vec<_>>())?;
        relation.visit(resources, &mut |reference| {
            if let Some(whole) = wholes.get(id_of(reference)) {
                *reference = whole.clone();
            }
        });
    }
    Ok(())
}

impl Relation {
    fn visit(&self, resources: &mut [Value], seen: &mut impl FnMut(&mut Value)) {
        for resource in resources {
            for field in self.under {
                if let Some(value) = resource.get_mut(*field) {
                    visit(value, self.kind, seen);
                }
            }
        }
    }
}

fn visit(value: &mut Value, kind: &str, seen: &mut impl FnMut(&mut Value)) {
    if value["type"] == kind {
        return seen(value);
    }
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| visit(one, kind, seen)),
        Value::Object(fields) => fields.values_mut().for_each(|one| visit(one, kind, seen)),
        _ => {}
    }
}

fn id_of(reference: &Value) -> &str {
    reference["id"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RELATIONS: [Relation; 2] = [
        Relation {
            name: "services",
            kind: "service_reference",
            under: &["service", "services"],
        },
        Relation {
            name: "users",
            kind: "user_reference",
            under: &["assignments"],
        },
    ];

    fn asked(names: &[&str]) -> Include {
        Include {
            include: names.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn expanded(names: &[&str], mut resource: Value) -> (Value, Vec<String>) {
        let mut loaded = Vec::new();
        expand(
            &asked(names),
            &RELATIONS,
            std::slice::from_mut(&mut resource),
            |kind, ids| {
                loaded.push(format!("{kind}: {}", ids.join(" ")));
                let whole = |id: &String| (id.clone(), json!({ "id": id, "type": "whole" }));
                Ok(ids.iter().filter(|id| *id != "gone").map(whole).collect())
            },
        )
        .unwrap();
        (resource, loaded)
    }

    fn reference(kind: &str, id: &str) -> Value {
        json!({ "id": id, "type": format!("{kind}_reference") })
    }

    #[test]
    fn what_was_asked_for_is_loaded_once_and_put_in_its_place() {
        let incident = json!({
            "service": reference("service", "S"),
            "services": [reference("service", "S"), reference("service", "gone")],
            "assignments": [{ "assignee": reference("user", "U") }],
            "creator": reference("user", "U"),
        });
        let (shown, loaded) = expanded(&["services", "users", "nonsense"], incident);
        assert_eq!(loaded, ["service_reference: S gone", "user_reference: U"]);
        assert_eq!(shown["service"]["type"], "whole");
        assert_eq!(shown["services"][0]["type"], "whole");
        assert_eq!(shown["services"][1], reference("service", "gone"));
        assert_eq!(shown["assignments"][0]["assignee"]["type"], "whole");
        assert_eq!(shown["creator"], reference("user", "U"));
    }

    #[test]
    fn nothing_is_loaded_that_was_not_asked_for_or_is_not_there() {
        let bare = json!({ "service": null, "assignments": [] });
        assert_eq!(expanded(&["services", "users"], bare.clone()), (bare, vec![]));
        let whole = json!({ "service": reference("service", "S") });
        assert_eq!(expanded(&[], whole.clone()), (whole, vec![]));
    }
}
