//! Signing in and out.

mod cross_site;
mod guessing;
mod life;
