//! Access tokens: what a client gets for its Account SID and Auth Token by OAuth 2.0 client credentials (RFC 6749 section
//! 4.4). One is a sealed note that says which secret it was derived from. It is kept nowhere; whoever holds the verify root
//! opens it, and looks its token up at every use, so that it ends with that. It never opens under a root that was
//! replaced before it was made.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_model::{
    credential::{Authorization, DerivedCredential},
    limits::CREDENTIAL_BYTES_MAX,
    scope::{Scope, ScopeSet},
    secret::ACCESS_TOKEN_PREFIX as PREFIX,
    time::Timestamp,
};
use zeroize::Zeroizing;

use super::envelope::{self, Header};
use crate::{
    error::Error,
    keys::Ring,
    limits::{ACCESS_TOKEN_SCOPES_MAX, ACCESS_TOKEN_SECS},
    random::Random,
};

const SCHEME: &[u8] = b"bearer ";
/// Bound into every seal, so that nothing else that is sealed passes for an access token.
const PLACE: &[u8] = b"access-token/1";

/// An access token that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// What it stands for.
    pub credential: DerivedCredential,
    /// What no other access token has: its `jti`.
    pub id: String,
}

impl AccessToken {
    /// Seals what an access token says; the text is for its client and nobody else.
    pub fn seal(
        ring: &Ring,
        random: &Random,
        credential: &DerivedCredential,
    ) -> Result<Zeroizing<String>, Error> {
        let no_root = || Error::unavailable("access token", &"there is no verify root");
        let (root, key) = ring.access_token_keys().next().ok_or_else(no_root)?;
        let sealed = envelope::seal(&key, Header::new(root, 0), random, PLACE, &written(credential)?)?;
        Ok(Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed))))
    }

    /// Whether an `Authorization` header may hold one of ours: what most asks end with.
    pub fn may_be_in(authorization: Authorization<'_>) -> bool {
        let Authorization::One(value) = authorization else { return false };
        value.get(SCHEME.len()..).is_some_and(|text| text.starts_with(PREFIX.as_bytes()))
    }

    /// Opens the access token of an `Authorization` header; `None` where there is none, or none of ours. Whoever it is
    /// `None` for goes on with what the header says: the secret of an import may begin like this.
    pub fn of_header(ring: &Ring, authorization: Authorization<'_>, now: Timestamp) -> Option<Self> {
        let Authorization::One(value) = authorization else { return None };
        let (scheme, text) = value.split_at_checked(SCHEME.len())?;
        scheme.eq_ignore_ascii_case(SCHEME).then(|| Self::open(ring, text, now))?
    }

    /// Opens an access token.
    pub fn open(ring: &Ring, text: &[u8], now: Timestamp) -> Option<Self> {
        let body = text.strip_prefix(PREFIX.as_bytes()).filter(|_| text.len() <= CREDENTIAL_BYTES_MAX)?;
        let sealed = URL_SAFE_NO_PAD.decode(body).ok()?;
        let (header, rest) = Header::read(&sealed).ok()?;
        let (place, key) =
            ring.access_token_keys().enumerate().find(|(_, (root, _))| *root == header.root)?;
        let plain = envelope::open(&key.1, PLACE, &sealed).ok()?;
        let credential = read(&plain)?;
        let since = ring.verify_root_since();
        let is_of_former = place > 0;
        let outlived = credential.issued_at > since || now > since.plus_secs(ACCESS_TOKEN_SECS);
        if is_of_former && outlived {
            return None;
        }
        let id = URL_SAFE_NO_PAD.encode(rest.get(..envelope::NONCE_LEN)?);
        Some(Self { credential, id })
    }
}

/// The note: SID with its length in front, generation, both times, and the scopes with their number in front.
fn written(credential: &DerivedCredential) -> Result<Zeroizing<Vec<u8>>, Error> {
    let sid = credential.sid.as_str().as_bytes();
    let too_long = |_| Error::internal("access token", &"it says too much");
    let mut note = Zeroizing::new(vec![u8::try_from(sid.len()).map_err(too_long)?]);
    note.extend_from_slice(sid);
    note.extend_from_slice(&credential.generation.to_be_bytes());
    note.extend_from_slice(&credential.issued_at.unix_millis().to_be_bytes());
    note.extend_from_slice(&credential.ends_at.unix_millis().to_be_bytes());
    if let Some(scopes) = &credential.scopes {
        let count = u8::try_from(scopes.len()).map_err(too_long)?;
        note.push(count);
        scopes.iter().for_each(|scope| note.extend_from_slice(&scope.0.to_be_bytes()));
    }
    Ok(note)
}

