//! What rules do, in words that people read: on the alert, on the timeline, and on the page of the service.

use std::fmt::Display;

use serde_json::json;

use super::model::{Actions, EventAction, START};
use crate::alerts::model::Reason;

/// How a rule is called: by its label, or by its place.
pub fn name_of(set: &str, place: usize, label: Option<&str>) -> String {
    match label {
        Some(label) => format!("The rule “{label}”"),
        None if set == START => format!("Rule {}", place + 1),
        None => format!("Rule {} of “{set}”", place + 1),
    }
}

/// How what is done where no rule matched is called.
pub const CATCH_ALL: &str = "The rule for everything else";

/// What a rule was to do with an event and could not.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// The fields that were to be written, and [`NOTE`].
    deeds: Vec<String>,
    words: Vec<String>,
}

const NOTE: &str = "note";

impl Failed {
    pub(super) fn writing(&mut self, target: &impl Display, why: &str) {
        self.deeds.push(target.to_string());
        self.words.push(format!("It could not write {target}: {why}."));
    }

    pub(super) fn noting(&mut self, why: &str) {
        self.deeds.push(NOTE.to_owned());
        self.words.push(format!("Its note could not be written: {why}."));
    }
}

/// What a rule did with an event, as a reason to be kept with the alert.
pub(super) fn reason(by: &str, rule_id: Option<&str>, actions: &Actions, failed: &Failed) -> Reason {
    let mut did = deeds(actions, Tense::Past, &failed.deeds);
    if did.is_empty() && failed.words.is_empty() {
        did.push("let it pass".to_owned());
    }
    let did = joined(&did);
    let sentence = match (did.as_str(), failed.words.join(" ").as_str()) {
        (did, "") => format!("{by} {did}."),
        ("", failed) => format!("{by} matched. {failed}"),
        (did, failed) => format!("{by} {did}. {failed}"),
    };
    Reason {
        figures: json!({ "kind": "rule", "rule_id": rule_id }),
        sentence,
    }
}

/// What is said of an event that no rule was applied to, because that would have taken too long.
pub fn given_up() -> Reason {
    Reason {
        figures: json!({ "kind": "rules_given_up" }),
        sentence: "The service's rules would have taken too much work on this event, so none was applied."
            .to_owned(),
    }
}

/// A reason that has no figures.
pub fn plain(sentence: impl Into<String>) -> Reason {
    Reason {
        figures: json!({ "kind": "rule" }),
        sentence: sentence.into(),
    }
}

/// What a rule does: "suppresses it, leaves a note". Empty where it lets everything be.
pub fn in_short(actions: &Actions) -> String {
    joined(&deeds(actions, Tense::Present, &[]))
}

#[derive(Clone, Copy)]
enum Tense {
    Past,
    Present,
}

fn deeds(actions: &Actions, tense: Tense, undone: &[String]) -> Vec<String> {
    let is_done = |deed: &str| !undone.iter().any(|one| one == deed);
    let said = |past: &str, present: &str| match tense {
        Tense::Past => past.to_owned(),
        Tense::Present => present.to_owned(),
    };
    let mut did = Vec::new();
    match actions.suppress {
        Some(true) => did.push(said(
            "suppressed it, so that no incident opens",
            "suppresses it: no incident opens",
        )),
        Some(false) => did.push(said("let it open an incident", "lets it open an incident")),
        None => {}
    }
    if let Some(seconds) = actions.suspend {
        let length = spoken(seconds);
        did.push(said(
            &format!("held it back for {length} to see whether it clears by itself"),
            &format!("holds it back for {length} to see whether it clears by itself"),
        ));
    }
    match actions.event_action {
        Some(EventAction::Resolve) => did.push(said("took it as the end", "takes it as the end")),
        Some(EventAction::Trigger) => did.push(said("took it as a report", "takes it as a report")),
        None => {}
    }
    if let Some(severity) = actions.severity {
        let severity = severity.as_text();
        did.push(said(
            &format!("set the severity to {severity}"),
            &format!("sets the severity to {severity}"),
        ));
    }
    if let Some(priority) = &actions.priority {
        let rank = priority
            .rank()
            .map_or_else(|| priority.to_string(), |rank| format!("{rank:?}"));
        did.push(said(
            &format!("asked for the priority {rank}"),
            &format!("asks for the priority {rank}"),
        ));
    }
    if actions.escalation_policy.is_some() {
        did.push(said(
            "asked for another escalation policy",
            "asks for another escalation policy",
        ));
    }
    let targets: Vec<String> = actions
        .extractions
        .iter()
        .map(|one| one.target().to_owned())
        .filter(|target| is_done(target))
        .collect();
    if !targets.is_empty() {
        let targets = joined(&targets);
        did.push(said(&format!("wrote {targets}"), &format!("writes {targets}")));
    }
    if actions.annotate.is_some() && is_done(NOTE) {
        did.push(said("left a note", "leaves a note"));
    }
    if let Some(set) = &actions.route_to {
        did.push(said(
            &format!("handed it to “{set}”"),
            &format!("hands it to “{set}”"),
        ));
    }
    did
}

fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// "5 minutes", "90 seconds".
fn spoken(seconds: u32) -> String {
    let (count, unit) = match seconds {
        3_600.. if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        60.. if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestration::model::Severity;

    #[test]
    fn a_rule_tells_what_it_did_and_what_it_does() {
        let actions = Actions {
            suspend: Some(300),
            severity: Some(Severity::Warning),
            ..Actions::default()
        };
        let by = name_of(START, 0, Some("Disks"));
        assert_eq!(
            reason(&by, Some("R"), &actions, &Failed::default()).sentence,
            "The rule “Disks” held it back for 5 minutes to see whether it clears by itself and set the severity to warning."
        );
        assert_eq!(
            in_short(&actions),
            "holds it back for 5 minutes to see whether it clears by itself and sets the severity to warning"
        );
        let nothing = reason(
            &name_of("nights", 1, None),
            None,
            &Actions::default(),
            &Failed::default(),
        );
        assert_eq!(nothing.sentence, "Rule 2 of “nights” let it pass.");
        let mut failed = Failed::default();
        failed.noting("it is too long");
        let actions = Actions {
            annotate: Some("{{event.summary}}".to_owned()),
            ..Actions::default()
        };
        assert_eq!(
            reason("Rule 1", None, &actions, &failed).sentence,
            "Rule 1 matched. Its note could not be written: it is too long."
        );
    }
}
