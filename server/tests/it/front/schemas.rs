//! Every shape in the API's document has a name of its own: of two with one name, one would be lost unseen.

use std::collections::BTreeMap;
use std::path::Path;

use crate::order::sources_below;

/// The names under which a source text puts shapes into the document.
fn shapes(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut derived, mut called) = (false, None);
    for line in source.lines().map(str::trim) {
        let words: Vec<&str> = line
            .split(|one: char| !one.is_alphanumeric() && one != '_')
            .collect();
        if line.starts_with("#[schema(as = ") {
            called = words.iter().rev().find(|word| !word.is_empty()).copied();
        } else if words.contains(&"ToSchema") && !line.starts_with("use ") && !line.starts_with("impl ") {
            derived = true;
        } else if let Some(place) = words.iter().position(|word| ["struct", "enum"].contains(word)) {
            if derived && let Some(name) = called.or(words.get(place + 1).copied()) {
                found.push(name.to_owned());
            }
            (derived, called) = (false, None);
        }
    }
    found
}

#[test]
fn no_two_shapes_share_a_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for name in shapes(&std::fs::read_to_string(&path).unwrap()) {
            places.entry(name).or_default().push(path.display().to_string());
        }
    }
    assert!(places.len() > 100, "only {} shapes were found", places.len());
    places.retain(|_, places| places.len() > 1);
    assert_eq!(places, BTreeMap::new());
}

#[test]
fn a_shape_is_found_by_the_name_it_has_in_the_document() {
    let source = "#[derive(Debug, ToSchema)]\npub struct One {\n#[derive(ToSchema)]\n#[schema(as = Other)]\nenum Two {\nstruct Three;";
    assert_eq!(shapes(source), ["One", "Other"]);
}
