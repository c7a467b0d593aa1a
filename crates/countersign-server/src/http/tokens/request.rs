//! Tokens on the wire, as requests have them, read into words of the model.

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    id::UserId,
    limits::{ADDRESSES_MAX, DEVELOPER_EMAILS_MAX, SCOPES_MAX},
    name::{Description, EmailAddress, TokenName},
    rate::RateLimit,
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::answer::TokenRateLimit;
use crate::{
    error::Error,
    http::{Moment, extract::present, words},
    ops::tokens::{NewToken, Overlap, Patch, TokenEdit},
};

/// A token to be made.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// Its name; unique in the account ignoring case.
    #[schema(value_type = words::TokenName)]
    name: TokenName,
    /// Its description.
    #[serde(default)]
    #[schema(value_type = words::Description)]
    description: Description,
    /// Its API version; latest where none is named.
    #[schema(value_type = Option<words::ApiVersion>)]
    api_version: Option<ApiVersion>,
    /// The id of the member who answers for it.
    #[schema(value_type = words::UserId)]
    primary_contact: UserId,
    /// Addresses that hear of it; they need not be members'.
    #[serde(default)]
    #[schema(value_type = Vec<words::EmailAddress>, max_items = 20)]
    developer_emails: Vec<EmailAddress>,
    /// Ids of scopes from the catalog. None: it can call `whoami` and nothing else.
    #[serde(default)]
    #[schema(value_type = Vec<words::CatalogId>, max_items = 4096)]
    scopes: Vec<String>,
    /// From when it is expired; lies ahead.
    expires_at: Option<Moment>,
    /// Networks and addresses it may be used from; none: from everywhere.
    #[serde(default)]
    #[schema(value_type = Vec<words::Network>, max_items = 50)]
    addresses: Vec<String>,
    /// Its own rate limit.
    #[schema(value_type = Option<TokenRateLimit>)]
    rate_limit: Option<RateLimit>,
}

/// An edit of a token. A field that is absent stays; `null` clears a field that may be empty.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null are two things in a PATCH")]
pub struct UpdateToken {
    /// Another name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = words::TokenName)]
    name: Option<TokenName>,
    /// Another description.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<words::Description>)]
    description: Option<Option<Description>>,
    /// A newer API version; it can only go up.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = words::ApiVersion)]
    api_version: Option<ApiVersion>,
    /// The id of another member who answers for it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = words::UserId)]
    primary_contact: Option<UserId>,
    /// All addresses that hear of it from now on.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<words::EmailAddress>>, max_items = 20)]
    developer_emails: Option<Option<Vec<EmailAddress>>>,
    /// All scopes it holds from now on. A retired scope it holds stays only where it is listed.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<words::CatalogId>, max_items = 4096)]
    scopes: Option<Vec<String>>,
    /// Another expiry; lies ahead.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Moment>)]
    expires_at: Option<Option<Moment>>,
    /// All networks it may be used from, from now on.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<words::Network>>, max_items = 50)]
    addresses: Option<Option<Vec<String>>>,
    /// Another rate limit.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<TokenRateLimit>)]
    rate_limit: Option<Option<RateLimit>>,
}

/// How long the old secret works beside the new one.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub enum OverlapAsk {
    /// Not at all.
    #[default]
    #[serde(rename = "none")]
    None,
    /// One hour.
    #[serde(rename = "1h")]
    OneHour,
    /// One day.
    #[serde(rename = "24h")]
    OneDay,
    /// Seven days.
    #[serde(rename = "7d")]
    SevenDays,
}

/// A version to move to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeVersion {
    /// A version above the present one; latest where none is named.
    #[schema(value_type = Option<words::ApiVersion>)]
    pub(in crate::http) api_version: Option<ApiVersion>,
}

impl CreateToken {
    pub(super) fn read(self) -> Result<NewToken, Error> {
        Ok(NewToken {
            name: self.name,
            description: self.description,
            api_version: self.api_version,
            primary_contact: self.primary_contact,
            developer_emails: self.developer_emails,
            scopes: self.scopes,
            expires_at: self.expires_at.map(|moment| moment.0),
            addresses: read_addresses(&self.addresses)?,
            rate_limit: self.rate_limit,
        })
    }
}

impl UpdateToken {
    pub(super) fn read(self) -> Result<TokenEdit, Error> {
        Ok(TokenEdit {
            name: self.name,
            description: given_or_null(self.description),
            api_version: self.api_version,
            primary_contact: self.primary_contact,
            developer_emails: given_or_null(self.developer_emails),
            scopes: self.scopes,
            expires_at: given_or_null(self.expires_at.map(|moment| moment.map(|moment| moment.0))),
            addresses: given_or_null(self.addresses).try_map(|texts| read_addresses(&texts))?,
            rate_limit: given_or_null(self.rate_limit),
        })
    }
}

/// What an edit says of a field that may be cleared.
#[expect(clippy::option_option, reason = "absent and null are two things in a PATCH")]
pub(in crate::http) fn given_or_null<T>(field: Option<Option<T>>) -> Patch<T> {
    match field {
        None => Patch::Absent,
        Some(None) => Patch::Null,
        Some(Some(value)) => Patch::Value(value),
    }
}

/// A field that is there in full or not at all: `null` does not clear what a token must have.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn read_addresses(texts: &[String]) -> Result<AddressList, Error> {
    AddressList::parse(texts).map_err(|error| Error::invalid("addresses", error))
}

impl From<OverlapAsk> for Overlap {
    fn from(overlap: OverlapAsk) -> Self {
        match overlap {
            OverlapAsk::None => Self::None,
            OverlapAsk::OneHour => Self::OneHour,
            OverlapAsk::OneDay => Self::OneDay,
            OverlapAsk::SevenDays => Self::SevenDays,
        }
    }
}

// What the schemas above promise is what the rules hold.
const _: () = assert!(DEVELOPER_EMAILS_MAX == 20 && ADDRESSES_MAX == 50 && SCOPES_MAX == 4096);
