//! One connection to a server, used by one thread at a time. Statements are prepared once and sent together where none
//! of them needs the answer of another, so that a write costs a few round trips and not one for each statement.

use std::{
    cell::RefCell,
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::{Builder, Runtime},
};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Row as Answered, error::SqlState};

use super::{
    Target,
    cells::{Bound, cell, names, own},
    meaning::{is_worth_another_try, meaning},
};
use crate::{
    Error,
    db::sqlite::Touched,
    evidence::mac::Cell,
    limits::{PIPELINED_MAX, READ_MILLIS_MAX, SERVER_STATEMENTS_PREPARED_MAX, WRITE_MILLIS_MAX},
    value::{Row, Value},
    write::{Expect, Statement},
};

/// The oldest server there is code for.
const OLDEST_VERSION: i64 = 150_000;
const SERVER: &str = "
select current_setting('server_version_num')::bigint as version, current_setting('fsync') as fsync,
  current_setting('full_page_writes') as pages, current_setting('server_encoding') as encoding";

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::db) enum Purpose {
    Writing,
    Reading,
}

/// A connection and what it has prepared.
pub(crate) struct Session {
    client: Client,
    statements: RefCell<HashMap<String, tokio_postgres::Statement>>,
    /// The server gave up waiting for its standby in the middle of a commit.
    unsure: Arc<AtomicBool>,
    /// Last, so that it is dropped when nobody needs it any more.
    runtime: Runtime,
}

/// A statement with its values, to be sent.
pub(super) struct Ask {
    pub(super) sql: Arc<str>,
    pub(super) values: Vec<Value>,
}

/// What came of one.
pub(super) struct Answer {
    pub(super) rows: Vec<Answered>,
    /// Rows changed, or answered.
    pub(super) touched: u64,
}

/// Why one failed, and whether the server only gave it up for the sake of another transaction.
pub(super) struct Failed {
    pub(super) meaning: Error,
    pub(super) is_worth_another_try: bool,
}

impl Ask {
    pub(super) fn plain(sql: &str) -> Self {
        Self { sql: sql.into(), values: Vec::new() }
    }
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        Self { meaning: meaning(&error), is_worth_another_try: is_worth_another_try(&error) }
    }
}

