//! A backup as a stream: two lines that say what it is, then the database. Encrypting it and keeping it is up to the
//! caller.

use std::{fs::File, io::Read as _, sync::Arc};

use axum::{body::Body as Stream, extract::State, response::IntoResponse};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header;
use tokio::task::spawn_blocking;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{AsOperator, NoBody},
    problem::ChangeProblems,
};
use crate::{
    app::App,
    error::Error,
    limits::BACKUP_PIECE_BYTES,
    ops::backup::{self, MAGIC},
};

/// The operations of this file.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(make_backup))
}

/// Make a backup.
///
/// The line `countersign-backup/1`, a line of JSON that says what it is a copy of, and the database as of one moment.
/// It holds no key. A backup that fails on the way is cut off, not ended. Operators only; a person needs a password
/// entered in the last 5 minutes (else 403 `password_required`).
#[utoipa::path(post, path = "/backup", tag = "platform",
    responses((status = 200, description = "The backup", content_type = "application/octet-stream", body = String), ChangeProblems))]
async fn make_backup(
    State(app): State<Arc<App>>,
    AsOperator(operator): AsOperator,
    _: NoBody,
) -> Result<impl IntoResponse, Error> {
    let made = backup::make(&app, &operator).await?;
    let manifest =
        serde_json::to_string(&made.manifest).map_err(|error| Error::internal("backup", &error))?;
    let lines = Bytes::from(format!("{MAGIC}\n{manifest}\n"));
    let length = lines.len() as u64 + made.manifest.bytes;
    let body = stream::iter([Ok(lines)]).chain(stream::try_unfold(made.copy, piece));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"countersign.backup\"".to_owned()),
    ];
    Ok((headers, Stream::from_stream(body)))
}

/// The next bytes of the file; `None` at its end.
async fn piece(mut file: File) -> Result<Option<(Bytes, File)>, Error> {
    let read = spawn_blocking(move || {
        let mut bytes = vec![0; BACKUP_PIECE_BYTES];
        let length = file.read(&mut bytes)?;
        bytes.truncate(length);
        Ok::<_, std::io::Error>((Bytes::from(bytes), file))
    });
    let read = read.await.map_err(|error| Error::internal("backup", &error))?;
    let (bytes, file) = read.map_err(|cause| Error::unavailable("backup", &cause))?;
    Ok((!bytes.is_empty()).then_some((bytes, file)))
}
