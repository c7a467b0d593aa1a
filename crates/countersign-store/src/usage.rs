//! When, from where and in which API versions tokens were last used. Written in batches, outside the audit trail and the feed.

use countersign_model::{api_version::ApiVersion, sid::Sid, time::Timestamp};

use crate::{Error, Store, limits::USES_PER_WRITE_MAX, write::Statement};

pub(crate) const SECRET_USED: &str = "
update secrets set uses = uses + $3,
  last_used_from = case when last_used_at is null or last_used_at <= $4 then $5 else last_used_from end,
  last_used_at = case when last_used_at is null or last_used_at <= $4 then $4 else last_used_at end
where token_id = (select id from tokens where sid = $1) and generation = $2";
pub(crate) const TOKEN_USED: &str = "
update tokens set last_used_at = $2, last_used_from = $3
where sid = $1 and (last_used_at is null or last_used_at <= $2)";
/// A token that is gone has no row to take the id from, so nothing is left of it here either.
pub(crate) const VERSION_USED: &str = "
insert into version_uses (token_id, api_version, last_used_at) select id, $2, $3 from tokens where sid = $1
on conflict (token_id, api_version) do update set last_used_at = excluded.last_used_at
where version_uses.last_used_at < excluded.last_used_at";

/// The last use of one secret of a token, and how many uses since the last batch.
#[derive(Debug, Clone)]
pub struct LastUse {
    /// The SID of the token.
    pub sid: Sid,
    /// The generation of the secret.
    pub generation: u32,
    /// When.
    pub at: Timestamp,
    /// From where; `None` where the door did not know.
    pub from: Option<String>,
    /// How often.
    pub uses: u64,
    /// In which versions since the last batch; each costs a statement.
    pub versions: Vec<ApiVersion>,
}

impl Store {
    /// Writes a batch. A token that is gone is passed over; an older moment never replaces a newer one.
    pub async fn note_use(&self, uses: Vec<LastUse>) -> Result<(), Error> {
        for uses in uses.chunks(USES_PER_WRITE_MAX) {
            self.db().quiet(uses.iter().flat_map(LastUse::statements).collect()).await?;
        }
        Ok(())
    }
}

impl LastUse {
    fn statements(&self) -> Vec<Statement> {
        let secret = vec![
            self.sid.as_str().into(),
            self.generation.into(),
            self.uses.into(),
            self.at.into(),
            self.from.clone().into(),
        ];
        let token = vec![self.sid.as_str().into(), self.at.into(), self.from.clone().into()];
        let mut statements = vec![Statement::new(SECRET_USED, secret), Statement::new(TOKEN_USED, token)];
        for version in &self.versions {
            let values = vec![self.sid.as_str().into(), version.0.into(), self.at.into()];
            statements.push(Statement::new(VERSION_USED, values));
        }
        statements
    }
}
