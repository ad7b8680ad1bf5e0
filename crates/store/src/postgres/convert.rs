//! Values to and from PostgreSQL's binary format.
//!
//! The server says which type it expects for each parameter; a value of another kind is refused, NULL included, so
//! that a mistake shows at once.

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::row::{Mismatch, ValueRef};
use crate::{Error, Kind, Value};

/// Why a value could not be bound; carried through the driver's own error.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct BindError(pub(crate) Error);

type BoxedError = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, expected: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        self.ensure_portable().map_err(BindError)?;
        if !fits(self.kind(), expected) {
            let reason = format!(
                "{:?} is bound where the statement expects {expected}",
                self.kind()
            );
            return Err(BindError(Error::Other { reason }).into());
        }
        match self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::Bool(value) => value.to_sql(expected, out),
            Self::Integer(value) => integer(*value, expected, out),
            Self::Real(value) if *expected == Type::FLOAT4 => (*value as f32).to_sql(expected, out),
            Self::Real(value) => value.to_sql(expected, out),
            Self::Text(value) => value.to_sql(expected, out),
            Self::Bytes(value) => value.to_sql(expected, out),
            Self::Json(value) => value.to_sql(expected, out),
            Self::TextList(values) => values.to_sql(expected, out),
            Self::IntegerList(values) => values.to_sql(expected, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn fits(kind: Kind, expected: &Type) -> bool {
    match kind {
        Kind::Bool => *expected == Type::BOOL,
        Kind::Integer => [Type::INT8, Type::INT4, Type::INT2, Type::FLOAT8, Type::OID].contains(expected),
        Kind::Real => [Type::FLOAT8, Type::FLOAT4].contains(expected),
        Kind::Text => [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN].contains(expected),
        Kind::Bytes => *expected == Type::BYTEA,
        Kind::Json => [Type::JSONB, Type::JSON].contains(expected),
        Kind::TextList => [Type::TEXT_ARRAY, Type::VARCHAR_ARRAY].contains(expected),
        Kind::IntegerList => *expected == Type::INT8_ARRAY,
    }
}

fn integer(value: i64, expected: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
    let out_of_range = || {
        BindError(Error::Invalid {
            reason: "a number is out of range".to_owned(),
        })
    };
    match *expected {
        Type::INT8 => out.put_i64(value),
        Type::INT4 => out.put_i32(value.try_into().map_err(|_| out_of_range())?),
        Type::INT2 => out.put_i16(value.try_into().map_err(|_| out_of_range())?),
        Type::OID => out.put_u32(value.try_into().map_err(|_| out_of_range())?),
        _ => out.put_f64(value as f64),
    }
    Ok(IsNull::No)
}

/// Reads one column.
pub(crate) fn value_at(row: &tokio_postgres::Row, position: usize) -> Result<ValueRef<'_>, Mismatch> {
    let Some(column) = row.columns().get(position) else {
        return Err(Mismatch::new("the statement yields no such column"));
    };
    row.try_get::<_, ValueRef<'_>>(position).map_err(|_| {
        Mismatch::new(format!(
            "values of type {} are not read; cast it, for example to BIGINT",
            column.type_()
        ))
    })
}

impl<'a> FromSql<'a> for ValueRef<'a> {
    fn from_sql(stored: &Type, bytes: &'a [u8]) -> Result<Self, BoxedError> {
        Ok(match *stored {
            Type::BOOL => Self::Bool(bool::from_sql(stored, bytes)?),
            Type::INT8 => Self::Integer(i64::from_sql(stored, bytes)?),
            Type::INT4 => Self::Integer(i32::from_sql(stored, bytes)?.into()),
            Type::INT2 => Self::Integer(i16::from_sql(stored, bytes)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(stored, bytes)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(stored, bytes)?.into()),
            Type::BYTEA => Self::Bytes(bytes),
            // One byte of version goes before the text.
            Type::JSONB => Self::Text(std::str::from_utf8(bytes.get(1..).unwrap_or_default())?),
            _ => Self::Text(std::str::from_utf8(bytes)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxedError> {
        Ok(Self::Null)
    }

    fn accepts(stored: &Type) -> bool {
        [
            Type::BOOL,
            Type::INT8,
            Type::INT4,
            Type::INT2,
            Type::FLOAT8,
            Type::FLOAT4,
            Type::BYTEA,
            Type::JSONB,
            Type::JSON,
            Type::TEXT,
            Type::VARCHAR,
            Type::BPCHAR,
            Type::NAME,
            Type::UNKNOWN,
        ]
        .contains(stored)
    }
}
