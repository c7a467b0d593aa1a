//! What the store promises, on real files: every case through the public interface. Cases that damage the file open it
//! with a connection of their own. Nothing here looks inside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed test says so by panicking"
)]

mod accounts;
mod audit;
mod commit;
mod feed;
mod kill;
mod members;
mod operators;
mod people;
mod replay;
mod sessions;
mod tokens;
mod world;
