//! How instants look in answers: whole seconds, in UTC, or in the zone that the query's `time_zone` names.
//!
//! Muster counts in microseconds, and so would an answer: with zero to six digits behind the point, which the strict readers
//! of dates in many scripts refuse. The dialect has whole seconds, so they are cut here, for all answers in one place. What a
//! sender's own object holds (`details` and the like) stays to the letter.

use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Faults, Problem};

#[derive(Debug, Default, Deserialize)]
struct Asked {
    time_zone: Option<String>,
}

fn zone_of(uri: &Uri) -> Result<Option<TimeZone>, Problem> {
    let asked = Query::<Asked>::try_from_uri(uri)
        .map(|Query(asked)| asked)
        .unwrap_or_default();
    let Some(name) = asked.time_zone.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let mut faults = Faults::new();
    faults.time_zone("time_zone", &name);
    faults.done()?;
    Ok(TimeZone::get(&name).ok())
}

/// The middleware round the endpoints of the API.
pub async fn show(request: Request, next: Next) -> Response {
    let zone = match zone_of(request.uri()) {
        Ok(zone) => zone,
        Err(problem) => return problem.into_response(),
    };
    let answer = next.run(request).await;
    let is_json = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    // What is accepted for later holds no instant, and senders wait for it.
    if !is_json || answer.status() == StatusCode::ACCEPTED {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => match shown(&bytes, zone.as_ref()) {
            Some(text) => {
                parts.headers.remove(header::CONTENT_LENGTH);
                Response::from_parts(parts, Body::from(text))
            }
            None => Response::from_parts(parts, Body::from(bytes)),
        },
        Err(error) => Problem::internal(error).into_response(),
    }
}

/// Fields whose objects are a sender's own.
fn is_somebody_elses(field: &[u8]) -> bool {
    [
        b"details".as_slice(),
        b"custom_details",
        b"cef_details",
        b"contexts",
        b"config",
    ]
    .contains(&field)
}

/// Audit records keep their milliseconds, and names are names whatever they look like.
fn tells_an_instant(field: &[u8]) -> bool {
    const NAMES: [&[u8]; 8] = [
        b"at",
        b"start",
        b"end",
        b"timestamp",
        b"since",
        b"until",
        b"latest",
        b"earliest",
    ];
    const ENDINGS: [&[u8]; 7] = [
        b"_at",
        b"_start",
        b"_end",
        b"_time",
        b"_timestamp",
        b"_since",
        b"_until",
    ];
    field != b"execution_time"
        && (NAMES.contains(&field) || ENDINGS.iter().any(|ending| field.ends_with(ending)))
}

/// The compact JSON text with its instants as they are shown; None when nothing is to be changed.
fn shown(json: &[u8], zone: Option<&TimeZone>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let (mut copied, mut at, mut depth) = (0, 0, 0_usize);
    let mut field: &[u8] = b"";
    // How deep the object stands that is passed over.
    let mut passed_over: Option<usize> = None;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(json, at + 1);
                let word = json.get(at + 1..end).unwrap_or_default();
                if json.get(end + 1) == Some(&b':') {
                    field = word;
                    if passed_over.is_none() && is_somebody_elses(field) {
                        passed_over = Some(depth);
                    }
                    at = end + 2;
                    if passed_over == Some(depth) && !matches!(json.get(at), Some(b'{' | b'[')) {
                        passed_over = None;
                    }
                    continue;
                }
                if passed_over.is_none()
                    && tells_an_instant(field)
                    && let Some(instant) = in_whole_seconds(word, zone)
                {
                    text.extend_from_slice(json.get(copied..=at).unwrap_or_default());
                    text.extend_from_slice(instant.as_bytes());
                    copied = end;
                }
                at = end;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if passed_over == Some(depth) {
                    passed_over = None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return None;
    }
    text.extend_from_slice(json.get(copied..).unwrap_or_default());
    Some(text)
}

/// Where the text that begins at `from` is closed.
fn end_of_text(json: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        match json.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at,
            Some(_) => at += 1,
        }
    }
}

/// An instant in UTC, such as `2026-11-17T06:12:00.25Z`; None for anything else, and for what stays as it is.
fn in_whole_seconds(word: &[u8], zone: Option<&TimeZone>) -> Option<String> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let (seconds, rest) = word.split_at_checked(SHAPE.len())?;
    let has_shape = seconds.iter().zip(SHAPE).all(|(one, shape)| match shape {
        b'0' => one.is_ascii_digit(),
        _ => one == shape,
    });
    let fraction = rest.strip_suffix(b"Z")?;
    let is_fraction = fraction.is_empty()
        || fraction
            .strip_prefix(b".")
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_digit));
    if !has_shape || !is_fraction {
        return None;
    }
    let instant = format!("{}Z", str::from_utf8(seconds).ok()?);
    match zone {
        None => (!fraction.is_empty()).then_some(instant),
        Some(zone) => {
            let instant: Timestamp = instant.parse().ok()?;
            let local = instant.to_zoned(zone.clone());
            Some(local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(json: &str, zone: Option<&str>) -> Option<String> {
        let zone = zone.map(|name| TimeZone::get(name).unwrap());
        shown(json.as_bytes(), zone.as_ref()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn instants_are_cut_to_whole_seconds_wherever_they_stand() {
        let json = r#"{"a":[{"created_at":"2026-11-17T06:12:00.03099Z","end":null},{"at":"2026-11-17T06:12:59.9Z"}],"n":1}"#;
        let cut =
            r#"{"a":[{"created_at":"2026-11-17T06:12:00Z","end":null},{"at":"2026-11-17T06:12:59Z"}],"n":1}"#;
        assert_eq!(after(json, None).as_deref(), Some(cut));
        assert_eq!(after(cut, None), None);
    }

    #[test]
    fn a_zone_gives_them_its_offset() {
        let json = r#"{"since":"2026-11-17T06:12:00Z","until":"2026-07-17T06:12:00.5Z"}"#;
        assert_eq!(
            after(json, Some("Europe/Berlin")).as_deref(),
            Some(r#"{"since":"2026-11-17T07:12:00+01:00","until":"2026-07-17T08:12:00+02:00"}"#)
        );
    }

    #[test]
    fn what_senders_and_people_wrote_stays_to_the_letter() {
        let json = r#"{"title":"2026-11-17T06:12:00.5Z","body":{"details":{"started_at":"2026-11-17T06:12:00.5Z","more":[{"at":"2026-11-17T06:12:00.5Z"}]}},"note":"a \"quoted\\","details":"x","execution_time":"2026-11-17T06:12:00.123Z","at":"soon"}"#;
        assert_eq!(after(json, None), None);
        let json =
            r#"{"details":"x","details":{"at":"2026-11-17T06:12:00.5Z"},"at":"2026-11-17T06:12:00.5Z"}"#;
        assert_eq!(
            after(json, None).as_deref(),
            Some(r#"{"details":"x","details":{"at":"2026-11-17T06:12:00.5Z"},"at":"2026-11-17T06:12:00Z"}"#)
        );
    }
}
