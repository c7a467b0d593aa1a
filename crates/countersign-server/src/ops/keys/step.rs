//! One step of the rotation that runs: a bounded transaction that moves some rows and says so. Steps look at what the
//! database says, never at what was done before, so any of them may be the first one after a crash.

use countersign_store::{KeyJob, Rotation, Write};
use serde_json::json;

use super::{data_keys, digests, entry, refresh, reveal_root};
use crate::{
    app::App,
    error::{Error, Kind},
};

/// The first step of every rotation.
pub(super) const PREPARE: &str = "prepare";

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    /// No rotation runs.
    Idle,
    /// There is more to do.
    More,
}

/// What a step found: which one comes next.
pub(super) enum Next {
    /// This one again.
    Same,
    /// The step with this name.
    Step(&'static str),
    /// None: the rotation is over.
    End,
}

/// Does one step of the rotation that runs. A row that somebody changed at the same moment is met again by the next step.
pub async fn step(app: &App) -> Result<Stepped, Error> {
    let Some(job) = app.store.newest_key_job().await?.filter(|job| job.ended_at.is_none()) else {
        return Ok(Stepped::Idle);
    };
    refresh(app).await?;
    let done = match job.kind {
        Rotation::RevealRoot => reveal_root::step(app, &job).await,
        Rotation::DataKeys => data_keys::step(app, &job).await,
        Rotation::Pepper | Rotation::VerifyRoot => digests::step(app, &job).await,
    };
    match done {
        Ok(Next::Same) => {}
        Ok(Next::Step(name)) => {
            let after = json!({ "key": job.kind.word(), "step": name });
            let audit = entry(app, "keys.move", job.number.to_string(), after);
            app.commit(Write::new(audit).move_key_job(job.number, name, "", 0)).await?;
        }
        Ok(Next::End) => tracing::info!(key = job.kind.word(), number = job.number, "the rotation is over"),
        Err(error) if error.kind == Kind::Stale => {}
        Err(error) => return Err(error),
    }
    refresh(app).await?;
    Ok(Stepped::More)
}

/// The write that ends a rotation.
pub(super) fn ending(app: &App, job: &KeyJob) -> Write {
    let after = json!({ "key": job.kind.word(), "rows": job.finished });
    Write::new(entry(app, "keys.rotated", job.number.to_string(), after)).end_key_job(job.number)
}
