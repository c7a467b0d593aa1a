//! The threads that read. Each has a read-only connection; what it reads together, it reads in one transaction, so it
//! sees one moment. A read that is not told otherwise is given up after a bounded amount of work.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rusqlite::Connection;

use super::{
    queue::{Queue, ShutOnExit},
    sqlite::meaning,
};
use crate::{
    Error,
    limits::{READ_STEPS_BETWEEN_LOOKS, READ_STEPS_MAX},
};

/// Something for a reader to do; it answers by itself.
pub(super) type Job = Box<dyn FnOnce(&Reader) + Send>;

/// How much work a read may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What a caller from outside may cause: `READ_STEPS_MAX`.
    Bounded,
    /// What Countersign does for itself, such as a snapshot of everything.
    AsMuchAsItTakes,
}

pub(super) struct Reader {
    pub(super) connection: Connection,
    steps_left: Arc<AtomicU64>,
}

impl Reader {
    pub(super) fn new(mut connection: Connection) -> Result<Self, Error> {
        let steps_left = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&steps_left);
        let look = move || {
            let left = count.load(Ordering::Relaxed);
            count.store(left.saturating_sub(u64::from(READ_STEPS_BETWEEN_LOOKS)), Ordering::Relaxed);
            left == 0
        };
        let between = i32::try_from(READ_STEPS_BETWEEN_LOOKS).unwrap_or(i32::MAX);
        connection.progress_handler(between, Some(look)).map_err(|error| meaning(&error))?;
        Ok(Self { connection, steps_left })
    }

    /// Reads in one transaction.
    pub(super) fn together<T>(
        &self,
        effort: Effort,
        read: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let steps = match effort {
            Effort::Bounded => READ_STEPS_MAX,
            Effort::AsMuchAsItTakes => u64::MAX,
        };
        self.steps_left.store(steps, Ordering::Relaxed);
        let transaction = self.connection.unchecked_transaction().map_err(|error| meaning(&error))?;
        let answer = read(&transaction);
        // Nothing was written; how the transaction ends makes no difference, only that it does.
        transaction.finish().map_err(|error| meaning(&error))?;
        answer
    }
}

/// Reads until the queue is closed and empty.
pub(super) fn work(reader: &Reader, queue: &Queue<Job>) {
    let _shut = ShutOnExit(queue);
    loop {
        let jobs = queue.take(1);
        if jobs.is_empty() {
            return;
        }
        for job in jobs {
            job(reader);
        }
    }
}
