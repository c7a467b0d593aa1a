//! What callers say of a token, read into words of the model, and the rules that need the catalog: which scopes and
//! versions there are. Those of expiries are in `lifetimes.rs`.

use std::collections::HashSet;

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    catalog::{Catalog, KindIndex},
    grant::Access,
    id::UserId,
    lifetime::Lifetimes,
    limits::{DEVELOPER_EMAILS_MAX, SCOPES_MAX},
    name::{Description, EmailAddress, TokenName},
    rate::RateLimit,
    scope::ScopeSet,
    time::Timestamp,
};
use countersign_store::Token;

use super::lifetimes::read_expiry;
use crate::error::{Error, Kind};

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Its name.
    pub name: TokenName,
    /// Its description.
    pub description: Description,
    /// Its version; latest where none is named.
    pub api_version: Option<ApiVersion>,
    /// Who answers for it.
    pub primary_contact: UserId,
    /// Who hears of it.
    pub developer_emails: Vec<EmailAddress>,
    /// Stable ids of scopes, as the caller wrote them.
    pub scopes: Vec<String>,
    /// From when it is expired.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used.
    pub addresses: AddressList,
    /// Its own rate limit.
    pub rate_limit: Option<RateLimit>,
}

/// What an edit says of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Nothing: it stays.
    #[default]
    Absent,
    /// It is cleared.
    Null,
    /// It is this from now on.
    Value(T),
}

/// An edit of a token.
#[derive(Debug, Clone, Default)]
pub struct TokenEdit {
    /// Another name.
    pub name: Option<TokenName>,
    /// Another description; cleared by null.
    pub description: Patch<Description>,
    /// A newer version.
    pub api_version: Option<ApiVersion>,
    /// Another primary contact.
    pub primary_contact: Option<UserId>,
    /// Other developer addresses, all of them; cleared by null.
    pub developer_emails: Patch<Vec<EmailAddress>>,
    /// Other scopes, all of them, as the caller wrote them.
    pub scopes: Option<Vec<String>>,
    /// Another expiry; cleared by null.
    pub expires_at: Patch<Timestamp>,
    /// Another address list; cleared by null.
    pub addresses: Patch<AddressList>,
    /// Another rate limit; cleared by null.
    pub rate_limit: Patch<RateLimit>,
}

impl<T> Patch<T> {
    /// The value after the edit, over the one before.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The same with another type of value.
    pub fn try_map<U, E>(self, map: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(map(value)?),
        })
    }
}

/// Reads scope ids of one kind. A retired scope stays where it was held before and is never given anew.
pub(in crate::ops) fn read_scopes(
    catalog: &Catalog,
    kind: KindIndex,
    ids: &[String],
    held: Option<&ScopeSet>,
) -> Result<ScopeSet, Error> {
    if ids.len() > SCOPES_MAX {
        return Err(Error::invalid("scopes", format!("{} scopes; the limit is {SCOPES_MAX}", ids.len())));
    }
    let mut scopes = ScopeSet::new();
    for (index, id) in ids.iter().enumerate() {
        let field = || format!("scopes[{index}]");
        let unknown = || scope_unknown(field(), id);
        let info = catalog.scope_by_id(id).ok_or_else(unknown)?;
        let held_before = held.is_some_and(|held| held.contains(info.number));
        match info.kind {
            Some(of) if of == kind => {}
            None if held_before => {}
            None => {
                let detail =
                    format!("Scope `{}` is retired and cannot be given any more; leave it out.", info.id);
                return Err(Error::new(Kind::Invalid, "scope_retired", detail).at_field(field()));
            }
            Some(_) => return Err(unknown()),
        }
        scopes.insert(info.number);
    }
    Ok(scopes)
}

fn scope_unknown(field: String, id: &str) -> Error {
    // Ids are of the caller's own making here: bounded and without control characters they may be told back.
    let shown: String = id.escape_debug().take(100).collect();
    let detail = format!("There is no scope `{shown}` for this account kind; the catalog lists them.");
    Error::new(Kind::Invalid, "scope_unknown", detail).at_field(field).with("scope", shown)
}

/// Developer addresses without repetitions, in the order given.
pub(in crate::ops) fn read_developer_emails(emails: Vec<EmailAddress>) -> Result<Vec<EmailAddress>, Error> {
    if emails.len() > DEVELOPER_EMAILS_MAX {
        let detail = format!("{} addresses; the limit is {DEVELOPER_EMAILS_MAX}", emails.len());
        return Err(Error::invalid("developer_emails", detail));
    }
    let mut seen = HashSet::new();
    Ok(emails.into_iter().filter(|email| seen.insert(email.key())).collect())
}

impl TokenEdit {
    /// The token after this edit.
    pub(super) fn apply(
        self,
        before: &Token,
        (catalog, kind): (&Catalog, KindIndex),
        lifetimes: Lifetimes,
        now: Timestamp,
    ) -> Result<Token, Error> {
        let mut token = before.clone();
        if let Some(name) = self.name {
            token.name = name;
        }
        token.description = self.description.over(Some(token.description)).unwrap_or_default();
        if let Some(version) = self.api_version {
            token.api_version = raised(catalog, kind, before.api_version, version, now)?;
        }
        if let Some(contact) = self.primary_contact {
            token.primary_contact = Some(contact);
        }
        let emails = self.developer_emails.try_map(read_developer_emails)?;
        token.developer_emails = emails.over(Some(token.developer_emails)).unwrap_or_default();
        if let Some(ids) = self.scopes {
            token.access = Access::Scoped(read_scopes(catalog, kind, &ids, before.access.scopes())?);
        }
        // Sending the expiry that is there already is no edit of it, even once it has passed.
        let expiry = self.expires_at.try_map(|at| match before.expires_at {
            Some(same) if same == at => Ok(at),
            _ => read_expiry(at, now, (before.created_at, lifetimes)),
        })?;
        token.expires_at = expiry.over(token.expires_at);
        token.addresses = self.addresses.over(Some(token.addresses)).unwrap_or_default();
        token.rate_limit = self.rate_limit.over(token.rate_limit);
        Ok(token)
    }
}

/// A version over the one before: the same, or a newer one that can still be called.
fn raised(
    catalog: &Catalog,
    kind: KindIndex,
    before: ApiVersion,
    version: ApiVersion,
    now: Timestamp,
) -> Result<ApiVersion, Error> {
    if version == before {
        return Ok(version);
    }
    if version < before {
        return Err(Error::invalid(
            "api_version",
            format!("it is {before} and can only go up; create another token for version {version}"),
        ));
    }
    super::deed::choose_version(catalog.kind_at(kind), Some(version), now)
}
