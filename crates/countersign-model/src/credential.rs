//! Credentials as requests carry them: HTTP Basic with SID and secret, or Bearer with the secret alone (RFC 7617,
//! RFC 6750). Parsing is strict and never copies into anything that outlives the request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    limits::{CREDENTIAL_BYTES_MAX, SECRET_BYTES_MAX},
    scope::ScopeSet,
    sid::Sid,
    time::Timestamp,
};

/// The `Authorization` header of an ask, before it is read.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// No such header.
    Absent,
    /// One header with this value.
    One(&'a [u8]),
    /// More than one header.
    Many,
    /// An access token that the door has opened: it was derived from a token, and ends with it.
    Derived(&'a DerivedCredential),
}

/// What an access token says of itself, once it was opened. Only who holds the key of the installation can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedCredential {
    /// The token it was derived from.
    pub sid: Sid,
    /// The generation of the secret that was presented for it; it ends with that secret.
    pub generation: u32,
    /// The scopes it is narrowed to; `None`: all that its token holds.
    pub scopes: Option<ScopeSet>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// From when it no longer works.
    pub ends_at: Timestamp,
}

/// A well-formed credential. Zeroed when dropped.
pub struct Credential {
    sid: Option<Sid>,
    secret: Zeroizing<Vec<u8>>,
}

/// Why there is no credential to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialProblem {
    /// None was sent.
    Missing,
    /// One was sent that cannot be read.
    Malformed,
}

impl Credential {
    /// Reads an `Authorization` header.
    pub fn parse(authorization: Authorization<'_>) -> Result<Self, CredentialProblem> {
        let value = match authorization {
            Authorization::Absent => return Err(CredentialProblem::Missing),
            // A derived credential is no secret to look up; whoever looks one up took the wrong turn.
            Authorization::Many | Authorization::Derived(_) => return Err(CredentialProblem::Malformed),
            Authorization::One(value) => value,
        };
        Self::parse_value(value).ok_or(CredentialProblem::Malformed)
    }

    /// The SID, where the scheme was Basic.
    pub fn sid(&self) -> Option<&Sid> {
        self.sid.as_ref()
    }

    /// The bytes of the secret.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    fn parse_value(value: &[u8]) -> Option<Self> {
        if value.len() > CREDENTIAL_BYTES_MAX {
            return None;
        }
        let space = value.iter().position(|&byte| byte == b' ')?;
        let (scheme, rest) = value.split_at(space);
        let rest = rest.get(1..)?;
        if rest.is_empty() || !rest.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',') {
            return None;
        }
        if scheme.eq_ignore_ascii_case(b"basic") {
            Self::parse_basic(rest)
        } else if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::with_secret(None, Zeroizing::new(rest.to_vec()))
        } else {
            None
        }
    }

    fn parse_basic(encoded: &[u8]) -> Option<Self> {
        let pair = Zeroizing::new(STANDARD.decode(encoded).ok()?);
        let colon = pair.iter().position(|&byte| byte == b':')?;
        let sid = std::str::from_utf8(&pair[..colon]).ok()?.parse().ok()?;
        Self::with_secret(Some(sid), Zeroizing::new(pair[colon + 1..].to_vec()))
    }

    fn with_secret(sid: Option<Sid>, secret: Zeroizing<Vec<u8>>) -> Option<Self> {
        let fits = (1..=SECRET_BYTES_MAX).contains(&secret.len());
        let clean = secret.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':');
        if fits && clean { Some(Self { sid, secret }) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &str) -> Result<Credential, CredentialProblem> {
        Credential::parse(Authorization::One(value.as_bytes()))
    }

    #[test]
    fn both_schemes() {
        let basic = parse(&format!("Basic {}", STANDARD.encode("BR1:geheim"))).ok().unwrap();
        assert_eq!((basic.sid().unwrap().as_str(), basic.secret()), ("BR1", &b"geheim"[..]));
        let bearer = parse("bEaReR geheim").ok().unwrap();
        assert!(bearer.sid().is_none());
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Bearer  x",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a:b",
            "Digest x",
            "Basic !!!",
            "Basic QlIx",
            "Basic Og==",
            "Bearer \u{e9}",
        ] {
            assert_eq!(parse(bad).err(), Some(CredentialProblem::Malformed), "{bad}");
        }
        assert_eq!(parse(&format!("Bearer {}", "a".repeat(600))).err(), Some(CredentialProblem::Malformed));
        assert_eq!(Credential::parse(Authorization::Absent).err(), Some(CredentialProblem::Missing));
        assert_eq!(Credential::parse(Authorization::Many).err(), Some(CredentialProblem::Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Credential::parse(Authorization::One(&bytes));
        }

        #[test]
        fn what_curl_sends_is_read(sid in "[A-Za-z0-9_-]{1,64}", secret in "[!-9;-~]{1,256}") {
            let value = format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")));
            if value.len() <= CREDENTIAL_BYTES_MAX {
                let read = parse(&value).ok().unwrap();
                prop_assert_eq!(read.sid().unwrap().as_str(), sid);
                prop_assert_eq!(read.secret(), secret.as_bytes());
            }
        }
    }
}
