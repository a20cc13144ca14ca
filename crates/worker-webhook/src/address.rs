use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Which addresses webhooks may be sent to: public ones, and what a setting allows.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Every address, also private ones.
    pub private: bool,
    /// These networks, public or not.
    pub nets: Vec<IpNet>,
}

impl Reach {
    /// Whether a connection to this address may be made.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6 clothes goes where the IPv4 address goes.
        let address = address.to_canonical();
        self.private || is_public(address) || self.nets.iter().any(|net| net.contains(&address))
    }
}

/// The special-purpose registries of IANA, as far as they say "not globally reachable"; and what clouds have put elsewhere.
const RESERVED_V4: [&str; 17] = [
    "0.0.0.0/8",          // this host, also as a destination
    "10.0.0.0/8",         // private
    "100.64.0.0/10",      // carriers' own, and some clouds' metadata
    "127.0.0.0/8",        // loopback
    "168.63.129.16/32",   // a cloud's host, under a public address
    "169.254.0.0/16",     // link-local, where metadata servers live
    "172.16.0.0/12",      // private
    "192.0.0.0/24",       // protocol assignments
    "192.0.2.0/24",       // documentation
    "192.88.99.0/24",     // relays from IPv6, deprecated
    "192.168.0.0/16",     // private
    "198.18.0.0/15",      // benchmarks
    "198.51.100.0/24",    // documentation
    "203.0.113.0/24",     // documentation
    "224.0.0.0/4",        // multicast
    "240.0.0.0/4",        // reserved
    "255.255.255.255/32", // broadcast
];

/// Within the global unicast range; everything else (loopback, unique local, link-local, multicast) is outside of it.
const RESERVED_V6: [&str; 4] = [
    "2001::/23",     // protocol assignments, among them tunnels to any IPv4 address
    "2001:db8::/32", // documentation
    "2002::/16",     // tunnels to any IPv4 address
    "3fff::/20",     // documentation
];

static V4: LazyLock<Vec<Ipv4Net>> = LazyLock::new(|| nets(&RESERVED_V4));
static V6: LazyLock<Vec<Ipv6Net>> = LazyLock::new(|| nets(&RESERVED_V6));
static GLOBAL_UNICAST: LazyLock<Ipv6Net> = LazyLock::new(|| nets(&["2000::/3"])[0]);
/// How networks without IPv4 reach IPv4: the last four bytes say where.
static NAT64: LazyLock<Ipv6Net> = LazyLock::new(|| nets(&["64:ff9b::/96"])[0]);

/// Whether an address belongs to the internet, not to a machine, a network or a cloud of somebody.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if NAT64.contains(&address) => is_public_v4(last_four_bytes(address)),
        IpAddr::V6(address) => GLOBAL_UNICAST.contains(&address) && !V6.iter().any(|net| net.contains(&address)),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !V4.iter().any(|net| net.contains(&address))
}

fn last_four_bytes(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

fn nets<N: std::str::FromStr>(texts: &[&str]) -> Vec<N>
where
    N::Err: std::fmt::Debug,
{
    texts.iter().map(|text| text.parse().expect("the tables above are networks, which a test sees")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_internet_is_public() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn machines_networks_and_clouds_are_not() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn a_setting_allows_single_networks_or_everything() {
        let net = Reach { private: false, nets: vec!["10.1.0.0/16".parse().unwrap()] };
        assert!(net.allows(address("10.1.2.3")) && net.allows(address("::ffff:10.1.2.3")) && net.allows(address("8.8.8.8")));
        assert!(!net.allows(address("10.2.0.1")));
        assert!(Reach { private: true, nets: vec![] }.allows(address("127.0.0.1")));
    }
}
