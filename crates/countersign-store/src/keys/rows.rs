//! What rotations of keys still have to move: rows made with a key that is not the newest. Always the first few; what was
//! moved is not found again.

use countersign_model::{
    digest::Digest,
    id::{AccountId, GatewayId, PlatformCredentialId, TokenId, WebhookId},
    sid::Sid,
    time::Timestamp,
};

use crate::{
    Error, Store, WrappedKey,
    db::{Effort, Query},
    value::{Row, Value},
};

pub(crate) const ACCOUNTS_UNDER_OTHER_ROOTS: &str = "
select id, data_key, data_key_root, data_key_generation, former_data_key from accounts
where data_key_root <> $1 order by id limit $2";
pub(crate) const ACCOUNTS_AFTER: &str = "
select id, data_key, data_key_root, data_key_generation, former_data_key from accounts
where id > $1 and created_at <= $2 order by id limit $3";
pub(crate) const SEALED_OF_ACCOUNT: &str = "
select token_id, account_id, generation, digest, pepper, layered_over, sealed, data_key
from tokens join secrets on token_id = tokens.id
where account_id = $1 and sealed is not null and data_key <> $2
order by token_id, generation limit $3";
pub(crate) const DIGESTS_OF_OTHER_PEPPERS: &str = "
select s.token_id, t.account_id, s.generation, s.digest, s.pepper, s.layered_over, s.sealed, s.data_key
from secrets s join tokens t on t.id = s.token_id
where s.pepper <> $1 and s.layered_over is null and (s.token_id, s.generation) > ($2, $3)
order by s.token_id, s.generation limit $4";
pub(crate) const SEALED: &str = "
select s.token_id, t.account_id, s.generation, s.digest, s.pepper, s.layered_over, s.sealed, s.data_key
from secrets s join tokens t on t.id = s.token_id
where s.sealed is not null and (s.token_id, s.generation) > ($1, $2)
order by s.token_id, s.generation limit $3";
pub(crate) const LAYERED: &str = "
select t.id, t.account_id, t.sid, t.name, s.generation
from secrets s join tokens t on t.id = s.token_id
where s.layered_over is not null and (s.ends_at is null or s.ends_at > $1)
order by t.account_id, t.id, s.generation limit $2";
pub(crate) const COUNT_LAYERED: &str = "
select count(*) as rows from secrets where layered_over is not null and (ends_at is null or ends_at > $1)";
pub(crate) const COUNT_ACCOUNTS: &str = "select count(*) as rows from accounts";
pub(crate) const COUNT_SECRETS: &str = "select count(*) as rows from secrets";
pub(crate) const COUNT_SEALED: &str = "select count(*) as rows from secrets where sealed is not null";
pub(crate) const GATEWAYS_OF_OTHER_ROOTS: &str = "
select id, credential, root, layered_over from gateways where root <> $1 order by id limit $2";
pub(crate) const PLATFORM_OF_OTHER_ROOTS: &str = "
select id, credential, root, layered_over from platform_credentials where root <> $1 order by id limit $2";
pub(crate) const WEBHOOK_SECRETS_AFTER: &str = "
select id, secret, former_secret from webhooks where id > $1 order by id limit $2";
pub(crate) const COUNT_TAGS_UNDER: &str = "
select (select count(*) from gateways where root < $1 or layered_over is not null)
  + (select count(*) from platform_credentials where root < $1 or layered_over is not null) as rows";

/// The data keys of an account.
#[derive(Debug, Clone)]
pub struct AccountKeys {
    /// The account.
    pub account: AccountId,
    /// The key in use.
    pub present: WrappedKey,
    /// The one before, while secrets are sealed anew.
    pub former: Option<Vec<u8>>,
}

