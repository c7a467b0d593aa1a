//! The state machine: changes go in, in order and without gaps; readers see each one before `apply` returns. It fetches
//! nothing and keeps nothing on disk; whoever feeds it does.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use countersign_model::{
    catalog::{Catalog, RateGroup},
    change::{Change, Record, Seq},
    digest::LookupKeys,
    secret::SecretFormat,
    sid::Sid,
    time::Now,
};

use crate::{
    Freshness, Settings, Use,
    failures::Failures,
    index::{Found, Index, Writer},
    limit::{Bucket, GroupBuckets},
    renewals::{Renewal, Renewals},
    sync::{AtomicU64, Ordering, fence},
    usage::{Seen, UseMemory, Uses},
};

/// Decides whether tokens may do things. Shared by all threads: one of them applies changes, none waits for it.
pub struct Verifier {
    keys: ArcSwap<LookupKeys>,
    settings: Settings,
    index: ArcSwap<Index>,
    // Also the lock under which everything is written.
    writer: Mutex<Writer>,
    /// The rate-limit groups that tokens have met.
    groups: papaya::HashMap<Sid, Arc<GroupBuckets>>,
    applied: AtomicU64,
    freshness: Freshness,
    failures: Failures,
    uses: Uses,
    renewals: Renewals,
}

/// A change that does not follow the last one applied. Read the feed again from `expected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The number that comes next.
    pub expected: Seq,
    /// The number that came.
    pub got: Seq,
}

impl Verifier {
    /// A verifier that knows nothing and answers `loading`.
    pub fn new(keys: LookupKeys, settings: Settings) -> Self {
        let writer = Writer::with_room(0);
        Self {
            keys: ArcSwap::from_pointee(keys),
            failures: Failures::new(settings.failures),
            settings,
            index: ArcSwap::new(Arc::clone(writer.index())),
            writer: Mutex::new(writer),
            groups: papaya::HashMap::new(),
            applied: AtomicU64::new(0),
            freshness: Freshness::new(),
            uses: Uses::new(),
            renewals: Renewals::new(),
        }
    }

    /// Replaces everything known by these records, true as of the change `head`, and is ready. Until it returns, asks
    /// are decided by what was known before. Rate limits and uses of tokens that are still there go on.
    pub fn load(&self, head: Seq, records: impl IntoIterator<Item = Record>) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let records = records.into_iter();
        let mut fresh = Writer::with_room(records.size_hint().0);
        let earlier = Some(&*writer).filter(|earlier| !earlier.index().is_empty());
        for record in records {
            fresh.put(&record, None, earlier);
        }
        self.index.store(Arc::clone(fresh.index()));
        fresh.settle(writer.index());
        self.groups.pin().retain(|sid, _| fresh.knows(sid));
        *writer = fresh;
        self.applied.store(head.0, Ordering::Release);
        self.freshness.loaded();
        fence(Ordering::SeqCst);
    }

    /// Applies the change after the last one. A change that was applied before is passed over. When this returns, no ask
    /// that starts is decided by what was before.
    pub fn apply(&self, change: &Change) -> Result<(), Gap> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = self.applied().next();
        if change.seq < expected {
            return Ok(());
        }
        if change.seq > expected {
            return Err(Gap { expected, got: change.seq });
        }
        writer.put(&change.record, Some(&self.index), None);
        if let Record::TokenGone(sid) = &change.record {
            self.groups.pin().remove(sid);
        }
        // The index first, then the number: who sees the number sees the change. The fence orders both before any
        // acknowledgement that the caller sends.
        self.applied.store(change.seq.0, Ordering::Release);
        fence(Ordering::SeqCst);
        Ok(())
    }

    /// The number of the last change applied.
    pub fn applied(&self) -> Seq {
        Seq(self.applied.load(Ordering::Acquire))
    }

    /// Until when this node may answer.
    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// The look-up keys in use.
    pub fn keys(&self) -> Arc<LookupKeys> {
        self.keys.load_full()
    }

    /// Puts other look-up keys in use. A new key comes before the first digest that is made with it is applied, and goes
    /// after the last one was.
    pub fn use_keys(&self, keys: LookupKeys) {
        self.keys.store(Arc::new(keys));
    }

    /// Takes digests that are to be made anew, at most so many.
    pub fn take_renewals(&self, limit: usize) -> Vec<Renewal> {
        self.renewals.take(limit)
    }

    /// The prefixes of this installation's secrets.
    pub fn format(&self) -> &SecretFormat {
        &self.settings.format
    }

    /// The catalog in force; `None` before one is loaded.
    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        self.index.load().catalog.clone()
    }

    /// Memory for counters of uses, 4 MiB of it, used after what was given before. What is counted in it outlives the
    /// verifier as long as the memory does: see [`crate::left_behind`]. Answers `false` where it cannot be used.
    pub fn give_use_memory(&self, memory: UseMemory) -> bool {
        self.uses.give(memory)
    }

    /// How many secrets had counters at once, at most.
    pub fn use_lines(&self) -> u64 {
        self.uses.lines()
    }

    /// Uses that could not be counted, because there was no room for one more secret.
    pub fn missed_uses(&self) -> u64 {
        self.uses.missed()
    }

    /// What was counted and not written down yet, of the next so many secrets and at most so many uses. Their counters are
    /// marked with the number of the report until [`Verifier::settle_uses`]; the report before must be settled.
    pub fn report_uses(&self, number: u64, lines_max: u64, uses_max: usize) -> Vec<Use> {
        self.uses.report(number, lines_max, uses_max)
    }

    /// The last report is written down, all of it.
    pub fn settle_uses(&self) {
        self.uses.settle();
    }

    /// Takes what was noted of uses since they were last taken, of at most so many secrets; call again while as many
    /// come as were asked for. For whoever keeps nothing: it is a report that is settled at once.
    pub fn take_uses(&self, limit: usize) -> Vec<Use> {
        self.uses.take(limit)
    }

    /// The last use of this secret, where it was used lately: what a report brings later.
    pub fn last_use(&self, sid: &Sid, generation: u32) -> Option<Seen> {
        match self.index().by_sid(sid, generation) {
            Found::Known(known) => self.uses.last(&known),
            Found::Nothing | Found::Newer => None,
        }
    }

    /// Counts a failing credential of this address, for doors that look credentials up elsewhere. Answers the seconds
    /// to wait when the address had too many.
    pub fn note_failure(&self, address: IpAddr, now: Now) -> Option<u32> {
        self.failures.count(address, now)
    }

    pub(crate) fn index(&self) -> arc_swap::Guard<Arc<Index>> {
        self.index.load()
    }

    pub(crate) fn lookup_keys(&self) -> arc_swap::Guard<Arc<LookupKeys>> {
        self.keys.load()
    }

    pub(crate) fn renewals(&self) -> &Renewals {
        &self.renewals
    }

    pub(crate) fn uses(&self) -> &Uses {
        &self.uses
    }

    /// The bucket of this rate-limit group for this token. A token that is gone at this moment may leave one behind,
    /// until everything is loaded again.
    pub(crate) fn group_bucket(&self, sid: &Sid, group: &RateGroup) -> Arc<Bucket> {
        self.groups.pin().get_or_insert_with(*sid, Arc::default).bucket(group)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("applied", &self.applied()).finish_non_exhaustive()
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change {} came where {} was next; read the feed again from there", self.got, self.expected)
    }
}

impl std::error::Error for Gap {}
