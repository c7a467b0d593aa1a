//! The frames of an HTTP/2 connection, told apart by their nine-byte headers (RFC 9113 section 4.1) as they are read. It
//! only counts and sees whether a header block is open; what a frame means is for the library that gets the same bytes.

use super::traffic::Traffic;

/// The first bytes of every HTTP/2 connection.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 0x4;
/// Bytes of a body that are worth the frame they come in.
const DATA_BYTES_PER_FRAME: usize = 512;

/// Where in the stream of frames a connection is.
pub(super) struct Frames {
    // Bytes of the preface that are still to come.
    preface: usize,
    header: [u8; HEADER_BYTES],
    filled: usize,
    payload: usize,
    // Whether a header block has begun and not ended.
    is_block_open: bool,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            preface: PREFACE.len(),
            header: [0; HEADER_BYTES],
            filled: 0,
            payload: 0,
            is_block_open: false,
        }
    }
}

impl Frames {
    /// Sees what was read.
    pub(super) fn observe(&mut self, mut bytes: &[u8], traffic: &Traffic) {
        bytes = skip(bytes, &mut self.preface);
        while !bytes.is_empty() {
            if self.filled < HEADER_BYTES {
                let taken = bytes.len().min(HEADER_BYTES - self.filled);
                self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
                self.filled += taken;
                bytes = &bytes[taken..];
                if self.filled < HEADER_BYTES {
                    return;
                }
                self.begin(traffic);
            }
            bytes = skip(bytes, &mut self.payload);
            if self.payload == 0 {
                self.filled = 0;
            }
        }
    }

    /// Whether a header block, or a frame of one, has begun and not ended.
    pub(super) fn are_in_header(&self) -> bool {
        let is_header = matches!(self.header[3], HEADERS | CONTINUATION);
        self.is_block_open || (self.filled == HEADER_BYTES && is_header)
    }

    /// The header of a frame is complete.
    fn begin(&mut self, traffic: &Traffic) {
        let [high, middle, low, kind, flags, ..] = self.header;
        self.payload = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        match kind {
            // A request that comes whole is paid by its answer.
            HEADERS if flags & END_HEADERS != 0 => {}
            DATA if self.payload >= DATA_BYTES_PER_FRAME => {}
            _ => traffic.charge(),
        }
        if matches!(kind, HEADERS | CONTINUATION) {
            self.is_block_open = flags & END_HEADERS == 0;
        }
        if self.payload == 0 {
            self.filled = 0;
        }
    }
}

/// Leaves out the next `count` bytes, as far as they are here.
fn skip<'b>(bytes: &'b [u8], count: &mut usize) -> &'b [u8] {
    let skipped = bytes.len().min(*count);
    *count -= skipped;
    &bytes[skipped..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::HTTP2_FRAMES_AHEAD_MAX;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    /// The same bytes in pieces of every size are the same frames.
    #[test]
    fn frames_are_found_however_they_are_cut() {
        let frames = [
            frame(4, 0, &[0; 6]),
            frame(HEADERS, END_HEADERS, b"header"),
            frame(DATA, 0, &[7; 1000]),
            frame(DATA, 1, &[]),
            frame(HEADERS, 0, b"begun"),
            frame(CONTINUATION, 0, &[]),
            frame(CONTINUATION, END_HEADERS, b"ended"),
            frame(6, 0, &[0; 8]),
        ];
        let bytes = [PREFACE.as_slice(), &frames.concat()].concat();
        for size in 1..bytes.len() {
            let (mut seen, traffic) = (Frames::default(), Traffic::default());
            for piece in bytes.chunks(size) {
                seen.observe(piece, &traffic);
            }
            assert!(!seen.are_in_header(), "pieces of {size}");
            // Settings, the empty frame of data, the three of the cut header, and the ping.
            assert_eq!(traffic.left(), HTTP2_FRAMES_AHEAD_MAX - 6, "pieces of {size}");
        }
    }

    #[test]
    fn a_header_is_open_from_its_first_frame_to_its_last_byte() {
        let (mut seen, traffic) = (Frames::default(), Traffic::default());
        seen.observe(PREFACE, &traffic);
        let begun = frame(HEADERS, 0, b"begun");
        seen.observe(&begun, &traffic);
        assert!(seen.are_in_header());
        let ended = frame(CONTINUATION, END_HEADERS, b"ended");
        seen.observe(&ended[..ended.len() - 1], &traffic);
        assert!(seen.are_in_header());
        seen.observe(&ended[ended.len() - 1..], &traffic);
        assert!(!seen.are_in_header());
    }
}
