//! The only reader of time. Everything else is handed a moment.
#![expect(clippy::disallowed_methods, reason = "this file is where the clocks are read")]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use countersign_model::time::{Now, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// Where time comes from.
#[derive(Clone)]
pub enum Clock {
    /// The machine's clocks.
    System,
    /// A clock that stands still until a test moves it.
    Fixed(Arc<Mutex<Now>>),
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self::System
    }

    /// A clock standing at this moment.
    pub fn fixed(wall: Timestamp) -> Self {
        Self::Fixed(Arc::new(Mutex::new(Now { wall, boot_nanos: 1_000_000_000 })))
    }

    /// Both clocks, read once.
    pub fn now(&self) -> Now {
        match self {
            Self::System => {
                let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let millis = i64::try_from(wall.as_millis()).unwrap_or(i64::MAX);
                let boot = clock_gettime(ClockId::Boottime);
                let boot_nanos = u64::try_from(boot.tv_sec).unwrap_or(0) * 1_000_000_000
                    + u64::try_from(boot.tv_nsec).unwrap_or(0);
                Now { wall: Timestamp::from_unix_millis(millis), boot_nanos }
            }
            Self::Fixed(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The time of day.
    pub fn wall(&self) -> Timestamp {
        self.now().wall
    }

    /// Moves a fixed clock; does nothing to the machine's.
    pub fn advance_secs(&self, secs: u32) {
        if let Self::Fixed(now) = self {
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            now.wall = now.wall.plus_secs(i64::from(secs));
            now.boot_nanos += u64::from(secs) * 1_000_000_000;
        }
    }
}
