//! One secret in one cache line. What never changes of it is written once, before anybody sees it; all that an edit
//! may change is one word, so no reader ever sees half of an edit. What does not fit is kept whole elsewhere
//! ([`Terms::Kept`]). It says nothing of what the numbers in it mean.

use countersign_model::{
    sid::{MintedSid, Sid},
    time::Timestamp,
};

use crate::sync::{AtomicU64, Ordering};

/// Words of a slot.
pub(crate) const SLOT_WORDS: usize = 8;
const _: () = assert!(size_of::<[u64; SLOT_WORDS]>() == 64, "a slot is one cache line");

const TAG: [usize; 2] = [0, 1];
const SID: [usize; 2] = [2, 3];
/// Creation, 44 bits; kind code, 10; generation, 10.
const BORN: usize = 4;
/// Account, 32 bits; the number of a line of uses, 32.
const LINK: usize = 5;
const TERMS: usize = 6;
const RATE: usize = 7;

/// Milliseconds since 1970 up to the year 2527.
const MOMENT_BITS: u32 = 44;
const MOMENT_MAX: u64 = (1 << MOMENT_BITS) - 1;
const GENERATION_BITS: u32 = 10;
const CODE_SHIFT: u32 = 54;
const POLICY_BITS: u32 = 17;
const KEPT: u64 = 1 << 63;
const PLAIN: u64 = 1 << 62;
const ENABLED: u64 = 1 << 61;
/// The terms of a secret that is gone.
const GONE: u64 = 0;

/// How many policies a slot can name.
pub(crate) const POLICIES_MAX: usize = 1 << POLICY_BITS;

/// The slot of one secret.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'s>(&'s [AtomicU64; SLOT_WORDS]);

/// What an edit may change. Read and written as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terms {
    /// The secret is gone.
    Gone,
    /// All of it is here and in the fixed words.
    Plain { enabled: bool, policy: u32, expires_at: Option<Timestamp> },
    /// All of it is in the record of this number; of the fixed words only the tag counts.
    Kept(u32),
}

/// What never changes of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) sid: MintedSid,
    pub(crate) account: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) generation: u32,
}

impl<'s> Slot<'s> {
    pub(crate) fn new(words: &'s [AtomicU64; SLOT_WORDS]) -> Self {
        Self(words)
    }

    /// The 128 bits of the digest this slot is found by.
    pub(crate) fn tag(self) -> u128 {
        self.pair(TAG)
    }

    pub(crate) fn terms(self) -> Terms {
        let word = self.0[TERMS].load(Ordering::Acquire);
        if word == GONE {
            return Terms::Gone;
        }
        if word & KEPT != 0 {
            return Terms::Kept(low(word));
        }
        Terms::Plain {
            enabled: word & ENABLED != 0,
            policy: low(word >> MOMENT_BITS & ((1 << POLICY_BITS) - 1)),
            expires_at: Some(word & MOMENT_MAX).filter(|moment| *moment != MOMENT_MAX).map(moment),
        }
    }

    /// Makes an edit seen. Everything the terms name was written before.
    pub(crate) fn set_terms(self, terms: Terms) {
        self.0[TERMS].store(terms.word(), Ordering::Release);
    }

    /// What never changes; of a slot with plain terms.
    pub(crate) fn fixed(self) -> Fixed {
        let born = self.0[BORN].load(Ordering::Relaxed);
        let code = low(born >> CODE_SHIFT);
        let letter = |number: u32| b'A' + u8::try_from(number).unwrap_or(0);
        Fixed {
            sid: MintedSid { kind_code: [letter(code / 26), letter(code % 26)], bits: self.pair(SID) },
            account: low(self.0[LINK].load(Ordering::Relaxed) >> 32),
            created_at: moment(born >> GENERATION_BITS & MOMENT_MAX),
            generation: low(born & ((1 << GENERATION_BITS) - 1)),
        }
    }

