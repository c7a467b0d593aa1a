//! Client addresses and the lists of networks a token may be used from. CIDR arithmetic is `ipnet`'s.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::limits::ADDRESSES_MAX;

/// Networks a token may be used from; an empty list allows every address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressList(Vec<IpNet>);

/// Why texts are not an address list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// More networks than fit.
    #[error("{0} networks; the limit is {ADDRESSES_MAX}")]
    TooMany(usize),
    /// One text is no network.
    #[error("`{}` is not an address or a network such as 203.0.113.0/24 or 2001:db8::/32", .0.escape_debug())]
    Malformed(String),
}

impl AddressList {
    /// Reads addresses and networks. Host bits are cleared and repeated networks dropped.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, AddressError> {
        if texts.len() > ADDRESSES_MAX {
            return Err(AddressError::TooMany(texts.len()));
        }
        let mut networks = Vec::with_capacity(texts.len());
        for text in texts {
            let network = parse_network(text.as_ref())?;
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        Ok(Self(networks))
    }

    /// Whether a request from this address is let in; an unknown address only where every address is.
    pub fn allows(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty()
            || address.is_some_and(|address| {
                let address = normalise(address);
                self.0.iter().any(|network| network.contains(&address))
            })
    }

    /// The networks.
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }
}

/// Reads one address or network.
pub fn parse_network(text: &str) -> Result<IpNet, AddressError> {
    let malformed = || AddressError::Malformed(text.chars().take(64).collect());
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| malformed())?),
    };
    // `::ffff:203.0.113.0/120` means IPv4 networks; kept as IPv4 so that it meets normalised addresses.
    let network = match network {
        IpNet::V6(six) if six.prefix_len() >= 96 => match six.network().to_ipv4_mapped() {
            Some(four) => IpNet::new(IpAddr::V4(four), six.prefix_len() - 96).map_err(|_| malformed())?,
            None => network,
        },
        _ => network,
    };
    Ok(network.trunc())
}

/// IPv4 addresses that arrive as IPv6 (`::ffff:203.0.113.5`) are IPv4 addresses.
pub fn normalise(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What failures are counted by: an IPv4 address, or the /64 of an IPv6 address.
pub fn counting_unit(address: IpAddr) -> IpAddr {
    match normalise(address) {
        IpAddr::V6(six) => {
            let front = u128::from(six) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(front))
        }
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_let_in_what_they_name() {
        let list = AddressList::parse(&["203.0.113.9/24", "2001:db8::1", "::ffff:198.51.100.7"]).unwrap();
        for (address, allowed) in [
            ("203.0.113.200", true),
            ("::ffff:203.0.113.200", true),
            ("203.0.114.1", false),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
            ("198.51.100.7", true),
        ] {
            assert_eq!(list.allows(Some(address.parse().unwrap())), allowed, "{address}");
        }
        assert!(!list.allows(None));
        assert!(AddressList::default().allows(None));
        for bad in
            ["", "nonsense", "10.0.0.0/33", "10.0.0.256", "10.0.0.0/8 ", "010.0.0.1", "::1/129", "1.2.3.4/-1"]
        {
            assert!(AddressList::parse(&[bad]).is_err(), "{bad}");
        }
        assert_eq!(AddressList::parse(&vec!["10.0.0.0/8"; 51]), Err(AddressError::TooMany(51)));
    }
}
