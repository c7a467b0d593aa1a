//! Failing credentials, counted by address, so that guessing is slow and a flood of garbage is cheap. A fixed table of
//! counters without locks: it never grows, never waits, and never touches a credential that is right.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
};

use countersign_model::{address::counting_unit, time::Now};

use crate::{
    limit::{Quota, whole_secs},
    limits::{FAILURE_ADDRESSES_MAX, FAILURE_WAYS},
    settings::FailureLimit,
    sync::{AtomicU64, Ordering},
};

/// An empty counter has this tag; addresses never do.
const EMPTY: u64 = 0;

struct Counter {
    tag: AtomicU64,
    forgiven_at: AtomicU64,
}

/// Counters of failures. An address has a few places to land in; when all are taken, the one that is soonest forgiven
/// makes room. So an attacker with more than 65,536 addresses can shorten counts, and no other can.
pub(crate) struct Failures {
    // Randomly keyed, so that nobody can choose addresses that push out one another.
    hasher: RandomState,
    quota: Quota,
    counters: Box<[Counter]>,
}

impl Failures {
    pub(crate) fn new(limit: FailureLimit) -> Self {
        let counter = || Counter { tag: AtomicU64::new(EMPTY), forgiven_at: AtomicU64::new(0) };
        Self {
            hasher: RandomState::new(),
            quota: Quota::new(limit.per_window, limit.window_secs),
            counters: std::iter::repeat_with(counter).take(FAILURE_ADDRESSES_MAX).collect(),
        }
    }

    /// Counts a failure of this address; the seconds to wait when it had too many.
    pub(crate) fn count(&self, address: IpAddr, now: Now) -> Option<u32> {
        let counter = self.counter(counting_unit(address));
        self.quota.take(&counter.forgiven_at, now.boot_nanos).err().map(whole_secs)
    }

    /// The counter of this address. Two threads that meet here for the first time may each take a place, or push out
    /// one another; then a few failures are counted less, which an answer of 401 instead of 429 shows and nothing else.
    fn counter(&self, unit: IpAddr) -> &Counter {
        let tag = self.hasher.hash_one(unit).max(EMPTY + 1);
        let sets = self.counters.len() / FAILURE_WAYS;
        let set = usize::try_from(tag >> 32).unwrap_or(0) % sets;
        let ways = &self.counters[set * FAILURE_WAYS..][..FAILURE_WAYS];
        if let Some(known) = ways.iter().find(|counter| counter.tag.load(Ordering::Relaxed) == tag) {
            return known;
        }
        let soonest = |counter: &&Counter| counter.forgiven_at.load(Ordering::Relaxed);
        let counter = ways.iter().min_by_key(soonest).unwrap_or(&ways[0]);
        counter.forgiven_at.store(0, Ordering::Relaxed);
        counter.tag.store(tag, Ordering::Relaxed);
        counter
    }
}

#[cfg(test)]
mod tests {
    use countersign_model::time::Timestamp;

    use super::*;

    fn at(secs: u64) -> Now {
        Now { wall: Timestamp::from_unix_millis(0), boot_nanos: secs * 1_000_000_000 }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn over_the_limit_an_address_waits_and_others_do_not() {
        let failures = Failures::new(FailureLimit { per_window: 3, window_secs: 60 });
        for _ in 0..3 {
            assert_eq!(failures.count(ip("203.0.113.5"), at(10)), None);
        }
        assert_eq!(failures.count(ip("203.0.113.5"), at(10)), Some(20));
        assert_eq!(failures.count(ip("::ffff:203.0.113.5"), at(11)), Some(19), "the same address, mapped");
        assert_eq!(failures.count(ip("203.0.113.6"), at(10)), None);
        assert_eq!(failures.count(ip("203.0.113.5"), at(30)), None);
        assert_eq!(failures.count(ip("203.0.113.5"), at(31)), Some(19));
        for _ in 0..3 {
            assert_eq!(failures.count(ip("203.0.113.5"), at(100)), None);
        }
    }

    #[test]
    fn ipv6_is_counted_by_64_bits() {
        let failures = Failures::new(FailureLimit { per_window: 1, window_secs: 60 });
        assert_eq!(failures.count(ip("2001:db8::1"), at(0)), None);
        assert_eq!(failures.count(ip("2001:db8::ffff:1"), at(0)), Some(60));
        assert_eq!(failures.count(ip("2001:db8:0:1::1"), at(0)), None);
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_room_and_pushes_out_the_forgiven_first() {
        let failures = Failures::new(FailureLimit { per_window: 100, window_secs: 100 });
        // This address owes much more than any of the flood, so it stays.
        for _ in 0..100 {
            assert_eq!(failures.count(ip("203.0.113.5"), at(0)), None);
        }
        let first = u32::from_be_bytes([10, 0, 0, 0]);
        for number in 0..4 * u32::try_from(FAILURE_ADDRESSES_MAX).unwrap() {
            let address = IpAddr::from((first + number).to_be_bytes());
            assert_eq!(failures.count(address, at(0)), None);
            if number % 65_536 == 0 {
                assert!(failures.count(ip("203.0.113.5"), at(0)).is_some());
            }
        }
        assert_eq!(failures.counters.len(), FAILURE_ADDRESSES_MAX);
    }
}
