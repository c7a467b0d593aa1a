//! `/api/v1/accounts/{account_id}/tokens`.

mod bad_input;
mod change;
mod create;
mod idempotency;
mod secret;
mod strength;
mod switch;
pub mod world;
