//! How the node itself is: what a health check may know without touching what the node serves.

use std::{sync::Arc, time::Duration};

use countersign_model::{change::Seq, decision::Unavailable, time::Timestamp};
use countersign_store::Standing;

use crate::app::App;

/// A store that does not answer within this time is taken for one that cannot.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Reads how a node is.
#[derive(Clone)]
pub struct Vitals {
    app: Arc<App>,
}

impl Vitals {
    /// The vitals of the node that runs this application.
    pub fn of(app: Arc<App>) -> Self {
        Self { app }
    }

    /// Why the verifier may not answer, if it may not.
    pub fn verifier(&self) -> Result<(), Unavailable> {
        self.app.verifier.freshness().check(self.app.clock.now())
    }

    /// Whether a catalog is in force.
    pub fn has_catalog(&self) -> bool {
        self.app.verifier.catalog().is_some()
    }

    /// Asks the store for one small read, the one the follower lives on. The cause of a failure goes to the log.
    pub async fn store(&self) -> Result<(), &'static str> {
        let read = self.app.store.changes(self.app.verifier.applied(), 1);
        match tokio::time::timeout(STORE_ANSWERS_WITHIN, read).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the store cannot be read");
                Err("it cannot be read")
            }
            Err(_) => Err("it did not answer in time"),
        }
    }

    /// How the outbox stands, and when that was; `None` where the store does not say in time.
    pub async fn outbox(&self) -> Option<(Vec<Standing>, Timestamp)> {
        let read = tokio::time::timeout(STORE_ANSWERS_WITHIN, self.app.store.outbox_standing()).await;
        Some((read.ok()?.ok()?, self.app.clock.wall()))
    }

    /// Since when the anchor beside the keys cannot be written.
    pub fn anchor_failing_since(&self) -> Option<Timestamp> {
        self.app.anchor.failing_since()
    }

    /// The numbers of the last change applied here and the last one committed.
    pub fn progress(&self) -> (Seq, Seq) {
        (self.app.verifier.applied(), *self.app.store.watch_head().borrow())
    }

    /// The number of the schema's last migration.
    pub fn schema(&self) -> u32 {
        self.app.store.schema_version()
    }
}
