//! Posts the reminders that time makes due: at the start, then every hour, and those of overlaps every five minutes,
//! because a short overlap has a short last quarter. A run that fails is repeated at its next turn; what was posted by
//! then is not posted again.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    error::Error,
    limits::{OVERLAP_REMINDERS_EVERY_SECS, REMINDERS_EVERY_SECS},
    ops::reminders::{remind_of_expiry, remind_of_overlaps, remind_of_versions},
};

/// Short turns in one long one.
const TURNS: u64 = REMINDERS_EVERY_SECS / OVERLAP_REMINDERS_EVERY_SECS;

/// Reminds until stopped. A write that was begun is finished by the store; nothing else has to be.
pub async fn remind(app: Arc<App>, stop: CancellationToken) {
    let pause = Duration::from_secs(OVERLAP_REMINDERS_EVERY_SECS);
    let mut turn: u64 = 0;
    loop {
        let run = run(&app, turn.is_multiple_of(TURNS));
        let paused = async {
            run.await;
            tokio::time::sleep(pause).await;
        };
        if stop.run_until_cancelled(paused).await.is_none() {
            return;
        }
        turn = turn.wrapping_add(1);
    }
}

async fn run(app: &App, everything: bool) {
    told("overlaps", remind_of_overlaps(app).await);
    if everything {
        told("expiry", remind_of_expiry(app).await);
        told("versions", remind_of_versions(app).await);
    }
}

fn told(what: &str, posted: Result<u64, Error>) {
    match posted {
        Ok(0) => {}
        Ok(reminders) => tracing::info!(what, reminders, "reminders were posted"),
        Err(error) => tracing::warn!(what, %error, "cannot remind; trying again at the next turn"),
    }
}

// A long turn is so many short ones.
const _: () = assert!(REMINDERS_EVERY_SECS.is_multiple_of(OVERLAP_REMINDERS_EVERY_SECS));
