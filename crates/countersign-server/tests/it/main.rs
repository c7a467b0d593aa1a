//! The management API, from the outside: an in-process router over a real store, typed callers, a fixed clock and a
//! seeded source of randomness. The tree of tests is the tree of addresses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod accounts;
mod addresses;
mod ageing;
mod announcements;
mod audit;
mod bootstrap;
mod catalog;
mod console;
mod gateway_probes;
mod grpc;
mod harness;
mod headers;
mod import;
mod json_input;
mod keys;
mod legacy;
mod machines;
mod mail;
mod members;
mod openapi;
mod outbox;
mod people;
mod rights;
mod session;
mod tenants;
mod threats;
mod tokens;
mod vectors;
mod webhooks;
