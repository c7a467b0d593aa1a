//! `countersign backup`: makes a backup while the server goes on, or examines one. Restoring is a command of its own.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use countersign_server::ops::backup::Manifest;
use countersign_store::{AuditFinding, Store};
use http::Method;
use indicatif::ProgressBar;

use super::Desk;
use crate::{
    backup_file::{Passing, Sink, Source, parse_recipients},
    connection::Ask,
    failure::Failure,
    output::{self, Destination, Format},
    progress,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Copy everything, as of one moment, into a new file
    Make {
        /// The file; it must not be there yet
        file: PathBuf,
        /// Encrypt it to this age recipient (age1…); may be given several times
        #[arg(long)]
        recipient: Vec<String>,
    },
    /// Read a backup through and recompute its digests and chains; needs no key of the installation
    Verify {
        /// The backup
        file: PathBuf,
        /// The file with your age identity, where the backup is encrypted
        #[arg(long)]
        identity: Vec<PathBuf>,
    },
}

/// Makes a backup.
pub async fn make(desk: &Desk, file: PathBuf, recipients: &[String]) -> Result<(), Failure> {
    parse_recipients(recipients)?;
    let Destination::File { file: opened, path } = Destination::prepare(Some(file))? else {
        return Err(Failure::usage("name the file of the backup"));
    };
    let done = receive(desk, Sink::new(opened, recipients)?).await;
    let manifest = match done {
        Ok(manifest) => manifest,
        Err(failure) => {
            let _ = std::fs::remove_file(&path);
            return Err(failure);
        }
    };
    show(desk.format, &manifest);
    output::note(format!(
        "The backup is {}. It opens nothing without the keys directory: keep a copy of that elsewhere.",
        path.display()
    ));
    if recipients.is_empty() {
        output::note(
            "It is not encrypted, and holds names and e-mail addresses; --recipient encrypts it to an age key.",
        );
    }
    Ok(())
}

async fn receive(desk: &Desk, mut sink: Sink) -> Result<Manifest, Failure> {
    let bar = progress::bytes(0);
    bar.set_message("copying");
    let mut passing = Passing::default();
    let mut take = |piece: &[u8], total: Option<u64>| {
        bar.set_length(total.unwrap_or(0));
        bar.inc(piece.len() as u64);
        passing.take(piece)?;
        sink.write(piece).map_err(|cause| Failure::unavailable(format!("cannot write the backup: {cause}")))
    };
    let streamed = desk.connection.stream(Ask::new(Method::POST, "/api/v1/backup"), &mut take).await;
    bar.finish_and_clear();
    streamed?;
    let manifest = passing.end()?;
    sink.finish().map_err(|cause| Failure::unavailable(format!("cannot write the backup: {cause}")))?;
    Ok(manifest)
}

/// Examines a backup.
pub async fn verify(format: Format, file: &Path, identities: &[PathBuf]) -> Result<(), Failure> {
    let directory = tempfile::Builder::new().prefix("countersign-").tempdir();
    let directory =
        directory.map_err(|cause| Failure::unavailable(format!("no room to unpack the backup: {cause}")))?;
    let database = directory.path().join("countersign.db");
    let source = Source::open(file, identities)?;
    let manifest = unpack(source, &database)?;
    examine(&manifest, &database).await?;
    show(format, &manifest);
    output::note(
        "The backup is whole: its digest, its file, its changes and its audit trail are as its manifest says.",
    );
    Ok(())
}

/// Unpacks the database of a backup into a new file of this process's user alone.
pub fn unpack(source: Source, database: &Path) -> Result<Manifest, Failure> {
    let Destination::File { file, .. } = Destination::prepare(Some(database.to_owned()))? else {
        return Err(Failure::usage("name the file of the database"));
    };
    let bar = progress::bytes(source.manifest.bytes);
    bar.set_message("unpacking");
    let unpacked = source.unpack(file, &mut |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    unpacked
}

/// Holds an unpacked database to its manifest, and recomputes both chains.
pub async fn examine(manifest: &Manifest, database: &Path) -> Result<(), Failure> {
    let wrong = |cause: &dyn std::fmt::Display| Failure::refused(format!("the backup is not whole: {cause}"));
    let copy = Store::open_copy(database).map_err(|cause| wrong(&cause))?;
    let facts = copy.facts().await.map_err(|cause| wrong(&cause))?;
    if !manifest.describes(&facts) {
        return Err(wrong(&"its database is not the one its manifest tells of"));
    }
    copy.check_file().await.map_err(|cause| wrong(&cause))?;
    let changes = bar("checking changes");
    let checked = copy.check_changes(&mut |done, all| advance(&changes, done, all)).await;
    changes.finish_and_clear();
    checked.map_err(|cause| wrong(&cause))?;
    let entries = bar("checking the audit trail");
    let finding = copy.verify_audit(&mut |done, all| advance(&entries, done, all)).await;
    entries.finish_and_clear();
    let finding = finding.map_err(|cause| wrong(&cause))?;
    copy.close().await.map_err(|cause| wrong(&cause))?;
    match finding {
        AuditFinding::Broken { number, reason } => Err(wrong(&format!("audit entry {number}: {reason}"))),
        AuditFinding::Whole { .. } => Ok(()),
    }
}

fn bar(message: &'static str) -> ProgressBar {
    let bar = progress::count(0);
    bar.set_message(message);
    bar
}

fn advance(bar: &ProgressBar, done: u64, all: u64) {
    bar.set_length(all);
    bar.set_position(done);
}

/// Shows what a backup is.
pub fn show(format: Format, manifest: &Manifest) {
    let columns = [
        ("INSTALLATION", "/cluster"),
        ("MADE AT", "/made_at_text"),
        ("MADE BY", "/made_by"),
        ("SCHEMA", "/schema_version"),
        ("LAST CHANGE", "/seq"),
        ("AUDIT ENTRIES", "/audit_entries"),
        ("BYTES", "/bytes"),
        ("BLAKE3", "/blake3"),
    ];
    let mut value = serde_json::to_value(manifest).unwrap_or_default();
    if format == Format::Table {
        value["made_at_text"] = manifest.made_at.to_string().into();
    }
    output::object(format, &columns, &value);
}
