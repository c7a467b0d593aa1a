//! The threads that read, which are the pool of connections too: each has one of its own, only for reading. What it reads
//! together, it reads in one transaction, so it sees one moment. A read that is not told otherwise is given up after a
//! bounded amount of work; one whose connection was lost is tried once more on a new one, because it changed nothing.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::Connection;

use super::{
    dialect::BEGIN_READING,
    driver::Driver,
    postgres::{
        Target,
        session::{Purpose, Session},
    },
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

pub(super) enum Reader {
    Sqlite { connection: Connection, steps_left: Arc<AtomicU64> },
    Postgres { target: Box<Target>, session: RefCell<Option<Box<Session>>> },
}

impl Reader {
    /// Reaches the server when something is to be read.
    pub(super) fn of_server(target: Target) -> Self {
        Self::Postgres { target: Box::new(target), session: RefCell::new(None) }
    }

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
        Ok(Self::Sqlite { connection, steps_left })
    }

    /// Reads in one transaction.
    pub(super) fn together<T>(
        &self,
        effort: Effort,
        read: impl Fn(Driver<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self {
            Self::Sqlite { connection, steps_left } => {
                Self::in_file(connection, steps_left, effort, |connection| read(Driver::Sqlite(connection)))
            }
            Self::Postgres { target, session } => {
                let mut session = session.borrow_mut();
                match on_server(target, &mut session, effort, &read) {
                    Err(_) if session.as_ref().is_some_and(|session| session.is_closed()) => {
                        on_server(target, &mut session, effort, &read)
                    }
                    answer => answer,
                }
            }
        }
    }

    /// Copies a file as of one moment; a server has its own tools for that.
    pub(super) fn copy(&self, copy: impl FnOnce(&Connection) -> Result<(), Error>) -> Result<(), Error> {
        match self {
            Self::Sqlite { connection, steps_left } => {
                Self::in_file(connection, steps_left, Effort::AsMuchAsItTakes, copy)
            }
            Self::Postgres { .. } => Err(Error::Unavailable(
                "this installation keeps its data in PostgreSQL: back it up with pg_dump, and copy the keys beside it"
                    .to_owned(),
            )),
        }
    }

    fn in_file<T>(
        connection: &Connection,
        steps_left: &AtomicU64,
        effort: Effort,
        read: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let steps = match effort {
            Effort::Bounded => READ_STEPS_MAX,
            Effort::AsMuchAsItTakes => u64::MAX,
        };
        steps_left.store(steps, Ordering::Relaxed);
        let transaction = connection.unchecked_transaction().map_err(|error| meaning(&error))?;
        let answer = read(&transaction);
        // Nothing was written; how the transaction ends makes no difference, only that it does.
        transaction.finish().map_err(|error| meaning(&error))?;
        answer
    }
}

fn on_server<T>(
    target: &Target,
    session: &mut Option<Box<Session>>,
    effort: Effort,
    read: &impl Fn(Driver<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    if session.as_ref().is_none_or(|session| session.is_closed()) {
        *session = None;
        *session = Some(Box::new(Session::connect(target, Purpose::Reading)?));
    }
    let session = session.as_ref().ok_or(Error::Busy)?;
    session.control(BEGIN_READING.postgres)?;
    if effort == Effort::AsMuchAsItTakes {
        session.control("set local statement_timeout = 0")?;
    }
    let answer = read(Driver::Postgres(session));
    // Nothing was written; how the transaction ends makes no difference, only that it does.
    let ended = session.control("rollback");
    answer.and_then(|answer| ended.map(|()| answer))
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
