//! Where the data of an installation is: a file in the data directory, or a database on a server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use countersign_store::{Anchor, DatabaseUrl, Error, Opening, Store};

use super::DATABASE_FILE;

pub(super) enum Database {
    File(PathBuf),
    Server(DatabaseUrl),
}

impl Database {
    pub(super) fn at(data_dir: &Path, url: Option<&DatabaseUrl>) -> Self {
        match url {
            Some(url) => Self::Server(url.clone()),
            None => Self::File(data_dir.join(DATABASE_FILE)),
        }
    }

    /// Whether there is nothing of an installation yet, so that keys may be made.
    pub(super) fn is_new(&self) -> Result<bool, Error> {
        match self {
            Self::File(path) => Ok(!path.exists()),
            Self::Server(url) => Store::is_new_postgres(url.reveal()),
        }
    }

    pub(super) fn open(&self, opening: &Opening) -> Result<Store, Error> {
        match self {
            Self::File(path) => Store::open_sqlite(path, opening),
            Self::Server(url) => Store::open_postgres(url.reveal(), opening),
        }
    }

    pub(super) fn inspect(&self, opening: &Opening) -> Result<Option<Anchor>, Error> {
        match self {
            Self::File(path) => Store::inspect_sqlite(path, opening),
            Self::Server(url) => Store::inspect_postgres(url.reveal(), opening),
        }
    }
}

impl fmt::Display for Database {
    /// As an error names it, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(url) => write!(f, "{url}"),
        }
    }
}
