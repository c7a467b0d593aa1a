//! How much a test does, and the one place of these tests that reads a clock.
#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::time::{Duration, Instant};

/// Whether the full counts were asked for.
pub fn is_full() -> bool {
    std::env::var("COUNTERSIGN_TEST_FULL").is_ok_and(|value| value == "1")
}

/// The end of a measurement that takes this long, and never ends where the full count was asked for.
pub struct Deadline(Option<(Instant, Duration)>);

impl Deadline {
    pub fn secs(secs: u64) -> Self {
        Self((!is_full()).then(|| (Instant::now(), Duration::from_secs(secs))))
    }

    /// The end of the time a measurement may take, `COUNTERSIGN_TEST_SECONDS`, or so many seconds where that is not set.
    pub fn budget(otherwise: u64) -> Self {
        let told = std::env::var("COUNTERSIGN_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
        Self::secs(told.unwrap_or(otherwise))
    }

    pub fn is_over(&self) -> bool {
        self.0.is_some_and(|(start, length)| start.elapsed() >= length)
    }
}

/// How long this takes, in nanoseconds.
pub fn nanos<T>(act: impl FnOnce() -> T) -> (u64, T) {
    let start = Instant::now();
    let result = act();
    (u64::try_from(start.elapsed().as_nanos()).unwrap(), result)
}

/// How long this takes to be ready, in milliseconds.
pub async fn millis<T>(act: impl Future<Output = T>) -> (f64, T) {
    let start = Instant::now();
    let result = act.await;
    (start.elapsed().as_secs_f64() * 1_000.0, result)
}
