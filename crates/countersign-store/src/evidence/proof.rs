//! Rows that grant something are held to their MAC also when they are read one by one. A row that does not fit is an
//! error of ours and never an answer.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use super::{
    key::Keyring,
    mac::{Cell, same},
    tables::{CHANGE_LOG, Table},
};
use crate::{Error, value::Row};

/// What the rows of a query prove: that they, or the part of them under a prefix, are rows of a table as we wrote them.
pub(crate) struct Proof {
    table: &'static Table,
    front: &'static str,
}

/// The keys rows are held to, for everybody who reads. While rows are stamped anew there are two.
#[derive(Default)]
pub(crate) struct Proving {
    keys: RwLock<Vec<Arc<Keyring>>>,
    /// Somebody else wrote to the database while it was open.
    distrusted: AtomicBool,
}

/// Holds a row to what it was asked by: an index somebody changed would answer with a whole row that is another's.
pub(crate) fn asked<T>(found: Option<T>, fits: impl FnOnce(&T) -> bool) -> Result<Option<T>, Error> {
    match found {
        Some(row) if !fits(&row) => {
            Err(Error::Corrupt("an index answers with a row that was not asked for".to_owned()))
        }
        found => Ok(found),
    }
}

impl Proof {
    /// The rows have the columns of this table.
    pub(crate) const fn of(table: &'static Table) -> Self {
        Self { table, front: "" }
    }

    /// The rows have the columns of this table, each with this in front of its name.
    pub(crate) const fn under(front: &'static str, table: &'static Table) -> Self {
        Self { table, front }
    }
}

impl Proving {
    pub(crate) fn with(keys: Vec<Arc<Keyring>>) -> Self {
        Self { keys: RwLock::new(keys), distrusted: AtomicBool::new(false) }
    }

    /// The keys in use.
    pub(crate) fn keys(&self) -> Vec<Arc<Keyring>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses these keys from now on.
    pub(crate) fn replace(&self, keys: Vec<Arc<Keyring>>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// Believes no row any more.
    pub(crate) fn distrust(&self) {
        self.distrusted.store(true, Ordering::Relaxed);
    }

    /// Holds a row to its MAC.
    pub(crate) fn hold(&self, proof: &Proof, row: &Row) -> Result<(), Error> {
        if self.distrusted.load(Ordering::Relaxed) {
            return Err(Error::Corrupt(
                "another program wrote to the database while Countersign has it open; start Countersign again, which \
                 checks everything"
                    .to_owned(),
            ));
        }
        let name = |column: &str| format!("{}{column}", proof.front);
        let cells: Result<Vec<Cell<'_>>, Error> =
            proof.table.columns.iter().map(|column| Ok(row.value(&name(column))?.into())).collect();
        let (cells, mac) = (cells?, row.hash(&name("mac")));
        if mac.is_ok_and(|mac| self.fits(proof.table, &cells, &mac)) {
            return Ok(());
        }
        Err(Error::Corrupt(format!(
            "a row of the table {} is not as Countersign wrote it; stop Countersign and run `countersign doctor`, which \
             names it",
            proof.table.name
        )))
    }

    /// Whether a change of the log is as we wrote it.
    pub(crate) fn holds_change(&self, row: &Row) -> bool {
        let cells: Result<Vec<Cell<'_>>, Error> =
            CHANGE_LOG.columns.iter().map(|column| Ok(row.value(column)?.into())).collect();
        match (cells, row.hash("mac")) {
            (Ok(cells), Ok(mac)) => self.fits(&CHANGE_LOG, &cells, &mac),
            _ => false,
        }
    }

    fn fits(&self, table: &Table, cells: &[Cell<'_>], mac: &[u8; 32]) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().any(|keys| same(&keys.row(table, cells.iter().copied()), mac))
    }
}
