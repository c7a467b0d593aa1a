//! What the store promises, on a real PostgreSQL that these tests start themselves: every case of `tests/it` that is not of
//! a file, and what is only of a server. Nothing is left out where there is no PostgreSQL: the tests fail and say what to
//! install.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed test says so by panicking"
)]

#[path = "../it/accounts.rs"]
mod accounts;
#[path = "../it/ageing.rs"]
mod ageing;
#[path = "../it/audit.rs"]
mod audit;
#[path = "../it/audit_mutations.rs"]
mod audit_mutations;
#[path = "../it/commit.rs"]
mod commit;
#[path = "../it/deliveries.rs"]
mod deliveries;
mod doubt;
#[path = "../it/evidence.rs"]
mod evidence;
#[path = "../it/feed.rs"]
mod feed;
#[path = "../it/kill.rs"]
mod kill;
#[path = "../it/members.rs"]
mod members;
#[path = "../it/notices.rs"]
mod notices;
#[path = "../it/operators.rs"]
mod operators;
mod outage;
#[path = "../it/people.rs"]
mod people;
#[path = "../it/replay.rs"]
mod replay;
#[path = "../it/sessions.rs"]
mod sessions;
#[path = "../it/tokens.rs"]
mod tokens;
#[path = "../it/world.rs"]
mod world;

const ENGINE: world::Engine = world::Engine::Postgres;
