//! Writes to a token that hold whatever others changed since it was read: an emergency brake must not lose a race. They
//! name no edit number, so nobody can keep them from being written by writing often. What they do not say stays as it is.

use countersign_model::{
    id::{AccountId, TokenId},
    time::Timestamp,
};

use super::Token;
use crate::{
    Conflict,
    value::{Value, to_json},
    write::Write,
};

/// The edit number stays: what anybody saw of the token to edit it is still so.
pub(crate) const END_ACCESS_TOKENS: &str = "
update tokens set access_tokens_from =
  case when access_tokens_from > $3 then access_tokens_from else cast($3 as bigint) end
where account_id = $1 and id = $2";
pub(crate) const DISABLE: &str = "
update tokens set state = 'disabled', updated_at = $4, updated_by = $5, edit = edit + 1,
  access_tokens_from = case when access_tokens_from > $4 then access_tokens_from else cast($4 as bigint) end
where account_id = $1 and id = $2 and sid = $3 and state <> 'disabled'";
/// The number of the new secret is bound into its seal, so another new secret is the one thing this gives way to.
pub(crate) const RESET: &str = "
update tokens set updated_at = $4, updated_by = $5, edit = edit + 1,
  access_tokens_from = case when access_tokens_from > $4 then access_tokens_from else cast($4 as bigint) end
where account_id = $1 and id = $2 and sid = $3
  and not exists (select 1 from secrets where token_id = $2 and generation >= $6)";

impl Write {
    /// Ends every access token that was derived from a token until a moment; those that ended stay ended. It is
    /// neither held to an edit number nor counted as an edit. Whoever holds the token can ask for it again and again,
    /// so it waits its turn and leaves the space for denials alone. Conflict: `Stale` where there is no such token.
    #[must_use]
    pub fn end_access_tokens(self, account: AccountId, token: TokenId, until: Timestamp) -> Self {
        let values = vec![account.into(), token.into(), until.into()];
        self.giving().expecting(END_ACCESS_TOKENS, values, Conflict::Stale).emit_token_as_kept(token)
    }

    /// Switches a token off, at `token.updated_at` and by `token.updated_by`, and ends its access tokens. Conflict:
    /// `Stale` where there is no such token, or somebody else has just switched it off: then it is written once.
    #[must_use]
    pub fn disable_token(self, token: &Token) -> Self {
        self.expecting(DISABLE, stamped(token), Conflict::Stale).emit_token_as_kept(token.id)
    }

    /// Gives a token the secrets of `token`, the first of which is new, at `token.updated_at` and by
    /// `token.updated_by`, and ends its access tokens. Conflicts: `SecretTaken`, `KeyReplaced`; `Stale` where there is
    /// no such token, or it got another new secret since it was read.
    #[must_use]
    pub fn reset_token(self, token: &Token) -> Self {
        let newest = token.secrets.first().map_or(0, |secret| secret.generation);
        let mut values = stamped(token);
        values.push(newest.into());
        self.giving()
            .expecting(RESET, values, Conflict::Stale)
            .keep_secrets(token)
            .emit_token_as_kept(token.id)
    }

    /// Deletes a token for ever, as [`Write::delete_token`] does. Conflict: `Stale` where there is no such token.
    #[must_use]
    pub fn delete_token_whatever_its_edit(self, token: &Token) -> Self {
        self.delete_row(token, None)
    }
}

/// Which token, and by whom it is changed when.
fn stamped(token: &Token) -> Vec<Value> {
    vec![
        token.account.into(),
        token.id.into(),
        token.sid.as_str().into(),
        token.updated_at.into(),
        to_json(&token.updated_by).into(),
    ]
}
