//! One letter as a message of RFC 5322: headers encoded by RFC 2047, a text and an HTML part. No text of a letter can
//! become a header: header values are encoded, and control characters never reach them.

use std::time::{Duration, UNIX_EPOCH};

use countersign_model::{name::EmailAddress, time::Timestamp};
use lettre::{
    Address, Message,
    address::AddressError,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::settings::MailSettings;

/// A letter to one person. It may hold a one-time link, so it has no `Debug`.
#[derive(Clone)]
pub struct Letter {
    /// What tells this letter from all others, the same on every attempt: recipients recognise a repeated one. ASCII
    /// letters, digits, `_` and `-`.
    pub id: String,
    /// To whom.
    pub to: EmailAddress,
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// A link that ends letters like this one; `None` for those that cannot be ended.
    pub unsubscribe: Option<String>,
}

/// Why a letter is no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    /// The recipient's address has no form that mail servers know.
    #[error("the address cannot be written in an e-mail: {0}")]
    Address(#[from] AddressError),
    /// Everything else, which would be a mistake of ours.
    #[error("the letter cannot be written: {0}")]
    Message(#[from] lettre::error::Error),
}

/// A message and its envelope.
pub(super) struct Prepared {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

/// Writes the letter as it is sent at this moment.
pub(super) fn prepare(
    settings: &MailSettings,
    letter: &Letter,
    now: Timestamp,
) -> Result<Prepared, Unsendable> {
    let to: Address = letter.to.as_str().parse()?;
    let since_epoch = Duration::from_secs(u64::try_from(now.unix_secs()).unwrap_or(0));
    let from = settings.from.mailbox().clone();
    let id = format!("<{}@{}>", one_line(&letter.id), settings.from.domain());
    let mut message = Message::builder()
        .message_id(Some(id))
        .date(UNIX_EPOCH + since_epoch)
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(one_line(&letter.subject))
        // RFC 3834: nobody's answering machine should answer.
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if let Some(reply_to) = &settings.reply_to {
        message = message.reply_to(reply_to.mailbox().clone());
    }
    if let Some(link) = &letter.unsubscribe {
        // RFC 2369. Not the one-click form of RFC 8058: its address would have to carry the code where servers log it.
        message = message.raw_header(header("List-Unsubscribe", &format!("<{}>", one_line(link))));
    }
    let message =
        message.multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))?;
    Ok(Prepared { from: from.email, to, bytes: message.formatted() })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The text without control characters.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Password, Sender, TlsMode};

    fn settings() -> MailSettings {
        MailSettings {
            host: "mail.example.com".to_owned(),
            port: 587,
            tls: TlsMode::StartTls,
            user: None,
            password: Password::None,
            from: Sender::parse("令牌 <tokens@example.com>").unwrap(),
            reply_to: Sender::parse("help@example.com"),
            ca_file: None,
            hello: "tokens.example.com".to_owned(),
            timeout_secs: 5,
        }
    }

    fn letter(subject: &str) -> Letter {
        Letter {
            id: "dlv_1".to_owned(),
            to: EmailAddress::parse("ada@example.com").unwrap(),
            subject: subject.to_owned(),
            text: "text\r\n.\r\nRCPT TO:<x@example.com>".to_owned(),
            html: "<p>html</p>".to_owned(),
            unsubscribe: Some("https://tokens.example.com/unsubscribe#abc".to_owned()),
        }
    }

    fn head(subject: &str) -> Vec<String> {
        let now = Timestamp::parse_rfc3339("2026-11-22T09:00:00Z").unwrap();
        let prepared = prepare(&settings(), &letter(subject), now).unwrap();
        let text = String::from_utf8(prepared.bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn the_headers_are_these_and_no_others() {
        let wanted = [
            "Message-ID: <dlv_1@example.com>",
            "Date: Sun, 22 Nov 2026 09:00:00 +0000",
            "From: =?utf-8?b?5Luk54mM?= <tokens@example.com>",
            "To: ada@example.com",
            "Reply-To: help@example.com",
            "Auto-Submitted: auto-generated",
            "List-Unsubscribe: <https://tokens.example.com/unsubscribe#abc>",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative;",
            "Subject: Token reset",
        ];
        let head = head("Token reset");
        for line in wanted {
            assert!(head.iter().any(|known| known.starts_with(line)), "{line} is not in {head:#?}");
        }
        assert_eq!(head.len(), wanted.len(), "{head:#?}");
    }

    #[test]
    fn no_text_becomes_a_header() {
        let count = head("Token reset").len();
        let hostile = [
            "a\r\nBcc: everybody@example.com",
            "a\nBcc: everybody@example.com",
            "a\rBcc: everybody@example.com",
            "a\r\n\r\n<html>",
            "a\u{0}\u{1b}[2J",
            "\u{85}Bcc: x@example.com",
            "\u{2028}Bcc: x@example.com",
            "=?utf-8?q?a?=\r\n b",
            "\u{202e}desrever",
            &"\u{1f511}".repeat(300),
        ];
        for subject in hostile {
            let head = head(subject);
            assert_eq!(head.len(), count, "{subject:?} gives {head:#?}");
            assert!(head.iter().all(|line| line.is_ascii()), "{subject:?} is not encoded");
            assert!(!head.iter().any(|line| line.starts_with("Bcc")), "{subject:?}");
        }
    }
}
