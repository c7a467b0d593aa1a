//! Writes how often, when, from where and in which API versions tokens were used. The verifier counts in a file
//! (`use_file`); this task has that file put on the disk every second, and writes what was counted to the store: of few
//! secrets every second, of many in turn, so that it costs little however many are used. Nothing is lost by that: a process
//! that is killed leaves its counts in the file. It delays no request and no change.

use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use countersign_store::{LastUse, Store, UsePlace};
use countersign_verify::{Use, Verifier};
use prometheus_client::metrics::counter::Counter;
use tokio_util::sync::CancellationToken;

use super::use_file::UseFile;
use crate::{
    app::App,
    error::Error,
    limits::{USE_LINES_PER_ROUND, USE_ROUND_SECS, USES_PER_FLUSH_MAX},
};

const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Empties the counters of a verifier into a store.
pub struct UsageFlush {
    store: Store,
    verifier: Arc<Verifier>,
    file: UseFile,
    /// For the thread that waits for the disk.
    disk: Arc<Mutex<File>>,
    delayed: Counter,
    /// How far the store is.
    place: UsePlace,
    /// Taken from the verifier and perhaps not written yet.
    pending: Vec<LastUse>,
    /// Whether somebody tried to write them.
    tried: bool,
    missed: u64,
}

impl UsageFlush {
    /// Writes what an earlier process left behind, and counts in a file from now on; `delayed` counts the batches that had
    /// to wait.
    pub async fn begin(app: &App, delayed: Counter) -> Result<Self, Error> {
        let (mut file, place) = UseFile::begin(&app.store, &app.data_dir, &app.random).await?;
        keep_ahead(&mut file, &app.verifier);
        let disk = file.handle().map_err(|error| Error::internal("the file of counters", &error))?;
        Ok(Self {
            store: app.store.clone(),
            verifier: Arc::clone(&app.verifier),
            file,
            disk: Arc::new(Mutex::new(disk)),
            delayed,
            place,
            pending: Vec::new(),
            tried: false,
            missed: 0,
        })
    }

    /// Writes once a second until stopped, then everything that is left.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(FLUSH_EVERY)).await.is_some() {
            keep_ahead(&mut self.file, &self.verifier);
            self.round(self.verifier.use_lines().div_ceil(USE_ROUND_SECS).max(USE_LINES_PER_ROUND)).await;
            self.sync().await;
            self.tell_missed();
        }
        // Nobody counts any more; what the first time finds being counted the second one has.
        for _ in 0..2 {
            self.round(self.verifier.use_lines()).await;
        }
        self.sync().await;
    }

    /// Writes what so many lines hold.
    async fn round(&mut self, lines: u64) {
        let mut left = lines;
        while left > 0 {
            let batch = left.min(USES_PER_FLUSH_MAX as u64);
            if !self.flush(batch).await {
                return;
            }
            left -= batch;
        }
    }

    /// Writes one batch; answers whether to go on. What cannot be written is kept for the next time, and nothing more is
    /// taken until then: the verifier goes on counting in place.
    async fn flush(&mut self, lines: u64) -> bool {
        let next = UsePlace { report: self.place.report + 1, ..self.place };
        if self.pending.is_empty() {
            let uses = self.verifier.report_uses(next.report, lines, USES_PER_FLUSH_MAX);
            self.pending = uses.into_iter().map(last_use).collect();
            if self.pending.is_empty() {
                return true;
            }
        }
        match self.write(&next).await {
            Ok(()) => {
                self.verifier.settle_uses();
                self.pending.clear();
                self.tried = false;
                self.place = next;
                true
            }
            Err(error) => {
                self.delayed.inc();
                tracing::warn!(%error, uses = self.pending.len(), "cannot write uses; trying again");
                false
            }
        }
    }

    /// Whether an attempt that failed was written nevertheless is for the database to say.
    async fn write(&mut self, next: &UsePlace) -> Result<(), Error> {
        if std::mem::replace(&mut self.tried, true) && self.store.use_place().await? == Some(*next) {
            return Ok(());
        }
        Ok(self.store.note_use(&self.pending, next).await?)
    }

    /// Has what was counted put on the disk: no more than the last second is lost where the power fails.
    async fn sync(&self) {
        let disk = Arc::clone(&self.disk);
        let synced = tokio::task::spawn_blocking(move || {
            disk.lock().unwrap_or_else(PoisonError::into_inner).sync_data()
        });
        if let Ok(Err(error)) = synced.await {
            tracing::warn!(%error, "what was counted cannot be put on the disk; trying again");
        }
    }

    fn tell_missed(&mut self) {
        let missed = self.verifier.missed_uses();
        if missed > self.missed {
            tracing::error!(
                missed = missed - self.missed,
                "uses were not counted: more secrets are used than there is room for"
            );
            self.missed = missed;
        }
    }
}

fn keep_ahead(file: &mut UseFile, verifier: &Verifier) {
    if let Err(error) = file.keep_ahead(verifier) {
        tracing::warn!(%error, "the file of counters cannot grow; make room on the disk, or uses are lost where the process is killed");
    }
}

/// A use as the store keeps it.
pub(super) fn last_use(one: Use) -> LastUse {
    LastUse {
        sid: one.sid,
        generation: one.generation,
        at: one.at,
        from: one.from.map(|from| from.to_string()),
        uses: one.uses,
        versions: one.versions.iter().collect(),
    }
}
