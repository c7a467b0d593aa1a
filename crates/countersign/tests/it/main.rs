//! Tests of the binary as people run it: real processes, real sockets, a real data directory. Everything is waited for;
//! nothing is timed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod announcements;
mod at_once;
mod audit;
mod backup;
mod book;
mod bootstrap;
mod canaries;
mod catalog;
mod client;
#[path = "../../../countersign-store/tests/it/cluster.rs"]
#[allow(dead_code, reason = "the tests of the store use the rest")]
mod cluster;
mod configuration;
mod crash;
mod demo;
mod disk_full;
mod hostile_text;
mod import;
mod installation;
mod keys;
mod listener;
mod lock;
mod mail;
mod memory;
mod outbox;
mod pages;
mod platform;
mod postgres;
mod shutdown;
mod uses;
