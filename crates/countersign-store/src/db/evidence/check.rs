//! The check of everything, in one pass and one transaction: the MAC of the cluster, the schema, every covered row and
//! the digest of its table, the log of changes from its beginning to its head, and the end of the audit trail. It reads
//! and changes nothing. What it finds names the table, the row and what to do.

use std::sync::Arc;

use super::{ADVICE, Cluster, SEALED, stamp::named_row};
use crate::{
    Error,
    db::{
        dialect::{COLUMNS, SCHEMA},
        driver::Driver,
    },
    evidence::{
        key::Keyring,
        ledger::{Ledger, Tally},
        mac::{Cell, SealedTally, same},
        tables::{CHANGE_LOG, TABLES, Table},
    },
    feed,
    value::{Row, Value},
};

pub(crate) const AUDIT_END: &str = "select number, hash from audit order by number desc limit 1";
pub(crate) const LOGGED: &str = "select mac, seq, kind, subject, record, chain from change_log order by seq";

/// The row of the cluster, found whole, and the digests it vouches for.
pub(in crate::db) struct Standing {
    pub(in crate::db) cluster: Cluster,
    pub(in crate::db) keys: Arc<Keyring>,
    sealed: Vec<(String, SealedTally)>,
}

/// Reads the row of the cluster and the digests, and finds the key they were written with. `None` where there is no
/// evidence: a database from before there was any, or one somebody took it from.
pub(in crate::db) fn standing(driver: Driver<'_>, keys: &[Arc<Keyring>]) -> Result<Option<Standing>, Error> {
    if columns(driver, "cluster")?.is_empty() {
        return Ok(None);
    }
    let cluster = Cluster::read(driver)?;
    let Some(mac) = cluster.mac else { return Ok(None) };
    let sealed = driver.select(SEALED, &[], &read_sealed)?;
    let fitting = keys.iter().find(|keys| same(&cluster.computed(keys, &sealed), &mac));
    let Some(keys) = fitting.map(Arc::clone) else {
        return Err(Error::Corrupt(format!(
            "the row of the cluster is not as Countersign wrote it, or the keys are of another installation; {ADVICE}"
        )));
    };
    Ok(Some(Standing { cluster, keys, sealed }))
}

/// Checks everything as of the caller's transaction, with whichever of these keys it is stamped with.
pub(in crate::db) fn check(driver: Driver<'_>, keys: &[Arc<Keyring>]) -> Result<(), Error> {
    match standing(driver, keys)? {
        Some(standing) => standing.check_all(driver),
        None => Err(Error::Corrupt(format!("the database has no evidence; {ADVICE}"))),
    }
}

