//! The keys of the installation: which are in use, and how they are made anew while everything goes on. A rotation is one
//! job of many small transactions (`step.rs`); each leaves a state in which every secret is verified and every sealed one
//! opens, so a process that is killed between any two goes on where it ended. Nobody here ever shows a secret.

mod data_keys;
mod digests;
mod erase;
mod renew;
mod retire;
mod reveal_root;
mod step;

use std::sync::atomic::AtomicBool;

use countersign_store::{
    AuditDraft, KeyJob, KeyKind, KeyState, KeyTable, LayeredToken, Moved, Rotation, Write,
};
use serde_json::{Value, json};
use tokio::sync::watch;

pub use self::{
    erase::{erase_everywhere, fold_log},
    renew::renew,
    retire::retire,
    step::{Stepped, step},
};
pub(in crate::ops) use self::{
    erase::{is_lowered, with_policy},
    renew::renew_platform_tag,
};
use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    keys::RootKind,
    limits::LAYERED_TOKENS_NAMED_MAX,
    rights::Operator,
};

/// What wakes the task that rotates keys, and what it has left to do.
pub struct Rotations {
    /// Wakes the task.
    pub wake: watch::Sender<()>,
    /// Whether the log of the database still holds what was erased.
    pub(crate) log_holds_erased: AtomicBool,
}

/// What is in use.
pub struct KeysInUse {
    /// What the database says.
    pub table: KeyTable,
    /// Some tokens whose digests lie under a layer.
    pub layered: Vec<LayeredToken>,
    /// How many there are.
    pub layered_count: u64,
    /// The files of the keys directory that are needed.
    pub files: Vec<String>,
    /// Files that are there and no longer needed.
    pub spare_files: Vec<String>,
    /// The rotation that runs, or the last one.
    pub rotation: Option<KeyJob>,
}

impl Default for Rotations {
    fn default() -> Self {
        // What a process that was killed erased last may still be in the log.
        Self { wake: watch::Sender::new(()), log_holds_erased: AtomicBool::new(true) }
    }
}

/// Which keys are in use.
pub async fn in_use(app: &App, _: &Operator) -> Result<KeysInUse, Error> {
    let table = app.store.key_table().await?;
    let (layered, layered_count) =
        app.store.layered_tokens(app.clock.wall(), LAYERED_TOKENS_NAMED_MAX).await?;
    let rotation = app.store.newest_key_job().await?;
    let files: Vec<String> = [RootKind::Verify, RootKind::Reveal]
        .into_iter()
        .flat_map(|kind| table.needed(kind.of()).map(move |one| kind.file_name(one.generation)))
        .collect();
    let there = app.keys.files().names_at_hand().map_err(|error| Error::unavailable("keys", &error))?;
    let spare_files = there.into_iter().filter(|name| !files.contains(name)).collect();
    Ok(KeysInUse { table, layered, layered_count, files, spare_files, rotation })
}

/// The rotation that runs, or the last one.
pub async fn newest_rotation(app: &App, _: &Operator) -> Result<Option<KeyJob>, Error> {
    Ok(app.store.newest_key_job().await?)
}

/// Begins a rotation; it goes on beside everything else. Refused while another one runs, and where digests still lie
/// under a layer, unless those are to end: there are never more than two layers.
pub async fn begin(
    app: &App,
    operator: &Operator,
    kind: Rotation,
    drop_layered: bool,
) -> Result<KeyJob, Error> {
    let newest = app.store.newest_key_job().await?;
    if let Some(running) = newest.as_ref().filter(|job| job.ended_at.is_none()) {
        return Err(running_error(running));
    }
    if matches!(kind, Rotation::Pepper | Rotation::VerifyRoot) {
        refuse_layers(app, drop_layered).await?;
    }
    if kind == Rotation::VerifyRoot {
        refuse_old_tags(app).await?;
    }
    let now = app.clock.wall();
    let job = KeyJob {
        number: newest.map_or(1, |job| job.number + 1),
        kind,
        step: step::PREPARE.to_owned(),
        place: String::new(),
        finished: 0,
        total: total(app, kind).await?,
        drops_layered: drop_layered,
        started_at: now,
        started_by: operator.caller.label(),
        ended_at: None,
    };
    let deed = Deed {
        action: "keys.rotate",
        subject: job.number.to_string(),
        subject_label: kind.word(),
        before: Value::Null,
        after: json!({ "key": kind.word(), "drop_layered": drop_layered, "rows": job.total }),
    };
    app.commit(Write::new(operator.audit(app, None, deed)).begin_key_job(&job)).await?;
    app.rotations.wake.send_replace(());
    Ok(job)
}

