//! Reads the file line by line on a thread of its own, in bounded batches: the CSV grammar is the `csv` crate's, and it
//! blocks. It knows columns and bytes, not what they mean.

use std::io::{self, Read};

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::COLUMNS;
use crate::{
    error::{Error, Kind},
    limits::{IMPORT_BATCH_ROWS, IMPORT_BYTES_MAX, IMPORT_ROWS_MAX},
};

/// Rows in the order of the file.
pub(super) type Batch = Vec<Line>;

/// One row.
pub(super) struct Line {
    /// From 1; the header not counted.
    pub(super) row: u64,
    /// The fields by column, or why there are none.
    pub(super) fields: Result<Fields, &'static str>,
}

/// The fields of a row in the order of [`COLUMNS`]; those of a column the file lacks are empty. One is a secret, so all
/// are zeroed when dropped.
pub(super) struct Fields([Zeroizing<String>; COLUMNS.len()]);

impl Fields {
    /// A field. Secrets are taken as they stand; around everything else spaces mean nothing.
    pub(super) fn get(&self, column: &str) -> &str {
        let index = COLUMNS.iter().position(|known| *known == column);
        let text = index.map_or("", |index| self.0[index].as_str());
        if column == "secret" { text } else { text.trim() }
    }
}

/// Reads until the end or until nobody listens any more.
pub(super) fn read_lines(file: impl Read, batches: &mpsc::Sender<Batch>) -> Result<(), Error> {
    let bounded = Bounded { file, left: IMPORT_BYTES_MAX };
    let mut reader = ReaderBuilder::new().from_reader(bounded);
    let places = read_header(reader.byte_headers().map_err(|error| unreadable(&error))?)?;
    let (mut record, mut row, mut batch) = (ByteRecord::new(), 0_u64, Batch::new());
    loop {
        let fields = match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => fields_of(&record, &places),
            Err(error) if matches!(error.kind(), ErrorKind::UnequalLengths { .. }) => {
                Err("the row has another number of fields than the header")
            }
            Err(error) => return Err(unreadable(&error)),
        };
        row += 1;
        if row > IMPORT_ROWS_MAX {
            let detail = format!("The file has more than {IMPORT_ROWS_MAX} rows; split it.");
            return Err(Error::new(Kind::TooLarge, "import_too_large", detail));
        }
        batch.push(Line { row, fields });
        if batch.len() == IMPORT_BATCH_ROWS && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    }
    // Whoever no longer listens has given up on the import.
    let _ = batches.blocking_send(batch);
    Ok(())
}

/// Where each column stands in the file.
fn read_header(header: &ByteRecord) -> Result<[Option<usize>; COLUMNS.len()], Error> {
    let mut places = [None; COLUMNS.len()];
    for (place, name) in header.iter().enumerate() {
        let name = std::str::from_utf8(name).unwrap_or_default().trim_start_matches('\u{feff}').trim();
        let Some(index) = COLUMNS.iter().position(|column| *column == name) else {
            return Err(bad_header(&format!("The column {} of the header is none we know.", place + 1)));
        };
        if places[index].replace(place).is_some() {
            return Err(bad_header(&format!("The column {} stands in the header twice.", COLUMNS[index])));
        }
    }
    let has = |name: &str| {
        COLUMNS.iter().position(|column| *column == name).is_some_and(|index| places[index].is_some())
    };
    if !has("secret") && !has("secret_sha256") {
        return Err(bad_header("The header lacks the column secret or secret_sha256."));
    }
    match COLUMNS.into_iter().find(|column| !column.starts_with("secret") && !has(column)) {
        Some(missing) => Err(bad_header(&format!("The header lacks the column {missing}."))),
        None => Ok(places),
    }
}

fn bad_header(what: &str) -> Error {
    let detail = format!("{what} The first line names the columns: {}.", COLUMNS.join(", "));
    Error::new(Kind::Invalid, "import_header", detail)
}

fn fields_of(record: &ByteRecord, places: &[Option<usize>; COLUMNS.len()]) -> Result<Fields, &'static str> {
    let mut fields: [Zeroizing<String>; COLUMNS.len()] = std::array::from_fn(|_| Zeroizing::default());
    for (field, place) in fields.iter_mut().zip(places) {
        let bytes = place.and_then(|place| record.get(place)).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| "the row is not UTF-8")?.clone_into(&mut **field);
    }
    Ok(Fields(fields))
}

fn unreadable(error: &csv::Error) -> Error {
    match error.kind() {
        ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::FileTooLarge => {
            let detail = format!("The file is larger than {} MiB; split it.", IMPORT_BYTES_MAX / 1024 / 1024);
            Error::new(Kind::TooLarge, "import_too_large", detail)
        }
        ErrorKind::Io(_) => Error::malformed("The file ended before it was complete; send it again."),
        _ => Error::malformed(
            "The file is not CSV as RFC 4180 has it: comma-separated, quoted with double quotes.",
        ),
    }
}

/// A file that fails where it becomes too large.
struct Bounded<F> {
    file: F,
    left: u64,
}

impl<F: Read> Read for Bounded<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(io::ErrorKind::FileTooLarge.into()),
        }
    }
}
