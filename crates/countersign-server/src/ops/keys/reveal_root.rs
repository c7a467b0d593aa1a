//! A new reveal root: its file first, then the database says that it is in use, then every data key is wrapped by it, and
//! when none is left under the old one, that is no longer needed. No secret is opened.

use countersign_store::{KeyGeneration, KeyJob, KeyKind, KeyState, Write};

use super::{
    entry, former, moved, put_aside,
    step::{Next, PREPARE, ending},
};
use crate::{
    app::App,
    error::{Error, Kind},
    keys::RootKind,
    limits::ROTATION_ROWS_PER_STEP,
    sealing::DataKey,
};

const ACCOUNTS: &str = "accounts";
const INSTALLATION: &str = "installation";
const CLOSE: &str = "close";

pub(super) async fn step(app: &App, job: &KeyJob) -> Result<Next, Error> {
    match job.step.as_str() {
        PREPARE => prepare(app, job).await,
        ACCOUNTS => accounts(app, job).await,
        INSTALLATION => installation(app, job).await,
        _ => close(app, job).await,
    }
}

async fn prepare(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let table = app.store.key_table().await?;
    let newest = app.keys.ring().reveal_root().generation();
    let generation = newest.checked_add(1).ok_or_else(|| Error::internal("keys", &"too many generations"))?;
    let root = app.keys.make_root(RootKind::Reveal, generation, &app.random)?;
    let one = KeyGeneration {
        kind: KeyKind::RevealRoot,
        generation,
        state: KeyState::Current,
        root: None,
        proof: root.proof(),
        made_at: app.clock.wall(),
    };
    let write = put_aside(moved(app, job, 0), &table, KeyKind::RevealRoot).put_key_generation(&one);
    app.commit(write.move_key_job(job.number, ACCOUNTS, "", 0)).await?;
    Ok(Next::Same)
}

async fn accounts(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let newest = app.keys.ring().reveal_root().generation();
    let found = app.store.accounts_under_other_roots(newest, ROTATION_ROWS_PER_STEP).await?;
    if found.is_empty() {
        return Ok(Next::Step(INSTALLATION));
    }
    let mut write = moved(app, job, found.len());
    for one in &found {
        let wrapped = DataKey::rewrap(&app.keys, &app.random, one.account, &one.present.wrapped)?;
        write = write.rewrap_account(one.account, &one.present, &wrapped);
    }
    app.commit(write.move_key_job(job.number, ACCOUNTS, "", found.len() as u64)).await?;
    Ok(Next::Same)
}

async fn installation(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let newest = app.keys.ring().reveal_root().generation();
    let table = app.store.key_table().await?;
    let key = app.keys.installation();
    let others: Vec<_> = table.installation.iter().filter(|one| one.root != newest).collect();
    let mut write = moved(app, job, others.len());
    for one in others {
        write = write.rewrap_installation_key(&key.rewrap(&app.random, one)?);
    }
    app.commit(write.move_key_job(job.number, CLOSE, "", 0)).await?;
    Ok(Next::Same)
}

/// An account may have been made under the old root at the last moment; then it is looked for again.
async fn close(app: &App, job: &KeyJob) -> Result<Next, Error> {
    let table = app.store.key_table().await?;
    let retired = former(&table, KeyKind::RevealRoot)
        .fold(ending(app, job), |write: Write, one| write.retire_key(KeyKind::RevealRoot, one.generation));
    match app.commit(retired).await {
        Ok(_) => Ok(Next::End),
        Err(error) if error.kind == Kind::Stale => {
            let audit = entry(app, "keys.move", job.number.to_string(), serde_json::Value::Null);
            app.commit(Write::new(audit).move_key_job(job.number, ACCOUNTS, "", 0)).await?;
            Ok(Next::Same)
        }
        Err(error) => Err(error),
    }
}
