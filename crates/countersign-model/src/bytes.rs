//! Questions about every byte of a short text. It knows no text of its own, and allocates nothing.

/// Whether all bytes are such. It looks at each of them whatever it finds: a loop that never ends early is done sixteen
/// bytes at a time, and the texts here are bounded.
pub(crate) fn all(bytes: &[u8], is_such: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, &byte| all & is_such(byte))
}
