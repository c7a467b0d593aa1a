//! Small work that recurs: writes the sums of refused attempts into the audit trail, and removes what has ended
//! (sessions, invitations, remembered answers, old changes, old deliveries). What ended is refused whether it is swept or not; sweeping
//! only frees the space.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{app::App, ops::attempts};

const ATTEMPTS_EVERY: Duration = Duration::from_secs(5);
/// Attempts are written so many times for one sweep: a sweep a minute.
const ROUNDS_PER_SWEEP: u32 = 12;

/// Sweeps at once and then every minute, until stopped; then writes the attempts that are left.
pub async fn sweep(app: Arc<App>, stop: CancellationToken) {
    let mut round: u32 = 0;
    loop {
        if round.is_multiple_of(ROUNDS_PER_SWEEP) {
            remove_what_ended(&app).await;
        }
        round = round.wrapping_add(1);
        let stopped = stop.run_until_cancelled(tokio::time::sleep(ATTEMPTS_EVERY)).await.is_none();
        if let Err(error) = attempts::flush(&app, stopped).await {
            tracing::warn!(%error, "cannot write refused attempts; trying again");
        }
        if stopped {
            return;
        }
    }
}

async fn remove_what_ended(app: &App) {
    let now = app.clock.wall();
    let swept = match app.store.sweep(now).await {
        Ok(rows) => app.store.prune_deliveries(now).await.map(|more| rows + more),
        failed => failed,
    };
    match swept {
        Ok(0) => {}
        Ok(rows) => tracing::debug!(rows, "swept"),
        Err(error) => tracing::warn!(%error, "cannot sweep; trying again in a minute"),
    }
}
