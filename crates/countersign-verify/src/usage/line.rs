//! The uses of one secret in two cache lines. Counting touches the first of them, and is one compare-and-swap; a line that
//! has become another secret's is noticed by it. Counts only grow: how much of them was written down is a second number, so
//! whoever finds the line after a crash can tell what is left. It allots nothing, see `lines.rs`.

use std::net::IpAddr;

use countersign_model::{api_version::ApiVersion, limits::SID_BYTES_MAX, sid::Sid, time::Timestamp};

use super::{Seen, Use, Versions};
use crate::{
    limits::{USE_RESOLUTION_SECS, VERSIONS_PER_REPORT_MAX},
    sync::{AtomicU64, Ordering, fence},
};

/// Words of a line.
pub const LINE_WORDS: usize = 16;
const _: () = assert!(SID_BYTES_MAX == 64, "a SID fills the second cache line");

/// Turn, 22 bits; live, 1; locked, 1; count, 40.
const STATE: usize = 0;
/// Half of the tag of the secret. Of a line that is free: the next one that is.
const OWNER: usize = 1;
/// Check, 23 bits; length of the SID, 7; form of the address, 2; seconds since 1970, 32 (until 2106).
const SEEN: usize = 2;
const FROM: [usize; 2] = [3, 4];
/// Turn, 16 bits, and three versions.
const VERSIONS: usize = 5;
/// Generation of the secret, 24 bits; how much of the count is written down, 40.
const WRITTEN: usize = 6;
/// Number of the report that is being written, 24 bits; the count it holds, 40.
const REPORT: usize = 7;
const SID: usize = 8;

const COUNT_BITS: u32 = 40;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
const LOCKED: u64 = 1 << COUNT_BITS;
const LIVE: u64 = 1 << (COUNT_BITS + 1);
const TURN_SHIFT: u32 = COUNT_BITS + 2;
const SECS_BITS: u32 = 32;
const FORM_SHIFT: u32 = SECS_BITS;
const LEN_SHIFT: u32 = FORM_SHIFT + 2;
const CHECK_SHIFT: u32 = LEN_SHIFT + 7;
const VERSION_BITS: u32 = 16;
const NUMBER_BITS: u32 = 24;

/// The highest generation a line has room for: a secret that was reset sixteen million times.
pub(super) const GENERATION_MAX: u32 = (1 << 24) - 1;

/// The form of an address, in two bits.
const NOWHERE: u64 = 0;
const FOUR: u64 = 1;
const SIX: u64 = 2;

/// A line.
#[derive(Clone, Copy)]
pub(super) struct Line<'l>(&'l [AtomicU64; LINE_WORDS]);

/// A secret, as lines know it.
#[derive(Clone, Copy)]
pub(super) struct Owner<'o> {
    pub(super) mark: u64,
    pub(super) sid: &'o Sid,
    pub(super) generation: u32,
}

/// One use.
#[derive(Clone, Copy)]
pub(super) struct One {
    pub(super) seen: Seen,
    pub(super) version: Option<ApiVersion>,
}

/// What came of visiting a line.
pub(super) enum Visited {
    /// It is free.
    Free,
    /// It holds what was not written yet, and says so now.
    Holds(Use),
    /// Everything of it is written; it is free now.
    Freed,
    /// Everything of it is written, and it is being used.
    Busy,
}

impl<'l> Line<'l> {
    pub(super) fn new(words: &'l [AtomicU64; LINE_WORDS]) -> Self {
        Self(words)
    }

    fn get(self, word: usize) -> u64 {
        self.0[word].load(Ordering::Relaxed)
    }

