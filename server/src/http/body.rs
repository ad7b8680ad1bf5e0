//! Reading a JSON body so that a mistake in it is named by its field, and nothing in it can hurt.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Problem, fields};

/// The largest body of an ordinary request, in bytes. Events, and forms that customers fill in, have limits of their own.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// A JSON body, whatever its content type says. Unknown and read-only fields are ignored; a wrong type
/// is refused with the path of the field.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                Problem::too_large(format!("The body may have at most {LARGEST_BODY} bytes."))
            } else {
                Problem::invalid(["The body could not be read to its end."])
            }
        })?;
        parse(&bytes).map(Self)
    }
}

/// Whether a body is compressed, which nothing here unpacks: a few bytes could stand for more than memory holds.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Parses a JSON text into `T`, naming the field that does not fit.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() {
        // Where every field may be left out, so may the body.
        return fields::read(&Value::Object(serde_json::Map::new()))
            .map_err(|_| Problem::invalid(["The body is empty; a JSON object was expected."]));
    }
    if is_gzip(bytes) {
        return Err(Problem::invalid(["The body is compressed; send it as it is."]));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::invalid(["The body is not UTF-8."]))?;
    if text.contains("\\u0000") {
        return Err(Problem::invalid([
            "The body contains a NUL character, which no field may hold.",
        ]));
    }
    let value = serde_json::from_str(text)
        .map_err(|error| Problem::invalid([format!("The body is not JSON: {error}.")]))?;
    read(&value)
}

/// Reads a JSON value into `T`, naming the field that does not fit.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    fields::read(value).map_err(|fault| Problem::invalid([fault.to_string()]))
}
