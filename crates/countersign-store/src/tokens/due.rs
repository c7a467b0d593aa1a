//! Tokens whose contacts are to be reminded: of their end, of the end of a version they are on, of the end of an overlap
//! that is still in use. Across all accounts, in pages by id; what exactly is due is decided by whoever reminds.

use countersign_model::{api_version::ApiVersion, id::TokenId, lifetime::Lifetime, time::Timestamp};

use super::Token;
use crate::{Error, Store, db::Query, limits::PAGE_ROWS_MAX, value::Value};

/// Live tokens of a kind that end between two moments (`$3`, `$4`): by their own expiry, by the platform's longest life
/// (`$5` and `$6` are the moments of birth that it makes of both), or by their account's.
pub(crate) const ENDING: &str = "
select * from token_rows where id in (
  select t.id from tokens t join accounts a on a.id = t.account_id
  where t.id > $1 and a.kind = $2 and t.access = 'scoped' and t.state = 'enabled'
    and (t.expires_at is null or t.expires_at > $3) and t.created_at > $5
    and (a.token_lifetime_days is null or t.created_at > $3 - a.token_lifetime_days * 86400000)
    and (t.expires_at <= $4 or t.created_at <= $6 or t.created_at <= $4 - a.token_lifetime_days * 86400000)
  order by t.id limit $7)
order by id, secret_generation desc";
/// Enabled tokens and legacy credentials of a kind whose own version it is, or that were used in it.
pub(crate) const ON_VERSION: &str = "
select * from token_rows where id in (
  select t.id from tokens t join accounts a on a.id = t.account_id
  left join version_uses u on u.token_id = t.id and u.api_version = $3
  where t.id > $1 and a.kind = $2 and t.state = 'enabled' and (t.api_version = $3 or u.last_used_at >= $4)
  order by t.id limit $5)
order by id, secret_generation desc";
/// Enabled tokens whose old secret was used since its overlap began and ends between two moments.
pub(crate) const OVERLAPPING: &str = "
select * from token_rows where id in (
  select t.id from secrets s join tokens t on t.id = s.token_id
  where t.id > $1 and s.ends_at > $2 and s.ends_at <= $3 and s.uses > 0 and t.state = 'enabled'
  order by t.id limit $4)
order by id, secret_generation desc";

/// A page of tokens by id.
#[derive(Debug, Clone, Copy)]
pub struct AfterToken {
    /// The last token of the page before; `None` for the first page.
    pub after: Option<TokenId>,
    /// Tokens at most.
    pub limit: u32,
}

impl AfterToken {
    fn start(&self) -> Value {
        self.after.map_or_else(String::new, |id| id.to_string()).into()
    }

    fn limit(&self) -> Value {
        self.limit.clamp(1, PAGE_ROWS_MAX).into()
    }
}

impl Store {
    /// Live tokens of a kind that end after `now` and until a later moment, where `lifetime` is the longest life the
    /// platform gives that kind.
    pub async fn tokens_ending(
        &self,
        (kind, lifetime): (&str, Option<Lifetime>),
        (now, until): (Timestamp, Timestamp),
        page: AfterToken,
    ) -> Result<Vec<Token>, Error> {
        let born = |moment: Timestamp| match lifetime {
            Some(lifetime) => moment.plus_secs(-lifetime.secs()).unix_millis(),
            None => i64::MIN,
        };
        let values = vec![
            page.start(),
            kind.into(),
            now.into(),
            until.into(),
            born(now).into(),
            born(until).into(),
            page.limit(),
        ];
        self.tokens_due(Query::new(ENDING, values)).await
    }

    /// Enabled tokens and legacy credentials on a version of a kind; uses count from `used_since` on.
    pub async fn tokens_on_version(
        &self,
        (kind, version): (&str, ApiVersion),
        used_since: Timestamp,
        page: AfterToken,
    ) -> Result<Vec<Token>, Error> {
        let values = vec![page.start(), kind.into(), version.0.into(), used_since.into(), page.limit()];
        self.tokens_due(Query::new(ON_VERSION, values)).await
    }

    /// Enabled tokens whose old secret is still in use and ends after `now` and until a later moment.
    pub async fn tokens_overlapping(
        &self,
        (now, until): (Timestamp, Timestamp),
        page: AfterToken,
    ) -> Result<Vec<Token>, Error> {
        let values = vec![page.start(), now.into(), until.into(), page.limit()];
        self.tokens_due(Query::new(OVERLAPPING, values)).await
    }

    async fn tokens_due(&self, query: Query) -> Result<Vec<Token>, Error> {
        Ok(Token::gather(self.db().rows(query, Token::read).await?))
    }
}
