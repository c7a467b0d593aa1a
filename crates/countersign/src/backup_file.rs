//! The file a backup is kept in: two lines that say what it is, then the database, all of it encrypted to recipients of
//! age (age-encryption.org/v1) where some are named. Writing it and reading it; what is done with the database is up to
//! the commands.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use age::{Decryptor, Encryptor, IdentityFile, NoCallbacks, stream::StreamWriter, x25519};
use countersign_server::ops::backup::{MAGIC, Manifest};

use crate::failure::Failure;

/// Longest of the two lines in front, in bytes.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// Most recipients, and most files with identities.
const RECIPIENTS_MAX: usize = 20;
/// How a file encrypted with age begins.
const AGE_BEGINS: &[u8] = b"age-encryption.org/v1";
/// Bytes that are copied at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Where a backup is written to. It is complete only after `finish`.
pub enum Sink {
    /// As it is.
    Plain(BufWriter<File>),
    /// Encrypted.
    Encrypted(Box<StreamWriter<BufWriter<File>>>),
}

impl Sink {
    /// A sink into this file, encrypted where there are recipients (`age1…`).
    pub fn new(file: File, recipients: &[String]) -> Result<Self, Failure> {
        let file = BufWriter::with_capacity(PIECE_BYTES, file);
        if recipients.is_empty() {
            return Ok(Self::Plain(file));
        }
        let recipients = parse_recipients(recipients)?;
        let listed = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(listed).map_err(|cause| cannot_encrypt(&cause))?;
        let writer = encryptor.wrap_output(file).map_err(|cause| cannot_encrypt(&cause))?;
        Ok(Self::Encrypted(Box::new(writer)))
    }

    /// Writes.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(piece),
            Self::Encrypted(file) => file.write_all(piece),
        }
    }

    /// Completes the file and waits until it is on disk.
    pub fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Encrypted(file) => file.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

/// Recipients as they are typed.
pub fn parse_recipients(recipients: &[String]) -> Result<Vec<x25519::Recipient>, Failure> {
    if recipients.len() > RECIPIENTS_MAX {
        return Err(Failure::usage(format!("more than {RECIPIENTS_MAX} recipients")));
    }
    let parse = |recipient: &String| {
        x25519::Recipient::from_str(recipient).map_err(|cause| {
            Failure::usage(format!("--recipient {recipient:?} is no age recipient: {cause}"))
        })
    };
    recipients.iter().map(parse).collect()
}

/// What reads a backup: its lines were read, and its database comes next.
pub struct Source {
    /// What the backup is.
    pub manifest: Manifest,
    database: Box<dyn Read + Send>,
}

impl Source {
    /// Opens a backup; where it is encrypted, with the identities of these files.
    pub fn open(path: &Path, identities: &[PathBuf]) -> Result<Self, Failure> {
        let unreadable = |cause: &dyn std::fmt::Display| {
            Failure::refused(format!("{} is no backup that can be read: {cause}", path.display()))
        };
        let file = File::open(path)
            .map_err(|cause| Failure::unavailable(format!("cannot read {}: {cause}", path.display())))?;
        let mut file = BufReader::with_capacity(PIECE_BYTES, file);
        let encrypted = file.fill_buf().map_err(|cause| unreadable(&cause))?.starts_with(AGE_BEGINS);
        let plain: Box<dyn Read + Send> = if encrypted {
            decrypted(file, identities).map_err(|cause| unreadable(&cause))?
        } else {
            Box::new(file)
        };
        let mut plain = BufReader::with_capacity(PIECE_BYTES, plain);
        let magic = line(&mut plain).map_err(|cause| unreadable(&cause))?;
        if magic != MAGIC {
            return Err(unreadable(&format!("it does not begin with {MAGIC:?}")));
        }
        let manifest = line(&mut plain).map_err(|cause| unreadable(&cause))?;
        let manifest = serde_json::from_str(&manifest).map_err(|cause| unreadable(&cause))?;
        Ok(Self { manifest, database: Box::new(plain) })
    }

