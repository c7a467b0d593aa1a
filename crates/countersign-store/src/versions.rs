//! Who still uses which API version: tokens whose own version it is, and tokens that were used in it, whatever their
//! own. Across all accounts, for operators and for reminders.

use countersign_model::{
    api_version::ApiVersion,
    grant::AccessKind,
    id::{AccountId, TokenId, UserId},
    name::EmailAddress,
    sid::Sid,
    time::Timestamp,
};

use crate::{
    Error, Page, PageAsk, Store, TokenState,
    db::Query,
    page::{by_text, paged},
    tokens::{KINDS, STATES},
    value::Row,
};

/// A token counts once in a version, whether it is its own, was used, or both.
pub(crate) const COUNTS: &str = "
select kind, api_version, count(distinct id) as tokens, sum(own) as own, sum(used) as used,
  count(distinct account_id) as accounts
from (
  select a.kind, t.api_version, t.id, t.account_id, 1 as own, 0 as used
  from tokens t join accounts a on a.id = t.account_id
  union all
  select a.kind, u.api_version, t.id, t.account_id, 0 as own, 1 as used
  from version_uses u join tokens t on t.id = u.token_id join accounts a on a.id = t.account_id
  where u.last_used_at >= $1) on_it
group by kind, api_version order by kind, api_version";
pub(crate) const USERS: &str = "
select t.id, t.account_id, t.sid, t.name, t.access, t.state, t.api_version, t.expires_at, t.created_at,
  t.developer_emails, u.last_used_at as version_used_at, a.name as account_name, a.name_key as account_name_key,
  a.external_id, p.id as contact_id, p.name as contact_name, p.email as contact_email
from tokens t join accounts a on a.id = t.account_id
left join version_uses u on u.token_id = t.id and u.api_version = $2
left join people p on p.id = t.primary_contact
where a.kind = $1 and (t.api_version = $2 or u.last_used_at >= $3) and (a.name_key, t.id) > ($4, $5)
order by a.name_key, t.id limit $6";

/// How many tokens and accounts are on one version of one kind of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCount {
    /// The id of the kind.
    pub kind: String,
    /// The version.
    pub api_version: ApiVersion,
    /// Tokens whose own version it is, or that were used in it.
    pub tokens: u64,
    /// Tokens whose own version it is.
    pub own: u64,
    /// Tokens that were used in it.
    pub used: u64,
    /// Accounts of those tokens.
    pub accounts: u64,
}

/// A token or legacy credential on a version, and whom to talk to.
#[derive(Debug, Clone)]
pub struct VersionUser {
    /// The token.
    pub token: TokenId,
    /// Its account.
    pub account: AccountId,
    /// The account's name.
    pub account_name: String,
    account_name_key: String,
    /// The operator's own id for the account.
    pub external_id: String,
    /// Its public identifier.
    pub sid: Sid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub access: AccessKind,
    /// Enabled or disabled.
    pub state: TokenState,
    /// Its own version.
    pub api_version: ApiVersion,
    /// When it was last used in the version asked for, to the minute.
    pub used_at: Option<Timestamp>,
    /// Who answers for it: id, name and address.
    pub contact: Option<(UserId, String, EmailAddress)>,
    /// Addresses that hear of it.
    pub developer_emails: Vec<EmailAddress>,
}

impl VersionCount {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            kind: row.text("kind")?.to_owned(),
            api_version: ApiVersion(row.number("api_version")?),
            tokens: row.number("tokens")?,
            own: row.number("own")?,
            used: row.number("used")?,
            accounts: row.number("accounts")?,
        })
    }
}

impl VersionUser {
    fn read(row: &Row) -> Result<Self, Error> {
        let contact = match row.optional_parsed("contact_id")? {
            Some(id) => {
                let email = row.read("contact_email", EmailAddress::parse)?;
                Some((id, row.text("contact_name")?.to_owned(), email))
            }
            None => None,
        };
        Ok(Self {
            token: row.parsed("id")?,
            account: row.parsed("account_id")?,
            account_name: row.text("account_name")?.to_owned(),
            account_name_key: row.text("account_name_key")?.to_owned(),
            external_id: row.text("external_id")?.to_owned(),
            sid: row.parsed("sid")?,
            name: row.text("name")?.to_owned(),
            access: row.word("access", &KINDS)?,
            state: row.word("state", &STATES)?,
            api_version: ApiVersion(row.number("api_version")?),
            used_at: row.optional_moment("version_used_at")?,
            contact,
            developer_emails: row.json("developer_emails")?,
        })
    }
}

impl Store {
    /// How many tokens are on each version of each kind; uses count from `used_since` on. Versions that nobody is on
    /// have no row.
    pub async fn version_counts(&self, used_since: Timestamp) -> Result<Vec<VersionCount>, Error> {
        self.db().rows(Query::new(COUNTS, vec![used_since.into()]), VersionCount::read).await
    }

    /// The tokens on a version of a kind, by the name of their account.
    pub async fn version_users(
        &self,
        kind: &str,
        version: ApiVersion,
        used_since: Timestamp,
        page: &PageAsk,
    ) -> Result<Page<VersionUser>, Error> {
        let Some((name_key, id)) = by_text(page) else { return Ok(Page::empty()) };
        let values = vec![
            kind.into(),
            version.0.into(),
            used_since.into(),
            name_key.into(),
            id.into(),
            page.rows_asked(),
        ];
        let rows = self.db().rows(Query::new(USERS, values), VersionUser::read).await?;
        Ok(paged(rows, page, |user| format!("{}/{}", user.token, user.account_name_key)))
    }
}
