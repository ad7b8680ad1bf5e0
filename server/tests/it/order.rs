//! The order of the house: slices import downwards only.
//!
//! The table is the picture of `docs/architecture.md` from the bottom up; slices of one line are one family and
//! may know each other. Anybody may hold the running program, `app::App`: it is what a handler is given.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FROM_THE_BOTTOM: [&[&str]; 25] = [
    &[
        "identifier",
        "clock",
        "live",
        "metrics",
        "numbers",
        "drawing",
        "vault",
    ],
    &["http", "outbound"],
    &["config"],
    &["jobs"],
    &["timeline"],
    &["access", "people"],
    &["words"],
    &["oncall"],
    &["services"],
    &["customers"],
    &["signals", "alerts", "incidents", "orchestration"],
    &["outbox"],
    &["passwords"],
    &["paging"],
    &["cases"],
    &["impact"],
    &["desk"],
    &["updates"],
    &["pages"],
    &["reviews"],
    &["console"],
    &["app"],
    &["demo"],
    &["cli"],
    &["main"],
];

/// What every slice may use of one that stands above it.
const HELD_BY_ALL: (&str, &str) = ("app", "App");

fn level(slice: &str) -> Option<usize> {
    FROM_THE_BOTTOM.iter().position(|family| family.contains(&slice))
}

/// The names right after each `crate::` of a source text, with what is taken from them.
fn imported(source: &str) -> Vec<(String, String)> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let name = |text: &str| {
        text.chars()
            .take_while(|letter| is_name(*letter))
            .collect::<String>()
    };
    let mut found = Vec::new();
    let code = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(is_name) || code[..at].ends_with('$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(several) = rest.strip_prefix('{') {
            let several = &several[..several.find(';').unwrap_or(several.len())];
            let mut depth = 0;
            let mut start = true;
            for (position, letter) in several.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    letter if start && is_name(letter) => {
                        found.push((name(&several[position..]), String::new()));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            let first = name(rest);
            let taken = rest[first.len()..].strip_prefix("::").map(name);
            found.push((first, taken.unwrap_or_default()));
        }
    }
    found
}

/// What points upwards in a source text of a slice.
fn upwards(slice: &str, source: &str) -> BTreeSet<String> {
    let here = level(slice);
    imported(source)
        .into_iter()
        .filter(|(other, taken)| {
            (other.as_str(), taken.as_str()) != HELD_BY_ALL && level(other).is_some() && level(other) > here
        })
        .map(|(other, taken)| format!("{slice} imports {other}::{taken}"))
        .collect()
}

pub(crate) fn sources_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn slices_import_downwards_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = BTreeSet::new();
    for path in sources_below(&root) {
        let inside = path.strip_prefix(&root).unwrap();
        let first = Path::new(inside.components().next().unwrap().as_os_str());
        let slice = first.file_stem().unwrap().to_str().unwrap();
        if slice == "lib" {
            continue;
        }
        if level(slice).is_none() {
            wrong.insert(format!("{slice} has no place in the order"));
        }
        wrong.extend(
            upwards(slice, &std::fs::read_to_string(&path).unwrap())
                .into_iter()
                .map(|what| format!("{what}, in {}", inside.display())),
        );
    }
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn an_import_that_points_upwards_is_seen() {
    for (source, seen) in [
        (
            "use crate::incidents::store;",
            "services imports incidents::store",
        ),
        (
            "let n = crate::console::kit::words();",
            "services imports console::kit",
        ),
        ("use crate::{people, pages::{a, b}};", "services imports pages::"),
        ("use crate::app::{App, router};", "services imports app::"),
    ] {
        assert_eq!(
            upwards("services", source),
            BTreeSet::from([seen.to_owned()]),
            "{source}"
        );
    }
    for fine in [
        "use crate::app::App;",
        "use crate::people::{User, UserId};",
        "use crate::{people::{incidents}, oncall};",
        "// crate::incidents would be wrong here",
    ] {
        assert_eq!(upwards("services", fine), BTreeSet::new(), "{fine}");
    }
}
