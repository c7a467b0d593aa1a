//! Which generations of keys are in use, and the wrapped keys of the installation. The roots themselves are files that
//! this crate never sees; how rows are moved from one generation to the next is in `keys/moves.rs`, which rows those are
//! in `keys/rows.rs`, and the rotations themselves in `keys/jobs.rs`.

pub(crate) mod jobs;
pub(crate) mod moves;
pub(crate) mod rows;

use std::fmt;

use countersign_model::time::Timestamp;

use crate::{
    Conflict, Error, Store,
    db::{Effort, Query},
    value::Row,
    write::Write,
};

pub(crate) const GENERATIONS: &str = "select * from key_generations order by kind, generation desc";
pub(crate) const INSTALLATION_KEYS: &str = "select * from installation_keys order by generation desc";
pub(crate) const PUT_GENERATION: &str = "
insert into key_generations (kind, generation, state, root, proof, made_at) values ($1, $2, $3, $4, $5, $6)
on conflict (kind, generation) do update set state = excluded.state";
pub(crate) const NOT_REPLACED: &str = "
select 1 where not exists
  (select 1 from key_generations where kind = $1 and generation = $2 and state in ('layered', 'retired'))";
pub(crate) const INSERT_INSTALLATION_KEY: &str = "
insert into installation_keys (generation, root, wrapped, made_at) values ($1, $2, $3, $4)";

const KINDS: [(&str, KeyKind); 3] =
    [("verify_root", KeyKind::VerifyRoot), ("reveal_root", KeyKind::RevealRoot), ("pepper", KeyKind::Pepper)];
const STATES: [(&str, KeyState); 4] = [
    ("current", KeyState::Current),
    ("former", KeyState::Former),
    ("layered", KeyState::Layered),
    ("retired", KeyState::Retired),
];

/// What has generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The root verification is derived from.
    VerifyRoot,
    /// The root that wraps data keys.
    RevealRoot,
    /// The key of digests.
    Pepper,
}

/// What a generation is still good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Everything new is made with it.
    Current,
    /// What was made with it still works.
    Former,
    /// Only what lies under a newer layer needs it.
    Layered,
    /// Nothing needs it.
    Retired,
}

/// One generation of one kind of key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGeneration {
    /// Of what.
    pub kind: KeyKind,
    /// Counts from 1.
    pub generation: u16,
    /// What it is good for.
    pub state: KeyState,
    /// The generation of the verify root it is derived from; peppers only.
    pub root: Option<u16>,
    /// A keyed hash that only the right key gives.
    pub proof: [u8; 32],
    /// When it was made.
    pub made_at: Timestamp,
}

/// A data key as it is kept: sealed under a reveal root.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The generation of the reveal root it is sealed under.
    pub root: u16,
    /// Its own generation, from 1.
    pub generation: u32,
    /// The sealed key.
    pub wrapped: Vec<u8>,
}

/// Everything the database says about keys.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    /// Of every kind, newest first.
    pub generations: Vec<KeyGeneration>,
    /// The keys of the installation, newest first.
    pub installation: Vec<WrappedKey>,
}

impl fmt::Debug for WrappedKey {
    /// Names the key and leaves out what is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey")
            .field("root", &self.root)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl KeyKind {
    /// Its name: `reveal_root`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::VerifyRoot => "verify_root",
            Self::RevealRoot => "reveal_root",
            Self::Pepper => "pepper",
        }
    }
}

impl KeyState {
    /// Its name: `former`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Former => "former",
            Self::Layered => "layered",
            Self::Retired => "retired",
        }
    }

    /// Whether its key is needed.
    pub const fn is_needed(self) -> bool {
        !matches!(self, Self::Retired)
    }
}

/// A row of one of the two tables.
enum Piece {
    Generation(KeyGeneration),
    Installation(WrappedKey),
}

impl Store {
    /// What is said about keys, as of one moment.
    pub async fn key_table(&self) -> Result<KeyTable, Error> {
        let queries = vec![Query::new(GENERATIONS, Vec::new()), Query::new(INSTALLATION_KEYS, Vec::new())];
        let read = |query, row: &Row| {
            Ok(match query {
                0 => Piece::Generation(KeyGeneration::read(row)?),
                _ => Piece::Installation(WrappedKey::read(row)?),
            })
        };
        let mut table = KeyTable::default();
        for piece in self.db().rows_together(queries, Effort::Bounded, read).await? {
            match piece {
                Piece::Generation(generation) => table.generations.push(generation),
                Piece::Installation(key) => table.installation.push(key),
            }
        }
        Ok(table)
    }
}

impl Store {
    /// Folds the log of the database into it and cuts it off, so that what was erased is not read from there. Answers
    /// whether that could be done: somebody who reads an earlier moment, such as a backup, still needs it.
    pub async fn fold_log(&self) -> Result<bool, Error> {
        self.db().fold_log().await
    }
}

impl KeyTable {
    /// The generations of one kind whose keys are needed, newest first.
    pub fn needed(&self, kind: KeyKind) -> impl Iterator<Item = &KeyGeneration> {
        self.generations.iter().filter(move |one| one.kind == kind && one.state.is_needed())
    }
}

impl KeyGeneration {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            kind: row.word("kind", &KINDS)?,
            generation: row.number("generation")?,
            state: row.word("state", &STATES)?,
            root: row.optional_number("root")?,
            proof: row.hash("proof")?,
            made_at: row.moment("made_at")?,
        })
    }
}

impl WrappedKey {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            root: row.number("root")?,
            generation: row.number("generation")?,
            wrapped: row.bytes("wrapped")?.to_vec(),
        })
    }
}

impl Write {
    /// Adds a generation, or says what an existing one is good for from now on.
    #[must_use]
    pub fn put_key_generation(self, one: &KeyGeneration) -> Self {
        let values = vec![
            one.kind.word().into(),
            one.generation.into(),
            one.state.word().into(),
            one.root.into(),
            one.proof.into(),
            one.made_at.into(),
        ];
        self.giving().then(PUT_GENERATION, values)
    }

    /// Adds a key of the installation.
    #[must_use]
    pub fn insert_installation_key(self, key: &WrappedKey, made_at: Timestamp) -> Self {
        let values = vec![key.generation.into(), key.root.into(), key.wrapped.clone().into(), made_at.into()];
        self.giving().then(INSERT_INSTALLATION_KEY, values)
    }

    /// Requires that what this write brings was made with a generation that is still in use: a rotation may have ended
    /// while it was on its way. Conflict: `KeyReplaced`.
    #[must_use]
    pub(crate) fn require_in_use(self, kind: KeyKind, generation: u16) -> Self {
        self.expecting(NOT_REPLACED, vec![kind.word().into(), generation.into()], Conflict::KeyReplaced)
    }
}
