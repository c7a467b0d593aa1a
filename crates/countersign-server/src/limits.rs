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
/// Seconds a connection may keep answers waiting that it does not take; then it is closed. It earns them back by taking.
pub const ANSWER_STALL_SECS: u64 = 30;
/// Bytes of answers that earn a waiting connection one second: taking them more slowly than that ends it in time.
pub const ANSWER_BYTES_PER_SEC_MIN: u32 = 4 * 1024;
/// Most connections of one listener.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Most connections of one listener from one address.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_024;
/// Most threads of the data plane.
pub const DATA_PLANE_THREADS_MAX: usize = 256;
/// Most requests of one HTTP/2 connection at once.
pub const HTTP2_STREAMS_MAX: u32 = 128;
/// Most HTTP/2 requests that may be given up before they were looked at; one more ends the connection.
pub const HTTP2_RESETS_PENDING_MAX: usize = 20;
/// Most HTTP/2 streams of one connection that are reset by us because of the peer's errors; one more ends it.
pub const HTTP2_ERROR_RESETS_MAX: usize = 100;
/// Frames an HTTP/2 connection may send that bring no request; more end it.
pub const HTTP2_FRAMES_AHEAD_MAX: i64 = 1_000;
/// Further such frames for every request that was answered.
pub const HTTP2_FRAMES_PER_REQUEST: i64 = 16;
/// Bytes of answers kept for one HTTP/2 stream whose peer does not take them.
pub const HTTP2_SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a body that may be on their way in one HTTP/2 stream.
pub const HTTP2_STREAM_WINDOW_BYTES: u32 = 64 * 1024;
/// Bytes of bodies that may be on their way in one HTTP/2 connection.
pub const HTTP2_WINDOW_BYTES: u32 = 512 * 1024;
/// Seconds after which a quiet HTTP/2 connection is asked whether it is still there.
pub const HTTP2_PING_SECS: u64 = 30;
/// Seconds it has to say so.
pub const HTTP2_PONG_SECS: u64 = 10;
/// Seconds an HTTP/2 connection is used; then it is told to open a new one.
pub const HTTP2_AGE_SECS_MAX: u64 = 3600;
/// Largest question of a gateway over gRPC, in bytes. Bodies of requests are not wanted in it.
pub const CHECK_CALL_BYTES_MAX: usize = 128 * 1024;
/// Largest health check over gRPC, in bytes.
pub const HEALTH_CALL_BYTES_MAX: usize = 1_024;
/// Seconds requests in flight may take once a stop was asked for.
pub const DRAIN_SECS: u64 = 10;
/// Seconds a node that was asked to stop tells `not ready` before it closes its listeners.
pub const NOT_READY_SECS: u64 = 1;
/// Largest anchor that is read, in bytes.
pub const ANCHOR_BYTES_MAX: u64 = 4_096;
/// Uses of secrets written at once.
pub const USES_PER_FLUSH_MAX: usize = 1_000;
/// Counters that are looked at every second, at least: where no more secrets are used, uses are shown a second later, and
/// of 7,680 within a minute. A row costs a hundred times what a request does, so more would be most of the work.
pub const USE_LINES_PER_ROUND: u64 = 128;
/// Seconds in which all counters are looked at, however many secrets are used: their uses are shown that late at most.
pub const USE_ROUND_SECS: u64 = 1_200;
/// Room that is kept for secrets that were not used lately, in pieces of 32,768 counters and 4 MiB of disk.
pub const USE_CHUNKS_AHEAD: usize = 2;
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
/// Seconds between two looks for reminders that are due: tokens that end and versions that age.
pub const REMINDERS_EVERY_SECS: u64 = 3600;
/// Seconds between two looks for overlaps that end while the old secret is in use.
pub const OVERLAP_REMINDERS_EVERY_SECS: u64 = 300;
/// Seconds after its moment from which a reminder is not posted any more: 365 days, less than the store remembers what was
/// posted once.
pub const REMINDER_LATE_SECS_MAX: i64 = 365 * 24 * 3600;
/// Tokens read at once when looking for reminders.
pub const REMINDER_TOKENS_PER_READ: u32 = 500;
/// Reminders posted in one write.
pub const REMINDERS_PER_WRITE_MAX: usize = 100;
/// Longest `Link` field of an answer to a gateway, in bytes; what would make it longer is left out.
pub const LINK_BYTES_MAX: usize = 2_048;
/// Days back from now in which a token counts as using an API version.
pub const VERSION_USED_WITHIN_DAYS: i64 = 30;
/// Seconds before its end from which on a token counts as expiring: 30 days.
pub const EXPIRING_WITHIN_SECS: i64 = 30 * 24 * 3600;
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
/// Times the holders of a token end its access tokens in a row, before they wait.
pub const REVOCATION_BURST: u32 = 10;
/// Seconds after which one such time is forgiven.
pub const REVOCATION_FORGIVE_SECS: u32 = 6;
/// Counters of failed sign-ins and of revocations by holders; the one that is soonest forgiven makes room.
pub const SIGN_IN_COUNTERS_MAX: usize = 65_536;
/// Summed audit entries of attempts by callers we do not know, per minute.
pub const ATTEMPT_ENTRIES_PER_MINUTE: usize = 100;
/// Seconds a device is remembered: one year.
pub const DEVICE_SECS: i64 = 365 * 24 * 3600;
/// Longest name a browser gives itself that is kept, in bytes.
pub const USER_AGENT_BYTES_MAX: usize = 200;
/// Most members of an invitation's link that are looked at, in bytes.
pub const CODE_BYTES_MAX: usize = 100;
/// Deliveries of one channel that are on their way at once.
pub const DELIVERIES_AT_ONCE: usize = 8;
/// Seconds one delivery may take.
pub const DELIVERY_SEND_SECS: u64 = 300;
/// Seconds a claimed delivery is nobody else's. More than one may take.
pub const DELIVERY_CLAIM_SECS: i64 = 600;
/// Seconds between the first two tries of a delivery; doubled after each.
pub const DELIVERY_WAIT_SECS_MIN: i64 = 30;
/// Most seconds between two tries of a delivery: 6 hours.
pub const DELIVERY_WAIT_SECS_MAX: i64 = 6 * 3600;
/// Seconds for which a webhook that did not take a message is sent no other.
pub const DELIVERY_REST_SECS: i64 = 60;
/// Seconds after which a delivery is tried that an outage of ours kept from being tried.
pub const DELIVERY_OUTAGE_SECS: i64 = 60;
/// Most seconds between two looks into the outbox.
pub const OUTBOX_LOOK_SECS: u64 = 30;
/// Scopes that a notice of a changed token names.
pub const NOTICE_SCOPES_TOLD_MAX: usize = 100;
/// Most gateways, and most platform credentials.
pub const MACHINES_MAX: usize = 1_000;
/// Findings kept of one check of a probe of a gateway.
pub const PROBE_FINDINGS_MAX: usize = 10;
/// Longest text of such a finding, in characters.
pub const PROBE_TEXT_CHARS_MAX: usize = 400;
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

