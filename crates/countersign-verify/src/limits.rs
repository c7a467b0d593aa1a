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
/// API versions in which one secret is noted as used between two reports, about a second apart. Who uses more at once is
/// noted with these, and with the others later.
pub const VERSIONS_PER_REPORT_MAX: usize = 8;
/// Longest piece of a query that could be one of our secrets, in bytes: the longest prefix (16) and 38 characters.
pub const MINTED_SECRET_BYTES_MAX: usize = 54;
