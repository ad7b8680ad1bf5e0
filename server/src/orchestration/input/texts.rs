//! Conditions, paths, patterns and templates of rules: each is read as it will be used, and what would never find anything
//! is refused with its place.

use condition::{Condition, Path, Segment, SyntaxError};

use super::{Checking, PATTERN_STATES};
use crate::orchestration::judgement::FIELDS;

const LONGEST_TEMPLATE: usize = 4_000;
const LONGEST_PATTERN: usize = 1_000;

impl Checking {
    /// Whether the patterns so far are too large together already: then the rest is not compiled to be refused with them.
    fn is_full(&self) -> bool {
        self.states > PATTERN_STATES
    }

    pub(super) fn condition(&mut self, at: &str, source: &str) {
        if self.is_full() {
            return;
        }
        let condition: Condition = match source.parse() {
            Ok(condition) => condition,
            Err(error) => {
                self.faults.add(format!("{at}: {}", in_place(source, &error)));
                return;
            }
        };
        self.states += condition.cost().pattern_states;
        if !condition.thresholds().is_empty() {
            self.faults.add(format!(
                "{at}: trigger_count and resetting_trigger_count are not counted here. Say it without."
            ));
        }
        for path in condition.paths() {
            self.path(at, path);
        }
    }

    /// What a path may look into: the event as it was understood, and variables.
    pub(super) fn path(&mut self, at: &str, path: &Path) {
        match (path.root(), path.segments().first()) {
            ("variables", _) | ("event", None) => {}
            ("event", Some(Segment::Key(field))) if FIELDS.contains(&field.as_str()) => {}
            ("event", Some(_)) => self.faults.add(format!(
                "{at}: {path} is no field of an event. There are {}.",
                FIELDS.map(|field| format!("event.{field}")).join(", ")
            )),
            (root, _) => self.faults.add(format!("{at}: {path}: {}.", why_not(root))),
        }
    }

    pub(super) fn source(&mut self, at: &str, text: &str) {
        match text.parse::<Path>() {
            Ok(path) => self.path(at, &path),
            Err(error) => self.faults.add(format!("{at}: {}", in_place(text, &error))),
        }
    }

    pub(super) fn target(&mut self, at: &str, text: &str) {
        let path = match text.parse::<Path>() {
            Ok(path) => path,
            Err(error) => {
                self.faults.add(format!("{at}: {}", in_place(text, &error)));
                return;
            }
        };
        let written = match (path.root(), path.segments()) {
            ("event", [Segment::Key(field)]) => WRITTEN.contains(&field.as_str()),
            ("event", [Segment::Key(field), Segment::Key(_), ..]) => field == "custom_details",
            _ => false,
        };
        if !written {
            self.faults.add(format!(
                "{at}: {path} cannot be written. These can: {}, and what stands below event.custom_details.",
                WRITTEN.map(|field| format!("event.{field}")).join(", ")
            ));
        }
    }

    pub(super) fn pattern(&mut self, at: &str, text: &str) {
        if text.chars().count() > LONGEST_PATTERN {
            self.faults.add(format!(
                "{at} is too long (maximum is {LONGEST_PATTERN} characters)."
            ));
            return;
        }
        if self.is_full() {
            return;
        }
        match condition::Pattern::compile(text) {
            Ok(pattern) => self.states += pattern.states(),
            Err(error) => self.faults.add(format!("{at}: {error}.")),
        }
    }

    pub(super) fn template(&mut self, at: &str, text: &str) {
        if text.chars().count() > LONGEST_TEMPLATE {
            self.faults.add(format!(
                "{at} is too long (maximum is {LONGEST_TEMPLATE} characters)."
            ));
            return;
        }
        let template = match condition::Template::parse(text) {
            Ok(template) => template,
            Err(error) => {
                let column = text[..text.floor_char_boundary(error.offset)].chars().count() + 1;
                self.faults
                    .add(format!("{at}: at character {column}: {}.", error.reason));
                return;
            }
        };
        for path in template.paths() {
            self.path(at, path);
        }
        for root in template.roots_of_expressions() {
            if !["event", "variables"].contains(&root) {
                self.faults.add(format!("{at}: {root:.50}: {}.", why_not(root)));
            }
        }
    }
}

/// Why nothing is found below a document that there is not.
fn why_not(root: &str) -> &'static str {
    match root {
        "raw_event" => "what was sent is not kept word for word; look at event, such as event.custom_details",
        "cache_var" => "cache variables are not kept here",
        _ => "it leads nowhere; a path begins with event or variables",
    }
}

/// The fields of an event that may be written anew.
const WRITTEN: [&str; 9] = [
    "summary",
    "source",
    "severity",
    "component",
    "group",
    "class",
    "dedup_key",
    "client",
    "client_url",
];

/// What is wrong with a text of the condition language, and where, in one line.
fn in_place(source: &str, error: &SyntaxError) -> String {
    let rest: String = source[source.floor_char_boundary(error.offset)..]
        .chars()
        .take(20)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let at = match rest.trim() {
        "" => "at the end".to_owned(),
        rest => format!("at “{rest}”"),
    };
    let mut words = format!(
        "line {}, column {}, {at}: {}.",
        error.line, error.column, error.problem
    );
    if let condition::Problem::Expected { hint: Some(hint), .. } = &error.problem {
        words.push(' ');
        words.push_str(hint);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_refused_with_the_rest_is_not_compiled() {
        let mut checking = Checking::default();
        for _ in 0..2_000 {
            checking.pattern("at", "(a{1,100}){1,10}");
        }
        let one = condition::Pattern::compile("(a{1,100}){1,10}").map_or(0, |pattern| pattern.states());
        assert!(one > 0 && checking.states > PATTERN_STATES);
        assert!(checking.states <= PATTERN_STATES + one, "{}", checking.states);
    }
}
