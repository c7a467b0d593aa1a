//! Rate limits of tokens: the generic cell rate algorithm (ITU-T I.371) in whole nanoseconds of the boot clock. One
//! word of state for a limit, no locks, no timers. It limits one node's use; sharing a limit between nodes is not here.

use std::{cmp::Reverse, sync::Arc};

use arc_swap::ArcSwap;
use countersign_model::{
    catalog::RateGroup,
    decision::{Denial, RateState},
    rate::RateLimit,
};

use crate::{
    limits::GROUPS_PER_TOKEN_MAX,
    sync::{AtomicU64, Ordering},
};

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// So many at once, and one more each interval. The interval is rounded up to a whole nanosecond: a limit is never
/// exceeded, and falls short by at most a nanosecond a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Quota {
    interval_nanos: u64,
    capacity_nanos: u64,
}

/// A limit and where its state is: the moment on the boot clock from which the whole limit is there again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauge<'g> {
    limit: RateLimit,
    quota: Quota,
    full_at: &'g AtomicU64,
}

/// A limit with a state of its own.
#[derive(Debug)]
pub(crate) struct Bucket {
    limit: RateLimit,
    quota: Quota,
    full_at: AtomicU64,
}

/// The buckets of the rate-limit groups a token has met, by the group's id. A token has one account kind for ever, so
/// the id is enough.
#[derive(Debug, Default)]
pub(crate) struct GroupBuckets(ArcSwap<Vec<GroupBucket>>);

#[derive(Debug, Clone)]
struct GroupBucket {
    group: Box<str>,
    bucket: Arc<Bucket>,
}

impl Quota {
    pub(crate) fn of(limit: RateLimit) -> Self {
        Self::new(limit.requests(), limit.window_secs())
    }

    pub(crate) fn new(requests: u32, window_secs: u32) -> Self {
        let window_nanos = u64::from(window_secs) * NANOS_PER_SEC;
        let interval_nanos = window_nanos.div_ceil(u64::from(requests.max(1)));
        Self { interval_nanos, capacity_nanos: interval_nanos * u64::from(requests) }
    }

    /// The state after one more request, or the nanoseconds until there is room for it.
    fn after_one(self, full_at: u64, now: u64) -> Result<u64, u64> {
        let next = full_at.max(now).saturating_add(self.interval_nanos);
        match next.saturating_sub(now).saturating_sub(self.capacity_nanos) {
            0 => Ok(next),
            wait => Err(wait),
        }
    }

    /// Takes one, or answers the nanoseconds until there is room for it and takes nothing.
    pub(crate) fn take(self, full_at: &AtomicU64, now: u64) -> Result<u64, u64> {
        let mut seen = full_at.load(Ordering::Acquire);
        loop {
            let next = self.after_one(seen, now)?;
            match full_at.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(next),
                Err(newer) => seen = newer,
            }
        }
    }

    fn remaining(self, full_at: u64, now: u64) -> u32 {
        let free = self.capacity_nanos.saturating_sub(full_at.saturating_sub(now));
        u32::try_from(free / self.interval_nanos.max(1)).unwrap_or(u32::MAX)
    }
}

impl Bucket {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self::resumed(limit, 0)
    }

    /// A limit whose state was elsewhere.
    pub(crate) fn resumed(limit: RateLimit, state: u64) -> Self {
        Self { limit, quota: Quota::of(limit), full_at: AtomicU64::new(state) }
    }

    pub(crate) fn gauge(&self) -> Gauge<'_> {
        Gauge { limit: self.limit, quota: self.quota, full_at: &self.full_at }
    }
}

impl<'g> Gauge<'g> {
    pub(crate) fn new((limit, quota): (RateLimit, Quota), full_at: &'g AtomicU64) -> Self {
        Self { limit, quota, full_at }
    }

    /// The state, for whoever puts it elsewhere.
    pub(crate) fn state(self) -> u64 {
        self.full_at.load(Ordering::Acquire)
    }

    fn would_refuse(self, now: u64) -> Option<u64> {
        self.quota.after_one(self.state(), now).err()
    }

    fn take(self, now: u64) -> Result<RateState, u64> {
        let full_at = self.quota.take(self.full_at, now)?;
        Ok(RateState {
            limit: self.limit,
            remaining: self.quota.remaining(full_at, now),
            reset_secs: whole_secs(full_at.saturating_sub(now)),
        })
    }

    fn give_back(self) {
        self.full_at.fetch_sub(self.quota.interval_nanos, Ordering::AcqRel);
    }

    fn refusal(self, wait_nanos: u64) -> Denial {
        Denial::RateLimited { retry_after_secs: whole_secs(wait_nanos), limit: self.limit }
    }
}

