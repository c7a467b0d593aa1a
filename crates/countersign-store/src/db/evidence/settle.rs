//! Opening a database with its evidence: what is there is held to the keys and to the anchor, migrated, and stamped where
//! it is new. All of it happens in the one transaction of the migration, so a cut-off upgrade leaves the old state whole.

use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::{
    ADVICE, Cluster, Evidence, Moving,
    check::{Standing, schema_hash, standing},
    data_version, moving, named, put_sealed, sign, stamp,
};
use crate::{
    Error,
    db::{
        migrate,
        sqlite::{self, run},
    },
    evidence::{Opening, anchor::Anchor, key::Keyring, tables::TABLES},
    value::Row,
    write::Statement,
};

pub(crate) const SET_SCHEMA_HASH: &str = "update cluster set schema_hash = $1 where singleton = 1";
pub(crate) const CHAIN_AT: &str = "select chain from change_log where seq = $1";
pub(crate) const AUDIT_AT: &str = "select hash from audit where number = $1";

/// Checks, migrates and stamps inside the caller's transaction. Answers the number of the last migration too.
pub(in crate::db) fn settle(connection: &Connection, opening: &Opening) -> Result<(Evidence, u32), Error> {
    let keys: Vec<Arc<Keyring>> = opening.keys.iter().map(|key| Arc::new(Keyring::new(key))).collect();
    let before = standing(connection, &keys)?;
    let pending = migrate::is_pending(connection)?;
    if let Some(standing) = &before {
        standing.check_schema(connection)?;
        if pending {
            standing.check_all(connection)?;
        }
        hold_to_anchor(connection, &standing.cluster, opening)?;
    } else if opening.anchor.is_some() && !opening.accepts_rollback {
        return Err(stripped());
    }
    let schema_version = migrate::migrate(connection)?;
    let evidence = match before {
        Some(standing) if !pending => resume(connection, &standing)?,
        Some(standing) => establish(connection, Arc::clone(&standing.keys))?,
        None => {
            let first = keys.into_iter().next();
            establish(
                connection,
                first.ok_or_else(|| Error::Unavailable("no row key was given".to_owned()))?,
            )?
        }
    };
    Ok((evidence, schema_version))
}

/// Holds what is there to the keys and to the anchor, and checks all of it. `None` where there is no evidence yet.
pub(in crate::db) fn inspect(connection: &Connection, opening: &Opening) -> Result<Option<Anchor>, Error> {
    let keys: Vec<Arc<Keyring>> = opening.keys.iter().map(|key| Arc::new(Keyring::new(key))).collect();
    match standing(connection, &keys)? {
        Some(standing) => {
            standing.check_all(connection)?;
            hold_to_anchor(connection, &standing.cluster, opening)?;
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
    let sealed = moving(shared).ledger.sealed(keys);
    for (table, sealed) in TABLES.iter().zip(&sealed) {
        run(connection, &put_sealed(table.name, sealed))?;
    }
    run(connection, &Statement::new(SET_SCHEMA_HASH, vec![schema_hash(connection)?.into()]))?;
    sign(connection, keys, Cluster::read(connection)?, &named(&sealed))
}

impl Evidence {
    /// Checks everything with the old key and stamps it with a new one, inside the caller's transaction. Nothing changes
    /// here before [`Evidence::committed`]; where the transaction is taken back, [`Evidence::back_to_old_key`] follows.
    pub(in crate::db) fn restamp(
        &mut self,
        connection: &Connection,
        keys: &Arc<Keyring>,
    ) -> Result<Cluster, Error> {
        let old = standing(connection, std::slice::from_ref(&self.keys))?;
        let old = old.ok_or_else(|| Error::Corrupt(format!("the database has no evidence; {ADVICE}")))?;
        old.check_all(connection)?;
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
fn hold_to_anchor(connection: &Connection, cluster: &Cluster, opening: &Opening) -> Result<(), Error> {
    let Some(anchor) = &opening.anchor else { return Ok(()) };
    let here = cluster.position();
    if opening.accepts_rollback || here.epoch > anchor.epoch {
        return Ok(());
    }
    if let Some(why) = behind(connection, cluster, &here, anchor)? {
        return Err(Error::Corrupt(format!(
            "the database was put back to an earlier state: {why}; tokens that were disabled or deleted since then would work \
             again. Put back the newest backup with `countersign restore`, or say that this state is wanted with \
             `countersign anchor accept`"
        )));
    }
    Ok(())
}

fn behind(
    connection: &Connection,
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
    let chain = sqlite::select(connection, CHAIN_AT, &[anchor.head.0.into()], &hash("chain"))?.pop();
    // What was swept from the log, or trimmed from the trail, cannot be compared; the numbers above are what is left.
    let swept = anchor.head.0 <= cluster.number("floor");
    let audit = sqlite::select(connection, AUDIT_AT, &[anchor.audit_number.into()], &hash("hash"))?.pop();
    let forked = chain.map_or(!swept, |chain| chain != anchor.chain)
        || audit.is_some_and(|audit| audit != anchor.audit_hash)
        || (here.head == anchor.head && cluster.heads.chain != anchor.chain);
    Ok(forked.then(|| "it went another way since then than the one Countersign wrote".to_owned()))
}
