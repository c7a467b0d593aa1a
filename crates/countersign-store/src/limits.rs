//! Every limit of the store, by name. The limits of the rules are in the model; the book prints both.

/// Writes that may wait for the writer; beyond it the store answers `Busy`.
pub const WRITES_WAITING_MAX: usize = 8_192;
/// Writes of one group commit.
pub const WRITES_PER_COMMIT_MAX: usize = 256;
/// Reads that may wait for a reader; beyond it the store answers `Busy`.
pub const READS_WAITING_MAX: usize = 8_192;
/// Read connections.
pub const READERS: usize = 4;
/// Steps of the database's own machine a bounded read may take: between half a second and two seconds of
/// work on one core. Counted in
/// steps and not in time, so that the same read is refused or answered whatever else the machine does.
pub const READ_STEPS_MAX: u64 = 100_000_000;
/// How often a reader looks at its count of steps, in steps.
pub const READ_STEPS_BETWEEN_LOOKS: u32 = 10_000;
/// Rows of one page, whatever is asked for.
pub const PAGE_ROWS_MAX: u32 = 1_000;
/// Changes answered at once, whatever is asked for.
pub const CHANGES_PER_READ_MAX: u32 = 10_000;
/// Changes kept behind the head; a follower further behind takes a snapshot.
pub const CHANGES_KEPT: u64 = 100_000;
/// Changes one sweep lets go at most, so that it never holds the writer for long.
pub const CHANGES_PER_SWEEP_MAX: u64 = 50_000;
/// Audit entries read at once.
pub const AUDIT_ENTRIES_PER_READ_MAX: u32 = 1_000;
/// Sessions of a person that are listed.
pub const SESSIONS_LISTED_MAX: u32 = 100;
/// Accounts of a person that are listed.
pub const MEMBERSHIPS_LISTED_MAX: u32 = 200;
/// Tokens of a primary contact that are named.
pub const CONTACT_TOKENS_NAMED_MAX: u32 = 100;
/// Gateways, and platform credentials, that are listed.
pub const CREDENTIALS_LISTED_MAX: u32 = 1_000;
/// Webhooks of one owner that are listed.
pub const WEBHOOKS_LISTED_MAX: u32 = 1_000;
/// How long a device is remembered after it last signed in, in seconds: 400 days.
pub const DEVICE_KEPT_SECS: i64 = 400 * 24 * 3600;
/// Statements a connection keeps prepared.
pub const STATEMENTS_PREPARED_MAX: usize = 256;
/// How long a connection waits for a lock somebody else holds, in milliseconds.
pub const LOCK_WAIT_MILLIS: u64 = 5_000;
/// How long folding the log in waits for readers, in milliseconds: no write may wait for a long read.
pub const FOLD_WAIT_MILLIS: u64 = 20;
/// Pages copied at a time by a backup.
pub const BACKUP_PAGES_AT_ONCE: i32 = 1_000;
/// Members, and other addresses, of one account that are looked at to tell who hears.
pub const HEARING_ROWS_MAX: u32 = 10_000;
/// Tries of a delivery before it is given up. With the waits between them that takes about three days.
pub const DELIVERY_TRIES_MAX: u32 = 20;
/// Tries of a delivery that are kept, the last ones.
pub const ATTEMPTS_KEPT: u32 = 50;
/// Deliveries claimed at once.
pub const DELIVERIES_PER_CLAIM_MAX: u32 = 50;
/// Deliveries to one address or webhook that are claimed at once.
pub const DELIVERIES_PER_TARGET_MAX: u32 = 4;
/// Due deliveries among which a claim chooses.
pub const DELIVERIES_LOOKED_AT_MAX: u32 = 1_000;
/// How long a delivery that no longer waits is kept, in seconds: 90 days.
pub const DELIVERIES_KEPT_SECS: i64 = 90 * 24 * 3600;
/// How long it is remembered that something was told that is told once, in seconds: 400 days.
pub const ONCE_KEPT_SECS: i64 = 400 * 24 * 3600;
/// Deliveries one sweep removes at most.
pub const DELIVERIES_PER_SWEEP_MAX: u32 = 10_000;

/// Bytes of the disk that are kept for writes that only take rights away.
pub const RESERVE_BYTES: u64 = 16 * 1024 * 1024;
/// Free bytes below which writes that give somebody something are refused.
pub const SPACE_FOR_GIVING_BYTES: u64 = 8 * 1024 * 1024;
/// Free bytes below which the reserve is given up.
pub const SPACE_FOR_DENIALS_BYTES: u64 = 4 * 1024 * 1024;

/// How long reaching PostgreSQL may take, in milliseconds.
pub const CONNECT_MILLIS: u64 = 5_000;
/// How long PostgreSQL may take for one statement of a read that a caller from outside caused, in milliseconds.
pub const READ_MILLIS_MAX: u64 = 5_000;
/// How long PostgreSQL may take for one statement of a write, in milliseconds; and how long bytes may go unacknowledged.
pub const WRITE_MILLIS_MAX: u64 = 30_000;
/// How long PostgreSQL keeps a transaction of ours in which nothing happens, in milliseconds: it holds the lock that
/// every write needs.
pub const TRANSACTION_IDLE_MILLIS: u64 = 10_000;
/// Statements sent to PostgreSQL before the first is answered.
pub const PIPELINED_MAX: usize = 512;
/// Statements a connection to PostgreSQL keeps prepared.
pub const SERVER_STATEMENTS_PREPARED_MAX: usize = 512;
/// How often a transaction is run again that PostgreSQL gave up for the sake of another one.
pub const TRANSACTION_TRIES_MAX: u32 = 4;
/// How often PostgreSQL is asked what became of a commit, before the writer is told that nobody knows.
pub const DOUBT_TRIES_MAX: u32 = 20;
/// How long to wait between two of those, in milliseconds.
pub const DOUBT_WAIT_MILLIS: u64 = 250;
