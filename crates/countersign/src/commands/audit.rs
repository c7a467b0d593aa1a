//! `countersign audit`: proves the chain of the audit trail, or exports it as JSON Lines.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use countersign_server::limits::CHECKPOINTS_CHECKED_MAX;
use http::Method;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::Desk;
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Format},
    progress,
};

/// Bytes at the end of a file that checkpoints are looked for in.
const CHECKPOINT_FILE_BYTES_READ: u64 = 8 * 1024 * 1024;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Recompute every hash of the chain
    Verify {
        /// Also hold it to the checkpoints in this file, a line each, as `audit.checkpoint_file` or the log has them
        #[arg(long)]
        checkpoints: Option<PathBuf>,
    },
    /// Write every entry, oldest first, a JSON object a line
    Export {
        /// Write to this file (mode 0600) instead of standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify { checkpoints } => {
            let kept = checkpoints.map(|path| read_checkpoints(&path)).transpose()?;
            verify(desk).await?;
            match kept {
                Some(kept) => hold(desk, &kept).await,
                None => Ok(()),
            }
        }
        Command::Export { out } => export(desk, out).await,
    }
}

async fn verify(desk: &Desk) -> Result<(), Failure> {
    let finding = desk.ask(Ask::new(Method::POST, "/api/v1/audit/verify")).await?;
    let whole = finding.get("whole").and_then(Value::as_bool).unwrap_or(false);
    match desk.format {
        Format::Json => output::line(output::pretty(&finding)),
        Format::Table if whole => {
            let entries = finding.get("entries").and_then(Value::as_u64).unwrap_or(0);
            output::line(format!("The chain is whole: {entries} entries."));
        }
        Format::Table => {}
    }
    if whole {
        return Ok(());
    }
    let number = finding.get("broken_at").and_then(Value::as_u64).unwrap_or(0);
    let reason = finding.get("reason").and_then(Value::as_str).unwrap_or("it does not fit the one before");
    Err(Failure::refused(format!(
        "the chain is broken at entry {number}: {reason}; keep this database for an inquiry"
    )))
}

async fn export(desk: &Desk, out: Option<PathBuf>) -> Result<(), Failure> {
    let mut sink: Box<dyn Write + Send> =
        match &out {
            None => Box::new(std::io::stdout()),
            Some(path) => {
                let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
                Box::new(file.map_err(|cause| {
                    Failure::unavailable(format!("cannot write {}: {cause}", path.display()))
                })?)
            }
        };
    let newest = desk.ask(Ask::get("/api/v1/audit?limit=1")).await?;
    let newest = newest.pointer("/items/0/number").and_then(Value::as_u64).unwrap_or(0);
    let bar = progress::count(newest);
    let mut counted = Counted { sink: &mut sink, bar: &bar };
    let copied = desk.connection.copy(Ask::get("/api/v1/audit/export"), &mut counted).await;
    bar.finish_and_clear();
    output::note(format!("{} entries.", copied?));
    Ok(())
}

/// A sink whose lines advance a bar.
struct Counted<'s> {
    sink: &'s mut (dyn Write + Send),
    bar: &'s ProgressBar,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        let lines = bytes.get(..written).unwrap_or_default().split(|byte| *byte == b'\n').count() - 1;
        self.bar.inc(lines as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The newest checkpoints of a file. A line of the log has one in a field of its own.
fn read_checkpoints(path: &Path) -> Result<Vec<Value>, Failure> {
    let text = end_of(path)
        .map_err(|cause| Failure::unavailable(format!("cannot read {}: {cause}", path.display())))?;
    let mut found: Vec<Value> =
        text.lines().rev().filter_map(checkpoint_in).take(CHECKPOINTS_CHECKED_MAX).collect();
    found.reverse();
    if found.is_empty() {
        return Err(Failure::refused(format!("{} has no checkpoint in it", path.display())));
    }
    Ok(found)
}

/// The last part of a file: logs are long, and the newest checkpoints are the ones that tell.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(CHECKPOINT_FILE_BYTES_READ)))?;
    let mut bytes = Vec::new();
    file.take(CHECKPOINT_FILE_BYTES_READ).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn checkpoint_in(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line).ok()?;
    let value = match value.get("checkpoint").and_then(Value::as_str) {
        Some(inner) => serde_json::from_str(inner).ok()?,
        None => value,
    };
    value.get("signature").is_some().then_some(value)
}

async fn hold(desk: &Desk, checkpoints: &[Value]) -> Result<(), Failure> {
    let ask = Ask::new(Method::POST, "/api/v1/audit/checkpoints/check");
    let held = desk.ask(ask.json(&json!({ "checkpoints": checkpoints }))).await?;
    let number = |name: &str| held.get(name).and_then(Value::as_u64).unwrap_or(0);
    if held.get("agrees").and_then(Value::as_bool) == Some(true) {
        output::note(format!(
            "It agrees with {} checkpoints, the newest of entry {}.",
            number("compared"),
            number("newest")
        ));
        return Ok(());
    }
    let reason = held.get("reason").and_then(Value::as_str).unwrap_or("it is another trail");
    Err(Failure::refused(format!(
        "the trail does not agree with the checkpoint of entry {}: {reason}; keep this database for an inquiry",
        number("differs_at")
    )))
}
