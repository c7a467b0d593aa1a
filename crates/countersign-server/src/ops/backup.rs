//! Makes backups: a consistent copy of the database while everything goes on, and a manifest that says what it is a
//! copy of. A backup holds digests, sealed secrets and the audit trail, and never a key; reading one is `restore` in
//! the binary.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::Path,
};

use countersign_model::{actor::Actor, time::Timestamp};
use countersign_store::{AuditDraft, CopyFacts, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    app::App,
    caller::{Deed, Identity},
    error::{Error, Kind},
    hexadecimal,
    keys::Keys,
    limits::BACKUP_PIECE_BYTES,
    ops::sessions,
    rights::Operator,
};

/// The first line of every backup.
pub const MAGIC: &str = "countersign-backup/1";
/// The copy in the data directory before it is sent. Its name is gone as soon as it is complete.
pub const COPY_FILE: &str = "backup.part";

/// What a backup is a copy of: its second line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// When it was made.
    pub made_at: Timestamp,
    /// Which Countersign made it.
    pub made_by: String,
    /// Which installation it is of.
    pub cluster: String,
    /// How often that installation had been put back.
    pub epoch: u64,
    /// The number of the last migration of its schema.
    pub schema_version: u32,
    /// The number of the last change in it.
    pub seq: u64,
    /// The chain value of that change, hexadecimal.
    pub chain: String,
    /// The number of the last audit entry in it.
    pub audit_entries: u64,
    /// The hash of that entry, hexadecimal.
    pub audit_hash: String,
    /// The key files it needs, with a fingerprint of each, hexadecimal.
    pub keys: Vec<KeyFingerprint>,
    /// Bytes of the database.
    pub bytes: u64,
    /// BLAKE3 of the database, hexadecimal.
    pub blake3: String,
}

/// A key file and what tells it from another without telling the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFingerprint {
    /// The name of the file in the keys directory.
    pub file: String,
    /// Hexadecimal.
    pub fingerprint: String,
}

/// A backup that is ready to be sent: its manifest and the copy, whose file has no name any more.
#[derive(Debug)]
pub struct Backup {
    /// What it is.
    pub manifest: Manifest,
    /// The database, from its first byte.
    pub copy: File,
}

/// Copies everything as of one moment. The entry that tells of it is in the copy. Refused while another is being made.
/// A person needs a password entered a moment ago.
pub async fn make(app: &App, operator: &Operator) -> Result<Backup, Error> {
    if let Identity::Person { session, .. } = &operator.caller.identity {
        sessions::require_password(app, session, "make a backup")?;
    }
    if app.store.is_on_server() {
        let detail = "This installation keeps its data in PostgreSQL: back it up with pg_dump, and keep a copy of the keys \
                      directory elsewhere.";
        return Err(Error::new(Kind::Conflict, "backup_elsewhere", detail));
    }
    // One at a time: two would write into the same file, and the one that fails would remove the other's.
    let Ok(_alone) = app.backups.try_lock() else {
        let detail = "Another backup is being made; wait until it is complete.";
        return Err(Error::new(Kind::Conflict, "backup_running", detail));
    };
    let path = app.data_dir.join(COPY_FILE);
    let deed = Deed {
        action: "backup.make",
        subject: "database".to_owned(),
        subject_label: "",
        before: Value::Null,
        after: json!({ "schema_version": app.store.schema_version() }),
    };
    app.commit(Write::new(operator.audit(app, None, deed))).await?;
    let copied = app.store.backup_to(&path).await;
    let facts = match copied {
        Ok(()) => facts_of(&path).await,
        Err(error) => Err(error.into()),
    };
    // From here on the copy lives as long as it is read, also when this process is ended meanwhile.
    let copy = File::open(&path).and_then(|file| std::fs::remove_file(&path).map(|()| file));
    let facts = facts?;
    let copy = copy.map_err(|cause| Error::unavailable("backup", &cause))?;
    let (copy, bytes, blake3) = digested(copy).await?;
    let manifest = manifest(app.clock.wall(), &facts, &app.keys, (bytes, blake3));
    Ok(Backup { manifest, copy })
}

/// Notes in the audit trail of an installation that its database was just put back.
pub async fn note_restored(app: &App, manifest: &Manifest) -> Result<(), Error> {
    let after =
        json!({ "made_at": manifest.made_at.to_string(), "seq": manifest.seq, "blake3": manifest.blake3 });
    let (subject, subject_label) = ("database".to_owned(), "");
    let deed = Deed { action: "backup.restore", subject, subject_label, before: Value::Null, after };
    let draft =
        AuditDraft { actor: Actor::Cli, actor_label: "cli".to_owned(), ..deed.by_system(app.clock.wall()) };
    app.commit(Write::new(draft)).await?;
    Ok(())
}

/// Removes what a process that was ended left of a copy.
pub fn remove_left_over(data_dir: &Path) {
    for name in [COPY_FILE.to_owned(), format!("{COPY_FILE}-journal")] {
        match std::fs::remove_file(data_dir.join(&name)) {
            Ok(()) => tracing::info!(name, "removed a backup that was not completed"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(name, %error, "cannot remove a backup that was not completed"),
        }
    }
}

impl KeyFingerprint {
    /// A fingerprint as the manifest has it.
    pub fn text(fingerprint: [u8; 16]) -> String {
        hexadecimal::encode(&fingerprint)
    }
}

/// The key files in use with their fingerprints.
fn fingerprints(keys: &Keys) -> Vec<KeyFingerprint> {
    let fingerprints = keys.fingerprints().into_iter();
    fingerprints
        .map(|(file, fingerprint)| KeyFingerprint { file, fingerprint: KeyFingerprint::text(fingerprint) })
        .collect()
}

async fn facts_of(copy: &Path) -> Result<CopyFacts, Error> {
    let copy = Store::open_copy(copy)?;
    let facts = copy.facts().await;
    copy.close().await?;
    Ok(facts?)
}

fn manifest(made_at: Timestamp, facts: &CopyFacts, keys: &Keys, (bytes, blake3): (u64, String)) -> Manifest {
    Manifest {
        made_at,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        cluster: facts.cluster.clone(),
        epoch: facts.epoch,
        schema_version: facts.schema_version,
        seq: facts.head.0,
        chain: hexadecimal::encode(&facts.chain),
        audit_entries: facts.audit_entries,
        audit_hash: hexadecimal::encode(&facts.audit_hash),
        keys: fingerprints(keys),
        bytes,
        blake3,
    }
}

impl Manifest {
    /// Whether a database says of itself what this says of it.
    pub fn describes(&self, facts: &CopyFacts) -> bool {
        self.cluster == facts.cluster
            && self.epoch == facts.epoch
            && self.schema_version == facts.schema_version
            && self.seq == facts.head.0
            && self.chain == hexadecimal::encode(&facts.chain)
            && self.audit_entries == facts.audit_entries
            && self.audit_hash == hexadecimal::encode(&facts.audit_hash)
    }
}

/// The length and digest of a file, which is at its first byte again afterwards.
async fn digested(mut file: File) -> Result<(File, u64, String), Error> {
    let work = spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; BACKUP_PIECE_BYTES];
        let mut bytes: u64 = 0;
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            bytes += read as u64;
            hasher.update(piece.get(..read).unwrap_or_default());
        }
        file.rewind()?;
        Ok::<_, io::Error>((file, bytes, hasher.finalize().to_hex().to_string()))
    });
    let done = work.await.map_err(|error| Error::internal("backup", &error))?;
    done.map_err(|cause| Error::unavailable("backup", &cause))
}
