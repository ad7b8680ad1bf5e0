//! Whom an incident hurts, as its room shows it: touchpoints, locations, customers, cases, and what it costs.

use super::room::Known;
use super::room_words::how_hurt;
use crate::console::kit::{Rich, State as Shape, shares, thousands};
use crate::console::screens::room::{Figure, Impact, LocationImpact};
use crate::impact::Impact as Hurt;
use crate::incidents::model::Status;

pub(super) fn impact(known: &Known) -> Impact {
    let alerts = Figure::new(
        "Alerts",
        known.counts.all.to_string(),
        vec![
            Rich::plain(format!("{} still open", known.counts.triggered)),
            Rich::plain(format!("on {}", known.service)),
        ],
    );
    let Some(hurt) = &known.hurt else {
        return Impact {
            touchpoints: Vec::new(),
            locations: None,
            figures: vec![alerts],
        };
    };
    let over = known.incident.status == Status::Resolved;
    let touchpoints = hurt
        .touchpoints
        .iter()
        .map(|one| {
            let (shape, how) = if over {
                (Shape::Resolved, "back")
            } else {
                how_hurt(&known.incident, &known.milder, one)
            };
            (shape.says(one.name.clone()), how)
        })
        .collect();
    let mut figures = vec![
        Figure::new(
            "Customers",
            thousands(hurt.accounts.count.unsigned_abs()),
            hurt.accounts
                .tiers
                .iter()
                .map(|tier| Rich::plain(format!("{} {}", thousands(tier.count.unsigned_abs()), tier.tier)))
                .collect(),
        ),
        Figure::new(
            "Cases",
            format!("{} linked", thousands(known.cases.unsigned_abs())),
            vec![owed(known)],
        ),
        alerts,
    ];
    figures.extend(hurt.loss_per_hour.iter().take(1).map(|loss| {
        let money = |amount: i64| crate::console::kit::about(amount, &loss.currency);
        Figure::new(
            "Cost, estimate and range",
            format!("{} an hour", money(loss.likely)),
            vec![Rich::plain(format!(
                "{} to {}",
                money(loss.low),
                money(loss.high)
            ))],
        )
    }));
    Impact {
        touchpoints,
        locations: locations(hurt),
        figures,
    }
}

/// How many wait, and for those who may read it, who they are.
fn owed(known: &Known) -> Rich {
    let words = match known.owed {
        0 => "Nobody is owed an answer".to_owned(),
        count => format!("{} owed an answer", thousands(count.unsigned_abs())),
    };
    if known.voices.is_none() {
        return Rich::plain(words);
    }
    let list = format!("/console/cases?incident={}&state=owed", known.incident.id);
    Rich::default().link(words, list)
}

fn locations(hurt: &Hurt) -> Option<LocationImpact> {
    let places = &hurt.locations;
    if places.sites_using == 0 {
        return None;
    }
    let named = places.sites_named().unsigned_abs();
    let may = (places.sites_using.unsigned_abs()).saturating_sub(named);
    let value = match (named, places.sites_back) {
        (0, _) => format!("{} may be hurt", thousands(may)),
        (named, 0) => format!(
            "{} of {}",
            thousands(named),
            thousands(places.sites_using.unsigned_abs())
        ),
        (named, back) => format!("{} of {} back", thousands(back.unsigned_abs()), thousands(named)),
    };
    let parts = if named == 0 {
        shares(&[(Shape::Unknown, may, "no word yet")])
    } else {
        shares(&[
            (Shape::Triggered, places.sites_confirmed.unsigned_abs(), "hurt"),
            (
                Shape::Recovering,
                places.sites_recovering.unsigned_abs(),
                "recovering",
            ),
            (Shape::Resolved, places.sites_back.unsigned_abs(), "back"),
        ])
    };
    Some(LocationImpact {
        label: "Locations".to_owned(),
        value,
        shares: parts,
    })
}
