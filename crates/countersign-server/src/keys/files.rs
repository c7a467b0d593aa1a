//! Roots on disk: one file per root and generation, 32 bytes, for its owner alone, in a directory of their own. A file is
//! made once, whole or not at all, and never changed: its name always means the same key. It deletes nothing.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use countersign_store::KeyKind;
use zeroize::Zeroizing;

use crate::{
    keys::{KeysError, Purpose},
    limits::KEY_FILES_MAX,
    random::Random,
};

/// The name of the seed of the key that signs the audit trail.
const SIGNING_FILE: &str = "audit-signing";

/// One of the two roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RootKind {
    /// Verification is derived from it.
    Verify,
    /// It wraps data keys.
    Reveal,
}

/// A root in memory.
pub struct Root {
    generation: u16,
    key: Zeroizing<[u8; 32]>,
    /// What tags of gateways are made with, derived once: every ask begins with one.
    gateway: Zeroizing<[u8; 32]>,
}

/// The directory of the roots.
pub struct KeyFiles {
    directory: PathBuf,
}

impl RootKind {
    /// What the database calls it.
    pub const fn of(self) -> KeyKind {
        match self {
            Self::Verify => KeyKind::VerifyRoot,
            Self::Reveal => KeyKind::RevealRoot,
        }
    }

    const fn first_name(self) -> &'static str {
        match self {
            Self::Verify => "root-verify",
            Self::Reveal => "root-reveal",
        }
    }

    /// The generation of the file with this name, where it is a root of this kind.
    fn generation_of(self, name: &str) -> Option<u16> {
        let rest = name.strip_prefix(self.first_name())?;
        let generation = if rest.is_empty() { 1 } else { rest.strip_prefix('.')?.parse().ok()? };
        (self.file_name(generation) == name).then_some(generation)
    }

    /// The name of the file of a generation: `root-reveal`, then `root-reveal.2`.
    pub fn file_name(self, generation: u16) -> String {
        let name = self.first_name();
        if generation == 1 { name.to_owned() } else { format!("{name}.{generation}") }
    }
}

impl Root {
    /// A root from its bytes.
    pub fn new(generation: u16, key: [u8; 32]) -> Self {
        Self::of(generation, Zeroizing::new(key))
    }

    fn of(generation: u16, key: Zeroizing<[u8; 32]>) -> Self {
        let gateway = Zeroizing::new(blake3::derive_key(Purpose::Gateway.context(), key.as_ref()));
        Self { generation, key, gateway }
    }

    /// The key that tags of gateways are made with.
    pub(super) fn gateway(&self) -> &[u8; 32] {
        &self.gateway
    }

    /// Its generation.
    pub fn generation(&self) -> u16 {
        self.generation
    }

    /// The key itself.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    /// What is kept of it to tell a wrong file from the right one: a hash that opens nothing.
    pub fn proof(&self) -> [u8; 32] {
        blake3::derive_key("countersign 2026 proof of a root", self.key.as_ref())
    }

    /// What a backup carries of it: another hash that opens nothing.
    pub fn fingerprint(&self) -> [u8; 16] {
        let whole = blake3::derive_key("countersign 2026 fingerprint", self.key.as_ref());
        let mut front = [0; 16];
        front.copy_from_slice(&whole[..16]);
        front
    }
}

impl KeyFiles {
    /// Opens the directory; where the installation is empty, makes it and the first roots. Refuses one that lies with the data or that
    /// others can reach.
    pub fn open(
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
        match fs::metadata(directory) {
            Ok(metadata) => refuse_shared(directory, &metadata, 0o700)?,
            // The files are then missing, and what is said of them tells what to do.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(io_error(directory, cause)),
        }
        let files = Self { directory: directory.to_owned() };
        if data_is_empty {
            files.make(RootKind::Verify, 1, random)?;
            files.make(RootKind::Reveal, 1, random)?;
        }
        Ok(files)
    }

    /// Where the key of a generation is.
    pub fn path(&self, kind: RootKind, generation: u16) -> PathBuf {
        self.directory.join(kind.file_name(generation))
    }

