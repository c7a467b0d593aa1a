//! Request targets: what is read, and what is refused because somebody could read it differently.

use std::fmt::Write;

use countersign_model::{decision::Denial, route::Request};
use proptest::prelude::*;

use crate::support::segments;

const MALFORMED: Result<&[&str], Denial> = Err(Denial::RequestMalformed);
const OTHER_SPELLING: Result<&[&str], Denial> = Err(Denial::PathNotCanonical);

#[rustfmt::skip]
const CASES: &[(&str, Result<&[&str], Denial>)] = &[
    // One reading.
    ("/", Ok(&[""])),
    ("/a", Ok(&["a"])),
    ("/a/", Ok(&["a", ""])),
    ("/a/b?c=//..;\\", Ok(&["a", "b"])),
    ("/a?", Ok(&["a"])),
    ("/%41/b", Ok(&["A", "b"])),
    ("/a%20b", Ok(&["a b"])),
    ("/a+b", Ok(&["a+b"])),
    ("/%e5%95%86", Ok(&["商"])),
    ("/%E5%95%86", Ok(&["商"])),
    ("/...", Ok(&["..."])),
    ("/.a/a./..a", Ok(&[".a", "a.", "..a"])),
    ("/file%2ejson", Ok(&["file.json"])),
    ("/a:b@c,d='!*()$&~_-", Ok(&["a:b@c,d='!*()$&~_-"])),
    ("/a%3fb", Ok(&["a?b"])),
    ("/a%23b", Ok(&["a#b"])),
    ("/100%25", Ok(&["100%"])),
    ("/100%25x", Ok(&["100%x"])),
    ("/%25%25", Ok(&["%%"])),
    ("/a|b{c}[d]^`\"<>", Ok(&["a|b{c}[d]^`\"<>"])),
    // Not a request target in origin form.
    ("", MALFORMED),
    ("a", MALFORMED),
    ("*", MALFORMED),
    ("?a", MALFORMED),
    ("http://example.com/a", MALFORMED),
    ("example.com:443", MALFORMED),
    (" /a", MALFORMED),
    ("/a b", MALFORMED),
    ("/a\tb", MALFORMED),
    ("/a\r\nX: y", MALFORMED),
    ("/a\0", MALFORMED),
    ("/a\x7f", MALFORMED),
    ("/商", MALFORMED),
    ("/a?商", MALFORMED),
    ("/a#b", MALFORMED),
    ("/a?b#c", MALFORMED),
    // Dot segments in every encoding.
    ("/.", OTHER_SPELLING),
    ("/..", OTHER_SPELLING),
    ("/a/../b", OTHER_SPELLING),
    ("/a/./b", OTHER_SPELLING),
    ("/a/..", OTHER_SPELLING),
    ("/a/.?b", OTHER_SPELLING),
    ("/a/%2e/b", OTHER_SPELLING),
    ("/a/%2e%2e/b", OTHER_SPELLING),
    ("/a/%2E./b", OTHER_SPELLING),
    ("/a/.%2e/b", OTHER_SPELLING),
    ("/a/%252e%252e/b", OTHER_SPELLING),
    ("/a/%25252e/b", OTHER_SPELLING),
    ("/a/..%2fb", OTHER_SPELLING),
    ("/a/..;/b", OTHER_SPELLING),
    ("/a/..%00/b", OTHER_SPELLING),
    ("/a/..\\b", OTHER_SPELLING),
    // Separators.
    ("//", OTHER_SPELLING),
    ("//a", OTHER_SPELLING),
    ("//example.com/a", OTHER_SPELLING),
    ("/a//b", OTHER_SPELLING),
    ("/a//", OTHER_SPELLING),
    ("/a%2fb", OTHER_SPELLING),
    ("/a%2Fb", OTHER_SPELLING),
    ("/a%252fb", OTHER_SPELLING),
    ("/a\\b", OTHER_SPELLING),
    ("/a%5cb", OTHER_SPELLING),
    ("/a%5Cb", OTHER_SPELLING),
    ("/a;b", OTHER_SPELLING),
    ("/a;", OTHER_SPELLING),
    ("/;/a", OTHER_SPELLING),
    ("/a%3bb", OTHER_SPELLING),
    ("/a%3Bjsessionid=1", OTHER_SPELLING),
    // Control characters.
    ("/a%00", OTHER_SPELLING),
    ("/a%00.json", OTHER_SPELLING),
    ("/a%0d%0aX:%20y", OTHER_SPELLING),
    ("/a%09", OTHER_SPELLING),
    ("/a%7f", OTHER_SPELLING),
    ("/a%c2%85", OTHER_SPELLING),
    // Escapes that are none, or would be one the second time.
    ("/%", OTHER_SPELLING),
    ("/%4", OTHER_SPELLING),
    ("/a%/b", OTHER_SPELLING),
    ("/%4g", OTHER_SPELLING),
    ("/%+1", OTHER_SPELLING),
    ("/%u0041", OTHER_SPELLING),
    ("/%2541", OTHER_SPELLING),
    ("/%25%34%31", OTHER_SPELLING),
    ("/100%25ac", OTHER_SPELLING),
    // Bytes that are not UTF-8: bare, overlong, surrogate, cut off.
    ("/%ff", OTHER_SPELLING),
    ("/%80", OTHER_SPELLING),
    ("/%c0%ae%c0%ae", OTHER_SPELLING),
    ("/%c0%af", OTHER_SPELLING),
    ("/%ed%a0%80", OTHER_SPELLING),
    ("/%e5%95", OTHER_SPELLING),
];

