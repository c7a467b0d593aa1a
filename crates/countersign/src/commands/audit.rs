//! `countersign audit`: proves the chain of the audit trail, or exports it as JSON Lines.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use clap::Subcommand;
use http::Method;
use serde_json::Value;

use super::Desk;
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Format},
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Recompute every hash of the chain
    Verify,
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
        Command::Verify => verify(desk).await,
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
    let entries = desk.connection.copy(Ask::get("/api/v1/audit/export"), &mut sink).await?;
    output::note(format!("{entries} entries."));
    Ok(())
}
