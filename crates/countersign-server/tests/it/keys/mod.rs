//! Keys: rotations that may end at any moment and still leave everything working, secrets that open nowhere but in their
//! place, and files that hold nothing anybody could read.

mod drill;
mod dump;
mod moved_rows;
mod refusals;
mod rotations;
mod show_once;
mod stage;
