//! Signs the end of the audit trail every minute, and trims the trail once an hour where a retention is set. What
//! fails is told in the log and tried again; the trail itself never waits for it.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    limits::{AUDIT_TRIM_ROWS, AUDIT_TRIMS_PER_HOUR},
    ops::checkpoints,
};

const EVERY: Duration = Duration::from_mins(1);
const ROUNDS_PER_TRIM: u32 = 60;
const SECS_PER_DAY: i64 = 24 * 3_600;

/// Works until stopped; signs a last time then.
pub async fn keep_checkpoints(app: Arc<App>, stop: CancellationToken) {
    let mut round: u32 = 0;
    loop {
        if round.is_multiple_of(ROUNDS_PER_TRIM) {
            trim(&app, &stop).await;
        }
        round = round.wrapping_add(1);
        if let Err(error) = checkpoints::make(&app).await {
            tracing::error!(%error, "no audit checkpoint could be made; trying again in a minute");
        }
        if stop.is_cancelled() {
            return;
        }
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn trim(app: &App, stop: &CancellationToken) {
    let Some(days) = app.settings.audit_retention_days else { return };
    let older_than = app.clock.wall().plus_secs(-i64::from(days) * SECS_PER_DAY);
    for _ in 0..AUDIT_TRIMS_PER_HOUR {
        match checkpoints::trim(app, older_than).await {
            Ok(rows) if rows < u64::from(AUDIT_TRIM_ROWS) || stop.is_cancelled() => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot trim the audit trail; trying again in an hour");
                return;
            }
        }
    }
}
