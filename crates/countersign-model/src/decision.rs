//! The question, and the three kinds of answer: allowed, denied, and "I cannot say". A denial is not an error, and an
//! outage is not a denial. The order of the checks is in the verify crate; the words are here.

use std::{net::IpAddr, sync::Arc};

use crate::{
    api_version::ApiVersion,
    catalog::Catalog,
    change::{AccountRecord, Seq},
    credential::Authorization,
    grant::AccessKind,
    rate::RateLimit,
    scope::Scope,
    sid::Sid,
};

/// May this token do this, now?
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The one place a credential is taken from.
    pub authorization: Authorization<'a>,
    /// What is to be done.
    pub target: Target<'a>,
    /// The values of the catalog's version header, joined by nothing: all lines of it, in order. At most two are
    /// looked at.
    pub version_headers: &'a [&'a [u8]],
    /// Where the request comes from, as far as the door may know.
    pub client_address: Option<IpAddr>,
    /// The change the answer must not be older than.
    pub min_seq: Option<Seq>,
}

/// What is to be done.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A request to the API behind the gateway, with method and original URI in origin form.
    Request {
        /// The method as sent.
        method: &'a [u8],
        /// Path and query as sent.
        uri: &'a [u8],
    },
    /// A scope named directly.
    Scope(&'a str),
    /// Nothing but to be known: `whoami` and the management API.
    Identity,
}

/// The answer.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It may.
    Allow(Allowed),
    /// It may not.
    Deny(Denied),
    /// This node cannot say. 503 with `Retry-After: 1` at every door.
    Unavailable(Unavailable),
}

/// A token whose secret was proven. What else there is to know of it is cold: the store has it, by the SID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenToken {
    /// Its public identifier.
    pub sid: Sid,
    /// How it reaches.
    pub access: AccessKind,
}

/// What an allow tells. Nothing in it is on a heap of its own.
#[derive(Debug, Clone)]
pub struct Allowed {
    /// The token.
    pub token: ProvenToken,
    /// Its account.
    pub account: Arc<AccountRecord>,
    /// The catalog it was decided by.
    pub catalog: Arc<Catalog>,
    /// The scope that matched; `None` for [`Target::Identity`].
    pub scope: Option<Scope>,
    /// The version in effect.
    pub api_version: ApiVersion,
    /// The generation of the secret that was used.
    pub secret_generation: u32,
    /// What is left of the tightest rate limit, where one is in force.
    pub rate: Option<RateState>,
}

/// What is left of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateState {
    /// The limit.
    pub limit: RateLimit,
    /// Requests left now.
    pub remaining: u32,
    /// Seconds until the whole limit is there again.
    pub reset_secs: u32,
}

/// What a denial tells.
#[derive(Debug, Clone)]
pub struct Denied {
    /// The reason.
    pub denial: Denial,
    /// The token, where the caller proved its secret. Only such a caller is told more than the code.
    pub token: Option<ProvenToken>,
    /// The account of that token.
    pub account: Option<Arc<AccountRecord>>,
}

/// A reason to say no, in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// Method or URI is not well formed.
    RequestMalformed,
    /// The path has another spelling, so gateway and back end could disagree on it.
    PathNotCanonical,
    /// No credential was sent.
    CredentialsMissing,
    /// The credential cannot be read.
    CredentialsMalformed,
    /// A credential stands where none may: in the query or the user part of the URL.
    CredentialsMisplaced,
    /// Unknown SID, wrong secret or deleted token: one answer for all.
    CredentialsInvalid,
    /// Failing credentials from this address, too many.
    TooManyFailures {
        /// Seconds to wait.
        retry_after_secs: u32,
    },
    /// The token is disabled.
    TokenDisabled,
    /// The token is expired.
    TokenExpired,
    /// The account is suspended.
    AccountSuspended,
    /// The account's API access is off.
    ApiAccessOff,
    /// A legacy credential of an account without legacy tokens.
    LegacyTokensOff,
    /// The client's address is not on the token's list.
    AddressNotAllowed,
    /// The path is of another account kind, or carries another SID.
    AccountMismatch,
    /// The kind has no such version.
    ApiVersionUnknown,
    /// Header and query, or two of either, name different versions.
    ApiVersionConflict,
    /// The version is past its sunset.
    ApiVersionRetired,
    /// No operation of that method and path in that version.
    OperationUnknown,
    /// The token lacks this scope.
    ScopeMissing(Scope),
    /// A read-only legacy credential, and a method that writes.
    WriteNotAllowed,
    /// The rate limit is used up.
    RateLimited {
        /// Seconds to wait.
        retry_after_secs: u32,
        /// The limit.
        limit: RateLimit,
    },
}

