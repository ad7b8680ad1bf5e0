//! Values on their way into the database.
//!
//! A value knows its kind even when it is NULL, because PostgreSQL binds a NULL of text and a NULL of bigint
//! differently and a mistake should show on the first run, not when the first value that is not NULL arrives.

use crate::Error;

/// A value bound to `$n`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL of this kind.
    Null(Kind),
    /// BOOLEAN; 0 or 1 on SQLite.
    Bool(bool),
    /// BIGINT. Instants are microseconds since 1970, UTC.
    Integer(i64),
    /// DOUBLE PRECISION. NaN is refused, since SQLite would keep it as NULL.
    Real(f64),
    /// TEXT. A NUL character is refused, since PostgreSQL cannot keep it.
    Text(String),
    /// BYTEA or BLOB.
    Bytes(Vec<u8>),
    /// JSONB; TEXT on SQLite.
    Json(serde_json::Value),
    /// For `= ANY($n)` and `unnest($n)`: an array on PostgreSQL, a JSON array on SQLite.
    TextList(Vec<String>),
    /// For `= ANY($n)` and `unnest($n)`: an array on PostgreSQL, a JSON array on SQLite.
    IntegerList(Vec<i64>),
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// See [`Value::Bool`].
    Bool,
    /// See [`Value::Integer`].
    Integer,
    /// See [`Value::Real`].
    Real,
    /// See [`Value::Text`].
    Text,
    /// See [`Value::Bytes`].
    Bytes,
    /// See [`Value::Json`].
    Json,
    /// See [`Value::TextList`].
    TextList,
    /// See [`Value::IntegerList`].
    IntegerList,
}

/// A type whose values can be bound, and whose kind is known without a value, so that `None` becomes a typed NULL.
pub trait Bound: Into<Value> {
    /// The kind of every value of this type.
    const KIND: Kind;
}

impl Value {
    /// The kind, also of NULL.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Bool(_) => Kind::Bool,
            Self::Integer(_) => Kind::Integer,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Json(_) => Kind::Json,
            Self::TextList(_) => Kind::TextList,
            Self::IntegerList(_) => Kind::IntegerList,
        }
    }

    /// Any serialisable type as JSON.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the type refuses, for example a map whose keys are not text.
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        serde_json::to_value(value)
            .map(Self::Json)
            .map_err(|error| Error::Invalid {
                reason: error.to_string(),
            })
    }

    /// A list for `= ANY($n)`.
    pub fn texts<I: IntoIterator>(texts: I) -> Self
    where
        I::Item: AsRef<str>,
    {
        Self::TextList(texts.into_iter().map(|text| text.as_ref().to_owned()).collect())
    }

    /// A list for `= ANY($n)`.
    pub fn integers<I: IntoIterator<Item = i64>>(integers: I) -> Self {
        Self::IntegerList(integers.into_iter().collect())
    }

    /// Refuses what only one of the engines could keep.
    pub(crate) fn ensure_portable(&self) -> Result<(), Error> {
        let portable = match self {
            Self::Text(text) => !text.contains('\0'),
            Self::TextList(texts) => !texts.iter().any(|text| text.contains('\0')),
            Self::Real(number) => !number.is_nan(),
            Self::Json(json) => !json_has_nul(json),
            Self::Null(_) | Self::Bool(_) | Self::Integer(_) | Self::Bytes(_) | Self::IntegerList(_) => true,
        };
        if portable {
            return Ok(());
        }
        Err(Error::Invalid {
            reason: "text with a NUL character, or a number that is not a number".to_owned(),
        })
    }
}

fn json_has_nul(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(json_has_nul),
        serde_json::Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || json_has_nul(value)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}

macro_rules! bound {
    ($($type:ty => $kind:ident, $value:ident => $made:expr;)+) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
        impl Bound for $type {
            const KIND: Kind = Kind::$kind;
        }
    )+};
}

bound! {
    bool => Bool, value => Self::Bool(value);
    &bool => Bool, value => Self::Bool(*value);
    i64 => Integer, value => Self::Integer(value);
    &i64 => Integer, value => Self::Integer(*value);
    i32 => Integer, value => Self::Integer(value.into());
    &i32 => Integer, value => Self::Integer((*value).into());
    u32 => Integer, value => Self::Integer(value.into());
    &u32 => Integer, value => Self::Integer((*value).into());
    u16 => Integer, value => Self::Integer(value.into());
    u8 => Integer, value => Self::Integer(value.into());
    usize => Integer, value => Self::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    &usize => Integer, value => Self::from(*value);
    f64 => Real, value => Self::Real(value);
    &f64 => Real, value => Self::Real(*value);
    String => Text, value => Self::Text(value);
    &String => Text, value => Self::Text(value.clone());
    &str => Text, value => Self::Text(value.to_owned());
    std::borrow::Cow<'_, str> => Text, value => Self::Text(value.into_owned());
    Vec<u8> => Bytes, value => Self::Bytes(value);
    &Vec<u8> => Bytes, value => Self::Bytes(value.clone());
    &[u8] => Bytes, value => Self::Bytes(value.to_vec());
    serde_json::Value => Json, value => Self::Json(value);
    &serde_json::Value => Json, value => Self::Json(value.clone());
    jiff::Timestamp => Integer, value => Self::Integer(value.as_microsecond());
    &jiff::Timestamp => Integer, value => Self::Integer(value.as_microsecond());
    Vec<String> => TextList, value => Self::TextList(value);
    &[String] => TextList, value => Self::TextList(value.to_vec());
    &[&str] => TextList, value => Self::texts(value);
    Vec<i64> => IntegerList, value => Self::IntegerList(value);
    &[i64] => IntegerList, value => Self::IntegerList(value.to_vec());
}

impl<T: Bound> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null(T::KIND), Into::into)
    }
}

impl<T: Bound + Clone> From<&Option<T>> for Value {
    fn from(value: &Option<T>) -> Self {
        value.clone().into()
    }
}

impl From<&Self> for Value {
    fn from(value: &Self) -> Self {
        value.clone()
    }
}

/// Makes the list of values for `$1`, `$2`, … from anything that is `Into<Value>`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::Value::from($value)),*] as &[$crate::Value]
    };
}

/// Stores a newtype over `String` (an id, a key) as TEXT: `store::text_type!(UserId);` beside its definition.
#[macro_export]
macro_rules! text_type {
    ($($type:ident),+ $(,)?) => {$(
        impl From<$type> for $crate::Value {
            fn from(value: $type) -> Self {
                Self::Text(value.0)
            }
        }
        impl From<&$type> for $crate::Value {
            fn from(value: &$type) -> Self {
                Self::Text(value.0.clone())
            }
        }
        impl $crate::Bound for $type {
            const KIND: $crate::Kind = $crate::Kind::Text;
        }
        impl $crate::Bound for &$type {
            const KIND: $crate::Kind = $crate::Kind::Text;
        }
        impl $crate::FromValue for $type {
            fn from_value(value: $crate::ValueRef<'_>) -> Result<Self, $crate::Mismatch> {
                <String as $crate::FromValue>::from_value(value).map($type)
            }
        }
    )+};
}
