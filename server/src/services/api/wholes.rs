//! Services, policies, teams, people and vendors as whole resources, for `include[]` here and in the slices above.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::Tx;

use super::catalogue::vendor_views;
use super::view::views;
use crate::http::expansion::{Relation, Wholes};
use crate::http::{Include, Problem, Site};
use crate::oncall::EscalationPolicyId;
use crate::oncall::api::view::policy_views;
use crate::people::api::view::{team_views, user_views};
use crate::people::store::{find_teams, find_users};
use crate::people::{TeamId, UserId};
use crate::services::store::services as rows;

/// What a service refers to.
pub(super) const OF_SERVICES: [Relation; 2] = [
    Relation {
        name: "escalation_policies",
        kind: "escalation_policy_reference",
        under: &["escalation_policy"],
    },
    Relation {
        name: "teams",
        kind: "team_reference",
        under: &["teams"],
    },
];

/// What a policy refers to that stands above it; the rest it expands by itself.
pub(super) const OF_POLICIES: [Relation; 1] = [Relation {
    name: "services",
    kind: "service_reference",
    under: &["services"],
}];

/// What an integration refers to.
pub(super) const OF_INTEGRATIONS: [Relation; 2] = [
    Relation {
        name: "services",
        kind: "service_reference",
        under: &["service"],
    },
    Relation {
        name: "vendors",
        kind: "vendor_reference",
        under: &["vendor"],
    },
];

pub(super) const OF_WINDOWS: [Relation; 3] = [
    Relation {
        name: "services",
        kind: "service_reference",
        under: &["services"],
    },
    Relation {
        name: "users",
        kind: "user_reference",
        under: &["created_by"],
    },
    Relation {
        name: "teams",
        kind: "team_reference",
        under: &["teams"],
    },
];

/// Loads the whole resources that references of one kind mean; of kinds that are not known here, none.
pub fn load(tx: &mut Tx, site: &Site, now: Timestamp, kind: &str, ids: &[String]) -> Result<Wholes, Problem> {
    let nothing_more = Include::default();
    match kind {
        "service_reference" => {
            let services = rows::find_all(tx, ids)?;
            let services = views(tx, site, &services, &nothing_more, now)?;
            by_id(&services)
        }
        "escalation_policy_reference" => {
            let ids: Vec<EscalationPolicyId> = named(ids);
            let policies = crate::oncall::store::load_policies(tx, &ids.iter().collect::<Vec<_>>())?;
            by_id(&policy_views(tx, site, &policies, &nothing_more)?)
        }
        "team_reference" => {
            let ids: Vec<TeamId> = named(ids);
            let teams = find_teams(tx, &ids.iter().collect::<Vec<_>>())?;
            by_id(&team_views(tx, site, &teams)?)
        }
        "user_reference" => {
            let ids: Vec<UserId> = named(ids);
            let users = find_users(tx, &ids.iter().collect::<Vec<_>>())?;
            by_id(&user_views(tx, site, &users, &nothing_more)?)
        }
        "vendor_reference" => by_id(&vendor_views(ids, site)),
        _ => Ok(Wholes::new()),
    }
}

fn named<I: for<'t> From<&'t str>>(ids: &[String]) -> Vec<I> {
    ids.iter().map(|id| I::from(id.as_str())).collect()
}

fn by_id(views: &[impl Serialize]) -> Result<Wholes, Problem> {
    views
        .iter()
        .map(|view| {
            let whole: Value = serde_json::to_value(view).map_err(Problem::internal)?;
            Ok((whole["id"].as_str().unwrap_or_default().to_owned(), whole))
        })
        .collect()
}
