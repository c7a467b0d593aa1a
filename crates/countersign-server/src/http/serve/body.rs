//! The body of a request, which must be there in time. How large it may be is for each door to say.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::AnyError;
use crate::http::Peer;
use crate::limits::{BODY_READ_SECS, IMPORT_BYTES_MAX};

/// Bytes of a body that are worth the time limit once: a large file is given so many times the time.
const BYTES_PER_LIMIT: u64 = 1024 * 1024;

/// What comes after the header.
pub struct RequestBody {
    incoming: Incoming,
    peer: Peer,
    limit: Duration,
    // Begins when the body is first waited for: most are there with their header.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, peer: Peer) -> Self {
        // A body that does not say how long it is, as HTTP/2 allows, has the time of a small one.
        let bytes = incoming.size_hint().upper().unwrap_or(0).min(IMPORT_BYTES_MAX);
        let secs = BODY_READ_SECS * (1 + bytes / BYTES_PER_LIMIT);
        Self { incoming, peer, limit: Duration::from_secs(secs), deadline: None }
    }

    /// Who is at the other end of the connection.
    pub fn peer(&self) -> Peer {
        self.peer
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = AnyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(AnyError::from)));
        }
        let limit = self.limit;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        deadline.as_mut().poll(context).map(|()| Some(Err("the body did not come in time".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
