//! The document that says whom an incident hurts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::services::graph::ServiceKind;

/// Everything that is hurt. Lists are in a fixed order, so that two documents can be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Technical services: those that broke and those that stand on them.
    pub services: Vec<HurtService>,
    pub touchpoints: Vec<HurtTouchpoint>,
    pub locations: HurtLocations,
    pub accounts: HurtAccounts,
    /// Linked cases.
    pub cases: i64,
    /// One estimate for each currency.
    pub loss_per_hour: Vec<LossPerHour>,
}

/// A service on the way from what broke to what is hurt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImpactStep)]
pub struct Step {
    #[serde(rename = "type")]
    pub kind: ServiceKind,
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HurtService {
    pub id: String,
    pub name: String,
    /// 0 for what broke itself.
    pub hops: i64,
    pub path: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HurtTouchpoint {
    pub id: String,
    pub name: String,
    /// 0 to 100: how much its loss hurts.
    pub harm_weight: i64,
    pub hops: i64,
    /// From what broke to the touchpoint, both included; empty when a person said that it is hurt.
    pub path: Vec<Step>,
    /// One sentence that says why.
    pub reason: String,
    /// In minor units: if it failed everywhere.
    pub loss_per_hour: i64,
    pub currency: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HurtLocations {
    /// Sites that use something hurt.
    pub sites_using: i64,
    /// Sites that an alert, a case or their own staff named, and that neither recover nor are back.
    pub sites_confirmed: i64,
    /// Sites whose machines are quiet again, and whose staff have not said so yet.
    #[serde(default)]
    pub sites_recovering: i64,
    /// Sites whose staff say that it works again.
    pub sites_back: i64,
    pub regions: Vec<HurtRegion>,
    /// Confirmed ones first; at most 1,000.
    pub sites: Vec<HurtSite>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HurtRegion {
    pub id: Option<String>,
    pub name: String,
    pub sites_using: i64,
    pub sites_confirmed: i64,
    #[serde(default)]
    pub sites_recovering: i64,
    pub sites_back: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HurtSite {
    pub id: String,
    pub name: String,
    pub region: Option<String>,
    pub standing: Standing,
    pub evidence: Vec<Evidence>,
    /// What it uses that is hurt.
    pub through: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Something named it.
    Confirmed,
    /// What named it is over; nobody there has said that it works again.
    Recovering,
    /// It uses something hurt; nothing has been heard from it.
    MayBeHurt,
    /// Its staff say that it works again.
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    Alert,
    Case,
    Staff,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HurtAccounts {
    pub count: i64,
    /// Customers who told us so by a linked case.
    pub told_us: i64,
    pub tiers: Vec<TierCount>,
    /// The most valuable ones; at most ten, and none for those who may not see customers.
    pub top: Vec<HurtAccount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, store::FromRow, ToSchema)]
pub struct TierCount {
    pub tier: String,
    pub currency: String,
    pub count: i64,
    /// Minor units.
    pub value_per_year: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, store::FromRow, ToSchema)]
pub struct HurtAccount {
    pub id: String,
    pub name: String,
    pub tier: String,
    pub value_per_year: i64,
    pub currency: String,
}

/// Minor units an hour; `low` ≤ `likely` ≤ `high`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LossPerHour {
    pub currency: String,
    pub low: i64,
    pub likely: i64,
    pub high: i64,
}

/// What a person said about a touchpoint and an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Impacted,
    NotImpacted,
}

impl Impact {
    /// Whether two documents say the same to a person: numbers of linked cases and of customers may differ.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let ids = |impact: &Self| {
            impact
                .touchpoints
                .iter()
                .map(|one| one.id.clone())
                .collect::<Vec<_>>()
        };
        let places = |impact: &Self| {
            let locations = &impact.locations;
            (
                locations.sites_using,
                locations.sites_confirmed,
                locations.sites_recovering,
                locations.sites_back,
            )
        };
        ids(self) == ids(other) && places(self) == places(other) && self.loss_per_hour == other.loss_per_hour
    }

    /// The sites that count as hurt: those that were named and are not back, or all where none was ever named.
    pub fn hurt_site_ids(&self) -> Vec<&str> {
        hurt_among(&self.locations.sites)
            .map(|site| site.id.as_str())
            .collect()
    }

    /// The document without its long lists: what a line in a list needs.
    #[must_use]
    pub fn brief(&self) -> Self {
        let without_path = |one: &HurtTouchpoint| HurtTouchpoint {
            path: Vec::new(),
            ..one.clone()
        };
        Self {
            services: Vec::new(),
            touchpoints: self.touchpoints.iter().map(without_path).collect(),
            locations: HurtLocations {
                regions: Vec::new(),
                sites: Vec::new(),
                ..self.locations.clone()
            },
            accounts: HurtAccounts {
                top: Vec::new(),
                ..self.accounts.clone()
            },
            cases: self.cases,
            loss_per_hour: self.loss_per_hour.clone(),
        }
    }

    /// "Card payments, Loyalty; 24 of 240 sites named".
    pub fn sentence(&self) -> String {
        if self.touchpoints.is_empty() {
            return "No touchpoint that customers know stands on this".to_owned();
        }
        let names: Vec<&str> = self
            .touchpoints
            .iter()
            .take(5)
            .map(|one| one.name.as_str())
            .collect();
        let mut sentence = names.join(", ");
        let further = self.touchpoints.len().saturating_sub(names.len());
        if further > 0 {
            sentence.push_str(&format!(" and {further} more"));
        }
        let locations = &self.locations;
        let named = locations.sites_confirmed + locations.sites_recovering;
        if named > 0 {
            sentence.push_str(&format!("; {named} of {} sites named", locations.sites_using));
        } else if locations.sites_using > 0 && locations.sites_back == 0 {
            let using = locations.sites_using;
            let use_it = if using == 1 {
                "site uses it"
            } else {
                "sites use it"
            };
            sentence.push_str(&format!("; {using} {use_it}"));
        }
        if locations.sites_recovering > 0 {
            sentence.push_str(&format!(", {} recovering", locations.sites_recovering));
        }
        if locations.sites_back > 0 {
            sentence.push_str(&format!(", {} back", locations.sites_back));
        }
        sentence
    }
}

impl HurtLocations {
    /// Sites that were ever named, whether they still are or not.
    pub fn sites_named(&self) -> i64 {
        self.sites_confirmed + self.sites_recovering + self.sites_back
    }
}

/// The sites that count as hurt, out of all that use what is hurt or were named.
pub fn hurt_among(sites: &[HurtSite]) -> impl Iterator<Item = &HurtSite> {
    let heard = sites.iter().any(|site| site.standing != Standing::MayBeHurt);
    sites.iter().filter(move |site| match site.standing {
        Standing::Confirmed | Standing::Recovering => true,
        Standing::MayBeHurt => !heard,
        Standing::Back => false,
    })
}
