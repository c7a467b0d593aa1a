//! The anchor: a file beside the keys that says how far the database had come, renewed within a second after commits. A
//! database that was put back to an earlier state is found by it at the next start, except for what happened since the
//! last renewal. Where it cannot be written, requests are served all the same, and it is told loudly.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use countersign_model::time::Timestamp;
use countersign_store::{Anchor, RowKey, Store};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, limits::ANCHOR_BYTES_MAX};

/// The name of the file in the keys directory.
pub const ANCHOR_FILE: &str = "anchor";
/// Between two renewals: many commits are one. Half of the second within which a commit is anchored.
const RENEW_EVERY: Duration = Duration::from_millis(500);
/// When a write that failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why the anchor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// It cannot be read.
    #[error("cannot read the anchor {path}: {cause}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is not one of ours.
    #[error(
        "the anchor {0} was not written with these keys, so nothing says whether the database was put back to an earlier \
         state; restore that file with the keys directory, or say that the state is wanted with `countersign anchor accept`"
    )]
    Foreign(PathBuf),
}

/// What a look at a database and its anchor found.
#[derive(Debug)]
pub struct Inspection {
    /// How far the database has come; `None` where it is from before there was evidence.
    pub database: Option<Anchor>,
    /// How far the anchor says it had come; `None` where there is none yet.
    pub anchor: Option<Anchor>,
}

/// The file.
#[derive(Debug, Clone)]
pub struct AnchorFile {
    path: PathBuf,
}

/// Keeps the file level with the store.
pub struct AnchorKeeper {
    file: AnchorFile,
    key: Mutex<RowKey>,
    position: watch::Receiver<Anchor>,
    /// Since when it cannot be written, in milliseconds; 0 where it can.
    failing_since: AtomicI64,
}

impl AnchorFile {
    /// The one in this keys directory.
    pub fn beside(keys: &Path) -> Self {
        Self { path: keys.join(ANCHOR_FILE) }
    }

    /// What it says; `None` where there is none yet.
    pub fn read(&self, keys: &[RowKey]) -> Result<Option<Anchor>, AnchorError> {
        let text = match self.text() {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                return Err(AnchorError::Foreign(self.path.clone()));
            }
            Err(cause) => return Err(AnchorError::Io { path: self.path.clone(), cause }),
        };
        Anchor::from_text(&text, keys).map(Some).ok_or_else(|| AnchorError::Foreign(self.path.clone()))
    }

    fn text(&self) -> io::Result<String> {
        let file = fs::File::open(&self.path)?;
        if file.metadata()?.len() > ANCHOR_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        io::read_to_string(file)
    }

    /// Writes it, whole or not at all; on disk when this returns.
    pub fn write(&self, anchor: &Anchor, key: &RowKey) -> io::Result<()> {
        let draft = self.path.with_extension("new");
        match fs::remove_file(&draft) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(anchor.to_text(key).as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        self.path.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all())
    }
}

impl AnchorKeeper {
    /// A keeper of this file for this store, written with this key.
    pub fn new(file: AnchorFile, key: RowKey, store: &Store) -> Self {
        let position = store.watch_position();
        Self { file, key: Mutex::new(key), position, failing_since: AtomicI64::new(0) }
    }

    /// Since when the anchor cannot be written.
    pub fn failing_since(&self) -> Option<Timestamp> {
        let millis = self.failing_since.load(Ordering::Relaxed);
        (millis != 0).then(|| Timestamp::from_unix_millis(millis))
    }

    /// Writes it with another key from now on, and at once.
    pub async fn rekey(self: &Arc<Self>, key: RowKey, now: Timestamp) -> io::Result<()> {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
        self.renew(now).await
    }

    /// Renews it after commits until stopped. What is committed later is anchored when the application is closed.
    pub async fn keep(self: Arc<Self>, clock: Clock, stop: CancellationToken) {
        let mut position = self.position.clone();
        position.mark_changed();
        loop {
            let changed = stop.run_until_cancelled(position.changed()).await;
            if changed.is_none_or(|changed| changed.is_err()) {
                break;
            }
            position.mark_unchanged();
            let pause = if self.renew(clock.wall()).await.is_ok() {
                RENEW_EVERY
            } else {
                position.mark_changed();
                TRY_AGAIN_AFTER
            };
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                break;
            }
        }
    }

    /// Writes how far the store is now.
    pub async fn renew(self: &Arc<Self>, now: Timestamp) -> io::Result<()> {
        let keeper = Arc::clone(self);
        let written = tokio::task::spawn_blocking(move || {
            // Under the lock, so that of two writers the later one writes the later state.
            let key = keeper.key.lock().unwrap_or_else(PoisonError::into_inner);
            let anchor = keeper.position.borrow().clone();
            keeper.file.write(&anchor, &key)
        });
        let written = written.await.map_err(io::Error::other).flatten();
        self.note(&written, now);
        written
    }

    /// Tells when it begins to fail and when that is over, not every second in between.
    fn note(&self, written: &io::Result<()>, now: Timestamp) {
        let since = self.failing_since.load(Ordering::Relaxed);
        let path = self.file.path.display();
        match written {
            Ok(()) if since != 0 => {
                self.failing_since.store(0, Ordering::Relaxed);
                tracing::warn!(%path, "the anchor is written again");
            }
            Err(cause) if since == 0 => {
                self.failing_since.store(now.unix_millis(), Ordering::Relaxed);
                tracing::error!(%path, %cause, "the anchor cannot be written: until it can, a database that is put back to an earlier state is not noticed");
            }
            Ok(()) | Err(_) => {}
        }
    }
}
