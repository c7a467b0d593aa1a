//! HTTP/2 frames as an attacker writes them: any kind, any length, any order.

/// What every connection begins with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// `GET /whoami` in HPACK, without the table.
pub const GET_WHOAMI: &[u8] = b"\x82\x86\x04\x07/whoami\x41\x01a";
/// `POST /v1/verify`.
pub const POST_VERIFY: &[u8] = b"\x83\x86\x04\x0a/v1/verify\x41\x01a";

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The number of a client's stream.
pub fn stream(number: usize) -> u32 {
    u32::try_from(2 * number + 1).unwrap()
}

/// The kinds of the frames in what a server sent.
pub fn kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [high, middle, low, kind, ..] = bytes {
        kinds.push(*kind);
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    kinds
}
