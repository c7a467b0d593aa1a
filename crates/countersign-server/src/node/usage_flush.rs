//! Writes when, from where and in which API versions tokens were last used. The verifier counts; this task empties its counters into the
//! store, once a second and at most so many secrets at a time. It delays no request and no change.

use std::{sync::Arc, time::Duration};

use countersign_store::{LastUse, Store};
use countersign_verify::{Use, Verifier};
use prometheus_client::metrics::counter::Counter;
use tokio_util::sync::CancellationToken;

use crate::limits::USES_PER_FLUSH_MAX;

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Empties the counters of a verifier into a store.
pub struct UsageFlush {
    store: Store,
    verifier: Arc<Verifier>,
    delayed: Counter,
    // Taken from the verifier and not written yet.
    pending: Vec<LastUse>,
}

impl UsageFlush {
    /// A task for this verifier and this store; `delayed` counts the batches that had to wait.
    pub fn new(store: Store, verifier: Arc<Verifier>, delayed: Counter) -> Self {
        Self { store, verifier, delayed, pending: Vec::new() }
    }

    /// Writes once a second until stopped, then everything that is left.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(FLUSH_EVERY)).await.is_some() {
            self.flush().await;
        }
        while self.flush().await {}
    }

    /// Writes one batch; answers whether there may be more to write now. What cannot be written is kept for the next
    /// time, and nothing more is taken until then: the verifier goes on counting in place.
    async fn flush(&mut self) -> bool {
        if self.pending.is_empty() {
            self.pending = self.verifier.take_uses(USES_PER_FLUSH_MAX).into_iter().map(last_use).collect();
        }
        if self.pending.is_empty() {
            return false;
        }
        let full = self.pending.len() >= USES_PER_FLUSH_MAX;
        match self.store.note_use(self.pending.clone()).await {
            Ok(()) => {
                self.pending.clear();
                full
            }
            Err(error) => {
                self.delayed.inc();
                tracing::warn!(%error, uses = self.pending.len(), "cannot write uses; trying again");
                false
            }
        }
    }
}

fn last_use(one: Use) -> LastUse {
    LastUse {
        sid: one.sid,
        generation: one.generation,
        at: one.at,
        from: one.from.map(|from| from.to_string()),
        uses: one.uses,
        versions: one.versions.iter().collect(),
    }
}
