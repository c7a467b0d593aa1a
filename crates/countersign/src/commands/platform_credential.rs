//! `countersign platform-credential`: machines with operator rights. A credential is shown once.

use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::json;

use super::{Desk, listing::text};
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column, Destination},
};

const PATH: &str = "/api/v1/platform-credentials";
const COLUMNS: [Column<'static>; 5] = [
    ("ID", "/id"),
    ("NAME", "/name"),
    ("ENDS IN", "/last4"),
    ("CREATED", "/created_at"),
    ("EXPIRES", "/expires_at"),
];

const MADE: [Column<'static>; 2] =
    [("NAME", "/platform_credential/name"), ("EXPIRES", "/platform_credential/expires_at")];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a credential; prints it once
    Create {
        /// Its name
        name: String,
        /// From when it no longer works: 2027-01-01T00:00:00Z
        #[arg(long)]
        expires_at: Option<String>,
        /// Write the credential to this new file (mode 0600) instead of printing it
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// List credentials
    List,
    /// Remove a credential; it fails at once
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { name, expires_at, out } => {
            let mut body = json!({ "name": name });
            if let Some(expires_at) = expires_at {
                body["expires_at"] = expires_at.into();
            }
            let destination = Destination::prepare(out)?;
            let made = desk.ask(Ask::new(Method::POST, PATH).json(&body)).await?;
            output::credential(desk.format, &MADE, &made, "credential", destination)
        }
        Command::List => {
            output::rows(desk.format, &COLUMNS, &desk.list(PATH).await?);
            Ok(())
        }
        Command::Delete { name, yes } => {
            let all = desk.list(PATH).await?;
            let found = all.iter().find(|one| text(one, "name") == name);
            let one = found
                .ok_or_else(|| Failure::refused(format!("there is no platform credential named {name:?}")))?;
            output::confirm(&format!("Machines that use {name} are refused at once."), &name, yes)?;
            desk.ask(Ask::new(Method::DELETE, format!("{PATH}/{}", text(one, "id")))).await?;
            output::note(format!("Platform credential {name} is gone."));
            Ok(())
        }
    }
}