impl Session {
    /// Reaches the server, and refuses one that is too old or would lose what it says is written.
    pub(in crate::db) fn connect(target: &Target, purpose: Purpose) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::Unavailable(format!("no connection can be driven: {error}")))?;
        let unsure = Arc::new(AtomicBool::new(false));
        let mut config = target.config.clone();
        let (read_only, millis) = match purpose {
            Purpose::Writing => ("off", WRITE_MILLIS_MAX),
            Purpose::Reading => ("on", READ_MILLIS_MAX),
        };
        config.options(format!(
            "{} -c default_transaction_read_only={read_only} -c statement_timeout={millis}",
            config.get_options().unwrap_or_default()
        ));
        let connected = match &target.tls {
            Some(tls) => runtime.block_on(config.connect(tls.clone())).map(|(client, connection)| {
                runtime.spawn(drive(connection, Arc::clone(&unsure)));
                client
            }),
            None => runtime.block_on(config.connect(NoTls)).map(|(client, connection)| {
                runtime.spawn(drive(connection, Arc::clone(&unsure)));
                client
            }),
        };
        let client = connected.map_err(|error| meaning(&error))?;
        let session = Self { client, statements: RefCell::default(), unsure, runtime };
        session.suits()?;
        Ok(session)
    }

    /// Whether this server can be trusted with what is written.
    fn suits(&self) -> Result<(), Error> {
        let read = |row: &Row| {
            let off = |name| row.text(name).map(|value| value != "on");
            let (version, encoding) = (row.integer("version")?, row.text("encoding")?);
            Ok(if version < OLDEST_VERSION {
                Some("it is older than PostgreSQL 15".to_owned())
            } else if off("fsync")? || off("pages")? {
                Some(
                    "fsync or full_page_writes is off, so a power cut would take back what was answered"
                        .to_owned(),
                )
            } else if encoding != "UTF8" {
                Some(format!("the database is in {encoding}; make one with encoding 'UTF8'"))
            } else {
                None
            })
        };
        match self.select(SERVER, &[], &read)?.into_iter().flatten().next() {
            Some(why) => Err(Error::Unavailable(format!("this PostgreSQL cannot be used: {why}"))),
            None => Ok(()),
        }
    }

    /// Whether the connection is known to be gone.
    pub(in crate::db) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether a commit since the last time this was asked is on this server alone.
    pub(super) fn was_unsure(&self) -> bool {
        self.unsure.swap(false, Ordering::SeqCst)
    }

    /// Runs a query and reads its rows.
    pub(in crate::db) fn select<T>(
        &self,
        sql: &str,
        values: &[Value],
        read: &dyn Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.runtime.block_on(async {
            let statement = self.prepared(sql, values.len()).await.map_err(|failed| failed.meaning)?;
            let names = names(statement.columns());
            let mut answer = Vec::new();
            let rows = self
                .client
                .query_raw(&statement, values.iter().map(Bound))
                .await
                .map_err(|error| meaning(&error))?;
            let mut rows = pin!(rows);
            while let Some(row) = rows.try_next().await.map_err(|error| meaning(&error))? {
                answer.push(read(&own(&row, &names))?);
            }
            Ok(answer)
        })
    }

    /// Goes over the rows of a query, one by one.
    pub(in crate::db) fn visit(
        &self,
        sql: &str,
        mut each: impl for<'r> FnMut(&'r dyn Fn(usize) -> Cell<'r>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.runtime.block_on(async {
            let rows =
                self.client.query_raw(sql, [].iter().map(Bound)).await.map_err(|error| meaning(&error))?;
            let mut rows = pin!(rows);
            while let Some(row) = rows.try_next().await.map_err(|error| meaning(&error))? {
                each(&|index| cell(&row, index))?;
            }
            Ok(())
        })
    }

    /// Runs a statement as it is and holds it to what is expected of it.
    pub(in crate::db) fn run(&self, statement: &Statement) -> Result<Touched, Error> {
        let ask = Ask { sql: statement.sql.into(), values: statement.values.clone() };
        let answer = self.send(&[ask]).into_iter().next();
        let answer = answer.ok_or(Error::Busy)?.map_err(|failed| failed.meaning)?;
        answer.touched(statement)
    }

    /// Runs several statements without values that change the schema.
    pub(in crate::db) fn batch(&self, sql: &str) -> Result<(), Error> {
        // What was prepared may have other columns from now on.
        self.statements.borrow_mut().clear();
        self.control(sql)
    }

    /// Runs what steers transactions and settings.
    pub(in crate::db) fn control(&self, sql: &str) -> Result<(), Error> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(|error| meaning(&error))
    }

    /// Sends all of them without waiting in between, and answers in order. After one that failed inside a transaction,
    /// the others fail too.
    pub(super) fn send(&self, asks: &[Ask]) -> Vec<Result<Answer, Failed>> {
        self.runtime.block_on(async {
            // Preparing waits for the server; what is prepared once is sent at once.
            let mut ready = Vec::with_capacity(asks.len());
            for ask in asks {
                match self.prepared(&ask.sql, ask.values.len()).await {
                    Ok(statement) => ready.push(statement),
                    // Nothing was sent, and inside of a transaction nothing more will be heard.
                    Err(failed) => return vec![Err(failed)],
                }
            }
            let answers = asks.iter().zip(ready).map(|(ask, prepared)| self.answer(ask, prepared));
            stream::iter(answers).buffered(PIPELINED_MAX).collect().await
        })
    }

    async fn answer(&self, ask: &Ask, prepared: tokio_postgres::Statement) -> Result<Answer, Failed> {
        let mut rows = pin!(self.client.query_raw(&prepared, ask.values.iter().map(Bound)).await?);
        let mut answered = Vec::new();
        while let Some(row) = rows.try_next().await? {
            answered.push(row);
        }
        let touched = rows.rows_affected().unwrap_or(answered.len() as u64);
        Ok(Answer { rows: answered, touched })
    }

    async fn prepared(&self, sql: &str, values: usize) -> Result<tokio_postgres::Statement, Failed> {
        let known = self.statements.borrow().get(sql).cloned();
        let statement = if let Some(statement) = known {
            statement
        } else {
            let statement = self.client.prepare(sql).await?;
            let mut statements = self.statements.borrow_mut();
            if statements.len() >= SERVER_STATEMENTS_PREPARED_MAX {
                statements.clear();
            }
            statements.insert(sql.to_owned(), statement.clone());
            statement
        };
        if statement.params().len() == values {
            return Ok(statement);
        }
        let wanted = statement.params().len();
        let meaning =
            Error::Unavailable(format!("a statement has {wanted} placeholders and {values} values"));
        Err(Failed { meaning, is_worth_another_try: false })
    }
}

impl Answer {
    /// Holds it to what was expected.
    pub(super) fn touched(&self, statement: &Statement) -> Result<Touched, Error> {
        if let (Expect::Row(conflict), 0) = (statement.expect, self.touched) {
            return Err(Error::Conflict(conflict));
        }
        let answer = self.rows.last().filter(|row| !row.is_empty()).map(|row| cell(row, 0));
        let answer = match answer {
            Some(Cell::Integer(number)) => Some(number),
            _ => None,
        };
        Ok(Touched { rows: self.touched, answer })
    }

    /// The rows with the names of their columns.
    pub(super) fn read<T>(&self, read: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let Some(first) = self.rows.first() else { return Ok(Vec::new()) };
        let names = names(first.columns());
        self.rows.iter().map(|row| read(&own(row, &names))).collect()
    }
}

/// Moves bytes until the connection ends, and hears what the server says on its own.
async fn drive<S, T>(mut connection: Connection<S, T>, unsure: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => {
                let code = notice.code();
                let of_replication = notice.message().contains("synchronous replication");
                if of_replication && (*code == SqlState::WARNING || *code == SqlState::ADMIN_SHUTDOWN) {
                    unsure.store(true, Ordering::SeqCst);
                }
                tracing::debug!(code = code.code(), "PostgreSQL says: {}", notice.message());
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection to PostgreSQL ended");
                return;
            }
        }
    }
}
