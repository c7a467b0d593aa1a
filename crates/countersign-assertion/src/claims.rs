//! What an assertion says.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The claims of an assertion. Texts are borrowed while it is made and owned once it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims<'a> {
    /// The installation: its public URL.
    pub iss: Cow<'a, str>,
    /// The back end it is for.
    pub aud: Cow<'a, str>,
    /// The Account SID of the token.
    pub sub: Cow<'a, str>,
    /// The id of the token's account.
    pub account: Cow<'a, str>,
    /// The kind of that account.
    pub kind: Cow<'a, str>,
    /// The scope that matched; empty for `whoami`.
    pub scope: Cow<'a, str>,
    /// The API version in effect.
    pub version: u16,
    /// The method of the request, as the gateway said it.
    pub method: Cow<'a, str>,
    /// The host of the request; empty where the gateway's profile names no header with it.
    pub host: Cow<'a, str>,
    /// [`path_hash`] of the request's target.
    pub path_sha256: Cow<'a, str>,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// From when it holds no longer, in seconds since 1970.
    pub exp: i64,
    /// The id of the request that was decided; no two assertions have the same.
    pub jti: Cow<'a, str>,
}

/// SHA-256 of the original path and query, byte for byte, as base64url without padding.
pub fn path_hash(target: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(target))
}
