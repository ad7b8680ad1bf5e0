//! The scan that finds every statement, and the check of all of them on both engines.

use std::path::Path;

use store::{Engine, both_engines, sql, statements};

use crate::fresh;

/// Used by a statement below, to see that constants are found.
const COLUMNS: &str = "id, name";

#[both_engines]
async fn every_statement_of_these_tests_is_accepted(engine: Engine) {
    let store = fresh(engine).await;
    let found = statements::in_source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    assert!(found.len() > 45, "{}", found.len());
    let wanted = sql!("SELECT ", COLUMNS, " FROM teams WHERE id = $1")
        .text(engine)
        .to_owned();
    assert!(found.iter().any(|found| found.statement.text(engine) == wanted));
    let refused = store.prepare_all(&found).await;
    assert_eq!(refused, Vec::<String>::new());
}

#[both_engines]
async fn a_wrong_statement_is_reported_with_its_place(engine: Engine) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wrong.rs");
    let source = "fn f() {\n assert!(g(sql!(\"SELECT nothing FROM teams\")));\n query!(\"SELECT 1 WHERE 'a' = $a {AND nowhere = $b}\") }";
    std::fs::write(&file, source).unwrap();
    let refused = fresh(engine)
        .await
        .prepare_all(&statements::in_source(directory.path()))
        .await;
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(
        refused[0].starts_with(&format!("{}:2: ", file.display())),
        "{refused:?}"
    );
    assert!(refused[1].contains("nowhere"), "{refused:?}");
}

#[test]
#[should_panic(expected = "not a literal of this crate")]
fn a_statement_that_cannot_be_read_is_not_skipped() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("hidden.rs"),
        "fn f() { sql!(\"SELECT \", elsewhere::COLUMNS); }",
    )
    .unwrap();
    statements::in_source(directory.path());
}
