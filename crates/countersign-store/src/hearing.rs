//! Which addresses of an account hear what they are told: to mark on tokens who would not, before something happens.

use std::collections::HashMap;

use crate::{
    AddressState, Error, Within, addresses::STATES, db::Query, limits::HEARING_ROWS_MAX, value::Row,
};

pub(crate) const MEMBERS: &str = "
select p.email_key, p.active, b.email_key as bounced_key
from members m join people p on p.id = m.user_id left join bounces b on b.email_key = p.email_key
where m.account_id = $1 order by p.email_key limit $2";
pub(crate) const ADDRESSES: &str =
    "select email_key, state from addresses where account_id = $1 order by email_key limit $2";

/// Whether an address hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hears {
    /// It does: a member's own address, or one that said yes.
    Confirmed,
    /// It did not say yes, or was never asked.
    Unconfirmed,
    /// A mail server refused it for good.
    Bounced,
    /// It is a member's who may not sign in, and is told nothing.
    Inactive,
}

/// The addresses of one account, and whether they hear.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    members: HashMap<String, Hears>,
    addresses: HashMap<String, AddressState>,
}

impl Hears {
    /// `confirmed`, `unconfirmed`, `bounced` or `inactive`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
            Self::Bounced => "bounced",
            Self::Inactive => "inactive",
        }
    }
}

impl Hearing {
    /// Whether the address with this folded form hears.
    pub fn of(&self, email_key: &str) -> Hears {
        if let Some(hears) = self.members.get(email_key) {
            return *hears;
        }
        match self.addresses.get(email_key) {
            Some(AddressState::Confirmed) => Hears::Confirmed,
            Some(AddressState::Bounced) => Hears::Bounced,
            Some(AddressState::Unconfirmed) | None => Hears::Unconfirmed,
        }
    }
}

impl Within<'_> {
    /// Which addresses of the account hear; of more than 10,000 the rest count as unconfirmed.
    pub async fn hearing(&self) -> Result<Hearing, Error> {
        let values = || vec![self.account.into(), HEARING_ROWS_MAX.into()];
        let members = self.store.db().rows(Query::new(MEMBERS, values()), read_member).await?;
        let read = |row: &Row| Ok((row.text("email_key")?.to_owned(), row.word("state", &STATES)?));
        let addresses = self.store.db().rows(Query::new(ADDRESSES, values()), read).await?;
        Ok(Hearing { members: members.into_iter().collect(), addresses: addresses.into_iter().collect() })
    }
}

fn read_member(row: &Row) -> Result<(String, Hears), Error> {
    let hears = match (row.flag("active")?, row.optional_text("bounced_key")?) {
        (false, _) => Hears::Inactive,
        (true, Some(_)) => Hears::Bounced,
        (true, None) => Hears::Confirmed,
    };
    Ok((row.text("email_key")?.to_owned(), hears))
}
