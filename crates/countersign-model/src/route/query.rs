//! Queries as name and value pairs, in the form browsers send (application/x-www-form-urlencoded), and the one
//! parameter of theirs that changes what a request does. Nothing here refuses a query for its other parameters.

use std::borrow::Cow;

use super::path::hex_value;
use crate::decision::Denial;

/// The parameter that names the effective method of a POST.
const METHOD_PARAMETER: &str = "_method";

/// The pairs of a query in order, decoded. A pair without `=` has an empty value.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// What a request does when `_method` counts: what was sent, or PUT or DELETE where a POST says so, once and clearly.
/// Two of them, another value or another method are refused: back ends differ in which they believe.
pub(super) fn effective_method<'a>(sent: &'a str, query: &str) -> Result<&'a str, Denial> {
    // Some old back ends also split at `;`, and would find a second `_method` where we see part of a value.
    let hidden = query
        .split('&')
        .flat_map(|pair| pair.split(';').skip(1))
        .any(|pair| decode(pair.split('=').next().unwrap_or_default()) == METHOD_PARAMETER);
    let mut values = pairs(query).filter(|(name, _)| name == METHOD_PARAMETER).map(|(_, value)| value);
    match (hidden, values.next(), values.next()) {
        (false, None, _) => Ok(sent),
        (false, Some(value), None) if sent == "POST" && value == "PUT" => Ok("PUT"),
        (false, Some(value), None) if sent == "POST" && value == "DELETE" => Ok("DELETE"),
        _ => Err(Denial::RequestMalformed),
    }
}

/// Decodes `+` and escapes once. A text with an invalid escape, or whose bytes are not UTF-8, stays as it is.
fn decode(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['%', '+']) {
        return Cow::Borrowed(raw);
    }
    decode_escapes(raw).map_or(Cow::Borrowed(raw), Cow::Owned)
}

fn decode_escapes(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex_value(rest.next()?)? << 4 | hex_value(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}
