//! The seam to the database: values in, rows out, writes as data. Everything that knows a database is below this module;
//! nothing in it knows what a token is.

mod dialect;
mod driver;
mod evidence;
mod migrate;
#[cfg(test)]
pub(crate) mod mutation;
mod postgres;
mod queue;
mod reader;
mod reserve;
mod sqlite;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use countersign_model::change::Seq;
use rusqlite::{Connection, TransactionBehavior, backup::Backup};
use tokio::sync::{oneshot, watch};

pub(crate) use dialect::{Fork, INTEGRITY};
pub(crate) use migrate::known as schema_known;
pub(crate) use postgres::Target;
#[cfg(test)]
pub(crate) use postgres::planned;
pub(crate) use reader::Effort;
pub(crate) use sqlite::Touched;

use self::{
    driver::Driver,
    postgres::session::{Purpose, Session},
    queue::{Lane, Queue},
    reader::Reader,
    reserve::Reserve,
    sqlite::meaning,
};
use crate::{
    Error,
    evidence::{
        Opening,
        anchor::Anchor,
        key::RowKey,
        proof::{Proof, Proving},
    },
    limits::{BACKUP_PAGES_AT_ONCE, READERS, READS_WAITING_MAX, WRITES_WAITING_MAX},
    value::{Row, Value},
    write::{Committed, Statement, Write},
};

/// A query with its values.
pub(crate) struct Query {
    sql: Text,
    values: Vec<Value>,
    proofs: &'static [Proof],
}

/// The text of a query, the same for every database or not.
enum Text {
    Common(&'static str),
    Forked(&'static Fork),
}

/// Who hears of commits: how far the feed is, and how far everything is.
struct Heard {
    head: watch::Sender<Seq>,
    position: watch::Sender<Anchor>,
}

/// An open database. Dropping it finishes what was accepted.
pub(crate) struct Db {
    writes: Arc<Queue<writer::Job>>,
    reads: Arc<Queue<reader::Job>>,
    head: watch::Receiver<Seq>,
    position: watch::Receiver<Anchor>,
    proving: Arc<Proving>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    schema_version: u32,
    is_on_server: bool,
}

impl Query {
    pub(crate) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql: Text::Common(sql), values, proofs: &[] }
    }

    /// With a text for each database.
    pub(crate) fn forked(fork: &'static Fork) -> Self {
        Self { sql: Text::Forked(fork), values: Vec::new(), proofs: &[] }
    }

    /// Holds every row to what it proves, before anybody reads it.
    pub(crate) fn proving(mut self, proofs: &'static [Proof]) -> Self {
        self.proofs = proofs;
        self
    }
}

impl Heard {
    fn at(position: &Anchor) -> Self {
        Self { head: watch::Sender::new(position.head), position: watch::Sender::new(position.clone()) }
    }

    fn announce(&self, position: Anchor) {
        self.head.send_if_modified(|known| std::mem::replace(known, position.head) != position.head);
        self.position.send_if_modified(|known| {
            let moved = *known != position;
            *known = position;
            moved
        });
    }
}

