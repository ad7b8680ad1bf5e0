//! Every statement of the server is prepared on both engines, so that a misspelt column cannot wait for
//! its night.

use std::path::Path;

use muster::app::migrations::MIGRATIONS;
use store::Engine;

#[store::both_engines]
async fn every_statement_can_be_prepared(engine: Engine) {
    let database = store::testing::fresh(engine, MIGRATIONS).await;
    let found = store::statements::in_source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(found.len() > 10, "the statements were not found");
    let wrong = database.prepare_all(&found).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
