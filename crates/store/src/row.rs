//! Values on their way out of the database, and rows that become types.

use std::borrow::Cow;

use crate::Error;

/// A value as an engine hands it over. JSON arrives as its text on both engines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// NULL.
    Null,
    /// A boolean; SQLite has integers 0 and 1 instead.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text, or JSON as text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A stored value does not fit the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was expected and what was found, without the value.
    pub reason: Cow<'static, str>,
}

impl Mismatch {
    /// A mismatch with this explanation.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: reason.into(),
        }
    }

    fn found(expected: &'static str, value: ValueRef<'_>) -> Self {
        let found = match value {
            ValueRef::Null => "NULL",
            ValueRef::Bool(_) => "a boolean",
            ValueRef::Integer(_) => "an integer",
            ValueRef::Real(_) => "a floating-point number",
            ValueRef::Text(_) => "text",
            ValueRef::Bytes(_) => "bytes",
        };
        Self::new(format!("expected {expected} and found {found}"))
    }
}

/// A type that one column can be read into.
pub trait FromValue: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// [`Mismatch`] when the value is of another kind or out of range.
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch>;
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Bool(value) => Ok(value),
            ValueRef::Integer(0) => Ok(false),
            ValueRef::Integer(1) => Ok(true),
            value => Err(Mismatch::found("a boolean", value)),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Integer(value) => Ok(value),
            value => Err(Mismatch::found("an integer", value)),
        }
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl FromValue for $type {
            fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
                Self::try_from(i64::from_value(value)?)
                    .map_err(|_| Mismatch::new(concat!("the number does not fit ", stringify!($type))))
            }
        }
    )+};
}
whole_numbers!(i32, u32, u16, u8, usize, u64);

impl FromValue for f64 {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Real(value) => Ok(value),
            ValueRef::Integer(value) => Ok(value as Self),
            value => Err(Mismatch::found("a number", value)),
        }
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Text(value) => Ok(value.to_owned()),
            value => Err(Mismatch::found("text", value)),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        match value {
            ValueRef::Bytes(value) => Ok(value.to_vec()),
            value => Err(Mismatch::found("bytes", value)),
        }
    }
}

impl FromValue for serde_json::Value {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        json(value)
    }
}

impl FromValue for jiff::Timestamp {
    fn from_value(value: ValueRef<'_>) -> Result<Self, Mismatch> {
        Self::from_microsecond(i64::from_value(value)?)
            .map_err(|_| Mismatch::new("the instant is outside of the years -9999 to 9999"))
    }
}

/// Reads any type that serde knows from JSON.
fn json<T: serde::de::DeserializeOwned>(value: ValueRef<'_>) -> Result<T, Mismatch> {
    match value {
        ValueRef::Text(text) => {
            serde_json::from_str(text).map_err(|error| Mismatch::new(format!("unreadable JSON: {error}")))
        }
        value => Err(Mismatch::found("JSON", value)),
    }
}

/// One row of an answer, borrowed from the engine.
pub struct Row<'a> {
    pub(crate) source: Source<'a>,
}

pub(crate) enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The column at this position, counted from 0.
    ///
    /// # Errors
    /// [`Error::Decode`] when there is no such column or its value does not fit.
    pub fn at<T: FromValue>(&self, position: usize) -> Result<T, Error> {
        self.value(position)
            .and_then(T::from_value)
            .map_err(|mismatch| self.decode_error(position, &mismatch))
    }

    /// The column of this name. `expected` is the position where it probably is, which saves the search.
    ///
    /// # Errors
    /// [`Error::Decode`] when there is no such column or its value does not fit.
    pub fn get<T: FromValue>(&self, expected: usize, name: &str) -> Result<T, Error> {
        self.at(self.position(expected, name)?)
    }

    /// The column of this name, read as JSON into any type that serde knows. NULL is read like the JSON `null`.
    ///
    /// # Errors
    /// [`Error::Decode`] when there is no such column or its value does not fit.
    pub fn json<T: serde::de::DeserializeOwned>(&self, expected: usize, name: &str) -> Result<T, Error> {
        let position = self.position(expected, name)?;
        self.value(position)
            .and_then(|value| {
                json(if value == ValueRef::Null {
                    ValueRef::Text("null")
                } else {
                    value
                })
            })
            .map_err(|mismatch| self.decode_error(position, &mismatch))
    }

    /// How many columns the row has.
    pub fn width(&self) -> usize {
        match self.source {
            Source::Sqlite(row) => row.as_ref().column_count(),
            Source::Postgres(row) => row.len(),
        }
    }

    fn name(&self, position: usize) -> Option<&str> {
        match self.source {
            Source::Sqlite(row) => row.as_ref().column_name(position).ok(),
            Source::Postgres(row) => row.columns().get(position).map(tokio_postgres::Column::name),
        }
    }

    fn position(&self, expected: usize, name: &str) -> Result<usize, Error> {
        if self.name(expected) == Some(name) {
            return Ok(expected);
        }
        (0..self.width())
            .find(|position| self.name(*position) == Some(name))
            .ok_or_else(|| Error::Decode {
                column: name.to_owned(),
                reason: "the statement yields no such column".to_owned(),
            })
    }

    fn value(&self, position: usize) -> Result<ValueRef<'_>, Mismatch> {
        match self.source {
            Source::Sqlite(row) => crate::sqlite::value_at(row, position),
            Source::Postgres(row) => crate::postgres::value_at(row, position),
        }
    }

    fn decode_error(&self, position: usize, mismatch: &Mismatch) -> Error {
        Error::Decode {
            column: self
                .name(position)
                .map_or_else(|| position.to_string(), str::to_owned),
            reason: mismatch.reason.clone().into_owned(),
        }
    }
}

/// A type that a whole row can be read into; derive it with [`macro@crate::FromRow`].
pub trait FromRow: Sized {
    /// Reads the row.
    ///
    /// # Errors
    /// [`Error::Decode`] for the first column that does not fit.
    fn from_row(row: &Row<'_>) -> Result<Self, Error>;
}

/// A row of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single<T>(pub T);

impl<T: FromValue> FromRow for Single<T> {
    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        row.at(0).map(Self)
    }
}

macro_rules! tuples {
    ($($($type:ident $position:literal),+;)+) => {$(
        impl<$($type: FromValue),+> FromRow for ($($type,)+) {
            fn from_row(row: &Row<'_>) -> Result<Self, Error> {
                Ok(($(row.at::<$type>($position)?,)+))
            }
        }
    )+};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}
