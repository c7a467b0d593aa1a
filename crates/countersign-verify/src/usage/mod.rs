//! When, from where, in which API versions and how often secrets were used. A use is an allowed ask. Counting never waits: a
//! compare-and-swap in a line that only this secret has. Nothing here is on the way of a denial, and nothing is written
//! to a store from here: what was counted is reported, and settled once whoever took the report has written it.
//!
//! Measured against a map of counters (`papaya`): that was the largest part of a decision.

mod line;
mod lines;
mod versions;

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use countersign_model::{api_version::ApiVersion, sid::Sid, time::Timestamp};

use self::{
    line::{GENERATION_MAX, One, Owner, Visited},
    lines::Lines,
};
pub use self::{
    line::{LINE_WORDS, TornLine, left_behind},
    lines::UseMemory,
    versions::Versions,
};
use crate::{
    index::Known,
    sync::{AtomicU64, Ordering},
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

/// When a secret was last used, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When, at most 60 seconds too early.
    pub at: Timestamp,
    /// From where, where the door knew.
    pub from: Option<IpAddr>,
}

/// The secrets that were used lately. One that a report finds idle is forgotten.
pub(crate) struct Uses {
    lines: Lines,
    /// Uses that no line was left for.
    missed: AtomicU64,
    reporter: Mutex<Reporter>,
}

/// Where the next report begins, and which lines the last one is of.
#[derive(Default)]
struct Reporter {
    visited: u64,
    open: Vec<u64>,
}

impl Uses {
    pub(crate) fn new() -> Self {
        Self { lines: Lines::new(), missed: AtomicU64::new(0), reporter: Mutex::default() }
    }

    /// Memory for the next lines.
    pub(crate) fn give(&self, memory: UseMemory) -> bool {
        self.lines.give(memory)
    }

    /// How many lines were ever taken at once.
    pub(crate) fn lines(&self) -> u64 {
        self.lines.ever()
    }

    /// Uses that no line was left for.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Counts one use, in the version in effect where it is one of the API.
    pub(crate) fn note(
        &self,
        known: &Known<'_>,
        at: Timestamp,
        (from, version): (Option<IpAddr>, Option<ApiVersion>),
    ) {
        let one = One { seen: Seen { at, from }, version };
        let (mark, number) = (known.mark(), known.line());
        if self.lines.get(number.into()).is_some_and(|line| line.count(mark, one)) {
            return;
        }
        let owner = Owner { mark, sid: &known.sid, generation: known.generation };
        if let Some(begun) = self.begin(owner, one) {
            // Where somebody else gave it a line meanwhile, it has two for a while, and their counts add up.
            known.set_line(number, begun);
        }
    }

    /// The last use of this secret, where it was used lately.
    pub(crate) fn last(&self, known: &Known<'_>) -> Option<Seen> {
        self.lines.get(known.line().into())?.last(known.mark())
    }

    /// A line for the uses of this secret, with its first one.
    fn begin(&self, owner: Owner<'_>, one: One) -> Option<u32> {
        let taken = if owner.generation <= GENERATION_MAX { self.lines.take() } else { None };
        let Some((number, line)) = taken else {
            self.missed.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        line.begin(owner, one);
        u32::try_from(number).ok()
    }

    /// What was counted and not written down, as far as it is found in so many lines; at most so many uses. Every line
    /// of it is noted to be of the report of this number. One report at a time: the one before is settled first.
    pub(crate) fn report(&self, number: u64, lines_max: u64, uses_max: usize) -> Vec<Use> {
        let mut reporter = self.reporter.lock().unwrap_or_else(PoisonError::into_inner);
        let mut uses = Vec::new();
        let ever = self.lines.ever();
        for _ in 0..lines_max.min(ever) {
            if uses.len() == uses_max {
                break;
            }
            reporter.visited = if reporter.visited >= ever { 1 } else { reporter.visited + 1 };
            let visited = reporter.visited;
            let Some(line) = self.lines.get(visited) else { continue };
            match line.visit(number) {
                Visited::Holds(found) => {
                    uses.push(found);
                    reporter.open.push(visited);
                }
                Visited::Freed => self.lines.put(visited, line),
                Visited::Free | Visited::Busy => {}
            }
        }
        uses
    }

    /// The last report is written down, all of it.
    pub(crate) fn settle(&self) {
        let mut reporter = self.reporter.lock().unwrap_or_else(PoisonError::into_inner);
        for number in std::mem::take(&mut reporter.open) {
            if let Some(line) = self.lines.get(number) {
                line.settle();
            }
        }
    }

    /// Uses that somebody would find who reads the memory now, when the report of this number was the last one written.
    /// For tests.
    #[allow(dead_code, reason = "the tests of schedules ask it")]
    pub(crate) fn left_behind(&self, report: u64) -> u64 {
        let lines = (1..=self.lines.ever()).filter_map(|number| self.lines.get(number));
        lines.filter_map(|line| left_behind(&line.words(), report).ok()?).map(|one| one.uses).sum()
    }

    /// Reports and settles at once, for who keeps nothing.
    pub(crate) fn take(&self, limit: usize) -> Vec<Use> {
        let taken = self.report(0, u64::MAX, limit);
        self.settle();
        taken
    }
}

#[cfg(test)]
mod tests;
