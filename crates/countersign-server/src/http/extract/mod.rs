//! Extractors: what a handler is handed was read, checked and proved. A handler that takes a `Granted<R>` cannot be
//! reached without the right.

mod address;
mod body;
mod cursor;
mod identity;
mod json;
mod named;
mod preconditions;
mod query;
mod rights;
mod same_origin;

pub use address::client_address;
pub use body::{Body, NoBody, read_body, refuse_packed};
pub use cursor::{ListPlace, PageParameters, seal_cursor};
pub use identity::{SESSION_COOKIE, cookie};
pub use json::present;
pub use preconditions::{IdempotencyKey, IfMatch, edit_tag};
pub use query::{Id, Query, search};
pub use rights::{AsOperator, In, Known, SignedIn};
pub use same_origin::SameOrigin;

pub(super) use query::carries_secret;
