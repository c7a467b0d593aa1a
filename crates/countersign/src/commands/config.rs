//! `countersign config`: checks what is configured, or prints it with the place each value came from.

use clap::Subcommand;
use serde_json::Value;

use crate::{
    config::{Config, Flags},
    failure::Failure,
    output::{self, Format},
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether the configuration can be used
    Check,
    /// Print every value and where it came from; there is no secret among them
    Print,
}

/// Runs it.
pub fn run(
    command: &Command,
    flags: &Flags,
    environment: &[(String, String)],
    format: Format,
) -> Result<(), Failure> {
    let config = Config::resolve(flags, environment)?;
    match command {
        Command::Check => output::note("The configuration can be used."),
        Command::Print => {
            let rows: Vec<Value> = config.shown().into_iter().map(|shown| shown.as_json()).collect();
            output::rows(format, &[("KEY", "/key"), ("VALUE", "/value"), ("FROM", "/source")], &rows);
        }
    }
    Ok(())
}
