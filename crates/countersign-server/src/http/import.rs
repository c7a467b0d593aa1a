//! `/api/v1/import`: existing credentials, brought in from a CSV file that is read as it arrives.

use std::{
    io::{self, Read},
    sync::Arc,
};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
};
use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use http::header;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{AsOperator, Query, refuse_packed},
    problem::ChangeProblems,
};
use crate::{
    app::App,
    error::{Error, Kind},
    ops::import::{self, ImportReport},
};

/// Pieces of the body that are read ahead of the file's reader.
const PIECES_AHEAD: usize = 4;

/// The routes of the import.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(import_tokens))
}

/// Whether to write.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportParameters {
    /// `true` to write; when absent the file is only checked.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    apply: bool,
}

/// What an import found and did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportAnswer {
    /// Rows in the file, the header not counted.
    rows: u64,
    /// Rows that could be brought in.
    accepted: u64,
    /// Rows that could not. Where there is one, nothing is written.
    refused: u64,
    /// Whether the tokens were written.
    applied: bool,
    /// The change from which on they work, where they were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// Why, row by row, for the first thousand.
    #[schema(max_items = 1000)]
    report: Vec<RefusedRow>,
}

/// Why a row was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedRow {
    /// The row, from 1; the header not counted.
    row: u64,
    /// The column at fault; empty where it is the whole row.
    #[schema(example = "api_version")]
    column: &'static str,
    /// What is wrong and what to do.
    reason: String,
}

/// Bring existing credentials in.
///
/// From a CSV file, with their own SIDs and secrets or digests: all rows or none. Without `apply` it only says what it
/// would do. The columns are `account_external_id`, `kind`, `name`, `sid`, `secret` or `secret_sha256`, `access`
/// (`scoped`, `read_write`, `read_only`), `scopes` (separated by spaces), `api_version`, `primary_contact` (an e-mail
/// address), `state`, `created_at`; at most 64 MiB and 200,000 rows. Operators only.
#[utoipa::path(
    post,
    path = "/import",
    tag = "import",
    params(ImportParameters),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What the import found and did.", body = ImportAnswer), ChangeProblems)
)]
async fn import_tokens(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    Query(query): Query<ImportParameters>,
    request: Request,
) -> Result<Json<ImportAnswer>, Error> {
    require_csv(&request)?;
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let file = Pieces { receiver, current: Bytes::new() };
    let pumping = tokio::spawn(pump(request.into_body(), sender));
    let report = import::run(&app, &operator, file, query.apply, &mut |_| {}).await;
    pumping.abort();
    Ok(Json(report?.into()))
}

fn require_csv(request: &Request) -> Result<(), Error> {
    refuse_packed(request.headers())?;
    let media =
        request.headers().get(header::CONTENT_TYPE).and_then(|line| line.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("text/csv") {
        return Ok(());
    }
    Err(Error::new(Kind::NotJson, "not_csv", "Send the file as CSV, with Content-Type: text/csv."))
}

/// Hands the body on as it arrives, no faster than it is read.
async fn pump(body: Body, sender: mpsc::Sender<io::Result<Bytes>>) {
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let broken = piece.is_err();
        let piece = piece.map_err(io::Error::other);
        // Whoever no longer reads has refused the file.
        if sender.send(piece).await.is_err() || broken {
            return;
        }
    }
}

/// The body as a file, for the thread that reads it.
struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

impl From<ImportReport> for ImportAnswer {
    fn from(report: ImportReport) -> Self {
        let refused = report.refusals.into_iter();
        Self {
            rows: report.rows,
            accepted: report.accepted,
            refused: report.refused,
            applied: report.applied,
            seq: report.seq.map(|seq| seq.0),
            report: refused
                .map(|refusal| RefusedRow {
                    row: refusal.row,
                    column: refusal.column,
                    reason: refusal.reason,
                })
                .collect(),
        }
    }
}
