//! A connection to SQLite: how it is opened, how a statement runs on it, and what its errors mean. No rules of ours.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags,
    config::DbConfig,
    ffi,
    types::{ToSqlOutput, Value as Stored, ValueRef},
};

use crate::{
    Conflict, Error,
    limits::{FOLD_WAIT_MILLIS, LOCK_WAIT_MILLIS, STATEMENTS_PREPARED_MAX},
    value::{Row, Value},
    write::{Expect, Statement, conflict_of},
};

/// The first version without the defect of write-ahead logs that were reset while being checkpointed.
const OLDEST_VERSION: i32 = 3_051_003;

/// What a statement did.
#[derive(Clone, Copy, Default)]
pub(crate) struct Touched {
    /// Rows changed, or answered.
    pub(crate) rows: u64,
    /// The first column of the last row answered, where it is a number.
    pub(crate) answer: Option<i64>,
}

/// Opens the one connection that writes.
pub(super) fn open_writer(path: &Path) -> Result<Connection, Error> {
    if rusqlite::version_number() < OLDEST_VERSION {
        return Err(Error::Unavailable(format!(
            "SQLite {} is too old; 3.51.3 is needed",
            rusqlite::version()
        )));
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| refused(&error))?;
    prepare(&connection).map_err(|error| refused(&error))?;
    Ok(connection)
}

/// Opens one of the connections that only read.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| refused(&error))?;
    let ready = harden(&connection).and_then(|()| connection.pragma_update(None, "query_only", true));
    ready.map_err(|error| refused(&error))?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    harden(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What was answered is on disk: every commit waits for the disk, not only every checkpoint.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What was erased is not to be read from free pages: they are overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    // A longer log than the usual 1,000 pages between checkpoints: fewer of them hold up a group commit.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)
}

fn harden(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MILLIS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_PREPARED_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A plan is made once and not again for every other value: some of ours were parsed anew at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A schema somebody tampered with must not run functions, and a damaged page must be noticed when it is read.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -16_000)
}

/// Folds the log into the database and cuts it off. Answers whether that could be done: somebody who reads an earlier
/// moment still needs it, and is not waited for.
pub(super) fn fold_log(connection: &Connection) -> Result<bool, Error> {
    let fold = || {
        connection.busy_timeout(Duration::from_millis(FOLD_WAIT_MILLIS))?;
        let busy: i64 = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
        connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MILLIS))?;
        Ok(busy == 0)
    };
    fold().map_err(|error: rusqlite::Error| meaning(&error))
}

/// Runs a statement and holds it to what is expected of it.
pub(super) fn run(connection: &Connection, statement: &Statement) -> Result<Touched, Error> {
    let touched = touch(connection, statement).map_err(|error| meaning(&error))?;
    match statement.expect {
        Expect::Row(conflict) if touched.rows == 0 => Err(Error::Conflict(conflict)),
        Expect::Row(_) | Expect::Nothing => Ok(touched),
    }
}

fn touch(connection: &Connection, statement: &Statement) -> rusqlite::Result<Touched> {
    let mut prepared = bind(connection, statement.sql, &statement.values)?;
    if prepared.column_count() == 0 {
        return Ok(Touched { rows: prepared.raw_execute()? as u64, answer: None });
    }
    let mut touched = Touched::default();
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next()? {
        touched.rows += 1;
        touched.answer = row.get_ref(0)?.as_i64().ok();
    }
    Ok(touched)
}

/// Runs a query and reads its rows.
pub(super) fn select<T>(
    connection: &Connection,
    sql: &'static str,
    values: &[Value],
    read: &dyn Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut prepared = bind(connection, sql, values).map_err(|error| meaning(&error))?;
    let names: Arc<[String]> = prepared.column_names().map(str::to_owned).collect();
    let mut rows = prepared.raw_query();
    let mut answer = Vec::new();
    while let Some(row) = rows.next().map_err(|error| meaning(&error))? {
        let columns: rusqlite::Result<Vec<Value>> =
            (0..names.len()).map(|column| row.get_ref(column).map(own)).collect();
        let columns = columns.map_err(|error| meaning(&error))?;
        answer.push(read(&Row::new(Arc::clone(&names), columns))?);
    }
    Ok(answer)
}

fn bind<'c>(
    connection: &'c Connection,
    sql: &'static str,
    values: &[Value],
) -> rusqlite::Result<CachedStatement<'c>> {
    let mut prepared = connection.prepare_cached(text(sql).as_ref())?;
    let placeholders = prepared.parameter_count();
    if placeholders != values.len() {
        return Err(rusqlite::Error::InvalidParameterCount(values.len(), placeholders));
    }
    for index in 1..=placeholders {
        // `$n` is a name to SQLite, numbered by where it stands first; what it stands for is the n-th value.
        let named = prepared.parameter_name(index).and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let value = named.and_then(|number| values.get(number.checked_sub(1)?));
        prepared.raw_bind_parameter(index, value.ok_or(rusqlite::Error::InvalidParameterCount(index, 0))?)?;
    }
    Ok(prepared)
}

#[cfg(not(test))]
fn text(sql: &'static str) -> &'static str {
    sql
}

/// In the crate's own tests one statement can be swapped for a weaker one, to prove that a test would notice.
#[cfg(test)]
fn text(sql: &'static str) -> String {
    super::mutation::of(sql)
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Stored::Null),
            Self::Integer(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn own(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        // STRICT tables without REAL columns hold no fractions.
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

/// What an error of a statement means to the caller.
pub(super) fn meaning(error: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(failure, message) = error else {
        return Error::Unavailable(error.to_string());
    };
    let message = message.as_deref().unwrap_or_default();
    match (failure.code, failure.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => broken_index(message),
        // What the row hangs on went away between reading and writing.
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Error::Conflict(Conflict::Stale),
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Error::Corrupt(error.to_string()),
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Error::Busy,
        (ErrorCode::DiskFull, _) => {
            Error::Unavailable("the disk is full; nothing was written; free some space".to_owned())
        }
        (ErrorCode::OperationInterrupted, _) => {
            Error::Unavailable("this would have to look at too much; ask for less".to_owned())
        }
        _ => Error::Unavailable(error.to_string()),
    }
}

/// SQLite names the columns of a broken index (`tokens.account_id, tokens.name_key`); ours are named after them.
fn broken_index(message: &str) -> Error {
    let columns = message.rsplit(": ").next().unwrap_or_default();
    let mut name = String::new();
    for (index, column) in columns.split(", ").enumerate() {
        let (table, column) = column.split_once('.').unwrap_or(("", column));
        if index == 0 {
            name.push_str(table);
        }
        name.push('_');
        name.push_str(column);
    }
    conflict_of(&name)
        .map_or_else(|| Error::Unavailable(format!("`{name}` already has such a row")), Error::Conflict)
}

fn refused(error: &rusqlite::Error) -> Error {
    match meaning(error) {
        Error::Corrupt(text) => Error::Corrupt(text),
        other => Error::Unavailable(format!("the database file cannot be opened: {other}")),
    }
}
