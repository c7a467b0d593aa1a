//! Every interleaving that a random scheduler finds of asks beside changes: the sources of this crate once more, with the
//! scheduler's atomics in the place of the processor's, so that a switch may come between any two reads and writes of shared memory. What
//! it finds it can repeat: a failure prints its schedule. It does not see reorderings that the memory model allows and
//! a sequence of steps does not; those are argued where the orderings stand.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the whole crate is here, and little of it is asked"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, reason = "it tells what it ran")]

#[path = "../../src/decide.rs"]
mod decide;
#[path = "../../src/failures.rs"]
mod failures;
#[path = "../../src/freshness.rs"]
mod freshness;
#[path = "../../src/index/mod.rs"]
mod index;
#[path = "../../src/limit.rs"]
mod limit;
#[path = "../../src/limits.rs"]
pub mod limits;
#[path = "../../src/lookup.rs"]
mod lookup;
#[path = "../../src/misplaced.rs"]
mod misplaced;
#[path = "../../src/place.rs"]
mod place;
#[path = "../../src/renewals.rs"]
mod renewals;
#[path = "../../src/settings.rs"]
mod settings;
#[path = "../../src/usage/mod.rs"]
mod usage;
#[path = "../../src/verifier.rs"]
mod verifier;

mod races;
#[path = "../it/scene.rs"]
mod scene;
mod sync;

pub use freshness::Freshness;
pub use renewals::Renewal;
pub use settings::{FailureLimit, Settings};
pub use usage::{Use, Versions};
pub use verifier::{Gap, Verifier};

/// What is tested.
mod tested {
    pub use crate::{FailureLimit, Settings, Verifier};
}

impl Verifier {
    /// Uses that somebody would find who reads the memory now, when the report of this number was the last one written.
    fn uses_left_behind(&self, report: u64) -> u64 {
        self.uses().left_behind(report)
    }
}

fn main() {
    races::run();
}
