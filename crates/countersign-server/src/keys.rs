//! The two roots and what is derived from them. A node that only verifies never holds the root that opens secrets.
//! Keys live in files of their own directory, not beside the data; data without its keys never gets new ones.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use countersign_model::digest::{Digest, LookupKey};
use zeroize::Zeroizing;

use crate::random::Random;

const VERIFY_FILE: &str = "root-verify";
const REVEAL_FILE: &str = "root-reveal";

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
        "the data in {data} exists but its key file {key} does not; restore the keys directory from its own backup, \
             because new keys would make every token unusable"
    )]
    Missing {
        /// The data directory.
        data: PathBuf,
        /// The file.
        key: PathBuf,
    },
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
    /// Others can read a key.
    #[error(
        "{path} can be read by others (mode {mode:o}); run `chmod 400 {path}`, and rotate the keys if anybody may have"
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
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
    /// No randomness to make keys with.
    #[error("no randomness to make keys with")]
    NoRandomness,
}

/// The roots, in memory for the life of the process.
pub struct Keys {
    verify: Zeroizing<[u8; 32]>,
    reveal: Zeroizing<[u8; 32]>,
}

impl Keys {
    /// Loads the keys of an installation, or makes them when `data_is_empty`.
    pub fn load(
        directory: &Path,
        data: &Path,
        data_is_empty: bool,
        random: &Random,
    ) -> Result<Self, KeysError> {
        refuse_inside(directory, data)?;
        if data_is_empty {
            DirBuilder::new()
                .mode(0o700)
                .recursive(true)
                .create(directory)
                .map_err(|cause| io_error(directory, cause))?;
        }
        let read = |name| {
            let path = directory.join(name);
            match (path.exists(), data_is_empty) {
                (true, _) => read_key(&path),
                (false, true) => make_key(&path, random),
                (false, false) => Err(KeysError::Missing { data: data.to_owned(), key: path }),
            }
        };
        Ok(Self { verify: read(VERIFY_FILE)?, reveal: read(REVEAL_FILE)? })
    }

    /// Keys from two roots, for tests.
    pub fn from_roots(verify: [u8; 32], reveal: [u8; 32]) -> Self {
        Self { verify: Zeroizing::new(verify), reveal: Zeroizing::new(reveal) }
    }

    /// The key secrets of tokens are looked up by.
    pub fn lookup(&self) -> LookupKey {
        LookupKey::new(1, *self.derive("countersign 2026 lookup 1"))
    }

    /// The keyed tag of a value of one purpose: what is stored in its place.
    pub fn tag(&self, purpose: Purpose, value: &[u8]) -> Digest {
        let context = match purpose {
            Purpose::Session => "countersign 2026 session",
            Purpose::Device => "countersign 2026 device",
            Purpose::Gateway => "countersign 2026 gateway",
            Purpose::Platform => "countersign 2026 platform",
            Purpose::Code => "countersign 2026 code",
        };
        Digest::from_bytes(*blake3::keyed_hash(&self.derive(context), value).as_bytes())
    }

    /// The key page cursors are sealed with.
    pub fn cursor(&self) -> Zeroizing<[u8; 32]> {
        self.derive("countersign 2026 cursor")
    }

    /// The root that wraps the data keys of accounts.
    pub fn reveal_root(&self) -> &[u8; 32] {
        &self.reveal
    }

    fn derive(&self, context: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(blake3::derive_key(context, self.verify.as_ref()))
    }
}

/// Refuses keys that lie with the data, also where only links lead there.
fn refuse_inside(keys: &Path, data: &Path) -> Result<(), KeysError> {
    let real = |path: &Path| {
        let known = path.ancestors().find_map(|front| Some((front, front.canonicalize().ok()?)));
        known.map(|(front, real)| real.join(path.strip_prefix(front).unwrap_or(Path::new(""))))
    };
    let place = |path: &Path| {
        let path = std::path::absolute(path).map_err(|cause| io_error(path, cause))?;
        Ok::<_, KeysError>(real(&path).unwrap_or(path))
    };
    if place(keys)?.starts_with(place(data)?) {
        return Err(KeysError::InsideData { keys: keys.to_owned(), data: data.to_owned() });
    }
    Ok(())
}

fn read_key(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut file = fs::File::open(path).map_err(|cause| io_error(path, cause))?;
    let metadata = file.metadata().map_err(|cause| io_error(path, cause))?;
    if metadata.mode() & 0o077 != 0 {
        return Err(KeysError::TooOpen {
            path: path.to_owned(),
            mode: metadata.permissions().mode() & 0o777,
        });
    }
    let mut key = Zeroizing::new([0; 32]);
    let whole = metadata.len() == 32 && file.read_exact(key.as_mut()).is_ok();
    if whole { Ok(key) } else { Err(KeysError::Malformed(path.to_owned())) }
}

fn make_key(path: &Path, random: &Random) -> Result<Zeroizing<[u8; 32]>, KeysError> {
    let mut key = Zeroizing::new([0; 32]);
    random.fill(key.as_mut()).map_err(|_| KeysError::NoRandomness)?;
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(path)?;
        file.write_all(key.as_ref())?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
    };
    write().map_err(|cause| io_error(path, cause))?;
    Ok(key)
}

fn io_error(path: &Path, cause: io::Error) -> KeysError {
    KeysError::Io { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn keys_do_not_lie_with_the_data() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::create_dir(&data).unwrap();
        symlink(&data, directory.path().join("link")).unwrap();
        let random = Random::seeded(7);
        for (keys, refused) in [
            ("data", true),
            ("data/keys", true),
            ("data/a/b", true),
            ("link/keys", true),
            ("data/../data/keys", true),
            ("keys", false),
            ("data-keys", false),
            ("data/../other", false),
        ] {
            let loaded = Keys::load(&directory.path().join(keys), &data, true, &random);
            let inside = matches!(loaded, Err(KeysError::InsideData { .. }));
            assert_eq!(inside, refused, "{keys}");
            assert!(inside || loaded.is_ok(), "{keys}");
        }
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing was made with the data");
    }
}
