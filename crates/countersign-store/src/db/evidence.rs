//! Evidence in a database: the row of the cluster and the sealed digests, on both; and on SQLite, for the one connection that
//! writes, the stamping of rows. Temporary triggers, which are in no file, call functions of
//! ours for every row of a covered table that any statement adds, changes or deletes: the MAC it has is checked before it
//! is replaced, so nothing that was changed from outside is ever stamped as ours. At the end of a transaction the digests
//! and the MAC of the cluster are written. What is checked when everything is read is in `evidence/check.rs`.

pub(super) mod check;
pub(super) mod settle;
pub(super) mod stamp;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::{
    dialect::LOCK_CLUSTER,
    driver::Driver,
    sqlite::{self, meaning, run},
};
use crate::{
    Error,
    evidence::{anchor::Anchor, key::Keyring, ledger::Ledger, mac::SealedTally, tables::TABLES},
    feed,
    value::{Row, Value},
    write::{Heads, Statement},
};

pub(crate) const CLUSTER: &str = "select * from cluster where singleton = 1";
pub(crate) const SEALED: &str = "select name, row_count, tag, digest from evidence order by name";
pub(crate) const PUT_SEALED: &str = "
insert into evidence (name, row_count, tag, digest) values ($1, $2, $3, $4)
on conflict (name) do update set row_count = excluded.row_count, tag = excluded.tag, digest = excluded.digest";
pub(crate) const SIGN: &str = "update cluster set mac = $1 where singleton = 1";
const DATA_VERSION: &str = "pragma data_version";

/// What is told with every mismatch.
pub(super) const ADVICE: &str = "somebody changed the database past Countersign: find out who can write to it, and put back a \
backup with `countersign restore`";

/// The same error, with what to do where the database is not as it was left.
pub(super) fn advised(error: Error) -> Error {
    match error {
        Error::Corrupt(text) if !text.contains("countersign restore") => {
            Error::Corrupt(format!("{text}; {ADVICE}"))
        }
        other => other,
    }
}

/// What the functions of the connection move, and why they refused.
#[derive(Default)]
struct Moving {
    ledger: Ledger,
    refused: Option<String>,
}

/// The evidence of a database while it is written.
pub(super) struct Evidence {
    keys: Arc<Keyring>,
    moving: Arc<Mutex<Moving>>,
    /// The digests as of the last commit.
    kept: Ledger,
    /// The row of the cluster as of the last commit. Nobody else writes, so it is found as it was left.
    cluster: Cluster,
    /// Changes when another connection commits.
    data_version: i64,
}

/// The row of the cluster, column by column, by name.
#[derive(Clone, PartialEq)]
pub(super) struct Cluster {
    columns: Vec<(String, Value)>,
    mac: Option<[u8; 32]>,
    heads: Heads,
    epoch: u64,
    id: String,
}

impl Cluster {
    pub(super) fn read(driver: Driver<'_>) -> Result<Self, Error> {
        driver.select(CLUSTER, &[], &Self::of)?.pop().ok_or_else(no_cluster)
    }

    pub(super) fn heads(&self) -> Heads {
        self.heads
    }

    pub(super) fn of(row: &Row) -> Result<Self, Error> {
        let mut columns: Vec<(String, Value)> =
            row.cells().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        columns.sort_by(|(one, _), (other, _)| one.cmp(other));
        columns.retain(|(name, _)| name != "mac");
        // A database from before there was evidence has no such column.
        let mac = row.optional_bytes("mac").ok().flatten().and_then(|mac| mac.try_into().ok());
        Ok(Self {
            columns,
            mac,
            heads: feed::read_heads(row)?,
            epoch: row.number("epoch")?,
            id: row.text("cluster_id")?.to_owned(),
        })
    }

    fn computed(&self, keys: &Keyring, sealed: &[(String, SealedTally)]) -> [u8; 32] {
        let columns = self.columns.iter().map(|(name, value)| (name.as_str(), value));
        keys.cluster(columns, sealed.iter().map(|(name, sealed)| (name.as_str(), *sealed)))
    }

    pub(super) fn position(&self) -> Anchor {
        Anchor {
            cluster: self.id.clone(),
            epoch: self.epoch,
            head: countersign_model::change::Seq(self.heads.seq),
            chain: self.heads.chain,
            audit_number: self.heads.audit_number,
            audit_hash: self.heads.audit_hash,
        }
    }
}

impl Evidence {
    /// How far the database has come as of the last commit.
    pub(super) fn position(&self) -> Anchor {
        self.cluster.position()
    }

    pub(super) fn keys(&self) -> &Arc<Keyring> {
        &self.keys
    }

