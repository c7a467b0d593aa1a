//! The check of everything, in one pass and one transaction: the MAC of the cluster, the schema, every covered row and
//! the digest of its table, the log of changes from its beginning to its head, and the end of the audit trail. It reads
//! and changes nothing. What it finds names the table, the row and what to do.

use std::sync::Arc;

use rusqlite::{Connection, types::ValueRef};

use super::{ADVICE, Cluster, SEALED, stamp};
use crate::{
    Error,
    db::sqlite::{self, meaning},
    evidence::{
        key::Keyring,
        ledger::{Ledger, Tally},
        mac::{SealedTally, same},
        tables::{CHANGE_LOG, TABLES, Table},
    },
    feed,
    value::{Row, Value},
};

const SCHEMA: &str = "select type, name, tbl_name, sql from sqlite_schema order by type, name, tbl_name";
const COLUMNS: &str = "select name from pragma_table_info($1)";
pub(crate) const AUDIT_END: &str = "select number, hash from audit order by number desc limit 1";
pub(crate) const LOGGED: &str = "select mac, seq, kind, subject, record, chain from change_log order by seq";

/// The row of the cluster, found whole, and the digests it vouches for.
pub(in crate::db) struct Standing {
    pub(super) cluster: Cluster,
    pub(super) keys: Arc<Keyring>,
    sealed: Vec<(String, SealedTally)>,
}

/// Reads the row of the cluster and the digests, and finds the key they were written with. `None` where there is no
/// evidence: a database from before there was any, or one somebody took it from.
pub(in crate::db) fn standing(
    connection: &Connection,
    keys: &[Arc<Keyring>],
) -> Result<Option<Standing>, Error> {
    if columns(connection, "cluster")?.is_empty() {
        return Ok(None);
    }
    let cluster = Cluster::read(connection)?;
    let Some(mac) = cluster.mac else { return Ok(None) };
    let sealed = sqlite::select(connection, SEALED, &[], &read_sealed)?;
    let fitting = keys.iter().find(|keys| same(&cluster.computed(keys, &sealed), &mac));
    let Some(keys) = fitting.map(Arc::clone) else {
        return Err(Error::Corrupt(format!(
            "the row of the cluster is not as Countersign wrote it, or the keys are of another installation; {ADVICE}"
        )));
    };
    Ok(Some(Standing { cluster, keys, sealed }))
}

/// Checks everything as of the caller's transaction, with whichever of these keys it is stamped with.
pub(in crate::db) fn check(connection: &Connection, keys: &[Arc<Keyring>]) -> Result<(), Error> {
    match standing(connection, keys)? {
        Some(standing) => standing.check_all(connection),
        None => Err(Error::Corrupt(format!("the database has no evidence; {ADVICE}"))),
    }
}

