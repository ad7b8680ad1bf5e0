//! The frame round every page of the console: rail, situation bar, bars on a phone.
//!
//! Every page's view holds a [`Frame`]; the template of the page extends `console/frame.html`, which draws it.

use askama::Template;
use jiff::Timestamp;

use super::kit::{Banner, Countdown, Face, State, drawn, letters, thousands};

/// The places of the rail, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Now,
    Incidents,
    Desk,
    Services,
    OnCall,
    Customers,
    Updates,
    Pages,
    Maintenance,
    Learn,
    Settings,
}

impl Place {
    pub const RAIL: [Self; 10] = [
        Self::Now,
        Self::Incidents,
        Self::Desk,
        Self::Services,
        Self::OnCall,
        Self::Customers,
        Self::Updates,
        Self::Pages,
        Self::Maintenance,
        Self::Learn,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "Now",
            Self::Incidents => "Incidents",
            Self::Desk => "Desk",
            Self::Services => "Services",
            Self::OnCall => "On call",
            Self::Customers => "Customers",
            Self::Updates => "Updates",
            Self::Pages => "Pages",
            Self::Maintenance => "Maintenance",
            Self::Learn => "Learn",
            Self::Settings => "Settings",
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::Now => "/console",
            Self::Incidents => "/console/incidents",
            Self::Desk => "/console/desk",
            Self::Services => "/console/services",
            Self::OnCall => "/console/on-call",
            Self::Customers => "/console/customers",
            Self::Updates => "/console/updates",
            Self::Pages => "/console/pages",
            Self::Maintenance => "/console/maintenance",
            Self::Learn => "/console/learn",
            Self::Settings => "/console/settings",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Incidents => "incidents",
            Self::Desk => "desk",
            Self::Services => "services",
            Self::OnCall => "oncall",
            Self::Customers => "customers",
            Self::Updates => "updates",
            Self::Pages => "pages",
            Self::Maintenance => "maintenance",
            Self::Learn => "learn",
            Self::Settings => "settings",
        }
    }

    /// The letter after `G`.
    pub fn letter(self) -> char {
        match self {
            Self::Now => 'n',
            Self::Incidents => 'i',
            Self::Desk => 'd',
            Self::Services => 's',
            Self::OnCall => 'o',
            Self::Customers => 'c',
            Self::Updates => 'u',
            Self::Pages => 'p',
            Self::Maintenance => 'm',
            Self::Learn => 'l',
            Self::Settings => 'e',
        }
    }
}

/// Which four places a phone shows first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhonePlaces {
    Responder,
    Agent,
}

impl PhonePlaces {
    fn places(self) -> [Place; 4] {
        match self {
            Self::Responder => [Place::Now, Place::Incidents, Place::Desk, Place::Updates],
            Self::Agent => [Place::Now, Place::Desk, Place::Customers, Place::Updates],
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub name: String,
    pub email: String,
    /// The places whose pages they may open, in the order of the rail.
    pub places: Vec<Place>,
    pub phone_places: PhonePlaces,
}

/// The bar at the top, in the reader's own terms. Each part is a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// Open incidents by state, without those that are none.
    pub open: Vec<(State, u64)>,
    pub promise: Option<NextPromise>,
    pub on_call: OnCall,
    /// Customers who are owed an answer.
    pub owed: u64,
    /// Where the reader may see who they are.
    pub owed_at: Option<&'static str>,
    pub health: Health,
    /// Where the reader may look into that.
    pub health_at: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPromise {
    /// Who waits: "Customers".
    pub audience: String,
    pub due: Countdown,
    pub to: String,
}

/// Who is on call for what the reader owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnCall {
    /// "Payments", "Priya Raman".
    Named {
        what: String,
        who: String,
    },
    Nobody,
}

/// Whether Muster itself is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Well,
    /// What is wrong, in a few words: "SMS waits".
    Unwell(String),
}

impl Situation {
    /// A system in which nothing has happened.
    pub fn calm() -> Self {
        Self {
            open: Vec::new(),
            promise: None,
            on_call: OnCall::Nobody,
            owed: 0,
            owed_at: None,
            health: Health::Well,
            health_at: None,
        }
    }
}

/// What every page of the console holds.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What the tab is called, before "Muster".
    pub title: String,
    pub place: Place,
    pub organisation: String,
    pub signed_in: SignedIn,
    pub situation: Situation,
    pub banners: Vec<Banner>,
    pub csrf_token: String,
    /// The server's time, from which the browser counts on.
    pub now: Timestamp,
    /// How many seconds pass in one: 1, except in a replay.
    pub clock_speed: u32,
}

