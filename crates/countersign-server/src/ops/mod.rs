//! Use cases: one file per kind of deed. They know no transport; doors call them with a proof of the right.

pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod bootstrap;
pub mod catalogs;
pub mod gateways;
pub mod idempotency;
pub mod import;
pub mod invitations;
pub mod legacy;
pub mod members;
mod password_rules;
pub mod passwords;
pub mod people;
pub mod platform_credentials;
pub mod profile;
pub mod secrets;
pub mod sessions;
pub mod sign_in;
pub mod throttle;
pub mod tokens;
