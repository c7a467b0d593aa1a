//! The signed assertion: what Countersign decided about one request, for the back end behind the gateway. A back end that
//! checks it depends neither on the gateway's header hygiene nor on this installation being reachable. The crate knows no
//! other crate of ours, so that a back end takes in nothing else; it fetches nothing and reads no clock.
//!
//! An assertion is a compact JWS (RFC 7515) with the algorithm `EdDSA` over Ed25519 (RFC 8037) and these claims (RFC
//! 7519). It holds for one audience, one request and [`limits::LIFETIME_SECS`] seconds.

mod checker;
mod claims;
pub mod limits;

pub use checker::{Checker, KeySetError, Presented, Refusal};
pub use claims::{Claims, path_hash};

/// The `typ` of the header: no other statement of ours passes for an assertion, and an assertion for no other.
pub const TYPE: &str = "countersign-assertion+jwt";
