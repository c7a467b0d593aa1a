//! Gateways: who may ask for decisions, and which headers they speak with.

use countersign_model::{digest::Digest, id::GatewayId, time::Timestamp};
use ipnet::IpNet;

use crate::{
    Conflict, Error, KeyKind, Store,
    db::Query,
    evidence::{proof::Proof, tables::GATEWAYS},
    limits::CREDENTIALS_LISTED_MAX,
    value::{Row, to_json},
    write::Write,
};

pub(crate) const LIST: &str = "select * from gateways order by name limit $1";
pub(crate) const INSERT: &str = "
insert into gateways (id, name, credential, last4, peers, profile, created_at, edit, root, assertion_audience)
values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)";
pub(crate) const UPDATE: &str = "
update gateways set name = $2, peers = $3, profile = $4, assertion_audience = $6, edit = edit + 1
where id = $1 and edit = $5";
pub(crate) const RESET: &str = "
update gateways set credential = $2, root = $3, layered_over = null, last4 = $4, edit = edit + 1
where id = $1 and edit = $5";
pub(crate) const DELETE: &str = "delete from gateways where id = $1 and edit = $2";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&GATEWAYS)];

/// A gateway as kept.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Its id.
    pub id: GatewayId,
    /// Its name, in the URL of its door; unique, `[a-z0-9-]{1,40}`.
    pub name: String,
    /// Keyed digest of its credential.
    pub credential: Digest,
    /// The generation of the verify root that digest is made with.
    pub root: u16,
    /// Last four characters of the credential.
    pub last4: String,
    /// From where it may call; empty: from everywhere.
    pub peers: Vec<IpNet>,
    /// The profile: which header carries what, as JSON the server wrote.
    pub profile: String,
    /// The back end its signed assertions are addressed to; `None`: it gets none.
    pub assertion_audience: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Counts the edits of the row, from 1.
    pub edit: u64,
}

impl Gateway {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            name: row.text("name")?.to_owned(),
            credential: row.digest("credential")?,
            root: row.number("root")?,
            last4: row.text("last4")?.to_owned(),
            peers: row.json("peers")?,
            profile: row.text("profile")?.to_owned(),
            assertion_audience: row.optional_text("assertion_audience")?.map(str::to_owned),
            created_at: row.moment("created_at")?,
            edit: row.number("edit")?,
        })
    }
}

impl Store {
    /// All gateways, by name; at most 1,000.
    pub async fn gateways(&self) -> Result<Vec<Gateway>, Error> {
        self.db()
            .rows(Query::new(LIST, vec![CREDENTIALS_LISTED_MAX.into()]).proving(PROVES), Gateway::read)
            .await
    }
}

impl Write {
    /// Adds a gateway. Conflicts: `GatewayNameTaken`, `SecretTaken`.
    #[must_use]
    pub fn insert_gateway(self, gateway: &Gateway) -> Self {
        let values = vec![
            gateway.id.into(),
            gateway.name.as_str().into(),
            gateway.credential.into(),
            gateway.last4.as_str().into(),
            to_json(&gateway.peers).into(),
            gateway.profile.as_str().into(),
            gateway.created_at.into(),
            gateway.root.into(),
            gateway.assertion_audience.clone().into(),
        ];
        self.giving().require_in_use(KeyKind::VerifyRoot, gateway.root).then(INSERT, values)
    }

    /// Writes a gateway whose edit number was `gateway.edit`; its credential stays. Conflicts: `Stale`,
    /// `GatewayNameTaken`.
    #[must_use]
    pub fn update_gateway(self, gateway: &Gateway) -> Self {
        let values = vec![
            gateway.id.into(),
            gateway.name.as_str().into(),
            to_json(&gateway.peers).into(),
            gateway.profile.as_str().into(),
            gateway.edit.into(),
            gateway.assertion_audience.clone().into(),
        ];
        self.giving().expecting(UPDATE, values, Conflict::Stale)
    }

    /// Gives a gateway whose edit number was `gateway.edit` this credential. Conflicts: `Stale`, `SecretTaken`.
    #[must_use]
    pub fn reset_gateway(self, gateway: &Gateway) -> Self {
        let values = vec![
            gateway.id.into(),
            gateway.credential.into(),
            gateway.root.into(),
            gateway.last4.as_str().into(),
            gateway.edit.into(),
        ];
        self.giving().require_in_use(KeyKind::VerifyRoot, gateway.root).expecting(
            RESET,
            values,
            Conflict::Stale,
        )
    }

    /// Removes a gateway. Conflict: `Stale`.
    #[must_use]
    pub fn delete_gateway(self, gateway: &Gateway) -> Self {
        self.expecting(DELETE, vec![gateway.id.into(), gateway.edit.into()], Conflict::Stale)
    }
}
