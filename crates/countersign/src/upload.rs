//! The body of a request of the command line: bytes in memory, sent in pieces, so that somebody can be told how far the
//! server has read them. Its length is known, because the server takes no chunked bodies.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Bytes of a piece.
const PIECE_BYTES: usize = 64 * 1024;

/// Hears how many bytes were taken.
pub type OnProgress = Box<dyn FnMut(u64) + Send>;

/// The body.
pub struct Upload {
    rest: Bytes,
    sent: u64,
    on_progress: Option<OnProgress>,
}

impl Upload {
    /// A body that tells nobody.
    pub fn new(bytes: Bytes) -> Self {
        Self { rest: bytes, sent: 0, on_progress: None }
    }

    /// A body that tells how far it is.
    pub fn watched(bytes: Bytes, on_progress: OnProgress) -> Self {
        Self { on_progress: Some(on_progress), ..Self::new(bytes) }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        self.sent += length as u64;
        let sent = self.sent;
        if let Some(tell) = &mut self.on_progress {
            tell(sent);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
