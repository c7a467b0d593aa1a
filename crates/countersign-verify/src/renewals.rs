//! Digests to make anew: a secret that was proved under a former key, and its digest under the present one. The secret
//! itself stays with the ask. Whoever keeps secrets takes from here and writes; nobody waits for it, and what does not
//! fit is offered again by the next ask.

use std::sync::{
    Mutex, PoisonError, TryLockError,
    atomic::{AtomicU64, Ordering},
};

use countersign_model::{digest::Digest, sid::Sid};

use crate::{
    index::Known,
    limits::{RENEWALS_REMEMBERED, RENEWALS_WAITING_MAX},
};

/// A digest to make anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The SID of the token.
    pub sid: Sid,
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
pub(crate) struct Renewals {
    waiting: Mutex<Vec<Renewal>>,
    /// What was offered last, by a few bits of the digest.
    offered: Box<[AtomicU64]>,
}

impl Renewals {
    pub(crate) fn new() -> Self {
        let offered = std::iter::repeat_with(AtomicU64::default).take(RENEWALS_REMEMBERED).collect();
        Self { waiting: Mutex::new(Vec::new()), offered }
    }

    /// Offers one. An ask never waits for another: while somebody else is here it is left to the next ask. A digest is
    /// offered once for a pepper, as far as is remembered; where it became another one meanwhile, that one is offered.
    #[allow(clippy::cast_possible_truncation, reason = "a few bytes of a tag are enough to tell tags apart")]
    pub(crate) fn offer(&self, known: &Known<'_>, former: Digest, present: Digest, pepper: u16) {
        // A few bytes are enough to tell a digest from the next one of the same secret.
        let mark = (known.tag() as u64) ^ u64::from(pepper);
        let offered = &self.offered[(known.tag() >> 64) as usize % self.offered.len()];
        if offered.load(Ordering::Relaxed) == mark {
            return;
        }
        let mut waiting = match self.waiting.try_lock() {
            Ok(waiting) => waiting,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if waiting.len() < RENEWALS_WAITING_MAX && offered.swap(mark, Ordering::Relaxed) != mark {
            waiting.push(Renewal { sid: known.sid, generation: known.generation, former, present, pepper });
        }
    }

    /// Takes at most so many.
    pub(crate) fn take(&self, limit: usize) -> Vec<Renewal> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = waiting.len().saturating_sub(limit);
        waiting.split_off(rest)
    }
}
