//! The one thread that writes. It takes everything that waits, commits it in one transaction, and answers only after
//! the commit is on disk. Each write has a savepoint, so that one whose expectation does not hold takes only itself
//! back.

use std::sync::Arc;

use countersign_model::change::Seq;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    Heard,
    evidence::Evidence,
    queue::{Queue, ShutOnExit},
    reserve::{Reserve, Room},
    sqlite::{self, Touched, meaning, run},
};
use crate::{
    Conflict, Error, Token,
    evidence::{
        key::{Keyring, RowKey},
        proof::Proving,
    },
    feed,
    limits::WRITES_PER_COMMIT_MAX,
    quiet,
    value::to_json,
    write::{Committed, Heads, Statement, Write},
};

/// Something for the writer to do, and who waits for it.
pub(super) enum Job {
    Write(Box<Write>, oneshot::Sender<Result<Committed, Error>>),
    Quiet(Vec<Statement>, oneshot::Sender<Result<Touched, Error>>),
    /// Folds the log into the database and cuts it off, in no transaction. Answers whether nobody reads it any more.
    Fold(oneshot::Sender<Result<bool, Error>>),
    /// Stamps everything with another key, in a transaction of its own.
    Restamp(RowKey, oneshot::Sender<Result<(), Error>>),
}

/// The connection that writes, and what goes with it.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) evidence: Evidence,
    pub(super) proving: Arc<Proving>,
    pub(super) reserve: Reserve,
    pub(super) heard: Heard,
}

/// A job that was run and waits for the commit.
enum Pending {
    Write(Result<Committed, Error>, oneshot::Sender<Result<Committed, Error>>),
    Quiet(Result<Touched, Error>, oneshot::Sender<Result<Touched, Error>>),
}

