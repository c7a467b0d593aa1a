//! How a back end checks an assertion: signature first, by a key of the installation and no other algorithm, then every
//! claim against the request that lies before it. It remembers nothing; a back end that must not see a request twice
//! keeps each `jti` for [`REMEMBER_SECS`](crate::limits::REMEMBER_SECS), 40 seconds.

use std::collections::HashMap;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind, jwk::JwkSet,
};

use crate::{
    TYPE,
    claims::{Claims, path_hash},
    limits::{ASSERTION_BYTES_MAX, CLOCK_SKEW_SECS, KEYS_MAX, LIFETIME_SECS},
};

/// Checks assertions of one installation for one back end.
pub struct Checker {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

/// The request as the back end received it.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path and query, byte for byte as they were received.
    pub target: &'a [u8],
    /// Its host; `None` where hosts are not told apart, or the gateway tells none.
    pub host: Option<&'a str>,
}

/// Why a key set is none.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// Not a JWK set.
    #[error("this is no JWK set: {0}")]
    Malformed(#[from] serde_json::Error),
    /// No Ed25519 key with a `kid`, or too many.
    #[error("a key set has 1 to {KEYS_MAX} Ed25519 keys with a `kid`; this one has {0}")]
    Count(usize),
}

/// Why an assertion is not believed. The request is then refused with 401 or 403, whatever its headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a compact JWS with the claims of an assertion, or too long.
    #[error("it is not an assertion")]
    Malformed,
    /// Another algorithm or another type of statement.
    #[error("its algorithm or type is another")]
    Kind,
    /// Its key is not of the set. Where the set is older than five minutes it is fetched again.
    #[error("its key is not known")]
    Key,
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// Another installation made it.
    #[error("it is of another issuer")]
    Issuer,
    /// It is for another back end.
    #[error("it is for another audience")]
    Audience,
    /// Not yet, or no longer, or for longer than assertions hold.
    #[error("it does not hold now")]
    Time,
    /// It is about another request: method, path or host.
    #[error("it is about another request")]
    Request,
}

impl Checker {
    /// Takes the body of `GET /.well-known/jwks.json`. `issuer` is the public URL of the installation, `audience` what
    /// the gateway was told to address assertions to.
    pub fn new(issuer: &str, audience: &str, key_set: &[u8]) -> Result<Self, KeySetError> {
        let set: JwkSet = serde_json::from_slice(key_set)?;
        let mut keys = HashMap::new();
        for key in &set.keys {
            let is_ours = key.common.key_algorithm == Some(jsonwebtoken::jwk::KeyAlgorithm::EdDSA);
            if let (true, Some(id), Ok(read)) = (is_ours, &key.common.key_id, DecodingKey::from_jwk(key)) {
                keys.insert(id.clone(), read);
            }
        }
        if !(1..=KEYS_MAX).contains(&keys.len()) || set.keys.len() > KEYS_MAX {
            return Err(KeySetError::Count(set.keys.len().max(keys.len())));
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // Times are checked below, against the clock of the caller.
        validation.validate_exp = false;
        Ok(Self { keys, validation })
    }

    /// Checks the value of `X-Countersign-Assertion` for this request. `now` is in seconds since 1970.
    pub fn check(
        &self,
        assertion: &str,
        request: &Presented<'_>,
        now: i64,
    ) -> Result<Claims<'static>, Refusal> {
        if assertion.len() > ASSERTION_BYTES_MAX {
            return Err(Refusal::Malformed);
        }
        let header = decode_header(assertion).map_err(|_| Refusal::Malformed)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(Refusal::Kind);
        }
        let key = header.kid.and_then(|id| self.keys.get(&id)).ok_or(Refusal::Key)?;
        let read = decode::<Claims<'static>>(assertion, key, &self.validation);
        let claims = read.map_err(|error| refusal(error.kind()))?.claims;
        let lives = claims.exp - claims.iat;
        let is_due = now <= claims.exp + CLOCK_SKEW_SECS && claims.iat <= now + CLOCK_SKEW_SECS;
        if !is_due || !(0..=LIFETIME_SECS).contains(&lives) {
            return Err(Refusal::Time);
        }
        let same_host = request.host.is_none_or(|host| host == claims.host);
        if claims.method == request.method && claims.path_sha256 == path_hash(request.target) && same_host {
            Ok(claims)
        } else {
            Err(Refusal::Request)
        }
    }
}

fn refusal(kind: &ErrorKind) -> Refusal {
    match kind {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidIssuer => Refusal::Issuer,
        ErrorKind::InvalidAudience => Refusal::Audience,
        ErrorKind::InvalidAlgorithm => Refusal::Kind,
        _ => Refusal::Malformed,
    }
}
