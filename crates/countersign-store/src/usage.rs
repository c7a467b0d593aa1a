//! When, from where and in which API versions tokens were last used. Written in batches, outside the audit trail and the feed.

use countersign_model::{api_version::ApiVersion, sid::Sid, time::Timestamp};

use crate::{Error, Store, db::Query, value::Row, write::Statement};

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

pub(crate) const GET_PLACE: &str = "select * from use_file";
pub(crate) const PUT_PLACE: &str = "
insert into use_file (singleton, file, report, recovered) values (1, $1, $2, $3)
on conflict (singleton) do update set file = excluded.file, report = excluded.report, recovered = excluded.recovered";

/// How far a file of counters is written down. It is written together with the uses, so it tells whether they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsePlace {
    /// Which file.
    pub file: [u8; 32],
    /// The number of the last report.
    pub report: u64,
    /// Of a file that is being recovered: how many of its lines were.
    pub recovered: u64,
}

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
    /// Writes a batch and how far it goes, both or neither. A token that is gone is passed over; an older moment never
    /// replaces a newer one.
    pub async fn note_use(&self, uses: &[LastUse], place: &UsePlace) -> Result<(), Error> {
        let values = vec![place.file.into(), place.report.into(), place.recovered.into()];
        let place = std::iter::once(Statement::new(PUT_PLACE, values));
        self.db().quiet(uses.iter().flat_map(LastUse::statements).chain(place).collect()).await?;
        Ok(())
    }

    /// How far the last file of counters is written down; `None` where there never was one.
    pub async fn use_place(&self) -> Result<Option<UsePlace>, Error> {
        self.db().row(Query::new(GET_PLACE, Vec::new()), UsePlace::read).await
    }
}

impl UsePlace {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            file: row.hash("file")?,
            report: row.number("report")?,
            recovered: row.number("recovered")?,
        })
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
