//! The statements by which rotations of keys move rows from one generation to the next. Each names what it saw, so that a
//! row somebody changed meanwhile is left for the next look; none moves an edit number, because nothing that a person
//! sees is changed.

use countersign_model::{
    digest::Digest,
    id::{AccountId, GatewayId, PlatformCredentialId, TokenId},
    time::Timestamp,
};

use super::{KeyKind, WrappedKey, rows::WebhookSecrets};
use crate::{Conflict, write::Write};

pub(crate) const REWRAP_ACCOUNT: &str = "
update accounts set data_key = $2, data_key_root = $3 where id = $1 and data_key = $4";
pub(crate) const GIVE_DATA_KEY: &str = "
update accounts set former_data_key = data_key, data_key = $2, data_key_root = $3, data_key_generation = $4
where id = $1 and data_key = $5 and former_data_key is null";
pub(crate) const DROP_FORMER_DATA_KEY: &str = "
update accounts set former_data_key = null
where id = $1 and data_key_generation = $2 and not exists
  (select 1 from tokens join secrets on token_id = tokens.id
   where account_id = $1 and sealed is not null and secrets.data_key <> $2)";
pub(crate) const RESEAL_SECRET: &str = "
update secrets set sealed = $3, data_key = $4
where token_id = $1 and generation = $2 and sealed is not null and data_key = $5";
pub(crate) const RENEW_DIGEST: &str = "
update secrets set digest = $3, pepper = $4, layered_over = $5
where token_id = $1 and generation = $2 and digest = $6";
pub(crate) const END_SECRET: &str = "update secrets set ends_at = $3 where token_id = $1 and generation = $2";
pub(crate) const TOKEN_IS_THERE: &str = "select 1 from tokens where id = $1";
pub(crate) const LAYER_PEPPER: &str = "
update key_generations set state = 'layered'
where kind = 'pepper' and generation = $1 and not exists
  (select 1 from secrets where pepper = $1 and layered_over is null)";
pub(crate) const RETIRE_PEPPER: &str = "
update key_generations set state = 'retired'
where kind = 'pepper' and generation = $1 and not exists
  (select 1 from secrets where (pepper = $1 or layered_over = $1) and (ends_at is null or ends_at > $2))";
pub(crate) const RETIRE_REVEAL_ROOT: &str = "
update key_generations set state = 'retired'
where kind = 'reveal_root' and generation = $1
  and not exists (select 1 from accounts where data_key_root = $1)
  and not exists (select 1 from installation_keys where root = $1)";
pub(crate) const RETIRE_VERIFY_ROOT: &str = "
update key_generations set state = 'retired'
where kind = 'verify_root' and generation = $1
  and not exists (select 1 from gateways where root = $1 or layered_over = $1)
  and not exists (select 1 from platform_credentials where root = $1 or layered_over = $1)
  and not exists (select 1 from key_generations as p
                  where p.kind = 'pepper' and p.root = $1 and p.state <> 'retired')";
pub(crate) const REWRAP_INSTALLATION_KEY: &str =
    "update installation_keys set root = $2, wrapped = $3 where generation = $1";
pub(crate) const DROP_INSTALLATION_KEYS: &str = "delete from installation_keys where generation < $1";
pub(crate) const RESEAL_WEBHOOK: &str = "
update webhooks set secret = $2, former_secret = $3
where id = $1 and secret = $4 and former_secret is not distinct from $5";
pub(crate) const MOVE_GATEWAY_TAG: &str = "
update gateways set credential = $2, root = $3, layered_over = $4 where id = $1 and credential = $5";
pub(crate) const MOVE_PLATFORM_TAG: &str = "
update platform_credentials set credential = $2, root = $3, layered_over = $4 where id = $1 and credential = $5";
pub(crate) const ERASE_SEALED_OF_ACCOUNT: &str = "
update secrets set sealed = null, data_key = null
where sealed is not null and token_id in (select id from tokens where account_id = $1)";
pub(crate) const REPLACE_DATA_KEY: &str = "
update accounts set data_key = $2, data_key_root = $3, data_key_generation = $4, former_data_key = null
where id = $1";
pub(crate) const ERASE_SEALED: &str =
    "update secrets set sealed = null, data_key = null where token_id = $1 and generation = $2";

