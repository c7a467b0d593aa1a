//! `countersign restore`: puts a backup in the place of an installation's database. The keys are not in a backup; they
//! must be in the keys directory, and must be those the backup was made with. Nothing is replaced before everything
//! about the backup was checked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use countersign_server::{keys::KeyFiles, open::DATABASE_FILE, ops::backup, random::Random};
use countersign_store::schema_known;

use super::backup::{examine, show, unpack};
use crate::{
    backup_file::Source,
    config::Config,
    connection,
    failure::Failure,
    lock::DataLock,
    output::{self, Format},
};

/// The database while it is being unpacked and checked.
const UNPACKED_FILE: &str = "restore.part";

#[derive(Debug, Args)]
pub struct Arguments {
    /// The backup
    file: PathBuf,
    /// The file with your age identity, where the backup is encrypted
    #[arg(long)]
    identity: Vec<PathBuf>,
    /// Put it in the place of a database that is there; that one is kept beside it under another name
    #[arg(long)]
    replace: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Restores.
pub async fn run(config: &Config, arguments: Arguments, format: Format) -> Result<(), Failure> {
    let Arguments { file, identity, replace, yes } = arguments;
    if let Some(url) = &config.database_url {
        return Err(Failure::refused(format!(
            "the data is in {url}: put a dump back with pg_restore while no server runs, then run `countersign anchor accept`"
        )));
    }
    let lock = DataLock::take(config)?;
    let database = config.data_dir.join(DATABASE_FILE);
    if database.exists() && !replace {
        return Err(Failure::refused(format!(
            "{} has an installation; --replace puts the backup in its place and keeps what is there beside it",
            config.data_dir.display()
        )));
    }
    let source = Source::open(&file, &identity)?;
    fits(config, &source)?;
    if database.exists() {
        let warning = format!(
            "Every change after {} is undone: tokens made since will not work, and what was disabled, reset or deleted since is back.",
            source.manifest.made_at
        );
        output::confirm(&warning, "restore", yes)?;
    }
    let unpacked = config.data_dir.join(UNPACKED_FILE);
    remove(&unpacked)?;
    let manifest = unpack(source, &unpacked)?;
    if let Err(failure) = examine(&manifest, &unpacked).await {
        remove(&unpacked)?;
        return Err(failure);
    }
    remove_beside(&unpacked)?;
    let kept = set_aside(&database)?;
    put_in_place(&unpacked, &database)?;
    connection::open_restored(config, lock, &manifest).await?;
    show(format, &manifest);
    if let Some(kept) = kept {
        output::note(format!("What was there is kept in {}.", kept.display()));
    }
    output::note("The backup is in place; `countersign serve` continues from it.");
    Ok(())
}

/// Refuses what this Countersign cannot read and what the keys at hand do not open.
fn fits(config: &Config, source: &Source) -> Result<(), Failure> {
    let (theirs, ours) = (source.manifest.schema_version, schema_known());
    if theirs > ours {
        return Err(Failure::refused(format!(
            "the backup has schema {theirs} and this Countersign knows {ours}; restore it with the newer Countersign that made it"
        )));
    }
    let files = KeyFiles::open(&config.keys_dir, &config.data_dir, false, &Random::System)
        .map_err(Failure::refused)?;
    let mut missing = Vec::new();
    for needed in &source.manifest.keys {
        let at_hand = files.fingerprint(&needed.file).map_err(Failure::refused)?;
        if at_hand.map(backup::KeyFingerprint::text) != Some(needed.fingerprint.clone()) {
            missing.push(needed.file.as_str());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "the keys in {} are not those of this backup: {} differs or is missing; put the keys of the installation it was made of there",
        config.keys_dir.display(),
        missing.join(", ")
    )))
}

/// Moves a database out of the way, with its write-ahead log; answers its new name.
fn set_aside(database: &Path) -> Result<Option<PathBuf>, Failure> {
    if !database.exists() {
        return Ok(None);
    }
    let kept = (1..=u16::MAX)
        .map(|number| PathBuf::from(format!("{}.before-restore-{number}", database.display())))
        .find(|kept| !kept.exists())
        .ok_or_else(|| Failure::unavailable("too many databases are kept here; move some away"))?;
    for ending in ["-wal", "-shm", ""] {
        let (from, to) = (format!("{}{ending}", database.display()), format!("{}{ending}", kept.display()));
        if Path::new(&from).exists() {
            fs::rename(&from, &to)
                .map_err(|cause| Failure::unavailable(format!("cannot move {from} to {to}: {cause}")))?;
        }
    }
    Ok(Some(kept))
}

fn put_in_place(unpacked: &Path, database: &Path) -> Result<(), Failure> {
    let put = fs::rename(unpacked, database)
        .and_then(|()| database.parent().map_or(Ok(()), |directory| fs::File::open(directory)?.sync_all()));
    put.map_err(|cause| {
        Failure::unavailable(format!("cannot put the database at {}: {cause}", database.display()))
    })
}

/// What reading a copy leaves beside it.
fn remove_beside(unpacked: &Path) -> Result<(), Failure> {
    for ending in ["-wal", "-shm"] {
        remove(Path::new(&format!("{}{ending}", unpacked.display())))?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::unavailable(format!("cannot remove {}: {cause}", path.display())))
        }
        _ => Ok(()),
    }
}
