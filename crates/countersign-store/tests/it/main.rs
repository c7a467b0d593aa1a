//! What the store promises, on real files: every case through the public interface. Cases that damage the file open it
//! with a connection of their own. Nothing here looks inside. `tests/postgres` runs the same cases on a server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed test says so by panicking"
)]

mod accounts;
mod ageing;
mod audit;
mod audit_mutations;
mod commit;
mod deliveries;
mod evidence;
mod feed;
mod file;
mod kill;
mod members;
mod notices;
mod operators;
mod people;
mod replay;
mod sessions;
mod tokens;
mod world;

const ENGINE: world::Engine = world::Engine::Sqlite;
