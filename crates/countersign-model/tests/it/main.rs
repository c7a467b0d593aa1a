//! The rules of the model seen from outside: catalogs as files, requests as bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod catalog_limits;
mod catalog_problems;
mod differences;
mod numbering;
mod parameters;
mod paths;
mod routes;
mod standard_catalog;
mod support;
