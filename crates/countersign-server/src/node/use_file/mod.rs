//! The file in which uses are counted (`uses.counters` in the data directory): what a killed process leaves behind is read
//! and written to the store at the next start, once. It belongs to one database, which names it; a file that is torn,
//! cut short or of another database is left out, and told of.
//!
//! A file is written by one process and read by one after it, never both. While it is read nothing in it changes; how
//! far the reading is, is in the database, in one transaction with the uses.

mod left;
mod map;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use countersign_store::{Store, UsePlace};
use countersign_verify::{LINE_WORDS, LINES_PER_CHUNK, UseMemory, Verifier};

use self::map::Mapped;
use crate::{error::Error, limits::USE_CHUNKS_AHEAD, random::Random};

/// The name of the file.
pub(crate) const NAME: &str = "uses.counters";
const MAGIC: &[u8; 16] = b"countersign uses";
/// Changes with the layout of lines.
const VERSION: u64 = 1;
/// Bytes in front of the lines: a page, of which only the first bytes say anything.
const HEADER: usize = 4_096;
const LINE: usize = LINE_WORDS * 8;
const CHUNK: usize = LINES_PER_CHUNK * LINE;

/// The file of this process.
pub(crate) struct UseFile {
    file: File,
    chunks: u64,
}

impl UseFile {
    /// Writes to the store what the last process left behind, and begins a new file. Answers where that stands.
    pub(crate) async fn begin(
        store: &Store,
        directory: &Path,
        random: &Random,
    ) -> Result<(Self, UsePlace), Error> {
        let path = directory.join(NAME);
        left::recover(store, &path).await?;
        let place = UsePlace { file: random.bytes()?, report: 0, recovered: 0 };
        // Under another name until the database knows it: whatever is found under the right name is the one it knows, or
        // was written down already.
        let fresh = path.with_extension("new");
        let file = create(&fresh, &place).map_err(|error| unusable(&fresh, &error))?;
        store.note_use(&[], &place).await?;
        fs::rename(&fresh, &path)
            .and_then(|()| File::open(directory)?.sync_all())
            .map_err(|error| unusable(&path, &error))?;
        Ok((Self { file, chunks: 0 }, place))
    }

    /// Sees that there is room for the secrets of the next seconds. Without it their uses are counted in memory alone.
    pub(crate) fn keep_ahead(&mut self, verifier: &Verifier) -> io::Result<()> {
        while self.chunks * (LINES_PER_CHUNK as u64)
            < verifier.use_lines() + (USE_CHUNKS_AHEAD * LINES_PER_CHUNK) as u64
        {
            let chunk = self.chunk()?;
            if !verifier.give_use_memory(chunk) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next piece. Its blocks are allotted first: to write where the disk has none left ends the process.
    fn chunk(&mut self) -> io::Result<UseMemory> {
        let offset = HEADER as u64 + self.chunks * CHUNK as u64;
        rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), offset, CHUNK as u64)?;
        let mapped = Mapped::new(&self.file, offset, CHUNK)?;
        self.chunks += 1;
        Ok(Box::new(mapped))
    }

    /// A second handle, to have what is counted put on the disk from.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

fn create(path: &Path, place: &UsePlace) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&header(&place.file))?;
    file.sync_all()?;
    Ok(file)
}

fn header(id: &[u8; 32]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..16].copy_from_slice(MAGIC);
    // As this machine writes numbers, so that one that writes them otherwise does not take the lines for its own.
    header[16..24].copy_from_slice(&VERSION.to_ne_bytes());
    header[24..56].copy_from_slice(id);
    header
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::internal("the file of counters", &format!("{}: {error}", PathBuf::from(path).display()))
}
