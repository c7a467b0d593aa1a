//! The client's address in a list that proxies wrote. Each proxy appends what it saw, so only the right end of the list
//! is theirs; everything further left is whatever the client sent, and is not looked at.

use std::net::{IpAddr, SocketAddr};

use countersign_model::address::normalise;

/// The entry so many hops from the right: 1 takes the last. `None` where there are fewer, or where it is no address.
pub(super) fn from_right(list: &[u8], hops: u8) -> Option<IpAddr> {
    let list = std::str::from_utf8(list).ok()?;
    let entry = list.rsplit(',').nth(usize::from(hops).checked_sub(1)?)?;
    one(entry.trim_matches([' ', '\t']))
}

/// An address, alone or with a port (`203.0.113.5:4711`, `[2001:db8::1]:4711`, `[2001:db8::1]`).
fn one(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match (entry.parse::<IpAddr>(), bare) {
        (Ok(address), _) => address,
        (Err(_), Some(bare)) => IpAddr::V6(bare.parse().ok()?),
        (Err(_), None) => entry.parse::<SocketAddr>().ok()?.ip(),
    };
    Some(normalise(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an honest or lying client may put in front, the hops, and what is read then.
    #[test]
    fn only_the_right_end_of_the_list_counts() {
        let written = [
            ("203.0.113.5", Some("203.0.113.5")),
            ("203.0.113.5:4711", Some("203.0.113.5")),
            ("2001:db8::5", Some("2001:db8::5")),
            ("[2001:db8::5]", Some("2001:db8::5")),
            ("[2001:db8::5]:443", Some("2001:db8::5")),
            ("::ffff:203.0.113.5", Some("203.0.113.5")),
            ("  203.0.113.5\t", Some("203.0.113.5")),
            ("203.0.113.05", None),
            ("203.0.113", None),
            ("203.0.113.5:", None),
            ("203.0.113.5:99999", None),
            ("[203.0.113.5]", None),
            ("2001:db8::5%eth0", None),
            ("unix:", None),
            ("unknown", None),
            ("_hidden", None),
            ("localhost", None),
            ("203.0.113.5;x", None),
            ("", None),
            ("\u{a0}203.0.113.5", None),
        ];
        let claimed = ["", "198.51.100.9,", "198.51.100.9, 10.0.0.1,", "nonsense, ,,", "127.0.0.1, ::1,"];
        let mut cases = 0;
        for (entry, address) in written {
            let expected = address.map(|address| address.parse::<IpAddr>().unwrap());
            for front in claimed {
                let list = format!("{front}{entry}");
                assert_eq!(from_right(list.as_bytes(), 1), expected, "{list:?}");
                // Behind a second proxy of ours the same entry is one further left.
                let list = format!("{list}, 192.0.2.1");
                assert_eq!(from_right(list.as_bytes(), 2), expected, "{list:?}");
                cases += 2;
            }
        }
        assert!(cases >= 120, "{cases}");
    }

    #[test]
    fn a_list_shorter_than_the_hops_names_nobody() {
        assert_eq!(from_right(b"203.0.113.5", 2), None);
        assert_eq!(from_right(b"203.0.113.5", 0), None);
        assert_eq!(from_right(b"203.0.113.5, 10.0.0.1", 3), None);
        assert_eq!(from_right(b"\xff", 1), None);
    }
}
