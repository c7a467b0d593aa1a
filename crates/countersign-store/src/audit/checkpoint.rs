//! Signed statements about the audit trail, and the trail's lower end. What is signed, and with which key, is decided
//! by the server; here they are rows. Trimming removes entries from the oldest on and moves the signed end with them,
//! in one transaction with the entry that tells of it.

use countersign_model::time::Timestamp;

use crate::{
    Conflict, Error, Page, PageAsk, Store, Write,
    db::Query,
    page::{by_number, paged},
    value::Row,
    write::Statement,
};

pub(crate) const PUT: &str = "
insert into checkpoints (number, hash, at, public_key, signature) values ($1, $2, $3, $4, $5) on conflict do nothing";
pub(crate) const NEWEST: &str = "
select number, hash, at, public_key, signature from checkpoints where number < $1 order by number desc limit $2";
pub(crate) const FLOOR: &str =
    "select number, hash, at, public_key, signature from audit_floor where singleton = 1";
pub(crate) const MOVE_FLOOR: &str = "
update audit_floor set number = $2, hash = $3, at = $4, public_key = $5, signature = $6
where singleton = 1 and number = $1";
pub(crate) const TRIM: &str = "delete from audit where number <= $1";
pub(crate) const TRIM_CHECKPOINTS: &str = "delete from checkpoints where number <= $1";
/// The last entry of the oldest `$3` that is before a moment, and is not the newest of all.
pub(crate) const LAST_BEFORE: &str = "
select number, hash from audit
where number > $1 and number <= $2 and at < $3 and number < (select audit_head from cluster where singleton = 1)
order by number desc limit 1";

/// The number and the hash of an entry, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the entry.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it was signed.
    pub at: Timestamp,
    /// The Ed25519 key it is signed with.
    pub public_key: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Checkpoint {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.number("number")?,
            hash: row.hash("hash")?,
            at: row.moment("at")?,
            public_key: row.bytes("public_key")?.to_vec(),
            signature: row.bytes("signature")?.to_vec(),
        })
    }
}

impl Store {
    /// Checkpoints, newest first.
    pub async fn checkpoints(&self, page: &PageAsk) -> Result<Page<Checkpoint>, Error> {
        let Some(below) = by_number(page) else { return Ok(Page::empty()) };
        let query = Query::new(NEWEST, vec![below.into(), page.rows_asked()]);
        let rows = self.db().rows(query, Checkpoint::read).await?;
        Ok(paged(rows, page, |checkpoint| checkpoint.number.to_string()))
    }

    /// Keeps a checkpoint. It is no action of anybody and has no entry of its own.
    pub async fn put_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let values = vec![
            checkpoint.number.into(),
            checkpoint.hash.into(),
            checkpoint.at.into(),
            checkpoint.public_key.clone().into(),
            checkpoint.signature.clone().into(),
        ];
        self.db().quiet(vec![Statement::new(PUT, values)]).await.map(|_| ())
    }

    /// The end the trail was trimmed to; `None` where it begins with its first entry.
    pub async fn audit_floor(&self) -> Result<Option<Checkpoint>, Error> {
        let floor = self.db().row(Query::new(FLOOR, Vec::new()), Checkpoint::read).await?;
        let floor =
            floor.ok_or_else(|| Error::Corrupt("the row of the audit trail's end is missing".to_owned()))?;
        Ok((floor.number > 0).then_some(floor))
    }

    /// The last of the next `batch` entries after `floor` that is older than a moment: up to there the trail can be
    /// trimmed. The newest entry of all always stays.
    pub async fn audit_before(
        &self,
        floor: u64,
        batch: u32,
        moment: Timestamp,
    ) -> Result<Option<(u64, [u8; 32])>, Error> {
        let values = vec![floor.into(), (floor + u64::from(batch)).into(), moment.into()];
        let read = |row: &Row| Ok((row.number("number")?, row.hash("hash")?));
        self.db().row(Query::new(LAST_BEFORE, values), read).await
    }
}

impl Write {
    /// Trims the trail from the number `from` to a signed end. Conflict: `Stale` where it was trimmed meanwhile.
    #[must_use]
    pub fn trim_audit(self, from: u64, to: &Checkpoint) -> Self {
        let values = vec![
            from.into(),
            to.number.into(),
            to.hash.into(),
            to.at.into(),
            to.public_key.clone().into(),
            to.signature.clone().into(),
        ];
        self.giving()
            .expecting(MOVE_FLOOR, values, Conflict::Stale)
            .then(TRIM, vec![to.number.into()])
            .then(TRIM_CHECKPOINTS, vec![to.number.into()])
    }
}
