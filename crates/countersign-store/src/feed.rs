//! The change feed: what the verifier follows. The seq is taken from a counter row inside the transaction, because a
//! database sequence is not in commit order and a follower that reads past a late commit has lost a revocation.

use std::{collections::HashMap, sync::Arc};

use countersign_model::{
    change::{Change, Record, Seq, TokenRecord},
    time::Timestamp,
};
use tokio::sync::watch;

use crate::{
    Account, Conflict, Error, Store, Token, catalogs,
    db::{Effort, Query},
    evidence::{key::Keyring, mac::Cell, proof::Proving, tables::CHANGE_LOG},
    limits::CHANGES_PER_READ_MAX,
    value::{Row, Value},
    write::{Entry, Heads, Statement},
};

pub(crate) const TOKEN: &str = "token";
pub(crate) const TOKEN_GONE: &str = "token_gone";
pub(crate) const ACCOUNT: &str = "account";
pub(crate) const CATALOG: &str = "catalog";

pub(crate) const HEADS: &str =
    "select head, chain, floor, audit_head, audit_hash from cluster where singleton = 1";
pub(crate) const WRITE_HEADS: &str = "
update cluster set head = $1, chain = $2, audit_head = $3, audit_hash = $4 where singleton = 1";
pub(crate) const LOG: &str =
    "insert into change_log (seq, at, kind, subject, record, chain, mac) values ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const CHANGES: &str =
    "select seq, kind, subject, record, chain, mac from change_log where seq > $1 order by seq limit $2";
pub(crate) const ALL_ACCOUNTS: &str = "select * from accounts order by id";
pub(crate) const ALL_TOKENS: &str = "
select t.id, t.account_id, t.sid, t.name, t.state, t.access, t.scopes, t.api_version, t.expires_at, t.created_at, t.addresses,
  t.rate_requests, t.rate_window_secs, s.generation as secret_generation, s.digest as secret_digest,
  s.pepper as secret_pepper, s.ends_at as secret_ends_at, t.access_tokens_from
from tokens t left join secrets s on s.token_id = t.id
order by t.id, s.generation desc";
pub(crate) const ONE_TOKEN: &str = "
select t.id, t.account_id, t.sid, t.name, t.state, t.access, t.scopes, t.api_version, t.expires_at, t.created_at, t.addresses,
  t.rate_requests, t.rate_window_secs, s.generation as secret_generation, s.digest as secret_digest,
  s.pepper as secret_pepper, s.ends_at as secret_ends_at, t.access_tokens_from
from tokens t left join secrets s on s.token_id = t.id
where t.id = $1
order by s.generation desc";

/// What one row of a snapshot or of the log is, before catalogs are compiled.
enum Piece {
    Ends { floor: u64, head: u64 },
    Whole(u64, Record),
    Catalog(u64, u64),
}

/// Everything the verifier knows, as of one moment.
pub struct Snapshot {
    /// The number of the last change in it.
    pub head: Seq,
    /// The catalog first, then accounts, then tokens.
    pub records: Vec<Record>,
}

/// Reads the row of the cluster.
pub(crate) fn read_heads(row: &Row) -> Result<Heads, Error> {
    Ok(Heads {
        seq: row.number("head")?,
        chain: row.hash("chain")?,
        audit_number: row.number("audit_head")?,
        audit_hash: row.hash("audit_hash")?,
    })
}

/// Writes the heads back, once per transaction.
pub(crate) fn write_heads(heads: &Heads) -> Statement {
    let values =
        vec![heads.seq.into(), heads.chain.into(), heads.audit_number.into(), heads.audit_hash.into()];
    Statement::new(WRITE_HEADS, values)
}

