//! A request as its gateway saw it: method, canonical path segments, query. Reading is the only way to make one, so
//! whoever holds a `Request` need not ask again whether it is well formed.

use std::borrow::Cow;

use super::{
    path::{self, Segments},
    query,
};
use crate::{
    bytes,
    decision::Denial,
    limits::{METHOD_BYTES_MAX, URI_BYTES_MAX},
};

/// A request target that is well formed and canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The effective method, upper case; HEAD stays HEAD.
    pub method: Cow<'a, str>,
    /// Path segments, each percent-decoded once. A trailing slash is an empty last segment.
    pub segments: Segments<'a>,
    /// The raw query, without `?`.
    pub query: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// Reads method and origin-form target. `method_override`: whether `_method` in the query of a POST counts.
    /// Denials: `RequestMalformed`, `PathNotCanonical`.
    pub fn read(method: &'a [u8], uri: &'a [u8], method_override: bool) -> Result<Self, Denial> {
        let sent = read_method(method).ok_or(Denial::RequestMalformed)?;
        let target = read_target(uri).ok_or(Denial::RequestMalformed)?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let segments = path::segments(path)?;
        let method = match query {
            Some(query) if method_override => query::effective_method(sent, query)?,
            _ => sent,
        };
        Ok(Self { method: Cow::Borrowed(method), segments, query })
    }

    /// Every query parameter in order, name and value percent-decoded. What has invalid escapes is given as it was sent.
    pub fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        query::pairs(self.query.unwrap_or_default())
    }

    /// The percent-decoded values of a query parameter, its name compared ignoring ASCII case. A value whose escapes
    /// are not valid is given as it was sent.
    pub fn parameter_values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = Cow<'s, str>> + 's {
        query::pairs(self.query.unwrap_or_default())
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Methods are case-sensitive tokens (RFC 9110 section 9.1). Every method of a catalog is upper-case letters, so a
/// spelling that a lenient back end could read as one of them (`get`, `POST\t`) is refused here and not passed on.
fn read_method(method: &[u8]) -> Option<&str> {
    let fits = (1..=METHOD_BYTES_MAX).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase);
    if fits { std::str::from_utf8(method).ok() } else { None }
}

/// Origin form (RFC 9112 section 3.2.1): a slash, then visible ASCII. A raw `#` would be a fragment, which no client
/// sends and back ends cut off in different ways.
fn read_target(uri: &[u8]) -> Option<&str> {
    let fits = uri.len() <= URI_BYTES_MAX
        && uri.first() == Some(&b'/')
        && bytes::all(uri, |byte| byte.is_ascii_graphic() && byte != b'#');
    if fits { std::str::from_utf8(uri).ok() } else { None }
}
