//! The one thread that writes to PostgreSQL. It takes everything that waits, commits it in one transaction behind the
//! lock of the row of the cluster, and answers only after the server said that it is on disk. Where the connection was
//! lost in the middle of a commit it asks the server what became of it, and says so where nobody knows. It holds a lock of
//! the database as long as it lives: what a second process wrote here, the verifier of this one would not hear of.

use std::{sync::Arc, time::Duration};

use super::{
    Target,
    batch::{Batch, Plans, Ran, Work},
    meaning::UNREACHABLE,
    session::{Ask, Purpose, Session},
    stamps::{Stamps, put_mac, value},
};
use crate::{
    Error,
    db::{
        Heard,
        dialect::{BEGIN, LOCK_CLUSTER},
        driver::Driver,
        evidence::{self, ADVICE, Cluster, settle},
        queue::{Queue, ShutOnExit},
        sqlite::Touched,
        writer::{Job, settle as settle_with},
    },
    evidence::{
        Opening,
        key::{Keyring, RowKey},
        ledger::Ledger,
        proof::Proving,
        tables::{CHANGE_LOG, TABLES, Table},
    },
    feed,
    limits::{
        DOUBT_TRIES_MAX, DOUBT_WAIT_MILLIS, PIPELINED_MAX, TRANSACTION_TRIES_MAX, WRITES_PER_COMMIT_MAX,
    },
    value::{Row, Value},
    write::{Committed, Heads, Statement, Trace},
};

/// Which lock of the database says that somebody writes: any number that is ours alone.
const ONE_PROCESS: &str = "select pg_advisory_lock(7165064483209180275)";
const TRANSACTION: &str = "select pg_current_xact_id()::text as number";
const STATUS: &str = "select pg_xact_status(cast(cast($1 as text) as xid8)) as status";
/// Whether there is code of others that runs in our name. It could have changed rows on their way to us.
const FOREIGN_CODE: &str = "
select 1 from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal
union all
select 1 from pg_rewrite r join pg_class c on c.oid = r.ev_class
where c.relnamespace = current_schema()::regnamespace and r.rulename <> '_RETURN'";
const ALL_THE_TIME: &str =
    "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0";

/// Who waits for what.
type Reply<T> = tokio::sync::oneshot::Sender<Result<T, Error>>;

/// A job that may be run more than once.
enum Ready {
    Write(Vec<Statement>, Box<Trace>, Reply<Committed>),
    Quiet(Vec<Statement>, Reply<Touched>),
}

/// A transaction of which it is not known whether it is committed.
struct Doubt {
    transaction: String,
    keys: Arc<Keyring>,
    cluster: Cluster,
    ledger: Ledger,
}