/// A secret as a rotation sees it.
#[derive(Clone)]
pub struct KeptSecret {
    /// The account.
    pub account: AccountId,
    /// The token.
    pub token: TokenId,
    /// The generation of the secret.
    pub generation: u32,
    /// Its digest.
    pub digest: Digest,
    /// The pepper of the digest.
    pub pepper: u16,
    /// The pepper under that one.
    pub layered_over: Option<u16>,
    /// The sealed secret, where it is recoverable.
    pub sealed: Option<Vec<u8>>,
    /// The generation of the data key it is sealed under.
    pub data_key: Option<u32>,
}

/// A token whose secret can only be moved by using or resetting it.
#[derive(Debug, Clone)]
pub struct LayeredToken {
    /// The account.
    pub account: AccountId,
    /// The token.
    pub token: TokenId,
    /// Its public identifier.
    pub sid: Sid,
    /// Its name.
    pub name: String,
    /// The generation of the secret.
    pub generation: u32,
}

/// The tag of a credential that is no secret of a token.
#[derive(Clone)]
pub struct KeptTag<I> {
    /// Whose.
    pub id: I,
    /// The tag.
    pub tag: Digest,
    /// The generation of the verify root it was made with.
    pub root: u16,
    /// The generation under that one, where the tag is one of a tag.
    pub layered_over: Option<u16>,
}

/// The sealed secrets of a webhook.
#[derive(Clone)]
pub struct WebhookSecrets {
    /// The webhook.
    pub id: WebhookId,
    /// The secret in use.
    pub secret: Vec<u8>,
    /// The one before.
    pub former: Option<Vec<u8>>,
}

/// What is counted for a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Accounts.
    Accounts,
    /// Secrets of tokens.
    Secrets,
    /// Sealed secrets of tokens.
    Sealed,
}

impl Store {
    /// Accounts whose data key is wrapped by another root than this.
    pub async fn accounts_under_other_roots(&self, root: u16, limit: u32) -> Result<Vec<AccountKeys>, Error> {
        self.for_rotation(ACCOUNTS_UNDER_OTHER_ROOTS, vec![root.into(), limit.into()], AccountKeys::read)
            .await
    }

    /// Accounts with an id after this one, created no later than then.
    pub async fn account_keys_after(
        &self,
        place: &str,
        created: Timestamp,
        limit: u32,
    ) -> Result<Vec<AccountKeys>, Error> {
        let values = vec![place.into(), created.into(), limit.into()];
        self.for_rotation(ACCOUNTS_AFTER, values, AccountKeys::read).await
    }

    /// Secrets of an account that are sealed under another data key than this.
    pub async fn sealed_under_other_keys(
        &self,
        account: AccountId,
        data_key: u32,
        limit: u32,
    ) -> Result<Vec<KeptSecret>, Error> {
        let values = vec![account.into(), data_key.into(), limit.into()];
        self.for_rotation(SEALED_OF_ACCOUNT, values, KeptSecret::read).await
    }

    /// Secrets whose digest was made with another pepper than this and lies under no layer, after this one.
    pub async fn digests_of_other_peppers(
        &self,
        pepper: u16,
        (token, generation): (&str, u32),
        limit: u32,
    ) -> Result<Vec<KeptSecret>, Error> {
        let values = vec![pepper.into(), token.into(), generation.into(), limit.into()];
        self.for_rotation(DIGESTS_OF_OTHER_PEPPERS, values, KeptSecret::read).await
    }

    /// Sealed secrets, after this one.
    pub async fn sealed_secrets(
        &self,
        (token, generation): (&str, u32),
        limit: u32,
    ) -> Result<Vec<KeptSecret>, Error> {
        let values = vec![token.into(), generation.into(), limit.into()];
        self.for_rotation(SEALED, values, KeptSecret::read).await
    }

