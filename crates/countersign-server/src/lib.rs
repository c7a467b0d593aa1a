//! The running Countersign: use cases (`ops`), the doors (`http`), and the node that keeps the verifier fresh. It reads
//! no flag and no environment: the binary hands it everything. Only `store` knows how things are kept, and only
//! `verify` decides.

pub mod app;
pub mod assertions;
pub mod audit_signer;
pub mod caller;
pub mod clock;
pub mod error;
mod hexadecimal;
pub mod http;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod node;
pub mod open;
pub mod ops;
pub mod outcome;
pub mod random;
pub mod rights;
pub mod run;
pub mod sealing;
pub mod webhooks;
