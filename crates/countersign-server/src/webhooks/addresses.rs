//! Which addresses belong to the public internet. Everything that is special by the registries of IANA for IPv4 and IPv6
//! is not, and an IPv6 address that leads to an IPv4 one is as public as that one. It knows no exceptions: what an
//! operator allows is asked elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

/// What is not the public internet, with a reason each. 168.63.129.16 is public by its number, and is the metadata
/// service of a large cloud.
const NOT_PUBLIC: [Ipv4Net; 18] = [
    network([0, 0, 0, 0], 8),
    network([10, 0, 0, 0], 8),
    network([100, 64, 0, 0], 10),
    network([127, 0, 0, 0], 8),
    network([168, 63, 129, 16], 32),
    network([169, 254, 0, 0], 16),
    network([172, 16, 0, 0], 12),
    network([192, 0, 0, 0], 24),
    network([192, 0, 2, 0], 24),
    network([192, 31, 196, 0], 24),
    network([192, 52, 193, 0], 24),
    network([192, 88, 99, 0], 24),
    network([192, 168, 0, 0], 16),
    network([192, 175, 48, 0], 24),
    network([198, 18, 0, 0], 15),
    network([198, 51, 100, 0], 24),
    network([203, 0, 113, 0], 24),
    // Multicast, reserved and the limited broadcast.
    network([224, 0, 0, 0], 3),
];

const fn network(first: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(first[0], first[1], first[2], first[3]), length)
}

/// The address that is meant: an IPv4 address in its IPv6 form (`::ffff:a.b.c.d`) is that IPv4 address.
pub(super) fn meant(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match meant(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC.iter().any(|network| network.contains(&address))
}

/// Only 2000::/3 is handed out as global unicast; loopback, unique local, link-local, site-local, multicast and the
/// translated forms `::a.b.c.d` and `::ffff:0:a.b.c.d` are outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, ..] = address.segments();
    if let Some(inside) = embedded(address) {
        return is_public_v4(inside);
    }
    let is_global = first & 0xe000 == 0x2000;
    // 2001::/23 holds protocols: Teredo, benchmarking, ORCHID.
    let is_protocol = first == 0x2001 && second & 0xfe00 == 0;
    let is_documentation = (first, second) == (0x2001, 0x0db8) || first == 0x3fff && second & 0xf000 == 0;
    // AS112, which answers for private addresses.
    let is_as112 = (first, second, third) == (0x2620, 0x004f, 0x8000);
    is_global && !is_protocol && !is_documentation && !is_as112
}

/// The IPv4 address that traffic for an IPv6 address ends at: NAT64 (64:ff9b::/96), 6to4 (2002::/16), and ISATAP, whose
/// address stands behind `0:5efe`.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match parts {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [_, _, _, _, 0 | 0x0200, 0x5efe, high, low] => {
            Some(join(high, low))
        }
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2a00:1450:4001:80b::200e",
        "2620:4f:7fff::1",
    ];

    const OTHERS: &[&str] = &[
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.0",
        "192.168.255.255",
        "192.175.48.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::8.8.8.8",
        "::ffff:0.0.0.0",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "::ffff:0:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2002:c0a8:101::1",
        "2002:a9fe:a9fe::1",
        "2606:4700::5efe:a00:1",
        "2606:4700::200:5efe:7f00:1",
        "2620:4f:8000::1",
        "3fff::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ];

    #[test]
    fn what_is_public_and_what_is_not() {
        for text in PUBLIC {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in OTHERS {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    proptest! {
        /// The standard library knows some of the ranges by itself.
        #[test]
        fn what_the_standard_library_knows_is_not_public(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_unspecified() || v4.is_multicast();
            prop_assert!(!(special && is_public(v4.into())), "{}", v4);
            prop_assert_eq!(is_public(v4.into()), is_public(v4.to_ipv6_mapped().into()));
        }

        #[test]
        fn nor_in_version_six(bits: u128) {
            let v6 = Ipv6Addr::from(bits);
            let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast()
                || v6.is_unique_local() || v6.is_unicast_link_local();
            prop_assert!(!(special && is_public(v6.into())), "{}", v6);
        }
    }
}
