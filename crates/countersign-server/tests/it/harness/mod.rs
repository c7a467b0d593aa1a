//! What every test starts from: an installation of its own in a temporary directory, and callers of every kind.

mod answer;
mod client;
mod log;
mod world;

pub use answer::Answer;
pub use client::{Client, Request};
pub use log::Log;
pub use world::{ADMINISTRATOR, ANALYST, PASSWORD, SPECIALIST, World, code_of, newest_entry, user_id};
