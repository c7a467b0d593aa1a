//! Signs assertions (rule 6 of the forward-auth contract) and publishes the keys they are checked with. The keys are
//! derived from the verify root, one for each 30 days, so every node has the same ones, nothing is stored, and a rotation
//! of that root replaces them, too. A key is published long before it signs, and until everything it signed is dead.
//! The signature itself is made by `jsonwebtoken`; this file only says with which key.

use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::signature::Ed25519KeyPair;
use bytes::Bytes;
use countersign_assertion::{Claims, TYPE, limits::LIFETIME_SECS, path_hash};
use countersign_model::{decision::Allowed, time::Timestamp};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};

use crate::{
    error::Error,
    keys::{Keys, Ring},
    limits::{ASSERTION_KEY_AFTERLIFE_SECS, ASSERTION_KEY_DAYS, ASSERTION_KEY_LEAD_SECS},
};

const PERIOD_SECS: i64 = ASSERTION_KEY_DAYS * 24 * 3600;

/// Makes assertions.
pub struct Assertions {
    issuer: String,
    in_use: RwLock<Option<Arc<InUse>>>,
}

/// What an assertion is about.
pub struct Statement<'a> {
    /// The back end it is for.
    pub audience: &'a str,
    /// The method of the request.
    pub method: &'a [u8],
    /// Its host; empty where nobody says it.
    pub host: &'a [u8],
    /// Its path and query as sent.
    pub target: &'a [u8],
    /// What was decided.
    pub allowed: &'a Allowed,
    /// The id of the scope that matched; empty where none was asked for.
    pub scope: &'a str,
    /// What no other assertion has.
    pub id: &'a str,
    /// When it was decided.
    pub now: Timestamp,
}

/// The keys of one moment.
struct InUse {
    ring: Arc<Ring>,
    from: Timestamp,
    until: Timestamp,
    key: EncodingKey,
    header: Header,
    key_set: Bytes,
}

/// A key of one period.
struct Key {
    encoding: EncodingKey,
    public: Jwk,
}

impl Assertions {
    /// Assertions of the installation with this public URL.
    pub fn new(issuer: String) -> Self {
        Self { issuer, in_use: RwLock::new(None) }
    }

    /// Signs a statement.
    pub fn sign(&self, keys: &Keys, statement: &Statement<'_>) -> Result<String, Error> {
        let in_use = self.in_use(keys, statement.now)?;
        let (allowed, iat) = (statement.allowed, statement.now.unix_secs());
        let claims = Claims {
            iss: self.issuer.as_str().into(),
            aud: statement.audience.into(),
            sub: allowed.token.sid.as_str().into(),
            account: allowed.account.id.to_string().into(),
            kind: allowed.account.kind.as_str().into(),
            scope: statement.scope.into(),
            version: allowed.api_version.0,
            method: String::from_utf8_lossy(statement.method),
            host: String::from_utf8_lossy(statement.host),
            path_sha256: path_hash(statement.target).into(),
            iat,
            exp: iat + LIFETIME_SECS,
            jti: statement.id.into(),
        };
        encode(&in_use.header, &claims, &in_use.key).map_err(|error| failed(&error))
    }

    /// The key set (RFC 7517), as JSON.
    pub fn key_set(&self, keys: &Keys, now: Timestamp) -> Result<Bytes, Error> {
        Ok(self.in_use(keys, now)?.key_set.clone())
    }

    /// The keys of this moment: those of the last request, unless a time or a root has passed since.
    fn in_use(&self, keys: &Keys, now: Timestamp) -> Result<Arc<InUse>, Error> {
        let ring = keys.ring();
        let known = self.in_use.read().unwrap_or_else(PoisonError::into_inner).clone();
        let is_good =
            |known: &Arc<InUse>| Arc::ptr_eq(&known.ring, &ring) && known.from <= now && now < known.until;
        if let Some(known) = known.filter(is_good) {
            return Ok(known);
        }
        let made = Arc::new(InUse::at(ring, now)?);
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }
}

