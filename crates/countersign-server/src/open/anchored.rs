//! Opening a database that is held to its anchor: reading the file beside the keys, and the deed of somebody who wants
//! an earlier state all the same.

use std::path::Path;

use countersign_store::{DatabaseUrl, Opening, RowKey, Store, Write};
use serde_json::json;

use super::{Database, OpenError};
use crate::{
    caller::Deed,
    clock::Clock,
    error::Error,
    keys::KeyFiles,
    node::{AnchorError, AnchorFile, Inspection},
    random::Random,
};

/// What the database is opened with, and the epoch the anchor is of.
pub(super) struct Anchored {
    pub(super) file: AnchorFile,
    pub(super) opening: Opening,
    epoch: u64,
}

impl Anchored {
    /// Reads the anchor. One that cannot be read by these keys says nothing to whoever accepts a rollback.
    pub(super) fn read(
        keys: &Path,
        row_keys: Vec<RowKey>,
        accept_rollback: bool,
    ) -> Result<Self, AnchorError> {
        let file = AnchorFile::beside(keys);
        let anchor = match file.read(&row_keys) {
            Err(AnchorError::Foreign(_)) if accept_rollback => None,
            read => read?,
        };
        let epoch = anchor.as_ref().map_or(0, |anchor| anchor.epoch);
        let opening = Opening::with_keys(row_keys).held_to(anchor).accepting_rollback(accept_rollback);
        Ok(Self { file, opening, epoch })
    }

    /// Writes down that an earlier state was accepted. The epoch it raises makes this state newer than all before it.
    pub(super) async fn accept(&self, store: &Store, clock: &Clock) -> Result<(), Error> {
        let position = store.watch_position().borrow().clone();
        let epoch = self.epoch.max(position.epoch);
        let after = json!({
            "epoch": epoch + 1,
            "last_change": position.head.0,
            "last_audit_entry": position.audit_number,
        });
        let (subject, subject_label, before) = ("anchor".to_owned(), "anchor", json!({ "epoch": epoch }));
        let deed = Deed { action: "anchor.accept", subject, subject_label, before, after };
        let audit = deed.by_system(clock.wall());
        store.commit(Write::new(audit).raise_epoch(self.epoch)).await?;
        Ok(())
    }
}

/// Checks everything in the database of an installation, running or not, and changes nothing.
pub fn inspect(
    data_dir: &Path,
    database_url: Option<&DatabaseUrl>,
    keys_dir: &Path,
) -> Result<Inspection, OpenError> {
    let files = KeyFiles::open(keys_dir, data_dir, false, &Random::System)?;
    let row_keys = files.row_keys()?;
    let anchor = AnchorFile::beside(keys_dir).read(&row_keys)?;
    let opening = Opening::with_keys(row_keys).held_to(anchor.clone());
    let database = Database::at(data_dir, database_url);
    let inspected = database.inspect(&opening);
    let inspected = inspected.map_err(|cause| OpenError::Store { place: database.to_string(), cause })?;
    Ok(Inspection { database: inspected, anchor })
}
