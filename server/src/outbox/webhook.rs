//! Webhooks: a signed POST of JSON to an address that somebody configured.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::model::Claimed;
use super::rules::Delivery;
use crate::outbound::{Client, Failure};

/// The body of a webhook. Repeated attempts carry the same `id`, by which a receiver tells them apart.
fn body(send: &Claimed) -> Vec<u8> {
    let value = json!({
        "send": {
            "id": send.id,
            "purpose": send.purpose,
            "created_at": send.created_at,
            "recipient": {"id": send.user_id, "name": send.recipient_name},
            "incident_id": send.incident_id,
            "subject": send.subject,
            "text": send.full_body(),
            "link": send.secret_link,
        }
    });
    value.to_string().into_bytes()
}

/// `v1=` and HMAC-SHA256 of the body in hexadecimal, as the field's webhooks (version 3) are signed.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    let mut text = String::from("v1=");
    for byte in mac.finalize().into_bytes() {
        write!(text, "{byte:02x}").ok();
    }
    text
}

/// One signature for each secret, parted by commas: whoever knows any of them finds theirs.
fn signatures(secrets: &[&str], body: &[u8]) -> String {
    let each: Vec<String> = secrets.iter().map(|secret| signature(secret, body)).collect();
    each.join(",")
}

pub(super) async fn deliver(client: &Client, secrets: &[&str], send: &Claimed) -> Delivery {
    let body = body(send);
    let signature = signatures(secrets, &body);
    let headers = [
        ("content-type", "application/json"),
        ("x-muster-signature", signature.as_str()),
        ("x-pagerduty-signature", signature.as_str()),
        ("x-webhook-id", send.id.as_str()),
    ];
    match client.post(&send.address, &headers, body).await {
        Ok(answer) => judge(answer.status, &answer.beginning),
        Err(Failure::Forbidden(reason)) => Delivery::Refused { reason },
        Err(Failure::Unreachable(reason)) => Delivery::PutOff { reason },
    }
}

fn judge(status: u16, beginning: &str) -> Delivery {
    let said = format!("{status} {beginning}");
    match status {
        200..=299 => Delivery::Accepted { receipt: said },
        408 | 425 | 429 => Delivery::PutOff { reason: said },
        300..=399 => Delivery::Refused {
            reason: format!("{status}; webhooks do not follow redirects, so give the final address."),
        },
        400..=499 => Delivery::Refused { reason: said },
        _ => Delivery::PutOff { reason: said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231.
    #[test]
    fn signatures_are_those_of_the_standard() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn while_two_secrets_are_valid_both_sign() {
        let both = signatures(&["new", "old"], b"body");
        let each = [signature("new", b"body"), signature("old", b"body")];
        assert_eq!(both, each.join(","));
    }

    #[test]
    fn what_a_receiver_says_decides() {
        assert!(matches!(judge(204, ""), Delivery::Accepted { .. }));
        for again in [408, 429, 500, 503] {
            assert!(matches!(judge(again, ""), Delivery::PutOff { .. }), "{again}");
        }
        for never in [301, 307, 400, 401, 404, 410] {
            assert!(matches!(judge(never, ""), Delivery::Refused { .. }), "{never}");
        }
    }
}