    /// The number of its line of uses; 0 where it has none yet. A line may have become another secret's.
    pub(crate) fn line(self) -> u32 {
        low(self.0[LINK].load(Ordering::Relaxed))
    }

    /// Gives it another line, unless somebody else did. A slot that is being copied at this moment may lose it; it is
    /// given another one then.
    pub(crate) fn set_line(self, before: u32, line: u32) {
        let link = self.0[LINK].load(Ordering::Relaxed);
        if low(link) == before {
            let next = link >> 32 << 32 | u64::from(line);
            let _ = self.0[LINK].compare_exchange(link, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The state of the token's own rate limit, where it has one and no other secret.
    pub(crate) fn rate(self) -> &'s AtomicU64 {
        &self.0[RATE]
    }

    /// Fills a slot that nobody sees yet.
    pub(crate) fn fill(self, tag: u128, fixed: Option<Fixed>, terms: Terms, rate: u64) {
        let mut words = [0; SLOT_WORDS];
        [words[TAG[0]], words[TAG[1]]] = halves(tag);
        if let Some(fixed) = fixed {
            [words[SID[0]], words[SID[1]]] = halves(fixed.sid.bits);
            words[BORN] = fixed.born();
            words[LINK] = u64::from(fixed.account) << 32;
        }
        (words[TERMS], words[RATE]) = (terms.word(), rate);
        self.write(words);
    }

    /// Fills a slot that nobody sees yet with what another one holds; answers the state of its rate limit.
    pub(crate) fn copy_from(self, other: Slot<'_>) -> u64 {
        let words: [u64; SLOT_WORDS] = std::array::from_fn(|index| other.0[index].load(Ordering::Acquire));
        self.write(words);
        words[RATE]
    }

    fn write(self, words: [u64; SLOT_WORDS]) {
        for (word, value) in self.0.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn pair(self, [front, rest]: [usize; 2]) -> u128 {
        let word = |index: usize| u128::from(self.0[index].load(Ordering::Relaxed));
        word(front) << 64 | word(rest)
    }
}

impl Fixed {
    /// The fixed words of a secret; `None` where something does not fit.
    pub(crate) fn of(sid: &Sid, account: u32, created_at: Timestamp, generation: u32) -> Option<Self> {
        let sid = sid.minted()?;
        let fits = generation >> GENERATION_BITS == 0 && fits(created_at);
        fits.then_some(Self { sid, account, created_at, generation })
    }

    fn born(self) -> u64 {
        let [first, second] = self.sid.kind_code.map(|letter| u64::from(letter.wrapping_sub(b'A')));
        (first * 26 + second) << CODE_SHIFT
            | millis(self.created_at) << GENERATION_BITS
            | u64::from(self.generation)
    }
}

impl Terms {
    /// Whether a slot can say this; else the record is kept whole.
    pub(crate) fn fits(expires_at: Option<Timestamp>) -> bool {
        expires_at.is_none_or(fits)
    }

    fn word(self) -> u64 {
        match self {
            Self::Gone => GONE,
            Self::Kept(number) => KEPT | u64::from(number),
            Self::Plain { enabled, policy, expires_at } => {
                PLAIN
                    | if enabled { ENABLED } else { 0 }
                    | u64::from(policy) << MOMENT_BITS
                    | expires_at.map_or(MOMENT_MAX, millis)
            }
        }
    }
}

/// Whether a moment can be said in 44 bits; the last of them stands for none.
fn fits(at: Timestamp) -> bool {
    u64::try_from(at.unix_millis()).is_ok_and(|millis| millis < MOMENT_MAX)
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.unix_millis()).unwrap_or(0) & MOMENT_MAX
}

fn moment(millis: u64) -> Timestamp {
    Timestamp::from_unix_millis(millis.cast_signed())
}

#[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn halves(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64]
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low(word: u64) -> u32 {
    word as u32
}
