//! Keeps the verifier level with the store: loads the snapshot, then applies every change in order. The wake-up is a
//! hint; the seq is the truth.

use std::{sync::Arc, time::Duration};

use countersign_model::change::Seq;
use countersign_store::{Snapshot, Store};
use countersign_verify::Verifier;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Changes read at once.
const CHANGES_AT_ONCE: u32 = 5_000;
/// A follower that hears nothing looks by itself after so long.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A write that is not in force after so long is told as an outage; it is committed all the same.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(30);

/// Knows how far the verifier is.
#[derive(Clone)]
pub struct Follower {
    applied: watch::Receiver<Seq>,
}

impl Follower {
    /// Loads everything into the verifier, then follows until stopped. What was committed since the snapshot is in force
    /// when this returns.
    pub async fn start(
        store: Store,
        verifier: Arc<Verifier>,
        snapshot: Snapshot,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        let committed = *store.watch_head().borrow();
        verifier.load(snapshot.head, snapshot.records);
        let (announce, applied) = watch::channel(snapshot.head);
        tokio::spawn(follow(store, verifier, announce, stop));
        let follower = Self { applied };
        follower.in_force(committed).await?;
        Ok(follower)
    }

    /// Waits until this node has applied everything up to `seq`.
    pub async fn in_force(&self, seq: Seq) -> Result<(), Error> {
        let mut applied = self.applied.clone();
        let waited = tokio::time::timeout(IN_FORCE_WITHIN, applied.wait_for(|applied| *applied >= seq)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                Err(Error::unavailable("follower", &"the change is committed and not yet in force"))
            }
        }
    }
}

async fn follow(
    store: Store,
    verifier: Arc<Verifier>,
    announce: watch::Sender<Seq>,
    stop: CancellationToken,
) {
    let mut head = store.watch_head();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = head.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = catch_up(&store, &verifier, &announce).await {
            tracing::error!(%error, "cannot follow the feed; trying again");
        }
    }
}

async fn catch_up(store: &Store, verifier: &Verifier, announce: &watch::Sender<Seq>) -> Result<(), Error> {
    loop {
        let changes = store.changes(verifier.applied(), CHANGES_AT_ONCE).await?;
        let more = changes.len() == CHANGES_AT_ONCE as usize;
        for change in &changes {
            verifier.apply(change).map_err(|gap| Error::internal("feed", &format!("{gap:?}")))?;
        }
        if !changes.is_empty() {
            announce.send_replace(verifier.applied());
        }
        if !more {
            return Ok(());
        }
    }
}
