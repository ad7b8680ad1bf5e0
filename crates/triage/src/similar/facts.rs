//! What two reports have in common besides their words, and how many points that is worth before anything was learned.

use super::{Reason, Report};

/// What a shared template adds.
const TEMPLATE_POINTS: f64 = 0.35;
/// What shared facts add at most, each kind.
const SERVICES_POINTS: f64 = 0.30;
const TOUCHPOINTS_POINTS: f64 = 0.25;
const LOCATIONS_POINTS: f64 = 0.20;
/// What is taken off when both name locations and share none.
const OTHER_LOCATION_POINTS: f64 = -0.20;
/// Share of the points of the text that is added for reports from the same instant.
const TIME_SHARE: f64 = 0.5;
/// Seconds after which that share has fallen to about a third: three months.
const TIME_REACH: f64 = 90.0 * 86_400.0;

/// The reasons that do not lie in the text.
pub(super) fn facts(question: &Report, report: &Report, text: f64) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if question.template.is_some() && question.template == report.template {
        reasons.push(Reason::Template {
            points: TEMPLATE_POINTS,
        });
    }
    if let Some((points, shared)) = overlap(&question.services, &report.services, SERVICES_POINTS) {
        reasons.push(Reason::Services { points, shared });
    }
    if let Some((points, shared)) = overlap(&question.touchpoints, &report.touchpoints, TOUCHPOINTS_POINTS) {
        reasons.push(Reason::Touchpoints { points, shared });
    }
    match overlap(&question.locations, &report.locations, LOCATIONS_POINTS) {
        Some((points, shared)) => reasons.push(Reason::Locations { points, shared }),
        None if !question.locations.is_empty() && !report.locations.is_empty() => {
            reasons.push(Reason::OtherLocation {
                points: OTHER_LOCATION_POINTS,
            });
        }
        None => {}
    }
    if let (Some(asked), Some(known)) = (question.at, report.at)
        && text > 0.0
    {
        let apart = asked.abs_diff(known);
        let points = TIME_SHARE * text * (-(apart as f64) / TIME_REACH).exp();
        reasons.push(Reason::Time { points, apart });
    }
    reasons
}

/// Points by the cosine of two sorted sets; nothing where they share none.
fn overlap(one: &[String], other: &[String], most: f64) -> Option<(f64, Vec<String>)> {
    let shared: Vec<String> = one
        .iter()
        .filter(|fact| other.binary_search(fact).is_ok())
        .cloned()
        .collect();
    let share = shared.len() as f64 / ((one.len() * other.len()) as f64).sqrt();
    (!shared.is_empty()).then_some((most * share, shared))
}
