//! Identifiers of what Countersign keeps: a version 7 UUID (RFC 9562) behind a prefix that says of what.
//! Not secret and never proof of anything: ids leak their creation time and are not to be guessed against.

use std::{fmt, hash::Hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

use crate::{crockford, time::Timestamp};

/// A kind of thing that has an id. Implemented only by the markers in this file.
pub trait Kind: Copy + Eq + Ord + Hash + fmt::Debug + Send + Sync + 'static {
    /// The three letters in front of the id, without the underscore.
    const PREFIX: &'static str;
}

const PREFIX_BYTES: usize = 3;
/// Bytes of the text of an id.
pub const ID_BYTES: usize = PREFIX_BYTES + 1 + crockford::LEN;

/// An id of one kind of thing. Text form: `acc_` and 26 characters of lower-case Crockford base32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K: Kind>(u128, PhantomData<K>);

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not an id of the form `{prefix}_` and 26 characters of 0-9 and a-z without i, l, o and u")]
pub struct IdError {
    prefix: &'static str,
}

impl<K: Kind> Id<K> {
    /// Makes an id from the time of creation and ten random bytes.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.unix_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128(), PhantomData)
    }

    /// The 128 bits, for compact keys.
    pub fn as_u128(self) -> u128 {
        self.0
    }

    /// The id with these 128 bits.
    pub fn from_u128(bits: u128) -> Self {
        Self(bits, PhantomData)
    }

    /// The text, without a heap: every answer carries one or two.
    pub fn text(self) -> [u8; ID_BYTES] {
        let mut text = [b'_'; ID_BYTES];
        text[..PREFIX_BYTES].copy_from_slice(K::PREFIX.as_bytes());
        text[PREFIX_BYTES + 1..].copy_from_slice(&crockford::encode_bytes(self.0));
        text.make_ascii_lowercase();
        text
    }

    /// The same value as a UUID.
    pub fn as_uuid(self) -> Uuid {
        Uuid::from_u128(self.0)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = || IdError { prefix: K::PREFIX };
        let body = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(refuse)?;
        if body.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(refuse());
        }
        crockford::decode(&body.to_ascii_uppercase()).map(|bits| Self(bits, PhantomData)).ok_or_else(refuse)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Marker of an account's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfAccount;
/// Marker of a person's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfUser;
/// Marker of a token's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfToken;
/// Marker of a session's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfSession;
/// Marker of an invitation's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfInvitation;
/// Marker of a gateway's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfGateway;
/// Marker of a platform credential's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfPlatformCredential;
/// Marker of a webhook's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfWebhook;
/// Marker of a notice's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfNotice;
/// Marker of a delivery's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfDelivery;
/// Marker of an announcement's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfAnnouncement;
/// Marker of a request's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfRequest;

impl Kind for OfAccount {
    const PREFIX: &'static str = "acc";
}
impl Kind for OfUser {
    const PREFIX: &'static str = "usr";
}
impl Kind for OfToken {
    const PREFIX: &'static str = "tok";
}
impl Kind for OfSession {
    const PREFIX: &'static str = "ses";
}
impl Kind for OfInvitation {
    const PREFIX: &'static str = "inv";
}
impl Kind for OfGateway {
    const PREFIX: &'static str = "gwy";
}
impl Kind for OfPlatformCredential {
    const PREFIX: &'static str = "plc";
}
impl Kind for OfWebhook {
    const PREFIX: &'static str = "whk";
}
impl Kind for OfNotice {
    const PREFIX: &'static str = "ntc";
}
impl Kind for OfDelivery {
    const PREFIX: &'static str = "dlv";
}
impl Kind for OfAnnouncement {
    const PREFIX: &'static str = "ann";
}
impl Kind for OfRequest {
    const PREFIX: &'static str = "req";
}

/// Id of an account.
pub type AccountId = Id<OfAccount>;
/// Id of a person.
pub type UserId = Id<OfUser>;
/// Id of a token, or of one credential of a legacy pair.
pub type TokenId = Id<OfToken>;
/// Id of a sign-in session.
pub type SessionId = Id<OfSession>;
/// Id of an invitation.
pub type InvitationId = Id<OfInvitation>;
/// Id of a gateway.
pub type GatewayId = Id<OfGateway>;
/// Id of a platform credential.
pub type PlatformCredentialId = Id<OfPlatformCredential>;
/// Id of a webhook.
pub type WebhookId = Id<OfWebhook>;
/// Id of something people are told of.
pub type NoticeId = Id<OfNotice>;
/// Id of a notice on its way to one recipient.
pub type DeliveryId = Id<OfDelivery>;
/// Id of an announcement of the operator.
pub type AnnouncementId = Id<OfAnnouncement>;
/// Id of one request, told to the caller and kept in the audit trail.
pub type RequestId = Id<OfRequest>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = AccountId::new(Timestamp::from_unix_millis(1_763_800_000_000), [7; 10]);
        let text = id.to_string();
        assert_eq!(text.len(), "acc_".len() + 26);
        assert_eq!(text.parse::<AccountId>().unwrap(), id);
        assert!(text.parse::<UserId>().is_err());
        assert!(text.to_ascii_uppercase().parse::<AccountId>().is_err());
        assert!("acc_".parse::<AccountId>().is_err());
        assert!("acc_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<AccountId>().is_err(), "over 128 bits");
    }
}