/// Why a transaction is not committed.
enum Lost {
    Error(Error),
    /// The server gave it up for the sake of another one.
    Again(Error),
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

pub(in crate::db) struct Writer {
    target: Target,
    session: Option<Session>,
    plans: Plans,
    stamps: Stamps,
    doubt: Option<Doubt>,
    heard: Heard,
    proving: Arc<Proving>,
}

/// Opens the database: makes or migrates it, and holds it to the keys and to the anchor. Answers the number of the last
/// migration too.
pub(in crate::db) fn open(target: Target, opening: &Opening) -> Result<(Writer, u32, Arc<Proving>), Error> {
    let session = alone(&target)?;
    let driver = Driver::Postgres(&session);
    session.control(BEGIN.postgres)?;
    session.control(ALL_THE_TIME)?;
    let settled = settle::settle(driver, opening).map_err(evidence::advised)?;
    let version = settled.schema_version;
    let stamps = match settled.next {
        settle::Next::Resume(standing) => {
            Stamps::new(Arc::clone(&standing.keys), &standing.ledger()?, standing.cluster)
        }
        settle::Next::Establish(keys) => {
            let (cluster, ledger) = stamp_anew(&session, &keys)?;
            Stamps::new(keys, &ledger, cluster)
        }
    };
    session.control("commit")?;
    let heard = Heard::at(&stamps.cluster.position());
    let proving = Arc::new(Proving::with(vec![Arc::clone(&stamps.keys)]));
    let (plans, session) = (Plans::default(), Some(session));
    let writer = Writer { target, session, plans, stamps, doubt: None, heard, proving };
    let proving = Arc::clone(&writer.proving);
    Ok((writer, version, proving))
}

/// Reaches the server and waits a moment for whoever wrote before: a connection that was lost may still be writing.
fn alone(target: &Target) -> Result<Session, Error> {
    let session = Session::connect(target, Purpose::Writing)?;
    match session.select(ONE_PROCESS, &[], &|_| Ok(())) {
        Ok(_) => Ok(session),
        Err(Error::Busy) => Err(Error::Unavailable(
            "another process has this database open; stop it, or send it your command".to_owned(),
        )),
        Err(other) => Err(other),
    }
}

/// Stamps every row with these keys and signs the whole.
fn stamp_anew(session: &Session, keys: &Arc<Keyring>) -> Result<(Cluster, Ledger), Error> {
    let mut ledger = Ledger::default();
    for (place, table) in TABLES.iter().enumerate() {
        stamp_table(session, keys, table, &mut |mac| ledger.add(keys, place, mac))?;
    }
    stamp_table(session, keys, &CHANGE_LOG, &mut |_| ())?;
    let cluster = evidence::seal_all(Driver::Postgres(session), keys, &ledger)?;
    Ok((cluster, ledger))
}

fn stamp_table(
    session: &Session,
    keys: &Keyring,
    table: &Table,
    each: &mut dyn FnMut(&[u8; 32]),
) -> Result<(), Error> {
    let mut macs = Vec::new();
    let sql = format!("select {} from {}", table.columns.join(", "), table.name);
    session.visit(&sql, |column| {
        let mac = keys.row(table, (0..table.columns.len()).map(column));
        let of_key = table.key.iter().filter_map(|name| table.columns.iter().position(|known| known == name));
        each(&mac);
        macs.push(put_mac(table, of_key.map(|index| value(column(index))).collect(), mac));
        Ok(())
    })?;
    for some in macs.chunks(PIPELINED_MAX) {
        for answer in session.send(some) {
            answer.map_err(|failed| failed.meaning)?;
        }
    }
    Ok(())
}

/// Writes until the queue is closed and empty.
pub(in crate::db) fn work(mut writer: Writer, queue: &Arc<Queue<Job>>) {
    let _shut = ShutOnExit(queue);
    loop {
        let jobs = queue.take(WRITES_PER_COMMIT_MAX);
        if jobs.is_empty() {
            return;
        }
        writer.run(jobs);
    }
}

impl Writer {
    pub(in crate::db) fn heard(&self) -> &Heard {
        &self.heard
    }

    fn run(&mut self, jobs: Vec<Job>) {
        let mut together = Vec::with_capacity(jobs.len());
        let mut alone = Vec::new();
        for job in jobs {
            match job {
                Job::Write(write, reply) => {
                    let (rows, trace) = write.into_parts();
                    together.push(Ready::Write(rows, Box::new(trace), reply));
                }
                Job::Quiet(statements, reply) => together.push(Ready::Quiet(statements, reply)),
                Job::Restamp(key, reply) => alone.push((key, reply)),
                // What was erased leaves the server's own log by itself, and its tables when it vacuums them.
                Job::Fold(reply) => drop(reply.send(Ok(true))),
            }
        }
        if !together.is_empty() {
            self.commit_together(together);
        }
        for (key, reply) in alone {
            drop(reply.send(self.restamp(&key)));
        }
    }

