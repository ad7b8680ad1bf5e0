//! Who may agree to words about an incident.

use store::Tx;

use crate::access::{Action, Caller, Resource};
use crate::http::Problem;
use crate::incidents::{IncidentId, store as incidents};
use crate::oncall::store::teams_of_policy;

/// Refuses whoever may not: an incident belongs to the teams of its escalation policy, and a responder agrees
/// only to words about those of a team they manage.
pub fn require_approver(tx: &mut Tx, caller: &Caller, id: &IncidentId) -> Result<(), Problem> {
    let incident = incidents::find(tx, id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    let teams = teams_of_policy(tx, &incident.escalation_policy_id)?;
    caller.require_for_teams(Action::Approve, Resource::Update, &teams)
}
