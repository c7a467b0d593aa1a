//! The state machine: changes go in, in order and without gaps; readers see each one before `apply` returns. It fetches
//! nothing and keeps nothing on disk; whoever feeds it does.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering, fence},
    },
};

use arc_swap::ArcSwap;
use countersign_model::{
    catalog::Catalog,
    change::{Change, Record, Seq},
    digest::LookupKeys,
    id::TokenId,
    secret::SecretFormat,
    time::Now,
};

use crate::{
    Freshness, Settings, Use,
    failures::Failures,
    index::{Index, SecretEntry, TokenEntry},
    lookup,
    renewals::{Renewal, Renewals},
    usage::Unreported,
};

/// Decides whether tokens may do things. Shared by all threads: one of them applies changes, none waits for it.
pub struct Verifier {
    keys: ArcSwap<LookupKeys>,
    settings: Settings,
    index: ArcSwap<Index>,
    // Also the lock under which everything is written.
    tokens: Mutex<Tokens>,
    applied: AtomicU64,
    freshness: Freshness,
    failures: Failures,
    unreported: Unreported,
    renewals: Renewals,
    decoy: SecretEntry,
}

/// Every token by id, for the writer only: readers come by digest.
type Tokens = HashMap<TokenId, Arc<TokenEntry>>;

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
        Self {
            keys: ArcSwap::from_pointee(keys),
            failures: Failures::new(settings.failures),
            settings,
            index: ArcSwap::from_pointee(Index::new()),
            tokens: Mutex::new(Tokens::new()),
            applied: AtomicU64::new(0),
            freshness: Freshness::new(),
            unreported: Unreported::new(),
            renewals: Renewals::new(),
            decoy: lookup::decoy(),
        }
    }

    /// Replaces everything known by these records, true as of the change `head`, and is ready. Until it returns, asks
    /// are decided by what was known before. Rate limits and uses of tokens that are still there go on.
    pub fn load(&self, head: Seq, records: impl IntoIterator<Item = Record>) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, mut fresh) = (Index::new(), Tokens::new());
        for record in records {
            put(&index, &mut fresh, &tokens, &record);
        }
        *tokens = fresh;
        self.index.store(Arc::new(index));
        self.applied.store(head.0, Ordering::Release);
        self.freshness.loaded();
        fence(Ordering::SeqCst);
    }

    /// Applies the change after the last one. A change that was applied before is passed over. When this returns, no ask
    /// that starts is decided by what was before.
    pub fn apply(&self, change: &Change) -> Result<(), Gap> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = self.applied().next();
        if change.seq < expected {
            return Ok(());
        }
        if change.seq > expected {
            return Err(Gap { expected, got: change.seq });
        }
        put(&self.index.load(), &mut tokens, &Tokens::new(), &change.record);
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
        self.index.load().catalog.load_full()
    }

    /// Takes what was noted of uses since they were last taken, of at most so many secrets; call again while as many
    /// come as were asked for.
    pub fn take_uses(&self, limit: usize) -> Vec<Use> {
        self.unreported.take(limit)
    }

    /// Counts a failing credential of this address, for doors that look credentials up elsewhere. Answers the seconds
    /// to wait when the address had too many.
    pub fn note_failure(&self, address: IpAddr, now: Now) -> Option<u32> {
        self.failures.count(address, now)
    }

    pub(crate) fn index(&self) -> arc_swap::Guard<Arc<Index>> {
        self.index.load()
    }

    pub(crate) fn decoy(&self) -> &SecretEntry {
        &self.decoy
    }

    pub(crate) fn lookup_keys(&self) -> arc_swap::Guard<Arc<LookupKeys>> {
        self.keys.load()
    }

    pub(crate) fn renewals(&self) -> &Renewals {
        &self.renewals
    }

    pub(crate) fn unreported(&self) -> &Unreported {
        &self.unreported
    }
}

/// Makes one record so. `earlier` has the counters of tokens that `tokens` does not know yet.
fn put(index: &Index, tokens: &mut Tokens, earlier: &Tokens, record: &Record) {
    match record {
        Record::Token(record) => {
            let before = tokens.get(&record.id);
            let counters = before.or_else(|| earlier.get(&record.id));
            let entry = Arc::new(TokenEntry::new(Arc::clone(record), counters.map(AsRef::as_ref)));
            index.put_token(&entry, before.map(AsRef::as_ref));
            tokens.insert(record.id, entry);
        }
        Record::TokenGone(id) => {
            if let Some(entry) = tokens.remove(id) {
                index.remove_token(&entry);
            }
        }
        Record::Account(record) => {
            index.accounts.pin().insert(record.id, Arc::clone(record));
        }
        Record::Catalog(catalog) => index.catalog.store(Some(Arc::clone(catalog))),
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
