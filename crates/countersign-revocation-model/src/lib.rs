//! The revocation barrier (many nodes, one database, one denial) as a model: every order in which the parties can act
//! is tried, up to a bound of time, and none may let a request through after its denial was answered. Each rule of the
//! protocol can be broken, and a broken rule must be found unsafe; else it would be no rule. It models messages, clocks
//! and crashes, not SQL and not sockets: those are the business of the simulation and of the real cluster's tests.
//!
//! What it leaves out: more than one denial, more than two nodes, hubs, and time beyond a few ticks.

mod actions;
mod database;
mod model;
mod node;
mod rule;
mod scenario;
mod state;
mod writer;

pub use actions::Action;
pub use model::{Barrier, NO_ALLOW_AFTER_ANSWER};
pub use rule::Rule;
pub use scenario::{Bound, Scenario};
pub use state::State;
