//! Credentials as requests carry them: HTTP Basic with SID and secret, or Bearer with the secret alone (RFC 7617,
//! RFC 6750). Parsing is strict, needs no heap, and never copies into anything that outlives the request.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroize as _;

use crate::{
    bytes,
    limits::{CREDENTIAL_BYTES_MAX, SECRET_BYTES_MAX},
    scope::ScopeSet,
    sid::Sid,
    time::Timestamp,
};

/// What the longest credential decodes to, and what the decoder wants beyond that.
const DECODED_BYTES_MAX: usize = CREDENTIAL_BYTES_MAX / 4 * 3;

/// What an ask brings to be known by.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// No `Authorization` header.
    Absent,
    /// One header with this value.
    One(&'a [u8]),
    /// More than one header.
    Many,
    /// No secret, but proof by the door that somebody proved it a moment ago.
    Derived(&'a DerivedCredential),
}

/// An access token that was issued to whoever proved a secret, opened by the door that issued it. It ends with the
/// secret it was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedCredential {
    /// The token's SID.
    pub sid: Sid,
    /// The generation of the secret that was proved. It must still work.
    pub generation: u32,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The scopes it was narrowed to; `None`: the token's own. It never reaches further than the token does.
    pub scopes: Option<ScopeSet>,
    /// From when it is over.
    pub ends_at: Timestamp,
}

/// Where a credential is decoded. Keep it where the credential is used: it is zeroed when dropped, and a move would leave
/// a copy behind.
pub struct CredentialRoom {
    bytes: [u8; DECODED_BYTES_MAX],
    len: usize,
}

/// A well-formed credential.
pub struct Credential<'a> {
    sid: Option<Sid>,
    secret: &'a [u8],
}

/// A credential that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Credential<'a> {
    /// Reads the value of an `Authorization` header. Whether there is exactly one is the caller's to know.
    pub fn parse(value: &'a [u8], room: &'a mut CredentialRoom) -> Result<Self, Malformed> {
        Self::parse_value(value, room).ok_or(Malformed)
    }

    /// The SID, where the scheme was Basic.
    pub fn sid(&self) -> Option<&Sid> {
        self.sid.as_ref()
    }

    /// The bytes of the secret.
    pub fn secret(&self) -> &'a [u8] {
        self.secret
    }

    fn parse_value(value: &'a [u8], room: &'a mut CredentialRoom) -> Option<Self> {
        if value.len() > CREDENTIAL_BYTES_MAX {
            return None;
        }
        if let Some(encoded) = after(value, b"basic ") {
            Self::parse_basic(encoded, room)
        } else {
            // A comma would be a list of credentials.
            let secret = after(value, b"bearer ").filter(|secret| !secret.contains(&b','))?;
            Self::with_secret(None, secret)
        }
    }

    fn parse_basic(encoded: &[u8], room: &'a mut CredentialRoom) -> Option<Self> {
        // Also what was decoded before a fault was found is to be zeroed.
        room.len = room.bytes.len().min(encoded.len());
        room.len = STANDARD.decode_slice(encoded, &mut room.bytes).ok()?;
        let pair = &room.bytes[..room.len];
        let colon = pair.iter().position(|&byte| byte == b':')?;
        let sid = Sid::try_from(&pair[..colon]).ok()?;
        Self::with_secret(Some(sid), &pair[colon + 1..])
    }

    fn with_secret(sid: Option<Sid>, secret: &'a [u8]) -> Option<Self> {
        let fits = (1..=SECRET_BYTES_MAX).contains(&secret.len());
        let is_clean = || bytes::all(secret, |byte| byte.is_ascii_graphic() && byte != b':');
        if fits && is_clean() { Some(Self { sid, secret }) } else { None }
    }
}

/// What follows a scheme, in any case, and one space.
fn after<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (front, rest) = value.split_at_checked(scheme.len())?;
    front.eq_ignore_ascii_case(scheme).then_some(rest)
}

impl Default for CredentialRoom {
    fn default() -> Self {
        Self { bytes: [0; DECODED_BYTES_MAX], len: 0 }
    }
}

impl Drop for CredentialRoom {
    fn drop(&mut self) {
        self.bytes[..self.len].zeroize();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(value: &str) -> Result<(Option<Sid>, Vec<u8>), Malformed> {
        let mut room = CredentialRoom::default();
        Credential::parse(value.as_bytes(), &mut room)
            .map(|read| (read.sid().copied(), read.secret().to_vec()))
    }

    #[test]
    fn both_schemes() {
        let basic = parse(&format!("Basic {}", STANDARD.encode("BR1:geheim"))).ok().unwrap();
        assert_eq!((basic.0.unwrap().as_str(), &*basic.1), ("BR1", &b"geheim"[..]));
        let bearer = parse("bEaReR geheim").ok().unwrap();
        assert!(bearer.0.is_none());
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
            assert_eq!(parse(bad).err(), Some(Malformed), "{bad}");
        }
        assert_eq!(parse(&format!("Bearer {}", "a".repeat(600))).err(), Some(Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Credential::parse(&bytes, &mut CredentialRoom::default());
        }

        #[test]
        fn what_curl_sends_is_read(sid in "[A-Za-z0-9_-]{1,64}", secret in "[!-9;-~]{1,256}") {
            let value = format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")));
            if value.len() <= CREDENTIAL_BYTES_MAX {
                let read = parse(&value).ok().unwrap();
                prop_assert_eq!(read.0.map(|read| read.to_string()), Some(sid));
                prop_assert_eq!(read.1, secret.as_bytes());
            }
        }
    }
}
