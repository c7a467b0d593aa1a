//! A write as data: statements with expectations, the records they put on the feed, and the one audit entry. Each
//! aggregate adds the methods that build its statements in its own file; nothing else can write. Being data, the same
//! write runs on every database, and the writer may run it again.

use countersign_model::change::{AccountRecord, Seq, TokenRecord};
use countersign_model::{id::TokenId, sid::Sid};

use crate::{
    Conflict, Error,
    audit::{self, AuditDraft},
    evidence::key::Keyring,
    feed,
    value::{Value, to_json},
};

/// Something to commit.
pub struct Write {
    pub(crate) audit: AuditDraft,
    statements: Vec<Statement>,
    entries: Vec<Entry>,
    only_takes_away: bool,
    /// How many of the statements only tell somebody, which says nothing about how urgent the rest is.
    telling: usize,
    posts: bool,
    even_on_a_full_disk: bool,
}

/// What a commit answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The number of the last change of this write, or the head where it had none: `in force` means applied up to here.
    pub seq: Seq,
    /// The number of the audit entry.
    pub audit_number: u64,
}

/// One statement and what must come of it.
pub(crate) struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) values: Vec<Value>,
    pub(crate) expect: Expect,
}

/// What must come of a statement. A broken unique index is a conflict whatever was expected: [`conflict_of`].
#[derive(Clone, Copy)]
pub(crate) enum Expect {
    /// Whatever comes is right.
    Nothing,
    /// A row is changed, or answered by a guard; else this conflict.
    Row(Conflict),
}

/// A record for the feed, before it has its number.
pub(crate) struct Entry {
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    /// `None`: what the table says of this token once the statements ran. Whoever edits a token read it a moment before,
    /// and its digests may have been made anew since.
    pub(crate) record: Option<String>,
}

/// What a write leaves behind besides its rows: its changes and its audit entry.
pub(crate) struct Trace {
    audit: AuditDraft,
    entries: Vec<Entry>,
}

/// The ends of both chains: the last change and the last audit entry. Read and written back inside the transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) seq: u64,
    pub(crate) chain: [u8; 32],
    pub(crate) audit_number: u64,
    pub(crate) audit_hash: [u8; 32],
}

impl Statement {
    pub(crate) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values, expect: Expect::Nothing }
    }

    pub(crate) fn expecting(sql: &'static str, values: Vec<Value>, conflict: Conflict) -> Self {
        Self { sql, values, expect: Expect::Row(conflict) }
    }
}

impl Write {
    /// A write with its audit entry. Without further steps it only writes the entry.
    pub fn new(audit: AuditDraft) -> Self {
        Self {
            audit,
            statements: Vec::new(),
            entries: Vec::new(),
            only_takes_away: true,
            telling: 0,
            posts: false,
            even_on_a_full_disk: false,
        }
    }

    pub(crate) fn then(mut self, sql: &'static str, values: Vec<Value>) -> Self {
        self.statements.push(Statement::new(sql, values));
        self
    }

    pub(crate) fn expecting(mut self, sql: &'static str, values: Vec<Value>, conflict: Conflict) -> Self {
        self.statements.push(Statement::expecting(sql, values, conflict));
        self
    }

    pub(crate) fn posting(mut self, sql: &'static str, values: Vec<Value>) -> Self {
        self.telling += 1;
        self.then(sql, values).noting_posts()
    }

    /// Notes that something is due once this write is committed.
    pub(crate) fn noting_posts(mut self) -> Self {
        self.posts = true;
        self
    }

    /// Whether somebody is to be told of something once this write is committed: then the outbox is worth waking.
    pub fn posts(&self) -> bool {
        self.posts
    }

    /// Notes that this write gives somebody something, so it waits its turn.
    pub(crate) fn giving(mut self) -> Self {
        self.only_takes_away = false;
        self
    }

    /// Whether it only takes rights away. Such a write overtakes those that wait: a
    /// revocation stands behind the one transaction being written, never behind a queue.
    pub(crate) fn is_urgent(&self) -> bool {
        self.only_takes_away && self.statements.len() > self.telling
    }

    /// Lets this write use the space that is kept for denials: without signing in, nobody could deny anything.
    pub(crate) fn even_on_a_full_disk(mut self) -> Self {
        self.even_on_a_full_disk = true;
        self
    }

    /// Whether it may be written when the disk is nearly full.
    pub(crate) fn may_use_reserve(&self) -> bool {
        self.is_urgent() || self.even_on_a_full_disk
    }

    pub(crate) fn emit_token(mut self, token: &TokenRecord) -> Self {
        let (subject, record) = (token.id.to_string(), Some(to_json(token)));
        self.entries.push(Entry { kind: feed::TOKEN, subject, record });
        self
    }

