//! Copies of the database, as backups have them: opening one for reading, what it says of itself, and whether it is
//! whole. Nothing here needs a key, so a backup can be examined where its keys are not; nothing here writes.

use countersign_model::change::Seq;

use crate::{
    Error, Store,
    db::{self, Db, Effort, INTEGRITY, Query},
    feed,
    limits::CHANGES_PER_READ_MAX,
    value::Row,
};

pub(crate) const CLUSTER: &str =
    "select cluster_id, epoch, head, chain, floor, audit_head, audit_hash from cluster where singleton = 1";
pub(crate) const LOGGED: &str =
    "select seq, kind, subject, record, chain from change_log where seq > $1 order by seq limit $2";

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFacts {
    /// Which installation it is of.
    pub cluster: String,
    /// How often that installation was put back to an earlier state.
    pub epoch: u64,
    /// The number of its last change.
    pub head: Seq,
    /// The chain value of that change.
    pub chain: [u8; 32],
    /// How many audit entries were ever written.
    pub audit_entries: u64,
    /// The hash of the last one.
    pub audit_hash: [u8; 32],
    /// The number of the last migration applied to it.
    pub schema_version: u32,
}

/// The number of the last migration this Countersign knows: a copy with a larger one is of a newer Countersign.
pub fn schema_known() -> u32 {
    db::schema_known()
}

/// A change as verification of the chain needs it: its number, the value kept, and its hashed parts.
struct Logged {
    seq: u64,
    chain: [u8; 32],
    parts: [String; 3],
}

impl Store {
    /// Opens a copy for reading: it is not migrated, not locked, and every write to it is refused.
    pub fn open_copy(path: &std::path::Path) -> Result<Self, Error> {
        Ok(Self::of(Db::open_copy(path)?))
    }

    /// What the database says of itself.
    pub async fn facts(&self) -> Result<CopyFacts, Error> {
        let schema_version = self.schema_version();
        let read = move |row: &Row| {
            Ok(CopyFacts {
                cluster: row.text("cluster_id")?.to_owned(),
                epoch: row.number("epoch")?,
                head: Seq(row.number("head")?),
                chain: row.hash("chain")?,
                audit_entries: row.number("audit_head")?,
                audit_hash: row.hash("audit_hash")?,
                schema_version,
            })
        };
        let row = self.db().row(Query::new(CLUSTER, Vec::new()), read).await?;
        row.ok_or_else(|| Error::Corrupt("the row of the cluster is missing".to_owned()))
    }

    /// Whether every page and index of the file is well formed. Takes time in proportion to its size.
    pub async fn check_file(&self) -> Result<(), Error> {
        let query = vec![Query::forked(&INTEGRITY)];
        let read = |_: usize, row: &Row| row.text("integrity_check").map(str::to_owned);
        let found = self.db().rows_together(query, Effort::AsMuchAsItTakes, read).await?;
        match found.first().map(String::as_str) {
            Some("ok") => Ok(()),
            Some(fault) => Err(Error::Corrupt(fault.to_owned())),
            None => Err(Error::Corrupt("the file cannot be checked".to_owned())),
        }
    }

    /// Recomputes the chain of the changes still kept; answers how many. `progress` hears the number reached and the
    /// last one. The first kept change is taken at its word where older ones were swept.
    pub async fn check_changes(&self, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<u64, Error> {
        let head = self.facts().await?;
        let mut checked = 0;
        let mut before: Option<(u64, [u8; 32])> = None;
        loop {
            let after = before.map_or(0, |(seq, _)| seq);
            let query = Query::new(LOGGED, vec![after.into(), CHANGES_PER_READ_MAX.into()]);
            let page = self
                .db()
                .rows_together(vec![query], Effort::AsMuchAsItTakes, |_, row| read_logged(row))
                .await?;
            let Some(last) = page.last().map(|logged| logged.seq) else { break };
            for logged in page {
                follow(&logged, &mut before)?;
                checked += 1;
            }
            progress(last, head.head.0);
        }
        match before {
            Some(end) if end != (head.head.0, head.chain) => {
                Err(Error::Corrupt("the changes do not end where the database says".to_owned()))
            }
            _ => Ok(checked),
        }
    }
}

fn read_logged(row: &Row) -> Result<Logged, Error> {
    let text = |name| row.text(name).map(str::to_owned);
    Ok(Logged {
        seq: row.number("seq")?,
        chain: row.hash("chain")?,
        parts: [text("kind")?, text("subject")?, text("record")?],
    })
}

/// Holds a change to the one before it.
fn follow(logged: &Logged, before: &mut Option<(u64, [u8; 32])>) -> Result<(), Error> {
    // From the first change on the chain begins with nothing; after a sweep it begins with what is kept.
    let start = (logged.seq == 1).then_some((0, [0; 32]));
    if let Some((seq, chain)) = before.or(start) {
        let [kind, subject, record] = &logged.parts;
        if logged.seq != seq + 1 || logged.chain != feed::chained(&chain, logged.seq, [kind, subject, record])
        {
            return Err(Error::Corrupt(format!(
                "change {} does not follow on the one before it",
                logged.seq
            )));
        }
    }
    *before = Some((logged.seq, logged.chain));
    Ok(())
}
