//! Secrets at rest: sealed under a data key per account, which is wrapped by the reveal root (`security.md`, *Reveal*).
//! The row is bound as associated data, so a sealed value opens only where it was put. How the bytes lie is in
//! `sealing/envelope.rs`. What belongs to no account is sealed under a key of the installation.

mod access_token;
mod envelope;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use countersign_model::{
    id::{AccountId, TokenId},
    secret::Secret,
};
use countersign_store::WrappedKey;
use zeroize::Zeroizing;

pub use access_token::AccessToken;
pub use envelope::{Algorithm, Header, Version};

use self::envelope::{cannot_open, place};
use crate::{
    error::Error,
    keys::{Keys, Ring, Root},
    random::Random,
};

/// The data key of one account, in the clear only while it is used.
pub struct DataKey {
    generation: u32,
    key: Zeroizing<[u8; 32]>,
}

/// The keys of what belongs to the installation. Nothing is unwrapped before it is used.
pub struct InstallationKey(Arc<Ring>);

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
    /// Makes a data key of an account; answers it wrapped, as it is kept.
    pub fn make(
        keys: &Keys,
        random: &Random,
        account: AccountId,
        generation: u32,
    ) -> Result<WrappedKey, Error> {
        Self::make_in(&keys.ring(), random, account, generation)
    }

    /// Unwraps a data key of an account.
    pub fn unwrap(keys: &Keys, account: AccountId, wrapped: &[u8]) -> Result<Self, Error> {
        Self::unwrap_in(&keys.ring(), account, wrapped)
    }

    /// The same key, wrapped by the newest root.
    pub fn rewrap(
        keys: &Keys,
        random: &Random,
        account: AccountId,
        wrapped: &[u8],
    ) -> Result<WrappedKey, Error> {
        Self::rewrap_in(&keys.ring(), random, account, wrapped)
    }

    fn make_in(
        ring: &Ring,
        random: &Random,
        account: AccountId,
        generation: u32,
    ) -> Result<WrappedKey, Error> {
        let key = Zeroizing::new(random.bytes::<32>()?);
        wrap(ring.reveal_root(), random, &account_place(account), generation, &key)
    }

    fn unwrap_in(ring: &Ring, account: AccountId, wrapped: &[u8]) -> Result<Self, Error> {
        unwrap(ring, &account_place(account), wrapped)
    }

    fn rewrap_in(
        ring: &Ring,
        random: &Random,
        account: AccountId,
        wrapped: &[u8],
    ) -> Result<WrappedKey, Error> {
        let place = account_place(account);
        let key = unwrap(ring, &place, wrapped)?;
        wrap(ring.reveal_root(), random, &place, key.generation, &key.key)
    }

    /// Counts the data keys of an account, from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Seals a secret for its place.
    pub fn seal(&self, random: &Random, place: Place, secret: &Secret) -> Result<Vec<u8>, Error> {
        let header = Header::new(0, self.generation);
        envelope::seal(&self.key, header, random, &place.bound(), secret.expose().as_bytes())
    }

    /// Opens a secret of this place that was sealed with this key.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Secret, Error> {
        if Header::read(sealed)?.0.data_key != self.generation {
            return Err(cannot_open());
        }
        let plain = envelope::open(&self.key, &place.bound(), sealed)?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| cannot_open())?;
        Secret::parse(text).map_err(|_| cannot_open())
    }
}

impl InstallationKey {
    /// The keys of a ring.
    pub(crate) fn of(ring: Arc<Ring>) -> Self {
        Self(ring)
    }

    /// Seals a value for a place: the parts of `context` name its table, column and row, and open it again.
    pub fn seal(&self, random: &Random, context: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, Error> {
        let key = unwrap(&self.0, &installation_place(), &self.0.installation_key().wrapped)?;
        envelope::seal(&key.key, Header::new(0, key.generation), random, &place(context), plain)
    }

    /// Opens a value of this place, sealed with any key of the installation that is still kept.
    pub fn open(&self, context: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let generation = Header::read(sealed)?.0.data_key;
        let wrapped = self.0.installation_key_of(generation).ok_or_else(cannot_open)?;
        let key = unwrap(&self.0, &installation_place(), &wrapped.wrapped)?;
        envelope::open(&key.key, &place(context), sealed)
    }

    /// The same keys, wrapped by the newest root.
    pub(crate) fn rewrap(&self, random: &Random, wrapped: &WrappedKey) -> Result<WrappedKey, Error> {
        let key = unwrap(&self.0, &installation_place(), &wrapped.wrapped)?;
        wrap(self.0.reveal_root(), random, &installation_place(), key.generation, &key.key)
    }
}

/// Makes a key of the installation; answers it wrapped, as it is kept.
pub(crate) fn make_installation_key(
    root: &Root,
    random: &Random,
    generation: u32,
) -> Result<WrappedKey, Error> {
    let key = Zeroizing::new(random.bytes::<32>()?);
    wrap(root, random, &installation_place(), generation, &key)
}

impl Place {
    fn bound(self) -> Vec<u8> {
        let generation = self.generation.to_be_bytes();
        let (account, token) = (self.account.as_u128().to_be_bytes(), self.token.as_u128().to_be_bytes());
        place(&[b"tok-secret/1", &account, &token, &generation])
    }
}

fn account_place(account: AccountId) -> Vec<u8> {
    place(&[b"data-key/1", &account.as_u128().to_be_bytes()])
}

fn installation_place() -> Vec<u8> {
    place(&[b"installation-key/1"])
}

fn wrap(
    root: &Root,
    random: &Random,
    place: &[u8],
    generation: u32,
    key: &[u8; 32],
) -> Result<WrappedKey, Error> {
    let header = Header::new(root.generation(), generation);
    let wrapped = envelope::seal(root.expose(), header, random, place, key)?;
    Ok(WrappedKey { root: root.generation(), generation, wrapped })
}

fn unwrap(ring: &Ring, place: &[u8], wrapped: &[u8]) -> Result<DataKey, Error> {
    let (header, _) = Header::read(wrapped)?;
    let root = ring.reveal_root_of(header.root).ok_or_else(cannot_open)?;
    let key = envelope::open(root.expose(), place, wrapped)?;
    let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| cannot_open())?;
    Ok(DataKey { generation: header.data_key, key: Zeroizing::new(key) })
}
