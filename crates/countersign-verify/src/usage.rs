//! When, from where, in which API versions and how often secrets were used. A use is an allowed ask. Counting never waits: a relaxed add, and
//! once a minute a pointer swap. Nothing here is on the way of a denial, and nothing is written to a store from here.

use std::{net::IpAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use countersign_model::{api_version::ApiVersion, sid::Sid, time::Timestamp};

use crate::{
    Versions,
    index::Known,
    limits::USE_RESOLUTION_SECS,
    sync::{AtomicU64, Ordering},
    versions::VersionSlots,
};

/// Uses of one secret since they were last taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The SID of the token.
    pub sid: Sid,
    /// The generation of the secret.
    pub generation: u32,
    /// When it was last used, at most 60 seconds too early.
    pub at: Timestamp,
    /// From where it was used at that moment, where the door knew.
    pub from: Option<IpAddr>,
    /// How often, exactly.
    pub uses: u64,
    /// The versions in effect of requests; asks that are none, such as `whoami`, have no version.
    pub versions: Versions,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Timestamp,
    from: Option<IpAddr>,
}

/// The uses of one secret.
#[derive(Debug)]
pub(crate) struct Usage {
    sid: Sid,
    generation: u32,
    count: AtomicU64,
    last: ArcSwapOption<Seen>,
    versions: VersionSlots,
}

/// The secrets that were used lately, by the tags of their digests. One that a report finds idle is forgotten.
pub(crate) struct Uses(papaya::HashMap<u128, Arc<Usage>>);

/// The count of a secret that was forgotten. Who finds it begins anew.
const FORGOTTEN: u64 = 1 << 63;

impl Usage {
    fn new(sid: Sid, generation: u32) -> Self {
        let versions = VersionSlots::default();
        Self { sid, generation, count: AtomicU64::new(0), last: ArcSwapOption::empty(), versions }
    }

    /// Counts one use; whether it is counted.
    fn note(&self, at: Timestamp, from: Option<IpAddr>, version: Option<ApiVersion>) -> bool {
        // Moment and version are written before the count, so whoever takes the count finds what belongs to it.
        if is_due(self.last.load().as_deref(), at) {
            let seen = Arc::new(Seen { at, from });
            self.last
                .rcu(|last| if is_due(last.as_deref(), at) { Some(Arc::clone(&seen)) } else { last.clone() });
        }
        if let Some(version) = version {
            self.versions.note(version);
        }
        self.count.fetch_add(1, Ordering::AcqRel) < FORGOTTEN
    }

    /// Takes what was counted.
    fn take(&self) -> Option<Use> {
        let uses = self.count.load(Ordering::Acquire);
        if uses == 0 {
            return None;
        }
        self.count.fetch_sub(uses, Ordering::AcqRel);
        let versions = self.versions.take();
        let &Seen { at, from } = self.last.load().as_deref()?;
        Some(Use { sid: self.sid, generation: self.generation, at, from, uses, versions })
    }
}

impl Uses {
    pub(crate) fn new() -> Self {
        Self(papaya::HashMap::new())
    }

    /// Counts one use, in the version in effect where it is one of the API.
    pub(crate) fn note(
        &self,
        known: &Known<'_>,
        at: Timestamp,
        (from, version): (Option<IpAddr>, Option<ApiVersion>),
    ) {
        self.count((known.tag(), &known.sid, known.generation), at, (from, version));
    }

    fn count(
        &self,
        (tag, sid, generation): (u128, &Sid, u32),
        at: Timestamp,
        (from, version): (Option<IpAddr>, Option<ApiVersion>),
    ) {
        let map = self.0.pin();
        loop {
            let usage = map.get_or_insert_with(tag, || Arc::new(Usage::new(*sid, generation)));
            if usage.note(at, from, version) {
                return;
            }
            // It was forgotten at this moment; another one takes its place.
            let _ = map.remove_if(&tag, |_, found| Arc::ptr_eq(found, usage));
        }
    }

