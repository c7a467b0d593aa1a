//! Rotations of keys as jobs: which one runs, at which step it is, how far it has come. A job is moved on in the same
//! transaction as the rows it moved, so that whoever takes it up after a crash begins where it ended.

use countersign_model::time::Timestamp;

use crate::{Conflict, Error, Store, db::Query, value::Row, write::Write};

pub(crate) const NEWEST_JOB: &str = "select * from key_jobs order by number desc limit 1";
pub(crate) const BEGIN_JOB: &str = "
insert into key_jobs (number, kind, state, step, place, finished, total, drops_layered, started_at, started_by)
values ($1, $2, 'running', $3, '', 0, $4, $5, $6, $7)";
pub(crate) const MOVE_JOB: &str = "
update key_jobs set step = $2, place = $3, finished = finished + $4 where number = $1 and state = 'running'";
pub(crate) const END_JOB: &str = "
update key_jobs set state = 'done', step = 'done', place = '', ended_at = $2 where number = $1 and state = 'running'";

const KINDS: [(&str, Rotation); 4] = [
    ("reveal_root", Rotation::RevealRoot),
    ("data_keys", Rotation::DataKeys),
    ("pepper", Rotation::Pepper),
    ("verify_root", Rotation::VerifyRoot),
];

/// What a rotation makes anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// The root that wraps data keys.
    RevealRoot,
    /// The data keys of accounts and of the installation.
    DataKeys,
    /// The key of digests.
    Pepper,
    /// The root verification is derived from, and with it the key of digests.
    VerifyRoot,
}

/// A rotation that runs or ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyJob {
    /// Counts the rotations, from 1.
    pub number: u64,
    /// What is made anew.
    pub kind: Rotation,
    /// The step it is at; what steps there are, its caller knows.
    pub step: String,
    /// How far that step has come; empty at its beginning.
    pub place: String,
    /// Rows moved.
    pub finished: u64,
    /// Rows there were to move when it began.
    pub total: u64,
    /// Whether secrets that lie under a layer from the rotation before end with it.
    pub drops_layered: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// Who began it.
    pub started_by: String,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
}

impl Rotation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RevealRoot, Self::DataKeys, Self::Pepper, Self::VerifyRoot];

    /// Its name: `reveal_root`.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

impl KeyJob {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.number("number")?,
            kind: row.word("kind", &KINDS)?,
            step: row.text("step")?.to_owned(),
            place: row.text("place")?.to_owned(),
            finished: row.number("finished")?,
            total: row.number("total")?,
            drops_layered: row.flag("drops_layered")?,
            started_at: row.moment("started_at")?,
            started_by: row.text("started_by")?.to_owned(),
            ended_at: row.optional_moment("ended_at")?,
        })
    }
}

impl Store {
    /// The rotation that runs, or the last one.
    pub async fn newest_key_job(&self) -> Result<Option<KeyJob>, Error> {
        self.db().row(Query::new(NEWEST_JOB, Vec::new()), KeyJob::read).await
    }
}

impl Write {
    /// Begins a rotation. Conflict: `RotationRunning` while another one runs.
    #[must_use]
    pub fn begin_key_job(self, job: &KeyJob) -> Self {
        let values = vec![
            job.number.into(),
            job.kind.word().into(),
            job.step.as_str().into(),
            job.total.into(),
            job.drops_layered.into(),
            job.started_at.into(),
            job.started_by.as_str().into(),
        ];
        self.giving().then(BEGIN_JOB, values)
    }

    /// Moves a rotation on by so many rows. Conflict: `Stale` where it does not run.
    #[must_use]
    pub fn move_key_job(self, number: u64, step: &str, place: &str, rows: u64) -> Self {
        let values = vec![number.into(), step.into(), place.into(), rows.into()];
        self.giving().expecting(MOVE_JOB, values, Conflict::Stale)
    }

    /// Ends a rotation. Conflict: `Stale` where it does not run.
    #[must_use]
    pub fn end_key_job(self, number: u64) -> Self {
        let at = self.audit.at;
        self.giving().expecting(END_JOB, vec![number.into(), at.into()], Conflict::Stale)
    }
}
