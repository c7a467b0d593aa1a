//! The templates of every event in every language. A new event does not compile before it has its words here.

use countersign_model::event::Event;

/// The languages letters are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

/// What one letter is made of: its own words and those of its language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) event: &'static str,
    pub(super) language: Language,
}

impl Language {
    #[cfg(test)]
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The language of this tag, or English.
    pub(super) fn of(tag: &str) -> Self {
        if tag == "zh-CN" { Self::Chinese } else { Self::English }
    }

    /// The tag of RFC 5646.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The one of two texts that is in this language; English stands first.
    pub(super) fn choose(self, [english, chinese]: [&'static str; 2]) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    /// What all letters of the language share.
    pub(super) fn base(self) -> &'static str {
        self.choose([include_str!("en/base.txt"), include_str!("zh-CN/base.txt")])
    }
}

/// The words of the letter that tries a mail server.
pub(super) fn mail_test(language: Language) -> &'static str {
    language.choose([include_str!("en/mail.test.txt"), include_str!("zh-CN/mail.test.txt")])
}

/// The words of the letter about an event; `None` where no letter tells it.
pub(super) fn of(event: Event, language: Language) -> Option<&'static str> {
    let words = match event {
        Event::TokenCreated => {
            [include_str!("en/token.created.txt"), include_str!("zh-CN/token.created.txt")]
        }
        Event::TokenChanged => {
            [include_str!("en/token.changed.txt"), include_str!("zh-CN/token.changed.txt")]
        }
        Event::TokenReset => [include_str!("en/token.reset.txt"), include_str!("zh-CN/token.reset.txt")],
        Event::TokenDisabled => {
            [include_str!("en/token.disabled.txt"), include_str!("zh-CN/token.disabled.txt")]
        }
        Event::TokenEnabled => {
            [include_str!("en/token.enabled.txt"), include_str!("zh-CN/token.enabled.txt")]
        }
        Event::TokenDeleted => {
            [include_str!("en/token.deleted.txt"), include_str!("zh-CN/token.deleted.txt")]
        }
        Event::TokenExpiring => {
            [include_str!("en/token.expiring.txt"), include_str!("zh-CN/token.expiring.txt")]
        }
        Event::OverlapEnding => {
            [include_str!("en/overlap.ending.txt"), include_str!("zh-CN/overlap.ending.txt")]
        }
        Event::SecretShown => [include_str!("en/secret.shown.txt"), include_str!("zh-CN/secret.shown.txt")],
        Event::AccountSuspended => {
            [include_str!("en/account.suspended.txt"), include_str!("zh-CN/account.suspended.txt")]
        }
        Event::AccessOff => [include_str!("en/access.off.txt"), include_str!("zh-CN/access.off.txt")],
        Event::VersionDeprecated => {
            [include_str!("en/version.deprecated.txt"), include_str!("zh-CN/version.deprecated.txt")]
        }
        Event::VersionEnding => {
            [include_str!("en/version.ending.txt"), include_str!("zh-CN/version.ending.txt")]
        }
        Event::Announcement => [include_str!("en/announcement.txt"), include_str!("zh-CN/announcement.txt")],
        Event::AddressConfirm => {
            [include_str!("en/address.confirm.txt"), include_str!("zh-CN/address.confirm.txt")]
        }
        Event::Invitation => [include_str!("en/invitation.txt"), include_str!("zh-CN/invitation.txt")],
        Event::PasswordReset => {
            [include_str!("en/password.reset.txt"), include_str!("zh-CN/password.reset.txt")]
        }
        Event::WebhookDisabled => {
            [include_str!("en/webhook.disabled.txt"), include_str!("zh-CN/webhook.disabled.txt")]
        }
        Event::WebhookTest => return None,
    };
    Some(language.choose(words))
}
