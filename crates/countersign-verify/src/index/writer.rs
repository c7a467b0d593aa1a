//! Changes to what is known, one at a time. A change of a token is one word of one slot, or one new slot; a new secret is
//! in before an old one is out, so there is no moment at which a secret that works before and after does not.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use countersign_model::{
    catalog::Catalog,
    change::{AccountRecord, Record, SecretRecord, TokenRecord},
    id::AccountId,
    rate::RateLimit,
    sid::Sid,
};
use smallvec::SmallVec;

use super::{
    Index, Kept, PARTITIONS, Policy,
    segment::{Place, Segment},
    sid_partition,
    sids::Sids,
    slot::{Fixed, POLICIES_MAX, Slot, Terms},
};
use crate::{
    limit::{Bucket, Gauge, Quota},
    limits::{GROWTH_PERCENT, GROWTHS_MAX},
    sync::Ordering,
};

/// The digests of one token, by their tags.
type Tags = SmallVec<[u128; 2]>;

/// The one who changes an index, and what readers need not know.
pub(crate) struct Writer {
    index: Arc<Index>,
    accounts: HashMap<AccountId, u32>,
    policies: HashMap<Policy, u32>,
    /// How many numbers of kept records were given, and which of them are free again.
    kept: u32,
    free: Vec<u32>,
    /// The rate limits that were copied from a table readers still use, as they were then.
    moved: Vec<Moved>,
}

/// The state of a rate limit at the moment it was copied.
pub(crate) struct Moved {
    tag: u128,
    state: u64,
}

/// One secret of a token, on its way into a slot.
#[derive(Clone, Copy)]
struct Put<'p> {
    record: &'p TokenRecord,
    secret: &'p SecretRecord,
    account: u32,
    policy: &'p Policy,
    bucket: Option<&'p Arc<Bucket>>,
}

/// How the token's own rate limit goes on.
#[derive(Default)]
struct Carried {
    shared: Option<Arc<Bucket>>,
    state: u64,
    /// Whose slot the state was read from.
    from: Option<u128>,
}

