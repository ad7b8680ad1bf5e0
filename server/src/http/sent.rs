//! Fields of a partial update: not sent, sent as null, or sent with a value.

use serde::{Deserialize, Deserializer};

/// Use with `#[serde(default)]`, so that a field that was not sent is [`Sent::Nothing`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sent<T> {
    #[default]
    Nothing,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

impl<T> Sent<T> {
    /// The value that counts after the update, given the present one.
    pub fn over(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => present,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Null => None,
        }
    }
}