    /// Reads a root; `None` where there is no such file.
    pub fn read(&self, kind: RootKind, generation: u16) -> Result<Option<Root>, KeysError> {
        let key = Self::read_key(&self.path(kind, generation))?;
        Ok(key.map(|key| Root::of(generation, key)))
    }

    /// Every verify root that is there, newest first, whatever the database says of it: it is needed to open the database.
    pub fn verify_roots(&self) -> Result<Vec<Root>, KeysError> {
        self.roots_at_hand(RootKind::Verify)
    }

    /// The names of all roots that are there, each with a hash that tells keys apart and opens nothing.
    pub fn fingerprints_at_hand(&self) -> Result<Vec<(String, [u8; 16])>, KeysError> {
        let mut fingerprints = Vec::new();
        for kind in [RootKind::Verify, RootKind::Reveal] {
            let roots = self.roots_at_hand(kind)?;
            fingerprints
                .extend(roots.iter().map(|root| (kind.file_name(root.generation()), root.fingerprint())));
        }
        Ok(fingerprints)
    }

    /// The names of all root files that are there.
    pub fn names_at_hand(&self) -> Result<Vec<String>, KeysError> {
        Ok(self.fingerprints_at_hand()?.into_iter().map(|(name, _)| name).collect())
    }

    fn roots_at_hand(&self, kind: RootKind) -> Result<Vec<Root>, KeysError> {
        let mut generations = Vec::new();
        let failed = |cause| io_error(&self.directory, cause);
        for entry in fs::read_dir(&self.directory).map_err(failed)?.take(KEY_FILES_MAX) {
            let name = entry.map_err(failed)?.file_name();
            generations.extend(name.to_str().and_then(|name| kind.generation_of(name)));
        }
        generations.sort_unstable_by_key(|generation| std::cmp::Reverse(*generation));
        let read = |generation| self.read(kind, generation).transpose();
        generations.into_iter().filter_map(read).collect()
    }

    /// Makes a root where there is none; one that is there, from a rotation that was cut off, is taken. On disk when this
    /// returns.
    pub fn make(&self, kind: RootKind, generation: u16, random: &Random) -> Result<Root, KeysError> {
        let key = self.make_key(&self.path(kind, generation), random)?;
        Ok(Root::of(generation, key))
    }

    /// The seed of the key that signs the audit trail. Made where there is none and `may_make` says so.
    pub fn signing(&self, may_make: bool, random: &Random) -> Result<Zeroizing<[u8; 32]>, KeysError> {
        let path = self.directory.join(SIGNING_FILE);
        if may_make {
            return self.make_key(&path, random);
        }
        Self::read_key(&path)?.ok_or(KeysError::Missing { key: path })
    }

    /// The fingerprint of a root file of this name; `None` where there is no such file.
    pub fn fingerprint(&self, name: &str) -> Result<Option<[u8; 16]>, KeysError> {
        let key = Self::read_key(&self.directory.join(name))?;
        Ok(key.map(|key| Root::of(0, key).fingerprint()))
    }

    fn read_key(path: &Path) -> Result<Option<Zeroizing<[u8; 32]>>, KeysError> {
        let mut file = match fs::File::open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(io_error(path, cause)),
        };
        let metadata = file.metadata().map_err(|cause| io_error(path, cause))?;
        refuse_shared(path, &metadata, 0o400)?;
        let mut key = Zeroizing::new([0; 32]);
        let whole = metadata.len() == 32 && file.read_exact(key.as_mut()).is_ok();
        if whole { Ok(Some(key)) } else { Err(KeysError::Malformed(path.to_owned())) }
    }

    fn make_key(&self, path: &Path, random: &Random) -> Result<Zeroizing<[u8; 32]>, KeysError> {
        if let Some(key) = Self::read_key(path)? {
            return Ok(key);
        }
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut()).map_err(|_| KeysError::NoRandomness)?;
        self.write(path, &key).map_err(|cause| io_error(path, cause))?;
        Ok(key)
    }

    /// A file under another name first, so that a power cut leaves a whole key or none.
    fn write(&self, path: &Path, key: &[u8; 32]) -> io::Result<()> {
        let draft = path.with_extension("new");
        match fs::remove_file(&draft) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o400).open(&draft)?;
        file.write_all(key)?;
        file.sync_all()?;
        // Unlike a renaming, a link never takes the place of a key that is there.
        fs::hard_link(&draft, path)?;
        fs::remove_file(&draft)?;
        fs::File::open(&self.directory)?.sync_all()
    }
}

