//! What an error of PostgreSQL means to the caller.

use tokio_postgres::error::{DbError, SqlState};

use crate::{Conflict, Error, write::conflict_of};

/// What is told when the server cannot be spoken to.
pub(super) const UNREACHABLE: &str = "PostgreSQL cannot be reached";

/// What an error of a statement means.
pub(super) fn meaning(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(told) => told_by_server(told),
        None if error.is_closed() => {
            Error::Unavailable(format!("{UNREACHABLE}: the connection was lost; nothing was written"))
        }
        None => {
            let cause =
                std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Error::Unavailable(format!("{UNREACHABLE}: {error}{cause}"))
        }
    }
}

/// Whether the transaction can simply be run again: the server gave it up for the sake of another one.
pub(super) fn is_worth_another_try(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE) || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}

fn told_by_server(told: &DbError) -> Error {
    let code = told.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        // Indexes and constraints are named after their table and columns, as SQLite tells them apart.
        let name = told.constraint().unwrap_or_default();
        return conflict_of(name)
            .map_or_else(|| Error::Unavailable(format!("`{name}` already has such a row")), Error::Conflict);
    }
    if *code == SqlState::FOREIGN_KEY_VIOLATION {
        // What the row hangs on went away between reading and writing.
        return Error::Conflict(Conflict::Stale);
    }
    if *code == SqlState::QUERY_CANCELED {
        return Error::Unavailable("this would have to look at too much; ask for less".to_owned());
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::T_R_SERIALIZATION_FAILURE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
    {
        return Error::Busy;
    }
    if *code == SqlState::DISK_FULL {
        let advice = "the disk of PostgreSQL is full; nothing was written; free some space";
        return Error::Unavailable(advice.to_owned());
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        let advice = "this PostgreSQL only reads; it may be a standby: give the address of the primary";
        return Error::Unavailable(advice.to_owned());
    }
    if *code == SqlState::DATA_CORRUPTED || *code == SqlState::INDEX_CORRUPTED {
        return Error::Corrupt(told.message().to_owned());
    }
    Error::Unavailable(format!("PostgreSQL says {}: {}", code.code(), told.message()))
}
