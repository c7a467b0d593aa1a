//! Every limit of the server, by name; those of the rules are in the model. The book prints both.

/// Largest body of a management request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Largest body of a batch of asks, in bytes.
pub const VERIFY_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most asks in a batch.
pub const VERIFY_ASKS_MAX: usize = 100;
/// Largest import file, in bytes.
pub const IMPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Rows of a page when nothing is said.
pub const PAGE_ROWS: u32 = 50;
/// Most rows of a page.
pub const PAGE_ROWS_MAX: u32 = 200;
/// Deepest nesting of JSON that is read.
pub const JSON_DEPTH_MAX: usize = 32;
/// Largest header section of a request, in bytes.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Most header lines of a request.
pub const HEADERS_MAX: usize = 64;
/// Seconds until the header of a request must be there.
pub const HEADER_READ_SECS: u64 = 5;
/// Seconds until the body of a request must be there.
pub const BODY_READ_SECS: u64 = 10;
/// Seconds a kept connection may be idle.
pub const IDLE_SECS: u64 = 60;
/// Most connections of one listener.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Most connections of one listener from one address.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_024;
/// Seconds requests in flight may take once a stop was asked for.
pub const DRAIN_SECS: u64 = 10;
/// Seconds a node that was asked to stop tells `not ready` before it closes its listeners.
pub const NOT_READY_SECS: u64 = 1;
/// Uses of secrets written at once.
pub const USES_PER_FLUSH_MAX: usize = 1_000;
/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 15;
/// Longest password, in characters.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Reveals per person and hour.
pub const REVEALS_PER_HOUR: u32 = 20;
/// Seconds for which an entered password opens reveals.
pub const PASSWORD_FRESH_SECS: i64 = 5 * 60;
/// Seconds an invitation works: 72 hours.
pub const INVITATION_SECS: i64 = 72 * 3600;
/// Seconds the bootstrap code works.
pub const BOOTSTRAP_SECS: i64 = 3600;
/// Seconds an answer is remembered under an Idempotency-Key.
pub const IDEMPOTENCY_SECS: i64 = 24 * 3600;
/// Longest Idempotency-Key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 200;
/// Wrong passwords in a row after which a person only gets in from a known device.
pub const FAILED_SIGN_INS_MAX: u32 = 100;
/// Sign-ins that wait for a hashing thread at once.
pub const PASSWORD_QUEUE_MAX: usize = 1_024;
/// Seconds told to wait when all of them are taken.
pub const PASSWORD_QUEUE_RETRY_SECS: u32 = 5;
/// Failed sign-ins of one address in a row, before it waits.
pub const SIGN_IN_ADDRESS_BURST: u32 = 30;
/// Seconds after which one failed sign-in of an address is forgiven.
pub const SIGN_IN_ADDRESS_FORGIVE_SECS: u32 = 20;
/// Failed sign-ins under one e-mail address, or from one known device, in a row, before it waits.
pub const SIGN_IN_PERSON_BURST: u32 = 10;
/// Seconds after which one failed sign-in under an e-mail address or from a device is forgiven.
pub const SIGN_IN_PERSON_FORGIVE_SECS: u32 = 30;
/// Counters of failed sign-ins; the one that is soonest forgiven makes room.
pub const SIGN_IN_COUNTERS_MAX: usize = 65_536;
/// Summed audit entries of attempts by callers we do not know, per minute.
pub const ATTEMPT_ENTRIES_PER_MINUTE: usize = 100;
/// Seconds a device is remembered: one year.
pub const DEVICE_SECS: i64 = 365 * 24 * 3600;
/// Longest name a browser gives itself that is kept, in bytes.
pub const USER_AGENT_BYTES_MAX: usize = 200;
/// Most members of an invitation's link that are looked at, in bytes.
pub const CODE_BYTES_MAX: usize = 100;
/// Most gateways, and most platform credentials.
pub const MACHINES_MAX: usize = 1_000;
/// Longest search text, in characters.
pub const SEARCH_CHARS_MAX: usize = 100;
/// Audit entries read at once for an export.
pub const AUDIT_EXPORT_ROWS: u32 = 500;
/// Most rows of one import.
pub const IMPORT_ROWS_MAX: u64 = 200_000;
/// Most refused rows of an import that are told one by one; the rest are counted.
pub const IMPORT_REFUSALS_TOLD_MAX: usize = 1_000;
/// Rows of an import that are checked at once.
pub const IMPORT_BATCH_ROWS: usize = 500;
