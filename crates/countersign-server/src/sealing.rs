//! Secrets at rest: sealed under a data key per account, which is wrapped by the reveal root (`security.md`, *Reveal*).
//! XChaCha20-Poly1305 with random nonces; the row is bound as associated data, so a sealed value opens only where it was
//! put; a commitment to key, nonce and associated data ends the question of key-commitment.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use countersign_model::{
    id::{AccountId, TokenId},
    secret::Secret,
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{error::Error, keys::Keys, random::Random};

const VERSION: u8 = 1;
const XCHACHA20_POLY1305: u8 = 1;
const NONCE_LEN: usize = 24;
const COMMIT_LEN: usize = 16;

/// The data key of one account, in the clear only while it is used.
pub struct DataKey(Zeroizing<[u8; 32]>);

/// Which secret of which token, bound into what is sealed.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The token.
    pub token: TokenId,
    /// The generation of the secret.
    pub generation: u32,
}

impl DataKey {
    /// Makes the data key of a new account; answers it wrapped, as it is kept.
    pub fn make(keys: &Keys, random: &Random, account: AccountId) -> Result<Vec<u8>, Error> {
        let key = Zeroizing::new(random.bytes::<32>()?);
        seal(keys.reveal_root(), random, &wrapping_data(account), key.as_ref())
    }

    /// Unwraps the data key of an account.
    pub fn unwrap(keys: &Keys, account: AccountId, wrapped: &[u8]) -> Result<Self, Error> {
        let key = open(keys.reveal_root(), &wrapping_data(account), wrapped)?;
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| cannot_open())?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Seals a secret for its place.
    pub fn seal(&self, random: &Random, place: Place, secret: &Secret) -> Result<Vec<u8>, Error> {
        seal(&self.0, random, &secret_data(place), secret.expose().as_bytes())
    }

    /// Opens a secret of this place.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Secret, Error> {
        let plain = open(&self.0, &secret_data(place), sealed)?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| cannot_open())?;
        Secret::parse(text).map_err(|_| cannot_open())
    }
}

fn wrapping_data(account: AccountId) -> Vec<u8> {
    associated_data(&[b"data-key/1", &account.as_u128().to_be_bytes()])
}

fn secret_data(place: Place) -> Vec<u8> {
    let generation = place.generation.to_be_bytes();
    let (account, token) = (place.account.as_u128().to_be_bytes(), place.token.as_u128().to_be_bytes());
    associated_data(&[b"tok-secret/1", &account, &token, &generation])
}

/// Length-prefixed parts, so that no two lists of parts give the same bytes.
fn associated_data(parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::new();
    for part in parts {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

/// Layout: version, algorithm, nonce (24), ciphertext with tag (16), commitment (16).
fn seal(key: &[u8; 32], random: &Random, data: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let nonce: [u8; NONCE_LEN] = random.bytes()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload { msg: plain, aad: data };
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::internal("sealing", &"the cipher refused"))?;
    let mut sealed = vec![VERSION, XCHACHA20_POLY1305];
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed.extend_from_slice(&commitment(key, &nonce, data));
    Ok(sealed)
}

fn open(key: &[u8; 32], data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let body = sealed.strip_prefix(&[VERSION, XCHACHA20_POLY1305]).ok_or_else(cannot_open)?;
    let (nonce, rest) = body.split_first_chunk::<NONCE_LEN>().ok_or_else(cannot_open)?;
    let (ciphertext, commit) = rest.split_last_chunk::<COMMIT_LEN>().ok_or_else(cannot_open)?;
    if !bool::from(commitment(key, nonce, data).ct_eq(commit)) {
        return Err(cannot_open());
    }
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload { msg: ciphertext, aad: data };
    cipher.decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| cannot_open())
}

fn commitment(key: &[u8; 32], nonce: &[u8; NONCE_LEN], data: &[u8]) -> [u8; COMMIT_LEN] {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(b"commit/1");
    hasher.update(nonce);
    hasher.update(data);
    let mut commit = [0; COMMIT_LEN];
    hasher.finalize_xof().fill(&mut commit);
    commit
}

fn cannot_open() -> Error {
    Error::internal(
        "sealing",
        &"a sealed value does not open in its place: wrong key, or it was moved or changed",
    )
}

#[cfg(test)]
mod tests {
    use countersign_model::{secret::SecretFormat, time::Timestamp};

    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_place() {
        let (keys, random) = (Keys::from_roots([1; 32], [2; 32]), Random::seeded(7));
        let now = Timestamp::from_unix_secs(1);
        let place = Place { account: random.id(now).unwrap(), token: random.id(now).unwrap(), generation: 1 };
        let wrapped = DataKey::make(&keys, &random, place.account).unwrap();
        let key = DataKey::unwrap(&keys, place.account, &wrapped).unwrap();
        let secret = SecretFormat::standard().mint(&mut |buffer| random.fill(buffer).unwrap());
        let sealed = key.seal(&random, place, &secret).unwrap();
        assert_eq!(key.open(place, &sealed).unwrap().expose(), secret.expose());
        assert!(key.open(Place { generation: 2, ..place }, &sealed).is_err());
        assert!(key.open(Place { token: random.id(now).unwrap(), ..place }, &sealed).is_err());
        assert!(DataKey::unwrap(&keys, random.id(now).unwrap(), &wrapped).is_err());
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open(place, &changed).is_err(), "byte {index}");
        }
    }
}
