//! Paths as segments. There is one spelling per path that we accept to be told apart from others: whatever a gateway
//! or back end might rewrite into another path is refused, so that all of them see the path we decided about.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::{decision::Denial, limits::PATH_SEGMENTS_MAX};

/// The segments of a path, decoded. The usual path is short enough to need no heap.
pub type Segments<'a> = SmallVec<[Cow<'a, str>; 8]>;

/// Splits a path that begins with `/` and is visible ASCII, and decodes each segment once.
pub(super) fn segments(path: &str) -> Result<Segments<'_>, Denial> {
    let rest = path.strip_prefix('/').ok_or(Denial::RequestMalformed)?;
    let count = rest.bytes().filter(|byte| *byte == b'/').count() + 1;
    if count > PATH_SEGMENTS_MAX {
        return Err(Denial::RequestMalformed);
    }
    let mut segments = Segments::new();
    let (mut start, mut is_plain) = (0, true);
    for (place, byte) in rest.bytes().enumerate() {
        if byte != b'/' {
            is_plain &= PLAIN[usize::from(byte)];
            continue;
        }
        // Between two slashes there is a segment: some servers merge `//` into one slash.
        let raw = rest.get(start..place).filter(|raw| !raw.is_empty()).ok_or(Denial::PathNotCanonical)?;
        segments.push(segment(raw, is_plain).ok_or(Denial::PathNotCanonical)?);
        (start, is_plain) = (place + 1, true);
    }
    // An empty last segment is a trailing slash: another path, but a clear one.
    let last = rest.get(start..).ok_or(Denial::PathNotCanonical)?;
    segments.push(segment(last, is_plain).ok_or(Denial::PathNotCanonical)?);
    Ok(segments)
}

/// Characters that mean only themselves in every server (RFC 3986 section 2.3), without the dot and the tilde.
const PLAIN: [bool; 256] = plain();

const fn plain() -> [bool; 256] {
    let mut plain = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        byte += 1;
    }
    plain
}

/// One segment, decoded; `None` when it has another reading. Nearly every segment is of plain characters alone.
fn segment(raw: &str, is_plain: bool) -> Option<Cow<'_, str>> {
    if is_plain {
        return Some(Cow::Borrowed(raw));
    }
    let decoded = if raw.contains('%') { Cow::Owned(decode(raw)?) } else { Cow::Borrowed(raw) };
    let clear = decoded != "."
        && decoded != ".."
        && !decoded.chars().any(|letter| {
            // Slashes and backslashes divide segments once somebody decodes them. Semicolons begin path parameters
            // that Java servers cut off, before or after decoding. Control characters, NUL above all, end strings
            // and lines early.
            matches!(letter, '/' | '\\' | ';') || letter.is_control()
        })
        // A `%` that was sent as `%25` is an honest character, unless what follows makes it an escape: then a back
        // end that decodes twice sees another segment (`%252e` a dot, `%2541` an A), perhaps another operation.
        && !holds_escape(&decoded);
    clear.then_some(decoded)
}

/// Decodes every escape once; `None` for an escape without two hexadecimal digits, and for bytes that are not UTF-8.
fn decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (high, low) = (*after.first()?, *after.get(1)?);
            bytes.push(hex_value(high)? << 4 | hex_value(low)?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn holds_escape(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|window| window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit())
}

/// The value of one hexadecimal digit.
pub(super) fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
