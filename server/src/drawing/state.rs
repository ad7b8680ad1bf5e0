//! The nine states. Each is a colour, a shape and a word, always all three.

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Triggered,
    Acknowledged,
    Slow,
    Recovering,
    Resolved,
    Working,
    Maintenance,
    Drill,
    Unknown,
}

impl State {
    pub const ALL: [Self; 9] = [
        Self::Triggered,
        Self::Acknowledged,
        Self::Slow,
        Self::Recovering,
        Self::Resolved,
        Self::Working,
        Self::Maintenance,
        Self::Drill,
        Self::Unknown,
    ];

    /// The word, when the screen has no better one for what it shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Triggered => "Triggered",
            Self::Acknowledged => "Acknowledged",
            Self::Slow => "Slow",
            Self::Recovering => "Recovering",
            Self::Resolved => "Resolved",
            Self::Working => "Working",
            Self::Maintenance => "Maintenance",
            Self::Drill => "Drill",
            Self::Unknown => "No word",
        }
    }

    /// The name of its colours in the style sheet and of its shape among the icons.
    pub fn class(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Slow => "slow",
            Self::Recovering => "recovering",
            Self::Resolved => "resolved",
            Self::Working => "working",
            Self::Maintenance => "maintenance",
            Self::Drill => "drill",
            Self::Unknown => "unknown",
        }
    }
}