/// A tag in the place of another one.
pub struct NewTag {
    /// The tag that is there.
    pub before: Digest,
    /// The one that is to be.
    pub after: Digest,
    /// The generation of the verify root it is made with.
    pub root: u16,
    /// The generation under that one.
    pub layered_over: Option<u16>,
}

/// A digest in the place of another one.
pub struct NewDigest {
    /// The digest that is there.
    pub before: Digest,
    /// The one that is to be.
    pub after: Digest,
    /// The pepper it is made with.
    pub pepper: u16,
    /// The pepper under that one.
    pub layered_over: Option<u16>,
}

impl Write {
    /// Wraps the data key of an account with another root.
    #[must_use]
    pub fn rewrap_account(self, account: AccountId, before: &WrappedKey, after: &WrappedKey) -> Self {
        let values = vec![
            account.into(),
            after.wrapped.clone().into(),
            after.root.into(),
            before.wrapped.clone().into(),
        ];
        self.giving().require_in_use(KeyKind::RevealRoot, after.root).then(REWRAP_ACCOUNT, values)
    }

    /// Gives an account a new data key and keeps the one before. Conflict: `Stale` where it was changed meanwhile.
    #[must_use]
    pub fn give_data_key(self, account: AccountId, before: &WrappedKey, after: &WrappedKey) -> Self {
        let values = vec![
            account.into(),
            after.wrapped.clone().into(),
            after.root.into(),
            after.generation.into(),
            before.wrapped.clone().into(),
        ];
        self.giving().require_in_use(KeyKind::RevealRoot, after.root).expecting(
            GIVE_DATA_KEY,
            values,
            Conflict::Stale,
        )
    }

    /// Forgets the data key before this generation. Conflict: `Stale` while a secret is sealed with it.
    #[must_use]
    pub fn drop_former_data_key(self, account: AccountId, generation: u32) -> Self {
        let values = vec![account.into(), generation.into()];
        self.giving().expecting(DROP_FORMER_DATA_KEY, values, Conflict::Stale)
    }

    /// Puts a secret that was sealed anew in the place of the one sealed under an earlier data key.
    #[must_use]
    pub fn reseal_secret(
        self,
        (token, generation): (TokenId, u32),
        sealed: Vec<u8>,
        (before, after): (u32, u32),
    ) -> Self {
        let values = vec![token.into(), generation.into(), sealed.into(), after.into(), before.into()];
        self.giving().then(RESEAL_SECRET, values)
    }

    /// Puts a digest in the place of another one of the same secret, and its token on the feed. Conflict: `Stale` where
    /// the token is gone.
    #[must_use]
    pub fn renew_digest(self, (token, generation): (TokenId, u32), new: &NewDigest) -> Self {
        let values = vec![
            token.into(),
            generation.into(),
            new.after.into(),
            new.pepper.into(),
            new.layered_over.into(),
            new.before.into(),
        ];
        self.giving()
            .require_in_use(KeyKind::Pepper, new.pepper)
            .expecting(TOKEN_IS_THERE, vec![token.into()], Conflict::Stale)
            .then(RENEW_DIGEST, values)
            .emit_token_as_kept(token)
    }

    /// Ends a secret at a moment, and puts its token on the feed. Conflict: `Stale` where it is gone.
    #[must_use]
    pub fn end_secret(self, (token, generation): (TokenId, u32), at: Timestamp) -> Self {
        let values = vec![token.into(), generation.into(), at.into()];
        self.giving().expecting(END_SECRET, values, Conflict::Stale).emit_token_as_kept(token)
    }

