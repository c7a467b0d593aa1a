//! The statements that add, change and delete tokens. Secrets are reached only behind a statement that held the token
//! to its account and edit number.

use std::collections::BTreeSet;

use countersign_model::{
    grant::Access,
    id::{AccountId, TokenId, UserId},
    time::Timestamp,
};

use super::{Secret, Token, TokenState};
use crate::{
    Conflict,
    value::{Value, to_json},
    write::Write,
};

pub(crate) const CONTACT_IS_MEMBER: &str = "select 1 from members where account_id = $1 and user_id = $2";
pub(crate) const IS_ENABLED: &str =
    "select 1 from tokens where account_id = $1 and id = $2 and state = 'enabled'";
pub(crate) const SID_NOT_SPENT: &str = "select 1 where not exists (select 1 from spent_sids where sid = $1)";
pub(crate) const WITHIN_LIMIT: &str = "
select 1 from accounts where id = $1 and token_limit >=
  (select count(*) from tokens where account_id = $1 and access = 'scoped')";
pub(crate) const INSERT: &str = "
insert into tokens (id, account_id, sid, name, name_key, description, access, scopes, api_version, primary_contact,
  developer_emails, state, expires_at, addresses, rate_requests, rate_window_secs, made_by, edit, created_at,
  created_by, updated_at, updated_by, last_used_at, last_used_from)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1, $18, $19, $20, $21, $22, $23)";
pub(crate) const UPDATE: &str = "
update tokens set name = $4, name_key = $5, description = $6, access = $7, scopes = $8, api_version = $9,
  primary_contact = $10, developer_emails = $11, state = $12, expires_at = $13, addresses = $14, rate_requests = $15,
  rate_window_secs = $16, updated_at = $17, updated_by = $18, edit = edit + 1,
  access_tokens_from = case when access_tokens_from is not null
    and (cast($20 as bigint) is null or access_tokens_from > $20) then access_tokens_from else $20 end
where account_id = $1 and id = $2 and edit = $3 and sid = $19";
/// Held to an edit number where one is given.
pub(crate) const DELETE: &str = "
delete from tokens
where account_id = $1 and id = $2 and sid = $3 and edit = coalesce(cast($4 as bigint), edit)";
pub(crate) const SPEND_SID: &str = "insert into spent_sids (sid) values ($1) on conflict do nothing";
pub(crate) const DROP_SECRETS: &str =
    "delete from secrets where token_id = $1 and generation <> $2 and generation <> $3";
/// A secret that is new is made with keys that are still in use, and sealed only where the account's policy is to seal.
pub(crate) const NEW_SECRET_FITS: &str = "
select 1 where exists (select 1 from secrets where token_id = $1 and generation = $2)
  or (not exists (select 1 from key_generations
        where kind = 'pepper' and generation = $3 and state in ('layered', 'retired'))
    and (cast($4 as integer) is null or exists (select 1 from accounts where id = $5 and reveal = 'recoverable'
        and (data_key_generation = $4 or (former_data_key is not null and data_key_generation = $4 + 1)))))";