    fn commit_together(&mut self, jobs: Vec<Ready>) {
        let mut tries = 1;
        let (ran, outcome) = loop {
            let mut ran = Vec::with_capacity(jobs.len());
            match self.transact(&jobs, &mut ran) {
                Err(Lost::Again(_)) if tries < TRANSACTION_TRIES_MAX => tries += 1,
                Err(Lost::Again(error) | Lost::Error(error)) => break (ran, Err(error)),
                Ok(()) => break (ran, Ok(self.stamps.cluster.position().head)),
            }
        };
        if outcome.is_ok() {
            self.heard.announce(self.stamps.cluster.position());
        }
        let mut ran = ran.into_iter();
        for job in jobs {
            // Whoever no longer waits has given up on the answer; the write stands all the same.
            match (job, ran.next()) {
                (Ready::Write(.., reply), Some(Ran::Write(result))) => {
                    drop(reply.send(settle_with(result, &outcome)));
                }
                (Ready::Quiet(_, reply), Some(Ran::Quiet(result))) => {
                    drop(reply.send(settle_with(result, &outcome)));
                }
                (Ready::Write(.., reply), _) => drop(reply.send(settle_with(Err(Error::Busy), &outcome))),
                (Ready::Quiet(_, reply), _) => drop(reply.send(settle_with(Err(Error::Busy), &outcome))),
            }
        }
    }

    /// Runs all jobs in one transaction. An error means that nothing of it was written, or says that nobody knows.
    fn transact(&mut self, jobs: &[Ready], ran: &mut Vec<Ran>) -> Result<(), Lost> {
        let (heads, transaction) = self.begin()?;
        let outcome = self.run_all(jobs, ran, heads).and_then(|heads| self.finish(&heads));
        match outcome {
            Ok((cluster, ledger)) => {
                let keys = Arc::clone(&self.stamps.keys);
                Ok(self.commit(Doubt { transaction, keys, cluster, ledger })?)
            }
            Err(lost) => {
                self.take_back();
                Err(lost)
            }
        }
    }

    fn run_all(&mut self, jobs: &[Ready], ran: &mut Vec<Ran>, heads: Heads) -> Result<Heads, Lost> {
        let session = self.session.as_ref().ok_or(Error::Busy)?;
        let (plans, stamps) = (&self.plans, &mut self.stamps);
        let mut batch = Batch { session, plans, stamps, heads: Ok(heads), is_worth_another_try: false };
        let works: Vec<Work<'_>> = jobs
            .iter()
            .map(|job| match job {
                Ready::Write(rows, trace, _) => Work { rows, trace: Some(trace) },
                Ready::Quiet(rows, _) => Work { rows, trace: None },
            })
            .collect();
        batch.run(&works, ran);
        match batch.heads {
            Err(error) if batch.is_worth_another_try => Err(Lost::Again(error)),
            heads => Ok(heads?),
        }
    }

    /// Begins a transaction in a database that is as it was left.
    fn begin(&mut self) -> Result<(Heads, String), Error> {
        self.resolve_earlier()?;
        let begun = match self.try_begin() {
            // The server may have ended a connection that nobody used for a while. Nothing was sent on it.
            Err(_) if self.session.as_ref().is_none_or(Session::is_closed) => self.try_begin(),
            begun => begun,
        };
        let (cluster, transaction) = begun.inspect_err(|_| self.take_back())?;
        if cluster != self.stamps.cluster {
            self.proving.distrust();
            self.take_back();
            return Err(Error::Corrupt(format!(
                "another program wrote to the database while Countersign has it open; nothing more is written until \
                 Countersign is started again, which checks everything; {ADVICE}"
            )));
        }
        Ok((cluster.heads(), transaction))
    }