    /// Says that a pepper is only needed under layers. Conflict: `Stale` while a digest was made with it alone.
    #[must_use]
    pub fn layer_pepper(self, generation: u16) -> Self {
        self.giving().expecting(LAYER_PEPPER, vec![generation.into()], Conflict::Stale)
    }

    /// Says that a generation is no longer needed. Conflict: `Stale` while something is made with it.
    #[must_use]
    pub fn retire_key(self, kind: KeyKind, generation: u16) -> Self {
        let at = self.audit.at;
        let (sql, values) = match kind {
            KeyKind::Pepper => (RETIRE_PEPPER, vec![generation.into(), at.into()]),
            KeyKind::RevealRoot => (RETIRE_REVEAL_ROOT, vec![generation.into()]),
            KeyKind::VerifyRoot => (RETIRE_VERIFY_ROOT, vec![generation.into()]),
        };
        self.giving().expecting(sql, values, Conflict::Stale)
    }

    /// Wraps a key of the installation with another root.
    #[must_use]
    pub fn rewrap_installation_key(self, key: &WrappedKey) -> Self {
        let values = vec![key.generation.into(), key.root.into(), key.wrapped.clone().into()];
        self.giving().require_in_use(KeyKind::RevealRoot, key.root).then(REWRAP_INSTALLATION_KEY, values)
    }

    /// Forgets the keys of the installation before this generation.
    #[must_use]
    pub fn drop_installation_keys_before(self, generation: u32) -> Self {
        self.giving().then(DROP_INSTALLATION_KEYS, vec![generation.into()])
    }

    /// Puts secrets of a webhook that were sealed anew in the place of those that are there.
    #[must_use]
    pub fn reseal_webhook(self, before: &WebhookSecrets, after: &WebhookSecrets) -> Self {
        let values = vec![
            before.id.into(),
            after.secret.clone().into(),
            after.former.clone().into(),
            before.secret.clone().into(),
            before.former.clone().into(),
        ];
        self.giving().then(RESEAL_WEBHOOK, values)
    }

    /// Puts another tag in the place of a gateway's.
    #[must_use]
    pub fn move_gateway_tag(self, id: GatewayId, tag: &NewTag) -> Self {
        self.giving().require_in_use(KeyKind::VerifyRoot, tag.root).then(MOVE_GATEWAY_TAG, tag.values(id))
    }

    /// Puts another tag in the place of a platform credential's.
    #[must_use]
    pub fn move_platform_tag(self, id: PlatformCredentialId, tag: &NewTag) -> Self {
        self.giving().require_in_use(KeyKind::VerifyRoot, tag.root).then(MOVE_PLATFORM_TAG, tag.values(id))
    }

    /// Erases every sealed secret of an account, and its data key with them: what a copy of the file still holds of
    /// them, this key no longer opens.
    #[must_use]
    pub fn erase_sealed_secrets(self, account: AccountId, new_key: &WrappedKey) -> Self {
        let values = vec![
            account.into(),
            new_key.wrapped.clone().into(),
            new_key.root.into(),
            new_key.generation.into(),
        ];
        self.giving()
            .require_in_use(KeyKind::RevealRoot, new_key.root)
            .then(ERASE_SEALED_OF_ACCOUNT, vec![account.into()])
            .then(REPLACE_DATA_KEY, values)
    }

    /// Erases one sealed secret.
    #[must_use]
    pub fn erase_sealed_secret(self, (token, generation): (TokenId, u32)) -> Self {
        self.giving().then(ERASE_SEALED, vec![token.into(), generation.into()])
    }
}

impl NewTag {
    fn values<K: countersign_model::id::Kind>(
        &self,
        id: countersign_model::id::Id<K>,
    ) -> Vec<crate::value::Value> {
        vec![id.into(), self.after.into(), self.root.into(), self.layered_over.into(), self.before.into()]
    }
}