/// Writes until the queue is closed and empty, then folds the log into the database.
pub(super) fn work(mut writer: Writer, queue: &Arc<Queue<Job>>) {
    let _shut = ShutOnExit(queue);
    loop {
        let jobs = queue.take(WRITES_PER_COMMIT_MAX);
        if jobs.is_empty() {
            break;
        }
        writer.run(jobs);
    }
    let connection = writer.connection;
    if let Err(error) = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
        tracing::warn!(%error, "the write-ahead log stays beside the database and is folded in at the next start");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

impl Writer {
    fn run(&mut self, jobs: Vec<Job>) {
        let mut together = Vec::with_capacity(jobs.len());
        let mut alone = Vec::new();
        let mut folds = Vec::new();
        for job in jobs {
            match job {
                Job::Restamp(key, reply) => alone.push((key, reply)),
                Job::Fold(reply) => folds.push(reply),
                job => together.push(job),
            }
        }
        if self.reserve.look() == Room::ForDenials {
            together = together.into_iter().filter_map(or_refuse).collect();
        }
        if !together.is_empty() {
            self.commit_together(together);
        }
        for (key, reply) in alone {
            drop(reply.send(self.restamp(&key)));
        }
        for reply in folds {
            drop(reply.send(sqlite::fold_log(&self.connection)));
        }
    }

    fn commit_together(&mut self, jobs: Vec<Job>) {
        let mut pending = Vec::with_capacity(jobs.len());
        let outcome = self.transact(jobs, &mut pending);
        if outcome.is_err() {
            self.take_back();
        }
        if outcome.is_ok() {
            self.heard.announce(self.evidence.position());
        }
        for job in pending {
            // Whoever no longer waits has given up on the answer; the write stands all the same.
            match job {
                Pending::Write(result, reply) => drop(reply.send(settle(result, &outcome))),
                Pending::Quiet(result, reply) => drop(reply.send(settle(result, &outcome))),
            }
        }
    }

    /// Runs all jobs in one transaction. An error means that nothing of it was written.
    fn transact(&mut self, jobs: Vec<Job>, pending: &mut Vec<Pending>) -> Result<Seq, Error> {
        let begun = self.begin();
        let Self { connection, evidence, .. } = self;
        let mut batch = Batch { connection, evidence, heads: begun };
        for job in jobs {
            pending.push(match job {
                Job::Write(write, reply) => Pending::Write(batch.write(*write), reply),
                Job::Quiet(statements, reply) => {
                    Pending::Quiet(batch.in_savepoint(|batch| batch.run_all(&statements)), reply)
                }
                // Those were taken out before.
                Job::Restamp(..) | Job::Fold(_) => continue,
            });
        }
        let heads = batch.heads?;
        let left = evidence.finish(connection, &heads)?;
        connection.execute_batch("commit").map_err(|error| meaning(&error))?;
        evidence.committed(left);
        Ok(Seq(heads.seq))
    }

    /// Begins a transaction in a database that is as it was left.
    fn begin(&self) -> Result<Heads, Error> {
        self.connection.execute_batch("begin immediate").map_err(|error| meaning(&error))?;
        let heads = self.evidence.begin(&self.connection);
        if matches!(heads, Err(Error::Corrupt(_))) {
            self.proving.distrust();
        }
        heads
    }

    fn take_back(&self) {
        if !self.connection.is_autocommit() {
            // Where even this fails the next `begin` fails too, and says so to whoever writes next.
            let _ = self.connection.execute_batch("rollback");
        }
        self.evidence.rolled_back();
    }

    /// Readers believe both keys from before the first row is stamped anew until the last one is on disk.
    fn restamp(&mut self, key: &RowKey) -> Result<(), Error> {
        let new = Arc::new(Keyring::new(key));
        let old = Arc::clone(self.evidence.keys());
        self.proving.replace(vec![Arc::clone(&new), Arc::clone(&old)]);
        let restamped = self.begin().and_then(|_| {
            let cluster = self.evidence.restamp(&self.connection, &new)?;
            self.connection.execute_batch("commit").map_err(|error| meaning(&error))?;
            Ok(cluster)
        });
        match restamped {
            Ok(cluster) => {
                self.evidence.restamped(Arc::clone(&new), cluster);
                self.proving.replace(vec![new]);
                Ok(())
            }
            Err(error) => {
                self.take_back();
                self.evidence.back_to_old_key(&self.connection)?;
                self.proving.replace(vec![old]);
                Err(error)
            }
        }
    }
}

/// Only what may use the space kept for denials; everybody else is told why not.
fn or_refuse(job: Job) -> Option<Job> {
    let full = || {
        let advice = "the disk is nearly full; nothing was written; free some space";
        Error::Unavailable(advice.to_owned())
    };
    match job {
        Job::Write(write, reply) if !write.may_use_reserve() => drop(reply.send(Err(full()))),
        Job::Quiet(statements, reply)
            if !statements.iter().all(|statement| quiet::ON_A_FULL_DISK.contains(&statement.sql)) =>
        {
            drop(reply.send(Err(full())));
        }
        job => return Some(job),
    }
    None
}

/// What a job is told: what came of it, or, where the transaction failed, that it failed, even to those who met a
/// conflict: what they met may have been a neighbour's row that never came to be.
pub(super) fn settle<T>(result: Result<T, Error>, outcome: &Result<Seq, Error>) -> Result<T, Error> {
    outcome.as_ref().map_err(same).and(result)
}

/// The transaction of one group commit.
struct Batch<'c> {
    connection: &'c Connection,
    evidence: &'c Evidence,
    /// The ends of the chains after the writes so far; an error once the whole transaction is lost.
    heads: Result<Heads, Error>,
}

impl Batch<'_> {
    fn write(&mut self, write: Write) -> Result<Committed, Error> {
        let mut moved = *self.heads.as_ref().map_err(same)?;
        let (rows, trace) = write.into_parts();
        let committed = self.in_savepoint(|batch| {
            batch.run_all(&rows)?;
            let (records, committed) =
                trace.statements(&mut moved, batch.evidence.keys(), |token| batch.token_as_kept(token))?;
            batch.run_all(&records).map(|_| committed)
        })?;
        self.heads = Ok(moved);
        Ok(committed)
    }

    /// What the feed says of a token as its rows are now.
    fn token_as_kept(&self, id: &str) -> Result<String, Error> {
        let rows = sqlite::select(self.connection, feed::ONE_TOKEN, &[id.into()], &Token::read_record)?;
        let record = feed::one_token(rows).ok_or(Error::Conflict(Conflict::Stale))?;
        Ok(to_json(&record))
    }

    /// Does all of the work or none of it.
    fn in_savepoint<T>(&mut self, work: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        self.heads.as_ref().map_err(same)?;
        let mark = self.evidence.mark();
        let outcome = self.control("savepoint job").and_then(|()| work(self));
        if outcome.is_err() {
            self.evidence.back_to(&mark);
        }
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
            let touched =
                run(self.connection, statement).map_err(|error| self.evidence.refusal().unwrap_or(error))?;
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
pub(super) fn same(error: &Error) -> Error {
    match error {
        Error::Conflict(conflict) => Error::Conflict(*conflict),
        Error::Busy => Error::Busy,
        Error::Unavailable(text) => Error::Unavailable(text.clone()),
        Error::Corrupt(text) => Error::Corrupt(text.clone()),
    }
}