impl GroupBuckets {
    /// The bucket of this group. It starts anew when the catalog gave the group another limit.
    pub(crate) fn bucket(&self, group: &RateGroup) -> Arc<Bucket> {
        if let Some(bucket) = find(&self.0.load(), group) {
            return bucket;
        }
        let fresh =
            GroupBucket { group: group.id.as_str().into(), bucket: Arc::new(Bucket::new(group.limit)) };
        self.0.rcu(|known| {
            if find(known, group).is_some() { Arc::clone(known) } else { Arc::new(with(known, &fresh)) }
        });
        // Another thread may have been first; the one in the list is the one that counts.
        find(&self.0.load(), group).unwrap_or(fresh.bucket)
    }
}

fn find(known: &[GroupBucket], group: &RateGroup) -> Option<Arc<Bucket>> {
    let same = |one: &&GroupBucket| *one.group == *group.id && one.bucket.limit == group.limit;
    known.iter().find(same).map(|one| Arc::clone(&one.bucket))
}

fn with(known: &[GroupBucket], fresh: &GroupBucket) -> Vec<GroupBucket> {
    let others: Vec<&GroupBucket> = known.iter().filter(|one| one.group != fresh.group).collect();
    let surplus = (others.len() + 1).saturating_sub(GROUPS_PER_TOKEN_MAX);
    others.into_iter().skip(surplus).chain([fresh]).cloned().collect()
}

/// Takes one request from both limits or from neither, and tells the state of the tighter one. Where both refuse, the
/// longer wait is told.
pub(crate) fn take_both(
    own: Option<Gauge<'_>>,
    group: Option<Gauge<'_>>,
    now: u64,
) -> Result<Option<RateState>, Denial> {
    let waits =
        [own, group].into_iter().flatten().filter_map(|one| one.would_refuse(now).map(|wait| (wait, one)));
    if let Some((wait, gauge)) = waits.max_by_key(|(wait, _)| *wait) {
        return Err(gauge.refusal(wait));
    }
    let take = |gauge: Gauge<'_>| gauge.take(now).map_err(|wait| gauge.refusal(wait));
    let first = own.map(take).transpose()?;
    let second = match group.map(take).transpose() {
        Ok(second) => second,
        // Another thread took the last one since the look above; what was taken from the first goes back.
        Err(denial) => {
            own.into_iter().for_each(Gauge::give_back);
            return Err(denial);
        }
    };
    Ok([first, second].into_iter().flatten().min_by_key(|state| (state.remaining, Reverse(state.reset_secs))))
}

