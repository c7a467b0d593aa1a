//! A connection that ends itself when its peer is too slow. It watches bytes and phases, and reads no HTTP.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Instant, Sleep},
};

use crate::limits::{HEADER_READ_SECS, IDLE_SECS};

/// A TCP or unix stream.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// What a connection is waiting for. The numbers are how [`Watch`] keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// For its first byte.
    Fresh = 0,
    /// For the rest of a header.
    Header = 1,
    /// For us. The body of the request has a limit of its own.
    Answering = 2,
    /// For the peer to take the answer or ask again.
    Idle = 3,
}

/// The phase, shared by the stream and whoever answers requests on it.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<AtomicU8>);

impl Watch {
    pub(super) fn enter(&self, phase: Phase) {
        // One task does both, so no order between threads is at stake.
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Fresh,
            1 => Phase::Header,
            2 => Phase::Answering,
            _ => Phase::Idle,
        }
    }
}

impl Phase {
    /// How long it may last without a byte; a header must be complete by then, however its bytes trickle.
    fn limit(self) -> Option<Duration> {
        match self {
            Self::Fresh | Self::Header => Some(Duration::from_secs(HEADER_READ_SECS)),
            Self::Answering => None,
            Self::Idle => Some(Duration::from_secs(IDLE_SECS)),
        }
    }
}

/// A stream under watch.
pub(super) struct Watched {
    stream: Stream,
    watch: Watch,
    deadline: Pin<Box<Sleep>>,
    // The phase the deadline is of.
    timed: Phase,
}

impl Watched {
    pub(super) fn new(stream: Stream, watch: Watch) -> Self {
        let limit = Duration::from_secs(HEADER_READ_SECS);
        Self { stream, watch, deadline: Box::pin(tokio::time::sleep(limit)), timed: Phase::Fresh }
    }

    fn begin(&mut self, phase: Phase) {
        self.watch.enter(phase);
        self.timed = phase;
        if let Some(limit) = phase.limit() {
            self.deadline.as_mut().reset(Instant::now() + limit);
        }
    }

    /// Nothing came: is it too late?
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let phase = self.watch.phase();
        if phase != self.timed {
            self.begin(phase);
        }
        if phase.limit().is_none() || self.deadline.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer took too long")))
    }

    /// An answer that is being taken is not idleness.
    fn written(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(1..))) && self.watch.phase() == Phase::Idle {
            self.begin(Phase::Idle);
        }
        result
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if result.is_pending() {
            return self.wait(context);
        }
        if buffer.filled().len() > before && matches!(self.watch.phase(), Phase::Fresh | Phase::Idle) {
            self.begin(Phase::Header);
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
