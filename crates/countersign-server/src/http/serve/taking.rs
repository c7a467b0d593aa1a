//! How fast a peer takes what it is sent. A connection may keep us waiting for so long and no longer, and earns time with the
//! bytes it takes; whoever takes none, or one now and then, has soon used it up. It writes nothing itself.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

use crate::limits::{ANSWER_BYTES_PER_SEC_MIN, ANSWER_STALL_SECS};

const PATIENCE: Duration = Duration::from_secs(ANSWER_STALL_SECS);

/// The time one connection has left to keep us waiting.
pub(super) struct Taking {
    left: Duration,
    // Since when it does.
    waiting: Option<Instant>,
    // Made when a peer first keeps us waiting: most never do.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Default for Taking {
    fn default() -> Self {
        Self { left: PATIENCE, waiting: None, timer: None }
    }
}

impl Taking {
    /// Nothing more was taken. Ready once the peer has kept us waiting for too long.
    pub(super) fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let until = self.waiting.is_none().then(|| self.begin(Instant::now()));
        let timer = match (&mut self.timer, until) {
            (Some(timer), Some(until)) => {
                timer.as_mut().reset(until);
                timer
            }
            (Some(timer), None) => timer,
            (timer, until) => {
                timer.insert(Box::pin(tokio::time::sleep_until(until.unwrap_or_else(Instant::now))))
            }
        };
        timer.as_mut().poll(context)
    }

    /// So many bytes were taken.
    pub(super) fn took(&mut self, bytes: usize) {
        // The usual path: nobody waits, and nothing is to be made good.
        if self.waiting.is_some() || self.left < PATIENCE {
            self.settle(bytes, Instant::now());
        }
    }

    /// Begins to wait, and answers until when.
    fn begin(&mut self, now: Instant) -> Instant {
        self.waiting = Some(now);
        now + self.left
    }

    fn settle(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(now - since);
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * bytes / ANSWER_BYTES_PER_SEC_MIN;
        self.left = (self.left + earned).min(PATIENCE);
    }
}

#[cfg(test)]
#[path = "taking_tests.rs"]
mod tests;