fn running_error(job: &KeyJob) -> Error {
    let detail = format!(
        "The rotation of {} that began at {} is still running; wait until it has ended.",
        job.kind.word(),
        job.started_at
    );
    Error::new(Kind::Conflict, "rotation_running", detail).with("key", job.kind.word())
}

async fn refuse_layers(app: &App, drop_layered: bool) -> Result<(), Error> {
    let (named, count) = app.store.layered_tokens(app.clock.wall(), LAYERED_TOKENS_NAMED_MAX).await?;
    if count == 0 || drop_layered {
        return Ok(());
    }
    let detail = format!(
        "{count} secrets were not used since the pepper was last rotated and are only known under a layer; reset those \
         tokens, or rotate with drop_layered, which ends these secrets."
    );
    let tokens: Vec<Value> = named
        .iter()
        .map(|token| json!({ "account": token.account, "token": token.token, "sid": token.sid, "name": token.name }))
        .collect();
    Err(Error::new(Kind::Conflict, "layered_tokens", detail).with("count", count).with("tokens", tokens))
}

/// Tags of gateways and platform credentials are layered once only, too.
async fn refuse_old_tags(app: &App) -> Result<(), Error> {
    let table = app.store.key_table().await?;
    let newest = table.needed(KeyKind::VerifyRoot).next().map_or(1, |one| one.generation);
    let count = app.store.count_tags_before_root(newest).await?;
    if count == 0 {
        return Ok(());
    }
    let detail = format!(
        "{count} gateways or platform credentials did not call since the verify root was last rotated; let them call once, \
         reset them or remove them, then rotate again."
    );
    Err(Error::new(Kind::Conflict, "layered_credentials", detail).with("count", count))
}

async fn total(app: &App, kind: Rotation) -> Result<u64, Error> {
    let count = |what| app.store.count_for_rotation(what);
    Ok(match kind {
        Rotation::RevealRoot => count(Moved::Accounts).await?,
        Rotation::DataKeys => count(Moved::Accounts).await? + count(Moved::Sealed).await?,
        Rotation::Pepper | Rotation::VerifyRoot => count(Moved::Secrets).await?,
    })
}

/// An entry of what a rotation does by itself.
fn entry(app: &App, action: &'static str, subject: String, after: Value) -> AuditDraft {
    Deed { action, subject, subject_label: "", before: Value::Null, after }.by_system(app.clock.wall())
}

/// An entry of one step of a rotation.
fn moved(app: &App, job: &KeyJob, rows: usize) -> Write {
    let after = json!({ "key": job.kind.word(), "step": job.step, "rows": rows });
    Write::new(entry(app, "keys.move", job.number.to_string(), after))
}

/// The generations of a kind that are still needed and are not the newest.
fn former(table: &KeyTable, kind: KeyKind) -> impl Iterator<Item = &countersign_store::KeyGeneration> {
    table.needed(kind).skip(1)
}

/// Brings memory and files level with what the database says. Verification hears of other peppers only when there are.
async fn refresh(app: &App) -> Result<(), Error> {
    let before = app.keys.lookup_generations();
    app.keys.reload(&app.store).await.map_err(|error| Error::unavailable("keys", &error))?;
    if app.keys.lookup_generations() != before {
        app.verifier.use_keys(app.keys.lookup_keys());
    }
    Ok(())
}

/// Puts the present generation aside: what is made with it stays good.
fn put_aside(write: Write, table: &KeyTable, kind: KeyKind) -> Write {
    table.needed(kind).filter(|one| one.state == KeyState::Current).fold(write, |write, one| {
        let former = countersign_store::KeyGeneration { state: KeyState::Former, ..one.clone() };
        write.put_key_generation(&former)
    })
}
