//! The seam itself: a connection to one database or the other, and what both can do. What differs in text is in
//! `dialect.rs`; what differs in how rows are stamped is in `evidence/stamp.rs` and `postgres/`.

use rusqlite::Connection;

use super::{
    dialect::Fork,
    evidence::stamp,
    postgres::session::Session,
    sqlite::{self, Touched, meaning},
};
use crate::{
    Error,
    evidence::mac::Cell,
    value::{Row, Value},
    write::Statement,
};

/// A connection, in whatever transaction its owner is.
#[derive(Clone, Copy)]
pub(crate) enum Driver<'c> {
    Sqlite(&'c Connection),
    Postgres(&'c Session),
}

impl Driver<'_> {
    /// The text for this database.
    pub(crate) fn text(self, fork: &Fork) -> &'static str {
        match self {
            Self::Sqlite(_) => fork.sqlite,
            Self::Postgres(_) => fork.postgres,
        }
    }

    /// Runs a query and reads its rows.
    pub(crate) fn select<T>(
        self,
        sql: &'static str,
        values: &[Value],
        read: &dyn Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(connection) => sqlite::select(connection, sql, values, read),
            Self::Postgres(session) => session.select(sql, values, read),
        }
    }

    /// Goes over the rows of a query one by one, for what may be a whole table: hears what gives the columns by their
    /// place.
    pub(crate) fn visit(
        self,
        sql: &str,
        mut each: impl for<'r> FnMut(&'r dyn Fn(usize) -> Cell<'r>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => {
                let mut prepared = connection.prepare(sql).map_err(|error| meaning(&error))?;
                let mut rows = prepared.raw_query();
                while let Some(row) = rows.next().map_err(|error| meaning(&error))? {
                    each(&|index| row.get_ref(index).map_or(Cell::Null, stamp::cell))?;
                }
                Ok(())
            }
            Self::Postgres(session) => session.visit(sql, each),
        }
    }

    /// Runs a statement on what is not covered by evidence, and holds it to what is expected of it.
    pub(crate) fn run(self, statement: &Statement) -> Result<Touched, Error> {
        match self {
            Self::Sqlite(connection) => sqlite::run(connection, statement),
            Self::Postgres(session) => session.run(statement),
        }
    }

    /// Runs several statements without values.
    pub(crate) fn batch(self, sql: &str) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).map_err(|error| meaning(&error)),
            Self::Postgres(session) => session.batch(sql),
        }
    }
}