    /// Copies the database, and holds it to what the manifest says. `on_progress` hears bytes done.
    pub fn unpack(mut self, mut into: File, on_progress: &mut dyn FnMut(u64)) -> Result<Manifest, Failure> {
        let mut checked = Checked::default();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = self.database.read(&mut piece).map_err(|cause| {
                Failure::refused(format!("the backup breaks off or was changed: {cause}"))
            })?;
            let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            checked.take(bytes);
            if checked.bytes > self.manifest.bytes {
                break;
            }
            into.write_all(bytes).map_err(|cause| cannot_write(&cause))?;
            on_progress(checked.bytes);
        }
        into.sync_all().map_err(|cause| cannot_write(&cause))?;
        checked.against(&self.manifest)?;
        Ok(self.manifest)
    }
}

/// The bytes of a database that went by.
#[derive(Default)]
pub struct Checked {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Checked {
    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// Holds what went by to the manifest.
    pub fn against(&self, manifest: &Manifest) -> Result<(), Failure> {
        let same = self.bytes == manifest.bytes && *self.hasher.finalize().to_hex() == *manifest.blake3;
        if same {
            return Ok(());
        }
        Err(Failure::refused(
            "the database in the backup is not the one its manifest tells of; use another backup",
        ))
    }
}

/// A backup on its way through: the lines in front are kept apart from the database behind them.
#[derive(Default)]
pub struct Passing {
    front: Vec<u8>,
    manifest: Option<Manifest>,
    checked: Checked,
}

impl Passing {
    /// Takes the next bytes.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.manifest.is_some() {
            self.checked.take(bytes);
            return Ok(());
        }
        self.front.extend_from_slice(bytes);
        let ends: Vec<usize> = self
            .front
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .map(|(at, _)| at)
            .take(2)
            .collect();
        let &[first, second] = ends.as_slice() else {
            let long = self.front.len() as u64 > 2 * LINE_BYTES_MAX;
            return if long { Err(no_backup()) } else { Ok(()) };
        };
        if self.front.get(..first) != Some(MAGIC.as_bytes()) {
            return Err(no_backup());
        }
        let manifest = self.front.get(first + 1..second).unwrap_or_default();
        self.manifest = Some(serde_json::from_slice(manifest).map_err(|_| no_backup())?);
        self.checked.take(self.front.get(second + 1..).unwrap_or_default());
        self.front = Vec::new();
        Ok(())
    }

    /// What went by, when it was whole.
    pub fn end(self) -> Result<Manifest, Failure> {
        let manifest = self.manifest.ok_or_else(no_backup)?;
        self.checked.against(&manifest)?;
        Ok(manifest)
    }
}

fn decrypted(file: BufReader<File>, identities: &[PathBuf]) -> Result<Box<dyn Read + Send>, String> {
    if identities.is_empty() {
        return Err("it is encrypted; name the file with your age identity by --identity".to_owned());
    }
    let mut keys: Vec<Box<dyn age::Identity + Send + Sync>> = Vec::new();
    for path in identities.iter().take(RECIPIENTS_MAX) {
        let told = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
        let opened = File::open(path).map_err(|cause| told(&cause))?;
        let file =
            IdentityFile::<NoCallbacks>::from_buffer(BufReader::new(opened)).map_err(|cause| told(&cause))?;
        keys.extend(file.into_identities().map_err(|cause| told(&cause))?);
    }
    let decryptor = Decryptor::new_buffered(file).map_err(|cause| cause.to_string())?;
    let reader = decryptor
        .decrypt(keys.iter().map(|key| key.as_ref() as &dyn age::Identity))
        .map_err(|cause| format!("it was not encrypted to this identity ({cause})"))?;
    Ok(Box::new(reader))
}

fn line(source: &mut impl io::BufRead) -> io::Result<String> {
    let mut text = String::new();
    source.take(LINE_BYTES_MAX).read_line(&mut text)?;
    let whole = text.pop() == Some('\n');
    if whole {
        Ok(text)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "its first lines are missing"))
    }
}

fn no_backup() -> Failure {
    Failure::unavailable("the server's answer is no backup; nothing was kept")
}

fn cannot_write(cause: &io::Error) -> Failure {
    Failure::unavailable(format!("cannot write the database: {cause}"))
}

fn cannot_encrypt(cause: &dyn std::fmt::Display) -> Failure {
    Failure::unavailable(format!("cannot encrypt: {cause}"))
}
