//! Digests to make anew: a secret that was proved under a former key, and its digest under the present one. The secret
//! itself stays with the ask. Whoever keeps secrets takes from here and writes; nobody waits for it, and what does not
//! fit is offered again by the next ask.

use std::sync::{Mutex, PoisonError, TryLockError};

use countersign_model::{digest::Digest, id::TokenId};

use crate::{index::SecretEntry, limits::RENEWALS_WAITING_MAX};

/// A digest to make anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The token.
    pub token: TokenId,
    /// The generation of its secret.
    pub generation: u32,
    /// The digest it has.
    pub former: Digest,
    /// The digest it is to have.
    pub present: Digest,
    /// The pepper generation of that one.
    pub pepper: u16,
}

/// Those that wait to be taken.
pub(crate) struct Renewals(Mutex<Vec<Renewal>>);

impl Renewals {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Offers one. An ask never waits for another: while somebody else is here it is left to the next ask. A digest is
    /// offered once for a pepper; where it became another one meanwhile, that one is offered.
    pub(crate) fn offer(&self, entry: &SecretEntry, present: Digest, pepper: u16) {
        // A few bytes are enough to tell a digest from the next one of the same secret.
        let mut front = [0; 8];
        front.copy_from_slice(&entry.secret.digest.as_bytes()[..8]);
        let mark = u64::from_be_bytes(front) ^ u64::from(pepper);
        if entry.usage.renewal() == mark {
            return;
        }
        let mut waiting = match self.0.try_lock() {
            Ok(waiting) => waiting,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if waiting.len() < RENEWALS_WAITING_MAX && entry.usage.note_renewal(mark) {
            let token = entry.token.record.id;
            let (generation, former) = (entry.secret.generation, entry.secret.digest);
            waiting.push(Renewal { token, generation, former, present, pepper });
        }
    }

    /// Takes at most so many.
    pub(crate) fn take(&self, limit: usize) -> Vec<Renewal> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = waiting.len().saturating_sub(limit);
        waiting.split_off(rest)
    }
}
