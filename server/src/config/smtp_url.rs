//! The address of a mail server: `smtp://` or `smtps://`, with how it is to be protected.

use url::{Host, Url};

/// Says what is wrong with an address of a mail server, if anything.
pub fn check(smtp_url: &str) -> Result<(), String> {
    let url = Url::parse(smtp_url)
        .map_err(|error| format!("smtp_url is not an address such as smtp://host:25: {error}."))?;
    let tls = tls_of(&url);
    match (url.scheme(), tls.as_deref()) {
        ("smtps", None) | ("smtp", None | Some("none" | "opportunistic" | "required")) => {}
        ("smtp" | "smtps", Some(other)) => {
            return Err(format!(
                "smtp_url has tls={other}; smtp:// knows none, opportunistic and required, smtps:// needs nothing."
            ));
        }
        _ => return Err("smtp_url must begin with smtp:// or smtps://.".to_owned()),
    }
    let local = match url.host() {
        None => return Err("smtp_url names no host.".to_owned()),
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    let checked = url.scheme() == "smtps" || tls.as_deref() == Some("required");
    if url.password().is_some() && !checked && !local {
        return Err(
            "smtp_url has a password, which would travel unprotected; use smtps:// or add ?tls=required."
                .to_owned(),
        );
    }
    Ok(())
}

/// How the connection is to be protected, where the address says so.
pub fn tls_of(url: &Url) -> Option<String> {
    url.query_pairs()
        .find(|(name, _)| name == "tls")
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_only_travels_protected() {
        for fine in [
            "smtp://mail.example.org:25",
            "smtp://127.0.0.1:2525",
            "smtp://u:p@localhost:25",
            "smtp://u:p@mail.example.org?tls=required",
            "smtps://u:p@mail.example.org",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for wrong in [
            "smtp://u:p@mail.example.org",
            "smtp://u:p@mail.example.org?tls=none",
            "smtp://mail.example.org?tls=perhaps",
            "http://mail.example.org",
            "mail.example.org",
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
