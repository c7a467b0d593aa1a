//! Opening a database with its evidence: what is there is held to the keys and to the anchor, migrated, and stamped where
//! it is new. All of it happens in the one transaction of the migration, so a cut-off upgrade leaves the old state whole.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::{
    ADVICE, Cluster, Evidence, Moving,
    check::{Standing, standing},
    data_version, moving, seal_all, stamp,
};
use crate::{
    Error,
    db::{driver::Driver, migrate},
    evidence::{Opening, anchor::Anchor, key::Keyring},
    value::Row,
};

pub(crate) const SET_SCHEMA_HASH: &str = "update cluster set schema_hash = $1 where singleton = 1";
pub(crate) const CHAIN_AT: &str = "select chain from change_log where seq = $1";
pub(crate) const AUDIT_AT: &str = "select hash from audit where number = $1";

/// What a database needs after it was checked and migrated.
pub(in crate::db) struct Settled {
    pub(in crate::db) next: Next,
    /// The number of the last migration.
    pub(in crate::db) schema_version: u32,
}

pub(in crate::db) enum Next {
    /// It goes on from where it was left.
    Resume(Standing),
    /// Everything there is is to be stamped: a new database, one from before there was evidence, or one whose schema
    /// just changed.
    Establish(Arc<Keyring>),
}

/// Checks and migrates inside the caller's transaction.
pub(in crate::db) fn settle(driver: Driver<'_>, opening: &Opening) -> Result<Settled, Error> {
    let keys: Vec<Arc<Keyring>> = opening.keys.iter().map(|key| Arc::new(Keyring::new(key))).collect();
    let before = standing(driver, &keys)?;
    let pending = migrate::is_pending(driver)?;
    if let Some(standing) = &before {
        standing.check_schema(driver)?;
        if pending {
            standing.check_all(driver)?;
        }
        hold_to_anchor(driver, &standing.cluster, opening)?;
    } else if opening.anchor.is_some() && !opening.accepts_rollback {
        return Err(stripped());
    }
    let schema_version = migrate::migrate(driver)?;
    let next = match before {
        Some(standing) if !pending => Next::Resume(standing),
        Some(standing) => Next::Establish(standing.keys),
        None => {
            let first = keys.into_iter().next();
            Next::Establish(first.ok_or_else(|| Error::Unavailable("no row key was given".to_owned()))?)
        }
    };
    Ok(Settled { next, schema_version })
}

/// The evidence of a file that was settled.
pub(in crate::db) fn evidence(connection: &Connection, next: Next) -> Result<Evidence, Error> {
    match next {
        Next::Resume(standing) => resume(connection, &standing),
        Next::Establish(keys) => establish(connection, keys),
    }
}

/// Holds what is there to the keys and to the anchor, and checks all of it. `None` where there is no evidence yet.
pub(in crate::db) fn inspect(driver: Driver<'_>, opening: &Opening) -> Result<Option<Anchor>, Error> {
    let keys: Vec<Arc<Keyring>> = opening.keys.iter().map(|key| Arc::new(Keyring::new(key))).collect();
    match standing(driver, &keys)? {
        Some(standing) => {
            standing.check_all(driver)?;
            hold_to_anchor(driver, &standing.cluster, opening)?;
            Ok(Some(standing.cluster.position()))
        }
        None if opening.anchor.is_none() || opening.accepts_rollback => Ok(None),
        None => Err(stripped()),
    }
}

fn stripped() -> Error {
    Error::Corrupt(format!(
        "there is an anchor beside the keys and the database has no evidence, so it is not the one Countersign last wrote; \
         {ADVICE}, or say that this state is wanted with `countersign anchor accept`"
    ))
}

/// Goes on from where the database was left.
fn resume(connection: &Connection, standing: &Standing) -> Result<Evidence, Error> {
    let kept = standing.ledger()?;
    let moving = Arc::new(Mutex::new(Moving { ledger: kept, refused: None }));
    stamp::functions(connection, &standing.keys, &moving)?;
    stamp::triggers(connection)?;
    Ok(Evidence {
        keys: Arc::clone(&standing.keys),
        moving,
        kept,
        cluster: standing.cluster.clone(),
        data_version: data_version(connection)?,
    })
}