#[test]
fn targets() {
    for (target, expected) in CASES {
        let expected = expected
            .clone()
            .map(|segments| segments.iter().map(|segment| (*segment).to_owned()).collect::<Vec<_>>());
        assert_eq!(segments(target), expected, "{target:?}");
    }
}

#[test]
fn sizes() {
    let longest = format!("/{}", "a".repeat(8 * 1024 - 1));
    assert!(segments(&longest).is_ok());
    assert_eq!(segments(&format!("{longest}a")), Err(Denial::RequestMalformed));
    assert!(segments(&"/a".repeat(32)).is_ok());
    assert_eq!(segments(&"/a".repeat(33)), Err(Denial::RequestMalformed));
    assert_eq!(segments(&"/".repeat(33)), Err(Denial::RequestMalformed));
}

#[test]
fn methods() {
    for method in ["GET", "HEAD", "OPTIONS", "PROPFIND", "A", "ABCDEFGHIJKLMNOP"] {
        let request = Request::read(method.as_bytes(), b"/a", true).unwrap();
        assert_eq!(request.method, method);
    }
    for method in
        ["", "get", "Get", "GET ", " GET", "G\0T", "GÉT", "M-SEARCH", "GET,POST", "ABCDEFGHIJKLMNOPQ"]
    {
        let read = Request::read(method.as_bytes(), b"/a", true);
        assert_eq!(read.err(), Some(Denial::RequestMalformed), "{method:?}");
    }
    assert!(Request::read(b"GET\xff", b"/a", true).is_err());
    assert!(Request::read(b"GET", b"/a\xff", true).is_err());
}

/// Any segment a client may mean: some text without what is refused in every encoding.
fn segment() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9%+&=?#@: .~\u{e9}\u{5546}\u{1f600}-]{1,12}".prop_filter("has another reading", |segment| {
        let escape = segment.as_bytes().windows(3).any(|window| {
            window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit()
        });
        segment != "." && segment != ".." && !escape
    })
}

/// A path as a client that escapes everything but letters and digits writes it.
fn written(segments: &[String]) -> String {
    segments.iter().fold(String::new(), |mut path, segment| {
        path.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() {
                path.push(char::from(byte));
            } else {
                write!(path, "%{byte:02X}").unwrap();
            }
        }
        path
    })
}

/// Decodes what looks like an escape and leaves the rest, as the most lenient back end does.
fn decoded_leniently(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap());
                at += 3;
            }
            (byte, _, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        method in proptest::collection::vec(any::<u8>(), 0..20),
        uri in proptest::collection::vec(any::<u8>(), 0..80),
        method_override in any::<bool>(),
    ) {
        let _ = Request::read(&method, &uri, method_override);
        let _ = Request::read(b"POST", &uri, method_override);
    }

    #[test]
    fn what_a_client_means_is_what_is_read(meant in proptest::collection::vec(segment(), 1..6)) {
        prop_assert_eq!(segments(&written(&meant)), Ok(meant));
    }

    #[test]
    fn what_is_read_has_no_second_reading(path in "(/|%2[eEfF5]|%5[cC]|%3[bB]|%00|%4[01]|%|\\.|;|\\\\|a|b){0,12}") {
        let path = format!("/{path}");
        let Ok(read) = segments(&path) else { return Ok(()) };
        // Written out again it reads the same.
        prop_assert_eq!(segments(&written(&read)), Ok(read.clone()));
        // Whoever decodes once or more, then splits and resolves, sees the same segments.
        let once = decoded_leniently(path.as_bytes());
        prop_assert_eq!(&decoded_leniently(&once), &once);
        let seen: Vec<&[u8]> = once[1..].split(|byte| *byte == b'/').collect();
        prop_assert_eq!(seen, read.iter().map(String::as_bytes).collect::<Vec<_>>());
        prop_assert!(read.iter().all(|segment| segment != "." && segment != ".."));
        prop_assert!(!read.iter().any(|segment| segment.contains([';', '\\', '\0', '/'])));
        prop_assert!(!read[..read.len() - 1].iter().any(String::is_empty));
    }
}
