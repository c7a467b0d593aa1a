//! E-mail addresses outside of the members that an account named as contacts of its tokens, what they said to being asked,
//! which addresses mail servers refuse, and who wants to hear only of what is about security. A code that confirms an
//! address is kept as its keyed tag.

use countersign_model::{
    digest::Digest,
    id::AccountId,
    name::{EmailAddress, fold},
    time::Timestamp,
};

use crate::{
    Conflict, Error, Page, PageAsk, Store, Within, db::Query, page::paged, value::Row, write::Write,
};

pub(crate) const ONE: &str = "select * from addresses where account_id = $1 and email_key = $2";
pub(crate) const BY_CODE: &str = "select * from addresses where code = $1";
pub(crate) const LIST: &str =
    "select * from addresses where account_id = $1 and email_key > $2 order by email_key limit $3";
pub(crate) const MEMBER: &str = "
select 1 as found from members m join people p on p.id = m.user_id where m.account_id = $1 and p.email_key = $2";
/// How many the account has, and how many of them were asked after a moment.
pub(crate) const COUNTS: &str = "
select count(*) as known, coalesce(sum(case when asked_at > $2 then 1 else 0 end), 0) as asked
from addresses where account_id = $1";
/// How often an address was asked after a moment, by whatever account.
pub(crate) const ASKED: &str =
    "select count(*) as asked from addresses where email_key = $1 and asked_at > $2";
pub(crate) const NOTE: &str = "
insert into addresses (account_id, email_key, email, language, state) values ($1, $2, $3, $4, 'unconfirmed')
on conflict (account_id, email_key) do nothing";
/// One that confirmed itself in between is left as it is.
pub(crate) const ASK: &str = "
insert into addresses (account_id, email_key, email, language, state, code, code_expires_at, asked_at)
values ($1, $2, $3, $4, 'unconfirmed', $5, $6, $7)
on conflict (account_id, email_key) do update
set email = excluded.email, language = excluded.language, state = 'unconfirmed', code = excluded.code,
  code_expires_at = excluded.code_expires_at, asked_at = excluded.asked_at, bounced_at = null, reason = null
where addresses.state <> 'confirmed'";
pub(crate) const CONFIRM: &str = "
update addresses
set state = 'confirmed', code = null, code_expires_at = null, confirmed_at = $4, bounced_at = null, reason = null
where account_id = $1 and email_key = $2 and code = $3";
pub(crate) const BOUNCE_EVERYWHERE: &str = "
update addresses set state = 'bounced', code = null, code_expires_at = null, bounced_at = $2, reason = $3
where email_key = $1 and state <> 'bounced'";
pub(crate) const BOUNCE: &str = "
insert into bounces (email_key, at, reason) values ($1, $2, $3)
on conflict (email_key) do update set at = excluded.at, reason = excluded.reason";
pub(crate) const BOUNCED: &str = "select * from bounces where email_key = $1";
pub(crate) const FORGET_BOUNCE: &str = "delete from bounces where email_key = $1";
pub(crate) const IS_UNSUBSCRIBED: &str = "select 1 as found from unsubscribed where email_key = $1";
pub(crate) const UNSUBSCRIBE: &str =
    "insert into unsubscribed (email_key, at) values ($1, $2) on conflict (email_key) do nothing";
pub(crate) const RESUBSCRIBE: &str = "delete from unsubscribed where email_key = $1";

pub(crate) const STATES: [(&str, AddressState); 3] = [
    ("unconfirmed", AddressState::Unconfirmed),
    ("confirmed", AddressState::Confirmed),
    ("bounced", AddressState::Bounced),
];

/// How an address stands in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressState {
    /// It has not said yes: it gets nothing but the question.
    Unconfirmed,
    /// It said yes.
    Confirmed,
    /// A mail server refused it for good; it is not told anything until it is asked again and says yes.
    Bounced,
}

