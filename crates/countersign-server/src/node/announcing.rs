//! Hands announcements that are being sent to the outbox, batch after batch. What was interrupted goes on by itself: how
//! far it came stands in the database.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{app::App, limits::ANNOUNCEMENT_LOOK_SECS, ops::announcements};

/// Runs until `stop`.
pub async fn announce(app: Arc<App>, stop: CancellationToken) {
    let pause = Duration::from_secs(ANNOUNCEMENT_LOOK_SECS);
    loop {
        let more = match stop.run_until_cancelled(announcements::post_batch(&app)).await {
            Some(Ok(more)) => more,
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot go on with an announcement; trying again");
                false
            }
            None => return,
        };
        if !more && stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
