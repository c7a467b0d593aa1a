//! The words and the rules of Countersign, as pure types: what a token is, what a catalog says, what may be asked and
//! what may be answered. It does no IO, reads no clock, has no randomness of its own, and never blocks.

pub mod actor;
pub mod address;
pub mod announcement;
pub mod api_version;
mod bytes;
pub mod catalog;
pub mod change;
pub mod credential;
mod crockford;
pub mod decision;
pub mod digest;
pub mod event;
pub mod grant;
pub mod id;
pub mod lifetime;
pub mod limits;
pub mod name;
pub mod probe;
pub mod rate;
pub mod route;
pub mod scope;
pub mod secret;
pub mod sid;
pub mod time;