impl InUse {
    fn at(ring: Arc<Ring>, now: Timestamp) -> Result<Self, Error> {
        let period = now.unix_secs().div_euclid(PERIOD_SECS);
        let begin = |period: i64| Timestamp::from_unix_secs(period * PERIOD_SECS);
        let seeds = |period: i64| ring.assertion_seeds(u32::try_from(period).unwrap_or_default());
        let is_rotated = ring.assertion_seeds(0).len() > 1;
        let lead_ends = ring.verify_root_since().plus_secs(ASSERTION_KEY_LEAD_SECS);
        let former_ends = lead_ends.plus_secs(ASSERTION_KEY_AFTERLIFE_SECS);
        let afterlife_ends = begin(period).plus_secs(ASSERTION_KEY_AFTERLIFE_SECS);

        let of = |period: i64| seeds(period).iter().map(|seed| Key::of(seed)).collect::<Result<Vec<_>, _>>();
        let (before, current, next) = (of(period - 1)?, of(period)?, of(period + 1)?);
        let newest = current.first().ok_or_else(|| failed(&"there is no verify root"))?;
        // The root before signs on for a while, maybe into another period, and what it signed is still believed: all its
        // keys around this moment are published as long as any may be asked for.
        let is_moving = is_rotated && now < former_ends;
        let roots = if is_moving { 2 } else { 1 };
        let kept = if is_moving || now < afterlife_ends { roots } else { 0 };

        let key = current.get(1).filter(|_| now < lead_ends).unwrap_or(newest);
        let (encoding, id) = (key.encoding.clone(), key.public.common.key_id.clone());
        let all = current.iter().take(roots).chain(before.iter().take(kept)).chain(next.iter().take(roots));
        let set = JwkSet { keys: all.map(|key| key.public.clone()).collect() };
        let key_set = serde_json::to_vec(&set).map_err(|error| failed(&error))?.into();
        // The next moment at which one of the keys above comes or goes.
        let turns = [afterlife_ends, begin(period + 1)].into_iter();
        let turns = turns.chain([lead_ends, former_ends].into_iter().filter(|_| is_rotated));
        let until = turns.filter(|turn| now < *turn).min().unwrap_or_else(|| begin(period + 1));
        let header = Header { typ: Some(TYPE.to_owned()), kid: id, ..Header::new(Algorithm::EdDSA) };
        Ok(Self { ring, from: now, until, key: encoding, header, key_set })
    }
}

impl Key {
    fn of(seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| failed(&error))?;
        let document = pair.to_pkcs8v1().map_err(|error| failed(&error))?;
        let encoding = EncodingKey::from_ed_der(document.as_ref());
        let mut public =
            Jwk::from_encoding_key(&encoding, Algorithm::EdDSA).map_err(|error| failed(&error))?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|error| failed(&error))?;
        public.common.key_id = Some(id);
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { encoding, public })
    }
}

/// A decision that cannot be said is not made known: the gateway hears of an outage.
fn failed(cause: &dyn std::fmt::Display) -> Error {
    Error::unavailable("assertions", &cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURN: i64 = 700 * PERIOD_SECS;
    /// As long as back ends may keep the key set, and no assertion they believe is older.
    const SEEN_AGAIN_SECS: i64 = 600;

    fn at(secs: i64) -> InUse {
        at_after(secs, None)
    }

    /// The keys of a moment, with a root that replaced another where it is said when.
    fn at_after(secs: i64, rotated: Option<i64>) -> InUse {
        let ring = match rotated {
            Some(rotated) if rotated <= secs => Ring::of_roots([2; 32], &[[9; 32]])
                .after_verify_root([1; 32], Timestamp::from_unix_secs(rotated)),
            _ => Ring::of_roots([1; 32], &[[9; 32]]),
        };
        InUse::at(Arc::new(ring), Timestamp::from_unix_secs(secs)).unwrap()
    }

    fn published(in_use: &InUse) -> Vec<String> {
        let set: JwkSet = serde_json::from_slice(&in_use.key_set).unwrap();
        set.keys.into_iter().map(|key| key.common.key_id.unwrap()).collect()
    }

    #[test]
    fn what_signs_was_published_before_and_is_published_after() {
        for rotated in [-4_300, -700, -599, -300, -1, 0, 1, 300, 3_000].map(|offset| TURN + offset) {
            for now in (TURN - 5_000..TURN + 9_000).step_by(50) {
                let signs = at_after(now, Some(rotated)).header.kid.unwrap();
                for seen in (now - SEEN_AGAIN_SECS + 1..=now + SEEN_AGAIN_SECS).step_by(100) {
                    let published = published(&at_after(seen, Some(rotated)));
                    assert!(published.contains(&signs), "rotated {rotated}, signed {now}, looked {seen}");
                    assert!(published.len() <= countersign_assertion::limits::KEYS_MAX);
                }
            }
        }
    }

    #[test]
    fn keys_are_held_until_the_next_turn_and_not_for_ever() {
        assert_eq!(published(&at(TURN + ASSERTION_KEY_AFTERLIFE_SECS)).len(), 2, "this and the next");
        assert_eq!(published(&at(TURN)).len(), 3, "and the one before");
        let rotated = Some(TURN - 300);
        assert_eq!(published(&at_after(TURN, rotated)).len(), 6, "of both roots");
        let ends = TURN - 300 + ASSERTION_KEY_LEAD_SECS + ASSERTION_KEY_AFTERLIFE_SECS;
        assert_eq!(published(&at_after(ends, rotated)).len(), 2, "the root before is done");
        let before = at_after(TURN - 300, rotated);
        assert_eq!(before.until, Timestamp::from_unix_secs(TURN));
    }
}