    fn set(self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Relaxed);
    }

    /// All of it.
    pub(super) fn words(self) -> [u64; LINE_WORDS] {
        std::array::from_fn(|word| self.get(word))
    }

    /// Counts one use, where this is the line of that secret and has room.
    pub(super) fn count(self, mark: u64, one: One) -> bool {
        let mut state = self.0[STATE].load(Ordering::Acquire);
        let mut noted = false;
        loop {
            // The owner is read after the state, and the swap proves that the state was the same all the time.
            if state & LIVE == 0 || state & COUNT_MAX == COUNT_MAX || self.get(OWNER) != mark {
                return false;
            }
            // Versions are noted before the count, so whoever takes the count finds what belongs to it.
            if let Some(version) = one.version.filter(|_| !noted) {
                self.note_version(state >> TURN_SHIFT, version);
                noted = true;
            }
            let locks = state & LOCKED == 0 && is_due(self.get(SEEN), one.seen.at);
            let next = (state + 1) | if locks { LOCKED } else { 0 };
            match self.0[STATE].compare_exchange(state, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    if locks {
                        // Nobody else writes these words, and nobody frees the line, before it is unlocked.
                        self.write_seen(one.seen);
                        self.0[STATE].fetch_and(!LOCKED, Ordering::Release);
                    }
                    return true;
                }
                Err(found) => state = found,
            }
        }
    }

    fn write_seen(self, seen: Seen) {
        let fixed = self.get(SEEN) >> LEN_SHIFT << LEN_SHIFT;
        let (form, words) = from_words(seen.from);
        self.set(SEEN, fixed | form << FORM_SHIFT | secs(seen.at));
        // Who sees one of these sees the lock, or the moment they belong to.
        self.0[FROM[0]].store(words[0], Ordering::Release);
        self.0[FROM[1]].store(words[1], Ordering::Release);
    }

    /// Notes a version. Where all places hold others it is passed over: its next use after the report is noted. A line that
    /// has become another's meanwhile has another turn.
    fn note_version(self, turn: u64, version: ApiVersion) {
        let turn = turn << (64 - VERSION_BITS) >> (64 - VERSION_BITS);
        let mut held = self.get(VERSIONS);
        while held >> (64 - VERSION_BITS) == turn {
            let place = (0..VERSIONS_PER_REPORT_MAX).find(|place| {
                let there = version_at(held, *place);
                there == 0 || there == version.0
            });
            let Some(place) = place.filter(|place| version_at(held, *place) == 0) else { return };
            let next = held | u64::from(version.0) << (place * VERSION_BITS as usize);
            match self.0[VERSIONS].compare_exchange(held, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(found) => held = found,
            }
        }
    }

    /// The last use, where this is the line of that secret and nobody is writing it at this moment.
    pub(super) fn last(self, mark: u64) -> Option<Seen> {
        let state = self.0[STATE].load(Ordering::Acquire);
        let words = self.words();
        fence(Ordering::Acquire);
        // The turn tells whether it became another's meanwhile, the moment whether it was written.
        let same = self.get(STATE) >> TURN_SHIFT == state >> TURN_SHIFT && self.get(SEEN) == words[SEEN];
        let is_still = (state | self.get(STATE)) & LOCKED == 0 && same;
        if state & LIVE == 0 || words[OWNER] != mark || !is_still {
            return None;
        }
        use_of(&words, 0).map(|used| Seen { at: used.at, from: used.from })
    }

    /// Makes a free line, which nobody else has, the line of this secret with its first use.
    pub(super) fn begin(self, owner: Owner<'_>, one: One) {
        let turn = (self.get(STATE) >> TURN_SHIFT).wrapping_add(1) << TURN_SHIFT;
        let (form, from) = from_words(one.seen.from);
        let sid = sid_words(owner.sid);
        let len = owner.sid.as_bytes().len() as u64;
        self.set(OWNER, owner.mark);
        let generation = u64::from(owner.generation) << COUNT_BITS;
        let fixed = check(len, generation, &sid) << CHECK_SHIFT | len << LEN_SHIFT;
        self.set(SEEN, fixed | form << FORM_SHIFT | secs(one.seen.at));
        self.set(FROM[0], from[0]);
        self.set(FROM[1], from[1]);
        let version = one.version.map_or(0, |version| u64::from(version.0));
        self.set(VERSIONS, turn >> TURN_SHIFT << (64 - VERSION_BITS) | version);
        self.set(WRITTEN, generation);
        self.set(REPORT, 0);
        for (place, word) in sid.into_iter().enumerate() {
            self.set(SID + place, word);
        }
        // Who sees that it lives sees the rest.
        self.0[STATE].store(turn | LIVE | 1, Ordering::Release);
    }

    /// The next free line after this one, which is free.
    pub(super) fn next(self) -> u64 {
        self.get(OWNER)
    }

    pub(super) fn set_next(self, next: u64) {
        self.set(OWNER, next);
    }

    /// Looks what of the line is not written yet, and notes that it is written with the report of this number. A line
    /// without is freed. For one reporter at a time.
    pub(super) fn visit(self, number: u64) -> Visited {
        let state = self.0[STATE].load(Ordering::Acquire);
        if state & LIVE == 0 {
            return Visited::Free;
        }
        let (count, written) = (state & COUNT_MAX, self.get(WRITTEN) & COUNT_MAX);
        if count == written {
            if state & LOCKED != 0 {
                return Visited::Busy;
            }
            // Whoever counts at this moment finds another state and goes elsewhere.
            let free = state >> TURN_SHIFT << TURN_SHIFT;
            let freed =
                self.0[STATE].compare_exchange(state, free, Ordering::AcqRel, Ordering::Relaxed).is_ok();
            return if freed { Visited::Freed } else { Visited::Busy };
        }
        // A moment that is being written is there by the next visit.
        if state & LOCKED != 0 {
            return Visited::Busy;
        }
        let words = self.words();
        fence(Ordering::Acquire);
        if self.get(STATE) & LOCKED != 0 || self.get(SEEN) != words[SEEN] {
            return Visited::Busy;
        }
        let Some(used) = use_of(&words, count - written) else { return Visited::Busy };
        let versions = self.take_versions();
        self.0[REPORT].store(number << COUNT_BITS | count, Ordering::Release);
        Visited::Holds(Use { versions, ..used })
    }

    fn take_versions(self) -> Versions {
        let mut held = self.get(VERSIONS);
        loop {
            let turn = held >> (64 - VERSION_BITS) << (64 - VERSION_BITS);
            match self.0[VERSIONS].compare_exchange(held, turn, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return versions_of(held),
                Err(found) => held = found,
            }
        }
    }

    /// The report that the line was visited for is written.
    pub(super) fn settle(self) {
        let generation = self.get(WRITTEN) >> COUNT_BITS << COUNT_BITS;
        self.0[WRITTEN].store(generation | self.get(REPORT) & COUNT_MAX, Ordering::Release);
        self.0[REPORT].store(0, Ordering::Release);
    }
}

