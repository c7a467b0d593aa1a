//! Whether a question that a gateway asked is about a target, byte for byte: in a header or in the request line over
//! HTTP/1.1, in a message over gRPC. It reads no more of a question than that.

/// How the path of a question begins that has the target behind it.
const DOOR: &str = "/v1/forward-auth/";
/// The bits of a length that one of its bytes has in a message, and the bit that says that there is another.
const LENGTH_BITS: u32 = 7;
const LENGTH_GOES_ON: u8 = 1 << LENGTH_BITS;

/// Whether these bytes of questions name exactly this target.
pub(super) fn names(asked: &[u8], target: &str) -> bool {
    let wanted = target.as_bytes();
    let places = asked.windows(wanted.len()).enumerate().filter(|(_, found)| *found == wanted);
    places.into_iter().any(|(at, _)| {
        let (before, after) = (&asked[..at], asked.get(at + wanted.len()));
        before.ends_with(&length(wanted.len())) || (matches!(after, Some(b' ' | b'\r')) && begins(before))
    })
}

/// Whether a target begins after these bytes of a line.
fn begins(before: &[u8]) -> bool {
    let start = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
    let rest = String::from_utf8_lossy(&before[start..]);
    rest.is_empty() || rest.strip_prefix(DOOR).is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// A length as messages of protocol buffers say it (base 128, least first).
fn length(mut length: usize) -> Vec<u8> {
    let mut said = Vec::new();
    loop {
        let [low, ..] = length.to_le_bytes();
        let low = low & !LENGTH_GOES_ON;
        length >>= LENGTH_BITS;
        if length == 0 {
            said.push(low);
            return said;
        }
        said.push(low | LENGTH_GOES_ON);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_whole_or_not_at_all() {
        for asked in [
            "GET /v1/forward-auth/edge HTTP/1.1\r\nX-Original-URI: /a/b?c\r\n\r\n",
            "GET /v1/forward-auth/edge/a/b?c HTTP/1.1\r\n\r\n",
            "\0\0\0\0\x20\x22\x06/a/b?c\x2a\x01x",
        ] {
            assert!(names(asked.as_bytes(), "/a/b?c"), "{asked:?}");
            for other in ["/a/b", "/b?c", "/a/b?", "/a/b?cd", "/A/b?c", "a/b?c"] {
                assert!(!names(asked.as_bytes(), other), "{asked:?} {other}");
            }
        }
        assert_eq!(length(6), [6]);
        assert_eq!(length(300), [0xac, 0x02]);
    }
}