/// Stamps everything there is: a new database, one from before there was evidence, or one whose schema just changed.
fn establish(connection: &Connection, keys: Arc<Keyring>) -> Result<Evidence, Error> {
    let shared = Arc::new(Mutex::new(Moving::default()));
    stamp::functions(connection, &keys, &shared)?;
    stamp::triggers(connection)?;
    let cluster = stamp_anew(connection, &keys, &shared)?;
    let kept = moving(&shared).ledger;
    Ok(Evidence { keys, moving: shared, kept, cluster, data_version: data_version(connection)? })
}

/// Stamps every row with these keys and signs the whole.
fn stamp_anew(
    connection: &Connection,
    keys: &Arc<Keyring>,
    shared: &Arc<Mutex<Moving>>,
) -> Result<Cluster, Error> {
    *moving(shared) = Moving::default();
    stamp::stamp_all(connection)?;
    let ledger = moving(shared).ledger;
    seal_all(Driver::Sqlite(connection), keys, &ledger)
}

impl Evidence {
    /// Checks everything with the old key and stamps it with a new one, inside the caller's transaction. Nothing changes
    /// here before [`Evidence::committed`]; where the transaction is taken back, [`Evidence::back_to_old_key`] follows.
    pub(in crate::db) fn restamp(
        &mut self,
        connection: &Connection,
        keys: &Arc<Keyring>,
    ) -> Result<Cluster, Error> {
        let driver = Driver::Sqlite(connection);
        let old = standing(driver, std::slice::from_ref(&self.keys))?;
        let old = old.ok_or_else(|| Error::Corrupt(format!("the database has no evidence; {ADVICE}")))?;
        old.check_all(driver)?;
        stamp::functions(connection, keys, &self.moving)?;
        stamp_anew(connection, keys, &self.moving)
    }

    /// The new key is in force.
    pub(in crate::db) fn restamped(&mut self, keys: Arc<Keyring>, cluster: Cluster) {
        self.keys = keys;
        self.kept = self.mark();
        self.cluster = cluster;
    }

    /// The change of keys was taken back.
    pub(in crate::db) fn back_to_old_key(&self, connection: &Connection) -> Result<(), Error> {
        self.rolled_back();
        stamp::functions(connection, &self.keys, &self.moving)
    }
}

/// Refuses a database that is not as far as the anchor says, or came there another way.
fn hold_to_anchor(driver: Driver<'_>, cluster: &Cluster, opening: &Opening) -> Result<(), Error> {
    let Some(anchor) = &opening.anchor else { return Ok(()) };
    let here = cluster.position();
    if opening.accepts_rollback || here.epoch > anchor.epoch {
        return Ok(());
    }
    if let Some(why) = behind(driver, cluster, &here, anchor)? {
        return Err(Error::Corrupt(format!(
            "the database was put back to an earlier state: {why}; tokens that were disabled or deleted since then would work \
             again. Put back the newest backup with `countersign restore`, or say that this state is wanted with \
             `countersign anchor accept`"
        )));
    }
    Ok(())
}

fn behind(
    driver: Driver<'_>,
    cluster: &Cluster,
    here: &Anchor,
    anchor: &Anchor,
) -> Result<Option<String>, Error> {
    if here.cluster != anchor.cluster {
        return Ok(Some(format!(
            "it is of installation {} and the keys are of {}",
            here.cluster, anchor.cluster
        )));
    }
    if here.epoch < anchor.epoch {
        return Ok(Some(format!("it is from before restore number {}", anchor.epoch - 1)));
    }
    if here.head < anchor.head || here.audit_number < anchor.audit_number {
        return Ok(Some(format!(
            "its last change is {} and its last audit entry {}, and Countersign had written change {} and audit entry {}",
            here.head.0, here.audit_number, anchor.head.0, anchor.audit_number
        )));
    }
    let hash = |column: &'static str| move |row: &Row| row.hash(column);
    let chain = driver.select(CHAIN_AT, &[anchor.head.0.into()], &hash("chain"))?.pop();
    // What was swept from the log, or trimmed from the trail, cannot be compared; the numbers above are what is left.
    let swept = anchor.head.0 <= cluster.number("floor");
    let audit = driver.select(AUDIT_AT, &[anchor.audit_number.into()], &hash("hash"))?.pop();
    let forked = chain.map_or(!swept, |chain| chain != anchor.chain)
        || audit.is_some_and(|audit| audit != anchor.audit_hash)
        || (here.head == anchor.head && cluster.heads.chain != anchor.chain);
    Ok(forked.then(|| "it went another way since then than the one Countersign wrote".to_owned()))
}
