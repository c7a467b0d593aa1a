//! What people and machines are told of. The codes are stable: webhooks name them, filters use them, unsubscribing
//! depends on them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Something that happened, or will, of which somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A token was made.
    TokenCreated,
    /// A token's scopes, version, contacts or limits were changed.
    TokenChanged,
    /// A token has a new secret.
    TokenReset,
    /// A token was switched off.
    TokenDisabled,
    /// A token was switched on.
    TokenEnabled,
    /// A token was deleted.
    TokenDeleted,
    /// A token's time is nearly over.
    TokenExpiring,
    /// The old secret of an overlap is still in use and about to end.
    OverlapEnding,
    /// A stored secret was shown to somebody.
    SecretShown,
    /// An account was suspended: all its tokens are denied.
    AccountSuspended,
    /// API access of an account was switched off: all its tokens are denied.
    AccessOff,
    /// The API version of a token is deprecated.
    VersionDeprecated,
    /// The API version of a token is about to be refused.
    VersionEnding,
    /// A development update of the operator.
    Announcement,
    /// A developer address is asked to confirm itself.
    AddressConfirm,
    /// Somebody is invited into an account, or to run the platform.
    Invitation,
    /// Somebody is to choose a new password.
    PasswordReset,
    /// A webhook is tried.
    WebhookTest,
    /// A webhook was switched off, because nothing arrived there for days.
    WebhookDisabled,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 19] = [
        Self::TokenCreated,
        Self::TokenChanged,
        Self::TokenReset,
        Self::TokenDisabled,
        Self::TokenEnabled,
        Self::TokenDeleted,
        Self::TokenExpiring,
        Self::OverlapEnding,
        Self::SecretShown,
        Self::AccountSuspended,
        Self::AccessOff,
        Self::VersionDeprecated,
        Self::VersionEnding,
        Self::Announcement,
        Self::AddressConfirm,
        Self::Invitation,
        Self::PasswordReset,
        Self::WebhookTest,
        Self::WebhookDisabled,
    ];

    /// The stable code: `token.reset`. Lower-case letters and one dot at most.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TokenCreated => "token.created",
            Self::TokenChanged => "token.changed",
            Self::TokenReset => "token.reset",
            Self::TokenDisabled => "token.disabled",
            Self::TokenEnabled => "token.enabled",
            Self::TokenDeleted => "token.deleted",
            Self::TokenExpiring => "token.expiring",
            Self::OverlapEnding => "overlap.ending",
            Self::SecretShown => "secret.shown",
            Self::AccountSuspended => "account.suspended",
            Self::AccessOff => "access.off",
            Self::VersionDeprecated => "version.deprecated",
            Self::VersionEnding => "version.ending",
            Self::Announcement => "announcement",
            Self::AddressConfirm => "address.confirm",
            Self::Invitation => "invitation",
            Self::PasswordReset => "password.reset",
            Self::WebhookTest => "webhook.test",
            Self::WebhookDisabled => "webhook.disabled",
        }
    }

    /// The event with this code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.code() == code)
    }

    /// Whether nobody may unsubscribe from it: it tells who can use a token, or lets somebody in.
    pub const fn is_security(self) -> bool {
        !matches!(
            self,
            Self::TokenExpiring | Self::VersionDeprecated | Self::VersionEnding | Self::Announcement
        )
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| D::Error::custom("this is not the code of an event"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_read_back_and_match_nothing_but_themselves() {
        let mut seen = HashSet::new();
        for event in Event::ALL {
            let code = event.code();
            assert_eq!(Event::parse(code), Some(event));
            assert!(seen.insert(code), "{code} stands for two events");
            // Webhooks are found by `like`: a code must hold no wildcard.
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.'), "{code}");
        }
        assert_eq!(Event::parse("token.*"), None);
    }

    #[test]
    fn what_can_be_unsubscribed_is_named() {
        let optional: Vec<_> =
            Event::ALL.into_iter().filter(|event| !event.is_security()).map(Event::code).collect();
        assert_eq!(optional, ["token.expiring", "version.deprecated", "version.ending", "announcement"]);
    }
}
