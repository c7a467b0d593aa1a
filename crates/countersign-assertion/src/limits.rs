//! Every limit of an assertion, by name.

/// Seconds an assertion holds.
pub const LIFETIME_SECS: i64 = 30;
/// Seconds by which the clocks of Countersign and back end may differ.
pub const CLOCK_SKEW_SECS: i64 = 5;
/// Seconds for which a back end that must not take a request twice remembers its `jti`: from the first moment at which an
/// assertion is believed by a clock that is slow to the last by one that is fast.
pub const REMEMBER_SECS: i64 = LIFETIME_SECS + 2 * CLOCK_SKEW_SECS;
/// Longest assertion that is looked at, in bytes.
pub const ASSERTION_BYTES_MAX: usize = 4_096;
/// Most keys of a key set that are taken.
pub const KEYS_MAX: usize = 16;