fn read(note: &[u8]) -> Option<DerivedCredential> {
    let (&length, rest) = note.split_first()?;
    let (sid, rest) = rest.split_at_checked(length.into())?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (issued_at, rest) = rest.split_first_chunk()?;
    let (ends_at, rest) = rest.split_first_chunk()?;
    let moment = |bytes: &[u8; 8]| Timestamp::from_unix_millis(i64::from_be_bytes(*bytes));
    Some(DerivedCredential {
        sid: std::str::from_utf8(sid).ok()?.parse().ok()?,
        generation: u32::from_be_bytes(*generation),
        scopes: match rest.split_first() {
            None => None,
            Some((&count, scopes)) => Some(read_scopes(count, scopes)?),
        },
        issued_at: moment(issued_at),
        ends_at: moment(ends_at),
    })
}

fn read_scopes(count: u8, bytes: &[u8]) -> Option<ScopeSet> {
    let whole = usize::from(count) <= ACCESS_TOKEN_SCOPES_MAX && bytes.len() == 2 * usize::from(count);
    let scopes = bytes.chunks_exact(2).map(|pair| Scope(u16::from_be_bytes([pair[0], pair[1]])));
    whole.then(|| scopes.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_secs(1_795_305_600);

    fn credential(scopes: Option<&[u16]>) -> DerivedCredential {
        DerivedCredential {
            sid: "BR2XKQ7M1N8P4R6T9V0W3Y5Z7ABC".parse().unwrap(),
            generation: 3,
            scopes: scopes.map(|scopes| scopes.iter().copied().map(Scope).collect()),
            issued_at: NOW,
            ends_at: NOW.plus_secs(600),
        }
    }

    fn ring(seed: u8) -> Ring {
        Ring::of_roots([seed; 32], &[[9; 32]])
    }

    #[test]
    fn what_was_sealed_is_opened_by_the_same_root_only() {
        let random = Random::seeded(1);
        for scopes in [None, Some([].as_slice()), Some(&[0, 1, 4_095])] {
            let text = AccessToken::seal(&ring(1), &random, &credential(scopes)).unwrap();
            assert!(text.len() <= CREDENTIAL_BYTES_MAX - "Bearer ".len());
            let opened = AccessToken::open(&ring(1), text.as_bytes(), NOW).unwrap();
            assert!(countersign_model::secret::is_like_access_token(text.as_bytes()), "{}", text.as_str());
            assert_eq!(opened.credential, credential(scopes));
            assert_eq!(AccessToken::open(&ring(2), text.as_bytes(), NOW), None);
            let header = format!("bEARER {}", text.as_str());
            let sent = Authorization::One(header.as_bytes());
            assert_eq!(AccessToken::of_header(&ring(1), sent, NOW), Some(opened));
        }
        let most: Vec<u16> = (0..u16::try_from(ACCESS_TOKEN_SCOPES_MAX).unwrap()).collect();
        let long = DerivedCredential { sid: "A".repeat(64).parse().unwrap(), ..credential(Some(&most)) };
        let text = AccessToken::seal(&ring(1), &random, &long).unwrap();
        assert!(text.len() <= CREDENTIAL_BYTES_MAX - "Bearer ".len(), "{}", text.len());
        assert_eq!(AccessToken::open(&ring(1), text.as_bytes(), NOW).unwrap().credential, long);
    }

    #[test]
    fn no_changed_letter_is_taken() {
        let text = AccessToken::seal(&ring(1), &Random::seeded(1), &credential(Some(&[7]))).unwrap();
        for place in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(AccessToken::open(&ring(1), &bytes, NOW), None, "{place}");
            assert_eq!(AccessToken::open(&ring(1), &text.as_bytes()[..place], NOW), None, "{place}");
        }
        assert_eq!(AccessToken::open(&ring(1), format!("{}A", text.as_str()).as_bytes(), NOW), None);
    }

    #[test]
    fn two_never_have_the_same_id() {
        let random = Random::seeded(1);
        let id = || {
            let text = AccessToken::seal(&ring(1), &random, &credential(None)).unwrap();
            AccessToken::open(&ring(1), text.as_bytes(), NOW).unwrap().id
        };
        assert_ne!(id(), id());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let text = [PREFIX.as_bytes(), URL_SAFE_NO_PAD.encode(&bytes).as_bytes()].concat();
            prop_assert_eq!(AccessToken::open(&ring(1), &text, NOW), None);
            prop_assert_eq!(AccessToken::open(&ring(1), &bytes, NOW), None);
            let _ = read(&bytes);
        }
    }
}