impl Frame {
    /// The reader's face in the corner.
    pub fn face(&self) -> Face {
        Face {
            letters: letters(&self.signed_in.name),
            class: " you",
        }
    }

    pub fn asset(&self, path: &str) -> String {
        super::assets::url(path)
    }

    /// The places of the rail that the reader may open.
    pub fn rail(&self) -> Vec<Place> {
        Place::RAIL
            .into_iter()
            .filter(|place| self.signed_in.places.contains(place))
            .collect()
    }

    /// The four places of a phone: those of one's role, in the stead of one that may not be opened the next of the
    /// rail. The current one takes the third seat when it is none of them.
    pub fn phone_places(&self) -> Vec<Place> {
        let rail = self.rail();
        let first = self.signed_in.phone_places.places();
        let mut places: Vec<Place> = first.into_iter().filter(|place| rail.contains(place)).collect();
        let others = rail.iter().filter(|place| !first.contains(place));
        places.extend(others.take(first.len() - places.len()));
        places.sort_by_key(|place| rail.iter().position(|one| one == place));
        if rail.contains(&self.place)
            && !places.contains(&self.place)
            && let Some(third) = places.get_mut(2)
        {
            *third = self.place;
        }
        places
    }

    pub fn other_places(&self) -> Vec<Place> {
        let first = self.phone_places();
        self.rail()
            .into_iter()
            .chain([Place::Settings])
            .filter(|place| !first.contains(place))
            .collect()
    }

    pub fn is_at(&self, place: Place) -> bool {
        self.place == place
    }

    pub fn machine_now(&self) -> String {
        self.now.to_string()
    }

    pub fn htmx_headers(&self) -> String {
        let proof = super::once::proof_of(&self.csrf_token);
        format!("{{\"x-csrf-token\":\"{proof}\"}}")
    }
}

/// The bar alone, as the live stream sends it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/situation.html")]
pub struct SituationBar<'a> {
    pub situation: &'a Situation,
}

impl Frame {
    pub fn situation_bar(&self) -> SituationBar<'_> {
        SituationBar {
            situation: &self.situation,
        }
    }
}

impl SituationBar<'_> {
    /// A promise that is late comes before everything calmer.
    fn late_promise(&self) -> Option<&NextPromise> {
        self.situation.promise.as_ref().filter(|promise| promise.due.late)
    }

    fn owed_words(&self) -> String {
        thousands(self.situation.owed)
    }
}

drawn!(SituationBar<'_>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_after_g_are_all_different() {
        let mut letters: Vec<_> = Place::RAIL
            .into_iter()
            .chain([Place::Settings])
            .map(Place::letter)
            .collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 11);
    }

    fn frame_at(place: Place, places: &[Place]) -> Frame {
        Frame {
            title: String::new(),
            place,
            organisation: String::new(),
            signed_in: SignedIn {
                name: "Priya Raman".to_owned(),
                email: String::new(),
                places: places.to_vec(),
                phone_places: PhonePlaces::Responder,
            },
            situation: Situation::calm(),
            banners: Vec::new(),
            csrf_token: String::new(),
            now: Timestamp::UNIX_EPOCH,
            clock_speed: 1,
        }
    }

    #[test]
    fn on_a_phone_the_current_place_is_always_one_of_the_four() {
        let frame = frame_at(Place::OnCall, &Place::RAIL);
        assert_eq!(
            frame.phone_places(),
            [Place::Now, Place::Incidents, Place::OnCall, Place::Updates]
        );
        assert!(!frame.other_places().contains(&Place::OnCall));
    }

    #[test]
    fn a_place_that_may_not_be_opened_leaves_its_seat_to_the_next() {
        let seen: Vec<Place> = Place::RAIL
            .into_iter()
            .filter(|place| !matches!(place, Place::Desk | Place::Customers))
            .collect();
        let frame = frame_at(Place::Now, &seen);
        assert_eq!(
            frame.phone_places(),
            [Place::Now, Place::Incidents, Place::Services, Place::Updates]
        );
        assert!(!frame.rail().contains(&Place::Desk));
        assert!(!frame.other_places().contains(&Place::Customers));
        assert!(frame.other_places().contains(&Place::Settings));
    }
}
