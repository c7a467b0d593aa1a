//! Webhooks: who may have them, where they may not lead, and that others can tell that a request is ours.

mod api;
mod guard;
pub mod listener;
mod network;
mod redirects;
mod sending;