    fn try_begin(&mut self) -> Result<(Cluster, String), Error> {
        let session = connected(&mut self.session, &self.target)?;
        let asks = [BEGIN.postgres, LOCK_CLUSTER.postgres, TRANSACTION].map(Ask::plain);
        let mut answers = session.send(&asks).into_iter();
        let mut next = || match answers.next() {
            Some(answer) => answer.map_err(|failed| failed.meaning),
            None => Err(Error::Busy),
        };
        next()?;
        let cluster = next()?.read(Cluster::of)?.pop();
        let cluster = cluster.ok_or_else(evidence::no_cluster)?;
        let number = next()?.read(|row| row.text("number").map(str::to_owned))?.pop().unwrap_or_default();
        Ok((cluster, number))
    }

    /// At the end of a transaction: writes the heads, the digests that moved and the MAC over all of it.
    fn finish(&self, heads: &Heads) -> Result<(Cluster, Ledger), Lost> {
        let session = self.session.as_ref().ok_or(Error::Busy)?;
        let Stamps { keys, ledger, kept, cluster: before, .. } = &self.stamps;
        let mut statements = Vec::new();
        if *heads != before.heads() {
            statements.push(feed::write_heads(heads));
        }
        statements.extend(evidence::moved(keys, kept, ledger));
        let mut asks: Vec<Ask> = statements
            .into_iter()
            .map(|statement| Ask { sql: statement.sql.into(), values: statement.values })
            .collect();
        asks.extend([evidence::CLUSTER, FOREIGN_CODE].map(Ask::plain));
        let mut answers = Vec::new();
        for answer in session.send(&asks) {
            answers.push(answer.map_err(|failed| {
                if failed.is_worth_another_try {
                    Lost::Again(failed.meaning)
                } else {
                    Lost::Error(failed.meaning)
                }
            })?);
        }
        let foreign = answers.pop().is_none_or(|answer| !answer.rows.is_empty());
        if foreign {
            return Err(Lost::Error(Error::Corrupt(format!(
                "there is a trigger or a rule in the database that is not Countersign's; nothing is written; {ADVICE}"
            ))));
        }
        let cluster = answers.pop().map(|answer| answer.read(Cluster::of)).transpose()?;
        let cluster = cluster.and_then(|mut rows| rows.pop()).ok_or_else(evidence::no_cluster)?;
        if cluster == *before && ledger == kept {
            return Ok((cluster, *ledger));
        }
        let sealed = evidence::named(&ledger.sealed(keys));
        Ok((evidence::sign(Driver::Postgres(session), keys, cluster, &sealed)?, *ledger))
    }

    /// Commits, and finds out what became of it where the connection was lost on the way.
    fn commit(&mut self, doubt: Doubt) -> Result<(), Error> {
        let session = self.session.as_ref().ok_or(Error::Busy)?;
        session.was_unsure();
        match session.control("commit") {
            Ok(()) => {
                let unsure = session.was_unsure();
                self.stamps.committed(doubt.keys, doubt.cluster, &doubt.ledger);
                if unsure {
                    self.heard.announce(self.stamps.cluster.position());
                    return Err(Error::Unavailable(
                        "it was written, but PostgreSQL gave up waiting for its standby: were this server lost now, \
                         it may not have happened; look again before you repeat it"
                            .to_owned(),
                    ));
                }
                Ok(())
            }
            Err(error) if !session.is_closed() => {
                self.take_back();
                Err(error)
            }
            Err(_) => {
                self.session = None;
                self.doubt = Some(doubt);
                self.resolve()
            }
        }
    }

    fn take_back(&mut self) {
        self.stamps.rolled_back();
        if let Some(session) = &self.session
            && (session.is_closed() || session.control("rollback").is_err())
        {
            // With the connection goes the transaction.
            self.session = None;
        }
    }

    /// Before anything else is written it is known what became of what was written before.
    fn resolve_earlier(&mut self) -> Result<(), Error> {
        if self.doubt.is_none() {
            return Ok(());
        }
        // That it never happened was told already, as something that may be.
        let before = self.stamps.cluster.position();
        let _ = self.look_up()?;
        let now = self.stamps.cluster.position();
        if now != before {
            self.heard.announce(now);
        }
        Ok(())
    }

