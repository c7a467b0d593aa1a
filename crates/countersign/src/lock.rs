//! The lock of a data directory: whoever holds it is the only process that opens the database. It is released by the
//! kernel when the process ends, however it ends.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::{config::Config, failure::Failure};

/// The lock, held until dropped.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock; `None` when another process holds it. Makes the data directory where `create` says so.
    pub fn try_take(config: &Config, create: bool) -> Result<Option<Self>, Failure> {
        let path = config.lock_file();
        if create {
            make_directory(&config.data_dir)?;
        }
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file =
            open.map_err(|cause| Failure::unavailable(format!("cannot open {}: {cause}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(Failure::unavailable(format!(
                "cannot lock {}: {cause}; the data directory must be on a local file system",
                path.display()
            ))),
        }
    }

    /// Takes the lock, or says who must have it.
    pub fn take(config: &Config) -> Result<Self, Failure> {
        Self::try_take(config, true)?.ok_or_else(|| {
            Failure::unavailable(format!(
                "another Countersign is running on {}; stop it, or name another directory with --data-dir",
                config.data_dir.display()
            ))
        })
    }
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    DirBuilder::new().mode(0o700).recursive(true).create(path).map_err(|cause| {
        Failure::unavailable(format!(
            "cannot make the data directory {}: {cause}; name another with --data-dir or mend its rights",
            path.display()
        ))
    })
}