/// Why this node cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It has not loaded everything yet.
    Loading,
    /// It cannot prove that it is fresh.
    LeaseLost,
    /// It has not seen the change the caller named.
    BehindMinSeq,
}

impl Denial {
    /// The stable code callers see.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RequestMalformed => "request_malformed",
            Self::PathNotCanonical => "path_not_canonical",
            Self::CredentialsMissing => "credentials_missing",
            Self::CredentialsMalformed => "credentials_malformed",
            Self::CredentialsMisplaced => "credentials_misplaced",
            Self::CredentialsInvalid => "credentials_invalid",
            Self::TooManyFailures { .. } => "too_many_failures",
            Self::TokenDisabled => "token_disabled",
            Self::TokenExpired => "token_expired",
            Self::AccountSuspended => "account_suspended",
            Self::ApiAccessOff => "api_access_off",
            Self::LegacyTokensOff => "legacy_tokens_off",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::AccountMismatch => "account_mismatch",
            Self::ApiVersionUnknown => "api_version_unknown",
            Self::ApiVersionConflict => "api_version_conflict",
            Self::ApiVersionRetired => "api_version_retired",
            Self::OperationUnknown => "operation_unknown",
            Self::ScopeMissing(_) => "scope_missing",
            Self::WriteNotAllowed => "write_not_allowed",
            Self::RateLimited { .. } => "rate_limited",
        }
    }

    /// The HTTP status: 401 "we do not know you", 403 "we know you, and no", 400 for the request's own form.
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::RequestMalformed
            | Self::PathNotCanonical
            | Self::ApiVersionUnknown
            | Self::ApiVersionConflict => 400,
            Self::CredentialsMissing
            | Self::CredentialsMalformed
            | Self::CredentialsMisplaced
            | Self::CredentialsInvalid => 401,
            Self::TooManyFailures { .. } | Self::RateLimited { .. } => 429,
            _ => 403,
        }
    }

    /// Seconds for `Retry-After`, where waiting helps.
    pub const fn retry_after_secs(&self) -> Option<u32> {
        match self {
            Self::TooManyFailures { retry_after_secs } | Self::RateLimited { retry_after_secs, .. } => {
                Some(*retry_after_secs)
            }
            _ => None,
        }
    }

    /// What went wrong and what to do next, in one sentence for a person.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::RequestMalformed => {
                "The method or the URI is not well formed; send an origin-form target such as /Advertisers/SID/Ads."
            }
            Self::PathNotCanonical => {
                "The path is not canonical; send it without dot segments, empty segments, `;`, `\\` and encoded slashes."
            }
            Self::CredentialsMissing => {
                "Send the Account SID and Auth Token with HTTP Basic, or the Auth Token as a Bearer token."
            }
            Self::CredentialsMalformed => {
                "Send exactly one Authorization header: Basic with Account SID and Auth Token, or Bearer with the Auth Token."
            }
            Self::CredentialsMisplaced => {
                "Send the Auth Token in the Authorization header only, and reset it: URLs are logged along the way."
            }
            Self::CredentialsInvalid => "Check the Account SID and Auth Token in the console.",
            Self::TooManyFailures { .. } => {
                "Too many wrong credentials came from this address; wait, then send the right ones."
            }
            Self::TokenDisabled => "This token is disabled; enable it in the console or use another.",
            Self::TokenExpired => {
                "This token has expired; set a later expiry or create a successor in the console."
            }
            Self::AccountSuspended => {
                "The account is suspended; its administrator can ask the operator of this API."
            }
            Self::ApiAccessOff => {
                "API access of the account is off; its administrator can switch it on in the console."
            }
            Self::LegacyTokensOff => "Legacy tokens of the account are not enabled; use a scoped token.",
            Self::AddressNotAllowed => {
                "The token may not be used from this address; add it to the token's address list."
            }
            Self::AccountMismatch => {
                "The path belongs to another account; use the path of your account kind with this token's own Account SID."
            }
            Self::ApiVersionUnknown => {
                "There is no such API version for this account kind; the console lists them."
            }
            Self::ApiVersionConflict => "The request names two different API versions; name one.",
            Self::ApiVersionRetired => {
                "This API version is retired; upgrade the token's version or name a live one."
            }
            Self::OperationUnknown => "There is no operation with this method and path in this API version.",
            Self::ScopeMissing(_) => {
                "The token lacks the scope of this operation; tick it on the token's API scopes page."
            }
            Self::WriteNotAllowed => {
                "This is the read-only legacy credential; only GET and HEAD are open to it."
            }
            Self::RateLimited { .. } => "The rate limit is used up; wait for the time in Retry-After.",
        }
    }
}

impl Unavailable {
    /// The stable code callers see.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::LeaseLost => "lease_lost",
            Self::BehindMinSeq => "behind_min_seq",
        }
    }
}
