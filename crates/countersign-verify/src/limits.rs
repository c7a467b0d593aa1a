//! Every bound of this crate, by name. Those of the rules themselves are in `countersign_model::limits`.

/// Digests that wait to be made anew after a rotation; what does not fit is offered again by the next ask.
pub const RENEWALS_WAITING_MAX: usize = 4_096;
/// Failing credentials of one address that are answered as such in one window, unless set.
pub const FAILURES_PER_WINDOW: u32 = 60;
/// The window of that limit, in seconds, unless set.
pub const FAILURE_WINDOW_SECS: u32 = 60;
/// Addresses whose failures are remembered at once: 1 MiB of counters. The one that is soonest forgiven makes room.
pub const FAILURE_ADDRESSES_MAX: usize = 65_536;
/// Counters an address may land in. More cost time on a failing credential; fewer push out counters earlier.
pub const FAILURE_WAYS: usize = 8;
/// Rate-limit groups a token's use is remembered for; the one that was met first makes room.
pub const GROUPS_PER_TOKEN_MAX: usize = 64;
/// The last use of a secret is renewed when it is this old, in seconds: a busy token costs one write a minute.
pub const USE_RESOLUTION_SECS: i64 = 60;
/// API versions in which one secret is noted as used between two reports. Who uses more at once is noted with these, and
/// with the others later.
pub const VERSIONS_PER_REPORT_MAX: usize = 3;
/// Pieces of memory for lines of uses, of 32,768 lines each: a line is a secret that was used and is not all written down.
pub const USE_CHUNKS_MAX: usize = 2_048;
/// Longest piece of a query that could be one of our secrets, in bytes: the longest prefix (16) and 38 characters.
pub const MINTED_SECRET_BYTES_MAX: usize = 54;

/// Parts of the index that grow by themselves, as a power of two: 32. More make growth shorter, fewer waste less.
pub const PARTITION_BITS: u32 = 5;
/// How full a segment of the index becomes before it is replaced by a larger one, in percent.
pub const SEGMENT_FULL_PERCENT: usize = 88;
/// How full the table of SIDs becomes, in percent.
pub const SIDS_FULL_PERCENT: usize = 85;
/// By how much a segment grows, in percent of what it holds.
pub const GROWTH_PERCENT: usize = 10;
/// How often a segment is made larger for one secret before that is given up; each time it is twice as large.
pub const GROWTHS_MAX: usize = 8;
/// Groups of eight slots a look-up goes through. At the highest load one in ten million goes through 20.
pub const PROBE_GROUPS_MAX: usize = 256;
/// From this size on memory is mapped by itself and asked to be on huge pages, in bytes: the size of one.
pub const HUGE_PAGE_BYTES: usize = 2 * 1024 * 1024;
/// How often a slot is read again because its record became another's meanwhile, before a newer index is asked.
pub const READS_MAX: usize = 4;
/// How often a credential that nobody has is looked up again because the keys or the index changed meanwhile.
pub const LOOKS_MAX: usize = 4;
/// Secrets of which it is remembered that their digests were offered to be made anew; others are offered again.
pub const RENEWALS_REMEMBERED: usize = 4_096;