    /// Takes what was counted, of at most so many secrets.
    pub(crate) fn take(&self, limit: usize) -> Vec<Use> {
        let map = self.0.pin();
        let mut taken = Vec::new();
        for (tag, usage) in &map {
            if taken.len() == limit {
                break;
            }
            if let Some(one) = usage.take() {
                taken.push(one);
                continue;
            }
            // Forgotten first: whoever counts on it after that finds out and begins anew.
            let idle = usage.count.compare_exchange(0, FORGOTTEN, Ordering::AcqRel, Ordering::Acquire);
            if idle.is_ok() {
                let _ = map.remove_if(tag, |_, found| Arc::ptr_eq(found, usage));
            }
        }
        taken
    }
}

/// Whether the last use is too old to stand for this one, or so far ahead that the clock was set back.
fn is_due(last: Option<&Seen>, at: Timestamp) -> bool {
    last.is_none_or(|seen| {
        seen.at.unix_millis().abs_diff(at.unix_millis()) >= USE_RESOLUTION_SECS.unsigned_abs() * 1_000
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    #[test]
    fn counts_are_exact_and_moments_a_minute_apart() {
        let (unreported, sid) = (Uses::new(), "BR7".parse().unwrap());
        let usage = (7, &sid, 2);
        let at = Timestamp::from_unix_secs;
        for (secs, last) in [(100, 1), (159, 2)] {
            unreported.count(usage, at(secs), (Some(address(last)), None));
        }
        let versions = Versions::default();
        let expected = Use { sid, generation: 2, at: at(100), from: Some(address(1)), uses: 2, versions };
        assert_eq!(unreported.take(10), [expected]);
        assert_eq!(unreported.take(10), []);
        unreported.count(usage, at(160), (None, None));
        assert_eq!(unreported.take(10), [Use { at: at(160), from: None, uses: 1, ..expected }]);
        unreported.count(usage, at(20), (Some(address(3)), None));
        assert_eq!(unreported.take(10), [Use { at: at(20), from: Some(address(3)), uses: 1, ..expected }]);
        for version in [14, 13, 14] {
            unreported.count(usage, at(20), (None, Some(ApiVersion(version))));
        }
        let taken = unreported.take(10);
        assert_eq!(taken[0].versions.iter().collect::<Vec<_>>(), [ApiVersion(14), ApiVersion(13)]);
    }

    #[test]
    fn no_more_than_asked_for_and_the_rest_later() {
        let unreported = Uses::new();
        for number in 0..10 {
            let sid = format!("BR{number}").parse().unwrap();
            unreported.count((number, &sid, 1), Timestamp::from_unix_secs(1), (None, None));
        }
        let mut tokens: Vec<_> =
            [4, 4, 4].iter().flat_map(|&limit| unreported.take(limit)).map(|one| one.sid).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 10);
    }

    #[test]
    fn nothing_is_lost_or_counted_twice_while_reports_are_taken() {
        const EACH: u64 = 20_000;
        let (unreported, done) = (Uses::new(), AtomicBool::new(false));
        let sid = "BR1".parse().unwrap();
        let usage = (1, &sid, 1);
        let taken = std::thread::scope(|scope| {
            let reporter = scope.spawn(|| {
                let mut sum = 0;
                while !done.load(Ordering::Acquire) {
                    sum += unreported.take(10).iter().map(|one| one.uses).sum::<u64>();
                }
                sum
            });
            let users: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        for millis in 0..EACH {
                            let at = Timestamp::from_unix_secs(millis.cast_signed());
                            unreported.count(usage, at, (None, None));
                        }
                    })
                })
                .collect();
            for user in users {
                user.join().unwrap();
            }
            done.store(true, Ordering::Release);
            reporter.join().unwrap()
        });
        let rest: u64 = unreported.take(10).iter().map(|one| one.uses).sum();
        assert_eq!(taken + rest, 3 * EACH);
    }
}
