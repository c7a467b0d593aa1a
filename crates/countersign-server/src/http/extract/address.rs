//! From where a request comes. `X-Forwarded-For` is believed only as far as the configured proxies wrote it.

use std::net::IpAddr;

use countersign_model::address::normalise;
use http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Entries of `X-Forwarded-For` that are looked at, from the right.
const HOPS_MAX: usize = 16;

/// The address of the caller: the peer, or, where the peer is a trusted proxy, the right-most address that is not one.
/// An entry that is no address ends the walk: what stands left of it was written by nobody we trust.
pub fn client_address(headers: &HeaderMap, peer: Option<IpAddr>, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = normalise(peer?);
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or("?")).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX);
    while is_trusted(&client) {
        match hops.next().and_then(hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    Some(client)
}

/// One entry: an address, alone or with a port (`203.0.113.5:4711`, `[2001:db8::1]:4711`).
fn hop(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let alone = bare.parse::<IpAddr>().ok();
    let with_port = || entry.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    alone.or_else(with_port).map(normalise)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Expected address where the peer is a trusted proxy; `None`: the peer itself. Lines are separated by `|`.
    const FORWARDED: [(&str, Option<&str>); 20] = [
        ("", None),
        ("203.0.113.5", Some("203.0.113.5")),
        ("198.51.100.1, 203.0.113.5", Some("203.0.113.5")),
        ("203.0.113.5, 10.0.0.7", Some("203.0.113.5")),
        ("198.51.100.1, 203.0.113.5, 10.0.0.7, 10.0.0.8", Some("203.0.113.5")),
        ("198.51.100.1|203.0.113.5", Some("203.0.113.5")),
        ("203.0.113.5|10.0.0.7", Some("203.0.113.5")),
        ("10.0.0.7", Some("10.0.0.7")),
        ("10.0.0.7, 10.0.0.8", Some("10.0.0.7")),
        ("::ffff:203.0.113.5", Some("203.0.113.5")),
        ("203.0.113.5, ::ffff:10.0.0.7", Some("203.0.113.5")),
        ("2001:db8::5", Some("2001:db8::5")),
        ("[2001:db8::5]:4711", Some("2001:db8::5")),
        ("203.0.113.5:4711", Some("203.0.113.5")),
        ("2001:db8::5, 2001:db8:aaaa::2", Some("2001:db8::5")),
        ("unknown", None),
        ("203.0.113.5, unknown", None),
        ("203.0.113.5, unknown, 10.0.0.7", Some("10.0.0.7")),
        ("203.0.113.5,", None),
        ("010.0.0.1", None),
    ];
    const PEERS: [(&str, &str, bool); 6] = [
        ("10.0.0.1", "10.0.0.1", true),
        ("::ffff:10.0.0.1", "10.0.0.1", true),
        ("2001:db8:aaaa::1", "2001:db8:aaaa::1", true),
        ("198.51.100.9", "198.51.100.9", false),
        ("::ffff:198.51.100.9", "198.51.100.9", false),
        ("2001:db8:bbbb::1", "2001:db8:bbbb::1", false),
    ];

    #[test]
    fn a_hundred_and_twenty_peers_and_headers() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8:aaaa::/48".parse().unwrap()];
        for (lines, told) in FORWARDED {
            for (peer, normalised, is_trusted) in PEERS {
                let mut headers = HeaderMap::new();
                for line in lines.split('|').filter(|line| !line.is_empty()) {
                    headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
                }
                let expected = if is_trusted { told.unwrap_or(normalised) } else { normalised };
                let found = client_address(&headers, Some(peer.parse().unwrap()), &trusted);
                assert_eq!(found, Some(expected.parse().unwrap()), "{peer} says {lines:?}");
                assert_eq!(
                    client_address(&headers, Some(peer.parse().unwrap()), &[]),
                    Some(normalised.parse().unwrap())
                );
            }
            assert_eq!(client_address(&HeaderMap::new(), None, &trusted), None);
        }
    }
}
