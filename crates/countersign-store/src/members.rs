//! Who belongs to which account, in which role.

use countersign_model::{
    id::{AccountId, UserId},
    time::Timestamp,
};

use crate::{
    Account, Conflict, Error, Page, PageAsk, Person, Store, Within,
    db::Query,
    evidence::{
        proof::{Proof, asked},
        tables::{ACCOUNTS, MEMBERS, PEOPLE},
    },
    limits::{CONTACT_TOKENS_NAMED_MAX, MEMBERSHIPS_LISTED_MAX},
    page::{by_text, paged},
    tokens::writes::CONTACT_IS_MEMBER,
    value::{Row, to_json},
    write::Write,
};

pub(crate) const MEMBERSHIPS: &str = "
select a.*, m.account_id as member_account_id, m.user_id as member_user_id, m.role as member_role,
  m.edit as member_edit, m.created_at as member_created_at, m.mac as member_mac
from members m join accounts a on a.id = m.account_id
where m.user_id = $1 order by a.name_key, a.id limit $2";
pub(crate) const ONE: &str = "
select p.*, m.account_id as member_account_id, m.user_id as member_user_id, m.role as member_role,
  m.edit as member_edit, m.created_at as member_created_at, m.mac as member_mac
from members m join people p on p.id = m.user_id
where m.account_id = $1 and m.user_id = $2";
pub(crate) const LIST: &str = "
select p.*, m.role as member_role, m.edit as member_edit, m.created_at as member_created_at
from members m join people p on p.id = m.user_id
where m.account_id = $1 and (p.email_key, p.id) > ($2, $3)
order by p.email_key, p.id limit $4";
pub(crate) const CONTACT_TOKENS: &str =
    "select name from tokens where account_id = $1 and primary_contact = $2 order by name_key, id limit $3";
pub(crate) const INSERT: &str =
    "insert into members (account_id, user_id, role, edit, created_at) values ($1, $2, $3, 1, $4)";
pub(crate) const UPDATE: &str =
    "update members set role = $4, edit = edit + 1 where account_id = $1 and user_id = $2 and edit = $3";
pub(crate) const DELETE: &str = "delete from members where account_id = $1 and user_id = $2 and edit = $3";
/// Somebody who can sign in holds the role.
pub(crate) const ROLE_IS_HELD: &str = "
select 1 from members m join people p on p.id = m.user_id
where m.account_id = $1 and m.role = $2 and p.active = 1 limit 1";
pub(crate) const NO_CONTACT: &str =
    "select 1 where not exists (select 1 from tokens where account_id = $1 and primary_contact = $2)";
pub(crate) const NEW_CONTACT: &str = "
update tokens set primary_contact = $3, updated_at = $4, updated_by = $5, edit = edit + 1
where account_id = $1 and primary_contact = $2";

/// A row that grants something is held to its MAC when it is read, and so is the membership in it.
const PROVES: &[Proof] = &[Proof::of(&PEOPLE), Proof::under("member_", &MEMBERS)];
const MEMBERSHIP_PROVES: &[Proof] = &[Proof::of(&ACCOUNTS), Proof::under("member_", &MEMBERS)];

/// A row of membership.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// The person.
    pub person: Person,
    /// The id of the role in the kind's catalog.
    pub role: String,
    /// Counts the edits of the row, from 1.
    pub edit: u64,
    /// Since when.
    pub created_at: Timestamp,
}

/// An account a person belongs to.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The account.
    pub account: Account,
    /// The id of the role.
    pub role: String,
}

impl Store {
    /// The accounts a person belongs to, by name; at most 200.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>, Error> {
        let query = Query::new(MEMBERSHIPS, vec![user.into(), MEMBERSHIPS_LISTED_MAX.into()])
            .proving(MEMBERSHIP_PROVES);
        let rows = self
            .db()
            .rows(query, move |row| {
                let membership =
                    Membership { account: Account::read(row)?, role: row.text("member_role")?.to_owned() };
                let whose: UserId = row.parsed("member_user_id")?;
                asked(Some(membership), |_| whose == user)
            })
            .await?;
        Ok(rows.into_iter().flatten().collect())
    }
}

