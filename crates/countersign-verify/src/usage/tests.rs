//! Counting, reporting, and what is left behind.

use std::{collections::BTreeMap, sync::atomic::AtomicBool};

use proptest::prelude::*;

use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::from([203, 0, 113, last])
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

/// A secret and the line its slot names.
struct Secret {
    mark: u64,
    sid: Sid,
    generation: u32,
    line: AtomicU64,
}

impl Secret {
    fn new(number: u64) -> Self {
        let sid = format!("BR{number}").parse().unwrap();
        Self { mark: number * 7, sid, generation: 2, line: AtomicU64::new(0) }
    }

    /// As [`Uses::note`] does it.
    fn count(&self, uses: &Uses, at: Timestamp, from: Option<IpAddr>, version: Option<u16>) {
        let one = One { seen: Seen { at, from }, version: version.map(ApiVersion) };
        let number = self.line.load(Ordering::Relaxed);
        if uses.lines.get(number).is_some_and(|line| line.count(self.mark, one)) {
            return;
        }
        let owner = Owner { mark: self.mark, sid: &self.sid, generation: self.generation };
        let begun = uses.begin(owner, one).unwrap();
        let _ = self.line.compare_exchange(number, begun.into(), Ordering::Relaxed, Ordering::Relaxed);
    }

    fn used(&self, at: Timestamp, from: Option<IpAddr>, uses: u64) -> Use {
        Use { sid: self.sid, generation: self.generation, at, from, uses, versions: Versions::default() }
    }
}

/// The words of a line, as a file would hold them.
fn words(uses: &Uses, number: u64) -> [u64; LINE_WORDS] {
    uses.lines.get(number).unwrap().words()
}

#[test]
fn counts_are_exact_and_moments_a_minute_apart() {
    let (uses, secret) = (Uses::new(), Secret::new(7));
    secret.count(&uses, at(100), Some(address(1)), None);
    secret.count(&uses, at(159), Some(address(2)), None);
    assert_eq!(uses.take(10), [secret.used(at(100), Some(address(1)), 2)]);
    secret.count(&uses, at(160), None, None);
    assert_eq!(uses.take(10), [secret.used(at(160), None, 1)]);
    let six = "2001:db8::5".parse().unwrap();
    secret.count(&uses, at(20), Some(six), None);
    assert_eq!(uses.take(10), [secret.used(at(20), Some(six), 1)]);
    for _ in 0..2 {
        assert_eq!(uses.take(10), []);
    }
    for version in [14, 13, 14] {
        secret.count(&uses, at(20), None, Some(version));
    }
    let taken = uses.take(10);
    assert_eq!(taken[0].versions.iter().collect::<Vec<_>>(), [ApiVersion(14), ApiVersion(13)]);
}

#[test]
fn a_longest_sid_and_the_highest_generation_have_room() {
    let uses = Uses::new();
    let sid = "z".repeat(64).parse().unwrap();
    let secret = Secret { sid, generation: GENERATION_MAX, ..Secret::new(1) };
    secret.count(&uses, at(1), None, None);
    assert_eq!(uses.take(1), [secret.used(at(1), None, 1)]);
    let one = One { seen: Seen { at: at(1), from: None }, version: None };
    let owner = Owner { mark: 1, sid: &secret.sid, generation: GENERATION_MAX + 1 };
    assert_eq!((uses.begin(owner, one), uses.missed()), (None, 1));
}

#[test]
fn no_more_than_asked_for_and_the_rest_later() {
    let uses = Uses::new();
    for number in 0..10 {
        Secret::new(number).count(&uses, at(1), None, None);
    }
    let mut tokens: Vec<_> =
        [4, 4, 4].iter().flat_map(|&limit| uses.take(limit)).map(|one| one.sid).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 10);
    assert_eq!(uses.report(1, 3, 10).len(), 0, "all are written");
}

/// An idle line becomes another secret's; the one that had it begins a new one.
#[test]
fn lines_are_used_again() {
    let uses = Uses::new();
    let secrets: Vec<_> = (1..=50).map(Secret::new).collect();
    for round in 0..20 {
        for secret in &secrets[..25] {
            secret.count(&uses, at(round), None, None);
        }
        assert_eq!(uses.take(100).len(), 25);
        assert!(uses.take(100).is_empty());
        for secret in &secrets[25..] {
            secret.count(&uses, at(round), None, None);
        }
        let taken = uses.take(100);
        assert_eq!(taken.len(), 25);
        assert!(
            taken.iter().all(|one| one.uses == 1 && secrets[25..].iter().any(|secret| secret.sid == one.sid))
        );
        assert!(uses.take(100).is_empty());
    }
    assert_eq!(uses.lines(), 25);
}

