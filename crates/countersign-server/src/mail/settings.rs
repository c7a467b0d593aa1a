//! How the mail server is reached and what letters say they are from. The password is given or lies in a file, which is
//! read for each connection, so that it can be changed without a restart. Nothing here prints it.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::PathBuf,
    sync::Arc,
};

use lettre::message::Mailbox;
use zeroize::Zeroizing;

use crate::limits::MAIL_PASSWORD_BYTES_MAX;

/// The mail server and how to use it.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port: 587 for STARTTLS, 465 for TLS from the first byte.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// Who signs in there; `None` where it asks nobody.
    pub user: Option<String>,
    /// With which password.
    pub password: Password,
    /// Who letters are from.
    pub from: Sender,
    /// Where answers go, where not to the sender.
    pub reply_to: Option<Sender>,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// How we greet (RFC 5321 section 4.1.1.1): the host of the public URL.
    pub hello: String,
    /// Seconds to connect, and seconds for each answer of the server.
    pub timeout_secs: u32,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all: for a server on the same machine.
    None,
    /// By STARTTLS (RFC 3207). A server that does not offer it gets nothing.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// The password of the mail server.
#[derive(Clone, Default)]
pub enum Password {
    /// There is none.
    #[default]
    None,
    /// This one.
    Given(Arc<Zeroizing<String>>),
    /// The first line of this file.
    File(PathBuf),
}

/// Who a letter is from: an address, or a name and an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `tokens@example.com` or `Example Tokens <tokens@example.com>`; `None` where it is neither, or where it
    /// holds a control character.
    pub fn parse(text: &str) -> Option<Self> {
        let visible = !text.chars().any(char::is_control);
        text.parse().ok().filter(|_| visible).map(Self)
    }

    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.0
    }

    /// The part behind `@`.
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Password {
    /// The password now; `None` where there is none.
    pub fn read(&self) -> io::Result<Option<Zeroizing<String>>> {
        match self {
            Self::None => Ok(None),
            Self::Given(password) => Ok(Some(Zeroizing::clone(password))),
            Self::File(path) => {
                let mut text = Zeroizing::new(String::new());
                fs::File::open(path)?.take(MAIL_PASSWORD_BYTES_MAX).read_to_string(&mut text)?;
                let line = text.lines().next().unwrap_or_default();
                Ok(Some(Zeroizing::new(line.to_owned())))
            }
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Given(_) => f.write_str("Given([redacted])"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let cases = [
            ("tokens@example.com", Some("tokens@example.com")),
            ("Example Tokens <tokens@example.com>", Some("Example Tokens <tokens@example.com>")),
            ("tokens", None),
            ("tokens@example.com\r\nBcc: everybody@example.com", None),
            ("a@example.com, b@example.com", None),
            ("", None),
        ];
        for (text, shown) in cases {
            assert_eq!(Sender::parse(text).map(|sender| sender.to_string()).as_deref(), shown, "{text:?}");
        }
    }

    #[test]
    fn a_password_is_read_from_its_file_each_time_and_never_printed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        let password = Password::File(path.clone());
        assert!(password.read().is_err(), "it is not there yet");
        for (written, read) in
            [("first\n", "first"), ("second", "second"), (" kept as is \r\n", " kept as is ")]
        {
            fs::write(&path, written).unwrap();
            assert_eq!(password.read().unwrap().unwrap().as_str(), read);
        }
        let given = Password::Given(Arc::new(Zeroizing::new("hunter2 and more".to_owned())));
        assert!(!format!("{given:?}").contains("hunter2"));
        assert_eq!(given.read().unwrap().unwrap().as_str(), "hunter2 and more");
    }
}