/// The hash of everything the schema says: tables, indexes, views and triggers.
pub(super) fn schema_hash(driver: Driver<'_>) -> Result<[u8; 32], Error> {
    let mut hasher = blake3::Hasher::new_derive_key("countersign schema 1");
    let rows = driver.select(driver.text(&SCHEMA), &[], &|row| {
        let texts: Result<Vec<String>, Error> = ["type", "name", "tbl_name", "sql"]
            .into_iter()
            .map(|column| Ok(row.optional_text(column)?.unwrap_or_default().to_owned()))
            .collect();
        texts
    })?;
    for text in rows.into_iter().flatten() {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    Ok(*hasher.finalize().as_bytes())
}

impl Standing {
    /// Checks the schema: somebody else's trigger or view would do in our name what it likes.
    pub(super) fn check_schema(&self, driver: Driver<'_>) -> Result<(), Error> {
        let kept = self.cluster.columns.iter().find(|(name, _)| name == "schema_hash");
        match kept {
            Some((_, Value::Bytes(kept))) if *kept == schema_hash(driver)? => Ok(()),
            _ => Err(Error::Corrupt(format!(
                "a table, index, view or trigger is not as Countersign made it; {ADVICE}"
            ))),
        }
    }

    /// The digests as they were sealed.
    pub(in crate::db) fn ledger(&self) -> Result<Ledger, Error> {
        let mut ledger = Ledger::default();
        for (place, table) in TABLES.iter().enumerate() {
            ledger.put(place, self.tally(table)?);
        }
        Ok(ledger)
    }

    fn tally(&self, table: &Table) -> Result<Tally, Error> {
        let sealed = self.sealed.iter().find(|(name, _)| name == table.name);
        let tally = sealed.and_then(|(name, sealed)| self.keys.unseal(name, sealed));
        tally.ok_or_else(|| {
            Error::Corrupt(format!("the digest of the table {} is missing; {ADVICE}", table.name))
        })
    }

    /// Checks everything. Before a migration, tables and columns that are still to come are passed over.
    pub(in crate::db) fn check_all(&self, driver: Driver<'_>) -> Result<(), Error> {
        self.check_schema(driver)?;
        for table in TABLES {
            // Before a migration that brings it, a table has no digest; nobody else can take one away.
            if self.sealed.iter().any(|(name, _)| name == table.name) {
                self.check_table(driver, table)?;
            }
        }
        self.check_log(driver)?;
        self.check_audit_end(driver)
    }

    fn check_table(&self, driver: Driver<'_>, table: &Table) -> Result<(), Error> {
        let expected = self.tally(table)?;
        let mut tally = Tally::default();
        rows(driver, table, |mac, value| {
            let computed = self.keys.row(table, (0..table.columns.len()).map(value));
            if !carries(mac, &computed) {
                let row = named_row(table, |column| {
                    table.columns.iter().position(|known| *known == column).map(&value)
                });
                return Err(Error::Corrupt(format!("{row} is not as Countersign wrote it; {ADVICE}")));
            }
            tally.add(self.keys.element(table, &computed));
            Ok(())
        })?;
        if tally == expected {
            return Ok(());
        }
        let what = match tally.rows.cmp(&expected.rows) {
            std::cmp::Ordering::Less => "rows are missing",
            std::cmp::Ordering::Greater => "rows were put there",
            std::cmp::Ordering::Equal => "rows are older than what was written last",
        };
        Err(Error::Corrupt(format!(
            "the table {} has {} rows where Countersign left {}: {what}; {ADVICE}",
            table.name, tally.rows, expected.rows
        )))
    }

    /// Every change that is kept has its MAC, follows on the one before it, and the last one is the head.
    fn check_log(&self, driver: Driver<'_>) -> Result<(), Error> {
        let heads = self.cluster.heads;
        let floor = self.cluster.number("floor");
        let mut before: (u64, Option<[u8; 32]>) = (floor, (floor == 0).then_some([0; 32]));
        let broken = |seq: u64| {
            Err(Error::Corrupt(format!(
                "change {seq} of the log is missing or not as Countersign wrote it; {ADVICE}"
            )))
        };
        driver.visit(LOGGED, |value| {
            let (expected, chain_before) = (before.0 + 1, before.1);
            let computed = self.keys.row(&CHANGE_LOG, (1..=5).map(value));
            let chain = match value(5) {
                Cell::Bytes(chain) => <[u8; 32]>::try_from(chain).ok(),
                _ => None,
            };
            let texts = (text(value(2)), text(value(3)), text(value(4)));
            let (Some(chain), (Some(kind), Some(subject), Some(record))) = (chain, texts) else {
                return broken(expected);
            };
            let follows = chain_before
                .is_none_or(|before| feed::chained(&before, expected, [kind, subject, record]) == chain);
            let is_next = matches!(value(1), Cell::Integer(seq) if u64::try_from(seq) == Ok(expected));
            if !is_next || !follows || !carries(value(0), &computed) {
                return broken(expected);
            }
            before = (expected, Some(chain));
            Ok(())
        })?;
        let ends = before.0 == heads.seq && before.1.is_none_or(|chain| chain == heads.chain);
        if ends { Ok(()) } else { broken(before.0 + 1) }
    }

    fn check_audit_end(&self, driver: Driver<'_>) -> Result<(), Error> {
        let heads = self.cluster.heads;
        let read = |row: &Row| Ok((row.number::<u64>("number")?, row.hash("hash")?));
        let end = driver.select(AUDIT_END, &[], &read)?.pop().unwrap_or((0, [0; 32]));
        if end == (heads.audit_number, heads.audit_hash) {
            return Ok(());
        }
        Err(Error::Corrupt(format!(
            "the audit trail ends with entry {} and Countersign's last was {}; {ADVICE}",
            end.0, heads.audit_number
        )))
    }
}

impl Cluster {
    pub(super) fn number(&self, column: &str) -> u64 {
        let found = self.columns.iter().find(|(name, _)| name == column);
        match found {
            Some((_, Value::Integer(number))) => u64::try_from(*number).unwrap_or_default(),
            _ => 0,
        }
    }
}

/// The names of the columns of a table; none where there is no such table.
pub(in crate::db) fn columns(driver: Driver<'_>, table: &str) -> Result<Vec<String>, Error> {
    driver.select(driver.text(&COLUMNS), &[table.into()], &|row| row.text("name").map(str::to_owned))
}

/// Goes over the rows of a table: hears the column `mac`, and what gives the covered columns by their place.
fn rows(
    driver: Driver<'_>,
    table: &Table,
    mut each: impl for<'r> FnMut(Cell<'r>, &dyn Fn(usize) -> Cell<'r>) -> Result<(), Error>,
) -> Result<(), Error> {
    let present = columns(driver, table.name)?;
    let selected: Vec<&str> = table
        .columns
        .iter()
        .map(|column| if present.iter().any(|known| known == column) { *column } else { "null" })
        .collect();
    let sql = format!("select mac, {} from {}", selected.join(", "), table.name);
    driver.visit(&sql, |value| each(value(0), &|index| value(index + 1)))
}

fn text(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// Whether a column `mac` holds this MAC.
fn carries(column: Cell<'_>, mac: &[u8; 32]) -> bool {
    matches!(column, Cell::Bytes(kept) if <&[u8; 32]>::try_from(kept).is_ok_and(|kept| same(kept, mac)))
}

fn read_sealed(row: &Row) -> Result<(String, SealedTally), Error> {
    let sealed =
        SealedTally { rows: row.number("row_count")?, tag: row.hash("tag")?, sum: row.hash("digest")? };
    Ok((row.text("name")?.to_owned(), sealed))
}
