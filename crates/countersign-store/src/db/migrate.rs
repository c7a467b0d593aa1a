//! Brings the schema up to date. Our own runner and not refinery: one table, one checksum and one transaction per
//! step, no second driver to keep in step with rusqlite. A migration that landed is never edited; the checksum notices.

use rusqlite::{Connection, OptionalExtension};

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
    Migration { number: 3, name: "webhooks", sql: include_str!("../../migrations/sqlite/0003_webhooks.sql") },
    Migration { number: 4, name: "notices", sql: include_str!("../../migrations/sqlite/0004_notices.sql") },
    Migration { number: 5, name: "ageing", sql: include_str!("../../migrations/sqlite/0005_ageing.sql") },
    Migration {
        number: 6,
        name: "addresses",
        sql: include_str!("../../migrations/sqlite/0006_addresses.sql"),
    },
    Migration { number: 7, name: "keys", sql: include_str!("../../migrations/sqlite/0007_keys.sql") },
    Migration {
        number: 8,
        name: "announcements",
        sql: include_str!("../../migrations/sqlite/0008_announcements.sql"),
    },
    Migration { number: 9, name: "evidence", sql: include_str!("../../migrations/sqlite/0009_evidence.sql") },
    Migration {
        number: 10,
        name: "checkpoints",
        sql: include_str!("../../migrations/sqlite/0010_checkpoints.sql"),
    },
    Migration { number: 11, name: "probes", sql: include_str!("../../migrations/sqlite/0011_probes.sql") },
    Migration {
        number: 12,
        name: "access_tokens",
        sql: include_str!("../../migrations/sqlite/0012_access_tokens.sql"),
    },
    Migration {
        number: 13,
        name: "use_file",
        sql: include_str!("../../migrations/sqlite/0013_use_file.sql"),
    },
];

const LEDGER: &str = "create table if not exists migrations (
    number integer primary key, name text not null, checksum blob not null, applied_at integer not null
) strict";

/// Whether this Countersign has migrations that were not applied yet.
pub(super) fn is_pending(connection: &Connection) -> Result<bool, Error> {
    connection.execute_batch(LEDGER).map_err(|error| meaning(&error))?;
    let applied: u32 = connection
        .query_row("select count(*) from migrations", [], |row| row.get(0))
        .map_err(|error| meaning(&error))?;
    Ok(MIGRATIONS.len() > applied as usize)
}

/// Applies what is missing, inside the caller's transaction, and answers the number of the last migration.
pub(super) fn migrate(connection: &Connection) -> Result<u32, Error> {
    connection.execute_batch(LEDGER).map_err(|error| meaning(&error))?;
    let newest: Option<u32> = connection
        .query_row("select max(number) from migrations", [], |row| row.get(0))
        .map_err(|error| meaning(&error))?;
    let known = known();
    if newest.is_some_and(|newest| newest > known) {
        return Err(Error::Unavailable(format!(
            "its schema has number {} and this Countersign knows {known}; use the newer Countersign",
            newest.unwrap_or_default()
        )));
    }
    for migration in MIGRATIONS {
        apply(connection, migration)?;
    }
    Ok(known)
}

/// The number of the last migration that was applied to a database, which may be of a newer Countersign.
pub(super) fn newest(connection: &Connection) -> Result<u32, Error> {
    connection
        .query_row("select coalesce(max(number), 0) from migrations", [], |row| row.get(0))
        .map_err(|error| meaning(&error))
}

/// The number of the last migration this Countersign knows.
pub(crate) fn known() -> u32 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

fn apply(connection: &Connection, migration: &Migration) -> Result<(), Error> {
    let checksum = blake3::hash(migration.sql.as_bytes());
    let applied: Option<Vec<u8>> = connection
        .query_row("select checksum from migrations where number = $1", [migration.number], |row| row.get(0))
        .optional()
        .map_err(|error| meaning(&error))?;
    match applied {
        Some(before) if before == checksum.as_bytes() => Ok(()),
        Some(_) => Err(Error::Corrupt(format!(
            "migration {} ({}) was another one when it was applied to this database",
            migration.number, migration.name
        ))),
        None => connection
            .execute_batch(migration.sql)
            .and_then(|()| {
                connection.execute(
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
        let connection = Connection::open_in_memory().unwrap();
        let known = migrate(&connection).unwrap();
        assert_eq!(migrate(&connection).unwrap(), known);
        connection.execute("insert into migrations values (99, 'later', x'00', 0)", []).unwrap();
        assert!(matches!(migrate(&connection), Err(Error::Unavailable(_))));
        connection.execute("delete from migrations where number = 99", []).unwrap();
        connection.execute("update migrations set checksum = x'00'", []).unwrap();
        assert!(matches!(migrate(&connection), Err(Error::Corrupt(_))));
    }

    #[test]
    fn numbers_are_in_order() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1, "{}", migration.name);
        }
    }
}
