//! Who is told of what happens to a token, and whether it would reach them.

use countersign_model::name::EmailAddress;
use countersign_store::{Hearing, Hears, Token};

use super::Contact;

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Their address.
    pub address: EmailAddress,
    /// Whether it is the primary contact; a developer address otherwise.
    pub is_contact: bool,
    /// Whether it reaches them.
    pub hears: Hears,
}

/// The primary contact and the developer addresses, each address once.
pub(super) fn of(token: &Token, contact: Option<&Contact>, hearing: &Hearing) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    if let Some(contact) = contact {
        // Whoever left the account is no member, and what is no member's hears only if it said yes, as anybody's.
        let hears = hearing.of(&contact.email.key());
        told.push(Told { address: contact.email.clone(), is_contact: true, hears });
    }
    for address in &token.developer_emails {
        let key = address.key();
        if told.iter().all(|known| known.address.key() != key) {
            told.push(Told { address: address.clone(), is_contact: false, hears: hearing.of(&key) });
        }
    }
    told
}
