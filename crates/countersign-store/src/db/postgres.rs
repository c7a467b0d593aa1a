//! PostgreSQL behind the seam: where a server is and how it is reached, sessions that one thread uses at a time, what
//! errors mean, and the one writer, who stamps rows itself because the server must never have the key. No rules of ours.

mod batch;
mod cells;
mod meaning;
mod plan;
pub(super) mod session;
mod stamps;
mod target;
pub(super) mod writer;

pub(crate) use target::Target;