/// Nanoseconds as whole seconds, rounded up.
pub(crate) fn whole_secs(nanos: u64) -> u32 {
    u32::try_from(nanos.div_ceil(NANOS_PER_SEC)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(requests: u32, window_secs: u32) -> RateLimit {
        RateLimit::new(requests, window_secs).unwrap()
    }

    fn group(id: &str, limit: RateLimit) -> RateGroup {
        RateGroup { id: id.to_owned(), limit, enforced: true }
    }

    #[test]
    fn a_limit_is_all_there_at_once_and_comes_back_evenly() {
        let bucket = Bucket::new(limit(3, 60));
        let secs = |secs: u64| secs * NANOS_PER_SEC;
        let state =
            |remaining, reset_secs| Ok(Some(RateState { limit: limit(3, 60), remaining, reset_secs }));
        let refused = |retry_after_secs| Err(Denial::RateLimited { retry_after_secs, limit: limit(3, 60) });
        for (at, expected) in [
            (secs(100), state(2, 20)),
            (secs(100), state(1, 40)),
            (secs(100), state(0, 60)),
            (secs(100), refused(20)),
            (secs(119) + 1, refused(1)),
            (secs(120), state(0, 60)),
            (secs(120), refused(20)),
            (secs(500), state(2, 20)),
        ] {
            assert_eq!(take_both(Some(bucket.gauge()), None, at), expected, "at {at}");
        }
    }

    #[test]
    fn of_two_limits_the_tighter_is_told_and_a_refusal_takes_from_neither() {
        let (own, shared) = (Bucket::new(limit(5, 10)), Bucket::new(limit(2, 100)));
        let remaining = |result: Result<Option<RateState>, Denial>| result.unwrap().unwrap().remaining;
        assert_eq!(remaining(take_both(Some(own.gauge()), Some(shared.gauge()), 0)), 1);
        assert_eq!(remaining(take_both(Some(own.gauge()), Some(shared.gauge()), 0)), 0);
        for _ in 0..10 {
            let denial = take_both(Some(own.gauge()), Some(shared.gauge()), 0).unwrap_err();
            assert_eq!(denial, Denial::RateLimited { retry_after_secs: 50, limit: limit(2, 100) });
        }
        assert_eq!(
            remaining(take_both(Some(own.gauge()), None, 0)),
            2,
            "two were taken and one now, of five"
        );
        assert_eq!(take_both(None, None, 0), Ok(None));
    }

    #[test]
    fn groups_are_told_apart_and_bounded() {
        let buckets = GroupBuckets::default();
        let first = buckets.bucket(&group("reports", limit(1, 10)));
        assert!(Arc::ptr_eq(&first, &buckets.bucket(&group("reports", limit(1, 10)))));
        assert!(!Arc::ptr_eq(&first, &buckets.bucket(&group("exports", limit(1, 10)))));
        assert!(
            !Arc::ptr_eq(&first, &buckets.bucket(&group("reports", limit(2, 10)))),
            "another limit starts anew"
        );
        for number in 0..3 * GROUPS_PER_TOKEN_MAX {
            buckets.bucket(&group(&number.to_string(), limit(1, 10)));
        }
        assert_eq!(buckets.0.load().len(), GROUPS_PER_TOKEN_MAX);
    }

    #[test]
    fn threads_together_get_what_the_limit_says_and_no_more() {
        let (own, shared) = (Bucket::new(limit(1_000, 3_600)), Bucket::new(limit(700, 3_600)));
        let admitted: usize = std::thread::scope(|scope| {
            let ask = || {
                (0..1_000).filter(|_| take_both(Some(own.gauge()), Some(shared.gauge()), 0).is_ok()).count()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, 700);
        let left = (0..1_000).filter(|_| take_both(Some(own.gauge()), None, 0).is_ok()).count();
        assert_eq!(left, 300, "what the refused took was given back");
    }

    #[test]
    fn who_loses_the_last_one_to_another_thread_takes_nothing() {
        const ROUNDS: usize = 40_000;
        const THREADS: usize = 2;
        let pairs: Vec<_> =
            (0..ROUNDS).map(|_| (Bucket::new(limit(5, 60)), Bucket::new(limit(1, 60)))).collect();
        let arrived = AtomicU64::new(0);
        // All threads ask about the same pair at the same moment: often both look before either takes.
        let ask = || {
            for (round, (own, shared)) in pairs.iter().enumerate() {
                arrived.fetch_add(1, Ordering::SeqCst);
                while arrived.load(Ordering::SeqCst) < (THREADS * (round + 1)) as u64 {
                    std::thread::yield_now();
                }
                let _ = take_both(Some(own.gauge()), Some(shared.gauge()), 0);
            }
        };
        std::thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(ask))));
        for (own, shared) in &pairs {
            let left =
                |bucket: &Bucket| (0..9).filter(|_| take_both(Some(bucket.gauge()), None, 0).is_ok()).count();
            assert_eq!((left(own), left(shared)), (4, 0));
        }
    }

    /// The definition, and nothing else: a request is admitted when no stretch of time that ends with it holds more
    /// admissions than the capacity and the length of the stretch allow.
    fn oracle(admitted: &[u64], now: u64, interval: u128, capacity: u128) -> bool {
        let stretches = admitted.iter().enumerate().all(|(index, &start)| {
            let count = (admitted.len() - index + 1) as u128;
            count * interval <= capacity + u128::from(now - start)
        });
        stretches && interval <= capacity
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(
            requests in 1_u32..12,
            window_secs in 1_u32..5,
            start in 0_u64..1 << 50,
            steps in proptest::collection::vec(prop_oneof![Just(0), 0..2_000_000_000_u64, 0..200_000_000_u64], 1..80),
        ) {
            let bucket = Bucket::new(limit(requests, window_secs));
            let window = u128::from(window_secs) * u128::from(NANOS_PER_SEC);
            let interval = window.div_ceil(u128::from(requests));
            let (mut now, mut admitted) = (start, Vec::new());
            for step in steps {
                now += step;
                let expected = oracle(&admitted, now, interval, interval * u128::from(requests));
                match take_both(Some(bucket.gauge()), None, now) {
                    Ok(state) => {
                        prop_assert!(expected);
                        admitted.push(now);
                        // As many more as are told to remain are admitted at this moment, and not one more.
                        let mut more = admitted.clone();
                        for _ in 0..state.unwrap().remaining {
                            prop_assert!(oracle(&more, now, interval, interval * u128::from(requests)));
                            more.push(now);
                        }
                        prop_assert!(!oracle(&more, now, interval, interval * u128::from(requests)));
                    }
                    Err(Denial::RateLimited { retry_after_secs, .. }) => {
                        prop_assert!(!expected);
                        let later = now + u64::from(retry_after_secs) * NANOS_PER_SEC;
                        prop_assert!(oracle(&admitted, later, interval, interval * u128::from(requests)));
                    }
                    Err(other) => prop_assert!(false, "{:?}", other),
                }
                // Never above the rate as people read it: requests at once, and requests each window.
                let elapsed = u128::from(now - start);
                let most = u128::from(requests) + elapsed * u128::from(requests) / window;
                prop_assert!(admitted.len() as u128 <= most);
            }
        }

        #[test]
        fn no_numbers_make_it_overflow(requests in 1_u32..=1_000_000_000, window in 1_u32..=31 * 24 * 3600, now: u64, then: u64) {
            let bucket = Bucket::new(limit(requests, window));
            let _ = take_both(Some(bucket.gauge()), None, now);
            let _ = take_both(Some(bucket.gauge()), None, then);
        }
    }
}