/// The hash of everything the schema says: tables, indexes, views and triggers.
pub(super) fn schema_hash(connection: &Connection) -> Result<[u8; 32], Error> {
    let mut hasher = blake3::Hasher::new_derive_key("countersign schema 1");
    let rows = sqlite::select(connection, SCHEMA, &[], &|row| {
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
    pub(super) fn check_schema(&self, connection: &Connection) -> Result<(), Error> {
        let kept = self.cluster.columns.iter().find(|(name, _)| name == "schema_hash");
        match kept {
            Some((_, Value::Bytes(kept))) if *kept == schema_hash(connection)? => Ok(()),
            _ => Err(Error::Corrupt(format!(
                "a table, index, view or trigger is not as Countersign made it; {ADVICE}"
            ))),
        }
    }

    /// The digests as they were sealed.
    pub(super) fn ledger(&self) -> Result<Ledger, Error> {
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
    pub(in crate::db) fn check_all(&self, connection: &Connection) -> Result<(), Error> {
        self.check_schema(connection)?;
        for table in TABLES {
            // Before a migration that brings it, a table has no digest; nobody else can take one away.
            if self.sealed.iter().any(|(name, _)| name == table.name) {
                self.check_table(connection, table)?;
            }
        }
        self.check_log(connection)?;
        self.check_audit_end(connection)
    }

    fn check_table(&self, connection: &Connection, table: &Table) -> Result<(), Error> {
        let expected = self.tally(table)?;
        let mut tally = Tally::default();
        rows(connection, table, |mac, value| {
            let computed =
                self.keys.row(table, (0..table.columns.len()).map(|index| stamp::cell(value(index))));
            if !stamp::carries(mac, &computed) {
                let row = stamp::named(table, |column| {
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
    fn check_log(&self, connection: &Connection) -> Result<(), Error> {
        let heads = self.cluster.heads;
        let floor = self.cluster.number("floor");
        let mut before: (u64, Option<[u8; 32]>) = (floor, (floor == 0).then_some([0; 32]));
        let broken = |seq: u64| {
            Err(Error::Corrupt(format!(
                "change {seq} of the log is missing or not as Countersign wrote it; {ADVICE}"
            )))
        };
        let mut prepared = connection.prepare(LOGGED).map_err(|error| meaning(&error))?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(|error| meaning(&error))? {
            let (expected, chain_before) = (before.0 + 1, before.1);
            let value = |index| row.get_ref(index).unwrap_or(ValueRef::Null);
            let computed = self.keys.row(&CHANGE_LOG, (1..=5).map(|index| stamp::cell(value(index))));
            let chain = value(5).as_blob().ok().and_then(|chain| <[u8; 32]>::try_from(chain).ok());
            let texts = (value(2).as_str(), value(3).as_str(), value(4).as_str());
            let (Some(chain), (Ok(kind), Ok(subject), Ok(record))) = (chain, texts) else {
                return broken(expected);
            };
            let follows = chain_before
                .is_none_or(|before| feed::chained(&before, expected, [kind, subject, record]) == chain);
            let is_next = value(1).as_i64().is_ok_and(|seq| u64::try_from(seq) == Ok(expected));
            if !is_next || !follows || !stamp::carries(value(0), &computed) {
                return broken(expected);
            }
            before = (expected, Some(chain));
        }
        let ends = before.0 == heads.seq && before.1.is_none_or(|chain| chain == heads.chain);
        if ends { Ok(()) } else { broken(before.0 + 1) }
    }

    fn check_audit_end(&self, connection: &Connection) -> Result<(), Error> {
        let heads = self.cluster.heads;
        let read = |row: &Row| Ok((row.number::<u64>("number")?, row.hash("hash")?));
        let end = sqlite::select(connection, AUDIT_END, &[], &read)?.pop().unwrap_or((0, [0; 32]));
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
pub(super) fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, Error> {
    sqlite::select(connection, COLUMNS, &[table.into()], &|row| row.text("name").map(str::to_owned))
}

/// Goes over the rows of a table: hears the column `mac`, and what gives the covered columns by their place.
fn rows(
    connection: &Connection,
    table: &Table,
    mut each: impl for<'r> FnMut(ValueRef<'r>, &dyn Fn(usize) -> ValueRef<'r>) -> Result<(), Error>,
) -> Result<(), Error> {
    let present = columns(connection, table.name)?;
    let selected: Vec<&str> = table
        .columns
        .iter()
        .map(|column| if present.iter().any(|known| known == column) { *column } else { "null" })
        .collect();
    let sql = format!("select mac, {} from {}", selected.join(", "), table.name);
    let mut prepared = connection.prepare(&sql).map_err(|error| meaning(&error))?;
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(|error| meaning(&error))? {
        let value = |index: usize| row.get_ref(index).unwrap_or(ValueRef::Null);
        each(value(0), &|index| value(index + 1))?;
    }
    Ok(())
}

fn read_sealed(row: &Row) -> Result<(String, SealedTally), Error> {
    let sealed =
        SealedTally { rows: row.number("row_count")?, tag: row.hash("tag")?, sum: row.hash("digest")? };
    Ok((row.text("name")?.to_owned(), sealed))
}
