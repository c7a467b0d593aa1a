//! What is put into a recipe, read so strictly that none of it can mean anything in any configuration language.

use std::{fmt, net::Ipv6Addr, path::PathBuf, str::FromStr};

use countersign_model::limits::GATEWAY_NAME_BYTES_MAX;
use zeroize::Zeroizing;

/// Longest host name, in bytes (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;
/// Longest credential of a gateway that is taken, in bytes.
const CREDENTIAL_BYTES_MAX: usize = 256;

/// What a recipe is filled in with.
#[derive(Debug)]
pub struct Values {
    /// The gateway's name in Countersign.
    pub gateway: String,
    /// Where clients come.
    pub listen: Endpoint,
    /// Countersign's data plane.
    pub data_plane: Endpoint,
    /// The API behind.
    pub back_end: Endpoint,
    /// Where the files go.
    pub directory: PathBuf,
    /// The gateway's credential.
    pub credential: GatewayCredential,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The credential of a gateway: letters, digits and `_`.
pub struct GatewayCredential(Zeroizing<String>);

impl Endpoint {
    /// Host and port as every configuration language writes them: brackets around IPv6.
    pub fn written(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    /// Reads `host:port` or `[IPv6]:port`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no host with a port, such as 127.0.0.1:9000 or [::1]:9000");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        let is_name = (1..=HOST_BYTES_MAX).contains(&host.len()) && host.bytes().all(plain);
        let fits = inner.map_or(is_name, |inner| inner.parse::<Ipv6Addr>().is_ok());
        if fits { Ok(Self { host: inner.unwrap_or(host).to_owned(), port }) } else { Err(wrong()) }
    }
}

impl GatewayCredential {
    /// Reads the first line of what a file or standard input holds.
    pub fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next().unwrap_or_default();
        let plain = line.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let fits = plain && (1..=CREDENTIAL_BYTES_MAX).contains(&line.len());
        fits.then(|| Self(Zeroizing::new(line.to_owned())))
    }

    /// The credential, for its file and nothing else.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GatewayCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayCredential(…)")
    }
}

/// Reads the name of a gateway.
pub fn gateway_name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=GATEWAY_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no name of a gateway: 1 to {GATEWAY_NAME_BYTES_MAX} of a-z, 0-9 and `-`"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_hosts_with_ports_are_endpoints() {
        for (text, host, port) in [
            ("127.0.0.1:80", "127.0.0.1", 80),
            ("[::1]:8080", "::1", 8080),
            ("back-end.example:65535", "back-end.example", 65535),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
            assert_eq!(endpoint.written(), text);
        }
        for text in [
            "", "80", ":80", "a:", "a:0", "a:65536", "::1:80", "[::1]", "[x]:1", "a b:1", "a;:1", "a:1;x",
            "a{b}:1", "a$x:1", "a@b:1", "a\n:1",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_credential_is_one_plain_word_and_is_not_shown() {
        assert_eq!(GatewayCredential::parse("csgate_x\n").unwrap().expose(), "csgate_x");
        assert!(!format!("{:?}", GatewayCredential::parse("csgate_x")).contains("csgate_x"));
        for text in ["", "\n", "a\"; }", "a b", "a\u{e9}"] {
            assert!(GatewayCredential::parse(text).is_none(), "{text:?}");
        }
    }
}
