//! Webhooks: addresses that are told by a signed request, of an account or of the platform. The secrets they are signed
//! with are kept as the server sealed them; nothing here can open one.

use std::fmt;

use countersign_model::{
    event::Event,
    id::{AccountId, UserId, WebhookId},
    time::Timestamp,
};

use crate::{
    Conflict, Error, Store,
    db::Query,
    limits::WEBHOOKS_LISTED_MAX,
    value::{Row, Value, to_json},
    write::{Statement, Write},
};

pub(crate) const LIST: &str = "
select * from webhooks where account_id is not distinct from $1 order by created_at, id limit $2";
pub(crate) const ONE: &str = "select * from webhooks where account_id is not distinct from $1 and id = $2";
pub(crate) const BY_ID: &str = "select * from webhooks where id = $1";
pub(crate) const INSERT: &str = "
insert into webhooks (account_id, id, url, description, events, state, secret, former_secret, former_ends_at,
  failing_since, edit, created_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12)";
pub(crate) const WITHIN_LIMIT: &str = "
select 1 where (select count(*) from webhooks where account_id is not distinct from $1) <= $2";
pub(crate) const UPDATE: &str = "
update webhooks set url = $4, description = $5, events = $6, state = $7, secret = $8, former_secret = $9,
  former_ends_at = $10, failing_since = $11, edit = edit + 1
where account_id is not distinct from $1 and id = $2 and edit = $3";
pub(crate) const DELETE: &str =
    "delete from webhooks where account_id is not distinct from $1 and id = $2 and edit = $3";
pub(crate) const FAILS: &str =
    "update webhooks set failing_since = $2 where id = $1 and failing_since is null";
pub(crate) const WORKS: &str =
    "update webhooks set failing_since = null where id = $1 and failing_since is not null";

const STATES: [(&str, WebhookState); 2] =
    [("enabled", WebhookState::Enabled), ("disabled", WebhookState::Disabled)];

/// Whether a webhook is told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookState {
    /// It is.
    Enabled,
    /// It is not, until somebody enables it.
    Disabled,
}

/// A webhook as kept.
#[derive(Clone)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The account whose events it hears; `None`: the platform's, which hears those of every account.
    pub account: Option<AccountId>,
    /// Where requests go, as it was normalised when it was checked.
    pub url: String,
    /// What it is for, in the words of whoever made it.
    pub description: String,
    /// The events it hears; empty: all of them.
    pub events: Vec<Event>,
    /// Whether it is told anything.
    pub state: WebhookState,
    /// The secret requests are signed with, sealed.
    pub secret: Vec<u8>,
    /// The secret before, sealed, while requests are signed with both, and until when that is.
    pub former: Option<FormerSecret>,
    /// Since when nothing has arrived; `None` while it works.
    pub failing_since: Option<Timestamp>,
    /// Counts the edits of the row, from 1.
    pub edit: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, where it was a person.
    pub created_by: Option<UserId>,
}

/// The secret of a webhook before its present one.
#[derive(Clone)]
pub struct FormerSecret {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// Until when requests are signed with it too.
    pub ends_at: Timestamp,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for FormerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormerSecret").field("ends_at", &self.ends_at).finish_non_exhaustive()
    }
}

impl Webhook {
    fn read(row: &Row) -> Result<Self, Error> {
        let former = match (row.optional_bytes("former_secret")?, row.optional_moment("former_ends_at")?) {
            (Some(sealed), Some(ends_at)) => Some(FormerSecret { sealed: sealed.to_vec(), ends_at }),
            _ => None,
        };
        Ok(Self {
            id: row.parsed("id")?,
            account: row.optional_parsed("account_id")?,
            url: row.text("url")?.to_owned(),
            description: row.text("description")?.to_owned(),
            events: row.json("events")?,
            state: row.word("state", &STATES)?,
            secret: row.bytes("secret")?.to_vec(),
            former,
            failing_since: row.optional_moment("failing_since")?,
            edit: row.number("edit")?,
            created_at: row.moment("created_at")?,
            created_by: row.optional_parsed("created_by")?,
        })
    }

    /// What an insert and an update both write, in the order of the columns.
    fn values(&self) -> Vec<Value> {
        let (former, ends_at) = match &self.former {
            Some(former) => (Some(former.sealed.clone()), Some(former.ends_at)),
            None => (None, None),
        };
        vec![
            self.url.as_str().into(),
            self.description.as_str().into(),
            to_json(&self.events).into(),
            self.state.word().into(),
            self.secret.clone().into(),
            former.into(),
            ends_at.into(),
            self.failing_since.into(),
        ]
    }
}

impl WebhookState {
    fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

impl Store {
    /// The webhooks of an account, or the platform's, oldest first; at most 1,000.
    pub async fn webhooks(&self, owner: Option<AccountId>) -> Result<Vec<Webhook>, Error> {
        let query = Query::new(LIST, vec![owner.into(), WEBHOOKS_LISTED_MAX.into()]);
        self.db().rows(query, Webhook::read).await
    }

    /// A webhook of an account, or of the platform.
    pub async fn webhook_of(
        &self,
        owner: Option<AccountId>,
        id: WebhookId,
    ) -> Result<Option<Webhook>, Error> {
        self.db().row(Query::new(ONE, vec![owner.into(), id.into()]), Webhook::read).await
    }

    /// A webhook, whosever it is: for what delivers to it.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Error> {
        self.db().row(Query::new(BY_ID, vec![id.into()]), Webhook::read).await
    }

    /// Notes that a webhook does not answer, since this moment unless it was noted before. Unaudited; no edit.
    pub async fn note_webhook_fails(&self, id: WebhookId, since: Timestamp) -> Result<(), Error> {
        let statement = Statement::new(FAILS, vec![id.into(), since.into()]);
        self.db().quiet(vec![statement]).await.map(|_| ())
    }

    /// Notes that a webhook answers again. Unaudited; no edit.
    pub async fn note_webhook_works(&self, id: WebhookId) -> Result<(), Error> {
        self.db().quiet(vec![Statement::new(WORKS, vec![id.into()])]).await.map(|_| ())
    }
}

impl Write {
    /// Adds a webhook to its owner's, who may have `limit` of them. Conflict: `WebhookLimit`.
    #[must_use]
    pub fn insert_webhook(self, webhook: &Webhook, limit: u32) -> Self {
        let mut values = vec![webhook.account.into(), webhook.id.into()];
        values.extend(webhook.values());
        values.extend([webhook.created_at.into(), webhook.created_by.into()]);
        self.giving().then(INSERT, values).expecting(
            WITHIN_LIMIT,
            vec![webhook.account.into(), limit.into()],
            Conflict::WebhookLimit,
        )
    }

    /// Writes a webhook whose edit number was `webhook.edit`. Conflict: `Stale`.
    #[must_use]
    pub fn update_webhook(self, webhook: &Webhook) -> Self {
        let mut values = vec![webhook.account.into(), webhook.id.into(), webhook.edit.into()];
        values.extend(webhook.values());
        self.giving().expecting(UPDATE, values, Conflict::Stale)
    }

    /// Removes a webhook. Conflict: `Stale`.
    #[must_use]
    pub fn delete_webhook(self, webhook: &Webhook) -> Self {
        let values = vec![webhook.account.into(), webhook.id.into(), webhook.edit.into()];
        self.giving().expecting(DELETE, values, Conflict::Stale)
    }
}