/// Whether the crash comes before, while or after a report is written, what is left is what was not written.
#[test]
fn what_is_left_behind_is_what_was_not_written() {
    let (uses, secret) = (Uses::new(), Secret::new(3));
    let left = |report| left_behind(&words(&uses, 1), report).unwrap().map_or(0, |one| one.uses);
    for _ in 0..5 {
        secret.count(&uses, at(9), Some(address(1)), Some(4));
    }
    assert_eq!(left(0), 5);
    assert_eq!(uses.report(1, 10, 10)[0].uses, 5);
    secret.count(&uses, at(9), None, None);
    assert_eq!((left(0), left(1)), (6, 1), "the report was not written, or was");
    uses.settle();
    assert_eq!((left(0), left(1)), (1, 1));
    assert_eq!(uses.report(2, 10, 10)[0].uses, 1);
    assert_eq!((left(1), left(2)), (1, 0));
    let one = left_behind(&words(&uses, 1), 1).unwrap().unwrap();
    assert_eq!((one.sid, one.generation, one.at, one.from), (secret.sid, 2, at(9), Some(address(1))));
    let mut torn = words(&uses, 1);
    torn[8] ^= 1;
    assert_eq!(left_behind(&torn, 1), Err(TornLine));
}

#[test]
fn nothing_is_lost_or_counted_twice_while_reports_are_taken() {
    const EACH: u32 = 20_000;
    let (uses, done) = (Uses::new(), AtomicBool::new(false));
    let secret = Secret::new(1);
    let taken = std::thread::scope(|scope| {
        let reporter = scope.spawn(|| {
            let mut sum = 0;
            while !done.load(Ordering::Acquire) {
                sum += uses.take(10).iter().map(|one| one.uses).sum::<u64>();
            }
            sum
        });
        let users: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| (0..EACH).for_each(|secs| secret.count(&uses, at(secs.into()), None, Some(1))))
            })
            .collect();
        for user in users {
            user.join().unwrap();
        }
        done.store(true, Ordering::Release);
        reporter.join().unwrap()
    });
    let rest: u64 = uses.take(10).iter().map(|one| one.uses).sum();
    assert_eq!(taken + rest, 3 * u64::from(EACH));
}

proptest! {
    /// Uses, reports, settlements and crashes in any order against a map of numbers.
    #[test]
    fn lines_count_as_a_map_does(steps in prop::collection::vec((0_u8..8, 0_u64..6, 1_u64..40), 1..400)) {
        let uses = Uses::new();
        let secrets: Vec<_> = (0..6).map(Secret::new).collect();
        let (mut made, mut written) = (BTreeMap::<Sid, u64>::new(), BTreeMap::<Sid, u64>::new());
        let (mut number, mut secs) = (1_u64, 1_000);
        for (step, which, many) in steps {
            match step {
                0..=4 => {
                    let secret = &secrets[usize::try_from(which).unwrap()];
                    for _ in 0..many {
                        secret.count(&uses, at(secs), Some(address(1)), Some(1));
                    }
                    *made.entry(secret.sid).or_default() += many;
                }
                5 => secs += 30,
                _ => {
                    let report = uses.report(number, many, 3);
                    // A crash before it is written: everything is left. One after: all but this.
                    let was = total(&written);
                    prop_assert_eq!(uses.left_behind(number - 1), total(&made) - was);
                    for one in &report {
                        *written.entry(one.sid).or_default() += one.uses;
                    }
                    prop_assert_eq!(uses.left_behind(number), total(&made) - total(&written));
                    uses.settle();
                    prop_assert_eq!(uses.left_behind(number), total(&made) - total(&written));
                    number += 1;
                }
            }
        }
        for one in uses.take(100) {
            *written.entry(one.sid).or_default() += one.uses;
        }
        prop_assert_eq!(made, written);
    }
}

fn total(counts: &BTreeMap<Sid, u64>) -> u64 {
    counts.values().sum()
}
