//! Where webhooks may lead. A URL is read as what it will be used as, its name is looked up by us, and a connection is
//! made to the very addresses that were checked: there is no second look-up in which a name could lead elsewhere. A name
//! of which one answer is protected is refused with all of them. It follows nothing and sends nothing.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use url::{Host, Url};

use super::addresses::{is_public, meant};
use crate::limits::{WEBHOOK_ADDRESSES_MAX, WEBHOOK_SECS, WEBHOOK_URL_BYTES_MAX};

/// What the operator of this installation allows.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether `http` may be used, so that what is sent can be read on the way.
    pub plain_http: bool,
    /// The ports that may be connected to.
    pub ports: Vec<u16>,
    /// Networks that may be connected to although they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Our own listeners: never connected to, whatever is allowed.
    pub own: Vec<SocketAddr>,
    /// How names are looked up.
    pub names: Names,
}

/// How names are looked up.
#[derive(Clone)]
pub enum Names {
    /// As the machine does.
    System,
    /// By a function, for tests that need names to lead somewhere.
    Told(Arc<Answers>),
}

/// What a name is answered.
pub type Answers = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Why a webhook may not lead there. For a person; a name is never told what it leads to, so that nobody learns the
/// names of a network they are not in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not a URL, or not written as one that everybody reads the same way.
    #[error("it is not a URL such as https://hooks.example.com/countersign")]
    Unreadable,
    /// Too long.
    #[error("it is longer than {WEBHOOK_URL_BYTES_MAX} bytes")]
    TooLong,
    /// Another scheme.
    #[error("it must begin with https://")]
    Scheme,
    /// It carries a user name or a password.
    #[error("it must not carry a user name or a password; requests prove themselves by their signature")]
    User,
    /// It has a part behind `#`.
    #[error("it must not have a part behind `#`, which is never sent")]
    Fragment,
    /// Another port.
    #[error("port {port} is not allowed; use one of {allowed}")]
    Port {
        /// The port it names.
        port: u16,
        /// Those that may be used.
        allowed: String,
    },
    /// The address is not one of the public internet.
    #[error(
        "its address is not one of the public internet; the operator can allow a network in the configuration"
    )]
    Protected,
    /// The name has no address, or one that is not of the public internet.
    #[error(
        "its name leads to no address of the public internet; check the name, or ask the operator to allow the network"
    )]
    Name {
        /// Whether it had no address just now, which may change.
        transient: bool,
    },
}

/// Says where webhooks may lead.
#[derive(Debug, Clone)]
pub struct Guard {
    policy: Arc<Policy>,
}

impl Default for Policy {
    /// Only the public internet, only https, on 443 and 8443.
    fn default() -> Self {
        Self {
            plain_http: false,
            ports: vec![443, 8443],
            allow_networks: Vec::new(),
            own: Vec::new(),
            names: Names::System,
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Told(_) => "Told",
        })
    }
}

impl Guard {
    /// A guard of this policy.
    pub fn new(policy: Policy) -> Self {
        Self { policy: Arc::new(policy) }
    }

