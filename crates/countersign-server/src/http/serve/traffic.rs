//! What goes on on an HTTP/2 connection, to end one that is idle, too old, or floods. Frames that bring no request cost
//! their sender next to nothing and us time, so every connection may send so many of them, and earns more with every
//! request that was answered; the rapid resets and floods of pings, settings and empty frames are all paid from this one
//! account.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use crate::limits::{HTTP2_AGE_SECS_MAX, HTTP2_FRAMES_AHEAD_MAX, HTTP2_FRAMES_PER_REQUEST, IDLE_SECS};

/// The account of one connection.
pub(super) struct Traffic {
    opened: Instant,
    // Frames the peer may still send without a request.
    left: AtomicI64,
    in_flight: AtomicU32,
    // When the last request was answered or given up, in milliseconds from the beginning.
    used_millis: AtomicU64,
    flood: Notify,
}

/// Why a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing was asked for too long.
    Idle,
    /// It had its time; a new one may be opened.
    Old,
    /// It sends frames and asks nothing.
    Flood,
}

/// A request that is being answered.
pub(super) struct InFlight(Arc<Traffic>);

impl Default for Traffic {
    fn default() -> Self {
        Self {
            opened: Instant::now(),
            left: AtomicI64::new(HTTP2_FRAMES_AHEAD_MAX),
            in_flight: AtomicU32::new(0),
            used_millis: AtomicU64::new(0),
            flood: Notify::new(),
        }
    }
}

impl Traffic {
    /// A frame came that brings no request.
    pub(super) fn charge(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.flood.notify_one();
        }
    }

    /// Whether more frames came than may come.
    pub(super) fn is_flood(&self) -> bool {
        self.left() < 0
    }

    /// Frames that may still come.
    pub(super) fn left(&self) -> i64 {
        self.left.load(Ordering::Relaxed)
    }

    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// Waits until the connection is to end.
    pub(super) async fn end(&self) -> End {
        let (idle, old) = (Duration::from_secs(IDLE_SECS), Duration::from_secs(HTTP2_AGE_SECS_MAX));
        let old = self.opened + old;
        loop {
            let used = self.opened + Duration::from_millis(self.used_millis.load(Ordering::Relaxed));
            let is_busy = self.in_flight.load(Ordering::Relaxed) > 0;
            let now = Instant::now();
            if now >= old {
                return End::Old;
            }
            if !is_busy && now >= used + idle {
                return End::Idle;
            }
            // Whoever is busy now is idle a whole idle time from now at the earliest.
            let next = if is_busy { now + idle } else { used + idle };
            tokio::select! {
                () = self.flood.notified() => return End::Flood,
                () = tokio::time::sleep_until(next.min(old)) => {}
            }
        }
    }
}

impl InFlight {
    /// It was answered. One that is dropped without was given up by its sender, and earns nothing.
    pub(super) fn answered(self) {
        let traffic = &self.0;
        if (0..HTTP2_FRAMES_AHEAD_MAX).contains(&traffic.left()) {
            traffic.left.fetch_add(HTTP2_FRAMES_PER_REQUEST, Ordering::Relaxed);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let millis = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.used_millis.store(millis, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
