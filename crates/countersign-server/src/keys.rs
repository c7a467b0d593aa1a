//! The keys of an installation: two roots, and what is derived from them. A node that only verifies never holds the root
//! that opens secrets. Roots live in files of their own directory (`keys/files.rs`); the database says which generations
//! are in use; data without its keys never gets new ones. How keys are rotated is in `ops/keys`.

mod evidence;
mod files;
mod ring;
mod settle;

use std::{io, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use countersign_model::digest::{Digest, LookupKey, LookupKeys};
use zeroize::Zeroizing;

pub use files::{KeyFiles, Root, RootKind};
pub use ring::{Pepper, Ring};

use crate::{error::Error, random::Random, sealing::InstallationKey};

const CURSOR: &str = "countersign 2026 cursor";

/// What one kind of keyed tag is for. Each has a key of its own, so that a tag of one kind proves nothing of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Session cookies.
    Session,
    /// Cookies of devices that signed in before.
    Device,
    /// Credentials of gateways.
    Gateway,
    /// Platform credentials.
    Platform,
    /// Invitation and bootstrap codes.
    Code,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The data is there and its keys are not.
    #[error(
        "the data exists but its key file {key} does not; restore that file from the backup of the keys directory, because new \
         keys would make every token unusable"
    )]
    Missing {
        /// The file.
        key: PathBuf,
    },
    /// A key, and not the one this data was written with.
    #[error(
        "the key file {0} is not the one this data was written with; restore that file from the backup of the keys \
         directory that belongs to this data"
    )]
    Wrong(PathBuf),
    /// Whoever copies the data would copy its keys.
    #[error(
        "the keys directory {keys} is inside of the data directory {data}; choose another with --keys-dir, so that a copy of the data opens nothing"
    )]
    InsideData {
        /// The keys directory.
        keys: PathBuf,
        /// The data directory.
        data: PathBuf,
    },
    /// Others can read or write a key, or the directory of the keys.
    #[error(
        "{path} can be reached by others (mode {mode:o}); run `chmod {private:o} {path}`, and rotate the keys if anybody may have read them"
    )]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        private: u32,
    },
    /// Somebody else owns a key, or the directory of the keys, and can change it.
    #[error("{path} belongs to user {owner} and Countersign runs as user {user}; run `chown {user} {path}`")]
    ForeignOwner {
        /// The file or directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// Not 32 bytes.
    #[error("{0} is not a key of 32 bytes; restore it from its backup")]
    Malformed(PathBuf),
    /// The directory or a file cannot be used.
    #[error("{path}: {cause}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The database does not say which keys are in use.
    #[error("cannot read or write which keys are in use: {0}")]
    Table(#[from] countersign_store::Error),
    /// What the database says of keys cannot be.
    #[error("the database says {0}; restore it from a backup")]
    Inconsistent(&'static str),
    /// No randomness to make keys with.
    #[error("no randomness to make keys with")]
    NoRandomness,
}

/// The keys, in memory for the life of the process.
pub struct Keys {
    files: KeyFiles,
    ring: ArcSwap<Ring>,
}

impl Purpose {
    const fn context(self) -> &'static str {
        match self {
            Self::Session => "countersign 2026 session",
            Self::Device => "countersign 2026 device",
            Self::Gateway => "countersign 2026 gateway",
            Self::Platform => "countersign 2026 platform",
            Self::Code => "countersign 2026 code",
        }
    }
}

impl Keys {
    /// The keys in use now. Whoever makes several things that belong together works with one ring.
    pub fn ring(&self) -> Arc<Ring> {
        self.ring.load_full()
    }

    /// The files the roots are in.
    pub fn files(&self) -> &KeyFiles {
        &self.files
    }

    /// The key that digests of new secrets are made with.
    pub fn lookup(&self) -> LookupKey {
        self.ring().peppers.newest.lookup()
    }

    /// The keys verification looks secrets up by.
    pub fn lookup_keys(&self) -> LookupKeys {
        self.ring().lookup_keys()
    }

    /// The keyed tag of a value of one purpose: what is stored in its place.
    pub fn tag(&self, purpose: Purpose, value: &[u8]) -> Digest {
        ring::tag(self.ring().verify_root(), purpose, value)
    }

    /// The keyed tag of a value of one purpose, and the generation of the verify root it is made with.
    pub fn rooted_tag(&self, purpose: Purpose, value: &[u8]) -> (u16, Digest) {
        let ring = self.ring();
        (ring.verify_root_generation(), ring::tag(ring.verify_root(), purpose, value))
    }

    /// A tag made with the verify root before, under a layer of the newest: what it stands for is not at hand.
    pub(crate) fn layer_tag(&self, purpose: Purpose, former: Digest) -> Digest {
        ring::layer_tag(self.ring().verify_root(), purpose, former)
    }

    /// The generations of peppers in use, and whether each is accepted alone.
    pub(crate) fn lookup_generations(&self) -> Vec<(u16, bool)> {
        self.ring().peppers().map(|pepper| (pepper.generation, pepper.direct)).collect()
    }

    /// Makes the file of a root; one that a rotation left when it was cut off is taken.
    pub(crate) fn make_root(&self, kind: RootKind, generation: u16, random: &Random) -> Result<Root, Error> {
        self.files.make(kind, generation, random).map_err(|error| Error::unavailable("keys", &error))
    }

    /// What is kept of a pepper to tell a wrong key from the right one. Its root may be one that is not in use yet.
    pub(crate) fn pepper_proof(&self, root: u16, generation: u16) -> Result<[u8; 32], Error> {
        let read = self.files.read(RootKind::Verify, root);
        let root = read.map_err(|error| Error::unavailable("keys", &error))?;
        let root =
            root.ok_or_else(|| Error::unavailable("keys", &"the file of the verify root is missing"))?;
        Ok(ring::pepper_proof(&root, generation))
    }

    /// Every tag a value may be stored under: made with the newest verify root, made with one before that is still in
    /// use, or that under a layer of the newest.
    pub fn tags(&self, purpose: Purpose, value: &[u8]) -> Vec<Digest> {
        self.ring.load().tags(purpose, value)
    }

    /// The key page cursors are sealed with.
    pub fn cursor(&self) -> Zeroizing<[u8; 32]> {
        self.ring().newest_derived(CURSOR)
    }

    /// The keys a page cursor may have been sealed with, newest first.
    pub fn cursors(&self) -> Vec<Zeroizing<[u8; 32]>> {
        self.ring().derived(CURSOR)
    }

    /// The keys that row MACs are made with, newest first.
    pub fn evidence(&self) -> Vec<Zeroizing<[u8; 32]>> {
        self.ring().derived("countersign 2026 evidence")
    }

    /// The key of what belongs to the installation and to no account: secrets of webhooks, codes that wait to be sent.
    pub fn installation(&self) -> InstallationKey {
        InstallationKey::of(self.ring())
    }

    /// The names of the files in use, each with a hash that tells keys apart and opens nothing: a backup carries them, so
    /// that a restore says at once whether these keys are its.
    pub fn fingerprints(&self) -> Vec<(String, [u8; 16])> {
        let ring = self.ring();
        let roots = |kind: RootKind, roots: &ring::InUse<Arc<Root>>| {
            roots
                .iter()
                .map(|root| (kind.file_name(root.generation()), root.fingerprint()))
                .collect::<Vec<_>>()
        };
        let mut all = roots(RootKind::Verify, &ring.verify);
        all.extend(roots(RootKind::Reveal, &ring.reveal));
        all
    }
}