    /// Reads a URL; one that names an address is refused where that may not be connected to.
    pub fn read(&self, text: &str) -> Result<Url, Refusal> {
        if text.len() > WEBHOOK_URL_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        // The reader of URLs repairs these silently; what others read in another way is not accepted.
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == '\\') {
            return Err(Refusal::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| Refusal::Unreadable)?;
        match url.scheme() {
            "https" => {}
            "http" if self.policy.plain_http => {}
            _ => return Err(Refusal::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return Err(Refusal::User);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        let port = url.port_or_known_default().ok_or(Refusal::Unreadable)?;
        if !self.policy.ports.contains(&port) {
            let allowed: Vec<String> = self.policy.ports.iter().map(u16::to_string).collect();
            return Err(Refusal::Port { port, allowed: allowed.join(", ") });
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.admit(address.into(), port)?,
            Some(Host::Ipv6(address)) => self.admit(address.into(), port)?,
            Some(Host::Domain(name)) if !name.is_empty() => {}
            _ => return Err(Refusal::Unreadable),
        }
        Ok(url)
    }

    /// Reads a URL and looks its name up, to tell whoever enters it what is wrong with it.
    pub async fn check(&self, text: &str) -> Result<Url, Refusal> {
        let url = self.read(text)?;
        if let (Some(Host::Domain(name)), Some(port)) = (url.host(), url.port_or_known_default()) {
            self.resolve(name, port).await?;
        }
        Ok(url)
    }

    /// The addresses a name leads to just now, all of which may be connected to.
    pub async fn resolve(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        let transient = |_| Refusal::Name { transient: true };
        let found = match &self.policy.names {
            Names::System => {
                let looked_up = tokio::net::lookup_host((name, port));
                let limit = Duration::from_secs(WEBHOOK_SECS);
                let found =
                    tokio::time::timeout(limit, looked_up).await.map_err(|_| io::ErrorKind::TimedOut.into());
                found.and_then(|found| found).map_err(transient)?.map(|found| found.ip()).collect()
            }
            Names::Told(answer) => answer(name).map_err(transient)?,
        };
        let found: Vec<IpAddr> = found;
        if found.is_empty() {
            return Err(Refusal::Name { transient: true });
        }
        let all_may = found.len() <= WEBHOOK_ADDRESSES_MAX
            && found.iter().all(|address| self.admit(*address, port).is_ok());
        if !all_may {
            return Err(Refusal::Name { transient: false });
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// Whether this address may be connected to at this port.
    fn admit(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        let address = meant(address);
        let is_listener = |own: &SocketAddr| {
            let here = own.ip().is_unspecified() && is_of_this_machine(address);
            own.port() == port && (meant(own.ip()) == address || here)
        };
        if self.policy.own.iter().any(is_listener) {
            return Err(Refusal::Protected);
        }
        if self.policy.allow_networks.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        if is_public(address) && !is_of_this_machine(address) { Ok(()) } else { Err(Refusal::Protected) }
    }
}

/// What stands between `//` and the path, as it was written: a lone `@` disappears when it is read.
fn authority(text: &str) -> &str {
    let rest = text.split_once("//").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Whether packets for an address would come back to this machine: the system would send them from that same address.
/// Connecting a datagram socket sends nothing.
fn is_of_this_machine(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let sent_from = || {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((address, 9))?;
        socket.local_addr()
    };
    address.is_loopback() || address.is_unspecified() || sent_from().is_ok_and(|from| from.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_it_will_be_used() {
        let guard = Guard::new(Policy::default());
        for (text, read) in [
            ("https://hooks.example.com", "https://hooks.example.com/"),
            ("https://Hooks.Example.com:443/a?b=c", "https://hooks.example.com/a?b=c"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://8.8.8.8:8443/x", "https://8.8.8.8:8443/x"),
        ] {
            assert_eq!(guard.read(text).unwrap().as_str(), read);
        }
        let port = |port| Refusal::Port { port, allowed: "443, 8443".to_owned() };
        let long = format!("https://hooks.example.com/{}", "a".repeat(WEBHOOK_URL_BYTES_MAX));
        for (text, refusal) in [
            ("", Refusal::Unreadable),
            ("hooks.example.com", Refusal::Unreadable),
            ("https://", Refusal::Unreadable),
            ("https://hooks.example.com/\n", Refusal::Unreadable),
            ("https:\\\\hooks.example.com", Refusal::Unreadable),
            ("http://hooks.example.com", Refusal::Scheme),
            ("ftp://hooks.example.com", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("https://user@hooks.example.com", Refusal::User),
            ("https://@hooks.example.com", Refusal::User),
            ("https://:@hooks.example.com", Refusal::User),
            ("https://hooks.example.com/#x", Refusal::Fragment),
            ("https://hooks.example.com:22", port(22)),
            ("https://hooks.example.com:0", port(0)),
            ("https://127.0.0.1", Refusal::Protected),
            ("https://0x7f.1", Refusal::Protected),
            ("https://[::1]", Refusal::Protected),
            (long.as_str(), Refusal::TooLong),
        ] {
            assert_eq!(guard.read(text), Err(refusal), "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_and_our_own_listeners_never_are() {
        let networks = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let own = vec!["127.0.0.1:8443".parse().unwrap(), "0.0.0.0:443".parse().unwrap()];
        let guard = Guard::new(Policy { allow_networks: networks, own, ..Policy::default() });
        for (text, may) in [
            ("https://10.1.2.3", true),
            ("https://[::ffff:10.1.2.3]", true),
            ("https://127.0.0.2:8443", true),
            ("https://127.0.0.1:8443", false),
            ("https://[::ffff:127.0.0.1]:8443", false),
            ("https://127.0.0.1:443", false),
            ("https://127.0.0.2:443", false),
            ("https://192.168.0.1", false),
            ("https://[::1]:8443", false),
        ] {
            assert_eq!(guard.read(text).is_ok(), may, "{text}");
        }
    }

    #[tokio::test]
    async fn one_protected_answer_spoils_all() {
        let answer = |name: &str| -> io::Result<Vec<IpAddr>> {
            let list = |text: &str| Ok(text.split(' ').map(|address| address.parse().unwrap()).collect());
            match name {
                "public" => list("8.8.8.8 2001:4860:4860::8888"),
                "mixed" => list("8.8.8.8 127.0.0.1"),
                "mapped" => list("::ffff:10.0.0.1"),
                "none" => Ok(Vec::new()),
                "many" => Ok(vec![IpAddr::from([8, 8, 8, 8]); WEBHOOK_ADDRESSES_MAX + 1]),
                _ => Err(io::ErrorKind::NotFound.into()),
            }
        };
        let guard = Guard::new(Policy { names: Names::Told(Arc::new(answer)), ..Policy::default() });
        assert_eq!(guard.resolve("public", 443).await.unwrap().len(), 2);
        for (name, transient) in
            [("mixed", false), ("mapped", false), ("many", false), ("none", true), ("unknown", true)]
        {
            assert_eq!(guard.resolve(name, 443).await, Err(Refusal::Name { transient }), "{name}");
        }
    }
}
