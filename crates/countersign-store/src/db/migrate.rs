//! Brings the schema up to date. Our own runner and not refinery: one table, one checksum and one transaction per
//! step, no second driver to keep in step with rusqlite. A migration that landed is never edited; the checksum notices.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::sqlite::meaning;
use crate::Error;

struct Migration {
    number: u32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "first", sql: include_str!("../../migrations/sqlite/0001_first.sql") },
    Migration {
        number: 2,
        name: "strangers",
        sql: include_str!("../../migrations/sqlite/0002_strangers.sql"),
    },
];

const LEDGER: &str = "create table if not exists migrations (
    number integer primary key, name text not null, checksum blob not null, applied_at integer not null
) strict";

/// Applies what is missing and answers the number of the last migration.
pub(super) fn migrate(connection: &mut Connection) -> Result<u32, Error> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| meaning(&error))?;
    transaction.execute_batch(LEDGER).map_err(|error| meaning(&error))?;
    let newest: Option<u32> = transaction
        .query_row("select max(number) from migrations", [], |row| row.get(0))
        .map_err(|error| meaning(&error))?;
    let known = MIGRATIONS.last().map_or(0, |migration| migration.number);
    if newest.is_some_and(|newest| newest > known) {
        return Err(Error::Unavailable(format!(
            "its schema has number {} and this Countersign knows {known}; use the newer Countersign",
            newest.unwrap_or_default()
        )));
    }
    for migration in MIGRATIONS {
        apply(&transaction, migration)?;
    }
    transaction.commit().map_err(|error| meaning(&error))?;
    Ok(known)
}

fn apply(transaction: &Transaction<'_>, migration: &Migration) -> Result<(), Error> {
    let checksum = blake3::hash(migration.sql.as_bytes());
    let applied: Option<Vec<u8>> = transaction
        .query_row("select checksum from migrations where number = $1", [migration.number], |row| row.get(0))
        .optional()
        .map_err(|error| meaning(&error))?;
    match applied {
        Some(before) if before == checksum.as_bytes() => Ok(()),
        Some(_) => Err(Error::Corrupt(format!(
            "migration {} ({}) was another one when it was applied to this database",
            migration.number, migration.name
        ))),
        None => transaction
            .execute_batch(migration.sql)
            .and_then(|()| {
                transaction.execute(
                    "insert into migrations values ($1, $2, $3, cast(unixepoch('subsec') * 1000 as integer))",
                    (migration.number, migration.name, checksum.as_bytes()),
                )
            })
            .map(|_| ())
            .map_err(|error| meaning(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_once_and_strangers_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        let known = migrate(&mut connection).unwrap();
        assert_eq!(migrate(&mut connection).unwrap(), known);
        connection.execute("insert into migrations values (99, 'later', x'00', 0)", []).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Error::Unavailable(_))));
        connection.execute("delete from migrations where number = 99", []).unwrap();
        connection.execute("update migrations set checksum = x'00'", []).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Error::Corrupt(_))));
    }

    #[test]
    fn numbers_are_in_order() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1, "{}", migration.name);
        }
    }
}