/// Refuses what others can read or write, or what belongs to somebody else.
fn refuse_shared(path: &Path, metadata: &fs::Metadata, private: u32) -> Result<(), KeysError> {
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeysError::TooOpen { path: path.to_owned(), mode, private });
    }
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user && metadata.uid() != 0 {
        return Err(KeysError::ForeignOwner { path: path.to_owned(), owner: metadata.uid(), user });
    }
    Ok(())
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

fn io_error(path: &Path, cause: io::Error) -> KeysError {
    KeysError::Io { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn keys_do_not_lie_with_the_data() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        fs::create_dir(&data).unwrap();
        symlink(&data, directory.path().join("link")).unwrap();
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
            let opened = KeyFiles::open(&directory.path().join(keys), &data, true, &Random::seeded(7));
            let inside = matches!(opened, Err(KeysError::InsideData { .. }));
            assert_eq!(inside, refused, "{keys}");
            assert!(inside || opened.is_ok(), "{keys}");
        }
        assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing was made with the data");
    }

    #[test]
    fn what_others_reach_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (keys, data) = (directory.path().join("keys"), directory.path().join("data"));
        let files = KeyFiles::open(&keys, &data, true, &Random::seeded(7)).unwrap();
        let file = files.path(RootKind::Reveal, 1);
        assert_eq!(fs::metadata(&keys).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o400);
        for (mode, refused) in
            [(0o400, false), (0o600, false), (0o440, true), (0o404, true), (0o420, true), (0o402, true)]
        {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let read = files.read(RootKind::Reveal, 1);
            assert_eq!(matches!(read, Err(KeysError::TooOpen { .. })), refused, "{mode:o}");
        }
        for (mode, refused) in
            [(0o700, false), (0o500, false), (0o750, true), (0o770, true), (0o702, true), (0o707, true)]
        {
            fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
            let opened = KeyFiles::open(&keys, &data, false, &Random::seeded(7));
            assert_eq!(matches!(opened, Err(KeysError::TooOpen { .. })), refused, "{mode:o}");
        }
        let (metadata, user) = (fs::metadata("/").unwrap(), rustix::process::geteuid().as_raw());
        assert!(
            metadata.uid() == 0 || user != 0,
            "what belongs to the system's administrator is no stranger's"
        );
    }

    #[test]
    fn a_key_is_whole_or_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let (keys, data) = (directory.path().join("keys"), directory.path().join("data"));
        let files = KeyFiles::open(&keys, &data, true, &Random::seeded(7)).unwrap();
        let random = Random::seeded(7);
        // What a process that was killed leaves: a draft, in parts.
        fs::write(keys.join("root-reveal.new"), [1, 2, 3]).unwrap();
        let made = files.make(RootKind::Reveal, 2, &random).unwrap();
        assert_eq!(
            files.make(RootKind::Reveal, 2, &random).unwrap().proof(),
            made.proof(),
            "taken, not made anew"
        );
        assert_eq!(files.read(RootKind::Reveal, 2).unwrap().unwrap().proof(), made.proof());
        assert!(files.read(RootKind::Reveal, 3).unwrap().is_none());
        fs::write(keys.join("root-reveal.3"), [0; 31]).unwrap();
        fs::set_permissions(keys.join("root-reveal.3"), fs::Permissions::from_mode(0o400)).unwrap();
        assert!(matches!(files.read(RootKind::Reveal, 3), Err(KeysError::Malformed(_))));
    }
}
