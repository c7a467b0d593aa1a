//! The verifier from outside: every denial, their order, and that nothing slips through while changes are applied.
//! `COUNTERSIGN_TEST_SECONDS` (2 unless set) is the time each measuring test takes; `COUNTERSIGN_TEST_FULL=1` runs the
//! full counts instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod ages;
mod changes;
mod denials;
mod derived;
mod flooding;
mod guessing;
mod kinds;
mod measure;
mod oracle;
mod order;
mod random_changes;
mod rates;
mod rotation;
mod scene;
mod targets;
mod threads;
mod timing;
mod versions;

/// What is tested: the crate from outside here, its sources in the tests of schedules.
use countersign_verify as tested;