    /// Asks until it is known, or often enough.
    fn resolve(&mut self) -> Result<(), Error> {
        for _ in 0..DOUBT_TRIES_MAX {
            match self.look_up() {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    return Err(Error::Unavailable(format!(
                        "{UNREACHABLE}: the connection was lost; nothing was written"
                    )));
                }
                Err(Error::Corrupt(told)) => return Err(Error::Corrupt(told)),
                Err(_) => std::thread::sleep(Duration::from_millis(DOUBT_WAIT_MILLIS)), // poll
            }
        }
        Err(Error::Unavailable(
            "the connection to PostgreSQL was lost while this was being written; it may have happened: look again \
             before you repeat it"
                .to_owned(),
        ))
    }

    /// Looks up what became of a commit. The lock of the database is ours only when the connection of then has ended on
    /// the server, so nothing of it can still happen.
    fn look_up(&mut self) -> Result<bool, Error> {
        let session = connected(&mut self.session, &self.target)?;
        let Some(doubt) = &self.doubt else { return Ok(false) };
        let cluster = Cluster::read(Driver::Postgres(session))?;
        let happened = if cluster == doubt.cluster && cluster != self.stamps.cluster {
            true
        } else if cluster == self.stamps.cluster && cluster != doubt.cluster {
            false
        } else if cluster != doubt.cluster {
            self.proving.distrust();
            return Err(Error::Corrupt(format!(
                "another program wrote to the database while the connection to it was lost; start Countersign again, \
                 which checks everything; {ADVICE}"
            )));
        } else {
            // Nothing that is signed moved: only the server itself knows.
            let read = |row: &Row| row.optional_text("status").map(|status| status.map(str::to_owned));
            let status = session.select(STATUS, &[Value::from(doubt.transaction.as_str())], &read)?.pop();
            status.flatten().as_deref() == Some("committed")
        };
        if let (true, Some(doubt)) = (happened, self.doubt.take()) {
            self.stamps.committed(doubt.keys, doubt.cluster, &doubt.ledger);
        }
        self.doubt = None;
        self.stamps.rolled_back();
        Ok(happened)
    }

    /// Readers believe both keys from before the first row is stamped anew until the last one is on disk.
    fn restamp(&mut self, key: &RowKey) -> Result<(), Error> {
        let new = Arc::new(Keyring::new(key));
        let old = Arc::clone(&self.stamps.keys);
        self.proving.replace(vec![Arc::clone(&new), Arc::clone(&old)]);
        match self.try_restamp(&new) {
            Ok(()) => {
                self.proving.replace(vec![new]);
                Ok(())
            }
            Err(error) => {
                self.take_back();
                // Where nobody knows which key is in force, both are believed until it is known.
                if self.doubt.is_none() {
                    self.proving.replace(vec![old]);
                }
                Err(error)
            }
        }
    }

    fn try_restamp(&mut self, new: &Arc<Keyring>) -> Result<(), Error> {
        let (_, transaction) = self.begin()?;
        let session = self.session.as_ref().ok_or(Error::Busy)?;
        session.control(ALL_THE_TIME)?;
        let driver = Driver::Postgres(session);
        evidence::check::check(driver, std::slice::from_ref(&self.stamps.keys))?;
        let (cluster, ledger) = stamp_anew(session, new)?;
        self.commit(Doubt { transaction, keys: Arc::clone(new), cluster, ledger })
    }
}

/// The connection there is, or a new one that holds the lock of the database.
fn connected<'s>(session: &'s mut Option<Session>, target: &Target) -> Result<&'s Session, Error> {
    let lost = session.as_ref().is_none_or(Session::is_closed);
    if lost {
        *session = None;
        *session = Some(alone(target)?);
    }
    session.as_ref().ok_or(Error::Busy)
}
