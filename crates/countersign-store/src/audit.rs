//! The audit trail: append-only, each entry chained to the one before by hash.

mod chain;
mod checkpoint;

use countersign_model::{
    actor::Actor,
    id::{AccountId, RequestId},
    time::Timestamp,
};
use serde_json::Value;

pub(crate) use self::chain::append;
pub use self::checkpoint::Checkpoint;
use crate::{
    Error, Page, PageAsk, Store, Within,
    db::Query,
    limits::AUDIT_ENTRIES_PER_READ_MAX,
    page::{by_number, paged},
    value::{Row, escape_like},
};

pub(crate) const OF_ACCOUNT: &str = r"
select * from audit where account_id = $1 and number < $2
  and (cast($3 as text) is null or action like $3 escape '\')
  and (cast($4 as text) is null or actor_id = $4)
  and at >= $5 and at < $6
order by number desc limit $7";
pub(crate) const OF_ACCOUNT_AND_SUBJECT: &str = r"
select * from audit where account_id = $1 and number < $2
  and (cast($3 as text) is null or action like $3 escape '\')
  and (cast($4 as text) is null or actor_id = $4)
  and at >= $5 and at < $6 and subject = $8
order by number desc limit $7";
pub(crate) const OF_ALL: &str = r"
select * from audit where number < $1
  and (cast($2 as text) is null or action like $2 escape '\')
  and (cast($3 as text) is null or actor_id = $3)
  and at >= $4 and at < $5
order by number desc limit $6";
pub(crate) const OF_SUBJECT: &str = r"
select * from audit where number < $1
  and (cast($2 as text) is null or action like $2 escape '\')
  and (cast($3 as text) is null or actor_id = $3)
  and at >= $4 and at < $5 and subject = $7
order by number desc limit $6";
pub(crate) const FROM: &str = "select * from audit where number >= $1 order by number limit $2";

const OUTCOMES: [(&str, Outcome); 2] = [("done", Outcome::Done), ("refused", Outcome::Refused)];

/// An entry as the caller knows it: the store adds number, hashes and seq.
#[derive(Debug, Clone)]
pub struct AuditDraft {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Who, in words that last: an e-mail address, a token's SID, a credential's name.
    pub actor_label: String,
    /// From where; empty where unknown.
    pub client_address: String,
    /// The request it came with.
    pub request_id: Option<RequestId>,
    /// The account it concerns.
    pub account: Option<AccountId>,
    /// What: `token.disable`, `session.create`, `secret.reveal`.
    pub action: &'static str,
    /// The id of what it was done to.
    pub subject: String,
    /// What it was done to, in words that last: the token's name.
    pub subject_label: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The fields before; never a secret. `Null` where there is nothing to tell.
    pub before: Value,
    /// The fields after; never a secret.
    pub after: Value,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// An entry as kept.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Its place in the chain, from 1, gap-free.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Who, in words.
    pub actor_label: String,
    /// From where.
    pub client_address: String,
    /// The request.
    pub request_id: Option<RequestId>,
    /// The account.
    pub account: Option<AccountId>,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// To what, in words.
    pub subject_label: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Before.
    pub before: Value,
    /// After.
    pub after: Value,
    /// Hash of the entry before, hexadecimal.
    pub previous_hash: String,
    /// Hash of this entry, hexadecimal.
    pub hash: String,
}

/// Which entries are asked for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Exactly this action, or all that start with it where it ends in a dot.
    pub action: Option<String>,
    /// Exactly this subject.
    pub subject: Option<String>,
    /// By this actor (its JSON form's id).
    pub actor_id: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

/// What verification of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditFinding {
    /// Every entry is chained to the one before, and the head is the last entry.
    Whole {
        /// How many entries.
        entries: u64,
    },
    /// The first entry that does not fit.
    Broken {
        /// Its number.
        number: u64,
        /// Why, for a person.
        reason: String,
    },
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

impl AuditEntry {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.number("number")?,
            at: row.moment("at")?,
            actor: read_actor(row)?,
            actor_label: row.text("actor_label")?.to_owned(),
            client_address: row.text("client_address")?.to_owned(),
            request_id: row.optional_parsed("request_id")?,
            account: row.optional_parsed("account_id")?,
            action: row.text("action")?.to_owned(),
            subject: row.text("subject")?.to_owned(),
            subject_label: row.text("subject_label")?.to_owned(),
            outcome: row.word("outcome", &OUTCOMES)?,
            before: row.json("before")?,
            after: row.json("after")?,
            previous_hash: hexadecimal(row.hash("previous_hash")?),
            hash: hexadecimal(row.hash("hash")?),
        })
    }
}

fn read_actor(row: &Row) -> Result<Actor, Error> {
    let mut json = serde_json::Map::new();
    json.insert("kind".to_owned(), row.text("actor_kind")?.into());
    if let Some(id) = row.optional_text("actor_id")? {
        json.insert("id".to_owned(), id.into());
    }
    serde_json::from_value(Value::Object(json))
        .map_err(|_| Error::Corrupt("an audit entry names an actor that is none".to_owned()))
}

fn hexadecimal(hash: [u8; 32]) -> String {
    blake3::Hash::from_bytes(hash).to_hex().to_string()
}

impl AuditFilter {
    /// What all four lists are filtered by, in the order they have it: from where on, action, actor, since, until.
    fn values(&self, below: i64) -> Vec<crate::value::Value> {
        let action = self.action.as_deref().map(|action| {
            let mut pattern = escape_like(action);
            if action.ends_with('.') {
                pattern.push('%');
            }
            pattern
        });
        let since = self.since.map_or(i64::MIN, Timestamp::unix_millis);
        let until = self.until.map_or(i64::MAX, Timestamp::unix_millis);
        vec![below.into(), action.into(), self.actor_id.clone().into(), since.into(), until.into()]
    }
}

impl Within<'_> {
    /// Entries of this account, newest first.
    pub async fn audit(&self, filter: &AuditFilter, page: &PageAsk) -> Result<Page<AuditEntry>, Error> {
        let Some(below) = by_number(page) else { return Ok(Page::empty()) };
        let mut values = vec![self.account.into()];
        values.extend(filter.values(below));
        self.store.audit_page([OF_ACCOUNT, OF_ACCOUNT_AND_SUBJECT], values, filter, page).await
    }
}

