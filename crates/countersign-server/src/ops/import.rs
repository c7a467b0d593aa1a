//! Brings existing credentials in from a CSV file, with their own SIDs and secrets or digests, so that no customer has
//! to change an integration. All rows or none; nothing is written unless asked. No SID and no secret stands in what it
//! reports.

mod check;
mod lines;
mod place;

use std::io::Read;

use countersign_model::change::Seq;
use countersign_store::{Conflict, Token, Write};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    limits::IMPORT_REFUSALS_TOLD_MAX,
    rights::Operator,
};
use check::Checker;
use lines::{Batch, read_lines};

/// Batches that are read ahead of those that are checked.
const BATCHES_AHEAD: usize = 4;

/// The columns, in the order of the manual. `secret` and `secret_sha256` are two ways to say one thing: a file has one
/// of them or both, a row exactly one.
pub const COLUMNS: [&str; 12] = [
    "account_external_id",
    "kind",
    "name",
    "sid",
    "secret",
    "secret_sha256",
    "access",
    "scopes",
    "api_version",
    "primary_contact",
    "state",
    "created_at",
];

/// What an import found and did.
#[derive(Debug, Clone, Default)]
pub struct ImportReport {
    /// Rows in the file, the header not counted.
    pub rows: u64,
    /// Rows that could be brought in.
    pub accepted: u64,
    /// Rows that could not.
    pub refused: u64,
    /// Whether anything was written: all of it was asked for and no row was refused.
    pub applied: bool,
    /// Why, row by row, for the first thousand.
    pub refusals: Vec<Refusal>,
    /// The change from which on the tokens work, where any was written.
    pub seq: Option<Seq>,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The row, from 1; the header not counted.
    pub row: u64,
    /// The column at fault; empty where it is the whole row.
    pub column: &'static str,
    /// What is wrong and what to do.
    pub reason: String,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many rows were read and checked.
    Checked(u64),
    /// So many tokens are being written.
    Writing(u64),
}

/// Imports a file. Without `apply` it only says what it would do. `progress` hears how far it is.
pub async fn run(
    app: &App,
    operator: &Operator,
    file: impl Read + Send + 'static,
    apply: bool,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<ImportReport, Error> {
    let (sender, mut batches) = mpsc::channel::<Batch>(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read_lines(file, &sender));
    let mut checker = Checker::new(app, operator)?;
    while let Some(batch) = batches.recv().await {
        checker.check(batch).await?;
        progress(Progress::Checked(checker.report.rows));
    }
    let read = reading.await.map_err(|error| Error::internal("import", &error))?;
    read?;
    let Checker { report, tokens, accounts, .. } = checker;
    let mut report = report;
    report.accepted = tokens.len() as u64;
    if !apply || report.refused > 0 || tokens.is_empty() {
        return Ok(report);
    }
    progress(Progress::Writing(report.accepted));
    let mut write = Write::new(audit(app, operator, &tokens)).insert_tokens(&tokens);
    for mut account in accounts.into_accounts_to_switch_on() {
        account.updated_at = app.clock.wall();
        write = write.update_account(&account);
    }
    let committed = app.commit(write).await.map_err(refusal_of_all)?;
    report.applied = true;
    report.seq = Some(committed.seq);
    Ok(report)
}

fn audit(app: &App, operator: &Operator, tokens: &[Token]) -> countersign_store::AuditDraft {
    let (mut accounts, mut legacy) = (std::collections::BTreeSet::new(), 0_u64);
    for token in tokens {
        accounts.insert(token.account);
        legacy += u64::from(token.access.kind().is_legacy());
    }
    operator.audit(
        app,
        None,
        Deed {
            action: "import.apply",
            subject: format!("{} tokens", tokens.len()),
            subject_label: "tokens",
            before: Value::Null,
            after: json!({ "tokens": tokens.len(), "legacy": legacy, "accounts": accounts.len() }),
        },
    )
}

/// What the rows cannot be checked against beforehand comes out in the write, which then leaves nothing behind.
fn refusal_of_all(error: Error) -> Error {
    let stale: Error = Conflict::Stale.into();
    if error.code != stale.code {
        return error;
    }
    let detail = "An account of the file was changed during the import; nothing was imported. Run it again.";
    Error::new(Kind::Unavailable, "busy", detail).retry_after(1)
}

impl ImportReport {
    fn refuse(&mut self, refusal: Refusal) {
        self.refused += 1;
        if self.refusals.len() < IMPORT_REFUSALS_TOLD_MAX {
            self.refusals.push(refusal);
        }
    }
}
