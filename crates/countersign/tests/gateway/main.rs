//! Countersign behind real gateways: the real binary, every gateway with the configuration we ship, a real back end that
//! records what reaches it, and clients that lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod address;
mod assertion;
#[path = "../../examples/sample_api/api.rs"]
mod back_end;
mod book;
mod client;
mod countersign;
mod doctor;
mod every_gateway;
mod failures;
mod filling;
mod framing;
mod gateways;
mod health;
#[path = "../it/installation.rs"]
#[allow(dead_code, reason = "the other test binary uses more of it")]
mod installation;
mod misplaced;
mod operations;
mod outage;
#[path = "../it/pages.rs"]
mod pages;
mod relay;
mod revocation;
mod spoofing;
mod stack;
mod started;
mod story;
mod suite;
mod table;
mod trailers;
mod verify;
mod whoami;
