//! A connection that ends itself when its peer is too slow. It watches bytes and phases; of HTTP it knows the first bytes,
//! which tell HTTP/2 from HTTP/1.1, and the frames of HTTP/2, which it counts.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time::{Instant, Sleep},
};

use super::{
    frames::{Frames, PREFACE},
    taking::Taking,
    traffic::Traffic,
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

/// Whether somebody looked for more of the peer in this phase.
const LOOKED: u32 = 4;
const TURN_SHIFT: u32 = 3;

/// The phase and how often it was entered, shared by the stream and whoever answers requests on it.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<AtomicU32>);

impl Watch {
    pub(super) fn enter(&self, phase: Phase) {
        // One task does both, so no order between threads is at stake.
        let turn = (self.0.load(Ordering::Relaxed) >> TURN_SHIFT).wrapping_add(1);
        self.0.store(turn << TURN_SHIFT | phase as u32, Ordering::Relaxed);
    }

    /// Waits for the next request. Whether somebody looked for more of the peer since the last one came.
    pub(super) fn enter_idle(&self) -> bool {
        let looked = self.0.load(Ordering::Relaxed) & LOOKED != 0;
        self.enter(Phase::Idle);
        looked
    }

    /// Notes that somebody looked for more of the peer while it was not its turn.
    fn note_look(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) | LOOKED, Ordering::Relaxed);
    }

    fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) & 3 {
            0 => Phase::Fresh,
            1 => Phase::Header,
            2 => Phase::Answering,
            _ => Phase::Idle,
        }
    }

    /// Another number every time a phase is entered.
    fn turn(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
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
    // Reset only to make it earlier, or once it has fired: most phases end long before their limit, and resetting a timer
    // twice for every request costs more than answering some.
    timer: Pin<Box<Sleep>>,
    // Until when the phase of `timed` may last.
    until: Instant,
    timed: u32,
    // Whether the timer was ever asked.
    is_armed: bool,
    taking: Taking,
    // The first bytes, read to tell the protocol, and how many of them were read again.
    head: Vec<u8>,
    replayed: usize,
    http2: Option<(Frames, Arc<Traffic>)>,
}

impl Watched {
    pub(super) fn new(stream: Stream, watch: Watch) -> Self {
        let until = Instant::now() + Duration::from_secs(HEADER_READ_SECS);
        let timed = watch.turn();
        let timer = Box::pin(tokio::time::sleep_until(until));
        Self {
            stream,
            watch,
            timer,
            until,
            timed,
            is_armed: false,
            taking: Taking::default(),
            head: Vec::new(),
            replayed: 0,
            http2: None,
        }
    }

    /// Whether the connection begins as HTTP/2 does (RFC 9113 section 3.4), decided at the first byte that differs.
    pub(super) async fn begins_http2(&mut self) -> io::Result<bool> {
        let mut head = Vec::with_capacity(PREFACE.len());
        while head.len() < PREFACE.len() && PREFACE.starts_with(&head) {
            let mut bytes = [0; PREFACE.len()];
            let mut buffer = ReadBuf::new(&mut bytes[head.len()..]);
            poll_fn(|context| self.poll_bytes(context, &mut buffer)).await?;
            if buffer.filled().is_empty() {
                break;
            }
            head.extend_from_slice(buffer.filled());
        }
        let begins = head == PREFACE;
        self.head = head;
        Ok(begins)
    }

    /// Counts the frames of HTTP/2 from here on. Idleness is then for [`Traffic`] to tell.
    pub(super) fn count_frames(&mut self, traffic: Arc<Traffic>) {
        self.http2 = Some((Frames::default(), traffic));
    }

    /// Nothing came: is it too late?
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(limit) = self.watch.phase().limit() else {
            self.watch.note_look();
            return Poll::Pending;
        };
        let turn = self.watch.turn();
        if turn != self.timed {
            let now = Instant::now();
            self.timed = turn;
            self.until = now + limit;
            // The timer knows this task since it was last asked, and has not fired yet: it will, and then is asked again.
            if self.is_armed && now < self.timer.deadline() && self.timer.deadline() <= self.until {
                return Poll::Pending;
            }
            if self.until < self.timer.deadline() {
                self.timer.as_mut().reset(self.until);
            }
        }
        self.is_armed = true;
        while self.timer.as_mut().poll(context).is_ready() {
            if self.timer.deadline() >= self.until {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer took too long")));
            }
            self.timer.as_mut().reset(self.until);
        }
        Poll::Pending
    }

    /// Reads what comes, or waits as long as the phase allows.
    fn poll_bytes(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if result.is_pending() {
            return self.wait(context);
        }
        if buffer.filled().len() > before && matches!(self.watch.phase(), Phase::Fresh | Phase::Idle) {
            self.watch.enter(Phase::Header);
        }
        result
    }

    /// An answer that is being taken is not idleness; one that is not taken ends the connection, whatever its phase: who
    /// sends requests and reads nothing has no other limit.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes @ 1..)) => {
                self.taking.took(bytes);
                if self.watch.phase() == Phase::Idle {
                    self.watch.enter(Phase::Idle);
                }
            }
            Poll::Pending => {
                ready!(self.taking.wait(context));
                self.abandon();
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the peer took the answer too slowly",
                )));
            }
            Poll::Ready(_) => {}
        }
        result
    }

    /// Has the kernel throw away what the peer did not take, rather than offer it for minutes after the end.
    fn abandon(&self) {
        if let Stream::Tcp(stream) = &self.stream {
            // Where this fails the connection is broken already.
            let _ = stream.set_zero_linger();
        }
    }

    /// What was read to tell the protocol, once more.
    fn replay(&mut self, buffer: &mut ReadBuf<'_>) {
        let rest = &self.head[self.replayed..];
        let fits = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..fits]);
        self.replayed += fits;
        if self.replayed == self.head.len() {
            self.head = Vec::new();
            self.replayed = 0;
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A peer that floods is not read any more: it has the end of the connection to wait for.
        if self.http2.as_ref().is_some_and(|(_, traffic)| traffic.is_flood()) {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        if self.head.is_empty() {
            ready!(self.poll_bytes(context, buffer))?;
        } else {
            self.replay(buffer);
        }
        let Self { http2, watch, .. } = &mut *self;
        if let Some((frames, traffic)) = http2 {
            frames.observe(&buffer.filled()[before..], traffic);
            // A header that has begun must come to its end, whatever else the connection does meanwhile.
            match (frames.are_in_header(), watch.phase()) {
                (true, Phase::Header) | (false, Phase::Answering) => {}
                (true, _) => watch.enter(Phase::Header),
                (false, _) => watch.enter(Phase::Answering),
            }
        }
        Poll::Ready(Ok(()))
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
        self.written(context, result)
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
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    // The kernel has what was written, and a TCP or unix stream shuts down at once: neither of these is ever pending.
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
