//! From method and path to scope, strictly: a path that has a second spelling is refused, never rewritten. It decides
//! nothing about tokens; it only says what a request would do, and for whose account.

mod path;
mod query;
mod request;
mod table;
mod template;

pub use request::Request;
pub use table::{Route, RouteTable};
pub(crate) use template::PathTemplate;
