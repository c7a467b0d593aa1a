//! In which API versions a secret was used since that was last reported: a few slots, without a lock. Somebody who uses
//! one version, as nearly everybody does, costs one load.

use std::sync::atomic::{AtomicU16, Ordering};

use countersign_model::api_version::ApiVersion;

use crate::limits::VERSIONS_PER_REPORT_MAX;

/// No version has this number.
const EMPTY: u16 = 0;

/// API versions that were in effect; the numbers of a catalog, so never 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Versions([u16; VERSIONS_PER_REPORT_MAX]);

/// The same while they are noted.
#[derive(Debug, Default)]
pub(crate) struct VersionSlots([AtomicU16; VERSIONS_PER_REPORT_MAX]);

impl Versions {
    /// Each of them once, in no order.
    pub fn iter(&self) -> impl Iterator<Item = ApiVersion> + '_ {
        self.0.iter().filter(|number| **number != EMPTY).map(|number| ApiVersion(*number))
    }
}

impl VersionSlots {
    /// Notes a version. Where all slots hold others it is passed over: its next use after the report is noted.
    pub(crate) fn note(&self, version: ApiVersion) {
        for slot in &self.0 {
            // Most versions are there already, and a load shares the line with other readers.
            let held = match slot.load(Ordering::Acquire) {
                EMPTY => slot
                    .compare_exchange(EMPTY, version.0, Ordering::AcqRel, Ordering::Acquire)
                    .map_or_else(|held| held, |_| version.0),
                held => held,
            };
            if held == version.0 {
                return;
            }
        }
    }

    /// Takes what was noted.
    pub(crate) fn take(&self) -> Versions {
        let mut taken = Versions::default();
        for (slot, number) in self.0.iter().zip(&mut taken.0) {
            *number = slot.swap(EMPTY, Ordering::AcqRel);
        }
        // Two may have noted one version in two slots, where a report was taken in between.
        for index in 1..taken.0.len() {
            if taken.0[..index].contains(&taken.0[index]) {
                taken.0[index] = EMPTY;
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;

    fn numbers(versions: Versions) -> Vec<u16> {
        versions.iter().map(|version| version.0).collect()
    }

    #[test]
    fn each_version_once_and_no_more_than_there_are_slots() {
        let slots = VersionSlots::default();
        assert_eq!(numbers(slots.take()), []);
        for version in [14, 13, 14, 14, 13] {
            slots.note(ApiVersion(version));
        }
        assert_eq!(numbers(slots.take()), [14, 13]);
        assert_eq!(numbers(slots.take()), []);
        for version in 1..=20 {
            slots.note(ApiVersion(version));
        }
        let first: Vec<u16> = (1..=20).take(VERSIONS_PER_REPORT_MAX).collect();
        assert_eq!(numbers(slots.take()), first);
        slots.note(ApiVersion(20));
        assert_eq!(numbers(slots.take()), [20]);
    }

    #[test]
    fn nothing_is_lost_while_reports_are_taken() {
        let (slots, done) = (VersionSlots::default(), AtomicBool::new(false));
        let rounds = 2_000;
        for round in 0..rounds {
            done.store(false, Ordering::Release);
            let mut seen: BTreeSet<u16> = std::thread::scope(|scope| {
                let reporter = scope.spawn(|| {
                    let mut seen = BTreeSet::new();
                    while !done.load(Ordering::Acquire) {
                        let taken = numbers(slots.take());
                        assert_eq!(
                            taken.iter().collect::<BTreeSet<_>>().len(),
                            taken.len(),
                            "twice in one report"
                        );
                        seen.extend(taken);
                    }
                    seen
                });
                let users = [3, 5].map(|first| {
                    let slots = &slots;
                    scope
                        .spawn(move || (first..first + 3).for_each(|version| slots.note(ApiVersion(version))))
                });
                for user in users {
                    user.join().unwrap();
                }
                done.store(true, Ordering::Release);
                reporter.join().unwrap()
            });
            seen.extend(numbers(slots.take()));
            assert_eq!(seen, BTreeSet::from([3, 4, 5, 6, 7]), "round {round}");
        }
    }
}