/// The chain value of a change: it covers the one before, the number, and each text with its length in front.
pub(crate) fn chained(before: &[u8; 32], seq: u64, texts: [&str; 3]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("countersign change log 1");
    hasher.update(before);
    hasher.update(&seq.to_le_bytes());
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Gives a record its number and chains it to the one before.
pub(crate) fn log(
    entry: &Entry,
    record: &str,
    at: Timestamp,
    heads: &mut Heads,
    keys: &Keyring,
) -> Statement {
    heads.seq += 1;
    heads.chain = chained(&heads.chain, heads.seq, [entry.kind, &entry.subject, record]);
    let [seq, kind, subject, record, chain]: [Value; 5] = [
        heads.seq.into(),
        entry.kind.into(),
        entry.subject.as_str().into(),
        record.into(),
        heads.chain.into(),
    ];
    let mac = keys.row(&CHANGE_LOG, [&seq, &kind, &subject, &record, &chain].into_iter().map(Cell::from));
    Statement::new(LOG, vec![seq, at.into(), kind, subject, record, chain, mac.into()])
}

impl Store {
    /// The state as of now, in one read transaction. Everything in the database, not only what is answered, is checked
    /// first: where anything is not as it was written, there is no snapshot.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let queries = [HEADS, catalogs::NEWEST_NUMBER, ALL_ACCOUNTS, ALL_TOKENS];
        let queries = queries.into_iter().map(|sql| Query::new(sql, Vec::new())).collect();
        let pieces = self.db().rows_checked(queries, read_snapshot).await?;
        let mut head = Seq(0);
        let mut records: Vec<Record> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Ends { head: newest, .. } => head = Seq(newest),
                Piece::Catalog(_, number) => records.push(Record::Catalog(self.compiled(number).await?)),
                Piece::Whole(_, record) => gather(&mut records, record),
            }
        }
        Ok(Snapshot { head, records })
    }

    /// Changes after a number, in order, gap-free, at most `limit`. Where `after` is so old that the changes are no
    /// longer kept, or is a number this store never gave, the conflict is `Stale`: take a snapshot.
    pub async fn changes(&self, after: Seq, limit: u32) -> Result<Vec<Change>, Error> {
        let limit = limit.min(CHANGES_PER_READ_MAX);
        let queries =
            vec![Query::new(HEADS, Vec::new()), Query::new(CHANGES, vec![after.0.into(), limit.into()])];
        let proving = self.db().evidence();
        let read = move |query: usize, row: &Row| read_changes(query, row, &proving);
        let mut pieces = self.db().rows_together(queries, Effort::AsMuchAsItTakes, read).await?.into_iter();
        let Some(Piece::Ends { floor, head }) = pieces.next() else {
            return Err(Error::Corrupt("the row of the cluster is missing".to_owned()));
        };
        if after.0 < floor || after.0 > head {
            return Err(Error::Conflict(Conflict::Stale));
        }
        let mut changes = Vec::new();
        let mut compiled = HashMap::new();
        for (piece, expected) in pieces.zip(after.0 + 1..) {
            let (seq, record) = match piece {
                Piece::Whole(seq, record) => (seq, record),
                Piece::Catalog(seq, number) => {
                    if let std::collections::hash_map::Entry::Vacant(slot) = compiled.entry(number) {
                        slot.insert(self.compiled(number).await?);
                    }
                    (seq, Record::Catalog(Arc::clone(&compiled[&number])))
                }
                Piece::Ends { .. } => continue,
            };
            if seq != expected {
                return Err(Error::Corrupt(format!("change {expected} is missing from the log")));
            }
            changes.push(Change { seq: Seq(seq), record });
        }
        Ok(changes)
    }

    /// Hears the head after every commit. Only a hint: losing every one costs time, never correctness.
    pub fn watch_head(&self) -> watch::Receiver<Seq> {
        self.db().head()
    }
}

fn read_snapshot(query: usize, row: &Row) -> Result<Piece, Error> {
    Ok(match query {
        0 => read_ends(row)?,
        1 => Piece::Catalog(0, row.number("number")?),
        2 => Piece::Whole(0, Record::Account(Arc::new(Account::read(row)?.record()))),
        _ => Piece::Whole(0, Record::Token(Arc::new(Token::read_record(row)?))),
    })
}

fn read_changes(query: usize, row: &Row, proving: &Proving) -> Result<Piece, Error> {
    if query == 0 {
        return read_ends(row);
    }
    let seq = row.number("seq")?;
    // Whoever only has the file would otherwise tell the verifier what they like.
    if !proving.holds_change(row) {
        return Err(Error::Corrupt(format!("change {seq} is not as Countersign wrote it")));
    }
    Ok(match row.text("kind")? {
        TOKEN => Piece::Whole(seq, Record::Token(row.json("record")?)),
        TOKEN_GONE => Piece::Whole(seq, Record::TokenGone(row.json("record")?)),
        ACCOUNT => Piece::Whole(seq, Record::Account(row.json("record")?)),
        CATALOG => Piece::Catalog(seq, row.json("record")?),
        other => return Err(Error::Corrupt(format!("change {seq} is of the unknown kind `{other}`"))),
    })
}

fn read_ends(row: &Row) -> Result<Piece, Error> {
    Ok(Piece::Ends { floor: row.number("floor")?, head: row.number("head")? })
}

/// The record of a token from its rows, one per secret; none when it is gone.
pub(crate) fn one_token(rows: Vec<TokenRecord>) -> Option<TokenRecord> {
    let mut rows = rows.into_iter();
    let mut record = rows.next()?;
    record.secrets.extend(rows.flat_map(|row| row.secrets));
    Some(record)
}

/// Adds a record; a token stands once per secret in the rows, and once in the snapshot.
fn gather(records: &mut Vec<Record>, record: Record) {
    if let (Some(Record::Token(kept)), Record::Token(next)) = (records.last_mut(), &record)
        && kept.id == next.id
    {
        Arc::make_mut(kept).secrets.extend(next.secrets.iter().cloned());
    } else {
        records.push(record);
    }
}