impl Db {
    /// Opens the file, creating or migrating it, and starts the threads.
    pub(crate) fn open(path: &Path, opening: &Opening) -> Result<Self, Error> {
        let lock = lock(path)?;
        // SQLite would make it as open as the umask lets; its log gets the rights of its database.
        private(path)
            .map_err(|error| Error::Unavailable(format!("{} cannot be opened: {error}", path.display())))?;
        let mut connection = sqlite::open_writer(path)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| meaning(&error))?;
        let settled =
            evidence::settle::settle(Driver::Sqlite(&transaction), opening).map_err(evidence::advised)?;
        let schema_version = settled.schema_version;
        let evidence = evidence::settle::evidence(&transaction, settled.next).map_err(evidence::advised)?;
        transaction.commit().map_err(|error| meaning(&error))?;
        let heard = Heard::at(&evidence.position());
        let (head, position) = (heard.head.subscribe(), heard.position.subscribe());
        let proving = Arc::new(Proving::with(vec![Arc::clone(evidence.keys())]));
        let (writes, reads) =
            (Arc::new(Queue::new(WRITES_WAITING_MAX)), Arc::new(Queue::new(READS_WAITING_MAX)));
        let threads = Mutex::new(Vec::new());
        let is_on_server = false;
        let db = Self { writes, reads, head, position, proving, threads, schema_version, is_on_server };
        for _ in 0..READERS {
            let (reader, queue) = (Reader::new(sqlite::open_reader(path)?)?, Arc::clone(&db.reads));
            db.start("store-reader", move || reader::work(&reader, &queue))?;
        }
        let proving = Arc::clone(&db.proving);
        let reserve = Reserve::beside(path);
        let writer = writer::Writer { connection, evidence, proving, reserve, heard };
        let queue = Arc::clone(&db.writes);
        db.start("store-writer", move || {
            writer::work(writer, &queue);
            drop(lock);
        })?;
        Ok(db)
    }

    /// Checks everything in the file as it is opened for reading, and how far it has come. Nothing is changed.
    pub(crate) fn inspect(path: &Path, opening: &Opening) -> Result<Option<Anchor>, Error> {
        let connection = sqlite::open_reader(path)?;
        let transaction = connection.unchecked_transaction().map_err(|error| meaning(&error))?;
        evidence::settle::inspect(Driver::Sqlite(&transaction), opening).map_err(evidence::advised)
    }

    /// Opens a database on a server, creating or migrating its tables, and starts the threads. They speak to the server; the
    /// caller may be part of a runtime, which must not wait inside of another.
    pub(crate) fn open_postgres(target: &Target, opening: &Opening) -> Result<Self, Error> {
        let (writes, reads) =
            (Arc::new(Queue::new(WRITES_WAITING_MAX)), Arc::new(Queue::new(READS_WAITING_MAX)));
        let (tell, told) = mpsc::sync_channel(1);
        let (queue, place, opening) = (Arc::clone(&writes), target.clone(), opening.clone());
        let (head, position) = (watch::channel(Seq(0)).1, watch::channel(Anchor::nothing()).1);
        let (proving, threads) = (Arc::new(Proving::default()), Mutex::new(Vec::new()));
        let (schema_version, is_on_server) = (0, true);
        let mut db = Self { writes, reads, head, position, proving, threads, schema_version, is_on_server };
        db.start("store-writer", move || match postgres::writer::open(place, &opening) {
            Ok((writer, schema_version, proving)) => {
                let (head, position) = (writer.heard().head.subscribe(), writer.heard().position.subscribe());
                // Whoever asked waits for it; were they gone, the queue would be closed.
                let _ = tell.send(Ok((schema_version, proving, head, position)));
                postgres::writer::work(writer, &queue);
            }
            Err(error) => drop(tell.send(Err(error))),
        })?;
        let opened = told.recv().map_err(|_| queue::closed())??;
        (db.schema_version, db.proving, db.head, db.position) = opened;
        for _ in 0..READERS {
            let (target, queue) = (target.clone(), Arc::clone(&db.reads));
            db.start("store-reader", move || reader::work(&Reader::of_server(target), &queue))?;
        }
        Ok(db)
    }

    /// Checks everything in a database on a server, and how far it has come. Nothing is changed.
    pub(crate) fn inspect_postgres(target: &Target, opening: &Opening) -> Result<Option<Anchor>, Error> {
        let opening = opening.clone();
        Self::looking(target, move |driver| {
            evidence::settle::inspect(driver, &opening).map_err(evidence::advised)
        })
    }

    /// Whether there are no tables of ours.
    pub(crate) fn is_new_postgres(target: &Target) -> Result<bool, Error> {
        Self::looking(target, |driver| Ok(evidence::check::columns(driver, "cluster")?.is_empty()))
    }

    /// Looks at one moment of a database on a server, without keeping a connection.
    fn looking<T: Send + 'static>(
        target: &Target,
        look: impl FnOnce(Driver<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let target = target.clone();
        let work = move || {
            let session = Session::connect(&target, Purpose::Reading)?;
            session.control(dialect::BEGIN_READING.postgres)?;
            session.control("set local statement_timeout = 0")?;
            look(Driver::Postgres(&session))
        };
        let thread = Builder::new().name("store-inspection".to_owned()).spawn(work);
        let thread =
            thread.map_err(|error| Error::Unavailable(format!("no thread can be started: {error}")))?;
        thread.join().map_err(|_| queue::closed())?
    }

    /// Opens a copy for reading only: no migration, no lock, no writer. Writes are refused as after closing.
    pub(crate) fn open_copy(path: &Path) -> Result<Self, Error> {
        let (writes, reads) =
            (Arc::new(Queue::new(WRITES_WAITING_MAX)), Arc::new(Queue::new(READS_WAITING_MAX)));
        writes.close();
        let reader = Reader::new(sqlite::open_reader(path)?)?;
        let schema_version = reader.together(Effort::Bounded, migrate::newest)?;
        let (_, head) = watch::channel(Seq(0));
        let (_, position) = watch::channel(Anchor::nothing());
        let (proving, threads) = (Arc::new(Proving::default()), Mutex::new(Vec::new()));
        let is_on_server = false;
        let db = Self { writes, reads, head, position, proving, threads, schema_version, is_on_server };
        let queue = Arc::clone(&db.reads);
        db.start("copy-reader", move || reader::work(&reader, &queue))?;
        Ok(db)
    }

    fn start(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        #[cfg(test)]
        let work = {
            let swap = mutation::current();
            move || {
                mutation::install(swap);
                work();
            }
        };
        let thread = Builder::new().name(name.to_owned()).spawn(work);
        let thread =
            thread.map_err(|error| Error::Unavailable(format!("no thread can be started: {error}")))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Whether it is on a server.
    pub(crate) fn is_on_server(&self) -> bool {
        self.is_on_server
    }

    /// The number of the last migration.
    pub(crate) fn schema_version(&self) -> u32 {
        self.schema_version
    }

    /// Hears of every commit.
    pub(crate) fn head(&self) -> watch::Receiver<Seq> {
        self.head.clone()
    }

    /// Hears how far the database has come, after every commit.
    pub(crate) fn position(&self) -> watch::Receiver<Anchor> {
        self.position.clone()
    }

    /// What rows are held to.
    pub(crate) fn evidence(&self) -> Arc<Proving> {
        Arc::clone(&self.proving)
    }

    /// Folds the log in and cuts it off; answers whether nobody needed it any more.
    pub(crate) async fn fold_log(&self) -> Result<bool, Error> {
        let (reply, answer) = oneshot::channel();
        self.writes.put(writer::Job::Fold(reply), Lane::Normal)?;
        answer.await.map_err(|_| queue::closed())?
    }

    /// Checks everything with the keys it is stamped with and stamps it with another, in one transaction.
    pub(crate) async fn restamp(&self, key: RowKey) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.writes.put(writer::Job::Restamp(key, reply), Lane::Normal)?;
        answer.await.map_err(|_| queue::closed())?
    }

    /// Commits a write; durable when this answers.
    pub(crate) async fn commit(&self, write: Write) -> Result<Committed, Error> {
        let lane = if write.is_urgent() { Lane::Urgent } else { Lane::Normal };
        let (reply, answer) = oneshot::channel();
        self.writes.put(writer::Job::Write(Box::new(write), reply), lane)?;
        answer.await.map_err(|_| queue::closed())?
    }

    /// Housekeeping: rows that are neither audited nor on the feed. `quiet.rs` says which those are.
    pub(crate) async fn quiet(&self, statements: Vec<Statement>) -> Result<Touched, Error> {
        let (reply, answer) = oneshot::channel();
        self.writes.put(writer::Job::Quiet(statements, reply), Lane::Normal)?;
        answer.await.map_err(|_| queue::closed())?
    }

    /// The rows of one query.
    pub(crate) async fn rows<T: Send + 'static>(
        &self,
        query: Query,
        read: impl Fn(&Row) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        self.rows_together(vec![query], Effort::Bounded, move |_, row| read(row)).await
    }

    /// The first row of one query.
    pub(crate) async fn row<T: Send + 'static>(
        &self,
        query: Query,
        read: impl Fn(&Row) -> Result<T, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        Ok(self.rows(query, read).await?.into_iter().next())
    }

    /// The rows of several queries as of one moment, in order. `read` hears which query a row is of.
    pub(crate) async fn rows_together<T: Send + 'static>(
        &self,
        queries: Vec<Query>,
        effort: Effort,
        read: impl Fn(usize, &Row) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let proving = Arc::clone(&self.proving);
        self.on_reader(move |reader| {
            reader.together(effort, |driver| select_all(driver, &queries, &proving, &read))
        })
        .await
    }

    /// As [`Self::rows_together`], and as of the same moment everything in the database is as we wrote it.
    pub(crate) async fn rows_checked<T: Send + 'static>(
        &self,
        queries: Vec<Query>,
        read: impl Fn(usize, &Row) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let proving = Arc::clone(&self.proving);
        self.on_reader(move |reader| {
            reader.together(Effort::AsMuchAsItTakes, |driver| {
                let checked = evidence::check::check(driver, &proving.keys());
                checked
                    .and_then(|()| select_all(driver, &queries, &proving, &read))
                    .map_err(evidence::advised)
            })
        })
        .await
    }

    /// Copies the database as of one moment into a file that is not there yet.
    pub(crate) async fn backup(&self, target: PathBuf) -> Result<(), Error> {
        self.on_reader(move |reader| {
            reader.copy(|connection| {
                if target.exists() {
                    return Err(Error::Unavailable(format!("{} is there already", target.display())));
                }
                private(&target).map_err(|error| {
                    Error::Unavailable(format!("{} cannot be made: {error}", target.display()))
                })?;
                let mut copy = Connection::open(&target).map_err(|error| meaning(&error))?;
                let backup = Backup::new(connection, &mut copy).map_err(|error| meaning(&error))?;
                backup
                    .run_to_completion(BACKUP_PAGES_AT_ONCE, Duration::ZERO, None)
                    .map_err(|error| meaning(&error))
            })
        })
        .await
    }

    async fn on_reader<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        // Whoever no longer waits has given up on the answer.
        let job: reader::Job = Box::new(move |reader| drop(reply.send(read(reader))));
        self.reads.put(job, Lane::Normal)?;
        answer.await.map_err(|_| queue::closed())?
    }

    /// Takes nothing new, finishes what was accepted, folds the log in, and lets go of the file.
    pub(crate) fn close(&self) {
        self.writes.close();
        self.reads.close();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!(
                    "a thread of the store ended by a defect; see what it wrote to standard error"
                );
            }
        }
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        self.close();
    }
}

fn select_all<T>(
    driver: Driver<'_>,
    queries: &[Query],
    proving: &Proving,
    read: &impl Fn(usize, &Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut answer = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        let sql = match query.sql {
            Text::Common(sql) => sql,
            Text::Forked(fork) => driver.text(fork),
        };
        let rows = driver.select(sql, &query.values, &|row: &Row| {
            query.proofs.iter().try_for_each(|proof| proving.hold(proof, row))?;
            read(index, row)
        })?;
        answer.extend(rows);
    }
    Ok(answer)
}

/// Opens a file, and makes it for its user alone where there is none.
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

/// Holds `<file>.lock` beside the database, so that no second process writes it. The system lets go of it when the
/// process ends, however it ends.
fn lock(path: &Path) -> Result<File, Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let unusable = |error: &dyn std::fmt::Display| {
        Error::Unavailable(format!("{} cannot be locked: {error}", name.display()))
    };
    let file = private(&name).map_err(|error| unusable(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(unusable(&"another process has this database open; stop it, or send it your command"))
        }
        Err(std::fs::TryLockError::Error(error)) => Err(unusable(&error)),
    }
}
