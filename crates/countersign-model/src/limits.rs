//! Every limit of the rules, by name. The server adds those of transport in a file of its own; the book prints both.

/// Longest name of a token, in characters (Unicode scalar values).
pub const NAME_CHARS_MAX: usize = 100;
/// Longest description of a token, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 500;
/// Most developer e-mail addresses of a token.
pub const DEVELOPER_EMAILS_MAX: usize = 20;
/// Most networks in a token's address list.
pub const ADDRESSES_MAX: usize = 50;
/// Longest e-mail address, in bytes (RFC 5321 section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest name of a person or an account, in characters.
pub const PERSON_NAME_CHARS_MAX: usize = 100;
/// Longest external id of an account, in bytes.
pub const EXTERNAL_ID_BYTES_MAX: usize = 100;
/// Longest SID, in bytes.
pub const SID_BYTES_MAX: usize = 64;
/// Longest credential that is looked at, in bytes, as it stands in the header.
pub const CREDENTIAL_BYTES_MAX: usize = 512;
/// Longest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 256;
/// Longest request target that is looked at, in bytes.
pub const URI_BYTES_MAX: usize = 8 * 1024;
/// Most segments of a path.
pub const PATH_SEGMENTS_MAX: usize = 32;
/// Longest method name, in bytes.
pub const METHOD_BYTES_MAX: usize = 16;
/// Longest name of a gateway, in bytes.
pub const GATEWAY_NAME_BYTES_MAX: usize = 40;
/// Most networks a gateway may call from.
pub const GATEWAY_PEERS_MAX: usize = 50;
/// Largest catalog file, in bytes.
pub const CATALOG_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most account kinds of a catalog.
pub const CATALOG_KINDS_MAX: usize = 16;
/// Most scopes that may ever be numbered.
pub const SCOPES_MAX: usize = 4096;
/// Most API versions of an account kind.
pub const API_VERSIONS_MAX: usize = 200;
/// Most roles of an account kind.
pub const ROLES_MAX: usize = 32;
/// Longest identifier in a catalog, in bytes.
pub const CATALOG_ID_BYTES_MAX: usize = 100;
/// Most tokens of an account, unless the account says otherwise.
pub const TOKENS_PER_ACCOUNT: u32 = 1_000;
/// Largest number of requests a rate limit may name.
pub const RATE_REQUESTS_MAX: u32 = 1_000_000_000;
/// Longest window of a rate limit, in seconds: 31 days.
pub const RATE_WINDOW_SECS_MAX: u32 = 31 * 24 * 3600;
/// Most entries of one list of an account kind in a catalog: categories, rate-limit groups, presets.
pub const CATALOG_ENTRIES_MAX: usize = 256;
/// Most operations of one scope.
pub const OPERATIONS_PER_SCOPE_MAX: usize = 32;
/// Most steps of the way to a token page.
pub const MENU_PATH_MAX: usize = 8;
/// Most problems of a catalog file that are told at once.
pub const CATALOG_PROBLEMS_MAX: usize = 100;
/// Longest address of change notes or of an API, in bytes.
pub const NOTES_URL_BYTES_MAX: usize = 2048;
/// Longest maximum lifetime of tokens that may be set, in days: ten years.
pub const TOKEN_LIFETIME_DAYS_MAX: u16 = 3_650;
/// Longest subject of an announcement, in characters.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// Longest text of an announcement, in characters.
pub const ANNOUNCEMENT_CHARS_MAX: usize = 10_000;
