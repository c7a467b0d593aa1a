//! The threats of the security notes that need more than a rule: a server that listens, many samples, many inputs.
//! `COUNTERSIGN_TEST_FULL=1` runs the full counts.

pub mod effort;
mod enumeration;
mod garbage;
mod input;
mod insider;
pub mod live;
mod matrix;
mod misplaced;
mod profiles;
mod search;
mod tampering;
mod welch;
