//! Slows failed sign-ins down, by address, by e-mail address and by known device, and what holders of a token may revoke
//! again and again. Counters are in memory and of a fixed number; the count that stops a guesser for good is the person's
//! own, in the store.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use countersign_model::{address::counting_unit, digest::Digest, id::TokenId, time::Now};

use super::attempts::Attempts;
use crate::limits::{
    REVOCATION_BURST, REVOCATION_FORGIVE_SECS, SIGN_IN_ADDRESS_BURST, SIGN_IN_ADDRESS_FORGIVE_SECS,
    SIGN_IN_COUNTERS_MAX, SIGN_IN_PERSON_BURST, SIGN_IN_PERSON_FORGIVE_SECS,
};

/// Counters an attempt may land in.
const WAYS: usize = 8;
const NANOS: u64 = 1_000_000_000;

/// What attempts are counted by.
#[derive(Debug, Clone, Copy)]
pub enum Counted<'a> {
    /// The caller's address (IPv6 by /64).
    Address(IpAddr),
    /// The e-mail address that was tried, whether or not it is anybody's.
    Email(&'a str),
    /// A device that signed in as this person before.
    Device(Digest),
    /// A token whose holders end its access tokens.
    Revocation(TokenId),
}

/// The counters.
pub struct SignInThrottle {
    // Randomly keyed, so that nobody can choose addresses that push out one another.
    hasher: RandomState,
    counters: Mutex<Vec<Counter>>,
    /// Attempts by callers we do not know, until they are summed into the audit trail.
    pub attempts: Attempts,
}

/// Whose, and when all is forgiven: each failure adds its time (a leaky bucket).
#[derive(Clone, Copy, Default)]
struct Counter {
    tag: u64,
    forgiven_at: u64,
}

impl Default for SignInThrottle {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            counters: Mutex::new(vec![Counter::default(); SIGN_IN_COUNTERS_MAX]),
            attempts: Attempts::default(),
        }
    }
}

impl Counted<'_> {
    /// Attempts in a row, and the nanoseconds after which one is forgiven.
    fn quota(self) -> (u64, u64) {
        let (burst, secs) = match self {
            Self::Address(_) => (SIGN_IN_ADDRESS_BURST, SIGN_IN_ADDRESS_FORGIVE_SECS),
            Self::Email(_) | Self::Device(_) => (SIGN_IN_PERSON_BURST, SIGN_IN_PERSON_FORGIVE_SECS),
            Self::Revocation(_) => (REVOCATION_BURST, REVOCATION_FORGIVE_SECS),
        };
        (u64::from(burst), u64::from(secs) * NANOS)
    }
}

impl SignInThrottle {
    /// Counts an attempt before it is tried, so that many at once cannot pass together; the seconds to wait where there
    /// were too many.
    pub fn take(&self, counted: Counted<'_>, now: Now) -> Result<(), u32> {
        let (burst, step) = counted.quota();
        self.with(counted, |counter| {
            let owed = counter.forgiven_at.saturating_sub(now.boot_nanos);
            let room = burst * step;
            if owed + step > room {
                return Err(u32::try_from((owed + step - room).div_ceil(NANOS)).unwrap_or(u32::MAX));
            }
            counter.forgiven_at = now.boot_nanos + owed + step;
            Ok(())
        })
    }

    /// Takes one attempt back: it was right.
    pub fn give_back(&self, counted: Counted<'_>) {
        let (_, step) = counted.quota();
        self.with(counted, |counter| counter.forgiven_at = counter.forgiven_at.saturating_sub(step));
    }

    /// Forgets all attempts: the person proved themselves.
    pub fn forget(&self, counted: Counted<'_>) {
        self.with(counted, |counter| counter.forgiven_at = 0);
    }

    fn with<T>(&self, counted: Counted<'_>, act: impl FnOnce(&mut Counter) -> T) -> T {
        let tag = match counted {
            Counted::Address(address) => self.hasher.hash_one((0_u8, counting_unit(address))),
            Counted::Email(email) => self.hasher.hash_one((1_u8, email)),
            Counted::Device(device) => self.hasher.hash_one((2_u8, device.as_bytes())),
            Counted::Revocation(token) => self.hasher.hash_one((3_u8, token)),
        };
        let tag = tag.max(1);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let set = usize::try_from(tag >> 32).unwrap_or(0) % (counters.len() / WAYS) * WAYS;
        let ways = &mut counters[set..set + WAYS];
        let known = ways.iter().position(|counter| counter.tag == tag);
        let place = known.unwrap_or_else(|| {
            let soonest = (0..WAYS).min_by_key(|&way| ways[way].forgiven_at).unwrap_or(0);
            ways[soonest] = Counter { tag, forgiven_at: 0 };
            soonest
        });
        act(&mut ways[place])
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::time::Timestamp;

    use super::*;

    fn at(secs: u64) -> Now {
        Now { wall: Timestamp::from_unix_secs(0), boot_nanos: secs * NANOS }
    }

    #[test]
    fn an_e_mail_address_waits_after_its_burst_and_is_forgiven_slowly() {
        let throttle = SignInThrottle::default();
        for attempt in 0..SIGN_IN_PERSON_BURST {
            assert_eq!(throttle.take(Counted::Email("a@example.com"), at(1)), Ok(()), "{attempt}");
        }
        assert_eq!(throttle.take(Counted::Email("a@example.com"), at(1)), Err(SIGN_IN_PERSON_FORGIVE_SECS));
        assert_eq!(throttle.take(Counted::Email("b@example.com"), at(1)), Ok(()), "another");
        let later = 1 + u64::from(SIGN_IN_PERSON_FORGIVE_SECS);
        assert_eq!(throttle.take(Counted::Email("a@example.com"), at(later)), Ok(()));
        assert!(throttle.take(Counted::Email("a@example.com"), at(later)).is_err());
        throttle.forget(Counted::Email("a@example.com"));
        assert_eq!(throttle.take(Counted::Email("a@example.com"), at(later)), Ok(()));
    }

    #[test]
    fn a_right_attempt_costs_its_address_nothing() {
        let throttle = SignInThrottle::default();
        let address: IpAddr = "203.0.113.5".parse().unwrap();
        for _ in 0..10 * SIGN_IN_ADDRESS_BURST {
            assert_eq!(throttle.take(Counted::Address(address), at(1)), Ok(()));
            throttle.give_back(Counted::Address(address));
        }
    }
}