    /// At the beginning of a transaction: everything is as it was left. Answers the ends of the chains.
    pub(super) fn begin(&self, connection: &Connection) -> Result<Heads, Error> {
        let foreign = data_version(connection)? != self.data_version;
        let now = sqlite::select(connection, LOCK_CLUSTER.sqlite, &[], &Cluster::of)?.pop();
        if foreign || now.as_ref() != Some(&self.cluster) {
            return Err(Error::Corrupt(format!(
                "another program wrote to the database while Countersign has it open; nothing more is written until \
                 Countersign is started again, which checks everything; {ADVICE}"
            )));
        }
        Ok(self.cluster.heads)
    }

    /// Where the digests are now, to come back to.
    pub(super) fn mark(&self) -> Ledger {
        self.moving().ledger
    }

    /// Takes back what was done since the mark.
    pub(super) fn back_to(&self, mark: &Ledger) {
        *self.moving() = Moving { ledger: *mark, refused: None };
    }

    /// Why a statement failed, where it was a row that is not as it was left.
    pub(super) fn refusal(&self) -> Option<Error> {
        self.moving().refused.take().map(Error::Corrupt)
    }

    /// At the end of a transaction: writes the heads, the digests that moved and the MAC over all of it. Answers the row
    /// of the cluster, to be kept once it is committed.
    pub(super) fn finish(&self, connection: &Connection, heads: &Heads) -> Result<(Cluster, Ledger), Error> {
        if *heads != self.cluster.heads {
            run(connection, &feed::write_heads(heads))?;
        }
        let ledger = self.mark();
        for statement in moved(&self.keys, &self.kept, &ledger) {
            run(connection, &statement)?;
        }
        let cluster = Cluster::read(Driver::Sqlite(connection))?;
        if cluster == self.cluster && ledger == self.kept {
            return Ok((cluster, ledger));
        }
        let sealed = ledger.sealed(&self.keys);
        Ok((sign(Driver::Sqlite(connection), &self.keys, cluster, &named(&sealed))?, ledger))
    }

    /// The transaction is on disk.
    pub(super) fn committed(&mut self, (cluster, ledger): (Cluster, Ledger)) {
        self.cluster = cluster;
        self.kept = ledger;
    }

    /// The transaction was taken back.
    pub(super) fn rolled_back(&self) {
        self.back_to(&self.kept);
    }

    fn moving(&self) -> MutexGuard<'_, Moving> {
        moving(&self.moving)
    }
}

fn moving(moving: &Mutex<Moving>) -> MutexGuard<'_, Moving> {
    // A sum is replaced whole; nothing under this lock can leave it half changed.
    moving.lock().unwrap_or_else(PoisonError::into_inner)
}

fn data_version(connection: &Connection) -> Result<i64, Error> {
    let mut prepared = connection.prepare_cached(DATA_VERSION).map_err(|error| meaning(&error))?;
    prepared.query_row([], |row| row.get(0)).map_err(|error| meaning(&error))
}

pub(super) fn no_cluster() -> Error {
    Error::Corrupt(format!("the row of the cluster is missing; {ADVICE}"))
}

/// What writes the digests that moved.
pub(super) fn moved(keys: &Keyring, kept: &Ledger, now: &Ledger) -> Vec<Statement> {
    let moved = TABLES.iter().enumerate().filter(|(place, _)| now.tally(*place) != kept.tally(*place));
    moved.map(|(place, table)| put_sealed(table.name, &keys.seal(table.name, &now.tally(place)))).collect()
}

/// Writes the digests of all tables, the hash of the schema, and the MAC over all of it.
pub(super) fn seal_all(driver: Driver<'_>, keys: &Keyring, ledger: &Ledger) -> Result<Cluster, Error> {
    let sealed = ledger.sealed(keys);
    for (table, sealed) in TABLES.iter().zip(&sealed) {
        driver.run(&put_sealed(table.name, sealed))?;
    }
    let hash = check::schema_hash(driver)?;
    driver.run(&Statement::new(settle::SET_SCHEMA_HASH, vec![hash.into()]))?;
    sign(driver, keys, Cluster::read(driver)?, &named(&sealed))
}

fn put_sealed(table: &str, sealed: &SealedTally) -> Statement {
    Statement::new(PUT_SEALED, vec![table.into(), sealed.rows.into(), sealed.tag.into(), sealed.sum.into()])
}

/// The digests with their tables, in the order of the names, which is that of [`TABLES`].
pub(super) fn named(sealed: &[SealedTally]) -> Vec<(String, SealedTally)> {
    TABLES.iter().map(|table| table.name.to_owned()).zip(sealed.iter().copied()).collect()
}

/// Writes the MAC of the cluster.
pub(super) fn sign(
    driver: Driver<'_>,
    keys: &Keyring,
    mut cluster: Cluster,
    sealed: &[(String, SealedTally)],
) -> Result<Cluster, Error> {
    let mac = cluster.computed(keys, sealed);
    driver.run(&Statement::new(SIGN, vec![mac.into()]))?;
    cluster.mac = Some(mac);
    Ok(cluster)
}
