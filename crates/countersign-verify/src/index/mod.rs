//! What is known: secrets by digest and by SID, accounts, policies, the catalog. Readers hold one `Index` for the length
//! of one ask and wait for nobody. One writer at a time ([`writer::Writer`]) changes slots in place, and gives readers a new
//! `Index` when a segment has become too small. It decides nothing.
//!
//! Measured against a concurrent map of records (`papaya`, 488 ns and some 700 bytes a token): see
//! `docs/adr/0014-one-cache-line-for-a-secret.md` and `examples/decide.rs`.

mod kept;
pub(crate) mod memory;
mod numbered;
mod read;
pub(crate) mod segment;
mod sids;
pub(crate) mod slot;
mod writer;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwapOption;
use countersign_model::{
    address::AddressList, api_version::ApiVersion, catalog::Catalog, change::AccountRecord, grant::Access,
    rate::RateLimit, sid::Sid, time::Timestamp,
};
pub(crate) use kept::Kept;
pub(crate) use read::{Found, Known};
pub(crate) use writer::Writer;

use smallvec::SmallVec;

use self::{
    numbered::Numbered,
    segment::{Place, Segment},
    sids::Sids,
    slot::Slot,
};
use crate::{limit::Quota, limits::PARTITION_BITS};

/// Parts that grow by themselves, so that no growth concerns everything.
const PARTITIONS: usize = 1 << PARTITION_BITS;

/// Everything known as of the changes applied so far.
#[derive(Clone)]
pub(crate) struct Index {
    segments: Vec<Arc<Segment>>,
    sids: Vec<Arc<Sids>>,
    pub(crate) catalog: Option<Arc<Catalog>>,
    pub(crate) tables: Arc<Tables>,
}

/// What slots name by number. Nothing here is ever made another's while a slot names it; a record that is kept says
/// whose it is.
pub(crate) struct Tables {
    /// Places depend on these and on the digest, so that whoever could plant digests could not aim them either.
    place_keys: [u64; 2],
    sid_keys: RandomState,
    policies: Numbered<OnceLock<Policy>>,
    kept: Numbered<ArcSwapOption<Kept>>,
    accounts: Numbered<ArcSwapOption<AccountRecord>>,
    /// Until when the access tokens of a token have ended, of the few that ended any.
    access_tokens_from: papaya::HashMap<Sid, Timestamp>,
    /// What is compared where there is nothing to compare.
    decoy: u128,
}

/// What a token may do, without when and for whom: the same for many tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Policy {
    pub(crate) access: Access,
    pub(crate) api_version: ApiVersion,
    /// With its quota, which takes divisions to compute.
    pub(crate) rate_limit: Option<(RateLimit, Quota)>,
    /// From where.
    pub(crate) addresses: AddressList,
}

impl Index {
    /// Knows nothing, and has room for so many secrets before anything grows.
    pub(crate) fn with_room(secrets: usize) -> Self {
        // Parts differ by chance; a few in a thousand more keep nearly all of them from growing.
        let each = secrets / PARTITIONS + (secrets / PARTITIONS).isqrt() * 2;
        Self {
            segments: (0..PARTITIONS).map(|_| Arc::new(Segment::with_room(each))).collect(),
            sids: (0..PARTITIONS).map(|_| Arc::new(Sids::with_room(each))).collect(),
            catalog: None,
            tables: Arc::new(Tables::new()),
        }
    }

    /// Whether nothing was ever put here.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.iter().all(|segment| segment.len() == 0)
    }

    fn segment(&self, place: Place) -> &Segment {
        &self.segments[place.partition()]
    }

    /// The slot of the secret with this tag, where it is there and not gone.
    fn slot(&self, tag: u128) -> Option<Slot<'_>> {
        let place = self.tables.place(tag);
        self.segment(place)
            .find(place, |slot| (slot.tag() == tag && slot.terms() != slot::Terms::Gone).then_some(slot))
    }

    /// Every slot that may be of this SID, and others.
    fn slots_near<'i>(&'i self, sid: &Sid) -> impl Iterator<Item = Slot<'i>> {
        let hash = self.tables.sid_hash(sid);
        self.sids[sid_partition(hash)].places(hash).flat_map(move |place| {
            let mut near = SmallVec::<[Slot<'_>; 4]>::new();
            self.segment(place).find(place, |slot| {
                near.push(slot);
                None::<()>
            });
            near
        })
    }
}

impl Tables {
    fn new() -> Self {
        let random = RandomState::new();
        Self {
            place_keys: [random.hash_one(0), random.hash_one(1)],
            sid_keys: RandomState::new(),
            policies: Numbered::new(),
            kept: Numbered::new(),
            accounts: Numbered::new(),
            access_tokens_from: papaya::HashMap::new(),
            decoy: u128::from(random.hash_one(2)) << 64 | u128::from(random.hash_one(3)),
        }
    }

    /// The place of a digest. One multiplication: the digest is a pseudo-random value already.
    #[allow(clippy::cast_possible_truncation, reason = "halves and folded halves are what is wanted")]
    fn place(&self, tag: u128) -> Place {
        let front = (tag >> 64) as u64 ^ self.place_keys[0];
        let rest = tag as u64 ^ self.place_keys[1];
        let product = u128::from(front) * u128::from(rest);
        Place::new(((product >> 64) as u64 ^ product as u64) as u32)
    }

    fn sid_hash(&self, sid: &Sid) -> u64 {
        self.sid_keys.hash_one(sid.as_bytes())
    }
}

fn sid_partition(hash: u64) -> usize {
    (hash >> (u64::BITS - PARTITION_BITS)) as usize
}
