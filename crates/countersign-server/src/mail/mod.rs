//! E-mail: the way to the operator's mail server, and what the letters say. It decides neither who is told nor when:
//! the outbox does, and asks here to have one letter sent.

mod connection;
pub mod letters;
mod mailer;
mod message;
mod reply;
mod settings;

pub use mailer::{Mailer, Reached};
pub use message::Letter;
pub use settings::{MailSettings, Password, Sender, TlsMode};