    /// Tokens whose digest lies under a layer and still works at this moment, and how many there are.
    pub async fn layered_tokens(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<(Vec<LayeredToken>, u64), Error> {
        let named = self.for_rotation(LAYERED, vec![now.into(), limit.into()], LayeredToken::read).await?;
        let count = self.for_rotation(COUNT_LAYERED, vec![now.into()], |row| row.number("rows")).await?;
        Ok((named, count.into_iter().next().unwrap_or_default()))
    }

    /// How many rows of a kind there are.
    pub async fn count_for_rotation(&self, what: Moved) -> Result<u64, Error> {
        let sql = match what {
            Moved::Accounts => COUNT_ACCOUNTS,
            Moved::Secrets => COUNT_SECRETS,
            Moved::Sealed => COUNT_SEALED,
        };
        let count = self.for_rotation(sql, Vec::new(), |row| row.number("rows")).await?;
        Ok(count.into_iter().next().unwrap_or_default())
    }

    /// Gateways whose tag was made with another verify root than this.
    pub async fn gateways_of_other_roots(
        &self,
        root: u16,
        limit: u32,
    ) -> Result<Vec<KeptTag<GatewayId>>, Error> {
        let read = |row: &Row| KeptTag::read(row, row.parsed("id")?);
        self.for_rotation(GATEWAYS_OF_OTHER_ROOTS, vec![root.into(), limit.into()], read).await
    }

    /// Platform credentials whose tag was made with another verify root than this.
    pub async fn platform_credentials_of_other_roots(
        &self,
        root: u16,
        limit: u32,
    ) -> Result<Vec<KeptTag<PlatformCredentialId>>, Error> {
        let read = |row: &Row| KeptTag::read(row, row.parsed("id")?);
        self.for_rotation(PLATFORM_OF_OTHER_ROOTS, vec![root.into(), limit.into()], read).await
    }

    /// Gateways and platform credentials that need a verify root before this one.
    pub async fn count_tags_before_root(&self, root: u16) -> Result<u64, Error> {
        let count = self.for_rotation(COUNT_TAGS_UNDER, vec![root.into()], |row| row.number("rows")).await?;
        Ok(count.into_iter().next().unwrap_or_default())
    }

    /// The sealed secrets of webhooks with an id after this one.
    pub async fn webhook_secrets_after(&self, place: &str, limit: u32) -> Result<Vec<WebhookSecrets>, Error> {
        let read = |row: &Row| {
            Ok(WebhookSecrets {
                id: row.parsed("id")?,
                secret: row.bytes("secret")?.to_vec(),
                former: row.optional_bytes("former_secret")?.map(<[u8]>::to_vec),
            })
        };
        self.for_rotation(WEBHOOK_SECRETS_AFTER, vec![place.into(), limit.into()], read).await
    }

    /// Rotations look at whole tables; how many rows they take of them, their queries say.
    async fn for_rotation<T: Send + 'static>(
        &self,
        sql: &'static str,
        values: Vec<Value>,
        read: impl Fn(&Row) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let queries = vec![Query::new(sql, values)];
        self.db().rows_together(queries, Effort::AsMuchAsItTakes, move |_, row| read(row)).await
    }
}

impl AccountKeys {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account: row.parsed("id")?,
            present: WrappedKey {
                root: row.number("data_key_root")?,
                generation: row.number("data_key_generation")?,
                wrapped: row.bytes("data_key")?.to_vec(),
            },
            former: row.optional_bytes("former_data_key")?.map(<[u8]>::to_vec),
        })
    }
}

impl KeptSecret {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account: row.parsed("account_id")?,
            token: row.parsed("token_id")?,
            generation: row.number("generation")?,
            digest: row.digest("digest")?,
            pepper: row.number("pepper")?,
            layered_over: row.optional_number("layered_over")?,
            sealed: row.optional_bytes("sealed")?.map(<[u8]>::to_vec),
            data_key: row.optional_number("data_key")?,
        })
    }
}

impl LayeredToken {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account: row.parsed("account_id")?,
            token: row.parsed("id")?,
            sid: row.parsed("sid")?,
            name: row.text("name")?.to_owned(),
            generation: row.number("generation")?,
        })
    }
}

impl<I> KeptTag<I> {
    fn read(row: &Row, id: I) -> Result<Self, Error> {
        Ok(Self {
            id,
            tag: row.digest("credential")?,
            root: row.number("root")?,
            layered_over: row.optional_number("layered_over")?,
        })
    }
}