/// What a line that a process left behind holds, when the report of this number was the last one written; `Err` where the
/// line is torn.
pub fn left_behind(words: &[u64; LINE_WORDS], report: u64) -> Result<Option<Use>, TornLine> {
    let count = words[STATE] & COUNT_MAX;
    if words[STATE] & LIVE == 0 {
        return Ok(None);
    }
    let len = words[SEEN] << (64 - CHECK_SHIFT) >> (64 - CHECK_SHIFT + LEN_SHIFT);
    let generation = words[WRITTEN] >> COUNT_BITS << COUNT_BITS;
    if words[SEEN] >> CHECK_SHIFT != check(len, generation, &words[SID..]) {
        return Err(TornLine);
    }
    let is_of_report = words[REPORT] != 0 && words[REPORT] >> COUNT_BITS == low(report, NUMBER_BITS);
    let written = if is_of_report { words[REPORT] } else { words[WRITTEN] } & COUNT_MAX;
    let uses = count.checked_sub(written).ok_or(TornLine)?;
    if uses == 0 {
        return Ok(None);
    }
    let mut words = *words;
    if words[STATE] & LOCKED != 0 {
        // The address may be half written.
        words[SEEN] &= !(3 << FORM_SHIFT);
    }
    use_of(&words, uses).map(Some).ok_or(TornLine)
}

/// A line whose words do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TornLine;

fn use_of(words: &[u64; LINE_WORDS], uses: u64) -> Option<Use> {
    let seen = words[SEEN];
    let mut bytes = [0; SID_BYTES_MAX];
    for (place, word) in bytes.chunks_exact_mut(8).zip(&words[SID..]) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    let len = usize::try_from(low(seen >> LEN_SHIFT, 7)).ok()?;
    let sid = Sid::try_from(bytes.get(..len)?).ok()?;
    let [front, rest] = FROM.map(|word| words[word].to_be_bytes());
    let from = match low(seen >> FORM_SHIFT, 2) {
        FOUR => Some(IpAddr::from([rest[4], rest[5], rest[6], rest[7]])),
        SIX => {
            let mut octets = [0; 16];
            octets[..8].copy_from_slice(&front);
            octets[8..].copy_from_slice(&rest);
            Some(IpAddr::from(octets))
        }
        _ => None,
    };
    Some(Use {
        sid,
        generation: u32::try_from(words[WRITTEN] >> COUNT_BITS).ok()?,
        at: Timestamp::from_unix_secs(low(seen, SECS_BITS).cast_signed()),
        from,
        uses,
        versions: versions_of(words[VERSIONS]),
    })
}

/// Whether the last use is too old to stand for this one, or so far ahead that the clock was set back.
fn is_due(seen: u64, at: Timestamp) -> bool {
    low(seen, SECS_BITS).abs_diff(secs(at)) >= USE_RESOLUTION_SECS.unsigned_abs()
}

fn secs(at: Timestamp) -> u64 {
    low(u64::try_from(at.unix_secs()).unwrap_or(0), SECS_BITS)
}

fn from_words(from: Option<IpAddr>) -> (u64, [u64; 2]) {
    match from {
        None => (NOWHERE, [0; 2]),
        Some(IpAddr::V4(address)) => (FOUR, [0, u64::from(address.to_bits())]),
        Some(IpAddr::V6(address)) => {
            let bits = address.to_bits();
            (SIX, [low_word(bits >> 64), low_word(bits)])
        }
    }
}

fn sid_words(sid: &Sid) -> [u64; SID_BYTES_MAX / 8] {
    let mut bytes = [0; SID_BYTES_MAX];
    let text = sid.as_bytes();
    bytes[..text.len()].copy_from_slice(text);
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|place| u64::from_ne_bytes(words[place]))
}

/// Tells a line of which only some words arrived on the disk: 23 bits, against accidents.
fn check(len: u64, generation: u64, sid: &[u64]) -> u64 {
    let mixed = sid.iter().fold(len ^ generation, |mixed, word| {
        (mixed.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    mixed >> CHECK_SHIFT
}

fn version_at(held: u64, place: usize) -> u16 {
    u16::from_le_bytes(held.to_le_bytes().as_chunks().0[place])
}

fn versions_of(held: u64) -> Versions {
    Versions::of(std::array::from_fn(|place| version_at(held, place)))
}

fn low(word: u64, bits: u32) -> u64 {
    word & ((1 << bits) - 1)
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low_word(bits: u128) -> u64 {
    bits as u64
}
