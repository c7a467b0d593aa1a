//! Tests of the binary as people run it: real processes, real sockets, a real data directory. Everything is waited for;
//! nothing is timed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod at_once;
mod audit;
mod book;
mod bootstrap;
mod catalog;
mod client;
mod configuration;
mod crash;
mod demo;
mod import;
mod installation;
mod lock;
mod platform;
mod shutdown;