/// An address outside of the members.
#[derive(Debug, Clone)]
pub struct Address {
    /// The account that named it.
    pub account: AccountId,
    /// The address, as typed.
    pub email: EmailAddress,
    /// The language it is asked in.
    pub language: String,
    /// How it stands.
    pub state: AddressState,
    /// Keyed tag of the code it was asked with; `None` once it is used, or where it was not asked.
    pub code: Option<Digest>,
    /// Until when the code works.
    pub code_expires_at: Option<Timestamp>,
    /// When it was asked last; `None` where it was not.
    pub asked_at: Option<Timestamp>,
    /// When it said yes.
    pub confirmed_at: Option<Timestamp>,
    /// When it was refused.
    pub bounced_at: Option<Timestamp>,
    /// What the mail server said.
    pub reason: Option<String>,
}

/// What a mail server last said to an address it refused for good.
#[derive(Debug, Clone)]
pub struct Bounce {
    /// When.
    pub at: Timestamp,
    /// What it said.
    pub reason: String,
}

/// A question to an address, with the tag of its code.
#[derive(Debug, Clone)]
pub struct AddressAsk {
    /// The account that names it.
    pub account: AccountId,
    /// Who is asked.
    pub email: EmailAddress,
    /// In which language.
    pub language: String,
    /// Keyed tag of the code.
    pub code: Digest,
    /// When.
    pub asked_at: Timestamp,
    /// Until when the code works.
    pub code_expires_at: Timestamp,
}

/// How many addresses an account named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressCounts {
    /// All of them.
    pub known: u32,
    /// Those asked after a moment.
    pub asked: u32,
}

impl AddressState {
    /// The word for it: `unconfirmed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed => "confirmed",
            Self::Bounced => "bounced",
        }
    }
}

impl Address {
    fn read(row: &Row) -> Result<Self, Error> {
        let code = match row.optional_bytes("code")? {
            Some(_) => Some(row.digest("code")?),
            None => None,
        };
        Ok(Self {
            account: row.parsed("account_id")?,
            email: row.parsed("email")?,
            language: row.text("language")?.to_owned(),
            state: row.word("state", &STATES)?,
            code,
            code_expires_at: row.optional_moment("code_expires_at")?,
            asked_at: row.optional_moment("asked_at")?,
            confirmed_at: row.optional_moment("confirmed_at")?,
            bounced_at: row.optional_moment("bounced_at")?,
            reason: row.optional_text("reason")?.map(str::to_owned),
        })
    }
}

impl Store {
    /// The address that was asked with this code, unless it is spent. Whether it is too old, the caller knows.
    pub async fn address_by_code(&self, code: Digest) -> Result<Option<Address>, Error> {
        self.db().row(Query::new(BY_CODE, vec![code.into()]), Address::read).await
    }

    /// How many accounts asked this address after a moment.
    pub async fn times_asked(&self, email: &EmailAddress, after: Timestamp) -> Result<u32, Error> {
        let query = Query::new(ASKED, vec![email.key().into(), after.into()]);
        Ok(self.db().row(query, |row| row.number("asked")).await?.unwrap_or_default())
    }

    /// What a mail server last said to this address, where it refused it for good.
    pub async fn bounce(&self, email: &str) -> Result<Option<Bounce>, Error> {
        let read = |row: &Row| Ok(Bounce { at: row.moment("at")?, reason: row.text("reason")?.to_owned() });
        self.db().row(Query::new(BOUNCED, vec![fold(email).into()]), read).await
    }

    /// Whether an address wants to hear only of what is about security.
    pub async fn is_unsubscribed(&self, email: &str) -> Result<bool, Error> {
        let query = Query::new(IS_UNSUBSCRIBED, vec![fold(email).into()]);
        Ok(self.db().row(query, |_| Ok(())).await?.is_some())
    }
}