/// The digest of a secret and what it is sealed as belong to the rotations of keys once it is there: who edits its token
/// read it a moment before. It also keeps its usage, which is written aside and may be newer than what the caller read; at the
/// beginning of an overlap its uses are counted anew. A secret that stays as it is, is not written: that of most edits.
pub(crate) const PUT_SECRET: &str = "
insert into secrets (token_id, generation, digest, pepper, sealed, last4, weak, created_at, ends_at, last_used_at,
  last_used_from, uses, layered_over, data_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (token_id, generation) do update set last4 = excluded.last4, weak = excluded.weak,
  ends_at = excluded.ends_at, sealed = case when excluded.sealed is null then null else secrets.sealed end,
  data_key = case when excluded.sealed is null then null else secrets.data_key end,
  uses = case when secrets.ends_at is null and excluded.ends_at is not null then 0 else secrets.uses end
where secrets.last4 <> excluded.last4 or secrets.weak <> excluded.weak
  or secrets.ends_at is distinct from excluded.ends_at
  or (excluded.sealed is null and (secrets.sealed is not null or secrets.data_key is not null))";

impl Write {
    /// Adds a token with its secrets and puts it on the feed. Conflicts: `NameTaken`, `SidTaken` (also for SIDs of
    /// deleted tokens), `SecretTaken`, `KeyReplaced`, `LegacyExists`, `TokenLimit` (against the account's own limit, inside the
    /// transaction), `ContactNotMember`, `Stale` where there is no such account.
    #[must_use]
    pub fn insert_token(self, token: &Token) -> Self {
        self.insert_tokens(std::slice::from_ref(token))
    }

    /// Adds many tokens, all or none, for an import: one audit entry, one change each. Conflicts: as one token.
    #[must_use]
    pub fn insert_tokens(self, tokens: &[Token]) -> Self {
        let contacts: BTreeSet<(AccountId, UserId)> =
            tokens.iter().filter_map(|token| Some((token.account, token.primary_contact?))).collect();
        let limited: BTreeSet<AccountId> = tokens
            .iter()
            .filter(|token| token.access.scopes().is_some())
            .map(|token| token.account)
            .collect();
        let mut write = self.giving();
        for (account, contact) in contacts {
            write = write.require_member(account, contact);
        }
        for token in tokens {
            write = write.insert_row(token);
        }
        for account in limited {
            write = write.expecting(WITHIN_LIMIT, vec![account.into()], Conflict::TokenLimit);
        }
        write
    }

    fn insert_row(self, token: &Token) -> Self {
        let mut values: Vec<Value> = vec![token.id.into(), token.account.into(), token.sid.as_str().into()];
        values.extend(described(token));
        values.extend([
            token.made_by.into(),
            token.created_at.into(),
            to_json(&token.created_by).into(),
            token.updated_at.into(),
            to_json(&token.updated_by).into(),
            token.last_used_at.into(),
            token.last_used_from.clone().into(),
        ]);
        self.expecting(SID_NOT_SPENT, vec![token.sid.as_str().into()], Conflict::SidTaken)
            .then(INSERT, values)
            .put_secrets(token)
            .emit_token(&token.record())
    }

    /// Writes a token whose edit number was `token.edit`, with exactly its secrets, and puts it on the feed. The row
    /// gets the next edit number. Its SID, maker, creation and usage stay as they are, and access tokens that ended
    /// meanwhile stay ended. Conflicts: `Stale`, `NameTaken`, `SecretTaken`, `ContactNotMember`.
    #[must_use]
    pub fn update_token(self, token: &Token) -> Self {
        let mut values: Vec<Value> = vec![token.account.into(), token.id.into(), token.edit.into()];
        values.extend(described(token));
        values.extend([
            token.updated_at.into(),
            to_json(&token.updated_by).into(),
            token.sid.as_str().into(),
            access_tokens_from(token).into(),
        ]);
        let mut write = if token.state == TokenState::Disabled { self } else { self.giving() };
        if let Some(contact) = token.primary_contact {
            write = write.require_member(token.account, contact);
        }
        write.expecting(UPDATE, values, Conflict::Stale).keep_secrets(token).emit_token_as_kept(token.id)
    }

    /// Requires that a token of the account is there and enabled, for what it does itself: a token that was disabled
    /// while its request was on the way makes nothing more. Conflict: `Stale`.
    #[must_use]
    pub fn require_enabled(self, account: AccountId, token: TokenId) -> Self {
        self.expecting(IS_ENABLED, vec![account.into(), token.into()], Conflict::Stale)
    }

    /// Deletes a token for ever: its secrets go, its SID is never issued again. Conflict: `Stale`.
    #[must_use]
    pub fn delete_token(self, token: &Token) -> Self {
        self.delete_row(token, Some(token.edit))
    }

    pub(super) fn delete_row(self, token: &Token, edit: Option<u64>) -> Self {
        let sid = token.sid.as_str();
        let values = vec![token.account.into(), token.id.into(), sid.into(), edit.into()];
        self.expecting(DELETE, values, Conflict::Stale)
            .then(SPEND_SID, vec![sid.into()])
            .emit_token_gone(token.id, &token.sid)
    }

    fn require_member(self, account: AccountId, user: UserId) -> Self {
        self.expecting(CONTACT_IS_MEMBER, vec![account.into(), user.into()], Conflict::ContactNotMember)
    }

    /// Leaves a token exactly its secrets.
    pub(super) fn keep_secrets(self, token: &Token) -> Self {
        let kept = |index: usize| token.secrets.get(index).map_or(0, |secret| secret.generation);
        self.then(DROP_SECRETS, vec![token.id.into(), kept(0).into(), kept(1).into()]).put_secrets(token)
    }

    fn put_secrets(self, token: &Token) -> Self {
        token.secrets.iter().fold(self, |write, secret| {
            let fits = vec![
                token.id.into(),
                secret.generation.into(),
                secret.pepper.into(),
                secret.data_key.into(),
                token.account.into(),
            ];
            write
                .expecting(NEW_SECRET_FITS, fits, Conflict::KeyReplaced)
                .then(PUT_SECRET, secret_values(token, secret))
        })
    }
}

/// Whoever switches a token off ends what was derived from it, also for the time when it is on again.
fn access_tokens_from(token: &Token) -> Option<Timestamp> {
    match token.state {
        TokenState::Enabled => token.access_tokens_from,
        TokenState::Disabled => Some(token.updated_at),
    }
}

/// What a person may change of a token, in the order both statements have it.
fn described(token: &Token) -> [Value; 13] {
    let scopes = match &token.access {
        Access::Scoped(scopes) => to_json(scopes),
        Access::ReadWrite | Access::ReadOnly => "[]".to_owned(),
    };
    [
        token.name.as_str().into(),
        token.name.key().into(),
        token.description.as_str().into(),
        token.access.kind().as_str().into(),
        scopes.into(),
        token.api_version.0.into(),
        token.primary_contact.into(),
        to_json(&token.developer_emails).into(),
        token.state.word().into(),
        token.expires_at.into(),
        to_json(&token.addresses).into(),
        token.rate_limit.map(countersign_model::rate::RateLimit::requests).into(),
        token.rate_limit.map(countersign_model::rate::RateLimit::window_secs).into(),
    ]
}

fn secret_values(token: &Token, secret: &Secret) -> Vec<Value> {
    vec![
        token.id.into(),
        secret.generation.into(),
        secret.digest.into(),
        secret.pepper.into(),
        secret.sealed.clone().into(),
        secret.last4.as_str().into(),
        secret.weak.into(),
        secret.created_at.into(),
        secret.ends_at.into(),
        secret.last_used_at.into(),
        secret.last_used_from.clone().into(),
        secret.uses.into(),
        secret.layered_over.into(),
        secret.data_key.into(),
    ]
}
