//! Signed checkpoints of the audit trail: making them, keeping copies where the database's owner cannot reach, holding
//! the trail to them, and trimming it by age so that what is left still verifies.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use countersign_model::time::Timestamp;
use countersign_store::{Checkpoint, Page, PageAsk, Write};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    app::App,
    audit_signer::Statement,
    caller::Deed,
    error::Error,
    hexadecimal,
    limits::{AUDIT_TRIM_ROWS, CHECKPOINTS_CHECKED_MAX},
    rights::Operator,
};

/// What the trail was held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It agrees with every checkpoint; the number of the newest that could be compared.
    Agrees {
        /// Checkpoints compared.
        compared: usize,
        /// The number of the newest of them.
        newest: Option<u64>,
    },
    /// It does not agree with this one.
    Differs {
        /// The number of the entry.
        number: u64,
        /// Why.
        reason: &'static str,
    },
}

/// Checkpoints kept in the database, newest first.
pub async fn list(app: &App, _: &Operator, page: &PageAsk) -> Result<Page<Checkpoint>, Error> {
    Ok(app.store.checkpoints(page).await?)
}

/// Signs the end of the trail, if there is an entry since the last checkpoint. A copy goes to the log, and to the file
/// that is configured: whoever can change the database should not be able to change those.
pub async fn make(app: &App) -> Result<Option<Checkpoint>, Error> {
    let facts = app.store.facts().await?;
    let newest = app.store.checkpoints(&PageAsk { after: None, limit: 1 }).await?.rows.pop();
    if facts.audit_entries == 0 || newest.is_some_and(|newest| newest.number >= facts.audit_entries) {
        return Ok(None);
    }
    let signed =
        app.signer.sign(Statement::Checkpoint, facts.audit_entries, facts.audit_hash, app.clock.wall());
    let line = line(app.signer.cluster(), &signed);
    tracing::info!(checkpoint = line, "audit checkpoint");
    // The copy outside comes first: one that could not be written is tried again, and one more line does no harm.
    if let Some(path) = app.settings.checkpoint_file.clone() {
        let appended = spawn_blocking(move || append(&path, &line)).await;
        let appended = appended.map_err(|error| Error::internal("audit checkpoint", &error))?;
        appended.map_err(|cause| Error::unavailable("audit checkpoint file", &cause))?;
    }
    app.store.put_checkpoint(&signed).await?;
    Ok(Some(signed))
}

/// A checkpoint as a line of JSON, as it is kept outside.
pub fn line(cluster: &str, checkpoint: &Checkpoint) -> String {
    json!({
        "cluster": cluster,
        "number": checkpoint.number,
        "hash": hexadecimal::encode(&checkpoint.hash),
        "at": checkpoint.at.to_string(),
        "public_key": hexadecimal::encode(&checkpoint.public_key),
        "signature": hexadecimal::encode(&checkpoint.signature),
    })
    .to_string()
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}

/// Holds the trail to checkpoints that were kept elsewhere.
pub async fn hold(app: &App, _: &Operator, checkpoints: &[Checkpoint]) -> Result<Held, Error> {
    if checkpoints.len() > CHECKPOINTS_CHECKED_MAX {
        let detail = format!("at most {CHECKPOINTS_CHECKED_MAX} at once; the newest are enough");
        return Err(Error::invalid("checkpoints", detail));
    }
    let floor = app.store.audit_floor().await?.map_or(0, |floor| floor.number);
    let (mut compared, mut newest) = (0, None);
    for checkpoint in checkpoints {
        let number = checkpoint.number;
        let differs = |reason| Ok(Held::Differs { number, reason });
        if !app.signer.made(Statement::Checkpoint, checkpoint) {
            return differs("this installation did not sign that checkpoint");
        }
        if number <= floor {
            continue;
        }
        let entry = app.store.audit_from(number, 1).await?.into_iter().next();
        match entry.filter(|entry| entry.number == number) {
            None => return differs("the entry is missing: the trail was cut off or rolled back"),
            Some(entry) if entry.hash != hexadecimal::encode(&checkpoint.hash) => {
                return differs("the entry is another one than was signed");
            }
            Some(_) => {}
        }
        compared += 1;
        newest = newest.max(Some(number));
    }
    Ok(Held::Agrees { compared, newest })
}

/// Whether the lower end of the trail is one this installation made. `None` where it was never trimmed.
pub async fn floor_holds(app: &App) -> Result<Option<(u64, bool)>, Error> {
    let floor = app.store.audit_floor().await?;
    Ok(floor.map(|floor| (floor.number, app.signer.made(Statement::Trim, &floor))))
}

/// Removes a bounded number of entries that are older than the retention; answers how many. Where it is the most at
/// once, there may be more.
pub async fn trim(app: &App, older_than: Timestamp) -> Result<u64, Error> {
    let from = app.store.audit_floor().await?.map_or(0, |floor| floor.number);
    let Some((number, hash)) = app.store.audit_before(from, AUDIT_TRIM_ROWS, older_than).await? else {
        return Ok(0);
    };
    let end = app.signer.sign(Statement::Trim, number, hash, app.clock.wall());
    let draft = Deed { action: "audit.trim", subject: "audit".to_owned(), subject_label: "", before: json!({ "first": from + 1 }), after: json!({ "first": number + 1, "last_hash": hexadecimal::encode(&hash), "older_than": older_than.to_string() }) }.by_system(app.clock.wall());
    app.commit(Write::new(draft).trim_audit(from, &end)).await?;
    Ok(number - from)
}

/// Reads checkpoints from lines of JSON as `line` writes them.
pub fn parse(lines: &[Value]) -> Result<Vec<Checkpoint>, Error> {
    lines.iter().enumerate().map(|(index, line)| parse_line(index, line)).collect()
}

fn parse_line(index: usize, line: &Value) -> Result<Checkpoint, Error> {
    let member = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
    let decode = |name: &str, max| hexadecimal::decode(member(name), max);
    let parsed = || {
        Some(Checkpoint {
            number: line.get("number")?.as_u64()?,
            hash: decode("hash", 32)?.try_into().ok()?,
            at: Timestamp::parse_rfc3339(member("at"))?,
            public_key: decode("public_key", 32)?,
            signature: decode("signature", 64)?,
        })
    };
    parsed().ok_or_else(|| {
        Error::invalid(
            format!("checkpoints[{index}]"),
            "it is no checkpoint; take lines as they were written",
        )
    })
}
