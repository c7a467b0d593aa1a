//! How long measuring tests run, and the one place here that reads a clock.
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::time::{Duration, Instant};

/// Seconds each measuring test may take, `None` for the full count.
pub fn budget() -> Option<Duration> {
    if std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1") {
        return None;
    }
    let secs = std::env::var("COUNTERSIGN_TEST_SECONDS")
        .ok()
        .map_or(2.0, |text| text.parse().expect("a number of seconds"));
    Some(Duration::from_secs_f64(secs))
}

/// A running budget.
pub struct Deadline(Option<(Instant, Duration)>);

impl Deadline {
    pub fn start() -> Self {
        Self(budget().map(|length| (Instant::now(), length)))
    }

    pub fn is_over(&self) -> bool {
        self.0.is_some_and(|(start, length)| start.elapsed() >= length)
    }
}

/// How long this takes.
pub fn nanos<T>(act: impl FnOnce() -> T) -> (u64, T) {
    let start = Instant::now();
    let result = act();
    (u64::try_from(start.elapsed().as_nanos()).unwrap(), result)
}
