//! An incident in the words of those it hurts: what customers feel, above what a machine first said.
//!
//! People's own words come first: the symptom they stated, then the title of an incident that a person raised.
//! Failing both, the sentence follows from the impact. All of it is for people inside; nothing here is public.

use std::collections::HashMap;

use store::{Error, Tx};

use super::compose::{listing, sentence};
use super::facts::{self, Stated};
use super::model::Phase;
use super::situation::{Harm, harm_of};
use crate::impact::{Impact, store as impacts};
use crate::incidents::model::Origin;
use crate::incidents::{Incident, IncidentId, Status};

/// Touchpoints named in a second line; of more the number is said.
const MOST_NAMED: usize = 4;
/// Open incidents that are looked at for how many recover.
const MOST_OPEN: i64 = 1_000;

/// Whether an open incident is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Course {
    #[default]
    Ongoing,
    /// Somebody has it, and people or places say that things work again.
    Recovering,
}

/// What is said first of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// What customers feel, a sentence in each line; at least one.
    pub felt: Vec<String>,
    /// What the machine or the reporter said first, where `felt` does not say it already.
    pub first_said: Option<String>,
    pub course: Course,
    /// Whom it hurts, in one line for a list; empty when nothing is known.
    pub hurts: String,
}

/// The headlines of several incidents, by id.
pub fn of(tx: &mut Tx, incidents: &[Incident]) -> Result<HashMap<IncidentId, Headline>, Error> {
    let ids: Vec<IncidentId> = incidents.iter().map(|one| one.id.clone()).collect();
    let stated = facts::stated_of(tx, &ids)?;
    let impacts = impacts::briefs(tx, &ids)?;
    let (nothing, nobody) = (Stated::default(), Impact::default());
    Ok(incidents
        .iter()
        .map(|incident| {
            let stated = stated.get(&incident.id).unwrap_or(&nothing);
            let impact = impacts.get(&incident.id).unwrap_or(&nobody);
            (incident.id.clone(), headline(incident, stated, impact))
        })
        .collect())
}

/// How many of the acknowledged incidents are on their way out.
pub fn count_recovering(tx: &mut Tx) -> Result<i64, Error> {
    let mut ids = impacts::with_places_better(tx, MOST_OPEN)?;
    ids.extend(facts::stated_to_recover(tx, MOST_OPEN)?);
    ids.sort_unstable();
    ids.dedup();
    Ok(ids.len() as i64)
}

/// The headline of one incident from what is known.
pub fn headline(incident: &Incident, stated: &Stated, impact: &Impact) -> Headline {
    // What people stated was true while it lasted; afterwards the impact says what happened, in the past.
    let is_history = incident.status == Status::Resolved && !impact.touchpoints.is_empty();
    let own_words = stated
        .symptom
        .as_ref()
        .filter(|_| !is_history)
        .map(|symptom| sentence(symptom.for_insiders()))
        .or_else(|| (incident.origin == Origin::Person).then(|| incident.title.clone()));
    let felt = match own_words {
        Some(words) => [Some(words.clone()), also_hurt(&words, impact)]
            .into_iter()
            .flatten()
            .collect(),
        None => felt(impact, harm_of(incident), incident.status),
    };
    let mut headline = Headline {
        first_said: (!felt.contains(&incident.title)).then(|| incident.title.clone()),
        felt,
        course: course(incident, stated, impact),
        hurts: hurts(impact),
    };
    if headline.felt.is_empty() {
        headline.felt.extend(headline.first_said.take());
    }
    headline
}

fn course(incident: &Incident, stated: &Stated, impact: &Impact) -> Course {
    let getting_well = stated.phase == Some(Phase::Monitoring) || places_better(impact) > 0;
    if incident.status == Status::Acknowledged && getting_well {
        Course::Recovering
    } else {
        Course::Ongoing
    }
}

/// "Customers cannot use Card payments in 24 places." and "Also hurt: Loyalty and Click & collect."; nothing
/// where no touchpoint is hurt.
fn felt(impact: &Impact, harm: Option<Harm>, status: Status) -> Vec<String> {
    let Some(worst) = impact.touchpoints.first() else {
        return Vec::new();
    };
    let all_back = impact.locations.sites_confirmed == 0 && places_better(impact) > 0;
    let over = status == Status::Resolved || all_back;
    let verb = match (over, harm) {
        (true, Some(Harm::Down)) => "could not use",
        (true, _) => "had trouble with",
        (_, Some(Harm::Down)) => "cannot use",
        (_, Some(Harm::PartlyDown | Harm::Slow)) => "have trouble with",
        (_, None) => "may have trouble with",
    };
    let hurt = if over {
        impact.locations.sites_named()
    } else {
        impact.locations.sites_confirmed
    };
    let first = format!("Customers {verb} {}{}.", worst.name, places(hurt, impact));
    let also = also_hurt(&worst.name, impact);
    [Some(first), also].into_iter().flatten().collect()
}

/// " in 24 places", for places that something named; " in up to 240 places", for places that only use it.
fn places(named: i64, impact: &Impact) -> String {
    match (named, impact.locations.sites_using) {
        (0, ..=1) => String::new(),
        (0, using) => format!(" in up to {using} places"),
        (1, _) => " in 1 place".to_owned(),
        (named, _) => format!(" in {named} places"),
    }
}

/// Places that are back, or whose machines are quiet again.
fn places_better(impact: &Impact) -> i64 {
    impact.locations.sites_back + impact.locations.sites_recovering
}

