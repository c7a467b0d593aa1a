//! The doors that are standards: the real binary, asked as the RFCs say, by our own clients, by Apache's OAuth module, and
//! by the JWT libraries of three languages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "who waits for a program to listen looks at the clock")]

mod apache;
mod assertions;
mod challenges;
mod client;
mod credentials;
mod document;
mod forgeries;
#[path = "../it/installation.rs"]
#[allow(dead_code, reason = "the other test binary uses more of it")]
mod installation;
mod introspection;
mod revocation;
mod scene;
