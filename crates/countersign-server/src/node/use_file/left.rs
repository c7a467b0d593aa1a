//! Reads what a process left behind in its file of counters, a piece at a time, and writes it to the store. It changes
//! nothing in the file.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use countersign_store::{Store, UsePlace};
use countersign_verify::{LINE_WORDS, left_behind};

use super::{HEADER, LINE, header, unusable};
use crate::{error::Error, limits::USES_PER_FLUSH_MAX, node::usage_flush::last_use};

/// Writes what is left, once.
pub(super) async fn recover(store: &Store, path: &Path) -> Result<(), Error> {
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path, &error)),
    };
    let place = store.use_place().await?;
    let mut found = [0; HEADER];
    let whole = fill(&mut file, &mut found).map_err(|error| unusable(path, &error))?;
    let Some(mut place) = place.filter(|place| whole && found == header(&place.file)) else {
        tracing::warn!(
            path = %path.display(),
            "the file of counters is not the one this database counts with; it is left out, and uses that were not written down yet are missed"
        );
        return Ok(());
    };
    let (mut line, mut uses, mut torn, mut sum) = (0, Vec::new(), 0_u64, 0);
    let mut words = [0; LINE];
    while fill(&mut file, &mut words).map_err(|error| unusable(path, &error))? {
        line += 1;
        if line <= place.recovered {
            continue;
        }
        match left_behind(&numbers(&words), place.report) {
            Ok(left) => uses.extend(left.map(last_use)),
            Err(_) => torn += 1,
        }
        if uses.len() == USES_PER_FLUSH_MAX {
            place.recovered = line;
            sum += write(store, &mut uses, &place).await?;
        }
    }
    place.recovered = line;
    sum += write(store, &mut uses, &place).await?;
    if torn > 0 {
        tracing::warn!(torn, "counters of some secrets are torn; their last uses are missed");
    }
    if sum > 0 {
        tracing::info!(uses = sum, "uses that the last process had counted and not written down are written");
    }
    Ok(())
}

async fn write(
    store: &Store,
    uses: &mut Vec<countersign_store::LastUse>,
    place: &UsePlace,
) -> Result<u64, Error> {
    store.note_use(uses, place).await?;
    let sum = uses.iter().map(|one| one.uses).sum();
    uses.clear();
    Ok(sum)
}

/// Fills the whole buffer; `false` at the end of the file, and where only a part of it is left.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn numbers(bytes: &[u8; LINE]) -> [u64; LINE_WORDS] {
    let (words, _) = bytes.as_chunks();
    std::array::from_fn(|word| u64::from_ne_bytes(words[word]))
}
