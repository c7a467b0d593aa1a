//! The settings of the mail server: which there are, and what cannot be meant together. It opens nothing; the password's
//! file is read when a letter is sent.

use std::{net::IpAddr, sync::Arc};

use countersign_server::mail::{MailSettings, Password, Sender, TlsMode};
use zeroize::Zeroizing;

use super::settings::Reading;

/// Shortest time the mail server may be given for an answer, in seconds.
const TIMEOUT_SECS_MIN: u32 = 1;
/// Longest time, in seconds.
const TIMEOUT_SECS_MAX: u32 = 300;

/// The mail server; `None` where none is configured, or where a problem was noted.
pub(super) fn read(reading: &mut Reading<'_>, public_url: &str) -> Option<MailSettings> {
    let tls = reading.chosen(
        "mail.tls",
        [("starttls", TlsMode::StartTls), ("tls", TlsMode::Implicit), ("none", TlsMode::None)],
    );
    let insecure = reading.chosen("mail.insecure", [("no", false), ("yes", true)]);
    let timeout_secs = timeout(reading);
    let password = password(reading);
    let user = Some(reading.text("mail.user").to_owned()).filter(|user| !user.is_empty());
    let reply_to = sender(reading, "mail.reply_to");
    let from = sender(reading, "mail.from");
    let (host, port) = server(reading)?;
    if tls == TlsMode::None && !insecure && !is_this_machine(&host) {
        reading.refuse(
            "mail.tls",
            "enough for a mail server on another machine: choose `starttls` or `tls` (or set mail.insecure to `yes`, and \
             everybody on the way reads along)",
        );
    }
    if user.is_some() == matches!(password, Password::None) {
        let wanted = "of use alone: set mail.user, and mail.password_file or mail.password, or none of them";
        reading.refuse("mail.user", wanted);
    }
    let from = match from {
        Some(from) => from,
        None if reading.text("mail.from").is_empty() => {
            reading.refuse("mail.from", "given, and letters need a sender, such as tokens@example.com");
            return None;
        }
        None => return None,
    };
    let hello = public_url.parse::<http::Uri>().ok().and_then(|url| url.host().map(str::to_owned));
    let hello = hello.unwrap_or_else(|| "localhost".to_owned());
    let ca_file = reading.path("mail.ca_file");
    Some(MailSettings { host, port, tls, user, password, from, reply_to, ca_file, hello, timeout_secs })
}

fn server(reading: &mut Reading<'_>) -> Option<(String, u16)> {
    let text = reading.text("mail.server");
    if text.is_empty() {
        return None;
    }
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.parse::<IpAddr>().ok()?.to_string(),
            None => host.to_owned(),
        };
        let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
        let readable = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
        (readable && !host.is_empty()).then_some((host, port))
    });
    if parsed.is_none() {
        reading.refuse("mail.server", "a host and a port, such as mail.example.com:587");
    }
    parsed
}

fn sender(reading: &mut Reading<'_>, name: &str) -> Option<Sender> {
    let text = reading.text(name);
    if text.is_empty() {
        return None;
    }
    let sender = Sender::parse(text);
    if sender.is_none() {
        let wanted =
            "an address such as tokens@example.com, or a name and an address: Example <tokens@example.com>";
        reading.refuse(name, wanted);
    }
    sender
}

fn password(reading: &mut Reading<'_>) -> Password {
    let given = reading.text("mail.password");
    match (given, reading.path("mail.password_file")) {
        ("", None) => Password::None,
        ("", Some(path)) => Password::File(path),
        (given, None) => Password::Given(Arc::new(Zeroizing::new(given.to_owned()))),
        (_, Some(_)) => {
            reading.refuse("mail.password_file", "to be set beside mail.password: set one of them");
            Password::None
        }
    }
}

fn timeout(reading: &mut Reading<'_>) -> u32 {
    let secs = reading.text("mail.timeout_secs").parse().unwrap_or(0);
    if !(TIMEOUT_SECS_MIN..=TIMEOUT_SECS_MAX).contains(&secs) {
        let wanted = format!("a number of seconds from {TIMEOUT_SECS_MIN} to {TIMEOUT_SECS_MAX}");
        reading.refuse("mail.timeout_secs", &wanted);
    }
    secs
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
