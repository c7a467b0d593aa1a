//! Brings the schema up to date. Our own runner and not refinery: one table, one checksum and one transaction per
//! step, no second driver to keep in step with ours. A migration has the same number and name on every database. One that
//! landed is never edited; the checksum notices.

use super::{
    dialect::{Fork, MIGRATIONS as LEDGER, NOTE_MIGRATION},
    driver::Driver,
};
use crate::{Error, value::Row, write::Statement};

pub(crate) const NEWEST: &str = "select coalesce(max(number), 0) as newest from migrations";
pub(crate) const APPLIED: &str = "select count(*) as applied from migrations";
pub(crate) const CHECKSUM: &str = "select checksum from migrations where number = $1";

struct Migration {
    number: u32,
    name: &'static str,
    text: Fork,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "first",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0001_first.sql"),
            postgres: include_str!("../../migrations/postgres/0001_first.sql"),
        },
    },
    Migration {
        number: 2,
        name: "strangers",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0002_strangers.sql"),
            postgres: include_str!("../../migrations/postgres/0002_strangers.sql"),
        },
    },
    Migration {
        number: 3,
        name: "webhooks",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0003_webhooks.sql"),
            postgres: include_str!("../../migrations/postgres/0003_webhooks.sql"),
        },
    },
    Migration {
        number: 4,
        name: "notices",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0004_notices.sql"),
            postgres: include_str!("../../migrations/postgres/0004_notices.sql"),
        },
    },
    Migration {
        number: 5,
        name: "ageing",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0005_ageing.sql"),
            postgres: include_str!("../../migrations/postgres/0005_ageing.sql"),
        },
    },
    Migration {
        number: 6,
        name: "addresses",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0006_addresses.sql"),
            postgres: include_str!("../../migrations/postgres/0006_addresses.sql"),
        },
    },
    Migration {
        number: 7,
        name: "keys",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0007_keys.sql"),
            postgres: include_str!("../../migrations/postgres/0007_keys.sql"),
        },
    },
    Migration {
        number: 8,
        name: "announcements",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0008_announcements.sql"),
            postgres: include_str!("../../migrations/postgres/0008_announcements.sql"),
        },
    },
    Migration {
        number: 9,
        name: "evidence",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0009_evidence.sql"),
            postgres: include_str!("../../migrations/postgres/0009_evidence.sql"),
        },
    },
    Migration {
        number: 10,
        name: "checkpoints",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0010_checkpoints.sql"),
            postgres: include_str!("../../migrations/postgres/0010_checkpoints.sql"),
        },
    },
    Migration {
        number: 11,
        name: "probes",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0011_probes.sql"),
            postgres: include_str!("../../migrations/postgres/0011_probes.sql"),
        },
    },
    Migration {
        number: 12,
        name: "access_tokens",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0012_access_tokens.sql"),
            postgres: include_str!("../../migrations/postgres/0012_access_tokens.sql"),
        },
    },
    Migration {
        number: 13,
        name: "use_file",
        text: Fork {
            sqlite: include_str!("../../migrations/sqlite/0013_use_file.sql"),
            postgres: include_str!("../../migrations/postgres/0013_use_file.sql"),
        },
    },
];

/// Whether this Countersign has migrations that were not applied yet.
pub(super) fn is_pending(driver: Driver<'_>) -> Result<bool, Error> {
    driver.batch(driver.text(&LEDGER))?;
    let applied = driver.select(APPLIED, &[], &|row: &Row| row.number::<usize>("applied"))?.pop();
    Ok(MIGRATIONS.len() > applied.unwrap_or_default())
}

/// Applies what is missing, inside the caller's transaction. Answers the number of the last migration.
pub(super) fn migrate(driver: Driver<'_>) -> Result<u32, Error> {
    driver.batch(driver.text(&LEDGER))?;
    let (newest, known) = (newest(driver)?, known());
    if newest > known {
        return Err(Error::Unavailable(format!(
            "its schema has number {newest} and this Countersign knows {known}; use the newer Countersign"
        )));
    }
    for migration in MIGRATIONS {
        apply(driver, migration)?;
    }
    Ok(known)
}

/// The number of the last migration that was applied to a database, which may be of a newer Countersign.
pub(super) fn newest(driver: Driver<'_>) -> Result<u32, Error> {
    let newest = driver.select(NEWEST, &[], &|row: &Row| row.number::<u32>("newest"))?.pop();
    Ok(newest.unwrap_or_default())
}

/// The number of the last migration this Countersign knows.
pub(crate) fn known() -> u32 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

fn apply(driver: Driver<'_>, migration: &Migration) -> Result<(), Error> {
    let text = driver.text(&migration.text);
    let checksum = blake3::hash(text.as_bytes());
    let read = |row: &Row| row.bytes("checksum").map(<[u8]>::to_vec);
    let applied = driver.select(CHECKSUM, &[migration.number.into()], &read)?.pop();
    match applied {
        Some(before) if before == checksum.as_bytes() => Ok(()),
        Some(_) => Err(Error::Corrupt(format!(
            "migration {} ({}) was another one when it was applied to this database",
            migration.number, migration.name
        ))),
        None => {
            driver.batch(text)?;
            let values =
                vec![migration.number.into(), migration.name.into(), checksum.as_bytes().to_vec().into()];
            driver.run(&Statement::new(driver.text(&NOTE_MIGRATION), values)).map(|_| ())
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn twice_is_once_and_strangers_are_refused() {
        let connection = Connection::open_in_memory().unwrap();
        let known = migrate(Driver::Sqlite(&connection)).unwrap();
        assert_eq!(migrate(Driver::Sqlite(&connection)).unwrap(), known);
        connection.execute("insert into migrations values (99, 'later', x'00', 0)", []).unwrap();
        assert!(matches!(migrate(Driver::Sqlite(&connection)), Err(Error::Unavailable(_))));
        connection.execute("delete from migrations where number = 99", []).unwrap();
        connection.execute("update migrations set checksum = x'00'", []).unwrap();
        assert!(matches!(migrate(Driver::Sqlite(&connection)), Err(Error::Corrupt(_))));
    }

    #[test]
    fn numbers_are_in_order() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1, "{}", migration.name);
        }
    }
}