/// Bytes of a backup that are read and sent at once.
pub const BACKUP_PIECE_BYTES: usize = 256 * 1024;
/// Most webhooks of an account, and most of the platform.
pub const WEBHOOKS_MAX: u32 = 10;
/// Longest URL of a webhook, in bytes.
pub const WEBHOOK_URL_BYTES_MAX: usize = 2_048;
/// Most addresses the name of a webhook may lead to.
pub const WEBHOOK_ADDRESSES_MAX: usize = 32;
/// Seconds a request to a webhook may take, with its answer.
pub const WEBHOOK_SECS: u64 = 5;
/// Most of a webhook's answer that is read, in bytes; all of it is thrown away.
pub const WEBHOOK_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest wait a webhook can ask for by `Retry-After`, in seconds.
pub const WEBHOOK_RETRY_AFTER_SECS_MAX: u32 = 6 * 3600;
/// Seconds for which requests are signed with the former secret too.
pub const WEBHOOK_FORMER_SECRET_SECS: i64 = 24 * 3600;
/// Seconds without a success after which a webhook is switched off: five days.
pub const WEBHOOK_FAILING_SECS_MAX: i64 = 5 * 24 * 3600;
/// Largest file of the mail server's password that is read, in bytes.
pub const MAIL_PASSWORD_BYTES_MAX: u64 = 1_024;
/// Longest reason why a letter was not sent, in characters.
pub const SEND_REASON_CHARS_MAX: usize = 300;
/// Longest subject of a letter, in characters.
pub const LETTER_SUBJECT_CHARS_MAX: usize = 200;
/// Longest fact shown in a letter, in characters.
pub const LETTER_VALUE_CHARS_MAX: usize = 300;
/// Most entries of a list shown in a letter; the rest are counted.
pub const LETTER_LIST_MAX: usize = 20;
/// Longest text of an announcement in a letter, in characters.
pub const LETTER_BODY_CHARS_MAX: usize = 10_000;
/// Entries of the audit trail that are removed at once.
pub const AUDIT_TRIM_ROWS: u32 = 10_000;
/// How often that happens in an hour.
pub const AUDIT_TRIMS_PER_HOUR: u32 = 100;
/// Most checkpoints of the audit trail it is held to at once.
pub const CHECKPOINTS_CHECKED_MAX: usize = 100;
/// Files of the keys directory that are looked at.
pub const KEY_FILES_MAX: usize = 1_000;
/// Rows one step of a rotation of keys moves, in one transaction.
pub const ROTATION_ROWS_PER_STEP: u32 = 200;
/// Digests made anew after a successful verification that are written in one transaction.
pub const RENEWALS_PER_WRITE_MAX: usize = 200;
/// Tokens that stand in the way of a rotation and are named one by one; the rest are counted.
pub const LAYERED_TOKENS_NAMED_MAX: u32 = 200;
/// Seconds a link that confirms an address works: 72 hours.
pub const ADDRESS_CODE_SECS: i64 = 72 * 3600;
/// Seconds before an address is asked again by the same account.
pub const ADDRESS_ASKED_AGAIN_SECS: i64 = 24 * 3600;
/// Most addresses an account asks in 24 hours; the rest can be asked by hand later.
pub const ADDRESSES_ASKED_PER_DAY: u32 = 100;
/// Most times an address is asked in 24 hours, by whatever accounts.
pub const TIMES_ASKED_PER_DAY: u32 = 5;
/// Most addresses outside of the members that an account is asked about; further ones are shown and not asked.
pub const ADDRESSES_OF_ACCOUNT_MAX: u32 = 20_000;
/// Longest code of an unsubscribe link that is looked at, in bytes.
pub const UNSUBSCRIBE_CODE_BYTES_MAX: usize = 500;
/// Recipients of an announcement that are handed to the outbox at once.
pub const ANNOUNCEMENT_BATCH_MAX: u32 = 500;
/// Longest link of an announcement, in bytes.
pub const ANNOUNCEMENT_LINK_BYTES_MAX: usize = 2_048;
/// Seconds between looks for an announcement that is to be sent.
pub const ANNOUNCEMENT_LOOK_SECS: u64 = 1;
/// Gateways whose tag waits to be made anew after a rotation.
pub const TAG_RENEWALS_MAX: usize = 1_000;
/// Days for which assertions are signed with one key; the next is published one such time before it signs.
pub const ASSERTION_KEY_DAYS: i64 = 30;
/// Seconds after which the key before is published no longer: many times the life of an assertion.
pub const ASSERTION_KEY_AFTERLIFE_SECS: i64 = 3600;
/// Seconds after a rotation of the verify root from which on its own keys sign: until then every back end has read them.
pub const ASSERTION_KEY_LEAD_SECS: i64 = 600;
/// Seconds for which back ends may keep the key set.
pub const KEY_SET_FRESH_SECS: u32 = 300;
/// Longest audience of assertions, in bytes.
pub const AUDIENCE_BYTES_MAX: usize = 200;
/// Seconds an access token works.
pub const ACCESS_TOKEN_SECS: i64 = 600;
/// Most scopes an access token may be narrowed to by name.
pub const ACCESS_TOKEN_SCOPES_MAX: usize = 32;
/// Largest form that is read, in bytes.
pub const FORM_BYTES_MAX: usize = 16 * 1024;
/// Most fields of a form.
pub const FORM_FIELDS_MAX: usize = 16;
