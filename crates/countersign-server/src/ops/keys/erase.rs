//! *Show once*: sealed secrets are erased, from the tables and from the log of the database. What was erased does not come
//! back by switching the policy again; only a reset makes a secret that can be shown.

use std::{sync::atomic::Ordering, time::Duration};

use countersign_store::{Account, RevealPolicy, Write};
use serde_json::json;

use super::entry;
use crate::{app::App, error::Error, limits::ROTATION_ROWS_PER_STEP, sealing::DataKey};

/// How often the log is tried to be emptied before a request goes on; the task goes on trying.
const FOLDS_MAX: u32 = 10;
const FOLD_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Adds to the change of an account that its sealed secrets are erased, where it lowers its policy to *show once*.
pub(in crate::ops) fn with_policy(
    app: &App,
    write: Write,
    before: &Account,
    after: &Account,
) -> Result<Write, Error> {
    if !is_lowered(before, after) {
        return Ok(write);
    }
    let next = before.data_key.generation + 1;
    let key = DataKey::make(&app.keys, &app.random, before.id, next)?;
    app.rotations.log_holds_erased.store(true, Ordering::SeqCst);
    Ok(write.erase_sealed_secrets(before.id, &key))
}

/// Whether a change lowers the policy.
pub(in crate::ops) fn is_lowered(before: &Account, after: &Account) -> bool {
    before.reveal == RevealPolicy::Recoverable && after.reveal == RevealPolicy::Once
}

/// Erases every sealed secret, for a platform that shows secrets once. Answers how many there were.
pub async fn erase_everywhere(app: &App) -> Result<u64, Error> {
    let mut erased = 0;
    loop {
        let found = app.store.sealed_secrets(("", 0), ROTATION_ROWS_PER_STEP).await?;
        if found.is_empty() {
            break;
        }
        app.rotations.log_holds_erased.store(true, Ordering::SeqCst);
        let audit = entry(app, "keys.erase", "secrets".to_owned(), json!({ "secrets": found.len() }));
        let write = found
            .iter()
            .fold(Write::new(audit), |write, one| write.erase_sealed_secret((one.token, one.generation)));
        app.commit(write).await?;
        erased += found.len() as u64;
        tracing::info!(erased, "erasing sealed secrets, because this platform shows secrets once");
    }
    fold_log(app).await;
    Ok(erased)
}

/// Empties the log of the database of what was erased. Somebody who reads at this moment, such as a backup, keeps it a
/// little longer.
pub async fn fold_log(app: &App) {
    for _ in 0..FOLDS_MAX {
        if !app.rotations.log_holds_erased.load(Ordering::SeqCst) {
            return;
        }
        match app.store.fold_log().await {
            Ok(true) => app.rotations.log_holds_erased.store(false, Ordering::SeqCst),
            Ok(false) => tokio::time::sleep(FOLD_AGAIN_AFTER).await,
            Err(error) => {
                tracing::warn!(%error, "the log of the database cannot be emptied of erased secrets; trying again");
                return;
            }
        }
    }
}