    /// Puts a token on the feed as it is in the table after this write.
    pub(crate) fn emit_token_as_kept(mut self, id: TokenId) -> Self {
        self.entries.push(Entry { kind: feed::TOKEN, subject: id.to_string(), record: None });
        self
    }

    pub(crate) fn emit_token_gone(mut self, id: TokenId, sid: &Sid) -> Self {
        let (subject, record) = (id.to_string(), Some(to_json(sid)));
        self.entries.push(Entry { kind: feed::TOKEN_GONE, subject, record });
        self
    }

    pub(crate) fn emit_account(mut self, account: &AccountRecord) -> Self {
        self.entries.push(Entry {
            kind: feed::ACCOUNT,
            subject: account.id.to_string(),
            record: Some(to_json(account)),
        });
        self
    }

    pub(crate) fn emit_catalog(mut self, number: u64) -> Self {
        self.entries.push(Entry {
            kind: feed::CATALOG,
            subject: number.to_string(),
            record: Some(to_json(&number)),
        });
        self
    }

    /// The statements to run first, and what is left to number and to write down when they ran.
    pub(crate) fn into_parts(self) -> (Vec<Statement>, Trace) {
        (self.statements, Trace { audit: self.audit, entries: self.entries })
    }
}

impl Trace {
    /// The tokens of which the feed says what the table says of them after this write.
    pub(crate) fn as_kept(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| entry.record.is_none()).map(|entry| entry.subject.as_str())
    }

    /// Turns changes and audit entry, numbered after `heads`, into the statements to run, and moves the heads on. Whoever
    /// runs them keeps the new heads only when every expectation held. `as_kept` reads what the table says of a token.
    pub(crate) fn statements(
        &self,
        heads: &mut Heads,
        keys: &Keyring,
        as_kept: impl Fn(&str) -> Result<String, Error>,
    ) -> Result<(Vec<Statement>, Committed), Error> {
        let mut statements = Vec::with_capacity(self.entries.len() + 1);
        for entry in &self.entries {
            let record = match &entry.record {
                Some(record) => record,
                None => &as_kept(&entry.subject)?,
            };
            statements.push(feed::log(entry, record, self.audit.at, heads, keys));
        }
        statements.push(audit::append(&self.audit, heads));
        Ok((statements, Committed { seq: Seq(heads.seq), audit_number: heads.audit_number }))
    }
}

/// What it means that a unique index is broken, by the name of the index. `None`: an id given twice, which no caller
/// that draws its ids at random will see.
pub(crate) fn conflict_of(index: &str) -> Option<Conflict> {
    Some(match index {
        "tokens_account_id_name_key" => Conflict::NameTaken,
        "tokens_sid" => Conflict::SidTaken,
        "tokens_account_id_access" => Conflict::LegacyExists,
        "secrets_digest" | "gateways_credential" | "platform_credentials_credential" => Conflict::SecretTaken,
        "accounts_external_id" => Conflict::ExternalIdTaken,
        "people_email_key" => Conflict::EmailTaken,
        "members_account_id_user_id" => Conflict::AlreadyMember,
        "gateways_name" | "platform_credentials_name" => Conflict::GatewayNameTaken,
        "key_jobs_state" | "key_jobs_number" => Conflict::RotationRunning,
        "remembered_actor_operation_key" => Conflict::IdempotencyKeyTaken,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        Account, AccountState, Token, TokenState, Write,
        world::{account, id, token, user_id, write},
    };

    #[test]
    fn what_only_takes_away_overtakes() {
        let off = Token { state: TokenState::Disabled, ..token(1) };
        let suspended = Account { state: AccountState::Suspended, ..account(1) };
        let closed = Account { api_access: false, ..account(1) };
        let cases: [(&str, Write, bool); 12] = [
            ("an entry alone", write("x"), false),
            ("disable", write("x").update_token(&off), true),
            ("enable", write("x").update_token(&token(1)), false),
            ("delete", write("x").delete_token(&token(1)), true),
            ("disable whatever its edit", write("x").disable_token(&token(1)), true),
            ("reset", write("x").reset_token(&token(1)), false),
            (
                "end access tokens",
                write("x").end_access_tokens(account(1).id, token(1).id, token(1).created_at),
                false,
            ),
            ("create, even disabled", write("x").insert_token(&off), false),
            ("suspend", write("x").update_account(&suspended), true),
            ("switch API access off", write("x").update_account(&closed), true),
            ("end a session", write("x").end_session(id(1), user_id(1)), true),
            ("disable one and enable another", write("x").update_token(&off).update_token(&token(2)), false),
        ];
        for (what, write, urgent) in cases {
            assert_eq!(write.is_urgent(), urgent, "{what}");
        }
    }
}
