//! Rotates keys beside the requests: takes up the rotation that runs, writes digests that asks have proved, lets go of keys
//! that nothing needs, and erases what is not to be shown again. Each step is bounded, and a stop is heard between two.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    error::Error,
    ops::keys::{self, Stepped},
};

/// How often digests that were proved are written.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// Of so many rounds one looks which keys can go.
const ROUNDS_PER_RETIRE: u32 = 60;

/// Works until stopped.
pub async fn rotate(app: Arc<App>, stop: CancellationToken) {
    let mut wake = app.rotations.wake.subscribe();
    let mut round: u32 = 0;
    if app.settings.reveal_once
        && let Err(error) = keys::erase_everywhere(&app).await
    {
        tracing::error!(%error, "cannot erase sealed secrets; it is tried again at the next start");
    }
    let mut is_due = true;
    loop {
        if is_due {
            is_due = match run(&app, &stop).await {
                Ok(()) => false,
                Err(error) => {
                    tracing::error!(%error, "the rotation of keys does not go on; trying again");
                    true
                }
            };
        }
        if let Err(error) = beside(&app, round.is_multiple_of(ROUNDS_PER_RETIRE)).await {
            tracing::warn!(%error, "cannot write renewed digests; trying again");
        }
        round = round.wrapping_add(1);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wake.changed() => is_due |= changed.is_ok(),
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
    }
}

async fn run(app: &App, stop: &CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() && keys::step(app).await? == Stepped::More {}
    Ok(())
}

async fn beside(app: &App, retires: bool) -> Result<(), Error> {
    keys::renew(app).await?;
    keys::fold_log(app).await;
    if retires { keys::retire(app).await } else { Ok(()) }
}