impl Within<'_> {
    /// How an address stands; `None` where the account never named it.
    pub async fn address(&self, email: &EmailAddress) -> Result<Option<Address>, Error> {
        let query = Query::new(ONE, vec![self.account.into(), email.key().into()]);
        self.store.db().row(query, Address::read).await
    }

    /// Whether an address is a member's.
    pub async fn is_member_address(&self, email: &EmailAddress) -> Result<bool, Error> {
        let query = Query::new(MEMBER, vec![self.account.into(), email.key().into()]);
        Ok(self.store.db().row(query, |_| Ok(())).await?.is_some())
    }

    /// How many addresses there are, and how many were asked after a moment.
    pub async fn address_counts(&self, after: Timestamp) -> Result<AddressCounts, Error> {
        let query = Query::new(COUNTS, vec![self.account.into(), after.into()]);
        let read = |row: &Row| Ok(AddressCounts { known: row.number("known")?, asked: row.number("asked")? });
        Ok(self.store.db().row(query, read).await?.unwrap_or(AddressCounts { known: 0, asked: 0 }))
    }

    /// The addresses, in the order of the alphabet.
    pub async fn addresses(&self, page: &PageAsk) -> Result<Page<Address>, Error> {
        let after = page.after.clone().unwrap_or_default();
        let query = Query::new(LIST, vec![self.account.into(), after.into(), page.rows_asked()]);
        let rows = self.store.db().rows(query, Address::read).await?;
        Ok(paged(rows, page, |address| address.email.key()))
    }
}

impl Write {
    /// Keeps an address that is not asked now. One that is known stays as it is. Neither delays nor hastens the write.
    #[must_use]
    pub fn note_address(self, account: AccountId, email: &EmailAddress, language: &str) -> Self {
        let values = vec![account.into(), email.key().into(), email.as_str().into(), language.into()];
        self.posting(NOTE, values)
    }

    /// Asks an address anew: a former code no longer works. One that confirmed itself in between stays confirmed.
    /// Neither delays nor hastens the write.
    #[must_use]
    pub fn ask_address(self, ask: &AddressAsk) -> Self {
        let values = vec![
            ask.account.into(),
            ask.email.key().into(),
            ask.email.as_str().into(),
            ask.language.as_str().into(),
            ask.code.into(),
            ask.code_expires_at.into(),
            ask.asked_at.into(),
        ];
        self.posting(ASK, values).posting(FORGET_BOUNCE, vec![ask.email.key().into()])
    }

    /// An address said yes. Conflict: `CodeSpent`.
    #[must_use]
    pub fn confirm_address(self, address: &Address, code: Digest, at: Timestamp) -> Self {
        let key = address.email.key();
        let values = vec![address.account.into(), key.as_str().into(), code.into(), at.into()];
        self.giving().expecting(CONFIRM, values, Conflict::CodeSpent).then(FORGET_BOUNCE, vec![key.into()])
    }

    /// A mail server refused an address for good: in every account that named it, it has to be asked again.
    #[must_use]
    pub fn bounce_address(self, email: &str, at: Timestamp, reason: &str) -> Self {
        let values = || vec![fold(email).into(), at.into(), reason.into()];
        self.giving().then(BOUNCE_EVERYWHERE, values()).then(BOUNCE, values())
    }

    /// A letter arrived at an address that was refused before.
    #[must_use]
    pub fn forget_bounce(self, email: &str) -> Self {
        self.giving().then(FORGET_BOUNCE, vec![fold(email).into()])
    }

    /// An address wants to hear only of what is about security.
    #[must_use]
    pub fn unsubscribe(self, email: &str, at: Timestamp) -> Self {
        self.giving().then(UNSUBSCRIBE, vec![fold(email).into(), at.into()])
    }

    /// An address wants to hear of everything again.
    #[must_use]
    pub fn resubscribe(self, email: &str) -> Self {
        self.giving().then(RESUBSCRIBE, vec![fold(email).into()])
    }
}
