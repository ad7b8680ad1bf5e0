//! The story of the pictures, one minute frozen: Tuesday 17 November 2026, 06:12 in London. Only tests see it.

pub(super) mod desk;
pub(super) mod now;
pub(super) mod places;
pub(super) mod room;
pub(super) mod settings;
pub(super) mod words;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::console::prelude::*;

/// A time of that morning in UTC, which London keeps in November.
pub(super) fn at(clock: &str) -> Timestamp {
    format!("2026-11-17T{clock}:00Z").parse().unwrap()
}

pub(super) fn on(date: &str, clock: &str) -> Timestamp {
    format!("{date}T{clock}:00Z").parse().unwrap()
}

pub(super) fn reading() -> Reading {
    Reading::new(at("06:12"), TimeZone::get("Europe/London").unwrap())
}

pub(super) fn frame(title: &str, place: Place) -> Frame {
    let reading = reading();
    Frame {
        title: title.to_owned(),
        place,
        organisation: "Larkfield".to_owned(),
        signed_in: SignedIn {
            name: "Maya Okafor".to_owned(),
            email: "maya.okafor@larkfield.example".to_owned(),
            places: Place::RAIL.to_vec(),
            phone_places: PhonePlaces::Responder,
        },
        situation: Situation {
            open: vec![
                (State::Triggered, 1),
                (State::Acknowledged, 1),
                (State::Recovering, 1),
            ],
            promise: Some(NextPromise {
                audience: "Customers".to_owned(),
                due: reading.countdown(at("05:52"), at("06:20")),
                to: "/console/updates".to_owned(),
            }),
            on_call: OnCall::Named {
                what: "Payments".to_owned(),
                who: "Priya Raman".to_owned(),
            },
            owed: 316,
            owed_at: Some("/console/desk"),
            health: Health::Well,
            health_at: Some("/console/settings/health"),
        },
        banners: Vec::new(),
        csrf_token: "token".to_owned(),
        now: at("06:12"),
        clock_speed: 1,
    }
}

/// A line that is calm and then jumps.
pub(super) fn series(calm: f64, peak: f64, last: f64, usual: (f64, f64)) -> Series {
    let mut values: Vec<f64> = (0..66)
        .map(|index| calm * (1.0 + 0.12 * f64::from((index * 7) % 5 - 2) / 2.0))
        .collect();
    values.extend([peak * 0.6, peak, peak * 0.9, peak * 0.7, last * 1.1, last]);
    Series {
        values,
        usual: Some(usual),
        began: Some(0.92),
        told: "rose sharply at 05:41".to_owned(),
    }
}
