//! The one thread that writes. It takes everything that waits, commits it in one transaction, and answers only after
//! the commit is on disk. Each write has a savepoint, so that one whose expectation does not hold takes only itself
//! back.

use std::sync::Arc;

use countersign_model::change::Seq;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{
    queue::{Queue, ShutOnExit},
    sqlite::{self, Touched, meaning, run},
};
use crate::{
    Error, feed,
    limits::WRITES_PER_COMMIT_MAX,
    write::{Committed, Heads, Statement, Write},
};

/// Something for the writer to do, and who waits for it.
pub(super) enum Job {
    Write(Box<Write>, oneshot::Sender<Result<Committed, Error>>),
    Quiet(Vec<Statement>, oneshot::Sender<Result<Touched, Error>>),
}

/// A job that was run and waits for the commit.
enum Pending {
    Write(Result<Committed, Error>, oneshot::Sender<Result<Committed, Error>>),
    Quiet(Result<Touched, Error>, oneshot::Sender<Result<Touched, Error>>),
}

/// Writes until the queue is closed and empty, then folds the log into the database.
pub(super) fn work(connection: Connection, queue: &Arc<Queue<Job>>, head: &watch::Sender<Seq>) {
    let _shut = ShutOnExit(queue);
    loop {
        let jobs = queue.take(WRITES_PER_COMMIT_MAX);
        if jobs.is_empty() {
            break;
        }
        commit_together(&connection, jobs, head);
    }
    if let Err(error) = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
        tracing::warn!(%error, "the write-ahead log stays beside the database and is folded in at the next start");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

fn commit_together(connection: &Connection, jobs: Vec<Job>, head: &watch::Sender<Seq>) {
    let mut pending = Vec::with_capacity(jobs.len());
    let outcome = transact(connection, jobs, &mut pending);
    if outcome.is_err() && !connection.is_autocommit() {
        // Where even this fails the next `begin` fails too, and says so to whoever writes next.
        let _ = connection.execute_batch("rollback");
    }
    if let Ok(seq) = outcome {
        head.send_if_modified(|known| std::mem::replace(known, seq) != seq);
    }
    for job in pending {
        // Whoever no longer waits has given up on the answer; the write stands all the same.
        match job {
            Pending::Write(result, reply) => drop(reply.send(settle(result, &outcome))),
            Pending::Quiet(result, reply) => drop(reply.send(settle(result, &outcome))),
        }
    }
}

/// What a job is told: what came of it, or, where the transaction failed, that it failed, even to those who met a
/// conflict: what they met may have been a neighbour's row that never came to be.
fn settle<T>(result: Result<T, Error>, outcome: &Result<Seq, Error>) -> Result<T, Error> {
    outcome.as_ref().map_err(same).and(result)
}

/// Runs all jobs in one transaction. An error means that nothing of it was written.
fn transact(connection: &Connection, jobs: Vec<Job>, pending: &mut Vec<Pending>) -> Result<Seq, Error> {
    let begun = connection.execute_batch("begin immediate").map_err(|error| meaning(&error));
    let mut batch = Batch { connection, heads: begun.and_then(|()| read_heads(connection)) };
    let before = batch.heads.as_ref().map_or(0, |heads| heads.audit_number);
    for job in jobs {
        pending.push(match job {
            Job::Write(write, reply) => Pending::Write(batch.write(*write), reply),
            Job::Quiet(statements, reply) => Pending::Quiet(batch.in_savepoint(&statements), reply),
        });
    }
    let heads = batch.heads?;
    if heads.audit_number > before {
        run(connection, &feed::write_heads(&heads))?;
    }
    connection.execute_batch("commit").map_err(|error| meaning(&error))?;
    Ok(Seq(heads.seq))
}

fn read_heads(connection: &Connection) -> Result<Heads, Error> {
    let mut rows = sqlite::select(connection, feed::HEADS, &[], &feed::read_heads)?;
    rows.pop().ok_or_else(|| Error::Corrupt("the row of the cluster is missing".to_owned()))
}

/// The transaction of one group commit.
struct Batch<'c> {
    connection: &'c Connection,
    /// The ends of the chains after the writes so far; an error once the whole transaction is lost.
    heads: Result<Heads, Error>,
}

impl Batch<'_> {
    fn write(&mut self, write: Write) -> Result<Committed, Error> {
        let mut moved = *self.heads.as_ref().map_err(same)?;
        let (statements, committed) = write.into_statements(&mut moved);
        self.in_savepoint(&statements)?;
        self.heads = Ok(moved);
        Ok(committed)
    }

    /// Runs all statements or none of them.
    fn in_savepoint(&mut self, statements: &[Statement]) -> Result<Touched, Error> {
        self.heads.as_ref().map_err(same)?;
        let outcome = self.control("savepoint job").and_then(|()| self.run_all(statements));
        let ended = match &outcome {
            Ok(_) => self.control("release job"),
            Err(_) => self.control("rollback to job").and_then(|()| self.control("release job")),
        };
        // Some errors (a full disk, a failing one) end the transaction by themselves, and the savepoint with it. Then
        // nothing more may run, it would be outside of any transaction, and nothing of this one may be committed.
        if let Err(error) = ended {
            self.heads = Err(same(outcome.as_ref().err().unwrap_or(&error)));
            return outcome.and(Err(error));
        }
        outcome
    }

    fn run_all(&self, statements: &[Statement]) -> Result<Touched, Error> {
        let mut sum = Touched::default();
        for statement in statements {
            let touched = run(self.connection, statement)?;
            sum.rows += touched.rows;
            sum.answer = touched.answer.or(sum.answer);
        }
        Ok(sum)
    }

    fn control(&self, sql: &'static str) -> Result<(), Error> {
        let mut prepared = self.connection.prepare_cached(sql).map_err(|error| meaning(&error))?;
        prepared.execute([]).map(|_| ()).map_err(|error| meaning(&error))
    }
}

/// The same error for the next one who waits.
fn same(error: &Error) -> Error {
    match error {
        Error::Conflict(conflict) => Error::Conflict(*conflict),
        Error::Busy => Error::Busy,
        Error::Unavailable(text) => Error::Unavailable(text.clone()),
        Error::Corrupt(text) => Error::Corrupt(text.clone()),
    }
}
