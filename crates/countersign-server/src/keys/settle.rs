//! Brings the files and what the database says of them together: at start, and after every step of a rotation. It makes
//! the first keys of an empty installation and never one for data that has its own.

use std::sync::Arc;

use arc_swap::ArcSwap;
use countersign_model::time::Timestamp;
use countersign_store::{KeyGeneration, KeyKind, KeyState, KeyTable, Store, Write};
use serde_json::{Value, json};

use super::{
    KeyFiles, Keys, KeysError, Pepper, Ring, Root, RootKind,
    ring::{self, InUse},
};
use crate::{caller::Deed, random::Random, sealing};

const DANGLING: KeysError = KeysError::Inconsistent("that a key is in use, and not which");

impl Keys {
    /// Loads the keys that the database says are in use. Where it says nothing yet, the roots that are there become the
    /// first generation.
    pub async fn load(
        files: KeyFiles,
        store: &Store,
        now: Timestamp,
        random: &Random,
    ) -> Result<Self, KeysError> {
        let table = store.key_table().await?;
        let table =
            if table.generations.is_empty() { begin(&files, store, now, random).await? } else { table };
        let ring = ring_of(&files, &table, None)?;
        Ok(Self { files, ring: ArcSwap::from_pointee(ring) })
    }

    /// Loads again what is in use, after the database said something else. Roots that are in memory are not read again.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), KeysError> {
        let table = store.key_table().await?;
        let ring = ring_of(&self.files, &table, Some(&self.ring()))?;
        self.ring.store(Arc::new(ring));
        Ok(())
    }
}

/// Says of the roots that are there that they are the first, and makes the first key of the installation.
async fn begin(
    files: &KeyFiles,
    store: &Store,
    now: Timestamp,
    random: &Random,
) -> Result<KeyTable, KeysError> {
    let verify = needed(files, RootKind::Verify, 1)?;
    let reveal = needed(files, RootKind::Reveal, 1)?;
    let one = |kind, root, proof| KeyGeneration {
        kind,
        generation: 1,
        state: KeyState::Current,
        root,
        proof,
        made_at: now,
    };
    let installation =
        sealing::make_installation_key(&reveal, random, 1).map_err(|_| KeysError::NoRandomness)?;
    let audit = Deed {
        action: "keys.begin",
        subject: "keys".to_owned(),
        subject_label: "keys",
        before: Value::Null,
        after: json!({ "verify_root": 1, "reveal_root": 1, "pepper": 1 }),
    }
    .by_system(now);
    let write = Write::new(audit)
        .put_key_generation(&one(KeyKind::VerifyRoot, None, verify.proof()))
        .put_key_generation(&one(KeyKind::RevealRoot, None, reveal.proof()))
        .put_key_generation(&one(KeyKind::Pepper, Some(1), ring::pepper_proof(&verify, 1)))
        .insert_installation_key(&installation, now);
    store.commit(write).await?;
    Ok(store.key_table().await?)
}

fn needed(files: &KeyFiles, kind: RootKind, generation: u16) -> Result<Root, KeysError> {
    let missing = || KeysError::Missing { key: files.path(kind, generation) };
    files.read(kind, generation)?.ok_or_else(missing)
}

/// The ring of what the table says is in use.
fn ring_of(files: &KeyFiles, table: &KeyTable, known: Option<&Ring>) -> Result<Ring, KeysError> {
    let verify = roots(files, table, RootKind::Verify, known.map(|ring| &ring.verify))?;
    let reveal = roots(files, table, RootKind::Reveal, known.map(|ring| &ring.reveal))?;
    let mut peppers = Vec::new();
    for one in table.needed(KeyKind::Pepper) {
        let root = verify.iter().find(|root| Some(root.generation()) == one.root);
        let root = Arc::clone(root.ok_or(DANGLING)?);
        let pepper = Pepper { generation: one.generation, root, direct: one.state != KeyState::Layered };
        if pepper.proof() != one.proof {
            return Err(DANGLING);
        }
        peppers.push(pepper);
    }
    let peppers = InUse::of(peppers).ok_or(DANGLING)?;
    let installation = InUse::of(table.installation.clone()).ok_or(DANGLING)?;
    let verify_since = table.needed(KeyKind::VerifyRoot).next().ok_or(DANGLING)?.made_at;
    Ok(Ring { verify, reveal, peppers, installation, verify_since })
}

/// The roots of one kind: those in memory, and from their files those that are not.
fn roots(
    files: &KeyFiles,
    table: &KeyTable,
    kind: RootKind,
    known: Option<&InUse<Arc<Root>>>,
) -> Result<InUse<Arc<Root>>, KeysError> {
    let mut roots = Vec::new();
    for one in table.needed(kind.of()) {
        let kept = known.and_then(|known| known.iter().find(|root| root.generation() == one.generation));
        let root = match kept {
            Some(root) => Arc::clone(root),
            None => Arc::new(needed(files, kind, one.generation)?),
        };
        if root.proof() != one.proof {
            return Err(KeysError::Wrong(files.path(kind, one.generation)));
        }
        roots.push(root);
    }
    InUse::of(roots).ok_or(DANGLING)
}