impl Writer {
    /// Knows nothing, and has room for so many secrets.
    pub(crate) fn with_room(secrets: usize) -> Self {
        Self {
            index: Arc::new(Index::with_room(secrets)),
            accounts: HashMap::new(),
            policies: HashMap::new(),
            kept: 0,
            free: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// What is known now.
    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// Whether a token with this SID is known.
    pub(crate) fn knows(&self, sid: &Sid) -> bool {
        !self.tags_of(sid).is_empty()
    }

    /// Makes one record so. `shown` is where readers find the index; `earlier` has the states of rate limits that this one
    /// does not know yet.
    pub(crate) fn put(&mut self, record: &Record, shown: Option<&ArcSwap<Index>>, earlier: Option<&Self>) {
        match record {
            Record::Token(record) => self.put_token(record, shown, earlier),
            Record::TokenGone(sid) => {
                for tag in self.tags_of(sid) {
                    self.remove(tag, sid);
                }
                self.index.tables.access_tokens_from.pin().remove(sid);
            }
            Record::Account(record) => self.put_account(record),
            Record::Catalog(catalog) => self.put_catalog(catalog, shown),
        }
    }

    /// Adds to rate limits what readers of an earlier index took since their states were copied.
    pub(crate) fn settle(&mut self, earlier: &Index) {
        for Moved { tag, state } in std::mem::take(&mut self.moved) {
            let Some(old) = earlier.slot(tag) else { continue };
            let taken = old.rate().load(Ordering::Acquire).wrapping_sub(state);
            if let (1.., Some(new)) = (taken, self.index.slot(tag)) {
                new.rate().fetch_add(taken, Ordering::AcqRel);
            }
        }
    }

    fn put_catalog(&mut self, catalog: &Arc<Catalog>, shown: Option<&ArcSwap<Index>>) {
        let next = Index { catalog: Some(Arc::clone(catalog)), ..Index::clone(&self.index) };
        self.show(next, shown);
    }

    fn put_account(&mut self, record: &Arc<AccountRecord>) {
        let number = self.account_number(record.id);
        if let Some(item) = self.index.tables.accounts.item(number) {
            item.store(Some(Arc::clone(record)));
        }
    }

    fn put_token(&mut self, record: &TokenRecord, shown: Option<&ArcSwap<Index>>, earlier: Option<&Self>) {
        // First, so that nothing derived from the token outlives what ended it.
        let access_tokens_from = self.index.tables.access_tokens_from.pin();
        match record.access_tokens_from {
            Some(from) => _ = access_tokens_from.insert(record.sid, from),
            None => _ = access_tokens_from.remove(&record.sid),
        }
        drop(access_tokens_from);
        let before = self.tags_of(&record.sid);
        let carried = record.rate_limit.map(|limit| {
            let own = (!before.is_empty()).then(|| self.carried(&before, limit));
            own.or_else(|| earlier.map(|earlier| earlier.carried(&earlier.tags_of(&record.sid), limit)))
                .unwrap_or_default()
        });
        // One secret has the state in its slot; several share one.
        let bucket = record.rate_limit.filter(|_| record.secrets.len() > 1).map(|limit| {
            let shared = carried.as_ref().and_then(|carried| carried.shared.clone());
            let state = carried.as_ref().map_or(0, |carried| carried.state);
            shared.unwrap_or_else(|| Arc::new(Bucket::resumed(limit, state)))
        });
        let account = self.account_number(record.account);
        let policy = Policy {
            access: record.access.clone(),
            api_version: record.api_version,
            rate_limit: record.rate_limit.map(|limit| (limit, Quota::of(limit))),
            addresses: record.addresses.clone(),
        };
        for secret in &record.secrets {
            let put = Put { record, secret, account, policy: &policy, bucket: bucket.as_ref() };
            self.put_secret(&put, carried.as_ref(), shown);
        }
        for tag in before {
            if !record.secrets.iter().any(|secret| secret.digest.index_key() == tag) {
                self.remove(tag, &record.sid);
            }
        }
    }

    /// Puts one secret: a word of the slot it has, or a new slot.
    fn put_secret(&mut self, put: &Put<'_>, carried: Option<&Carried>, shown: Option<&ArcSwap<Index>>) {
        let (tag, sid) = (put.secret.digest.index_key(), put.record.sid);
        let policy = if put.fits() { self.policy_number(put.policy) } else { None };
        let plain = policy.and_then(|policy| put.plain(policy));
        let state = carried.map_or(0, |carried| carried.state);
        let index = Arc::clone(&self.index);
        let Some(slot) = index.slot(tag) else {
            let (fixed, terms) = match plain {
                Some((fixed, terms)) => (Some(fixed), terms),
                None => (None, self.keep(put.kept(), None)),
            };
            drop(index);
            if let (None, Some(from), 1..) = (shown, carried.and_then(|carried| carried.from), state) {
                self.moved.push(Moved { tag: from, state });
            }
            self.insert(tag, &sid, shown, |slot| slot.fill(tag, fixed, terms, state));
            return;
        };
        let (former_sid, former) = (self.sid_of(slot), slot.terms());
        if carried.is_some_and(|carried| carried.from != Some(tag)) {
            slot.rate().store(state, Ordering::Release);
        }
        let number = if let Terms::Kept(number) = former { Some(number) } else { None };
        match plain.filter(|(fixed, _)| number.is_none() && slot.fixed() == *fixed) {
            Some((_, terms)) => slot.set_terms(terms),
            None => slot.set_terms(self.keep(put.kept(), number)),
        }
        if let Some(former) = former_sid.filter(|former| *former != sid) {
            self.forget_sid(&former, tag);
            self.note_sid(&sid, tag, shown);
        }
    }

    fn insert(&mut self, tag: u128, sid: &Sid, shown: Option<&ArcSwap<Index>>, fill: impl Fn(Slot<'_>)) {
        let place = self.index.tables.place(tag);
        for _ in 0..GROWTHS_MAX {
            let segment = &self.index.segments[place.partition()];
            if !segment.is_full() && segment.insert(place, &fill) {
                break;
            }
            self.grow(place.partition(), shown);
        }
        self.note_sid(sid, tag, shown);
    }

    fn remove(&mut self, tag: u128, owner: &Sid) {
        let index = Arc::clone(&self.index);
        let Some(slot) = index.slot(tag) else { return };
        // A secret that another token has by now is as it should be.
        if self.sid_of(slot).as_ref() != Some(owner) {
            return;
        }
        let terms = slot.terms();
        let place = index.tables.place(tag);
        index.segment(place).remove(place, tag);
        self.forget_sid(owner, tag);
        if let Terms::Kept(number) = terms {
            self.release(number);
        }
    }

    /// Replaces a segment by one with more room. Readers of the old one see everything that was known when they came.
    fn grow(&mut self, partition: usize, shown: Option<&ArcSwap<Index>>) {
        let old = Arc::clone(&self.index);
        let segment = &old.segments[partition];
        let room = segment.len() + segment.len() * GROWTH_PERCENT / 100 + 8;
        // A segment that is too small for what it holds, by chance, is made larger still.
        let grown = (0..GROWTHS_MAX).map(|more| Segment::with_room(room << more)).find(|grown| {
            if shown.is_some() {
                self.moved.clear();
            }
            segment.live().all(|slot| {
                let place = old.tables.place(slot.tag());
                grown.insert(place, |new| {
                    let state = new.copy_from(slot);
                    if state > 0 && shown.is_some() {
                        self.moved.push(Moved { tag: slot.tag(), state });
                    }
                })
            })
        });
        let Some(grown) = grown else { return };
        let mut next = Index::clone(&old);
        next.segments[partition] = Arc::new(grown);
        self.show(next, shown);
        if shown.is_some() {
            self.settle(&old);
        }
    }

    fn note_sid(&mut self, sid: &Sid, tag: u128, shown: Option<&ArcSwap<Index>>) {
        let hash = self.index.tables.sid_hash(sid);
        let partition = sid_partition(hash);
        if self.index.sids[partition].is_full() {
            let grown = self.grown_sids(partition, Some(tag));
            let mut next = Index::clone(&self.index);
            next.sids[partition] = Arc::new(grown);
            self.show(next, shown);
        }
        self.index.sids[partition].insert(hash, self.index.tables.place(tag));
    }

    fn forget_sid(&self, sid: &Sid, tag: u128) {
        let hash = self.index.tables.sid_hash(sid);
        self.index.sids[sid_partition(hash)].remove(hash, self.index.tables.place(tag));
    }

    /// The same SIDs with more room: what the cells lead to says them again. `without` is not in its cell yet.
    fn grown_sids(&self, partition: usize, without: Option<u128>) -> Sids {
        let index = &self.index;
        let mut places: Vec<Place> = index.sids[partition].all().collect();
        let room = places.len() + places.len() * GROWTH_PERCENT / 100 + 8;
        places.sort_unstable();
        places.dedup();
        let grown = Sids::with_room(room);
        for place in places {
            index.segment(place).find(place, |slot| {
                let tag = slot.tag();
                if index.tables.place(tag) == place
                    && slot.terms() != Terms::Gone
                    && Some(tag) != without
                    && let Some(sid) = self.sid_of(slot)
                {
                    let hash = index.tables.sid_hash(&sid);
                    if sid_partition(hash) == partition {
                        grown.insert(hash, place);
                    }
                }
                None::<()>
            });
        }
        grown
    }

    fn show(&mut self, next: Index, shown: Option<&ArcSwap<Index>>) {
        self.index = Arc::new(next);
        if let Some(shown) = shown {
            shown.store(Arc::clone(&self.index));
        }
    }

    /// Keeps a record whole, under the number it has or a new one.
    fn keep(&mut self, record: Kept, number: Option<u32>) -> Terms {
        let number = number.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.kept += 1;
            self.kept - 1
        });
        if let Some(item) = self.index.tables.kept.item(number) {
            item.store(Some(Arc::new(record)));
        }
        Terms::Kept(number)
    }

    /// Lets go of a record that no slot names any more.
    fn release(&mut self, number: u32) {
        if let Some(item) = self.index.tables.kept.get(number) {
            item.store(None);
            self.free.push(number);
        }
    }

    fn account_number(&mut self, id: AccountId) -> u32 {
        let next = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        *self.accounts.entry(id).or_insert(next)
    }

    /// The number of a policy; `None` where there are too many different ones to give it one.
    fn policy_number(&mut self, policy: &Policy) -> Option<u32> {
        if let Some(number) = self.policies.get(policy) {
            return Some(*number);
        }
        let number =
            u32::try_from(self.policies.len()).ok().filter(|number| (*number as usize) < POLICIES_MAX)?;
        self.index.tables.policies.item(number)?.set(policy.clone()).ok()?;
        self.policies.insert(policy.clone(), number);
        Some(number)
    }

    fn tags_of(&self, sid: &Sid) -> Tags {
        let mut tags: Tags = self
            .index
            .slots_near(sid)
            .filter(|slot| self.sid_of(*slot).as_ref() == Some(sid))
            .map(Slot::tag)
            .collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    fn sid_of(&self, slot: Slot<'_>) -> Option<Sid> {
        match slot.terms() {
            Terms::Gone => None,
            Terms::Plain { .. } => Some(slot.fixed().sid.sid()),
            Terms::Kept(number) => self.index.tables.kept.get(number)?.load().as_ref().map(|kept| kept.sid),
        }
    }

    /// The state of a token's own rate limit, where it is the same limit.
    fn carried(&self, tags: &Tags, limit: RateLimit) -> Carried {
        for tag in tags {
            let Some(slot) = self.index.slot(*tag) else { continue };
            let super::Found::Known(known) = self.index.read(slot) else { continue };
            if known.policy().rate_limit.is_some_and(|(known, _)| known == limit) {
                let shared = known.bucket().cloned();
                let from = shared.is_none().then_some(*tag);
                let state = known.gauge().map_or(0, Gauge::state);
                return Carried { shared, state, from };
            }
        }
        Carried::default()
    }
}

impl Put<'_> {
    /// Whether a slot has room for all that may change of it.
    fn fits(&self) -> bool {
        self.bucket.is_none() && self.secret.ends_at.is_none() && Terms::fits(self.record.expires_at)
    }

    /// The words of a secret that fits a slot.
    fn plain(&self, policy: u32) -> Option<(Fixed, Terms)> {
        let Self { record, secret, account, .. } = *self;
        let fixed = Fixed::of(&record.sid, account, record.created_at, secret.generation)?;
        Some((fixed, Terms::Plain { enabled: record.enabled, policy, expires_at: record.expires_at }))
    }

    fn kept(&self) -> Kept {
        let Self { record, secret, account, policy, bucket } = *self;
        Kept {
            tag: secret.digest.index_key(),
            sid: record.sid,
            account,
            generation: secret.generation,
            created_at: record.created_at,
            expires_at: record.expires_at,
            enabled: record.enabled,
            policy: policy.clone(),
            ends_at: secret.ends_at,
            bucket: bucket.cloned(),
        }
    }
}

const _: () = assert!(PARTITIONS.is_power_of_two());
