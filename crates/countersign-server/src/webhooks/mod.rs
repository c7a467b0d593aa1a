//! Webhooks: where they may lead, how they are signed, and how one is sent. Who has which, and what happens after an
//! attempt, is not known here.

mod addresses;
mod guard;
mod send;
mod sign;

pub use addresses::is_public;
pub use guard::{Answers, Guard, Names, Policy, Refusal};
pub use send::{Message, Sender};
pub use sign::SigningSecret;
