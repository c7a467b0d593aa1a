//! Whom an announcement reaches, whom it does not, and why. Of the accounts of its kinds: the primary contacts and the
//! developer addresses of the tokens of its versions; where an account has no token, or one without a contact, its
//! administrators.

use countersign_model::{api_version::ApiVersion, id::UserId, name::EmailAddress};

use crate::{
    Error, Page, PageAsk, Store,
    db::{Effort, Query},
    page::paged,
    value::{Row, Value},
};

/// $1 kinds, $2 versions, $3 the roles that administrate as `kind:role`. The words of a list stand between slashes,
/// `/brand/agency/`, and an empty list is every word. Whether one is in it is asked by taking it out: both dialects can,
/// and no character of it means anything. In the same way, between the quotes in $4, an address is looked for among the
/// developers of a token, as it was typed and in small letters. People and addresses are walked in the order of their
/// indexes, so that a page costs what is on it and not what there is.
pub(crate) const PAGE: &str = "
select email_key, min(email) as email, max(user_id) as user_id, min(standing) as standing,
  coalesce(max(case when user_id is not null then language end), min(language)) as language
from (
  select * from (
    select p.email_key, p.email, p.id as user_id, p.language,
      case when p.active = 0 then 4 when u.email_key is not null then 1 else 0 end as standing
    from people p left join unsubscribed u on u.email_key = p.email_key
    where p.email_key > $5 and exists (
      select 1 from members m join accounts a on a.id = m.account_id
      where m.user_id = p.id and a.state = 'active'
        and ($1 = '' or replace($1, '/' || a.kind || '/', '/') <> $1)
        and (exists (
            select 1 from tokens t
            where t.account_id = a.id
              and ($2 = '' or replace($2, '/' || cast(t.api_version as text) || '/', '/') <> $2)
              and (t.primary_contact = p.id
                or t.primary_contact is null and replace($3, '/' || a.kind || ':' || m.role || '/', '/') <> $3
                or t.developer_emails <> '[]'
                  and (replace(t.developer_emails, $4 || p.email || $4, '') <> t.developer_emails
                    or replace(lower(t.developer_emails), $4 || p.email_key || $4, '') <> lower(t.developer_emails))))
          or $2 = '' and replace($3, '/' || a.kind || ':' || m.role || '/', '/') <> $3
            and not exists (select 1 from tokens t where t.account_id = a.id)))
      and (cast($6 as bigint) = 0 or p.active = 1 and u.email_key is null)
    order by p.email_key limit $7) members
  union all
  select * from (
    select d.email_key, min(d.email) as email, cast(null as text) as user_id, min(d.language) as language,
      min(case when d.state = 'bounced' then 3 when d.state <> 'confirmed' then 2
        when u.email_key is not null then 1 else 0 end) as standing
    from addresses d left join unsubscribed u on u.email_key = d.email_key
    where d.email_key > $5 and exists (
      select 1 from accounts a join tokens t on t.account_id = a.id
      where a.id = d.account_id and a.state = 'active' and t.developer_emails <> '[]'
        and ($1 = '' or replace($1, '/' || a.kind || '/', '/') <> $1)
        and ($2 = '' or replace($2, '/' || cast(t.api_version as text) || '/', '/') <> $2)
        and (replace(t.developer_emails, $4 || d.email || $4, '') <> t.developer_emails
          or replace(lower(t.developer_emails), $4 || d.email_key || $4, '') <> lower(t.developer_emails)))
      and (cast($6 as bigint) = 0 or d.state = 'confirmed' and u.email_key is null)
    group by d.email_key
    order by d.email_key limit $7) developers
) found
group by email_key order by email_key limit $7";
/// The same, all of it, counted.
pub(crate) const COUNTS: &str = "
select standing, count(*) as recipients from (
  select email_key, min(standing) as standing from (
  select * from (
    select p.email_key, p.email, p.id as user_id, p.language,
      case when p.active = 0 then 4 when u.email_key is not null then 1 else 0 end as standing
    from people p left join unsubscribed u on u.email_key = p.email_key
    where exists (
      select 1 from members m join accounts a on a.id = m.account_id
      where m.user_id = p.id and a.state = 'active'
        and ($1 = '' or replace($1, '/' || a.kind || '/', '/') <> $1)
        and (exists (
            select 1 from tokens t
            where t.account_id = a.id
              and ($2 = '' or replace($2, '/' || cast(t.api_version as text) || '/', '/') <> $2)
              and (t.primary_contact = p.id
                or t.primary_contact is null and replace($3, '/' || a.kind || ':' || m.role || '/', '/') <> $3
                or t.developer_emails <> '[]'
                  and (replace(t.developer_emails, $4 || p.email || $4, '') <> t.developer_emails
                    or replace(lower(t.developer_emails), $4 || p.email_key || $4, '') <> lower(t.developer_emails))))
          or $2 = '' and replace($3, '/' || a.kind || ':' || m.role || '/', '/') <> $3
            and not exists (select 1 from tokens t where t.account_id = a.id)))) members
  union all
  select * from (
    select d.email_key, min(d.email) as email, cast(null as text) as user_id, min(d.language) as language,
      min(case when d.state = 'bounced' then 3 when d.state <> 'confirmed' then 2
        when u.email_key is not null then 1 else 0 end) as standing
    from addresses d left join unsubscribed u on u.email_key = d.email_key
    where exists (
      select 1 from accounts a join tokens t on t.account_id = a.id
      where a.id = d.account_id and a.state = 'active' and t.developer_emails <> '[]'
        and ($1 = '' or replace($1, '/' || a.kind || '/', '/') <> $1)
        and ($2 = '' or replace($2, '/' || cast(t.api_version as text) || '/', '/') <> $2)
        and (replace(t.developer_emails, $4 || d.email || $4, '') <> t.developer_emails
          or replace(lower(t.developer_emails), $4 || d.email_key || $4, '') <> lower(t.developer_emails)))
    group by d.email_key) developers
  ) found group by email_key) told
