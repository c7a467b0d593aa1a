//! `countersign versions`: who still uses which API version.

use clap::Subcommand;
use serde_json::Value;

use super::{
    Desk,
    listing::{query_value, text},
};
use crate::{
    failure::Failure,
    output::{self, Column},
};

const COLUMNS: [Column<'static>; 9] = [
    ("KIND", "/kind"),
    ("VERSION", "/number"),
    ("STATE", "/state"),
    ("DEPRECATED", "/deprecated_at"),
    ("SUNSET", "/sunset_at"),
    ("TOKENS", "/tokens"),
    ("OWN", "/tokens_own"),
    ("USED IN 30 DAYS", "/tokens_used"),
    ("ACCOUNTS", "/accounts"),
];

const TOKENS: [Column<'static>; 8] = [
    ("ACCOUNT", "/account/name"),
    ("TOKEN", "/name"),
    ("ACCOUNT SID", "/sid"),
    ("OWN VERSION", "/api_version"),
    ("LAST USED IN IT", "/last_used_at"),
    ("ENABLED", "/enabled"),
    ("CONTACT", "/primary_contact/email"),
    ("DEVELOPERS", "/developer_emails"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say how many tokens are on each API version; with --version, which tokens, and whom to talk to
    Report {
        /// Only this account kind
        #[arg(long)]
        kind: Option<String>,
        /// List the tokens on this version; with more than one kind, name the kind, too
        #[arg(long)]
        version: Option<u16>,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    let Command::Report { kind, version } = command;
    let all = desk.list("/api/v1/versions").await?;
    let of_kind = |row: &Value| kind.as_deref().is_none_or(|kind| text(row, "kind") == kind);
    let rows: Vec<Value> = all.into_iter().filter(of_kind).collect();
    if let Some(kind) = kind.as_deref().filter(|_| rows.is_empty()) {
        return Err(Failure::refused(format!(
            "there is no account kind {kind:?}; `countersign catalog show` lists them"
        )));
    }
    let Some(version) = version else {
        output::rows(desk.format, &COLUMNS, &rows);
        return Ok(());
    };
    let kinds: Vec<&str> = rows
        .iter()
        .filter(|row| row.get("number").and_then(Value::as_u64) == Some(version.into()))
        .map(|row| text(row, "kind"))
        .collect();
    match kinds.as_slice() {
        [] => Err(Failure::refused(format!(
            "there is no version {version}; `countersign versions report` lists them"
        ))),
        [kind] => {
            let path = format!("/api/v1/versions/{}/{version}/tokens", query_value(kind));
            output::rows(desk.format, &TOKENS, &desk.list(&path).await?);
            Ok(())
        }
        several => Err(Failure::usage(format!(
            "version {version} is one of {}; say which with --kind",
            several.join(", ")
        ))),
    }
}
