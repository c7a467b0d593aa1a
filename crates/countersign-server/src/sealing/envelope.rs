//! The bytes of a sealed value: which version, which algorithm, under which key, and the ciphertext itself. Version 2 is
//! written: version (1), algorithm (1), generation of the root (2), generation of the data key (4), nonce (24),
//! ciphertext with tag (16), commitment (16). Version 1, which had no generations, is still read.
//!
//! Associated data binds a value to its place and its header; a commitment to key, nonce and associated data ends the
//! question of key-commitment, which ciphers of this family do not have by themselves.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{error::Error, random::Random};

pub(super) const NONCE_LEN: usize = 24;
const COMMIT_LEN: usize = 16;
const HEADER_LEN: usize = 8;

/// Every algorithm a sealed value may say. Values outlive programs: a new one needs a test that old values are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// XChaCha20-Poly1305 with random nonces.
    XChaCha20Poly1305 = 1,
}

/// Every layout a sealed value may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Without generations: everything was of the first.
    One = 1,
    /// With generations.
    Two = 2,
}

/// What a sealed value says about the key it was sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The layout.
    pub version: Version,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The generation of the reveal root it is sealed under; 0 where it is sealed under a data key, which moves from
    /// root to root without touching what it sealed.
    pub root: u16,
    /// The generation of the data key: the one that seals, or, under a root, the one that is sealed.
    pub data_key: u32,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::XChaCha20Poly1305];
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];
}

impl Header {
    /// The header of what is written today.
    pub fn new(root: u16, data_key: u32) -> Self {
        Self { version: Version::Two, algorithm: Algorithm::XChaCha20Poly1305, root, data_key }
    }

    /// Reads the header of a sealed value, and the rest of it.
    pub fn read(sealed: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (&[version, algorithm], rest) = sealed.split_first_chunk().ok_or_else(cannot_open)?;
        let version = Version::ALL.into_iter().find(|known| *known as u8 == version);
        let algorithm = Algorithm::ALL.into_iter().find(|known| *known as u8 == algorithm);
        let (version, algorithm) = version.zip(algorithm).ok_or_else(cannot_open)?;
        match version {
            Version::One => Ok((Self { version, algorithm, root: 1, data_key: 1 }, rest)),
            Version::Two => {
                let (root, rest) = rest.split_first_chunk().ok_or_else(cannot_open)?;
                let (data_key, rest) = rest.split_first_chunk().ok_or_else(cannot_open)?;
                let (root, data_key) = (u16::from_be_bytes(*root), u32::from_be_bytes(*data_key));
                Ok((Self { version, algorithm, root, data_key }, rest))
            }
        }
    }

    fn bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        (bytes[0], bytes[1]) = (self.version as u8, self.algorithm as u8);
        bytes[2..4].copy_from_slice(&self.root.to_be_bytes());
        bytes[4..].copy_from_slice(&self.data_key.to_be_bytes());
        bytes
    }

    /// The place, bound with what the header says of it. The first version bound the place alone.
    fn bind(self, place: &[u8]) -> Vec<u8> {
        match self.version {
            Version::One => place.to_vec(),
            Version::Two => [self.bytes().as_slice(), place].concat(),
        }
    }
}

/// Length-prefixed parts, so that no two lists of parts give the same bytes.
pub(super) fn place(parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::new();
    for part in parts {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

pub(super) fn seal(
    key: &[u8; 32],
    header: Header,
    random: &Random,
    place: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, Error> {
    let nonce: [u8; NONCE_LEN] = random.bytes()?;
    let data = header.bind(place);
    let payload = Payload { msg: plain, aad: &data };
    let ciphertext = match header.algorithm {
        Algorithm::XChaCha20Poly1305 => {
            XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload)
        }
    };
    let ciphertext = ciphertext.map_err(|_| Error::internal("sealing", &"the cipher refused"))?;
    let mut sealed = header.bytes().to_vec();
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    sealed.extend_from_slice(&commitment(key, &nonce, &data));
    Ok(sealed)
}

pub(super) fn open(key: &[u8; 32], place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (header, body) = Header::read(sealed)?;
    let data = header.bind(place);
    let (nonce, rest) = body.split_first_chunk::<NONCE_LEN>().ok_or_else(cannot_open)?;
    let (ciphertext, commit) = rest.split_last_chunk::<COMMIT_LEN>().ok_or_else(cannot_open)?;
    if !bool::from(commitment(key, nonce, &data).ct_eq(commit)) {
        return Err(cannot_open());
    }
    let payload = Payload { msg: ciphertext, aad: &data };
    let plain = match header.algorithm {
        Algorithm::XChaCha20Poly1305 => {
            XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), payload)
        }
    };
    plain.map(Zeroizing::new).map_err(|_| cannot_open())
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

pub(super) fn cannot_open() -> Error {
    Error::internal(
        "sealing",
        &"a sealed value does not open in its place: wrong key, or it was moved or changed",
    )
}

/// What the first version of the program wrote, for tests that it is still read.
#[cfg(test)]
pub(super) fn seal_as_version_one(key: &[u8; 32], random: &Random, place: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = random.bytes().unwrap();
    let payload = Payload { msg: plain, aad: place };
    let ciphertext = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload).unwrap();
    [[1, 1].as_slice(), &nonce, &ciphertext, &commitment(key, &nonce, place)].concat()
}
