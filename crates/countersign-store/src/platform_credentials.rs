//! Platform credentials: machines with operator rights.

use countersign_model::{digest::Digest, id::PlatformCredentialId, time::Timestamp};

use crate::{
    Conflict, Error, KeyKind, Store,
    db::Query,
    evidence::{
        proof::{Proof, asked},
        tables::PLATFORM_CREDENTIALS,
    },
    limits::CREDENTIALS_LISTED_MAX,
    value::Row,
    write::Write,
};

pub(crate) const BY_CREDENTIAL: &str = "select * from platform_credentials where credential = $1";
pub(crate) const LIST: &str = "select * from platform_credentials order by name limit $1";
pub(crate) const INSERT: &str = "
insert into platform_credentials (id, name, credential, last4, created_at, expires_at, root)
values ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const DELETE: &str = "delete from platform_credentials where id = $1";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&PLATFORM_CREDENTIALS)];

/// A platform credential as kept.
#[derive(Debug, Clone)]
pub struct PlatformCredential {
    /// Its id.
    pub id: PlatformCredentialId,
    /// Its name; unique.
    pub name: String,
    /// Keyed digest of the credential.
    pub credential: Digest,
    /// The generation of the verify root that digest is made with.
    pub root: u16,
    /// Last four characters of the credential.
    pub last4: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when it is expired.
    pub expires_at: Option<Timestamp>,
}

impl PlatformCredential {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            name: row.text("name")?.to_owned(),
            credential: row.digest("credential")?,
            root: row.number("root")?,
            last4: row.text("last4")?.to_owned(),
            created_at: row.moment("created_at")?,
            expires_at: row.optional_moment("expires_at")?,
        })
    }
}

impl Store {
    /// The one with this digest.
    pub async fn platform_credential(&self, credential: Digest) -> Result<Option<PlatformCredential>, Error> {
        let query = Query::new(BY_CREDENTIAL, vec![credential.into()]).proving(PROVES);
        let found = self.db().row(query, PlatformCredential::read).await?;
        asked(found, |one| one.credential == credential)
    }

    /// All of them, by name; at most 1,000.
    pub async fn platform_credentials(&self) -> Result<Vec<PlatformCredential>, Error> {
        self.db().rows(Query::new(LIST, vec![CREDENTIALS_LISTED_MAX.into()]), PlatformCredential::read).await
    }
}

impl Write {
    /// Adds one. Conflicts: `GatewayNameTaken`, `SecretTaken`.
    #[must_use]
    pub fn insert_platform_credential(self, credential: &PlatformCredential) -> Self {
        let values = vec![
            credential.id.into(),
            credential.name.as_str().into(),
            credential.credential.into(),
            credential.last4.as_str().into(),
            credential.created_at.into(),
            credential.expires_at.into(),
            credential.root.into(),
        ];
        self.giving().require_in_use(KeyKind::VerifyRoot, credential.root).then(INSERT, values)
    }

    /// Removes one. Conflict: `Stale`.
    #[must_use]
    pub fn delete_platform_credential(self, id: PlatformCredentialId) -> Self {
        self.expecting(DELETE, vec![id.into()], Conflict::Stale)
    }
}
