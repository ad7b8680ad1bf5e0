//! The series of migrations, forward only, and the register of nodes.

use jiff::Timestamp;
use store::{Error, Migration, Tx, params, sql};

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../migrations/", $name, ".sql")),
        }
    };
}

/// Forward only. A number that is missing was given away while the program was written and never used; none is filled later.
pub const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_foundation"),
    migration!(2, "0002_people"),
    migration!(3, "0003_oncall"),
    migration!(4, "0004_services"),
    migration!(5, "0005_customers"),
    migration!(6, "0006_incidents"),
    migration!(7, "0007_outbox"),
    migration!(8, "0008_paging"),
    migration!(9, "0009_desk"),
    migration!(10, "0010_updates"),
    migration!(11, "0011_pages"),
    migration!(12, "0012_reviews"),
    migration!(13, "0013_impact"),
    migration!(14, "0014_console"),
    migration!(16, "0016_pages"),
    migration!(17, "0017_learning"),
    migration!(18, "0018_ingest"),
    migration!(19, "0019_promises_and_notices"),
    migration!(20, "0020_confirmed_origins"),
    migration!(21, "0021_estimates_given"),
    migration!(22, "0022_alert_times"),
    migration!(23, "0023_password_links"),
    migration!(26, "0026_sealed_keys"),
    migration!(27, "0027_devices"),
    migration!(28, "0028_word_beginnings"),
    migration!(31, "0031_forms_sent"),
    migration!(32, "0032_pages_and_keys"),
    migration!(34, "0034_live_hints"),
    migration!(35, "0035_undelivered_answers"),
    migration!(36, "0036_usual_reports"),
    migration!(37, "0037_incidents_of_service"),
    migration!(39, "0039_service_rules"),
    migration!(41, "0041_former_slugs"),
    migration!(42, "0042_zones_of_words"),
    migration!(43, "0043_answers_and_titles"),
    migration!(46, "0046_causes_of_alerts"),
    migration!(48, "0048_pages_on_their_way"),
    migration!(49, "0049_ends_and_news"),
    migration!(50, "0050_open_cases"),
    migration!(60, "0060_shortened_changes"),
];

/// Takes the next node number. A process takes a new one at every start, so that what it makes can never
/// collide with what it made before its clock was set back.
pub fn register_node(tx: &mut Tx, now: Timestamp) -> Result<i64, Error> {
    tx.lock("nodes")?;
    let (number,): (i64,) = tx.one(sql!("SELECT COALESCE(MAX(number), 0) + 1 FROM nodes"), params![])?;
    tx.execute(
        sql!("INSERT INTO nodes (number, started_at, seen_at) VALUES ($1, $2, $2)"),
        params![number, now],
    )?;
    Ok(number)
}
