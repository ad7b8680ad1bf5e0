//! What an hour of an incident costs, as a range.

use std::collections::{BTreeMap, HashMap};

use super::model::{HurtSite, HurtTouchpoint, LossPerHour, Standing};
use super::rules::{Known, Place};

/// What an hour costs. Of each touchpoint counts the share of its sites that is hurt: the sites that were
/// named (and neither recover nor are back), or all of them where none was named. Its loss is what the catalogue says, or,
/// where that says nothing, the takings of those sites weighed by the touchpoint's harm.
///
/// *Likely*: the nearest touchpoints whole, those that stand further away by half. *High*: all of them whole.
/// *Low*: half of the nearest, because some customers find another way.
pub fn loss(known: &Known, touchpoints: &[HurtTouchpoint], sites: &[HurtSite]) -> Vec<LossPerHour> {
    let Some(nearest) = touchpoints.iter().map(|one| one.hops).min() else {
        return Vec::new();
    };
    let heard = sites.iter().any(|site| site.standing != Standing::MayBeHurt);
    let is_hurt = |site: &HurtSite| match site.standing {
        Standing::Confirmed => true,
        Standing::MayBeHurt => !heard,
        Standing::Recovering | Standing::Back => false,
    };
    let places: HashMap<&str, &Place> = known
        .places
        .iter()
        .map(|place| (place.id.as_str(), place))
        .collect();
    let mut sums: BTreeMap<String, LossPerHour> = BTreeMap::new();
    let mut add = |currency: &str, amount: i64, hops: i64| {
        let sum = sums.entry(currency.to_owned()).or_insert_with(|| LossPerHour {
            currency: currency.to_owned(),
            low: 0,
            likely: 0,
            high: 0,
        });
        let near = hops == nearest;
        sum.low = sum.low.saturating_add(if near { amount / 2 } else { 0 });
        sum.likely = sum.likely.saturating_add(if near { amount } else { amount / 2 });
        sum.high = sum.high.saturating_add(amount);
    };
    for touchpoint in touchpoints {
        let direct: Vec<&HurtSite> = sites
            .iter()
            .filter(|site| site.through.contains(&touchpoint.name))
            .collect();
        let of: Vec<&HurtSite> = if direct.is_empty() {
            sites.iter().collect()
        } else {
            direct
        };
        let hurt: Vec<&&HurtSite> = of.iter().filter(|site| is_hurt(site)).collect();
        if touchpoint.loss_per_hour > 0 {
            let amount = if of.is_empty() {
                i128::from(touchpoint.loss_per_hour)
            } else {
                i128::from(touchpoint.loss_per_hour) * hurt.len() as i128 / of.len() as i128
            };
            add(
                &touchpoint.currency,
                i64::try_from(amount).unwrap_or(i64::MAX),
                touchpoint.hops,
            );
        } else {
            for site in hurt {
                if let Some(place) = places.get(site.id.as_str()) {
                    let amount =
                        i128::from(place.takings_per_hour) * i128::from(touchpoint.harm_weight) / 100;
                    add(
                        &place.currency,
                        i64::try_from(amount).unwrap_or(i64::MAX),
                        touchpoint.hops,
                    );
                }
            }
        }
    }
    sums.into_values().filter(|sum| sum.high > 0).collect()
}
