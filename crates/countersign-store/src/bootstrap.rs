//! The one-time code with which the first operator of an installation is made.

use countersign_model::{digest::Digest, time::Timestamp};

use crate::{
    Conflict, Error, Store,
    db::Query,
    evidence::{proof::Proof, tables::BOOTSTRAP},
    write::Write,
};

pub(crate) const OPEN: &str = "select * from bootstrap";
pub(crate) const OPERATOR: &str = "select id from people where operator = 1 and active = 1 limit 1";
pub(crate) const ISSUE: &str = "
insert into bootstrap (singleton, code, expires_at) values (1, $1, $2)
on conflict (singleton) do update set code = excluded.code, expires_at = excluded.expires_at";
pub(crate) const SPEND: &str = "delete from bootstrap where code = $1 and expires_at > $2";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&BOOTSTRAP)];

/// The code as kept.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// Keyed digest of the code.
    pub code: Digest,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Store {
    /// The open code, if any. Whether it is too old, the caller knows.
    pub async fn bootstrap(&self) -> Result<Option<Bootstrap>, Error> {
        let read = |row: &crate::value::Row| {
            Ok(Bootstrap { code: row.digest("code")?, expires_at: row.moment("expires_at")? })
        };
        self.db().row(Query::new(OPEN, Vec::new()).proving(PROVES), read).await
    }

    /// Whether there is an operator who can sign in.
    pub async fn has_operator(&self) -> Result<bool, Error> {
        Ok(self.db().row(Query::new(OPERATOR, Vec::new()), |_| Ok(())).await?.is_some())
    }
}

impl Write {
    /// Issues a code in place of any other.
    #[must_use]
    pub fn issue_bootstrap(self, bootstrap: &Bootstrap) -> Self {
        self.giving().then(ISSUE, vec![bootstrap.code.into(), bootstrap.expires_at.into()])
    }

    /// Uses the code up; of many at once exactly one succeeds. Conflict: `CodeSpent`, also where the code expired before
    /// the moment of this write.
    #[must_use]
    pub fn spend_bootstrap(self, code: Digest) -> Self {
        let at = self.audit.at;
        self.giving().expecting(SPEND, vec![code.into(), at.into()], Conflict::CodeSpent)
    }
}
