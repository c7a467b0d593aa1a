//! Tokens by the end of their lives: their own expiry, or so long after their creation where a maximum holds. The
//! maximum is handed in: what binds an account is decided elsewhere.

use countersign_model::{lifetime::Lifetime, time::Timestamp};

use crate::{Error, Within, db::Query, value::Row};

/// Both kinds of end are compared with one moment each: `$2` and `$4` for a token's own expiry, `$3` and `$5`, earlier
/// by the longest life, for its creation.
pub(crate) const COUNTS: &str = "
select count(*) as total, count(case when state = 'disabled' then 1 end) as disabled,
  count(case when state = 'enabled' and (expires_at <= $2 or created_at <= $3) then 1 end) as expired,
  count(case when state = 'enabled' and (expires_at <= $4 or created_at <= $5) then 1 end) as ending
from tokens where account_id = $1 and access = 'scoped'";

/// When tokens end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndsWithin {
    /// After this moment, or never; `None`: whenever.
    pub after: Option<Timestamp>,
    /// At this moment or before; `None`: whenever, or never.
    pub until: Option<Timestamp>,
    /// The longest life in force.
    pub lifetime: Option<Lifetime>,
}

/// How many tokens of today an account has, by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCounts {
    /// All of them.
    pub total: u32,
    /// Switched off, whatever their expiry.
    pub disabled: u32,
    /// Switched on and expired.
    pub expired: u32,
    /// Switched on, not expired, and ending until the moment that was asked for.
    pub expiring: u32,
}

impl EndsWithin {
    /// Who was created at this moment or before has lived the longest life at `moment`; without a bound nobody has.
    pub(super) fn born(&self, moment: Option<Timestamp>) -> i64 {
        match (moment, self.lifetime) {
            (Some(moment), Some(lifetime)) => moment.plus_secs(-lifetime.secs()).unix_millis(),
            _ => i64::MIN,
        }
    }
}

impl TokenCounts {
    fn read(row: &Row) -> Result<Self, Error> {
        let (expired, ending): (u32, u32) = (row.number("expired")?, row.number("ending")?);
        Ok(Self {
            total: row.number("total")?,
            disabled: row.number("disabled")?,
            expired,
            expiring: ending.saturating_sub(expired),
        })
    }
}

impl Within<'_> {
    /// How many tokens the account has: expired at `now`, and expiring until a later moment.
    pub async fn token_counts(
        &self,
        now: Timestamp,
        until: Timestamp,
        lifetime: Option<Lifetime>,
    ) -> Result<TokenCounts, Error> {
        let ends = EndsWithin { after: None, until: None, lifetime };
        let values = vec![
            self.account.into(),
            now.into(),
            ends.born(Some(now)).into(),
            until.into(),
            ends.born(Some(until)).into(),
        ];
        let counts = self.store.db().row(Query::new(COUNTS, values), TokenCounts::read).await?;
        counts.ok_or_else(|| Error::Corrupt("a count has no row".to_owned()))
    }
}