impl Store {
    /// Entries of the platform, newest first.
    pub async fn audit(&self, filter: &AuditFilter, page: &PageAsk) -> Result<Page<AuditEntry>, Error> {
        let Some(below) = by_number(page) else { return Ok(Page::empty()) };
        self.audit_page([OF_ALL, OF_SUBJECT], filter.values(below), filter, page).await
    }

    /// Two statements and not one with another `or`: the history of one subject has an index of its own.
    async fn audit_page(
        &self,
        [all, of_subject]: [&'static str; 2],
        mut values: Vec<crate::value::Value>,
        filter: &AuditFilter,
        page: &PageAsk,
    ) -> Result<Page<AuditEntry>, Error> {
        values.push(page.rows_asked());
        let sql = match &filter.subject {
            None => all,
            Some(subject) => {
                values.push(subject.as_str().into());
                of_subject
            }
        };
        let rows = self.db().rows(Query::new(sql, values), AuditEntry::read).await?;
        Ok(paged(rows, page, |entry| entry.number.to_string()))
    }

    /// Entries from a number on, oldest first, at most `limit`: for verification and export.
    pub async fn audit_from(&self, number: u64, limit: u32) -> Result<Vec<AuditEntry>, Error> {
        let limit = limit.min(AUDIT_ENTRIES_PER_READ_MAX);
        self.db().rows(Query::new(FROM, vec![number.into(), limit.into()]), AuditEntry::read).await
    }
}
