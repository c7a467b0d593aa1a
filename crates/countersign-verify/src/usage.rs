//! When, from where, in which API versions and how often secrets were used. A use is an allowed ask. Counting never waits: a relaxed add, and
//! once a minute a pointer swap. Nothing here is on the way of a denial, and nothing is written to a store from here.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use countersign_model::{api_version::ApiVersion, id::TokenId, time::Timestamp};

use crate::{Versions, limits::USE_RESOLUTION_SECS, versions::VersionSlots};

/// Uses of one secret since they were last taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// The token.
    pub token: TokenId,
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

/// The uses of one secret. Shared by every edit of its token.
#[derive(Debug)]
pub(crate) struct Usage {
    token: TokenId,
    generation: u32,
    count: AtomicU64,
    last: ArcSwapOption<Seen>,
    versions: VersionSlots,
    /// The digest and pepper it was last offered to be made anew for.
    renewal: AtomicU64,
}

/// The secrets that were used since they were last reported: at most one entry for each.
pub(crate) struct Unreported(papaya::HashMap<(TokenId, u32), Arc<Usage>>);

impl Usage {
    pub(crate) fn new(token: TokenId, generation: u32) -> Self {
        let versions = VersionSlots::default();
        Self {
            token,
            generation,
            count: AtomicU64::new(0),
            last: ArcSwapOption::empty(),
            versions,
            renewal: AtomicU64::new(0),
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    pub(crate) fn renewal(&self) -> u64 {
        self.renewal.load(Ordering::Relaxed)
    }

    /// Notes that its digest is offered to be made anew; answers whether nobody did before.
    pub(crate) fn note_renewal(&self, mark: u64) -> bool {
        self.renewal.swap(mark, Ordering::Relaxed) != mark
    }
}

impl Unreported {
    pub(crate) fn new() -> Self {
        Self(papaya::HashMap::new())
    }

    /// Counts one use, in the version in effect where it is one of the API.
    pub(crate) fn note(
        &self,
        usage: &Arc<Usage>,
        at: Timestamp,
        (from, version): (Option<IpAddr>, Option<ApiVersion>),
    ) {
        // Moment and version are written before the count, so whoever takes the count finds what belongs to it.
        if is_due(usage.last.load().as_deref(), at) {
            let seen = Arc::new(Seen { at, from });
            usage
                .last
                .rcu(|last| if is_due(last.as_deref(), at) { Some(Arc::clone(&seen)) } else { last.clone() });
        }
        if let Some(version) = version {
            usage.versions.note(version);
        }
        // Only the first use after a report enters the map; the others cost one add.
        if usage.count.fetch_add(1, Ordering::AcqRel) == 0 {
            self.0.pin().insert((usage.token, usage.generation), Arc::clone(usage));
        }
    }

    /// Takes what was counted, of at most so many secrets.
    pub(crate) fn take(&self, limit: usize) -> Vec<Use> {
        let map = self.0.pin();
        let some: Vec<Arc<Usage>> = map.iter().take(limit).map(|(_, usage)| Arc::clone(usage)).collect();
        some.iter()
            .filter_map(|usage| {
                // Out of the map first: a use after the count is taken finds zero and enters the map again.
                map.remove(&(usage.token, usage.generation));
                let uses = usage.count.swap(0, Ordering::AcqRel);
                if uses == 0 {
                    return None;
                }
                let versions = usage.versions.take();
                let last = usage.last.load();
                let &Seen { at, from } = last.as_deref()?;
                Some(Use { token: usage.token, generation: usage.generation, at, from, uses, versions })
            })
            .collect()
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
        let (unreported, id) = (Unreported::new(), TokenId::from_u128(7));
        let usage = Arc::new(Usage::new(id, 2));
        let at = Timestamp::from_unix_secs;
        for (secs, last) in [(100, 1), (159, 2)] {
            unreported.note(&usage, at(secs), (Some(address(last)), None));
        }
        let versions = Versions::default();
        let expected =
            Use { token: id, generation: 2, at: at(100), from: Some(address(1)), uses: 2, versions };
        assert_eq!(unreported.take(10), [expected]);
        assert_eq!(unreported.take(10), []);
        unreported.note(&usage, at(160), (None, None));
        assert_eq!(unreported.take(10), [Use { at: at(160), from: None, uses: 1, ..expected }]);
        unreported.note(&usage, at(20), (Some(address(3)), None));
        assert_eq!(unreported.take(10), [Use { at: at(20), from: Some(address(3)), uses: 1, ..expected }]);
        for version in [14, 13, 14] {
            unreported.note(&usage, at(20), (None, Some(ApiVersion(version))));
        }
        let taken = unreported.take(10);
        assert_eq!(taken[0].versions.iter().collect::<Vec<_>>(), [ApiVersion(14), ApiVersion(13)]);
    }

    #[test]
    fn no_more_than_asked_for_and_the_rest_later() {
        let unreported = Unreported::new();
        for number in 0..10 {
            let usage = Arc::new(Usage::new(TokenId::from_u128(number), 1));
            unreported.note(&usage, Timestamp::from_unix_secs(1), (None, None));
        }
        let mut tokens: Vec<_> =
            [4, 4, 4].iter().flat_map(|&limit| unreported.take(limit)).map(|one| one.token).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), 10);
    }

    #[test]
    fn nothing_is_lost_or_counted_twice_while_reports_are_taken() {
        const EACH: u64 = 20_000;
        let (unreported, done) = (Unreported::new(), AtomicBool::new(false));
        let usage = Arc::new(Usage::new(TokenId::from_u128(1), 1));
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
                            unreported.note(&usage, at, (None, None));
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
