//! What an answer of the mail server means for the letter and for the address. Only what the server says about the
//! recipient counts against the recipient; what it says about us (sign-in, sender, policy, content) is ours to mend,
//! and the letter waits.

use std::{error::Error as _, fmt};

use lettre::transport::smtp;

use super::message::one_line;
use crate::{limits::SEND_REASON_CHARS_MAX, outcome::SendOutcome};

/// Where in the conversation it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Reaching the server, its greeting, and what it offers.
    Connect,
    /// Going over to TLS.
    Encrypt,
    /// Signing in.
    SignIn,
    /// Naming the sender.
    Sender,
    /// Naming the recipient.
    Recipient,
    /// Handing the message over.
    Content,
}

/// Why a letter was not taken.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) step: Step,
    pub(super) code: Option<u16>,
    /// What the server said, or what happened on the way.
    pub(super) said: String,
    pub(super) permanent: bool,
}

impl Trouble {
    /// It did not come to an answer.
    pub(super) fn ours(step: Step, said: impl fmt::Display) -> Self {
        Self { step, code: None, said: said.to_string(), permanent: false }
    }

    /// No answer in time.
    pub(super) fn late(step: Step, secs: u32) -> Self {
        Self::ours(step, format!("no answer within {secs} seconds"))
    }

    /// The error of the library at this step.
    pub(super) fn at(step: Step, error: &smtp::Error) -> Self {
        let code = error.status().map(u16::from);
        let said = match (code, error.source()) {
            (Some(_), Some(source)) => source.to_string(),
            _ => error.to_string(),
        };
        Self { step, code, said, permanent: error.is_permanent() }
    }

    /// Whether the recipient's address is what the server refused, for good.
    fn is_about_the_recipient(&self) -> bool {
        let Some(code) = self.code.filter(|_| self.permanent) else { return false };
        let told_of_recipient = match enhanced(&self.said) {
            // 5.1.7 and 5.1.8 are about the sender's address.
            Some((1, detail)) => !matches!(detail, 7 | 8),
            // The mailbox itself: disabled, full for good, no longer taking mail.
            Some((2, _)) => true,
            // Routing: no host takes mail for this address.
            Some((4, _)) => self.step == Step::Recipient,
            // Our system, protocol, content or policy: ours, or somebody's decision about us.
            Some(_) => false,
            None => self.step == Step::Recipient && matches!(code, 550..=553 | 556),
        };
        told_of_recipient && matches!(self.step, Step::Recipient | Step::Content)
    }

    /// What becomes of the letter.
    pub(super) fn outcome(self) -> SendOutcome {
        let reason = self.to_string();
        if self.is_about_the_recipient() {
            SendOutcome::Refused { code: self.code, reason }
        } else {
            SendOutcome::Later { code: self.code, reason, after_secs: None }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.step, self.permanent) {
            (Step::Connect, _) => "the mail server cannot be reached",
            (Step::Encrypt, _) => "no protected connection to the mail server (mail.tls, mail.ca_file)",
            (Step::SignIn, _) => "the mail server does not let us sign in (mail.user, mail.password)",
            (Step::Sender, true) => "the mail server refuses our sender address (mail.from)",
            (Step::Recipient, true) if !self.is_about_the_recipient() => {
                "the mail server does not take letters to others from us"
            }
            (Step::Recipient, true) => "the address was refused",
            (Step::Content, true) => "the mail server refuses the letter",
            (Step::Sender | Step::Recipient | Step::Content, false) => "the mail server takes no letters now",
        };
        let code = self.code.map(|code| format!("{code} ")).unwrap_or_default();
        let said = one_line(&self.said);
        let whole = format!("{what}: {code}{}", said.trim());
        f.write_str(&whole.chars().take(SEND_REASON_CHARS_MAX).collect::<String>())
    }
}

/// Subject and detail of an enhanced status code (RFC 3463) of class 5 at the front of a reply: `5.1.1` is `(1, 1)`.
fn enhanced(said: &str) -> Option<(u16, u16)> {
    let mut parts = said.split_whitespace().next()?.split('.').map(str::parse::<u16>);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Ok(5)), Some(Ok(subject)), Some(Ok(detail)), None) => Some((subject, detail)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(step: Step, code: u16, said: &str) -> bool {
        let trouble =
            Trouble { step, code: Some(code), said: said.to_owned(), permanent: (500..600).contains(&code) };
        matches!(trouble.outcome(), SendOutcome::Refused { .. })
    }

    #[test]
    fn only_what_is_about_the_recipient_counts_against_it() {
        let cases = [
            (Step::Recipient, 550, "5.1.1 no such user", true),
            (Step::Recipient, 550, "no such user", true),
            (Step::Recipient, 551, "not here", true),
            (Step::Recipient, 553, "mailbox name not allowed", true),
            (Step::Recipient, 556, "5.1.10 takes no mail", true),
            (Step::Recipient, 552, "5.2.2 mailbox full", true),
            (Step::Recipient, 550, "5.4.1 access denied", true),
            (Step::Content, 550, "5.1.1 no such user after all", true),
            (Step::Recipient, 450, "4.2.1 try later", false),
            (Step::Recipient, 452, "too many", false),
            (Step::Recipient, 554, "5.7.1 relay access denied", false),
            (Step::Recipient, 550, "5.7.1 sign in first", false),
            (Step::Recipient, 530, "authentication required", false),
            (Step::Recipient, 554, "relay access denied", false),
            (Step::Recipient, 550, "5.1.8 sender's domain does not exist", false),
            (Step::Recipient, 503, "bad sequence", false),
            (Step::Content, 554, "5.7.1 looks like spam", false),
            (Step::Content, 550, "looks like spam", false),
            (Step::Content, 552, "5.3.4 too big", false),
            (Step::Sender, 550, "5.1.1 unknown sender", false),
            (Step::Sender, 553, "5.7.1 not your address", false),
            (Step::SignIn, 535, "5.7.8 wrong", false),
            (Step::SignIn, 550, "5.1.1 odd", false),
            (Step::Connect, 554, "no service here", false),
            (Step::Recipient, 550, "5.1 odd", true),
        ];
        for (step, code, said, wanted) in cases {
            assert_eq!(refused(step, code, said), wanted, "{step:?} {code} {said}");
        }
        assert!(matches!(Trouble::late(Step::Recipient, 5).outcome(), SendOutcome::Later { code: None, .. }));
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        let said = format!("5.1.1 first\r\nsecond\u{1b}[2J {}", "x".repeat(5_000));
        let trouble = Trouble { step: Step::Recipient, code: Some(550), said, permanent: true };
        let reason = trouble.to_string();
        assert!(!reason.chars().any(char::is_control), "{reason:?}");
        assert_eq!(reason.chars().count(), SEND_REASON_CHARS_MAX);
        assert!(reason.starts_with("the address was refused: 550 5.1.1 first"), "{reason}");
    }
}