/// The hurt touchpoints that `said` does not name.
fn also_hurt(said: &str, impact: &Impact) -> Option<String> {
    let said = said.to_lowercase();
    let mut names: Vec<String> = impact
        .touchpoints
        .iter()
        .filter(|one| !said.contains(&one.name.to_lowercase()))
        .map(|one| one.name.clone())
        .collect();
    if names.is_empty() {
        return None;
    }
    let further = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    if further > 0 {
        names.push(format!("{further} more"));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Some(format!("Also hurt: {}.", listing(&names)))
}

/// "17 places down, 7 back · 298 customers": the line below a title in a list.
fn hurts(impact: &Impact) -> String {
    let locations = &impact.locations;
    let mut parts = Vec::new();
    let mut places = Vec::new();
    if locations.sites_confirmed > 0 {
        places.push(format!("{} down", counted(locations.sites_confirmed, "place")));
    }
    if locations.sites_recovering > 0 {
        places.push(format!("{} recovering", locations.sites_recovering));
    }
    if locations.sites_back > 0 {
        places.push(format!("{} back", locations.sites_back));
    }
    if places.is_empty() && locations.sites_using > 0 {
        places.push(format!("may hurt {}", counted(locations.sites_using, "place")));
    }
    if !places.is_empty() {
        parts.push(places.join(", "));
    }
    if parts.is_empty() && !impact.touchpoints.is_empty() {
        let names: Vec<&str> = impact
            .touchpoints
            .iter()
            .take(MOST_NAMED)
            .map(|one| one.name.as_str())
            .collect();
        parts.push(listing(&names));
    }
    if impact.accounts.count > 0 {
        parts.push(counted(impact.accounts.count, "customer"));
    }
    parts.join(" · ")
}

fn counted(count: i64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::impact::model::{HurtAccounts, HurtLocations, HurtTouchpoint};

    fn hurt(names: &[&str], locations: HurtLocations) -> Impact {
        let touchpoint = |name: &&str| HurtTouchpoint {
            id: (*name).to_owned(),
            name: (*name).to_owned(),
            harm_weight: 50,
            hops: 1,
            path: Vec::new(),
            reason: String::new(),
            loss_per_hour: 0,
            currency: "EUR".to_owned(),
        };
        Impact {
            touchpoints: names.iter().map(touchpoint).collect(),
            locations,
            ..Impact::default()
        }
    }

    fn sites(sites_using: i64, sites_confirmed: i64, sites_back: i64) -> HurtLocations {
        HurtLocations {
            sites_using,
            sites_confirmed,
            sites_back,
            ..HurtLocations::default()
        }
    }

    #[test]
    fn named_places_are_counted_and_others_only_bounded() {
        let down = Some(Harm::Down);
        let of = |locations| felt(&hurt(&["Card payments"], locations), down, Status::Triggered);
        assert_eq!(
            of(sites(240, 17, 7)),
            ["Customers cannot use Card payments in 17 places."]
        );
        assert_eq!(
            of(sites(240, 0, 24)),
            ["Customers could not use Card payments in 24 places."]
        );
        assert_eq!(
            of(sites(240, 0, 0)),
            ["Customers cannot use Card payments in up to 240 places."]
        );
        assert_eq!(
            of(sites(240, 1, 0)),
            ["Customers cannot use Card payments in 1 place."]
        );
        assert_eq!(of(sites(0, 0, 0)), ["Customers cannot use Card payments."]);
    }

    #[test]
    fn how_bad_it_is_and_whether_it_is_over_decides_the_verb() {
        let impact = hurt(&["Loyalty"], sites(0, 0, 0));
        let of = |harm, status| felt(&impact, harm, status).remove(0);
        assert_eq!(
            of(Some(Harm::PartlyDown), Status::Acknowledged),
            "Customers have trouble with Loyalty."
        );
        assert_eq!(
            of(None, Status::Triggered),
            "Customers may have trouble with Loyalty."
        );
        assert_eq!(
            of(Some(Harm::Down), Status::Resolved),
            "Customers could not use Loyalty."
        );
    }

    #[test]
    fn further_touchpoints_stand_in_a_second_line_unless_they_were_named() {
        let impact = hurt(&["Card payments", "Loyalty", "Click & collect"], sites(9, 9, 0));
        let lines = felt(&impact, Some(Harm::Down), Status::Triggered);
        assert_eq!(lines[1], "Also hurt: Loyalty and Click & collect.");
        assert_eq!(
            also_hurt("No card payments, no loyalty points.", &impact).as_deref(),
            Some("Also hurt: Click & collect.")
        );
        let many = hurt(&["a1", "b2", "c3", "d4", "e5", "f6", "g7"], sites(0, 0, 0));
        assert_eq!(
            also_hurt("a1", &many).as_deref(),
            Some("Also hurt: b2, c3, d4, e5 and 2 more.")
        );
    }

    #[test]
    fn nobody_outside_is_hurt_when_no_touchpoint_is() {
        let nobody = hurt(&[], sites(0, 0, 0));
        assert!(felt(&nobody, Some(Harm::Down), Status::Triggered).is_empty());
        assert_eq!(hurts(&nobody), "");
    }

    #[test]
    fn a_line_in_a_list_counts_places_and_customers() {
        let mut impact = hurt(&["Card payments"], sites(240, 17, 7));
        impact.accounts = HurtAccounts {
            count: 298,
            ..HurtAccounts::default()
        };
        assert_eq!(hurts(&impact), "17 places down, 7 back · 298 customers");
        assert_eq!(hurts(&hurt(&["Card payments"], sites(240, 0, 24))), "24 back");
        assert_eq!(
            hurts(&hurt(&["Card payments"], sites(240, 0, 0))),
            "may hurt 240 places"
        );
        assert_eq!(hurts(&hurt(&["Loyalty"], sites(0, 0, 0))), "Loyalty");
    }
}
