//! Reading one secret: from the words of a slot to what a decision needs. It compares secrets in constant time, and looks
//! no further than one secret.

use std::sync::Arc;

use countersign_model::{
    change::AccountRecord, decision::ProvenToken, digest::Digest, sid::Sid, time::Timestamp,
};
use subtle::{Choice, ConstantTimeEq as _};

use super::{
    Index, Kept, Policy,
    slot::{Slot, Terms},
};
use crate::{
    limit::{Bucket, Gauge},
    limits::READS_MAX,
};

/// What came of looking for a secret.
pub(crate) enum Found<'i> {
    /// It is here.
    Known(Known<'i>),
    /// It is not.
    Nothing,
    /// It was, and is now in an index that is newer than this one.
    Newer,
}

/// A secret that is known, and its token, as of one moment.
pub(crate) struct Known<'i> {
    pub(crate) sid: Sid,
    pub(crate) generation: u32,
    pub(crate) enabled: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    account: u32,
    slot: Slot<'i>,
    policy: Source<'i>,
}

enum Source<'i> {
    Shared(&'i Policy),
    Kept(Arc<Kept>),
}

impl Index {
    /// The secret with this digest.
    pub(crate) fn by_digest(&self, digest: &Digest) -> Found<'_> {
        let tag = digest.index_key();
        let place = self.tables.place(tag);
        let mut compared = false;
        let slot = self.segment(place).find(place, |slot| {
            compared = true;
            let same = slot.tag().ct_eq(&tag);
            (bool::from(same) && slot.terms() != Terms::Gone).then_some(slot)
        });
        if !compared {
            // What would have been compared, had there been anything.
            let _: Choice = std::hint::black_box(tag.ct_eq(&self.tables.decoy));
        }
        slot.map_or(Found::Nothing, |slot| self.read(slot))
    }

    /// Whether the access tokens of this token that were issued at this moment have ended: it was disabled or reset since.
    pub(crate) fn has_ended_access_tokens(&self, sid: &Sid, issued_at: Timestamp) -> bool {
        self.tables.access_tokens_from.pin().get(sid).is_some_and(|from| issued_at <= *from)
    }

    /// The secret of this token that is of this generation.
    pub(crate) fn by_sid(&self, sid: &Sid, generation: u32) -> Found<'_> {
        let mut newer = false;
        for slot in self.slots_near(sid) {
            match self.read(slot) {
                Found::Known(known) if known.sid == *sid && known.generation == generation => {
                    return Found::Known(known);
                }
                Found::Newer => newer = true,
                Found::Known(_) | Found::Nothing => {}
            }
        }
        if newer { Found::Newer } else { Found::Nothing }
    }

    /// The account of a secret; `None` where it is not known yet.
    pub(crate) fn account(&self, known: &Known<'_>) -> Option<Arc<AccountRecord>> {
        self.tables.accounts.get(known.account)?.load_full()
    }

    /// What a slot holds. Between two readings of its terms a record may have become another's; then the terms are
    /// others too, unless the slot was left behind in a segment that has been replaced.
    pub(super) fn read<'i>(&'i self, slot: Slot<'i>) -> Found<'i> {
        for _ in 0..READS_MAX {
            match slot.terms() {
                Terms::Gone => return Found::Nothing,
                Terms::Plain { enabled, policy, expires_at } => {
                    let Some(policy) = self.tables.policies.get(policy).and_then(std::sync::OnceLock::get)
                    else {
                        return Found::Newer;
                    };
                    let fixed = slot.fixed();
                    return Found::Known(Known {
                        sid: fixed.sid.sid(),
                        generation: fixed.generation,
                        enabled,
                        created_at: fixed.created_at,
                        expires_at,
                        account: fixed.account,
                        slot,
                        policy: Source::Shared(policy),
                    });
                }
                Terms::Kept(number) => {
                    let Some(kept) = self.tables.kept.get(number) else { return Found::Newer };
                    if let Some(record) = kept.load_full().filter(|record| record.tag == slot.tag()) {
                        return Found::Known(Known {
                            sid: record.sid,
                            generation: record.generation,
                            enabled: record.enabled,
                            created_at: record.created_at,
                            expires_at: record.expires_at,
                            account: record.account,
                            slot,
                            policy: Source::Kept(record),
                        });
                    }
                }
            }
        }
        Found::Newer
    }
}

impl Known<'_> {
    /// What answers tell of the token.
    pub(crate) fn token(&self) -> ProvenToken {
        ProvenToken { sid: self.sid, access: self.policy().access.kind() }
    }

    /// The policy.
    pub(crate) fn policy(&self) -> &Policy {
        match &self.policy {
            Source::Shared(policy) => policy,
            Source::Kept(kept) => &kept.policy,
        }
    }

    /// From when this secret no longer works.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.kept().and_then(|kept| kept.ends_at)
    }

    /// The token's own rate limit.
    pub(crate) fn gauge(&self) -> Option<Gauge<'_>> {
        let limit = self.policy().rate_limit?;
        let shared = self.kept().and_then(|kept| kept.bucket.as_deref());
        Some(shared.map_or_else(|| Gauge::new(limit, self.slot.rate()), |bucket| bucket.gauge()))
    }

    /// The rate limit that several secrets share.
    pub(super) fn bucket(&self) -> Option<&Arc<Bucket>> {
        self.kept().and_then(|kept| kept.bucket.as_ref())
    }

    /// The tag of its digest.
    pub(crate) fn tag(&self) -> u128 {
        self.slot.tag()
    }

    /// By what a line of uses knows it: half of the tag.
    #[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    pub(crate) fn mark(&self) -> u64 {
        self.tag() as u64
    }

    /// The number of its line of uses; 0 where it has none yet.
    pub(crate) fn line(&self) -> u32 {
        self.slot.line()
    }

    /// Gives it another line of uses, unless somebody else did.
    pub(crate) fn set_line(&self, before: u32, line: u32) {
        self.slot.set_line(before, line);
    }

    fn kept(&self) -> Option<&Kept> {
        match &self.policy {
            Source::Shared(_) => None,
            Source::Kept(kept) => Some(kept),
        }
    }
}
