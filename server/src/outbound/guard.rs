//! Which addresses may be reached: public ones, and the private networks that the settings allow.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::Url;

const LONGEST_ADDRESS: usize = 2_000;

/// Networks of version 4 that are not the public internet (IANA's registry of special-purpose addresses).
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Within 2000::/3, the only public part of version 6: what is special, or hides an address of version 4.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    // The whole block of protocol assignments, Teredo among them.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// A network such as `10.1.0.0/16`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => within_v4(address, network, self.prefix),
            (IpAddr::V6(network), IpAddr::V6(address)) => within_v6(address, network, self.prefix),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("\"{text}\" is not a network such as 10.1.0.0/16");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse::<u8>().map_err(|_| wrong())?,
            None => longest,
        };
        if prefix > longest {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }
}

/// Reads an address that may be posted to: http or https, with a host, without a name and password.
pub fn parse(address: &str) -> Result<Url, String> {
    if address.len() > LONGEST_ADDRESS {
        return Err(format!(
            "The address is longer than {LONGEST_ADDRESS} characters."
        ));
    }
    let url = Url::parse(address).map_err(|error| format!("The address cannot be read: {error}."))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("The address must begin with https:// or http://.".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("The address must not hold a name or password.".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("The address names no host.".to_owned());
    }
    if url.port() == Some(0) {
        return Err("The address names port 0, which nobody listens on.".to_owned());
    }
    Ok(url)
}

/// Whether a connection may be made to this address.
pub fn may_reach(address: IpAddr, allowed: &[Network]) -> bool {
    is_public(address) || allowed.iter().any(|network| network.contains(address))
}

fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !SPECIAL_V4
            .iter()
            .any(|(network, prefix)| within_v4(address, *network, *prefix)),
        IpAddr::V6(address) => {
            within_v6(address, Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                && !SPECIAL_V6
                    .iter()
                    .any(|(network, prefix)| within_v6(address, *network, *prefix))
        }
    }
}

fn within_v4(address: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    address.to_bits() & mask == network.to_bits() & mask
}

fn within_v6(address: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    address.to_bits() & mask == network.to_bits() & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_public_internet_may_be_reached() {
        for public in [
            "1.1.1.1",
            "93.184.215.14",
            "172.32.0.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            assert!(may_reach(address(public), &[]), "{public}");
        }
        for inside in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!may_reach(address(inside), &[]), "{inside}");
        }
    }

    #[test]
    fn a_private_network_may_be_reached_when_it_is_allowed() {
        let allowed: Vec<Network> = ["10.1.0.0/16", "::1"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        assert!(may_reach(address("10.1.2.3"), &allowed));
        assert!(may_reach(address("::ffff:10.1.2.3"), &allowed));
        assert!(may_reach(address("::1"), &allowed));
        assert!(!may_reach(address("10.2.0.1"), &allowed));
        assert!(!may_reach(address("::2"), &allowed));
    }

    #[test]
    fn networks_that_make_no_sense_are_refused() {
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "fe80::/129",
            "example.org",
            "10.0.0.0/-1",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_spelling_of_this_machine_is_read_as_its_address() {
        for spelling in [
            "http://127.1/",
            "http://0x7f.0.0.1/",
            "http://2130706433/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://[::ffff:7f00:1]/",
            "http://[::1]:80/",
            "http://①②⑦.0.0.1/",
        ] {
            let url = parse(spelling).unwrap();
            let ip = match url.host().unwrap() {
                url::Host::Ipv4(ip) => IpAddr::V4(ip),
                url::Host::Ipv6(ip) => IpAddr::V6(ip),
                url::Host::Domain(name) => panic!("{spelling} stayed the name {name}"),
            };
            assert!(!may_reach(ip, &[]), "{spelling}");
        }
    }

    #[test]
    fn addresses_that_are_no_webhooks_are_refused() {
        for wrong in [
            "",
            "example.org/hook",
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "http://",
            "http://user@example.org/",
            "http://user:pass@example.org/",
            "http://example.org:0/",
            "javascript:alert(1)",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("https://example.org/{}", "a".repeat(2_000))).is_err());
    }
}
