//! Invitations: a code somebody gets, who then chooses a password and belongs to an account, or becomes an operator.
//! A password reset an administrator starts is an invitation to an existing person.

use countersign_model::{
    digest::Digest,
    id::{AccountId, InvitationId, UserId},
    name::EmailAddress,
    time::Timestamp,
};

use crate::{
    Conflict, Error, Page, PageAsk, Store, Within,
    db::Query,
    evidence::{
        proof::{Proof, asked},
        tables::INVITATIONS,
    },
    page::{by_time, paged},
    value::Row,
    write::Write,
};

pub(crate) const BY_CODE: &str = "select * from invitations where code = $1";
pub(crate) const BY_ID: &str = "select * from invitations where id = $1";
pub(crate) const LIST: &str = "
select * from invitations where account_id = $1 and (created_at, id) < ($2, $3)
order by created_at desc, id desc limit $4";
pub(crate) const REPLACE: &str =
    "delete from invitations where account_id is not distinct from $1 and email_key = $2";
pub(crate) const INSERT: &str = "
insert into invitations (id, account_id, email, email_key, role, code, expires_at, created_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(crate) const SPEND: &str = "delete from invitations where account_id is not distinct from $1 and id = $2";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&INVITATIONS)];

/// An invitation as kept.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The account, or `None` for an operator.
    pub account: Option<AccountId>,
    /// Who is invited.
    pub email: EmailAddress,
    /// The role in the account.
    pub role: Option<String>,
    /// Keyed digest of the code.
    pub code: Digest,
    /// Until when the code works.
    pub expires_at: Timestamp,
    /// When it was sent.
    pub created_at: Timestamp,
    /// Who invited.
    pub created_by: Option<UserId>,
}

impl Invitation {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            account: row.optional_parsed("account_id")?,
            email: row.parsed("email")?,
            role: row.optional_text("role")?.map(str::to_owned),
            code: row.digest("code")?,
            expires_at: row.moment("expires_at")?,
            created_at: row.moment("created_at")?,
            created_by: row.optional_parsed("created_by")?,
        })
    }
}

impl Store {
    /// An open invitation, by id. Whether it is too old, the caller knows.
    pub async fn invitation(&self, id: InvitationId) -> Result<Option<Invitation>, Error> {
        self.db().row(Query::new(BY_ID, vec![id.into()]), Invitation::read).await
    }

    /// The invitation with this code, unless it is spent. Whether it is too old, the caller knows.
    pub async fn invitation_by_code(&self, code: Digest) -> Result<Option<Invitation>, Error> {
        let query = Query::new(BY_CODE, vec![code.into()]).proving(PROVES);
        let found = self.db().row(query, Invitation::read).await?;
        asked(found, |invitation| invitation.code == code)
    }
}

impl Within<'_> {
    /// Open invitations, newest first.
    pub async fn invitations(&self, page: &PageAsk) -> Result<Page<Invitation>, Error> {
        let Some((created_at, id)) = by_time(page) else { return Ok(Page::empty()) };
        let query =
            Query::new(LIST, vec![self.account.into(), created_at.into(), id.into(), page.rows_asked()]);
        let rows = self.store.db().rows(query, Invitation::read).await?;
        Ok(paged(rows, page, |invitation| {
            format!("{}/{}", invitation.id, invitation.created_at.unix_millis())
        }))
    }
}

impl Write {
    /// Adds an invitation; an open one of the same account and address is replaced.
    #[must_use]
    pub fn insert_invitation(self, invitation: &Invitation) -> Self {
        let values = vec![
            invitation.id.into(),
            invitation.account.into(),
            invitation.email.as_str().into(),
            invitation.email.key().into(),
            invitation.role.clone().into(),
            invitation.code.into(),
            invitation.expires_at.into(),
            invitation.created_at.into(),
            invitation.created_by.into(),
        ];
        self.giving()
            .then(REPLACE, vec![invitation.account.into(), invitation.email.key().into()])
            .then(INSERT, values)
    }

    /// Uses an invitation up (accepted or withdrawn). Conflict: `CodeSpent`.
    #[must_use]
    pub fn spend_invitation(self, id: InvitationId, account: Option<AccountId>) -> Self {
        self.giving().expecting(SPEND, vec![account.into(), id.into()], Conflict::CodeSpent)
    }
}
