//! `countersign import`: brings existing credentials in, with their own SIDs and secrets. Without `--apply` it says what
//! would happen; with it all rows are written, or none.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Subcommand;
use countersign_server::limits::IMPORT_BYTES_MAX;
use http::Method;
use serde_json::Value;

use super::Desk;
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Format},
    progress,
    upload::Upload,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Import tokens from a CSV file; the book has its columns
    Tokens {
        /// The file
        file: PathBuf,
        /// Write; without it the file is only checked
        #[arg(long)]
        apply: bool,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let Command::Tokens { file, apply } = command;
    let bytes = read(&file)?;
    let bar = progress::bytes(bytes.len() as u64);
    let (checking, total) = (bar.clone(), bytes.len() as u64);
    let body = Upload::watched(
        bytes,
        Box::new(move |sent| {
            checking.set_position(sent);
            if sent == total {
                checking.set_message(if apply { "checking and writing" } else { "checking" });
            }
        }),
    );
    let path = format!("/api/v1/import?apply={apply}");
    let answered = desk.ask(Ask::new(Method::POST, path).body("text/csv", body)).await;
    bar.finish_and_clear();
    tell(desk.format, &file, apply, &answered?)
}

fn tell(format: Format, file: &Path, apply: bool, answer: &Value) -> Result<(), Failure> {
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (rows, accepted, refused) = (number("rows"), number("accepted"), number("refused"));
    let report = answer.get("report").and_then(Value::as_array).cloned().unwrap_or_default();
    match format {
        Format::Json => output::line(output::pretty(answer)),
        Format::Table if report.is_empty() => {}
        Format::Table => {
            output::rows(format, &[("ROW", "/row"), ("COLUMN", "/column"), ("WHY", "/reason")], &report);
        }
    }
    if refused > 0 {
        let more = refused.saturating_sub(report.len() as u64);
        let more = if more > 0 { format!("; {more} more are not listed") } else { String::new() };
        return Err(Failure::refused(format!(
            "{}: {refused} of {rows} rows are refused{more}; nothing was written",
            file.display()
        )));
    }
    output::note(if apply {
        format!("{accepted} tokens are imported and in force.")
    } else {
        format!("{accepted} rows can be imported; add --apply to do it.")
    });
    Ok(())
}

/// Reads the file; it is bounded, and the server takes no body of unknown length.
fn read(path: &Path) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(IMPORT_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|cause| Failure::unavailable(format!("{}: {cause}", path.display())))?;
    if bytes.len() as u64 > IMPORT_BYTES_MAX {
        let detail = format!("{}: larger than {IMPORT_BYTES_MAX} bytes; split it by account", path.display());
        return Err(Failure::refused(detail));
    }
    Ok(Bytes::from(bytes))
}