impl Within<'_> {
    /// A member.
    pub async fn member(&self, user: UserId) -> Result<Option<Member>, Error> {
        let account = self.account;
        let query = Query::new(ONE, vec![account.into(), user.into()]).proving(PROVES);
        self.store.db().row(query, move |row| Member::read(account, row)).await
    }

    /// Members, by e-mail address.
    pub async fn members(&self, page: &PageAsk) -> Result<Page<Member>, Error> {
        let Some((email_key, id)) = by_text(page) else { return Ok(Page::empty()) };
        let account = self.account;
        let query = Query::new(LIST, vec![account.into(), email_key.into(), id.into(), page.rows_asked()]);
        let rows = self.store.db().rows(query, move |row| Member::read(account, row)).await?;
        Ok(paged(rows, page, |member| format!("{}/{}", member.person.id, member.person.email.key())))
    }

    /// Names of tokens whose primary contact this person is; at most 100.
    pub async fn tokens_of_contact(&self, user: UserId) -> Result<Vec<String>, Error> {
        let values = vec![self.account.into(), user.into(), CONTACT_TOKENS_NAMED_MAX.into()];
        self.store
            .db()
            .rows(Query::new(CONTACT_TOKENS, values), |row| row.text("name").map(str::to_owned))
            .await
    }
}

impl Member {
    fn read(account: AccountId, row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account,
            person: Person::read(row)?,
            role: row.text("member_role")?.to_owned(),
            edit: row.number("member_edit")?,
            created_at: row.moment("member_created_at")?,
        })
    }
}

impl Write {
    /// Adds a member. Conflicts: `AlreadyMember`, `Stale` where there is no such account or person.
    #[must_use]
    pub fn insert_member(self, account: AccountId, user: UserId, role: &str, at: Timestamp) -> Self {
        self.giving().then(INSERT, vec![account.into(), user.into(), role.into(), at.into()])
    }

    /// Gives a member another role. `administrator_role` is the id of the role with every permission: the write is
    /// refused with `LastAdministrator` when nobody else would hold it. Conflict: `Stale`.
    #[must_use]
    pub fn update_member(self, member: &Member, role: &str, administrator_role: &str) -> Self {
        let values = vec![member.account.into(), member.person.id.into(), member.edit.into(), role.into()];
        let write = self.giving().expecting(UPDATE, values, Conflict::Stale);
        if role == administrator_role {
            write
        } else {
            write.require_administrator(member, administrator_role)
        }
    }

    /// Removes a member; tokens of which they are the primary contact get `successor` (their edit numbers advance).
    /// Conflicts: `Stale`, `LastAdministrator`, `PrimaryContact` (without a successor), `ContactNotMember`.
    #[must_use]
    pub fn remove_member(self, member: &Member, successor: Option<UserId>, administrator_role: &str) -> Self {
        let (account, user) = (member.account, member.person.id);
        let (at, by) = (self.audit.at, to_json(&self.audit.actor));
        let write =
            self.expecting(DELETE, vec![account.into(), user.into(), member.edit.into()], Conflict::Stale);
        let write = match successor {
            None => write.expecting(NO_CONTACT, vec![account.into(), user.into()], Conflict::PrimaryContact),
            // The one who goes is a member no more by now, so nobody succeeds themselves.
            Some(next) => write
                .expecting(CONTACT_IS_MEMBER, vec![account.into(), next.into()], Conflict::ContactNotMember)
                .then(NEW_CONTACT, vec![account.into(), user.into(), next.into(), at.into(), by.into()]),
        };
        write.require_administrator(member, administrator_role)
    }

    /// Where the member held the administrator's role, somebody else must hold it after the write.
    fn require_administrator(self, member: &Member, administrator_role: &str) -> Self {
        if member.role != administrator_role {
            return self;
        }
        let values = vec![member.account.into(), administrator_role.into()];
        self.expecting(ROLE_IS_HELD, values, Conflict::LastAdministrator)
    }
}
