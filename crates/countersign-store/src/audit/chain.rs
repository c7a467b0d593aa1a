//! The chain of the audit trail: how an entry is hashed, appended and verified. Each hash covers the hash before and
//! every field, each with its length in front, so that no two different entries have the same bytes. The hash has no
//! key: it shows damage and careless edits; whoever can rewrite the whole file must be caught by an exported head.

use super::{AuditDraft, AuditFinding, FROM, checkpoint};
use crate::{
    Error, Store,
    db::{Effort, Query},
    feed,
    limits::AUDIT_ENTRIES_PER_READ_MAX,
    value::{Row, Value, to_json},
    write::{Heads, Statement},
};

pub(crate) const APPEND: &str = "
insert into audit (number, at, actor_kind, actor_id, actor_label, client_address, request_id, account_id, action,
  subject, subject_label, outcome, before, after, previous_hash, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

/// The texts of an entry, in the order they are hashed and kept.
const TEXTS: [&str; 12] = [
    "actor_kind",
    "actor_id",
    "actor_label",
    "client_address",
    "request_id",
    "account_id",
    "action",
    "subject",
    "subject_label",
    "outcome",
    "before",
    "after",
];

/// The statement that appends an entry, and the heads after it.
pub(crate) fn append(draft: &AuditDraft, heads: &mut Heads) -> Statement {
    let actor = serde_json::to_value(draft.actor).unwrap_or_default();
    let part = |name: &str| actor.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let texts: [Option<String>; 12] = [
        Some(part("kind").unwrap_or_default()),
        part("id"),
        Some(draft.actor_label.clone()),
        Some(draft.client_address.clone()),
        draft.request_id.map(|id| id.to_string()),
        draft.account.map(|id| id.to_string()),
        Some(draft.action.to_owned()),
        Some(draft.subject.clone()),
        Some(draft.subject_label.clone()),
        Some(draft.outcome.word().to_owned()),
        Some(to_json(&draft.before)),
        Some(to_json(&draft.after)),
    ];
    let previous = heads.audit_hash;
    let (number, at) = (heads.audit_number + 1, draft.at.unix_millis());
    let hash = hash(&previous, number, at, texts.iter().map(Option::as_deref));
    heads.audit_number = number;
    heads.audit_hash = hash;
    let mut values: Vec<Value> = vec![number.into(), at.into()];
    values.extend(texts.map(Value::from));
    values.extend([previous.into(), hash.into()]);
    Statement::new(APPEND, values)
}

fn hash<'t>(
    previous: &[u8; 32],
    number: u64,
    at: i64,
    texts: impl Iterator<Item = Option<&'t str>>,
) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("countersign audit entry 1");
    hasher.update(previous);
    hasher.update(&number.to_le_bytes());
    hasher.update(&at.to_le_bytes());
    for text in texts {
        match text {
            None => hasher.update(&[0]),
            Some(text) => {
                hasher.update(&[1]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes())
            }
        };
    }
    *hasher.finalize().as_bytes()
}

/// A row as verification needs it.
enum Piece {
    Head(Heads),
    /// Up to where the trail was trimmed: number and hash of the last entry that is gone.
    Floor(u64, [u8; 32]),
    /// Number, hash before, hash, and the hash its fields have: equal where nobody touched it.
    Entry(u64, [u8; 32], [u8; 32], [u8; 32]),
    /// A row whose columns cannot be read.
    Unreadable(u64),
}

impl Store {
    /// Recomputes the whole chain, from where it was trimmed to. `progress` hears the number reached and the last one.
    pub async fn verify_audit(
        &self,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<AuditFinding, Error> {
        let (mut floor, mut done, mut hash_before) = (0, 0, [0; 32]);
        loop {
            let page = vec![(done + 1).into(), AUDIT_ENTRIES_PER_READ_MAX.into()];
            let (head, end) =
                (Query::new(feed::HEADS, Vec::new()), Query::new(checkpoint::FLOOR, Vec::new()));
            let queries = vec![head, end, Query::new(FROM, page)];
            let mut pieces =
                self.db().rows_together(queries, Effort::AsMuchAsItTakes, read_piece).await?.into_iter();
            let Some(Piece::Head(head)) = pieces.next() else {
                return Err(Error::Corrupt("the row of the cluster is missing".to_owned()));
            };
            let Some(Piece::Floor(number, hash)) = pieces.next() else {
                return Err(Error::Corrupt("the row of the audit trail's end is missing".to_owned()));
            };
            if number > done {
                // It was trimmed before, or meanwhile: what is left begins there.
                (floor, done, hash_before) = (number, number, hash);
                continue;
            }
            let before = done;
            for piece in pieces {
                if let Some(broken) = misfit(&piece, done + 1, &mut hash_before) {
                    return Ok(broken);
                }
                done += 1;
            }
            progress(done, head.audit_number.max(done));
            // A short page was the last one as of its own head, however many entries follow by now.
            if done - before < u64::from(AUDIT_ENTRIES_PER_READ_MAX) {
                return Ok(at_the_end((floor, done), &hash_before, &head));
            }
        }
    }
}

fn read_piece(query: usize, row: &Row) -> Result<Piece, Error> {
    match query {
        0 => return feed::read_heads(row).map(Piece::Head),
        1 => return Ok(Piece::Floor(row.number("number")?, row.hash("hash")?)),
        _ => {}
    }
    let number = row.number("number")?;
    Ok(read_entry(number, row).unwrap_or(Piece::Unreadable(number)))
}

fn read_entry(number: u64, row: &Row) -> Result<Piece, Error> {
    let texts: Result<Vec<Option<&str>>, Error> = TEXTS.iter().map(|name| row.optional_text(name)).collect();
    let previous = row.hash("previous_hash")?;
    let computed = hash(&previous, number, row.integer("at")?, texts?.into_iter());
    Ok(Piece::Entry(number, previous, row.hash("hash")?, computed))
}

/// What is wrong with a row where entry `expected` should stand, after `hash_before`, which moves on.
fn misfit(piece: &Piece, expected: u64, hash_before: &mut [u8; 32]) -> Option<AuditFinding> {
    let broken = |number, reason: &str| Some(AuditFinding::Broken { number, reason: reason.to_owned() });
    match piece {
        Piece::Entry(number, ..) | Piece::Unreadable(number) if *number != expected => {
            broken(expected, "it is missing")
        }
        Piece::Entry(number, _, hash, computed) if hash != computed => {
            broken(*number, "it was changed: its hash is of other content")
        }
        Piece::Entry(number, previous, ..) if previous != hash_before => {
            broken(*number, "it does not follow on the entry before it")
        }
        Piece::Entry(_, _, hash, _) => {
            *hash_before = *hash;
            None
        }
        Piece::Unreadable(number) => broken(*number, "it cannot be read"),
        Piece::Head(_) | Piece::Floor(..) => broken(expected, "it cannot be read"),
    }
}

fn at_the_end((floor, last): (u64, u64), hash: &[u8; 32], head: &Heads) -> AuditFinding {
    let broken = |number, reason: &str| AuditFinding::Broken { number, reason: reason.to_owned() };
    match last.cmp(&head.audit_number) {
        std::cmp::Ordering::Less => broken(last + 1, "it is missing, as is everything after it"),
        std::cmp::Ordering::Greater => broken(head.audit_number + 1, "it was added behind the last entry"),
        std::cmp::Ordering::Equal if *hash != head.audit_hash => {
            broken(last, "it is not the last entry written")
        }
        std::cmp::Ordering::Equal => AuditFinding::Whole { entries: last - floor },
    }
}
