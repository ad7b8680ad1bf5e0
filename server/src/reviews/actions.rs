//! What people do with a report, wherever they do it: over the API or in the console. Each is audited in the
//! transaction that does it.

use serde_json::json;
use store::Tx;

use super::store::{self as rows, Edit, Review, Version};
use crate::access::Caller;
use crate::access::audit::{self, AuditAction, Changed};
use crate::http::faults::LONGEST_NAME;
use crate::http::{Faults, Problem};
use crate::incidents::{Incident, IncidentId, store as incident_rows};
use crate::timeline::Change;

/// Characters of a report's words.
pub const LONGEST_BODY: usize = 200_000;

/// An incident, its report, and the latest words.
pub fn load(tx: &mut Tx, id: &IncidentId) -> Result<(Incident, Review, Version), Problem> {
    let incident = incident_rows::find(tx, id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    let review = rows::find(tx, id)?.ok_or_else(|| Problem::not_found("The report"))?;
    let version =
        rows::version(tx, &review.id, review.version)?.ok_or_else(|| Problem::not_found("The report"))?;
    Ok((incident, review, version))
}

/// Writes the report now, or brings its facts up to date.
pub fn write(change: &mut Change, caller: &Caller, id: &IncidentId) -> Result<Review, Problem> {
    let incident = incident_rows::find(change.tx, id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    let review = rows::generate(change, &incident)?;
    audited(change, caller, AuditAction::Create, &review);
    Ok(review)
}

/// Checks the lengths of what was typed.
pub fn check(edit: &mut Edit) -> Result<(), Problem> {
    let mut faults = Faults::new();
    if let Some(title) = &edit.title {
        edit.title = Some(faults.name("incident_review.title", Some(title), LONGEST_NAME));
    }
    if let Some(body) = &edit.body {
        edit.body = Some(faults.text("incident_review.body", Some(body), LONGEST_BODY));
    }
    faults.done()
}

/// Changes the title, the words or the state of a report.
pub fn edit(change: &mut Change, caller: &Caller, id: &IncidentId, edit: &Edit) -> Result<Review, Problem> {
    let (_, review, _) = load(change.tx, id)?;
    let review = rows::edit(change, &review, edit)?;
    audited(change, caller, AuditAction::Update, &review);
    Ok(review)
}

fn audited(change: &mut Change, caller: &Caller, action: AuditAction, review: &Review) {
    let changed = Changed {
        resource_type: "incident_review",
        resource_id: review.id.as_str(),
        resource_name: &review.title,
        details: json!({ "version": review.version, "status": review.status }),
    };
    audit::record(change, caller, action, &changed);
}
