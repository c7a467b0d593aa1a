//! The binary `countersign`: reads flags and environment, and hands everything else what it needs. Exit codes: 0 done,
//! 1 refused or found wrong, 2 usage, 3 unavailable.

mod backup_file;
mod commands;
mod config;
mod connection;
mod failure;
mod hardening;
mod lock;
mod logging;
mod output;
mod probe;
mod progress;
mod recipe;
mod upload;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{commands::Arguments, failure::Failure};

/// It gives back what a flood of sign-ins takes; measured against the system's allocator in
/// `docs/adr/0018-the-allocator-is-mimalloc.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    match run(arguments, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(format!("countersign: {failure}"));
            failure.exit_code()
        }
    }
}

fn run(arguments: Arguments, environment: &[(String, String)]) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::unavailable(format!("cannot start threads: {cause}")))?;
    runtime.block_on(commands::run(arguments, environment))
}