group by standing order by standing";

/// What stands around a text in a JSON list.
const QUOTE: &str = "\"";

const STANDINGS: [Standing; 5] = [
    Standing::Hears,
    Standing::Unsubscribed,
    Standing::Unconfirmed,
    Standing::Bounced,
    Standing::SwitchedOff,
];

/// Whom an announcement is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Accounts of these kinds; empty: of every kind.
    pub kinds: Vec<String>,
    /// Those with a token of these versions; empty: every account.
    pub versions: Vec<ApiVersion>,
}

/// Whether somebody hears, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// They do.
    Hears,
    /// They want no more than what is about security.
    Unsubscribed,
    /// They were asked to confirm their address and have not.
    Unconfirmed,
    /// Their mail server refused the address.
    Bounced,
    /// They were switched off on this platform.
    SwitchedOff,
}

/// One address.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The address as typed.
    pub email: EmailAddress,
    /// The person, where it is one we know.
    pub person: Option<UserId>,
    /// `en` or `zh-CN`.
    pub language: String,
    /// Whether they hear.
    pub standing: Standing,
}

impl Recipient {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            email: row.parsed("email")?,
            person: row.optional_parsed("user_id")?,
            language: row.text("language")?.to_owned(),
            standing: standing(row)?,
        })
    }
}

fn standing(row: &Row) -> Result<Standing, Error> {
    let number: usize = row.number("standing")?;
    let known = STANDINGS.get(number).copied();
    known.ok_or_else(|| Error::Corrupt("a recipient stands in a way there is none of".to_owned()))
}

impl Audience {
    /// What both statements are given first.
    fn values(&self, administrators: &[(String, String)]) -> [Value; 4] {
        let versions: Vec<String> = self.versions.iter().map(|version| version.0.to_string()).collect();
        let roles: Vec<String> = administrators.iter().map(|(kind, role)| format!("{kind}:{role}")).collect();
        [list(&self.kinds).into(), list(&versions).into(), list(&roles).into(), QUOTE.into()]
    }
}

fn list(words: &[String]) -> String {
    if words.is_empty() { String::new() } else { format!("/{}/", words.join("/")) }
}

impl Store {
    /// How many addresses stand in each way; looks at everybody. `administrators`: kinds and the role that administrates
    /// in each.
    pub async fn count_recipients(
        &self,
        audience: &Audience,
        administrators: &[(String, String)],
    ) -> Result<Vec<(Standing, u64)>, Error> {
        let query = Query::new(COUNTS, Vec::from(audience.values(administrators)));
        let read = |_, row: &Row| Ok((standing(row)?, row.number("recipients")?));
        self.db().rows_together(vec![query], Effort::AsMuchAsItTakes, read).await
    }

    /// Addresses in their order: all of them, or only those that hear.
    pub async fn recipients(
        &self,
        audience: &Audience,
        administrators: &[(String, String)],
        only_hearing: bool,
        page: &PageAsk,
    ) -> Result<Page<Recipient>, Error> {
        let mut values = Vec::from(audience.values(administrators));
        values.extend([
            page.after.clone().unwrap_or_default().into(),
            only_hearing.into(),
            page.rows_asked(),
        ]);
        let rows = self.db().rows(Query::new(PAGE, values), Recipient::read).await?;
        Ok(paged(rows, page, |recipient| recipient.email.key()))
    }
}
